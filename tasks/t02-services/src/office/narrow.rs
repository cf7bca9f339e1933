//! What the queue is narrowed to (筛选), as an address says it: the list, its file, and what stands beside a case.
//!
//! Invariant: an address is read into this and written from this, so that `?in=` can never say more than a filter.

use std::collections::BTreeSet;

use tb_base::{OfficeId, Timestamp};
use tb_case::case::{PHASES, PhaseKind};
use tb_case::queue::{Filter, Order, Typed};
use tb_web::{Lang, Visit};

use crate::parts::Parts;
use crate::words::{item_name, word};

/// What counts as close to its limit.
const SOON_DAYS: i64 = 2;
/// Letters of what is typed into the filter at the most.
const TEXT_LETTERS_MAX: usize = 60;
/// The orders as addresses name them; the first needs no name.
pub(super) const ORDERS: [(Order, &str); 3] =
    [(Order::Due, ""), (Order::Since, "since"), (Order::Newest, "newest")];

/// An address of this site with a query; what is empty is left out.
pub(super) fn address(visit: &Visit, path: &str, query: &[(&str, &str)]) -> String {
    let mut at = visit.clone();
    at.path.clear();
    at.query.clear();
    for (name, value) in query {
        at.query = at.address_with(name, value).trim_start_matches('?').to_owned();
    }
    match at.query.as_str() {
        "" => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// What the list is narrowed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Narrow {
    phase: Option<PhaseKind>,
    finished: bool,
    due: &'static str,
    mine: bool,
    item: Option<u16>,
    text: String,
    pub(super) order: Order,
    /// The office that a supervisor looks at.
    pub(super) office: Option<OfficeId>,
}

impl Narrow {
    /// What the address of the list says.
    pub(super) fn of(visit: &Visit) -> Narrow {
        let given = |name| visit.param(name).unwrap_or_default();
        let (state, due, sort) = (given("state"), given("due"), given("sort"));
        let phase = PHASES.into_iter().find(|phase| word(phase) == state);
        let letters = given("q").trim().to_uppercase();
        Narrow {
            finished: state == "finished" || phase.is_some_and(PhaseKind::is_over),
            phase,
            due: ["late", "soon"].into_iter().find(|it| *it == due).unwrap_or_default(),
            mine: given("who") == "mine",
            item: given("item").parse().ok(),
            text: letters.chars().take(TEXT_LETTERS_MAX).collect(),
            order: ORDERS.into_iter().find(|(_, word)| *word == sort).map_or(Order::Due, |(order, _)| order),
            office: given("office").parse().ok(),
        }
    }

    /// The same list in another order.
    pub(super) fn ordered(&self, order: Order) -> Narrow {
        Narrow { order, ..self.clone() }
    }

    /// What the address of a case says about the list that it was opened from: `?in=`.
    pub(super) fn inside(visit: &Visit) -> Narrow {
        Narrow::written(visit, &visit.param("in").unwrap_or_default())
    }

    /// What a query says.
    pub(super) fn written(visit: &Visit, query: &str) -> Narrow {
        let mut at = visit.clone();
        query.clone_into(&mut at.query);
        Narrow::of(&at)
    }

    /// The address of the list.
    pub(super) fn address(&self, visit: &Visit) -> String {
        let state = match (self.phase, self.finished) {
            (Some(phase), _) => word(&phase),
            (None, true) => "finished".to_owned(),
            (None, false) => String::new(),
        };
        let item = self.item.map(|item| item.to_string()).unwrap_or_default();
        let office = self.office.as_ref().map(ToString::to_string).unwrap_or_default();
        let sort = ORDERS.into_iter().find(|(order, _)| *order == self.order).map_or("", |(_, word)| word);
        let query = [
            ("q", self.text.as_str()),
            ("state", &state),
            ("item", &item),
            ("due", self.due),
            ("who", if self.mine { "mine" } else { "" }),
            ("sort", sort),
            ("office", &office),
        ];
        address(visit, "/office", &query)
    }

    /// The query of the list, as `?in=` carries it; empty for the whole list.
    pub(super) fn query(&self, visit: &Visit) -> String {
        self.address(visit).split_once('?').map(|(_, query)| query.to_owned()).unwrap_or_default()
    }

    /// The same as the database takes it.
    pub(super) fn filter(
        &self,
        parts: &Parts,
        lang: Lang,
        now: Timestamp,
        mine: &BTreeSet<PhaseKind>,
    ) -> Filter {
        let days = Days::of(now);
        let (due_from, due_before) = match self.due {
            "late" => (None, Some(days.today)),
            "soon" => (Some(days.today), Some(days.soon)),
            _ => (None, None),
        };
        let phases = match (self.phase, self.mine) {
            (None, false) => None,
            (Some(phase), false) => Some([phase].into()),
            (None, true) => Some(mine.clone()),
            (Some(phase), true) => Some(mine.iter().copied().filter(|it| *it == phase).collect()),
        };
        let typed = (!self.text.is_empty()).then(|| self.typed(parts, lang));
        Filter { phases, finished: self.finished, due_from, due_before, typed, item: self.item }
    }

    /// A part of a code, the number of an item, or a part of its name.
    fn typed(&self, parts: &Parts, lang: Lang) -> Typed {
        let letters: String = self.text.chars().filter(|letter| !letter.is_whitespace()).collect();
        let named = |number: &u16| {
            number.to_string() == letters
                || item_name(parts, lang, *number).to_uppercase().contains(&self.text)
        };
        let is_code = letters.chars().all(|letter| letter.is_ascii_alphanumeric());
        Typed {
            items: parts.catalogue.items().map(|item| item.entry.number).filter(named).collect(),
            code: if is_code { letters } else { String::new() },
        }
    }
}

/// Where days begin: what is due before today is late, what is due before `soon` is near.
#[derive(Clone, Copy)]
pub(super) struct Days {
    pub(super) today: Timestamp,
    pub(super) soon: Timestamp,
}

impl Days {
    pub(super) fn of(now: Timestamp) -> Days {
        let today = Timestamp::at(now.date(), 0);
        Days { today, soon: today.plus_seconds((SOON_DAYS + 1) * 86_400) }
    }
}
