//! What the cities of the tests do with messages: count effects, refuse, fail, wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use tb_base::{Ctx, Fault, MessageId, NodeId, Refusal, Result};
use tb_exchange::{Incoming, Receipt, service};
use tb_store::inbox::Handler;
use tb_store::{Migration, Schema, Stmt, Tx, params, stmt};

const EFFECT: Stmt = stmt(
    "test.effect",
    "
    INSERT INTO test_effect (message, n, seq) VALUES ($1, $2, (SELECT COUNT(*) FROM test_effect))
",
);
const EFFECTS: Stmt = stmt("test.effects", "SELECT message, n FROM test_effect ORDER BY seq");
const HEARD: Stmt = stmt("test.heard", "INSERT INTO test_heard (message, kind) VALUES ($1, $2)");
const ALL_HEARD: Stmt = stmt("test.all_heard", "SELECT kind FROM test_heard WHERE message = $1");

const ANOTHER: Stmt = stmt("test.another", "
    INSERT INTO store_outbox (id, recipient, service, case_id, envelope, body, leaf, evidence, state, attempts,
        next_try, lease_until, problem, created, version, at, tx)
    SELECT $1, recipient, service, case_id, envelope, body, leaf, NULL, 'waiting', 0,
        next_try, 0, NULL, created + $2, 1, at, tx
    FROM store_outbox
    WHERE id = $3
");
const TOUCHED: Stmt = stmt(
    "test.touched",
    "
    SELECT COUNT(*) AS messages
    FROM store_outbox
    WHERE recipient = $1 AND 1 < version
",
);

/// The tables of the tests.
pub const TEST: Schema = Schema {
    owner: "test",
    migrations: &[Migration { name: "0001_test", sql: SQL, sha256: SQL_SHA256 }],
    statements: &[&[EFFECT, EFFECTS, HEARD, ALL_HEARD, ANOTHER, TOUCHED]],
};

const SQL: &str = "CREATE TABLE test_effect (message TEXT NOT NULL, n BIGINT NOT NULL, seq BIGINT NOT NULL);
CREATE TABLE test_heard (message TEXT NOT NULL, kind TEXT NOT NULL)";
const SQL_SHA256: &str = "230e8790da9fdd95c937975d877a56c9862a9c44cf035f93a75714d51375b624";

/// Counts effects.
pub const COUNTED: &str = service::CASE_OFFER;
/// Makes an effect, then refuses: the effect must go. It has a quota of two a day.
pub const REFUSED: &str = service::CASE_CUSTODY;
/// Makes an effect, then fails the first time.
pub const FAILING: &str = service::CASE_PROGRESS;
/// Fails while the door is closed.
pub const GATED: &str = service::CASE_ACT;
/// A query that gives back what it got.
pub const ECHO: &str = service::LICENCE_LOCATE;
/// A query that is refused.
pub const NO: &str = service::LICENCE_VERIFY;
/// A query with a quota of two a day.
pub const SCARCE: &str = service::TRACE_LOOKS;
/// A service that is agreed and that nobody offers.
pub const NOBODY: &str = service::LICENCE_FETCH;

/// What a test turns at a city.
#[derive(Default)]
pub struct Knobs {
    /// Whether [`GATED`] fails.
    pub is_closed: AtomicBool,
    /// How often [`FAILING`] was run.
    pub runs: AtomicU32,
}

/// What the city offers.
pub fn handlers(knobs: &Arc<Knobs>) -> Vec<Handler> {
    let (failing, gated) = (knobs.clone(), knobs.clone());
    vec![
        message(COUNTED, effect),
        message(REFUSED, |tx, ctx, incoming| {
            effect(tx, ctx, incoming)?;
            Err(refusal().into())
        }),
        message(FAILING, move |tx, ctx, incoming| {
            effect(tx, ctx, incoming)?;
            match failing.runs.fetch_add(1, Ordering::SeqCst) {
                0 => Err(Fault::new("failing the first time").into()),
                _ => Ok(()),
            }
        }),
        message(GATED, move |tx, ctx, incoming| {
            effect(tx, ctx, incoming)?;
            if gated.is_closed.load(Ordering::SeqCst) {
                return Err(Fault::new("waiting for the door").into());
            }
            Ok(())
        }),
        message("receipt/case/1/offer", |tx, _, incoming| {
            let receipt: Receipt = incoming.parse()?;
            tx.run(&HEARD, params![receipt.message, format!("{:?}", receipt.kind)]).map(drop)
        }),
        query(ECHO, Incoming::parse),
        query(SCARCE, Incoming::parse),
        query(NO, |_| Err(refusal().into())),
    ]
}

/// What [`REFUSED`] and [`NO`] say.
pub fn refusal() -> Refusal {
    Refusal::not_now("TST-REF-001", "今天不办", "Not today")
        .by("测试办法第 1 条")
        .but("明天再来", "Come tomorrow")
}

fn message(
    service: &'static str,
    handle: impl Fn(&mut Tx<'_>, &Ctx, &Incoming) -> Result<()> + Send + Sync + 'static,
) -> Handler {
    let handle = move |tx: &mut Tx<'_>, ctx: &Ctx, incoming: &Incoming| {
        handle(tx, ctx, incoming).map(|()| serde_json::Value::Null)
    };
    Handler { service, query: false, handle: Arc::new(handle) }
}

fn query(
    service: &'static str,
    answer: impl Fn(&Incoming) -> Result<serde_json::Value> + Send + Sync + 'static,
) -> Handler {
    Handler { service, query: true, handle: Arc::new(move |_, _, incoming| answer(incoming)) }
}

#[derive(serde::Deserialize)]
struct Numbered {
    n: i64,
}

fn effect(tx: &mut Tx<'_>, _: &Ctx, incoming: &Incoming) -> Result<()> {
    let body: Numbered = incoming.parse()?;
    tx.run(&EFFECT, params![incoming.envelope.id, body.n]).map(drop)
}

/// The effects of all messages, in their order: message and number.
pub fn effects(tx: &mut Tx<'_>) -> Result<Vec<(String, i64)>> {
    tx.all(&EFFECTS, &[])?.iter().map(|row| Ok((row.get("message")?, row.get("n")?))).collect()
}

/// What the sender's handler of receipts was told of a message.
pub fn heard(tx: &mut Tx<'_>, message: &str) -> Result<Vec<String>> {
    tx.all(&ALL_HEARD, params![message])?.iter().map(|row| row.get("kind")).collect()
}

/// So many more rows like that of a message, as sending them one by one would leave them.
pub fn flood(tx: &mut Tx<'_>, ctx: &Ctx, like: MessageId, count: i64) -> Result<()> {
    let rows: Vec<_> = (1..=count)
        .map(|behind| (&ANOTHER, params![ctx.id(MessageId::new), behind, like].to_vec()))
        .collect();
    tx.run_all(&rows)
}

/// How many messages to a city were written to since they were sent.
pub fn touched(tx: &mut Tx<'_>, to: NodeId) -> Result<i64> {
    tx.one(&TOUCHED, params![to])?.map_or(Ok(0), |row| row.get("messages"))
}
