//! One-time codes by text message (短信验证码): for registration and for lost passwords.
//!
//! Ten minutes, five tries, used once. A ticket is given out for every request, whether or not anybody will get
//! a code, so that nobody learns from the answer who has an account.

use tb_base::{Ctx, Refusal, Result, Timestamp};
use tb_crypto::{Vault, constant_eq, sha256, text};
use tb_store::{Stmt, Tx, params, stmt};

use crate::sms;
use crate::words::words;

/// How long a code holds.
pub const CODE_SECONDS: i64 = 10 * 60;
/// How often it may be answered.
pub const TRIES_MAX: i64 = 5;

words! {
    /// What a code is good for (用途).
    CodePurpose {
        /// Makes an account (注册).
        Register = "register",
        /// Sets a new password (重设密码).
        Reset = "reset",
        /// Changes the phone (改手机号): one code to the old number, one to the new.
        Phone = "phone",
    }
}

words! {
    /// Whether a code may still be answered.
    CodeState {
        /// It may.
        Open = "open",
        /// It was answered rightly.
        Used = "used",
    }
}

const INSERT: Stmt = stmt(
    "identity.reset.insert",
    "
    INSERT INTO identity_reset (id, purpose, account, level, code, expires, tries, state, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, 'open', 1, $8, $9)
",
);

const TRY: Stmt = stmt(
    "identity.reset.try",
    "
    UPDATE identity_reset
    SET tries = tries - 1, version = version + 1, at = $3, tx = $4
    WHERE id = $1 AND purpose = $2 AND state = 'open' AND 0 < tries AND $3 < expires
    RETURNING account, level, code
",
);

const USE: Stmt = stmt(
    "identity.reset.use",
    "
    UPDATE identity_reset
    SET state = 'used', version = version + 1, at = $2, tx = $3
    WHERE id = $1
",
);

const PURGE: Stmt = stmt("identity.reset.purge", "DELETE FROM identity_reset WHERE expires <= $1");

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, TRY, USE, PURGE];

/// To whom a code goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// The account that is reset, or the person for whom one is made.
    pub account: String,
    /// The assurance level that a right answer proves.
    pub level: u8,
    /// The phone.
    pub phone: String,
}

/// What a right answer is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The account, or the person.
    pub account: String,
    /// The assurance level.
    pub level: u8,
}

/// Sends a code, if there is somebody to send it to; gives the ticket in either case.
pub fn issue(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    purpose: CodePurpose,
    addressee: Option<&Addressee>,
) -> Result<String> {
    let ticket = text::base64url(&ctx.random::<16>());
    let code = six_digits(ctx);
    let name = tx.name;
    tx.run(
        &INSERT,
        params![
            sha256(ticket.as_bytes()),
            purpose.word(),
            addressee.map(|it| it.account.clone()),
            addressee.map_or(0, |it| it.level),
            code_tag(vault, &ticket, &code),
            ctx.now.plus_seconds(CODE_SECONDS),
            TRIES_MAX,
            ctx.now,
            name,
        ],
    )?;
    if let Some(addressee) = addressee {
        sms::send(tx, ctx, vault, &addressee.phone, purpose.word(), &text_of(purpose, &code))?;
    }
    Ok(ticket)
}

/// Takes one try; nothing when the code is wrong, late, used up, or was never sent.
pub fn answer(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    purpose: CodePurpose,
    ticket: &str,
    code: &str,
) -> Result<Option<Proven>> {
    let proven = try_one(tx, ctx, vault, purpose, ticket, code)?;
    if proven.is_some() {
        use_up(tx, ctx, ticket)?;
    }
    Ok(proven)
}

/// Takes one try of each of two codes, which are used up together or not at all.
pub(crate) fn answer_both(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    purpose: CodePurpose,
    [one, other]: [(&str, &str); 2],
) -> Result<Option<Proven>> {
    let first = try_one(tx, ctx, vault, purpose, one.0, one.1)?;
    let second = try_one(tx, ctx, vault, purpose, other.0, other.1)?;
    let Some(proven) = first.filter(|it| second.as_ref() == Some(it)) else { return Ok(None) };
    use_up(tx, ctx, one.0)?;
    use_up(tx, ctx, other.0)?;
    Ok(Some(proven))
}

fn use_up(tx: &mut Tx<'_>, ctx: &Ctx, ticket: &str) -> Result<()> {
    let name = tx.name;
    tx.run(&USE, params![sha256(ticket.as_bytes()), ctx.now, name]).map(drop)
}

fn try_one(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    purpose: CodePurpose,
    ticket: &str,
    code: &str,
) -> Result<Option<Proven>> {
    let id = sha256(ticket.as_bytes());
    let name = tx.name;
    let Some(row) = tx.one(&TRY, params![id, purpose.word(), ctx.now, name])? else { return Ok(None) };
    let expected: [u8; 32] = row.get("code")?;
    let account: Option<String> = row.get("account")?;
    let right = constant_eq(&expected, &code_tag(vault, ticket, code.trim()));
    let Some(account) = account.filter(|_| right) else { return Ok(None) };
    Ok(Some(Proven { account, level: row.get("level")? }))
}

/// Drops codes that hold no more; gives how many.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.run(&PURGE, params![now])
}

/// What somebody with a wrong code is told.
pub fn wrong() -> Refusal {
    Refusal::invalid("IDN-COD-001", "验证码不对或已失效", "The code is wrong or holds no more")
        .on("code")
        .but(
            "请重新获取验证码；它只发到登记的手机",
            "Ask for a new code; it goes to the registered phone only",
        )
}

/// Uniform over 000000 to 999999; the bias of 64 bits modulo a million is below 10⁻¹³.
fn six_digits(ctx: &Ctx) -> String {
    format!("{:06}", u64::from_be_bytes(ctx.random()) % 1_000_000)
}

/// Keyed, because a million codes are quickly tried against a plain hash.
fn code_tag(vault: &Vault, ticket: &str, code: &str) -> [u8; 32] {
    vault.tag("code", &format!("{ticket}:{code}"))
}

fn text_of(purpose: CodePurpose, code: &str) -> String {
    let aim = match purpose {
        CodePurpose::Register => "注册账号",
        CodePurpose::Reset => "重设密码",
        CodePurpose::Phone => "更换手机号",
    };
    format!("【通办】验证码 {code}，用于{aim}，10 分钟内有效。工作人员不会向您索要验证码。")
}
