//! Tests of signed messages: round trips, and each fault with its own code and component.

use std::sync::OnceLock;

use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use tb_base::{Error, MessageId, Timestamp, Violation};

use super::{
    Facts, Profile, Reply, SignedRequest, SignedResponse, sign_request, sign_request_with, sign_response,
    verify_request, verify_response,
};
use crate::fixture::{NOON, Region, changsha, ctx_at, fetch, xiangtan, zhuzhou};
use crate::problem::Problem;
use crate::{BODY_BYTES_MAX, Incoming};

const NONCE: [u8; 16] = [7; 16];
/// One region for all cases of a property.
static REGION: OnceLock<Region> = OnceLock::new();

fn signed(region: &Region, profile: Profile) -> SignedRequest {
    let message = fetch(region, NOON);
    let secrets = &region.secrets[&changsha()];
    sign_request_with(profile, &message, secrets, &region.desk(changsha()), NOON, NONCE).unwrap()
}

fn receive(region: &Region, request: &SignedRequest, now: Timestamp) -> Result<Incoming, Violation> {
    verify_request(
        &region.desk(xiangtan()),
        &request.method,
        &request.path,
        &request.fields,
        &request.body,
        now,
    )
}

fn set(fields: &mut [(String, String)], name: &str, value: &str) {
    let field = fields.iter_mut().find(|(known, _)| known == name).unwrap();
    value.clone_into(&mut field.1);
}

fn get<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    &fields.iter().find(|(known, _)| known == name).unwrap().1
}

fn replace(fields: &mut [(String, String)], name: &str, from: &str, to: &str) {
    let value = get(fields, name);
    assert!(value.contains(from), "{name} does not hold {from}");
    let value = value.replacen(from, to, 1);
    set(fields, name, &value);
}

#[track_caller]
fn check_time(change: impl FnOnce(&mut SignedRequest), now: Timestamp, expected: &str) {
    let region = Region::new();
    let mut request = signed(&region, Profile::Both);
    change(&mut request);
    let violation = receive(&region, &request, now).unwrap_err();
    assert_eq!(format!("{} {}", violation.code, violation.component), expected, "{}", violation.detail);
}

#[track_caller]
fn check(change: impl FnOnce(&mut SignedRequest), expected: &str) {
    check_time(change, NOON, expected);
}

#[test]
fn a_request_arrives_as_it_was_composed() {
    let region = Region::new();
    for profile in [Profile::Ed25519, Profile::Both] {
        let request = signed(&region, profile);
        let incoming = receive(&region, &request, NOON).unwrap();
        let message = fetch(&region, NOON);
        assert_eq!(incoming.envelope, message.envelope);
        assert_eq!(incoming.body, message.body);
        assert_eq!(incoming.base_hash, request.base_hash);
        assert_eq!(incoming.evidence, serde_json::to_value(request.evidence()).unwrap());
    }
}

/// The example of the protocol's page, byte for byte: whoever implements the page can check against it.
#[test]
fn the_documented_example_is_what_we_sign() {
    let region = Region::new();
    let request = signed(&region, Profile::Ed25519);
    let key = &region.trust.list.city(changsha()).unwrap().keys.message;
    let mut text = format!("key {key}\n\n{} {}\n", request.method, request.path);
    for (name, value) in &request.fields {
        text.push_str(&format!("{name}: {value}\n"));
    }
    text.push_str(&format!("\n{}\n", String::from_utf8_lossy(&request.body)));
    let hash = tb_crypto::text::hex(&request.base_hash);
    text.push_str(&format!("\nSHA-256 of the signature base: {hash}\n"));
    assert_eq!(text, include_str!("../../../../docs/protocol/example-request.txt"));
}

#[test]
fn only_the_own_city_signs() {
    let region = Region::new();
    let message = fetch(&region, NOON);
    let other = sign_request(&message, &region.secrets[&zhuzhou()], &region.desk(zhuzhou()), NOON, NONCE);
    assert!(matches!(other, Err(Error::Violation(violation)) if violation.code == "audience"));
}

