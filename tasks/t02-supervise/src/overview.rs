//! The city at a glance (监督总览): the title says what is wrong; tiles, the late ones, who holds what, item by item.
//! Serves clause 2.5.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{NodeId, OfficeId, Timestamp};
use tb_case::city::{self, Days, Load, Turn};
use tb_store::{Tx, contact};
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use crate::ask::{Ask, Due};
use crate::cases::{self, Line};
use crate::names::{self, Names};
use crate::{Parts, Shared, watching};

/// Late cases that the overview lists.
const LATE_MAX: usize = 10;
/// Offices that a chart draws; the list has all.
const BARS_MAX: usize = 12;

/// How many, and how urgent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Counts {
    all: i64,
    late: i64,
    today: i64,
    week: i64,
    away: i64,
}

impl Counts {
    fn add(&mut self, load: &Load) {
        self.all += load.all;
        self.late += load.late;
        self.today += load.today;
        self.week += load.week;
        self.away += if load.is_away { load.all } else { 0 };
    }
}

/// A city that does not answer.
#[derive(Serialize)]
struct Silent {
    city: NodeId,
    since: Timestamp,
}

#[derive(Template, Serialize)]
#[template(path = "ts/overview.html")]
struct Overview {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    counts: Counts,
    silent: Vec<Silent>,
    late: Vec<Line>,
    tiles: ui::Tiles,
    #[serde(skip)]
    title: String,
    #[serde(skip)]
    now: String,
    #[serde(skip)]
    late_table: ui::Table,
    #[serde(skip)]
    late_href: String,
    #[serde(skip)]
    charts: Vec<ui::BarChart>,
    #[serde(skip)]
    items: ui::Table,
}

impl Overview {
    fn silence(&self, silent: &Silent) -> String {
        let (city, since) = (self.frame.city_name(silent.city), self.lang.time(silent.since));
        match self.lang {
            Lang::Zh => format!("{city}自 {since} 没有应答；交给它的件先记着，通了就自动送到。"),
            Lang::En => format!(
                "{city} has not answered since {since}; what is for it is kept and sent by itself once it answers."
            ),
        }
    }
}

/// What was read in one go.
struct Read {
    loads: Vec<Load>,
    late: city::CityPage,
    names: Names,
    silent: Vec<Silent>,
}

/// GET /supervise
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    watching(&visit)?;
    let (ctx, shared, app, lang) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.app.clone(), visit.lang);
    let read = visit.app.store.read_snapshot("t02.supervise", move |tx: &mut Tx<'_>| {
        let mut silent = Vec::new();
        for city in shared.env.desk.peers() {
            if let Some(since) = contact::find(tx, city)?.silent_since {
                silent.push(Silent { city, since });
            }
        }
        Ok(Read {
            loads: city::loads(tx, ctx.node, Days::of(ctx.now))?,
            late: city::list(tx, ctx.node, &Ask::due(Due::Late).narrow(ctx.now), &Turn::First)?,
            names: Names::read(tx, &shared, &app, lang)?,
            silent,
        })
    });
    let read = read.await?;
    visit.page(view(&visit, &parts, read))
}

/// Sums by whatever is asked.
fn sums<K: Ord>(loads: &[Load], key: impl Fn(&Load) -> K) -> BTreeMap<K, Counts> {
    let mut sums: BTreeMap<K, Counts> = BTreeMap::new();
    for load in loads {
        sums.entry(key(load)).or_default().add(load);
    }
    sums
}

fn view(visit: &Visit, parts: &Parts, read: Read) -> Overview {
    let lang = visit.lang;
    let mut counts = Counts::default();
    read.loads.iter().for_each(|load| counts.add(load));
    let offices = sums(&read.loads, |load| load.office.clone());
    let title = title(lang, counts, &offices, &read.names);
    let rows = read.late.rows.iter().take(LATE_MAX);
    let late: Vec<Line> = rows.map(|row| cases::line(visit, parts, row)).collect();
    let ask = Ask::due(Due::Late);
    let late_table = cases::table(visit, &read.names, &ask, &late, read.late.total);
    Overview {
        frame: visit.frame(&title, &title).desk(),
        lang,
        counts,
        silent: read.silent,
        late_table: ui::Table { export: None, ..late_table },
        late_href: ask.address(),
        late,
        tiles: tiles(lang, counts),
        now: lang.time(visit.ctx.now),
        charts: charts(lang, &offices, &read.names),
        items: items(visit, parts, &read.loads),
        title,
    }
}

/// What is wrong, not what the page is.
fn title(lang: Lang, counts: Counts, offices: &BTreeMap<OfficeId, Counts>, names: &Names) -> String {
    let worst = offices.iter().filter(|(_, it)| 0 < it.late).max_by_key(|(_, it)| it.late);
    match (worst, counts.today, counts.all, lang) {
        (Some((office, it)), _, _, Lang::Zh) if it.late == counts.late => {
            format!("晚了 {} 件，都在{}", lang.number(counts.late), names.of(office))
        }
        (Some((office, it)), _, _, Lang::En) if it.late == counts.late => {
            format!(
                "{} late, all with {}",
                lang.count(counts.late, "", "case is", "cases are"),
                names.of(office)
            )
        }
        (Some((office, it)), _, _, Lang::Zh) => {
            format!(
                "晚了 {} 件，{}最多：{} 件",
                lang.number(counts.late),
                names.of(office),
                lang.number(it.late)
            )
        }
        (Some((office, it)), _, _, Lang::En) => {
            format!(
                "{} cases are late, {} of them with {}",
                lang.number(counts.late),
                it.late,
                names.of(office)
            )
        }
        (None, 0, 0, _) => lang.t("没有在办的件", "No case is running").to_owned(),
        (None, 0, _, _) => {
            lang.t("没有晚的，今天也没有到期的", "Nothing is late and nothing due today").to_owned()
        }
        (None, today, _, Lang::Zh) => format!("没有晚的，今天有 {} 件到期", lang.number(today)),
        (None, today, _, Lang::En) => {
            format!("Nothing is late; {} due today", lang.count(today, "", "case is", "cases are"))
        }
    }
}

