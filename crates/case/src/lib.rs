//! tb-case
