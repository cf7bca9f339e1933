//! Membership while the node runs (成员变更): a newer trust list is heard of, fetched, checked and put in force.
//!
//! Invariant: a list takes effect only after the one in force allows it, and is on disk before it does.
//! Nodes tell each other the number of their list whenever they ask for a cosignature; putting one in force
//! writes a leaf, so every node asks, and the news goes round by itself.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::extract::{ConnectInfo, Path, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::{Method, StatusCode};
use tb_base::{Actor, Error, Fault, NodeId, Result, Violation};
use tb_exchange::package::{PACKAGE_BYTES_MAX, Package};
use tb_store::{audit, trust};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::listener::PeerCity;
use crate::server::{answer, plain};
use crate::{Node, mirror, outbox, reconcile, witness};

/// Tells which list is in force at the sender: number and fingerprint.
pub const FIELD: &str = "tongban-trust";
/// Lists that are fetched one after the other before the node looks up.
const LISTS_MAX: u32 = 100;
/// Things that are said once and remembered.
const SAID_MAX: usize = 1_000;

/// Puts a list on disk before it takes effect.
pub type KeepTrust = Arc<dyn Fn(&Package) -> Result<()> + Send + Sync>;

/// What changes about the region while the node runs.
pub struct Membership {
    keep: OnceLock<KeepTrust>,
    /// The number of the list in force, for whoever waits for another.
    number: watch::Sender<u32>,
    /// The city that was heard to have a newer list.
    news: watch::Sender<Option<NodeId>>,
    /// One list at a time.
    installing: tokio::sync::Mutex<()>,
    /// What was written down of whom, once for each number of the list.
    said: Mutex<BTreeSet<(NodeId, &'static str, u32)>>,
}

impl Membership {
    /// Nothing has changed yet.
    pub fn new() -> Membership {
        Membership {
            keep: OnceLock::new(),
            number: watch::Sender::new(0),
            news: watch::Sender::new(None),
            installing: tokio::sync::Mutex::new(()),
            said: Mutex::new(BTreeSet::new()),
        }
    }

    /// Tells of every list that is put in force from now on.
    pub fn changes(&self) -> watch::Receiver<u32> {
        self.number.subscribe()
    }

