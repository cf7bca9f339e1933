//! Checking one part (分城验证): contracts, checkpoint, leaves, and everything that leaves commit to.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use tb_base::{CaseId, MessageId, NodeId};
use tb_crypto::text;
use tb_tlog::note::{Note, Verifier};
use tb_tlog::{Checkpoint, leaf_hash, verify_inclusion};

use super::{
    CaseEvidence, EventEvidence, LicenceEvidence, LookEvidence, MessageEvidence, Part, Report, licence_text,
};
use crate::http_message::{CheckedRequest, Facts, check_request, check_response};
use crate::keys::KeyUse;
use crate::{Contract, Envelope, Leaf, LeafKind, subject_commitment, witness};

type Found<T> = Result<(T, String), String>;
/// Number, hash before and hash of each event, by case, over all parts.
pub(super) type Chains = BTreeMap<CaseId, Vec<(u32, String, String)>>;
/// Which cities show which message.
pub(super) type Seen = BTreeMap<MessageId, BTreeSet<NodeId>>;

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Checks a part whose form, signature and trust list hold.
pub(super) fn check(report: &mut Report, part: &Part, seen: &mut Seen, chains: &mut Chains) {
    let name = part.node.as_str();
    report.note(name, "contracts", check_contracts(part));
    let leaves = check_log(report, part);
    report.proofs += leaves.len();
    for message in &part.messages {
        if let Some(id) = report.note(name, "message", check_message(part, message, &leaves)) {
            report.messages += 1;
            seen.entry(id).or_default().insert(part.node);
        }
    }
    for look in &part.looks {
        let checked = report.note(name, "look", check_look(look, &leaves));
        report.looks += usize::from(checked.is_some());
    }
    for case in &part.cases {
        report.events += report.note(name, "case", check_case(case, &leaves, chains)).unwrap_or(0);
    }
    for licence in &part.licences {
        let checked = report.note(name, "licence", check_licence(part, licence));
        report.licences += usize::from(checked.is_some());
    }
}

fn check_contracts(part: &Part) -> Found<()> {
    for signed in &part.contracts {
        signed.verify(&part.trust.list).map_err(words)?;
    }
    Ok(((), format!("{} contracts signed by both parties", part.contracts.len())))
}

/// Checks the checkpoint and every leaf under it; gives the leaves that stand.
fn check_log(report: &mut Report, part: &Part) -> Vec<Leaf> {
    let name = part.node.as_str();
    let Some(note) = &part.checkpoint else {
        if !part.leaves.is_empty() {
            let _: Option<()> =
                report.note(name, "checkpoint", Err("there are leaves and no checkpoint".to_owned()));
        }
        return Vec::new();
    };
    let Some((checkpoint, cosigners)) = report.note(name, "checkpoint", check_checkpoint(part, note)) else {
        return Vec::new();
    };
    report.cosignatures.insert(part.node, cosigners);
    let mut leaves = Vec::new();
    for proof in &part.leaves {
        match check_leaf(&checkpoint, proof) {
            Ok(leaf) => leaves.push(leaf),
            Err(detail) => {
                let detail = format!("leaf {}: {detail}", proof.index);
                let _: Option<()> = report.note(name, "inclusion", Err(detail));
            }
        }
    }
    if leaves.len() == part.leaves.len() {
        let detail = format!("{} leaves stand in the log of {} leaves", leaves.len(), checkpoint.size);
        report.note(name, "inclusion", Ok(((), detail)));
    }
    leaves
}

/// The log signed it with both keys, and at least one other city cosigned it.
fn check_checkpoint(part: &Part, text: &str) -> Found<(Checkpoint, BTreeSet<NodeId>)> {
    let list = &part.trust.list;
    let city = list.known(part.node).ok_or("the city is not in the trust list")?;
    let note = Note::parse(text).map_err(words)?;
    let checkpoint = witness::checkpoint_of(city, &note).map_err(words)?;
    let others = || list.cities.iter().chain(&list.left).filter(|other| other.node != part.node);
    let keys: Vec<Vec<Verifier>> =
        others().map(witness::witness_keys).collect::<Result<_, _>>().map_err(words)?;
    if keys.is_empty() {
        return Ok(((checkpoint, BTreeSet::new()), "there is no other city to cosign".to_owned()));
    }
    let cosigned = note
        .verify(&keys.concat())
        .map_err(|violation| format!("no cosignature of another city: {violation}"))?;
    let cosigners: BTreeSet<NodeId> = others()
        .filter(|other| cosigned.iter().any(|line| line.name == witness::witness_name(other.node)))
        .map(|other| other.node)
        .collect();
    let detail = format!(
        "{} leaves, Ed25519 and SM2, cosigned by {} of {} other cities",
        checkpoint.size,
        cosigners.len(),
        keys.len()
    );
    Ok(((checkpoint, cosigners), detail))
}

