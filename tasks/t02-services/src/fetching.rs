//! Papers that nobody has to bring (免提交调取): asked of the holding city, live, with her consent.
//! Serves clauses 2.5, 3.3 and 3.4. Used alike by the resident's own application and by the window.
//!
//! Invariant: what was fetched is kept at once, so that a city that does not answer costs only what it holds;
//! trying again asks for what is missing and for nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tb_base::{Class, Ctx, DraftId, Error, Fault, NodeId, Refusal, Result};
use tb_case::definitions::{Holder, ItemRules, Source};
use tb_case::draft::{self, Draft, Fetched};
use tb_exchange::Outgoing;
use tb_identity::people;
use tb_licence::ask;
use tb_licence::consent::{self, Asked, Channel, Consent, ConsentId, Question, SignedReceipt};
use tb_licence::peer::{Given, Match};
use tb_licence::state::State;
use tb_store::Tx;
use tb_web::{App, Visit};

use crate::access;
use crate::parts::Parts;
use crate::words::word;

/// A paper that is to be fetched.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    /// The material that it serves.
    pub(crate) material: String,
    /// The type of the licence.
    pub(crate) kind: String,
    /// Exactly these fields.
    pub(crate) fields: BTreeSet<String>,
    /// The city that holds it.
    pub(crate) city: NodeId,
}

/// Why a paper is not there (没有取到).
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "gap", rename_all = "snake_case")]
pub(crate) enum Gap {
    /// The city does not answer now; the draft waits for it.
    Waits {
        /// The material.
        material: String,
        /// The city.
        city: NodeId,
    },
    /// She has no such licence there.
    Missing {
        /// The material.
        material: String,
        /// The city.
        city: NodeId,
    },
    /// She has one that is not in force.
    NotInForce {
        /// The material.
        material: String,
        /// The city.
        city: NodeId,
        /// How it stands.
        state: State,
    },
    /// The city refused to give it.
    Refused {
        /// The material.
        material: String,
        /// The city.
        city: NodeId,
        /// Why.
        refusal: Refusal,
    },
}

impl Gap {
    /// The material that is not there.
    pub(crate) fn material(&self) -> &str {
        match self {
            Gap::Waits { material, .. }
            | Gap::Missing { material, .. }
            | Gap::NotInForce { material, .. }
            | Gap::Refused { material, .. } => material,
        }
    }

    /// Why, in both languages, as a refusal with its way out; `title` names the material.
    pub(crate) fn refusal(&self, app: &App, title: (&str, &str)) -> Refusal {
        let (zh, en) = title;
        let city = |node: &NodeId| crate::words::city(app, *node);
        match self {
            Gap::Waits { city: node, .. } => {
                let city = city(node);
                Refusal::not_now(
                    "T02-FET-001",
                    format!("{}暂时没有应答，还没有取到{zh}", city.zh),
                    format!("{} does not answer at the moment; not yet fetched: {en}", city.en),
                )
                .but("已填的都保留着，稍后再取一次", "Everything is kept; fetch again in a while")
            }
            Gap::Missing { city: node, .. } => {
                let city = city(node);
                Refusal::not_now(
                    "T02-FET-002",
                    format!("{}没有本人的{zh}", city.zh),
                    format!("{} holds no such licence of this person: {en}", city.en),
                )
                .but("请确认是哪个城市签发的，改选办理城市后再取", "Check which city issued it, choose that city and fetch again")
            }
            Gap::NotInForce { city: node, state, .. } => {
                let (city, (state_zh, state_en)) = (city(node), state.words());
                Refusal::not_now(
                    "T02-FET-003",
                    format!("{}答复：{zh}{state_zh}，不能用于办理", city.zh),
                    format!("{} answers that it is {state_en} and cannot be used: {en}", city.en),
                )
                .but("请先向签发部门咨询该证照", "Ask the issuing department about it first")
            }
            Gap::Refused { refusal, .. } => refusal.clone(),
        }
    }
}

/// The papers that an item takes as licences, and the city that holds each.
fn papers(rules: &ItemRules, here: NodeId, deciding: NodeId) -> impl Iterator<Item = Wanted> + '_ {
    rules.materials.iter().filter_map(move |material| match &material.source {
        Source::Licence { licence, from, fields } => Some(Wanted {
            material: material.id.clone(),
            kind: licence.clone(),
            fields: fields.iter().cloned().collect(),
            city: match from {
                Holder::DecidingCity => deciding,
                Holder::CollectingCity => here,
            },
        }),
        Source::Office { .. } => None,
    })
}

