//! Numbers at the counter (叫号): taken at the door, called in their order, skipped and called again.
//!
//! Invariants: numbers of an office and a day have no gaps and none twice; a clerk has one number at a time;
//! of clerks who call at once each gets another number, because calling changes the row that it found waiting.

use serde::{Deserialize, Serialize};
use tb_base::{
    CaseId, Ctx, Date, Fault, MessageId, NodeId, OfficeId, Refusal, Result, StaffId, Timestamp, Violation,
};
use tb_case::text::Text;
use tb_store::{Row, Stmt, Tx, params, stmt};

/// Numbers of an office on one day at the most; three digits are shown.
pub const NUMBERS_MAX: i64 = 999;
/// People who may wait at an office at once.
pub const WAITING_MAX: i64 = 200;
/// How often a number is called again before it has to be skipped.
pub const CALLS_MAX: u32 = 9;
/// Numbers that a list of those who wait shows.
pub const WAITING_SHOWN: i64 = 8;
/// Skipped numbers that a list shows.
pub const SKIPPED_SHOWN: i64 = 4;

/// What somebody comes for (来办什么).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// To apply for something (申办).
    Apply,
    /// To go on: a correction, a paper, a withdrawal (补正).
    GoOn,
    /// To fetch a result (领取结果).
    Fetch,
    /// To ask (咨询).
    Ask,
}

/// Every purpose, in the order of the page.
pub const PURPOSES: [Purpose; 4] = [Purpose::Apply, Purpose::GoOn, Purpose::Fetch, Purpose::Ask];

impl Purpose {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            Purpose::Apply => Text::new("申办事项", "Apply"),
            Purpose::GoOn => Text::new("补正或撤回", "Correct or withdraw"),
            Purpose::Fetch => Text::new("领取结果", "Fetch a result"),
            Purpose::Ask => Text::new("咨询", "Ask"),
        }
    }

    /// The word that forms and rows have.
    pub fn word(self) -> &'static str {
        match self {
            Purpose::Apply => "apply",
            Purpose::GoOn => "go_on",
            Purpose::Fetch => "fetch",
            Purpose::Ask => "ask",
        }
    }

    /// The purpose of that word.
    pub fn of_word(word: &str) -> Option<Purpose> {
        PURPOSES.into_iter().find(|purpose| purpose.word() == word)
    }
}

/// Where a number stands (号的状态).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits to be called.
    Waiting,
    /// At a counter.
    Called,
    /// Did not come when it was called (过号).
    Skipped,
    /// Served.
    Done,
}

impl State {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            State::Waiting => Text::new("等候", "waiting"),
            State::Called => Text::new("正在办", "at the counter"),
            State::Skipped => Text::new("过号", "skipped"),
            State::Done => Text::new("办完", "done"),
        }
    }
}

/// A number (号).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Ticket {
    /// Random, so that an address tells nobody of the next one.
    pub id: MessageId,
    /// The office that it was taken for.
    pub office: OfficeId,
    /// The day on which it counts.
    pub day: Date,
    /// The number of the day.
    pub number: u32,
    /// What for.
    pub purpose: Purpose,
    /// The item, where one was chosen.
    pub item: Option<u16>,
    /// The city that decides, where one was chosen.
    pub city: Option<NodeId>,
    /// When it was taken.
    pub taken: Timestamp,
    /// Where it stands.
    pub state: State,
    /// Who called it.
    pub clerk: Option<StaffId>,
    /// How often it was called.
    pub calls: u32,
    /// When it was called last.
    pub called: Option<Timestamp>,
    /// When it was done or skipped.
    pub ended: Option<Timestamp>,
    /// The case or draft that was opened with it.
    pub case: Option<CaseId>,
}

impl Ticket {
    /// What is printed and called: `K037`.
    pub fn code(&self) -> String {
        format!("K{:03}", self.number)
    }

    /// Whether this clerk has it at the counter.
    pub fn is_with(&self, clerk: StaffId) -> bool {
        self.state == State::Called && self.clerk == Some(clerk)
    }
}

/// What a clerk does with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Calls it, also one that was skipped (叫号).
    Call,
    /// Calls it once more (重呼).
    Recall,
    /// Nobody came (过号).
    Skip,
    /// Served (办完).
    Done,
}

