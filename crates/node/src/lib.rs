//! tb-node
