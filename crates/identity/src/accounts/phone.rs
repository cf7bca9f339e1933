//! Another mobile phone (更换手机号): a code to the old number and one to the new, both answered.
//!
//! Whoever holds the phone can set the password, so neither number alone is enough. Whose old number is gone comes to
//! a window with the card: [`super::check_at_counter`].

use std::sync::Arc;

use tb_base::{Actor, Ctx, PersonId, Refusal, Result};
use tb_crypto::{Vault, constant_eq, text};
use tb_store::{Tx, audit};

use super::Account;
use super::codes::{self, Addressee, CodePurpose};
use super::door::{Door, Found};
use super::limits::{self, Source, Verdict};
use crate::{people, sms};

/// Digits of a mobile number of the mainland.
const PHONE_DIGITS: usize = 11;
/// How the limit of codes names a number that belongs to no account yet.
const NEW_NUMBER: &str = "phone";

impl Door {
    /// Sends a code to the present number and one to the new; gives the ticket that both are answered with.
    pub async fn phone_request(
        &self,
        ctx: &Ctx,
        account: &Account,
        phone: &str,
        source: impl Into<Source>,
    ) -> Result<String> {
        check(phone)?;
        let (ctx_in, vault, account) = (ctx.clone(), self.vault(), account.clone());
        let (phone, source) = (phone.to_owned(), source.into());
        let found = self.store().write("identity.phone.request", move |tx| {
            request(tx, &ctx_in, &vault, &account, &phone, &source)
        });
        found.await?.or_refuse(ctx, codes::wrong)
    }

    /// Writes the new number down when both codes are right; the old number hears of it.
    pub async fn phone_confirm(
        &self,
        ctx: &Ctx,
        account: &Account,
        ticket: &str,
        phone: &str,
        [old_code, new_code]: [&str; 2],
        source: impl Into<Source>,
    ) -> Result<()> {
        check(phone)?;
        let source = source.into();
        self.count_answer(ctx, &source).await?;
        let (ctx_in, vault, account) = (ctx.clone(), self.vault(), account.clone());
        let (ticket, phone) = (ticket.to_owned(), phone.to_owned());
        let (old_code, new_code) = (old_code.to_owned(), new_code.to_owned());
        let found = self.store().write("identity.phone.confirm", move |tx| {
            let codes = [old_code.as_str(), new_code.as_str()];
            let done = confirm(tx, &ctx_in, &vault, &account, &ticket, &phone, codes)?;
            if let Found::Yes(()) = done {
                limits::give_back(tx, &vault, limits::CODE_SOURCE, &source, ctx_in.now)?;
            }
            Ok(done)
        });
        found.await?.or_refuse(ctx, wrong)
    }
}

fn request(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Arc<Vault>,
    account: &Account,
    phone: &str,
    source: &Source,
) -> Result<Found<String>> {
    let person = person_of(&account.actor)?;
    let old = people::get(tx, vault, person)?.phone.ok_or_else(no_phone)?;
    if old == phone {
        return Err(same().into());
    }
    // Counted by account and by the new number: nobody's phone is rung without end.
    let subjects = [account.id.clone(), format!("{NEW_NUMBER}:{phone}")];
    let mut waits = limits::count_source(tx, vault, limits::CODE_SOURCE, source, ctx.now)?;
    for subject in &subjects {
        for limit in [limits::CODE_ACCOUNT, limits::CODE_ACCOUNT_DAY] {
            let verdict = limits::count(tx, vault, limit, subject, ctx.now)?;
            if waits == Verdict::Within {
                waits = verdict;
            }
        }
    }
    if let Verdict::Wait(until) = waits {
        return Ok(Found::Wait(until));
    }
    let mut tickets = Vec::new();
    for number in [old.as_str(), phone] {
        let to = Addressee { account: account.id.clone(), level: 0, phone: number.to_owned() };
        tickets.push(codes::issue(tx, ctx, vault, CodePurpose::Phone, Some(&to))?);
    }
    let tickets = tickets.join(".");
    audit::line(tx, ctx, "identity.phone", &account.id, "asked")?;
    Ok(Found::Yes(format!("{tickets}.{}", mark(vault, &account.id, &tickets, phone))))
}

fn confirm(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    account: &Account,
    ticket: &str,
    phone: &str,
    [old_code, new_code]: [&str; 2],
) -> Result<Found<()>> {
    let person = person_of(&account.actor)?;
    let parts: Vec<&str> = ticket.split('.').collect();
    let [old, new, given] = parts[..] else { return Ok(Found::No) };
    // The number is the one that the code went to, whatever the form says now.
    let right = mark(vault, &account.id, &format!("{old}.{new}"), phone);
    if !constant_eq(right.as_bytes(), given.as_bytes()) {
        return Ok(Found::No);
    }
    let answers = [(old, old_code), (new, new_code)];
    let proven = codes::answer_both(tx, ctx, vault, CodePurpose::Phone, answers)?;
    if proven.is_none_or(|proven| proven.account != account.id) {
        return Ok(Found::No);
    }
    let mut known = people::get(tx, vault, person)?;
    let before = known.phone.replace(phone.to_owned());
    people::update(tx, ctx, vault, &known)?;
    if let Some(before) = before {
        let text = "【通办】您登记的手机号已在网上改为新号码。如非本人办理，请立即拨打 12345。";
        sms::send(tx, ctx, vault, &before, "phone", text)?;
    }
    audit::line(tx, ctx, "identity.phone", &account.id, "changed")?;
    Ok(Found::Yes(()))
}

/// Ties tickets, account and new number together.
fn mark(vault: &Vault, account: &str, tickets: &str, phone: &str) -> String {
    text::hex(&vault.tag("phone-change", &format!("{account}:{tickets}:{phone}")))
}

/// Refuses what is no mobile number.
pub fn check(phone: &str) -> Result<()> {
    let is_phone =
        phone.len() == PHONE_DIGITS && phone.starts_with('1') && phone.bytes().all(|it| it.is_ascii_digit());
    if is_phone {
        return Ok(());
    }
    Err(Refusal::invalid(
        "IDN-PHN-001",
        "手机号是 11 位数字，以 1 开头",
        "A mobile number has eleven digits and begins with 1",
    )
    .on("phone")
    .into())
}

/// What is said when one of the codes is wrong; not which.
fn wrong() -> Refusal {
    Refusal::invalid(
        "IDN-PHN-002",
        "两个验证码没有都对，或已失效",
        "The two codes are not both right, or hold no more",
    )
    .on("old_code")
    .but("逐个核对；收不到的请重新获取", "Compare each; ask again for one that did not come")
}

fn no_phone() -> Refusal {
    Refusal::not_now(
        "IDN-PHN-003",
        "登记里没有您的手机号，网上改不了",
        "The register knows no phone of yours",
    )
    .but("请带身份证到本市政务大厅窗口登记", "Show your card at a service hall of this city")
}

fn same() -> Refusal {
    Refusal::invalid("IDN-PHN-004", "这就是现在登记的手机号", "This is the number that is registered now")
        .on("phone")
}

/// What staff are told: their numbers are the administrator's to change.
fn not_a_person() -> Refusal {
    Refusal::not_allowed(
        "IDN-PHN-005",
        "工作人员的手机号由本市系统管理员登记",
        "The administrator of this city enters the numbers of staff",
    )
}

/// The actor's person, if she is one.
fn person_of(actor: &Actor) -> Result<PersonId> {
    Ok(actor.person().ok_or_else(not_a_person)?)
}
