//! Canonical JSON (规范化编码): one value has one text, so that it can be hashed and signed.
//!
//! RFC 8785 for values without fractions: keys sorted by their UTF-16 code units, no spaces, shortest escapes,
//! integers that every JSON reader keeps exactly (RFC 7493 §2.2). Fractions are refused: amounts are counted in cents.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Number, Value};
use tb_base::Violation;

/// Deepest nesting of lists and objects.
pub const CANONICAL_DEPTH_MAX: usize = 64;
/// Largest integer, positive or negative: 2⁵³−1 (RFC 7493 §2.2).
pub const CANONICAL_INTEGER_MAX: u64 = (1 << 53) - 1;

/// The canonical text of a value, as bytes.
pub fn canonical(value: &impl Serialize) -> tb_base::Result<Vec<u8>> {
    let value = serde_json::to_value(value).map_err(|error| bad(error.to_string()))?;
    let mut text = Vec::new();
    write(&value, CANONICAL_DEPTH_MAX, &mut text)?;
    Ok(text)
}

/// A value from its canonical text; any other spelling, unknown order or doubled key is refused.
pub fn from_canonical<T: DeserializeOwned + Serialize>(bytes: &[u8]) -> tb_base::Result<T> {
    let value = serde_json::from_slice(bytes).map_err(|error| bad(error.to_string()))?;
    if canonical(&value)? == bytes {
        return Ok(value);
    }
    Err(bad("the text is not the canonical one of its value").into())
}

fn write(value: &Value, depth_left: usize, text: &mut Vec<u8>) -> Result<(), Violation> {
    match value {
        Value::Null => text.extend_from_slice(b"null"),
        Value::Bool(true) => text.extend_from_slice(b"true"),
        Value::Bool(false) => text.extend_from_slice(b"false"),
        Value::Number(number) => write_integer(number, text)?,
        Value::String(string) => write_string(string, text)?,
        Value::Array(items) => {
            let depth_left = deeper(depth_left)?;
            text.push(b'[');
            for (at, item) in items.iter().enumerate() {
                separate(at, text);
                write(item, depth_left, text)?;
            }
            text.push(b']');
        }
        Value::Object(fields) => {
            let depth_left = deeper(depth_left)?;
            let mut fields: Vec<_> = fields.iter().collect();
            // Not the map's own order: that depends on features of the JSON library.
            fields.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            text.push(b'{');
            for (at, (key, field)) in fields.into_iter().enumerate() {
                separate(at, text);
                write_string(key, text)?;
                text.push(b':');
                write(field, depth_left, text)?;
            }
            text.push(b'}');
        }
    }
    Ok(())
}

fn deeper(depth_left: usize) -> Result<usize, Violation> {
    depth_left.checked_sub(1).ok_or_else(|| bad(format!("nested deeper than {CANONICAL_DEPTH_MAX}")))
}

fn separate(at: usize, text: &mut Vec<u8>) {
    if 0 < at {
        text.push(b',');
    }
}

fn write_integer(number: &Number, text: &mut Vec<u8>) -> Result<(), Violation> {
    let size = number.as_i64().map(i64::unsigned_abs).or_else(|| number.as_u64());
    match size {
        Some(size) if size <= CANONICAL_INTEGER_MAX => text.extend_from_slice(number.to_string().as_bytes()),
        Some(_) => return Err(bad("an integer is beyond 2^53-1")),
        None => return Err(bad("a number is not an integer")),
    }
    Ok(())
}

/// serde_json escapes what RFC 8785 §3.2.2.2 escapes, and nothing else.
fn write_string(string: &str, text: &mut Vec<u8>) -> Result<(), Violation> {
    serde_json::to_writer(text, string).map_err(|error| bad(error.to_string()))
}

fn bad(detail: impl Into<std::borrow::Cow<'static, str>>) -> Violation {
    Violation::new("canonical-invalid", "json", detail)
}

#[cfg(test)]
mod tests;
