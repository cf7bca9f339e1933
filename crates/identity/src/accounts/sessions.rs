//! Sessions (会话): a 256-bit token in the browser, its hash here.
//!
//! A session ends after 30 minutes without a request and after 12 hours in any case.

use serde::{Deserialize, Serialize};
use tb_base::{Actor, Ctx, Fault, Refusal, Result, SessionId, Timestamp, Uscc};
use tb_crypto::{Vault, sha256, text};
use tb_store::{Row, Stmt, Tx, audit, params, stmt};

use crate::accounts::{self, Account, Source};
use crate::leave;

/// Longest time without a request.
pub const IDLE_SECONDS_MAX: i64 = 30 * 60;
/// Longest time in any case.
pub const LIFE_SECONDS_MAX: i64 = 12 * 3_600;
/// The time of the last request is written at most once in so many seconds.
pub const TOUCH_SECONDS: i64 = 60;
/// Sessions of one account; one more ends the oldest.
pub const SESSIONS_MAX: i64 = 10;

/// A signed-in session (会话).
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who is signed in.
    pub account: Account,
    /// When it began.
    pub created: Timestamp,
    /// Last request that was written down; [`touch`] when it is older than [`TOUCH_SECONDS`].
    pub seen: Timestamp,
    /// The enterprise that she chose to act for; whether she still may is asked at each act.
    pub acting: Option<Uscc>,
}

/// A session as its holder sees it in the list of her own (正在登录的地方).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// Its id.
    pub id: SessionId,
    /// When it began.
    pub created: Timestamp,
    /// The last request that was written down.
    pub seen: Timestamp,
    /// Device and network; nothing is known of sessions from before these were kept.
    pub about: Option<About>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// From where a session was begun (登录设备与网络).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Kind of the device and browser, such as `phone/chrome`; empty for unknown.
    pub device: String,
    /// The network address.
    pub address: String,
}

impl Session {
    /// Whether the last request should be written down again.
    pub fn is_due_for_touch(&self, now: Timestamp) -> bool {
        self.seen.plus_seconds(TOUCH_SECONDS) <= now
    }
}

const INSERT: Stmt = stmt(
    "identity.session.insert",
    "
    INSERT INTO identity_session (id, token, account, created, seen, about, version, at, tx)
    VALUES ($1, $2, $3, $4, $4, $6, 1, $4, $5)
",
);

const BY_TOKEN: Stmt = stmt(
    "identity.session.by_token",
    "
    SELECT id, account, created, seen, acting
    FROM identity_session
    WHERE token = $1 AND $2 < created AND $3 < seen
",
);

const TOUCH: Stmt = stmt(
    "identity.session.touch",
    "
    UPDATE identity_session
    SET seen = $2, version = version + 1, at = $2, tx = $3
    WHERE id = $1 AND seen < $2
",
);

const DELETE: Stmt = stmt(
    "identity.session.delete",
    "
    DELETE FROM identity_session
    WHERE token = $1
    RETURNING account
",
);

const DELETE_ALL: Stmt =
    stmt("identity.session.delete_all", "DELETE FROM identity_session WHERE account = $1");

const TRIM: Stmt = stmt(
    "identity.session.trim",
    "
    DELETE FROM identity_session
    WHERE account = $1 AND id NOT IN (
        SELECT id
        FROM identity_session
        WHERE account = $1
        ORDER BY created DESC, id DESC
        LIMIT $2
    )
",
);

const PURGE: Stmt =
    stmt("identity.session.purge", "DELETE FROM identity_session WHERE created <= $1 OR seen <= $2");

const OPEN: Stmt = stmt(
    "identity.session.open",
    "
    SELECT COUNT(*) AS counted
    FROM identity_session
    WHERE $1 < created AND $2 < seen
",
);

const OF_ACCOUNT: Stmt = stmt(
    "identity.session.of_account",
    "
    SELECT COUNT(*) AS counted
    FROM identity_session
    WHERE account = $1
",
);

const LIST: Stmt = stmt(
    "identity.session.list",
    "
    SELECT id, token, created, seen, about
    FROM identity_session
    WHERE account = $1 AND $2 < created AND $3 < seen
    ORDER BY created DESC, id DESC
    LIMIT $4
",
);

const END: Stmt = stmt("identity.session.end", "DELETE FROM identity_session WHERE account = $1 AND id = $2");

const ACT_FOR: Stmt = stmt(
    "identity.session.act_for",
    "
    UPDATE identity_session
    SET acting = $2, version = version + 1, at = $3, tx = $4
    WHERE token = $1
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] =
    &[INSERT, BY_TOKEN, TOUCH, DELETE, DELETE_ALL, TRIM, PURGE, OPEN, OF_ACCOUNT, LIST, END, ACT_FOR];

/// Opens a session; gives the token for the cookie.
///
/// Who calls this has verified a password, a one-time code, or runs the demo's one-click sign-in.
pub fn open(tx: &mut Tx<'_>, ctx: &Ctx, account: &str, source: &Source) -> Result<String> {
    let token = text::base64url(&ctx.random::<32>());
    let id = ctx.id(SessionId::new);
    let about = About { device: source.device_code().to_owned(), address: source.address().to_owned() };
    let about = serde_json::to_string(&about).map_err(|error| Fault::of("writing a session", error))?;
    let about = tx.seal(&place(id), about);
    let name = tx.name;
    tx.run(&INSERT, params![id, sha256(token.as_bytes()), account, ctx.now, name, about])?;
    tx.run(&TRIM, params![account, SESSIONS_MAX])?;
    Ok(token)
}

