//! t01-data-platform