#[test]
fn a_proxy_may_add_fields_and_change_case() {
    let region = Region::new();
    let mut request = signed(&region, Profile::Ed25519);
    for (name, value) in &mut request.fields {
        *name = name.to_ascii_uppercase();
        *value = format!("  {value} ");
    }
    request.fields.push(("host".to_owned(), "proxy:8443".to_owned()));
    request.fields.push(("traceparent".to_owned(), "00-x".to_owned()));
    request.fields.push(("via".to_owned(), "1.1 one".to_owned()));
    request.fields.push(("via".to_owned(), "1.1 two".to_owned()));
    receive(&region, &request, NOON).unwrap();
}

#[test]
fn content_is_what_its_digest_says() {
    check(|it| it.body.push(b' '), "digest-mismatch content-digest;sha-256");
    check(|it| it.body[3] ^= 1, "digest-mismatch content-digest;sha-256");
    let other = format!(":{}:", tb_crypto::text::base64(&[1; 32]));
    check(
        |it| set(&mut it.fields, "content-digest", &format!("sha-256={other}")),
        "digest-mismatch content-digest;sha-256",
    );
    check(
        |it| {
            let sha256 = get(&it.fields, "content-digest").split_once(", ").unwrap().0.to_owned();
            set(&mut it.fields, "content-digest", &format!("{sha256}, sm3={other}"));
        },
        "digest-mismatch content-digest;sm3",
    );
    check(|it| it.body = vec![b' '; BODY_BYTES_MAX + 1], "too-large body");
}

#[test]
fn a_changed_component_breaks_the_signature() {
    let invalid = "signature-invalid signature;tb";
    check(|it| replace(&mut it.fields, "tb-contract", ";v=1", ";v=2"), invalid);
    check(|it| replace(&mut it.fields, "tb-purpose", "121", "122"), invalid);
    check(|it| replace(&mut it.fields, "tb-purpose", "consent", "statute"), invalid);
    check(|it| replace(&mut it.fields, "tb-actor", "hall-1", "hall-2"), invalid);
    check(|it| replace(&mut it.fields, "tb-deadline", "@", "@1"), invalid);
    check(|it| it.path = it.path.replace("fetch", "locate"), invalid);
    let other = format!(":{}:", tb_crypto::text::base64(&[1; 32]));
    check(|it| set(&mut it.fields, "tb-subject", &other), invalid);
    check(
        |it| {
            for name in ["tb-message-id", "idempotency-key"] {
                set(&mut it.fields, name, "\"01kq3zt0000000000000000009\"");
            }
        },
        invalid,
    );
    check(|it| replace(&mut it.fields, "signature-input", ";nonce=\"B", ";nonce=\"C"), invalid);
    check(
        |it| {
            it.path = it.path.replace("430300", "430200");
            set(&mut it.fields, "tb-to", "\"430200\"");
        },
        invalid,
    );
}

#[test]
fn the_second_signature_counts_too() {
    let region = Region::new();
    let other = signed(&Region::new(), Profile::Both);
    let mut request = signed(&region, Profile::Both);
    let signatures = get(&request.fields, "signature").to_owned();
    let (tb, tbsm) = signatures.split_once(", ").unwrap();
    let bent = tbsm.replace(tbsm.get(6..10).unwrap(), "AAAA");
    set(&mut request.fields, "signature", &format!("{tb}, {bent}"));
    let violation = receive(&region, &request, NOON).unwrap_err();
    assert_eq!(
        (violation.code.as_ref(), violation.component.as_ref()),
        ("signature-invalid", "signature;tbsm")
    );
    assert!(receive(&region, &other, NOON).is_ok());
}

