//! Comparison of secrets (恒定时间比较) without telling by its duration where they differ.

use subtle::ConstantTimeEq;

/// Whether two byte strings are equal, in a time that depends on their lengths only.
pub fn constant_eq(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::constant_eq;

    #[track_caller]
    fn check(left: &[u8], right: &[u8], expected: bool) {
        assert_eq!(constant_eq(left, right), expected);
    }

    #[test]
    fn compare() {
        check(b"", b"", true);
        check(b"secret", b"secret", true);
        check(b"secret", b"secreT", false);
        check(b"secret", b"secre", false);
    }
}
