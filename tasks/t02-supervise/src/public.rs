//! Performance for everybody (绩效公开): what the city's offices handled, how long it took, how often it was too late.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariants: nothing here comes from what a case holds of a person; a figure between one and four is withheld, and so
//! is any other from which it would follow; the figures stand until yesterday and are added up once a day, so asking
//! often costs nothing and tells nothing more.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{Calendar, NodeId, Result, Timestamp};
use tb_case::city::{self, Decided, Rated, Received};
use tb_case::definitions::LimitOf;
use tb_case::figures::Figures;
use tb_store::Tx;
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use crate::ask::Period;
use crate::item::{days, share};
use crate::names;
use crate::publication::{Count, Rule};
use crate::{Parts, Shared};

/// Columns of the chart: so many weeks.
const WEEKS: i64 = 13;

impl Count {
    fn words(self, lang: Lang) -> String {
        match self {
            Count::Of(count) => lang.number(count),
            Count::Few => lang.t("不公布", "withheld").to_owned(),
        }
    }

    /// As a share of a whole.
    fn share(self, lang: Lang, whole: i64) -> String {
        match self {
            Count::Of(count) => share((0 < whole).then(|| count * 1_000 / whole)),
            Count::Few => Count::Few.words(lang),
        }
    }
}

/// The figures of an item that was decided often enough.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    item: u16,
    received: Count,
    remote: Count,
    decided: i64,
    /// Working days that were enough for half of them, and for nine of ten.
    median: Option<u32>,
    most: Option<u32>,
    overdue: Count,
    promised: i64,
    /// Ratings of four or five, where there are enough.
    good: Count,
    rated: i64,
}

/// The figures of a day.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Published {
    period: Period,
    items: Vec<Told>,
    /// Items whose figures are withheld altogether.
    withheld: usize,
    /// Decisions on the items that are told, all together.
    decided: i64,
    /// The same week by week.
    weeks: Vec<(Period, Count)>,
    /// From how many on figures are told.
    rule: Rule,
}

#[derive(Template, Serialize)]
#[template(path = "ts/performance.html")]
struct Performance {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    #[serde(flatten)]
    published: Published,
    #[serde(skip)]
    city: String,
    #[serde(skip)]
    table: ui::Table,
    #[serde(skip)]
    weeks_chart: ui::Columns,
    #[serde(skip)]
    medians: ui::GroupedBars,
}

impl Performance {
    fn told_from(&self) -> String {
        let least = self.published.rule.told_from;
        match self.lang {
            Lang::Zh => format!("每个事项决定满 {least} 件才公布。"),
            Lang::En => format!("An item is told from {least} decided cases on."),
        }
    }

    fn withheld_below(&self) -> String {
        let Rule { told_from, slowest_from, .. } = self.published.rule;
        match self.lang {
            Lang::Zh => format!(
                "不到 {told_from} 件的数字不公布，能从别的数字推出来的也不公布；九成用时满 {slowest_from} 件才公布。"
            ),
            Lang::En => format!(
                "A figure below {told_from} is withheld, and so is one from which it would follow; nine of ten is told from {slowest_from} cases on."
            ),
        }
    }
}

/// GET /performance
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let until = visit.ctx.now.date().yesterday().unwrap_or(visit.ctx.now.date());
    let period = Period::up_to(until);
    let known = parts.published.lock().ok().and_then(|it| it.clone()).filter(|it| it.period == period);
    let published = match known {
        Some(published) => published,
        None => {
            let (city, shared) = (visit.ctx.node, Arc::clone(&parts.0));
            let read = move |tx: &mut Tx<'_>| read(tx, &shared.env.calendar, city, period);
            let published = Arc::new(visit.app.store.read_snapshot("t02.performance", read).await?);
            if let Ok(mut kept) = parts.published.lock() {
                *kept = Some(Arc::clone(&published));
            }
            published
        }
    };
    visit.page(view(&visit, &parts, &published))
}

