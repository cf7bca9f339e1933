//! What a task brings to the program (模块): a plain value, listed once in the binary.

use std::sync::Arc;

use axum::Router;
use tb_base::{Ctx, Result, Role};
use tb_store::{Schema, Tx};

use crate::App;
use crate::limits::Class;

/// Who may come to an address (访问范围).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody.
    Public,
    /// Whoever is signed in.
    SignedIn,
    /// Accounts with one of these roles.
    Roles(&'static [Role]),
}

/// An address that a module serves. What is not listed is refused, even where a handler exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteInfo {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As the router has it, such as `/cases/{case}`.
    pub path: &'static str,
    /// Who may come.
    pub who: Who,
    /// What it is counted as.
    pub class: Class,
}

impl RouteInfo {
    /// An address that shows something.
    pub const fn get(path: &'static str, who: Who) -> RouteInfo {
        RouteInfo { method: "GET", path, who, class: Class::Page }
    }

    /// An address that does something.
    pub const fn post(path: &'static str, who: Who) -> RouteInfo {
        RouteInfo { method: "POST", path, who, class: Class::Form }
    }

    /// The same, counted as another kind of route.
    #[must_use]
    pub const fn counted(self, class: Class) -> RouteInfo {
        RouteInfo { class, ..self }
    }
}

/// What is done when a job falls due, in one transaction that may run twice.
pub type RunJob = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &serde_json::Value) -> Result<()> + Send + Sync>;

/// A kind of job that a module does (后台任务).
#[derive(Clone)]
pub struct Job {
    /// As given to `tb_store::jobs::put`.
    pub kind: &'static str,
    /// What is done.
    pub run: RunJob,
}

/// A task or block as the binary sees it.
#[derive(Clone)]
pub struct Module {
    /// Such as `t02`.
    pub id: &'static str,
    /// The clauses that it serves, such as `2.1`.
    pub clauses: &'static [&'static str],
    /// Its addresses and handlers.
    pub routes: Router<App>,
    /// The services that it offers other cities.
    pub handlers: Vec<tb_store::inbox::Handler>,
    /// The kinds of jobs that it does.
    pub jobs: Vec<Job>,
    /// What it owns in the database.
    pub schema: Option<Schema>,
    /// Who may come to which address.
    pub route_list: &'static [RouteInfo],
}
