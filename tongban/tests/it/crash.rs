//! The drill with real processes: every city killed at every write of the journey, before and after it took effect.

#![expect(clippy::print_stdout, reason = "the figures are what the drill is run for")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use tb_store::{Stmt, Store, params, stmt};
use tb_testkit::{Folder, Postgres};
use tongban::city::database_of;
use tongban::config::CityConfig;
use tongban::journey::people::{list, text};
use tongban::journey::region::CITIES;

/// A city is to serve again in this time.
const BACK_MILLIS_MAX: u64 = 5_000;
/// What happens by the clock may be under way when the journey ends, so that only one side of it was reached.
const BY_THE_CLOCK: [&str; 10] = [
    "jobs.",
    "city.housekeeping",
    "case.timer",
    "enquiry.timer",
    "exchange.refuse",
    "exchange.mistrust",
    "outbox.",
    "log.",
    "witness.",
    "web.session.keep",
];

/// Runs a journey whose data stays in a folder; gives its report.
fn journey(folder: &Folder, name: &str, more: &[&str]) -> serde_json::Value {
    let data = folder.file(name);
    std::fs::create_dir_all(&data).expect("a folder");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
    command.args(["journey", "--json", "--out"]).arg(folder.file(&format!("{name}.json")));
    let output = command.arg("--data").arg(&data).args(more).output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let report: serde_json::Value = serde_json::from_str(&said).unwrap_or_default();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{report:#} {errors}\n{}", logs(&data));
    report
}

/// The last lines of the cities' logs.
fn logs(data: &Path) -> String {
    let tail = |city: &&str| {
        let log = std::fs::read_to_string(data.join(format!("{city}.log"))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        format!("{city}:\n{}\n", lines[lines.len().saturating_sub(12)..].join("\n"))
    };
    CITIES.iter().map(tail).collect()
}

#[tokio::test]
async fn a_city_killed_at_every_write_of_the_journey_loses_nothing_and_doubles_nothing() {
    drill(&Folder::new("drill"), &[]).await;
}

#[tokio::test]
async fn a_city_on_postgres_killed_at_every_write_loses_nothing_and_doubles_nothing() {
    let postgres = Postgres::start();
    drill(&Folder::new("drill-postgres"), &["--database", &postgres.url]).await;
}

/// The undisturbed journey is on SQLite: what a case leaves behind is the same on either engine.
async fn drill(folder: &Folder, engine: &[&str]) {
    let calm = journey(folder, "calm", &[]);
    let drilled = journey(folder, "drilled", &[&["--drill"], engine].concat());
    let kills = check_kills(&drilled);
    check_back(&drilled);
    println!(
        "the undisturbed journey took {} ms, with {kills} kills {} ms",
        calm["millis"], drilled["millis"]
    );
    let bundle = std::fs::read(folder.file("drilled.json")).expect("the bundle");
    assert!(tb_exchange::bundle::verify(&bundle, None).ok, "the evidence verifies");
    let mut outcomes = BTreeMap::new();
    for city in CITIES {
        let expected = outcome(&folder.file("calm"), city, text(&calm, "/case")).await;
        let found = outcome(&folder.file("drilled"), city, text(&drilled, "/case")).await;
        assert_eq!(found.effects, expected.effects, "{city}: killed at every write (left), and undisturbed");
        outcomes.insert(city, found);
    }
    check_messages(&outcomes);
}

/// Every write that was reached was killed on both sides, and stands in the registry; gives the number of kills.
fn check_kills(report: &serde_json::Value) -> usize {
    let registry = include_str!("../../../docs/transactions.md");
    let registered: BTreeSet<&str> =
        registry.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let kills = list(report, "/kills");
    let mut reached: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
    for kill in kills {
        let (name, moment) = text(kill, "/point").rsplit_once(':').expect("a point");
        reached.entry((name, text(kill, "/city"))).or_default().insert(moment);
    }
    for ((name, city), moments) in &reached {
        assert!(registered.contains(name), "{name} is not in docs/transactions.md");
        let may_be_half = BY_THE_CLOCK.iter().any(|start| name.starts_with(start));
        assert!(
            may_be_half || moments.len() == 2,
            "{name} at {city} was killed {moments:?} it took effect only"
        );
    }
    let names: BTreeSet<&str> = reached.keys().map(|(name, _)| *name).collect();
    let missing: Vec<&&str> = registered.difference(&names).collect();
    println!(
        "{} names in the registry, {} reached by the journey in {} places, {} kill points run",
        registered.len(),
        names.len(),
        reached.len(),
        kills.len()
    );
    println!("not reached: {missing:?}");
    // Fewer would mean that the drill has stopped to see what the journey does.
    assert!(35 <= names.len() && 130 <= kills.len(), "{names:?}");
    kills.len()
}

fn check_back(report: &serde_json::Value) {
    let back = |kill: &serde_json::Value| kill.pointer("/back_millis").and_then(serde_json::Value::as_u64);
    let mut back: Vec<u64> = list(report, "/kills").iter().filter_map(back).collect();
    back.sort_unstable();
    let worst = *back.last().expect("kills");
    println!("serving again: median {} ms, worst {worst} ms, of {}", back[back.len() / 2], back.len());
    assert!(worst < BACK_MILLIS_MAX, "a city was away for {worst} ms");
}

/// What stands in a city's data that must be neither lost nor doubled: kind of row, and what is counted by.
const EFFECTS: [Stmt; 8] = [
    stmt(
        "test.events",
        "SELECT 'event ' || kind AS what, 1 AS times FROM case_event WHERE case_id = $1 ORDER BY seq",
    ),
    stmt(
        "test.turns",
        "
        SELECT 'turn ' || act AS what, COUNT(*) AS times
        FROM enquiry_turn
        WHERE $1 <> ''
        GROUP BY act
        ORDER BY act
        ",
    ),
    stmt(
        "test.ratings",
        "
        SELECT 'rating of ' || target || ' ' || CAST(grade AS TEXT) AS what, 1 AS times
        FROM case_rating
        WHERE case_id = $1
        ORDER BY target
        ",
    ),
    stmt("test.cases", "SELECT 'case' AS what, COUNT(*) AS times FROM case_head WHERE $1 <> ''"),
    stmt(
        "test.custody",
        "
        SELECT 'sent ' || service AS what, COUNT(*) AS times
        FROM store_outbox
        WHERE case_id = $1 AND service IN ('case/1/offer', 'case/1/custody')
        GROUP BY service
        ",
    ),
    stmt(
        "test.versions",
        "
        SELECT 'licence ' || event || ' ' || state AS what, COUNT(*) AS times
        FROM licence_version
        WHERE $1 <> ''
        GROUP BY event, state
        ORDER BY event, state
        ",
    ),
    stmt(
        "test.sms",
        "
        SELECT 'text message ' || purpose AS what, COUNT(*) AS times
        FROM identity_sms
        WHERE $1 <> ''
        GROUP BY purpose
        ORDER BY purpose
        ",
    ),
    stmt(
        "test.notices",
        "
        SELECT 'notice ' || template AS what, COUNT(*) AS times
        FROM identity_message
        WHERE case_id = $1
        GROUP BY template
        ORDER BY template
        ",
    ),
];
/// What must be nought in a city that has come to rest.
const UNSETTLED: Stmt = stmt(
    "test.unsettled",
    "
    SELECT (SELECT COUNT(*) FROM store_outbox WHERE state IN ('waiting', 'dead')) AS messages,
        (SELECT COUNT(*) FROM store_inbox WHERE state = 'received') AS unprocessed,
        (SELECT COUNT(*) FROM store_leaf WHERE position IS NULL) AS leaves,
        (SELECT size FROM store_sequencer) - (SELECT COUNT(*) FROM store_leaf) AS gap,
        (SELECT COUNT(*) FROM store_outbox WHERE leaf NOT IN (SELECT hash FROM store_leaf)) AS unlogged
",
);
const SENT: Stmt =
    stmt("test.sent", "SELECT recipient AS city, id FROM store_outbox WHERE recipient <> $1 ORDER BY id");
/// Queries are not in the outbox of who asks.
const RECEIVED: Stmt = stmt(
    "test.received",
    "
    SELECT sender AS city, id
    FROM store_inbox
    WHERE sender <> $1 AND (service LIKE 'case/%' OR service LIKE 'enquiry/%' OR service LIKE 'exchange/%')
    ORDER BY id
",
);

/// What a city's data says after the journey.
struct Outcome {
    effects: Vec<String>,
    /// Other city and id of every message that went out, and of every one that came in.
    sent: BTreeSet<(String, String)>,
    received: BTreeSet<(String, String)>,
}

async fn outcome(data: &Path, city: &str, case: &str) -> Outcome {
    let config = CityConfig::load(&data.join(city).join("city.toml")).expect("its configuration");
    let store =
        Store::open(&database_of(&config), &tongban::modules::schemas()).await.expect("the city's data");
    let (city, case) = (city.to_owned(), case.to_owned());
    let read = move |tx: &mut tb_store::Tx<'_>| {
        let mut effects = Vec::new();
        for stmt in &EFFECTS {
            for row in tx.all(stmt, params![&case])? {
                effects.push(format!("{}: {}", row.get::<String>("what")?, row.get::<i64>("times")?));
            }
        }
        let row = tx.one(&UNSETTLED, &[])?.expect("a row");
        for column in ["messages", "unprocessed", "leaves", "gap", "unlogged"] {
            assert_eq!(row.get::<i64>(column)?, 0, "{column}");
        }
        let (sent, received) =
            (ids(&tx.all(&SENT, params![&city])?), ids(&tx.all(&RECEIVED, params![&city])?));
        Ok(Outcome { effects, sent, received })
    };
    let outcome = store.read_snapshot("test.outcome", read).await.expect("it can be read");
    store.close().await;
    outcome
}

fn ids(rows: &[tb_store::Row]) -> BTreeSet<(String, String)> {
    rows.iter().map(|row| (row.get("city").expect("a city"), row.get("id").expect("an id"))).collect()
}

/// What one city sent the other received, message by message, and nothing else.
fn check_messages(outcomes: &BTreeMap<&str, Outcome>) {
    for (from, outcome) in outcomes {
        for (to, other) in outcomes.iter().filter(|(to, _)| *to != from) {
            let of = |all: &BTreeSet<(String, String)>, city: &str| -> BTreeSet<String> {
                all.iter().filter(|(other, _)| other == city).map(|(_, id)| id.clone()).collect()
            };
            assert_eq!(of(&outcome.sent, to), of(&other.received, from), "from {from} to {to}");
        }
    }
}
