//! Acts (办理动作): run here where this node owns the case, passed on to the owner where it does not.
//!
//! Invariant: a command takes effect once, whichever way and however often it arrives.

use serde::{Deserialize, Serialize};
use tb_base::{Actor, CaseId, Ctx, Fault, MessageId, PersonId, Refusal, Result, Role, Timestamp};
use tb_crypto::text;
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::case::{By, Party};
use crate::command::{Command, CommandKind};
use crate::decide::{allowed, decide, permits};
use crate::env::Env;
use crate::keep::{self, Kept, Tell};
use crate::peer::{self, Act, ActAnswer};
use crate::progress::ProgressView;
use crate::sealed::place;
use crate::{files, refusals};

/// What became of an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acted {
    /// It took effect; this is where the case stands.
    Applied(Box<ProgressView>),
    /// It was passed on to the owner, whose answer changes the page by itself.
    Sent,
}

/// Where an act that was passed on stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActStatus {
    /// On its way.
    Sent,
    /// The owner applied it.
    Applied,
    /// The owner refused it.
    Rejected,
}

/// An act that was passed on to the owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentAct {
    /// Which command.
    pub kind: CommandKind,
    /// Where it stands.
    pub status: ActStatus,
    /// Why it was refused.
    pub refusal: Option<Refusal>,
    /// When it was sent.
    pub sent: Timestamp,
}

const INSERT: Stmt = stmt(
    "case.act.insert",
    "
    INSERT INTO case_act (command, case_id, kind, status, refusal, sent, version, at, tx)
    VALUES ($1, $2, $3, 'sent', NULL, $4, 1, $4, $5)
    ON CONFLICT (command) DO NOTHING
",
);

const ANSWERED: Stmt = stmt(
    "case.act.answered",
    "
    UPDATE case_act
    SET status = $3, refusal = $4, version = version + 1, at = $5, tx = $6
    WHERE command = $1 AND case_id = $2 AND status = 'sent'
",
);

