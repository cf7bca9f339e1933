//! The papers of a case (原件收发): what came in, what went out and under which number, where each is, a receipt to print.
//! Serves clauses 2.3 and 2.5.
//!
//! Invariant: the form names the way that its page showed, so that an old page or a second press turns nothing round.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Class, Error, MessageId, Refusal, Result, StaffId, Timestamp};
use tb_case::ProgressView;
use tb_counter::courier::{COURIERS, Courier, NUMBER_LETTERS_MAX};
use tb_counter::journal::{self, Kind, Note};
use tb_counter::original::{self, Entry, Move, Original, Party, Place, WHAT_LETTERS_MAX, Way};
use tb_identity::permit::{Action, Scope, may};
use tb_identity::{people, staff};
use tb_store::Tx;
use tb_web::{
    Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect, ui,
};

use crate::clerk::{Clerk, case_id, collected, command};
use crate::{Parts, Shared, say};

const WHAT: Field<'static> = Field::text("what", "什么原件", "What paper")
    .hint("照原件的名称写，一份一登记", "As the paper is called; one line for each");
const PAGES: Field<'static> =
    Field::new("pages", "页数", "Pages", Input::Digits).hint("证卡填 1", "A card is 1");
const FROM: [Choice<'static>; 2] = [
    Choice::new("person", "本人交来", "From the applicant"),
    Choice::new("department", "办理部门退来", "From the deciding office"),
];
const TO: [Choice<'static>; 2] = [
    Choice::new("person", "交还本人", "To the applicant"),
    Choice::new("department", "送办理部门", "To the deciding office"),
];
const NUMBER: Field<'static> = Field::text("number", "快递单号", "Number of the parcel")
    .hint("照面单输入；当面交接的不填", "From the label; leave it empty where it passes by hand")
    .optional();

/// A paper as the page lists it.
#[derive(Serialize)]
struct Line {
    paper: MessageId,
    what: String,
    pages: u32,
    place: Place,
    since: Timestamp,
    #[serde(skip)]
    place_words: String,
}

#[derive(Template, Serialize)]
#[template(path = "tw/originals.html")]
struct Originals {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    query_code: String,
    item_name: String,
    papers: Vec<Line>,
    command: MessageId,
    form: Fields,
    /// The paper that is moved; empty for one that comes for the first time.
    paper: String,
    /// `in` or `out`.
    way: &'static str,
    /// What the form writes down, as its heading says.
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    questions: Html,
    #[serde(skip)]
    moves: ui::Table,
    #[serde(skip)]
    done: bool,
}

#[derive(Template, Serialize)]
#[template(path = "tw/originals_receipt.html")]
struct Receipt {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    query_code: String,
    item_name: String,
    person: String,
    papers: Vec<Line>,
    #[serde(skip)]
    moves: ui::Table,
    at: Timestamp,
}

impl Originals {
    fn at(&self, tail: &str) -> String {
        format!("/window/cases/{}{tail}", self.case)
    }

    fn code(&self) -> Html {
        ui::code(&self.query_code)
    }

    fn tag(&self, line: &Line) -> Html {
        tag(line)
    }

    /// The address of the form for a paper.
    fn form_of(&self, line: &Line) -> String {
        self.at(&format!("/originals?paper={}#form", line.paper))
    }
}

impl Receipt {
    fn code(&self) -> Html {
        ui::code(&self.query_code)
    }

    fn tag(&self, line: &Line) -> Html {
        tag(line)
    }
}

fn tag(line: &Line) -> Html {
    let kind = match line.place {
        Place::Counter => "now",
        Place::OnWayToPerson | Place::OnWayToDepartment | Place::Department => "wait",
        Place::Person => "done",
    };
    ui::tag(kind, &line.place_words)
}

/// What was read of a case and its papers.
struct Read {
    view: ProgressView,
    papers: Vec<Original>,
    person: String,
    names: Vec<(StaffId, String)>,
}

async fn read(visit: &Visit, parts: &Shared, case: CaseId) -> std::result::Result<Read, PageError> {
    Clerk::of(&visit.ctx, Action::ReadOfficeCase)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts.0));
    let read = visit.app.store.read_snapshot("t02.window.originals", move |tx| {
        let view = collected(tx, &ctx, &shared, case)?;
        let papers = original::of_case(tx, case)?;
        let person = match tb_case::acts::person_of(tx, case)? {
            Some(person) => people::get(tx, &shared.vault, person)?.name,
            None => String::new(),
        };
        Ok(Read { names: names(tx, &shared, &papers)?, view, papers, person })
    });
    Ok(read.await?)
}

/// The names of the clerks who moved papers.
fn names(tx: &mut Tx<'_>, parts: &Parts, papers: &[Original]) -> Result<Vec<(StaffId, String)>> {
    let mut names: Vec<(StaffId, String)> = Vec::new();
    for made in papers.iter().flat_map(|paper| &paper.moves) {
        if !names.iter().any(|(id, _)| *id == made.by) {
            let found = staff::find(tx, &parts.vault, made.by)?;
            names.push((made.by, found.map_or_else(String::new, |member| member.name)));
        }
    }
    Ok(names)
}

