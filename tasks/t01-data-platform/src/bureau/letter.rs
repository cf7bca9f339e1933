//! One dead letter (一封死信): what it is, whose it is, and what may be done: take, send again, settle by hand.
//! Serves clause 1.6.
//!
//! Invariant: each act is one transaction that names the state which was seen; twice is the same as once.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{Actor, Ctx, MessageId, Refusal, Result, StaffId};
use tb_exchange::Again;
use tb_store::dead_letters::{self, Ending, Letter, LetterState, moved};
use tb_store::outbox::{self, State};
use tb_store::{Tx, audit};
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use super::dead::{Names, Shown, shown};
use super::words::{DONE, WHY, choice_word};
use super::{age, operating};
use crate::parts::Parts;

const REASON: Field<'static> = Field::new("why", "为什么", "Why", Input::Radio(&WHY));
const DEED: Field<'static> = Field::new("done", "做了什么", "What was done", Input::Radio(&DONE));
const VERSION: Field<'static> = Field::new("version", "版本", "Version", Input::Digits);

/// The page.
#[derive(Template, Serialize)]
#[template(path = "t01/letter.html")]
struct LetterPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    letter: Shown,
    /// Whether whoever looks may act.
    may_act: bool,
    /// Whether the letter is hers.
    is_own: bool,
    /// How it would go again: `same`, `another`, or why not.
    again: Option<&'static str>,
    again_refused: Option<Refusal>,
    /// What just happened: `take`, `again` or `settle`.
    done: String,
    #[serde(skip)]
    now: tb_base::Timestamp,
}

/// What an act asks for.
enum Deed {
    Take,
    Again,
    Settle(String, String),
}

/// GET /bureau/dead/{id}
pub async fn show(visit: Visit, parts: Extension<Arc<Parts>>, id: Path<String>) -> PageResult {
    let form = Fields::blank(&visit);
    let page = page(&visit, &parts, &id, form).await?;
    visit.page(page)
}

/// POST /bureau/dead/{id}: `do=take`, `do=again`, or `do=settle` with why and what was done.
pub async fn act(visit: Visit, parts: Extension<Arc<Parts>>, path: Path<String>, form: Form) -> PageResult {
    operating(&visit)?;
    let id: MessageId = path.parse().map_err(|_| missing())?;
    let mut fields = form.fields();
    let (version, deed) = (fields.number(&VERSION).required(), deed(&mut fields)?);
    if let (Some(version), Some(deed)) = (version, deed) {
        let word = fields.pressed().to_owned();
        let (ctx, parts) = (visit.ctx.clone(), Arc::clone(&parts.0));
        let work = move |tx: &mut Tx<'_>| perform(tx, &ctx, &parts, id, version, &deed);
        let outcome = visit.app.store.write("t01.dead.act", work).await;
        if fields.take(outcome)?.is_some() {
            return Ok(redirect(&format!("/bureau/dead/{id}?done={word}")));
        }
    }
    let page = page(&visit, &parts, &path, fields).await?;
    visit.form_again(page)
}

fn deed(fields: &mut Fields) -> Result<Option<Deed>> {
    match fields.pressed() {
        "take" => Ok(Some(Deed::Take)),
        "again" => Ok(Some(Deed::Again)),
        "settle" => {
            let (why, done) = (fields.read(&REASON).required(), fields.read(&DEED).required());
            Ok(why.zip(done).map(|(why, done)| Deed::Settle(why, done)))
        }
        _ => Err(no_act().into()),
    }
}

fn perform(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    id: MessageId,
    version: i64,
    deed: &Deed,
) -> Result<()> {
    let me = member(ctx)?;
    let seen = dead_letters::find(tx, id)?.ok_or_else(missing)?;
    if is_repetition(&seen, me, deed) {
        return Ok(());
    }
    if seen.version != version || seen.state != LetterState::Open {
        return Err(moved().into());
    }
    if !matches!(deed, Deed::Take) && seen.owner != Some(me) {
        return Err(not_taken().into());
    }
    match deed {
        Deed::Take => {
            dead_letters::take(tx, ctx.now, &seen, me)?;
            audit::line(tx, ctx, "exchange.take", id.as_str(), "done")
        }
        Deed::Again => send_again(tx, ctx, parts, &seen, me),
        Deed::Settle(why, done) => {
            dead_letters::close(tx, ctx.now, &seen, me, Ending::Settled(why, done))?;
            audit::line(tx, ctx, "exchange.settle", id.as_str(), &format!("{why}:{done}"))
        }
    }
}

