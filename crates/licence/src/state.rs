//! Life cycle of an electronic licence (电子证照状态), decided by one pure function.
//! Serves clauses 1.2 and 3.3.
//!
//! Invariant: annulment (撤销) makes void from the start, withdrawal (吊销) from the day of the decision;
//! deregistration (注销) after either keeps the day from which the licence was void.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tb_base::{Date, Error, Refusal, Result, Violation};

/// Where a licence stands (证照状态), with the codes of the national list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// In force (有效).
    Valid,
    /// Held back for a time (暂扣).
    Suspended,
    /// Replaced by a newer version (已被新版代替).
    Superseded,
    /// Its term is over (期满失效).
    Expired,
    /// Deregistered (注销).
    Cancelled,
    /// Annulled, void from the start (撤销).
    Revoked,
    /// Withdrawn as a penalty, void from the decision (吊销).
    Withdrawn,
    /// Moved to another city (办理转出).
    TransferredOut,
}

/// Every state, in the order of the tables.
pub const STATES: [State; 8] = [
    State::Valid,
    State::Suspended,
    State::Superseded,
    State::Expired,
    State::Cancelled,
    State::Revoked,
    State::Withdrawn,
    State::TransferredOut,
];

impl State {
    /// The code of the national list: 01 to 07; a superseded version counts as 05 失效.
    pub fn code(self) -> &'static str {
        match self {
            State::Valid => "01",
            State::Suspended => "02",
            State::Revoked => "03",
            State::Cancelled => "04",
            State::Superseded | State::Expired => "05",
            State::TransferredOut => "06",
            State::Withdrawn => "07",
        }
    }

    /// The name in columns and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Valid => "valid",
            State::Suspended => "suspended",
            State::Superseded => "superseded",
            State::Expired => "expired",
            State::Cancelled => "cancelled",
            State::Revoked => "revoked",
            State::Withdrawn => "withdrawn",
            State::TransferredOut => "transferred_out",
        }
    }

    /// The words for people: Chinese, then English.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            State::Valid => ("有效", "valid"),
            State::Suspended => ("暂扣", "suspended"),
            State::Superseded => ("已被新版代替", "superseded by a newer version"),
            State::Expired => ("已过期", "expired"),
            State::Cancelled => ("已注销", "deregistered"),
            State::Revoked => ("已撤销，自始无效", "annulled, void from the start"),
            State::Withdrawn => ("已吊销", "withdrawn as a penalty"),
            State::TransferredOut => ("已转出", "moved to another city"),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for State {
    type Err = Violation;

    fn from_str(text: &str) -> std::result::Result<State, Violation> {
        let found = STATES.into_iter().find(|state| state.as_str() == text);
        found.ok_or_else(|| Violation::inconsistent("licence_licence", text))
    }
}

/// What the present state of a licence rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The state as decided last; [`Standing::as_of`] also looks at the term.
    pub state: State,
    /// The first day of its term.
    pub valid_from: Date,
    /// The last day of its term; none means without end (长期).
    pub valid_to: Option<Date>,
    /// From which day it is void, where a decision said so.
    pub void_from: Option<Date>,
}

impl Standing {
    /// A licence just issued.
    pub fn issued(valid_from: Date, valid_to: Option<Date>) -> Standing {
        Standing { state: State::Valid, valid_from, valid_to, void_from: None }
    }

    /// The state on a day: a term that is over counts before any job has written it down.
    pub fn as_of(&self, today: Date) -> State {
        let over = self.valid_to.is_some_and(|last| last < today);
        match self.state {
            State::Valid | State::Suspended if over => State::Expired,
            State::Valid
            | State::Suspended
            | State::Superseded
            | State::Expired
            | State::Cancelled
            | State::Revoked
            | State::Withdrawn
            | State::TransferredOut => self.state,
        }
    }

    /// Whether it may be relied on on that day.
    pub fn is_in_force(&self, today: Date) -> bool {
        self.as_of(today) == State::Valid && self.valid_from <= today
    }
}

/// What an authority orders about a licence (证照操作).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Replace by a new version (变更、延续、换发).
    Supersede,
    /// Hold back for a time (暂扣).
    Suspend,
    /// End the suspension (解除暂扣).
    Lift,
    /// Write down that the term is over (过期失效).
    Expire,
    /// Deregister (注销).
    Cancel,
    /// Annul from the start (撤销).
    Revoke,
    /// Withdraw as a penalty (吊销).
    Withdraw,
    /// Hand over to another city (转出).
    TransferOut,
}

