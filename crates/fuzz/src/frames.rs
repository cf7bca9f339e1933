//! What another city sends (交换报文): requests, answers, trust lists, contracts, bundles, bodies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use tb_base::{Actor, Ctx, Entropy, MessageId, NodeId, Timestamp};
use tb_exchange::founding::{Charter, Founder, Member, found};
use tb_exchange::http_message::{self, Facts, Reply, SignedRequest};
use tb_exchange::keys::{Secrets, WitnessKey};
use tb_exchange::problem::Problem;
use tb_exchange::{
    Desk, Outgoing, Purpose, Receipt, ServiceTerms, SignedContract, SignedTrustList, bundle, service,
};

use crate::{Target, named, same_json};

/// The readers of this file.
pub const TARGETS: &[Target] = &[
    Target { name: "request", run: request, seeds: request_seeds, mutations: 4_000 },
    Target { name: "answer", run: answer, seeds: answer_seeds, mutations: 4_000 },
    Target { name: "problem", run: problem, seeds: problem_seeds, mutations: 6_000 },
    Target { name: "trust-list", run: trust_list, seeds: trust_seeds, mutations: 2_000 },
    Target { name: "contract", run: contract, seeds: contract_seeds, mutations: 2_000 },
    Target { name: "bundle", run: evidence, seeds: bundle_seeds, mutations: 1_000 },
    Target { name: "bodies", run: bodies, seeds: body_seeds, mutations: 6_000 },
    Target { name: "canonical", run: canonical, seeds: canonical_seeds, mutations: 10_000 },
];

/// 2026-11-24 12:00 in China.
const NOON: Timestamp = Timestamp(1_795_492_800_000_000);

/// A counter in the place of randomness: the same region in every run.
struct Counter(u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 += 1;
            let digest = tb_crypto::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

/// Two cities and what they agreed.
pub(crate) struct Region {
    pub(crate) trust: SignedTrustList,
    pub(crate) contracts: Vec<SignedContract>,
    secrets: BTreeMap<NodeId, Secrets>,
    pub(crate) desks: Vec<Desk>,
    message: Outgoing,
    request: SignedRequest,
}

/// The region of all targets, made once.
pub(crate) fn region() -> &'static Region {
    static REGION: OnceLock<Region> = OnceLock::new();
    REGION
        .get_or_init(|| make().unwrap_or_else(|error| panic!("founding the region of the targets: {error}")))
}

fn make() -> tb_base::Result<Region> {
    let mut entropy = Counter(0);
    let nodes: Vec<NodeId> = vec!["430100".parse()?, "430300".parse()?];
    let secrets: BTreeMap<_, _> = nodes.iter().map(|node| (*node, Secrets::generate(&mut entropy))).collect();
    let witnesses: Vec<_> = nodes.iter().map(|_| WitnessKey::generate(&mut entropy)).collect();
    let founders: Vec<_> = nodes
        .iter()
        .zip(&witnesses)
        .map(|(node, witness)| Founder { member: member(*node), secrets: &secrets[node], witness })
        .collect();
    let charter = Charter {
        region: "czt".to_owned(),
        not_before: NOON.plus_seconds(-86_400),
        not_after: NOON.plus_seconds(86_400 * 365),
        services: services(),
        retention_days: 365,
    };
    let (trust, contracts) = found(&charter, &founders)?;
    let desk = |node: &NodeId| Desk::new(*node, trust.clone(), contracts.clone(), &secrets[node]);
    let desks: Vec<Desk> = nodes.iter().map(desk).collect::<tb_base::Result<_>>()?;
    let ctx = Ctx::new(NOON, Actor::System, nodes[0], Arc::new(Mutex::new(Counter(7_000))));
    let message = desks[0].compose(
        &ctx,
        nodes[1],
        service::LICENCE_FETCH,
        Purpose {
            item: "121".to_owned(),
            case: Some("01kq3zt0000000000000000000".parse()?),
            basis: "consent:01kq3zt0000000000000000001".to_owned(),
        },
        "window/430100-hall-1",
        Some("430302199003072024"),
        &serde_json::json!({"fields": ["name"]}),
        NOON.plus_seconds(30),
    )?;
    let request = http_message::sign_request(&message, &secrets[&nodes[0]], &desks[0], NOON, [7; 16])?;
    Ok(Region { trust, contracts, secrets, desks, message, request })
}

fn services() -> BTreeMap<String, ServiceTerms> {
    let agreed = [service::LICENCE_FETCH, service::CASE_OFFER, service::RECEIPT];
    let terms = |name: &str| {
        let fields = ["name".to_owned()].into();
        (name.to_owned(), ServiceTerms { purposes: ["*".to_owned()].into(), fields, quota_per_day: 100 })
    };
    agreed.into_iter().map(terms).collect()
}

fn member(node: NodeId) -> Member {
    Member {
        node,
        name: "某市".to_owned(),
        name_en: format!("City {node}"),
        app: "某通".to_owned(),
        exchange_url: "https://127.0.0.1:9443".to_owned(),
        site_url: "http://127.0.0.1:8080".to_owned(),
        tls_sha256: "00".repeat(32),
    }
}

