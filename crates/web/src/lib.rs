//! Pages (页面): what every task needs to answer people and programs over HTTP.
//!
//! A handler takes a [`Visit`], reads a [`Form`] into checked types, and gives back a view:
//! HTML for people, the same view model as JSON for programs that ask for it.
//! Layer 4: no rule of law stands here, and no table.
//!
//! # A page in a task
//! `askama.toml` of the task says `dirs = ["templates", "../../crates/web/templates"]`.
//! ```ignore
//! const PHONE: Field<'static> = Field::new("phone", "手机号", "Mobile number", Input::Phone).autocomplete("tel");
//!
//! #[derive(Template, Serialize)]
//! #[template(path = "contact.html")]
//! struct Contact {
//!     frame: Frame,   // the layout reads it; programs get title, token, role and trace of it
//!     lang: Lang,
//!     form: Fields,
//! }
//!
//! impl Contact {
//!     fn of(visit: &Visit, form: Fields) -> Contact {
//!         let frame = visit.frame("怎么联系您", "How to reach you").crumb("办件", "My cases", "/cases").errors(&form);
//!         Contact { frame, lang: visit.lang, form }
//!     }
//! }
//!
//! async fn show(visit: Visit) -> PageResult {
//!     visit.page(Contact::of(&visit, Fields::blank(&visit)))
//! }
//!
//! async fn send(visit: Visit, State(app): State<App>, form: Form) -> PageResult {
//!     let mut fields = form.fields();
//!     let phone = fields.read(&PHONE).parse::<Phone>().required();
//!     let Some(phone) = phone else { return visit.form_again(Contact::of(&visit, fields)) };
//!     let ctx = visit.ctx.clone();
//!     let saved = app.store.write("t02.contact", move |tx| contact::save(tx, &ctx, &phone)).await;
//!     match fields.take(saved)? {
//!         Some(()) => Ok(redirect("/cases")),
//!         None => visit.form_again(Contact::of(&visit, fields)),
//!     }
//! }
//! ```
//! ```html
//! {% extends "layout.html" %}
//! {% import "components.html" as c %}
//! {% block main %}
//! {{ form.errors() }}
//! <h1>{{ frame.title }}</h1>
//! {% call c::post("/contact") %}
//!   {{ form.show(PHONE) }}
//!   {% call c::acts() %}<button class="btn" type="submit">{{ lang.t("继续", "Go on") }}</button>{% endcall %}
//! {% endcall %}
//! {% endblock %}
//! ```
//! Every address stands in the module's `route_list`; one that does not is shut.

#[cfg(test)]
extern crate self as tb_web;

mod app;
mod assets;
mod caller;
pub mod csrf;
mod csv;
mod deflate;
mod export;
mod field;
mod fields;
mod form;
mod frame;
mod html;
pub mod kiosk;
mod lang;
pub mod limits;
mod module;
mod page;
mod query;
pub mod session;
mod site;
pub mod styleguide;
#[cfg(test)]
#[path = "../examples/support/mod.rs"]
mod support;
mod tour;
pub mod ui;
mod upload;
mod visit;
mod xlsx;
mod zip;

pub use app::{App, AppParts, CityFront, DemoSettings};
pub use caller::{Caller, Network, Origins, network_of};
pub use export::{Datum, FILE_ROWS_MAX, Rows, TableFile};
pub use field::{Choice, Field, Input};
pub use fields::{FieldError, Fields, Reader};
pub use form::{BODY_BYTES_MAX, FILES_MAX, Form};
pub use frame::{Frame, NavEntry};
pub use html::Html;
pub use lang::{Given, Lang, Text, Words};
pub use module::{Job, Module, RouteInfo, RunJob, Who};
pub use page::{PageError, PageResult, download, json, redirect};
pub use site::{TraceOf, site, site_behind};
pub use tour::{Answer as TourAnswer, Guide as TourGuide, TourBar};
pub use upload::{FILE_BYTES_MAX, FileKind, Upload};
pub use visit::{SIGN_IN, ViewMode, Visit, safe_next};