/// The session of a token, if it has not ended and the account can be used.
pub fn session(tx: &mut Tx<'_>, vault: &Vault, token: &str, now: Timestamp) -> Result<Option<Session>> {
    let born_after = now.plus_seconds(-LIFE_SECONDS_MAX);
    let seen_after = now.plus_seconds(-IDLE_SECONDS_MAX);
    let found = tx.one(&BY_TOKEN, params![sha256(token.as_bytes()), born_after, seen_after])?;
    let Some(row) = found else { return Ok(None) };
    let account: String = row.get("account")?;
    let Some(account) = accounts::find(tx, vault, &account)? else { return Ok(None) };
    // Whoever is on leave does not act, whatever was open when the leave began.
    if let Actor::Staff { staff, .. } = account.actor
        && leave::away(tx, staff, now.date())?.is_some()
    {
        return Ok(None);
    }
    match account.state {
        accounts::AccountState::Active => read(&row, account).map(Some),
        accounts::AccountState::Frozen | accounts::AccountState::Closed => Ok(None),
    }
}

/// Writes down the last request.
pub fn touch(tx: &mut Tx<'_>, ctx: &Ctx, id: SessionId) -> Result<()> {
    let name = tx.name;
    tx.run(&TOUCH, params![id, ctx.now, name]).map(drop)
}

/// Ends the session of a token; an unknown token is nothing to complain of.
pub fn sign_out(tx: &mut Tx<'_>, ctx: &Ctx, token: &str) -> Result<()> {
    let Some(row) = tx.one(&DELETE, params![sha256(token.as_bytes())])? else { return Ok(()) };
    audit::line(tx, ctx, "identity.sign_out", &row.get::<String>("account")?, "done")
}

/// The sessions of an account that have not ended, newest first; `token` is that of the one that asks.
pub fn of_account(tx: &mut Tx<'_>, account: &str, token: &str, now: Timestamp) -> Result<Vec<Open>> {
    let (born_after, seen_after) = (now.plus_seconds(-LIFE_SECONDS_MAX), now.plus_seconds(-IDLE_SECONDS_MAX));
    let own = sha256(token.as_bytes());
    let rows = tx.all(&LIST, params![account, born_after, seen_after, SESSIONS_MAX])?;
    rows.iter()
        .map(|row| {
            let id: SessionId = row.parse("id")?;
            let about = match row.get::<Option<String>>("about")? {
                Some(_) => Some(tx.open_json(row, "about", &place(id))?),
                None => None,
            };
            let held: [u8; 32] = row.get("token")?;
            let (created, seen) = (row.get("created")?, row.get("seen")?);
            Ok(Open { id, created, seen, about, is_this: held == own })
        })
        .collect()
}

/// Ends one session of an account; one that is over already, or somebody else's, is a refusal.
pub fn end(tx: &mut Tx<'_>, ctx: &Ctx, account: &str, id: SessionId) -> Result<()> {
    if tx.run(&END, params![account, id])? == 0 {
        return Err(Refusal::gone("IDN-SES-001", "这处登录已经结束了", "This sign-in has ended already")
            .but("不用再做什么", "Nothing more to do")
            .into());
    }
    audit::line(tx, ctx, "identity.session.end", account, "done")
}

/// Chooses the enterprise that a session acts for, or oneself; who calls this has asked [`crate::grants::standing`].
pub fn act_for(tx: &mut Tx<'_>, ctx: &Ctx, token: &str, enterprise: Option<&Uscc>) -> Result<()> {
    let name = tx.name;
    let acting = enterprise.map(Uscc::to_string);
    tx.run(&ACT_FOR, params![sha256(token.as_bytes()), acting, ctx.now, name]).map(drop)
}

/// The place of what is known of a session.
pub(crate) fn place(id: SessionId) -> String {
    format!("identity_session/{id}/about")
}

/// Ends every session of an account.
pub fn kill_all(tx: &mut Tx<'_>, account: &str) -> Result<()> {
    tx.run(&DELETE_ALL, params![account]).map(drop)
}

/// How many sessions an account has, ended ones that were not purged included.
pub fn count(tx: &mut Tx<'_>, account: &str) -> Result<i64> {
    tx.one(&OF_ACCOUNT, params![account])?.map_or(Ok(0), |row| row.get("counted"))
}

/// How many sessions are open.
pub fn count_open(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    let bounds = params![now.plus_seconds(-LIFE_SECONDS_MAX), now.plus_seconds(-IDLE_SECONDS_MAX)];
    tx.one(&OPEN, bounds)?.map_or(Ok(0), |row| row.get("counted"))
}

/// Drops sessions that have ended; gives how many.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.run(&PURGE, params![now.plus_seconds(-LIFE_SECONDS_MAX), now.plus_seconds(-IDLE_SECONDS_MAX)])
}

fn read(row: &Row, account: Account) -> Result<Session> {
    Ok(Session {
        id: row.parse("id")?,
        account,
        created: row.get("created")?,
        seen: row.get("seen")?,
        acting: row.parse_option("acting")?,
    })
}