/// Every command, in the order of the tables.
pub const COMMANDS: [Command; 8] = [
    Command::Supersede,
    Command::Suspend,
    Command::Lift,
    Command::Expire,
    Command::Cancel,
    Command::Revoke,
    Command::Withdraw,
    Command::TransferOut,
];

impl Command {
    /// The event that it leads to, as history names it.
    pub fn event(self) -> &'static str {
        match self {
            Command::Supersede => "superseded",
            Command::Suspend => "suspended",
            Command::Lift => "lifted",
            Command::Expire => "expired",
            Command::Cancel => "cancelled",
            Command::Revoke => "revoked",
            Command::Withdraw => "withdrawn",
            Command::TransferOut => "transferred_out",
        }
    }
}

/// What a command changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// The new state.
    pub to: State,
    /// From which day the licence is void, if it is.
    pub void_from: Option<Date>,
}

/// Decides a command on a day; refuses what the state does not allow.
pub fn decide(standing: &Standing, command: Command, today: Date) -> Result<Change> {
    let state = standing.as_of(today);
    let to = |to| Ok(Change { to, void_from: standing.void_from });
    let void = |to, from: Date| Ok(Change { to, void_from: Some(standing.void_from.unwrap_or(from)) });
    match (state, command) {
        // A late renewal (逾期换证) replaces an expired version too; whether it is granted is the item's matter.
        (State::Valid | State::Expired, Command::Supersede) => to(State::Superseded),
        (State::Valid, Command::Suspend) => to(State::Suspended),
        (State::Suspended, Command::Lift) => to(State::Valid),
        (State::Expired, Command::Expire) if standing.state != State::Expired => to(State::Expired),
        // 行政许可法 Article 69: an annulled licence counts as never granted.
        (State::Valid | State::Suspended | State::Expired, Command::Revoke) => {
            void(State::Revoked, standing.valid_from)
        }
        (State::Valid | State::Suspended, Command::Withdraw) => void(State::Withdrawn, today),
        // 行政许可法 Article 70: deregistration follows expiry, annulment and withdrawal.
        (
            State::Valid | State::Suspended | State::Expired | State::Revoked | State::Withdrawn,
            Command::Cancel,
        ) => void(State::Cancelled, today),
        (State::Valid, Command::TransferOut) => void(State::TransferredOut, today),
        (
            State::Valid
            | State::Suspended
            | State::Superseded
            | State::Expired
            | State::Cancelled
            | State::Revoked
            | State::Withdrawn
            | State::TransferredOut,
            _,
        ) => Err(not_in_state(state, command)),
    }
}

