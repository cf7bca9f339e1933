//! The page of looks (查看记录页): filters, figures, rows by day, cities that did not answer.

use std::collections::BTreeSet;

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, MessageId, NodeId, OfficeId, Timestamp};
use tb_web::{Frame, Lang, Visit, ui};

use super::Found;
use super::trace::Seen;
use super::words::{Telling, Why, is_granted, tell};
use crate::parts::Parts;

/// Rows on one page.
const PAGE_ROWS: usize = 50;
/// How far back the figures count.
const RECENT_SECONDS: i64 = 30 * 86_400;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/looks.html")]
pub struct LooksPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    rows: Vec<Row>,
    /// Rows that fit the filter, on all pages.
    count: usize,
    /// Looks in all answering cities.
    total: i64,
    unavailable: Vec<Unavailable>,
    /// The case that the list is narrowed to.
    case: Option<CaseId>,
    /// Older looks that are counted and not listed.
    left_out: i64,
    #[serde(skip)]
    tiles: ui::Tiles,
    #[serde(skip)]
    filters: Vec<Filter>,
    #[serde(skip)]
    is_filtered: bool,
    #[serde(skip)]
    pager: ui::Pager,
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

/// What was asked for.
struct Asked {
    city: Option<NodeId>,
    why: Option<Why>,
    month: Option<String>,
    case: Option<CaseId>,
}

impl Asked {
    fn read(visit: &Visit) -> Asked {
        let why = visit.param("why");
        Asked {
            city: visit.param("city").and_then(|city| city.parse().ok()),
            why: Why::ALL.iter().find(|(_, key, ..)| Some(*key) == why.as_deref()).map(|(why, ..)| *why),
            month: visit.param("month").filter(|month| !month.is_empty()),
            case: visit.param("case").and_then(|case| case.parse().ok()),
        }
    }

    fn is_any(&self) -> bool {
        self.city.is_some() || self.why.is_some() || self.month.is_some() || self.case.is_some()
    }

    fn fits(&self, row: &Seen) -> bool {
        self.city.is_none_or(|city| row.city == city)
            && self.why.is_none_or(|why| Why::of(row) == why)
            && self.case.is_none_or(|case| row.case == Some(case))
            && self.month.as_ref().is_none_or(|wanted| month(row) == *wanted)
    }
}

fn month(row: &Seen) -> String {
    let date = row.at.date();
    format!("{:04}-{:02}", date.year(), date.month())
}

/// The page of what was found.
pub fn view(visit: &Visit, parts: &Parts, found: &Found) -> LooksPage {
    let (lang, asked) = (visit.lang, Asked::read(visit));
    let frame = visit.frame("谁看了我的数据", "Who looked at my data");
    let fitting: Vec<&(NodeId, Seen)> = found.rows.iter().filter(|(_, row)| asked.fits(row)).collect();
    let pager = ui::Pager::of(visit, fitting.len(), PAGE_ROWS);
    let mut day = None;
    let shown = fitting.iter().skip(pager.offset(PAGE_ROWS)).take(PAGE_ROWS);
    let rows = shown.map(|(node, seen)| row(&frame, parts, found, *node, seen, &mut day)).collect();
    LooksPage {
        lang,
        rows,
        count: fitting.len(),
        total: found.total,
        unavailable: unavailable(&frame, found),
        case: asked.case,
        left_out: found.total.saturating_sub(i64::try_from(found.rows.len()).unwrap_or(i64::MAX)),
        tiles: tiles(lang, visit.ctx.now, found),
        filters: filters(&frame, &asked, found),
        is_filtered: asked.is_any(),
        pager,
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
        why: Why::of(seen),
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

fn tiles(lang: Lang, now: Timestamp, found: &Found) -> ui::Tiles {
    let recent: Vec<&Seen> = found
        .rows
        .iter()
        .map(|(_, row)| row)
        .filter(|row| now.plus_seconds(-RECENT_SECONDS) <= row.at)
        .collect();
    let offices: BTreeSet<&OfficeId> = recent.iter().filter_map(|row| row.office.as_ref()).collect();
    let refused = recent.iter().filter(|row| !is_granted(row)).count();
    let tile = |count: usize, zh, en, kind: &str| ui::Tile {
        figure: lang.number(count),
        label: lang.t(zh, en).to_owned(),
        href: "#list".to_owned(),
        kind: kind.to_owned(),
    };
    let mut tiles = vec![
        tile(recent.len(), "近 30 天的查看", "looks in 30 days", ""),
        tile(offices.len(), "个单位，三市", "offices in the cities", ""),
    ];
    if 0 < refused {
        tiles.push(tile(refused, "次被系统拒绝", "refused by the system", "stop"));
    }
    ui::Tiles { tiles }
}

fn filters(frame: &Frame, asked: &Asked, found: &Found) -> Vec<Filter> {
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
    let known: BTreeSet<String> = found.rows.iter().map(|(_, row)| month(row)).collect();
    months.extend(known.into_iter().rev().map(|month| {
        let is_chosen = asked.month.as_ref() == Some(&month);
        (month.clone(), month, is_chosen)
    }));
    vec![
        Filter { name: "city", label: lang.t("哪个城市看的", "City that looked"), options: cities },
        Filter { name: "why", label: lang.t("因为什么", "Why"), options: whys },
        Filter { name: "month", label: lang.t("月份", "Month"), options: months },
    ]
}

impl LooksPage {
    fn count_line(&self) -> String {
        match self.lang {
            Lang::Zh => format!("{} 条，最近的在前", self.lang.number(self.count)),
            Lang::En => format!("{}, the latest first", self.lang.count(self.count, "条", "look", "looks")),
        }
    }

    fn left_out_line(&self) -> String {
        match self.lang {
            Lang::Zh => format!("更早的 {} 条没有列出", self.lang.number(self.left_out)),
            Lang::En => format!(
                "{} not listed",
                self.lang.count(self.left_out, "", "older look is", "older looks are")
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
