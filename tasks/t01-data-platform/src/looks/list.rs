//! The page of looks (查看记录页): filters, figures, rows by day, cities that did not answer.

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, LicenceId, MessageId, NodeId, OfficeId, Timestamp};
use tb_enquiry::{About, Enquiry, State};
use tb_web::{Frame, Lang, Visit, ui};

use super::Found;
use super::trace::{Seen, Wanted};
use super::words::{Telling, Why, is_granted, tell};
use crate::asks::words::tag;
use crate::parts::Parts;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/looks.html")]
pub struct LooksPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    rows: Vec<Row>,
    /// Rows that fit the filter, on all pages.
    count: u64,
    /// Looks in all answering cities.
    total: u64,
    /// How many rows that fit stand on the pages before this one.
    newer: u64,
    /// The address of the page with older looks.
    older: Option<String>,
    /// The address of the first page, where this is another one.
    newest: Option<String>,
    unavailable: Vec<Unavailable>,
    /// The case that the list is narrowed to.
    case: Option<CaseId>,
    /// The licence that it is narrowed to.
    licence: Option<LicenceId>,
    #[serde(skip)]
    tiles: ui::Tiles,
    #[serde(skip)]
    filters: Vec<Filter>,
    #[serde(skip)]
    is_filtered: bool,
}

/// One look.
#[derive(Serialize)]
struct Row {
    id: MessageId,
    /// The city of whoever looked.
    city: NodeId,
    /// The city that holds the data and wrote the look down.
    held_by: NodeId,
    office: Option<OfficeId>,
    role: String,
    item: String,
    case: Option<CaseId>,
    basis: String,
    fields: Vec<String>,
    outcome: String,
    at: Timestamp,
    message: Option<MessageId>,
    /// How many other cities cosigned; none while it is being witnessed.
    witnesses: u8,
    proof_url: String,
    /// Where the office that looked is asked about it.
    ask_url: String,
    /// What she asked about it already.
    question: Option<Question>,
    why: Why,
    told: Telling,
    /// The day, where it is the first row of one.
    #[serde(skip)]
    day: Option<String>,
    #[serde(skip)]
    clock: String,
    #[serde(skip)]
    granted: bool,
}

/// A question about a look, as the list shows it.
#[derive(Serialize)]
struct Question {
    id: MessageId,
    state: String,
    #[serde(skip)]
    kind: &'static str,
}

/// Her latest question about a look.
fn question(visit: &Visit, questions: &[Enquiry], look: MessageId) -> Option<Question> {
    let same = |it: &&Enquiry| matches!(&it.about, About::Look { look: it } if it.id == look);
    let asked = questions.iter().find(same)?;
    let (kind, state) = tag(visit, asked);
    Some(Question { id: asked.id, state, kind })
}

impl Row {
    /// Whether there is a proof to take.
    fn is_proven(&self) -> bool {
        0 < self.witnesses
    }
}

/// A city that did not answer.
#[derive(Serialize)]
struct Unavailable {
    city: NodeId,
    name: String,
    code: String,
    why: String,
}

/// A filter that stands in the address.
struct Filter {
    name: &'static str,
    label: &'static str,
    options: Vec<(String, String, bool)>,
}