#[test]
fn a_missing_field_is_not_covered() {
    for name in [
        "content-type",
        "content-digest",
        "tb-message-id",
        "tb-from",
        "tb-to",
        "tb-contract",
        "tb-purpose",
        "tb-actor",
        "tb-deadline",
        "idempotency-key",
        "signature-input",
        "signature",
    ] {
        check(|it| it.fields.retain(|(known, _)| known != name), &format!("signature-coverage {name}"));
    }
    check(|it| it.fields.retain(|(known, _)| known != "tb-subject"), "signature-coverage tb-subject");
    check(
        |it| replace(&mut it.fields, "signature-input", "\"tb-purpose\" ", ""),
        "signature-coverage tb-purpose",
    );
    check(|it| replace(&mut it.fields, "signature-input", "\"@query\" ", ""), "signature-coverage @query");
    check(
        |it| replace(&mut it.fields, "signature-input", "(\"@method\"", "(\"host\" \"@method\""),
        "signature-coverage host",
    );
    check(
        |it| replace(&mut it.fields, "signature-input", "\"@method\" \"@path\"", "\"@path\" \"@method\""),
        "signature-coverage signature-input",
    );
    check(
        |it| replace(&mut it.fields, "signature-input", ";tag=\"tongban-x1\", ", ", "),
        "signature-coverage signature-input;tag",
    );
}

#[test]
fn grammar_is_strict() {
    check(|it| it.method = "GET".to_owned(), "grammar @method");
    for path in
        ["/x/v1/430300/../x/1/y", "/x/v1/430300//430100/x/1/y", "/x/v1/430300/430100/a%2fb/1/y", "/x/v2/"]
    {
        check(|it| it.path = path.to_owned(), "grammar @path");
    }
    check(|it| it.path.push_str("?x=1"), "grammar @path");
    check(|it| it.fields.push(("tb-to".to_owned(), "\"430300\"".to_owned())), "grammar tb-to");
    check(|it| it.fields.push(("TB-Priority".to_owned(), "1".to_owned())), "grammar tb-priority");
    check(
        |it| it.fields.push(("content-encoding".to_owned(), "gzip".to_owned())),
        "grammar content-encoding",
    );
    check(|it| set(&mut it.fields, "content-type", "text/plain"), "grammar content-type");
    check(|it| set(&mut it.fields, "signature", " "), "grammar signature");
    check(|it| set(&mut it.fields, "signature-input", ""), "grammar signature-input");
    check(|it| set(&mut it.fields, "tb-actor", "window"), "grammar tb-actor");
    check(|it| set(&mut it.fields, "tb-actor", "\"窗口\""), "grammar tb-actor");
    check(|it| set(&mut it.fields, "tb-message-id", "\"short\""), "grammar idempotency-key");
    check(|it| replace(&mut it.fields, "tb-contract", ";v=1", ";v=1;v=2"), "grammar tb-contract");
    check(|it| replace(&mut it.fields, "tb-purpose", ";basis", ";loa=3;basis"), "grammar tb-purpose;loa");
    check(|it| set(&mut it.fields, "tb-deadline", "1795492830"), "grammar tb-deadline");
    check(|it| set(&mut it.fields, "tb-subject", ":AAAA:"), "grammar tb-subject");
    check(
        |it| replace(&mut it.fields, "signature-input", ";tag", ";alg=\"ed25519\";tag"),
        "grammar signature-input;alg",
    );
    check(
        |it| replace(&mut it.fields, "signature-input", "tongban-x1", "tongban-x0"),
        "grammar signature-input;tag",
    );
    check(|it| replace(&mut it.fields, "signature-input", "tbsm=", "sig="), "grammar signature-input;sig");
    check(|it| replace(&mut it.fields, "signature-input", "tbsm=", "tb="), "grammar signature-input");
    let short = format!(";nonce=\"{}\"", tb_crypto::text::base64url(&[7; 15]));
    let nonce = format!(";nonce=\"{}\"", tb_crypto::text::base64url(&NONCE));
    check(|it| replace(&mut it.fields, "signature-input", &nonce, &short), "grammar signature-input;nonce");
    check(|it| (0..64).for_each(|_| it.fields.push(("via".to_owned(), "x".to_owned()))), "grammar fields");
}

