//! The exchange at a glance (交换总览): each line, the log, its witnesses, and how many dead letters there are.
//! Serves clause 1.6.

mod show;

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{Ctx, MessageId, NodeId, Result, Timestamp};
use tb_crypto::text;
use tb_exchange::witness::witness_name;
use tb_exchange::{Desk, service};
use tb_store::dead_letters::{self, Filter, LetterState};
use tb_store::{Tx, audit, contact, inbox, log, mirror, outbox, restored, usage};
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use super::forks::{self, Forked};
use super::shared;
use crate::limits::Limits;
use crate::parts::Parts;

/// A line on which something waits for longer is worth a word.
const PATIENCE_SECONDS: i64 = 60;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/bureau.html")]
struct BureauPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    #[serde(flatten)]
    state: Standing,
    #[serde(skip)]
    now: Timestamp,
}

/// How exchange and log stand.
#[derive(Clone, Serialize)]
struct Standing {
    peers: Vec<Peer>,
    dead: Dead,
    contracts: usize,
    /// Services of contracts in force.
    shared: usize,
    log: LogState,
    /// Logs of other cities with two histories.
    forks: Vec<Forked>,
    /// Since when the store came out of a backup, while the other cities have not completed it.
    restoring: Option<Timestamp>,
}

/// The line to one other city.
#[derive(Clone, Serialize)]
struct Peer {
    node: NodeId,
    /// The last authentic sign of life.
    heard: Option<Timestamp>,
    /// Since when it does not answer, while it does not.
    silent_since: Option<Timestamp>,
    /// By how much its clock is ahead, to a second.
    skew_millis: Option<i64>,
    /// How many messages wait for it, up to a limit.
    waiting: u32,
    /// Since when the oldest one waits.
    since: Option<Timestamp>,
    /// How often that one was tried in vain.
    failures: u32,
    /// Why its last try failed.
    problem: Option<String>,
    /// The newest message for it.
    newest_out: Option<Place>,
    /// The newest message from it.
    newest_in: Option<Place>,
    /// The newest receipt from it.
    receipt: Option<Place>,
    /// Messages and questions of the day, ours and theirs.
    out_today: u64,
    in_today: u64,
    /// Messages to it that were given up and wait for somebody.
    dead: u32,
    /// What this city cosigned last of its log.
    cosigned: Option<Cosigned>,
    /// How many leaves of its log this city holds a copy of.
    mirrored: u64,
}

/// A message and when it was written or came.
#[derive(Clone, Serialize)]
struct Place {
    id: MessageId,
    at: Timestamp,
}

/// A size of a log, and when it was cosigned.
#[derive(Clone, Serialize)]
struct Cosigned {
    size: u64,
    at: Timestamp,
}

/// Dead letters.
#[derive(Clone, Serialize)]
struct Dead {
    open: u32,
    overdue: u32,
    /// When the oldest was given up.
    oldest: Option<Timestamp>,
}

/// The log, its newest checkpoint and its witnesses.
#[derive(Clone, Serialize)]
struct LogState {
    size: u64,
    waiting: u32,
    /// Since when the oldest leaf waits for its place.
    waiting_since: Option<Timestamp>,
    checkpoint: Option<CheckpointState>,
    witnesses: Vec<Witness>,
}

#[derive(Clone, Serialize)]
struct CheckpointState {
    size: u64,
    root: String,
    at: Timestamp,
    /// Names of the witnesses that cosigned it.
    witnesses: Vec<String>,
}

/// How far a witness is.
#[derive(Clone, Serialize)]
struct Witness {
    node: NodeId,
    cosigned: Option<Cosigned>,
    /// Leaves behind the newest checkpoint.
    behind: u64,
    /// Since when there is a checkpoint that it has not cosigned.
    behind_since: Option<Timestamp>,
}

