//! Papers that she need not bring (免提交): what is asked of which city, and the live fetch after her consent.
//! Serves clauses 2.3 and 3.4.
//!
//! Invariants: exactly the fields of the definition are asked for, under a consent for this case;
//! whatever a city answers, or that it does not, the draft stays as it is and can be gone on with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use tb_base::{Ctx, DraftId, Error, NodeId, Refusal, Result, Timestamp};
use tb_case::definitions::{Holder, ItemRules, Source};
use tb_case::draft::{self, Draft, Fetched};
use tb_exchange::{Answer, Outgoing};
use tb_identity::people;
use tb_licence::ask;
use tb_licence::consent::{self, Asked, Channel, ConsentId, Question, SignedReceipt};
use tb_licence::peer::Match;
use tb_licence::state::State;
use tb_store::Tx;
use tb_web::App;

use crate::access::{case_of, no_draft};
use crate::parts::Parts;

/// How an exchange says that a city does not answer.
const UNAVAILABLE: &str = "EXC-PEER-001";

/// What is asked of one city for one material.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Wanted {
    /// Which city is asked.
    pub city: NodeId,
    /// The material that it serves.
    pub material: String,
    /// The type of licence.
    #[serde(rename = "type")]
    pub type_id: String,
    /// Exactly these fields.
    pub fields: BTreeSet<String>,
}

/// Why a material could not be fetched.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    /// The city that was asked.
    pub city: NodeId,
    /// The material; empty where the city did not answer at all.
    pub material: String,
    /// Whether the city does not answer, so that trying again may help.
    pub unavailable: bool,
    /// When it was asked.
    pub at: Timestamp,
    /// Why.
    pub refusal: Refusal,
}

/// Every licence that the item asks for, and the city that is asked; nothing while that city is not known.
pub(crate) fn wanted(rules: &ItemRules, draft: &Draft, me: NodeId) -> Vec<Wanted> {
    let one = |material: &tb_case::definitions::Material| match &material.source {
        Source::Licence { licence, from, fields } => Some(Wanted {
            city: match from {
                Holder::DecidingCity => draft.deciding?,
                Holder::CollectingCity => me,
            },
            material: material.id.clone(),
            type_id: licence.clone(),
            fields: fields.iter().cloned().collect(),
        }),
        Source::Office { .. } => None,
    };
    rules.materials.iter().filter_map(one).collect()
}

/// Those that are not fetched yet.
pub(crate) fn outstanding(rules: &ItemRules, draft: &Draft, me: NodeId) -> Vec<Wanted> {
    let held = |wanted: &Wanted| {
        draft.fetched.iter().any(|it| it.material == wanted.material && it.issuer == wanted.city)
    };
    wanted(rules, draft, me).into_iter().filter(|wanted| !held(wanted)).collect()
}

/// What she is asked to agree to.
pub(crate) fn question(rules: &ItemRules, draft: &Draft, me: NodeId, channel: Channel) -> Result<Question> {
    let asked = wanted(rules, draft, me).into_iter();
    Ok(Question {
        case: case_of(draft.id)?,
        item: draft.item.to_string(),
        deciding: draft.deciding.unwrap_or(me),
        person: draft.person,
        asked: asked.map(|wanted| Asked { type_id: wanted.type_id, fields: wanted.fields }).collect(),
        channel,
    })
}

/// Fetches everything that is outstanding; gives what could not be fetched. `actor` is role and office, never a name.
pub(crate) async fn all(
    app: &App,
    ctx: &Ctx,
    parts: &Arc<Parts>,
    draft: DraftId,
    consent: ConsentId,
    actor: &str,
) -> Result<Vec<Problem>> {
    let shared = Arc::clone(parts);
    let (held, number) = app
        .store
        .read("t02.fetch.begin", move |tx| {
            let held = draft::find(tx, &shared.env, draft)?.ok_or_else(no_draft)?;
            let number = people::get(tx, &shared.vault, held.person)?.number.to_string();
            Ok((held, number))
        })
        .await?;
    let me = parts.env.me();
    let rules = crate::drafts::rules(parts, &held)?;
    let mut by_city: BTreeMap<NodeId, Vec<Wanted>> = BTreeMap::new();
    for wanted in outstanding(&rules, &held, me) {
        by_city.entry(wanted.city).or_default().push(wanted);
    }
    let job = Job { app, ctx, parts, draft: &held, consent, actor, number };
    let mut problems = Vec::new();
    for (city, wanted) in by_city {
        problems.extend(job.ask(city, wanted).await?);
    }
    Ok(told_once(problems))
}

/// What a city says for several papers in the same words is told once.
fn told_once(problems: Vec<Problem>) -> Vec<Problem> {
    let mut told: Vec<Problem> = Vec::new();
    for problem in problems {
        let same = |it: &Problem| it.city == problem.city && it.refusal == problem.refusal;
        if !told.iter().any(same) {
            told.push(problem);
        }
    }
    told
}

/// One run of fetching for one draft.
struct Job<'a> {
    app: &'a App,
    ctx: &'a Ctx,
    parts: &'a Arc<Parts>,
    draft: &'a Draft,
    consent: ConsentId,
    actor: &'a str,
    number: String,
}