/// A head and a body as one input: the first line, fields a line each, an empty line, the body.
fn split(data: &[u8]) -> (String, Vec<(String, String)>, &[u8]) {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = end.map_or((data, &[][..]), |at| (&data[..at], &data[at + 2..]));
    let head = String::from_utf8_lossy(head).into_owned();
    let mut lines = head.lines();
    let first = lines.next().unwrap_or("").to_owned();
    let pair = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    (first, lines.filter_map(pair).collect(), body)
}

fn joined(first: &str, fields: &[(String, String)], body: &[u8]) -> Vec<u8> {
    let fields: String = fields.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    [format!("{first}\n{fields}\n").as_bytes(), body].concat()
}

fn request(data: &[u8]) -> bool {
    let (path, fields, body) = split(data);
    let read = http_message::verify_request(&region().desks[1], "POST", &path, &fields, body, NOON);
    match read {
        Ok(incoming) => {
            // Whatever verifies is the one message that was signed: nothing bent passes.
            let good = &region().message.envelope;
            assert_eq!((incoming.envelope.id, incoming.envelope.from), (good.id, good.from));
            assert_eq!(incoming.body, region().message.body);
            true
        }
        Err(violation) => named(&violation),
    }
}

fn request_seeds() -> Vec<Vec<u8>> {
    let request = &region().request;
    vec![joined(&request.path, &request.fields, &request.body)]
}

fn signed_answer() -> Vec<Vec<u8>> {
    let (desk, request) = (&region().desks[1], &region().request);
    let facts = Facts::read("POST", &request.path, &request.fields);
    let id: MessageId = region().message.envelope.id;
    let refused = tb_base::Violation::new("expired", "signature;tb", "it is over");
    [Reply::json(id, 200, b"{\"name\":\"a\"}".to_vec()), Reply::problem(id, &Problem::of_violation(&refused))]
        .iter()
        .filter_map(|reply| {
            http_message::sign_response(reply, &facts, desk, &region().secrets[&desk.me], NOON).ok()
        })
        .map(|signed| joined(&signed.status.to_string(), &signed.fields, &signed.body))
        .collect()
}

fn answer(data: &[u8]) -> bool {
    let (status, fields, body) = split(data);
    let status = status.parse().unwrap_or(0);
    let region = region();
    match http_message::verify_response(&region.desks[0], &region.request, status, &fields, body, NOON) {
        Ok(checked) => {
            assert_eq!(checked.from, region.desks[1].me);
            true
        }
        Err(violation) => named(&violation),
    }
}

fn answer_seeds() -> Vec<Vec<u8>> {
    signed_answer()
}

fn problem(data: &[u8]) -> bool {
    match Problem::from_json(data) {
        Ok(problem) => {
            let written = problem.to_json();
            let again = Problem::from_json(&written);
            assert!(again.as_ref().is_ok_and(|again| again.to_json() == written), "{again:?}");
            let _ = problem.into_error();
            true
        }
        Err(violation) => named(&violation),
    }
}

fn problem_seeds() -> Vec<Vec<u8>> {
    let violation = tb_base::Violation::new("quota", "tb-contract", "at most 100; 101");
    let refusal = tb_base::Refusal::not_now("EXC-UNA-001", "对方没有应答", "The other city does not answer")
        .by("条例 第一条")
        .but("稍后再试", "Try again later");
    vec![Problem::of_violation(&violation).to_json(), Problem::of_error(&refusal.into()).to_json()]
}

fn trust_list(data: &[u8]) -> bool {
    let Some(list) = same_json::<SignedTrustList>(data) else { return false };
    if list.verify(NOON).is_ok() {
        assert_eq!(list.list, region().trust.list, "another list than the signed one verifies");
    }
    let _ = list.verify_after(&region().trust.list, NOON);
    true
}

fn trust_seeds() -> Vec<Vec<u8>> {
    vec![serde_json::to_vec(&region().trust).unwrap_or_default()]
}

fn contract(data: &[u8]) -> bool {
    let Some(signed) = same_json::<SignedContract>(data) else { return false };
    if signed.verify(&region().trust.list).is_ok() {
        let known = region().contracts.iter().any(|it| it.contract == signed.contract);
        assert!(known, "another contract than the signed one verifies");
    }
    true
}

fn contract_seeds() -> Vec<Vec<u8>> {
    region().contracts.iter().map(|it| serde_json::to_vec(it).unwrap_or_default()).collect()
}

fn evidence(data: &[u8]) -> bool {
    let report = bundle::verify(data, None);
    let failed: Vec<_> = report.checks.iter().filter(|check| !check.ok).collect();
    assert!(report.ok == failed.is_empty(), "the report contradicts itself");
    assert!(failed.iter().all(|check| !check.part.is_empty()), "a failure names no part");
    report.ok || !report.checks.is_empty()
}

