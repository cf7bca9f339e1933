//! How long the rows of a counter are kept (保存期限), as dated data, and dropping what is past it.
//!
//! Invariant: a paper that is not back with its person, and a wish that still waits, are never dropped.

use tb_base::{Date, DatedTerms, Result, Timestamp};
use tb_store::{Stmt, Tx, params, stmt};

const FILE: &str = include_str!("../data/retention.csv");
const SECONDS_OF_A_DAY: i64 = 86_400;

/// What is kept for a time of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Ticket,
    Act,
    Original,
    Undo,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Ticket, "ticket"), (Kind::Act, "act"), (Kind::Original, "original"), (Kind::Undo, "undo")];

/// How long what is kept (保存期限表).
#[derive(Clone, Debug)]
pub struct Retention {
    terms: DatedTerms,
}

impl Retention {
    /// The retention of the program.
    pub fn shipped() -> Result<Retention> {
        Retention::read(FILE)
    }

    fn read(text: &str) -> Result<Retention> {
        let terms = DatedTerms::read("retention of counters", text, &KINDS.map(|(_, name)| name))?;
        Ok(Retention { terms })
    }

    /// What has no number is kept for long.
    fn days(&self, kind: Kind, day: Date) -> i64 {
        let name = KINDS.iter().find(|(it, _)| *it == kind).map_or("", |(_, name)| name);
        self.terms.of(name, day).and_then(|it| it.value).map_or(i64::from(u16::MAX), i64::from)
    }

    /// What is older than this is dropped.
    fn before(&self, kind: Kind, now: Timestamp) -> Timestamp {
        now.plus_seconds(-SECONDS_OF_A_DAY * self.days(kind, now.date()))
    }
}

const TICKETS: Stmt = stmt(
    "counter.ticket.purge",
    "
    DELETE FROM counter_ticket
    WHERE ticket IN (SELECT ticket FROM counter_ticket WHERE day < $1 ORDER BY day, ticket LIMIT $2)
",
);

const DAYS: Stmt = stmt("counter.day.purge", "DELETE FROM counter_day WHERE day < $1");

const ACTS: Stmt = stmt(
    "counter.act.purge",
    "
    DELETE FROM counter_act
    WHERE id IN (SELECT id FROM counter_act WHERE day < $1 ORDER BY day, id LIMIT $2)
",
);

const ORIGINALS: Stmt = stmt(
    "counter.original.purge",
    "
    DELETE FROM counter_original
    WHERE paper IN (
        SELECT last.paper
        FROM counter_original last
        WHERE last.at < $1 AND last.way = 'out' AND last.party = 'person' AND NOT EXISTS (
            SELECT 1
            FROM counter_original later
            WHERE later.paper = last.paper AND last.step < later.step
        )
        ORDER BY last.paper
        LIMIT $2
    )
",
);

const UNDOS: Stmt = stmt(
    "counter.undo.purge",
    "
    DELETE FROM counter_undo
    WHERE case_id IN (
        SELECT case_id FROM counter_undo WHERE asked < $1 AND state <> 'waiting' ORDER BY case_id LIMIT $2
    )
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[TICKETS, DAYS, ACTS, ORIGINALS, UNDOS];

/// Drops what is past its time, at most so many rows of each kind; gives whether there may be more.
pub fn purge(tx: &mut Tx<'_>, now: Timestamp, rows_max: i64) -> Result<bool> {
    let kept = Retention::shipped()?;
    let day = |kind| kept.before(kind, now).date();
    let dropped = [
        tx.run(&TICKETS, params![day(Kind::Ticket), rows_max])?,
        tx.run(&ACTS, params![day(Kind::Act), rows_max])?,
        tx.run(&ORIGINALS, params![kept.before(Kind::Original, now), rows_max])?,
        tx.run(&UNDOS, params![kept.before(Kind::Undo, now), rows_max])?,
    ];
    tx.run(&DAYS, params![day(Kind::Ticket)])?;
    Ok(dropped.iter().any(|rows| rows_max <= i64::try_from(*rows).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::{KINDS, Kind, Retention};

    #[test]
    fn every_kind_has_days_and_a_basis() {
        let kept = Retention::shipped().unwrap();
        assert!(
            kept.terms
                .all()
                .iter()
                .all(|it| it.unit == "days" && it.value.is_some_and(|days| 0 < days) && !it.is_confirmed)
        );
        let day = |text: &str| text.parse().unwrap();
        for (kind, name) in KINDS {
            assert_eq!(kept.days(kind, day("2020-01-01")), kept.days(kind, day("2026-11-24")), "{name}");
        }
        let two = "head\n2026-01-01,ticket,90,days,x,confirmed\n2027-01-01,ticket,30,days,x,confirmed\n\
                   2026-01-01,act,1,days,x,confirmed\n2026-01-01,original,1,days,x,confirmed\n\
                   2026-01-01,undo,1,days,x,confirmed\n";
        let kept = Retention::read(two).unwrap();
        assert_eq!(
            (kept.days(Kind::Ticket, day("2026-12-31")), kept.days(Kind::Ticket, day("2027-01-01"))),
            (90, 30)
        );
        assert!(
            Retention::read("head\n2026-01-01,ticket,90,days,x,confirmed\n").is_err(),
            "the rest is missing"
        );
    }
}
