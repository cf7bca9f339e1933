//! The list of dead letters (死信清单): filtered in the address, paged by place, exported.
//! Serves clause 1.6.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use serde::Serialize;
use tb_base::{CaseId, MessageId, NodeId, Result, StaffId, Timestamp};
use tb_identity::staff;
use tb_store::dead_letters::{self, Filter, Letter, LetterState, Place, STATES};
use tb_store::{Tx, audit};
use tb_web::{Choice, Datum, Field, Frame, Input, Lang, PageResult, Rows, TableFile, Visit, ui};

use super::words::{SERVICES, cause, service_word, state_word};
use super::{ago, city_cell, counted};
use crate::limits::Limits;
use crate::parts::Parts;

/// Letters on one page, and in one file.
const LETTERS: u32 = 50;
const FILE_LETTERS_MAX: u32 = 5_000;
const DAY_SECONDS: i64 = 86_400;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/dead.html")]
struct DeadPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    #[serde(skip)]
    now: Timestamp,
    #[serde(skip)]
    filters: ui::Filters,
    state: &'static str,
    letters: Vec<Shown>,
    /// How many fit, up to a limit.
    count: u32,
    /// The address of the next page.
    next: Option<String>,
    #[serde(skip)]
    export: ui::Exports,
}

/// A letter as list and page show it: nothing of what the message said.
#[derive(Clone, Serialize)]
pub(super) struct Shown {
    pub id: MessageId,
    pub to: NodeId,
    pub service: String,
    pub service_word: String,
    /// The item that it serves, and what it is called.
    pub item: String,
    pub item_name: String,
    pub case: Option<CaseId>,
    /// What stopped it, in words and as a code.
    pub cause: String,
    pub cause_code: String,
    pub created: Timestamp,
    pub died: Timestamp,
    /// Until when it is to be closed.
    pub due: Timestamp,
    pub is_overdue: bool,
    pub state: &'static str,
    /// Who takes care of it.
    pub owner: Option<StaffId>,
    pub owner_name: Option<String>,
    pub closed: Option<Timestamp>,
    pub closed_by: Option<String>,
    pub successor: Option<MessageId>,
    pub why: Option<String>,
    pub done: Option<String>,
    pub attempts: u32,
    pub version: i64,
}

/// Names of members of staff, each looked up once.
#[derive(Default)]
pub(super) struct Names(BTreeMap<StaffId, String>);

impl Names {
    pub(super) fn of(&mut self, tx: &mut Tx<'_>, parts: &Parts, id: StaffId) -> Result<String> {
        if let Some(known) = self.0.get(&id) {
            return Ok(known.clone());
        }
        let found = staff::find(tx, &parts.vault, id)?;
        let name = found.map_or_else(|| id.to_string(), |found| format!("{} {}", found.name, found.login));
        self.0.insert(id, name.clone());
        Ok(name)
    }
}

/// Turns a letter into words.
pub(super) fn shown(
    tx: &mut Tx<'_>,
    visit: &Visit,
    parts: &Parts,
    names: &mut Names,
    letter: Letter,
) -> Result<Shown> {
    let lang = visit.lang;
    let (cause, cause_code) = cause(lang, &letter.problem);
    let due = parts.limits.dead_letter_due(letter.died);
    let mut named = |tx: &mut Tx<'_>, id: Option<StaffId>| id.map(|id| names.of(tx, parts, id)).transpose();
    let (owner_name, closed_by) = (named(tx, letter.owner)?, named(tx, letter.closed_by)?);
    let envelope = letter.envelope;
    let item = envelope.purpose.item;
    let item_name = (parts.words.item)(&item).map(|(zh, en)| lang.t(&zh, &en).to_owned());
    Ok(Shown {
        id: envelope.id,
        to: envelope.to,
        service_word: service_word(lang, &envelope.service),
        service: envelope.service,
        item_name: item_name.unwrap_or_default(),
        item,
        case: envelope.purpose.case,
        cause,
        cause_code,
        created: letter.created,
        died: letter.died,
        due,
        is_overdue: letter.state == LetterState::Open && due < visit.ctx.now,
        state: letter.state.word(),
        owner: letter.owner,
        owner_name,
        closed: letter.closed,
        closed_by,
        successor: letter.successor,
        why: letter.why,
        done: letter.done,
        attempts: letter.attempts,
        version: letter.version,
    })
}

impl Shown {
    /// What it belongs to, in words.
    pub(super) fn belongs(&self, lang: Lang) -> String {
        match (self.item_name.is_empty(), self.case) {
            (false, _) => self.item_name.clone(),
            (true, Some(_)) => format!("{} {}", lang.t("事项", "Item"), self.item),
            (true, None) => lang.t("不属于办件", "no case").to_owned(),
        }
    }

    pub(super) fn state_tag(&self, lang: Lang) -> (&'static str, &'static str) {
        LetterState::of(self.state).map_or(("", ""), |state| state_word(lang, state))
    }
}

