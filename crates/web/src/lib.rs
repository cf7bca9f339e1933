//! Pages (页面): what every task needs to answer people and programs over HTTP.
//!
//! A handler takes a [`Visit`], reads a [`Form`] into checked types, and gives back a view:
//! HTML for people, the same view model as JSON for programs that ask for it.
//! Layer 4: no rule of law stands here, and no table.

#[cfg(test)]
extern crate self as tb_web;

mod app;
mod assets;
pub mod csrf;
mod field;
mod fields;
mod form;
mod frame;
mod html;
mod lang;
mod module;
mod page;
mod query;
pub mod session;
mod site;
#[cfg(test)]
#[path = "../examples/support/mod.rs"]
mod support;
pub mod styleguide;
pub mod ui;
mod upload;
mod visit;

pub use app::{App, AppParts, CityFront, DemoSettings};
pub use field::{Choice, Field, Input};
pub use fields::{FieldError, Fields, Reader};
pub use form::{BODY_BYTES_MAX, FILES_MAX, Form};
pub use frame::{Frame, NavEntry};
pub use html::Html;
pub use lang::{Given, Lang, Text, Words};
pub use module::{Job, Module, RouteInfo, RunJob, Who};
pub use page::{PageError, PageResult, download, json, redirect};
pub use site::site;
pub use upload::{FILE_BYTES_MAX, FileKind, Upload};
pub use visit::{SIGN_IN, ViewMode, Visit, safe_next};
