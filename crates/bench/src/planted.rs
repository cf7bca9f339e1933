//! A planted city (预置城市): a folder of the demo, one case that was really handed in, and a million rows like it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use tb_base::{Actor, CaseId, Ctx, Entropy, LicenceId, MessageId, PersonId, Timestamp};
use tb_case::case::Channel;
use tb_case::definitions::Source;
use tb_case::draft::{self, Fetched, NewDraft};
use tb_store::{Row, Stmt, Tx, Value, params, stmt};
use tb_testkit::Folder;
use tokio::runtime::Runtime;
use tongban::city::{City, Duty, Opening};
use tongban::clock::{OsEntropy, SystemClock};
use tongban::config::{CityConfig, FILE};
use tongban::region::{CityFolder, Region};

use crate::http1::free_port;
use crate::measure::{Outcome, words};

/// The city that is planted: the driver's licences are here.
const NODE: &str = "430300";
/// All cities of the demo's region.
const NODES: [&str; 3] = ["430100", "430200", "430300"];
const ITEM: u16 = 121;
/// Rows of one transaction.
const PLANTED_AT_ONCE: u64 = 5_000;
/// Of so many planted cases one is still open.
const OPEN_ONE_IN: u64 = 50;
/// Cases of one planted person.
const CASES_OF_A_PERSON: u64 = 4;
/// The planted cases spread over two years.
const SPREAD_SECONDS: i64 = 2 * 365 * 86_400;

const HEAD: Stmt = stmt(
    "bench.head",
    "SELECT case_id, state, seq, epoch, head_hash, person, version, at, tx FROM case_head WHERE case_id = $1",
);
const INDEX: Stmt = stmt(
    "bench.index",
    "SELECT case_id, owned, item, phase, is_over, channel, query_code, office, collecting_office, deciding_office, \
     person, due, collected, since, version, at, tx FROM case_index WHERE case_id = $1",
);
const PLANT_HEAD: Stmt = stmt(
    "bench.plant_head",
    "INSERT INTO case_head (case_id, state, seq, epoch, head_hash, person, version, at, tx) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);
const PLANT_INDEX: Stmt = stmt(
    "bench.plant_index",
    "INSERT INTO case_index (case_id, owned, item, phase, is_over, channel, query_code, office, collecting_office, \
     deciding_office, person, due, collected, since, version, at, tx) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
);
const HEAD_COLUMNS: [&str; 9] =
    ["case_id", "state", "seq", "epoch", "head_hash", "person", "version", "at", "tx"];
const INDEX_COLUMNS: [&str; 17] = [
    "case_id",
    "owned",
    "item",
    "phase",
    "is_over",
    "channel",
    "query_code",
    "office",
    "collecting_office",
    "deciding_office",
    "person",
    "due",
    "collected",
    "since",
    "version",
    "at",
    "tx",
];

/// A city's folder on this machine.
pub struct Planted {
    /// Its folder.
    pub folder: PathBuf,
    /// Where its site will listen.
    pub port: u16,
    /// Who signs in: the driver.
    pub login: String,
    _data: Folder,
}

impl Planted {
    /// Founds the demo's region and plants its people.
    pub fn demo(tongban: &Path) -> Outcome<Planted> {
        let data = Folder::new("bench-city");
        let mut ports = Vec::new();
        while ports.len() < 6 {
            ports.push(free_port()?);
            ports.sort_unstable();
            ports.dedup();
        }
        let pairs: Vec<String> =
            ports.chunks(2).filter_map(|two| Some(format!("{}:{}", two.first()?, two.get(1)?))).collect();
        let made = Command::new(tongban)
            .args(["demo", "--prepare-only", "--ports", &pairs.join(","), "--data"])
            .arg(data.path())
            .output()
            .map_err(|error| format!("running {}: {error}", tongban.display()))?;
        if !made.status.success() {
            return Err(format!("preparing a city: {}", String::from_utf8_lossy(&made.stderr)));
        }
        for node in NODES {
            without_limits(&data.file(node).join(FILE))?;
        }
        let port = *ports.get(4).ok_or("no port is left")?;
        Ok(Planted { folder: data.file(NODE), port, login: driver_login()?, _data: data })
    }

    /// Hands one case of the driver in, as she would online.
    pub fn file_case(&self, runtime: &Runtime) -> Outcome<CaseId> {
        let city = self.open(runtime)?;
        let (env, login) = (city.parts.env.clone(), self.login.clone());
        let (ctx, vault) = (city.ctx(), city.parts.vault.clone());
        let filed = city.store.write("bench.file", move |tx| {
            let account = tb_identity::accounts::by_login(tx, &vault, &login)?;
            let actor = account.map_or(Actor::System, |account| account.actor);
            file(tx, &ctx.acting(actor), &env)
        });
        let filed = runtime.block_on(filed).map_err(words);
        runtime.block_on(city.close());
        filed
    }

    /// Plants so many cases like this one, of other people.
    pub fn plant(&self, runtime: &Runtime, like: CaseId, cases: u64) -> Outcome<()> {
        let city = self.open(runtime)?;
        let model = city.store.read("bench.model", move |tx| {
            let head = values(tx.one(&HEAD, params![like])?.as_ref(), &HEAD_COLUMNS);
            Ok((head, values(tx.one(&INDEX, params![like])?.as_ref(), &INDEX_COLUMNS)))
        });
        let (head, index) = runtime.block_on(model).map_err(words)?;
        let now = city.ctx().now;
        for first in (0..cases).step_by(PLANTED_AT_ONCE as usize) {
            let places = first..(first + PLANTED_AT_ONCE).min(cases);
            let (head, index) = (head.clone(), index.clone());
            let work = move |tx: &mut Tx<'_>| {
                places.clone().try_for_each(|place| plant_one(tx, (&head, &index), place, cases, now))
            };
            runtime.block_on(city.store.write("bench.plant", work)).map_err(words)?;
        }
        runtime.block_on(city.close());
        Ok(())
    }

    fn open(&self, runtime: &Runtime) -> Outcome<City> {
        let region = Region::load(None).map_err(words)?;
        let config = CityConfig::load(&self.folder.join(FILE)).map_err(words)?;
        let folder = CityFolder::of(config, &self.folder).map_err(words)?;
        let clock = SystemClock::real();
        let opening = Opening { folder, region: &region, clock, duty: Duty::Everything, demo: None };
        let opened = City::open(opening, |_| Vec::new());
        runtime.block_on(opened).map_err(words)
    }
}