fn bundle_seeds() -> Vec<Vec<u8>> {
    let region = region();
    let parts: Vec<_> = region
        .desks
        .iter()
        .filter_map(|desk| {
            let part = bundle::Part::new(desk.me, NOON, region.trust.clone());
            part.sign(&region.secrets[&desk.me]).ok()
        })
        .collect();
    bundle::assemble(parts).into_iter().collect()
}

/// Bodies that travel under the services of the blocks.
fn bodies(data: &[u8]) -> bool {
    BODIES.iter().filter(|read| read(data)).count() != 0
}

const BODIES: [fn(&[u8]) -> bool; 12] = [
    body::<Receipt>,
    body::<tb_case::peer::Offer>,
    body::<tb_case::peer::Custody>,
    body::<tb_case::peer::CustodyAnswer>,
    body::<tb_case::peer::Progress>,
    body::<tb_case::peer::Act>,
    body::<tb_case::peer::ActAnswer>,
    body::<tb_case::ProgressView>,
    body::<tb_licence::record::Extract>,
    body::<tb_enquiry::peer::Asked>,
    body::<tb_enquiry::peer::Answered>,
    consent,
];

fn body<T: serde::de::DeserializeOwned + serde::Serialize>(data: &[u8]) -> bool {
    same_json::<T>(data).is_some()
}

fn consent(data: &[u8]) -> bool {
    let Some(receipt) = same_json::<tb_licence::consent::SignedReceipt>(data) else { return false };
    assert!(receipt.verify(&region().trust.list).is_err(), "a receipt that nobody signed verifies");
    true
}

fn body_seeds() -> Vec<Vec<u8>> {
    const ID: &str = "01kq3zt0000000000000000000";
    let refusal = tb_base::Refusal::not_now("EXC-UNA-001", "对方没有应答", "The other city does not answer");
    let value = [
        serde_json::json!({
            "message": ID, "kind": "rejected", "at": NOON, "leaf": "00".repeat(32), "refusal": refusal,
        }),
        serde_json::json!({ "command": ID, "refusal": null }),
        serde_json::json!({
            "record": {
                "id": ID, "oid": "1.2.156.3005.2.11100000000013338W011.11430200MB9900002P.20210000012.001.7",
                "type": "resident_card", "type_version": 1, "version": 1, "predecessor": null,
                "issuer": "11430200MB9900002P", "city": "430200", "holder_kind": "111",
                "valid_from": "2021-01-01", "valid_to": null, "issued_at": NOON,
                "fields": { "name": "00".repeat(32) },
            },
            "values": { "name": { "value": "a", "salt": "00".repeat(16) } },
            "signature": "AA==",
        }),
        serde_json::json!({
            "receipt": {
                "id": ID, "asking": "430100", "answering": "430300", "deciding": "430300", "item": "121", "case": ID,
                "contract": "c1", "subject": "00", "asked": [], "manner": "code", "signature_hash": null,
                "given_at": NOON, "issued_at": NOON, "expires_at": NOON,
            },
            "signature": "AA==",
        }),
        serde_json::json!({
            "enquiry": ID,
            "turn": { "id": ID, "at": NOON, "city": "430100", "act": { "act": "ask", "text": "为什么要看" } },
            "opening": {
                "about": {
                    "about": "look",
                    "look": {
                        "id": ID, "held_by": "430100", "at": NOON, "kind": "fetch", "office": "430300-hall-1",
                        "role": "window", "item": "121", "case": ID, "ground": "case", "fields": ["name"],
                        "message": null, "outcome": "shown",
                    },
                },
                "office": "430300-hall-1", "signed_in": true,
            },
        }),
        serde_json::json!({
            "enquiry": ID,
            "turn": {
                "id": ID, "at": NOON, "city": "430300",
                "act": {
                    "act": "answer", "text": "核对", "after": 0,
                    "office": { "id": "430300-hall-1", "zh": "大厅", "en": "Hall" },
                },
            },
        }),
    ];
    value.iter().map(|value| value.to_string().into_bytes()).collect()
}

/// What is canonical is read; what is read from it is written as it was.
fn canonical(data: &[u8]) -> bool {
    if let Ok(value) = tb_crypto::from_canonical::<serde_json::Value>(data) {
        let written = tb_crypto::canonical(&value);
        assert!(written.is_ok_and(|it| it == data), "a canonical text is written otherwise");
    }
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(data) else { return false };
    let Ok(written) = tb_crypto::canonical(&value) else { return false };
    let again = tb_crypto::from_canonical::<serde_json::Value>(&written);
    assert!(
        again.is_ok_and(|again| again == value),
        "{} is not read again",
        String::from_utf8_lossy(&written)
    );
    true
}

fn canonical_seeds() -> Vec<Vec<u8>> {
    let texts = [
        r#"{"a":[1,-1,0,9007199254740991],"b":{"":null,"é":"\u0001\"\\"},"c":true}"#,
        "[[[[[[[[\"\u{1d7d8}\",\"\u{e000}\"]]]]]]]]",
        r#"{"b":1,"a":1.0,"c":1e3,"c":2}"#,
    ];
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}
