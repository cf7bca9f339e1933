//! Taking back what was begun here (撤销移交、交还草稿): a hand-over that no city has taken yet, a draft to its person.
//! Serves clauses 2.3 and 2.5.
//!
//! Invariant: what is taken back is told to its person, with the reason.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Class, DraftId, Error, MessageId, Refusal, Result};
use tb_case::draft::{self, Draft};
use tb_counter::journal::{self, Kind, Note};
use tb_counter::notices;
use tb_counter::undo::{self, REASON_LETTERS_MAX, Undo};
use tb_identity::people;
use tb_identity::permit::{Action, Scope, may};
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use crate::clerk::{Clerk, case_id, collected, command};
use crate::{Parts, Shared, say};

const REASON: Field<'static> = Field::new("reason", "为什么撤销", "Why it is taken back", Input::Area).hint(
    "写事实，如“事项选错”；申请人会看到这句话",
    "The fact, such as a wrong item; the applicant reads it",
);

#[derive(Template, Serialize)]
#[template(path = "tw/undo.html")]
struct Page {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    query_code: String,
    /// What was asked for already.
    held: Option<Undo>,
    /// Why it cannot be taken back now.
    not_now: Option<Refusal>,
    command: MessageId,
    form: Fields,
    #[serde(skip)]
    questions: Html,
}

impl Page {
    fn at(&self, tail: &str) -> String {
        format!("/window/cases/{}{tail}", self.case)
    }

    fn code(&self) -> Html {
        ui::code(&self.query_code)
    }

    fn why<'a>(&self, refusal: &'a Refusal) -> &'a str {
        self.lang.way_out(refusal).unwrap_or_default()
    }

    fn state(&self, held: &Undo) -> &'static str {
        match held.state {
            undo::State::Waiting => self.lang.t(
                "等办理的市答复：对方一接收就自动撤回；被退回的，不用再撤。",
                "It waits for the deciding city: once that takes the case, it is withdrawn; if it comes back, nothing more is needed.",
            ),
            undo::State::PassedOn => {
                self.lang.t("撤回已发给办理的市。", "The withdrawal has gone to the deciding city.")
            }
            undo::State::Moot => self.lang.t(
                "没有可以撤回的了：办件已退回、办完或作出决定。",
                "There was nothing left to withdraw: the case came back, ended or was decided.",
            ),
        }
    }
}

/// What was read of a case.
struct Read {
    view: tb_case::ProgressView,
    held: Option<Undo>,
}

async fn read(visit: &Visit, parts: &Shared, case: CaseId) -> std::result::Result<Read, PageError> {
    Clerk::of(&visit.ctx, Action::ReadOfficeCase)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let read = visit.app.store.read_snapshot("t02.window.undo.page", move |tx| {
        Ok(Read { view: collected(tx, &ctx, &shared, case)?, held: undo::find(tx, case)? })
    });
    Ok(read.await?)
}

/// GET /window/cases/{id}/undo
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let read = read(&visit, &parts, case_id(&id)?).await?;
    let command = visit.ctx.id(MessageId::new);
    visit.page(page(&visit, read, command, Fields::blank(&visit)))
}

fn page(visit: &Visit, read: Read, command: MessageId, form: Fields) -> Page {
    let back = format!("/window/cases/{}", read.view.case);
    let frame = visit.frame("撤销移交", "Take the hand-over back").crumb("专窗", "Counter", "/window");
    Page {
        frame: frame.crumb("办件", "Case", &back).errors(&form),
        lang: visit.lang,
        case: read.view.case,
        query_code: ui::grouped(&read.view.query_code, 4),
        not_now: undo::may(read.view.phase).err(),
        held: read.held,
        command,
        questions: form.show_all(&[REASON]),
        form,
    }
}

