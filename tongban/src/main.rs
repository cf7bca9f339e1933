//! The Tongban binary.
fn main() {}
