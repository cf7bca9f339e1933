//! What can go wrong, in three words: the law refuses, the machine fails, a peer or a row is impossible.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The result of anything that may be refused or fail.
pub type Result<T> = std::result::Result<T, Error>;

/// One of the three ways to fail; see each.
#[derive(Debug)]
pub enum Error {
    /// The law or the state says no; shown to the person.
    Refused(Box<Refusal>),
    /// The machine failed; may be retried.
    Fault(Fault),
    /// A peer broke the protocol, or a stored row cannot be; audited, never retried.
    Violation(Violation),
}

/// How a refusal is to be understood, and which HTTP status a peer gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// What was sent is not well formed (422).
    Invalid,
    /// This actor may not do this (403).
    NotAllowed,
    /// Not possible in the present state; may be later (409).
    NotNow,
    /// Somebody else was first (409).
    Conflict,
    /// It does not exist, or is no longer there (404).
    Gone,
}

/// A refusal (不予办理的理由): code, ground and way out, in words that can be said aloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code, such as `CAS-ACC-002`.
    pub code: Cow<'static, str>,
    /// How to understand it.
    pub class: Class,
    /// The field of a form that it belongs to, if one.
    pub field: Option<Cow<'static, str>>,
    /// What is wrong, in Chinese.
    pub zh: Cow<'static, str>,
    /// The same in English.
    pub en: Cow<'static, str>,
    /// Law and article (法律依据), where there is one.
    pub basis: Option<Cow<'static, str>>,
    /// What the person can do now (救济途径或下一步), Chinese then English.
    pub way_out: Option<(Cow<'static, str>, Cow<'static, str>)>,
}

impl Refusal {
    /// A refusal of a class, with its words in both languages.
    pub fn new(
        class: Class,
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal {
            code: code.into(),
            class,
            field: None,
            zh: zh.into(),
            en: en.into(),
            basis: None,
            way_out: None,
        }
    }

    /// What was sent is not well formed.
    pub fn invalid(
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal::new(Class::Invalid, code, zh, en)
    }

    /// This actor may not do this.
    pub fn not_allowed(
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal::new(Class::NotAllowed, code, zh, en)
    }

    /// Not possible in the present state.
    pub fn not_now(
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal::new(Class::NotNow, code, zh, en)
    }

    /// Somebody else was first.
    pub fn conflict(
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal::new(Class::Conflict, code, zh, en)
    }

    /// It is not there.
    pub fn gone(
        code: &'static str,
        zh: impl Into<Cow<'static, str>>,
        en: impl Into<Cow<'static, str>>,
    ) -> Refusal {
        Refusal::new(Class::Gone, code, zh, en)
    }

    /// Names the field of the form.
    #[must_use]
    pub fn on(mut self, field: impl Into<Cow<'static, str>>) -> Refusal {
        self.field = Some(field.into());
        self
    }

    /// Names law and article.
    #[must_use]
    pub fn by(mut self, basis: impl Into<Cow<'static, str>>) -> Refusal {
        self.basis = Some(basis.into());
        self
    }

    /// Names the way out, in both languages.
    #[must_use]
    pub fn but(mut self, zh: impl Into<Cow<'static, str>>, en: impl Into<Cow<'static, str>>) -> Refusal {
        self.way_out = Some((zh.into(), en.into()));
        self
    }
}

/// The machine failed (故障): says what it was doing; the cause goes to the log, never to a page.
pub struct Fault {
    doing: Cow<'static, str>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Whether the outcome is unknown: the commit was sent and no answer came back.
    pub unknown: bool,
}

impl Fault {
    /// A fault without a deeper cause.
    pub fn new(doing: impl Into<Cow<'static, str>>) -> Fault {
        Fault { doing: doing.into(), cause: None, unknown: false }
    }

    /// A fault with its cause.
    pub fn of(
        doing: impl Into<Cow<'static, str>>,
        cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Fault {
        Fault { doing: doing.into(), cause: Some(cause.into()), unknown: false }
    }

    /// Marks that nobody knows whether the write took effect; it must not be run again.
    #[must_use]
    pub fn unknown(mut self) -> Fault {
        self.unknown = true;
        self
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "while {}", self.doing)?;
        let mut cause = self.cause.as_ref().map(|cause| &**cause as &dyn std::error::Error);
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

/// A peer broke the protocol or a stored row is impossible (违规): always audited, never retried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Stable code, such as `signature-invalid`.
    pub code: Cow<'static, str>,
    /// The part of the message or the table that is wrong.
    pub component: Cow<'static, str>,
    /// What was expected and what was there; holds no personal data.
    pub detail: Cow<'static, str>,
}

impl Violation {
    /// A violation with the component that broke the rule.
    pub fn new(
        code: impl Into<Cow<'static, str>>,
        component: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Violation {
        Violation { code: code.into(), component: component.into(), detail: detail.into() }
    }

    /// A stored row that fits no variant of its type.
    pub fn inconsistent(table: &'static str, row: impl fmt::Display) -> Violation {
        Violation::new("inconsistent", table, format!("row {row} fits no state"))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.zh)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}: {}", self.code, self.component, self.detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Refused(refusal) => write!(f, "refused: {refusal}"),
            Error::Fault(fault) => write!(f, "fault {fault}"),
            Error::Violation(violation) => write!(f, "violation: {violation}"),
        }
    }
}

impl std::error::Error for Refusal {}
impl std::error::Error for Fault {}
impl std::error::Error for Violation {}
impl std::error::Error for Error {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Error {
        Error::Refused(Box::new(refusal))
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        Error::Fault(fault)
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Error {
        Error::Violation(violation)
    }
}
