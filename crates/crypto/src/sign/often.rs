//! Which SM2 keys come often (常用公钥): those get tables, up to a bound.
//!
//! The memory is shared by the whole process and changes no answer, only how soon it is known.
//! Only a key under which something was verified counts, so a flood of bad signatures builds nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sm2::AffinePoint;
use sm2::dsa as sm2_dsa;

use super::issuer::IssuerKey;

/// Keys with tables; some 600 KB each.
const TABLES_MAX: usize = 12;
/// Keys that are counted.
const COUNTED_MAX: usize = 64;
/// A table costs as much as some 60 verifications: a key that came so often will come again.
const USES_BEFORE_TABLE: u32 = 32;

static OFTEN: Mutex<Often> = Mutex::new(Often { tables: Vec::new(), counted: Vec::new() });

/// What came, the latest last.
struct Often {
    tables: Vec<(AffinePoint, Arc<IssuerKey>)>,
    counted: Vec<(AffinePoint, u32)>,
}

/// Verifies by tables where the key has them, else plainly, and takes note of the key.
pub(super) fn verify(key: &sm2_dsa::VerifyingKey, message: &[u8], signature: &sm2_dsa::Signature) -> bool {
    use p256::ecdsa::signature::Verifier;
    let known = often().table(key.as_affine());
    if let Some(issuer) = known {
        return issuer.agrees(message, signature);
    }
    let valid = key.verify(message, signature).is_ok();
    if valid && often().is_due(key.as_affine()) {
        // Made outside the lock: others verify plainly meanwhile.
        let issuer = Arc::new(IssuerKey::of(key));
        often().keep(*key.as_affine(), issuer);
    }
    valid
}

fn often() -> MutexGuard<'static, Often> {
    OFTEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Often {
    fn table(&mut self, key: &AffinePoint) -> Option<Arc<IssuerKey>> {
        let at = self.tables.iter().position(|(known, _)| known == key)?;
        // The latest last: the first is the one to go.
        let found = self.tables.remove(at);
        let issuer = found.1.clone();
        self.tables.push(found);
        Some(issuer)
    }

    /// Counts a use; true for the one use that is to make the table.
    fn is_due(&mut self, key: &AffinePoint) -> bool {
        let uses = match self.counted.iter().position(|(known, _)| known == key) {
            Some(at) => self.counted.remove(at).1 + 1,
            None => 1,
        };
        if self.counted.len() == COUNTED_MAX {
            self.counted.remove(0);
        }
        self.counted.push((*key, uses));
        uses == USES_BEFORE_TABLE
    }

    fn keep(&mut self, key: AffinePoint, issuer: Arc<IssuerKey>) {
        self.counted.retain(|(known, _)| *known != key);
        if self.tables.len() == TABLES_MAX {
            self.tables.remove(0);
        }
        self.tables.push((key, issuer));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sign::tests::Seeded;
    use crate::{Algorithm, SigningKey};

    #[test]
    fn the_bound_holds_and_the_latest_stay() {
        let issuer = |seed| {
            let key = SigningKey::generate(Algorithm::Sm2, &mut Seeded::new(seed)).public();
            let crate::sign::Point::Sm2(key) = &key.0 else { panic!("a key of SM2") };
            key.clone()
        };
        let table = Arc::new(IssuerKey::of(&issuer(1)));
        let keys: Vec<AffinePoint> =
            (1..TABLES_MAX as u64 + 2).map(|seed| *issuer(2 * seed).as_affine()).collect();
        let mut often = Often { tables: Vec::new(), counted: Vec::new() };
        for key in &keys[..TABLES_MAX] {
            for use_ in 1..=USES_BEFORE_TABLE + 1 {
                assert_eq!(often.is_due(key), use_ == USES_BEFORE_TABLE);
            }
            often.keep(*key, table.clone());
        }
        assert!(often.counted.is_empty() && often.table(&keys[0]).is_some());
        often.keep(keys[TABLES_MAX], table);
        assert_eq!(often.tables.len(), TABLES_MAX);
        assert!(often.table(&keys[0]).is_some() && often.table(&keys[1]).is_none());
        for key in &keys {
            often.is_due(key);
        }
        assert_eq!(often.counted.len(), keys.len());
    }

    #[test]
    fn a_key_that_comes_often_is_verified_as_before() {
        let key = SigningKey::generate(Algorithm::Sm2, &mut Seeded::new(77));
        let public = key.public();
        let signature = key.sign(b"message");
        let mut bent = signature.clone();
        bent[63] ^= 1;
        for _ in 0..USES_BEFORE_TABLE + 2 {
            assert!(public.verify(b"message", &signature).is_ok());
            assert!(public.verify(b"message", &bent).is_err());
            assert!(public.verify(b"massage", &signature).is_err());
        }
        let crate::sign::Point::Sm2(inner) = &public.0 else { panic!("a key of SM2") };
        assert!(often().table(inner.as_affine()).is_some());
    }
}
