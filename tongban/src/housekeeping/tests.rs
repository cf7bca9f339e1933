//! Pages of bounded size, jobs that do not wait for each other, and rows that cannot be.

use std::sync::{Arc, Mutex};

use serde_json::Value;
use tb_base::{Actor, CaseId, Ctx, Timestamp};
use tb_crypto::Vault;
use tb_store::{Config, Lease, Sealer, Stmt, Store, Tx, jobs, params, stmt};

use super::{begin, module};
use crate::clock::OsEntropy;
use crate::modules::schemas;

const NOW: Timestamp = Timestamp(1_764_000_000_000_000);
/// Who does the jobs here.
const LEASE: Lease<'_> = Lease { holder: "test", seconds: 60 };
const CASES: i64 = 250;
/// Nothing comes near so many runs.
const RUNS_MAX: usize = 20;

const CONSENT: Stmt = stmt(
    "test.consent",
    "
    INSERT INTO licence_consent
        (id, case_id, item, deciding, person, asked, asked_by, state, tries_left, expires, version, at, tx)
    VALUES ($1, $2, '121', '430300', $3, $4, 'system', 'given', 5, $5, 1, 0, 'test')
",
);

const INDEX: Stmt = stmt(
    "test.index",
    "
    INSERT INTO case_index (case_id, owned, item, phase, is_over, channel, query_code, office, collecting_office,
        deciding_office, person, due, collected, since, version, at, tx)
    VALUES ($1, 1, 121, 'closed', $2, 'online', '', '', '', '', NULL, NULL, 0, 0, 1, 0, 'test')
",
);

const ENDED: Stmt =
    stmt("test.ended", "SELECT COUNT(*) AS ended FROM licence_consent WHERE ended_at IS NOT NULL");

async fn store() -> Store {
    let store = Store::open(&Config::memory(), &schemas()).await.unwrap();
    store.seal_messages(Sealer::new(Vault::new([7; 32]), Arc::new(Mutex::new(OsEntropy))));
    store
}

fn ctx(now: Timestamp) -> Ctx {
    Ctx::new(now, Actor::System, "430100".parse().unwrap(), Arc::new(Mutex::new(OsEntropy)))
}

/// A case with a consent that stands; what was asked may be bent.
fn plant(tx: &mut Tx<'_>, ctx: &Ctx, case: &str, asked: &str, is_over: i64) -> tb_base::Result<()> {
    let id = ctx.id(tb_base::MessageId::new).to_string();
    let person = ctx.id(tb_base::PersonId::new);
    tx.run(&CONSENT, params![id, case, person, asked, NOW.plus_seconds(86_400)])?;
    tx.run(&INDEX, params![case, is_over]).map(drop)
}

/// Does the jobs that are due, each in a transaction as the worker does; gives their kinds and what ended in each.
async fn runs(store: &Store, ctx: &Ctx) -> Vec<(String, i64)> {
    let now = ctx.now;
    let due = store.write("test.due", move |tx| jobs::due(tx, now, 10, LEASE)).await.unwrap();
    let mut done = Vec::new();
    for job in due {
        let run = module().jobs.iter().find(|it| it.kind == job.kind).unwrap().run.clone();
        let (ctx, kind) = (ctx.clone(), job.kind.clone());
        let ended = store.write("test.run", move |tx| {
            let before = ended(tx)?;
            run(tx, &ctx, &job.payload)?;
            jobs::done(tx, &job)?;
            Ok(ended(tx)? - before)
        });
        done.push((kind, ended.await.unwrap()));
    }
    done
}

fn ended(tx: &mut Tx<'_>) -> tb_base::Result<i64> {
    tx.one(&ENDED, &[])?.map_or(Ok(0), |row| row.get("ended"))
}

#[tokio::test]
async fn consents_end_page_by_page_and_a_bent_row_stops_nothing() {
    let (store, planting) = (store().await, ctx(NOW));
    let planted = store.write("test.plant", move |tx| {
        for _ in 0..CASES {
            plant(tx, &planting, planting.id(CaseId::new).as_str(), "[]", 1)?;
        }
        plant(tx, &planting, planting.id(CaseId::new).as_str(), "no JSON", 1)?;
        plant(tx, &planting, "0-is-no-case", "[]", 1)?;
        plant(tx, &planting, planting.id(CaseId::new).as_str(), "[]", 0)?;
        begin(tx, NOW)
    });
    planted.await.unwrap();
    let later = ctx(NOW.plus_seconds(60));
    let mut all = Vec::new();
    for _ in 0..RUNS_MAX {
        let done = runs(&store, &later).await;
        if done.is_empty() {
            break;
        }
        all.extend(done);
    }
    let consents = all.iter().filter(|(kind, _)| kind == "city.housekeeping.consents");
    let pages: Vec<i64> = consents.map(|(_, ended)| *ended).collect();
    assert_eq!(pages.iter().sum::<i64>(), CASES, "all but the bent ones: {pages:?}");
    assert!(pages.iter().all(|ended| *ended <= 100), "{pages:?}");
    for kind in ["city.housekeeping", "city.housekeeping.licences", "city.housekeeping.enquiries"] {
        assert_eq!(all.iter().filter(|(done, _)| done == kind).count(), 1, "once, by itself: {all:?}");
    }
    let due = store.read("test.next", jobs::next_due).await.unwrap();
    assert_eq!(due, Some(later.now.plus_seconds(3_600)), "all of it again in an hour");
    assert_eq!(super::after(&Value::Null), "");
}
