//! tb-exchange
