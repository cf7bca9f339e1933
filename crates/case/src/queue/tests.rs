//! A queue of thousands: pages, filters and counts, as the database gives them.

use std::collections::BTreeSet;

use tb_base::{CaseId, OfficeId, Timestamp};
use tb_store::{Tx, params};

use super::{
    CasePage, Filter, Neighbours, Order, PAGE_ROWS, Typed, Urgency, file_of_office, in_order, neighbours,
    of_office, urgency,
};
use crate::case::PhaseKind;
use crate::fixture::{Counter, on_postgres, on_sqlite};

/// Rows of the queue.
const ROWS: i64 = 5_000;
const TODAY: Timestamp = Timestamp(1_795_449_600_000_000);
const DAY_SECONDS: i64 = 86_400;

fn office() -> OfficeId {
    "430300-transport".parse().unwrap()
}

/// Row `n`: every second one accepted, every fifth without a date, the others due `n % 10 - 4` days from today;
/// every tenth of item 80; every hundredth over; the last hundred elsewhere.
fn plant(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    let mut entropy = Counter(5);
    for n in 0..ROWS + 100 {
        let id = CaseId::new(TODAY.plus_seconds(n), &mut entropy);
        let phase = if n % 2 == 0 { PhaseKind::Received } else { PhaseKind::Accepted };
        let due = (n % 5 != 0).then(|| TODAY.plus_seconds((n % 10 - 4) * DAY_SECONDS + 60));
        let at = TODAY.plus_seconds(n - 10_000);
        let office = if n < ROWS { office() } else { "430300-market".parse()? };
        let row = params![
            id,
            true,
            if n % 10 == 0 { 80_i64 } else { 121 },
            crate::word(&phase),
            n % 100 == 99,
            "online",
            format!("C{n:07}"),
            &office,
            "430100-hall-1",
            &office,
            None::<tb_base::PersonId>,
            due,
            at,
            at,
            at,
            tx.name,
            None::<Timestamp>,
            None::<Timestamp>,
        ];
        tx.run(&crate::keep::PUT_INDEX, row)?;
    }
    Ok(())
}

fn check_all(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    let all = Filter::default();
    let first = of_office(tx, &office(), &all, 0)?;
    assert_eq!((first.total, first.rows.len() as i64), (4_950, PAGE_ROWS));
    assert!(first.rows.iter().all(|row| row.due == first.rows[0].due && row.office == office()));
    assert!(first.rows.is_sorted_by_key(|row| row.since), "of the same date the oldest comes first");
    let last = of_office(tx, &office(), &all, 999)?;
    assert_eq!((last.page, last.rows.len()), (247, 10), "a page behind the last one is the last one");
    assert!(last.rows.iter().all(|row| row.due.is_none()), "without a date at the end");
    let file = file_of_office(tx, &office(), &all, Order::Due)?;
    assert_eq!((file.total, file.rows.len()), (4_950, 4_950));
    assert!(file.rows.is_sorted_by_key(|row| (row.due.is_none(), row.due, row.since)));

    let only = |phases: &[PhaseKind]| Some(phases.iter().copied().collect::<BTreeSet<_>>());
    let typed = |code: &str, items: &[u16]| {
        Some(Typed { code: code.to_owned(), items: items.iter().copied().collect() })
    };
    let mut count = |filter: Filter, expected: i64| {
        let found: CasePage = of_office(tx, &office(), &filter, 0)?;
        assert_eq!(found.total, expected, "{filter:?}");
        assert_eq!(found.rows.len() as i64, expected.min(PAGE_ROWS), "{filter:?}");
        Ok::<(), tb_base::Error>(())
    };
    count(Filter { finished: true, ..all.clone() }, 50)?;
    count(Filter { phases: only(&[PhaseKind::Received]), ..all.clone() }, 2_500)?;
    count(Filter { phases: only(&[PhaseKind::Received, PhaseKind::Accepted]), ..all.clone() }, 4_950)?;
    count(Filter { phases: only(&[]), ..all.clone() }, 0)?;
    count(Filter { item: Some(80), ..all.clone() }, 500)?;
    count(Filter { due_before: Some(TODAY), ..all.clone() }, 1_500)?;
    let soon = TODAY.plus_seconds(3 * DAY_SECONDS);
    count(Filter { due_from: Some(TODAY), due_before: Some(soon), ..all.clone() }, 1_000)?;
    count(Filter { typed: typed("", &[80]), ..all.clone() }, 500)?;
    count(Filter { typed: typed("c0001234", &[]), ..all.clone() }, 1)?;
    count(Filter { typed: typed("C000123", &[80]), ..all.clone() }, 509)?;
    count(Filter { typed: typed("%_", &[]), ..all.clone() }, 0)?;
    let late = Filter { due_before: Some(TODAY), item: Some(121), ..all.clone() };
    count(Filter { phases: only(&[PhaseKind::Accepted]), ..late }, 1_000)?;

    let counted = urgency(tx, &office(), TODAY, soon, &[PhaseKind::Received].into())?;
    assert_eq!(counted, Urgency { all: 4_950, late: 1_500, soon: 1_000, in_phases: 2_500 });
    Ok(())
}

