//! Key files of a city (密钥文件): secrets, witness key and certificate, in a folder that only the node's user reads.
//!
//! Keys that are to follow wait in `keys/renewed-1` and so on; the set that the trust list in force names counts, at
//! the next start and by itself. Nothing here ever moves a key or writes over one.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tb_base::{Entropy, Fault, NodeId, Result};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::{CityKeys, TrustList};
use tb_node::tls::Identity;

use crate::files::{create_secret, json, parse, read};

/// The folder within a city's folder, where its configuration names no other.
pub const FOLDER: &str = "keys";
/// How often a city may renew its keys.
pub const RENEWALS_MAX: u32 = 1_000;
/// How the folder of a renewed set is called, before its number.
const RENEWED: &str = "renewed-";

/// All keys of a city.
pub struct Keys {
    /// What signs and seals.
    pub secrets: Secrets,
    /// What cosigns other cities' logs.
    pub witness: WitnessKey,
    /// The TLS certificate with its key.
    pub identity: Identity,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsFile {
    certificate: String,
    key: String,
}

impl Keys {
    /// Fresh keys for a city.
    pub fn generate(node: NodeId, entropy: &mut dyn Entropy) -> Result<Keys> {
        let identity = Identity::generate(node)?;
        Ok(Keys { secrets: Secrets::generate(entropy), witness: WitnessKey::generate(entropy), identity })
    }

    /// The same city with new keys for messages, log, governance and witness, and a new certificate.
    pub fn renewed(&self, node: NodeId, entropy: &mut dyn Entropy) -> Result<Keys> {
        let identity = Identity::generate(node)?;
        Ok(Keys { secrets: self.secrets.renewed(entropy), witness: WitnessKey::generate(entropy), identity })
    }

    /// The same keys with a new certificate.
    pub fn recertified(&self, node: NodeId) -> Result<Keys> {
        let identity = Identity::generate(node)?;
        Ok(Keys { secrets: self.secrets.clone(), witness: self.witness.clone(), identity })
    }

    /// What the trust list says of them.
    pub fn public(&self) -> CityKeys {
        self.secrets.public(&self.identity.fingerprint(), &self.witness.public())
    }

    /// Reads the keys of a folder such as `keys`.
    pub fn read(folder: &Path) -> Result<Keys> {
        let tls: TlsFile = parse(&folder.join("tls.json"))?;
        Ok(Keys {
            secrets: Secrets::from_json(&read(&folder.join("secrets.json"))?)?,
            witness: WitnessKey::from_json(&read(&folder.join("witness.json"))?)?,
            identity: Identity {
                certificate: tb_crypto::text::unbase64(&tls.certificate)?,
                key: tb_crypto::text::unbase64(&tls.key)?,
            },
        })
    }

    /// Writes the keys into a folder that holds none; refuses to write over any.
    pub fn write(&self, folder: &Path) -> Result<()> {
        fs::create_dir_all(folder)
            .map_err(|error| Fault::of(format!("making {}", folder.display()), error))?;
        let tls = TlsFile {
            certificate: tb_crypto::text::base64(&self.identity.certificate),
            key: tb_crypto::text::base64(&self.identity.key),
        };
        create_secret(&folder.join("secrets.json"), self.secrets.to_json().as_bytes())?;
        create_secret(&folder.join("witness.json"), self.witness.to_json().as_bytes())?;
        create_secret(&folder.join("tls.json"), json(&tls)?.as_bytes())
    }
}

/// The folders with whole sets of keys, the first one first. A backup leaves out a set of which nothing was written,
/// so a number may be missing.
fn sets(keys: &Path) -> Vec<PathBuf> {
    let renewed = (1..=RENEWALS_MAX).map(|number| renewed(keys, number));
    // The certificate is written last: a set with one is whole.
    let whole = renewed.filter(|set| set.join("tls.json").is_file());
    std::iter::once(keys.to_owned()).chain(whole).collect()
}

fn renewed(keys: &Path, number: u32) -> PathBuf {
    keys.join(format!("{RENEWED}{number}"))
}

/// Whether a folder of that name holds a set that was renewed.
pub fn is_renewed(name: &str) -> bool {
    let number = name.strip_prefix(RENEWED).and_then(|number| number.parse::<u32>().ok());
    number.is_some_and(|number| (1..=RENEWALS_MAX).contains(&number) && name == format!("{RENEWED}{number}"))
}

/// Where the next set of keys is to be written: behind every one that is there.
pub fn next_set(keys: &Path) -> Result<PathBuf> {
    let last = (1..=RENEWALS_MAX).rev().find(|number| renewed(keys, *number).exists()).unwrap_or(0);
    if last == RENEWALS_MAX {
        return Err(Fault::new("renewing keys: there are too many sets already").into());
    }
    Ok(renewed(keys, last + 1))
}

/// The newest set of keys, whether a list names it or not.
pub fn newest(keys: &Path) -> Result<Keys> {
    sets(keys).last().map_or_else(|| Keys::read(keys), |set| Keys::read(set))
}

/// The keys that the list names for the city, else a set that it replaced: that serves until it counts no more.
pub fn in_force(keys: &Path, node: NodeId, list: &TrustList) -> Result<Keys> {
    let entry = list.known(node);
    let entry = entry.ok_or_else(|| Fault::new(format!("opening {node}: it is not in the trust list")))?;
    let mut held: Vec<Keys> = sets(keys).iter().map(|set| Keys::read(set)).collect::<Result<_>>()?;
    for listed in entry.keys_ever() {
        if let Some(at) = held.iter().position(|keys| keys.public() == *listed) {
            return Ok(held.swap_remove(at));
        }
    }
    let problem = format!("opening {node}: the keys in its folder are not those that its trust list names");
    Err(Fault::new(problem).into())
}
