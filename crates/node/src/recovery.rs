//! A node whose store came out of a backup (恢复): it signs nothing before the others have told what they hold.
//!
//! Invariants: no checkpoint, message, receipt or cosignature is made before every other city has shown what it
//! cosigned of this log, or an operator has decided to go on without it; the log only ever grows by leaves that lead
//! to a checkpoint which this city signed; what was cosigned here never goes back.
//! Every step may be done again: a node that dies within starts over.

mod answers;
mod log;
mod messages;
mod passes;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tb_base::{Actor, Error, Fault, MessageId, NodeId, Result, Timestamp, Violation};
use tb_exchange::City;
use tb_exchange::http_message::RequestEvidence;
use tb_exchange::witness::{checkpoint_of, witness_keys};
use tb_store::restored::Restored;
use tb_store::{Tx, audit, restored};
use tb_tlog::Checkpoint;
use tb_tlog::note::Note;

use crate::Node;
use crate::copy::fetch;

pub use answers::{again, messages, state};
pub use passes::Passes;

/// What a peer tells a city about itself.
pub const STATE_PATH: &str = "/recovery/v1/state";
/// The messages that a peer has of a city.
pub const MESSAGES_PATH: &str = "/recovery/v1/messages";
/// Lets a peer send once more what a city has lost.
pub const AGAIN_PATH: &str = "/recovery/v1/again";
/// The pause between two rounds while a city is waited for.
const PAUSE_MILLIS: u64 = 1_000;
/// Clocks of cities differ, and a message was on its way while the backup was taken: so much more is asked for.
const MARGIN_SECONDS: i64 = 900;

/// How things stand with the store of a node (恢复进度).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has not been looked yet.
    Unknown,
    /// The node works: its store did not come out of a backup, or all was brought back.
    Sound,
    /// The store came out of a backup, and the node signs nothing yet.
    Recovering {
        /// When the backup was taken.
        taken: Timestamp,
        /// The cities that are waited for, and why.
        waits_for: BTreeMap<NodeId, String>,
    },
    /// What a city shows is not of the log that is here: a person has to decide.
    Forked {
        /// The city that shows it.
        city: NodeId,
        /// What does not fit.
        problem: String,
    },
}

/// What a peer tells, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// The checkpoint of the asking city's log that the peer cosigned last.
    cosigned: Option<String>,
    /// How many leaves of it the peer holds.
    mirrored: u64,
    /// The newest checkpoint of the peer's own log that the asking city cosigned.
    witnessed: Option<String>,
}

/// A message of the asking city, as the peer holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    /// The body, base64.
    body: String,
    /// The request as the asking city signed it.
    evidence: RequestEvidence,
    /// When the peer took it, by its clock.
    received: Timestamp,
}

/// A page of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Page {
    messages: Vec<Held>,
    /// Where the next page goes on; nothing after the last.
    next: Option<MessageId>,
}

/// What is asked of a peer that took messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    since: Timestamp,
    after: Option<MessageId>,
}

/// What it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Resent {
    waiting: u32,
    too_late: Vec<MessageId>,
    next: Option<MessageId>,
}

/// What a peer told, verified.
struct Told {
    cosigned: Option<(Checkpoint, Note)>,
    mirrored: u64,
    witnessed: Option<(Checkpoint, Note)>,
}

/// How far messages were taken back from each city, and how far each was asked to send once more.
type Progress = BTreeMap<NodeId, (messages::Way, messages::Way)>;

/// Whether the node may sign; looks at the mark where nobody has yet.
pub async fn may_sign(node: &Arc<Node>) -> bool {
    let standing = node.standing();
    match standing {
        Standing::Sound => true,
        Standing::Recovering { .. } | Standing::Forked { .. } => false,
        Standing::Unknown => match node.store.read("recovery.look", restored::pending).await {
            Ok(None) => {
                node.stand(Standing::Sound);
                true
            }
            Ok(Some(_)) => false,
            Err(error) => {
                tracing::error!(%error, "whether the store came out of a backup could not be read");
                false
            }
        },
    }
}

/// Does the work that waits for nothing, or first brings back what the others hold; then stays until the node stops.
pub async fn run(node: Arc<Node>) {
    repeat(&node, true).await;
}

/// The same for a process that only serves: another one on the same database brings back what the others hold.
pub async fn attend(node: Arc<Node>) {
    repeat(&node, false).await;
}

async fn repeat(node: &Arc<Node>, works: bool) {
    let mut progress = Progress::new();
    while !node.is_stopped() {
        let stands = match round(node, works, &mut progress).await {
            Ok(standing) => Some(standing),
            Err(error) => {
                tracing::error!(%error, "what the other cities hold could not be brought back, and is tried again");
                None
            }
        };
        if let Some(standing) = stands {
            node.stand(standing);
        }
        if node.standing() == Standing::Sound {
            return node.stopped().await;
        }
        tokio::select! {
            biased;
            () = node.stopped() => return,
            () = tokio::time::sleep(Duration::from_millis(PAUSE_MILLIS)) => {}
        }
    }
}

