//! Rate limits (频率限制): named, counted in a table, and never a lock for ever.
//!
//! A window of time begins with the first attempt and ends by itself; attempts during a pause do not prolong it.
//! A source from which the account was signed in before is not held up by what strangers try elsewhere.
//! A source that many people share, such as a hall, may try more often in all; each account is counted as ever.

use tb_base::{Refusal, Result, Timestamp};
use tb_crypto::Vault;
use tb_store::{Stmt, Tx, params, stmt};

/// How often something may be tried within a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What is counted.
    pub name: &'static str,
    /// So many attempts.
    pub attempts_max: i64,
    /// Within so many seconds.
    pub window_seconds: i64,
}

/// Attempts on one account from one source.
pub const SIGN_IN_PAIR: Limit = Limit { name: "sign-in/pair", attempts_max: 5, window_seconds: 15 * 60 };
/// Attempts on one account from sources that never signed in to it.
pub const SIGN_IN_ACCOUNT: Limit =
    Limit { name: "sign-in/account", attempts_max: 30, window_seconds: 15 * 60 };
/// Attempts from one source on any account.
pub const SIGN_IN_SOURCE: Limit =
    Limit { name: "sign-in/source", attempts_max: 100, window_seconds: 15 * 60 };
/// One-time codes for one account.
pub const CODE_ACCOUNT: Limit = Limit { name: "code/account", attempts_max: 3, window_seconds: 3_600 };
/// One-time codes for one account in a day: five tries a code, so that guessing takes decades, not weeks.
pub const CODE_ACCOUNT_DAY: Limit =
    Limit { name: "code/account-day", attempts_max: 8, window_seconds: 86_400 };
/// One-time codes asked for, or answered, from one source.
pub const CODE_SOURCE: Limit = Limit { name: "code/source", attempts_max: 60, window_seconds: 3_600 };

/// Verifications from one source by somebody who does it on no duty: each is a message to another city.
pub const VERIFY_SOURCE: Limit = Limit { name: "verify/source", attempts_max: 60, window_seconds: 15 * 60 };

/// So many times as much may come from a source that many people share: a hall is not shut by a few wrong passwords,
/// and one password is still not tried on every account.
pub const SHARED_TIMES: i64 = 10;

/// Where an attempt comes from (来源): the network address, and whether many people stand behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    address: String,
    people: People,
    device: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum People {
    Few,
    Many,
}

impl Source {
    /// A household or an office.
    pub fn own(address: impl Into<String>) -> Source {
        Source { address: address.into(), people: People::Few, device: String::new() }
    }

    /// A hall, or a proxy that does not say for whom it asks.
    pub fn shared(address: impl Into<String>) -> Source {
        Source { address: address.into(), people: People::Many, device: String::new() }
    }

    /// Says which device it is, by a code of its kind and its browser, such as `phone/chrome`.
    #[must_use]
    pub fn device(self, device: impl Into<String>) -> Source {
        Source { device: device.into(), ..self }
    }

    /// The code of the device; empty where nothing is known of it.
    pub fn device_code(&self) -> &str {
        &self.device
    }

    /// The address.
    pub fn address(&self) -> &str {
        &self.address
    }

    fn limit(&self, limit: Limit) -> Limit {
        match self.people {
            People::Few => limit,
            People::Many => Limit { attempts_max: limit.attempts_max * SHARED_TIMES, ..limit },
        }
    }
}

impl From<&str> for Source {
    fn from(address: &str) -> Source {
        Source::own(address)
    }
}

const COUNT: Stmt = stmt(
    "identity.attempt.count",
    "
    INSERT INTO identity_attempt (subject, counted, since, until, version, at, tx)
    VALUES ($1, 1, $2, $3, 1, $2, $4)
    ON CONFLICT (subject) DO UPDATE
    SET counted = CASE WHEN identity_attempt.until <= EXCLUDED.since THEN 1
                       ELSE identity_attempt.counted + 1 END,
        since = CASE WHEN identity_attempt.until <= EXCLUDED.since THEN EXCLUDED.since
                     ELSE identity_attempt.since END,
        until = CASE WHEN identity_attempt.until <= EXCLUDED.since THEN EXCLUDED.until
                     ELSE identity_attempt.until END,
        version = identity_attempt.version + 1,
        at = EXCLUDED.at,
        tx = EXCLUDED.tx
    RETURNING counted, until
",
);

