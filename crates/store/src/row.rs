//! Rows that a statement gave back; reading a column never panics.

use std::str::FromStr;
use std::sync::Arc;

use tb_base::{Result, Timestamp, Violation};

use crate::Value;

/// A row: column names are shared by all rows of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    pub(crate) columns: Arc<[String]>,
    pub(crate) values: Vec<Value>,
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// The value, or nothing where the column holds something else.
    fn from_value(value: &Value) -> Option<Self>;
}

impl Row {
    /// A column as a number, text, bytes, time, boolean or `Option` of one; anything else is a violation.
    pub fn get<T: FromValue>(&self, column: &'static str) -> Result<T> {
        let at = self.columns.iter().position(|name| name == column);
        at.and_then(|at| self.values.get(at)).and_then(T::from_value).ok_or_else(|| {
            Violation::new("inconsistent", column, "the column is missing or of another type").into()
        })
    }

    /// A text column as a checked type: `row.parse::<CaseId>("id")`.
    pub fn parse<T: FromStr>(&self, column: &'static str) -> Result<T> {
        let text: String = self.get(column)?;
        text.parse().map_err(|_| Violation::new("inconsistent", column, "the text is not well formed").into())
    }

    /// The same for a column that may be NULL.
    pub fn parse_option<T: FromStr>(&self, column: &'static str) -> Result<Option<T>> {
        let text: Option<String> = self.get(column)?;
        text.map(|text| text.parse())
            .transpose()
            .map_err(|_| Violation::new("inconsistent", column, "the text is not well formed").into())
    }

    /// A JSON column as a value.
    pub fn json<T: serde::de::DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        let text: String = self.get(column)?;
        serde_json::from_str(&text)
            .map_err(|error| Violation::new("inconsistent", column, error.to_string()).into())
    }
}

impl FromValue for i64 {
    fn from_value(value: &Value) -> Option<i64> {
        match value {
            Value::Int(number) => Some(*number),
            Value::Null | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for u64 {
    fn from_value(value: &Value) -> Option<u64> {
        i64::from_value(value).and_then(|number| u64::try_from(number).ok())
    }
}

impl FromValue for u32 {
    fn from_value(value: &Value) -> Option<u32> {
        i64::from_value(value).and_then(|number| u32::try_from(number).ok())
    }
}

impl FromValue for u8 {
    fn from_value(value: &Value) -> Option<u8> {
        i64::from_value(value).and_then(|number| u8::try_from(number).ok())
    }
}

impl FromValue for bool {
    fn from_value(value: &Value) -> Option<bool> {
        match value {
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            Value::Int(_) | Value::Null | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for f64 {
    fn from_value(value: &Value) -> Option<f64> {
        match value {
            Value::Float(number) => Some(*number),
            Value::Null | Value::Int(_) | Value::Text(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: &Value) -> Option<Timestamp> {
        i64::from_value(value).map(Timestamp)
    }
}

impl FromValue for String {
    fn from_value(value: &Value) -> Option<String> {
        match value {
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Bytes(_) => None,
        }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Null | Value::Int(_) | Value::Float(_) | Value::Text(_) => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: &Value) -> Option<[u8; N]> {
        Vec::from_value(value).and_then(|bytes| bytes.try_into().ok())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: &Value) -> Option<Option<T>> {
        match value {
            Value::Null => Some(None),
            Value::Int(_) | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => {
                T::from_value(value).map(Some)
            }
        }
    }
}
