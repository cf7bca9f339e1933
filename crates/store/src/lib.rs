//! tb-store
