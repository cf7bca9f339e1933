//! What a check found (检查结果): good, a warning or a failure, with what to do.

use serde::Serialize;

/// How it stands with one thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// It goes on, and somebody should look.
    Warn,
    /// It does not go on.
    Fail,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was checked, such as `database`.
    pub check: String,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub says: String,
    /// What to do; empty where nothing is.
    pub way_out: String,
}

impl Finding {
    /// It is as it should be.
    pub fn ok(check: &str, says: impl Into<String>) -> Finding {
        Finding { check: check.to_owned(), state: State::Ok, says: says.into(), way_out: String::new() }
    }

    /// Somebody should look.
    pub fn warn(check: &str, says: impl Into<String>, way_out: impl Into<String>) -> Finding {
        Finding { check: check.to_owned(), state: State::Warn, says: says.into(), way_out: way_out.into() }
    }

    /// It does not go on.
    pub fn fail(check: &str, says: impl Into<String>, way_out: impl Into<String>) -> Finding {
        Finding { check: check.to_owned(), state: State::Fail, says: says.into(), way_out: way_out.into() }
    }

    /// One line for a terminal.
    pub fn line(&self) -> String {
        let state = match self.state {
            State::Ok => "ok  ",
            State::Warn => "warn",
            State::Fail => "FAIL",
        };
        let way_out = if self.way_out.is_empty() { String::new() } else { format!("; {}", self.way_out) };
        format!("{state}  {:<12} {}{way_out}", self.check, self.says)
    }
}

/// The worst of them.
pub fn worst(findings: &[Finding]) -> State {
    findings.iter().map(|finding| finding.state).max().unwrap_or(State::Ok)
}
