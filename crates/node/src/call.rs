//! One signed call (签名调用): a request to a city, and what that city provably said to it.

use std::sync::Arc;

use http::Method;
use tb_base::{Error, Fault, NodeId, Result, Violation};
use tb_exchange::http_message::{self, SignedRequest};
use tb_exchange::problem::Problem;

use crate::{Node, contact, seen};

/// What a city said: its signature was verified, and that it answers this very request.
pub struct Said {
    /// The body as it travelled.
    pub body: Vec<u8>,
    /// How it was signed.
    pub evidence: serde_json::Value,
    /// What it found wrong, if it did.
    pub problem: Option<Problem>,
}

impl Said {
    /// Whether the same message may be taken later: the city is in trouble, or the clocks are apart.
    pub fn is_temporary(&self) -> bool {
        let Some(problem) = &self.problem else { return false };
        match &problem.refusal {
            Some(refusal) => matches!(refusal.class, tb_base::Class::NotNow | tb_base::Class::Conflict),
            None => problem.is_temporary() || problem.clock_delta_ms.is_some() || is_about_the_way(problem),
        }
    }
}

/// Whether it is no word on the message: something changed the bytes on the way, this city signs with a key that the
/// other's list does not have yet, or one of the two runs a version that the other does not understand.
/// Then the message waits until that is mended.
fn is_about_the_way(problem: &Problem) -> bool {
    let codes = ["grammar", "signature-coverage", "digest-mismatch", "signature-invalid", "key-unknown"];
    codes.contains(&problem.code())
}

/// Sends a signed request. An error means that the city said nothing that could be believed: it may be tried again.
pub async fn call(node: &Arc<Node>, to: NodeId, signed: &SignedRequest) -> Result<Said> {
    if node.is_offline() {
        return Err(unavailable(node, to));
    }
    let called = spoken(node, to, signed).await;
    match &called {
        Ok((said, skew_millis)) => {
            let told = said.problem.as_ref().and_then(|problem| problem.clock_delta_ms);
            contact::heard(node, to, Some(told.map_or(*skew_millis, |delta| -delta))).await;
        }
        Err(error) => contact::silent(node, to, &error.to_string()).await,
    }
    called.map(|(said, _)| said)
}

/// What the city said, and how far its clock is ahead of ours, to a second.
async fn spoken(node: &Arc<Node>, to: NodeId, signed: &SignedRequest) -> Result<(Said, i64)> {
    let sent = node.clients.call(to, Method::POST, &signed.path, &signed.fields, signed.body.clone());
    let reply = seen::called(node, to, sent).await?;
    let now = node.clock.now();
    let checked =
        http_message::verify_response(&node.desk, signed, reply.status, &reply.fields, &reply.body, now)?;
    let problem = if checked.is_problem { Some(Problem::from_json(&reply.body)?) } else { None };
    if problem.is_none() && !(200..300).contains(&checked.status) {
        let detail = format!("{} without a problem", checked.status);
        return Err(Violation::new("grammar", "@status", detail).into());
    }
    let evidence = serde_json::to_value(&checked.evidence);
    let evidence = evidence.map_err(|error| Fault::of("writing evidence", error))?;
    let skew_millis = (checked.created - now.seconds()) * 1_000;
    Ok((Said { body: reply.body, evidence, problem }, skew_millis))
}

/// The refusal that names a city which cannot be reached.
pub fn unavailable(node: &Node, to: NodeId) -> Error {
    match node.desk.trust().list.city(to) {
        Some(city) => tb_exchange::unavailable(&city.name, &city.name_en).into(),
        None => tb_exchange::unavailable(to.as_str(), to.as_str()).into(),
    }
}
