//! The register of natural persons that this city keeps (自然人库).
//! Serves clauses 1.1 and 4.1.
//!
//! Invariant: number, name, phone and address lie sealed; a person is found by a keyed tag of the number,
//! by the id, or by the pseudonym of a contract.

use serde::{Deserialize, Serialize};
use tb_base::{ContractId, Ctx, DivisionCode, PersonId, Refusal, ResidentId, Result, Violation};
use tb_crypto::Vault;
use tb_exchange::{Desk, Pseudonym};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};

use crate::words::words;

words! {
    /// Why a city keeps a person in its register (登记类别).
    PersonKind {
        /// The household is registered here (户籍).
        Household = "household",
        /// Lives here, registered elsewhere (居住).
        Residence = "residence",
    }
}

words! {
    /// Whether the person can act (人员状态).
    PersonStatus {
        /// Lives and is registered (正常).
        Active = "active",
        /// Moved away (迁出).
        Moved = "moved",
        /// Died (死亡).
        Deceased = "deceased",
    }
}

/// A natural person as this city knows her (自然人).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The person's id in this city's register; another city has another one.
    pub id: PersonId,
    /// Resident number (公民身份号码).
    pub number: ResidentId,
    /// Name (姓名).
    pub name: String,
    /// Mobile phone (手机号), where the register knows one.
    pub phone: Option<String>,
    /// Address (地址).
    pub address: String,
    /// County-level division of the address (区划).
    pub division: DivisionCode,
    /// Why she stands in this register.
    pub kind: PersonKind,
    /// Whether she can act.
    pub status: PersonStatus,
}

/// What is sealed of a person.
#[derive(Serialize, Deserialize)]
struct Sealed {
    number: String,
    name: String,
    phone: Option<String>,
    address: String,
}

const FIND: Stmt = stmt(
    "identity.person.find",
    "
    SELECT id, sealed, division, kind, status
    FROM identity_person
    WHERE id = $1
",
);

const BY_TAG: Stmt = stmt(
    "identity.person.by_tag",
    "
    SELECT id, sealed, division, kind, status
    FROM identity_person
    WHERE tag = $1
",
);

const BY_PSEUDONYM: Stmt = stmt(
    "identity.person.by_pseudonym",
    "
    SELECT p.id AS id, p.sealed AS sealed, p.division AS division, p.kind AS kind, p.status AS status
    FROM identity_pseudonym AS n
    JOIN identity_person AS p ON p.id = n.person
    WHERE n.contract = $1 AND n.pseudonym = $2
",
);

/// Inserts a person; a known tag is left alone.
pub(crate) const INSERT: Stmt = stmt(
    "identity.person.insert",
    "
    INSERT INTO identity_person (id, tag, sealed, division, kind, status, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)
    ON CONFLICT (tag) DO NOTHING
",
);

const UPDATE: Stmt = stmt(
    "identity.person.update",
    "
    UPDATE identity_person
    SET sealed = $2, division = $3, kind = $4, status = $5, version = version + 1, at = $6, tx = $7
    WHERE id = $1
",
);

/// Binds a pseudonym to a person, once.
pub(crate) const BIND: Stmt = stmt(
    "identity.pseudonym.bind",
    "
    INSERT INTO identity_pseudonym (contract, pseudonym, person, at, tx)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (contract, pseudonym) DO NOTHING
",
);

const COUNT: Stmt = stmt("identity.person.count", "SELECT COUNT(*) AS counted FROM identity_person");

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[FIND, BY_TAG, BY_PSEUDONYM, INSERT, UPDATE, BIND, COUNT];

/// The person of an id.
pub fn find(tx: &mut Tx<'_>, vault: &Vault, id: PersonId) -> Result<Option<Person>> {
    tx.one(&FIND, params![id])?.map(|row| person(&row, vault)).transpose()
}

/// The person of an id that another table refers to; her absence is a violation.
pub fn get(tx: &mut Tx<'_>, vault: &Vault, id: PersonId) -> Result<Person> {
    find(tx, vault, id)?.ok_or_else(|| Violation::inconsistent("identity_person", id).into())
}

/// The person of a resident number.
pub fn by_number(tx: &mut Tx<'_>, vault: &Vault, number: &ResidentId) -> Result<Option<Person>> {
    tx.one(&BY_TAG, params![tag(vault, number)])?.map(|row| person(&row, vault)).transpose()
}

