//! Filing without a page (代为填报): a whole application in one call, by the same acts as the pages.
//! Serves clauses 2.3 and 3.4.
//!
//! For whoever fills a demonstration with cases; nothing here may do what a page could not.

use std::collections::BTreeSet;
use std::sync::Arc;

use tb_base::{CaseId, Ctx, DraftId, MessageId, Result};
use tb_case::case::Channel;
use tb_case::draft::{self, NewDraft};
use tb_case::form::Answers;
use tb_licence::consent;
use tb_store::Tx;
use tb_web::App;

use crate::fetch;
use crate::parts::Parts;

/// How she agrees that her papers are fetched.
#[derive(Clone, Debug)]
pub enum Agreed {
    /// In her own session.
    InApp,
    /// By hand at the counter; the drawing.
    Signed(String),
}

/// A draft that was filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filled {
    /// The draft.
    pub draft: DraftId,
    /// Whether every paper was given; a city that does not answer leaves the draft to be gone on with.
    pub is_complete: bool,
}

/// Fills a draft in and fetches its papers with her consent.
pub async fn fill(
    app: &App,
    ctx: &Ctx,
    parts: &Arc<Parts>,
    new: NewDraft,
    answers: Answers,
    agreed: Agreed,
) -> Result<Filled> {
    let (acting, shared) = (ctx.clone(), Arc::clone(parts));
    let begin = move |tx: &mut Tx<'_>| {
        let held = draft::create(tx, &acting, &shared.env, &new)?;
        let held = draft::save(tx, &acting, &shared.env, held.id, held.version, &answers)?;
        let rules = crate::drafts::rules(&shared, &held)?;
        let checks: BTreeSet<String> = match held.channel {
            Channel::Window => rules.checks.iter().map(|check| check.id.clone()).collect(),
            _ => BTreeSet::new(),
        };
        let held = draft::check(tx, &acting, &shared.env, held.id, held.version, &checks)?;
        let question = fetch::question(&rules, &held, shared.env.me(), consent::Channel::App)?;
        let asked = consent::request(tx, &acting, &shared.vault, &shared.types, question)?;
        match &agreed {
            Agreed::InApp => consent::confirm_in_app(tx, &acting, asked.id)?,
            Agreed::Signed(drawing) => consent::confirm_by_signature(tx, &acting, asked.id, drawing)?,
        };
        Ok((held.id, asked.id))
    };
    let (draft, consent) = app.store.write("t02.filing.fill", begin).await?;
    let problems = fetch::all(app, ctx, parts, draft, consent, &actor(ctx)).await?;
    Ok(Filled { draft, is_complete: problems.is_empty() })
}

/// Hands a complete draft in.
pub async fn submit(app: &App, ctx: &Ctx, parts: &Arc<Parts>, draft: DraftId) -> Result<CaseId> {
    let (acting, shared, command) = (ctx.clone(), Arc::clone(parts), ctx.id(MessageId::new));
    let submit = move |tx: &mut Tx<'_>| tb_case::submit(tx, &acting, &shared.env, draft, command);
    app.store.write("t02.filing.submit", submit).await
}

/// Who asks, in the head of a message.
fn actor(ctx: &Ctx) -> String {
    match &ctx.actor {
        tb_base::Actor::Staff { office, .. } => format!("window/{office}"),
        _ => "resident".to_owned(),
    }
}
