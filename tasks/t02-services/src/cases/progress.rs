//! How a progress view is shown (进度呈现): steps, due date, calendars, outcome, what is on its way.
//! Serves clauses 2.4 and 2.5.
//!
//! The same for the applicant, for the window and for the department.

use std::collections::BTreeMap;

use serde::Serialize;
use tb_base::{Due, NodeId, Refusal, Timestamp};
use tb_case::acts::{ActStatus, SentAct};
use tb_case::case::{Channel, ClockKind, PhaseKind};
use tb_case::command::CommandKind;
use tb_case::definitions::StageId;
use tb_case::progress::{ClockView, ProgressView, Step, StepState};
use tb_web::{Lang, Visit, ui};

use crate::parts::Parts;
use crate::words::{city_name, mark, say, word};

/// Every clock with its date and, day by day, why that is the date; by kind, such as `legal`.
pub(crate) fn due(parts: &Parts, view: &ProgressView) -> BTreeMap<String, Due> {
    view.clocks.iter().map(|clock| (word(&clock.kind), clock.explain(&parts.calendar))).collect()
}

/// The line of steps.
pub(crate) fn steps(visit: &Visit, view: &ProgressView) -> ui::Steps {
    let steps = view.steps.iter().map(|step| one_step(visit, view, step)).collect();
    ui::Steps { steps, lang: visit.lang }
}

fn one_step(visit: &Visit, view: &ProgressView, step: &Step) -> ui::Step {
    let lang = visit.lang;
    let ended = matches!(
        view.phase,
        PhaseKind::Declined | PhaseKind::Lapsed | PhaseKind::Returned | PhaseKind::Withdrawn
    ) && step.key == word(&view.phase);
    let state = match step.state {
        _ if ended => ui::StepState::Stopped,
        StepState::Done => ui::StepState::Done,
        StepState::Now => ui::StepState::Now,
        StepState::Next => ui::StepState::Next,
    };
    let when = match (step.at, step.until) {
        (Some(at), _) => lang.moment(at),
        (None, Some(until)) => latest(lang, until),
        (None, None) => String::new(),
    };
    let mut shown = ui::Step {
        city: mark(&visit.app, lang, step.place.city),
        who: who(visit, view, step),
        when,
        ..ui::Step::new(state, say(lang, &step.text))
    };
    if let (StepState::Now, Some(waiting)) = (step.state, &view.waiting) {
        let since = lang.moment(waiting.since);
        let line = match lang {
            Lang::Zh => format!("{}，{since} 起。", say(lang, &waiting.text)),
            Lang::En => format!("{}, since {since}.", say(lang, &waiting.text)),
        };
        shown.waits.push(line);
        if let Some(until) = step.until {
            shown.waits.push(latest(lang, until));
        }
    }
    shown
}

/// Who does a step: what was filed online was collected by the city's app, at no window.
fn who(visit: &Visit, view: &ProgressView, step: &Step) -> String {
    match step.key == word(&StageId::Collect) {
        true => collected_at(visit, view),
        false => say(visit.lang, &step.place.name).to_owned(),
    }
}

/// Where a case was handed in (收件): the window, or the app of the city where it was filed online.
pub(crate) fn collected_at(visit: &Visit, view: &ProgressView) -> String {
    let lang = visit.lang;
    match (view.channel, visit.app.city(view.collecting.city)) {
        (Channel::Online, Some(front)) => match lang {
            Lang::Zh => format!("{}（网上）", front.app),
            Lang::En => format!("{} (online)", front.app),
        },
        (Channel::Online, None) | (Channel::Window, _) => say(lang, &view.collecting.name).to_owned(),
    }
}

fn latest(lang: Lang, until: tb_base::Date) -> String {
    match lang {
        Lang::Zh => format!("最晚 {}", lang.date(until)),
        Lang::En => format!("by {} at the latest", lang.date(until)),
    }
}

/// The date that she is told, who holds the case, and since when; none once nothing runs any more.
pub(crate) fn due_box(visit: &Visit, parts: &Parts, view: &ProgressView) -> Option<ui::DueBox> {
    let (lang, clock) = (visit.lang, view.due()?);
    let due = clock.explain(&parts.calendar);
    let label = match clock.kind {
        ClockKind::Answer => lang.t("最晚补正", "To be corrected by"),
        ClockKind::Delivery => lang.t("最晚送达", "To be delivered by"),
        ClockKind::HandOver | ClockKind::Acceptance | ClockKind::Legal | ClockKind::Promised => {
            lang.t("最晚办完", "To be done by")
        }
    };
    let shown = ui::DueBox::of(lang, label, &clock.input.limit, &due, visit.ctx.now.date()).explained("#why");
    let holder = &view.holder;
    let since = match lang {
        Lang::Zh => format!("{} 起", lang.moment(holder.since)),
        Lang::En => format!("since {}", lang.moment(holder.since)),
    };
    let office = say(lang, &holder.place.name).to_owned();
    if view.phase == PhaseKind::Correcting {
        return Some(awaited(visit, shown, &office, view));
    }
    Some(match mark(&visit.app, lang, holder.place.city) {
        Some(city) => shown.held(city, office, since),
        None => shown,
    })
}