#[test]
fn time_is_bounded_on_both_sides() {
    let region = Region::new();
    let mut late = fetch(&region, NOON);
    late.envelope.deadline = NOON.plus_seconds(3_600);
    let request =
        sign_request(&late, &region.secrets[&changsha()], &region.desk(changsha()), NOON, NONCE).unwrap();
    for seconds in [-60, 0, 60, 300] {
        receive(&region, &request, NOON.plus_seconds(seconds)).unwrap();
    }
    let too_early = receive(&region, &request, NOON.plus_seconds(-61)).unwrap_err();
    assert_eq!(Problem::of_violation(&too_early).clock_delta_ms, Some(61_000));
    let too_late = receive(&region, &request, NOON.plus_seconds(301)).unwrap_err();
    assert_eq!((too_late.code.as_ref(), too_late.component.as_ref()), ("expired", "signature-input;expires"));
    assert_eq!(Problem::of_violation(&too_late).clock_delta_ms, Some(-301_000));
    check_time(|_| (), NOON.plus_seconds(40), "expired tb-deadline");
    let longer = |it: &mut SignedRequest| {
        let expires = format!(";expires={}", NOON.seconds() + 300);
        replace(&mut it.fields, "signature-input", &expires, &format!(";expires={}", NOON.seconds() + 301));
    };
    check(longer, "expired signature-input;expires");
}

#[test]
fn a_message_for_another_city_is_misaddressed() {
    let region = Region::new();
    let request = signed(&region, Profile::Ed25519);
    let desk = region.desk(zhuzhou());
    let violation =
        verify_request(&desk, &request.method, &request.path, &request.fields, &request.body, NOON)
            .unwrap_err();
    assert_eq!((violation.code.as_ref(), violation.component.as_ref()), ("audience", "tb-to"));
    check(|it| it.path = it.path.replace("430300", "430200"), "audience @path");
    check(|it| set(&mut it.fields, "tb-from", "\"430200\""), "audience @path");
}

#[test]
fn keys_are_those_of_the_sender_in_the_trust_list() {
    check(
        |it| {
            it.path = it.path.replace("430100", "430200");
            set(&mut it.fields, "tb-from", "\"430200\"");
        },
        "key-unknown signature-input;keyid",
    );
    check(
        |it| {
            it.path = it.path.replace("430100", "110100");
            set(&mut it.fields, "tb-from", "\"110100\"");
        },
        "key-unknown signature-input;keyid",
    );
    check(
        |it| replace(&mut it.fields, "signature-input", ":message:", ":log:"),
        "key-unknown signature-input;keyid",
    );
}

#[test]
fn an_unknown_contract_is_named() {
    let region = Region::new();
    let mut message = fetch(&region, NOON);
    message.envelope.contract.id = "czt-unknown".parse().unwrap();
    let request =
        sign_request(&message, &region.secrets[&changsha()], &region.desk(changsha()), NOON, NONCE).unwrap();
    let violation = receive(&region, &request, NOON).unwrap_err();
    assert_eq!((violation.code.as_ref(), violation.component.as_ref()), ("grant", "tb-contract"));
}

fn reply_id() -> MessageId {
    ctx_at(xiangtan(), NOON).id(MessageId::new)
}

fn answered(region: &Region, request: &SignedRequest, reply: &Reply) -> SignedResponse {
    let facts = Facts::read(&request.method, &request.path, &request.fields);
    sign_response(reply, &facts, &region.desk(xiangtan()), &region.secrets[&xiangtan()], NOON).unwrap()
}

#[track_caller]
fn check_response(change: impl FnOnce(&mut SignedResponse, &mut SignedRequest), expected: &str) {
    let region = Region::new();
    let mut request = signed(&region, Profile::Ed25519);
    let mut response = answered(&region, &request, &Reply::json(reply_id(), 200, b"{}".to_vec()));
    change(&mut response, &mut request);
    let desk = region.desk(changsha());
    let checked = verify_response(&desk, &request, response.status, &response.fields, &response.body, NOON);
    let violation = checked.unwrap_err();
    assert_eq!(format!("{} {}", violation.code, violation.component), expected, "{}", violation.detail);
}

