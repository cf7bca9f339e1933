//! Requests (请求): signing what the desk composed, checking what arrived.

use sfv::Item;
use tb_base::{NodeId, Result, Timestamp, Violation};
use tb_crypto::text;

use super::fields::{
    byte_sequence, check_names, content_digest, find, grammar, item, need, param, quoted, string, string_with,
};
use super::signature::{self, Line, NONCE_BYTES, Nonce, Valid};
use super::{CheckedRequest, JSON_TYPE, Profile, RequestEvidence, SignedRequest};
use crate::keys::Secrets;
use crate::{BODY_BYTES_MAX, ContractRef, Desk, Envelope, Incoming, Outgoing, Pseudonym, Purpose, TrustList};

/// What every path of the protocol starts with.
pub const PATH_PREFIX: &str = "/x/v1/";
/// The longest path.
const PATH_BYTES_MAX: usize = 256;
/// The fields of the head, in the order in which they are covered; all but the subject must be there.
const HEAD: [&str; 11] = [
    "content-type",
    "content-digest",
    "tb-message-id",
    "tb-from",
    "tb-to",
    "tb-contract",
    "tb-purpose",
    "tb-actor",
    "tb-subject",
    "tb-deadline",
    "idempotency-key",
];

/// The path of a message: `/x/v1/{to}/{from}/{service}`.
pub fn path(envelope: &Envelope) -> String {
    format!("{PATH_PREFIX}{}/{}/{}", envelope.to, envelope.from, envelope.service)
}

/// Signs a message with Ed25519.
pub fn sign_request(
    message: &Outgoing,
    secrets: &Secrets,
    desk: &Desk,
    now: Timestamp,
    nonce: [u8; NONCE_BYTES],
) -> Result<SignedRequest> {
    sign_request_with(Profile::Ed25519, message, secrets, desk, now, nonce)
}

/// Signs a message with the keys of a profile.
pub fn sign_request_with(
    profile: Profile,
    message: &Outgoing,
    secrets: &Secrets,
    desk: &Desk,
    now: Timestamp,
    nonce: [u8; NONCE_BYTES],
) -> Result<SignedRequest> {
    if message.envelope.from != desk.me {
        let detail = crate::problem::mismatch(desk.me.as_str(), message.envelope.from.as_str());
        return Err(Violation::new("audience", "tb-from", detail).into());
    }
    let path = path(&message.envelope);
    let mut fields = head(&message.envelope, &message.body, profile)?;
    let lines = lines("POST", &path, &fields);
    let (signatures, base_hash) =
        signature::sign(&lines, desk.me, secrets, profile, now, Some(&text::base64url(&nonce)));
    fields.extend(signatures);
    Ok(SignedRequest { method: "POST".to_owned(), path, fields, body: message.body.clone(), base_hash })
}

/// The digest field of a body.
pub(crate) fn digest_field(body: &[u8], profile: Profile) -> String {
    let sha256 = format!("sha-256={}", byte_sequence(&tb_crypto::sha256(body)));
    match profile {
        Profile::Ed25519 => sha256,
        Profile::Both => format!("{sha256}, sm3={}", byte_sequence(&tb_crypto::sm3(body))),
    }
}

