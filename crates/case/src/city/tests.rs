//! Lists and sums of a city on both engines: every figure is what its list counts, and every page is walked both ways.

use tb_base::{CaseId, NodeId, OfficeId, Timestamp};
use tb_store::{Tx, params};

use super::*;
use crate::case::PhaseKind;
use crate::fixture::{Counter, on_postgres, on_sqlite};

/// 2026-11-24 12:00 in China, a Tuesday.
const NOON: Timestamp = Timestamp(1_795_492_800_000_000);
const ROWS: i64 = 1_200;
const DAY: i64 = 86_400;

fn city() -> NodeId {
    "430300".parse().unwrap()
}

/// A case as it is planted.
struct Planted {
    office: &'static str,
    deciding: &'static str,
    item: i64,
    phase: PhaseKind,
    due: Option<Timestamp>,
    collected: Timestamp,
    decided: Option<Timestamp>,
    promised: Option<Timestamp>,
}

/// Case `n`: of three offices, the third in another city; of two items; one in three decided, one in six over.
fn planted(n: i64) -> Planted {
    let office = ["430300-transport", "430300-market", "430100-hall-1"][usize::try_from(n % 3).unwrap()];
    let deciding = if n % 5 == 0 { "430100-transport" } else { "430300-transport" };
    let collected = NOON.plus_seconds(-(n % 97) * DAY - n);
    let decided = (n % 3 == 1).then(|| collected.plus_seconds((n % 11) * DAY));
    let phase = match n % 6 {
        0 => PhaseKind::Offered,
        1 => PhaseKind::Closed,
        2 | 3 => PhaseKind::Accepted,
        _ => PhaseKind::Decided,
    };
    let due = (n % 7 != 0 && !phase.is_over()).then(|| NOON.plus_seconds((n % 15 - 6) * DAY));
    let promised = decided.filter(|_| n % 13 != 0).map(|_| collected.plus_seconds(5 * DAY));
    Planted {
        office,
        deciding,
        item: if n % 4 == 0 { 80 } else { 121 },
        phase,
        due,
        collected,
        decided,
        promised,
    }
}

fn plant(tx: &mut Tx<'_>) -> Result<()> {
    let mut entropy = Counter(5);
    for n in 0..ROWS {
        let it = planted(n);
        let row = params![
            CaseId::new(NOON, &mut entropy),
            n % 5 != 0,
            it.item,
            crate::word(&it.phase),
            it.phase.is_over(),
            if n % 2 == 0 { "online" } else { "window" },
            format!("C{n:07}"),
            it.office,
            "430100-hall-1",
            it.deciding,
            None::<tb_base::PersonId>,
            it.due,
            it.collected,
            it.collected,
            it.collected,
            tx.name,
            it.decided,
            it.promised,
        ];
        tx.run(&crate::keep::PUT_INDEX, row)?;
    }
    Ok(())
}

fn count(is: impl Fn(&Planted) -> bool) -> i64 {
    i64::try_from((0..ROWS).map(planted).filter(is).count()).unwrap()
}

/// Walks every page forward and back again: the same rows, each once, in order.
#[track_caller]
fn walk(tx: &mut Tx<'_>, narrow: &Narrow, expected: i64) {
    let first = list(tx, city(), narrow, &Turn::First).unwrap();
    assert_eq!(first.total, expected, "{narrow:?}");
    assert_eq!(first.back, None);
    let (mut pages, mut page) = (Vec::new(), first);
    loop {
        pages.push(page.rows.clone());
        let Some(on) = page.on.clone() else { break };
        page = list(tx, city(), narrow, &on).unwrap();
    }
    let all: Vec<CityRow> = pages.concat();
    assert_eq!(i64::try_from(all.len()).unwrap(), expected, "{narrow:?}");
    let places: Vec<_> = all.iter().map(|row| (row.key, row.case.case.to_string())).collect();
    match narrow.listing {
        Listing::Running => assert!(places.is_sorted()),
        Listing::Received | Listing::Decided => assert!(places.iter().rev().is_sorted()),
    }
    for expected in pages.iter().rev().skip(1) {
        page = list(tx, city(), narrow, page.back.as_ref().unwrap()).unwrap();
        assert_eq!(&page.rows, expected);
    }
    assert_eq!(page.back, None);
    let file = list(tx, city(), narrow, &Turn::File).unwrap();
    assert_eq!(file.rows, all);
}

