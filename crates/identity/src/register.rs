//! Register match (实名核验): which assurance level somebody reaches by what she says of herself.
//! Serves clause 1.1.
//!
//! Levels follow 实名等级: 1 nothing is known, 2 number and name stand so in the register, 3 the phone of the
//! register was in her hand as well. Number and name prove that the pair exists, not who holds the phone;
//! therefore only a proven phone, or an officer who saw the card, gives level 3.

use tb_base::{PersonId, ResidentId, Result};
use tb_crypto::Vault;
use tb_store::Tx;

use crate::people::{self, Person, PersonStatus};

/// What somebody says of herself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Resident number.
    pub number: ResidentId,
    /// Name as on the card.
    pub name: String,
    /// Mobile phone.
    pub phone: String,
}

/// How the claim was backed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// By words only.
    Claimed,
    /// A one-time code sent to the claimed phone came back.
    PhoneCode,
    /// An officer saw the person and the card (窗口核验).
    Counter,
}

/// What a register match found (核验结果).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Assurance level, 1 to 3.
    pub level: u8,
    /// The person, from level 2 on.
    pub person: Option<PersonId>,
}

/// Nothing is known of whoever claims this.
const UNKNOWN: Match = Match { level: 1, person: None };

/// Compares a claim with the entry of the register.
pub fn match_claim(claim: &Claim, proof: Proof, entry: Option<&Person>) -> Match {
    let Some(entry) = entry else { return UNKNOWN };
    if entry.number != claim.number || entry.status != PersonStatus::Active {
        return UNKNOWN;
    }
    if same_name(&entry.name, &claim.name) {
        return Match { level: level(claim, proof, entry), person: Some(entry.id) };
    }
    UNKNOWN
}

/// The same against the stored register.
pub fn matched(tx: &mut Tx<'_>, vault: &Vault, claim: &Claim, proof: Proof) -> Result<Match> {
    let entry = people::by_number(tx, vault, &claim.number)?;
    Ok(match_claim(claim, proof, entry.as_ref()))
}

fn level(claim: &Claim, proof: Proof, entry: &Person) -> u8 {
    let phone_agrees = entry.phone.as_deref().is_some_and(|phone| phone == claim.phone);
    match proof {
        Proof::Counter => 3,
        Proof::PhoneCode if phone_agrees => 3,
        Proof::PhoneCode | Proof::Claimed => 2,
    }
}

/// Names agree when they differ only in spaces and in the dot of names such as 阿依古丽·买买提.
fn same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> Vec<char> {
        name.chars().filter(|letter| !letter.is_whitespace() && !"·•・．.‧".contains(*letter)).collect()
    };
    let one = letters(one);
    !one.is_empty() && one == letters(other)
}