fn not_in_state(state: State, command: Command) -> Error {
    let (zh, en) = state.words();
    let (order_zh, order_en) = match command {
        Command::Supersede => ("换发新版", "replaced by a new version"),
        Command::Suspend => ("暂扣", "suspended"),
        Command::Lift => ("解除暂扣", "released from suspension"),
        Command::Expire => ("登记过期", "marked as expired"),
        Command::Cancel => ("注销", "deregistered"),
        Command::Revoke => ("撤销", "annulled"),
        Command::Withdraw => ("吊销", "withdrawn"),
        Command::TransferOut => ("转出", "moved to another city"),
    };
    Refusal::not_now(
        "LIC-STA-001",
        format!("证照现为“{zh}”，不能{order_zh}"),
        format!("The licence is {en}; it cannot be {order_en}"),
    )
    .but(
        "请先查看证照的历史，再选择可行的操作",
        "Look at the history of the licence and choose an order that is possible",
    )
    .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use tb_base::Date;

    use super::{COMMANDS, Change, Command, STATES, Standing, State, decide};

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn standing(state: State) -> Standing {
        let void_from = match state {
            State::Revoked => Some(day("2020-12-11")),
            State::Withdrawn => Some(day("2026-03-01")),
            _ => None,
        };
        Standing { state, valid_from: day("2020-12-11"), valid_to: Some(day("2026-12-10")), void_from }
    }

    #[track_caller]
    fn check(state: State, command: Command, expected: Option<(State, Option<&str>)>) {
        let decided = decide(&standing(state), command, day("2026-06-01"));
        let expected = expected.map(|(to, from)| Change { to, void_from: from.map(day) });
        match (decided, expected) {
            (Ok(change), Some(expected)) => assert_eq!(change, expected),
            (Err(error), None) => assert!(error.to_string().contains("LIC-STA-001"), "{error}"),
            (decided, expected) => panic!("{state} {command:?}: {decided:?} instead of {expected:?}"),
        }
    }

    /// The whole table: state by state, what each command leads to.
    #[test]
    fn table() {
        use Command::{Cancel, Lift, Revoke, Supersede, Suspend, TransferOut, Withdraw};
        let allowed = [
            (State::Valid, Supersede, State::Superseded, None),
            (State::Valid, Suspend, State::Suspended, None),
            (State::Valid, Revoke, State::Revoked, Some("2020-12-11")),
            (State::Valid, Withdraw, State::Withdrawn, Some("2026-06-01")),
            (State::Valid, Cancel, State::Cancelled, Some("2026-06-01")),
            (State::Valid, TransferOut, State::TransferredOut, Some("2026-06-01")),
            (State::Suspended, Lift, State::Valid, None),
            (State::Suspended, Revoke, State::Revoked, Some("2020-12-11")),
            (State::Suspended, Withdraw, State::Withdrawn, Some("2026-06-01")),
            (State::Suspended, Cancel, State::Cancelled, Some("2026-06-01")),
            (State::Expired, Supersede, State::Superseded, None),
            (State::Expired, Revoke, State::Revoked, Some("2020-12-11")),
            (State::Expired, Cancel, State::Cancelled, Some("2026-06-01")),
            // Deregistration does not wash away an annulment or a penalty: the day stays.
            (State::Revoked, Cancel, State::Cancelled, Some("2020-12-11")),
            (State::Withdrawn, Cancel, State::Cancelled, Some("2026-03-01")),
        ];
        for state in STATES {
            for command in COMMANDS {
                let row = allowed.iter().find(|row| (row.0, row.1) == (state, command));
                check(state, command, row.map(|row| (row.2, row.3)));
            }
        }
    }

    #[test]
    fn a_term_that_is_over_counts_at_once() {
        let (last, next) = (day("2026-12-10"), day("2026-12-11"));
        assert_eq!(standing(State::Valid).as_of(last), State::Valid);
        assert_eq!(standing(State::Valid).as_of(next), State::Expired);
        assert_eq!(standing(State::Suspended).as_of(next), State::Expired);
        assert_eq!(standing(State::Withdrawn).as_of(next), State::Withdrawn);
        assert!(!standing(State::Valid).is_in_force(day("2020-12-10")), "not before its first day");
        let expired = decide(&standing(State::Valid), Command::Expire, next).expect("the term is over");
        assert_eq!(expired, Change { to: State::Expired, void_from: None });
        decide(&standing(State::Valid), Command::Expire, last).expect_err("the term is not over");
        decide(&standing(State::Valid), Command::Suspend, next).expect_err("nothing left to hold back");
    }

    #[test]
    fn names_and_codes() {
        for state in STATES {
            assert_eq!(state.as_str().parse::<State>(), Ok(state));
            assert_eq!(serde_json::to_value(state).expect("json"), state.as_str());
        }
        assert_eq!(STATES.map(State::code), ["01", "02", "05", "05", "04", "03", "07", "06"]);
    }

    proptest! {
        /// Whatever is ordered in whatever order: an end is an end, and the day from which it is void stays.
        #[test]
        fn no_way_back(orders in proptest::collection::vec((0_usize..8, 0_i16..10), 0..40)) {
            let mut now = Standing::issued(day("2020-12-11"), Some(day("2026-12-10")));
            let mut year = 2020;
            for (order, years) in orders {
                year += years / 8;
                let before = now;
                let today = Date::new(year, 12, 12).expect("a date");
                let Ok(change) = decide(&now, COMMANDS[order], today) else { continue };
                now = Standing { state: change.to, void_from: change.void_from, ..now };
                if let Some(from) = before.void_from {
                    prop_assert_eq!(now.void_from, Some(from));
                    prop_assert_eq!(now.state, State::Cancelled);
                }
                prop_assert_eq!(now.state == State::Revoked, COMMANDS[order] == Command::Revoke);
                if now.is_in_force(today) {
                    prop_assert!(now.void_from.is_none() && today <= day("2026-12-10"));
                }
            }
        }
    }
}
