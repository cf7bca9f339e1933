//! What is past its time is dropped; what is not back with its person is not.

use tb_base::{CaseId, MessageId};
use tb_store::{Config, Engine, Store};

use super::{NOON, clerk, ctx, hall, take};
use crate::courier::Courier;
use crate::journal::{self, Kind, Note};
use crate::original::{self, Entry, Party, Way};
use crate::{retention, ticket};

/// Four years on.
const LATER: i64 = 4 * 366 * 86_400;

async fn drop_what_is_old(store: Store) {
    for _ in 0..3 {
        take(&store, NOON).await;
    }
    let (kept, given) = (ctx(NOON).id(CaseId::new), ctx(NOON).id(CaseId::new));
    let planted = store.write("test.plant", move |tx| {
        let ctx = ctx(NOON);
        for case in [kept, given] {
            let paper = ctx.id(MessageId::new);
            let (way, party, courier) = (Way::In, Party::Person, Courier::Hand);
            let (what, number) = ("x".to_owned(), String::new());
            let entry = Entry { case, paper: None, what, pages: 1, way, party, courier, number };
            original::record(tx, &ctx, (&hall(), clerk(1)), paper, &entry)?;
            let note = Note { kind: Kind::PaperIn, case, item: 121, city: None, ground: None };
            journal::note(tx, &ctx, (&hall(), clerk(1)), paper, &note)?;
            if case == given {
                let back = Entry { paper: Some(paper), way: Way::Out, ..entry };
                original::record(tx, &ctx, (&hall(), clerk(1)), ctx.id(MessageId::new), &back)?;
            }
        }
        retention::purge(tx, NOON, 2)
    });
    assert!(!planted.await.expect("planted"), "nothing is old today");
    let runs = [true, false];
    for is_more in runs {
        let told = store.write("test.purge", |tx| retention::purge(tx, NOON.plus_seconds(LATER), 2)).await;
        assert_eq!(told.expect("dropped"), is_more);
    }
    let left = store.read("test.left", move |tx| {
        let of_day = ticket::of_day(tx, &hall(), NOON.date())?.len();
        let acts = journal::of_day(tx, &hall(), NOON.date())?.len();
        Ok((of_day, acts, original::of_case(tx, kept)?.len(), original::of_case(tx, given)?.len()))
    });
    assert_eq!(left.await.expect("a look"), (0, 0, 1, 0), "the paper that is still here stays");
}

#[tokio::test]
async fn what_is_past_its_time_is_dropped() {
    drop_what_is_old(super::store().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_past_its_time_is_dropped_on_postgres() {
    let server = tb_testkit::Postgres::start();
    let engine = Engine::Postgres { schema: server.schema("retention"), url: server.url };
    let config = Config { engine, inline: false };
    drop_what_is_old(Store::open(&config, &[crate::SCHEMA]).await.expect("a store")).await;
}
