//! What she may do with a case (申请人动作): answer a correction, withdraw, rate.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariant: an act runs here where this city owns the case and is passed on where it does not; either way once.

use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{CaseId, Class, Error, MessageId, Refusal};
use tb_case::acts::{self, Acted};
use tb_case::command::{Answers, Command, CommandKind};
use tb_case::definitions::{GradeText, RatingTarget};
use tb_case::draft;
use tb_identity::permit::Action;
use tb_web::{Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageError, PageResult, Visit, redirect};

use super::show::{self, Seen, see, target_name, target_word};
use crate::access::{Shared, case_id, command, own_case, resident};
use crate::correction::answers;
use crate::parts::Parts;
use crate::words::say;

/// POST /cases/{case}/correction: one answer for each line of the notice, in `answer.<about>`.
pub(crate) async fn correct(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let case = case_id(&id)?;
    let seen = see(&visit, &parts, case).await?;
    let mut fields = form.fields();
    let rules = parts.catalogue.rules(seen.view.item, seen.view.deciding.city);
    let lines = answers(rules.as_deref(), &seen.view, &mut fields);
    if !fields.has_errors() {
        let command = Command::AnswerCorrection { answers: Answers { salt: String::new(), lines } };
        if let Some(answer) =
            give(&visit, &parts, case, &mut fields, Action::AnswerCorrection, command).await?
        {
            return Ok(answer);
        }
    }
    visit.form_again(show::page(&visit, &parts, seen, fields))
}

