//! tongban
