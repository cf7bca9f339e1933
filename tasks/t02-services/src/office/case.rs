//! A case side by side (核对): what was handed in on the left, what it is compared with and judged by on the right,
//! what can be done in a bar that stays, and what comes before and after it in the list.
//! Serves clauses 2.4 and 2.5.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Date, Due, MessageId, OfficeId, Role};
use tb_case::ItemRules;
use tb_case::case::{Agreement, ClockKind, Opinion, Outcome, Phase, PhaseKind};
use tb_case::command::CommandKind;
use tb_case::progress::{ClockView, ProgressView};
use tb_case::queue::{self, CaseRow, Neighbours};
use tb_case::text::Text;
use tb_web::{FieldError, Fields, Frame, Html, Lang, PageError, PageResult, Visit, ui};

use super::compare::{self, Application};
use super::file::{self, Event, Opened, Paper, Value};
use super::forms::{self, Deed};
use super::may_open;
use super::narrow::{Narrow, address};
use crate::access::{Shared, case_id};
use crate::cases::progress::{self, Explained};
use crate::correction::title;
use crate::form::spoken;
use crate::parts::Parts;
use crate::words::say;

/// A line of the checklist of the definition (审查要点).
#[derive(Serialize)]
struct Point {
    id: String,
    text: String,
    /// Its source is not certain: it may help to look, never to refuse.
    unconfirmed: bool,
    /// Whether the visitor has ticked it.
    ticked: bool,
}

/// What stands beside a case in the list that it was opened from (前后件).
pub(super) struct Beside {
    neighbours: Neighbours,
    list: Narrow,
    /// The place at which it stands, or stood when it was last seen in the list.
    stood: Option<i64>,
}

/// A case of the applicant before this one.
#[derive(Serialize)]
struct EarlierCase {
    case: CaseId,
    query_code: String,
    item: u16,
    collected: Date,
    phase: PhaseKind,
}

/// What the applicant said beside her answers.
#[derive(Serialize)]
struct Said {
    about: String,
    text: String,
    when: String,
}

/// A clock with what is left of it.
#[derive(Serialize)]
struct ClockLine {
    kind: ClockKind,
    text: String,
    limit: String,
    due: Date,
    left: i64,
    running: bool,
    basis: String,
    unconfirmed: bool,
}

#[derive(Template, Serialize)]
#[template(path = "office/case.html")]
pub(super) struct CasePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    progress: ProgressView,
    due: BTreeMap<String, Due>,
    allowed: Vec<&'static str>,
    materials: Vec<Paper>,
    answers: Vec<Value>,
    /// What the correction changed, by question or material.
    corrected: BTreeMap<String, String>,
    /// What the applicant says is wrong in the register or on a paper, by field.
    disputes: BTreeMap<String, String>,
    checks: Vec<String>,
    points: Vec<Point>,
    /// Whether the points are the visitor's to tick.
    ticking: bool,
    /// What was declared beside what is registered; none for whoever may not see it.
    compare: Option<ui::Compare>,
    earlier: Vec<EarlierCase>,
    said: Vec<Said>,
    /// Its place in the list that it was opened from, from 1.
    place: Option<i64>,
    /// How many the list holds.
    listed: i64,
    previous: Option<CaseId>,
    next: Option<CaseId>,
    clocks: Vec<ClockLine>,
    events: Vec<Event>,
    opinion: Option<Opinion>,
    /// The visitor examined the case and therefore cannot decide it.
    recused: bool,
    read_only: bool,
    /// The act whose form is open.
    doing: Option<&'static str>,
    key: MessageId,
    errors: Vec<FieldError>,
    form: Fields,
    #[serde(skip)]
    applicant: String,
    #[serde(skip)]
    deeds: Vec<Deed>,
    #[serde(skip)]
    deed: Option<Deed>,
    #[serde(skip)]
    questions: Html,
    #[serde(skip)]
    steps: ui::Steps,
    #[serde(skip)]
    calendars: Vec<Explained>,
    #[serde(skip)]
    rules: Option<Arc<ItemRules>>,
    #[serde(skip)]
    done: String,
    #[serde(skip)]
    decide: Option<ui::Decide>,
    #[serde(skip)]
    keys: ui::Keys,
    /// The list that it was opened from: its address, and its query as `?in=` carries it.
    #[serde(skip)]
    list: (String, String),
    #[serde(skip)]
    stood: String,
    /// This page without a form, in its list.
    #[serde(skip)]
    here: String,
    /// The pages before and after it.
    #[serde(skip)]
    beside: [Option<String>; 2],
}