/// GET /window/cases/{id}/originals: `?paper=` opens the form for one that is known.
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let read = read(&visit, &parts, case_id(&id)?).await?;
    let asked = visit.param("paper").unwrap_or_default();
    let paper = read.papers.iter().find(|it| it.paper.as_str() == asked);
    let way = paper.and_then(Original::place).map_or(Way::In, next_way);
    let paper = paper.map(|it| it.paper);
    let form = Fields::blank(&visit);
    visit.page(page(&visit, &parts, &read, (paper, way), visit.ctx.id(MessageId::new), form))
}

/// GET /window/cases/{id}/originals/receipt: what is printed and signed when a paper comes or goes.
pub(crate) async fn receipt(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let read = read(&visit, &parts, case_id(&id)?).await?;
    let lang = visit.lang;
    let back = format!("/window/cases/{}/originals", read.view.case);
    visit.page(Receipt {
        frame: visit.frame("原件收发单", "Receipt for papers").crumb("原件收发", "Papers", &back).airy(),
        lang,
        case: read.view.case,
        query_code: ui::grouped(&read.view.query_code, 4),
        item_name: say(lang, &read.view.item_name).to_owned(),
        person: read.person.clone(),
        papers: lines(lang, &read.papers),
        moves: moves(lang, &read),
        at: visit.ctx.now,
    })
}

/// What can happen next to a paper that is there.
fn next_way(place: Place) -> Way {
    if place == Place::Counter { Way::Out } else { Way::In }
}

/// POST /window/cases/{id}/originals: a paper comes or goes.
pub(crate) async fn record(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let seen = read(&visit, &parts, case_id(&id)?).await?;
    let clerk = Clerk::of(&visit.ctx, Action::AssistApplicant)?;
    may(&visit.ctx.actor, Action::AssistApplicant, &Scope::Office(seen.view.collecting.office.clone()))?;
    let mut fields = form.fields();
    let command = command(&visit.ctx, &fields)?;
    let way = if fields.value("way") == "out" { Way::Out } else { Way::In };
    let paper = fields.value("paper").parse::<MessageId>().ok();
    let Some(entry) = entry(&mut fields, seen.view.case, paper, way) else {
        return visit.form_again(page(&visit, &parts, &seen, (paper, way), command, fields));
    };
    let (ctx, case) = (visit.ctx.clone(), seen.view.case);
    let kind = if way == Way::In { Kind::PaperIn } else { Kind::PaperOut };
    let note = Note { kind, case, item: seen.view.item, city: Some(seen.view.deciding.city), ground: None };
    let written = visit.app.store.write("t02.window.original", move |tx| {
        original::record(tx, &ctx, (&clerk.office, clerk.staff), command, &entry)?;
        journal::note(tx, &ctx, (&clerk.office, clerk.staff), command, &note)
    });
    match written.await {
        Ok(()) => Ok(redirect(&format!("/window/cases/{case}/originals?done=yes"))),
        Err(Error::Refused(refusal))
            if matches!(refusal.class, Class::Invalid | Class::NotNow | Class::Conflict) =>
        {
            fields.refuse(&refusal);
            let seen = read(&visit, &parts, case).await?;
            visit.form_again(page(&visit, &parts, &seen, (paper, way), command, fields))
        }
        Err(error) => Err(error.into()),
    }
}

fn entry(fields: &mut Fields, case: CaseId, paper: Option<MessageId>, way: Way) -> Option<Entry> {
    let (what, pages) = match paper {
        None => (
            fields.read(&WHAT).max(WHAT_LETTERS_MAX).required(),
            fields.number(&PAGES).try_with(whole_pages).required(),
        ),
        Some(_) => (Some(String::new()), Some(0)),
    };
    let party = fields.read(&party(way)).required();
    let courier = with_couriers(|field| fields.read(&field).try_with(|word| courier_of(&word)).required());
    let typed = fields.read(&NUMBER).max(NUMBER_LETTERS_MAX).optional();
    let (courier, typed) = (courier?, typed?.unwrap_or_default());
    let number = match courier.check(&typed) {
        Ok(number) => number,
        Err(refusal) => {
            fields.wrong(&NUMBER, &refusal);
            return None;
        }
    };
    let party = if party? == "person" { Party::Person } else { Party::Department };
    Some(Entry { case, paper, what: what?, pages: pages?, way, party, courier, number })
}

fn whole_pages(pages: i64) -> std::result::Result<u32, Refusal> {
    u32::try_from(pages).ok().filter(|pages| (1..=original::PAGES_MAX).contains(pages)).ok_or_else(|| {
        Refusal::invalid("T02-ORI-001", "页数是 1 到 999 的整数", "Pages are a whole number from 1 to 999")
            .but("数一数再填；证卡填 1", "Count them; a card is 1")
    })
}

