//! Taking a hand-over back (撤销移交): a wish that is kept while the other city has not taken the case, and done once it has.
//!
//! A message that is signed into the log is sent: it is not called back, and the wish waits for its answer instead.
//! Invariants: a wish becomes one withdrawal at the most, under the command that it was made with; what came back by
//! itself, or was decided meanwhile, is not withdrawn as well.

use serde::{Deserialize, Serialize};
use tb_base::{
    Actor, CaseId, Ctx, Error, Fault, MessageId, OfficeId, Refusal, Result, Role, StaffId, Timestamp,
    Violation,
};
use tb_case::case::PhaseKind;
use tb_case::command::Command;
use tb_case::{Env, acts};
use tb_store::{Row, Stmt, Tx, audit, jobs, params, stmt};

use crate::notices;
use crate::sealed::place;

/// The kind of this file's job.
pub const JOB: &str = "counter.undo";
/// Letters of a reason at the most.
pub const REASON_LETTERS_MAX: usize = 200;
/// How soon it is looked at first, and again.
const FIRST_SECONDS: i64 = 5;
/// The longest pause between two looks.
const PAUSE_SECONDS_MAX: i64 = 600;

/// Where a wish stands (撤销状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The other city has not answered yet.
    Waiting,
    /// The withdrawal is on its way to the city that took the case.
    PassedOn,
    /// There was nothing left to take back: the case came back by itself, was over, or decided.
    Moot,
}

/// A hand-over that is to be taken back (撤销移交).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Undo {
    /// The case.
    pub case: CaseId,
    /// Under which command it is withdrawn.
    #[serde(skip)]
    pub command: MessageId,
    /// Where it stands.
    pub state: State,
    /// Why, in the clerk's words.
    pub reason: String,
    /// The counter.
    #[serde(skip)]
    pub office: OfficeId,
    /// Who asked for it.
    #[serde(skip)]
    pub clerk: StaffId,
    /// When.
    pub asked: Timestamp,
}

/// What is to be done about a wish, by where its case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Look again later.
    Wait,
    /// Withdraw it.
    Withdraw,
    /// There is nothing to take back.
    Nothing,
}

/// What is done about a wish in that phase.
pub fn next(phase: PhaseKind) -> Next {
    match phase {
        PhaseKind::Offered => Next::Wait,
        PhaseKind::Received | PhaseKind::Correcting | PhaseKind::Accepted => Next::Withdraw,
        PhaseKind::Decided
        | PhaseKind::Delivering
        | PhaseKind::Delivered
        | PhaseKind::Closed
        | PhaseKind::Withdrawn
        | PhaseKind::Declined
        | PhaseKind::Lapsed
        | PhaseKind::Returned => Next::Nothing,
    }
}

/// Whether a hand-over can be taken back in that phase.
pub fn may(phase: PhaseKind) -> std::result::Result<(), Refusal> {
    match next(phase) {
        Next::Wait => Ok(()),
        Next::Withdraw => Err(taken()),
        Next::Nothing => Err(over(phase)),
    }
}

#[derive(Serialize, Deserialize)]
struct Content {
    reason: String,
}

const INSERT: Stmt = stmt(
    "counter.undo.insert",
    "
    INSERT INTO counter_undo (case_id, command, state, content, office, clerk, asked, version, at, tx)
    VALUES ($1, $2, 'waiting', $3, $4, $5, $6, 1, $6, $7)
    ON CONFLICT (case_id) DO NOTHING
",
);

const FIND: Stmt = stmt(
    "counter.undo.find",
    "
    SELECT case_id, command, state, content, office, clerk, asked
    FROM counter_undo
    WHERE case_id = $1
",
);

