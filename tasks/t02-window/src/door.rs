//! The number at the door (取号): a page for everybody, on a kiosk in the hall or on a telephone.
//! Serves clause 2.3.
//!
//! Invariant: a number says nothing of whoever took it; one source cannot use up the numbers of a day.

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Actor, MessageId, NodeId, OfficeId, Refusal, Result};
use tb_counter::ticket::{self, NewTicket, PURPOSES, Purpose, State, Ticket};
use tb_identity::accounts::limits::{self, Limit, Source, Verdict};
use tb_identity::offices::{self, Office, OfficeKind};
use tb_identity::roster;
use tb_store::Tx;
use tb_web::{
    Caller, Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageResult, Visit, redirect, ui,
};

use crate::{Parts, Shared};

/// Numbers taken from one source; ten times as many from a hall that many people share.
const SOURCE: Limit = Limit { name: "ticket/source", attempts_max: 12, window_seconds: 3_600 };
/// Halls that are offered at the most.
const HALLS_MAX: usize = 40;
/// How often the page of a number looks again, in seconds.
const LOOK_SECONDS: u32 = 10;

#[derive(Template, Serialize)]
#[template(path = "tw/door.html")]
struct Door {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    #[serde(skip)]
    questions: Html,
    /// Nobody takes numbers where there is no hall.
    halls: usize,
}

#[derive(Template, Serialize)]
#[template(path = "tw/ticket.html")]
struct TicketPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    code: String,
    state: State,
    office: String,
    purpose: String,
    /// How many wait before it.
    before: i64,
    taken: tb_base::Timestamp,
    /// Whether it counts today.
    counts: bool,
    /// How often the page looks again; 0 where nothing changes any more.
    look: u32,
}

impl TicketPage {
    fn is(&self, state: &str) -> bool {
        self.counts
            && matches!(
                (self.state, state),
                (State::Waiting, "waiting")
                    | (State::Called, "called")
                    | (State::Skipped, "skipped")
                    | (State::Done, "done")
            )
    }
}

/// GET /tickets: `?office=` names the hall.
pub(crate) async fn ask(visit: Visit, parts: Shared) -> PageResult {
    let halls = visit.app.store.read("t02.halls", halls).await?;
    let form = Fields::blank(&visit)
        .with("office", visit.param("office").unwrap_or_default())
        .with("what", visit.param("what").unwrap_or_default());
    visit.page(door(&visit, &parts, &halls, form))
}

/// POST /tickets: takes a number and shows it.
pub(crate) async fn take(
    visit: Visit,
    parts: Shared,
    from: Option<Extension<Caller>>,
    form: Form,
) -> PageResult {
    let halls = visit.app.store.read("t02.halls", halls).await?;
    let mut fields = form.fields();
    let (office, new) = (chosen_hall(&halls, &mut fields), wanted(&visit, &parts, &mut fields));
    let (Some(office), Some(new)) = (office, new) else {
        return visit.form_again(door(&visit, &parts, &halls, fields));
    };
    let (ctx, vault) = (visit.ctx.clone(), parts.vault.clone());
    let source = source(from.map(|from| from.0));
    let on_duty = matches!(visit.ctx.actor, Actor::Staff { .. });
    let taken = visit.app.store.write("t02.ticket", move |tx| {
        if !on_duty && let Verdict::Wait(_) = limits::count_source(tx, &vault, SOURCE, &source, ctx.now)? {
            return Ok(None);
        }
        ticket::take(tx, &ctx, &office, &new).map(Some)
    });
    match taken.await {
        Ok(Some(ticket)) => Ok(redirect(&format!("/tickets/{}", ticket.id))),
        Ok(None) => {
            fields.refuse(&too_many());
            visit.form_again(door(&visit, &parts, &halls, fields))
        }
        Err(tb_base::Error::Refused(refusal)) => {
            fields.refuse(&refusal);
            visit.form_again(door(&visit, &parts, &halls, fields))
        }
        Err(error) => Err(error.into()),
    }
}

/// GET /tickets/{id}
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let id = id.parse::<MessageId>().map_err(|_| gone())?;
    let read = visit.app.store.read_snapshot("t02.ticket.page", move |tx| {
        let ticket = ticket::find(tx, id)?.ok_or_else(gone)?;
        let office = offices::find(tx, &ticket.office)?;
        Ok((ticket::before(tx, &ticket)?, office, ticket))
    });
    let (before, office, ticket) = read.await?;
    visit.page(page(&visit, &parts, before, office.as_ref(), &ticket))
}

fn page(visit: &Visit, parts: &Parts, before: i64, office: Option<&Office>, ticket: &Ticket) -> TicketPage {
    let lang = visit.lang;
    let counts = ticket.day == visit.ctx.now.date();
    let goes_on = counts && matches!(ticket.state, State::Waiting | State::Called);
    let title = ticket.code();
    TicketPage {
        frame: visit.frame(&title, &title).airy().crumb("取号", "Take a number", "/tickets"),
        lang,
        code: ticket.code(),
        state: ticket.state,
        office: office.map_or_else(String::new, |office| lang.t(&office.name_zh, &office.name_en).to_owned()),
        purpose: purpose(lang, parts, ticket),
        before,
        taken: ticket.taken,
        counts,
        look: if goes_on { LOOK_SECONDS } else { 0 },
    }
}

/// What the number was taken for: the item, or what else.
fn purpose(lang: Lang, parts: &Parts, ticket: &Ticket) -> String {
    let item = ticket.item.and_then(|number| parts.catalogue.item(number));
    match item {
        Some(item) => lang.t(&item.entry.title, item.title_en().unwrap_or(&item.entry.title)).to_owned(),
        None => {
            let name = ticket.purpose.name();
            lang.t(&name.zh, &name.en).to_owned()
        }
    }
}

