//! Showing a licence (亮证): a code that one verifier can redeem once within a minute.
//! Serves clause 1.2.
//!
//! Invariants: the code is 128 random bits and says nothing about licence or person; only its hash is stored;
//! redeeming is one conditional update, so of two verifiers one is told that the code was used.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, Error, LicenceId, MessageId, NodeId, PersonId, Refusal, Result, Timestamp, Violation};
use tb_crypto::sha256;
use tb_store::{Row, Tx, params};

use crate::store::{find as find_licence, missing};

mod statements;

pub use statements::STATEMENTS;
use statements::{ANSWERED, BY_HASH, CLOSE, FIND, INSERT, OF_HOLDER, REDEEM};

/// How long a code counts.
pub const CODE_SECONDS: i64 = 60;
/// How many presentations a list shows.
const LIST_MAX: u32 = 50;
/// The form of the code's text.
const FORM: &str = "T1";
const SECRET_BYTES: usize = 16;
const SECRET_LETTERS: usize = 26;
/// Crockford's alphabet: a QR code holds it in alphanumeric mode, and it can be read out.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A presentation code (亮证码): form, city and secret, `T1.430300.…`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Code {
    /// The city that made it and can redeem it.
    pub city: NodeId,
    secret: [u8; SECRET_BYTES],
}

impl Code {
    /// A new code that `city` will redeem, once it has registered the hash.
    pub fn fresh(ctx: &Ctx, city: NodeId) -> Code {
        Code { city, secret: ctx.random() }
    }

    /// What the city stores in place of the code.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&[b"tongban/presentation/1\n", &self.secret[..]].concat())
    }
}

/// The text of the QR code.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(self.secret);
        let letter = |at: usize| ALPHABET[(value >> (5 * (SECRET_LETTERS - 1 - at)) & 31) as usize];
        let secret: String = (0..SECRET_LETTERS).map(|at| char::from(letter(at))).collect();
        write!(f, "{FORM}.{}.{secret}", self.city)
    }
}

/// Reads a code as a camera or a hand gives it: small letters and blanks are allowed.
impl FromStr for Code {
    type Err = Refusal;

    fn from_str(text: &str) -> std::result::Result<Code, Refusal> {
        let bad = || {
            Refusal::invalid("LIC-PRE-001", "这不是亮证码", "This is no presentation code")
                .on("code")
                .but("请对方打开“亮证”重新出码", "Ask the holder to show a fresh code")
        };
        let text: String =
            text.chars().filter(|it| !it.is_whitespace()).collect::<String>().to_ascii_uppercase();
        let parts: Vec<&str> = text.split('.').collect();
        let &[FORM, city, secret] = parts.as_slice() else { return Err(bad()) };
        if secret.len() != SECRET_LETTERS {
            return Err(bad());
        }
        let mut value = 0_u128;
        for (at, letter) in secret.bytes().enumerate() {
            let digit = ALPHABET.iter().position(|it| *it == letter).ok_or_else(bad)?;
            // 26 letters hold 130 bits; the first carries only three.
            if at == 0 && 8 <= digit {
                return Err(bad());
            }
            value = value << 5 | digit as u128;
        }
        Ok(Code { city: city.parse().map_err(|_| bad())?, secret: value.to_be_bytes() })
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({}.{}.…)", FORM, self.city)
    }
}

/// A code that was just made; its text is not stored anywhere.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The presentation, to ask what became of it.
    pub id: MessageId,
    /// What the QR code shows.
    pub text: String,
    /// Until when it counts.
    pub expires: Timestamp,
}

/// Where a presentation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresentationState {
    /// Waits for a verifier.
    Open,
    /// A verifier redeemed it.
    Redeemed,
    /// The holder put it away.
    Closed,
}

/// A presentation (亮证记录) as the holder sees it.
#[derive(Clone, Debug)]
pub struct Presentation {
    /// Its id.
    pub id: MessageId,
    /// The licence.
    pub licence: LicenceId,
    /// Who showed it.
    pub holder: PersonId,
    /// Until when the code counted.
    pub expires: Timestamp,
    /// Where it stands.
    pub state: PresentationState,
    /// The city of the verifier.
    pub verifier_city: Option<NodeId>,
    /// Role and office of the verifier, such as `inspector/430200-transport`.
    pub verifier_actor: Option<String>,
    /// What the verifier was told: `yes` or a state.
    pub answer: Option<String>,
    /// When.
    pub redeemed_at: Option<Timestamp>,
}

/// What a code was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// Good, and used up now.
    Good {
        /// The presentation.
        presentation: MessageId,
        /// The licence that is shown.
        licence: LicenceId,
    },
    /// Somebody redeemed it before.
    Used,
    /// Its minute is over, or the holder put it away.
    Over,
    /// Nobody made it here.
    Unknown,
}

