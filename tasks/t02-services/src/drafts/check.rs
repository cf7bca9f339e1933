//! The check before handing in (核对), and handing in (提交).
//! Serves clauses 2.2 and 2.3.
//!
//! Invariant: the same command hands in once, however often the button is pressed.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Date, Deadline, DeadlineInput, Error, MessageId, PersonId, Refusal};
use tb_case::case::Channel;
use tb_case::definitions::ClockRule;
use tb_case::draft::{self, Draft, Fetched};
use tb_case::{form as rule, submit};
use tb_identity::permit::Action;
use tb_licence::types::{FieldKind, Mask, mask};
use tb_store::Tx;
use tb_web::{Fields, Form, Frame, Lang, PageResult, Visit, redirect, ui};

use super::{DraftHead, Opened, dispute, open, step_count, step_words};
use crate::access::{Shared, command, draft_id, no_case, no_draft, resident};
use crate::cases::open::OpenCase;
use crate::form::{self, Known};
use crate::parts::Parts;
use crate::words::{city, city_name, say};

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t02/check.html")]
pub(super) struct CheckPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    draft: DraftHead,
    answers: Vec<Line>,
    /// What is still missing; empty when it may be handed in.
    missing: Vec<Refusal>,
    command: MessageId,
    /// The last day by law, if it is handed in today.
    legal: Option<Date>,
    /// The last day that the city promises.
    promised: Option<Date>,
    #[serde(skip)]
    groups: Vec<(String, ui::Summary)>,
    #[serde(skip)]
    office: String,
    #[serde(skip)]
    step: String,
    /// What she says is wrong, by field.
    disputes: BTreeMap<String, String>,
    /// Cases of the same item that she has under way.
    open: Vec<OpenCase>,
    #[serde(skip)]
    wrong: Option<dispute::Open>,
    #[serde(skip)]
    noted: bool,
    form: Fields,
}

/// One answer with its source; an empty source is her own word.
#[derive(Clone, Serialize)]
struct Line {
    /// The question, or `material.field`.
    id: String,
    label: String,
    value: String,
    source: String,
    #[serde(skip)]
    href: String,
}

/// GET /drafts/{draft}/check
pub(crate) async fn show(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let opened = open(&visit, &parts, &id).await?;
    let command = visit.ctx.id(MessageId::new);
    visit.page(view(&visit, &parts, &opened, command, Fields::blank(&visit)))
}

/// POST /drafts/{draft}/submit: hands in; gives every mistake at once where something is missing.
pub(crate) async fn send(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let (draft, (person, _)) = (draft_id(&id)?, resident(&visit.ctx, Action::FileCase)?);
    let mut fields = form.fields();
    let command = command(&visit.ctx, &fields)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts));
    let handed_in = visit.app.store.write("t02.submit", move |tx| {
        match draft::find(tx, &shared.env, draft)? {
            Some(held) if held.person != person => return Err(no_draft()),
            Some(held) => {
                super::acting::still_may(tx, &ctx, (person, draft))?;
                super::online(tx, &ctx, &shared, held).map(drop)?;
            }
            None => {}
        }
        let case = submit(tx, &ctx, &shared.env, draft, command)?;
        hers(tx, case, person)
    });
    match handed_in.await {
        Ok(case) => Ok(redirect(&format!("/cases/{case}"))),
        Err(Error::Refused(refusal)) if refusal.code.starts_with("CAS-DRA") => {
            Err(Error::Refused(refusal).into())
        }
        Err(Error::Refused(refusal)) => {
            let opened = open(&visit, &parts, &id).await?;
            let missing = missing(&opened);
            if missing.is_empty() {
                fields.refuse(&refusal);
            }
            for missing in &missing {
                fields.refuse(&worded(missing, &opened));
            }
            visit.form_again(view(&visit, &parts, &opened, command, fields))
        }
        Err(error) => Err(error.into()),
    }
}

/// A command that handed in somebody else's case gives nothing away.
fn hers(tx: &mut Tx<'_>, case: CaseId, person: PersonId) -> tb_base::Result<CaseId> {
    match tb_case::acts::person_of(tx, case)? {
        Some(owner) if owner == person => Ok(case),
        Some(_) | None => Err(no_case()),
    }
}

