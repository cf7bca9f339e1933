//! The canonical record of a licence (证照数据): what is hashed with SM3 and signed with SM2.
//! Serves clause 3.3.
//!
//! Invariant: the record holds a salted commitment for each field instead of its value.
//! So a peer that is given three fields of twelve can check those three against the issuer's signature,
//! and learns nothing about the other nine.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, Date, LicenceId, LicenceOid, NodeId, Result, Timestamp, Uscc, Violation};
use tb_crypto::text::{base64, hex, unbase64, unhex};
use tb_crypto::{PublicKey, SigningKey, canonical, hmac_sm3, sm3};

/// Parts signatures and commitments of licences from everything else that the key could sign.
const SIGNING_CONTEXT: &[u8] = b"tongban/licence/1\n";
const FIELD_CONTEXT: &[u8] = b"tongban/licence-field/1\n";
const SALT_BYTES: usize = 16;

/// What the issuer signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The licence, the same over its versions.
    pub id: LicenceId,
    /// Its national identifier (电子证照标识), another one for each version.
    pub oid: LicenceOid,
    /// The type, such as `resident_card`.
    #[serde(rename = "type")]
    pub type_id: String,
    /// The version of the type's definition.
    pub type_version: u32,
    /// The version of the licence, from 1.
    pub version: u16,
    /// The identifier of the version that it replaced.
    pub predecessor: Option<LicenceOid>,
    /// Who issued it.
    pub issuer: Uscc,
    /// The city of the issuer.
    pub city: NodeId,
    /// Kind of the holder's number in GB/T 36903: `111` resident number, `001` credit code.
    pub holder_kind: String,
    /// First day of the term.
    pub valid_from: Date,
    /// Last day of the term; none is without end (长期).
    pub valid_to: Option<Date>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// Commitment by field, SM3 in lower-case hex.
    pub fields: BTreeMap<String, String>,
}

impl Record {
    /// SM3 of the canonical text.
    pub fn digest(&self) -> Result<[u8; 32]> {
        Ok(sm3(&canonical(self)?))
    }
}

/// Signs a digest with the city's licence key.
pub fn sign(key: &SigningKey, digest: &[u8; 32]) -> Vec<u8> {
    key.sign(&signed_text(digest))
}

/// Checks the issuer's signature over a digest.
pub fn verify(key: &PublicKey, digest: &[u8; 32], signature: &[u8]) -> std::result::Result<(), Violation> {
    key.verify(&signed_text(digest), signature)
}

/// What is signed: the digest after a context that no other signature has.
pub(crate) fn signed_text(digest: &[u8; 32]) -> Vec<u8> {
    [SIGNING_CONTEXT, digest].concat()
}

/// The values of a licence with the secret from which the salts of its commitments come.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contents {
    salt: String,
    values: BTreeMap<String, String>,
}

impl Contents {
    /// Values under a fresh salt.
    pub(crate) fn new(ctx: &Ctx, values: BTreeMap<String, String>) -> Contents {
        Contents { salt: hex(&ctx.random::<SALT_BYTES>()), values }
    }

    /// The values as they are.
    pub(crate) fn into_values(self) -> BTreeMap<String, String> {
        self.values
    }

    /// The commitment of each field.
    pub(crate) fn commitments(&self) -> BTreeMap<String, String> {
        let commit = |(field, value): (&String, &String)| {
            (field.clone(), hex(&commitment(&self.salt_of(field), field, value)))
        };
        self.values.iter().map(commit).collect()
    }

    fn salt_of(&self, field: &str) -> [u8; SALT_BYTES] {
        let mut salt = [0; SALT_BYTES];
        salt.copy_from_slice(&hmac_sm3(self.salt.as_bytes(), field.as_bytes())[..SALT_BYTES]);
        salt
    }

    fn disclose(&self, fields: &BTreeSet<String>) -> BTreeMap<String, Disclosed> {
        let given = self.values.iter().filter(|(field, _)| fields.contains(*field));
        let disclosed = |(field, value): (&String, &String)| {
            (field.clone(), Disclosed { value: value.clone(), salt: hex(&self.salt_of(field)) })
        };
        given.map(disclosed).collect()
    }
}

fn commitment(salt: &[u8], field: &str, value: &str) -> [u8; 32] {
    let length = |text: &str| u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes();
    sm3(&[FIELD_CONTEXT, salt, &length(field), field.as_bytes(), &length(value), value.as_bytes()].concat())
}

/// A value with the salt that shows that the issuer signed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disclosed {
    /// The value.
    pub value: String,
    /// Its salt, lower-case hex.
    pub salt: String,
}

/// An extract of a licence (证照摘录): the record, some values, and the issuer's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extract {
    /// The record that the issuer signed.
    pub record: Record,
    /// The values that were given.
    pub values: BTreeMap<String, Disclosed>,
    /// SM2 signature of the issuing city over the digest, base64.
    pub signature: String,
}

impl Extract {
    pub(crate) fn new(
        record: &Record,
        contents: &Contents,
        fields: &BTreeSet<String>,
        signature: &[u8],
    ) -> Extract {
        Extract { record: record.clone(), values: contents.disclose(fields), signature: base64(signature) }
    }

    /// Checks signature and values against the licence key of the issuing city; a changed letter is a violation.
    pub fn verify(&self, key: &PublicKey) -> Result<()> {
        let signature = unbase64(&self.signature)?;
        verify(key, &self.record.digest()?, &signature)?;
        for (field, disclosed) in &self.values {
            let found = hex(&commitment(&unhex(&disclosed.salt)?, field, &disclosed.value));
            if self.record.fields.get(field) != Some(&found) {
                return Err(Violation::new(
                    "digest-mismatch",
                    field.clone(),
                    "the value is not what was signed",
                )
                .into());
            }
        }
        Ok(())
    }

    /// SM3 digest of the record, lower-case hex: what a package names instead of the values.
    pub fn digest_hex(&self) -> Result<String> {
        Ok(hex(&self.record.digest()?))
    }

    /// The values without their salts.
    pub fn plain(&self) -> BTreeMap<String, String> {
        self.values.iter().map(|(field, it)| (field.clone(), it.value.clone())).collect()
    }
}
