//! The chain of a case's events (事件链): each hash covers all events before it.

/// The hash before the first event.
pub const CHAIN_START: [u8; 32] = [0; 32];

/// The hash after one more event: SHA-256 of the hash before it ‖ its canonical JSON.
pub fn chained(before: &[u8; 32], event: &[u8]) -> [u8; 32] {
    tb_crypto::sha256(&[before.as_slice(), event].concat())
}
