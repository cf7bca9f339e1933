//! tb-tlog