fn head(envelope: &Envelope, body: &[u8], profile: Profile) -> Result<Vec<(String, String)>> {
    let contract = &envelope.contract;
    let hash = byte_sequence(&text::unhex(&contract.hash)?);
    let purpose = &envelope.purpose;
    let case = purpose.case.map_or(String::new(), |case| format!(";case={}", quoted(case.as_str())));
    let id = quoted(envelope.id.as_str());
    let mut fields = vec![
        ("content-type", JSON_TYPE.to_owned()),
        ("content-digest", digest_field(body, profile)),
        ("tb-message-id", id.clone()),
        ("tb-from", quoted(envelope.from.as_str())),
        ("tb-to", quoted(envelope.to.as_str())),
        ("tb-contract", format!("{};v={};h={hash}", quoted(contract.id.as_str()), contract.version)),
        ("tb-purpose", format!("{}{case};basis={}", quoted(&purpose.item), quoted(&purpose.basis))),
        ("tb-actor", quoted(&envelope.actor)),
    ];
    if let Some(subject) = &envelope.subject {
        fields.push(("tb-subject", byte_sequence(&subject.0)));
    }
    fields.push(("tb-deadline", format!("@{}", envelope.deadline.seconds())));
    fields.push(("idempotency-key", id));
    Ok(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// The components that are covered: a request has no query, and says so.
fn lines(method: &str, path: &str, fields: &[(String, String)]) -> Vec<Line> {
    let mut lines = vec![Line::own("@method", method), Line::own("@path", path), Line::own("@query", "?")];
    lines.extend(HEAD.iter().filter_map(|name| find(fields, name).map(|value| Line::own(name, value))));
    lines
}

/// Checks everything about a request: form, digest, signature, time, audience, contract and purpose.
///
/// What it cannot know is left to the caller: whether the nonce or the message id was seen before, and the quota.
pub fn verify_request(
    desk: &Desk,
    method: &str,
    path: &str,
    fields: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> std::result::Result<Incoming, Violation> {
    let trust = desk.trust();
    let checked = check_request(&trust.list, method, path, fields, Some(body))?;
    signature::check_clock(checked.created, checked.expires, now)?;
    desk.check_admission(&checked.envelope, now)?;
    let evidence = serde_json::to_value(&checked.evidence)
        .map_err(|error| Violation::new("inconsistent", "evidence", error.to_string()))?;
    Ok(Incoming {
        envelope: checked.envelope,
        body: body.to_vec(),
        at: now,
        base_hash: checked.base_hash,
        evidence,
    })
}

/// Checks what of a request does not depend on the day and on who reads it: form, digest and signature.
///
/// Without a body the digest is taken as signed: that is how evidence is checked when the content stays at home.
pub fn check_request(
    trust: &TrustList,
    method: &str,
    path: &str,
    fields: &[(String, String)],
    body: Option<&[u8]>,
) -> std::result::Result<CheckedRequest, Violation> {
    if let Some(body) = body.filter(|body| BODY_BYTES_MAX < body.len()) {
        let detail =
            crate::problem::mismatch(&format!("at most {BODY_BYTES_MAX} bytes"), &body.len().to_string());
        return Err(Violation::new("too-large", "body", detail));
    }
    if method != "POST" {
        return Err(grammar("@method", "only POST is known"));
    }
    check_names(fields, &HEAD)?;
    let (to, from, service) = read_path(path)?;
    for name in HEAD.iter().filter(|name| **name != "tb-subject") {
        need(fields, name)?;
    }
    let envelope = read_head(fields, to, from, service)?;
    let content = content_digest(fields, body)?;
    let lines = lines(method, path, fields);
    let Valid { params, base_hash } = signature::verify(fields, &lines, trust, envelope.from, Nonce::Needed)?;
    Ok(CheckedRequest {
        envelope,
        base_hash,
        content,
        created: params.created,
        expires: params.expires,
        nonce: params.nonce.unwrap_or_default(),
        evidence: RequestEvidence {
            method: method.to_owned(),
            path: path.to_owned(),
            fields: kept(fields, &HEAD),
        },
    })
}

/// The covered fields and the signatures, in a fixed order and by lower-case name.
pub(crate) fn kept(fields: &[(String, String)], head: &[&str]) -> Vec<(String, String)> {
    head.iter()
        .chain(&["signature-input", "signature"])
        .filter_map(|name| find(fields, name).map(|value| ((*name).to_owned(), value.to_owned())))
        .collect()
}

/// Takes a path apart; only letters that need no coding may stand in one.
pub(crate) fn read_path(path: &str) -> std::result::Result<(NodeId, NodeId, String), Violation> {
    let bad = |detail: &str| grammar("@path", detail);
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_/".contains(&byte);
    if PATH_BYTES_MAX < path.len() || !path.bytes().all(good) {
        return Err(bad("only lower-case letters, digits, - _ and / may stand here, and no query"));
    }
    let rest = path.strip_prefix(PATH_PREFIX).ok_or_else(|| bad("it does not start with /x/v1/"))?;
    let parts: Vec<&str> = rest.split('/').collect();
    let [to, from, service, major, method] = parts[..] else {
        return Err(bad("it is not /x/v1/{to}/{from}/{service}/{major}/{method}"));
    };
    if service.is_empty()
        || method.is_empty()
        || major.is_empty()
        || !major.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(bad("the service is not {service}/{major}/{method}"));
    }
    let node = |text: &str| text.parse().map_err(|_| bad("a city is named by six digits"));
    Ok((node(to)?, node(from)?, format!("{service}/{major}/{method}")))
}

fn read_head(
    fields: &[(String, String)],
    to: NodeId,
    from: NodeId,
    service: String,
) -> std::result::Result<Envelope, Violation> {
    if need(fields, "content-type")? != JSON_TYPE {
        return Err(grammar("content-type", format!("only {JSON_TYPE} travels")));
    }
    let id = string("tb-message-id", need(fields, "tb-message-id")?)?;
    if string("idempotency-key", need(fields, "idempotency-key")?)? != id {
        return Err(grammar("idempotency-key", "it is not the message id"));
    }
    for (name, in_path) in [("tb-to", to), ("tb-from", from)] {
        let said: NodeId = string(name, need(fields, name)?)?
            .parse()
            .map_err(|_| grammar(name, "a city is named by six digits"))?;
        if said != in_path {
            let detail = crate::problem::mismatch(said.as_str(), in_path.as_str());
            return Err(Violation::new("audience", "@path", detail));
        }
    }
    Ok(Envelope {
        id: id.parse().map_err(|_| grammar("tb-message-id", "it is no message id"))?,
        from,
        to,
        service,
        contract: read_contract(need(fields, "tb-contract")?)?,
        purpose: read_purpose(need(fields, "tb-purpose")?)?,
        actor: string("tb-actor", need(fields, "tb-actor")?)?,
        subject: find(fields, "tb-subject").map(read_subject).transpose()?,
        deadline: read_deadline(need(fields, "tb-deadline")?)?,
    })
}

fn read_contract(value: &str) -> std::result::Result<ContractRef, Violation> {
    const NAME: &str = "tb-contract";
    let (id, item) = string_with(NAME, value, &["v", "h"])?;
    let version =
        param(NAME, &item, "v")?.as_integer().and_then(|number| u32::try_from(i64::from(number)).ok());
    let hash = param(NAME, &item, "h")?.as_byte_sequence().filter(|hash| hash.len() == 32);
    Ok(ContractRef {
        id: id.parse().map_err(|_| grammar(NAME, "it is no contract id"))?,
        version: version.ok_or_else(|| grammar("tb-contract;v", "a version is expected"))?,
        hash: text::hex(hash.ok_or_else(|| grammar("tb-contract;h", "a SHA-256 hash is expected"))?),
    })
}

fn read_purpose(value: &str) -> std::result::Result<Purpose, Violation> {
    const NAME: &str = "tb-purpose";
    let (item, parsed) = string_with(NAME, value, &["case", "basis"])?;
    let text = |parsed: &Item, key: &str| {
        let value = param(NAME, parsed, key)?.as_string().map(|text| text.as_str().to_owned());
        value.ok_or_else(|| grammar(format!("{NAME};{key}"), "a string is expected"))
    };
    let case = if parsed.params.contains_key("case") {
        let case = text(&parsed, "case")?.parse();
        Some(case.map_err(|_| grammar("tb-purpose;case", "it is no case id"))?)
    } else {
        None
    };
    Ok(Purpose { item, case, basis: text(&parsed, "basis")? })
}

fn read_subject(value: &str) -> std::result::Result<Pseudonym, Violation> {
    let item = item("tb-subject", value)?;
    let bytes = item.bare_item.as_byte_sequence().filter(|_| item.params.is_empty());
    let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
    bytes.map(Pseudonym).ok_or_else(|| grammar("tb-subject", "a pseudonym has 32 bytes"))
}

fn read_deadline(value: &str) -> std::result::Result<Timestamp, Violation> {
    let item = item("tb-deadline", value)?;
    let date = item.bare_item.as_date().filter(|_| item.params.is_empty());
    let seconds =
        date.map(|date| i64::from(date.unix_seconds())).and_then(|seconds| seconds.checked_mul(1_000_000));
    seconds.map(Timestamp).ok_or_else(|| grammar("tb-deadline", "a date is expected"))
}
