//! The keys that seal the database (数据密钥): `keys/vault.json` beside the founding key, outside the database.
//!
//! Invariants: the file is replaced whole or not at all; a key leaves it only when nothing lies under it any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tb_base::{Entropy, Fault, Result, Timestamp};
use tb_crypto::{KeyId, Ring, Suite, text};

const FORMAT: &str = "tongban-vault-v1";
/// A new key seals this long after it was made unless `city.toml` says otherwise, so that every process knows it
/// before the first value needs it.
pub const WAIT_SECONDS: u32 = 60;
/// Keys that a city may have at once; a rotation a year and each retired keep it far below.
const KEYS_MAX: usize = 64;

/// How a city seals (`seal` in `city.toml`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SealSuite {
    /// AES-256-GCM.
    #[default]
    #[serde(rename = "aes-256-gcm")]
    Aes256Gcm,
    /// SM4-GCM (国密).
    #[serde(rename = "sm4-gcm")]
    Sm4Gcm,
}

impl From<SealSuite> for Suite {
    fn from(suite: SealSuite) -> Suite {
        match suite {
            SealSuite::Aes256Gcm => Suite::Aes256Gcm,
            SealSuite::Sm4Gcm => Suite::Sm4Gcm,
        }
    }
}

/// The file.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    /// The keys that came after the founding one.
    keys: Vec<Key>,
    /// Numbers that open nothing any more.
    retired: BTreeSet<u32>,
}

/// A key of the file.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Key {
    number: u32,
    key: String,
    /// From when it seals.
    seals_from: Timestamp,
}

/// The keys of a city's folder.
pub struct KeyRing {
    path: PathBuf,
    founding: [u8; 32],
    suite: Suite,
    file: File,
}

impl KeyRing {
    /// Reads the keys in the folder of keys; without a file there is the founding key alone.
    pub fn open(keys: &Path, founding: [u8; 32], suite: SealSuite) -> Result<KeyRing> {
        let path = keys.join("vault.json");
        let file = match fs::read_to_string(&path) {
            Ok(text) => parse(&path, &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                File { format: FORMAT.to_owned(), ..File::default() }
            }
            Err(error) => return Err(Fault::of(format!("reading {}", path.display()), error).into()),
        };
        Ok(KeyRing { path, founding, suite: suite.into(), file })
    }

    /// Reads the file again; the founding key and the suite stay.
    pub fn again(&self) -> Result<KeyRing> {
        let keys = self.path.parent().unwrap_or(Path::new("."));
        let again = KeyRing::open(keys, self.founding, SealSuite::default())?;
        Ok(KeyRing { suite: self.suite, ..again })
    }

    /// The keys as a vault uses them at a moment.
    pub fn ring(&self, now: Timestamp) -> Result<Ring> {
        let newest = self.sealing(now)?;
        let key = self.key(newest)?;
        let others = self.numbers().into_iter().filter(|number| *number != newest);
        others.into_iter().try_fold(Ring::sealing_with(KeyId(newest), key, self.suite), |ring, number| {
            Ok(ring.opening_with(KeyId(number), self.key(number)?))
        })
    }

    /// The numbers of the keys that are in use, the founding one among them.
    pub fn numbers(&self) -> Vec<u32> {
        let all = std::iter::once(0).chain(self.file.keys.iter().map(|key| key.number));
        all.filter(|number| !self.file.retired.contains(number)).collect()
    }

    /// The number of the key that seals at a moment: the newest whose time has come, or the oldest there is.
    pub fn sealing(&self, now: Timestamp) -> Result<u32> {
        let ready = |number: &u32| {
            self.file.keys.iter().find(|key| key.number == *number).is_none_or(|key| key.seals_from <= now)
        };
        let numbers = self.numbers();
        let newest = numbers.iter().copied().rfind(ready).or_else(|| numbers.first().copied());
        newest.ok_or_else(|| Fault::new(format!("reading {}: no key is left", self.path.display())).into())
    }

    /// Since when the key that seals at a moment does so; nothing for the founding one.
    pub fn sealing_since(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let number = self.sealing(now)?;
        Ok(self.file.keys.iter().find(|key| key.number == number).map(|key| key.seals_from))
    }

    /// Makes a new key (轮换) that seals from a moment on; gives its number.
    pub fn rotate(&mut self, seals_from: Timestamp, entropy: &mut dyn Entropy) -> Result<u32> {
        if KEYS_MAX <= self.numbers().len() {
            let problem =
                format!("making a key: there are {KEYS_MAX} already; retire those that nothing needs");
            return Err(Fault::new(problem).into());
        }
        let mut key = [0; 32];
        entropy.fill(&mut key);
        // A number that was given out once names one key for ever.
        let given = self.file.keys.iter().map(|key| key.number).chain(self.file.retired.iter().copied());
        let number = 1 + given.max().unwrap_or(0);
        self.file.keys.push(Key { number, key: text::base64(&key), seals_from });
        self.save()?;
        Ok(number)
    }

    /// Takes a key out of use (停用); the caller has seen that nothing lies under it.
    pub fn retire(&mut self, number: u32, now: Timestamp) -> Result<()> {
        if !self.numbers().contains(&number) {
            return Err(Fault::new(format!("retiring key {number}: there is no such key")).into());
        }
        if self.sealing(now)? == number {
            return Err(Fault::new(format!("retiring key {number}: it is the one that seals")).into());
        }
        if self.file.keys.iter().any(|key| key.number == number && now < key.seals_from) {
            return Err(Fault::new(format!("retiring key {number}: it has not sealed yet")).into());
        }
        self.file.retired.insert(number);
        self.file.keys.retain(|key| key.number != number);
        self.save()
    }

    fn key(&self, number: u32) -> Result<[u8; 32]> {
        if number == 0 {
            return Ok(self.founding);
        }
        let key = self.file.keys.iter().find(|key| key.number == number);
        let bytes = key.and_then(|key| text::unbase64(&key.key).ok()).and_then(|key| key.try_into().ok());
        bytes.ok_or_else(|| {
            Fault::new(format!("reading {}: key {number} has not 32 bytes", self.path.display())).into()
        })
    }

    fn save(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.file)
            .map_err(|error| Fault::of("writing the keys of the vault", error))?;
        crate::files::replace_secret(&self.path, &text)
    }
}

fn parse(path: &Path, text: &str) -> Result<File> {
    // The text holds keys: what is wrong with it is not quoted.
    let wrong = |what: &str| Fault::new(format!("reading {}: {what}", path.display()));
    let file: File = serde_json::from_str(text).map_err(|_| wrong("it is no file of vault keys"))?;
    if file.format != FORMAT {
        return Err(wrong("the format is not tongban-vault-v1").into());
    }
    let numbers: BTreeSet<u32> = file.keys.iter().map(|key| key.number).collect();
    let distinct: BTreeSet<&str> = file.keys.iter().map(|key| key.key.as_str()).collect();
    let in_order = file.keys.is_sorted_by_key(|key| key.number);
    if numbers.len() < file.keys.len()
        || distinct.len() < file.keys.len()
        || !in_order
        || numbers.contains(&0)
    {
        return Err(wrong("numbers and keys must be distinct, in order, and above 0").into());
    }
    if !numbers.is_disjoint(&file.retired) {
        return Err(
            wrong("a number is both among the keys and retired; only one of the two can be right").into()
        );
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
