//! Each message takes effect once (幂等): what to do with one that was perhaps seen before.
//!
//! A message is known by sender and id. The same id with other contents is a conflict, never a second effect.

use std::collections::{BTreeMap, BTreeSet};

use tb_base::{NodeId, Timestamp, Violation};
use tb_crypto::text;

use crate::Envelope;
use crate::http_message::{NONCE_MEMORY_SECONDS, path};

/// How long a receiver remembers a message at least.
pub const WINDOW_DAYS: i64 = 30;
/// How many nonces are remembered at once; beyond them messages are shed, never taken unchecked.
pub const NONCES_MAX: usize = 200_000;

/// What a message is, whatever it is called: SHA-256 of method, path, query, content digest and contract.
pub fn fingerprint(envelope: &Envelope, body: &[u8]) -> [u8; 32] {
    let digest = text::hex(&tb_crypto::sha256(body));
    let lines = format!("POST\n{}\n?\n{digest}\n{}\n", path(envelope), envelope.contract.hash);
    tb_crypto::sha256(lines.as_bytes())
}

/// What the receiver remembers of a message of that sender and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known<A> {
    /// Its fingerprint.
    pub fingerprint: [u8; 32],
    /// What was answered, once it was.
    pub answer: Option<A>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision<A> {
    /// It was not here before: do it.
    Fresh,
    /// It was done: answer as then, signed anew for this request, with `tb-replayed`.
    Again(A),
}

/// Decides by what is remembered; a conflict is `fingerprint` (422), one still in work `in-flight` (409).
pub fn decide<A>(known: Option<Known<A>>, fingerprint: &[u8; 32]) -> Result<Decision<A>, Violation> {
    let Some(known) = known else { return Ok(Decision::Fresh) };
    if known.fingerprint != *fingerprint {
        let detail = crate::problem::mismatch(&text::hex(&known.fingerprint), &text::hex(fingerprint));
        return Err(Violation::new("fingerprint", "idempotency-key", detail));
    }
    match known.answer {
        Some(answer) => Ok(Decision::Again(answer)),
        None => Err(Violation::new("in-flight", "idempotency-key", "the message is being processed")),
    }
}

/// What a second use of a nonce is: the bytes of a message were sent again by whoever copied them.
pub fn replayed(nonce: &str) -> Violation {
    Violation::new("replay", "signature-input;nonce", format!("the nonce {nonce} was used before"))
}

/// The nonces of the last minutes (防重放窗口); a retry of an honest sender is signed anew and has another one.
///
/// A node that restarts hands in what it stored, so that the window outlives it.
#[derive(Clone, Debug, Default)]
pub struct Nonces {
    seen: BTreeSet<(NodeId, String)>,
    /// Which ones are forgotten after which second.
    until: BTreeMap<i64, Vec<(NodeId, String)>>,
}

impl Nonces {
    /// The window as it was stored: sender, nonce, and the second until which it is remembered.
    pub fn restore(stored: impl IntoIterator<Item = (NodeId, String, i64)>) -> Nonces {
        let mut nonces = Nonces::default();
        stored.into_iter().for_each(|(from, nonce, until)| nonces.remember((from, nonce), until));
        nonces
    }

    fn remember(&mut self, key: (NodeId, String), until: i64) {
        self.until.entry(until).or_default().push(key.clone());
        self.seen.insert(key);
    }

    fn forget(&mut self, now: Timestamp) {
        let kept = self.until.split_off(&now.seconds());
        for key in std::mem::replace(&mut self.until, kept).into_values().flatten() {
            self.seen.remove(&key);
        }
    }

    /// Takes a nonce that was not seen; gives the second until which it must be remembered.
    pub fn admit(&mut self, from: NodeId, nonce: &str, now: Timestamp) -> Result<i64, Violation> {
        self.forget(now);
        if NONCES_MAX <= self.seen.len() {
            return Err(Violation::new(
                "shed",
                "signature-input;nonce",
                "too many messages in too short a time",
            ));
        }
        let key = (from, nonce.to_owned());
        if self.seen.contains(&key) {
            return Err(replayed(nonce));
        }
        let until = now.seconds() + NONCE_MEMORY_SECONDS;
        self.remember(key, until);
        Ok(until)
    }
}

#[cfg(test)]
mod tests {
    use super::{Decision, Known, Nonces, decide, fingerprint};
    use crate::fixture::{NOON, Region, changsha, fetch, xiangtan};

    #[track_caller]
    fn check(known: Option<Known<u8>>, expected: Result<Decision<u8>, &str>) {
        let decided = decide(known, &[1; 32]).map_err(|violation| violation.code.into_owned());
        assert_eq!(decided, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_message_takes_effect_once() {
        check(None, Ok(Decision::Fresh));
        check(Some(Known { fingerprint: [1; 32], answer: Some(7) }), Ok(Decision::Again(7)));
        check(Some(Known { fingerprint: [1; 32], answer: None }), Err("in-flight"));
        check(Some(Known { fingerprint: [2; 32], answer: Some(7) }), Err("fingerprint"));
        check(Some(Known { fingerprint: [2; 32], answer: None }), Err("fingerprint"));
    }

    #[test]
    fn a_fingerprint_is_that_of_contents_not_of_the_id() {
        let message = fetch(&Region::new(), NOON);
        let print = fingerprint(&message.envelope, &message.body);
        let mut other = message.clone();
        other.envelope.id = "01kq3zt0000000000000000009".parse().unwrap();
        assert_eq!(fingerprint(&other.envelope, &other.body), print);
        other.body.push(b' ');
        assert_ne!(fingerprint(&other.envelope, &other.body), print);
        let mut other = message.clone();
        other.envelope.service = "licence/1/locate".to_owned();
        assert_ne!(fingerprint(&other.envelope, &other.body), print);
    }

    #[test]
    fn a_nonce_counts_once_for_each_sender_even_across_a_restart() {
        let mut nonces = Nonces::default();
        let until = nonces.admit(changsha(), "a", NOON).unwrap();
        nonces.admit(xiangtan(), "a", NOON).unwrap();
        assert_eq!(nonces.admit(changsha(), "a", NOON.plus_seconds(300)).unwrap_err().code, "replay");
        let mut restored = Nonces::restore([(changsha(), "a".to_owned(), until)]);
        assert_eq!(restored.admit(changsha(), "a", NOON.plus_seconds(1)).unwrap_err().code, "replay");
        // By then the signature that carried it has expired on any tolerated clock.
        restored.admit(changsha(), "a", NOON.plus_seconds(until - NOON.seconds() + 1)).unwrap();
    }
}
