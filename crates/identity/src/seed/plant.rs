//! Planting a generated city into its store (写入演示数据): once, in a few batches.

use std::collections::HashMap;
use std::sync::Arc;

use tb_base::{Ctx, Date, MessageId, NodeId, PersonId, Result};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_store::{Stmt, Store, Tx, Value, audit, params, stmt};

use super::{City, DEMO_PASSWORD};
use crate::accounts::{self, NewAccount, Passwords};
use crate::grants::{self, Grant, Matter};
use crate::people::Person;
use crate::{enterprises, offices, people, staff};

/// Whether something was planted before.
pub(super) const PLANTED: Stmt = stmt(
    "identity.seed.planted",
    "
    SELECT at
    FROM identity_seed
    WHERE name = $1
",
);

/// Marks it as planted.
pub(super) const MARK: Stmt = stmt(
    "identity.seed.mark",
    "
    INSERT INTO identity_seed (name, at, tx)
    VALUES ($1, $2, $3)
    ON CONFLICT (name) DO NOTHING
",
);

type Batch = Vec<(&'static Stmt, Vec<Value>)>;

/// Whether the register of this city was planted before.
pub fn is_planted(tx: &mut Tx<'_>, node: NodeId) -> Result<bool> {
    Ok(tx.one(&PLANTED, params![name(node)])?.is_some())
}

/// Plants a city; what was planted before stays as it is. Gives whether anything was written.
///
/// Without `passwords` nobody gets an account: demo accounts exist in `demo` and `journey` only.
pub async fn plant(
    store: &Store,
    ctx: &Ctx,
    vault: &Arc<Vault>,
    desk: &Desk,
    passwords: Option<&Passwords>,
    city: City,
) -> Result<bool> {
    let node = city.node;
    if store.read("identity.seed.planted", move |tx| is_planted(tx, node)).await? {
        return Ok(false);
    }
    let hash = match passwords {
        Some(passwords) => Some(passwords.hash(ctx, DEMO_PASSWORD).await?),
        None => None,
    };
    let (ctx, vault, desk, city) = (ctx.clone(), Arc::clone(vault), desk.clone(), Arc::new(city));
    store
        .write("identity.seed", move |tx| {
            if is_planted(tx, node)? {
                return Ok(false);
            }
            write(tx, &ctx, &vault, &desk, &city, hash.as_deref())?;
            Ok(true)
        })
        .await
}

fn write(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    vault: &Vault,
    desk: &Desk,
    city: &City,
    hash: Option<&str>,
) -> Result<()> {
    let name = tx.name;
    tx.run_all(&persons(name, ctx, vault, &city.people)?)?;
    tx.run_all(&pseudonyms(name, ctx, desk, &city.people))?;
    tx.run_all(&organisations(name, ctx, vault, city)?)?;
    if let Some(hash) = hash {
        tx.run_all(&logins(name, ctx, vault, city, hash))?;
        tx.run_all(&granted(name, ctx, city))?;
    }
    tx.run(&MARK, params![self::name(city.node), ctx.now, name])?;
    audit::line(tx, ctx, "identity.seed", city.node.as_str(), "done")
}

fn persons(name: &'static str, ctx: &Ctx, vault: &Vault, people: &[Person]) -> Result<Batch> {
    people.iter().map(|person| Ok((&people::INSERT, people::insert_row(name, ctx, vault, person)?))).collect()
}

fn pseudonyms(name: &'static str, ctx: &Ctx, desk: &Desk, people: &[Person]) -> Batch {
    let rows = people.iter().flat_map(|person| people::pseudonym_rows(name, ctx, desk, person));
    rows.map(|row| (&people::BIND, row)).collect()
}

fn organisations(name: &'static str, ctx: &Ctx, vault: &Vault, city: &City) -> Result<Batch> {
    let mut batch = Batch::new();
    for office in &city.offices {
        batch.push((&offices::PUT, offices::put_row(name, ctx, office)));
    }
    for enterprise in &city.enterprises {
        batch.push((&enterprises::INSERT, enterprises::insert_row(name, ctx, enterprise)));
    }
    for member in &city.staff {
        batch.push((&staff::INSERT, staff::insert_row(name, ctx, vault, member)?));
    }
    Ok(batch)
}

fn logins(name: &'static str, ctx: &Ctx, vault: &Vault, city: &City, hash: &str) -> Batch {
    let known: HashMap<PersonId, &Person> = city.people.iter().map(|person| (person.id, person)).collect();
    let residents = city.accounts.iter().filter_map(|account| {
        Some(NewAccount::of_person(known.get(&account.person)?, 3).alias(&account.alias))
    });
    let staff = city.staff.iter().map(NewAccount::of_staff);
    residents.chain(staff).map(|new| (&accounts::INSERT, new.row(name, ctx, vault, hash))).collect()
}

/// The first enterprise has granted the city's agent to act for it, for a year from today.
fn granted(name: &'static str, ctx: &Ctx, city: &City) -> Batch {
    let Some(firm) = city.enterprises.first() else { return Batch::new() };
    let Some(owner) = firm.representative else { return Batch::new() };
    let today = ctx.now.date();
    let agents = city.accounts.iter().filter(|account| account.is_agent && account.person != owner);
    agents
        .map(|agent| {
            let grant = Grant {
                id: ctx.id(MessageId::new),
                enterprise: firm.uscc,
                agent: agent.person,
                matters: Matter::ALL.into(),
                from: today,
                to: a_year_later(today),
                given_by: owner,
                given: ctx.now,
                ended: None,
            };
            (&grants::INSERT, grants::insert_row(name, &grant))
        })
        .collect()
}

/// The last day of a year that begins on this one.
fn a_year_later(day: Date) -> Date {
    (0..364).fold(day, |day, _| day.tomorrow().unwrap_or(day))
}

fn name(node: NodeId) -> String {
    format!("city/{node}")
}
