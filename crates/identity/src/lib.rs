//! tb-identity
