//! One enquiry at the office (答复): what was asked, the answer, to whom else it may go, or why it goes back.
//!
//! Invariant: whoever answers has seen every turn; what was typed stays when somebody was faster.

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{MessageId, OfficeId, Refusal, Result};
use tb_enquiry::acts::{self, Doing};
use tb_enquiry::decide::{By, allowed};
use tb_enquiry::queue::Whose;
use tb_enquiry::{Act, ActKind, Enquiry, Place, Turn, keep};
use tb_identity::offices::{self, Office};
use tb_identity::permit::{Action, Scope, may};
use tb_identity::roster;
use tb_store::Tx;
use tb_web::{
    Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect, ui,
};

use super::help::fields_key;
use super::office::sight;
use super::shown::{Reader, Shown, shown};
use super::{Shared, id_of, key_of, office_of, taken, wording};
use crate::parts::Parts;

const ANSWER: Field<'static> = Field::new("text", "写给提问的人", "To whoever asked", Input::Area).hint(
    "写结论和下一步；提问的人会看到原文。最多 1000 字",
    "Say what comes of it and what to do next; whoever asked reads it as it stands. At most 1000 letters",
);
const REASON: Field<'static> = Field::new("reason", "转办说明", "Why it goes there", Input::Area).hint(
    "接手的单位和提问的人都看得到",
    "The office that takes it over reads it, and so does whoever asked",
);
const GROUND: Field<'static> =
    Field::new("ground", "为什么退回，该找谁", "Why, and whom to ask", Input::Area)
        .hint("只在本市确实答复不了时用", "Only where this city really cannot answer");

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/office_ask.html")]
struct OfficeAsk {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    ask: Shown,
    form: Fields,
    may_answer: bool,
    may_pass: bool,
    /// Whether a part of the form that is folded has an error.
    #[serde(skip)]
    is_unfolded: bool,
    /// Offices of the city: code, Chinese, English.
    #[serde(skip)]
    offices: Vec<(String, String, String)>,
    key: String,
    /// How many turns the form is about.
    seen: u32,
}

impl OfficeAsk {
    fn to(&self) -> Html {
        let choices: Vec<Choice<'_>> =
            self.offices.iter().map(|(id, zh, en)| Choice::new(id, zh, en)).collect();
        self.form.show(&Field::new("to", "转给", "Pass on to", Input::Select(&choices)))
    }
}

/// GET /office/asks/{id}
pub async fn show(visit: Visit, parts: Shared, path: Path<String>) -> PageResult {
    let read = read(&visit, id_of(&path)?).await?;
    let form = Fields::blank(&visit);
    visit.page(view(&visit, &parts, &read, form))
}

/// POST /office/asks/{id}: `do` is answer, pass or return.
pub async fn act(visit: Visit, parts: Shared, path: Path<String>, form: Form) -> PageResult {
    let (id, office) = (id_of(&path)?, office_of(&visit.ctx)?);
    may(&visit.ctx.actor, Action::AnswerEnquiry, &Scope::Office(office.clone()))?;
    let mut fields = form.fields();
    let done = match asked_for(&mut fields)? {
        Some(wanted) => {
            let seen = fields.value("seen").parse().ok();
            let outcome = answer(&visit, &parts, id, office, key_of(&visit.ctx, &fields), wanted, seen).await;
            taken(&mut fields, outcome)?
        }
        None => None,
    };
    if done.is_some() {
        let word = fields.pressed().to_owned();
        return Ok(redirect(&format!("/office/asks?done={word}")));
    }
    let read = read(&visit, id).await?;
    visit.form_again(view(&visit, &parts, &read, fields))
}

/// What a form asks for.
#[derive(Clone)]
enum Wanted {
    Answer(tb_enquiry::Wording),
    PassOn(OfficeId, tb_enquiry::Wording),
    Return(tb_enquiry::Wording),
}

/// What was pressed, with its texts; nothing where something is wrong with them.
fn asked_for(fields: &mut Fields) -> Result<Option<Wanted>> {
    match fields.pressed() {
        "answer" => Ok(wording(fields, &ANSWER).map(Wanted::Answer)),
        "return" => Ok(wording(fields, &GROUND).map(Wanted::Return)),
        "pass" => {
            let to = fields.read(&Field::text("to", "转给", "Pass on to")).parse::<OfficeId>().required();
            let why = wording(fields, &REASON);
            Ok(to.zip(why).map(|(to, why)| Wanted::PassOn(to, why)))
        }
        _ => Err(Refusal::invalid(
            "T01-ASK-004",
            "请按“答复”“转办”或“退回”",
            "Press answer, pass on or return",
        )
        .into()),
    }
}

