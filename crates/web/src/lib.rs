//! tb-web
