//! What must hold after every storm (不变量): nothing acknowledged is lost, nothing is done twice, no log has two histories.

use std::sync::Arc;

use tb_base::{CaseId, MessageId, NodeId, Result};
use tb_case::acts::{self, ActStatus};
use tb_case::{PhaseKind, keep};
use tb_exchange::{LeafKind, ReceiptKind};
use tb_store::outbox::State;
use tb_store::{jobs, log, outbox, owed};
use tb_tlog::witness::Request;

use crate::effects;
use crate::people::{Ledger, People};
use crate::storm::Lie;
use crate::world::{DRIVER, World};

/// Looks at everything; every sentence is something that must not be.
pub async fn check(people: &Arc<People>) -> Result<Vec<String>> {
    let world = &people.world;
    let ledger = std::mem::take(&mut *people.ledger());
    let mut wrongs = ledger.wrongs.clone();
    for (case, collecting, deciding) in &ledger.cases {
        wrongs.extend(case_is_one(world, *case, *collecting, *deciding).await?);
    }
    wrongs.extend(acts_are_done(world, &ledger).await?);
    wrongs.extend(messages_took_effect_once(world, &ledger).await?);
    wrongs.extend(answers_are_in_both_logs(world, &ledger).await?);
    wrongs.extend(omissions_are_found(world, &ledger).await?);
    for node in world.cities.keys() {
        wrongs.extend(city_is_quiet(world, *node).await?);
        wrongs.extend(log_has_one_history(world, *node).await?);
        wrongs.extend(nobody_is_named(world, *node).await?);
    }
    Ok(wrongs)
}

/// What still waits anywhere.
pub async fn waits(world: &World) -> Vec<String> {
    let mut waits = Vec::new();
    for node in world.cities.keys() {
        match city_is_quiet(world, *node).await {
            Ok(found) => waits.extend(found),
            Err(error) => waits.push(error.to_string()),
        }
    }
    waits
}

/// Of two cities never both own a case; looked at while the storm goes on, too.
pub async fn owners(world: &World, case: CaseId, cities: [NodeId; 2]) -> Result<usize> {
    let mut owners = 0;
    for node in cities {
        let phase = world.read(node, move |tx, _| match acts::owned(tx, case) {
            Ok(case) => Ok(Some(case.phase.kind())),
            Err(tb_base::Error::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        });
        owners += usize::from(phase.await?.is_some_and(|phase| phase != PhaseKind::Offered));
    }
    Ok(owners)
}

async fn case_is_one(
    world: &World,
    case: CaseId,
    collecting: NodeId,
    deciding: NodeId,
) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    if 1 < owners(world, case, [collecting, deciding]).await? {
        wrongs.push(format!("{case} is owned twice"));
    }
    let view = |node| world.read(node, move |tx, env| acts::view(tx, env, case));
    let (here, there) = (view(collecting).await?, view(deciding).await?);
    if here != there {
        wrongs
            .push(format!("{case} is {:?} in {collecting} and {:?} in {deciding}", here.phase, there.phase));
    }
    let chain = world.read(deciding, move |tx, _| keep::records(tx, case)).await?;
    let held = world.read(deciding, move |tx, _| acts::owned(tx, case)).await?;
    if keep::replay(&chain).as_ref() != Some(&held) {
        wrongs.push(format!("the history of {case} does not add up to its state"));
    }
    if chain.last().map(|record| record.hash.as_str()) != Some(there.head_hash.as_str()) {
        wrongs.push(format!("the view of {case} is not of the end of its history"));
    }
    Ok(wrongs)
}

async fn acts_are_done(world: &World, ledger: &Ledger) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for (case, id, node, is_sent) in ledger.acts.iter().copied() {
        if is_sent {
            let sent = world.read(node, move |tx, _| acts::sent(tx, case)).await?;
            if sent.iter().any(|act| act.status == ActStatus::Sent) {
                wrongs.push(format!("an act in {case} that {node} passed on was never answered"));
            }
            continue;
        }
        let times = world.read(node, move |tx, _| {
            Ok(keep::records(tx, case)?.iter().filter(|it| it.command == id && it.part == 0).count())
        });
        if times.await? != 1 {
            wrongs.push(format!("the act {id} that {node} had done is not in the history of {case} once"));
        }
    }
    Ok(wrongs)
}

async fn messages_took_effect_once(world: &World, ledger: &Ledger) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    let acknowledged = ledger.sent.iter().map(|it| (it, true));
    for ((id, from, to), must) in acknowledged.chain(ledger.perhaps.iter().map(|it| (it, false))) {
        let (id, from, to) = (*id, *from, *to);
        let sent = world.read(from, move |tx, _| {
            let receipts = outbox::receipts(tx, id)?;
            let processed = receipts.iter().any(|kept| kept.receipt.kind == ReceiptKind::Processed);
            Ok((outbox::find(tx, id)?.map(|sent| sent.state), processed))
        });
        let (state, processed) = sent.await?;
        let effects = world.read(to, move |tx, _| effects::effects(tx, id)).await?;
        let fits = match state {
            Some(State::Processed) => effects == 1 && processed,
            None => effects == 0 && !must,
            Some(_) => false,
        };
        if !fits {
            wrongs.push(format!("{id} from {from} to {to} is {state:?} and took effect {effects} times"));
        }
        if state.is_some() {
            wrongs.extend(leaves(world, id, from, to, LeafKind::Sent, LeafKind::Received).await?);
        }
    }
    Ok(wrongs)
}

