//! A look at another city from outside a node (探测): TLS, its answer, its clock and the end of its log.

use std::time::Duration;

use http::Method;
use tb_base::{Fault, NodeId, Result};
use tokio::time::Instant;

use crate::client::{PeerClients, Wire};
use crate::tls::{Door, Identity};

/// What was seen of a city.
#[derive(Clone, Debug)]
pub struct Probe {
    /// How long the answer took, with the handshake.
    pub took: Duration,
    /// Its `Date` field.
    pub date: Option<String>,
    /// Its newest checkpoint with the cosignatures, if it has one.
    pub checkpoint: Option<String>,
}

/// Asks a city for its newest checkpoint, with this certificate.
pub async fn probe(door: Door, identity: &Identity, peer: NodeId) -> Result<Probe> {
    let clients = PeerClients::new(door, identity.clone());
    let begun = Instant::now();
    let reply = clients.call(peer, Method::GET, "/log/checkpoint", &[], Vec::new()).await?;
    let took = begun.elapsed();
    let date = reply.fields.iter().find(|(name, _)| name == "date").map(|(_, value)| value.clone());
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    match reply.status {
        200 => Ok(Probe { took, date, checkpoint: Some(text) }),
        404 => Ok(Probe { took, date, checkpoint: None }),
        status => Err(Fault::new(format!("asking {peer}: it answered {status}: {text}")).into()),
    }
}