fn read(tx: &mut Tx<'_>, calendar: &Calendar, city: NodeId, period: Period) -> Result<Published> {
    let moments = period.moments();
    let decided = city::decided(tx, city, moments, None)?;
    let received = city::received(tx, city, moments, None)?;
    let rule = Rule::on(period.until)?;
    Ok(publish(rule, calendar, period, (&decided, &received, &city::rated(tx, city, moments)?)))
}

/// What may be told of the figures. Pure.
pub(crate) fn publish(
    rule: Rule,
    calendar: &Calendar,
    period: Period,
    (decided, received, rated): (&[Decided], &[Received], &[Rated]),
) -> Published {
    let mut all: BTreeMap<u16, Figures> = BTreeMap::new();
    received.iter().for_each(|row| all.entry(row.item).or_default().receive(row));
    decided.iter().for_each(|row| all.entry(row.item).or_default().decide(row, calendar));
    let told = all.iter().filter(|(_, it)| rule.told_from <= it.decided);
    let items: Vec<Told> = told.map(|(item, it)| tell(&rule, *item, it, rated)).collect();
    let numbers: BTreeSet<u16> = items.iter().map(|it| it.item).collect();
    Published {
        period,
        withheld: all.len() - items.len(),
        decided: items.iter().map(|it| it.decided).sum(),
        weeks: weeks(&rule, period, decided, &numbers),
        items,
        rule,
    }
}

fn tell(rule: &Rule, item: u16, it: &Figures, rated: &[Rated]) -> Told {
    let rated = rated.iter().find(|row| row.item == item).filter(|row| rule.told_from <= row.counted);
    Told {
        item,
        received: rule.count(it.received),
        remote: match rule.count(it.received) {
            Count::Of(whole) => rule.part(it.remote, whole),
            Count::Few => Count::Few,
        },
        decided: it.decided,
        median: it.median(),
        most: it.within(90).filter(|_| rule.slowest_from <= it.decided),
        overdue: rule.part(it.overdue, it.promised),
        promised: it.promised,
        good: rated.map_or(Count::Few, |row| rule.part(row.good, row.counted)),
        rated: rated.map_or(0, |row| row.counted),
    }
}

/// Decisions week by week; one week that is withheld alone would follow from the sum, so a second one is.
fn weeks(rule: &Rule, period: Period, decided: &[Decided], told: &BTreeSet<u16>) -> Vec<(Period, Count)> {
    let end = Timestamp::at(period.until, 24);
    let day = |back: i64| end.plus_seconds(-back * 86_400).date();
    let week = |at: i64| Period {
        from: day((WEEKS - at) * 7).max(period.from),
        until: day((WEEKS - 1 - at) * 7 + 1),
    };
    let count = |week: Period| -> i64 {
        let within =
            |row: &&Decided| week.from <= row.last && row.last <= week.until && told.contains(&row.item);
        decided.iter().filter(within).map(|row| row.counted).sum()
    };
    let counts: Vec<(Period, i64)> = (0..WEEKS).map(week).map(|week| (week, count(week))).collect();
    let few = counts.iter().filter(|(_, count)| rule.count(*count) == Count::Few).count();
    let second =
        counts.iter().map(|(_, count)| *count).filter(|count| few == 1 && rule.told_from <= *count).min();
    let mut is_spent = false;
    let mut tell = |count: i64| {
        let is_second = Some(count) == second && !is_spent;
        is_spent |= is_second;
        if is_second { Count::Few } else { rule.count(count) }
    };
    counts.into_iter().map(|(week, count)| (week, tell(count))).collect()
}

