//! The map of the region (示意图): simplified outlines in the cities' colours, labelled as schematic.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::Serialize;

use crate::html::Html;
use crate::lang::Lang;

/// One city on the map.
#[derive(Clone, Debug, Serialize)]
pub struct CityOutline {
    /// Its node, which gives the colour.
    pub node: String,
    /// Its name.
    pub name: String,
    /// The name of its app.
    pub app: String,
    /// Paths of its parts, as the `d` attribute takes them.
    #[serde(skip)]
    pub parts: Vec<String>,
    /// The path of its edge.
    #[serde(skip)]
    pub edge: String,
    /// Where its name stands.
    #[serde(skip)]
    pub label_at: (i32, i32),
    /// Where a click leads; empty for nowhere.
    pub href: String,
}

/// The map.
#[derive(Clone, Debug, Template, Serialize)]
#[template(path = "parts/map.html")]
pub struct RegionMap {
    /// The language of the page.
    #[serde(skip)]
    pub lang: Lang,
    /// Width and height of the drawing.
    #[serde(skip)]
    pub size: (u32, u32),
    /// The cities.
    pub cities: Vec<CityOutline>,
}

impl RegionMap {
    fn names(&self) -> String {
        self.cities.iter().map(|city| city.name.as_str()).collect::<Vec<_>>().join(self.lang.t("、", ", "))
    }

    /// The map as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for RegionMap {}
