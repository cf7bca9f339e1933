//! Words that pages share (用语): texts of definitions, cities, sources, moments.

use std::collections::BTreeMap;

use tb_base::NodeId;
use tb_case::text::Text;
use tb_licence::types::{Field, FieldKind, LicenceType, Mask, mask};
use tb_web::ui::CityMark;
use tb_web::{App, Lang};

use crate::parts::Parts;

/// How long a message may take before a page says that its city does not answer (未应答).
pub(crate) const PATIENCE_SECONDS: i64 = 15;

/// The half of a definition's text that the page speaks.
pub(crate) fn say(lang: Lang, text: &Text) -> &str {
    lang.t(&text.zh, &text.en)
}

/// Seal and name of a city.
pub(crate) fn mark(app: &App, lang: Lang, node: NodeId) -> Option<CityMark> {
    app.city(node).map(|front| CityMark::of(lang, front))
}

/// The name of a city in both languages; its code where the region does not know it.
pub(crate) fn city(app: &App, node: NodeId) -> Text {
    match app.city(node) {
        Some(front) => Text::new(front.name.clone(), front.name_en.clone()),
        None => Text::new(node.as_str(), node.as_str()),
    }
}

/// The name of a city as the page speaks.
pub(crate) fn city_name(app: &App, lang: Lang, node: NodeId) -> String {
    say(lang, &city(app, node)).to_owned()
}

/// The name of an item as the page speaks.
pub(crate) fn item_name(parts: &Parts, lang: Lang, number: u16) -> String {
    say(lang, &parts.catalogue.item_name(number)).to_owned()
}

/// The name of a unit variant as JSON has it.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        Ok(_) | Err(_) => String::new(),
    }
}

/// A name that may exist in Chinese only: pages mark it then, so that it is read aloud in the right language.
pub(crate) struct Named {
    pub(crate) text: String,
    /// The value of `lang`.
    pub(crate) lang: &'static str,
}

impl Named {
    pub(crate) fn of(lang: Lang, zh: &str, en: Option<&str>) -> Named {
        match (lang, en) {
            (Lang::En, Some(en)) => Named { text: en.to_owned(), lang: "en" },
            (Lang::En | Lang::Zh, _) => Named { text: zh.to_owned(), lang: "zh-CN" },
        }
    }
}

/// A value of a paper as pages show it: resident numbers masked, also where a licence is numbered with one.
pub(crate) fn discreet(
    kind: &LicenceType,
    values: &BTreeMap<String, String>,
    field: &Field,
) -> Option<String> {
    let value = values.get(&field.id)?;
    let numbers = kind.fields.iter().filter(|field| field.kind == FieldKind::ResidentNumber);
    let is_number = numbers.filter_map(|field| values.get(&field.id)).any(|number| number == value);
    Some(if is_number { mask(Mask::Number, value) } else { value.clone() })
}

/// The address of a search.
pub(crate) fn search(query: &str) -> String {
    let mut address = String::from("/items?q=");
    for byte in query.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => address.push(char::from(byte)),
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}
