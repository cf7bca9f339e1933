//! What a peer is told when something is wrong (问题报告): RFC 9457 problem details, as a value.
//!
//! Signature problems are 400 with details, not 401: a peer must be able to see which component failed.

use serde::{Deserialize, Serialize};
use tb_base::{Class, Error, Refusal, Violation};

/// The media type of a problem.
pub const PROBLEM_TYPE: &str = "application/problem+json";
/// What stands before the code in the `type` of a problem.
const TYPE_PREFIX: &str = "urn:tongban:problem:";
/// The code of a refusal by law or state; the refusal itself travels as a member.
const REFUSAL: &str = "refusal";
/// The code of a fault of the machine; says nothing more.
const FAULT: &str = "fault";

/// A problem, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `urn:tongban:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// Which component of the message is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// What is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What was expected, where one value was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was there instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// By how much the clock of the sender is ahead of the receiver's, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clock_delta_ms: Option<i64>,
    /// What the law or the state of the receiver says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<Refusal>,
}

/// The detail of a violation where one value was expected and another one found; [`Problem`] takes it apart again.
pub fn mismatch(expected: &str, actual: &str) -> String {
    format!("expected {expected}; actual {actual}")
}

/// The detail of a violation of time.
pub(crate) fn clock(delta_ms: i64, words: &str) -> String {
    format!("{words}; clock_delta_ms {delta_ms}")
}

/// The HTTP status and the words of a code; a code that is not known is the sender's mistake.
pub fn status(code: &str) -> (u16, &'static str) {
    match code {
        "grammar" => (400, "A field is not well formed"),
        "signature-coverage" => (400, "The signature does not cover what it must"),
        "digest-mismatch" => (400, "The content is not what its digest says"),
        "signature-invalid" => (400, "The signature is not valid"),
        "key-unknown" => (400, "The key is not in the trust list"),
        "expired" => (400, "The message is outside its time"),
        "purpose" => (403, "The contract does not allow this purpose"),
        "grant" => (403, "No contract in force allows this service"),
        "replay" => (409, "The message was received before"),
        "contract-stale" => (409, "The two sides have different versions of the contract"),
        "in-flight" => (409, "The message is being processed"),
        "too-large" => (413, "The message is larger than the limit"),
        "audience" => (421, "The message is addressed to another city"),
        "fingerprint" => (422, "The message id was used for another message"),
        "schema" => (422, "The body does not fit its schema"),
        "quota" => (429, "The quota of the contract is used up"),
        "shed" => (503, "The receiver is overloaded"),
        "log-unavailable" => (503, "The receiver cannot write its log"),
        "peer-down" => (504, "The peer does not answer"),
        "inconsistent" => (500, "The receiver found an impossible row"),
        _ => (400, "The message breaks the protocol"),
    }
}

impl Problem {
    /// The problem that a violation is.
    pub fn of_violation(violation: &Violation) -> Problem {
        let (status, title) = status(&violation.code);
        let mut problem = Problem::new(&violation.code, status, title);
        problem.component = Some(violation.component.clone().into_owned());
        problem.detail = Some(violation.detail.clone().into_owned());
        if let Some((expected, actual)) =
            violation.detail.strip_prefix("expected ").and_then(|rest| rest.split_once("; actual "))
        {
            problem.expected = Some(expected.to_owned());
            problem.actual = Some(actual.to_owned());
        }
        problem.clock_delta_ms =
            violation.detail.split_once("; clock_delta_ms ").and_then(|(_, delta)| delta.parse().ok());
        problem
    }

    /// The problem that a peer is told of; a fault shows nothing of its cause.
    pub fn of_error(error: &Error) -> Problem {
        match error {
            Error::Violation(violation) => Problem::of_violation(violation),
            Error::Fault(_) => Problem::new(FAULT, 503, "The receiver failed; try again later"),
            Error::Refused(refusal) => {
                let status = match refusal.class {
                    Class::Invalid => 422,
                    Class::NotAllowed => 403,
                    Class::NotNow | Class::Conflict => 409,
                    Class::Gone => 404,
                };
                let mut problem = Problem::new(REFUSAL, status, "The receiver refused");
                problem.refusal = Some((**refusal).clone());
                problem
            }
        }
    }

    fn new(code: &str, status: u16, title: &str) -> Problem {
        Problem {
            kind: format!("{TYPE_PREFIX}{code}"),
            title: title.to_owned(),
            status,
            component: None,
            detail: None,
            expected: None,
            actual: None,
            clock_delta_ms: None,
            refusal: None,
        }
    }

    /// The code, such as `digest-mismatch`.
    pub fn code(&self) -> &str {
        self.kind.strip_prefix(TYPE_PREFIX).unwrap_or(&self.kind)
    }