/// The person whom a peer calls by this pseudonym under a contract.
pub fn by_pseudonym(
    tx: &mut Tx<'_>,
    vault: &Vault,
    contract: &ContractId,
    pseudonym: &Pseudonym,
) -> Result<Option<Person>> {
    tx.one(&BY_PSEUDONYM, params![contract, pseudonym.0])?.map(|row| person(&row, vault)).transpose()
}

/// Enters a person; a number that is known already is a conflict.
pub fn add(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, person: &Person) -> Result<()> {
    let row = insert_row(tx.name, ctx, vault, person)?;
    if tx.run(&INSERT, &row)? == 0 {
        return Err(Refusal::conflict(
            "IDN-PER-001",
            "该公民身份号码已在本市登记",
            "This resident number is already registered in this city",
        )
        .on("number")
        .into());
    }
    Ok(())
}

/// Writes what changed about a person; her number stays.
pub fn update(tx: &mut Tx<'_>, ctx: &Ctx, vault: &Vault, person: &Person) -> Result<()> {
    let name = tx.name;
    let changed = tx.run(
        &UPDATE,
        params![
            person.id,
            seal(ctx, vault, person)?,
            person.division.to_string(),
            person.kind.word(),
            person.status.word(),
            ctx.now,
            name,
        ],
    )?;
    if changed == 0 {
        return Err(Violation::inconsistent("identity_person", person.id).into());
    }
    Ok(())
}

/// Binds the person's pseudonym under every contract of this city, so that peers can speak of her.
pub fn bind_pseudonyms(tx: &mut Tx<'_>, ctx: &Ctx, desk: &Desk, person: &Person) -> Result<()> {
    let batch = pseudonym_rows(tx.name, ctx, desk, person);
    tx.run_all(&batch.into_iter().map(|row| (&BIND, row)).collect::<Vec<_>>())
}

/// How many persons the register holds.
pub fn count(tx: &mut Tx<'_>) -> Result<i64> {
    tx.one(&COUNT, params![])?.map_or(Ok(0), |row| row.get("counted"))
}

/// The parameters of [`BIND`], one row a contract; `self` is among them.
pub(crate) fn pseudonym_rows(name: &'static str, ctx: &Ctx, desk: &Desk, person: &Person) -> Vec<Vec<Value>> {
    let pseudonyms = desk.pseudonyms(person.number.as_str());
    pseudonyms
        .into_iter()
        .map(|(contract, pseudonym)| params![contract, pseudonym.0, person.id, ctx.now, name].to_vec())
        .collect()
}

/// The keyed tag under which a resident number is found.
pub(crate) fn tag(vault: &Vault, number: &ResidentId) -> [u8; 32] {
    vault.tag("resident", number.as_str())
}

/// The parameters of [`INSERT`].
pub(crate) fn insert_row(
    name: &'static str,
    ctx: &Ctx,
    vault: &Vault,
    person: &Person,
) -> Result<Vec<Value>> {
    Ok(params![
        person.id,
        tag(vault, &person.number),
        seal(ctx, vault, person)?,
        person.division.to_string(),
        person.kind.word(),
        person.status.word(),
        ctx.now,
        name,
    ]
    .to_vec())
}

fn seal(ctx: &Ctx, vault: &Vault, person: &Person) -> Result<Vec<u8>> {
    let sealed = Sealed {
        number: person.number.to_string(),
        name: person.name.clone(),
        phone: person.phone.clone(),
        address: person.address.clone(),
    };
    crate::secret::seal(ctx, vault, "identity_person", person.id.as_str(), &sealed)
}

fn person(row: &Row, vault: &Vault) -> Result<Person> {
    let id: PersonId = row.parse("id")?;
    let sealed: Sealed =
        crate::secret::open(vault, "identity_person", id.as_str(), &row.get::<Vec<u8>>("sealed")?)?;
    Ok(Person {
        id,
        number: sealed.number.parse().map_err(|_| Violation::inconsistent("identity_person", id))?,
        name: sealed.name,
        phone: sealed.phone,
        address: sealed.address,
        division: row.parse("division")?,
        kind: row.parse("kind")?,
        status: row.parse("status")?,
    })
}