async fn round(node: &Arc<Node>, works: bool, progress: &mut Progress) -> Result<Standing> {
    let Some(restored) = node.store.read("recovery.look", restored::pending).await? else {
        return Ok(Standing::Sound);
    };
    let waiting = |waits_for| Standing::Recovering { taken: restored.taken, waits_for };
    if !works {
        return Ok(waiting(BTreeMap::new()));
    }
    let (told, waits_for) = ask_all(node, &restored).await;
    if !waits_for.is_empty() {
        return Ok(waiting(waits_for));
    }
    match bring_back(node, &restored, &told, progress).await {
        Ok(()) => Ok(Standing::Sound),
        Err(Stopped::Waits(city, why)) => Ok(waiting(BTreeMap::from([(city, why)]))),
        Err(Stopped::Forked(city, problem)) => {
            let (ctx, object) = (node.ctx(Actor::System), problem.clone());
            if !matches!(node.standing(), Standing::Forked { .. }) {
                let line =
                    move |tx: &mut Tx<'_>| audit::line(tx, &ctx, "recovery.forked", city.as_str(), &object);
                node.store.write("recovery.forked", line).await?;
            }
            Ok(Standing::Forked { city, problem })
        }
        Err(Stopped::Failed(error)) => Err(error),
    }
}

/// Why nothing more can be brought back for now.
enum Stopped {
    /// A city does not answer, or does not hold enough yet.
    Waits(NodeId, String),
    /// A city shows what cannot be.
    Forked(NodeId, String),
    /// Something failed here.
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Stopped {
        Stopped::Failed(error)
    }
}

/// Every city of the region is asked: which of them cosigned after the backup, the backup cannot know.
async fn ask_all(
    node: &Arc<Node>,
    restored: &Restored,
) -> (BTreeMap<NodeId, Told>, BTreeMap<NodeId, String>) {
    let (mut told, mut waits_for) = (BTreeMap::new(), BTreeMap::new());
    for peer in node.others() {
        if restored.without.contains(&peer) {
            continue;
        }
        match ask(node, peer).await {
            Ok(state) => drop(told.insert(peer, state)),
            Err(error) => drop(waits_for.insert(peer, error.to_string())),
        }
    }
    (told, waits_for)
}

async fn ask(node: &Arc<Node>, peer: NodeId) -> Result<Told> {
    let state: State = read(&fetch(node, peer, STATE_PATH).await?)?;
    let trust = node.desk.trust();
    let known = |node: NodeId| {
        let city = trust.list.city(node);
        city.ok_or_else(|| Violation::new("key-unknown", "trust-list", format!("{node} is no member")))
    };
    // By the list in force: it may have been put there after the node began.
    let (own, city) = (known(node.me)?, known(peer)?);
    let cosigned = state.cosigned.map(|note| verified(own, city, &note)).transpose()?;
    let witnessed = state.witnessed.map(|note| verified(city, own, &note)).transpose()?;
    Ok(Told { cosigned, mirrored: state.mirrored, witnessed })
}

/// A checkpoint of one city's log under both of its signatures and the cosignature of another city.
///
/// Either may have renewed its keys since: what was signed before that is what the city comes back to.
fn verified(log: &City, witness: &City, note: &str) -> Result<(Checkpoint, Note)> {
    let note = Note::parse(note)?;
    let checkpoint = checkpoint_of(log, &note)?;
    note.verify(&witness_keys(witness)?)?;
    Ok((checkpoint, note))
}

/// In this order: the log, so that nothing signed is contradicted; what was cosigned; the messages; the end of the mark.
async fn bring_back(
    node: &Arc<Node>,
    restored: &Restored,
    told: &BTreeMap<NodeId, Told>,
    progress: &mut Progress,
) -> std::result::Result<(), Stopped> {
    log::bring_back(node, told).await?;
    for (peer, told) in told {
        if let Some((checkpoint, note)) = &told.witnessed {
            log::keep_witnessed(node, *peer, checkpoint, note).await?;
        }
    }
    let since = restored.taken.plus_seconds(-MARGIN_SECONDS);
    for peer in told.keys() {
        let waits = |error: Error| Stopped::Waits(*peer, error.to_string());
        // What a round before this one reached is not asked for again.
        let (taken, asked) = progress.entry(*peer).or_default();
        messages::take_back(node, *peer, since, taken).await.map_err(waits)?;
        messages::ask_again(node, *peer, since, asked).await.map_err(waits)?;
    }
    let (ctx, size, without) = (node.ctx(Actor::System), restored.size, restored.without.clone());
    let finish = move |tx: &mut Tx<'_>| {
        log::tell_lost(tx, &ctx, size)?;
        for city in &without {
            audit::line(tx, &ctx, "recovery.without", city.as_str(), "operator")?;
        }
        audit::line(tx, &ctx, "recovery.done", ctx.node.as_str(), "sound")?;
        restored::finish(tx, ctx.now)
    };
    node.store.write("recovery.finish", finish).await?;
    tracing::warn!(node = %node.me, "what the other cities hold was brought back; the node works again");
    Ok(())
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body)
        .map_err(|error| Violation::new("schema", "recovery", error.to_string()).into())
}

fn write(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Fault::of("writing an answer", error).into())
}
