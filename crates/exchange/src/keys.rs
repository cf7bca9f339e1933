//! Key files of a node (密钥文件): one key for each job, never shared between two jobs.
//!
//! Invariant: the key that cosigns other cities' checkpoints is not among [`Secrets`]; a witness reads its own file.

use std::fmt;

use serde::{Deserialize, Serialize};
use tb_base::{Entropy, Result, Violation};
use tb_crypto::{AgreementKey, Algorithm, PublicKey, SigningKey, text};

use crate::CityKeys;

const SECRETS_FORMAT: &str = "tongban-secrets-v1";
const WITNESS_FORMAT: &str = "tongban-witness-v1";

/// The secret keys of a city, apart from TLS and witness.
#[derive(Clone)]
pub struct Secrets {
    /// Signs trust lists and contracts (Ed25519).
    pub governance: SigningKey,
    /// Signs messages and the parts of evidence bundles (Ed25519).
    pub message: SigningKey,
    /// Signs messages in the SM profile (SM2).
    pub message_sm2: SigningKey,
    /// Signs checkpoints of the own log (Ed25519).
    pub log: SigningKey,
    /// Signs checkpoints of the own log (SM2).
    pub log_sm2: SigningKey,
    /// Signs licences (SM2).
    pub licence_sm2: SigningKey,
    /// Agrees pseudonym keys with other cities (P-256).
    pub agreement: AgreementKey,
    /// Seals personal data at rest.
    pub vault: [u8; 32],
}

/// The key that cosigns the checkpoints of other cities (见证密钥), kept in a file of its own.
#[derive(Clone)]
pub struct WitnessKey {
    /// Ed25519.
    pub key: SigningKey,
}

/// What one key of a city is for; fixes its algorithm, so that no message can choose one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// Trust lists and contracts.
    Governance,
    /// Messages.
    Message,
    /// Messages in the SM profile.
    MessageSm2,
    /// Checkpoints.
    Log,
    /// Checkpoints, SM2.
    LogSm2,
    /// Checkpoints of other cities.
    Witness,
    /// Licences.
    LicenceSm2,
}

impl KeyUse {
    /// The algorithm that a key of this use has.
    pub fn algorithm(self) -> Algorithm {
        match self {
            KeyUse::Governance | KeyUse::Message | KeyUse::Log | KeyUse::Witness => Algorithm::Ed25519,
            KeyUse::MessageSm2 | KeyUse::LogSm2 | KeyUse::LicenceSm2 => Algorithm::Sm2,
        }
    }

    /// How key ids and errors name the use.
    pub fn name(self) -> &'static str {
        match self {
            KeyUse::Governance => "governance",
            KeyUse::Message => "message",
            KeyUse::MessageSm2 => "message-sm2",
            KeyUse::Log => "log",
            KeyUse::LogSm2 => "log-sm2",
            KeyUse::Witness => "witness",
            KeyUse::LicenceSm2 => "licence-sm2",
        }
    }
}

impl CityKeys {
    /// The public key of a use, or a violation where the list holds something else.
    pub fn key(&self, key_use: KeyUse) -> std::result::Result<PublicKey, Violation> {
        let bytes = text::unbase64(self.text(key_use)).map_err(|_| unreadable(key_use.name()))?;
        PublicKey::from_bytes(key_use.algorithm(), &bytes).map_err(|_| unreadable(key_use.name()))
    }

    /// The raw agreement key.
    pub fn agreement_bytes(&self) -> std::result::Result<Vec<u8>, Violation> {
        text::unbase64(&self.agreement).map_err(|_| unreadable("agreement"))
    }