/// What becomes of a number, or why that may not be.
pub fn decide(
    ticket: &Ticket,
    step: Step,
    clerk: StaffId,
    now: Timestamp,
) -> std::result::Result<Ticket, Refusal> {
    if ticket.day != now.date() {
        return Err(of_another_day());
    }
    let next = ticket.clone();
    match (step, ticket.state) {
        (Step::Call, State::Waiting | State::Skipped) => Ok(Ticket {
            state: State::Called,
            clerk: Some(clerk),
            calls: ticket.calls.saturating_add(1),
            called: Some(now),
            ended: None,
            ..next
        }),
        (Step::Recall | Step::Skip | Step::Done, State::Called) if ticket.clerk != Some(clerk) => {
            Err(with_a_colleague())
        }
        (Step::Recall, State::Called) if CALLS_MAX <= ticket.calls => Err(called_enough()),
        (Step::Recall, State::Called) => Ok(Ticket { calls: ticket.calls.saturating_add(1), ..next }),
        (Step::Skip, State::Called) => Ok(Ticket { state: State::Skipped, ended: Some(now), ..next }),
        (Step::Done, State::Called) => Ok(Ticket { state: State::Done, ended: Some(now), ..next }),
        (Step::Call, State::Called | State::Done)
        | (Step::Recall | Step::Skip | Step::Done, State::Waiting | State::Skipped | State::Done) => {
            Err(not_so(ticket))
        }
    }
}

const NUMBER: Stmt = stmt(
    "counter.day.number",
    "
    INSERT INTO counter_day (office, day, last, version, at, tx)
    VALUES ($1, $2, 1, 1, $3, $4)
    ON CONFLICT (office, day) DO UPDATE
    SET last = counter_day.last + 1, version = counter_day.version + 1, at = EXCLUDED.at, tx = EXCLUDED.tx
    RETURNING last
",
);

const INSERT: Stmt = stmt(
    "counter.ticket.insert",
    "
    INSERT INTO counter_ticket (ticket, office, day, number, purpose, item, city, taken, state, clerk, calls, called,
        ended, case_id, version, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'waiting', NULL, 0, NULL, NULL, NULL, 1, $8, $9)
",
);

const CHANGE: Stmt = stmt(
    "counter.ticket.change",
    "
    UPDATE counter_ticket
    SET state = $3, clerk = $4, calls = $5, called = $6, ended = $7, version = version + 1, at = $8, tx = $9
    WHERE ticket = $1 AND state = $2
",
);

const ATTACH: Stmt = stmt(
    "counter.ticket.attach",
    "
    UPDATE counter_ticket
    SET case_id = $4, version = version + 1, at = $5, tx = $6
    WHERE office = $1 AND day = $2 AND state = 'called' AND clerk = $3
",
);

const FIND: Stmt = stmt(
    "counter.ticket.find",
    "
    SELECT ticket, office, day, number, purpose, item, city, taken, state, clerk, calls, called, ended, case_id
    FROM counter_ticket
    WHERE ticket = $1
",
);

const MINE: Stmt = stmt(
    "counter.ticket.mine",
    "
    SELECT ticket, office, day, number, purpose, item, city, taken, state, clerk, calls, called, ended, case_id
    FROM counter_ticket
    WHERE office = $1 AND day = $2 AND state = 'called' AND clerk = $3
    ORDER BY number
    LIMIT 1
",
);

const IN_STATE: Stmt = stmt(
    "counter.ticket.in_state",
    "
    SELECT ticket, office, day, number, purpose, item, city, taken, state, clerk, calls, called, ended, case_id
    FROM counter_ticket
    WHERE office = $1 AND day = $2 AND state = $3
    ORDER BY number
    LIMIT $4
",
);

const OF_DAY: Stmt = stmt(
    "counter.ticket.of_day",
    "
    SELECT ticket, office, day, number, purpose, item, city, taken, state, clerk, calls, called, ended, case_id
    FROM counter_ticket
    WHERE office = $1 AND day = $2
    ORDER BY number
    LIMIT $3
",
);

const BEFORE: Stmt = stmt(
    "counter.ticket.before",
    "
    SELECT COUNT(*) AS counted
    FROM counter_ticket
    WHERE office = $1 AND day = $2 AND state = 'waiting' AND number < $3
",
);

pub(crate) const STATEMENTS: &[Stmt] =
    &[NUMBER, INSERT, CHANGE, ATTACH, FIND, MINE, IN_STATE, OF_DAY, BEFORE];

/// What a number is taken with.
#[derive(Clone, Debug)]
pub struct NewTicket {
    /// What for.
    pub purpose: Purpose,
    /// The item, where one was chosen.
    pub item: Option<u16>,
    /// The city that decides, where one was chosen.
    pub city: Option<NodeId>,
}

