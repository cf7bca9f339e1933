//! The screen in the hall (大厅屏): which numbers are called, for whoever waits. It names nobody.
//! Serves clause 2.3.
//!
//! Invariant: the screen needs no script and no hand: the answer itself says when it is to be asked for again.

use askama::Template;
use axum::http::HeaderValue;
use axum::http::header::HeaderName;
use serde::Serialize;
use tb_base::Timestamp;
use tb_counter::ticket::{self, Ticket};
use tb_identity::offices::Office;
use tb_web::{Frame, Html, Lang, PageResult, Visit, ui};

use crate::door::halls;

/// How often the screen looks again, in seconds.
const LOOK_SECONDS: u32 = 15;
/// The header by which a page is asked for again; every browser knows it, and it needs no script.
const REFRESH: HeaderName = HeaderName::from_static("refresh");

/// A number on the screen.
#[derive(Serialize)]
struct Line {
    code: String,
    /// When it was called last; none while it waits.
    called: Option<Timestamp>,
}

#[derive(Template, Serialize)]
#[template(path = "tw/hall.html")]
struct Hall {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    office: String,
    /// Other halls of the city, with their addresses.
    #[serde(skip)]
    others: Vec<(String, String)>,
    called: Vec<Line>,
    next: Vec<Line>,
    waiting: i64,
    now: Timestamp,
}

impl Hall {
    /// What is called: number and place.
    fn words(&self, line: &Line) -> Html {
        ui::tag("now", &format!("{} {}", line.code, self.lang.t("请到专窗", "to the counter")))
    }
}

/// GET /tickets/hall: `?office=` names the hall.
pub(crate) async fn show(visit: Visit) -> PageResult {
    let (asked, day) = (visit.param("office").unwrap_or_default(), visit.ctx.now.date());
    let read = visit.app.store.read_snapshot("t02.hall", move |tx| {
        let halls = halls(tx)?;
        let hall = halls.iter().find(|hall| hall.id.as_str() == asked).or(halls.first()).cloned();
        let board = hall.as_ref().map(|hall| ticket::board(tx, &hall.id, day)).transpose()?;
        Ok((halls, hall, board))
    });
    let (halls, hall, board) = read.await?;
    let lang = visit.lang;
    let name = |office: &Office| lang.t(&office.name_zh, &office.name_en).to_owned();
    let others = halls.iter().filter(|it| hall.as_ref().is_none_or(|hall| hall.id != it.id));
    let others = others.map(|it| (name(it), format!("/tickets/hall?office={}", it.id))).collect();
    let (called, next, waiting) = board.map_or((Vec::new(), Vec::new(), 0), |board| {
        (
            board.called.iter().map(line).collect(),
            board.waiting.iter().map(line).collect(),
            board.waiting_total,
        )
    });
    let mut page = visit.page(Hall {
        frame: visit.frame("叫号", "Numbers called").airy(),
        lang,
        office: hall.as_ref().map_or_else(String::new, name),
        others,
        called,
        next,
        waiting,
        now: visit.ctx.now,
    })?;
    page.headers_mut().insert(REFRESH, HeaderValue::from(LOOK_SECONDS));
    Ok(page)
}

fn line(ticket: &Ticket) -> Line {
    Line { code: ticket.code(), called: ticket.called }
}
