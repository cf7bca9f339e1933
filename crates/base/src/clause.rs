//! The clauses of the agreement (协议条款): ten tasks, and in each the numbered clauses.
//!
//! Which clauses exist is data (`docs/agreement/clauses.toml`); the form is checked here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::code::reasons;

/// The agreement has ten tasks.
const TASKS: u8 = 10;
/// No task has more clauses than two digits can number.
const CLAUSES_MAX: u8 = 99;

reasons! {
    /// Why a text is no clause (条款编号).
    pub enum BadClause {
        /// Not two numbers with a dot between, without leading zeros.
        Form => "BAS-CLA-001", ("条款编号应为“任务.条款”，如 5.1"), ("A clause reads task.clause, such as 5.1");
        /// The task is not one of ten.
        Task => "BAS-CLA-002", ("条款编号的任务应为 1 至 10"), ("The task of a clause is 1 to 10");
    }
}

/// A clause of the agreement (条款), such as `5.1`; sorts by task, then number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClauseId {
    task: u8,
    number: u8,
}

impl ClauseId {
    /// The task (任务), 1 to 10.
    pub fn task(self) -> u8 {
        self.task
    }

    /// The number of the clause within the task.
    pub fn number(self) -> u8 {
        self.number
    }
}

impl FromStr for ClauseId {
    type Err = BadClause;

    fn from_str(text: &str) -> Result<ClauseId, BadClause> {
        let (task, number) = text.split_once('.').ok_or(BadClause::Form)?;
        let (task, number) = (plain_number(task)?, plain_number(number)?);
        if TASKS < task {
            return Err(BadClause::Task);
        }
        Ok(ClauseId { task, number })
    }
}

fn plain_number(text: &str) -> Result<u8, BadClause> {
    let is_plain = !text.starts_with('0') && text.bytes().all(|letter| letter.is_ascii_digit());
    let number = text.parse().ok().filter(|number| is_plain && (1..=CLAUSES_MAX).contains(number));
    number.ok_or(BadClause::Form)
}

impl TryFrom<String> for ClauseId {
    type Error = BadClause;

    fn try_from(text: String) -> Result<ClauseId, BadClause> {
        text.parse()
    }
}

impl From<ClauseId> for String {
    fn from(clause: ClauseId) -> String {
        clause.to_string()
    }
}

impl fmt::Display for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.task, self.number)
    }
}

impl fmt::Debug for ClauseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<(u8, u8), BadClause>) {
        assert_eq!(text.parse::<ClauseId>().map(|it| (it.task(), it.number())), expected);
    }

    #[test]
    fn parse() {
        check("5.1", Ok((5, 1)));
        check("10.9", Ok((10, 9)));
        check("11.1", Err(BadClause::Task));
        for text in ["", "5", "5.", ".1", "5.0", "0.1", "05.1", "5.01", "5.1.1", "+5.1", "5.100", "五.1"] {
            check(text, Err(BadClause::Form));
        }
    }

    #[test]
    fn sorts_by_number_not_by_text() {
        let [two, ten]: [ClauseId; 2] = ["2.1", "10.1"].map(|text| text.parse().expect("a clause"));
        assert!(two < ten);
    }
}