fn check_leaf(checkpoint: &Checkpoint, proof: &super::LeafProof) -> Result<Leaf, String> {
    let bytes = text::unbase64(&proof.leaf).map_err(words)?;
    let leaf = Leaf::decode(&bytes).map_err(words)?;
    let hash = |text: &String| text::unbase64(text).and_then(|bytes| text::fixed(&bytes)).map_err(words);
    let path: Vec<[u8; 32]> = proof.path.iter().map(hash).collect::<Result<_, _>>()?;
    verify_inclusion(&leaf_hash(&bytes), proof.index, checkpoint.size, &path, &checkpoint.root)
        .map_err(words)?;
    Ok(leaf)
}

/// Checks signature, contract and purpose of a message, that this city logged it, and its answer.
fn check_message(part: &Part, message: &MessageEvidence, leaves: &[Leaf]) -> Found<MessageId> {
    let list = &part.trust.list;
    let content = message.content.as_deref().map(text::unbase64).transpose().map_err(words)?;
    let request = &message.request;
    let checked = check_request(list, &request.method, &request.path, &request.fields, content.as_deref());
    let checked = checked.map_err(words)?;
    if checked.evidence != *request {
        return Err("it holds fields that the signature does not cover".to_owned());
    }
    check_granted(part, &checked.envelope)?;
    check_logged(part, &checked, leaves)?;
    let id = checked.envelope.id;
    let Some(answer) = &message.answer else {
        return Ok((id, format!("{id} {}", checked.envelope.service)));
    };
    let facts = Facts::read(&request.method, &request.path, &request.fields);
    let content = answer.content.as_deref().map(text::unbase64).transpose().map_err(words)?;
    let response = &answer.response;
    let answered = check_response(list, &facts, response.status, &response.fields, content.as_deref());
    let answered = answered.map_err(|violation| format!("{id}, its answer: {violation}"))?;
    if answered.evidence != *response {
        return Err(format!("{id}: its answer holds fields that the signature does not cover"));
    }
    Ok((id, format!("{id} {} with its answer", checked.envelope.service)))
}

fn check_granted(part: &Part, envelope: &Envelope) -> Result<(), String> {
    let named =
        |contract: &Contract| contract.reference().is_ok_and(|reference| reference == envelope.contract);
    let contract = part.contracts.iter().map(|signed| &signed.contract).find(|contract| named(contract));
    let contract = contract.ok_or_else(|| format!("{}: its contract is not in the part", envelope.id))?;
    let terms = contract.services.get(&envelope.service);
    let granted = contract.is_between(envelope.from, envelope.to)
        && terms.is_some_and(|terms| terms.allows(&envelope.purpose.item));
    if granted { Ok(()) } else { Err(format!("{}: its contract does not allow it", envelope.id)) }
}

/// The sender holds a leaf that it sent, the receiver one that it received, both with the signed digest.
fn check_logged(part: &Part, checked: &CheckedRequest, leaves: &[Leaf]) -> Result<(), String> {
    let envelope = &checked.envelope;
    let kind = match part.node {
        node if node == envelope.from => LeafKind::Sent,
        node if node == envelope.to => LeafKind::Received,
        _ => return Err(format!("{}: the city neither sent nor received it", envelope.id)),
    };
    // A sender logs before it signs: its leaf may hold no base.
    let base_fits = |base: [u8; 32]| base == checked.base_hash || (kind == LeafKind::Sent && base == [0; 32]);
    let fits = |leaf: &&Leaf| {
        leaf.kind == kind
            && leaf.id == envelope.id
            && leaf.content == checked.content
            && leaf.contract == envelope.contract.hash16()
            && base_fits(leaf.base)
    };
    match leaves.iter().find(fits) {
        Some(_) => Ok(()),
        None => Err(format!("{}: no leaf {kind:?} in the log of {}", envelope.id, part.node)),
    }
}

