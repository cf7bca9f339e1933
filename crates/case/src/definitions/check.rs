//! What a definition must hold beyond its shape (定义检查): names that meet, limits with a basis, ways out.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tb_base::Limit;

use super::read::{line_of, problem};
use super::{
    Competent, DefinitionFile, Entry, Ground, ItemRules, LimitOf, Problem, QuestionKind, Source, StageId,
};

/// More questions than this nobody answers.
const QUESTIONS_MAX: usize = 60;
/// More materials than this nobody has.
const MATERIALS_MAX: usize = 40;
/// Letters of an answer at the most.
const LETTERS_MAX: u32 = 2_000;

/// The list and the definition call the item by the same name (同名).
pub(super) fn same_name(
    entry: &Entry,
    file: &DefinitionFile<'_>,
    standard: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    let title = standard.get("item").and_then(|item| item.get("title")).and_then(|title| title.get("zh"));
    if title.and_then(Value::as_str) != Some(entry.title.as_str()) {
        let text = format!("the list calls this item {}", entry.title);
        problems.push(problem(file, line_of(file.text, "title"), text));
    }
}

/// Checks a complete item in one city.
pub(super) fn item(
    rules: &ItemRules,
    file: &DefinitionFile<'_>,
    overlay: &DefinitionFile<'_>,
    standard: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    let mut finder = Finder { file, problems };
    form(rules, &mut finder);
    materials(rules, &mut finder);
    clocks(rules, &mut finder);
    grounds(rules, &mut finder);
    parts(rules, &mut finder);
    promise_only_shorter(rules, overlay, standard, problems);
}

struct Finder<'a, 'b> {
    file: &'a DefinitionFile<'b>,
    problems: &'a mut Vec<Problem>,
}

impl Finder<'_, '_> {
    fn at(&mut self, needle: &str, text: impl Into<String>) {
        let line = line_of(self.file.text, needle);
        self.problems.push(problem(self.file, line, text.into()));
    }

    fn unique<'a>(&mut self, what: &str, ids: impl Iterator<Item = &'a str>) {
        let mut seen = BTreeSet::new();
        for id in ids {
            if !seen.insert(id) {
                self.at(&format!("\"{id}\""), format!("{what} {id} stands twice"));
            }
        }
    }
}

fn form(rules: &ItemRules, finder: &mut Finder<'_, '_>) {
    finder.unique("question", rules.all_questions().map(|question| question.id.as_str()));
    if rules.all_questions().count() > QUESTIONS_MAX {
        finder.at("[[page]]", format!("more than {QUESTIONS_MAX} questions"));
    }
    let mut earlier: BTreeSet<&str> = BTreeSet::new();
    for question in rules.all_questions() {
        let needle = format!("id = \"{}\"", question.id);
        if (question.kind == QuestionKind::Choice) == question.options.is_empty() {
            finder.at(&needle, format!("question {}: a choice has options, nothing else has", question.id));
        }
        if LETTERS_MAX < question.letters_max || question.letters_max < question.letters_min {
            finder.at(
                &needle,
                format!("question {}: letters_min <= letters_max <= {LETTERS_MAX}", question.id),
            );
        }
        if let Some(when) = &question.when
            && !earlier.contains(when.question.as_str())
        {
            finder.at(
                &needle,
                format!(
                    "question {} depends on {}, which is not asked before it",
                    question.id, when.question
                ),
            );
        }
        finder.unique("option", question.options.iter().map(|option| option.id.as_str()));
        earlier.insert(&question.id);
    }
}

fn materials(rules: &ItemRules, finder: &mut Finder<'_, '_>) {
    finder.unique("material", rules.materials.iter().map(|material| material.id.as_str()));
    if rules.materials.len() > MATERIALS_MAX {
        finder.at("[[material]]", format!("more than {MATERIALS_MAX} materials"));
    }
    for material in &rules.materials {
        if let Source::Licence { fields, .. } = &material.source
            && fields.is_empty()
        {
            finder.at(
                &format!("\"{}\"", material.id),
                format!("material {} names no fields: nothing may be fetched", material.id),
            );
        }
        if material.required && material.unconfirmed {
            finder.at(
                &format!("\"{}\"", material.id),
                format!("material {} is unconfirmed and must not be required", material.id),
            );
        }
    }
    let named = |name: &str| {
        rules.material(name).is_some_and(|material| matches!(material.source, Source::Licence { .. }))
    };
    if let Competent::IssuerOf { material } = &rules.item.competent
        && !named(material)
    {
        finder.at("competent", format!("no licence material is called {material}"));
    }
    if !named(&rules.result.material) {
        finder.at("[result]", format!("no licence material is called {}", rules.result.material));
    }
}