const GIVE_BACK: Stmt = stmt(
    "identity.attempt.give_back",
    "
    UPDATE identity_attempt
    SET counted = counted - 1, version = version + 1, at = $2, tx = $3
    WHERE subject = $1 AND 0 < counted
",
);

const FORGET: Stmt = stmt("identity.attempt.forget", "DELETE FROM identity_attempt WHERE subject = $1");

const PURGE: Stmt = stmt("identity.attempt.purge", "DELETE FROM identity_attempt WHERE until <= $1");

const KNOWN: Stmt = stmt(
    "identity.source.known",
    "
    SELECT at
    FROM identity_source
    WHERE account = $1 AND source = $2
",
);

const REMEMBER: Stmt = stmt(
    "identity.source.remember",
    "
    INSERT INTO identity_source (account, source, version, at, tx)
    VALUES ($1, $2, 1, $3, $4)
    ON CONFLICT (account, source) DO UPDATE
    SET version = identity_source.version + 1, at = EXCLUDED.at, tx = EXCLUDED.tx
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[COUNT, GIVE_BACK, FORGET, PURGE, KNOWN, REMEMBER];

/// What a limit says to one more attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Within,
    /// Wait until then.
    Wait(Timestamp),
}

/// Counts one attempt of a subject against a limit.
pub fn count(tx: &mut Tx<'_>, vault: &Vault, limit: Limit, subject: &str, now: Timestamp) -> Result<Verdict> {
    let until = now.plus_seconds(limit.window_seconds);
    let name = tx.name;
    let row = tx.one(&COUNT, params![key(vault, limit, subject), now, until, name])?;
    let Some(row) = row else { return Ok(Verdict::Within) };
    let counted: i64 = row.get("counted")?;
    if limit.attempts_max < counted {
        return Ok(Verdict::Wait(row.get("until")?));
    }
    Ok(Verdict::Within)
}

/// Counts one attempt from a source against a limit, by how many people stand behind it.
pub fn count_source(
    tx: &mut Tx<'_>,
    vault: &Vault,
    limit: Limit,
    source: &Source,
    now: Timestamp,
) -> Result<Verdict> {
    count(tx, vault, source.limit(limit), &source.address, now)
}

/// Takes back what [`count_source`] counted, after an attempt that succeeded: whoever gets in does not guess.
pub fn give_back(
    tx: &mut Tx<'_>,
    vault: &Vault,
    limit: Limit,
    source: &Source,
    now: Timestamp,
) -> Result<()> {
    let name = tx.name;
    tx.run(&GIVE_BACK, params![key(vault, limit, &source.address), now, name]).map(drop)
}

/// Forgets the attempts of a subject, after one that succeeded.
pub fn forget(tx: &mut Tx<'_>, vault: &Vault, limit: Limit, subject: &str) -> Result<()> {
    tx.run(&FORGET, params![key(vault, limit, subject)]).map(drop)
}

/// Drops windows that have ended; gives how many.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp) -> Result<u64> {
    tx.run(&PURGE, params![now])
}

/// Whether the account was signed in to from this source before.
pub(crate) fn is_known_source(tx: &mut Tx<'_>, vault: &Vault, account: &str, source: &str) -> Result<bool> {
    Ok(tx.one(&KNOWN, params![account, vault.tag("source", source)])?.is_some())
}

/// Remembers a source from which the account was signed in to.
pub(crate) fn remember_source(
    tx: &mut Tx<'_>,
    vault: &Vault,
    account: &str,
    source: &str,
    now: Timestamp,
) -> Result<()> {
    let name = tx.name;
    tx.run(&REMEMBER, params![account, vault.tag("source", source), now, name]).map(drop)
}

/// The refusal that names the time to wait.
pub fn wait(until: Timestamp, now: Timestamp) -> Refusal {
    let minutes = ((until.seconds() - now.seconds()).max(0) + 59) / 60;
    Refusal::not_now(
        "IDN-LIM-001",
        format!("尝试次数过多，请在 {minutes} 分钟后再试"),
        format!("Too many attempts, please try again in {minutes} minutes"),
    )
    .but(
        "忘记密码可以用登记手机收到的短信重设；没有登记手机的，办事人请拨打本市 12345，工作人员请找本市系统管理员",
        "A lost password is set anew by a code on the registered phone; without one, residents call 12345, staff ask the administrator",
    )
}

fn key(vault: &Vault, limit: Limit, subject: &str) -> [u8; 32] {
    vault.tag(limit.name, subject)
}
