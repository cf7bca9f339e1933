//! Texts in two languages and the places of a case.

use serde::{Deserialize, Serialize};
use tb_base::{NodeId, OfficeId};

/// A text in both languages of the interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// In Chinese, the binding one.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Text {
    /// A text from its two halves.
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Text {
        Text { zh: zh.into(), en: en.into() }
    }
}

/// A place that a case passes (经办单位): an office of a city, with the name that both cities show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The city.
    pub city: NodeId,
    /// The office within it.
    pub office: OfficeId,
    /// Its name.
    pub name: Text,
}