fn view(visit: &Visit, parts: &Parts, published: &Published) -> Performance {
    let lang = visit.lang;
    Performance {
        frame: visit.frame("绩效公开", "Performance").airy(),
        lang,
        city: visit
            .app
            .front()
            .map_or_else(String::new, |front| lang.t(&front.name, &front.name_en).to_owned()),
        table: table(lang, parts, published),
        weeks_chart: weeks_chart(lang, published),
        medians: medians(visit, parts, published),
        published: published.clone(),
    }
}

fn table(lang: Lang, parts: &Parts, published: &Published) -> ui::Table {
    let row = |it: &Told| {
        ui::TableRow::new(vec![
            ui::Cell::link(names::item(parts, lang, it.item), format!("/items/{}", it.item)),
            ui::Cell::text(it.received.words(lang)),
            ui::Cell::text(it.remote.words(lang)),
            ui::Cell::text(lang.number(it.decided)),
            ui::Cell::text(days(lang, it.median)),
            ui::Cell::text(it.most.map_or_else(|| Count::Few.words(lang), |most| days(lang, Some(most)))),
            ui::Cell::text(it.overdue.share(lang, it.promised)),
            ui::Cell::text(it.good.share(lang, it.rated)),
        ])
    };
    let heads = [
        ("收到", "Received"),
        ("其中异地收件", "Collected in another city"),
        ("决定", "Decided"),
        ("一半在几日内", "Half within"),
        ("九成在几日内", "Nine of ten within"),
        ("超过承诺", "Beyond the promise"),
        ("评价满意", "Rated well"),
    ];
    let numbers = heads.iter().map(|(zh, en)| ui::Head::number(lang.t(zh, en)));
    ui::Table {
        caption: lang.t("各事项的数字", "Figures by item").to_owned(),
        heads: std::iter::once(ui::Head::text(lang.t("事项", "Item"))).chain(numbers).collect(),
        rows: published.items.iter().map(row).collect(),
        count: String::new(),
        export: None,
    }
}

fn weeks_chart(lang: Lang, published: &Published) -> ui::Columns {
    let bar = |(week, count): &(Period, Count)| {
        let (value, figure) = match count {
            Count::Of(count) => (f64::from(u32::try_from(*count).unwrap_or(u32::MAX)), lang.number(*count)),
            Count::Few => (0.0, "–".to_owned()),
        };
        ui::Bar { label: lang.short(week.from), value, figure, city: String::new(), href: String::new() }
    };
    ui::Columns {
        lang,
        id: "weeks".to_owned(),
        title: lang.t("每周作出的决定", "Decisions week by week").to_owned(),
        description: lang
            .t(
                "柱越高，那一周决定得越多；“–”的一周不公布",
                "The higher, the more was decided in that week; a week with a dash is withheld",
            )
            .to_owned(),
        label_head: lang.t("从这天起", "From").to_owned(),
        figure_head: lang.t("决定", "Decided").to_owned(),
        columns: published.weeks.iter().map(bar).collect(),
    }
}

