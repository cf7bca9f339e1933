//! Declared and registered, line by line (申报与登记比较): what the applicant gave beside what this city's registers hold.
//! Serves clauses 2.4 and 2.5.
//!
//! Invariants: the comparison is pure, it sees what was read and reads nothing; it judges values, never the applicant;
//! silence of another city is told apart from a register that holds nothing.

use std::collections::BTreeMap;

use tb_base::NodeId;
use tb_case::case::LicenceRef;
use tb_case::definitions::ItemRules;
use tb_licence::types::{LicenceType, Mask, Types, mask};
use tb_web::ui::{self, CompareLine, Verdict};
use tb_web::{Lang, Visit};

use crate::correction::title;
use crate::form::spoken;
use crate::parts::Parts;
use crate::words::{mark, say};

/// What the applicant declared (申报).
pub(super) struct Application<'a> {
    pub(super) rules: &'a ItemRules,
    /// Answers by question, as corrected.
    pub(super) answers: &'a BTreeMap<String, String>,
    /// What she says is wrong, by field.
    pub(super) disputes: &'a BTreeMap<String, String>,
    /// The papers that stand in her application.
    pub(super) licences: &'a [LicenceRef],
}

/// What this city's registers hold (登记).
#[derive(Default)]
pub(super) struct Register {
    /// Of the person: `name`, `number`, `phone`, `address`; none where she is not in this register.
    pub(super) person: Option<BTreeMap<String, String>>,
    /// The papers that this city issued, by material; what is missing lies in another city.
    pub(super) papers: BTreeMap<String, Held>,
}

/// A paper as the own register holds it now.
#[derive(Clone, Default)]
pub(super) struct Held {
    /// The version now; none where the register has no such paper.
    pub(super) version: Option<u32>,
    /// Whether it is in force and the same as in the application.
    pub(super) is_current: bool,
    /// How it stands: Chinese, English.
    pub(super) state: (&'static str, &'static str),
    /// Whose it is: name and number.
    pub(super) holder: Option<(String, String)>,
    /// Its values by field.
    pub(super) values: BTreeMap<String, String>,
}

/// Which register was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// The own register of persons.
    Person,
    /// The own register of licences, for a material.
    Paper(String),
    /// Another city, which answers for its own papers.
    Elsewhere(NodeId),
}

/// What a line is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum About {
    /// A question of the form.
    Question(String),
    /// Whose a paper is.
    Holder(String),
    /// The version of a paper.
    Version(String),
    /// A value that she disputes.
    Disputed(String),
}

/// One line of the comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) field: About,
    pub(super) declared: String,
    /// None where the register did not answer.
    pub(super) registered: Option<String>,
    pub(super) source: Source,
    pub(super) verdict: Verdict,
}

impl Line {
    fn of(field: About, declared: &str, registered: Option<String>, source: Source) -> Line {
        let verdict = CompareLine::of("", declared, registered.as_deref()).verdict;
        Line { field, declared: declared.to_owned(), registered, source, verdict }
    }
}

/// Every value that stands in the application and in a register, side by side (比较).
pub(super) fn compare(application: &Application<'_>, register: &Register) -> Vec<Line> {
    let mut lines = Vec::new();
    for paper in application.licences {
        lines.extend(holder(paper, register));
        lines.push(version(paper, register));
    }
    for question in application.rules.all_questions() {
        let Some(field) = &question.prefill else { continue };
        let declared = application.answers.get(&question.id).map(String::as_str).unwrap_or_default();
        let (registered, source) = lookup(application, register, field);
        if declared.is_empty() && registered.as_deref().unwrap_or_default().is_empty() {
            continue;
        }
        lines.push(Line::of(About::Question(question.id.clone()), declared, registered, source));
    }
    for (field, words) in application.disputes {
        let (registered, source) = lookup(application, register, field);
        let line = Line::of(About::Disputed(field.clone()), words, registered, source);
        // Whatever stands there: she says that it is wrong.
        let verdict = if line.verdict == Verdict::Same { Verdict::Differs } else { line.verdict };
        lines.push(Line { verdict, ..line });
    }
    lines
}

/// Whether a paper is the applicant's: her name and number beside those of the paper.
fn holder(paper: &LicenceRef, register: &Register) -> Option<Line> {
    let person = register.person.as_ref()?;
    let (name, number) = register.papers.get(&paper.material)?.holder.as_ref()?;
    let of = |name: &str, number: &str| format!("{name} {number}");
    let field = |id: &str| person.get(id).map(String::as_str).unwrap_or_default();
    let (declared, registered) = (of(field("name"), field("number")), of(name, number));
    let source = Source::Paper(paper.material.clone());
    Some(Line::of(About::Holder(paper.material.clone()), &declared, Some(registered), source))
}

/// Whether a paper is still the one that stands in the application.
fn version(paper: &LicenceRef, register: &Register) -> Line {
    let (field, declared) = (About::Version(paper.material.clone()), paper.version.to_string());
    let source = Source::Paper(paper.material.clone());
    match register.papers.get(&paper.material) {
        None => Line::of(field, &declared, None, Source::Elsewhere(paper.issuer)),
        Some(Held { version: None, .. }) => Line::of(field, &declared, Some(String::new()), source),
        Some(Held { version: Some(now), is_current, .. }) => {
            let verdict = if *is_current { Verdict::Same } else { Verdict::Differs };
            Line { verdict, ..Line::of(field, &declared, Some(now.to_string()), source) }
        }
    }
}

