//! Fields of a message (报文字段): strict reading of RFC 9651 values, one spelling for each.
//!
//! The parser takes the last of two equal keys, as its standard says. Here a doubled field, key or parameter is
//! refused: a value must be written exactly as it would be written again.

use sfv::{BareItem, Dictionary, FieldType, Item, ListEntry, Parser};
use tb_base::Violation;

/// How many fields a message may have, those of the transport included.
pub const FIELDS_MAX: usize = 64;
/// The longest value of a field.
pub const FIELD_BYTES_MAX: usize = 8_192;
/// Fields beside `tb-*` that may stand only once.
const SINGLE: [&str; 6] =
    ["content-type", "content-digest", "idempotency-key", "signature", "signature-input", "content-encoding"];

type Checked<T> = Result<T, Violation>;

pub(crate) fn grammar(component: impl Into<String>, detail: impl Into<String>) -> Violation {
    Violation::new("grammar", component.into(), detail.into())
}

/// Refuses doubled singletons, unknown `tb-` fields, coded contents, and values that are no text.
pub(crate) fn check_names(fields: &[(String, String)], known: &[&str]) -> Checked<()> {
    if FIELDS_MAX < fields.len() {
        return Err(grammar("fields", format!("{} fields, {FIELDS_MAX} at the most", fields.len())));
    }
    for (at, (name, value)) in fields.iter().enumerate() {
        let name = name.to_ascii_lowercase();
        let ours = name.starts_with("tb-");
        if ours && !known.contains(&name.as_str()) {
            return Err(grammar(name, "this field is not known"));
        }
        if !ours && !SINGLE.contains(&name.as_str()) {
            continue;
        }
        if name == "content-encoding" {
            return Err(grammar(name, "contents travel uncoded between nodes"));
        }
        if fields[..at].iter().any(|(earlier, _)| earlier.eq_ignore_ascii_case(&name)) {
            return Err(grammar(name, "the field stands twice"));
        }
        check_value(&name, value)?;
    }
    Ok(())
}

fn check_value(name: &str, value: &str) -> Checked<()> {
    if FIELD_BYTES_MAX < value.len() {
        return Err(grammar(name, format!("{} bytes, {FIELD_BYTES_MAX} at the most", value.len())));
    }
    if value.trim().is_empty() {
        return Err(grammar(name, "the field is empty"));
    }
    if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return Err(grammar(name, "only printable ASCII may stand here"));
    }
    Ok(())
}

/// The value of a field without the spaces around it (RFC 9421 §2.1).
pub(crate) fn find<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

/// The value of a field that must be there: one that is missing cannot be covered.
pub(crate) fn need<'a>(fields: &'a [(String, String)], name: &str) -> Checked<&'a str> {
    find(fields, name)
        .ok_or_else(|| Violation::new("signature-coverage", name.to_owned(), "the field is missing"))
}

/// An item in its one spelling.
pub(crate) fn item(name: &str, value: &str) -> Checked<Item> {
    let item: Item = Parser::new(value).parse().map_err(|error| grammar(name, error.to_string()))?;
    if item.serialize() == value {
        Ok(item)
    } else {
        Err(grammar(name, "the value is not in its one spelling"))
    }
}

/// A dictionary in its one spelling.
pub(crate) fn dictionary(name: &str, value: &str) -> Checked<Dictionary> {
    let members: Dictionary = Parser::new(value).parse().map_err(|error| grammar(name, error.to_string()))?;
    if members.serialize().as_deref() == Some(value) {
        return Ok(members);
    }
    Err(grammar(name, "the value is not in its one spelling, or a key stands twice"))
}

/// A string item with nothing but the parameters named.
pub(crate) fn string_with(name: &str, value: &str, params: &[&str]) -> Checked<(String, Item)> {
    let item = item(name, value)?;
    if let Some(unknown) = item.params.keys().find(|key| !params.contains(&key.as_str())) {
        return Err(grammar(format!("{name};{unknown}"), "this parameter is not known"));
    }
    let text =
        item.bare_item.as_string().ok_or_else(|| grammar(name, "a string is expected"))?.as_str().to_owned();
    Ok((text, item))
}

/// A string item without parameters.
pub(crate) fn string(name: &str, value: &str) -> Checked<String> {
    string_with(name, value, &[]).map(|(text, _)| text)
}

/// A parameter of an item.
pub(crate) fn param<'a>(name: &str, item: &'a Item, key: &str) -> Checked<&'a BareItem> {
    item.params.get(key).ok_or_else(|| grammar(format!("{name};{key}"), "the parameter is missing"))
}

/// A byte sequence that a dictionary holds under a key.
pub(crate) fn bytes_member<'a>(name: &str, members: &'a Dictionary, key: &str) -> Checked<&'a [u8]> {
    match members.get(key) {
        Some(ListEntry::Item(item)) if item.params.is_empty() => item
            .bare_item
            .as_byte_sequence()
            .ok_or_else(|| grammar(format!("{name};{key}"), "a byte sequence is expected")),
        Some(_) => Err(grammar(format!("{name};{key}"), "a bare byte sequence is expected")),
        None => Err(grammar(format!("{name};{key}"), "the member is missing")),
    }
}

/// A string as RFC 9651 writes it; the caller has made sure that it is printable ASCII.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A byte sequence as RFC 9651 writes it.
pub(crate) fn byte_sequence(bytes: &[u8]) -> String {
    format!(":{}:", tb_crypto::text::base64(bytes))
}

/// The digest that `content-digest` states, checked against the content where that is at hand (RFC 9530).
///
/// `sha-256` must stand there, `sm3` may; other algorithms are left aside.
pub(crate) fn content_digest(fields: &[(String, String)], content: Option<&[u8]>) -> Checked<[u8; 32]> {
    const NAME: &str = "content-digest";
    let members = dictionary(NAME, need(fields, NAME)?)?;
    let stated = bytes_member(NAME, &members, "sha-256")?;
    if let Some(content) = content {
        check_digest("sha-256", stated, tb_crypto::sha256(content))?;
        if members.contains_key("sm3") {
            check_digest("sm3", bytes_member(NAME, &members, "sm3")?, tb_crypto::sm3(content))?;
        }
    }
    stated.try_into().map_err(|_| grammar(NAME, "a SHA-256 digest has 32 bytes"))
}

fn check_digest(algorithm: &str, stated: &[u8], actual: [u8; 32]) -> Checked<()> {
    if stated == actual {
        return Ok(());
    }
    let detail = crate::problem::mismatch(&byte_sequence(stated), &byte_sequence(&actual));
    Err(Violation::new("digest-mismatch", format!("content-digest;{algorithm}"), detail))
}
