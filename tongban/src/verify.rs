//! `tongban verify`: checks an evidence bundle with no node running.
