//! A case side by side (核对): what was handed in on the left, what is to be judged and done on the right.
//! Serves clauses 2.4 and 2.5.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Date, Due, MessageId, Role};
use tb_case::ItemRules;
use tb_case::case::{Agreement, ClockKind, Opinion, Outcome, Phase, PhaseKind};
use tb_case::command::CommandKind;
use tb_case::progress::{ClockView, ProgressView};
use tb_case::text::Text;
use tb_web::{FieldError, Fields, Frame, Html, Lang, PageError, PageResult, Visit, ui};

use super::file::{self, Event, Opened, Paper, Value};
use super::forms::{self, Deed};
use crate::access::{Shared, case_id};
use crate::cases::progress::{self, Explained};
use crate::correction::title;
use crate::form::spoken;
use crate::parts::Parts;
use crate::words::{phase_tag, say};

/// A line of the checklist of the definition (审查要点).
#[derive(Serialize)]
struct Point {
    id: String,
    text: String,
    /// Its source is not certain: it may help to look, never to refuse.
    unconfirmed: bool,
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
    due_box: Option<ui::DueBox>,
    #[serde(skip)]
    calendars: Vec<Explained>,
    #[serde(skip)]
    rules: Option<Arc<ItemRules>>,
    #[serde(skip)]
    done: String,
}

impl CasePage {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }

    fn at(&self, tail: &str) -> String {
        format!("/office/cases/{}{tail}", self.progress.case)
    }

    fn tag(&self) -> Html {
        ui::tag(phase_tag(self.progress.phase), say(self.lang, &self.progress.phase_name))
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

    fn href_of(&self, deed: &Deed) -> String {
        self.at(&format!("?do={}#do", deed.word()))
    }

    /// The kind of button: the first act is the next step, one against the applicant is outlined red.
    fn kind_of(&self, deed: &Deed) -> &'static str {
        match (deed.is_adverse(), self.deeds.first() == Some(deed)) {
            (true, _) => "stop",
            (false, true) => "",
            (false, false) => "line",
        }
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

/// GET /office/cases/{id}?do=
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
    visit.page(page(&visit, &parts, opened, deed, form))
}

/// Opens a case for the visitor; each opening leaves its looks.
pub(super) async fn open(visit: &Visit, parts: &Shared, id: CaseId) -> Result<Opened, PageError> {
    let (ctx, shared, lang) = (visit.ctx.clone(), Arc::clone(&parts.0), visit.lang);
    Ok(visit.app.store.write("t02.office.case", move |tx| file::open(tx, &ctx, &shared, lang, id)).await?)
}

/// The page of a case, with the form of an act open or not.
pub(super) fn page(
    visit: &Visit,
    parts: &Parts,
    opened: Opened,
    deed: Option<Deed>,
    form: Fields,
) -> CasePage {
    let (lang, view) = (visit.lang, opened.view);
    let rules = parts.catalogue.rules(view.item, view.deciding.city);
    let given = match (&opened.file, &rules) {
        (Some(file), Some(rules)) => file::answers(lang, file, rules),
        (_, _) => Vec::new(),
    };
    let corrected =
        given.iter().filter_map(|(value, after)| Some((value.id.clone(), after.clone()?))).collect();
    let opinion = match opened.case.as_ref().map(|case| &case.phase) {
        Some(Phase::Accepted { opinion, .. }) => opinion.clone(),
        Some(_) | None => None,
    };
    let examined = opened.case.as_ref().is_some_and(|case| case.examiners.contains(&name_of(visit)));
    let deeds = forms::deeds(&opened.allowed);
    let name = say(lang, &view.item_name).to_owned();
    let questions = match (deed, &rules) {
        (Some(deed), Some(rules)) => forms::show(lang, &form, deed, rules),
        (_, _) => Html::default(),
    };
    let heading = format!("{name} · {}", say(lang, &view.phase_name));
    let frame = visit.frame(&heading, &heading).crumb("待办", "To do", "/office").desk();
    CasePage {
        frame: frame.errors(&form),
        lang,
        due: progress::due(parts, &view),
        steps: progress::steps(visit, &view),
        due_box: progress::due_box(visit, parts, &view),
        calendars: progress::calendars(visit, parts, &view),
        allowed: deeds.iter().map(|deed| deed.word()).collect(),
        applicant: applicant(&opened.papers),
        materials: opened.papers,
        checks: opened
            .file
            .as_ref()
            .map_or_else(Vec::new, |file| checks(lang, &file.filing.checks, rules.as_deref())),
        disputes: opened.file.as_ref().map_or_else(BTreeMap::new, |file| file.filing.disputes.clone()),
        answers: given.into_iter().map(|(value, _)| value).collect(),
        corrected,
        points: rules.as_deref().map_or_else(Vec::new, |rules| points(lang, rules)),
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
        deeds,
        deed,
        form,
        rules,
        done: visit.param("done").unwrap_or_default(),
        progress: view,
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

fn points(lang: Lang, rules: &ItemRules) -> Vec<Point> {
    let point = |condition: &tb_case::definitions::Condition| Point {
        id: condition.id.clone(),
        text: say(lang, &condition.text).to_owned(),
        unconfirmed: condition.unconfirmed,
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
