//! Which PostgreSQL types a value may be bound to or read from.
//!
//! A text sent to a `jsonb` column in binary form is not JSON to the server, so everything but the four is refused.

use std::error::Error;

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::Value;

impl ToSql for Value {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match (self, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(number), &Type::INT8) => number.to_sql(kind, out),
            (Value::Float(number), &Type::FLOAT8) => number.to_sql(kind, out),
            (Value::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            (Value::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (value, kind) => Err(format!("{} is bound where the statement wants {kind}", word(value)).into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        is_bindable(kind)
    }

    to_sql_checked!();
}

/// The four types that parameters may have.
pub(crate) fn is_bindable(kind: &Type) -> bool {
    [Type::INT8, Type::FLOAT8, Type::TEXT, Type::BYTEA].contains(kind)
}

/// The types that columns of an answer may have; small integers and booleans come from literals and comparisons.
pub(crate) fn is_readable(kind: &Type) -> bool {
    is_bindable(kind) || [Type::INT4, Type::BOOL, Type::VARCHAR, Type::NAME].contains(kind)
}

/// Reads a column of a row.
pub(crate) fn value(row: &tokio_postgres::Row, at: usize) -> Result<Value, Box<dyn Error + Sync + Send>> {
    let kind = row.columns().get(at).map(tokio_postgres::Column::type_).ok_or("there is no such column")?;
    let value = match *kind {
        Type::INT8 => row.try_get::<_, Option<i64>>(at)?.map(Value::Int),
        Type::INT4 => row.try_get::<_, Option<i32>>(at)?.map(|number| Value::Int(i64::from(number))),
        Type::BOOL => row.try_get::<_, Option<bool>>(at)?.map(|is| Value::Int(i64::from(is))),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(at)?.map(Value::Float),
        Type::TEXT | Type::VARCHAR | Type::NAME => row.try_get::<_, Option<String>>(at)?.map(Value::Text),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(at)?.map(Value::Bytes),
        _ => return Err(format!("a column has the type {kind}; cast it, sums to BIGINT").into()),
    };
    Ok(value.unwrap_or(Value::Null))
}

fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL",
        Value::Int(_) => "a number",
        Value::Float(_) => "a float",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
    }
}
