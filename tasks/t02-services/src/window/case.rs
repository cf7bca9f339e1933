//! A case at the counter (窗口办件): the applicant's own progress, receipts, handing over, and what she asks for.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariant: what is done for her here is done with her signature, whose digest is kept with the act.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use axum::response::Response;
use serde::Serialize;
use tb_base::{CaseId, Class, Due, Error, MessageId, NodeId, Timestamp};
use tb_case::acts::{self, Acted, SentAct};
use tb_case::case::{Outcome, Proof, Reason, RemedyText};
use tb_case::command::{Answers, Command, CommandKind};
use tb_case::progress::ProgressView;
use tb_case::text::Text;
use tb_counter::journal::{self, Kind, Note};
use tb_counter::ticket::Queue;
use tb_exchange::service;
use tb_identity::people::{self, Person};
use tb_identity::permit::{Action, Scope, may};
use tb_store::outbox::{self, State};
use tb_store::{Tx, inbox};
use tb_web::{Fields, Form, Frame, Html, Lang, PageError, PageResult, Visit, redirect, ui};

use super::{Clerk, bench, collected, signature};
use crate::access::{Shared, case_id, command};
use crate::cases::decision;
use crate::cases::progress::{self, Explained, PendingAct};
use crate::correction::{Asked, answers, asked};
use crate::parts::Parts;
use crate::words::{PATIENCE_SECONDS, say};

/// A message of the case, with what its receiver said (回执).
#[derive(Serialize)]
struct Message {
    id: MessageId,
    /// `sent` or `received`.
    way: &'static str,
    service: String,
    city: NodeId,
    at: Timestamp,
    state: &'static str,
    /// When the receiver confirmed it.
    confirmed: Option<Timestamp>,
    /// Why the last try failed.
    problem: Option<String>,
}

#[derive(Template, Serialize)]
#[template(path = "window/case.html")]
struct CasePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    progress: ProgressView,
    due: BTreeMap<String, Due>,
    allowed: Vec<CommandKind>,
    pending_acts: Vec<PendingAct>,
    messages: Vec<Message>,
    correction: Vec<Asked>,
    /// Since when something waits for the other city.
    waiting_since: Option<Timestamp>,
    command: MessageId,
    form: Fields,
    #[serde(skip)]
    steps: ui::Steps,
    #[serde(skip)]
    due_box: Option<ui::DueBox>,
    #[serde(skip)]
    calendars: Vec<Explained>,
    #[serde(skip)]
    done: String,
    /// She wants to withdraw; the page shows that form and no other.
    #[serde(skip)]
    withdrawing: bool,
    #[serde(skip)]
    column: Html,
}

impl CasePage {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }

    fn at(&self, tail: &str) -> String {
        format!("/window/cases/{}{tail}", self.progress.case)
    }

    fn can_deliver(&self) -> bool {
        self.allowed.contains(&CommandKind::Deliver)
    }

    fn can_correct(&self) -> bool {
        self.allowed.contains(&CommandKind::AnswerCorrection)
            && !self.correction.is_empty()
            && !self.withdrawing
    }

    fn can_withdraw(&self) -> bool {
        self.allowed.contains(&CommandKind::Withdraw)
    }

    /// Handed over, and no city has taken it yet.
    fn can_undo(&self) -> bool {
        tb_counter::undo::may(self.progress.phase).is_ok()
    }

    fn is_refused(&self) -> bool {
        matches!(self.progress.outcome, Some(Outcome::Refused { .. }))
    }

    /// Why it was refused or not accepted, as the applicant reads it.
    fn against(&self) -> Option<(&[Reason], &[RemedyText])> {
        decision::against(&self.progress)
    }

    /// What the decision against the applicant is called.
    fn decision_title(&self) -> String {
        say(self.lang, &decision::heading(&self.progress)).to_owned()
    }

    fn tag(&self) -> Html {
        ui::tag(self.progress.phase.tag(), say(self.lang, &self.progress.phase_name))
    }

    fn code(&self) -> Html {
        ui::code(&ui::grouped(&self.progress.query_code, 4))
    }

    fn signing(&self) -> Html {
        self.form.show_all(&signature::shown())
    }

    fn messages_table(&self) -> ui::Table {
        let lang = self.lang;
        let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
        let row = |line: &Message| {
            let (tag, state) = state_words(lang, line.state);
            let confirmed = line.confirmed.map_or_else(String::new, |at| lang.moment(at));
            ui::TableRow::new(vec![
                ui::Cell::text(service_words(lang, line)).note(line.id.to_string()),
                ui::Cell::text(self.frame.city_name(line.city)),
                ui::Cell::text(lang.moment(line.at)),
                ui::Cell::tag(tag, state).note(confirmed),
            ])
        };
        ui::Table {
            caption: lang.t("报文与回执", "Messages and receipts").to_owned(),
            heads: vec![
                head("报文", "Message"),
                head("对方", "With"),
                head("时间", "At"),
                head("回执", "Receipt"),
            ],
            rows: self.messages.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }
}

