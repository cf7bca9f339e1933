//! Sealing of columns (列加密): what messages say and what officers and applicants write lie on the disk sealed.
//!
//! Invariants: a sealed value opens in its own row and column only; a store without a sealer keeps values as they
//! come and reads no sealed ones. Values from before there was a sealer are read as they stand.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use tb_base::{Entropy, Result, Violation};
use tb_crypto::{Vault, text};

/// What a sealed value begins with; no JSON does.
pub(crate) const MARK: &str = "TBS1";

/// Seals columns under the city's vault (封存).
pub struct Sealer {
    vault: Vault,
    entropy: Arc<Mutex<dyn Entropy>>,
}

impl Sealer {
    /// A sealer under a vault; nonces are drawn from `entropy`.
    pub fn new(vault: Vault, entropy: Arc<Mutex<dyn Entropy>>) -> Sealer {
        Sealer { vault, entropy }
    }

    /// The keys that it seals and opens with.
    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn seal(&self, place: &str, plain: &[u8]) -> Vec<u8> {
        let mut entropy = self.entropy.lock().unwrap_or_else(PoisonError::into_inner);
        self.vault.seal(&mut *entropy, place.as_bytes(), plain)
    }
}

/// Shows that there is a sealer, nothing of its key.
impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealer")
    }
}

/// Bytes as a column holds them.
pub(crate) fn seal(sealer: Option<&Sealer>, place: &str, plain: &[u8]) -> Vec<u8> {
    match sealer {
        Some(sealer) => [MARK.as_bytes(), &sealer.seal(place, plain)].concat(),
        None => plain.to_vec(),
    }
}

/// What [`seal`] was given for that place.
pub(crate) fn open(sealer: Option<&Sealer>, place: &str, held: Vec<u8>) -> Result<Vec<u8>> {
    match held.strip_prefix(MARK.as_bytes()) {
        Some(sealed) => opener(sealer)?.vault.open(place.as_bytes(), sealed),
        None => Ok(held),
    }
}

/// A text as a column holds it.
pub(crate) fn seal_text(sealer: Option<&Sealer>, place: &str, plain: String) -> String {
    match sealer {
        Some(sealer) => format!("{MARK}{}", text::base64(&sealer.seal(place, plain.as_bytes()))),
        None => plain,
    }
}

/// What [`seal_text`] was given for that place.
pub(crate) fn open_text(sealer: Option<&Sealer>, place: &str, held: String) -> Result<String> {
    let Some(sealed) = held.strip_prefix(MARK) else { return Ok(held) };
    let plain = opener(sealer)?.vault.open(place.as_bytes(), &text::unbase64(sealed)?)?;
    String::from_utf8(plain).map_err(|_| Violation::inconsistent("sealed", place).into())
}

fn opener(sealer: Option<&Sealer>) -> Result<&Sealer> {
    let missing =
        || Violation::new("sealed-invalid", "store", "sealed columns are read with the city's key only");
    Ok(sealer.ok_or_else(missing)?)
}