/// What is still missing, when it is handed in on this site.
fn missing(opened: &Opened) -> Vec<Refusal> {
    let online = Draft { channel: Channel::Online, ..opened.draft.clone() };
    submit::missing(&online, &opened.rules)
}

/// A refusal that names a material by its id, in the words of the definition.
fn worded(refusal: &Refusal, opened: &Opened) -> Refusal {
    let material = refusal.field.as_deref().and_then(|id| opened.rules.material(id));
    match material {
        Some(material) => Refusal {
            zh: refusal.zh.replace(&material.id, &material.title.zh).into(),
            en: refusal.en.replace(&material.id, &material.title.en).into(),
            ..refusal.clone()
        },
        None => refusal.clone(),
    }
}

/// The page with the note on a value open, after something was wrong with it.
pub(super) fn disputed(
    visit: &Visit,
    parts: &Parts,
    opened: &Opened,
    field: &str,
    form: Fields,
) -> CheckPage {
    let page = view(visit, parts, opened, visit.ctx.id(MessageId::new), form);
    CheckPage { wrong: wrong(opened, &page.answers, field, &page.form), ..page }
}

/// The note on a value that was filled in; her own answers she changes herself.
fn wrong(opened: &Opened, lines: &[Line], field: &str, form: &Fields) -> Option<dispute::Open> {
    let line = lines.iter().find(|line| line.id == field && !line.is_own())?;
    Some(dispute::Open::of(opened, field, &line.label, &line.value, form))
}

fn view(visit: &Visit, parts: &Parts, opened: &Opened, command: MessageId, form: Fields) -> CheckPage {
    let (lang, draft, rules) = (visit.lang, &opened.draft, &opened.rules);
    let groups = groups(visit, parts, opened);
    let missing = missing(opened).iter().map(|refusal| worded(refusal, opened)).collect();
    let due = |clock: &ClockRule| {
        Deadline::compute(&parts.calendar, &DeadlineInput::new(visit.ctx.now, clock.limit.limit())).date
    };
    let before = format!("/drafts/{}/consent", draft.id);
    let answers: Vec<Line> = groups.iter().flat_map(|(_, lines)| lines.clone()).collect();
    let asked = visit.param("wrong").unwrap_or_default();
    CheckPage {
        frame: visit
            .frame("核对后提交", "Check and hand in")
            .crumb("‹ 返回上一步", "‹ Back", &before)
            .errors(&form),
        lang,
        draft: DraftHead::of(lang, draft, rules),
        wrong: wrong(opened, &answers, &asked, &form),
        answers,
        missing,
        command,
        legal: Some(due(&rules.clocks.legal)),
        promised: Some(due(&rules.clocks.promised)),
        groups: groups.into_iter().map(|(title, lines)| (title, summary(lang, draft, lines))).collect(),
        office: say(lang, &rules.offices.deciding.name).to_owned(),
        step: step_words(lang, step_count(rules), step_count(rules)),
        disputes: draft.disputes.clone(),
        open: opened.open.clone(),
        noted: visit.param("done").is_some_and(|done| done == "noted"),
        form,
    }
}

/// The groups of the check: who she is, each paper, each page of the form.
fn groups(visit: &Visit, parts: &Parts, opened: &Opened) -> Vec<(String, Vec<Line>)> {
    let lang = visit.lang;
    let mut groups = vec![(lang.t("您本人", "You").to_owned(), herself(visit, opened))];
    for fetched in &opened.draft.fetched {
        let material = opened.rules.material(&fetched.material);
        let title = material.map_or(String::new(), |material| say(lang, &material.title).to_owned());
        groups.push((title, paper(visit, parts, fetched, opened.person.number.as_str())));
    }
    let known = form::known(&opened.rules, &opened.draft, &opened.person, &city(&visit.app, visit.ctx.node));
    let answers = rule::clean(&opened.rules, &opened.draft.answers);
    for page in &opened.rules.pages {
        let asked = page.questions.iter().filter(|question| rule::is_asked(question, &answers));
        let lines = asked.map(|question| {
            let answer = answers.get(&question.id).map(String::as_str).unwrap_or_default();
            Line {
                id: question.id.clone(),
                label: say(lang, &question.text).to_owned(),
                value: say(lang, &form::spoken(question, answer)).to_owned(),
                source: unchanged(lang, known.get(&question.id), answer),
                href: format!("/drafts/{}?page={}&back=check#{}", opened.draft.id, page.id, question.id),
            }
        });
        groups
            .push((say(lang, &page.title).to_owned(), lines.filter(|line| !line.value.is_empty()).collect()));
    }
    groups.into_iter().filter(|(_, lines)| !lines.is_empty()).collect()
}