const OF_CASE: Stmt = stmt(
    "case.act.of_case",
    "
    SELECT command, kind, status, refusal, sent
    FROM case_act
    WHERE case_id = $1
    ORDER BY sent, command
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[INSERT, ANSWERED, OF_CASE];

/// Gives a command to a case (办理): runs it here, or passes it on to the city that owns the case.
pub fn act(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    case: CaseId,
    command: Command,
    id: MessageId,
) -> Result<Acted> {
    if let Some(kept) = keep::head(tx, case)? {
        let by = by(ctx, env, kept.person, command.kind())?;
        if keep::by_command(tx, id)?.is_some() {
            return Ok(Acted::Applied(Box::new(view(tx, env, case)?)));
        }
        let command = salted(ctx, command);
        let view = run(tx, ctx, env, kept, &Act { case, id, by, command }, Tell::Progress(Vec::new()))?;
        return Ok(Acted::Applied(Box::new(view)));
    }
    let (view, person) = keep::reference(tx, case)?.ok_or_else(refusals::not_found)?;
    pass_on(tx, ctx, env, &view, person, command, id)
}

fn pass_on(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    view: &ProgressView,
    person: Option<PersonId>,
    command: Command,
    id: MessageId,
) -> Result<Acted> {
    let kind = command.kind();
    let by = by(ctx, env, person, kind)?;
    let sent = of_case(tx, view.case)?;
    if sent.iter().any(|(command, _)| *command == id) {
        return Ok(Acted::Sent);
    }
    // The owner decides; what it has said that it would refuse is not even sent.
    if !kind.parties().contains(&by.party) {
        return Err(refusals::wrong_party(kind).into());
    }
    if !view.may.get(&by.party).is_some_and(|kinds| kinds.contains(&kind)) {
        return Err(refusals::not_in_phase(kind, view.phase).into());
    }
    let twice = kind != CommandKind::Rate
        && sent.iter().any(|(_, act)| act.kind == kind && act.status == ActStatus::Sent);
    if twice {
        return Err(refusals::act_waiting().into());
    }
    tx.run(&INSERT, params![id, view.case, crate::word(&kind), ctx.now, tx.name])?;
    let act = Act { case: view.case, id, by, command: salted(ctx, command) };
    peer::send_act(tx, ctx, env, view, person, &act)?;
    tb_store::audit::line(tx, ctx, "case.act", view.case.as_str(), &crate::word(&kind))?;
    Ok(Acted::Sent)
}

/// Runs an act that the collecting city passed on; its answer travels with the progress.
pub(crate) fn run_here(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, kept: Kept, act: &Act) -> Result<ProgressView> {
    let rules = env.rules(&kept.case)?;
    let view = crate::progress(&kept.case, &rules, &kept.head_hash);
    // Decided before anything is written, so that a refusal can be told in this transaction.
    let refusal = match act.command.kind() {
        CommandKind::IssueResult => Err(refusals::wrong_party(CommandKind::IssueResult)),
        _ => decide(&kept.case, &rules, &act.command, &act.by, ctx.now, &env.calendar).map(drop),
    };
    match refusal {
        Ok(()) => {
            let answer = ActAnswer { command: act.id, refusal: None };
            run(tx, ctx, env, kept, act, Tell::Progress(vec![answer]))
        }
        Err(refusal) => {
            tb_store::audit::line(tx, ctx, "case.act", act.case.as_str(), &refusal.code)?;
            let answer = ActAnswer { command: act.id, refusal: Some(refusal) };
            peer::send_progress(tx, ctx, env, &kept, &view, vec![answer])?;
            Ok(view)
        }
    }
}

fn run(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, kept: Kept, act: &Act, tell: Tell) -> Result<ProgressView> {
    let rules = env.rules(&kept.case)?;
    let case = kept.case.id();
    let mut command = act.command.clone();
    if let Command::IssueResult { result } = &mut command {
        permits(&kept.case, &rules, CommandKind::IssueResult, &act.by)?;
        let file = files::read(tx, &env.vault, case)?.ok_or_else(refusals::not_found)?;
        *result = Some((env.issue)(tx, ctx, &kept.case, &file.filing)?);
    }
    let events = decide(&kept.case, &rules, &command, &act.by, ctx.now, &env.calendar)?;
    if let Command::AnswerCorrection { answers } = &command {
        files::put_answers(tx, ctx, &env.vault, case, kept.case.corrections.len(), answers)?;
    }
    keep::apply(tx, ctx, env, kept, &events, act.id, tell)
}

/// Answers to a correction get their salt here, once, before they are decided, sealed or sent.
fn salted(ctx: &Ctx, mut command: Command) -> Command {
    if let Command::AnswerCorrection { answers } = &mut command {
        let salt: [u8; 16] = ctx.random();
        answers.salt = text::hex(&salt);
    }
    command
}

/// The owner has answered an act.
pub(crate) fn answered(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId, answer: &ActAnswer) -> Result<()> {
    let refusal = answer.refusal.as_ref().map(serde_json::to_string).transpose();
    let refusal = refusal.map_err(|error| Fault::of("writing a refusal", error))?;
    let status = if refusal.is_some() { ActStatus::Rejected } else { ActStatus::Applied };
    let refusal = refusal.map(|refusal| tx.seal(&place::act(answer.command), refusal));
    tx.run(&ANSWERED, params![answer.command, case, crate::word(&status), refusal, ctx.now, tx.name])
        .map(drop)
}

fn of_case(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<(MessageId, SentAct)>> {
    tx.all(&OF_CASE, params![case])?.iter().map(|row| sent_act(tx, row)).collect()
}

fn sent_act(tx: &Tx<'_>, row: &Row) -> Result<(MessageId, SentAct)> {
    let command: MessageId = row.parse("command")?;
    let refusal: Option<String> = row.get("refusal")?;
    let act = SentAct {
        kind: crate::unword(row, "kind")?,
        status: crate::unword(row, "status")?,
        refusal: refusal.map(|_| tx.open_json(row, "refusal", &place::act(command))).transpose()?,
        sent: row.get("sent")?,
    };
    Ok((command, act))
}

/// The acts of a case that were passed on, in order.
pub fn sent(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<SentAct>> {
    Ok(of_case(tx, case)?.into_iter().map(|(_, act)| act).collect())
}

/// Where a case stands (进度), from the own head or from what the owner told last.
pub fn view(tx: &mut Tx<'_>, env: &Env, case: CaseId) -> Result<ProgressView> {
    if let Some(kept) = keep::head(tx, case)? {
        let rules = env.rules(&kept.case)?;
        return Ok(crate::progress(&kept.case, &rules, &kept.head_hash));
    }
    let (view, _) = keep::reference(tx, case)?.ok_or_else(refusals::not_found)?;
    Ok(view)
}

/// The case itself with everything that an officer works with; only its owner has it.
pub fn owned(tx: &mut Tx<'_>, case: CaseId) -> Result<crate::Case> {
    Ok(keep::owned(tx, case)?.case)
}

/// Whose case it is, in this city's register.
pub fn person_of(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<PersonId>> {
    if let Some(kept) = keep::head(tx, case)? {
        return Ok(kept.person);
    }
    Ok(keep::reference(tx, case)?.and_then(|(_, person)| person))
}

/// What the actor of this act may do with a case now: the buttons of the page.
pub fn may(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, case: CaseId) -> Result<Vec<CommandKind>> {
    if let Some(kept) = keep::head(tx, case)? {
        let rules = env.rules(&kept.case)?;
        let by = by(ctx, env, kept.person, CommandKind::Close).ok();
        return Ok(by.map_or(Vec::new(), |by| allowed(&kept.case, &rules, &by)));
    }
    let (view, person) = keep::reference(tx, case)?.ok_or_else(refusals::not_found)?;
    let Ok(by) = by(ctx, env, person, CommandKind::Close) else { return Ok(Vec::new()) };
    Ok(view.may.get(&by.party).cloned().unwrap_or_default())
}

/// Reads what a case holds of a person, with a look on record (查看办件材料).
pub fn open_file(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, case: CaseId) -> Result<files::CaseFile> {
    let kept = keep::owned(tx, case)?;
    let file = files::read(tx, &env.vault, case)?.ok_or_else(refusals::not_found)?;
    let (Some(person), Actor::Staff { role, office, .. }) = (kept.person, &ctx.actor) else {
        return Ok(file);
    };
    let look = tb_identity::look::Look {
        person,
        kind: tb_identity::look::LookKind::Case,
        city: env.me(),
        office: Some(office.clone()),
        role: crate::word(role),
        item: kept.case.opening.item.to_string(),
        case: Some(case),
        ground: "case".to_owned(),
        fields: fields_of(&file),
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    };
    let within = tb_identity::look::ONE_LOOK_SECONDS;
    tb_identity::look::record_once(tx, ctx, &env.vault, &look, within)?;
    Ok(file)
}

/// What is read of a person when a file is opened: the application and what its corrections changed.
fn fields_of(file: &files::CaseFile) -> Vec<String> {
    let corrected = file.answers.iter().flat_map(|answers| &answers.lines).map(|line| &line.about);
    let names: std::collections::BTreeSet<&String> =
        file.filing.answers.keys().chain(file.filing.disputes.keys()).chain(corrected).collect();
    names.into_iter().cloned().collect()
}

/// The part that an actor has in a case.
fn by(ctx: &Ctx, env: &Env, person: Option<PersonId>, kind: CommandKind) -> Result<By> {
    let city = env.me();
    match &ctx.actor {
        Actor::Resident { person: actor, .. } if Some(*actor) == person => {
            Ok(By { party: Party::Applicant, name: "applicant".to_owned(), city, office: None })
        }
        Actor::Resident { .. } | Actor::Anonymous => Err(refusals::not_found().into()),
        Actor::Staff { staff, role, office } => {
            let party = match role {
                Role::Window => Party::Window,
                Role::Reviewer => Party::Reviewer,
                Role::Approver => Party::Approver,
                Role::Resident
                | Role::Inspector
                | Role::Bureau
                | Role::Supervisor
                | Role::Auditor
                | Role::Administrator => return Err(refusals::wrong_party(kind).into()),
            };
            Ok(By { party, name: format!("staff:{staff}"), city, office: Some(office.clone()) })
        }
        Actor::System => Ok(By::system(city)),
        Actor::Peer(_) => Err(refusals::wrong_party(kind).into()),
    }
}
