//! Responses (应答): bound to the request that they answer, problems signed like any other answer.

use tb_base::{MessageId, Result, Timestamp, Violation};

use super::fields::{check_names, content_digest, find, grammar, item, need, quoted, string};
use super::request::{digest_field, kept, read_path};
use super::signature::{self, Line, Nonce, Valid};
use super::{
    CheckedResponse, Facts, JSON_TYPE, Profile, Reply, ResponseEvidence, SignedRequest, SignedResponse,
};
use crate::keys::Secrets;
use crate::problem::{PROBLEM_TYPE, mismatch};
use crate::{BODY_BYTES_MAX, Desk, TrustList};

/// The fields of a response, in the order in which they are covered, before those of the request.
const HEAD: [&str; 3] = ["content-type", "content-digest", "tb-message-id"];
/// The fields behind them.
const TAIL: [&str; 2] = ["tb-req-nonce", "tb-replayed"];

/// Signs an answer to a request, whatever that request was.
pub fn sign_response(
    reply: &Reply,
    facts: &Facts,
    desk: &Desk,
    secrets: &Secrets,
    now: Timestamp,
) -> Result<SignedResponse> {
    if !(200..600).contains(&reply.status) {
        return Err(Violation::new("grammar", "@status", format!("{} is no status", reply.status)).into());
    }
    let mut fields = vec![
        ("content-type".to_owned(), reply.content_type.to_owned()),
        ("content-digest".to_owned(), digest_field(&reply.body, Profile::Ed25519)),
        ("tb-message-id".to_owned(), quoted(reply.id.as_str())),
    ];
    if let Some(nonce) = &facts.nonce {
        fields.push(("tb-req-nonce".to_owned(), quoted(nonce)));
    }
    if reply.replayed {
        fields.push(("tb-replayed".to_owned(), "?1".to_owned()));
    }
    let lines = lines(reply.status, &fields, facts);
    let (signatures, base_hash) = signature::sign(&lines, desk.me, secrets, Profile::Ed25519, now, None);
    fields.extend(signatures);
    Ok(SignedResponse { status: reply.status, fields, body: reply.body.clone(), base_hash })
}

fn lines(status: u16, fields: &[(String, String)], facts: &Facts) -> Vec<Line> {
    let own = |names: &[&str]| -> Vec<Line> {
        names.iter().filter_map(|name| find(fields, name).map(|value| Line::own(name, value))).collect()
    };
    let mut lines = vec![Line::own("@status", status.to_string())];
    lines.extend(own(&HEAD));
    lines.push(Line::of_request("@method", &facts.method));
    lines.push(Line::of_request("@path", &facts.path));
    lines.extend(facts.message_id.iter().map(|id| Line::of_request("tb-message-id", id)));
    lines.extend(facts.content_digest.iter().map(|digest| Line::of_request("content-digest", digest)));
    lines.extend(own(&TAIL));
    lines
}

/// Checks everything about an answer: that the city asked gave it, to this request, now.
///
/// An answer without a signature is `transport-unsigned`: something between the cities spoke, never the peer.
pub fn verify_response(
    desk: &Desk,
    request: &SignedRequest,
    status: u16,
    fields: &[(String, String)],
    body: &[u8],
    now: Timestamp,
) -> std::result::Result<CheckedResponse, Violation> {
    let facts = Facts::read(&request.method, &request.path, &request.fields);
    let checked = check_response(&desk.trust().list, &facts, status, fields, Some(body))?;
    signature::check_clock(checked.created, checked.expires, now)?;
    Ok(checked)
}

/// Checks what of an answer does not depend on the day: form, digest, signature, and the request that it answers.
pub fn check_response(
    trust: &TrustList,
    facts: &Facts,
    status: u16,
    fields: &[(String, String)],
    body: Option<&[u8]>,
) -> std::result::Result<CheckedResponse, Violation> {
    if find(fields, "signature-input").is_none() && find(fields, "signature").is_none() {
        return Err(Violation::new(
            "transport-unsigned",
            "@status",
            format!("an unsigned answer with status {status}"),
        ));
    }
    if let Some(body) = body.filter(|body| BODY_BYTES_MAX < body.len()) {
        let detail = mismatch(&format!("at most {BODY_BYTES_MAX} bytes"), &body.len().to_string());
        return Err(Violation::new("too-large", "body", detail));
    }
    check_names(fields, &["tb-message-id", "tb-req-nonce", "tb-replayed"])?;
    let (from, _, _) = read_path(&facts.path)?;
    let is_problem = match need(fields, "content-type")? {
        JSON_TYPE => false,
        PROBLEM_TYPE => true,
        other => return Err(grammar("content-type", format!("{other} does not travel"))),
    };
    let id: MessageId = string("tb-message-id", need(fields, "tb-message-id")?)?
        .parse()
        .map_err(|_| grammar("tb-message-id", "it is no message id"))?;
    check_echo(fields, facts)?;
    let content = content_digest(fields, body)?;
    let lines = lines(status, fields, facts);
    let Valid { params, base_hash } = signature::verify(fields, &lines, trust, from, Nonce::None)?;
    let names: Vec<&str> = HEAD.into_iter().chain(TAIL).collect();
    Ok(CheckedResponse {
        id,
        from,
        status,
        is_problem,
        replayed: read_replayed(fields)?,
        base_hash,
        content,
        created: params.created,
        expires: params.expires,
        evidence: ResponseEvidence { status, fields: kept(fields, &names) },
    })
}

fn check_echo(fields: &[(String, String)], facts: &Facts) -> std::result::Result<(), Violation> {
    let echo = string("tb-req-nonce", need(fields, "tb-req-nonce")?)?;
    let expected = facts.nonce.as_deref().unwrap_or_default();
    if echo == expected {
        return Ok(());
    }
    Err(Violation::new("replay", "tb-req-nonce", mismatch(expected, &echo)))
}

fn read_replayed(fields: &[(String, String)]) -> std::result::Result<bool, Violation> {
    let Some(value) = find(fields, "tb-replayed") else { return Ok(false) };
    let flag = item("tb-replayed", value)?.bare_item.as_boolean();
    flag.filter(|flag| *flag).ok_or_else(|| grammar("tb-replayed", "only ?1 may stand here"))
}