/// The papers that are still to be fetched for a draft.
pub(crate) fn wanted(rules: &ItemRules, here: NodeId, draft: &Draft) -> Vec<Wanted> {
    let Some(deciding) = draft.deciding else { return Vec::new() };
    let is_there = |paper: &Wanted| draft.fetched.iter().any(|held| held.material == paper.material);
    papers(rules, here, deciding).filter(|paper| !is_there(paper)).collect()
}

/// What she is asked to agree to: every paper of the item, with exact fields.
pub(crate) fn question(rules: &ItemRules, draft: &Draft, deciding: NodeId, channel: Channel) -> Result<Question> {
    let mut asked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for paper in papers(rules, deciding, deciding) {
        asked.entry(paper.kind).or_default().extend(paper.fields);
    }
    Ok(Question {
        case: access::case_of(draft.id)?,
        item: rules.item.number.to_string(),
        deciding,
        person: draft.person,
        asked: asked.into_iter().map(|(type_id, fields)| Asked { type_id, fields }).collect(),
        channel,
    })
}

/// The latest consent that was asked for a draft.
pub(crate) fn latest(tx: &mut Tx<'_>, draft: DraftId) -> Result<Option<Consent>> {
    Ok(consent::of_case(tx, access::case_of(draft)?)?.into_iter().next())
}

/// What one city is asked for, in one go.
struct Errand {
    city: NodeId,
    papers: Vec<Wanted>,
    receipt: SignedReceipt,
    number: String,
}

/// Fetches what a draft still misses, as far as consent and cities allow; gives back what is not there.
pub(crate) async fn fetch(visit: &Visit, parts: &Arc<Parts>, draft: DraftId, consent: ConsentId) -> Result<Vec<Gap>> {
    let (ctx, inner) = (visit.ctx.clone(), Arc::clone(parts));
    let errands = visit.app.store.write("t02.fetch.begin", move |tx| errands(tx, &ctx, &inner, draft, consent)).await?;
    let mut gaps = Vec::new();
    for errand in errands {
        gaps.extend(run(visit, parts, draft, &errand).await?);
    }
    Ok(gaps)
}

/// What to ask of which city, each with a fresh receipt of her consent.
fn errands(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, id: DraftId, consent: ConsentId) -> Result<Vec<Errand>> {
    let held = draft::find(tx, &parts.env, id)?.ok_or_else(access::no_draft)?;
    let given = consent::find(tx, consent)?.filter(|it| it.person == held.person).ok_or_else(no_consent)?;
    if given.case != access::case_of(id)? {
        return Err(no_consent().into());
    }
    let rules = rules_of(parts, &held)?;
    let number = people::get(tx, &parts.vault, held.person)?.number.to_string();
    let mut by_city: BTreeMap<NodeId, Vec<Wanted>> = BTreeMap::new();
    for paper in wanted(&rules, ctx.node, &held) {
        by_city.entry(paper.city).or_default().push(paper);
    }
    let mut errands = Vec::new();
    for (city, papers) in by_city {
        let receipt = consent::receipt(tx, ctx, &parts.desk, &parts.vault, &parts.secrets.message, consent, city)?;
        errands.push(Errand { city, papers, receipt, number: number.clone() });
    }
    Ok(errands)
}

/// Locates the papers in one city, then fetches each that is in force.
async fn run(visit: &Visit, parts: &Arc<Parts>, draft: DraftId, errand: &Errand) -> Result<Vec<Gap>> {
    let found = match locate(visit, parts, errand).await {
        Ok(found) => found,
        Err(error) => {
            let gap = |paper: &Wanted| gap(error_refusal(&error)?, paper);
            return errand.papers.iter().map(gap).collect::<Option<Vec<Gap>>>().ok_or(error);
        }
    };
    let mut gaps = Vec::new();
    for paper in &errand.papers {
        let (material, city) = (paper.material.clone(), paper.city);
        match best(&found, &paper.kind) {
            None => gaps.push(Gap::Missing { material, city }),
            Some(licence) if licence.state != State::Valid => {
                gaps.push(Gap::NotInForce { material, city, state: licence.state });
            }
            Some(licence) => match take(visit, parts, errand, paper, licence).await {
                Ok(given) => keep(visit, parts, draft, paper, &errand.receipt, *given).await?,
                Err(error) => match error_refusal(&error).and_then(|refusal| gap(refusal, paper)) {
                    Some(gap) => gaps.push(gap),
                    None => return Err(error),
                },
            },
        }
    }
    Ok(gaps)
}

