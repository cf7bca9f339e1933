//! Tables (表格): cards on a phone; filters in the address; the count and the export beside it.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use super::steps::CityMark;
use crate::field::Field;
use crate::fields::Fields;
use crate::html::Html;
use crate::lang::Lang;
use crate::visit::Visit;

/// A column.
#[derive(Clone, Debug, Serialize)]
pub struct Head {
    /// What it is called.
    pub text: String,
    /// Whether it holds numbers, which stand at the right.
    pub numeric: bool,
}

impl Head {
    /// A column of text.
    pub fn text(text: impl Into<String>) -> Head {
        Head { text: text.into(), numeric: false }
    }

    /// A column of numbers.
    pub fn number(text: impl Into<String>) -> Head {
        Head { text: text.into(), numeric: true }
    }
}

/// What stands in a cell: any of city, link, tag, text, code, in this order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Cell {
    /// The text.
    pub text: String,
    /// Where the text leads; empty for nowhere.
    pub href: String,
    /// The state it stands for, as in [`super::tag`]; none for plain text.
    pub tag: Option<&'static str>,
    /// A second, quieter line.
    pub note: String,
    /// The city before it.
    pub city: Option<CityMark>,
    /// Whether the text is a code in groups.
    pub code: bool,
    /// The box by which its row is chosen: name, value, and what it is called for those who do not see the row.
    pub choice: Option<(String, String, String)>,
}

impl Cell {
    /// Plain text.
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), ..Cell::default() }
    }

    /// Text that leads somewhere.
    pub fn link(text: impl Into<String>, href: impl Into<String>) -> Cell {
        Cell { text: text.into(), href: href.into(), ..Cell::default() }
    }

    /// A state.
    pub fn tag(kind: &'static str, text: impl Into<String>) -> Cell {
        Cell { text: text.into(), tag: Some(kind), ..Cell::default() }
    }

    /// A code in groups.
    pub fn code(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), code: true, ..Cell::default() }
    }

    /// Adds a quieter line.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Cell {
        Cell { note: note.into(), ..self }
    }

    /// Puts a box before it, by which its row is chosen.
    #[must_use]
    pub fn choice(self, name: &str, value: impl Into<String>, label: impl Into<String>) -> Cell {
        Cell { choice: Some((name.to_owned(), value.into(), label.into())), ..self }
    }

    /// Puts a city before it.
    #[must_use]
    pub fn city(self, city: CityMark) -> Cell {
        Cell { city: Some(city), ..self }
    }

    fn groups(&self) -> Vec<&str> {
        self.text.split_whitespace().collect()
    }
}

/// A row; its first cell is its head.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TableRow {
    /// One cell a column.
    pub cells: Vec<Cell>,
    /// `""`, `diff` (differs) or `on` (chosen).
    pub mark: &'static str,
}

impl TableRow {
    /// A row of cells.
    pub fn new(cells: Vec<Cell>) -> TableRow {
        TableRow { cells, mark: "" }
    }
}

/// A table.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/table.html")]
pub struct Table {
    /// What it lists; for those who do not see it.
    pub caption: String,
    /// Its columns.
    pub heads: Vec<Head>,
    /// Its rows.
    pub rows: Vec<TableRow>,
    /// How many there are and how many are shown; empty for no line.
    pub count: String,
    /// Where it can be had as a file.
    pub export: Option<Exports>,
}

/// The links by which a list is had as a file (导出).
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct Exports {
    /// Text and address of each.
    pub links: Vec<(String, String)>,
}

impl Exports {
    /// Excel and CSV of the list at this very address, filters and all.
    pub fn of(visit: &Visit) -> Exports {
        let link = |text: &str, kind: &str| (text.to_owned(), visit.address_with("export", kind));
        Exports {
            links: vec![link(visit.lang.t("导出 Excel", "Export to Excel"), "xlsx"), link("CSV", "csv")],
        }
    }
}

impl Table {
    fn head(&self, at: &usize) -> &str {
        self.heads.get(*at).map_or("", |head| &head.text)
    }

    fn is_numeric(&self, at: &usize) -> bool {
        self.heads.get(*at).is_some_and(|head| head.numeric)
    }

    /// The table as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

/// The pages of a long list (分页).
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/pager.html")]
pub struct Pager {
    /// The page that is shown, from 1.
    pub page: usize,
    /// How many there are.
    pub pages: usize,
    #[serde(skip)]
    links: Vec<(usize, String)>,
    #[serde(skip)]
    lang: Lang,
}

impl Pager {
    /// The pager of a list of `total` with `per_page` on a page; the page stands in `?page=`.
    pub fn of(visit: &Visit, total: usize, per_page: usize) -> Pager {
        let pages = total.div_ceil(per_page.max(1)).max(1);
        let asked = visit.param("page").and_then(|page| page.parse::<usize>().ok()).unwrap_or(1);
        let page = asked.clamp(1, pages);
        let near = |at: &usize| *at == 1 || *at == pages || at.abs_diff(page) <= 2;
        let links =
            (1..=pages).filter(near).map(|at| (at, visit.address_with("page", &at.to_string()))).collect();
        Pager { page, pages, links, lang: visit.lang }
    }

    /// How many rows to leave out, for `OFFSET`.
    pub fn offset(&self, per_page: usize) -> usize {
        (self.page - 1) * per_page
    }

    /// Whether pages lie between this link and the one before it.
    fn gap(&self, at: &usize) -> bool {
        *at != 1 && !self.links.iter().any(|(other, _)| *other + 1 == *at)
    }

    fn next(&self) -> Option<&str> {
        self.links.iter().find(|(at, _)| *at == self.page + 1).map(|(_, href)| href.as_str())
    }

    /// The pager as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

/// The pages of a list that begins anew where the one before it ended: too long to be numbered (翻页).
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/turns.html")]
pub struct Turns {
    /// The first page, unless it is shown.
    pub first: Option<(String, String)>,
    /// The page before this one: text and address.
    pub back: Option<(String, String)>,
    /// The page after this one: text and address.
    pub on: Option<(String, String)>,
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
}

impl Turns {
    fn links(&self) -> Vec<&(String, String)> {
        [&self.first, &self.back, &self.on].into_iter().flatten().collect()
    }

    /// The links as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

/// A bar of filters, which stand in the address (筛选).
#[derive(Clone, Debug, Template)]
#[template(path = "parts/filters.html")]
pub struct Filters {
    lang: Lang,
    action: String,
    shown: Html,
    kept: Vec<(String, String)>,
}

impl Filters {
    /// Filters over these fields, filled in from the address.
    pub fn of(visit: &Visit, fields: &[Field<'_>]) -> Filters {
        // Every filter may stay empty; saying so at each would be noise.
        let plain: Vec<_> = fields.iter().map(|field| Field { optional: false, ..*field }).collect();
        let shown = Fields::from_query(visit).show_all(&plain);
        Filters { lang: visit.lang, action: visit.path.clone(), shown, kept: Vec::new() }
    }

    /// Keeps what else the address says, such as the order of the list.
    #[must_use]
    pub fn keeping(mut self, visit: &Visit, names: &[&str]) -> Filters {
        let said = names.iter().filter_map(|name| Some(((*name).to_owned(), visit.param(name)?)));
        self.kept.extend(said);
        self
    }
}

impl HtmlSafe for Table {}
impl HtmlSafe for Pager {}
impl HtmlSafe for Turns {}
impl HtmlSafe for Filters {}
