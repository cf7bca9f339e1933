//! Checked codes (编码): a value of these types has the right form and the right check digit.
//!
//! Invariant: the only way to make one is to parse it, and each parser says precisely what is wrong.
//! What needs a day or a table (`born_by`, a retired region prefix) takes it as an argument.

mod division;
mod licence;
mod register;
mod resident;
mod service;
mod uscc;

pub use division::{
    BadDivision, Division, DivisionCode, DivisionLevel, DivisionState, Divisions, PrefixWarning,
};
pub use licence::{BadLicenceOid, LicenceOid, Quality};
pub use register::{BadCustomsEntry, BadRealEstateUnit, CustomsDirection, CustomsEntryNo, RealEstateUnitNo};
pub use resident::{BadResidentId, ResidentId};
pub use service::{
    BadCaseNo, BadCatalogCode, BadHandleItem, BadProjectCode, BadResourceCode, BadTaskCode, CaseNo,
    CatalogCode, HandleItemCode, ProjectCode, ResourceCode, ResourceKind, TaskCode,
};
pub use uscc::{BadUscc, Registrar, Uscc};

/// Makes the reasons for which a text is no such code: each with a stable code and both languages.
///
/// Positions in the values count from 0, in the words from 1.
macro_rules! reasons {
    ($(#[$doc:meta])* pub enum $name:ident {$(
        $(#[$reason_doc:meta])*
        $reason:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),+ })? =>
            $code:literal, ($zh:literal $(, $zh_value:expr)*), ($en:literal $(, $en_value:expr)*);
    )+}) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {$(
            $(#[$reason_doc])*
            $reason $({ $($(#[$field_doc])* $field: $type),+ })?,
        )+}

        impl From<$name> for $crate::Refusal {
            fn from(reason: $name) -> $crate::Refusal {
                match reason {$(
                    $name::$reason $({ $($field),+ })? => $crate::Refusal::invalid(
                        $code, format!($zh $(, $zh_value)*), format!($en $(, $en_value)*),
                    ),
                )+}
            }
        }

        impl From<$name> for $crate::Error {
            fn from(reason: $name) -> $crate::Error {
                $crate::Refusal::from(reason).into()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&$crate::Refusal::from(*self), f)
            }
        }

        impl std::error::Error for $name {}

        #[cfg(test)]
        impl $name {
            /// The stable codes of all reasons, for the test that they are unique.
            pub(crate) const CODES: &[&str] = &[$($code),+];
        }
    };
}

/// Text in, text out: display, serde and conversion of a code that has `as_str` and `FromStr`.
macro_rules! as_text {
    ($name:ident, $reason:ident) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl TryFrom<String> for $name {
            type Error = $reason;

            fn try_from(text: String) -> Result<$name, $reason> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(code: $name) -> String {
                code.as_str().to_owned()
            }
        }
    };
}

/// Debug shows the code itself; not for codes that are personal data.
macro_rules! as_debug {
    ($name:ident) => {
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

/// A code of variable length, held as its checked text.
macro_rules! text_code {
    ($(#[$doc:meta])* $name:ident, $reason:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The code as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        as_text!($name, $reason);
        as_debug!($name);
    };
}

pub(crate) use {as_debug, as_text, reasons, text_code};

/// The place of the first letter that is not good.
pub(crate) fn first_bad(text: &str, good: impl Fn(u8) -> bool) -> Option<usize> {
    text.bytes().position(|letter| !good(letter))
}

/// A digit or a capital letter, as nearly every national code uses.
pub(crate) fn is_code_letter(letter: u8) -> bool {
    letter.is_ascii_digit() || letter.is_ascii_uppercase()
}

/// The part of an ASCII text between two places; empty where the text is shorter.
pub(crate) fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or("")
}

#[cfg(test)]
mod tests;
