//! Answering a correction notice (补正): the fields for its lines and what they brought, at home and at the counter.
//! Serves clause 2.4.
//!
//! Invariant: a line about a question is answered as the question is: same kind of field, same check.

use serde::Serialize;
use tb_base::Refusal;
use tb_case::case::CorrectionLine;
use tb_case::command::AnswerLine;
use tb_case::definitions::{ItemRules, Question, QuestionKind};
use tb_case::form as rule;
use tb_case::progress::ProgressView;
use tb_case::text::Text;
use tb_web::{Choice, Field, Fields, Html, Input};

/// Letters of an explanation at the most, where the line is about no question.
const LETTERS_MAX: usize = 500;

/// A line of the correction notice, with the field that answers it.
#[derive(Serialize)]
pub(crate) struct Asked {
    pub(crate) about: String,
    pub(crate) what: String,
    pub(crate) article: String,
    #[serde(skip)]
    pub(crate) field: Html,
}

/// The lines of an open correction notice.
pub(crate) fn asked(rules: Option<&ItemRules>, view: &ProgressView, form: &Fields) -> Vec<Asked> {
    let one = |line: &CorrectionLine| Asked {
        about: line.about.clone(),
        what: line.what.clone(),
        article: line.article.clone(),
        field: field(rules, &line.about, form),
    };
    open(view).iter().map(one).collect()
}

/// What was answered; what is missing or wrong is noted in the form.
pub(crate) fn answers(
    rules: Option<&ItemRules>,
    view: &ProgressView,
    fields: &mut Fields,
) -> Vec<AnswerLine> {
    let mut answers = Vec::new();
    for line in open(view) {
        let (name, title) = (answer_name(&line.about), title(rules, &line.about));
        let field = Field::text(&name, &title.zh, &title.en);
        let question = question(rules, &line.about);
        let checked = fields.read(&field).max(LETTERS_MAX).try_with(|text| match question {
            Some(question) => checked(question, &text),
            None => Ok(text),
        });
        if let Some(text) = checked.required() {
            answers.push(AnswerLine { about: line.about.clone(), text });
        }
    }
    answers
}

/// What a line of the notice is about, in the words of the definition.
pub(crate) fn title(rules: Option<&ItemRules>, about: &str) -> Text {
    let material = rules.and_then(|rules| rules.material(about));
    match (question(rules, about), material) {
        (Some(question), _) => question.text.clone(),
        (None, Some(material)) => material.title.clone(),
        (None, None) => Text::new(about, about),
    }
}

fn open(view: &ProgressView) -> &[CorrectionLine] {
    let open = view.correction.as_ref().filter(|correction| correction.answered.is_none());
    open.map(|correction| correction.lines.as_slice()).unwrap_or_default()
}

fn question<'a>(rules: Option<&'a ItemRules>, about: &str) -> Option<&'a Question> {
    rules?.all_questions().find(|question| question.id == about)
}

/// The field that answers a line of the notice.
fn answer_name(about: &str) -> String {
    format!("answer.{about}")
}

fn field(rules: Option<&ItemRules>, about: &str, form: &Fields) -> Html {
    let (name, title, question) = (answer_name(about), title(rules, about), question(rules, about));
    let options = question.map(|question| question.options.as_slice()).unwrap_or_default();
    let choices: Vec<Choice<'_>> =
        options.iter().map(|option| Choice::new(&option.id, &option.zh, &option.en)).collect();
    let input = match question.map(|question| question.kind) {
        Some(QuestionKind::Text | QuestionKind::Date) => Input::Text,
        Some(QuestionKind::Mobile) => Input::Phone,
        Some(QuestionKind::Choice) => Input::Radio(&choices),
        // A statement that was asked about needs words, and so does a paper.
        Some(QuestionKind::LongText | QuestionKind::Yes) | None => Input::Area,
    };
    let hint = question.and_then(|question| question.hint.as_ref());
    let field = Field {
        hint: hint.map(|hint| (hint.zh.as_str(), hint.en.as_str())),
        ..Field::new(&name, &title.zh, &title.en, input)
    };
    form.show(&field)
}

/// The answer as the form itself would have taken it.
fn checked(question: &Question, text: &str) -> Result<String, Refusal> {
    if question.kind == QuestionKind::Yes {
        return Ok(text.to_owned());
    }
    let text = match question.kind {
        QuestionKind::Mobile => {
            text.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
        }
        QuestionKind::Text
        | QuestionKind::LongText
        | QuestionKind::Choice
        | QuestionKind::Date
        | QuestionKind::Yes => text.to_owned(),
    };
    let answers = [(question.id.clone(), text.clone())].into();
    match rule::check_one(question, &answers) {
        Some(mistake) => Err(mistake),
        None => Ok(text),
    }
}
