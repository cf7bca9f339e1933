//! Checking a bundle as a whole (整包验证): encoding, signatures of the parts, one trust list.

use serde_json::Value;
use tb_crypto::text;

use super::{BUNDLE_BYTES_MAX, ENTRIES_MAX, FORMAT, Origin, Part, Report, part, signed_text};
use crate::keys::KeyUse;
use crate::{CITIES_MAX, SignedTrustList};

/// How the report names what belongs to no part.
const WHOLE: &str = "bundle";
/// What a part begins with; no text inside one can contain it unescaped.
const PART_START: &[u8] = b"{\"body\":";

/// Checks a bundle. With a trust list from elsewhere also that it is of that region.
///
/// Everything is checked even after a failure, as far as the text can be read; the report names each.
pub fn verify(bytes: &[u8], trust: Option<&[u8]>) -> Report {
    let mut report = Report::new();
    let Some(value) = report.note(WHOLE, "size", check_size(bytes)).and_then(|()| read(&mut report, bytes))
    else {
        return report;
    };
    let Some(parts) = report.note(WHOLE, "shape", shape(&value)) else { return report };
    let parts: Vec<Part> =
        parts.iter().enumerate().filter_map(|(at, part)| open(&mut report, at, part)).collect();
    check_order(&mut report, &parts);
    if !check_trust(&mut report, &parts, trust) {
        return report;
    }
    let (mut seen, mut chains) = (part::Seen::new(), part::Chains::new());
    for one in &parts {
        part::check(&mut report, one, &mut seen, &mut chains);
    }
    part::check_chains(&mut report, chains);
    report.paired = seen.values().filter(|nodes| 1 < nodes.len()).count();
    report
}

fn check_size(bytes: &[u8]) -> Result<((), String), String> {
    if bytes.len() <= BUNDLE_BYTES_MAX {
        return Ok(((), format!("{} bytes", bytes.len())));
    }
    Err(format!("{} bytes, {BUNDLE_BYTES_MAX} at the most", bytes.len()))
}

/// The value of the text, if the text is the one encoding of it; else the part in which it is not is named.
fn read(report: &mut Report, bytes: &[u8]) -> Option<Value> {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => {
            // A bundle is one line, so the column is the place.
            let at = error.column().saturating_sub(1);
            // A text that does not end is noticed where the next part begins: the part before is named.
            let part = place(bytes, at.saturating_sub(PART_START.len()));
            return report.note(&part, "encoding", Err(format!("not JSON at byte {at}: {error}")));
        }
    };
    let canonical = match tb_crypto::canonical(&value) {
        Ok(canonical) => canonical,
        Err(error) => return report.note(WHOLE, "encoding", Err(error.to_string())),
    };
    if canonical == bytes {
        return report.note(WHOLE, "encoding", Ok((value, "the one canonical encoding".to_owned())));
    }
    let at = canonical.iter().zip(bytes).position(|(one, other)| one != other);
    let at = at.unwrap_or_else(|| canonical.len().min(bytes.len()));
    report.note(&place(bytes, at), "encoding", Err(format!("not the canonical encoding at byte {at}")))
}

/// Which part a byte lies in: the number of parts that begin there or before.
fn place(bytes: &[u8], at: usize) -> String {
    let starts = bytes.windows(PART_START.len()).take(at.saturating_add(1));
    match starts.filter(|window| *window == PART_START).count() {
        0 => WHOLE.to_owned(),
        count => format!("part {count}"),
    }
}

fn shape(value: &Value) -> Result<(&Vec<Value>, String), String> {
    let object = value.as_object().ok_or("it is no object")?;
    if !object.keys().map(String::as_str).eq(["format", "parts"]) {
        return Err("it must have the members format and parts, and no other".to_owned());
    }
    if object.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(format!("the format is not {FORMAT}"));
    }
    let parts = object.get("parts").and_then(Value::as_array).ok_or("parts is no list")?;
    if parts.is_empty() || CITIES_MAX < parts.len() {
        return Err(format!("it has {} parts, 1 to {CITIES_MAX} are allowed", parts.len()));
    }
    Ok((parts, format!("{} parts", parts.len())))
}

