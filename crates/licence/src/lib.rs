//! tb-licence