/// The halls of this city that are open.
pub(crate) fn halls(tx: &mut Tx<'_>) -> Result<Vec<Office>> {
    let closed = roster::closed_offices(tx)?;
    let open = |office: &Office| office.kind == OfficeKind::Hall && !closed.contains(&office.id);
    Ok(offices::all(tx)?.into_iter().filter(open).take(HALLS_MAX).collect())
}

fn door(visit: &Visit, parts: &Parts, halls: &[Office], form: Fields) -> Door {
    let frame = visit.frame("取号", "Take a number").airy().errors(&form);
    Door {
        frame,
        lang: visit.lang,
        questions: questions(visit, parts, halls, &form),
        halls: halls.len(),
        form,
    }
}

/// An answer to "what for": its value and its words.
type Answer = (String, String, String);

/// What one may come for: each item that a counter collects, then what is not of an item.
fn reasons(parts: &Parts) -> Vec<Answer> {
    let items = parts.catalogue.items().filter(|item| item.online());
    let of_items = items.map(|item| {
        let zh = item.entry.title.clone();
        let en = item.title_en().map_or_else(|| zh.clone(), str::to_owned);
        (format!("apply-{}", item.entry.number), zh, en)
    });
    let others = PURPOSES.into_iter().map(|purpose| {
        let name = match purpose {
            Purpose::Apply => tb_case::text::Text::new("申办其他事项", "Apply for something else"),
            Purpose::GoOn | Purpose::Fetch | Purpose::Ask => purpose.name(),
        };
        (purpose.word().to_owned(), name.zh, name.en)
    });
    of_items.chain(others).collect()
}

fn questions(visit: &Visit, parts: &Parts, halls: &[Office], form: &Fields) -> Html {
    let reasons = reasons(parts);
    let reasons: Vec<Choice<'_>> = reasons.iter().map(|(id, zh, en)| Choice::new(id, zh, en)).collect();
    let cities: Vec<Choice<'_>> = visit
        .app
        .cities
        .iter()
        .map(|city| Choice::new(city.node.as_str(), &city.name, &city.name_en))
        .collect();
    let offices: Vec<Choice<'_>> = halls
        .iter()
        .map(|office| Choice::new(office.id.as_str(), &office.name_zh, &office.name_en))
        .collect();
    let mut asked = Vec::new();
    if 1 < offices.len() {
        asked.push(Field::new("office", "在哪个大厅", "In which hall", Input::Radio(&offices)));
    }
    asked.push(what(&reasons));
    asked.push(city_field(&cities));
    form.show_all(&asked)
}

fn what<'a>(reasons: &'a [Choice<'a>]) -> Field<'a> {
    Field::new("what", "来办什么", "What for", Input::Radio(reasons))
}

fn city_field<'a>(cities: &'a [Choice<'a>]) -> Field<'a> {
    Field::new("city", "哪个市办理", "Which city decides", Input::Radio(cities))
        .hint(
            "换证的，选原来发证的市；不清楚的不选，到窗口再问",
            "For a renewal, the city that issued it; leave it open if you do not know",
        )
        .optional()
}

/// The hall that was chosen, or the only one.
fn chosen_hall(halls: &[Office], fields: &mut Fields) -> Option<OfficeId> {
    let asked = fields.value("office").to_owned();
    let found = halls.iter().find(|office| office.id.as_str() == asked);
    match (found, halls) {
        (Some(office), _) => Some(office.id.clone()),
        (None, [only]) => Some(only.id.clone()),
        (None, _) => {
            fields.refuse(&Refusal::invalid("T02-TKT-001", "请选在哪个大厅", "Choose the hall").on("office"));
            None
        }
    }
}

fn wanted(visit: &Visit, parts: &Parts, fields: &mut Fields) -> Option<NewTicket> {
    let reasons = reasons(parts);
    let reasons: Vec<Choice<'_>> = reasons.iter().map(|(id, zh, en)| Choice::new(id, zh, en)).collect();
    let what = fields.read(&what(&reasons)).required();
    let cities: Vec<Choice<'_>> = visit
        .app
        .cities
        .iter()
        .map(|city| Choice::new(city.node.as_str(), &city.name, &city.name_en))
        .collect();
    let city = fields.read(&city_field(&cities)).optional();
    let (what, city) = (what?, city?);
    let item = what.strip_prefix("apply-").and_then(|number| number.parse::<u16>().ok());
    let purpose = Purpose::of_word(&what).unwrap_or(Purpose::Apply);
    Some(NewTicket { purpose, item, city: city.and_then(|city| city.parse::<NodeId>().ok()) })
}

/// Where a stranger comes from, behind the proxies that the city trusts.
fn source(from: Option<Caller>) -> Source {
    let network = from.and_then(Caller::network);
    let address = network.map_or_else(|| "unknown".to_owned(), |network| network.to_string());
    if from.is_some_and(Caller::is_shared) { Source::shared(address) } else { Source::own(address) }
}

fn too_many() -> Refusal {
    Refusal::not_now("T02-TKT-002", "从这里取的号太多了", "Too many numbers were taken from here")
        .but("请用大厅里的取号机，或问现场工作人员", "Use the machine in the hall, or ask the staff there")
}

fn gone() -> tb_base::Error {
    Refusal::gone("T02-TKT-003", "没有这个号", "There is no such number")
        .but("请重新取号", "Take a new number")
        .into()
}
