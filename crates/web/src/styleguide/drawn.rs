//! What the drawings of the style guide show (图样例): invented figures.

use tb_base::Date;

use crate::Lang;
use crate::ui::{
    Bar, BarGroup, CityMark, Columns, GroupedBars, Lane, Measure, MonthKind, MonthSpan, Months, Series, Span,
    SpanKind, Track,
};

const LIST: &str = "/styleguide/records#table";

pub(super) fn grouped(lang: Lang, marks: &[CityMark]) -> GroupedBars {
    let measure =
        |value: f64| Measure { value: Some(value), figure: format!("{value:.1}"), href: LIST.to_owned() };
    let group = |zh: &str, en: &str, promise: i32, values: [f64; 3]| BarGroup {
        label: lang.t(zh, en).to_owned(),
        promise: Some(f64::from(promise)),
        promised: match lang {
            Lang::Zh => format!("承诺 {promise} 日"),
            Lang::En => format!("{promise} days"),
        },
        measures: values.into_iter().map(measure).collect(),
    };
    GroupedBars {
        lang,
        id: "compare-cities".to_owned(),
        title: lang.t("同一事项，三市各用几天", "One item, days in each city").to_owned(),
        description: lang
            .t(
                "湘潭两项都最慢，两项补贴认定 10.6 日，超过承诺的 10 日；长沙两项都最快。",
                "Xiangtan is slowest in both; allowances take 10.6 days, over the promised 10. Changsha is fastest.",
            )
            .to_owned(),
        label_head: lang.t("事项", "Item").to_owned(),
        promise_head: lang.t("承诺期限", "Promised").to_owned(),
        series: marks.iter().map(Series::city).collect(),
        groups: vec![
            group("从业资格证换发", "Licence renewal", 5, [2.1, 2.6, 3.4]),
            group("两项补贴认定", "Allowances", 10, [6.1, 7.4, 10.6]),
        ],
    }
}

pub(super) fn columns(lang: Lang) -> Columns {
    let column = |day: u32, count: u32| Bar {
        label: format!("11-{day:02}"),
        value: f64::from(count),
        figure: count.to_string(),
        city: String::new(),
        href: LIST.to_owned(),
    };
    let counts = [61, 74, 12, 0, 83, 79, 66, 58, 71, 9];
    Columns {
        lang,
        id: "by-day".to_owned(),
        title: lang.t("每天收件", "Collected each day").to_owned(),
        description: lang
            .t("周末几乎没有，最多的一天 83 件。", "Hardly any at weekends; 83 on the busiest day.")
            .to_owned(),
        label_head: lang.t("日期", "Day").to_owned(),
        figure_head: lang.t("件", "Cases").to_owned(),
        columns: (12..).zip(counts).map(|(day, count)| column(day, count)).collect(),
    }
}

pub(super) fn track(lang: Lang, marks: &[CityMark]) -> Track {
    let day = |day: i8| Date::constant(2026, 11, day);
    let span = |from: i8, to: i8, kind, zh: &str, en: &str| Span {
        from: day(from),
        to: day(to),
        kind,
        words: lang.t(zh, en).to_owned(),
        href: LIST.to_owned(),
    };
    let lane = |label: &str, city: usize, spans| Lane {
        label: label.to_owned(),
        city: marks.get(city).cloned(),
        spans,
    };
    Track {
        lang,
        id: "track".to_owned(),
        title: lang.t("办件 3F8P 61CW 的轨迹", "The track of case 3F8P 61CW").to_owned(),
        description: lang
            .t(
                "长沙 11 月 2 日收件，湘乡 9 日停表等鉴定，17 日才恢复，到 24 日仍未决定。",
                "Collected on 2 Nov; stopped on the 9th for an assessment, resumed on the 17th, not decided by the 24th.",
            )
            .to_owned(),
        today: day(24),
        promise: Some(day(20)),
        lanes: vec![
            lane("长沙专窗", 0, vec![span(2, 3, SpanKind::Held, "收件", "collected")]),
            lane(
                "湘乡市民政局",
                2,
                vec![
                    span(4, 9, SpanKind::Held, "受理审查", "review"),
                    span(10, 16, SpanKind::Waiting, "停表", "paused"),
                    span(17, 20, SpanKind::Held, "审查", "review"),
                    span(21, 24, SpanKind::Late, "超期", "late"),
                ],
            ),
        ],
    }
}

pub(super) fn months(lang: Lang, marks: &[CityMark]) -> Months {
    let span = |from: (i16, i8), to: (i16, i8), kind, zh: &str, en: &str| {
        MonthSpan::of(Date::constant(from.0, from.1, 1), Date::constant(to.0, to.1, 1), kind, lang.t(zh, en))
    };
    let held = |span: MonthSpan, city: usize| match marks.get(city) {
        Some(city) => span.city(city.clone()).link(LIST),
        None => span,
    };
    let spans = vec![
        held(span((2024, 3), (2025, 1), MonthKind::Counts, "缴存", "paid in"), 0),
        held(
            span(
                (2024, 11),
                (2025, 9),
                MonthKind::Counts,
                "缴存，与长沙重 3 个月",
                "paid in; 3 months as well as in Changsha",
            ),
            2,
        ),
        span((2025, 10), (2025, 12), MonthKind::Missing, "没有缴存记录", "nothing on record"),
        held(span((2026, 1), (2026, 10), MonthKind::Counts, "缴存", "paid in"), 1),
        span((2026, 11), (2026, 11), MonthKind::Due, "本月应缴", "due this month"),
    ];
    Months::of(lang, lang.t("住房公积金缴存月份", "Months paid into the housing fund"), spans)
}