/// Takes the next number of today (取号).
pub fn take(tx: &mut Tx<'_>, ctx: &Ctx, office: &OfficeId, new: &NewTicket) -> Result<Ticket> {
    let (day, name) = (ctx.now.date(), tx.name);
    // The row of the day is changed first: whoever takes a number at the same moment counts anew.
    let last = tx.one(&NUMBER, params![office, day, ctx.now, name])?;
    let number: i64 = last.ok_or_else(|| Fault::new("counting the numbers of a day"))?.get("last")?;
    let waiting = count_before(tx, office, day, NUMBERS_MAX + 1)?;
    if NUMBERS_MAX < number || WAITING_MAX <= waiting {
        return Err(no_more().into());
    }
    let ticket = Ticket {
        id: ctx.id(MessageId::new),
        office: office.clone(),
        day,
        number: u32::try_from(number).unwrap_or(0),
        purpose: new.purpose,
        item: new.item,
        city: new.city,
        taken: ctx.now,
        state: State::Waiting,
        clerk: None,
        calls: 0,
        called: None,
        ended: None,
        case: None,
    };
    let row = params![
        ticket.id,
        office,
        day,
        number,
        new.purpose.word(),
        new.item.map(i64::from),
        new.city,
        ctx.now,
        name,
    ];
    tx.run(&INSERT, row)?;
    Ok(ticket)
}

/// Calls the next number (叫下一位); the one before is done with that.
///
/// `seen` is the number that the page showed as this clerk's own: where it is another by now, the page was old or
/// the button pressed twice, and nobody is called past.
pub fn next(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    office: &OfficeId,
    clerk: StaffId,
    seen: Option<MessageId>,
) -> Result<Option<Ticket>> {
    let mine = current(tx, office, ctx.now.date(), clerk)?;
    if mine.as_ref().map(|ticket| ticket.id) != seen {
        return Ok(mine);
    }
    if let Some(mine) = &mine {
        apply(tx, ctx, mine, Step::Done, clerk)?;
    }
    let first = in_state(tx, office, ctx.now.date(), State::Waiting, 1)?.into_iter().next();
    first.map(|first| apply(tx, ctx, &first, Step::Call, clerk)).transpose()
}

/// Does one step with a number of this office. To call a skipped one ends what the clerk had.
pub fn step(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    office: &OfficeId,
    clerk: StaffId,
    id: MessageId,
    step: Step,
) -> Result<Ticket> {
    let ticket = find(tx, id)?.filter(|ticket| ticket.office == *office).ok_or_else(gone)?;
    if step == Step::Call
        && let Some(mine) = current(tx, office, ctx.now.date(), clerk)?
    {
        apply(tx, ctx, &mine, Step::Done, clerk)?;
    }
    apply(tx, ctx, &ticket, step, clerk)
}

fn apply(tx: &mut Tx<'_>, ctx: &Ctx, ticket: &Ticket, step: Step, clerk: StaffId) -> Result<Ticket> {
    let next = decide(ticket, step, clerk, ctx.now)?;
    let row = params![
        ticket.id,
        crate::word(&ticket.state),
        crate::word(&next.state),
        next.clerk,
        next.calls,
        next.called,
        next.ended,
        ctx.now,
        tx.name,
    ];
    match tx.run(&CHANGE, row)? {
        0 => Err(not_so(ticket).into()),
        _ => Ok(next),
    }
}

/// Notes which case the clerk opened for whoever stands at the counter.
pub fn attach(tx: &mut Tx<'_>, ctx: &Ctx, office: &OfficeId, clerk: StaffId, case: CaseId) -> Result<()> {
    let (day, name) = (ctx.now.date(), tx.name);
    tx.run(&ATTACH, params![office, day, clerk, case, ctx.now, name]).map(drop)
}

/// The queue of an office as one clerk sees it (等候队列).
#[derive(Clone, Debug, Serialize)]
pub struct Queue {
    /// The number at this clerk's counter.
    pub mine: Option<Ticket>,
    /// The first who wait.
    pub waiting: Vec<Ticket>,
    /// How many wait in all.
    pub waiting_total: i64,
    /// Who did not come when called, the latest first.
    pub skipped: Vec<Ticket>,
}

/// The queue of today.
pub fn queue(tx: &mut Tx<'_>, office: &OfficeId, clerk: StaffId, day: Date) -> Result<Queue> {
    let mut skipped = in_state(tx, office, day, State::Skipped, NUMBERS_MAX)?;
    skipped.sort_by_key(|ticket| std::cmp::Reverse(ticket.ended));
    skipped.truncate(usize::try_from(SKIPPED_SHOWN).unwrap_or(0));
    Ok(Queue {
        mine: current(tx, office, day, clerk)?,
        waiting: in_state(tx, office, day, State::Waiting, WAITING_SHOWN)?,
        waiting_total: count_before(tx, office, day, NUMBERS_MAX + 1)?,
        skipped,
    })
}

/// What the screen of a hall shows: codes, and nothing of whoever holds them (大厅屏).
#[derive(Clone, Debug, Serialize)]
pub struct Board {
    /// At the counters, the latest call first.
    pub called: Vec<Ticket>,
    /// The next who wait.
    pub waiting: Vec<Ticket>,
    /// How many wait in all.
    pub waiting_total: i64,
}

