//! The door (登录): signing in, registering and getting a lost password back.
//!
//! A password is hashed and verified between two transactions, never inside one. What is counted stays counted
//! although the answer is a refusal: a unit of work says what it found, and the refusal is made outside.

use std::sync::Arc;

use tb_base::{Ctx, Date, Error, Refusal, Result, Timestamp};
use tb_crypto::Vault;
use tb_store::{Store, Tx, audit};

use crate::accounts::codes::{self, Addressee, CodePurpose};
use crate::accounts::limits::{self, Source, Verdict};
use crate::accounts::{self, Account, NewAccount, Passwords, first, passwords, sessions};
use crate::hold;
use crate::leave;
use crate::people;
use crate::register::{self, Claim, Proof};
use crate::sms;

/// Longest sign-in name that is looked at.
pub const LOGIN_LETTERS_MAX: usize = 64;

/// What somebody types to sign in. Not `Debug`: it holds a password.
#[derive(Clone)]
pub struct Credentials {
    /// Resident number, alias or staff name.
    pub login: String,
    /// The password.
    pub password: String,
    /// Where the request comes from.
    pub source: Source,
}

/// A session that was just opened.
#[derive(Clone)]
pub struct SignedIn {
    /// The token for the cookie; only its hash is stored.
    pub token: String,
    /// Who is signed in.
    pub account: Account,
}

/// What signing in needs; cheap to clone.
#[derive(Clone)]
pub struct Door {
    store: Store,
    vault: Arc<Vault>,
    passwords: Passwords,
}

/// An account that may be the one, with its hash.
#[derive(Clone)]
struct Candidate {
    id: String,
    hash: String,
    usable: bool,
}

/// What a unit of work found, where a refusal must not undo what it counted.
pub(super) enum Found<T> {
    Yes(T),
    No,
    Wait(Timestamp),
    Away(Date),
}

