//! Cards, numbers and the journal: pure rules by table, then two clerks at once on both engines.

mod originals;
mod retention;

use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use tb_base::{Actor, CaseId, Ctx, Entropy, Error, OfficeId, Result, StaffId, Timestamp};
use tb_store::{Config, Engine, Store};
use tb_testkit::Folder;

use crate::card;
use crate::journal::{self, Kind, Note};
use crate::sheet::Sheet;
use crate::ticket::{self, NewTicket, Purpose, State, Step, Ticket};

/// 2026-11-24 12:00 in China.
const NOON: Timestamp = Timestamp(1_795_492_800_000_000);

struct Counting(u64);

impl Entropy for Counting {
    fn fill(&mut self, buffer: &mut [u8]) {
        for byte in buffer.iter_mut() {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = (self.0 >> 33) as u8;
        }
    }
}

fn ctx(now: Timestamp) -> Ctx {
    Ctx::new(now, Actor::System, "430100".parse().expect("a city"), entropy())
}

fn entropy() -> Arc<Mutex<dyn Entropy>> {
    static SEED: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(1);
    Arc::new(Mutex::new(Counting(SEED.fetch_add(1, std::sync::atomic::Ordering::SeqCst))))
}

fn hall() -> OfficeId {
    "430100-hall-1".parse().expect("an office")
}

fn clerk(seed: u64) -> StaffId {
    StaffId::new(NOON, &mut Counting(seed))
}

const NEW: NewTicket = NewTicket { purpose: Purpose::Apply, item: Some(121), city: None };

async fn store() -> Store {
    Store::open(&Config::memory(), &[crate::SCHEMA]).await.expect("a store")
}

async fn take(store: &Store, now: Timestamp) -> Ticket {
    let ctx = ctx(now);
    store.write("test.take", move |tx| ticket::take(tx, &ctx, &hall(), &NEW)).await.expect("a number")
}

async fn next(store: &Store, who: StaffId, seen: Option<&Ticket>) -> Option<Ticket> {
    let (ctx, seen) = (ctx(NOON), seen.map(|ticket| ticket.id));
    let called = store.write("test.next", move |tx| ticket::next(tx, &ctx, &hall(), who, seen));
    called.await.expect("a call")
}

async fn step(store: &Store, who: StaffId, ticket: &Ticket, step: Step) -> Result<Ticket> {
    let (ctx, id) = (ctx(NOON), ticket.id);
    store.write("test.step", move |tx| ticket::step(tx, &ctx, &hall(), who, id, step)).await
}