fn state_words(lang: Lang, state: &str) -> (&'static str, &'static str) {
    match state {
        "waiting" => ("wait", lang.t("待送达", "waiting")),
        "delivered" => ("now", lang.t("已送达", "delivered")),
        "processed" | "received" => ("done", lang.t("已处理", "processed")),
        "rejected" => ("stop", lang.t("已退回", "rejected")),
        _ => ("stop", lang.t("需人工处理", "needs attention")),
    }
}

fn service_words(lang: Lang, line: &Message) -> &'static str {
    match line.service.as_str() {
        service::CASE_OFFER => lang.t("移交办件", "Case offered"),
        service::CASE_CUSTODY => lang.t("接管答复", "Custody answered"),
        service::CASE_PROGRESS => lang.t("进度", "Progress"),
        service::CASE_ACT => lang.t("代办操作", "Act passed on"),
        service::RECEIPT => lang.t("处理回执", "Receipt"),
        _ => lang.t("其他报文", "Other message"),
    }
}

/// What was read of a case in one go.
struct Seen {
    view: ProgressView,
    allowed: Vec<CommandKind>,
    acts: Vec<SentAct>,
    messages: Vec<Message>,
    waiting_since: Option<Timestamp>,
    queue: Queue,
}

async fn see(visit: &Visit, parts: &Shared, case: CaseId) -> Result<Seen, PageError> {
    let clerk = Clerk::of(&visit.ctx, Action::ReadOfficeCase)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let read = visit.app.store.read_snapshot("t02.window.case", move |tx| {
        let view = collected(tx, &ctx, &shared.env, case)?;
        let other = if view.owner == ctx.node { view.deciding.city } else { view.owner };
        let waiting_since = if other == ctx.node { None } else { outbox::waiting_since(tx, other)? };
        Ok(Seen {
            allowed: acts::may(tx, &ctx, &shared.env, case)?,
            acts: acts::sent(tx, case)?,
            messages: messages(tx, case)?,
            waiting_since,
            queue: bench::queue(tx, &clerk, ctx.now)?,
            view,
        })
    });
    Ok(read.await?)
}

/// What was sent and received about a case, in order of time.
fn messages(tx: &mut Tx<'_>, case: CaseId) -> tb_base::Result<Vec<Message>> {
    let mut all = Vec::new();
    for sent in outbox::of_case(tx, case)? {
        let receipts = outbox::receipts(tx, sent.message.envelope.id)?;
        let state = match sent.state {
            State::Waiting => "waiting",
            State::Delivered => "delivered",
            State::Processed => "processed",
            State::Rejected => "rejected",
            State::Dead => "dead",
        };
        all.push(Message {
            id: sent.message.envelope.id,
            way: "sent",
            service: sent.message.envelope.service,
            city: sent.message.envelope.to,
            at: sent.created,
            state,
            confirmed: receipts.last().map(|kept| kept.receipt.at),
            problem: sent.problem,
        });
    }
    for kept in inbox::of_case(tx, case)? {
        let envelope = kept.incoming.envelope;
        all.push(Message {
            id: envelope.id,
            way: "received",
            service: envelope.service,
            city: envelope.from,
            at: kept.incoming.at,
            state: "received",
            confirmed: None,
            problem: None,
        });
    }
    all.sort_by_key(|message| (message.at, message.id));
    Ok(all)
}