impl CasePage {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }

    fn at(&self, tail: &str) -> String {
        format!("/office/cases/{}{tail}", self.progress.case)
    }

    fn tag(&self) -> Html {
        ui::tag(self.progress.phase.tag(), say(self.lang, &self.progress.phase_name))
    }

    fn code(&self) -> Html {
        ui::code(&ui::grouped(&self.progress.query_code, 4))
    }

    fn name_of(&self, deed: &Deed) -> String {
        say(self.lang, &deed.name()).to_owned()
    }

    fn effect_of(&self, deed: &Deed) -> String {
        say(self.lang, &deed.effect()).to_owned()
    }

    /// Where the case stands in the list, in words.
    fn place_words(&self) -> String {
        let listed = self.listed;
        match (self.place, self.lang) {
            (Some(place), Lang::Zh) => format!("第 {place} 件，共 {listed} 件"),
            (Some(place), Lang::En) => format!("{place} of {listed}"),
            (None, Lang::Zh) => format!("已不在这份清单里，清单还有 {listed} 件"),
            (None, Lang::En) => {
                format!(
                    "no longer in this list, which holds {}",
                    self.lang.count(listed, "", "case", "cases")
                )
            }
        }
    }

    fn previous_at(&self) -> Option<&str> {
        self.beside[0].as_deref()
    }

    fn next_at(&self) -> Option<&str> {
        self.beside[1].as_deref()
    }

    /// Until when it is to be done, in a few words; the whole stands with the clocks.
    fn due_words(&self) -> Option<String> {
        let due = self.progress.due()?.due;
        let left =
            self.clocks.iter().find(|clock| clock.running && clock.due == due).map(|clock| clock.left)?;
        Some(match (left, self.lang) {
            (..=-1, Lang::Zh) => format!("最晚 {}，晚了 {} 天", self.lang.date(due), -left),
            (..=-1, Lang::En) => format!("due {}, {} days late", self.lang.date(due), -left),
            (_, Lang::Zh) => format!("最晚 {}，剩 {left} 天", self.lang.date(due)),
            (_, Lang::En) => format!("due {}, {left} days left", self.lang.date(due)),
        })
    }

    fn unticked(&self) -> usize {
        self.points.iter().filter(|point| !point.ticked).count()
    }

    fn words_of(&self) -> Vec<ui::Message> {
        let message = |said: &Said| ui::Message {
            who: said.about.clone(),
            when: said.when.clone(),
            city: None,
            mine: false,
            text: said.text.clone(),
        };
        self.said.iter().map(message).collect()
    }

    /// The key that opened the form of an act, which also sends it.
    fn key_of(&self, deed: &Deed) -> &'static str {
        key_of(*deed, self.deeds.first())
    }

    fn earlier_tag(&self, earlier: &EarlierCase) -> Html {
        ui::tag(earlier.phase.tag(), say(self.lang, &earlier.phase.name()))
    }

    fn earlier_code(&self, earlier: &EarlierCase) -> Html {
        ui::code(&ui::grouped(&earlier.query_code, 4))
    }

    fn answers_list(&self) -> ui::Summary {
        let row = |value: &Value| {
            let row = ui::SummaryRow::new(&value.label, &value.value);
            match self.corrected.get(&value.id) {
                Some(after) => row.from(self.corrected_to(&value.id, after)),
                None => row,
            }
        };
        ui::Summary { rows: self.answers.iter().map(row).collect() }
    }

    /// What the correction changed an answer to, as people read it.
    fn corrected_to(&self, id: &str, after: &str) -> String {
        let rules = self.rules.as_deref();
        let question = rules.and_then(|rules| rules.all_questions().find(|question| question.id == id));
        let after = question.map_or_else(|| Text::new(after, after), |question| spoken(question, after));
        format!("{}{}", self.lang.t("补正为：", "corrected: "), self.s(&after))
    }

    /// The values of a paper, each with what the applicant says against it.
    fn paper_list(&self, paper: &Paper) -> ui::Summary {
        let row = |value: &Value| {
            let row = ui::SummaryRow::new(&value.label, &value.value);
            match self.disputes.get(&format!("{}.{}", paper.id, value.id)) {
                Some(text) => row.from(format!("{}{text}", self.lang.t("申请人说不对：", "disputed: "))),
                None => row,
            }
        };
        ui::Summary { rows: paper.values.iter().map(row).collect() }
    }

    /// What is disputed and stands on no paper that is shown here: the register of the collecting city.
    fn disputed_elsewhere(&self) -> Vec<(String, &str)> {
        let on_paper = |field: &str| {
            self.materials
                .iter()
                .any(|paper| paper.values.iter().any(|value| field == format!("{}.{}", paper.id, value.id)))
        };
        let elsewhere = self.disputes.iter().filter(|(field, _)| !on_paper(field));
        elsewhere.map(|(field, text)| (self.field_name(field), text.as_str())).collect()
    }

    fn field_name(&self, field: &str) -> String {
        match field {
            "person.name" => self.lang.t("姓名", "Name").to_owned(),
            "person.number" => self.lang.t("身份证号", "Resident number").to_owned(),
            field => self.about(field.split('.').next().unwrap_or_default()),
        }
    }

    /// How the own register stands to the paper now: kind of tag and words.
    fn standing(&self, paper: &Paper) -> Html {
        let lang = self.lang;
        let (zh, en) = paper.state;
        match (paper.current, paper.version, paper.version_now) {
            (Some(true), _, _) => ui::tag(
                "done",
                lang.t("现在仍有效，版本和摘要一致", "still in force, same version and digest"),
            ),
            (Some(false), Some(then), Some(now)) if then != now => {
                let words = match lang {
                    Lang::Zh => format!("现在是第 {now} 版"),
                    Lang::En => format!("now version {now}"),
                };
                ui::tag(if self.progress.result.is_some() { "plain" } else { "stop" }, &words)
            }
            (Some(false), _, _) => ui::tag("stop", lang.t(zh, en)),
            (None, _, _) => ui::tag("plain", lang.t(zh, en)),
        }
    }

    fn digest(&self, paper: &Paper) -> String {
        paper.digest.get(..16).unwrap_or(&paper.digest).to_owned()
    }

    fn clocks_table(&self) -> ui::Table {
        let lang = self.lang;
        let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
        let row = |line: &ClockLine| {
            let left = match (line.running, line.left, lang) {
                (false, _, _) => lang.t("已停", "stopped").to_owned(),
                (true, ..=-1, Lang::Zh) => format!("晚了 {} 天", -line.left),
                (true, ..=-1, Lang::En) => format!("{} days late", -line.left),
                (true, left, Lang::Zh) => format!("剩 {left} 天"),
                (true, left, Lang::En) => lang.count(left, "", "day left", "days left"),
            };
            let basis = match line.unconfirmed {
                true => ui::Cell::tag("wait", lang.t("待核实", "to be verified")),
                false => ui::Cell::text(&line.basis),
            };
            ui::TableRow::new(vec![
                ui::Cell::text(&line.text).note(&line.limit),
                ui::Cell::text(lang.date(line.due)),
                ui::Cell::text(left),
                basis,
            ])
        };
        ui::Table {
            caption: lang.t("时限", "Clocks").to_owned(),
            heads: vec![
                head("时限", "Clock"),
                head("最晚", "Due"),
                head("还剩", "Left"),
                head("依据", "Basis"),
            ],
            rows: self.clocks.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    fn events_table(&self) -> ui::Table {
        let lang = self.lang;
        let head = |zh: &str, en: &str| ui::Head::text(lang.t(zh, en));
        let row = |event: &Event| {
            ui::TableRow::new(vec![
                ui::Cell::text(event.seq.to_string()),
                ui::Cell::text(file::happened(lang, event.kind)),
                ui::Cell::text(lang.moment(event.at)),
                ui::Cell::text(self.frame.city_name(event.city)).note(file::party_words(lang, event.party)),
                ui::Cell::code(event.hash.get(..12).unwrap_or_default()),
            ])
        };
        ui::Table {
            caption: lang.t("办件履历", "History").to_owned(),
            heads: vec![
                head("序", "No."),
                head("事", "What"),
                head("时间", "When"),
                head("谁", "Who"),
                head("摘要", "Hash"),
            ],
            rows: self.events.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    fn about(&self, about: &str) -> String {
        say(self.lang, &title(self.rules.as_deref(), about)).to_owned()
    }

    fn opinion_words(&self, opinion: &Opinion) -> &'static str {
        match opinion.agrees {
            Agreement::Approve => self.lang.t("建议准予", "Proposes to grant"),
            Agreement::Refuse => self.lang.t("建议不予", "Proposes to refuse"),
        }
    }

    fn reasons(&self) -> &[tb_case::case::Reason] {
        match &self.progress.outcome {
            Some(Outcome::Refused { reasons, .. }) => reasons,
            Some(Outcome::Approved) | None => &[],
        }
    }

    fn remedies(&self) -> &[tb_case::case::RemedyText] {
        match &self.progress.outcome {
            Some(Outcome::Refused { remedies, .. }) => remedies,
            Some(Outcome::Approved) | None => &[],
        }
    }
}

/// GET /office/cases/{id}?do=&in=&at=
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, case_id(&id)?).await?;
    let deed =
        visit.param("do").as_deref().and_then(Deed::of).filter(|deed| opened.allowed.contains(&deed.kind()));
    let rules = parts.catalogue.rules(opened.view.item, opened.view.deciding.city);
    let form = Fields::blank(&visit);
    let form = match (deed, &rules) {
        (Some(deed), Some(rules)) => forms::blank(form, deed, rules),
        (_, _) => form,
    };
    let given = |name| visit.param(name).unwrap_or_default();
    let beside = beside(&visit, &parts, &opened, &given("in"), &given("at")).await?;
    visit.page(page(&visit, &parts, opened, &beside, deed, form))
}