fn code<T: std::fmt::Debug>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::Refused(refusal)) => refusal.code.to_string(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_line_of_a_reader_gives_number_and_name() {
    for line in [
        "周晓梅|女|汉|19900307|湖南省株洲市天元区泰山路 1 号|11010519491231002X|株洲市公安局|20200101-20400101",
        "11010519491231002x 周晓梅",
        "周晓梅 11010519491231002X",
        "周晓梅，11010519491231002X",
        "11010519491231002X\t周晓梅\t女",
        "姓名：周晓梅|性别：女|公民身份号码：11010519491231002X",
        "  周晓梅 ^ 女 ^ 11010519491231002X  ",
    ] {
        let card = card::read(line).unwrap_or_else(|refusal| panic!("{line}: {refusal:?}"));
        assert_eq!((card.number.to_string().as_str(), card.name.as_str()), ("11010519491231002X", "周晓梅"));
    }
    let uighur = card::read("阿依古丽·买买提|女|维吾尔|11010519491231002X").expect("a card");
    assert_eq!(uighur.name, "阿依古丽·买买提");
}

#[test]
fn a_line_that_is_no_card_is_refused_with_its_reason() {
    for (line, code) in [
        ("", "CTR-CRD-002"),
        ("周晓梅", "CTR-CRD-002"),
        ("周晓梅|110105194912310021", "CTR-CRD-003"),
        ("11010519491231002X", "CTR-CRD-004"),
        ("女|汉|11010519491231002X", "CTR-CRD-004"),
        ("周晓梅|11010519491231002X|11010519491231002X", "CTR-CRD-005"),
    ] {
        assert_eq!(card::read(line).expect_err(line).code, code, "{line}");
    }
    assert_eq!(card::read(&"周|".repeat(300)).expect_err("long").code, "CTR-CRD-001");
    assert_eq!(card::read(&"a b ".repeat(20)).expect_err("many").code, "CTR-CRD-001");
}

proptest! {
    #[test]
    fn any_line_is_read_or_refused_in_words(line in ".{0,450}") {
        match card::read(&line) {
            Ok(card) => {
                let again = card::read(&format!("{}|{}", card.name, card.number));
                prop_assert_eq!(again.ok(), Some(card));
            }
            Err(refusal) => prop_assert!(refusal.way_out.is_some() && refusal.field.is_some()),
        }
    }
}

#[tokio::test]
async fn numbers_are_called_in_order_and_one_at_a_time() {
    let store = store().await;
    for _ in 0..3 {
        take(&store, NOON).await;
    }
    let me = clerk(1);
    let first = next(&store, me, None).await.expect("one waits");
    assert_eq!((first.code().as_str(), first.state, first.calls), ("K001", State::Called, 1));
    // The button pressed twice calls nobody past.
    assert_eq!(next(&store, me, None).await.as_ref(), Some(&first));
    let again = step(&store, me, &first, Step::Recall).await.expect("called again");
    assert_eq!(again.calls, 2);
    step(&store, me, &first, Step::Skip).await.expect("skipped");
    let second = next(&store, me, None).await.expect("one waits");
    assert_eq!(second.code(), "K002");
    // Who was skipped comes after all; the one before is done.
    let back = step(&store, me, &first, Step::Call).await.expect("comes back");
    assert_eq!((back.state, back.ended), (State::Called, None));
    let third = next(&store, me, Some(&back)).await.expect("one waits");
    assert_eq!(third.code(), "K003");
    assert_eq!(next(&store, me, Some(&third)).await, None);
    let all = store.read("test.all", |tx| ticket::of_day(tx, &hall(), NOON.date())).await.expect("a day");
    assert!(all.iter().all(|ticket| ticket.state == State::Done && ticket.ended.is_some()), "{all:?}");
}

#[tokio::test]
async fn a_number_is_one_clerks_and_one_offices_and_one_days() {
    let store = store().await;
    let ticket = take(&store, NOON).await;
    let (me, other) = (clerk(1), clerk(2));
    assert_eq!(code(step(&store, me, &ticket, Step::Done).await), "CTR-TKT-005");
    next(&store, me, None).await.expect("one waits");
    for wanted in [Step::Done, Step::Skip, Step::Recall] {
        assert_eq!(code(step(&store, other, &ticket, wanted).await), "CTR-TKT-003");
    }
    assert_eq!(code(step(&store, other, &ticket, Step::Call).await), "CTR-TKT-005");
    let (ctx_there, id) = (ctx(NOON), ticket.id);
    let there = store.write("test.there", move |tx| {
        ticket::step(
            tx,
            &ctx_there,
            &"430100-hall-2".parse::<OfficeId>().expect("an office"),
            me,
            id,
            Step::Done,
        )
    });
    assert_eq!(code(there.await), "CTR-TKT-006");
    let tomorrow = ctx(NOON.plus_seconds(86_400));
    let late = store.write("test.late", move |tx| ticket::step(tx, &tomorrow, &hall(), me, id, Step::Done));
    assert_eq!(code(late.await), "CTR-TKT-002");
    for _ in 1..ticket::CALLS_MAX {
        step(&store, me, &ticket, Step::Recall).await.expect("called again");
    }
    assert_eq!(code(step(&store, me, &ticket, Step::Recall).await), "CTR-TKT-004");
    assert_eq!(take(&store, NOON.plus_seconds(86_400)).await.code(), "K001", "each day begins anew");
}

#[tokio::test]
async fn too_many_who_wait_are_turned_away_in_words() {
    let store = store().await;
    let fill = ctx(NOON);
    let filled = store.write("test.fill", move |tx| {
        for _ in 0..ticket::WAITING_MAX {
            ticket::take(tx, &fill, &hall(), &NEW)?;
        }
        Ok(())
    });
    filled.await.expect("the hall is full");
    let late = ctx(NOON);
    let more = store.write("test.more", move |tx| ticket::take(tx, &late, &hall(), &NEW)).await;
    assert_eq!(code(more), "CTR-TKT-001");
    next(&store, clerk(1), None).await.expect("one is called");
    assert_eq!(take(&store, NOON).await.number, 201, "who was turned away leaves no gap");
}

/// Two clerks press at the same moment, many times over: each number is called once.
async fn press_at_once(store: Store) {
    for _ in 0..20 {
        take(&store, NOON).await;
    }
    let mut called = Vec::new();
    let (mut left, mut right) = (None, None);
    for _ in 0..10 {
        let (one, two) =
            tokio::join!(next(&store, clerk(1), left.as_ref()), next(&store, clerk(2), right.as_ref()));
        called.extend([&one, &two].into_iter().flatten().map(|ticket| ticket.number));
        (left, right) = (one, two);
    }
    called.sort_unstable();
    assert_eq!(called, (1..=20).collect::<Vec<u32>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clerks_at_once_never_call_the_same_number() {
    let folder = Folder::new("counter");
    let config = Config { engine: Engine::Sqlite(folder.file("city.db")), inline: false };
    press_at_once(Store::open(&config, &[crate::SCHEMA]).await.expect("a store")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clerks_at_once_never_call_the_same_number_on_postgres() {
    let server = tb_testkit::Postgres::start();
    let engine = Engine::Postgres { schema: server.schema("counter"), url: server.url };
    let config = Config { engine, inline: false };
    press_at_once(Store::open(&config, &[crate::SCHEMA]).await.expect("a store")).await;
}

#[tokio::test]
async fn an_act_is_written_down_once() {
    let store = store().await;
    let ctx = ctx(NOON);
    let (command, case) = (ctx.id(tb_base::MessageId::new), ctx.id(CaseId::new));
    for _ in 0..2 {
        let ctx = ctx.clone();
        let kept = store.write("test.note", move |tx| {
            let city = Some("430300".parse().expect("a city"));
            let note = Note { kind: Kind::Collected, case, item: 121, city, ground: None };
            journal::note(tx, &ctx, (&hall(), clerk(1)), command, &note)
        });
        kept.await.expect("written");
    }
    let lines =
        store.read("test.lines", |tx| journal::of_day(tx, &hall(), NOON.date())).await.expect("a day");
    assert_eq!(lines.len(), 1);
    assert_eq!((lines[0].kind, lines[0].item, lines[0].case), (Kind::Collected, 121, case));
}

/// A number of the day with where it stands, when it was taken and called, and how long it was served.
fn row(number: u32, state: State, wait: i64, service: i64) -> Ticket {
    let called = NOON.plus_seconds(wait);
    Ticket {
        id: tb_base::MessageId::new(NOON, &mut Counting(u64::from(number))),
        office: hall(),
        day: NOON.date(),
        number,
        purpose: Purpose::Ask,
        item: None,
        city: None,
        taken: NOON,
        state,
        clerk: (state != State::Waiting).then(|| clerk(1)),
        calls: 1,
        called: (state != State::Waiting).then_some(called),
        ended: matches!(state, State::Done | State::Skipped).then(|| called.plus_seconds(service)),
        case: None,
    }
}

#[test]
fn the_sheet_of_a_day_adds_up_its_rows() {
    let tickets = [
        row(1, State::Done, 60, 120),
        row(2, State::Done, 120, 240),
        row(3, State::Skipped, 180, 30),
        row(4, State::Called, 240, 0),
        row(5, State::Waiting, 0, 0),
    ];
    let case = CaseId::new(NOON, &mut Counting(9));
    let line = |who: u64, kind| journal::Line {
        clerk: clerk(who),
        kind,
        case,
        item: 121,
        city: None,
        ground: None,
        at: NOON,
    };
    let sheet =
        Sheet::of(&tickets, &[line(1, Kind::Collected), line(2, Kind::Collected), line(2, Kind::Delivered)]);
    assert_eq!((sheet.taken, sheet.served, sheet.skipped, sheet.open), (5, 2, 1, 2));
    assert_eq!((sheet.wait_seconds, sheet.service_seconds), (Some(150), Some(180)));
    let of = |kind| sheet.acts.iter().find(|(it, _)| *it == kind).map(|(_, count)| *count);
    assert_eq!((of(Kind::Collected), of(Kind::Delivered), of(Kind::Withdrawn)), (Some(2), Some(1), Some(0)));
    let acts: i64 = sheet.clerks.iter().map(|(_, _, acts)| acts).sum();
    let served: i64 = sheet.clerks.iter().map(|(_, served, _)| served).sum();
    assert_eq!((acts, served), (3, sheet.served), "what the clerks did is what was done");
    let empty = Sheet::of(&[], &[]);
    assert_eq!((empty.taken, empty.wait_seconds, empty.clerks.len()), (0, None, 0));
}

#[test]
fn a_hand_over_is_taken_back_while_it_is_offered_only() {
    use tb_case::case::PhaseKind as Phase;

    use crate::undo::{Next, may, next};
    for (phase, then, code) in [
        (Phase::Offered, Next::Wait, None),
        (Phase::Received, Next::Withdraw, Some("CTR-UND-001")),
        (Phase::Correcting, Next::Withdraw, Some("CTR-UND-001")),
        (Phase::Accepted, Next::Withdraw, Some("CTR-UND-001")),
        (Phase::Decided, Next::Nothing, Some("CTR-UND-002")),
        (Phase::Delivering, Next::Nothing, Some("CTR-UND-002")),
        (Phase::Returned, Next::Nothing, Some("CTR-UND-002")),
        (Phase::Withdrawn, Next::Nothing, Some("CTR-UND-002")),
    ] {
        assert_eq!(next(phase), then, "{phase:?}");
        let refused = may(phase).err();
        assert!(refused.iter().all(|refusal| refusal.way_out.is_some()), "{phase:?}");
        assert_eq!(refused.map(|refusal| refusal.code.to_string()).as_deref(), code, "{phase:?}");
    }
}