fn clocks(rules: &ItemRules, finder: &mut Finder<'_, '_>) {
    let all = &rules.clocks;
    let named = [
        ("hand_over", &all.hand_over),
        ("acceptance", &all.acceptance),
        ("answer", &all.answer),
        ("legal", &all.legal),
        ("promised", &all.promised),
        ("delivery", &all.delivery),
    ];
    for (name, clock) in named {
        let needle = format!("[clocks.{name}]");
        if clock.basis.is_none() && !clock.unconfirmed {
            finder.at(&needle, format!("clock {name}: a limit without a basis is unconfirmed"));
        }
        if Limit::COUNT_MAX < clock.limit.limit().n || clock.limit.limit().n == 0 {
            finder.at(&needle, format!("clock {name}: a limit is 1 to {}", Limit::COUNT_MAX));
        }
        if clock.extension.is_some() && clock.extension_basis.is_none() {
            finder.at(&needle, format!("clock {name}: the extension has no basis"));
        }
        if !clock.pauses.is_empty() && clock.pause_basis.is_none() {
            finder.at(&needle, format!("clock {name}: the pauses have no basis"));
        }
    }
    if longer(all.promised.limit, all.legal.limit) {
        finder.at("[clocks.promised]", "the promised time is longer than the limit by law");
    }
}

/// Whether `first` is longer than `second`, where they can be compared.
fn longer(first: LimitOf, second: LimitOf) -> bool {
    match (first, second) {
        (LimitOf::WorkingDays(a), LimitOf::WorkingDays(b))
        | (LimitOf::Days(a), LimitOf::Days(b))
        | (LimitOf::Months(a), LimitOf::Months(b))
        | (LimitOf::Hours(a), LimitOf::Hours(b)) => b < a,
        (LimitOf::WorkingDays(_) | LimitOf::Days(_) | LimitOf::Months(_) | LimitOf::Hours(_), _) => false,
    }
}

fn grounds(rules: &ItemRules, finder: &mut Finder<'_, '_>) {
    for (name, grounds) in [("refusal", &rules.refusals), ("decline", &rules.declines)] {
        finder.unique(name, grounds.iter().map(|ground| ground.id.as_str()));
        if grounds.iter().all(|ground: &Ground| ground.unconfirmed) {
            finder.at(&format!("[[{name}]]"), format!("{name}: at least one ground must be certain"));
        }
    }
    if rules.remedies.is_empty() {
        finder.at("[[remedy]]", "a refusal without remedies is unlawful: list them");
    }
}

fn parts(rules: &ItemRules, finder: &mut Finder<'_, '_>) {
    let order: Vec<StageId> = rules.stages.iter().map(|stage| stage.id).collect();
    if !order.is_sorted()
        || order.first() != Some(&StageId::Collect)
        || order.last() != Some(&StageId::Deliver)
    {
        finder.at("[[stage]]", "stages run from collect to deliver, in the order of the machine");
    }
    finder.unique("check", rules.checks.iter().map(|check| check.id.as_str()));
    if rules.delivery.is_empty() {
        finder.at("[[delivery]]", "there is no way to deliver the result");
    }
    let grades: Vec<u8> = rules.rating.grades.iter().map(|grade| grade.grade).collect();
    if grades != [5, 4, 3, 2, 1] {
        finder.at("[rating]", "five grades, from 5 to 1");
    }
    let delivery = rules.all_questions().find(|question| question.id == "delivery");
    let offered = rules.delivery.iter().map(|rule| crate::word(&rule.id));
    match delivery {
        Some(question) if question.options.iter().map(|option| option.id.clone()).eq(offered) => {}
        Some(_) | None => {
            finder.at("id = \"delivery\"", "question delivery must offer exactly the ways of [[delivery]]");
        }
    }
}

/// A city may promise less time than the standard, never more.
fn promise_only_shorter(
    rules: &ItemRules,
    overlay: &DefinitionFile<'_>,
    standard: &Map<String, Value>,
    problems: &mut Vec<Problem>,
) {
    let limit =
        standard.get("clocks").and_then(|clocks| clocks.get("promised")).and_then(|clock| clock.get("limit"));
    let limit: Option<LimitOf> = limit.and_then(|limit| serde_json::from_value(limit.clone()).ok());
    if limit.is_some_and(|limit| longer(rules.clocks.promised.limit, limit)) {
        let line = line_of(overlay.text, "[clocks.promised]");
        problems.push(problem(
            overlay,
            line,
            "a city may promise a shorter time than the standard, not a longer one".to_owned(),
        ));
    }
}
