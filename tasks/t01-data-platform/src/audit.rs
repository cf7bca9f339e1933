//! Searching audit lines (审计查询): who did what to what, the newest first. Reading is itself written down.
//! Serves clause 1.6.

use askama::Template;
use serde::Serialize;
use tb_base::{Ctx, Date, MessageId, Refusal, Result, Timestamp};
use tb_identity::permit::{Action, Scope, may};
use tb_store::Tx;
use tb_store::audit::{self, Line, Page, Search};
use tb_web::{Field, Fields, Frame, Input, Lang, PageResult, Visit, ui};

use crate::words::{act_word, actor_word, outcome_word};

/// Lines on one page.
const LINES: u32 = 50;
/// Letters of what is searched for; the longest object is a message with its city.
const TEXT_LETTERS_MAX: usize = 80;

const OBJECT: Field<'static> = Field::text("object", "对象编号", "Object");
const ACTION: Field<'static> = Field::text("action", "操作代码", "Code of the action")
    .hint("在表里点操作，就只看这一种", "Click an action in the table to see only that kind");
const FROM: Field<'static> = Field::new("from", "从哪天", "From", Input::Text);
const UNTIL: Field<'static> = Field::new("until", "到哪天", "Until", Input::Text);
const FILTERS: [Field<'static>; 4] = [OBJECT, ACTION, FROM, UNTIL];

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/audit.html")]
struct AuditPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    lines: Vec<Shown>,
    /// The address of the page with older lines.
    older: Option<String>,
}

/// One line.
#[derive(Serialize)]
struct Shown {
    id: MessageId,
    at: Timestamp,
    actor: String,
    action: String,
    /// What the action is called; none for one that has no word.
    action_word: Option<&'static str>,
    object: String,
    outcome: String,
    /// What the outcome is called; none for a code of a refusal or a digest.
    outcome_word: Option<String>,
    trace: String,
}

/// GET /audit
pub async fn show(visit: Visit) -> PageResult {
    may(&visit.ctx.actor, Action::ReadAudit, &Scope::Node(visit.ctx.node))?;
    let mut form = Fields::from_query(&visit);
    let Some((search, page)) = asked(&visit, &mut form) else {
        let view = view(&visit, form, Vec::new());
        return visit.form_again(view);
    };
    let ctx = visit.ctx.clone();
    let lines = visit.app.store.write("t01.audit", move |tx| find(tx, &ctx, &search, &page)).await?;
    let view = view(&visit, form, lines);
    visit.page(view)
}

/// What is searched for, and which page of it.
fn asked(visit: &Visit, form: &mut Fields) -> Option<(Search, Page)> {
    let object = form.read(&OBJECT).max(TEXT_LETTERS_MAX).optional();
    let action = form.read(&ACTION).max(TEXT_LETTERS_MAX).optional();
    let from = form.date(&FROM).optional();
    let until = form.date(&UNTIL).optional();
    let (object, action, from, until) = (object?, action?, from?, until?);
    if object.is_some() && action.is_some() {
        form.refuse(&both());
        return None;
    }
    let search = match (object, action) {
        (Some(object), _) => Search::Object(object),
        (None, Some(action)) => Search::Action(action),
        (None, None) => Search::All,
    };
    let newest = Page::newest(LINES);
    let page = Page {
        from: from.map_or(newest.from, |day: Date| Timestamp::at(day, 0)),
        until: until.map_or(newest.until, |day: Date| Timestamp::at(day, 24)),
        before: visit.param("before").and_then(|id| id.parse().ok()),
        ..newest
    };
    Some((search, page))
}

fn both() -> Refusal {
    Refusal::invalid("T01-AUD-001", "对象和操作只能选一个查", "Search by object or by action, not by both")
        .on(OBJECT.name)
}

/// The lines; and the line that says who read them.
fn find(tx: &mut Tx<'_>, ctx: &Ctx, search: &Search, page: &Page) -> Result<Vec<Line>> {
    let lines = audit::search(tx, search, page)?;
    let what = match search {
        Search::All => "all",
        Search::Object(text) | Search::Action(text) => text,
    };
    audit::line(tx, ctx, "audit.read", what, "done")?;
    Ok(lines)
}

fn view(visit: &Visit, form: Fields, lines: Vec<Line>) -> AuditPage {
    let is_full = lines.len() == usize::try_from(LINES).unwrap_or(usize::MAX);
    let last = lines.last().filter(|_| is_full);
    AuditPage {
        frame: visit.frame("审计", "Audit").errors(&form),
        lang: visit.lang,
        older: last.map(|line| visit.address_with("before", line.id.as_str())),
        lines: lines.into_iter().map(|line| shown(visit.lang, line)).collect(),
        form,
    }
}

fn shown(lang: Lang, line: Line) -> Shown {
    let Line { id, actor, action, object, outcome, trace, at } = line;
    let (action_word, outcome_word) = (act_word(lang, &action), outcome_word(lang, &action, &outcome));
    Shown { id, at, actor, action, action_word, object, outcome, outcome_word, trace }
}

impl Shown {
    fn action_cell(&self) -> ui::Cell {
        let href = format!("/audit?action={}", self.action);
        match self.action_word {
            Some(word) => ui::Cell::link(word, href).note(&self.action),
            None => ui::Cell::link(&self.action, href),
        }
    }

    fn outcome_cell(&self) -> ui::Cell {
        match &self.outcome_word {
            Some(word) if *word != self.outcome => ui::Cell::text(word).note(&self.outcome),
            Some(_) | None => ui::Cell::text(&self.outcome),
        }
    }
}

impl AuditPage {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.lines.iter().map(|line| {
            ui::TableRow::new(vec![
                ui::Cell::text(lang.time(line.at)),
                ui::Cell::code(&line.actor).note(actor_word(lang, &line.actor)),
                line.action_cell(),
                ui::Cell::link(&line.object, format!("/audit?object={}", line.object)),
                line.outcome_cell(),
                ui::Cell::code(&line.trace),
            ])
        });
        let heads = [
            ("时间", "When"),
            ("谁", "Who"),
            ("操作", "Action"),
            ("对象", "Object"),
            ("结果", "Outcome"),
            ("追踪号", "Trace"),
        ];
        ui::Table {
            caption: lang.t("审计记录", "Audit lines").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: rows.collect(),
            count: lang.count(self.lines.len(), "条", "line", "lines"),
            export: None,
        }
    }
}