fn lists(tx: &mut Tx<'_>) {
    let days = Days::of(NOON);
    let running = Narrow::default();
    let late = Narrow { until: Some(days.today), ..running.clone() };
    let today = Narrow { from: Some(days.today), until: Some(days.tomorrow), ..running.clone() };
    let runs = |it: &Planted| !it.phase.is_over();
    let due = |it: &Planted, from: Timestamp, until: Timestamp| {
        runs(it) && it.due.is_some_and(|due| from <= due && due < until)
    };
    walk(tx, &running, count(runs));
    walk(tx, &late, count(|it| due(it, Timestamp(0), days.today)));
    walk(tx, &today, count(|it| due(it, days.today, days.tomorrow)));
    let away = |it: &Planted| runs(it) && (it.office.starts_with("430100") || it.phase == PhaseKind::Offered);
    walk(tx, &Narrow { away: true, ..running.clone() }, count(away));
    let market: OfficeId = "430300-market".parse().unwrap();
    let of_market = Narrow { office: Some(market), item: Some(80), ..running };
    walk(tx, &of_market, count(|it| runs(it) && it.office == "430300-market" && it.item == 80));
    let here = |it: &Planted| it.deciding.starts_with("430300");
    let received = Narrow { listing: Listing::Received, ..Narrow::default() };
    walk(tx, &received, count(here));
    let decided = Narrow { listing: Listing::Decided, ..Narrow::default() };
    walk(tx, &decided, count(|it| here(it) && it.decided.is_some()));
    let is_late = |it: &Planted| here(it) && it.promised.is_some_and(|promised| Some(promised) < it.decided);
    walk(tx, &Narrow { overdue: true, ..decided }, count(is_late));
}

/// What is summed up is what the lists count.
fn sums(tx: &mut Tx<'_>) {
    let days = Days::of(NOON);
    let loads = loads(tx, city(), days).unwrap();
    let total = |tx: &mut Tx<'_>, narrow: &Narrow| list(tx, city(), narrow, &Turn::First).unwrap().total;
    for load in loads.iter().filter(|load| !load.is_away) {
        let here =
            |narrow: Narrow| Narrow { office: Some(load.office.clone()), item: Some(load.item), ..narrow };
        let (all, late) = (Narrow::default(), Narrow { until: Some(days.today), ..Narrow::default() });
        let week = Narrow { from: Some(days.today), until: Some(days.next_week), ..Narrow::default() };
        let away = Narrow { away: true, ..Narrow::default() };
        let away = total(tx, &here(away));
        assert_eq!(total(tx, &here(all)), load.all + away);
        let away_of = |of: fn(&Load) -> i64| -> i64 {
            let same = |it: &&Load| it.is_away && it.office == load.office && it.item == load.item;
            loads.iter().filter(same).map(of).sum()
        };
        assert_eq!(total(tx, &here(late)), load.late + away_of(|it| it.late));
        assert_eq!(total(tx, &here(week)), load.week + away_of(|it| it.week));
    }
    let ever = (Timestamp(0), Timestamp(i64::MAX / 2));
    let sum: i64 = decided(tx, city(), ever, Some(121)).unwrap().iter().map(|row| row.counted).sum();
    let of_item = Narrow { listing: Listing::Decided, item: Some(121), ..Narrow::default() };
    assert_eq!(sum, total(tx, &of_item));
    let sum: i64 = received(tx, city(), ever, None).unwrap().iter().map(|row| row.counted).sum();
    assert_eq!(sum, total(tx, &Narrow { listing: Listing::Received, ..Narrow::default() }));
    let one = &decided(tx, city(), ever, Some(80)).unwrap()[0];
    let found = between(tx, city(), 80, (one.first, one.last)).unwrap().unwrap();
    let row = list(
        tx,
        city(),
        &Narrow { item: Some(80), listing: Listing::Decided, ..Narrow::default() },
        &Turn::File,
    );
    let row = row.unwrap().rows.into_iter().find(|row| row.case.case == found).unwrap();
    assert_eq!((row.case.collected.date(), row.decided.map(Timestamp::date)), (one.first, Some(one.last)));
}

fn check(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    plant(tx)?;
    lists(tx);
    sums(tx);
    Ok(())
}

#[test]
fn lists_and_sums_agree_on_sqlite() {
    on_sqlite("case.city", check);
}

#[test]
fn lists_and_sums_agree_on_postgres() {
    on_postgres("case.city", check);
}

#[test]
fn a_week_ends_on_sunday() {
    let days = |now: Timestamp| Days::of(now).next_week.date().to_string();
    assert_eq!(days(NOON), "2026-11-30");
    assert_eq!(days(Timestamp::at("2026-11-29".parse().unwrap(), 23)), "2026-11-30");
    assert_eq!(days(Timestamp::at("2026-11-30".parse().unwrap(), 0)), "2026-12-07");
}

#[test]
fn a_mark_comes_back_out_of_an_address() {
    let mark = Mark { key: -5, case: "01m85vbsg4g0wn609k4x67c28v".to_owned() };
    assert_eq!(Mark::of(&mark.word()), Some(mark));
    for wrong in ["", "5", "x.01m85vbsg4g0wn609k4x67c28v", "5.' OR 1=1", "5."] {
        assert_eq!(Mark::of(wrong), None, "{wrong}");
    }
}