/// Opens a case for the visitor; each opening leaves its looks.
pub(super) async fn open(visit: &Visit, parts: &Shared, id: CaseId) -> Result<Opened, PageError> {
    let (ctx, shared, lang) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.lang);
    Ok(visit.app.store.write("t02.office.case", move |tx| file::open(tx, &ctx, &shared, lang, id)).await?)
}

/// What stands beside a case in the list of its office that `within` says; `stood` is its place where it has left it.
pub(super) async fn beside(
    visit: &Visit,
    parts: &Shared,
    opened: &Opened,
    within: &str,
    stood: &str,
) -> Result<Beside, PageError> {
    let list = Narrow::written(visit, within);
    let (office, case): (OfficeId, CaseId) = (opened.view.deciding.office.clone(), opened.view.case);
    let theirs = super::queue::mine(&visit.ctx, &office);
    let filter = list.filter(parts, visit.lang, visit.ctx.now, &theirs);
    let (order, stood) = (list.order, stood.parse().ok());
    let read = move |tx: &mut tb_store::Tx<'_>| queue::neighbours(tx, &office, &filter, order, case, stood);
    let neighbours = visit.app.store.read_snapshot("t02.office.beside", read).await?;
    Ok(Beside { stood: neighbours.place.or(stood), neighbours, list })
}

