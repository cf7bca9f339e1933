//! One audit line (一条审计记录), with links to what it is about where the auditor may see that.
//! Serves clause 1.6.

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{MessageId, Refusal};
use tb_store::{Tx, audit, dead_letters};
use tb_web::{Frame, Lang, PageResult, Visit, ui};

use super::{Shown, ask, permit, shown};
use crate::words::actor_word;

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/audit_line.html")]
struct LinePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    line: Shown,
    /// The page of what it is about, if there is one.
    about: Option<String>,
}

/// GET /audit/{id}
pub async fn show(visit: Visit, id: Path<String>) -> PageResult {
    permit(&visit)?;
    let id: MessageId = id.parse().map_err(|_| missing())?;
    let ctx = visit.ctx.clone();
    let read = move |tx: &mut Tx<'_>| {
        let line = audit::find(tx, id)?.ok_or_else(missing)?;
        let message = line.object.parse::<MessageId>().ok();
        let letter = message.map(|message| dead_letters::find(tx, message)).transpose()?.flatten();
        audit::line(tx, &ctx, "audit.read", id.as_str(), "found:1")?;
        Ok((line, letter.is_some()))
    };
    let (line, is_letter) = visit.app.store.write("t01.audit.line", read).await?;
    let contract = line.object.strip_prefix("contract/").map(|id| format!("/bureau/contracts/{id}"));
    let about = if is_letter { Some(format!("/bureau/dead/{}", line.object)) } else { contract };
    let frame = visit.frame("审计记录", "Audit line").crumb("审计", "Audit", "/audit").airy();
    visit.page(LinePage { frame, lang: visit.lang, line: shown(visit.lang, line), about })
}

fn missing() -> Refusal {
    Refusal::gone("T01-AUD-004", "没有这条审计记录", "There is no such audit line")
        .but("请从审计列表打开", "Open it from the list")
}

impl LinePage {
    fn summary(&self) -> ui::Summary {
        let (lang, line) = (self.lang, &self.line);
        let row = |zh, en, value: &str| ui::SummaryRow::new(lang.t(zh, en), value);
        let same = |name, value: &str| (lang.t("同样的", "all such").to_owned(), ask::address(name, value));
        let action = |row: ui::SummaryRow, (text, href): (String, String)| row.action(text, href);
        let word = line.action_word.unwrap_or(&line.action);
        let outcome = line.outcome_word.as_deref().unwrap_or(&line.outcome);
        ui::Summary {
            rows: vec![
                row("时间", "When", &lang.time(line.at)),
                action(
                    row("谁", "Who", actor_word(lang, &line.actor)).from(line.actor.clone()),
                    same("actor", &line.actor),
                ),
                action(row("操作", "Action", word).from(line.action.clone()), same("action", &line.action)),
                action(row("对象", "Object", &line.object).code(), same("object", &line.object)),
                row("结果", "Outcome", outcome).from(line.outcome.clone()),
                action(row("追踪号", "Trace", &line.trace).code(), same("trace", &line.trace)),
                row("编号", "Id", line.id.as_str()).code(),
            ],
        }
    }
}
