//! What the case block and the licence block keep of a case, as evidence (办件与证照证据).

use std::sync::Arc;

use tb_base::{CaseId, MessageId, NodeId, Result, Violation};
use tb_case::keep::Record;
use tb_case::{Env, ProgressView, acts, keep};
use tb_crypto::{canonical, text};
use tb_exchange::LeafKind;
use tb_exchange::bundle::{self, EventEvidence, LicenceEvidence};
use tb_licence::store::Licence;
use tb_store::{Tx, log};

use super::{CaseEvidence, CaseFacts};

/// Asks the case block of this city: for [`crate::Parts::case_evidence`].
pub fn case_evidence(env: Arc<Env>) -> CaseEvidence {
    Arc::new(move |tx, _, case| {
        // A case that this city never held is none of its business.
        let Some(applicant) = acts::person_of(tx, case)? else { return Ok(None) };
        let view = acts::view(tx, &env, case)?;
        let here = [&view.collecting, &view.deciding].into_iter().filter(|place| place.city == env.me());
        Ok(Some(CaseFacts {
            applicant: Some(applicant),
            offices: here.map(|place| place.office.clone()).collect(),
            events: events(tx, case)?,
            licences: licences(tx, env.me(), &view)?,
        }))
    })
}

/// The events that this city logged itself; those that it took over stand in the other city's part.
fn events(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<bundle::CaseEvidence>> {
    let id: MessageId = case.as_str().parse()?;
    let leaves = log::of_message(tx, id)?;
    let is_logged = |record: &Record| {
        leaves
            .iter()
            .any(|kept| kept.leaf.kind == LeafKind::Case && text::hex(&kept.leaf.content) == record.hash)
    };
    let mut runs: Vec<(u32, bundle::CaseEvidence)> = Vec::new();
    for record in keep::records(tx, case)?.iter().filter(|record| is_logged(record)) {
        let evidence = EventEvidence::of(record)?;
        match runs.last_mut() {
            Some((last, run)) if last.checked_add(1) == Some(record.seq) => {
                run.events.push(evidence);
                *last = record.seq;
            }
            Some(_) | None => runs.push((record.seq, bundle::CaseEvidence { case, events: vec![evidence] })),
        }
    }
    Ok(runs.into_iter().map(|(_, run)| run).collect())
}

/// The licence that the case ended with, while it is the version in force and of this city.
fn licences(tx: &mut Tx<'_>, me: NodeId, view: &ProgressView) -> Result<Vec<LicenceEvidence>> {
    let Some(result) = &view.result else { return Ok(Vec::new()) };
    let found = tb_licence::store::find(tx, result.licence)?;
    let same = |version: u16| u32::from(version) == result.version;
    let Some(licence) = found.filter(|it| it.record.city == me && same(it.version)) else {
        return Ok(Vec::new());
    };
    Ok(vec![of_licence(&licence)?])
}

/// A licence as its issuer signed it.
pub(crate) fn of_licence(licence: &Licence) -> Result<LicenceEvidence> {
    let record = String::from_utf8(canonical(&licence.record)?)
        .map_err(|_| Violation::inconsistent("licence_version", licence.id))?;
    Ok(LicenceEvidence { record, issuer: licence.record.city, signature: text::base64(&licence.signature) })
}
