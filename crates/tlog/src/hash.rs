//! The two hashes of the tree (默克尔树杂凑), RFC 6962 §2.1: leaves and nodes can never be taken for each other.

use sha2::{Digest, Sha256};
use tb_base::Violation;
use tb_crypto::text;

/// A hash of a leaf, a node or a whole tree: SHA-256.
pub type Hash = [u8; 32];

/// The root of the tree without leaves: SHA-256 of nothing (RFC 6962 §2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27,
    0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

/// Most leaves of a tree; stored positions, nearly twice as many, then still fit a signed 64-bit column.
pub const TREE_SIZE_MAX: u64 = 1 << 62;

/// The hash of a leaf: SHA-256(0x00 ‖ leaf).
pub fn leaf_hash(leaf: &[u8]) -> Hash {
    Sha256::new_with_prefix([0]).chain_update(leaf).finalize().into()
}

/// The hash of a node: SHA-256(0x01 ‖ left ‖ right).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new_with_prefix([1]).chain_update(left).chain_update(right).finalize().into()
}

/// The largest power of two below a number that is greater than one: where RFC 6962 splits a tree.
pub(crate) fn split(leaves: u64) -> u64 {
    debug_assert!(1 < leaves);
    1 << (leaves - 1).ilog2()
}

/// A hash from its line in a text: base64 of 32 bytes.
pub(crate) fn parse_hash(line: &str) -> Result<Hash, Violation> {
    text::fixed(&text::unbase64(line)?)
}

/// A decimal number as C2SP writes it: digits only, no leading zero.
pub(crate) fn parse_decimal(digits: &str) -> Option<u64> {
    let plain =
        digits.bytes().all(|digit| digit.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_root() {
        assert_eq!(EMPTY_ROOT, tb_crypto::sha256(b""));
    }

    #[track_caller]
    fn check(digits: &str, expected: Option<u64>) {
        assert_eq!(parse_decimal(digits), expected);
    }

    #[test]
    fn decimals() {
        check("0", Some(0));
        check("10", Some(10));
        check("18446744073709551615", Some(u64::MAX));
        check("18446744073709551616", None);
        check("", None);
        check("00", None);
        check("01", None);
        check("+1", None);
        check("-1", None);
        check(" 1", None);
    }

    #[test]
    fn splits() {
        assert_eq!([2, 3, 4, 5, 8, 9].map(split), [1, 2, 2, 4, 4, 8]);
    }
}