/// What a register holds in `person.<field>` or `<material>.<field>`.
fn lookup(application: &Application<'_>, register: &Register, field: &str) -> (Option<String>, Source) {
    let (place, field) = field.split_once('.').unwrap_or((field, ""));
    if place == "person" {
        let value = |person: &BTreeMap<String, String>| person.get(field).cloned().unwrap_or_default();
        return (register.person.as_ref().map(value), Source::Person);
    }
    match register.papers.get(place) {
        Some(held) => {
            let value = held.values.get(field).cloned().unwrap_or_default();
            (Some(value), Source::Paper(place.to_owned()))
        }
        None => {
            let paper = application.licences.iter().find(|paper| paper.material == place);
            let source = paper.map_or(Source::Paper(place.to_owned()), |it| Source::Elsewhere(it.issuer));
            (None, source)
        }
    }
}

/// The comparison as the page shows it: in words, with the city of each register, resident numbers masked.
pub(super) fn shown(
    visit: &Visit,
    parts: &Parts,
    rules: &ItemRules,
    licences: &[LicenceRef],
    register: &Register,
    lines: &[Line],
) -> ui::Compare {
    let words = Words { lang: visit.lang, types: &parts.types, rules, licences, register };
    let line = |line: &Line| {
        let city = match line.source {
            Source::Elsewhere(city) => city,
            Source::Person | Source::Paper(_) => visit.ctx.node,
        };
        CompareLine {
            label: words.label(&line.field),
            declared: words.value(&line.field, &line.declared),
            registered: words.registered(line),
            source: words.source(line),
            city: mark(&visit.app, visit.lang, city),
            verdict: line.verdict,
            action: None,
        }
    };
    let caption = visit.lang.t("申报值与登记值逐项比较", "Declared and registered values");
    ui::Compare::of(visit.lang, caption, lines.iter().map(line).collect())
}

/// What the words of a line depend on.
struct Words<'a> {
    lang: Lang,
    types: &'a Types,
    rules: &'a ItemRules,
    licences: &'a [LicenceRef],
    register: &'a Register,
}

impl Words<'_> {
    fn material(&self, id: &str) -> &str {
        self.rules.material(id).map_or("", |material| say(self.lang, &material.title))
    }

    fn kind(&self, material: &str) -> Option<&LicenceType> {
        let paper = self.licences.iter().find(|paper| paper.material == material)?;
        self.types.get(&paper.kind)
    }

    /// The name of `person.<field>` or `<material>.<field>`.
    fn field(&self, field: &str) -> String {
        let lang = self.lang;
        match field.split_once('.').unwrap_or((field, "")) {
            ("person", "name") => lang.t("姓名", "Name").to_owned(),
            ("person", "number") => lang.t("公民身份号码", "Resident number").to_owned(),
            (material, id) => match self.kind(material).and_then(|kind| kind.field(id)) {
                Some(field) => lang.t(&field.title, &field.title_en).to_owned(),
                None => self.material(material).to_owned(),
            },
        }
    }

    fn label(&self, about: &About) -> String {
        let lang = self.lang;
        match about {
            About::Question(id) => say(lang, &title(Some(self.rules), id)).to_owned(),
            About::Holder(material) => {
                format!("{}{}", self.material(material), lang.t("：姓名、号码", ": name and number"))
            }
            About::Version(material) => {
                format!("{}{}", self.material(material), lang.t("：版本", ": version"))
            }
            About::Disputed(field) => {
                format!("{}{}", self.field(field), lang.t("（申请人说不对）", " (disputed)"))
            }
        }
    }

    fn value(&self, about: &About, value: &str) -> String {
        if value.is_empty() {
            return String::new();
        }
        match about {
            About::Question(id) => match self.rules.all_questions().find(|question| question.id == *id) {
                Some(question) => say(self.lang, &spoken(question, value)).to_owned(),
                None => value.to_owned(),
            },
            About::Holder(_) => match value.split_once(' ') {
                Some((name, number)) => format!("{name} {}", mask(Mask::Number, number)),
                None => value.to_owned(),
            },
            About::Version(_) => self.version(value),
            About::Disputed(_) => value.to_owned(),
        }
    }

    fn version(&self, number: &str) -> String {
        match self.lang {
            Lang::Zh => format!("第 {number} 版"),
            Lang::En => format!("version {number}"),
        }
    }

    fn registered(&self, line: &Line) -> String {
        let Some(value) = &line.registered else { return String::new() };
        match &line.field {
            About::Version(material) if !value.is_empty() => {
                let state = self.register.papers.get(material).map_or(("", ""), |held| held.state);
                format!("{}{}{}", self.version(value), self.lang.t("，", ", "), self.lang.t(state.0, state.1))
            }
            About::Disputed(field) if self.is_number(field, value) => mask(Mask::Number, value),
            about @ (About::Question(_) | About::Holder(_) | About::Version(_) | About::Disputed(_)) => {
                self.value(about, value)
            }
        }
    }

    /// Whether a disputed value is a resident number, or a paper that is numbered with one.
    fn is_number(&self, field: &str, value: &str) -> bool {
        let numbers = self.register.person.iter().filter_map(|person| person.get("number"));
        let held = self.register.papers.values().filter_map(|held| held.holder.as_ref());
        field == "person.number" || numbers.chain(held.map(|(_, number)| number)).any(|it| it == value)
    }

    fn source(&self, line: &Line) -> String {
        match &line.source {
            Source::Person => self.lang.t("人口登记", "register of persons").to_owned(),
            Source::Paper(_) => self.lang.t("证照登记", "register of licences").to_owned(),
            Source::Elsewhere(_) => self.lang.t("由签发城市核对", "checked by the issuing city").to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