/// GET /window/cases/{id}/receipt: what is printed for her, with number, dates and where to look.
pub(crate) async fn receipt(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    let person = applicant(&visit, &parts, seen.view.case).await?;
    let back = format!("/window/cases/{}", seen.view.case);
    crate::cases::receipt::page(&visit, &parts, &seen.view, &person, &back)
}

/// GET /window/cases/{id}/decision: the decision against the applicant, to be printed and served.
pub(crate) async fn decision(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    let person = applicant(&visit, &parts, seen.view.case).await?;
    decision::page(&visit, &seen.view, &person, &format!("/window/cases/{}", seen.view.case))
}

/// Whose case it is.
async fn applicant(visit: &Visit, parts: &Shared, case: CaseId) -> Result<Person, PageError> {
    let shared = Arc::clone(&parts.0);
    let read = visit.app.store.read("t02.window.applicant", move |tx| {
        let person = acts::person_of(tx, case)?.ok_or_else(super::gone)?;
        people::get(tx, &shared.vault, person)
    });
    Ok(read.await?)
}

/// GET /window/cases/{id}
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    visit.page(page(&visit, &parts, seen, Fields::blank(&visit)))
}

fn page(visit: &Visit, parts: &Parts, seen: Seen, form: Fields) -> CasePage {
    let (lang, view) = (visit.lang, seen.view);
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let title = format!("{} · {}", say(lang, &view.item_name), say(lang, &view.phase_name));
    CasePage {
        frame: visit.frame(&title, &title).crumb("专窗", "Counter", "/window").errors(&form),
        lang,
        due: progress::due(parts, &view),
        steps: progress::steps(visit, &view),
        due_box: progress::due_box(visit, parts, &view),
        calendars: progress::calendars(visit, parts, &view),
        pending_acts: progress::pending(visit, &view, &seen.acts),
        correction: asked(rules.as_deref(), &view, &form),
        allowed: seen.allowed,
        messages: seen.messages,
        waiting_since: seen
            .waiting_since
            .filter(|since| !view.phase.is_over() && since.plus_seconds(PATIENCE_SECONDS) <= visit.ctx.now),
        command: visit.ctx.id(MessageId::new),
        progress: view,
        form,
        done: visit.param("done").unwrap_or_default(),
        column: bench::column(visit, parts, &seen.queue),
        withdrawing: visit.param("withdraw").is_some() || visit.path.ends_with("/withdraw"),
    }
}

/// POST /window/cases/{id}/handover: her signature (`signature` or `scan`) delivers the result.
pub(crate) async fn hand_over(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    let mut fields = form.fields();
    if let Some(signed) = signed(&mut fields)? {
        let proof = Proof { mode: seen.view.delivery, reference: signed.clone() };
        let what = Command::Deliver { proof };
        if let Some(answer) =
            give(&visit, &parts, &seen, &mut fields, Action::DeliverResult, what, signed).await?
        {
            return Ok(answer);
        }
    }
    visit.form_again(page(&visit, &parts, seen, fields))
}

/// POST /window/cases/{id}/correction: `answer.<about>` for each line, and her signature.
pub(crate) async fn correct(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    let mut fields = form.fields();
    let rules = parts.catalogue.rules(seen.view.item, seen.view.deciding.city);
    let lines = answers(rules.as_deref(), &seen.view, &mut fields);
    let signed = signed(&mut fields)?;
    if let (Some(signed), false) = (signed, fields.has_errors()) {
        let what = Command::AnswerCorrection { answers: Answers { salt: String::new(), lines } };
        if let Some(answer) =
            give(&visit, &parts, &seen, &mut fields, Action::AssistApplicant, what, signed).await?
        {
            return Ok(answer);
        }
    }
    visit.form_again(page(&visit, &parts, seen, fields))
}