/// The screen of today.
pub fn board(tx: &mut Tx<'_>, office: &OfficeId, day: Date) -> Result<Board> {
    let mut called = in_state(tx, office, day, State::Called, NUMBERS_MAX)?;
    called.sort_by_key(|ticket| std::cmp::Reverse((ticket.called, ticket.number)));
    called.truncate(usize::try_from(WAITING_SHOWN).unwrap_or(0));
    Ok(Board {
        called,
        waiting: in_state(tx, office, day, State::Waiting, WAITING_SHOWN)?,
        waiting_total: count_before(tx, office, day, NUMBERS_MAX + 1)?,
    })
}

/// How many wait before a number.
pub fn before(tx: &mut Tx<'_>, ticket: &Ticket) -> Result<i64> {
    count_before(tx, &ticket.office, ticket.day, i64::from(ticket.number))
}

fn count_before(tx: &mut Tx<'_>, office: &OfficeId, day: Date, number: i64) -> Result<i64> {
    tx.one(&BEFORE, params![office, day, number])?.map_or(Ok(0), |row| row.get("counted"))
}

/// The number at a clerk's counter.
pub fn current(tx: &mut Tx<'_>, office: &OfficeId, day: Date, clerk: StaffId) -> Result<Option<Ticket>> {
    tx.one(&MINE, params![office, day, clerk])?.as_ref().map(ticket).transpose()
}

fn in_state(tx: &mut Tx<'_>, office: &OfficeId, day: Date, state: State, limit: i64) -> Result<Vec<Ticket>> {
    tx.all(&IN_STATE, params![office, day, crate::word(&state), limit])?.iter().map(ticket).collect()
}

/// Every number of a day, in order.
pub fn of_day(tx: &mut Tx<'_>, office: &OfficeId, day: Date) -> Result<Vec<Ticket>> {
    tx.all(&OF_DAY, params![office, day, NUMBERS_MAX])?.iter().map(ticket).collect()
}

/// The number of that id.
pub fn find(tx: &mut Tx<'_>, id: MessageId) -> Result<Option<Ticket>> {
    tx.one(&FIND, params![id])?.as_ref().map(ticket).transpose()
}

fn ticket(row: &Row) -> Result<Ticket> {
    let id: MessageId = row.parse("ticket")?;
    let purpose: String = row.get("purpose")?;
    Ok(Ticket {
        id,
        office: row.parse("office")?,
        day: row.parse("day")?,
        number: row.get("number")?,
        purpose: Purpose::of_word(&purpose).ok_or_else(|| Violation::inconsistent("counter_ticket", id))?,
        item: crate::item(row, "item")?,
        city: row.parse_option("city")?,
        taken: row.get("taken")?,
        state: crate::unword(row, "state")?,
        clerk: row.parse_option("clerk")?,
        calls: row.get("calls")?,
        called: row.get("called")?,
        ended: row.get("ended")?,
        case: row.parse_option("case_id")?,
    })
}

fn no_more() -> Refusal {
    Refusal::not_now(
        "CTR-TKT-001",
        "今天的号已经取完，或者等候的人已满",
        "No more numbers are given out today, or too many people wait",
    )
    .but(
        "请问现场工作人员，或改天再来；也可以在网上办理",
        "Ask the staff in the hall, come on another day, or apply online",
    )
}

fn of_another_day() -> Refusal {
    Refusal::not_now("CTR-TKT-002", "这个号不是今天的", "This number is not of today")
        .but("请重新取号", "Take a new number")
}

fn with_a_colleague() -> Refusal {
    Refusal::not_now("CTR-TKT-003", "这个号在同事的窗口", "This number is at a colleague's counter")
        .but("叫下一位", "Call the next one")
}

fn called_enough() -> Refusal {
    Refusal::not_now("CTR-TKT-004", "已经叫了 9 次", "It was called nine times")
        .but("按过号处理，本人来了还能再叫", "Skip it; it can be called again when its holder comes")
}

fn not_so(ticket: &Ticket) -> Refusal {
    let state = ticket.state.name();
    Refusal::conflict(
        "CTR-TKT-005",
        format!("{} 的状态是“{}”，或者刚被别的窗口处理", ticket.code(), state.zh),
        format!("{} is {}, or was just seen to at another counter", ticket.code(), state.en),
    )
    .but("看一下最新的队列再按", "Look at the queue as it is now, and press again")
}

fn gone() -> Refusal {
    Refusal::gone("CTR-TKT-006", "没有这个号", "There is no such number")
        .but("请重新取号", "Take a new number")
}