/// The page of a case, with the form of an act open or not.
pub(super) fn page(
    visit: &Visit,
    parts: &Parts,
    opened: Opened,
    beside: &Beside,
    deed: Option<Deed>,
    form: Fields,
) -> CasePage {
    let (lang, view) = (visit.lang, &opened.view);
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let given = match (&opened.file, &rules) {
        (Some(file), Some(rules)) => file::answers(lang, file, rules),
        (_, _) => Vec::new(),
    };
    let corrected: BTreeMap<String, String> =
        given.iter().filter_map(|(value, after)| Some((value.id.clone(), after.clone()?))).collect();
    let compare = compared(visit, parts, &opened, rules.as_deref(), &corrected);
    let opinion = match opened.case.as_ref().map(|case| &case.phase) {
        Some(Phase::Accepted { opinion, .. }) => opinion.clone(),
        Some(_) | None => None,
    };
    let examined = opened.case.as_ref().is_some_and(|case| case.examiners.contains(&name_of(visit)));
    let deeds = forms::deeds(&opened.allowed);
    let questions = match (deed, &rules) {
        (Some(deed), Some(rules)) => forms::show(lang, &form, deed, rules),
        (_, _) => Html::default(),
    };
    let way = Way::of(visit, view.case, beside);
    let name = say(lang, &view.item_name);
    let heading = format!("{name} · {}", say(lang, &view.phase_name));
    let frame = visit.frame(&heading, &heading).crumb("待办", "To do", &way.list.0).desk();
    CasePage {
        frame: frame.errors(&form),
        lang,
        due: progress::due(parts, view),
        steps: progress::steps(visit, view),
        calendars: progress::calendars(visit, parts, view),
        allowed: deeds.iter().map(|deed| deed.word()).collect(),
        applicant: applicant(&opened.papers),
        checks: opened
            .file
            .as_ref()
            .map_or_else(Vec::new, |file| checks(lang, &file.filing.checks, rules.as_deref())),
        disputes: opened.file.as_ref().map_or_else(BTreeMap::new, |file| file.filing.disputes.clone()),
        answers: given.into_iter().map(|(value, _)| value).collect(),
        corrected,
        points: rules.as_deref().map_or_else(Vec::new, |rules| points(lang, rules, &opened.ticks)),
        ticking: may_open(&visit.ctx, &view.deciding.office) && !view.phase.is_over(),
        earlier: opened.earlier.iter().map(earlier_case).collect(),
        said: said(lang, &opened, rules.as_deref()),
        place: beside.neighbours.place,
        listed: beside.neighbours.total,
        previous: beside.neighbours.previous,
        next: beside.neighbours.next,
        clocks: view.clocks.iter().map(|clock| clock_line(visit, clock)).collect(),
        events: file::events(&opened.records),
        opinion,
        recused: examined
            && view.phase == PhaseKind::Accepted
            && visit.ctx.actor.role() == Some(Role::Approver),
        read_only: visit.ctx.actor.role() == Some(Role::Supervisor),
        doing: deed.map(Deed::word),
        key: visit.ctx.id(MessageId::new),
        errors: form.all_errors().to_vec(),
        questions,
        decide: match deed {
            None if !deeds.is_empty() => Some(decide(visit, &deeds, compare.as_ref(), &way)),
            None | Some(_) => None,
        },
        keys: keys(lang, &deeds),
        list: way.list,
        stood: way.stood,
        here: way.here,
        beside: way.beside,
        compare,
        deeds,
        deed,
        form,
        rules,
        done: visit.param("done").unwrap_or_default(),
        materials: opened.papers,
        progress: opened.view,
    }
}