/// One address asks for everything here, which the limits are there to stop.
fn without_limits(file: &Path) -> Outcome<()> {
    let text = std::fs::read_to_string(file).map_err(words)?;
    let (on, off) = ("requests = \"on\"", "requests = \"off\"");
    if !text.contains(on) {
        return Err(format!("{} does not say {on}", file.display()));
    }
    std::fs::write(file, text.replace(on, off)).map_err(words)
}

fn driver_login() -> Outcome<String> {
    let driver = tb_identity::seed::driver().map_err(words)?;
    let node = NODE.parse().map_err(|_| "a city's code")?;
    let accounts = tb_identity::seed::demo_accounts(node);
    let account = accounts.into_iter().find(|account| account.name == driver.name);
    account.map(|account| account.login).ok_or_else(|| "the driver has no account".to_owned())
}

fn file(tx: &mut Tx<'_>, ctx: &Ctx, env: &tb_case::Env) -> tb_base::Result<CaseId> {
    let Actor::Resident { person, .. } = ctx.actor else {
        return Err(tb_base::Fault::new("signing the driver in").into());
    };
    let new = NewDraft { item: ITEM, person, channel: Channel::Online, deciding: Some(env.me()) };
    let mut held = draft::create(tx, ctx, env, &new)?;
    let pairs =
        [("reason", "expiring"), ("phone", "13807314627"), ("delivery", "electronic"), ("truth", "yes")];
    let answers = pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect();
    held = draft::save(tx, ctx, env, held.id, held.version, &answers)?;
    let rules = env.catalogue.rules(ITEM, env.me());
    let rules = rules.ok_or_else(|| tb_base::Fault::new("looking for the item's rules"))?;
    for material in &rules.materials {
        let Source::Licence { licence, .. } = &material.source else { continue };
        let fetched = Fetched {
            material: material.id.clone(),
            kind: licence.clone(),
            licence: ctx.id(LicenceId::new),
            version: 1,
            digest: "00".repeat(32),
            issuer: env.me(),
            consent: "01kq3zt0000000000000000001".to_owned(),
            values: [("name".to_owned(), "贺志强".to_owned())].into(),
            at: ctx.now,
        };
        held = draft::attach_fetched(tx, ctx, env, held.id, held.version, &fetched)?;
    }
    let checks: BTreeSet<String> = rules.checks.iter().map(|check| check.id.clone()).collect();
    held = draft::check(tx, ctx, env, held.id, held.version, &checks)?;
    tb_case::submit(tx, ctx, env, held.id, ctx.id(MessageId::new))
}

/// The columns of a row as they are.
fn values(row: Option<&Row>, columns: &[&'static str]) -> Vec<Value> {
    let Some(row) = row else { return Vec::new() };
    let value = |column: &&'static str| {
        let text = row.get::<String>(column).map(Value::Text);
        text.or_else(|_| row.get::<i64>(column).map(Value::Int)).unwrap_or(Value::Null)
    };
    columns.iter().map(value).collect()
}

/// A case like the model, with its own id, code and time, of a person who has a few.
fn plant_one(
    tx: &mut Tx<'_>,
    (head, index): (&[Value], &[Value]),
    place: u64,
    cases: u64,
    now: Timestamp,
) -> tb_base::Result<()> {
    let ago = SPREAD_SECONDS * (cases - place).cast_signed() / cases.cast_signed();
    let at = now.plus_seconds(-ago);
    let case = Value::from(CaseId::new(at, &mut OsEntropy));
    let person_number = place / CASES_OF_A_PERSON;
    let person =
        Value::from(PersonId::new(Timestamp(person_number.cast_signed()), &mut Fixed(person_number)));
    let is_over = !place.is_multiple_of(OPEN_ONE_IN);
    let mut code = [0_u8; 5];
    OsEntropy.fill(&mut code);
    let changed = |columns: &[&str], model: &[Value]| -> Vec<Value> {
        let change = |(column, value): (&&str, &Value)| match *column {
            "case_id" => case.clone(),
            "person" => person.clone(),
            "is_over" => Value::from(is_over),
            "query_code" => Value::from(tb_crypto::text::hex(&code)),
            "collected" | "since" | "at" => Value::from(at),
            _ => value.clone(),
        };
        columns.iter().zip(model).map(change).collect()
    };
    tx.run(&PLANT_HEAD, &changed(&HEAD_COLUMNS, head))?;
    tx.run(&PLANT_INDEX, &changed(&INDEX_COLUMNS, index)).map(drop)
}

/// The same bytes for the same person.
struct Fixed(u64);

impl Entropy for Fixed {
    fn fill(&mut self, buffer: &mut [u8]) {
        let digest = tb_crypto::sha256(&self.0.to_be_bytes());
        for (byte, from) in buffer.iter_mut().zip(digest.iter().cycle()) {
            *byte = *from;
        }
    }
}
