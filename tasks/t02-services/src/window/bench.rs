//! What every page of the counter has in common (台面): the queue on the left, the way on the right, words for a silent city.
//!
//! Invariant: the next step stands at the same place on every page, and its key is the same.

use askama::Template;
use serde::Serialize;
use tb_base::{NodeId, Result, Timestamp};
use tb_counter::ticket::{self, Queue, Ticket};
use tb_store::{Tx, contact, outbox};
use tb_web::{Html, Lang, Visit, ui};

use super::Clerk;
use crate::parts::Parts;
use crate::words::{PATIENCE_SECONDS, city_name, item_name, say};

/// Where a matter is on its way through the counter (步骤).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    Identity,
    Form,
    Consent,
    Collect,
}

const STAGES: [(Stage, &str, &str); 4] = [
    (Stage::Identity, "身份", "Identity"),
    (Stage::Form, "表格与形式核对", "Form and formal check"),
    (Stage::Consent, "本人同意，取材料", "Consent and papers"),
    (Stage::Collect, "收件并移交", "Collect and hand over"),
];

/// A number as the queue shows it.
struct Line {
    id: String,
    code: String,
    title: String,
    city: String,
    /// How long it waits, or is served.
    minutes: String,
}

#[derive(Template)]
#[template(path = "window/queue.html")]
struct Column<'a> {
    lang: Lang,
    csrf: &'a str,
    back: &'a str,
    mine: Option<Line>,
    waiting: Vec<Line>,
    more: i64,
    total: i64,
    skipped: Vec<Line>,
    called: String,
    keys: ui::Keys,
}

#[derive(Template)]
#[template(path = "window/stages.html")]
struct Way {
    lang: Lang,
    stages: Vec<(usize, &'static str, &'static str)>,
}

/// Since when another city does not answer, as far as that is known here.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Silence {
    pub(super) city: NodeId,
    pub(super) since: Timestamp,
}

/// The queue of this clerk's office today.
pub(super) fn queue(tx: &mut Tx<'_>, clerk: &Clerk, now: Timestamp) -> Result<Queue> {
    ticket::queue(tx, &clerk.office, clerk.staff, now.date())
}

/// Whether a city is silent: by the line's own watch, or by a message that waits too long.
pub(super) fn silence(tx: &mut Tx<'_>, city: NodeId, now: Timestamp) -> Result<Option<Silence>> {
    let told = contact::find(tx, city)?.silent_since;
    let waits = outbox::waiting_since(tx, city)?;
    let late = waits.filter(|since| since.plus_seconds(PATIENCE_SECONDS) <= now);
    Ok(told.or(late).map(|since| Silence { city, since }))
}

/// The column with the queue.
pub(super) fn column(visit: &Visit, parts: &Parts, queue: &Queue) -> Html {
    let (lang, now) = (visit.lang, visit.ctx.now);
    let line = |ticket: &Ticket| line(visit, parts, ticket, now);
    let shown = i64::try_from(queue.waiting.len()).unwrap_or(0);
    Html::of(&Column {
        lang,
        csrf: &visit.csrf,
        back: &visit.path,
        mine: queue.mine.as_ref().map(line),
        waiting: queue.waiting.iter().map(line).collect(),
        more: queue.waiting_total.saturating_sub(shown),
        total: queue.waiting_total,
        skipped: queue.skipped.iter().map(line).collect(),
        called: visit.param("called").unwrap_or_default(),
        keys: ui::Keys::of(
            lang,
            &[
                ("F9", lang.t("下一步", "the next step")),
                ("F2", lang.t("叫下一位", "call the next number")),
                ("F3", lang.t("重呼", "call it again")),
                ("F4", lang.t("过号", "skip it")),
                ("1–9", lang.t("勾选核对项", "tick a line of the check")),
            ],
        ),
    })
}

fn line(visit: &Visit, parts: &Parts, ticket: &Ticket, now: Timestamp) -> Line {
    let lang = visit.lang;
    let purpose = ticket.purpose.name();
    let title = match ticket.item {
        Some(item) => item_name(parts, lang, item),
        None => say(lang, &purpose).to_owned(),
    };
    let since = ticket.called.unwrap_or(ticket.taken);
    let minutes = (now.seconds() - since.seconds()).max(0) / 60;
    Line {
        id: ticket.id.to_string(),
        code: ticket.code(),
        title,
        city: ticket.city.map(|city| city_name(&visit.app, lang, city)).unwrap_or_default(),
        minutes: match lang {
            Lang::Zh => format!("{minutes} 分"),
            Lang::En => format!("{minutes} min"),
        },
    }
}

/// The steps of a matter, done, now and to come.
pub(super) fn way(lang: Lang, now: Stage) -> Html {
    let stage = |(at, (stage, zh, en)): (usize, &(Stage, &'static str, &'static str))| {
        let state = match stage.cmp(&now) {
            std::cmp::Ordering::Less => "done",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "",
        };
        (at + 1, lang.t(*zh, *en), state)
    };
    Html::of(&Way { lang, stages: STAGES.iter().enumerate().map(stage).collect() })
}

/// What a clerk does at this step while the city that decides is silent; nothing where it answers.
pub(super) fn while_silent(visit: &Visit, silence: Option<Silence>, stage: Stage) -> Html {
    let Some(silence) = silence else { return Html::default() };
    let lang = visit.lang;
    let (city, since) = (city_name(&visit.app, lang, silence.city), lang.moment(silence.since));
    let head = match lang {
        Lang::Zh => format!("{city}没有应答，从 {since} 起"),
        Lang::En => format!("{city} does not answer since {since}"),
    };
    let advice = match stage {
        Stage::Identity => lang.t(
            "身份由本市登记核对，照常收新件；只是材料要等对方恢复才能取。",
            "Identity is checked in this city's register: go on as usual. Papers can be fetched when the city is back.",
        ),
        Stage::Form => lang.t(
            "照常填表、勾核对项，然后先存着。同意可以现在取得，材料等对方恢复再取，本人不用再来。",
            "Fill in and check as usual, then save. Consent can be given now; papers are fetched later, without another visit.",
        ),
        Stage::Consent => lang.t(
            "请本人现在就答复。材料暂时取不到：记下草稿编号，先办下一位；恢复后按“再取一次”，不用本人在场。",
            "Let the answer be given now. Papers cannot be fetched yet: note the draft's code and serve the next person; fetch again later, without the applicant.",
        ),
        Stage::Collect => lang.t(
            "材料齐了就照常收件：报文先存在本市，对方恢复后自动移交，收件时间按现在算。",
            "Collect as usual if nothing is missing: the message waits here and goes by itself; the time of collection is now.",
        ),
    };
    ui::note("wait", &head, advice)
}