/// While a correction is asked for, everybody waits for the applicant; the office keeps the papers meanwhile.
fn awaited(visit: &Visit, shown: ui::DueBox, office: &str, view: &ProgressView) -> ui::DueBox {
    let lang = visit.lang;
    let is_hers = visit.ctx.actor.person().is_some();
    let since = lang.moment(view.waiting.as_ref().map_or(view.holder.since, |waiting| waiting.since));
    let who = match is_hers {
        true => lang.t("您", "You"),
        false => lang.t("申请人", "The applicant"),
    };
    let since = match (lang, is_hers) {
        (Lang::Zh, true) => format!("等您补正，{since} 起；案卷在{office}"),
        (Lang::Zh, false) => format!("等申请人补正，{since} 起；案卷在{office}"),
        (Lang::En, true) => format!("your correction is awaited since {since}; {office} keeps the file"),
        (Lang::En, false) => format!("whose correction is awaited since {since}; {office} keeps the file"),
    };
    ui::DueBox { holder: who.to_owned(), since, ..shown }
}

/// A clock as a calendar, with the law behind it.
pub(crate) struct Explained {
    pub(crate) caption: String,
    pub(crate) basis: String,
    pub(crate) unconfirmed: bool,
    pub(crate) calendar: String,
    pub(crate) days: ui::Days,
}

/// The calendars: first the date that she is told, then the others that run or ran.
pub(crate) fn calendars(visit: &Visit, parts: &Parts, view: &ProgressView) -> Vec<Explained> {
    let first = view.due().map(|clock| clock.kind);
    let shown = |kind: ClockKind| {
        Some(kind) == first || matches!(kind, ClockKind::Legal | ClockKind::Promised | ClockKind::Acceptance)
    };
    let mut clocks: Vec<&ClockView> = view.clocks.iter().filter(|clock| shown(clock.kind)).collect();
    clocks.sort_by_key(|clock| (Some(clock.kind) != first, clock.kind));
    clocks.into_iter().map(|clock| explained(visit, parts, clock)).collect()
}

fn explained(visit: &Visit, parts: &Parts, clock: &ClockView) -> Explained {
    let lang = visit.lang;
    let (text, limit) = (say(lang, &clock.text), &clock.input.limit);
    let caption = match lang {
        Lang::Zh => format!("{text}，{}，到 {}", limit.zh(), lang.date(clock.due)),
        Lang::En => format!("{text}, {}, until {}", limit.en(), lang.date(clock.due)),
    };
    let due = clock.explain(&parts.calendar);
    Explained {
        days: ui::Days::of(lang, caption.clone(), &due, visit.ctx.now.date()),
        caption,
        basis: clock.basis.clone().unwrap_or_default(),
        unconfirmed: clock.unconfirmed,
        calendar: clock.calendar.clone(),
    }
}

/// An act that was passed on to the city that owns the case (已发出的操作).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PendingAct {
    pub(crate) kind: CommandKind,
    pub(crate) name: String,
    pub(crate) status: ActStatus,
    pub(crate) sent: Timestamp,
    pub(crate) refusal: Option<Refusal>,
    #[serde(skip)]
    pub(crate) words: String,
}

/// The acts that wait for an answer or were refused; what was applied shows in the progress itself.
pub(crate) fn pending(visit: &Visit, view: &ProgressView, acts: &[SentAct]) -> Vec<PendingAct> {
    let lang = visit.lang;
    let city = city_name(&visit.app, lang, view.owner);
    let one = |act: &SentAct| {
        let (name, sent) = (say(lang, &act.kind.name()).to_owned(), lang.moment(act.sent));
        let words = match (act.status, lang, &act.refusal) {
            (ActStatus::Sent | ActStatus::Applied, Lang::Zh, _) => {
                format!("{name}：已发出，等{city}确认（{sent}）")
            }
            (ActStatus::Sent | ActStatus::Applied, Lang::En, _) => {
                format!("{name}: sent, waits for {city} ({sent})")
            }
            (ActStatus::Rejected, Lang::Zh, refusal) => {
                let why = refusal.as_ref().map_or("", |refusal| lang.refusal(refusal));
                format!("{name}：{city}没有接受（{sent}）。{why}")
            }
            (ActStatus::Rejected, Lang::En, refusal) => {
                let why = refusal.as_ref().map_or("", |refusal| lang.refusal(refusal));
                format!("{name}: {city} did not take it ({sent}). {why}")
            }
        };
        PendingAct {
            kind: act.kind,
            name,
            status: act.status,
            sent: act.sent,
            refusal: act.refusal.clone(),
            words,
        }
    };
    acts.iter().filter(|act| act.status != ActStatus::Applied).map(one).collect()
}

/// A city that does not answer, and since when something waits for it.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Stuck {
    pub(crate) city: NodeId,
    pub(crate) since: Timestamp,
}