async fn answer(
    visit: &Visit,
    parts: &Parts,
    id: MessageId,
    own: OfficeId,
    turn: MessageId,
    wanted: Wanted,
    seen: Option<u32>,
) -> Result<Enquiry> {
    let (ctx, env) = (visit.ctx.clone(), parts.enquiry.clone());
    let work = move |tx: &mut Tx<'_>| {
        let office = acts::place_of(tx, &own)?;
        let after = keep::find(tx, id)?.map_or(0, |enquiry| enquiry.agains);
        let act = match wanted.clone() {
            Wanted::Answer(text) => Act::Answer { office, text, after },
            Wanted::Return(text) => Act::Return { office, text, after },
            Wanted::PassOn(to, text) => Act::PassOn { office, to: reachable(tx, &to)?, text },
        };
        acts::act(tx, &ctx, &env, id, &Doing { turn, act, by: By::Office(&own), seen })
    };
    visit.app.store.write("t01.office.ask", work).await
}

/// An office that it may go to: one in which somebody can answer.
fn reachable(tx: &mut Tx<'_>, to: &OfficeId) -> Result<Place> {
    let place = acts::place_of(tx, to)?;
    if roster::answering_offices(tx)?.contains(to) {
        return Ok(place);
    }
    Err(Refusal::not_now("T01-ASK-005", "这个单位现在没有人可以答复", "Nobody in that office can answer now")
        .but("请从列出的单位里选", "Choose one of those listed")
        .on("to")
        .into())
}

/// What a page shows: the enquiry, what was said, the offices that it may go to.
struct Read {
    enquiry: Enquiry,
    turns: Vec<Turn>,
    offices: Vec<Office>,
}

/// The enquiry, if the visitor's office has it or she supervises; one that is elsewhere is one that is not there.
async fn read(visit: &Visit, id: MessageId) -> std::result::Result<Read, PageError> {
    let (sight, me) = (sight(visit)?, visit.ctx.node);
    let read = move |tx: &mut Tx<'_>| {
        let held = |enquiry: &Enquiry| match &sight.whose {
            Whose::Office(own) if !sight.is_supervisor => {
                enquiry.to == me && enquiry.office.as_ref().is_some_and(|office| office.id == *own)
            }
            Whose::Office(_) | Whose::City | Whose::Away => true,
        };
        let enquiry = keep::find(tx, id)?.filter(held).ok_or_else(acts::gone)?;
        let turns = keep::turns(tx, id)?;
        let answering = roster::answering_offices(tx)?;
        let mut offices = offices::all(tx)?;
        offices.retain(|office| answering.contains(&office.id));
        Ok(Read { enquiry, turns, offices })
    };
    Ok(visit.app.store.read("t01.office.ask.show", read).await?)
}

fn view(visit: &Visit, parts: &Parts, read: &Read, form: Fields) -> OfficeAsk {
    let Read { enquiry, turns, offices } = read;
    let own = office_of(&visit.ctx).ok();
    let is_staff = visit.ctx.actor.role() != Some(tb_base::Role::Supervisor);
    let may = match &own {
        Some(own) if is_staff => allowed(enquiry, By::Office(own)),
        _ => Vec::new(),
    };
    let ask = shown(visit, parts, enquiry, turns, Reader::Office);
    let other = |office: &&Office| own.as_ref() != Some(&office.id);
    let named = |office: &Office| (office.id.to_string(), office.name_zh.clone(), office.name_en.clone());
    OfficeAsk {
        frame: visit.frame(&ask.title, &ask.title).desk().errors(&form).crumb(
            "问询",
            "Enquiries",
            "/office/asks",
        ),
        lang: visit.lang,
        key: fields_key(&form).unwrap_or_else(|| visit.ctx.id(MessageId::new).to_string()),
        seen: enquiry.turns,
        is_unfolded: matches!(form.pressed(), "pass" | "return"),
        ask,
        form,
        may_answer: may.contains(&ActKind::Answer),
        may_pass: may.contains(&ActKind::PassOn),
        offices: offices.iter().filter(other).map(named).collect(),
    }
}