/// GET /bureau/dead?state=&city=&service=&age=1|7|late&after=&export=xlsx|csv
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>) -> PageResult {
    super::reading(&visit)?;
    let kind = TableFile::asked(&visit);
    let as_file = kind.is_some();
    let filter = filter(&visit, &parts.limits);
    let after = visit.param("after").as_deref().and_then(place_of);
    let limit = if as_file { FILE_LETTERS_MAX } else { LETTERS + 1 };
    let (seen, inner, asked) = (visit.clone(), Arc::clone(&parts.0), filter.clone());
    let read = move |tx: &mut Tx<'_>| {
        let found = letters(tx, &asked, if as_file { None } else { after }, limit)?;
        let mut names = Names::default();
        let shown: Result<Vec<_>> =
            found.into_iter().map(|letter| shown(tx, &seen, &inner, &mut names, letter)).collect();
        let (shown, count) = (shown?, dead_letters::count(tx, &asked)?);
        let (act, rows) = match as_file {
            true => ("bureau.export", shown.len()),
            false => ("bureau.read", shown.len().min(LETTERS as usize)),
        };
        audit::line(tx, &seen.ctx, act, &asked_words(&asked), &format!("found:{rows}"))?;
        Ok((shown, count))
    };
    let (letters, count) = visit.app.store.write("t01.dead", read).await?;
    if let Some(kind) = kind {
        return Ok(rows(&visit, &letters).file(kind, &format!("dead-letters-{}", visit.ctx.now.date())));
    }
    visit.page(view(&visit, &filter, letters, count))
}

/// A long list is fetched in parts, as a page is.
fn letters(tx: &mut Tx<'_>, filter: &Filter, after: Option<Place>, limit: u32) -> Result<Vec<Letter>> {
    let (mut found, mut after) = (Vec::<Letter>::new(), after);
    while found.len() < limit as usize {
        let left = limit - u32::try_from(found.len()).unwrap_or(limit);
        let part = dead_letters::page(tx, filter, after, left.min(dead_letters::LETTERS_MAX))?;
        let Some(last) = part.last() else { break };
        after = Some((last.died, last.envelope.id));
        found.extend(part);
    }
    Ok(found)
}

fn filter(visit: &Visit, limits: &Limits) -> Filter {
    let now = visit.ctx.now;
    let state = visit.param("state").as_deref().and_then(LetterState::of).unwrap_or(LetterState::Open);
    let died_before = match visit.param("age").as_deref() {
        Some("1") => now.plus_seconds(-DAY_SECONDS),
        Some("7") => now.plus_seconds(-7 * DAY_SECONDS),
        Some("late") => limits.dead_letter_overdue_before(now),
        Some(_) | None => Timestamp(i64::MAX),
    };
    let known = |service: &String| SERVICES.iter().any(|(code, ..)| code == service);
    Filter {
        state,
        to: visit.param("city").and_then(|city| city.parse().ok()),
        service: visit.param("service").filter(known),
        died_before,
    }
}

/// What was asked, as the audit line says it: codes only.
fn asked_words(filter: &Filter) -> String {
    let mut words = format!("dead/{}", filter.state.word());
    if let Some(to) = filter.to {
        words.push('/');
        words.push_str(to.as_str());
    }
    if let Some(service) = &filter.service {
        words.push('/');
        words.push_str(service);
    }
    words
}

fn place_of(text: &str) -> Option<Place> {
    let (died, id) = text.split_once('.')?;
    Some((Timestamp(died.parse().ok()?), id.parse().ok()?))
}

fn view(visit: &Visit, filter: &Filter, mut letters: Vec<Shown>, count: u32) -> DeadPage {
    let more = LETTERS as usize;
    let is_more = more < letters.len();
    letters.truncate(more);
    let last = letters.last().filter(|_| is_more);
    let next = last.map(|last| visit.address_with("after", &format!("{}.{}", last.died.micros(), last.id)));
    let frame = visit.frame("死信", "Dead letters").crumb("交换", "Exchange", "/bureau");
    DeadPage {
        frame,
        lang: visit.lang,
        now: visit.ctx.now,
        filters: filters(visit),
        state: filter.state.word(),
        letters,
        count,
        next,
        export: ui::Exports::of(visit),
    }
}

fn filters(visit: &Visit) -> ui::Filters {
    let states = STATES.map(|state| {
        let (zh, en) = (state_word(Lang::Zh, state).1, state_word(Lang::En, state).1);
        Choice::new(state.word(), zh, en)
    });
    let others = visit.app.cities.iter().filter(|city| city.node != visit.ctx.node);
    let cities: Vec<Choice<'_>> =
        others.map(|city| Choice::new(city.node.as_str(), &city.name, &city.name_en)).collect();
    let services = SERVICES.map(|(code, zh, en)| Choice::new(code, zh, en));
    let ages = [
        Choice::new("late", "已过处理期限", "Overdue"),
        Choice::new("1", "超过一天", "More than a day"),
        Choice::new("7", "超过七天", "More than seven days"),
    ];
    let fields = [
        Field::new("state", "状态", "State", Input::Select(&states)).optional(),
        Field::new("city", "到哪个城市", "To", Input::Select(&cities)).optional(),
        Field::new("service", "服务", "Service", Input::Select(&services)).optional(),
        Field::new("age", "放了多久", "Age", Input::Select(&ages)).optional(),
    ];
    ui::Filters::of(visit, &fields)
}