/// Gives a command; a refusal of the input stays in the form, and nothing comes back then.
async fn give(
    visit: &Visit,
    parts: &Arc<Parts>,
    case: CaseId,
    fields: &mut Fields,
    action: Action,
    what: Command,
) -> Result<Option<axum::response::Response>, PageError> {
    let (person, _) = resident(&visit.ctx, action)?;
    let id = command(&visit.ctx, fields)?;
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(parts));
    let acted = visit.app.store.write("t02.act", move |tx| {
        own_case(tx, case, person)?;
        acts::act(tx, &ctx, &shared.env, case, what.clone(), id)
    });
    match acted.await {
        Ok(Acted::Applied(_)) => Ok(Some(redirect(&format!("/cases/{case}?done=applied")))),
        Ok(Acted::Sent) => Ok(Some(redirect(&format!("/cases/{case}?done=sent")))),
        Err(Error::Refused(refusal))
            if matches!(refusal.class, Class::Invalid | Class::NotNow | Class::Conflict) =>
        {
            fields.refuse(&refusal);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// POST /cases/{case}/again: begins again, on this site, what the deciding city sent back.
pub(crate) async fn again(visit: Visit, parts: Shared, id: Path<String>, _: Form) -> PageResult {
    let (case, (person, _)) = (case_id(&id)?, resident(&visit.ctx, Action::FileCase)?);
    let (ctx, shared) = (visit.ctx.clone(), Arc::clone(&parts));
    let begun = visit.app.store.write("t02.again", move |tx| {
        own_case(tx, case, person)?;
        let made = draft::from_returned(tx, &ctx, &shared.env, case)?;
        Ok(crate::drafts::online(tx, &ctx, &shared, made)?.id)
    });
    Ok(redirect(&format!("/drafts/{}", begun.await?)))
}

/// The question before a case is withdrawn.
#[derive(Template, Serialize)]
#[template(path = "t02/withdraw.html")]
struct Withdraw {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    name: String,
    office: String,
    command: MessageId,
    form: Fields,
}

/// GET /cases/{case}/withdraw
pub(crate) async fn confirm_withdraw(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let case = case_id(&id)?;
    let seen = see(&visit, &parts, case).await?;
    if !seen.actions.contains(&CommandKind::Withdraw) {
        let refusal =
            Refusal::not_now("T02-ACT-001", "这件办件现在不能撤回", "The case cannot be withdrawn now");
        return Err(refusal
            .but(
                "决定作出前可以撤回；决定后可以走救济途径",
                "It can be until the decision; after it, use the remedies",
            )
            .into());
    }
    let form = Fields::blank(&visit);
    visit.page(withdrawal(&visit, case, &seen, form))
}

fn withdrawal(visit: &Visit, case: CaseId, seen: &Seen, form: Fields) -> Withdraw {
    let back = format!("/cases/{case}");
    Withdraw {
        frame: visit.frame("撤回申请", "Withdraw").crumb("办件进度", "Progress", &back).errors(&form),
        lang: visit.lang,
        case,
        name: say(visit.lang, &seen.view.item_name).to_owned(),
        office: say(visit.lang, &seen.view.deciding.name).to_owned(),
        command: visit.ctx.id(MessageId::new),
        form,
    }
}

/// POST /cases/{case}/withdraw
pub(crate) async fn withdraw(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let case = case_id(&id)?;
    let mut fields = form.fields();
    let given = give(&visit, &parts, case, &mut fields, Action::WithdrawCase, Command::Withdraw).await?;
    if let Some(answer) = given {
        return Ok(answer);
    }
    let seen = see(&visit, &parts, case).await?;
    visit.form_again(withdrawal(&visit, case, &seen, fields))
}

const WORDS: Field<'static> = Field::new("text", "想说的话", "In your words", Input::Area).optional();

/// The page that asks for one rating.
#[derive(Template, Serialize)]
#[template(path = "t02/rate.html")]
struct Rate {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    case: CaseId,
    target: &'static str,
    name: String,
    command: MessageId,
    form: Fields,
    #[serde(skip)]
    grades: Html,
}

/// GET /cases/{case}/rate?target=window|department
pub(crate) async fn ask_rating(visit: Visit, parts: Shared, id: Path<String>) -> PageResult {
    let case = case_id(&id)?;
    let seen = see(&visit, &parts, case).await?;
    let target = target_of(visit.param("target").as_deref().unwrap_or("department"))?;
    let form = Fields::blank(&visit);
    visit.page(rating(&visit, &parts, case, &seen, target, form))
}

fn target_of(word: &str) -> Result<RatingTarget, Refusal> {
    match word {
        "window" => Ok(RatingTarget::Window),
        "department" => Ok(RatingTarget::Department),
        _ => Err(Refusal::invalid("T02-ACT-002", "请选评价窗口还是部门", "Choose window or department")
            .on("target")),
    }
}

fn grades(parts: &Parts, seen: &Seen) -> Vec<GradeText> {
    let rules = parts.catalogue.rules(seen.view.item, seen.view.deciding.city);
    rules.map(|rules| rules.rating.grades.clone()).unwrap_or_default()
}

fn rating(
    visit: &Visit,
    parts: &Parts,
    case: CaseId,
    seen: &Seen,
    target: RatingTarget,
    form: Fields,
) -> Rate {
    let grades = grades(parts, seen);
    let words: Vec<String> = grades.iter().map(|grade| grade.grade.to_string()).collect();
    let choices: Vec<Choice<'_>> =
        grades.iter().zip(&words).map(|(grade, word)| Choice::new(word, &grade.zh, &grade.en)).collect();
    let back = format!("/cases/{case}");
    Rate {
        frame: visit.frame("评价", "Rate").crumb("办件进度", "Progress", &back).errors(&form),
        lang: visit.lang,
        case,
        target: target_word(target),
        name: target_name(visit.lang, &seen.view, target),
        command: visit.ctx.id(MessageId::new),
        grades: form.show(&Field::new("grade", "满意吗？", "Were you satisfied?", Input::Radio(&choices))),
        form,
    }
}

/// POST /cases/{case}/rate: `target`, `grade` (5 is best), `text`.
pub(crate) async fn rate(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let case = case_id(&id)?;
    let seen = see(&visit, &parts, case).await?;
    let mut fields = form.fields();
    let target = target_of(fields.value("target"))?;
    let grade = Field::new("grade", "满意吗？", "Were you satisfied?", Input::Digits);
    let known = grades(&parts, &seen);
    let grade = fields.number(&grade).try_with(|number| {
        let grade = known.iter().map(|grade| grade.grade).find(|grade| i64::from(*grade) == number);
        grade.ok_or_else(|| Refusal::invalid("T02-ACT-003", "请从列出的等级里选", "Choose one of the grades"))
    });
    let grade = grade.required();
    let text = fields.read(&WORDS).max(500).optional();
    if let (Some(grade), Some(text)) = (grade, text) {
        let command = Command::Rate { target, grade, text: text.unwrap_or_default() };
        if let Some(answer) = give(&visit, &parts, case, &mut fields, Action::RateCase, command).await? {
            return Ok(answer);
        }
    }
    visit.form_again(rating(&visit, &parts, case, &seen, target, fields))
}
