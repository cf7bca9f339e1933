//! Names that pages show (名称): items, offices of all cities, states.

use std::collections::BTreeMap;

use tb_base::{OfficeId, Result};
use tb_case::text::Text;
use tb_identity::offices;
use tb_store::Tx;
use tb_web::{App, Lang, ui};

use crate::Parts;

/// The half of a text that the page speaks.
pub(crate) fn say(lang: Lang, text: &Text) -> &str {
    lang.t(&text.zh, &text.en)
}

/// The name of an item.
pub(crate) fn item(parts: &Parts, lang: Lang, number: u16) -> String {
    say(lang, &parts.env.catalogue.item_name(number)).to_owned()
}

/// Names of offices.
pub(crate) struct Names {
    lang: Lang,
    known: BTreeMap<OfficeId, Text>,
}

impl Names {
    /// Those of this city, and those of others that items name.
    pub(crate) fn read(tx: &mut Tx<'_>, parts: &Parts, app: &App, lang: Lang) -> Result<Names> {
        let mut known = BTreeMap::new();
        let items = parts.env.catalogue.items().filter(|item| item.online());
        for number in items.map(|item| item.entry.number) {
            let rules = app.cities.iter().filter_map(|city| parts.env.catalogue.rules(number, city.node));
            for rules in rules {
                for office in [&rules.offices.window, &rules.offices.deciding] {
                    known.insert(office.id.clone(), office.name.clone());
                }
            }
        }
        for office in offices::all(tx)? {
            known.insert(office.id, Text::new(office.name_zh, office.name_en));
        }
        Ok(Names { lang, known })
    }

    /// The name of an office; its id where nobody knows it.
    pub(crate) fn of(&self, office: &OfficeId) -> String {
        let name = self.known.get(office).map(|name| say(self.lang, name).to_owned());
        name.unwrap_or_else(|| office.to_string())
    }

    /// An office in a table, with its city.
    pub(crate) fn cell(&self, app: &App, office: &OfficeId) -> ui::Cell {
        let cell = ui::Cell::text(self.of(office));
        match offices::city_of(office).and_then(|city| app.city(city)) {
            Some(front) => cell.city(ui::CityMark::of(self.lang, front)),
            None => cell,
        }
    }

    /// Every office that is known, by its name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&OfficeId, &Text)> {
        self.known.iter()
    }
}
