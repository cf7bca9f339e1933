//! First passwords (首次密码): a one-time code that an administrator hands over, and that sets a password once.
//!
//! Invariants: a code has 80 random bits, only its keyed tag is stored, it holds 24 hours, works once, and a newer
//! one for the same account ends it.

use tb_base::{Ctx, Refusal, Result};
use tb_crypto::Vault;
use tb_store::{Stmt, Tx, params, stmt};

/// How long a code holds.
pub const CODE_SECONDS: i64 = 24 * 3_600;
/// Letters that are not mistaken for each other, five bits each.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const CODE_LETTERS: usize = 16;
const GROUP_LETTERS: usize = 4;

const INSERT: Stmt = stmt(
    "identity.first.insert",
    "
    INSERT INTO identity_reset (id, purpose, account, level, code, expires, tries, state, version, at, tx)
    VALUES ($1, 'first', $2, 0, $1, $3, 1, 'open', 1, $4, $5)
",
);

const FORGET: Stmt =
    stmt("identity.first.forget", "DELETE FROM identity_reset WHERE account = $1 AND purpose = 'first'");

const REDEEM: Stmt = stmt(
    "identity.first.redeem",
    "
    UPDATE identity_reset
    SET state = 'used', tries = 0, version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND purpose = 'first' AND state = 'open' AND $2 < expires
        AND account IN (SELECT a.id FROM identity_account a WHERE a.state = 'active')
    RETURNING account
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[INSERT, FORGET, REDEEM];

/// Makes a code for an account; the one before it holds no more. The text is stored nowhere.
pub(crate) fn issue(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, account: &str) -> Result<String> {
    let random: [u8; CODE_LETTERS] = ctx.random();
    let letters = random.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 31)));
    let code: String = letters.map(|letter| char::from(*letter)).collect();
    forget(tx, account)?;
    let (expires, name) = (ctx.now.plus_seconds(CODE_SECONDS), tx.name);
    tx.run(&INSERT, params![tag(vault, &code), account, expires, ctx.now, name])?;
    Ok(grouped(&code))
}

/// A code of this account holds no more.
pub(crate) fn forget(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    tx.run(&FORGET, params![account]).map(drop)
}

/// Uses a code up; gives the account, or nothing where the code is wrong, late, used, or its account is stopped.
pub(crate) fn redeem(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, code: &str) -> Result<Option<String>> {
    let name = tx.name;
    let used = tx.one(&REDEEM, params![tag(vault, code), ctx.now, name])?;
    used.map(|row| row.get("account")).transpose()
}

/// What somebody with a wrong code is told.
pub(crate) fn wrong() -> Refusal {
    Refusal::invalid(
        "IDN-FST-001",
        "一次性代码不对、已用过或已过期",
        "The one-time code is wrong, used or too old",
    )
    .on("code")
    .but("请本市系统管理员重新发放", "Ask this city's administrator for a new one")
}

/// As a hand types it: small letters, blanks and hyphens are allowed, and letters that look like digits are digits.
fn tag(vault: &Vault, code: &str) -> [u8; 32] {
    let plain: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    vault.tag("first-password", &plain)
}

fn grouped(code: &str) -> String {
    let letters: Vec<char> = code.chars().collect();
    letters.chunks(GROUP_LETTERS).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join("-")
}
