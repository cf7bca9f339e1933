//! Two histories that one log signed (分叉证据): what the witness kept, in words, and as the signed file.
//! Serves clause 1.6.
//!
//! Invariant: no key is asked for again here; a document was checked when it was kept, and whoever gets the file checks it.

mod show;

use std::sync::Arc;

use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{NodeId, Refusal, Result, Timestamp};
use tb_crypto::text;
use tb_exchange::Desk;
use tb_exchange::fork::SignedFork;
use tb_store::{Tx, audit, log, mirror, trust};
use tb_tlog::Checkpoint;
use tb_web::{PageResult, Visit, download as file};

pub(super) use self::show::{done_by_itself, to_do};
use crate::parts::Parts;

/// Documents of one log that the page shows; the others are counted.
const SHOWN_MAX: u32 = 3;

/// One log that has two histories.
#[derive(Clone, Serialize)]
pub(super) struct Forked {
    pub node: NodeId,
    /// The newest documents.
    pub seen: Vec<Seen>,
    /// How many documents there are.
    pub count: u32,
}

/// One document.
#[derive(Clone, Serialize)]
pub(super) struct Seen {
    pub id: String,
    pub at: Timestamp,
    pub kind: Kind,
    /// What this city had cosigned.
    pub known: Tree,
    /// What it was shown then, and did not cosign.
    pub shown: Tree,
    /// What was cosigned of the log since: it went on from the known history.
    pub since: Option<Tree>,
}

/// What a document says about its log.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// Two roots of one size: nothing explains that.
    Proven,
    /// A longer history without a proof that it continues the known one; the log may still give one.
    Open,
    /// The log has given one since: both are in the copy that this city holds.
    Cleared,
}

/// The size and the root of a tree, and when it was cosigned if that matters.
#[derive(Clone, Serialize)]
pub(super) struct Tree {
    pub size: u64,
    pub root: String,
    pub at: Option<Timestamp>,
}

impl Tree {
    fn of(checkpoint: &Checkpoint) -> Tree {
        Tree { size: checkpoint.size, root: text::base64(&checkpoint.root), at: None }
    }
}

/// Every log that was seen to have two histories; whoever sees any leaves an audit line.
pub(super) fn read(tx: &mut Tx<'_>, desk: &Desk) -> Result<Vec<Forked>> {
    let list = &desk.trust().list;
    let mut all = Vec::new();
    for (origin, count) in trust::forked_logs(tx)? {
        // A city that left is named, too: evidence does not end with a membership.
        let city = list.cities.iter().chain(&list.left).find(|city| city.log_origin == origin);
        let Some(node) = city.map(|city| city.node) else { continue };
        let mut seen = Vec::new();
        for (id, signed) in trust::forks_of(tx, &origin, SHOWN_MAX)? {
            seen.push(look(tx, node, &origin, id, &signed)?);
        }
        all.push(Forked { node, seen, count });
    }
    Ok(all)
}

fn look(tx: &mut Tx<'_>, node: NodeId, origin: &str, id: String, signed: &SignedFork) -> Result<Seen> {
    let [known, shown] = signed.fork.trees()?;
    let at = signed.fork.at;
    // The known tree once more is not a log that goes on.
    let went_on = |state: &log::WitnessState| at < state.at && known.size < state.size;
    let since = log::witness_state(tx, origin)?.filter(went_on);
    let since =
        since.map(|state| Tree { size: state.size, root: text::base64(&state.root), at: Some(state.at) });
    let kind = if known.size == shown.size {
        Kind::Proven
    } else if is_in_copy(tx, node, &known)? && is_in_copy(tx, node, &shown)? {
        Kind::Cleared
    } else {
        Kind::Open
    };
    Ok(Seen { id, at, kind, known: Tree::of(&known), shown: Tree::of(&shown), since })
}

fn is_in_copy(tx: &mut Tx<'_>, node: NodeId, tree: &Checkpoint) -> Result<bool> {
    Ok(tree.size <= mirror::size(tx, node)? && mirror::root(tx, node, tree.size)? == tree.root)
}

/// GET /bureau/forks/{id}/file: the signed document, as `tongban trust check` reads it.
pub async fn download(visit: Visit, _: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    super::reading(&visit)?;
    let (ctx, id) = (visit.ctx.clone(), id.0);
    let find = move |tx: &mut Tx<'_>| {
        let Some(signed) = trust::fork(tx, &id)? else { return Err(missing().into()) };
        audit::line(tx, &ctx, "bureau.export", &format!("fork/{id}"), "done")?;
        Ok(signed)
    };
    let signed = visit.app.store.write("t01.fork.file", find).await?;
    Ok(file(&signed.fork.file_name()?, "application/json", signed.to_json()?.into_bytes()))
}

fn missing() -> Refusal {
    Refusal::gone("T01-FRK-001", "没有这份证据", "There is no such evidence")
        .but("请从交换页面打开", "Open it from the page of the exchange")
}