/// Half of the cases took so long; beside what is promised.
fn medians(visit: &Visit, parts: &Parts, published: &Published) -> ui::GroupedBars {
    let lang = visit.lang;
    let group = |it: &Told| {
        let rules = parts.env.catalogue.rules(it.item, visit.ctx.node);
        let limit = rules.map(|rules| rules.clocks.promised.limit);
        let promise = match limit {
            Some(LimitOf::WorkingDays(days)) => Some(f64::from(days)),
            Some(LimitOf::Days(_) | LimitOf::Months(_) | LimitOf::Hours(_)) | None => None,
        };
        let words = limit.map(LimitOf::words);
        ui::BarGroup {
            label: names::item(parts, lang, it.item),
            promise,
            promised: words.map_or_else(|| "—".to_owned(), |words| names::say(lang, &words).to_owned()),
            measures: vec![ui::Measure {
                value: it.median.map(f64::from),
                figure: days(lang, it.median),
                href: format!("/items/{}", it.item),
            }],
        }
    };
    let front = visit.app.front().map(|front| ui::CityMark::of(lang, front));
    ui::GroupedBars {
        lang,
        id: "medians".to_owned(),
        title: lang.t("一半的件在几个工作日内决定", "Half of the cases were decided within").to_owned(),
        description: lang
            .t("条越短越快；虚线是承诺的期限", "The shorter, the quicker; the dashed line is the promise")
            .to_owned(),
        label_head: lang.t("事项", "Item").to_owned(),
        promise_head: lang.t("承诺期限", "Promise").to_owned(),
        series: front.iter().map(ui::Series::city).collect(),
        groups: published.items.iter().map(group).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decided(item: u16, last: &str, counted: i64, overdue: i64) -> Decided {
        Decided {
            item,
            office: "430100-transport".parse().unwrap(),
            first: "2026-11-02".parse().unwrap(),
            last: last.parse().unwrap(),
            counted,
            promised: counted,
            overdue,
        }
    }

    fn told(decided: &[Decided]) -> Published {
        let period = Period::up_to("2026-11-23".parse().unwrap());
        publish(Rule::on(period.until).unwrap(), Calendar::national(), period, (decided, &[], &[]))
    }

    /// What is told of an item as one line: decided, beyond the promise, items withheld.
    #[track_caller]
    fn check(rows: &[Decided], expected: (Option<i64>, Option<Count>, usize)) {
        let published = told(rows);
        let first = published.items.first();
        let found = (first.map(|it| it.decided), first.map(|it| it.overdue), published.withheld);
        assert_eq!(found, expected);
    }

    #[test]
    fn small_numbers_are_withheld_and_what_they_follow_from() {
        check(&[], (None, None, 0));
        check(&[decided(121, "2026-11-20", 4, 0)], (None, None, 1));
        check(&[decided(121, "2026-11-20", 5, 0)], (Some(5), Some(Count::Of(0)), 0));
        check(&[decided(121, "2026-11-20", 20, 1)], (Some(20), Some(Count::Few), 0));
        check(&[decided(121, "2026-11-20", 20, 5)], (Some(20), Some(Count::Of(5)), 0));
        check(&[decided(121, "2026-11-20", 20, 17)], (Some(20), Some(Count::Few), 0));
        check(&[decided(121, "2026-11-20", 20, 20)], (Some(20), Some(Count::Of(20)), 0));
        let two = [decided(80, "2026-11-20", 3, 0), decided(121, "2026-11-20", 9, 0)];
        check(&two, (Some(9), Some(Count::Of(0)), 1));
        assert_eq!(told(&two).decided, 9, "the sum is one of what is told");
    }

    #[test]
    fn a_week_that_is_withheld_alone_takes_another_one_with_it() {
        let few = |rows: &[Decided]| {
            let weeks = told(rows).weeks;
            assert_eq!(weeks.len(), 13);
            let few = weeks.iter().filter(|(_, count)| *count == Count::Few);
            few.map(|(week, _)| week.until.to_string()).collect::<Vec<_>>()
        };
        let (last, before) = (decided(121, "2026-11-23", 2, 0), decided(121, "2026-11-16", 3, 0));
        let (many, more) = (decided(121, "2026-11-09", 7, 0), decided(121, "2026-11-02", 30, 0));
        assert!(few(&[many.clone(), more.clone()]).is_empty());
        assert_eq!(few(&[last.clone(), many.clone(), more.clone()]), ["2026-11-09", "2026-11-23"]);
        assert_eq!(few(&[last, before, many, more]), ["2026-11-16", "2026-11-23"]);
    }

    #[test]
    fn a_period_is_whole_weeks_as_far_as_it_goes() {
        let weeks = told(&[]).weeks;
        assert_eq!(weeks.first().map(|(week, _)| week.from.to_string()), Some("2026-08-26".to_owned()));
        for pair in weeks.windows(2) {
            assert_eq!(pair[0].0.until.tomorrow().unwrap(), pair[1].0.from);
        }
    }
}
