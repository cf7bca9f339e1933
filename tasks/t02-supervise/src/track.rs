//! The track of a case (办件轨迹): who held it on which days, where the clock stood still, where it was late. Pure.
//!
//! Invariant: it follows from the view of the case alone, so both cities draw the same.

use tb_base::{Date, Timestamp};
use tb_case::case::ClockKind;
use tb_case::progress::{ProgressView, Step};
use tb_web::ui::{CityMark, Lane, Span, SpanKind, Track};
use tb_web::{App, Lang};

use crate::names::say;

/// Days that are told; a longer case shows its first ones.
const DAYS_MAX: usize = 4_000;

/// Some days on which the clock stood still.
struct Wait {
    from: Date,
    until: Option<Date>,
}

/// The track up to a moment.
pub(crate) fn track(app: &App, lang: Lang, view: &ProgressView, now: Timestamp) -> Track {
    let (promise, waits) = (promise(view), waits(view));
    let (lanes, end) = lanes(lang, view, now.date(), promise, &waits, |city| {
        app.city(city).map(|front| CityMark::of(lang, front))
    });
    Track {
        lang,
        id: "track".to_owned(),
        title: lang.t("办件轨迹", "Track of the case").to_owned(),
        description: description(lang, view, promise, end),
        today: end,
        promise,
        lanes,
    }
}

fn promise(view: &ProgressView) -> Option<Date> {
    view.clock(ClockKind::Promised).or(view.clock(ClockKind::Legal)).map(|clock| clock.due)
}

/// Corrections and special procedures: what the promise does not count.
fn waits(view: &ProgressView) -> Vec<Wait> {
    let correction = view.correction.iter().map(|it| (it.asked, it.answered));
    let clock = view.clock(ClockKind::Promised).or(view.clock(ClockKind::Legal));
    let pauses = clock.iter().flat_map(|clock| clock.input.pauses.iter().copied());
    let wait = |(from, until): (Timestamp, Option<Timestamp>)| Wait {
        from: from.date(),
        until: until.map(Timestamp::date),
    };
    correction.chain(pauses).map(wait).collect()
}

/// Spans of a case by place, and the day on which it ended or stands.
fn lanes(
    lang: Lang,
    view: &ProgressView,
    today: Date,
    promise: Option<Date>,
    waits: &[Wait],
    mark: impl Fn(tb_base::NodeId) -> Option<CityMark>,
) -> (Vec<Lane>, Date) {
    let mut done: Vec<(&Step, Date)> =
        view.steps.iter().filter_map(|step| Some((step, step.at?.date()))).collect();
    done.sort_by_key(|(step, _)| step.at);
    let decided = view.decided().map(Timestamp::date);
    let (mut lanes, mut from) = (Vec::<Lane>::new(), view.collected.date());
    let end = match view.phase.is_over() {
        true => done.last().map_or(today, |(_, at)| *at),
        false => today.max(from),
    };
    let now = view.steps.iter().find(|step| step.state == tb_case::progress::StepState::Now);
    let open = now.filter(|_| !view.phase.is_over()).map(|step| (step, end));
    for (step, until) in done.into_iter().chain(open) {
        let name = say(lang, &step.place.name);
        let at = lanes.iter().position(|lane| lane.label == name);
        let lane = at.and_then(|at| lanes.get_mut(at));
        let spans = days(
            lang,
            step,
            (from, until.max(from)),
            promise.filter(|_| decided.is_none_or(|it| from <= it)),
            waits,
        );
        match lane {
            Some(lane) => spans.into_iter().for_each(|span| join(lane, span, lang)),
            None => {
                let mut lane =
                    Lane { label: name.to_owned(), city: mark(step.place.city), spans: Vec::new() };
                spans.into_iter().for_each(|span| join(&mut lane, span, lang));
                lanes.push(lane);
            }
        }
        from = until.max(from);
    }
    (lanes, end)
}

/// The days of a step, cut where the clock stands still and where the promise is over.
fn days(
    lang: Lang,
    step: &Step,
    (from, until): (Date, Date),
    promise: Option<Date>,
    waits: &[Wait],
) -> Vec<Span> {
    let waited =
        |day: Date| waits.iter().any(|wait| wait.from < day && wait.until.is_none_or(|until| day < until));
    let kind = |day: Date| match promise {
        _ if waited(day) => SpanKind::Waiting,
        Some(promise) if promise < day => SpanKind::Late,
        Some(_) | None => SpanKind::Held,
    };
    let (mut spans, mut day) = (Vec::<Span>::new(), from);
    for _ in 0..DAYS_MAX {
        let kind = kind(day);
        match spans.last_mut() {
            Some(span) if span.kind == kind => span.to = day,
            Some(_) | None => spans.push(Span {
                from: day,
                to: day,
                kind,
                words: words(lang, step, kind),
                href: String::new(),
            }),
        }
        let Some(next) = day.tomorrow().ok().filter(|next| *next <= until) else { break };
        day = next;
    }
    spans
}