/// A case has beside it what stands beside it in the list, in every order; at the ends nothing; and whoever has left
/// the list goes on where she stood.
fn check_neighbours(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    let filter = Filter { item: Some(80), ..Filter::default() };
    for order in [Order::Due, Order::Since, Order::Newest] {
        let listed = file_of_office(tx, &office(), &filter, order)?.rows;
        let ids: Vec<CaseId> = listed.iter().map(|row| row.case).collect();
        let first_page = in_order(tx, &office(), &filter, order, 0)?;
        assert_eq!(first_page.rows[..], listed[..first_page.rows.len()], "{order:?}");
        for at in [0_usize, 1, 250, 498, 499] {
            let expected = Neighbours {
                place: i64::try_from(at + 1).ok(),
                total: 500,
                previous: at.checked_sub(1).map(|at| ids[at]),
                next: ids.get(at + 1).copied(),
            };
            assert_eq!(neighbours(tx, &office(), &filter, order, ids[at], None)?, expected, "{order:?} {at}");
        }
        match order {
            Order::Due => assert!(listed.is_sorted_by_key(|row| (row.due.is_none(), row.due, row.since))),
            Order::Since => assert!(listed.is_sorted_by_key(|row| row.since)),
            Order::Newest => assert!(listed.is_sorted_by_key(|row| std::cmp::Reverse(row.collected))),
        }
        let others = Filter { item: Some(121), ..Filter::default() };
        let gone = file_of_office(tx, &office(), &others, order)?.rows[0].case;
        let mut left = |stood: Option<i64>| {
            let found = neighbours(tx, &office(), &filter, order, gone, stood)?;
            assert_eq!((found.place, found.total), (None, 500));
            Ok::<_, tb_base::Error>((found.previous, found.next))
        };
        assert_eq!(left(None)?, (None, Some(ids[0])));
        assert_eq!(left(Some(1))?, (None, Some(ids[0])));
        assert_eq!(left(Some(3))?, (Some(ids[1]), Some(ids[2])));
        assert_eq!(left(Some(501))?, (Some(ids[499]), None), "it was the last");
        assert_eq!(left(Some(9_999))?, (Some(ids[499]), None));
        assert_eq!(left(Some(-7))?, (None, Some(ids[0])));
    }
    let nothing = Filter { item: Some(7), ..Filter::default() };
    let alone = of_office(tx, &office(), &filter, 0)?.rows[0].case;
    assert_eq!(neighbours(tx, &office(), &nothing, Order::Due, alone, Some(4))?, Neighbours::default());
    Ok(())
}

fn check(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    plant(tx)?;
    check_all(tx)?;
    check_neighbours(tx)
}

#[test]
fn five_thousand_on_sqlite() {
    on_sqlite("case.queue", check);
}

#[test]
fn five_thousand_on_postgres() {
    on_postgres("case.queue", check);
}
