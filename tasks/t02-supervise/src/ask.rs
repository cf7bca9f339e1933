//! What a list is narrowed to, as its address says it (筛选): read, written, and asked of the case block.
//!
//! Invariant: whoever links to a list writes the address here, so a figure and its list ask the same.

use tb_base::{Date, OfficeId, Timestamp};
use tb_case::city::{Days, Listing, Narrow};
use tb_web::{Field, Fields, Input, Visit};

/// Figures are told for so many days.
pub(crate) const PERIOD_DAYS: i64 = 90;

pub(crate) const FROM: Field<'static> = Field::new("from", "从哪天", "From", Input::Text).optional();
pub(crate) const UNTIL: Field<'static> = Field::new("until", "到哪天", "Until", Input::Text).optional();

/// Which cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    #[default]
    Running,
    Received,
    Decided,
    /// Decided after the promised day.
    Overdue,
}

/// How running cases stand to their date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Due {
    #[default]
    Any,
    Late,
    Today,
    Week,
    /// Whoever holds it is another city.
    Away,
}

/// Words of addresses.
const STATES: [(State, &str); 4] = [
    (State::Running, "running"),
    (State::Received, "received"),
    (State::Decided, "decided"),
    (State::Overdue, "overdue"),
];
const DUES: [(Due, &str); 5] =
    [(Due::Any, ""), (Due::Late, "late"), (Due::Today, "today"), (Due::Week, "week"), (Due::Away, "away")];

/// Some days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Period {
    pub from: Date,
    pub until: Date,
}

impl Period {
    /// So many days up to and including a day.
    pub(crate) fn up_to(until: Date) -> Period {
        let from = Timestamp::at(until, 0).plus_seconds(-(PERIOD_DAYS - 1) * 86_400).date();
        Period { from, until }
    }

    /// Where it begins and ends.
    pub(crate) fn moments(self) -> (Timestamp, Timestamp) {
        (Timestamp::at(self.from, 0), Timestamp::at(self.until, 24))
    }
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ask {
    pub state: State,
    pub due: Due,
    pub office: Option<OfficeId>,
    pub item: Option<u16>,
    pub from: Option<Date>,
    pub until: Option<Date>,
}

impl Ask {
    /// What an address asks for; nothing where a day in it is none, which the form then says.
    pub(crate) fn read(visit: &Visit, form: &mut Fields) -> Option<Ask> {
        let given = |name| visit.param(name).unwrap_or_default();
        let (state, due) = (given("state"), given("due"));
        let (from, until) = (form.date(&FROM).optional(), form.date(&UNTIL).optional());
        Some(Ask {
            state: STATES.iter().find(|(_, word)| *word == state).map_or(State::Running, |(it, _)| *it),
            due: DUES.iter().find(|(_, word)| *word == due).map_or(Due::Any, |(it, _)| *it),
            office: given("office").parse().ok(),
            item: given("item").parse().ok(),
            from: from?,
            until: until?,
        })
    }

    /// Cases whose date stands so.
    pub(crate) fn due(due: Due) -> Ask {
        Ask { due, ..Ask::default() }
    }

    /// Cases of a state in a period.
    pub(crate) fn within(state: State, period: Period) -> Ask {
        Ask { state, from: Some(period.from), until: Some(period.until), ..Ask::default() }
    }

    /// Of one item.
    pub(crate) fn of_item(self, item: u16) -> Ask {
        Ask { item: Some(item), ..self }
    }

    /// In the hands of one office.
    pub(crate) fn at(self, office: &OfficeId) -> Ask {
        Ask { office: Some(office.clone()), ..self }
    }

    /// The days that are meant, where the list is of a period.
    pub(crate) fn period(&self, today: Date) -> Option<Period> {
        let whole = Period::up_to(self.until.unwrap_or(today));
        (self.state != State::Running).then(|| Period { from: self.from.unwrap_or(whole.from), ..whole })
    }

    /// The same as the case block takes it.
    pub(crate) fn narrow(&self, now: Timestamp) -> Narrow {
        let days = Days::of(now);
        let (from, until) = match (self.period(now.date()).map(Period::moments), self.due) {
            (Some((from, until)), _) => (Some(from), Some(until)),
            (None, Due::Late) => (None, Some(days.today)),
            (None, Due::Today) => (Some(days.today), Some(days.tomorrow)),
            (None, Due::Week) => (Some(days.today), Some(days.next_week)),
            (None, Due::Any | Due::Away) => {
                (self.from.map(|day| Timestamp::at(day, 0)), self.until.map(|day| Timestamp::at(day, 24)))
            }
        };
        Narrow {
            listing: match self.state {
                State::Running => Listing::Running,
                State::Received => Listing::Received,
                State::Decided | State::Overdue => Listing::Decided,
            },
            from,
            until,
            office: self.office.clone(),
            item: self.item,
            away: self.state == State::Running && self.due == Due::Away,
            overdue: self.state == State::Overdue,
        }
    }

    /// The address of the list.
    pub(crate) fn address(&self) -> String {
        let word = |known: &str| (!known.is_empty()).then(|| known.to_owned());
        let state = STATES.iter().find(|(it, _)| *it == self.state && *it != State::Running);
        let due = DUES.iter().find(|(it, _)| *it == self.due);
        let parts = [
            ("state", state.and_then(|(_, known)| word(known))),
            ("due", due.and_then(|(_, known)| word(known))),
            ("office", self.office.as_ref().map(ToString::to_string)),
            ("item", self.item.map(|item| item.to_string())),
            ("from", self.from.map(|day| day.to_string())),
            ("until", self.until.map(|day| day.to_string())),
        ];
        let named = parts.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
        let query = named.collect::<Vec<_>>().join("&");
        if query.is_empty() { "/supervise/cases".to_owned() } else { format!("/supervise/cases?{query}") }
    }
}
