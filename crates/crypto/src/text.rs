//! Bytes as text (编码): hexadecimal and base64, RFC 4648.
//!
//! Base64 is read strictly: one text for one value, so that nobody can respell what was signed.
//! Hexadecimal, which people type, is read in either case.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use tb_base::Violation;

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// Bytes from hexadecimal of either case.
pub fn unhex(text: &str) -> Result<Vec<u8>, Violation> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digits = |&[high, low]: &[u8; 2]| Some(digit(high)? << 4 | digit(low)?);
    match (pairs.iter().map(digits).collect(), rest) {
        (Some(bytes), []) => Ok(bytes),
        (_, _) => Err(bad("hex")),
    }
}

fn digit(letter: u8) -> Option<u8> {
    let value = char::from(letter).to_digit(16)?;
    u8::try_from(value).ok()
}

/// Base64 with padding, RFC 4648 §4.
pub fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Bytes from base64 with padding.
pub fn unbase64(text: &str) -> Result<Vec<u8>, Violation> {
    STANDARD.decode(text).map_err(|_| bad("base64"))
}

/// Base64 for addresses, without padding, RFC 4648 §5.
pub fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Bytes from base64 for addresses.
pub fn unbase64url(text: &str) -> Result<Vec<u8>, Violation> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| bad("base64url"))
}

/// Bytes of a fixed length: keys, digests, salts.
pub fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Violation> {
    bytes.try_into().map_err(|_| {
        Violation::new("length-invalid", "bytes", format!("{N} bytes expected, {} there", bytes.len()))
    })
}

/// The text itself is not repeated: it may be a secret.
fn bad(encoding: &'static str) -> Violation {
    Violation::new("text-invalid", encoding, "not of this encoding, or not in its one spelling")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(read: Result<Vec<u8>, Violation>, expected: Option<&[u8]>) {
        assert_eq!(read.ok().as_deref(), expected);
    }

    #[test]
    fn read() {
        check(unhex("00fF"), Some(&[0, 255]));
        check(unhex("0"), None);
        check(unhex("0g"), None);
        check(unhex("+1"), None);
        check(unbase64("Zg=="), Some(b"f"));
        check(unbase64("Zg"), None);
        check(unbase64("Zh=="), None);
        check(unbase64url("_-8"), Some(&[0xff, 0xef]));
        check(unbase64url("_-8="), None);
        assert!(fixed::<3>(b"abc").is_ok());
        assert!(fixed::<4>(b"abc").is_err());
    }

    proptest! {
        #[test]
        fn there_and_back(bytes: Vec<u8>) {
            prop_assert_eq!(unhex(&hex(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(unbase64(&base64(&bytes)).unwrap(), bytes.clone());
            prop_assert_eq!(unbase64url(&base64url(&bytes)).unwrap(), bytes);
        }
    }
}