/// The addresses on the page of a case, all within the list that it was opened from.
struct Way {
    list: (String, String),
    stood: String,
    here: String,
    beside: [Option<String>; 2],
    path: String,
}

impl Way {
    fn of(visit: &Visit, case: CaseId, beside: &Beside) -> Way {
        let list = (beside.list.address(visit), beside.list.query(visit));
        let within = [("in", list.1.as_str())];
        let path = format!("/office/cases/{case}");
        let to = |case: CaseId| address(visit, &format!("/office/cases/{case}"), &within);
        Way {
            here: address(visit, &path, &within),
            beside: [beside.neighbours.previous.map(to), beside.neighbours.next.map(to)],
            stood: beside.stood.map(|stood| stood.to_string()).unwrap_or_default(),
            path,
            list,
        }
    }

    /// The form of an act.
    fn form(&self, visit: &Visit, deed: Deed) -> String {
        let query = [("do", deed.word()), ("in", self.list.1.as_str()), ("at", self.stood.as_str())];
        format!("{}#do", address(visit, &self.path, &query))
    }
}

/// The key of an act: for the applicant, against her, or what she is asked for.
fn key_of(deed: Deed, first: Option<&Deed>) -> &'static str {
    match deed {
        _ if deed.is_adverse() => "N",
        Deed::AskCorrection => "B",
        _ if first == Some(&deed) => "Y",
        _ => "",
    }
}