impl Job<'_> {
    /// Locates and fetches what one city is asked for.
    async fn ask(&self, city: NodeId, wanted: Vec<Wanted>) -> Result<Vec<Problem>> {
        let found = match self.locate(city, &wanted).await {
            Ok(found) => found,
            Err(error) => return Ok(vec![self.problem(city, "", error)?]),
        };
        let mut problems = Vec::new();
        for wanted in wanted {
            let fetched = match pick(self.ctx, &found, &wanted) {
                Ok(found) => self.fetch(&wanted, found).await,
                Err(refusal) => Err(Error::Refused(refusal)),
            };
            let kept = match fetched {
                Ok(fetched) => self.keep(fetched).await,
                Err(error) => Err(error),
            };
            if let Err(error) = kept {
                problems.push(self.problem(city, &wanted.material, error)?);
            }
        }
        Ok(problems)
    }

    async fn locate(&self, city: NodeId, wanted: &[Wanted]) -> Result<Vec<Match>> {
        let types = wanted.iter().map(|it| it.type_id.clone()).collect();
        let (item, case) = (self.draft.item.to_string(), case_of(self.draft.id)?);
        let message =
            ask::locate(&self.parts.desk, self.ctx, city, &item, case, self.actor, &self.number, types)?;
        ask::located(&self.query(message).await?)
    }

    async fn fetch(&self, wanted: &Wanted, found: &Match) -> Result<Fetched> {
        let receipt = self.receipt(wanted.city).await?;
        let message = ask::fetch(
            &self.parts.desk,
            self.ctx,
            found.id,
            &wanted.type_id,
            receipt,
            self.actor,
            &self.number,
        )?;
        let answer = self.query(message).await?;
        let given = ask::fetched(&self.parts.desk.trust().list, &answer)?;
        let record = &given.extract.record;
        Ok(Fetched {
            material: wanted.material.clone(),
            kind: wanted.type_id.clone(),
            licence: record.id,
            version: u32::from(record.version),
            digest: given.extract.digest_hex()?,
            issuer: record.city,
            consent: self.consent.to_string(),
            values: given.extract.plain(),
            at: given.as_of,
        })
    }

    async fn query(&self, message: Outgoing) -> Result<Answer> {
        self.app.peers.query(self.ctx.clone(), message).await
    }

    async fn receipt(&self, city: NodeId) -> Result<SignedReceipt> {
        let (ctx, parts, consent) = (self.ctx.clone(), Arc::clone(self.parts), self.consent);
        let make = move |tx: &mut Tx<'_>| {
            consent::receipt(tx, &ctx, &parts.desk, &parts.vault, &parts.secrets.message, consent, city)
        };
        self.app.store.read("t02.fetch.receipt", make).await
    }

    /// Keeps a paper in the draft as it stands now: she may have gone on typing meanwhile.
    async fn keep(&self, fetched: Fetched) -> Result<()> {
        let (ctx, parts, id) = (self.ctx.clone(), Arc::clone(self.parts), self.draft.id);
        self.app
            .store
            .write("t02.fetch.keep", move |tx| {
                let held = draft::find(tx, &parts.env, id)?.ok_or_else(no_draft)?;
                draft::attach_fetched(tx, &ctx, &parts.env, id, held.version, &fetched).map(drop)
            })
            .await
    }

    /// What a city says instead of giving a paper; only a fault of our own machine goes on as an error.
    fn problem(&self, city: NodeId, material: &str, error: Error) -> Result<Problem> {
        let refusal = match error {
            Error::Refused(refusal) => *refusal,
            Error::Violation(violation) => Refusal::not_now(
                "T02-FCH-001",
                format!("对方的答复不合格（{}），没有采用", violation.code),
                format!("The answer was not well formed ({}) and was not used", violation.code),
            )
            .but("请过一会儿再试，已记录并通知数据局", "Try again later; the data bureau has been told"),
            Error::Fault(fault) => return Err(fault.into()),
        };
        let unavailable = refusal.code == UNAVAILABLE;
        let material = if unavailable { String::new() } else { material.to_owned() };
        Ok(Problem { city, material, unavailable, at: self.ctx.now, refusal })
    }
}

/// The licence to use: one that is in force; otherwise the reason why there is none.
fn pick<'a>(ctx: &Ctx, found: &'a [Match], wanted: &Wanted) -> std::result::Result<&'a Match, Box<Refusal>> {
    let of_type: Vec<&Match> = found.iter().filter(|it| it.type_id == wanted.type_id).collect();
    let today = ctx.now.date();
    let in_force = |it: &&&Match| it.state == State::Valid && it.valid_from <= today;
    if let Some(found) = of_type.iter().filter(in_force).max_by_key(|it| it.valid_from) {
        return Ok(found);
    }
    let refusal = match of_type.first() {
        None => {
            Refusal::gone("T02-FCH-002", "那里没有查到您的这种证照", "That city has no such licence of yours")
                .but(
                    "证是别的市发的，请改选决定的市；或到专窗查询",
                    "If another city issued it, choose that city; or ask at a window",
                )
        }
        Some(held) => {
            let (zh, en) = held.state.words();
            Refusal::not_now(
                "T02-FCH-003",
                format!("查到的证照现在是“{zh}”，不能用于这次办理"),
                format!("The licence that was found is '{en}' and cannot be used"),
            )
            .but("请先到发证单位处理", "Settle it with the office that issued it first")
        }
    };
    Err(Box::new(refusal))
}

#[cfg(test)]
mod tests {
    use tb_base::{Refusal, Timestamp};

    use super::{Problem, told_once};

    #[test]
    fn what_a_city_says_for_two_papers_is_told_once() {
        let problem = |city: &str, material: &str, code: &'static str| Problem {
            city: city.parse().expect("a city"),
            material: material.to_owned(),
            unavailable: false,
            at: Timestamp(0),
            refusal: Refusal::not_now(code, "没有应答", "no answer"),
        };
        let told = told_once(vec![
            problem("430300", "a", "X-1"),
            problem("430300", "b", "X-1"),
            problem("430300", "b", "X-2"),
            problem("430200", "a", "X-1"),
        ]);
        assert_eq!(told.len(), 3, "{told:?}");
    }
}
