//! What a log claims to be (检查点): origin, size, root. C2SP tlog-checkpoint, without extension lines.
//!
//! Extension lines are refused: no auditor can check them, and newer cosignatures do not cover them.

use std::fmt;
use std::str::FromStr;

use tb_base::Violation;
use tb_crypto::text::base64;

use crate::hash::{Hash, parse_decimal, parse_hash};
use crate::stored::check_size;

/// The state of a log at one size (检查点).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log; an address without scheme, such as `log.changsha.example/2026`.
    pub origin: String,
    /// How many leaves.
    pub size: u64,
    /// The root of the tree of that size.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed: three lines, each ended by a newline.
    pub fn text(&self) -> String {
        self.to_string()
    }

    /// A checkpoint from the text that was signed.
    pub fn parse(text: &str) -> Result<Checkpoint, Violation> {
        text.parse()
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, base64(&self.root))
    }
}

impl FromStr for Checkpoint {
    type Err = Violation;

    fn from_str(text: &str) -> Result<Checkpoint, Violation> {
        let bad = |detail: &'static str| Violation::new("checkpoint-invalid", "checkpoint", detail);
        let lines = text.strip_suffix('\n').ok_or_else(|| bad("no newline at the end"))?;
        let lines: Vec<&str> = lines.split('\n').collect();
        let [origin, size, root] = lines[..] else {
            return Err(bad("not exactly origin, size and root"));
        };
        if origin.is_empty() || origin.contains(char::is_control) {
            return Err(bad("the origin is empty or has control characters"));
        }
        let size = parse_decimal(size).ok_or_else(|| bad("the size is not a plain decimal"))?;
        check_size(size)?;
        Ok(Checkpoint { origin: origin.to_owned(), size, root: parse_hash(root)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, valid: bool) {
        let parsed = Checkpoint::parse(text);
        assert_eq!(parsed.is_ok(), valid, "{text:?}");
        if let Ok(parsed) = parsed {
            assert_eq!(parsed.text(), text);
        }
    }

    #[test]
    fn parse() {
        let root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
        let origin = "example.com/behind-the-sofa";
        check(&format!("{origin}\n20852163\n{root}\n"), true);
        check(&format!("长沙\n0\n{root}\n"), true);
        check(&format!("{origin}\n20852163\n{root}"), false);
        check(&format!("{origin}\n20852163\n{root}\n\n"), false);
        check(&format!("{origin}\n20852163\n{root}\nextension\n"), false);
        check(&format!("{origin}\n020852163\n{root}\n"), false);
        check(&format!("{origin}\n4611686018427387905\n{root}\n"), false);
        check(&format!("\n1\n{root}\n"), false);
        check(&format!("a\rb\n1\n{root}\n"), false);
        check(&format!("{origin}\n1\nCsUY\n"), false);
        check("", false);
    }
}