    /// Every key with its job.
    pub fn jobs(&self) -> [(&'static str, &str); 8] {
        [
            ("governance", self.governance.as_str()),
            ("message", &self.message),
            ("message-sm2", &self.message_sm2),
            ("log", &self.log),
            ("log-sm2", &self.log_sm2),
            ("witness", &self.witness),
            ("agreement", &self.agreement),
            ("licence-sm2", &self.licence_sm2),
        ]
    }

    /// The keys and the certificate that a renewal replaces; what seals, licenses and ties pseudonyms stays.
    pub fn renewable(&self) -> [(&'static str, &str); 7] {
        [
            ("TLS certificate", self.tls_sha256.as_str()),
            ("governance", &self.governance),
            ("message", &self.message),
            ("message-sm2", &self.message_sm2),
            ("log", &self.log),
            ("log-sm2", &self.log_sm2),
            ("witness", &self.witness),
        ]
    }

    fn text(&self, key_use: KeyUse) -> &str {
        match key_use {
            KeyUse::Governance => &self.governance,
            KeyUse::Message => &self.message,
            KeyUse::MessageSm2 => &self.message_sm2,
            KeyUse::Log => &self.log,
            KeyUse::LogSm2 => &self.log_sm2,
            KeyUse::Witness => &self.witness,
            KeyUse::LicenceSm2 => &self.licence_sm2,
        }
    }
}

fn unreadable(name: &'static str) -> Violation {
    Violation::new("key-unknown", name, "the trust list holds no well-formed key here")
}

/// A key file as it lies on disk: base64 of each secret.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SecretsFile {
    format: String,
    governance: String,
    message: String,
    message_sm2: String,
    log: String,
    log_sm2: String,
    licence_sm2: String,
    agreement: String,
    vault: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WitnessFile {
    format: String,
    witness: String,
}

impl Secrets {
    /// Draws a fresh key for each job.
    pub fn generate(entropy: &mut dyn Entropy) -> Secrets {
        let mut vault = [0_u8; 32];
        entropy.fill(&mut vault);
        Secrets {
            governance: SigningKey::generate(Algorithm::Ed25519, entropy),
            message: SigningKey::generate(Algorithm::Ed25519, entropy),
            message_sm2: SigningKey::generate(Algorithm::Sm2, entropy),
            log: SigningKey::generate(Algorithm::Ed25519, entropy),
            log_sm2: SigningKey::generate(Algorithm::Sm2, entropy),
            licence_sm2: SigningKey::generate(Algorithm::Sm2, entropy),
            agreement: AgreementKey::generate(entropy),
            vault,
        }
    }

    /// The same city with new keys for messages, log and governance.
    ///
    /// What seals its register, ties pseudonyms and signs licences stays: nothing that is stored would fit new ones.
    pub fn renewed(&self, entropy: &mut dyn Entropy) -> Secrets {
        let fresh = Secrets::generate(entropy);
        Secrets {
            licence_sm2: self.licence_sm2.clone(),
            agreement: self.agreement.clone(),
            vault: self.vault,
            ..fresh
        }
    }

    /// The text of the key file; whoever holds it is the city.
    pub fn to_json(&self) -> String {
        let file = SecretsFile {
            format: SECRETS_FORMAT.to_owned(),
            governance: text::base64(&self.governance.secret()),
            message: text::base64(&self.message.secret()),
            message_sm2: text::base64(&self.message_sm2.secret()),
            log: text::base64(&self.log.secret()),
            log_sm2: text::base64(&self.log_sm2.secret()),
            licence_sm2: text::base64(&self.licence_sm2.secret()),
            agreement: text::base64(&self.agreement.secret()),
            vault: text::base64(&self.vault),
        };
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Reads a key file; refuses one in which two jobs share a key.
    pub fn from_json(json: &str) -> Result<Secrets> {
        let file: SecretsFile = serde_json::from_str(json).map_err(|_| bad_file("not a key file"))?;
        if file.format != SECRETS_FORMAT {
            return Err(bad_file("the format is not tongban-secrets-v1").into());
        }
        let texts = [
            &file.governance,
            &file.message,
            &file.message_sm2,
            &file.log,
            &file.log_sm2,
            &file.licence_sm2,
            &file.agreement,
            &file.vault,
        ];
        let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
        if distinct.len() < texts.len() {
            return Err(bad_file("two jobs share a key").into());
        }
        Ok(Secrets {
            governance: signing(Algorithm::Ed25519, &file.governance)?,
            message: signing(Algorithm::Ed25519, &file.message)?,
            message_sm2: signing(Algorithm::Sm2, &file.message_sm2)?,
            log: signing(Algorithm::Ed25519, &file.log)?,
            log_sm2: signing(Algorithm::Sm2, &file.log_sm2)?,
            licence_sm2: signing(Algorithm::Sm2, &file.licence_sm2)?,
            agreement: AgreementKey::from_secret(&secret(&file.agreement)?)
                .map_err(|_| bad_file("a key is out of range"))?,
            vault: secret(&file.vault)?,
        })
    }

    /// The public side, for the trust list.
    pub fn public(&self, tls_sha256: &str, witness: &PublicKey) -> CityKeys {
        CityKeys {
            tls_sha256: tls_sha256.to_owned(),
            governance: public_text(&self.governance),
            message: public_text(&self.message),
            message_sm2: public_text(&self.message_sm2),
            log: public_text(&self.log),
            log_sm2: public_text(&self.log_sm2),
            witness: text::base64(&witness.to_bytes()),
            agreement: text::base64(&self.agreement.public()),
            licence_sm2: public_text(&self.licence_sm2),
        }
    }
}

impl WitnessKey {
    /// Draws a fresh key.
    pub fn generate(entropy: &mut dyn Entropy) -> WitnessKey {
        WitnessKey { key: SigningKey::generate(Algorithm::Ed25519, entropy) }
    }

    /// The public side.
    pub fn public(&self) -> PublicKey {
        self.key.public()
    }

    /// The text of the key file.
    pub fn to_json(&self) -> String {
        let file =
            WitnessFile { format: WITNESS_FORMAT.to_owned(), witness: text::base64(&self.key.secret()) };
        serde_json::to_string_pretty(&file).unwrap_or_default()
    }

    /// Reads a key file.
    pub fn from_json(json: &str) -> Result<WitnessKey> {
        let file: WitnessFile = serde_json::from_str(json).map_err(|_| bad_file("not a witness key file"))?;
        if file.format != WITNESS_FORMAT {
            return Err(bad_file("the format is not tongban-witness-v1").into());
        }
        Ok(WitnessKey { key: signing(Algorithm::Ed25519, &file.witness)? })
    }
}

fn public_text(key: &SigningKey) -> String {
    text::base64(&key.public().to_bytes())
}

fn signing(algorithm: Algorithm, base64: &str) -> Result<SigningKey> {
    SigningKey::from_secret(algorithm, &secret(base64)?).map_err(|_| bad_file("a key is out of range").into())
}

fn secret(base64: &str) -> Result<[u8; 32]> {
    let bytes = text::unbase64(base64).map_err(|_| bad_file("a key is not base64"))?;
    bytes.try_into().map_err(|_| bad_file("a key has not 32 bytes").into())
}

fn bad_file(detail: &'static str) -> Violation {
    Violation::new("inconsistent", "key-file", detail)
}

/// Shows nothing: key material never reaches a log line.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// Shows nothing: key material never reaches a log line.
impl fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WitnessKey(…)")
    }
}