fn tiles(lang: Lang, counts: Counts) -> ui::Tiles {
    let tile = |figure: i64, zh: &str, en: &str, due: Due, kind: &str| ui::Tile {
        figure: lang.number(figure),
        label: lang.t(zh, en).to_owned(),
        href: Ask::due(due).address(),
        kind: if 0 < figure { kind.to_owned() } else { String::new() },
    };
    ui::Tiles {
        tiles: vec![
            tile(counts.late, "晚了", "late", Due::Late, "stop"),
            tile(counts.today, "今天到期", "due today", Due::Today, "wait"),
            tile(counts.week, "本周到期，含今天", "due this week, today included", Due::Week, ""),
            tile(counts.away, "在等其他城市", "waiting for another city", Due::Away, "wait"),
            tile(counts.all, "在办", "running", Due::Any, ""),
        ],
    }
}

/// Who holds how many; and who is late with how many, where somebody is.
fn charts(lang: Lang, offices: &BTreeMap<OfficeId, Counts>, names: &Names) -> Vec<ui::BarChart> {
    let cases = |count: i64| lang.count(count, "件", "case", "cases");
    let held = |it: &Counts| match it.late {
        0 => cases(it.all),
        late => format!("{}{}{late}", cases(it.all), lang.t("，晚 ", ", late ")),
    };
    let mut charts = vec![ui::BarChart {
        lang,
        id: "held".to_owned(),
        title: lang.t("在谁手里", "Who holds how many").to_owned(),
        description: lang
            .t(
                "每个单位手里在办的件，多的在前；后面写晚了几件",
                "Running cases by office, the most first; with those late",
            )
            .to_owned(),
        label_head: lang.t("单位", "Office").to_owned(),
        figure_head: lang.t("在办", "Running").to_owned(),
        bars: bars(offices, names, Due::Any, |it| it.all, held),
    }];
    let late = bars(offices, names, Due::Late, |it| it.late, |it| cases(it.late));
    if !late.is_empty() {
        charts.push(ui::BarChart {
            lang,
            id: "late".to_owned(),
            title: lang.t("晚在哪里", "Where it is late").to_owned(),
            description: lang
                .t("每个单位手里晚了的件，多的在前", "Late cases by office, the most first")
                .to_owned(),
            label_head: lang.t("单位", "Office").to_owned(),
            figure_head: lang.t("晚了", "Late").to_owned(),
            bars: late,
        });
    }
    charts
}

fn bars(
    offices: &BTreeMap<OfficeId, Counts>,
    names: &Names,
    due: Due,
    figure: impl Fn(&Counts) -> i64,
    words: impl Fn(&Counts) -> String,
) -> Vec<ui::Bar> {
    let mut sorted: Vec<_> = offices.iter().filter(|(_, it)| 0 < figure(it)).collect();
    sorted.sort_by_key(|(office, it)| (-figure(it), (*office).clone()));
    let bar = |(office, it): &(&OfficeId, &Counts)| ui::Bar {
        label: names.of(office),
        value: f64::from(u32::try_from(figure(it)).unwrap_or(u32::MAX)),
        figure: words(it),
        city: tb_identity::offices::city_of(office).map_or_else(String::new, |city| city.to_string()),
        href: Ask::due(due).at(office).address(),
    };
    sorted.iter().take(BARS_MAX).map(bar).collect()
}

/// Item by item: how many run, are late and due, each a link to its list.
fn items(visit: &Visit, parts: &Parts, loads: &[Load]) -> ui::Table {
    let lang = visit.lang;
    let figure = |count: i64, item: u16, due: Due| {
        let text = lang.number(count);
        match count {
            0 => ui::Cell::text(text),
            _ => ui::Cell::link(text, Ask::due(due).of_item(item).address()),
        }
    };
    let row = |(item, it): (&u16, &Counts)| {
        ui::TableRow::new(vec![
            ui::Cell::link(names::item(parts, lang, *item), format!("/supervise/items/{item}"))
                .note(item.to_string()),
            figure(it.all, *item, Due::Any),
            figure(it.late, *item, Due::Late),
            figure(it.today, *item, Due::Today),
            figure(it.week, *item, Due::Week),
            figure(it.away, *item, Due::Away),
        ])
    };
    let heads = [
        ("在办", "Running"),
        ("晚了", "Late"),
        ("今天到期", "Today"),
        ("本周到期", "This week"),
        ("等其他城市", "With another city"),
    ];
    let numbers = heads.iter().map(|(zh, en)| ui::Head::number(lang.t(zh, en)));
    // An item without a running case is listed as well: its figures of the past are behind its name.
    let mut sums = sums(loads, |load| load.item);
    for item in parts.env.catalogue.items().filter(|item| item.online()) {
        sums.entry(item.entry.number).or_default();
    }
    ui::Table {
        caption: lang.t("按事项", "By item").to_owned(),
        heads: std::iter::once(ui::Head::text(lang.t("事项", "Item"))).chain(numbers).collect(),
        rows: sums.iter().map(row).collect(),
        count: String::new(),
        export: None,
    }
}