/// The same press of the same button: it has its effect already.
fn is_repetition(seen: &Letter, me: StaffId, deed: &Deed) -> bool {
    match deed {
        Deed::Take => seen.state == LetterState::Open && seen.owner == Some(me),
        Deed::Again => seen.state == LetterState::Again && seen.closed_by == Some(me),
        Deed::Settle(why, done) => {
            let same = seen.why.as_deref() == Some(why) && seen.done.as_deref() == Some(done);
            seen.state == LetterState::Settled && seen.closed_by == Some(me) && same
        }
    }
}

fn send_again(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, seen: &Letter, me: StaffId) -> Result<()> {
    let id = seen.envelope.id;
    let Some(sent) = outbox::find(tx, id)?.filter(|sent| sent.state == State::Dead) else {
        return Err(moved().into());
    };
    match parts.desk.again(ctx, &sent.message, sent.created)? {
        Again::Same => {
            if !outbox::revive(tx, ctx.now, id)? {
                return Err(moved().into());
            }
            dead_letters::close(tx, ctx.now, seen, me, Ending::Again(None))?;
            audit::line(tx, ctx, "exchange.again", id.as_str(), "same")
        }
        Again::Another(next) => {
            outbox::send(tx, ctx, &next)?;
            let successor = next.envelope.id;
            dead_letters::close(tx, ctx.now, seen, me, Ending::Again(Some(successor)))?;
            audit::line(tx, ctx, "exchange.again", id.as_str(), &format!("another:{successor}"))
        }
    }
}

fn member(ctx: &Ctx) -> Result<StaffId> {
    match &ctx.actor {
        Actor::Staff { staff, .. } => Ok(*staff),
        Actor::Resident { .. } | Actor::Anonymous | Actor::Peer(_) | Actor::System => Err(missing().into()),
    }
}

async fn page(
    visit: &Visit,
    parts: &Arc<Parts>,
    id: &str,
    form: Fields,
) -> std::result::Result<LetterPage, PageError> {
    super::reading(visit)?;
    let id: MessageId = id.parse().map_err(|_| missing())?;
    let (seen, inner) = (visit.clone(), Arc::clone(parts));
    let read = move |tx: &mut Tx<'_>| {
        let letter = dead_letters::find(tx, id)?.ok_or_else(missing)?;
        let sent = outbox::find(tx, id)?.ok_or_else(missing)?;
        audit::line(tx, &seen.ctx, "bureau.read", id.as_str(), "done")?;
        let again = match letter.state {
            LetterState::Open => Some(inner.desk.again(&seen.ctx, &sent.message, sent.created)),
            LetterState::Again | LetterState::Settled | LetterState::Arrived => None,
        };
        Ok((shown(tx, &seen, &inner, &mut Names::default(), letter)?, again))
    };
    let (letter, again) = visit.app.store.write("t01.dead.letter", read).await?;
    let (again, again_refused) = match again {
        None => (None, None),
        Some(Ok(Again::Same)) => (Some("same"), None),
        Some(Ok(Again::Another(_))) => (Some("another"), None),
        Some(Err(tb_base::Error::Refused(refusal))) => (None, Some(*refusal)),
        Some(Err(error)) => return Err(error.into()),
    };
    let frame = visit.frame("一封死信", "A dead letter").errors(&form).airy();
    let me = member(&visit.ctx).ok();
    Ok(LetterPage {
        frame: frame.crumb("交换", "Exchange", "/bureau").crumb("死信", "Dead letters", "/bureau/dead"),
        lang: visit.lang,
        form,
        may_act: operating(visit).is_ok() && letter.state == LetterState::Open.word(),
        is_own: letter.owner.is_some() && letter.owner == me,
        again,
        again_refused,
        done: visit.param("done").unwrap_or_default(),
        now: visit.ctx.now,
        letter,
    })
}

fn missing() -> Refusal {
    Refusal::gone("T01-DED-001", "没有这封死信", "There is no such dead letter")
        .but("请从“死信”列表打开", "Open it from the list of dead letters")
}

