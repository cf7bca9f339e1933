//! Forms that definitions describe (事项表单): shown, read, filled in from what is known.
//! Serves clauses 2.2 and 2.3.
//!
//! Invariant: what may be answered is decided by `tb_case::form` alone; this file only shows and collects.

use std::collections::BTreeMap;

use tb_case::definitions::{FormPage, ItemRules, Question, QuestionKind};
use tb_case::draft::Draft;
use tb_case::form::Answers;
use tb_case::text::Text;
use tb_identity::people::Person;
use tb_web::{Choice, Field, Fields, Html, Input};

/// What the site knows of an answer before she gives it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    /// The value.
    pub value: String,
    /// Where it comes from.
    pub source: Text,
}

/// The page of that name.
pub(crate) fn page<'a>(rules: &'a ItemRules, id: &str) -> Option<&'a FormPage> {
    rules.pages.iter().find(|page| page.id == id)
}

/// What is asked: one page, or every page where none is named.
pub(crate) fn asked<'a>(rules: &'a ItemRules, page: Option<&'a FormPage>) -> Vec<&'a Question> {
    match page {
        Some(page) => page.questions.iter().collect(),
        None => rules.all_questions().collect(),
    }
}

/// The answers that a form brought; a question that it left empty is answered with nothing.
pub(crate) fn read(fields: &Fields, questions: &[&Question]) -> Answers {
    questions.iter().map(|question| (question.id.clone(), value(fields, question))).collect()
}

fn value(fields: &Fields, question: &Question) -> String {
    let given = fields.value(&question.id).trim();
    match question.kind {
        QuestionKind::Mobile => {
            given.chars().filter(|letter| !letter.is_whitespace() && *letter != '-').collect()
        }
        QuestionKind::Date if given.is_empty() => date(fields, &question.id),
        QuestionKind::Text
        | QuestionKind::LongText
        | QuestionKind::Choice
        | QuestionKind::Date
        | QuestionKind::Yes => given.to_owned(),
    }
}

/// A day from its three boxes.
fn date(fields: &Fields, id: &str) -> String {
    let part = |part: &str| fields.value(&format!("{id}.{part}")).trim().to_owned();
    let (year, month, day) = (part("y"), part("m"), part("d"));
    if year.is_empty() && month.is_empty() && day.is_empty() {
        return String::new();
    }
    format!("{year:0>4}-{month:0>2}-{day:0>2}")
}

/// What is known already, by question: from the register, from papers that were fetched.
pub(crate) fn known(
    rules: &ItemRules,
    draft: &Draft,
    person: &Person,
    city: &Text,
) -> BTreeMap<String, Known> {
    let of = |question: &Question| {
        let source = question.prefill.as_deref()?;
        let (value, source) = match source {
            "person.phone" => (person.phone.clone()?, register(city)),
            "person.name" => (person.name.clone(), register(city)),
            "person.address" => (person.address.clone(), register(city)),
            other => {
                let (material, field) = other.split_once('.')?;
                let fetched = draft.fetched.iter().find(|fetched| fetched.material == material)?;
                (fetched.values.get(field)?.clone(), rules.material(material)?.title.clone())
            }
        };
        Some((question.id.clone(), Known { value, source }))
    };
    rules.all_questions().filter_map(of).collect()
}

fn register(city: &Text) -> Text {
    Text::new(format!("{}市人口登记", city.zh), format!("the population register of {}", city.en))
}

/// The form as it stands in the draft, with what is known where she has not answered.
pub(crate) fn filled(
    blank: Fields,
    questions: &[&Question],
    draft: &Draft,
    known: &BTreeMap<String, Known>,
) -> Fields {
    questions.iter().fold(blank, |fields, question| {
        let saved = draft.answers.get(&question.id).cloned();
        let value = saved.or_else(|| known.get(&question.id).map(|known| known.value.clone()));
        match value {
            Some(value) if !value.is_empty() => fields.with(&question.id, value),
            Some(_) | None => fields,
        }
    })
}

/// The questions as HTML, each with its help, its source and its error.
pub(crate) fn show(
    fields: &Fields,
    rules: &ItemRules,
    questions: &[&Question],
    known: &BTreeMap<String, Known>,
) -> Html {
    Html::made(
        questions.iter().map(|question| show_one(fields, rules, question, known).to_string()).collect(),
    )
}

fn show_one(
    fields: &Fields,
    rules: &ItemRules,
    question: &Question,
    known: &BTreeMap<String, Known>,
) -> Html {
    let choices: Vec<Choice<'_>> =
        question.options.iter().map(|option| Choice::new(&option.id, &option.zh, &option.en)).collect();
    let input = match question.kind {
        QuestionKind::Text => Input::Text,
        QuestionKind::LongText => Input::Area,
        QuestionKind::Choice => Input::Radio(&choices),
        QuestionKind::Mobile => Input::Phone,
        QuestionKind::Date => Input::Date,
        QuestionKind::Yes => Input::Agree,
    };
    let autocomplete = match question.prefill.as_deref() {
        Some("person.phone") => "tel",
        Some("person.name") => "name",
        Some("person.address") => "street-address",
        Some(_) | None => "",
    };
    let hint = hint(rules, question, known.get(&question.id));
    let field = Field {
        hint: hint.as_ref().map(|hint| (hint.zh.as_str(), hint.en.as_str())),
        optional: !question.required,
        ..Field::new(&question.id, &question.text.zh, &question.text.en, input)
    };
    fields.show(&field.autocomplete(autocomplete))
}

/// When it is to be answered, how, and from where the value comes.
fn hint(rules: &ItemRules, question: &Question, known: Option<&Known>) -> Option<Text> {
    let when = question.when.as_ref().and_then(|when| {
        let first = rules.all_questions().find(|other| other.id == when.question)?;
        let names = |zh: bool| -> Vec<&str> {
            let chosen = first.options.iter().filter(|option| when.is.contains(&option.id));
            chosen.map(|option| if zh { option.zh.as_str() } else { option.en.as_str() }).collect()
        };
        let (zh, en) = (names(true).join("”或“"), names(false).join("' or '"));
        Some(Text::new(format!("选了“{zh}”才填。"), format!("Only if you chose '{en}'. ")))
    });
    let source = known.map(|known| {
        let (zh, en) = (
            format!("已按{}填好，可以改。", known.source.zh),
            format!("From {}; you can change it. ", known.source.en),
        );
        Text::new(zh, en)
    });
    let parts: Vec<&Text> =
        [when.as_ref(), question.hint.as_ref(), source.as_ref()].into_iter().flatten().collect();
    if parts.is_empty() {
        return None;
    }
    let (mut zh, mut en) = (String::new(), String::new());
    for part in parts {
        if !zh.is_empty() && !zh.ends_with('。') {
            zh.push('。');
        }
        if !en.is_empty() && !en.ends_with(' ') {
            en.push_str(". ");
        }
        zh.push_str(&part.zh);
        en.push_str(&part.en);
    }
    Some(Text::new(zh, en.trim_end().to_owned()))
}

/// An answer as people read it: the words of a choice, 是 for a statement.
pub(crate) fn spoken(question: &Question, answer: &str) -> Text {
    match question.kind {
        QuestionKind::Choice => match question.options.iter().find(|option| option.id == answer) {
            Some(option) => Text::new(option.zh.clone(), option.en.clone()),
            None => Text::new(answer, answer),
        },
        QuestionKind::Yes => Text::new("是", "Yes"),
        QuestionKind::Text | QuestionKind::LongText | QuestionKind::Mobile | QuestionKind::Date => {
            Text::new(answer, answer)
        }
    }
}
