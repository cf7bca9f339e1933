//! tb-crypto
