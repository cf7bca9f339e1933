//! An enquiry as pages show it (问询呈现): facts, day by day due date, everything that was said.

use serde::Serialize;
use tb_base::{MessageId, NodeId, Timestamp};
use tb_enquiry::{About, Enquiry, Kind, State, Turn};
use tb_web::{Lang, Visit, ui};

use super::{city_name, words};
use crate::parts::Parts;

/// For whom a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Whoever asked.
    Asker,
    /// Staff.
    Office,
}

/// One turn: words of somebody, or what happened.
#[derive(Serialize)]
pub struct Line {
    act: String,
    message: Option<ui::Message>,
    pub event: String,
    pub when: String,
}

/// An enquiry in words.
#[derive(Serialize)]
pub struct Shown {
    pub id: MessageId,
    pub kind: Kind,
    pub state: State,
    pub from: NodeId,
    pub to: NodeId,
    pub office: Option<String>,
    pub code: String,
    pub due: Timestamp,
    pub is_overdue: bool,
    pub is_on_its_way: bool,
    pub turns: u32,
    pub title: String,
    /// Why it was asked, above the title.
    pub why: &'static str,
    pub lines: Vec<Line>,
    #[serde(skip)]
    pub tag: (&'static str, String),
    #[serde(skip)]
    pub facts: ui::Summary,
    #[serde(skip)]
    pub due_box: Option<ui::DueBox>,
    #[serde(skip)]
    pub days: Option<ui::Days>,
    /// The limit in words, and whether its basis was confirmed.
    #[serde(skip)]
    pub limit: String,
    /// What the limit rests on, in Chinese.
    #[serde(skip)]
    pub basis: String,
}

impl Shown {
    /// Whether an answer is owed.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }
}

impl Line {
    /// What somebody said.
    pub fn message(&self) -> Option<&ui::Message> {
        self.message.as_ref()
    }
}

/// Puts an enquiry into words for a reader.
pub fn shown(visit: &Visit, parts: &Parts, enquiry: &Enquiry, turns: &[Turn], reader: Reader) -> Shown {
    let is_open = enquiry.state == State::Open;
    let (limit, basis) = limit(visit.lang, parts, enquiry);
    let (due_box, days) = if is_open { due(visit, parts, enquiry) } else { (None, None) };
    Shown {
        id: enquiry.id,
        kind: enquiry.about.kind(),
        state: enquiry.state,
        from: enquiry.from,
        to: enquiry.to,
        office: enquiry.office.as_ref().map(|office| visit.lang.t(&office.zh, &office.en).to_owned()),
        code: enquiry.code.clone(),
        due: enquiry.due,
        is_overdue: enquiry.is_overdue(visit.ctx.now),
        is_on_its_way: enquiry.is_on_its_way(),
        turns: enquiry.turns,
        title: words::title(visit.lang, parts, &enquiry.about),
        why: words::kind(visit.lang, &enquiry.about),
        lines: turns.iter().map(|turn| line(visit, enquiry, turn, reader)).collect(),
        tag: words::tag(visit, enquiry),
        facts: facts(visit, parts, enquiry, reader),
        due_box,
        days,
        limit,
        basis,
    }
}

fn line(visit: &Visit, enquiry: &Enquiry, turn: &Turn, reader: Reader) -> Line {
    let (lang, of_asker) = (visit.lang, turn.act.kind().is_of_asking_city());
    let when = lang.time(turn.at);
    let who = match (of_asker, reader) {
        (true, Reader::Asker) => lang.t("您", "You").to_owned(),
        (true, Reader::Office) => lang.t("提问的人", "Whoever asked").to_owned(),
        (false, _) => words::office_act(lang, &turn.act),
    };
    let front = visit.app.city(turn.city).filter(|_| !of_asker);
    let message = turn.act.text().map(|text| ui::Message {
        who,
        when: when.clone(),
        city: front.map(|front| ui::CityMark::of(lang, front)),
        mine: of_asker == (reader == Reader::Asker),
        text: text.to_string(),
    });
    Line { act: tb_enquiry::word(&turn.act.kind()), message, event: words::event(visit, turn, enquiry), when }
}

fn facts(visit: &Visit, parts: &Parts, enquiry: &Enquiry, reader: Reader) -> ui::Summary {
    let lang = visit.lang;
    let row = |zh: &str, en: &str, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
    let mut rows = Vec::new();
    if reader == Reader::Office {
        rows.push(row("谁问的", "Asked by", words::asker(visit, enquiry)));
    }
    match &enquiry.about {
        About::Look { look } => {
            let told = words::telling(lang, parts, visit, enquiry, look);
            // The words are those of her own list, in which “you” is she.
            let (zh, en) = match reader {
                Reader::Asker => ("哪次查看", "Which look"),
                Reader::Office => ("哪次查看（提问人看到的说法）", "Which look, in the words that she sees"),
            };
            rows.push(row(zh, en, format!("{}{}{}{}", told.who, told.verb, told.what, told.tail)));
            rows.push(row("什么时候", "When", lang.time(look.at)));
            rows.push(row("为了", "For", told.item));
            rows.push(row("依据", "Ground", told.ground));
            rows.push(row("看到", "Saw", told.seen));
            if let (Reader::Office, Some(case)) = (reader, look.case) {
                rows.push(row("办件", "Case", case.to_string()).code());
            }
        }
        about => rows.push(row("关于", "About", words::title(lang, parts, about))),
    }
    let (zh, en) = city_name(visit, enquiry.to);
    let office = enquiry.office.as_ref().map(|office| lang.t(&office.zh, &office.en).to_owned());
    let to = office.unwrap_or_else(|| lang.t(&zh, &en).to_owned());
    rows.push(row("谁来答复", "Answered by", to));
    if reader == Reader::Asker && !enquiry.code.is_empty() {
        rows.push(row("查询码", "Code", ui::grouped(&enquiry.code, 4)).code());
    }
    ui::Summary { rows }
}

fn due(visit: &Visit, parts: &Parts, enquiry: &Enquiry) -> (Option<ui::DueBox>, Option<ui::Days>) {
    let (lang, today, kind) = (visit.lang, visit.ctx.now.date(), enquiry.about.kind());
    let env = &parts.enquiry;
    let due = env.limits.due(&env.calendar, kind, enquiry.since);
    let limit = env.limits.answer(kind, enquiry.since.date()).limit;
    let mut shown =
        ui::DueBox::of(lang, lang.t("最晚答复", "Answered by"), &limit, &due, today).explained("#why");
    let since = lang.moment(enquiry.since);
    let (zh, en) = city_name(visit, enquiry.to);
    let waits = match (enquiry.is_on_its_way(), lang) {
        (true, Lang::Zh) => format!("{zh}还没有应答，从 {since} 等起；线路恢复后自己送到，不用再提交"),
        (true, Lang::En) => {
            format!("{en} has not answered since {since}; this goes by itself once it is back")
        }
        (false, Lang::Zh) => format!("从 {since} 等起"),
        (false, Lang::En) => format!("since {since}"),
    };
    let holder = enquiry.office.as_ref().map_or("", |office| lang.t(&office.zh, &office.en));
    if let Some(front) = visit.app.city(enquiry.to) {
        shown = shown.held(ui::CityMark::of(lang, front), holder, waits);
    }
    let caption = lang.t("答复期限，逐日", "The limit, day by day");
    (Some(shown), Some(ui::Days::of(lang, caption, &due, today)))
}

/// The limit in words, and what it rests on, in Chinese.
fn limit(lang: Lang, parts: &Parts, enquiry: &Enquiry) -> (String, String) {
    let based = parts.enquiry.limits.answer(enquiry.about.kind(), enquiry.since.date());
    let confirmed = match based.is_confirmed {
        true => "",
        false => lang.t("（依据尚待三市确认）", " (its basis is not yet confirmed by the three cities)"),
    };
    let words = match lang {
        Lang::Zh => format!("答复期限 {}{confirmed}。依据：", based.limit.zh()),
        Lang::En => format!("The limit is {}{confirmed}. Basis: ", based.limit.en()),
    };
    (words, based.basis)
}