/// GET /bureau
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    super::reading(&visit)?;
    let (ctx, desk, limits) = (visit.ctx.clone(), Arc::clone(&parts.desk), parts.limits.clone());
    let read = move |tx: &mut Tx<'_>| {
        let state = read(tx, &ctx, &desk, &limits)?;
        audit::line(tx, &ctx, "bureau.read", "overview", "done")?;
        if !state.forks.is_empty() {
            audit::line(tx, &ctx, "bureau.read", "forks", &format!("found:{}", state.forks.len()))?;
        }
        Ok(state)
    };
    let state = visit.app.store.write("t01.bureau", read).await?;
    let frame = visit.frame("交换", "Exchange");
    visit.page(BureauPage { frame, lang: visit.lang, state, now: visit.ctx.now })
}

fn read(tx: &mut Tx<'_>, ctx: &Ctx, desk: &Desk, limits: &Limits) -> Result<Standing> {
    let (mut peers, mut witnesses) = (Vec::new(), Vec::new());
    let latest = log::latest(tx)?;
    let size = latest.as_ref().map_or(0, |latest| latest.size);
    for node in desk.peers() {
        peers.push(peer(tx, ctx, desk, node)?);
        witnesses.push(witness(tx, node, size)?);
    }
    let overdue = limits.dead_letter_overdue_before(ctx.now);
    let dead = Dead {
        open: dead_letters::count(tx, &open(None, Timestamp(i64::MAX)))?,
        overdue: dead_letters::count(tx, &open(None, overdue))?,
        oldest: dead_letters::oldest(tx)?,
    };
    let checkpoint = latest.map(|kept| CheckpointState {
        size: kept.size,
        root: text::base64(&kept.root),
        at: kept.at,
        witnesses: kept.cosignatures.into_iter().map(|(witness, _)| witness).collect(),
    });
    let log = LogState {
        size: log::size(tx)?,
        waiting: log::waiting(tx)?,
        waiting_since: log::waiting_since(tx)?,
        checkpoint,
        witnesses,
    };
    let restoring = restored::pending(tx)?.map(|pending| pending.at);
    let forks = forks::read(tx, desk)?;
    let shared = shared::count(desk, ctx.now);
    Ok(Standing { peers, dead, contracts: desk.contracts().len(), shared, log, forks, restoring })
}

fn open(to: Option<NodeId>, died_before: Timestamp) -> Filter {
    Filter { state: LetterState::Open, to, service: None, died_before }
}

fn peer(tx: &mut Tx<'_>, ctx: &Ctx, desk: &Desk, node: NodeId) -> Result<Peer> {
    let (contact, standing) = (contact::find(tx, node)?, outbox::standing(tx, node)?);
    let today = usage::today(tx, ctx.now, node, &service::ALL)?;
    let place = |(id, at)| Place { id, at };
    let origin = desk.trust().list.city(node).map(|city| city.log_origin.clone()).unwrap_or_default();
    let cosigned = log::witness_state(tx, &origin)?;
    Ok(Peer {
        node,
        heard: contact.heard,
        silent_since: contact.silent_since,
        skew_millis: contact.skew_millis,
        waiting: standing.waiting,
        since: standing.since,
        failures: standing.failures,
        problem: standing.problem.or(contact.problem),
        newest_out: standing.newest.map(place),
        newest_in: inbox::newest(tx, node)?.map(place),
        receipt: inbox::newest_of(tx, node, service::RECEIPT)?.map(place),
        out_today: today.values().map(|count| count.out).sum(),
        in_today: today.values().map(|count| count.back).sum(),
        dead: dead_letters::count(tx, &open(Some(node), Timestamp(i64::MAX)))?,
        cosigned: cosigned.map(|kept| Cosigned { size: kept.size, at: kept.at }),
        mirrored: mirror::size(tx, node)?,
    })
}

fn witness(tx: &mut Tx<'_>, node: NodeId, size: u64) -> Result<Witness> {
    let last = log::cosigned_last(tx, &witness_name(node))?;
    let reached = last.map_or(0, |last| last.size);
    Ok(Witness {
        node,
        cosigned: last.map(|last| Cosigned { size: last.size, at: last.at }),
        behind: size.saturating_sub(reached),
        behind_since: log::signed_after(tx, reached)?,
    })
}