    /// Whether the same message may be sent again later.
    pub fn is_temporary(&self) -> bool {
        matches!(self.code(), "in-flight" | "quota" | "shed" | "log-unavailable" | "peer-down" | FAULT)
    }

    /// The bytes of the answer.
    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads what a peer said.
    pub fn from_json(body: &[u8]) -> Result<Problem, Violation> {
        serde_json::from_slice(body).map_err(|error| Violation::new("schema", "problem", error.to_string()))
    }

    /// What the peer said, as an error of our own: its refusal, or what it found wrong with our message.
    pub fn into_error(self) -> Error {
        if let Some(refusal) = self.refusal {
            return refusal.into();
        }
        let code = self.code().to_owned();
        Violation::new(code, self.component.unwrap_or_default(), self.detail.unwrap_or(self.title)).into()
    }
}

/// What does not have the shape that was expected. Logs and receipts hold this text, so it quotes no value: what a
/// parser complains of may be somebody's number.
pub(crate) fn unfit(component: &'static str, error: &serde_json::Error) -> Violation {
    let said = error.to_string();
    let names_a_field =
        ["missing field", "unknown field", "duplicate field"].iter().any(|it| said.starts_with(it));
    let what = if names_a_field { said } else { format!("{:?} error", error.classify()).to_lowercase() };
    let at = if names_a_field {
        String::new()
    } else {
        format!(" at line {} column {}", error.line(), error.column())
    };
    Violation::new("schema", component, format!("{what}{at}"))
}

#[cfg(test)]
mod tests {
    use super::{Problem, mismatch, status, unfit};
    use tb_base::{Error, Fault, Refusal, Violation};

    #[track_caller]
    fn check(error: &Error, expected_status: u16, code: &str) -> Problem {
        let problem = Problem::of_error(error);
        assert_eq!((problem.status, problem.code()), (expected_status, code));
        let read = Problem::from_json(&problem.to_json()).unwrap();
        assert_eq!(read, problem);
        problem
    }

    #[test]
    fn what_does_not_fit_is_not_quoted() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields, rename_all = "snake_case")]
        enum Body {
            Count { n: u32 },
        }
        #[track_caller]
        fn check(text: &str, expected: &str) {
            let detail = match serde_json::from_str::<Body>(text) {
                Ok(Body::Count { n }) => panic!("{n} fits"),
                Err(error) => unfit("body", &error).to_string(),
            };
            assert!(detail.contains(expected) && !detail.contains("430302"), "{detail}");
        }
        check(r#"{"count":{"n":"430302198506158207"}}"#, "data error at line 1");
        check(r#"{"430302198506158207":{"n":1}}"#, "data error at line 1");
        check(r#"{"count":{}}"#, "missing field `n`");
        check(r#"{"count":{"n":430302"#, "eof error at line 1");
    }

    #[test]
    fn a_mismatch_is_taken_apart() {
        let violation = Violation::new("contract-stale", "tb-contract", mismatch("v2 aa", "v1 bb"));
        let problem = check(&violation.into(), 409, "contract-stale");
        assert_eq!(problem.expected.as_deref(), Some("v2 aa"));
        assert_eq!(problem.actual.as_deref(), Some("v1 bb"));
    }

    #[test]
    fn a_refusal_crosses_and_comes_back_as_itself() {
        let refusal =
            Refusal::not_now("TST-001", "已受理", "Already accepted").by("条例第 3 条").but("等待", "Wait");
        let problem = check(&refusal.clone().into(), 409, "refusal");
        let Error::Refused(back) = problem.into_error() else { panic!("it is a refusal") };
        assert_eq!(*back, refusal);
    }

    #[test]
    fn a_fault_shows_no_cause() {
        let problem = check(&Fault::new("reading /secret/path").into(), 503, "fault");
        assert!(problem.detail.is_none());
        assert!(problem.is_temporary());
    }

    #[test]
    fn codes_have_the_statuses_of_the_profile() {
        for (code, expected) in [
            ("grammar", 400),
            ("signature-coverage", 400),
            ("digest-mismatch", 400),
            ("signature-invalid", 400),
            ("key-unknown", 400),
            ("expired", 400),
            ("replay", 409),
            ("contract-stale", 409),
            ("in-flight", 409),
            ("fingerprint", 422),
            ("schema", 422),
            ("purpose", 403),
            ("grant", 403),
            ("quota", 429),
            ("shed", 503),
            ("peer-down", 504),
            ("log-unavailable", 503),
        ] {
            assert_eq!(status(code).0, expected, "{code}");
        }
    }
}