fn words(lang: Lang, step: &Step, kind: SpanKind) -> String {
    let step = say(lang, &step.text);
    match kind {
        SpanKind::Held => step.to_owned(),
        SpanKind::Waiting => format!("{step}{}", lang.t("，停表", ", the clock stands still")),
        SpanKind::Late => format!("{step}{}", lang.t("，超期", ", beyond the promise")),
    }
}

/// Adds a span to a lane: one that begins on the last day of the one before shares that day or joins it.
fn join(lane: &mut Lane, span: Span, lang: Lang) {
    let Some(last) = lane.spans.last_mut() else {
        lane.spans.push(span);
        return;
    };
    if last.to < span.from {
        lane.spans.push(span);
        return;
    }
    if last.from == span.from || last.kind == span.kind && last.words == span.words {
        last.words = match last.words == span.words {
            true => span.words,
            false => format!("{}{}{}", last.words, lang.t("，", ", "), span.words),
        };
        (last.to, last.kind) = (span.to.max(last.to), span.kind);
        return;
    }
    // The day on which one step ended and the next began is drawn once, as the next one's.
    last.to = span.from.yesterday().map_or(last.to, |day| day.max(last.from));
    lane.spans.push(span);
}

fn description(lang: Lang, view: &ProgressView, promise: Option<Date>, end: Date) -> String {
    let (holder, phase) = (say(lang, &view.holder.place.name), say(lang, &view.phase_name));
    let late = promise.filter(|promise| *promise < view.decided().map_or(end, Timestamp::date));
    let late = late.map_or_else(String::new, |promise| match lang {
        Lang::Zh => format!("，过了承诺的 {}", lang.date(promise)),
        Lang::En => format!(", beyond the promised {}", lang.date(promise)),
    });
    match lang {
        Lang::Zh => format!("现在在{holder}，{phase}{late}。"),
        Lang::En => format!("With {holder}: {phase}{late}."),
    }
}

#[cfg(test)]
mod tests {
    use tb_case::progress::StepState;
    use tb_case::text::{Place, Text};

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn step(office: &str, text: &str) -> Step {
        let city = "430300".parse().expect("a city");
        Step {
            key: "accept".to_owned(),
            text: Text::new(text, text),
            place: Place {
                city,
                office: office.parse().expect("an office"),
                name: Text::new(office, office),
            },
            at: None,
            until: None,
            state: StepState::Done,
        }
    }

    /// Spans as `from..to kind words`, to be read at a glance.
    #[track_caller]
    fn check(spans: &[Span], expected: &[&str]) {
        let word = |span: &Span| {
            let kind = match span.kind {
                SpanKind::Held => "held",
                SpanKind::Waiting => "waiting",
                SpanKind::Late => "late",
            };
            format!("{}..{} {kind} {}", span.from, span.to, span.words)
        };
        assert_eq!(spans.iter().map(word).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn days_are_cut_where_the_clock_stands_and_where_the_promise_ends() {
        let step = step("430300-transport", "审查");
        let span = (day("2026-11-02"), day("2026-11-12"));
        check(&days(Lang::Zh, &step, span, None, &[]), &["2026-11-02..2026-11-12 held 审查"]);
        let wait = Wait { from: day("2026-11-04"), until: Some(day("2026-11-07")) };
        let spans = days(Lang::Zh, &step, span, Some(day("2026-11-10")), &[wait]);
        check(
            &spans,
            &[
                "2026-11-02..2026-11-04 held 审查",
                "2026-11-05..2026-11-06 waiting 审查，停表",
                "2026-11-07..2026-11-10 held 审查",
                "2026-11-11..2026-11-12 late 审查，超期",
            ],
        );
        let open = Wait { from: day("2026-11-11"), until: None };
        let spans = days(Lang::Zh, &step, span, Some(day("2026-11-10")), &[open]);
        check(
            &spans,
            &[
                "2026-11-02..2026-11-10 held 审查",
                "2026-11-11..2026-11-11 late 审查，超期",
                "2026-11-12..2026-11-12 waiting 审查，停表",
            ],
        );
    }

    #[test]
    fn no_day_of_a_lane_is_drawn_twice() {
        let mut lane = Lane { label: "x".to_owned(), city: None, spans: Vec::new() };
        let span = |from: &str, to: &str, words: &str| Span {
            from: day(from),
            to: day(to),
            kind: SpanKind::Held,
            words: words.to_owned(),
            href: String::new(),
        };
        for it in [
            span("2026-11-02", "2026-11-02", "收件"),
            span("2026-11-02", "2026-11-02", "受理"),
            span("2026-11-02", "2026-11-06", "审查"),
            span("2026-11-06", "2026-11-09", "决定"),
        ] {
            join(&mut lane, it, Lang::Zh);
        }
        check(
            &lane.spans,
            &["2026-11-02..2026-11-05 held 收件，受理，审查", "2026-11-06..2026-11-09 held 决定"],
        );
    }
}
