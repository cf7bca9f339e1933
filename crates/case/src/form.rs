//! Checks of a filled form (表单校验): every mistake at once, by question, with how to mend it.

use std::collections::BTreeMap;

use tb_base::{Date, Refusal};

use crate::definitions::{ItemRules, Question, QuestionKind};

/// Answers by question.
pub type Answers = BTreeMap<String, String>;

/// Answers of one form at the most.
pub const ANSWERS_MAX: usize = 100;
/// Letters of one answer at the most, whatever the question says.
pub const ANSWER_LETTERS_MAX: usize = 2_000;

/// Whether a question is asked, given the answers so far.
pub fn is_asked(question: &Question, answers: &Answers) -> bool {
    question
        .when
        .as_ref()
        .is_none_or(|when| answers.get(&when.question).is_some_and(|answer| when.is.contains(answer)))
}

/// Every mistake of a whole form; empty when it may be handed in.
pub fn check(rules: &ItemRules, answers: &Answers) -> Vec<Refusal> {
    let asked = rules.all_questions().filter(|question| is_asked(question, answers));
    let mut mistakes: Vec<Refusal> = asked.filter_map(|question| check_one(question, answers)).collect();
    mistakes.extend(check_shape(rules, answers));
    mistakes
}

/// Every mistake of one page of the form.
pub fn check_page(rules: &ItemRules, page: &str, answers: &Answers) -> Vec<Refusal> {
    let page = rules.pages.iter().filter(|held| held.id == page);
    let asked = page.flat_map(|page| &page.questions).filter(|question| is_asked(question, answers));
    asked.filter_map(|question| check_one(question, answers)).collect()
}

/// What not even a draft may hold: unknown questions, too much text.
pub fn check_shape(rules: &ItemRules, answers: &Answers) -> Vec<Refusal> {
    let mut mistakes = Vec::new();
    if ANSWERS_MAX < answers.len() {
        mistakes.push(Refusal::invalid("CAS-FRM-001", "填写的项目过多", "There are too many answers"));
    }
    for (id, answer) in answers.iter().take(ANSWERS_MAX) {
        if !rules.all_questions().any(|question| question.id == *id) {
            let text = format!("表单没有这一项：{id}");
            mistakes.push(
                Refusal::invalid("CAS-FRM-002", text, format!("The form has no question {id}"))
                    .on(id.clone()),
            );
        }
        if ANSWER_LETTERS_MAX < answer.chars().count() {
            mistakes.push(too_long(id, ANSWER_LETTERS_MAX));
        }
    }
    mistakes
}

/// What is kept: trimmed answers to questions that are asked.
pub fn clean(rules: &ItemRules, answers: &Answers) -> Answers {
    let asked = rules.all_questions().filter(|question| is_asked(question, answers));
    let answered = asked.filter_map(|question| answers.get(&question.id).map(|answer| (question, answer)));
    let trimmed = answered.map(|(question, answer)| (question.id.clone(), answer.trim().to_owned()));
    trimmed.filter(|(_, answer)| !answer.is_empty()).collect()
}

/// What is wrong with the answer to one question, if anything is.
pub fn check_one(question: &Question, answers: &Answers) -> Option<Refusal> {
    let answer = answers.get(&question.id).map(|answer| answer.trim()).unwrap_or_default();
    if answer.is_empty() {
        return question.required.then(|| missing(question));
    }
    let letters = answer.chars().count();
    let (least, most) = (question.letters_min as usize, question.letters_max as usize);
    match question.kind {
        QuestionKind::Text | QuestionKind::LongText if most < letters => Some(too_long(&question.id, most)),
        QuestionKind::Text | QuestionKind::LongText if letters < least => {
            Some(too_short(&question.id, least))
        }
        QuestionKind::Text | QuestionKind::LongText => None,
        QuestionKind::Choice if question.options.iter().any(|option| option.id == answer) => None,
        QuestionKind::Choice => {
            Some(refuse(question, "CAS-FRM-006", "请选择列出的一项", "Choose one of the options"))
        }
        QuestionKind::Mobile => check_mobile(question, answer),
        QuestionKind::Date if answer.parse::<Date>().is_ok() => None,
        QuestionKind::Date => Some(refuse(
            question,
            "CAS-FRM-008",
            "日期应写成 2026-11-22 的样子",
            "Write the date like 2026-11-22",
        )),
        QuestionKind::Yes if answer == "yes" => None,
        QuestionKind::Yes => Some(missing(question)),
    }
}

/// Mobile numbers of the mainland: 11 digits that begin with 1.
fn check_mobile(question: &Question, answer: &str) -> Option<Refusal> {
    let digits = answer.bytes().all(|letter| letter.is_ascii_digit());
    if digits && answer.len() == 11 && answer.starts_with('1') {
        return None;
    }
    let zh = match (digits, answer.len()) {
        (true, 10) => "手机号少一位，应为 11 位数字",
        (true, 12) => "手机号多一位，应为 11 位数字",
        (true | false, _) => "手机号应为 1 开头的 11 位数字",
    };
    Some(refuse(question, "CAS-FRM-007", zh, "A mobile number has 11 digits and begins with 1"))
}

fn missing(question: &Question) -> Refusal {
    let (zh, en) = (format!("请填写：{}", question.text.zh), format!("Please answer: {}", question.text.en));
    Refusal::invalid("CAS-FRM-003", zh, en).on(question.id.clone())
}

pub(crate) fn too_long(id: &str, most: usize) -> Refusal {
    Refusal::invalid("CAS-FRM-004", format!("最多 {most} 字"), format!("At most {most} letters"))
        .on(id.to_owned())
}

fn too_short(id: &str, least: usize) -> Refusal {
    Refusal::invalid(
        "CAS-FRM-005",
        format!("至少 {least} 字，请写完整"),
        format!("At least {least} letters, in full"),
    )
    .on(id.to_owned())
}

fn refuse(question: &Question, code: &'static str, zh: &'static str, en: &'static str) -> Refusal {
    Refusal::invalid(code, zh, en).on(question.id.clone())
}

#[cfg(test)]
mod tests;