const SETTLE: Stmt = stmt(
    "counter.undo.settle",
    "
    UPDATE counter_undo
    SET state = $2, version = version + 1, at = $3, tx = $4
    WHERE case_id = $1 AND state = 'waiting'
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[INSERT, FIND, SETTLE];

/// Asks for a hand-over to be taken back, and tells the applicant; the same case is asked for once.
pub fn ask(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    (office, clerk): (&OfficeId, StaffId),
    command: MessageId,
    (case, reason): (CaseId, &str),
) -> Result<Undo> {
    if let Some(held) = find(tx, case)? {
        return if held.command == command { Ok(held) } else { Err(asked_already().into()) };
    }
    let reason = reason.trim();
    if reason.is_empty() || REASON_LETTERS_MAX < reason.chars().count() {
        return Err(no_reason().into());
    }
    let view = acts::view(tx, env, case)?;
    may(view.phase)?;
    let content = serde_json::to_string(&Content { reason: reason.to_owned() })
        .map_err(|error| Fault::of("writing a reason", error))?;
    let content = tx.seal(&place::undo(case), content);
    let row = params![case, command, content, office, clerk, ctx.now, tx.name];
    if tx.run(&INSERT, row)? == 0 {
        return Err(asked_already().into());
    }
    put(tx, case, ctx.now.plus_seconds(FIRST_SECONDS))?;
    notices::undo(tx, ctx, &view, reason)?;
    audit::line(tx, ctx, "counter.undo", case.as_str(), "asked")?;
    find(tx, case)?.ok_or_else(|| Violation::inconsistent("counter_undo", case).into())
}

/// The wish about a case, where there is one.
pub fn find(tx: &mut Tx<'_>, case: CaseId) -> Result<Option<Undo>> {
    tx.one(&FIND, params![case])?.map(|row| undo(tx, &row)).transpose()
}

fn put(tx: &mut Tx<'_>, case: CaseId, due: Timestamp) -> Result<()> {
    jobs::put(tx, JOB, case.as_str(), due, &serde_json::json!({ "case": case }))
}

/// Looks whether a wish can be done by now (撤销到期); safe to run twice.
pub fn run(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, payload: &serde_json::Value) -> Result<()> {
    let case = payload.get("case").and_then(serde_json::Value::as_str).unwrap_or_default();
    let case: CaseId =
        case.parse().map_err(|_| Violation::new("inconsistent", "counter.undo", case.to_owned()))?;
    let Some(held) = find(tx, case)?.filter(|held| held.state == State::Waiting) else { return Ok(()) };
    let view = acts::view(tx, env, case)?;
    match next(view.phase) {
        Next::Wait => put(tx, case, ctx.now.plus_seconds(pause(&held, ctx.now))),
        Next::Withdraw => {
            let state = withdraw(tx, ctx, env, &held)?;
            settle(tx, ctx, case, state)
        }
        Next::Nothing => settle(tx, ctx, case, State::Moot),
    }
}

/// The longer a city is silent, the longer the pause.
fn pause(held: &Undo, now: Timestamp) -> i64 {
    let waited = (now.seconds() - held.asked.seconds()).max(0);
    (FIRST_SECONDS + waited / 10).min(PAUSE_SECONDS_MAX)
}

/// The withdrawal, in the name of the clerk who asked; what is refused now was overtaken by another act.
fn withdraw(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, held: &Undo) -> Result<State> {
    let clerk = Actor::Staff { staff: held.clerk, role: Role::Window, office: held.office.clone() };
    match acts::act(tx, &ctx.acting(clerk), env, held.case, Command::Withdraw, held.command) {
        Ok(_) => Ok(State::PassedOn),
        Err(Error::Refused(_)) => Ok(State::Moot),
        Err(error) => Err(error),
    }
}

fn settle(tx: &mut Tx<'_>, ctx: &Ctx, case: CaseId, state: State) -> Result<()> {
    let word = crate::word(&state);
    tx.run(&SETTLE, params![case, &word, ctx.now, tx.name])?;
    audit::line(tx, ctx, "counter.undo", case.as_str(), &word)
}

fn undo(tx: &Tx<'_>, row: &Row) -> Result<Undo> {
    let case: CaseId = row.parse("case_id")?;
    let content: Content = tx.open_json(row, "content", &place::undo(case))?;
    Ok(Undo {
        case,
        command: row.parse("command")?,
        state: crate::unword(row, "state")?,
        reason: content.reason,
        office: row.parse("office")?,
        clerk: row.parse("clerk")?,
        asked: row.get("asked")?,
    })
}

fn taken() -> Refusal {
    Refusal::not_now(
        "CTR-UND-001",
        "办理的市已经接收，不能再撤销移交",
        "The deciding city has taken the case; the hand-over stands",
    )
    .but("请本人签名，在办件页撤回申请", "Let the applicant sign and withdraw it on the page of the case")
}

fn over(phase: PhaseKind) -> Refusal {
    let name = phase.name();
    Refusal::not_now(
        "CTR-UND-002",
        format!("办件现在是“{}”，没有可以撤销的移交", name.zh),
        format!("The case is '{}'; there is no hand-over to take back", name.en),
    )
    .but("按办件页上现在能办的继续", "Go on with what the page of the case offers now")
}

fn asked_already() -> Refusal {
    Refusal::not_now("CTR-UND-003", "这件的移交已经在撤销", "This hand-over is being taken back already")
        .but("等办理的市答复，进度会自己变", "Wait for the deciding city's answer; the progress follows")
}

fn no_reason() -> Refusal {
    Refusal::invalid(
        "CTR-UND-004",
        "写明为什么撤销，200 个字以内",
        "Say why it is taken back, in up to 200 characters",
    )
    .on("reason")
    .but(
        "写事实，如“事项选错”；申请人会看到这句话",
        "Write the fact, such as a wrong item; the applicant reads it",
    )
}