#[test]
fn an_answer_comes_back() {
    let region = Region::new();
    let request = signed(&region, Profile::Both);
    let response = answered(&region, &request, &Reply::json(reply_id(), 200, b"{\"a\":1}".to_vec()).again());
    let desk = region.desk(changsha());
    let checked =
        verify_response(&desk, &request, 200, &response.fields, &response.body, NOON.plus_seconds(1))
            .unwrap();
    assert!(checked.replayed);
    assert_eq!((checked.from, checked.base_hash), (xiangtan(), response.base_hash));
    assert_eq!((checked.is_problem, checked.content), (false, tb_crypto::sha256(b"{\"a\":1}")));
    assert_eq!(checked.evidence, response.evidence());
}

#[test]
fn a_problem_comes_back_signed_even_for_a_broken_request() {
    let region = Region::new();
    let mut request = signed(&region, Profile::Ed25519);
    request.body.push(b'!');
    let violation = receive(&region, &request, NOON).unwrap_err();
    let response =
        answered(&region, &request, &Reply::problem(reply_id(), &Problem::of_violation(&violation)));
    let checked = verify_response(
        &region.desk(changsha()),
        &request,
        response.status,
        &response.fields,
        &response.body,
        NOON,
    )
    .unwrap();
    assert!(checked.is_problem);
    let Error::Violation(told) = Problem::from_json(&response.body).unwrap().into_error() else {
        panic!("it is a violation")
    };
    assert_eq!(told, violation);
}

#[test]
fn an_answer_is_bound_to_its_request() {
    check_response(|it, _| it.body.push(b' '), "digest-mismatch content-digest;sha-256");
    check_response(|it, _| it.status = 201, "signature-invalid signature;tb");
    check_response(|_, it| it.path = it.path.replace("fetch", "locate"), "signature-invalid signature;tb");
    check_response(
        |_, it| it.path = it.path.replace("/430300/", "/430200/"),
        "key-unknown signature-input;keyid",
    );
    check_response(
        |_, it| set(&mut it.fields, "tb-message-id", "\"01kq3zt0000000000000000009\""),
        "signature-invalid signature;tb",
    );
    check_response(
        |_, it| replace(&mut it.fields, "signature-input", ";nonce=\"B", ";nonce=\"C"),
        "replay tb-req-nonce",
    );
    check_response(
        |it, _| it.fields.retain(|(name, _)| !name.starts_with("signature")),
        "transport-unsigned @status",
    );
    check_response(|it, _| it.fields.push(("tb-x".to_owned(), "1".to_owned())), "grammar tb-x");
    check_response(
        |it, _| replace(&mut it.fields, "signature-input", "\"@path\";req ", ""),
        "signature-coverage @path;req",
    );
    check_response(
        |it, _| it.fields.retain(|(name, _)| name != "tb-req-nonce"),
        "signature-coverage tb-req-nonce",
    );
    check_response(
        |it, _| it.fields.push(("tb-replayed".to_owned(), "?1".to_owned())),
        "signature-coverage tb-replayed",
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever one letter of a signed request becomes, nobody takes it for the one that was signed.
    #[test]
    fn no_changed_letter_passes(which in 0_usize..15, at: usize, letter in b' '..=b'~') {
        let region = REGION.get_or_init(Region::new);
        let mut request = signed(region, Profile::Both);
        let (method, path) = (request.method.clone(), request.path.clone());
        let mut texts: Vec<&mut String> = vec![&mut request.method, &mut request.path];
        texts.extend(request.fields.iter_mut().map(|(_, value)| value));
        let count = texts.len();
        let text = &mut texts[which % count];
        let at = at % text.len();
        let changed = text.as_bytes()[at] != letter;
        text.replace_range(at..=at, &char::from(letter).to_string());
        prop_assert_eq!(receive(region, &request, NOON).is_err(), changed, "{} {}", method, path);
    }

    /// What is not even near a request is refused, not a panic.
    #[test]
    fn noise_is_refused(path in ".{0,60}", values in proptest::collection::vec(".{0,80}", 12)) {
        let region = REGION.get_or_init(Region::new);
        let mut request = signed(region, Profile::Ed25519);
        for ((_, value), noise) in request.fields.iter_mut().zip(values) {
            *value = noise;
        }
        prop_assert!(receive(region, &request, NOON).is_err());
        request.path = path;
        prop_assert!(receive(region, &request, NOON).is_err());
    }
}
