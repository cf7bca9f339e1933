//! The map of the region (示意图): simplified outlines in the cities' colours, labelled as schematic.

use askama::Template;
use askama::filters::HtmlSafe;
use serde::{Deserialize, Serialize};
use tb_base::{Fault, Result};

use crate::app::CityFront;
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

/// The file of outlines, as `region/outlines.json` has it.
#[derive(Deserialize)]
struct Outlines {
    width: u32,
    height: u32,
    divisions: Vec<Outline>,
}

#[derive(Deserialize)]
struct Outline {
    city: String,
    label: (i32, i32),
    path: String,
}

impl RegionMap {
    /// The map of these cities from the text of `region/outlines.json`; links lead to their sites.
    pub fn of(lang: Lang, outlines: &str, cities: &[CityFront]) -> Result<RegionMap> {
        let outlines: Outlines = serde_json::from_str(outlines)
            .map_err(|error| Fault::of("reading the outlines of the region", error))?;
        let city = |front: &CityFront| {
            let own: Vec<_> = outlines.divisions.iter().filter(|it| it.city == front.node.as_str()).collect();
            let count = i32::try_from(own.len().max(1)).unwrap_or(1);
            let middle = own.iter().fold((0, 0), |sum, it| (sum.0 + it.label.0, sum.1 + it.label.1));
            CityOutline {
                node: front.node.to_string(),
                name: lang.t(&front.name, &front.name_en).to_owned(),
                app: front.app.clone(),
                parts: own.iter().map(|it| it.path.clone()).collect(),
                label_at: (middle.0 / count, middle.1 / count),
                href: front.site_url.clone(),
            }
        };
        let size = (outlines.width, outlines.height);
        Ok(RegionMap { lang, size, cities: cities.iter().map(city).collect() })
    }

    fn names(&self) -> String {
        self.cities.iter().map(|city| city.name.as_str()).collect::<Vec<_>>().join(self.lang.t("、", ", "))
    }

    /// The map as HTML.
    pub fn html(&self) -> Html {
        Html::of(self)
    }
}

impl HtmlSafe for RegionMap {}