/// POST /window/cases/{id}/undo: `reason`.
pub(crate) async fn ask(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let seen = read(&visit, &parts, case_id(&id)?).await?;
    let clerk = Clerk::of(&visit.ctx, Action::AssistApplicant)?;
    may(&visit.ctx.actor, Action::AssistApplicant, &Scope::Office(seen.view.collecting.office.clone()))?;
    let mut fields = form.fields();
    let command = command(&visit.ctx, &fields)?;
    let Some(reason) = fields.read(&REASON).max(REASON_LETTERS_MAX).required() else {
        return visit.form_again(page(&visit, seen, command, fields));
    };
    let (ctx, shared, case) = (visit.ctx.clone(), Arc::clone(&parts.0), seen.view.case);
    let city = Some(seen.view.deciding.city);
    let note = Note { kind: Kind::Undone, case, item: seen.view.item, city, ground: None };
    let asked = visit.app.store.write("t02.window.undo", move |tx| {
        let at = (&clerk.office, clerk.staff);
        undo::ask(tx, &ctx, &shared.env, at, command, (case, &reason))?;
        journal::note(tx, &ctx, at, command, &note)
    });
    match asked.await {
        Ok(()) => Ok(redirect(&format!("/window/cases/{case}/undo"))),
        Err(Error::Refused(refusal)) if matches!(refusal.class, Class::Invalid | Class::NotNow) => {
            fields.refuse(&refusal);
            let seen = read(&visit, &parts, case).await?;
            visit.form_again(page(&visit, seen, command, fields))
        }
        Err(error) => Err(error.into()),
    }
}

/// A draft that this office has on its counter.
fn on_counter(tx: &mut Tx<'_>, parts: &Parts, id: DraftId, clerk: &Clerk) -> Result<Draft> {
    let found = draft::find(tx, &parts.env, id)?;
    found.filter(|draft| draft.office.as_ref() == Some(&clerk.office)).ok_or_else(gone)
}

fn gone() -> Error {
    Refusal::gone(
        "T02-BCK-001",
        "本窗口没有这份草稿，或者已经交还、收件",
        "This counter has no such draft, or it was handed back or collected",
    )
    .but("从专窗首页打开", "Open it from the counter's page")
    .into()
}

/// GET /window/drafts/{id}/back: the code that its person goes on with at home, to be printed.
pub(crate) async fn back(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let (id, clerk) =
        (id.parse::<DraftId>().map_err(|_| gone())?, Clerk::of(&visit.ctx, Action::CollectCase)?);
    let shared = Arc::clone(&parts.0);
    let read = visit.app.store.read_snapshot("t02.window.back.page", move |tx| {
        let held = on_counter(tx, &shared, id, &clerk)?;
        Ok((people::get(tx, &shared.vault, held.person)?.name, held))
    });
    let (name, held) = read.await?;
    let lang = visit.lang;
    let path = format!("/window/drafts/{id}");
    let row = |zh: &str, en: &str, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
    let facts = vec![
        row("申请人", "Applicant", name),
        row("事项", "Item", say(lang, &parts.catalogue.item_name(held.item)).to_owned()),
        row("草稿编号", "Code of the draft", ui::grouped(&held.code, 4)).code(),
    ];
    let go_back = (lang.t("不交还，返回", "Keep it and go back"), path.as_str());
    let confirm = ui::Confirm::of(
        &visit,
        lang.t("交还本人", "Hand it back"),
        format!("{path}/back"),
        go_back,
    )
    .says(lang.t(
        "本人登录后，在“我的办件”里接着填；再来窗口时，凭编号接着办。",
        "The applicant signs in and goes on under My cases, or comes back to a counter with the code.",
    ))
    .says(lang.t(
        "填过的、同意过的都保留；本窗口不再看得到。可以先打印这一页交给本人。",
        "What was filled in and agreed to stays; this counter sees it no more. Print this page first.",
    ))
    .about(ui::Summary { rows: facts });
    let frame = visit.frame("把草稿交还本人？", "Hand the draft back?").crumb("专窗", "Counter", "/window");
    visit.confirm(frame.crumb("收件", "Collect", &path), confirm)
}

/// POST /window/drafts/{id}/back: the person goes on alone, and is told how.
pub(crate) async fn hand_back(visit: Visit, parts: Shared, id: Path<String>, _: Form) -> PageResult {
    let (id, clerk) =
        (id.parse::<DraftId>().map_err(|_| gone())?, Clerk::of(&visit.ctx, Action::CollectCase)?);
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let handed = visit.app.store.write("t02.window.back", move |tx| {
        let held = on_counter(tx, &shared, id, &clerk)?;
        let back = draft::hand_back(tx, &ctx, &shared.env, id, held.version)?;
        let case: CaseId = id.as_str().parse()?;
        let note = Note { kind: Kind::HandedBack, case, item: back.item, city: back.deciding, ground: None };
        journal::note(tx, &ctx, (&clerk.office, clerk.staff), ctx.id(MessageId::new), &note)?;
        notices::handed_back(tx, &ctx, &back, &shared.catalogue.item_name(back.item))?;
        audit::line(tx, &ctx, "case.draft", id.as_str(), "handed_back")
    });
    handed.await?;
    Ok(redirect("/window"))
}