async fn locate(visit: &Visit, parts: &Parts, errand: &Errand) -> Result<Vec<Match>> {
    let agreed = &errand.receipt.receipt;
    let types = errand.papers.iter().map(|paper| paper.kind.clone()).collect();
    let (ctx, actor) = (&visit.ctx, actor(&visit.ctx));
    let message =
        ask::locate(&parts.desk, ctx, errand.city, &agreed.item, agreed.case, &actor, &errand.number, types)?;
    ask::located(&query(visit, message).await?)
}

async fn take(visit: &Visit, parts: &Parts, errand: &Errand, paper: &Wanted, licence: &Match) -> Result<Box<Given>> {
    let (ctx, actor) = (&visit.ctx, actor(&visit.ctx));
    let receipt = errand.receipt.clone();
    let message = ask::fetch(&parts.desk, ctx, licence.id, &paper.kind, receipt, &actor, &errand.number)?;
    Ok(Box::new(ask::fetched(&parts.desk.trust.list, &query(visit, message).await?)?))
}

async fn query(visit: &Visit, message: Outgoing) -> Result<tb_exchange::Answer> {
    visit.app.peers.query(visit.ctx.clone(), message).await
}

/// Keeps what was given in the draft, on whichever version it stands now.
async fn keep(
    visit: &Visit,
    parts: &Arc<Parts>,
    id: DraftId,
    paper: &Wanted,
    receipt: &SignedReceipt,
    given: Given,
) -> Result<()> {
    let consent = serde_json::to_string(receipt).map_err(|error| Fault::of("writing a receipt", error))?;
    let record = &given.extract.record;
    let fetched = Fetched {
        material: paper.material.clone(),
        kind: paper.kind.clone(),
        licence: record.id,
        version: u32::from(record.version),
        digest: given.extract.digest_hex()?,
        issuer: record.city,
        consent,
        values: given.extract.plain(),
        at: given.as_of,
    };
    let (ctx, parts) = (visit.ctx.clone(), Arc::clone(parts));
    let attach = move |tx: &mut Tx<'_>| {
        let held = draft::find(tx, &parts.env, id)?.ok_or_else(access::no_draft)?;
        draft::attach_fetched(tx, &ctx, &parts.env, id, held.version, &fetched).map(drop)
    };
    visit.app.store.write("t02.fetch.keep", attach).await
}

/// The licence to use: one in force before any other, then the newest.
fn best<'a>(found: &'a [Match], kind: &str) -> Option<&'a Match> {
    let of_kind = found.iter().filter(|it| it.type_id == kind);
    of_kind.max_by_key(|it| (it.state == State::Valid, it.valid_from, it.version))
}

/// What a city refused, as a gap; nothing where the refusal is about this city's own asking.
fn gap(refusal: &Refusal, paper: &Wanted) -> Option<Gap> {
    let (material, city) = (paper.material.clone(), paper.city);
    match refusal.class {
        Class::NotNow if refusal.code.starts_with("EXC-") => Some(Gap::Waits { material, city }),
        Class::NotNow | Class::NotAllowed | Class::Conflict | Class::Invalid => {
            Some(Gap::Refused { material, city, refusal: refusal.clone() })
        }
        Class::Gone => Some(Gap::Missing { material, city }),
    }
}

fn error_refusal(error: &Error) -> Option<&Refusal> {
    match error {
        Error::Refused(refusal) => Some(refusal),
        Error::Fault(_) | Error::Violation(_) => None,
    }
}

/// How other cities see who asks: role and office, never a name.
fn actor(ctx: &Ctx) -> String {
    let role = ctx.actor.role().map(|role| word(&role)).unwrap_or_default();
    match &ctx.actor {
        tb_base::Actor::Staff { office, .. } => format!("{role}/{office}"),
        tb_base::Actor::Resident { .. }
        | tb_base::Actor::Anonymous
        | tb_base::Actor::Peer(_)
        | tb_base::Actor::System => role,
    }
}

/// The rules that a draft is filled in under: those of the deciding city, as far as it is known.
pub(crate) fn rules_of(parts: &Parts, draft: &Draft) -> Result<Arc<ItemRules>> {
    let city = draft.deciding.unwrap_or_else(|| parts.env.me());
    parts.catalogue.rules(draft.item, city).ok_or_else(|| {
        Refusal::not_now("T02-ITM-002", "本事项现在不能在线办理", "This item cannot be filed here now")
            .but("请按办理指引到窗口咨询", "Ask at a window, as the guide says")
            .into()
    })
}

fn no_consent() -> Refusal {
    Refusal::not_allowed("T02-CNS-001", "没有本人对这次调取的同意", "She has not agreed to this fetch")
        .but("请先取得本人同意", "Ask for her consent first")
}