fn courier_of(word: &str) -> std::result::Result<Courier, Refusal> {
    Courier::of_word(word).ok_or_else(|| {
        Refusal::invalid("T02-ORI-002", "请选怎么交接", "Choose how it travels")
            .but("没有列出的快递，选“其他快递”", "Choose another courier for one that is not listed")
    })
}

fn party(way: Way) -> Field<'static> {
    match way {
        Way::In => Field::new("party", "从哪里来", "From whom", Input::Radio(&FROM)),
        Way::Out => Field::new("party", "到哪里去", "To whom", Input::Radio(&TO)),
    }
}

/// The field of couriers, whose names belong to the block.
fn with_couriers<T>(work: impl FnOnce(Field<'_>) -> T) -> T {
    let names = COURIERS.map(|courier| (courier.word(), courier.name()));
    let choices: Vec<Choice<'_>> =
        names.iter().map(|(word, name)| Choice::new(word, &name.zh, &name.en)).collect();
    work(Field::new("courier", "怎么交接", "How it travels", Input::Select(&choices)))
}

fn page(
    visit: &Visit,
    parts: &Parts,
    read: &Read,
    (paper, way): (Option<MessageId>, Way),
    command: MessageId,
    form: Fields,
) -> Originals {
    let (lang, view) = (visit.lang, &read.view);
    let case_page = format!("/window/cases/{}", view.case);
    let known = paper.and_then(|paper| read.papers.iter().find(|it| it.paper == paper));
    let title = match (known, way) {
        (None, _) => lang.t("收进一份原件", "A paper comes in").to_owned(),
        (Some(paper), Way::In) => format!("{}：{}", lang.t("收回", "It comes back"), paper.what),
        (Some(paper), Way::Out) => format!("{}：{}", lang.t("发出", "It goes out"), paper.what),
    };
    let item_name = parts.catalogue.item(view.item).map_or_else(
        || view.item.to_string(),
        |item| lang.t(&item.entry.title, item.title_en().unwrap_or(&item.entry.title)).to_owned(),
    );
    let frame = visit.frame("原件收发", "Papers in and out").crumb("专窗", "Counter", "/window");
    Originals {
        frame: frame.crumb("办件", "Case", &case_page).errors(&form),
        lang,
        case: view.case,
        query_code: ui::grouped(&view.query_code, 4),
        item_name,
        papers: lines(lang, &read.papers),
        command,
        questions: questions(&form, known.is_none(), way),
        paper: known.map_or_else(String::new, |it| it.paper.to_string()),
        way: if way == Way::Out { "out" } else { "in" },
        title,
        moves: moves(lang, read),
        done: visit.param("done").is_some(),
        form,
    }
}

fn questions(form: &Fields, is_new: bool, way: Way) -> Html {
    with_couriers(|couriers| {
        let mut fields = if is_new { vec![WHAT, PAGES] } else { Vec::new() };
        fields.extend([party(way), couriers, NUMBER]);
        form.show_all(&fields)
    })
}

fn lines(lang: Lang, papers: &[Original]) -> Vec<Line> {
    let line = |paper: &Original| {
        let (place, last) = (paper.place()?, paper.moves.last()?);
        Some(Line {
            paper: paper.paper,
            what: paper.what.clone(),
            pages: paper.pages,
            place,
            since: last.at,
            place_words: say(lang, &place.name()).to_owned(),
        })
    };
    papers.iter().filter_map(line).collect()
}

fn moves(lang: Lang, read: &Read) -> ui::Table {
    let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
    let mut all: Vec<(&Original, &Move)> =
        read.papers.iter().flat_map(|paper| paper.moves.iter().map(move |made| (paper, made))).collect();
    all.sort_by_key(|(_, made)| (made.at, made.id));
    let row = |(paper, made): &(&Original, &Move)| {
        let clerk = read.names.iter().find(|(id, _)| *id == made.by).map_or("", |(_, name)| name);
        ui::TableRow::new(vec![
            ui::Cell::text(lang.moment(made.at)),
            ui::Cell::text(&paper.what).note(lang.count(paper.pages, "页", "page", "pages")),
            ui::Cell::text(say(lang, &made.name())),
            ui::Cell::text(say(lang, &made.courier.name())).note(made.number.clone()),
            ui::Cell::text(clerk),
        ])
    };
    ui::Table {
        caption: lang.t("收发记录", "Moves").to_owned(),
        heads: vec![
            head("时间", "At"),
            head("原件", "Paper"),
            head("收发", "In or out"),
            head("方式和单号", "How, and number"),
            head("经办", "By"),
        ],
        rows: all.iter().map(row).collect(),
        count: String::new(),
        export: None,
    }
}