/// The bar of what can be done: what speaks for the applicant is filled and stands last.
fn decide(visit: &Visit, deeds: &[Deed], compare: Option<&ui::Compare>, way: &Way) -> ui::Decide {
    let lang = visit.lang;
    let text = match compare {
        Some(compare) => {
            format!("{}{}", lang.t("申报与登记：", "Declared and registered: "), compare.count())
        }
        None => String::new(),
    };
    let note = deeds.first().map(|deed| say(lang, &deed.effect()).to_owned()).unwrap_or_default();
    let act = |deed: &Deed| {
        let kind = match (deed.is_adverse(), deeds.first() == Some(deed)) {
            (true, _) => "stop",
            (false, true) => "",
            (false, false) => "line",
        };
        ui::DecideAct::go(say(lang, &deed.name()), way.form(visit, *deed), kind)
            .key(key_of(*deed, deeds.first()))
    };
    let bar = ui::Decide::of(lang, text, "", &visit.csrf).note(note);
    deeds.iter().rev().fold(bar, |bar, deed| bar.act(act(deed)))
}

/// The keys of this page and what they do; each has its button or link.
fn keys(lang: Lang, deeds: &[Deed]) -> ui::Keys {
    let mut keys = vec![
        ("[", lang.t("上一件", "the case before")),
        ("]", lang.t("下一件", "the next case")),
        ("L", lang.t("回清单", "back to the list")),
        ("1–9", lang.t("勾选要点", "tick a point")),
    ];
    let names: Vec<(&'static str, Text)> = deeds
        .iter()
        .map(|deed| (key_of(*deed, deeds.first()), deed.name()))
        .filter(|(key, _)| !key.is_empty())
        .collect();
    keys.extend(names.iter().map(|(key, name)| (*key, say(lang, name))));
    ui::Keys::of(lang, &keys)
}

/// What was declared beside what is registered, for whoever may see it.
fn compared(
    visit: &Visit,
    parts: &Parts,
    opened: &Opened,
    rules: Option<&ItemRules>,
    corrected: &BTreeMap<String, String>,
) -> Option<ui::Compare> {
    let (file, case, rules) = (opened.file.as_ref()?, opened.case.as_ref()?, rules?);
    let mut answers = file.filing.answers.clone();
    answers.extend(corrected.iter().map(|(id, after)| (id.clone(), after.clone())));
    let licences = &case.opening.licences;
    let application = Application { rules, answers: &answers, disputes: &file.filing.disputes, licences };
    let lines = compare::compare(&application, &opened.register);
    Some(compare::shown(visit, parts, rules, licences, &opened.register, &lines))
}

/// What the applicant said beside her answers: what she disputes, and what she wrote to a correction.
fn said(lang: Lang, opened: &Opened, rules: Option<&ItemRules>) -> Vec<Said> {
    let Some(file) = &opened.file else { return Vec::new() };
    let about = |id: &str| say(lang, &title(rules, id)).to_owned();
    let collected = lang.moment(opened.view.collected);
    let disputes = file.filing.disputes.iter().map(|(field, text)| {
        let name = match field.as_str() {
            "person.name" => lang.t("姓名", "Name").to_owned(),
            "person.number" => lang.t("身份证号", "Resident number").to_owned(),
            field => about(field.split('.').next().unwrap_or_default()),
        };
        let (text, when) = (text.clone(), collected.clone());
        Said { about: format!("{}{name}", lang.t("登记不对：", "Disputed: ")), text, when }
    });
    let answered = |at: usize| {
        let corrections = opened.case.as_ref().map(|case| case.corrections.as_slice()).unwrap_or_default();
        corrections.get(at).and_then(|correction| correction.answered).map(|at| lang.moment(at))
    };
    let questions = |id: &str| rules.and_then(|rules| rules.all_questions().find(|it| it.id == id));
    let answers = file.answers.iter().enumerate().flat_map(|(at, answers)| {
        answers.lines.iter().map(move |line| Said {
            about: format!("{}{}", lang.t("补正：", "Correction: "), about(&line.about)),
            text: match questions(&line.about) {
                Some(question) => say(lang, &spoken(question, &line.text)).to_owned(),
                None => line.text.clone(),
            },
            when: answered(at).unwrap_or_default(),
        })
    });
    disputes.chain(answers).collect()
}

fn earlier_case(row: &CaseRow) -> EarlierCase {
    EarlierCase {
        case: row.case,
        query_code: row.query_code.clone(),
        item: row.item,
        collected: row.collected.date(),
        phase: row.phase,
    }
}

/// The opaque name under which the case block knows the visitor.
fn name_of(visit: &Visit) -> String {
    visit.ctx.actor.to_string()
}

/// Name and number as the papers say them; empty for whoever may not open them.
fn applicant(papers: &[Paper]) -> String {
    let value = |id: &str| {
        let mut values = papers.iter().flat_map(|paper| &paper.values);
        values.find(|value| value.id == id).map(|value| value.value.clone()).unwrap_or_default()
    };
    format!("{} {}", value("name"), value("number")).trim().to_owned()
}

fn checks(lang: Lang, ticked: &[String], rules: Option<&ItemRules>) -> Vec<String> {
    let known = rules.map(|rules| rules.checks.as_slice()).unwrap_or_default();
    let found = known.iter().filter(|check| ticked.contains(&check.id));
    found.map(|check| say(lang, &check.text).to_owned()).collect()
}

fn points(lang: Lang, rules: &ItemRules, ticks: &BTreeSet<String>) -> Vec<Point> {
    let point = |condition: &tb_case::definitions::Condition| Point {
        id: condition.id.clone(),
        text: say(lang, &condition.text).to_owned(),
        unconfirmed: condition.unconfirmed,
        ticked: ticks.contains(&condition.id),
    };
    rules.conditions.iter().map(point).collect()
}

fn clock_line(visit: &Visit, clock: &ClockView) -> ClockLine {
    let lang = visit.lang;
    let left = clock.due.since(visit.ctx.now.date()).map_or(0, |span| i64::from(span.get_days()));
    ClockLine {
        kind: clock.kind,
        text: say(lang, &clock.text).to_owned(),
        limit: lang.t(&clock.input.limit.zh(), &clock.input.limit.en()).to_owned(),
        due: clock.due,
        left,
        running: clock.stopped.is_none(),
        basis: clock.basis.clone().unwrap_or_default(),
        unconfirmed: clock.unconfirmed,
    }
}

/// Whether a command is one that the visitor may give now.
pub(super) fn allows(opened: &Opened, kind: CommandKind) -> bool {
    opened.allowed.contains(&kind)
}
