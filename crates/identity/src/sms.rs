//! Outgoing text messages (短信): written in the transaction of their cause, sent by a gateway.
//!
//! In the demo nobody sends them: the page of the person's phone reads them from here.

use serde::{Deserialize, Serialize};
use tb_base::{Ctx, MessageId, Result, Timestamp};
use tb_crypto::Vault;
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::secret;

/// A text message (短信).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// Its id.
    pub id: MessageId,
    /// To which phone.
    pub phone: String,
    /// What it is for, such as `register`, `reset`, `consent`.
    pub purpose: String,
    /// The text.
    pub text: String,
    /// When it was written.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    phone: String,
    text: String,
}

const INSERT: Stmt = stmt(
    "identity.sms.insert",
    "
    INSERT INTO identity_sms (id, phone, purpose, sealed, sent_at, version, at, tx)
    VALUES ($1, $2, $3, $4, NULL, 1, $5, $6)
",
);

const OF_PHONE: Stmt = stmt(
    "identity.sms.of_phone",
    "
    SELECT id, purpose, sealed, at
    FROM identity_sms
    WHERE phone = $1
    ORDER BY at DESC, id DESC
    LIMIT $2
",
);

const WAITING: Stmt = stmt(
    "identity.sms.waiting",
    "
    SELECT id, purpose, sealed, at
    FROM identity_sms
    WHERE sent_at IS NULL
    ORDER BY at, id
    LIMIT $1
",
);

const SENT: Stmt = stmt(
    "identity.sms.sent",
    "
    UPDATE identity_sms
    SET sent_at = $2, version = version + 1, tx = $3
    WHERE id = $1 AND sent_at IS NULL
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, OF_PHONE, WAITING, SENT];

/// How many messages one reading gives at the most.
pub const SMS_MAX: i64 = 20;

/// Writes a text message to a phone.
pub fn send(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    phone: &str,
    purpose: &'static str,
    text: &str,
) -> Result<MessageId> {
    let id = ctx.id(MessageId::new);
    let sealed = Sealed { phone: phone.to_owned(), text: text.to_owned() };
    let sealed = secret::seal(ctx, vault, "identity_sms", id.as_str(), &sealed)?;
    let name = tx.name;
    tx.run(&INSERT, params![id, vault.tag("phone", phone), purpose, sealed, ctx.now, name])?;
    Ok(id)
}

/// The latest messages to a phone, newest first (the demo's phone page).
pub fn of_phone(tx: &mut Tx<'_>, vault: &Vault, phone: &str) -> Result<Vec<Sms>> {
    tx.all(&OF_PHONE, params![vault.tag("phone", phone), SMS_MAX])?
        .iter()
        .map(|row| sms(row, vault))
        .collect()
}

/// The messages that a gateway still has to send, oldest first.
pub fn waiting(tx: &mut Tx<'_>, vault: &Vault) -> Result<Vec<Sms>> {
    tx.all(&WAITING, params![SMS_MAX])?.iter().map(|row| sms(row, vault)).collect()
}

/// Notes that the gateway took a message.
pub fn sent(tx: &mut Tx<'_>, ctx: &Ctx, id: MessageId) -> Result<()> {
    let name = tx.name;
    tx.run(&SENT, params![id, ctx.now, name]).map(drop)
}

fn sms(row: &Row, vault: &Vault) -> Result<Sms> {
    let id: MessageId = row.parse("id")?;
    let sealed: Sealed = secret::open(vault, "identity_sms", id.as_str(), &row.get::<Vec<u8>>("sealed")?)?;
    Ok(Sms { id, phone: sealed.phone, purpose: row.get("purpose")?, text: sealed.text, at: row.get("at")? })
}