impl DeadPage {
    fn headline(&self) -> String {
        let lang = self.lang;
        let late = self.letters.iter().filter(|letter| letter.is_overdue).count();
        if self.state != LetterState::Open.word() {
            return lang.t("死信", "Dead letters").to_owned();
        }
        match (self.count, late, lang) {
            (0, _, _) => lang.t("没有死信要处理", "No dead letter to be seen to").to_owned(),
            (count, 0, Lang::Zh) => format!("{} 封死信要处理", counted(lang, count)),
            (count, late, Lang::Zh) => {
                format!("{} 封死信要处理，这一页有 {late} 封过了期限", counted(lang, count))
            }
            (count, 0, Lang::En) => format!("Dead letters to be seen to: {}", counted(lang, count)),
            (count, late, Lang::En) => {
                format!("Dead letters to be seen to: {}, overdue on this page: {late}", counted(lang, count))
            }
        }
    }

    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let heads = [
            ("死信", "Dead letter"),
            ("属于", "Belongs to"),
            ("到", "To"),
            ("卡在哪里", "What stopped it"),
            ("谁处理", "Who sees to it"),
            ("期限", "Due"),
        ];
        ui::Table {
            caption: lang.t("死信", "Dead letters").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: self.letters.iter().map(|letter| self.row(letter)).collect(),
            count: match lang {
                Lang::Zh => format!("{} 封", counted(lang, self.count)),
                Lang::En => format!("{} in all", counted(lang, self.count)),
            },
            export: Some(self.export.clone()),
        }
    }

    fn row(&self, letter: &Shown) -> ui::TableRow {
        let lang = self.lang;
        let case = letter.case.map(|case| case.to_string()).unwrap_or_default();
        let (kind, word) = letter.state_tag(lang);
        let owner = match (&letter.owner_name, self.state == LetterState::Open.word()) {
            (Some(name), true) => ui::Cell::text(name),
            (None, true) => ui::Cell::tag("wait", lang.t("没有人认领", "nobody yet")),
            (name, false) => ui::Cell::tag(kind, word).note(name.clone().unwrap_or_default()),
        };
        let due = match letter.is_overdue {
            true => ui::Cell::tag("stop", lang.t("已过期限", "overdue")).note(lang.time(letter.due)),
            false => ui::Cell::text(lang.time(letter.due)),
        };
        ui::TableRow::new(vec![
            ui::Cell::link(&letter.service_word, format!("/bureau/dead/{}", letter.id)).note(format!(
                "{} · {}",
                letter.id,
                ago(lang, self.now, letter.died)
            )),
            ui::Cell::text(letter.belongs(lang)).note(case),
            city_cell(&self.frame, lang, letter.to),
            ui::Cell::text(&letter.cause).note(&letter.cause_code),
            owner,
            due,
        ])
    }
}

/// The whole filtered list, to be had as a file, up to its limit.
fn rows(visit: &Visit, letters: &[Shown]) -> Rows {
    let lang = visit.lang;
    let heads = match lang {
        Lang::Zh => [
            "报文",
            "服务",
            "事项",
            "办件",
            "城市",
            "原因",
            "代码",
            "成为死信",
            "期限",
            "过期",
            "状态",
            "谁处理",
        ],
        Lang::En => [
            "message", "service", "item", "case", "city", "reason", "code", "given up", "due", "overdue",
            "state", "owner",
        ],
    };
    let mut rows = Rows::new(lang.t("死信", "Dead letters"), &heads);
    for letter in letters {
        rows.push(vec![
            Datum::code(letter.id.to_string()),
            Datum::text(&letter.service_word),
            Datum::text(letter.belongs(lang)),
            letter.case.map_or(Datum::Empty, |case| Datum::code(case.to_string())),
            Datum::code(letter.to.to_string()),
            Datum::text(&letter.cause),
            Datum::code(&letter.cause_code),
            Datum::Moment(letter.died),
            Datum::Moment(letter.due),
            Datum::text(if letter.is_overdue { lang.t("是", "yes") } else { lang.t("否", "no") }),
            Datum::text(letter.state_tag(lang).1),
            Datum::text(letter.owner_name.as_deref().unwrap_or_default()),
        ]);
    }
    if letters.len() < FILE_LETTERS_MAX as usize {
        return rows;
    }
    rows.note(lang.t("还有更多，请用筛选缩小范围", "There are more: narrow the list by its filters"))
}