    /// Waits until something that the list in force decides is so.
    async fn until(&self, is_so: impl Fn() -> bool) {
        // Before the first look: a list that takes effect between look and wait is not missed.
        let mut changes = self.changes();
        while !is_so() {
            if changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Whether this is the first time that it is said of a city under this list.
    fn is_new(&self, city: NodeId, what: &'static str, number: u32) -> bool {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        said.len() < SAID_MAX && said.insert((city, what, number))
    }
}

impl Node {
    /// Says how a list is put on disk; without that it lasts as long as the node runs.
    pub fn keep_trust(&self, keep: KeepTrust) {
        // A second one would mean two folders; the first stays.
        let _ = self.membership.keep.set(keep);
    }

    /// The number of the trust list in force.
    pub fn trust_number(&self) -> u32 {
        self.desk.trust().list.version
    }

    /// Whether messages go to that city: to a member, or to this city itself.
    pub(crate) fn speaks_to(&self, city: NodeId) -> bool {
        city == self.me || self.desk.is_member(city)
    }

    /// Puts a list in force that may follow the present one; the present one again is no error.
    ///
    /// From then on whoever left is cut off, what waits for it is a dead letter, and whoever joined is served.
    pub async fn install(self: &Arc<Node>, package: Package) -> Result<()> {
        let _one = self.membership.installing.lock().await;
        let now = self.clock.now();
        let present = self.desk.trust();
        if package.trust.list == present.list {
            return self.record(package).await;
        }
        package.verify_after(Some(&present.list), now)?;
        self.desk.check(&package)?;
        if let Some(keep) = self.membership.keep.get() {
            keep(&package)?;
        }
        self.desk.replace(package.trust.clone(), package.contracts.clone())?;
        let list = &package.trust.list;
        tracing::info!(node = %self.me, number = list.version, "a trust list is in force");
        self.lines.add(list.cities.iter().map(|city| city.node));
        self.lines.all_open();
        self.membership.number.send_replace(list.version);
        self.record(package).await
    }

    /// Puts lists in force that another process of this city wrote down.
    pub async fn catch_up(self: &Arc<Node>) -> Result<()> {
        for _ in 0..LISTS_MAX {
            let next = self.trust_number().saturating_add(1);
            let found = self.store.read("trust.find", move |tx| trust::find(tx, next)).await?;
            let Some(kept) = found else { return Ok(()) };
            self.install(kept.package).await?;
        }
        Ok(())
    }

    /// The leaf, the document and the audit line of a list; written once.
    async fn record(self: &Arc<Node>, package: Package) -> Result<()> {
        let ctx = self.ctx(Actor::System);
        self.store.write("trust.install", move |tx| trust::put(tx, &ctx, &package)).await
    }
}

/// What this node tells of its list.
pub fn field(node: &Node) -> (String, String) {
    let trust = node.desk.trust();
    let fingerprint = trust.list.fingerprint().unwrap_or_default();
    (FIELD.to_owned(), format!("{} {fingerprint}", trust.list.version))
}

/// A city told of its list: a higher number is fetched, another list of the same number is an alarm.
pub async fn heard(node: &Arc<Node>, peer: NodeId, said: &str) {
    let Some((number, fingerprint)) = said.split_once(' ') else { return };
    let Ok(number) = number.parse::<u32>() else { return };
    let present = node.desk.trust();
    if present.list.version < number {
        node.membership.news.send_replace(Some(peer));
        return;
    }
    let differs = present.list.fingerprint().is_ok_and(|own| own != fingerprint);
    if number == present.list.version && differs {
        note(node, peer, "trust.conflict", number, fingerprint).await;
    }
}

/// Writes an audit line of a city, once for each number of the list.
async fn note(node: &Arc<Node>, peer: NodeId, what: &'static str, number: u32, outcome: &str) {
    if !node.membership.is_new(peer, what, number) {
        return;
    }
    tracing::error!(%peer, what, number, "a matter of the trust list");
    let (ctx, outcome) = (node.ctx(Actor::Peer(peer)), outcome.chars().take(64).collect::<String>());
    let line = move |tx: &mut tb_store::Tx<'_>| audit::line(tx, &ctx, what, peer.as_str(), &outcome);
    if let Err(error) = node.store.write("trust.note", line).await {
        tracing::error!(%error, "an audit line could not be written");
    }
}

/// Waits until a city is a member, or the node is to stop.
pub async fn is_there(node: &Node, city: NodeId) {
    tokio::select! {
        biased;
        () = node.membership.until(|| node.desk.is_member(city)) => {}
        () = node.stopped() => {}
    }
}

/// A line and a witness's loop for each city, for those that join as well; ends when the node stops, or one fails.
///
/// The loops of a city that left wait for its return.
pub async fn serve(node: Arc<Node>) {
    let (mut tasks, mut served) = (JoinSet::new(), BTreeSet::new());
    let mut changes = node.membership.changes();
    loop {
        let cities = node.lines.cities();
        let fresh: Vec<NodeId> = cities.into_iter().filter(|city| served.insert(*city)).collect();
        for to in &fresh {
            tasks.spawn(node.clone().once_sound(outbox::serve(node.clone(), *to)));
        }
        for peer in fresh.into_iter().filter(|city| *city != node.me) {
            tasks.spawn(node.clone().once_sound(witness::run(node.clone(), peer)));
            tasks.spawn(node.clone().once_sound(mirror::run(node.clone(), peer)));
            tasks.spawn(node.clone().once_sound(reconcile::run(node.clone(), peer)));
        }
        tokio::select! {
            biased;
            () = node.stopped() => break,
            // The sender is a field of this node.
            _ = changes.changed() => {}
            // A loop that ends before the node does has failed, and with it the node.
            ended = tasks.join_next() => {
                tracing::error!(?ended, "the work for a city ended by itself");
                return;
            }
        }
    }
    while tasks.join_next().await.is_some() {}
}

/// Fetches newer lists from whoever has them, until the node stops.
pub async fn run(node: Arc<Node>) {
    let mut news = node.membership.news.subscribe();
    while !node.is_stopped() {
        tokio::select! {
            biased;
            () = node.stopped() => return,
            _ = news.changed() => {}
        }
        let Some(peer) = *news.borrow_and_update() else { continue };
        let fetched = tokio::select! {
            biased;
            () = node.stopped() => return,
            fetched = fetch(&node, peer) => fetched,
        };
        match fetched {
            Ok(()) => {}
            Err(Error::Violation(violation)) => {
                tracing::warn!(%peer, %violation, "a trust list was refused");
                let number = node.trust_number();
                note(&node, peer, "trust.refuse", number, &violation.code).await;
            }
            Err(error) => tracing::info!(%peer, %error, "a trust list could not be fetched"),
        }
    }
}

/// The lists are fetched one after the other: each is judged by the one before it.
async fn fetch(node: &Arc<Node>, peer: NodeId) -> Result<()> {
    for _ in 0..LISTS_MAX {
        let next = node.trust_number().saturating_add(1);
        if node.is_offline() || !node.desk.is_member(peer) {
            return Ok(());
        }
        let reply = node.clients.call(peer, Method::GET, &format!("/trust/{next}"), &[], Vec::new()).await?;
        match reply.status {
            200 => node.install(Package::from_json(&reply.body)?).await?,
            404 => return Ok(()),
            status => return Err(Fault::new(format!("fetching a trust list: status {status}")).into()),
        }
    }
    Ok(())
}

/// Gives a list with its contracts to a member that has not got it yet.
pub async fn list(State(node): State<Arc<Node>>, Path(number): Path<u32>) -> Response {
    let found = node.store.read("trust.find", move |tx| trust::find(tx, number)).await;
    let bytes = match found {
        Ok(Some(kept)) => serde_json::to_vec(&kept.package).unwrap_or_default(),
        Ok(None) => return plain(StatusCode::NOT_FOUND, "no list of that number is in force here"),
        Err(error) => {
            tracing::error!(%error, "a trust list could not be read");
            return plain(StatusCode::SERVICE_UNAVAILABLE, "the lists cannot be read");
        }
    };
    if bytes.is_empty() || PACKAGE_BYTES_MAX < bytes.len() {
        return plain(StatusCode::INTERNAL_SERVER_ERROR, "the list cannot be given");
    }
    answer(200, vec![("content-type".into(), "application/json".into())], bytes)
}

/// Whoever left is answered nothing, on whatever connection it still has.
pub async fn only_members(
    State(node): State<Arc<Node>>,
    ConnectInfo(peer): ConnectInfo<PeerCity>,
    request: Request,
    next: Next,
) -> Response {
    if node.desk.is_member(peer.0) {
        return next.run(request).await;
    }
    let violation = Violation::new("key-unknown", "trust-list", format!("{} is no member", peer.0));
    note(&node, peer.0, "exchange.stranger", node.trust_number(), &violation.code).await;
    plain(StatusCode::FORBIDDEN, "no member of the region")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::time::Duration;

    use super::Membership;

    /// The list takes effect after it was looked, and before anything is waited for.
    #[tokio::test]
    async fn a_list_between_look_and_wait_is_not_missed() {
        let membership = Membership::new();
        let looks = Cell::new(0);
        let is_so = || {
            looks.set(looks.get() + 1);
            let is_first = looks.get() == 1;
            if is_first {
                membership.number.send_replace(2);
            }
            !is_first
        };
        let waited = tokio::time::timeout(Duration::from_secs(10), membership.until(is_so)).await;
        assert!(waited.is_ok(), "it waits for a list that is in force already");
        assert_eq!(looks.get(), 2);
    }
}