/// The source of an answer that she left as it was filled in.
fn unchanged(lang: Lang, known: Option<&Known>, answer: &str) -> String {
    known
        .filter(|known| known.value == answer)
        .map_or(String::new(), |known| say(lang, &known.source).to_owned())
}

fn herself(visit: &Visit, opened: &Opened) -> Vec<Line> {
    let lang = visit.lang;
    let here = city_name(&visit.app, lang, visit.ctx.node);
    let source = match lang {
        Lang::Zh => format!("{here}市人口登记"),
        Lang::En => format!("population register of {here}"),
    };
    let line = |id: &str, label: &str, value: String| Line {
        id: id.to_owned(),
        label: label.to_owned(),
        value,
        source: source.clone(),
        href: format!("/drafts/{}/check?wrong={id}#wrong", opened.draft.id),
    };
    vec![
        line("person.name", lang.t("姓名", "Name"), opened.person.name.clone()),
        line("person.number", lang.t("身份证号", "Resident number"), opened.person.number.masked()),
    ]
}

fn paper(visit: &Visit, parts: &Parts, fetched: &Fetched, number: &str) -> Vec<Line> {
    let (lang, kind) = (visit.lang, parts.types.get(&fetched.kind));
    let (from, at) = (city_name(&visit.app, lang, fetched.issuer), lang.moment(fetched.at));
    let source = match lang {
        Lang::Zh => format!("{from}电子证照，{at} 取得"),
        Lang::En => format!("electronic licence of {from}, fetched {at}"),
    };
    let line = |field: &tb_licence::types::Field| {
        let value = fetched.values.get(&field.id)?;
        let id = format!("{}.{}", fetched.material, field.id);
        // Some licences are numbered with the resident number itself.
        let hidden = field.kind == FieldKind::ResidentNumber || value == number;
        Some(Line {
            label: lang.t(&field.title, &field.title_en).to_owned(),
            value: if hidden { mask(Mask::Number, value) } else { value.clone() },
            source: source.clone(),
            href: format!("?wrong={id}#wrong"),
            id,
        })
    };
    kind.map_or(Vec::new(), |kind| kind.fields.iter().filter_map(line).collect())
}

impl Line {
    /// Whether she can change it here; otherwise it is as its source says.
    fn is_own(&self) -> bool {
        self.source.is_empty() || self.href.contains("back=check")
    }
}

fn summary(lang: Lang, draft: &Draft, lines: Vec<Line>) -> ui::Summary {
    let row = |line: Line| {
        let own = line.is_own();
        let row = ui::SummaryRow::new(line.label, line.value);
        let row = match (line.source.is_empty(), own, draft.disputes.get(&line.id)) {
            (true, _, _) => row.yours(lang.t("您填的", "Yours")),
            (false, true, _) => row.yours(line.source),
            (false, false, None) => row.from(line.source),
            (false, false, Some(text)) => row.from(format!(
                "{}{}{text}",
                line.source,
                lang.t("；您说不对：", "; you say it is wrong: ")
            )),
        };
        let word = if own { lang.t("改", "Change") } else { lang.t("不对", "Wrong") };
        let href = if line.href.starts_with('?') {
            format!("/drafts/{}/check{}", draft.id, line.href)
        } else {
            line.href
        };
        row.action(word, href)
    };
    ui::Summary { rows: lines.into_iter().map(row).collect() }
}
