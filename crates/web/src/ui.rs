//! Parts of pages (部件): each once, shown with its states on `/styleguide`.
//!
//! Small parts are functions for templates (`{{ ui::tag("done", text) }}`);
//! larger ones are view models that know how to show themselves (`{{ steps }}`) and travel as JSON as they are.

mod chart;
mod compare;
mod confirm;
mod due;
mod list;
mod map;
mod months;
pub mod qr;
mod steps;
mod table;
mod work;

use askama::Template;

pub use chart::{
    Bar, BarChart, BarGroup, Columns, GroupedBars, Lane, Measure, Series, Span, SpanKind, Track,
};
pub use compare::{Compare, CompareLine, Verdict};
pub use confirm::Confirm;
pub use due::{DayCell, Days, DueBox};
pub use list::{Fact, Facts, Message, Summary, SummaryRow, Tile, Tiles};
pub use map::{CityOutline, RegionMap};
pub use months::{Month, MonthKind, MonthSpan, Months};
pub use steps::{CityMark, Step, StepState, Steps};
pub use table::{Cell, Exports, Filters, Head, Pager, Table, TableRow, Turns};
pub use work::{Act, Decide, DecideAct, Keys, Queue, QueueItem};

use crate::app::CityFront;
use crate::html::Html;
use crate::lang::{Given, Lang};

#[derive(Template)]
#[template(source = r#"<input type="hidden" name="csrf" value="{{ token }}">"#, ext = "html")]
struct Csrf<'a> {
    token: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<span class="city" data-city="{{ node }}"><span class="seal" aria-hidden="true">{{ seal }}</span>{{ name }}</span>"#,
    ext = "html"
)]
struct City<'a> {
    node: &'a str,
    seal: &'a str,
    name: &'a str,
}

#[derive(Template)]
#[template(source = r#"<span class="tag tag--{{ kind }}">{{ text }}</span>"#, ext = "html")]
struct Tag<'a> {
    kind: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<span class="code">{% for group in groups %}<span>{{ group }}</span>{% endfor %}</span>"#,
    ext = "html"
)]
struct Code<'a> {
    groups: Vec<&'a str>,
}

#[derive(Template)]
#[template(
    source = r#"<span class="copy"><span class="code">{% for group in groups %}<span>{{ group }}</span>{% endfor %}</span><button class="btn btn--text btn--small" type="button" data-copy="{{ text }}" data-done="{{ done }}" hidden>{{ label }}</button></span>"#,
    ext = "html"
)]
struct CopyCode<'a> {
    groups: Vec<&'a str>,
    text: &'a str,
    label: &'a str,
    done: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<div class="empty"><p class="note__head">{{ title }}</p><p class="quiet">{{ text }}{% if !href.is_empty() %} <a href="{{ href }}">{{ link }}</a>{% endif %}</p></div>"#,
    ext = "html"
)]
struct Empty<'a> {
    title: &'a str,
    text: &'a str,
    href: &'a str,
    link: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<div class="note{% if !kind.is_empty() %} note--{{ kind }}{% endif %}">{% if !title.is_empty() %}<p class="note__head">{{ title }}</p>{% endif %}<p>{{ text }}</p></div>"#,
    ext = "html"
)]
struct Note<'a> {
    kind: &'a str,
    title: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<form method="post" action="{{ action }}" class="inline">{{ csrf }}<button class="btn{% if !kind.is_empty() %} btn--{{ kind }}{% endif %}" type="submit">{{ text }}</button></form>"#,
    ext = "html"
)]
struct PostButton<'a> {
    action: &'a str,
    kind: &'a str,
    text: &'a str,
    csrf: Html,
}

#[derive(Template)]
#[template(
    source = r#"<a class="btn{% if !kind.is_empty() %} btn--{{ kind }}{% endif %}" href="{{ href }}">{{ text }}</a>"#,
    ext = "html"
)]
struct LinkButton<'a> {
    href: &'a str,
    kind: &'a str,
    text: &'a str,
}

#[derive(Template)]
#[template(source = r#"<kbd aria-hidden="true">{{ key }}</kbd>"#, ext = "html")]
struct Key<'a> {
    key: &'a str,
}

#[derive(Template)]
#[template(
    source = r#"<b class="nb" data-until="{{ seconds }}" data-over="{{ over }}">{{ seconds }}</b>"#,
    ext = "html"
)]
struct Countdown<'a> {
    seconds: i64,
    over: &'a str,
}

/// The hidden token of a form.
pub fn csrf(token: &str) -> Html {
    Html::of(&Csrf { token })
}

/// Seal and name of a city; the seal never stands alone.
pub fn city(lang: impl Given<Lang>, front: &CityFront) -> Html {
    let lang = lang.given();
    Html::of(&City {
        node: front.node.as_str(),
        seal: &front.seal,
        name: lang.t(&front.name, &front.name_en),
    })
}

/// A state in one word. Kinds: `""` not begun, `now`, `wait`, `done`, `stop`, `plain`.
pub fn tag(kind: &str, text: &str) -> Html {
    Html::of(&Tag { kind: if kind.is_empty() { "open" } else { kind }, text })
}

/// A code in groups that copy as one; groups are separated by spaces in `text`.
pub fn code(text: &str) -> Html {
    Html::of(&Code { groups: text.split_whitespace().collect() })
}

/// A code with a button that copies it (only with script; selecting copies it too).
pub fn code_to_copy(lang: impl Given<Lang>, text: &str) -> Html {
    let lang = lang.given();
    let (label, done) = (lang.t("复制", "Copy"), lang.t("已复制", "Copied"));
    Html::of(&CopyCode { groups: text.split_whitespace().collect(), text, label, done })
}

/// Splits a code into groups of so many letters: `4` turns `7k4m29qd` into `7k4m 29qd`.
pub fn grouped(text: &str, letters: usize) -> String {
    let mut groups = String::with_capacity(text.len() * 2);
    for (at, letter) in text.chars().enumerate() {
        if 0 < at && at.is_multiple_of(letters.max(1)) {
            groups.push(' ');
        }
        groups.push(letter);
    }
    groups
}

/// An empty list: why it is empty and what to do.
pub fn empty(title: &str, text: &str, href: &str, link: &str) -> Html {
    Html::of(&Empty { title, text, href, link })
}

/// A notice. Kinds: `""`, `done`, `wait`, `stop`.
pub fn note(kind: &str, title: &str, text: &str) -> Html {
    Html::of(&Note { kind, title, text })
}

/// A button that does one thing by POST. Kinds: `""` filled, `line`, `stop`, `text`. Never inside `<p>`: it is a form.
pub fn post_button(token: &str, action: &str, kind: &str, text: &str) -> Html {
    Html::of(&PostButton { action, kind, text, csrf: csrf(token) })
}

/// A link that looks like a button: the next step. Kinds as for [`post_button`].
pub fn link_button(href: &str, kind: &str, text: &str) -> Html {
    Html::of(&LinkButton { href, kind, text })
}

/// The key of a button or link that has it in `data-key`; seen where script runs and keys are not turned off.
pub fn key(key: &str) -> Html {
    Html::of(&Key { key })
}

/// Seconds that count down with script; `over` is what stands there afterwards.
pub fn countdown(seconds: i64, over: &str) -> Html {
    Html::of(&Countdown { seconds, over })
}