/// Checks form and signature of a part; gives it if both hold.
fn open(report: &mut Report, at: usize, value: &Value) -> Option<Part> {
    // A part is called by its city once both places where it names one agree.
    let node = value.get("node").and_then(Value::as_str);
    let agreed = node.filter(|node| value.pointer("/body/node").and_then(Value::as_str) == Some(*node));
    let name = agreed.map_or_else(|| format!("part {}", at + 1), str::to_owned);
    let part = report.note(&name, "form", form(value))?;
    let signature = value.get("signature").and_then(Value::as_str).unwrap_or_default();
    report.note(&name, "signature", check_signature(&part, signature))?;
    report.parts.push(part.node);
    Some(part)
}

/// A part of the known shape; unknown, missing or doubled members are refused.
fn form(value: &Value) -> Result<(Part, String), String> {
    let object = value.as_object().ok_or("it is no object")?;
    if !object.keys().map(String::as_str).eq(["body", "node", "signature"]) {
        return Err("it must have the members body, node and signature, and no other".to_owned());
    }
    let body = object.get("body").ok_or("it has no body")?;
    let part: Part = serde_json::from_value(body.clone()).map_err(|error| error.to_string())?;
    let same = tb_crypto::canonical(&part).ok() == tb_crypto::canonical(body).ok();
    if !same {
        return Err("it holds members that are not known here".to_owned());
    }
    if object.get("node").and_then(Value::as_str) != Some(part.node.as_str()) {
        return Err(format!("its body is of {}", part.node));
    }
    let lists =
        [part.leaves.len(), part.messages.len(), part.looks.len(), part.cases.len(), part.licences.len()];
    if lists.iter().any(|length| ENTRIES_MAX < *length) || ENTRIES_MAX < part.contracts.len() {
        return Err(format!("a list has more than {ENTRIES_MAX} entries"));
    }
    Ok((part, "known members only".to_owned()))
}

fn check_signature(part: &Part, signature: &str) -> Result<((), String), String> {
    let city = part.trust.list.known(part.node).ok_or("the city is not in its trust list")?;
    let body = tb_crypto::canonical(part).map_err(|error| error.to_string())?;
    let bytes = text::unbase64(signature).map_err(|_| "the signature is not base64")?;
    city.verify_at(KeyUse::Message, part.made_at, &signed_text(&body), &bytes)
        .map_err(|_| "the part was changed or is not of that city")?;
    Ok(((), format!("by the message key of {}", part.node)))
}

fn check_order(report: &mut Report, parts: &[Part]) {
    if parts.windows(2).all(|pair| pair[0].node < pair[1].node) {
        return;
    }
    let _: Option<()> =
        report.note(WHOLE, "order", Err("parts are not in the order of their cities".to_owned()));
}

/// One trust list for all parts, validly signed; the same as the one handed in, if one was.
fn check_trust(report: &mut Report, parts: &[Part], trust: Option<&[u8]>) -> bool {
    let Some(first) = parts.first() else { return false };
    let known = match trust.map(read_trust).transpose() {
        Ok(known) => known,
        Err(detail) => {
            let _: Option<()> = report.note("trust", "trust list handed in", Err(detail));
            return false;
        }
    };
    let expected = known.as_ref().unwrap_or(&first.trust);
    if let Some(fingerprint) = report.note(first.node.as_str(), "trust list", check_list(&first.trust)) {
        report.fingerprint = fingerprint;
    }
    let mut same = true;
    for part in parts {
        if part.trust.list != expected.list || part.trust.verify_signatures().is_err() {
            let from = if known.is_some() { "the one handed in" } else { "that of the first part" };
            let _: Option<()> = report.note(
                part.node.as_str(),
                "one trust list",
                Err(format!("its trust list is not {from}")),
            );
            same = false;
        }
    }
    if same && known.is_some() {
        report.origin = Origin::Proven;
        report.note(WHOLE, "origin", Ok(((), "its trust list is the one handed in".to_owned())));
    }
    same && report.ok
}

fn read_trust(bytes: &[u8]) -> Result<SignedTrustList, String> {
    let list: SignedTrustList = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    list.verify_signatures().map_err(|error| error.to_string())?;
    Ok(list)
}

fn check_list(trust: &SignedTrustList) -> Result<(String, String), String> {
    trust.verify_signatures().map_err(|error| error.to_string())?;
    let fingerprint = trust.list.fingerprint().map_err(|error| error.to_string())?;
    let detail = format!(
        "region {} version {}, {} of {} signatures, fingerprint {fingerprint}",
        trust.list.region,
        trust.list.version,
        trust.signatures.len(),
        trust.list.cities.len()
    );
    Ok((fingerprint, detail))
}