/// Makes a code for a licence of the person who is signed in (出码).
pub fn create(tx: &mut Tx<'_>, ctx: &Ctx, licence: LicenceId) -> Result<Fresh> {
    let found = find_licence(tx, licence)?.ok_or_else(missing)?;
    let holder = found.holder.filter(|holder| ctx.actor.person() == Some(*holder)).ok_or_else(not_hers)?;
    let code = Code::fresh(ctx, ctx.node);
    let (id, expires) = register(tx, ctx, licence, holder, code.hash())?;
    Ok(Fresh { id, text: code.to_string(), expires })
}

/// Writes down that whoever shows the code of that hash shows this licence of hers.
pub(crate) fn register(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    licence: LicenceId,
    holder: PersonId,
    hash: [u8; 32],
) -> Result<(MessageId, Timestamp)> {
    let id = ctx.id(MessageId::new);
    let expires = ctx.now.plus_seconds(CODE_SECONDS);
    let name = tx.name;
    tx.run(&INSERT, params![id, hash, licence, holder, expires, ctx.now, name])?;
    tb_store::audit::line(tx, ctx, "licence.present", licence.as_str(), "shown")?;
    Ok((id, expires))
}

/// Puts a code away before anybody redeemed it (收起).
pub fn close(tx: &mut Tx<'_>, ctx: &Ctx, id: MessageId) -> Result<()> {
    let holder = ctx.actor.person().ok_or_else(not_hers)?;
    put_away(tx, ctx, holder, id)
}

/// Puts away a code of that holder.
pub(crate) fn put_away(tx: &mut Tx<'_>, ctx: &Ctx, holder: PersonId, id: MessageId) -> Result<()> {
    let name = tx.name;
    tx.run(&CLOSE, params![id, holder, ctx.now, name]).map(drop)
}

/// What became of a presentation; only its holder sees it.
pub fn of(tx: &mut Tx<'_>, person: PersonId, id: MessageId) -> Result<Option<Presentation>> {
    let found = tx.one(&FIND, params![id])?.as_ref().map(presentation).transpose()?;
    Ok(found.filter(|it| it.holder == person))
}

/// The latest presentations of a person, newest first.
pub fn of_holder(tx: &mut Tx<'_>, person: PersonId) -> Result<Vec<Presentation>> {
    tx.all(&OF_HOLDER, params![person, LIST_MAX])?.iter().map(presentation).collect()
}

/// Redeems a code for a verifier; of several at once only one gets [`Redeemed::Good`].
pub fn redeem(tx: &mut Tx<'_>, ctx: &Ctx, code: &Code, city: NodeId, actor: &str) -> Result<Redeemed> {
    let name = tx.name;
    if let Some(row) = tx.one(&REDEEM, params![code.hash(), ctx.now, city, actor, name])? {
        return Ok(Redeemed::Good { presentation: row.parse("id")?, licence: row.parse("licence")? });
    }
    match tx.one(&BY_HASH, params![code.hash()])?.as_ref().map(presentation).transpose()? {
        None => Ok(Redeemed::Unknown),
        Some(it) if it.state == PresentationState::Redeemed => Ok(Redeemed::Used),
        Some(_) => Ok(Redeemed::Over),
    }
}

/// Notes what the verifier was told.
pub(crate) fn answered(tx: &mut Tx<'_>, ctx: &Ctx, id: MessageId, answer: &str) -> Result<()> {
    let name = tx.name;
    tx.run(&ANSWERED, params![id, answer, ctx.now, name]).map(drop)
}

fn not_hers() -> Error {
    Refusal::not_allowed("LIC-PRE-002", "只能亮自己的证照", "You can show only licences of your own").into()
}

fn presentation(row: &Row) -> Result<Presentation> {
    let id: MessageId = row.parse("id")?;
    let state: String = row.get("state")?;
    Ok(Presentation {
        id,
        licence: row.parse("licence")?,
        holder: row.parse("holder")?,
        expires: row.get("expires")?,
        state: match state.as_str() {
            "open" => PresentationState::Open,
            "redeemed" => PresentationState::Redeemed,
            "closed" => PresentationState::Closed,
            _ => return Err(Violation::inconsistent("licence_presentation", id).into()),
        },
        verifier_city: row.parse_option("verifier_city")?,
        verifier_actor: row.get("verifier_actor")?,
        answer: row.get("answer")?,
        redeemed_at: row.get("redeemed_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::{Code, SECRET_BYTES};

    #[test]
    fn text_of_a_code() {
        for secret in [[0; SECRET_BYTES], [0xff; SECRET_BYTES], *b"0123456789abcdef"] {
            let code = Code { city: "430300".parse().expect("a city"), secret };
            let text = code.to_string();
            assert_eq!(text.len(), "T1.430300.".len() + 26);
            assert_eq!(text.parse::<Code>(), Ok(code));
            assert_eq!(format!(" {} ", text.to_ascii_lowercase()).parse::<Code>(), Ok(code));
        }
        for text in [
            "",
            "T1",
            "T1.430300.",
            "T2.430300.00000000000000000000000000",
            "T1.430300.Z0000000000000000000000000",
        ] {
            text.parse::<Code>().expect_err(text);
        }
    }
}
