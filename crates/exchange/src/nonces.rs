//! The nonces of the last minutes (防重放窗口): each counts once for its sender.
//!
//! That a message takes effect once is held elsewhere, by its sender and id in the store; a nonce only tells a
//! retry, which is signed anew, from bytes that somebody copied.

use std::collections::{BTreeMap, BTreeSet};

use tb_base::{NodeId, Timestamp, Violation};

use crate::http_message::NONCE_MEMORY_SECONDS;

/// How many nonces are remembered at once; beyond them messages are shed, never taken unchecked.
pub const NONCES_MAX: usize = 200_000;

/// The window as this process remembers it; after a restart the ids of messages in the store still hold.
#[derive(Clone, Debug, Default)]
pub struct Nonces {
    seen: BTreeSet<(NodeId, String)>,
    /// Which ones are forgotten after which second.
    until: BTreeMap<i64, Vec<(NodeId, String)>>,
}

impl Nonces {
    /// Takes a nonce that was not seen, and remembers it for as long as its message could be taken.
    pub fn admit(&mut self, from: NodeId, nonce: &str, now: Timestamp) -> Result<(), Violation> {
        let refuse = |code, detail| Err(Violation::new(code, "signature-input;nonce", detail));
        self.forget(now);
        if NONCES_MAX <= self.seen.len() {
            return refuse("shed", "too many messages in too short a time".to_owned());
        }
        let key = (from, nonce.to_owned());
        if !self.seen.insert(key.clone()) {
            return refuse("replay", format!("the nonce {nonce} was used before"));
        }
        self.until.entry(now.seconds() + NONCE_MEMORY_SECONDS).or_default().push(key);
        Ok(())
    }

    fn forget(&mut self, now: Timestamp) {
        let kept = self.until.split_off(&now.seconds());
        for key in std::mem::replace(&mut self.until, kept).into_values().flatten() {
            self.seen.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Nonces;
    use crate::fixture::{NOON, changsha, xiangtan};
    use crate::http_message::NONCE_MEMORY_SECONDS;

    #[test]
    fn a_nonce_counts_once_for_each_sender_until_its_signature_is_over() {
        let mut nonces = Nonces::default();
        nonces.admit(changsha(), "a", NOON).unwrap();
        nonces.admit(xiangtan(), "a", NOON).unwrap();
        let last = NOON.plus_seconds(NONCE_MEMORY_SECONDS);
        assert_eq!(nonces.admit(changsha(), "a", last).unwrap_err().code, "replay");
        // By then the signature that carried it has expired on any tolerated clock.
        nonces.admit(changsha(), "a", last.plus_seconds(1)).unwrap();
    }
}
