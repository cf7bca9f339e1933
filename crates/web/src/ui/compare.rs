//! What was declared beside what is registered (申报与登记), line by line with a verdict.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::steps::CityMark;
use crate::html::Html;
use crate::lang::{Given, Lang};

/// Lines that agree are folded away when there are more of them than this.
const SAME_SHOWN_MAX: usize = 6;

/// How a declared value stands to the registered one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// They say the same.
    Same,
    /// They say different things.
    Differs,
    /// The register has nothing.
    Unregistered,
    /// The register has something that was not declared.
    Undeclared,
    /// The register did not answer, which is not the same as having nothing.
    Unreached,
}

impl Verdict {
    fn tag(self) -> &'static str {
        match self {
            Verdict::Same => "done",
            Verdict::Differs => "wait",
            Verdict::Unregistered | Verdict::Undeclared => "open",
            Verdict::Unreached => "stop",
        }
    }

    /// The verdict in one word.
    pub fn word(self, lang: impl Given<Lang>) -> &'static str {
        let lang = lang.given();
        match self {
            Verdict::Same => lang.t("一致", "same"),
            Verdict::Differs => lang.t("不同", "differs"),
            Verdict::Unregistered => lang.t("登记里没有", "not registered"),
            Verdict::Undeclared => lang.t("没有申报", "not declared"),
            Verdict::Unreached => lang.t("查不到", "not reached"),
        }
    }
}

/// One thing that was compared.
#[derive(Clone, Debug, Serialize)]
pub struct CompareLine {
    /// What it is, such as 手机号.
    pub label: String,
    /// What the applicant wrote.
    pub declared: String,
    /// What the register holds; empty where it holds nothing.
    pub registered: String,
    /// Which register, and as of when.
    pub source: String,
    /// The city that keeps the register.
    pub city: Option<CityMark>,
    /// How the two stand to each other.
    pub verdict: Verdict,
    /// What can be done about it: text and address, such as 更新登记.
    pub action: Option<(String, String)>,
}

impl CompareLine {
    /// A line whose verdict is made from the two values, blanks aside; none where the register did not answer.
    pub fn of(
        label: impl Into<String>,
        declared: impl Into<String>,
        registered: Option<&str>,
    ) -> CompareLine {
        let (declared, label) = (declared.into(), label.into());
        let plain = |text: &str| text.split_whitespace().collect::<String>();
        let verdict = match registered {
            None => Verdict::Unreached,
            Some(held) if plain(held) == plain(&declared) => Verdict::Same,
            Some("") => Verdict::Unregistered,
            Some(_) if declared.is_empty() => Verdict::Undeclared,
            Some(_) => Verdict::Differs,
        };
        let registered = registered.unwrap_or("").to_owned();
        CompareLine { label, declared, registered, source: String::new(), city: None, verdict, action: None }
    }

    /// Says which register holds it, and as of when.
    #[must_use]
    pub fn from(self, city: Option<CityMark>, source: impl Into<String>) -> CompareLine {
        CompareLine { city, source: source.into(), ..self }
    }

    /// Adds what can be done about it.
    #[must_use]
    pub fn action(self, text: impl Into<String>, href: impl Into<String>) -> CompareLine {
        CompareLine { action: Some((text.into(), href.into())), ..self }
    }
}

/// The comparison; what does not agree stands first.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/compare.html")]
pub struct Compare {
    /// The language of the page.
    #[serde(skip)]
    lang: Lang,
    /// What is compared; for those who do not see it.
    pub caption: String,
    /// Its lines.
    pub lines: Vec<CompareLine>,
}

impl Compare {
    /// A comparison of these lines.
    pub fn of(lang: Lang, caption: impl Into<String>, mut lines: Vec<CompareLine>) -> Compare {
        lines.sort_by_key(|line| line.verdict == Verdict::Same);
        Compare { lang, caption: caption.into(), lines }
    }

    /// How many were compared and how they stand: `9 项，8 项一致，1 项不同`.
    pub fn count(&self) -> String {
        let kinds =
            [Verdict::Same, Verdict::Differs, Verdict::Unregistered, Verdict::Undeclared, Verdict::Unreached];
        let mut words = vec![self.lang.count(self.lines.len(), "项", "line", "lines")];
        for kind in kinds {
            let count = self.lines.iter().filter(|line| line.verdict == kind).count();
            if 0 < count {
                words.push(match self.lang {
                    Lang::Zh => format!("{count} 项{}", kind.word(self.lang)),
                    Lang::En => format!("{count} {}", kind.word(self.lang)),
                });
            }
        }
        words.join(self.lang.t("，", ", "))
    }

    /// Lines that stand open: all that do not agree, and so many of the others.
    fn shown(&self) -> &[CompareLine] {
        self.lines.get(..self.open()).unwrap_or(&self.lines)
    }

    fn folded(&self) -> &[CompareLine] {
        self.lines.get(self.open()..).unwrap_or(&[])
    }

    fn open(&self) -> usize {
        let same = self.lines.iter().filter(|line| line.verdict == Verdict::Same).count();
        let other = self.lines.len() - same;
        if same <= SAME_SHOWN_MAX { self.lines.len() } else { other + SAME_SHOWN_MAX / 2 }
    }

    fn parts(&self) -> [&[CompareLine]; 2] {
        [self.shown(), self.folded()]
    }

    /// The comparison as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for Compare {}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(declared: &str, registered: Option<&str>, verdict: Verdict) {
        assert_eq!(CompareLine::of("手机号", declared, registered).verdict, verdict);
    }

    #[test]
    fn silence_is_not_the_same_as_nothing() {
        check("138 0731 4627", Some("13807314627"), Verdict::Same);
        check("", Some(""), Verdict::Same);
        check("13807314627", Some("13907310001"), Verdict::Differs);
        check("13807314627", Some(""), Verdict::Unregistered);
        check("", Some("13907310001"), Verdict::Undeclared);
        check("13807314627", None, Verdict::Unreached);
    }

    #[test]
    fn what_differs_stands_first_and_much_that_agrees_is_folded() {
        let line =
            |at: usize| CompareLine::of(format!("第{at}"), "甲", Some(if at == 8 { "乙" } else { "甲" }));
        let compare = Compare::of(Lang::Zh, "比较", (0..9).map(line).collect());
        assert_eq!(compare.lines[0].label, "第8");
        assert_eq!(compare.count(), "9 项，8 项一致，1 项不同");
        assert_eq!((compare.shown().len(), compare.folded().len()), (4, 5));
        let html = compare.html().to_string();
        assert!(html.contains("<mark>甲</mark>") && html.contains("另外 5 项一致"));
        assert_eq!(Compare::of(Lang::Zh, "比较", (0..6).map(line).collect()).folded().len(), 0);
    }
}