impl Door {
    /// A door to one city's accounts.
    pub fn new(store: Store, vault: Arc<Vault>, passwords: Passwords) -> Door {
        Door { store, vault, passwords }
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    pub(super) fn vault(&self) -> Arc<Vault> {
        Arc::clone(&self.vault)
    }

    /// Signs in with a password.
    pub async fn sign_in(&self, ctx: &Ctx, credentials: &Credentials) -> Result<SignedIn> {
        if LOGIN_LETTERS_MAX < credentials.login.chars().count()
            || passwords::LETTERS_MAX < credentials.password.chars().count()
        {
            return Err(refused());
        }
        let candidate = self.candidate(ctx, &credentials.login, &credentials.source).await?;
        let hash = candidate.as_ref().map(|it| it.hash.as_str());
        let fits = self.passwords.fits(&credentials.password, hash).await?;
        self.open(ctx, credentials, candidate, fits).await
    }

    /// Asks for an account: sends a code when the claim agrees with the register. The ticket says nothing.
    pub async fn register_request(
        &self,
        ctx: &Ctx,
        claim: &Claim,
        source: impl Into<Source>,
    ) -> Result<String> {
        let (ctx_in, vault, claim, source) =
            (ctx.clone(), Arc::clone(&self.vault), claim.clone(), source.into());
        let found = self
            .store
            .write("identity.register.request", move |tx| {
                request_account(tx, &ctx_in, &vault, &claim, &source)
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    /// The hash of a password that somebody chooses beside a code; the answer counts before the costly hash is made.
    async fn chosen(&self, ctx: &Ctx, password: &str, source: &Source) -> Result<String> {
        passwords::check(password, "")?;
        self.count_answer(ctx, source).await?;
        self.passwords.hash(ctx, password).await
    }

    /// Makes the account with the code that came by text message, and signs in.
    pub async fn register_confirm(
        &self,
        ctx: &Ctx,
        ticket: &str,
        code: &str,
        password: &str,
        source: impl Into<Source>,
    ) -> Result<SignedIn> {
        let source = source.into();
        let hash = self.chosen(ctx, password, &source).await?;
        let (ctx_in, vault) = (ctx.clone(), Arc::clone(&self.vault));
        let (ticket, code) = (ticket.to_owned(), code.to_owned());
        let found = self
            .store
            .write("identity.register.confirm", move |tx| {
                make_account(tx, &ctx_in, &vault, &ticket, &code, &hash, &source)
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    /// Asks for a new password: sends a code when there is such an account. The ticket says nothing.
    pub async fn reset_request(&self, ctx: &Ctx, login: &str, source: impl Into<Source>) -> Result<String> {
        let login: String = login.chars().take(LOGIN_LETTERS_MAX).collect();
        let (ctx_in, vault, source) = (ctx.clone(), Arc::clone(&self.vault), source.into());
        let found = self
            .store
            .write("identity.reset.request", move |tx| request_reset(tx, &ctx_in, &vault, &login, &source))
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    /// Sets the new password with the code that came by text message, and ends every session of the account.
    pub async fn reset_confirm(
        &self,
        ctx: &Ctx,
        ticket: &str,
        code: &str,
        password: &str,
        source: impl Into<Source>,
    ) -> Result<()> {
        let source = source.into();
        let hash = self.chosen(ctx, password, &source).await?;
        let (ctx_in, vault) = (ctx.clone(), Arc::clone(&self.vault));
        let (ticket, code) = (ticket.to_owned(), code.to_owned());
        let found = self
            .store
            .write("identity.reset.confirm", move |tx| {
                let proven = codes::answer(tx, &ctx_in, &vault, CodePurpose::Reset, &ticket, &code)?;
                let Some(proven) = proven else { return Ok(Found::No) };
                accounts::set_hash(tx, &ctx_in, &proven.account, &hash)?;
                limits::give_back(tx, &vault, limits::CODE_SOURCE, &source, ctx_in.now)?;
                audit::line(tx, &ctx_in, "identity.reset", &proven.account, "done")?;
                Ok(Found::Yes(()))
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    /// Sets the first password of an account with the one-time code that its administrator gave out; any session of
    /// it ends.
    pub async fn first_password(
        &self,
        ctx: &Ctx,
        code: &str,
        password: &str,
        source: impl Into<Source>,
    ) -> Result<()> {
        let source = source.into();
        let hash = self.chosen(ctx, password, &source).await?;
        let (ctx_in, vault, code) = (ctx.clone(), Arc::clone(&self.vault), code.to_owned());
        let found = self
            .store
            .write("identity.first.confirm", move |tx| {
                let Some(account) = first::redeem(tx, &ctx_in, &vault, &code)? else { return Ok(Found::No) };
                accounts::set_hash(tx, &ctx_in, &account, &hash)?;
                limits::give_back(tx, &vault, limits::CODE_SOURCE, &source, ctx_in.now)?;
                audit::line(tx, &ctx_in, "identity.first", &account, "done")?;
                Ok(Found::Yes(()))
            })
            .await?;
        found.or_refuse(ctx, first::wrong)
    }

    /// The hash of a password that nobody knows: for an account that waits for its first one.
    pub fn hash_of_nobody(&self) -> String {
        self.passwords.of_nobody().to_owned()
    }

    /// Changes the password of a signed-in account; ends its sessions and opens a new one.
    pub async fn change_password(
        &self,
        ctx: &Ctx,
        account: &str,
        old: &str,
        new: &str,
        source: impl Into<Source>,
    ) -> Result<SignedIn> {
        passwords::check(new, "")?;
        let source = source.into();
        let candidate = self.candidate_by_id(ctx, account, &source).await?;
        let known = candidate.map(|it| it.hash);
        if !self.passwords.fits(old, known.as_deref()).await? {
            return Err(wrong_present().into());
        }
        let (known, hash) = (known.unwrap_or_default(), self.passwords.hash(ctx, new).await?);
        let (ctx, vault, account) = (ctx.clone(), Arc::clone(&self.vault), account.to_owned());
        self.store
            .write("identity.password.change", move |tx| {
                if !hold::account(tx, &ctx, &account, &known)? {
                    return Err(wrong_present().into());
                }
                accounts::set_hash(tx, &ctx, &account, &hash)?;
                limits::give_back(tx, &vault, limits::SIGN_IN_SOURCE, &source, ctx.now)?;
                audit::line(tx, &ctx, "identity.password.change", &account, "done")?;
                enter(tx, &ctx, &vault, &account, &source)
            })
            .await
    }

    /// Counts the attempt, then reads the account that it may be.
    async fn candidate(&self, ctx: &Ctx, login: &str, source: &Source) -> Result<Option<Candidate>> {
        let (ctx_in, vault) = (ctx.clone(), Arc::clone(&self.vault));
        let (login, source) = (login.trim().to_lowercase(), source.clone());
        let found = self
            .store
            .write("identity.sign_in.count", move |tx| {
                let stored = accounts::stored_by_login(tx, &vault, &login)?;
                let candidate = stored.map(Candidate::from);
                admit(tx, &ctx_in, &vault, &login, &source, candidate)
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    async fn candidate_by_id(&self, ctx: &Ctx, account: &str, source: &Source) -> Result<Option<Candidate>> {
        let (ctx_in, vault) = (ctx.clone(), Arc::clone(&self.vault));
        let (account, source) = (account.to_owned(), source.clone());
        let found = self
            .store
            .write("identity.password.count", move |tx| {
                let candidate = accounts::stored_by_id(tx, &account)?.map(Candidate::from);
                admit(tx, &ctx_in, &vault, &account, &source, candidate)
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }

    /// Opens the session when the password fitted; otherwise writes the failure down.
    async fn open(
        &self,
        ctx: &Ctx,
        credentials: &Credentials,
        candidate: Option<Candidate>,
        fits: bool,
    ) -> Result<SignedIn> {
        let (ctx_in, vault) = (ctx.clone(), Arc::clone(&self.vault));
        let (login, source) = (credentials.login.trim().to_lowercase(), credentials.source.clone());
        let candidate = candidate.map(|it| Candidate { usable: it.usable && fits, ..it });
        let found = self
            .store
            .write("identity.sign_in", move |tx| {
                let_in(tx, &ctx_in, &vault, &login, &source, candidate.as_ref())
            })
            .await?;
        found.or_refuse(ctx, wrong)
    }

    /// Counts an answer to a code against its source, before a hash is spent on it.
    pub(super) async fn count_answer(&self, ctx: &Ctx, source: &Source) -> Result<()> {
        let (now, vault, source) = (ctx.now, Arc::clone(&self.vault), source.clone());
        let found = self
            .store
            .write("identity.code.count", move |tx| {
                Ok(match limits::count_source(tx, &vault, limits::CODE_SOURCE, &source, now)? {
                    Verdict::Within => Found::Yes(()),
                    Verdict::Wait(until) => Found::Wait(until),
                })
            })
            .await?;
        found.or_refuse(ctx, codes::wrong)
    }
}

impl<T> Found<T> {
    pub(super) fn or_refuse(self, ctx: &Ctx, no: fn() -> Refusal) -> Result<T> {
        match self {
            Found::Yes(found) => Ok(found),
            Found::No => Err(no().into()),
            Found::Wait(until) => Err(limits::wait(until, ctx.now).into()),
            Found::Away(last_day) => Err(leave::on_leave(last_day).into()),
        }
    }
}

impl From<accounts::Stored> for Candidate {
    fn from(stored: accounts::Stored) -> Candidate {
        Candidate { usable: stored.is_active(), id: stored.id, hash: stored.hash }
    }
}

/// Opens a session for an account whose holder is proven, and remembers the source.
///
/// The demo's one-click sign-in calls this too; in `serve` nothing but the door does.
pub fn enter(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, account: &str, source: &Source) -> Result<SignedIn> {
    let account = accounts::find(tx, vault, account)?.ok_or_else(accounts::gone)?;
    limits::remember_source(tx, vault, &account.id, source.address(), ctx.now)?;
    let token = sessions::open(tx, ctx, &account.id, source)?;
    audit::line(tx, &ctx.acting(account.actor.clone()), "identity.sign_in", &account.id, "done")?;
    Ok(SignedIn { token, account })
}

/// Opens a session for a candidate whose password fitted, if it is still the account's and the account still in use.
///
/// A hash takes its time: meanwhile the password may have been changed, or the account stopped.
fn let_in(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    login: &str,
    source: &Source,
    candidate: Option<&Candidate>,
) -> Result<Found<SignedIn>> {
    let usable = match candidate.filter(|it| it.usable) {
        Some(candidate) if hold::account(tx, ctx, &candidate.id, &candidate.hash)? => Some(candidate),
        Some(_) | None => None,
    };
    let Some(candidate) = usable else {
        let object = candidate.map_or("unknown", |it| it.id.as_str());
        audit::line(tx, ctx, "identity.sign_in", object, REFUSED)?;
        return Ok(Found::No);
    };
    limits::forget(tx, vault, limits::SIGN_IN_PAIR, &pair(login, source))?;
    limits::give_back(tx, vault, limits::SIGN_IN_SOURCE, source, ctx.now)?;
    // Said to whoever knows the password, and to nobody else.
    if let Some(last_day) = leave::away_account(tx, &candidate.id, ctx.now.date())? {
        audit::line(tx, ctx, "identity.sign_in", &candidate.id, leave::ON_LEAVE)?;
        return Ok(Found::Away(last_day));
    }
    enter(tx, ctx, vault, &candidate.id, source).map(Found::Yes)
}

fn admit(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    login: &str,
    source: &Source,
    candidate: Option<Candidate>,
) -> Result<Found<Option<Candidate>>> {
    if let Verdict::Wait(until) = limits::count_source(tx, vault, limits::SIGN_IN_SOURCE, source, ctx.now)? {
        return Ok(Found::Wait(until));
    }
    if let Verdict::Wait(until) =
        limits::count(tx, vault, limits::SIGN_IN_PAIR, &pair(login, source), ctx.now)?
    {
        return Ok(Found::Wait(until));
    }
    let known = match &candidate {
        Some(candidate) => limits::is_known_source(tx, vault, &candidate.id, source.address())?,
        None => false,
    };
    if known {
        return Ok(Found::Yes(candidate));
    }
    Ok(match limits::count(tx, vault, limits::SIGN_IN_ACCOUNT, login, ctx.now)? {
        Verdict::Within => Found::Yes(candidate),
        Verdict::Wait(until) => Found::Wait(until),
    })
}

fn request_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    claim: &Claim,
    source: &Source,
) -> Result<Found<String>> {
    if let Verdict::Wait(until) = limits::count_source(tx, vault, limits::CODE_SOURCE, source, ctx.now)? {
        return Ok(Found::Wait(until));
    }
    let addressee = match code_is_due(tx, vault, &claim.number.to_string(), ctx.now)? {
        true => new_holder(tx, ctx, vault, claim)?,
        false => None,
    };
    codes::issue(tx, ctx, vault, CodePurpose::Register, addressee.as_ref()).map(Found::Yes)
}

/// Who gets a registration code: the phone of the register, if it is the one that was claimed.
///
/// Any other phone gets nothing, also where the register knows none: number and name are no secret, and an account
/// that a stranger made would rise with the card that its holder shows at a window. She goes to a window.
fn new_holder(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, claim: &Claim) -> Result<Option<Addressee>> {
    let matched = register::matched(tx, vault, claim, Proof::PhoneCode)?;
    let Some(id) = matched.person else { return Ok(None) };
    let person = people::get(tx, vault, id)?;
    if person.phone.as_deref() != Some(claim.phone.as_str()) {
        return Ok(None);
    }
    if accounts::stored_by_id(tx, person.id.as_str())?.is_some() {
        let text = "【通办】您已有账号，请直接登录；忘记密码可以重设。如非本人操作，请忽略。";
        sms::send(tx, ctx, vault, &claim.phone, "register", text)?;
        return Ok(None);
    }
    Ok(Some(Addressee { account: person.id.to_string(), level: matched.level, phone: claim.phone.clone() }))
}

fn make_account(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    ticket: &str,
    code: &str,
    hash: &str,
    source: &Source,
) -> Result<Found<SignedIn>> {
    let Some(proven) = codes::answer(tx, ctx, vault, CodePurpose::Register, ticket, code)? else {
        return Ok(Found::No);
    };
    let person = people::get(tx, vault, proven.account.parse()?)?;
    accounts::create(tx, ctx, vault, &NewAccount::of_person(&person, proven.level), hash)?;
    limits::give_back(tx, vault, limits::CODE_SOURCE, source, ctx.now)?;
    enter(tx, ctx, vault, &proven.account, source).map(Found::Yes)
}

fn request_reset(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    login: &str,
    source: &Source,
) -> Result<Found<String>> {
    if let Verdict::Wait(until) = limits::count_source(tx, vault, limits::CODE_SOURCE, source, ctx.now)? {
        return Ok(Found::Wait(until));
    }
    // Counted by the account where there is one: its two sign-in names do not give twice as many codes.
    let stored = accounts::stored_by_login(tx, vault, login)?.filter(accounts::Stored::is_active);
    let subject = stored.as_ref().map_or_else(|| login.trim().to_lowercase(), |stored| stored.id.clone());
    let addressee = match (code_is_due(tx, vault, &subject, ctx.now)?, stored) {
        (true, Some(stored)) => holder(tx, vault, &stored)?,
        (true | false, _) => None,
    };
    codes::issue(tx, ctx, vault, CodePurpose::Reset, addressee.as_ref()).map(Found::Yes)
}

/// Whether one more code may go out for this account; nobody is told that it may not.
fn code_is_due(tx: &mut Tx<'_>, vault: &Vault, subject: &str, now: Timestamp) -> Result<bool> {
    for limit in [limits::CODE_ACCOUNT, limits::CODE_ACCOUNT_DAY] {
        if limits::count(tx, vault, limit, subject, now)? != Verdict::Within {
            return Ok(false);
        }
    }
    Ok(true)
}

fn holder(tx: &mut Tx<'_>, vault: &Vault, stored: &accounts::Stored) -> Result<Option<Addressee>> {
    let phone = accounts::phone(tx, vault, stored)?;
    Ok(phone.map(|phone| Addressee { account: stored.id.clone(), level: 0, phone }))
}

const REFUSED: &str = "IDN-SGN-001";

/// One answer for an unknown name, a wrong password and a frozen account.
fn wrong() -> Refusal {
    Refusal::invalid(REFUSED, "登录名或密码不对", "The sign-in name or the password is wrong")
        .on("password")
        .but("忘记密码可以用手机短信重设", "A lost password can be reset by text message")
}

fn refused() -> Error {
    wrong().into()
}

/// What somebody is told who changes the password and does not know the present one.
fn wrong_present() -> Refusal {
    Refusal::invalid("IDN-PWD-006", "原密码不对", "The present password is wrong").on("old")
}

fn pair(login: &str, source: &Source) -> String {
    format!("{login}|{}", source.address())
}