/// A count as pages write it.
fn figure(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The filter that stands in the address.
pub fn wanted(visit: &Visit) -> Wanted {
    let why = visit.param("why");
    Wanted {
        city: visit.param("city").and_then(|city| city.parse().ok()),
        why: Why::ALL.iter().find(|(_, key, ..)| Some(*key) == why.as_deref()).map(|(why, ..)| *why),
        month: visit.param("month").filter(|month| !month.is_empty()),
        case: visit.param("case").and_then(|case| case.parse().ok()),
        licence: visit.param("licence").and_then(|licence| licence.parse().ok()),
    }
}

/// The page of what was found.
pub fn view(visit: &Visit, parts: &Parts, asked: &Wanted, found: &Found, questions: &[Enquiry]) -> LooksPage {
    let lang = visit.lang;
    let frame = visit.frame("谁看了我的数据", "Who looked at my data");
    let mut day = None;
    let shown = found.rows.iter();
    let mut rows: Vec<Row> =
        shown.map(|(node, seen)| row(&frame, parts, found, *node, seen, &mut day)).collect();
    for row in &mut rows {
        row.question = question(visit, questions, row.id);
    }
    let on_page = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    let last = rows.last().filter(|_| on_page < found.left);
    let newer = found.count.saturating_sub(found.left);
    LooksPage {
        lang,
        count: found.count,
        total: found.total,
        newer,
        older: last.map(|row| visit.address_with("before", row.id.as_str())),
        newest: (0 < newer).then(|| visit.address_with("before", "")),
        unavailable: unavailable(&frame, found),
        case: asked.case,
        licence: asked.licence,
        tiles: tiles(lang, found, questions),
        filters: filters(&frame, asked, found),
        is_filtered: asked.is_any(),
        rows,
        frame,
    }
}

fn row(
    frame: &Frame,
    parts: &Parts,
    found: &Found,
    held_by: NodeId,
    seen: &Seen,
    day: &mut Option<String>,
) -> Row {
    let lang = frame.lang;
    let date = lang.date(seen.at.date());
    let is_first = day.as_ref() != Some(&date);
    let weekday = lang.weekday(seen.at.date());
    let heading = is_first.then(|| format!("{date} {weekday}"));
    *day = Some(date);
    Row {
        id: seen.id,
        city: seen.city,
        held_by,
        office: seen.office.clone(),
        role: seen.role.clone(),
        item: seen.item.clone(),
        case: seen.case,
        basis: seen.ground.clone(),
        fields: seen.fields.clone(),
        outcome: seen.outcome.clone(),
        at: seen.at,
        message: seen.message,
        witnesses: seen.witnesses,
        proof_url: format!("/looks/{held_by}/{}/proof", seen.id),
        ask_url: format!("/looks/{held_by}/{}/ask", seen.id),
        question: None,
        why: Why::of(seen.kind, &seen.ground),
        told: tell(lang, &parts.words, found, seen, &frame.city_name(seen.city)),
        day: heading,
        clock: seen.at.minute().split(' ').nth(1).unwrap_or("").to_owned(),
        granted: is_granted(seen),
    }
}

fn unavailable(frame: &Frame, found: &Found) -> Vec<Unavailable> {
    let named = found.unavailable.iter().map(|(node, refusal)| Unavailable {
        city: *node,
        name: frame.city_name(node),
        code: refusal.code.to_string(),
        why: frame.lang.refusal(refusal).to_owned(),
    });
    named.collect()
}

fn tiles(lang: Lang, found: &Found, questions: &[Enquiry]) -> ui::Tiles {
    let tile = |count: u64, zh, en, kind: &str| ui::Tile {
        figure: lang.number(figure(count)),
        label: lang.t(zh, en).to_owned(),
        href: "#list".to_owned(),
        kind: kind.to_owned(),
    };
    let recent = &found.recent;
    let offices = u64::try_from(recent.offices.len()).unwrap_or(u64::MAX);
    let mut tiles = vec![
        tile(found.total, "次查看，一共", "looks in all", ""),
        tile(recent.count, "近 30 天的查看", "looks in 30 days", ""),
        tile(offices, "近 30 天看过的单位", "offices in 30 days", ""),
    ];
    if 0 < recent.refused {
        tiles.push(tile(recent.refused, "近 30 天被系统拒绝", "refused in 30 days", "stop"));
    }
    let waiting = questions.iter().filter(|it| it.state == State::Open).count();
    if 0 < waiting {
        let figure = u64::try_from(waiting).unwrap_or(u64::MAX);
        let waiting = tile(figure, "个追问等答复", "questions wait for an answer", "wait");
        tiles.push(ui::Tile { href: "/asks".to_owned(), ..waiting });
    }
    ui::Tiles { tiles }
}

fn filters(frame: &Frame, asked: &Wanted, found: &Found) -> Vec<Filter> {
    let lang = frame.lang;
    let all = |zh, en, none: bool| (String::new(), lang.t(zh, en).to_owned(), none);
    let mut cities = vec![all("三市", "All cities", asked.city.is_none())];
    cities.extend(frame.cities().iter().map(|city| {
        let name = lang.t(&city.name, &city.name_en).to_owned();
        (city.node.to_string(), name, asked.city == Some(city.node))
    }));
    let mut whys = vec![all("全部", "All", asked.why.is_none())];
    let why = |(why, key, zh, en): &(Why, &str, &str, &str)| {
        ((*key).to_owned(), lang.t(zh, en).to_owned(), asked.why == Some(*why))
    };
    whys.extend(Why::ALL.iter().map(why));
    let mut months = vec![all("全部", "All", asked.month.is_none())];
    months.extend(found.months.iter().rev().map(|month| {
        let is_chosen = asked.month.as_ref() == Some(month);
        (month.clone(), month.clone(), is_chosen)
    }));
    vec![
        Filter { name: "city", label: lang.t("哪个城市看的", "City that looked"), options: cities },
        Filter { name: "why", label: lang.t("因为什么", "Why"), options: whys },
        Filter { name: "month", label: lang.t("月份", "Month"), options: months },
    ]
}

impl LooksPage {
    fn count_line(&self) -> String {
        let (lang, count) = (self.lang, figure(self.count));
        let first = figure(self.newer).saturating_add(1);
        let last = figure(self.newer).saturating_add(i64::try_from(self.rows.len()).unwrap_or(i64::MAX));
        match lang {
            Lang::Zh => format!(
                "第 {}–{} 条，共 {} 条，最近的在前",
                lang.number(first),
                lang.number(last),
                lang.number(count)
            ),
            Lang::En => format!(
                "{}–{} of {}, the latest first",
                lang.number(first),
                lang.number(last),
                lang.count(count, "条", "look", "looks")
            ),
        }
    }

    fn empty(&self) -> tb_web::Html {
        let lang = self.lang;
        if self.is_filtered {
            let title = lang.t("没有符合的记录", "Nothing fits the filter");
            let text = lang.t("换一个条件，或者", "Choose another filter, or");
            return ui::empty(title, text, "/looks", lang.t("看全部", "show all"));
        }
        let title = lang.t("还没有人看过您的数据", "Nobody has looked at your data yet");
        let text = lang.t(
            "有人为您的办件调取证照、核验您出示的证照，这里就会有一条。",
            "When somebody fetches a licence for your case, or verifies one that you show, a line appears here.",
        );
        ui::empty(title, text, "", "")
    }
}