fn check_look(look: &LookEvidence, leaves: &[Leaf]) -> Found<()> {
    let content = tb_crypto::sha256(look.row.as_bytes());
    let of_row = leaves.iter().find(|leaf| leaf.kind == LeafKind::Look && leaf.content == content);
    let leaf = of_row.ok_or("no leaf of the log commits to this row")?;
    let salt: [u8; 16] = text::unhex(&look.salt).and_then(|salt| text::fixed(&salt)).map_err(words)?;
    match &look.subject {
        Some(subject) if subject_commitment(&salt, subject.as_bytes()) != leaf.subject => {
            Err(format!("{}: the leaf is about another person", leaf.id))
        }
        Some(_) => Ok(((), format!("{} about the person named", leaf.id))),
        None => Ok(((), format!("{}", leaf.id))),
    }
}

/// What of a record the chain is made of; the rest is the case block's own.
#[derive(Deserialize)]
struct Link {
    case: CaseId,
    seq: u32,
    prev: String,
}

/// Checks form, hash and order of each event, and that it is in the city's log.
fn check_case(case: &CaseEvidence, leaves: &[Leaf], chains: &mut Chains) -> Found<usize> {
    let mut before: Option<(u32, &str)> = None;
    for event in &case.events {
        let link = check_event(case.case, event, leaves)?;
        let follows = |(seq, hash): (u32, &str)| seq.checked_add(1) == Some(link.seq) && hash == link.prev;
        if !before.is_none_or(follows) {
            return Err(format!("{}: the chain breaks at event {}", case.case, link.seq));
        }
        before = Some((link.seq, &event.hash));
        chains.entry(case.case).or_default().push((link.seq, link.prev, event.hash.clone()));
    }
    Ok((case.events.len(), format!("{} with {} events", case.case, case.events.len())))
}

fn check_event(case: CaseId, event: &EventEvidence, leaves: &[Leaf]) -> Result<Link, String> {
    let text = event.record.as_bytes();
    let value: serde_json::Value = serde_json::from_slice(text).map_err(words)?;
    if tb_crypto::canonical(&value).map_err(words)? != text {
        return Err(format!("{case}: a record is not in its canonical encoding"));
    }
    let link: Link = serde_json::from_value(value).map_err(words)?;
    let content = tb_crypto::sha256(text);
    if link.case != case || text::hex(&content) != event.hash {
        return Err(format!("{case}: event {} is of another case or has another hash", link.seq));
    }
    let logged = |leaf: &Leaf| {
        leaf.kind == LeafKind::Case && leaf.id.as_str() == case.as_str() && leaf.content == content
    };
    if leaves.iter().any(logged) {
        Ok(link)
    } else {
        Err(format!("{case}: event {} is not in the log", link.seq))
    }
}

/// The runs of all parts together: two records of one number are the same, and each names the one before it.
pub(super) fn check_chains(report: &mut Report, mut chains: Chains) {
    for (case, links) in &mut chains {
        links.sort();
        links.dedup();
        let breaks = |pair: &&[(u32, String, String)]| {
            let [(seq, _, hash), (next, prev, _)] = pair else { return false };
            seq == next || (seq.checked_add(1) == Some(*next) && hash != prev)
        };
        let found = match links.windows(2).find(breaks) {
            Some(pair) => Err(format!("{case}: the parts disagree after event {}", pair[0].0)),
            None => Ok(((), format!("{case}: {} events, the parts agree", links.len()))),
        };
        report.note("bundle", "case over all parts", found);
    }
}

fn check_licence(part: &Part, licence: &LicenceEvidence) -> Found<()> {
    let record = licence.record.as_bytes();
    let value: serde_json::Value = serde_json::from_slice(record).map_err(words)?;
    if tb_crypto::canonical(&value).map_err(words)? != record {
        return Err("the record is not in its canonical encoding".to_owned());
    }
    let issuer = part.trust.list.known(licence.issuer).ok_or("the issuer is not in the trust list")?;
    let key = issuer.keys.key(KeyUse::LicenceSm2).map_err(words)?;
    let signature = text::unbase64(&licence.signature).map_err(words)?;
    key.verify(&licence_text(record), &signature).map_err(|_| "the issuer did not sign this record")?;
    let id = value.get("id").and_then(serde_json::Value::as_str).unwrap_or("a licence");
    Ok(((), format!("{id} issued by {}", licence.issuer)))
}