fn no_act() -> Refusal {
    Refusal::invalid(
        "T01-DED-002",
        "请选择认领、重发或人工办结",
        "Choose to take it, to send it again or to settle it",
    )
    .on("do")
}

fn not_taken() -> Refusal {
    Refusal::conflict("T01-DED-003", "这封死信不在您手里", "This dead letter is not in your hands")
        .but("请先认领，再处理", "Take it first")
}

/// A line with its source, where there is one.
fn with_source(row: ui::SummaryRow, source: &str) -> ui::SummaryRow {
    if source.is_empty() { row } else { row.from(source) }
}

impl LetterPage {
    fn headline(&self) -> String {
        let (lang, letter) = (self.lang, &self.letter);
        let city = self.frame.city_name(letter.to);
        match lang {
            Lang::Zh => format!("{}没有送到{city}：{}", letter.service_word, letter.cause),
            Lang::En => format!("A message to {city} was given up: {}", letter.cause),
        }
    }

    fn due_words(&self) -> String {
        let (lang, letter) = (self.lang, &self.letter);
        let at = lang.time(letter.due);
        match (letter.is_overdue, lang) {
            (false, _) => at,
            (true, Lang::Zh) => format!("{at}，已过 {}", age(lang, self.now, letter.due)),
            (true, Lang::En) => format!("{at}, {} ago", age(lang, self.now, letter.due)),
        }
    }

    fn summary(&self) -> ui::Summary {
        let (lang, letter) = (self.lang, &self.letter);
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let none = || lang.t("没有人认领", "nobody yet").to_owned();
        let mut rows = vec![
            row("状态", "State", letter.state_tag(lang).1.to_owned()),
            row("谁处理", "Who sees to it", letter.owner_name.clone().unwrap_or_else(none)),
            row("处理期限", "Due", self.due_words()),
            row("做什么的", "What it does", letter.service_word.clone()).from(letter.service.clone()),
            row("属于", "Belongs to", letter.belongs(lang)),
        ];
        if let Some(case) = letter.case {
            rows.push(row("办件", "Case", case.to_string()).code());
        }
        rows.push(row("到", "To", self.frame.city_name(letter.to)));
        let cause = row("卡在哪里", "What stopped it", letter.cause.clone());
        rows.push(with_source(cause, &letter.cause_code));
        rows.push(row("试了几次", "Tries", lang.number(letter.attempts)));
        rows.push(row("写成", "Written", lang.time(letter.created)));
        rows.push(row("成为死信", "Given up", lang.time(letter.died)));
        rows.push(row("报文", "Message", letter.id.to_string()).code());
        rows.extend(self.ending());
        ui::Summary { rows }
    }

    /// How it ended, where it did.
    fn ending(&self) -> Vec<ui::SummaryRow> {
        let (lang, letter) = (self.lang, &self.letter);
        let row = |zh, en, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
        let mut rows = Vec::new();
        if let Some(closed) = letter.closed {
            let closed = row("了结", "Closed", lang.time(closed));
            rows.push(with_source(closed, letter.closed_by.as_deref().unwrap_or_default()));
        }
        if let Some(why) = &letter.why {
            rows.push(row("为什么", "Why", choice_word(lang, &WHY, why)));
        }
        if let Some(done) = &letter.done {
            rows.push(row("做了什么", "What was done", choice_word(lang, &DONE, done)));
        }
        if let Some(successor) = letter.successor {
            rows.push(row("代替它的报文", "Sent in its place", successor.to_string()).code());
        }
        rows
    }

    fn again_words(&self) -> &'static str {
        match self.again {
            Some("same") => self.lang.t(
                "原报文按原编号再发一次；对方若已收到过，只会再答一次，不会办两次。",
                "The same message goes again under its own number; a city that has it answers again and does nothing twice.",
            ),
            Some(_) => self.lang.t(
                "原报文的期限或契约已过，将以新编号、新期限和现行契约发出同样的内容；对方按内容中的编号判断，不会办两次。",
                "Its deadline or contract is over: the same content goes under a new number, a new deadline and the contract of today; by what stands in the content the other city does nothing twice.",
            ),
            None => "",
        }
    }
}