/// POST /window/cases/{id}/withdraw: she takes the application back, with her signature.
pub(crate) async fn withdraw(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let seen = see(&visit, &parts, case_id(&id)?).await?;
    let mut fields = form.fields();
    if let Some(signed) = signed(&mut fields)? {
        let what = Command::Withdraw;
        if let Some(answer) =
            give(&visit, &parts, &seen, &mut fields, Action::AssistApplicant, what, signed).await?
        {
            return Ok(answer);
        }
    }
    visit.form_again(page(&visit, &parts, seen, fields))
}

/// The digest of her signature; none where the form says what is wrong with it.
fn signed(fields: &mut Fields) -> Result<Option<String>, PageError> {
    let Some(url) = signature::required(fields) else { return Ok(None) };
    fields.take(signature::digest(&url))
}

/// Gives a command in her name; a refusal that the clerk can mend stays in the form.
async fn give(
    visit: &Visit,
    parts: &Shared,
    seen: &Seen,
    fields: &mut Fields,
    action: Action,
    what: Command,
    signed: String,
) -> Result<Option<Response>, PageError> {
    let clerk = Clerk::of(&visit.ctx, action)?;
    may(&visit.ctx.actor, action, &Scope::Office(seen.view.collecting.office.clone()))?;
    let id = command(&visit.ctx, fields)?;
    let (ctx, shared, case) = (visit.ctx.clone(), Arc::clone(&parts.0), seen.view.case);
    let (item, city) = (seen.view.item, Some(seen.view.deciding.city));
    let acted = visit.app.store.write("t02.window.act", move |tx| {
        signature::note(tx, &ctx, case, &signed)?;
        let acted = acts::act(tx, &ctx, &shared.env, case, what.clone(), id)?;
        if let Some(kind) = kind_of(&what) {
            let note = Note { kind, case, item, city, ground: None };
            journal::note(tx, &ctx, (&clerk.office, clerk.staff), id, &note)?;
        }
        Ok(acted)
    });
    match acted.await {
        Ok(Acted::Applied(_)) => Ok(Some(redirect(&format!("/window/cases/{case}?done=applied")))),
        Ok(Acted::Sent) => Ok(Some(redirect(&format!("/window/cases/{case}?done=sent")))),
        Err(Error::Refused(refusal))
            if matches!(refusal.class, Class::Invalid | Class::NotNow | Class::Conflict) =>
        {
            fields.refuse(&refusal);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// How the journal of the day calls what was done for her.
fn kind_of(what: &Command) -> Option<Kind> {
    match what.kind() {
        CommandKind::Deliver => Some(Kind::Delivered),
        CommandKind::AnswerCorrection => Some(Kind::Corrected),
        CommandKind::Withdraw => Some(Kind::Withdrawn),
        CommandKind::AcceptCustody
        | CommandKind::RefuseCustody
        | CommandKind::AskCorrection
        | CommandKind::Accept
        | CommandKind::DeemAccept
        | CommandKind::Decline
        | CommandKind::Opine
        | CommandKind::Extend
        | CommandKind::Pause
        | CommandKind::Resume
        | CommandKind::Decide
        | CommandKind::IssueResult
        | CommandKind::Rate
        | CommandKind::Lapse
        | CommandKind::Close => None,
    }
}

impl CasePage {
    /// Since when something waits for the other city, in words.
    fn waits(&self) -> Option<String> {
        let (since, lang) = (self.waiting_since?, self.lang);
        let other = if self.progress.owner == self.progress.collecting.city {
            self.progress.deciding.city
        } else {
            self.progress.owner
        };
        let (city, since) = (self.frame.city_name(other), lang.moment(since));
        Some(match lang {
            Lang::Zh => format!("有报文等待{city}接收，从 {since} 起。恢复后自动送达，不用重复提交。"),
            Lang::En => format!(
                "A message waits for {city} since {since}. It goes on by itself; do not send it again."
            ),
        })
    }
}