async fn answers_are_in_both_logs(world: &World, ledger: &Ledger) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for (id, from, to) in ledger.answered.iter().copied() {
        wrongs.extend(leaves(world, id, from, to, LeafKind::Got, LeafKind::Answered).await?);
    }
    Ok(wrongs)
}

/// Whoever left out what it took is found out by those who were told that it took it, and nobody else is accused.
async fn omissions_are_found(world: &World, ledger: &Ledger) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for node in world.cities.keys().copied() {
        for owed in world.read(node, |tx, _| owed::missing(tx, owed::LEAVES_MAX)).await? {
            if world.storm.liar != Some((owed.city, Lie::OmittedLeaf)) {
                wrongs.push(format!("{node} says that {} left out {}", owed.city, owed.message));
            }
        }
    }
    for (id, from, to) in ledger.sent.iter().copied() {
        if world.storm.liar != Some((to, Lie::OmittedLeaf)) {
            continue;
        }
        let leaves = world.read(to, move |tx, _| log::of_message(tx, id)).await?;
        let is_there = leaves.iter().any(|kept| kept.leaf.kind == LeafKind::Received);
        let missing = world.read(from, |tx, _| owed::missing(tx, owed::LEAVES_MAX)).await?;
        if is_there == missing.iter().any(|owed| owed.message == id) {
            wrongs.push(format!("{to} has {} leaves of {id}, and {from} believes otherwise", leaves.len()));
        }
    }
    Ok(wrongs)
}

/// Each side has its leaf; a city that lies by leaving leaves out is found by exactly this.
async fn leaves(
    world: &World,
    id: MessageId,
    from: NodeId,
    to: NodeId,
    here: LeafKind,
    there: LeafKind,
) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for (node, kind) in [(from, here), (to, there)] {
        if world.storm.liar == Some((node, Lie::OmittedLeaf)) {
            continue;
        }
        let kinds = world.read(node, move |tx, _| log::of_message(tx, id)).await?;
        let times = kinds.iter().filter(|kept| kept.leaf.kind == kind).count();
        if times != 1 {
            wrongs.push(format!("the log of {node} has {times} leaves {kind:?} of {id}"));
        }
    }
    Ok(wrongs)
}

/// Nothing waits: no message, no leaf, no job but timers of a later day; the log is signed by both others.
async fn city_is_quiet(world: &World, node: NodeId) -> Result<Vec<String>> {
    let now = world.ctx(node, tb_base::Actor::System).now;
    world
        .read(node, move |tx, _| {
            let mut wrongs = Vec::new();
            wrongs.extend(effects::unsettled(tx)?.iter().map(|message| format!("{node} has {message}")));
            if jobs::next_due(tx)?.is_some_and(|due| due <= now) {
                wrongs.push(format!("{node} has a job that is due"));
            }
            if owed::is_open(tx)? {
                wrongs.push(format!("{node} is owed leaves"));
            }
            if 0 < log::waiting(tx)? {
                wrongs.push(format!("{node} has leaves that wait"));
            }
            let (size, latest) = (log::size(tx)?, log::latest(tx)?);
            let cosigned = latest.as_ref().map_or(0, |latest| latest.cosignatures.len());
            if latest.is_some_and(|latest| latest.size != size) || (0 < size && cosigned != 2) {
                wrongs.push(format!("the log of {node} has {size} leaves and {cosigned} cosignatures"));
            }
            Ok(wrongs)
        })
        .await
}

/// Whatever a city showed a witness is a beginning of the log that it has now; what was forged nobody signed.
async fn log_has_one_history(world: &World, node: NodeId) -> Result<Vec<String>> {
    let mut wrongs = Vec::new();
    for shown in world.net.shown().into_iter().filter(|shown| shown.log == node && shown.is_cosigned) {
        if shown.is_forged && world.storm.liar == Some((node, Lie::ForkedLog)) {
            wrongs.push(format!("{} signed a forged checkpoint of {node}", shown.witness));
            continue;
        }
        let request = std::str::from_utf8(&shown.request).ok().and_then(|text| text.parse::<Request>().ok());
        let Some(checkpoint) = request.and_then(|request| request.checkpoint().ok()) else {
            wrongs.push(format!("{} signed what is no checkpoint of {node}", shown.witness));
            continue;
        };
        let size = checkpoint.size;
        let root = world.read(node, move |tx, _| log::root(tx, size)).await;
        if root.ok() != Some(checkpoint.root) {
            wrongs.push(format!(
                "{node} showed {} a log of {size} leaves that it does not have",
                shown.witness
            ));
        }
    }
    Ok(wrongs)
}

/// No leaf holds anything that names the person.
async fn nobody_is_named(world: &World, node: NodeId) -> Result<Vec<String>> {
    let found = world.read(node, move |tx, _| {
        let size = log::size(tx)?;
        let mut found = false;
        let mut at = 0;
        while at < size {
            let entries = log::entries(tx, at..size)?;
            found |= entries.iter().any(|entry| {
                [DRIVER, "贺志强", "13807314627"]
                    .iter()
                    .any(|word| entry.windows(word.len()).any(|window| window == word.as_bytes()))
            });
            at += entries.len() as u64;
        }
        Ok(found)
    });
    Ok(if found.await? { vec![format!("the log of {node} names the driver")] } else { Vec::new() })
}
