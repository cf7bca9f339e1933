//! Originals in and out (原件收发): every paper that passes over the counter, how it travels, and where it is now.
//!
//! Invariants: a move is only added; where a paper is follows from its moves and stands in no row of its own;
//! a paper goes out only from here and comes in only from elsewhere, whoever presses at the same moment.

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Fault, MessageId, OfficeId, Refusal, Result, StaffId, Timestamp, Violation};
use tb_case::text::Text;
use tb_store::{Row, Stmt, Tx, params, stmt};

use crate::courier::Courier;
use crate::sealed::place;

/// Papers of one case at the most.
pub const PAPERS_MAX: usize = 30;
/// Moves of one paper at the most.
pub const MOVES_MAX: usize = 20;
/// Letters that say what a paper is, at the most.
pub const WHAT_LETTERS_MAX: usize = 60;
/// Pages of a paper at the most.
pub const PAGES_MAX: u32 = 999;
/// Rows of a case at the most.
const ROWS_MAX: i64 = 600;

/// In or out (收、发), seen from the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// It comes to the counter.
    In,
    /// It leaves the counter.
    Out,
}

/// From whom or to whom (对方).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Party {
    /// The applicant, or who came for the applicant.
    Person,
    /// The office that decides.
    Department,
}

/// Where a paper is (原件现在在哪里).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the counter.
    Counter,
    /// With its person.
    Person,
    /// In the post to its person.
    OnWayToPerson,
    /// With the office that decides: handed over by messenger.
    Department,
    /// In the post to the office that decides, or there already: what it does is written down in its own city.
    OnWayToDepartment,
}

impl Place {
    /// Its name in both languages, as the applicant reads it.
    pub fn name(self) -> Text {
        match self {
            Place::Counter => Text::new("在收件窗口", "at the counter that collected it"),
            Place::Person => Text::new("已交还本人", "given back to the applicant"),
            Place::OnWayToPerson => Text::new("已寄给本人", "sent to the applicant"),
            Place::Department => Text::new("已送办理部门", "brought to the deciding office"),
            Place::OnWayToDepartment => Text::new("已寄办理部门", "sent to the deciding office"),
        }
    }

    /// Whether it was given or sent to its person.
    pub fn is_persons(self) -> bool {
        matches!(self, Place::Person | Place::OnWayToPerson)
    }
}

/// A paper that came or went (一次收发).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// The command that wrote it.
    pub id: MessageId,
    /// In or out.
    pub way: Way,
    /// From whom or to whom.
    pub party: Party,
    /// How it travelled.
    pub courier: Courier,
    /// Under which number; empty from hand to hand.
    pub number: String,
    /// The clerk.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
}

impl Move {
    /// What happened, in both languages.
    pub fn name(&self) -> Text {
        match (self.way, self.party) {
            (Way::In, Party::Person) => Text::new("本人交来", "from the applicant"),
            (Way::In, Party::Department) => Text::new("办理部门退来", "back from the deciding office"),
            (Way::Out, Party::Person) => Text::new("交还本人", "to the applicant"),
            (Way::Out, Party::Department) => Text::new("送办理部门", "to the deciding office"),
        }
    }
}

/// A paper of a case (原件).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Original {
    /// The paper: the id of its first move.
    pub paper: MessageId,
    /// Of which case.
    pub case: CaseId,
    /// What it is, in the clerk's words.
    pub what: String,
    /// How many pages.
    pub pages: u32,
    /// Its moves, in order; never empty.
    pub moves: Vec<Move>,
}

impl Original {
    /// Where it is now; none before its first move.
    pub fn place(&self) -> Option<Place> {
        self.moves.last().map(|last| after(last.way, last.party, last.courier))
    }
}

/// Where a paper is after a move.
fn after(way: Way, party: Party, courier: Courier) -> Place {
    match (way, party, courier) {
        (Way::In, Party::Person | Party::Department, _) => Place::Counter,
        (Way::Out, Party::Person, Courier::Hand) => Place::Person,
        (Way::Out, Party::Person, _) => Place::OnWayToPerson,
        (Way::Out, Party::Department, Courier::Hand) => Place::Department,
        (Way::Out, Party::Department, _) => Place::OnWayToDepartment,
    }
}

/// Whether a paper that is there may come or go so; a paper that is nowhere yet can only come.
pub fn decide(now: Option<Place>, way: Way) -> std::result::Result<(), Refusal> {
    match (now, way) {
        (None, Way::In) | (Some(Place::Counter), Way::Out) => Ok(()),
        (None, Way::Out) => Err(never_came()),
        (Some(Place::Counter), Way::In) => Err(is_here()),
        (Some(_), Way::In) => Ok(()),
        (Some(place), Way::Out) => Err(is_out(place)),
    }
}

/// What is written down when a paper comes or goes.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Of which case.
    pub case: CaseId,
    /// The paper; none for one that comes for the first time.
    pub paper: Option<MessageId>,
    /// What it is; looked at for a new paper only.
    pub what: String,
    /// How many pages; looked at for a new paper only.
    pub pages: u32,
    /// In or out.
    pub way: Way,
    /// From whom or to whom.
    pub party: Party,
    /// How it travels.
    pub courier: Courier,
    /// Under which number, as it was typed.
    pub number: String,
}

/// What lies sealed of a move.
#[derive(Serialize, Deserialize)]
struct Content {
    what: String,
    number: String,
}

const INSERT: Stmt = stmt(
    "counter.original.insert",
    "
    INSERT INTO counter_original
        (id, paper, step, case_id, way, party, courier, pages, content, office, clerk, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
    ON CONFLICT DO NOTHING
",
);

const OF_CASE: Stmt = stmt(
    "counter.original.of_case",
    "
    SELECT id, paper, step, case_id, way, party, courier, pages, content, clerk, at
    FROM counter_original
    WHERE case_id = $1
    ORDER BY paper, step
    LIMIT $2
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[INSERT, OF_CASE];

/// Writes down that a paper came or went (登记收发); the same command writes it once.
pub fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (office, clerk): (&OfficeId, StaffId),
    command: MessageId,
    entry: &Entry,
) -> Result<Original> {
    let held = of_case(tx, entry.case)?;
    if let Some(done) = held.iter().find(|it| it.moves.iter().any(|made| made.id == command)) {
        return Ok(done.clone());
    }
    let mut original = match entry.paper {
        Some(paper) => held.into_iter().find(|it| it.paper == paper).ok_or_else(gone)?,
        None if PAPERS_MAX <= held.len() => return Err(too_many().into()),
        None => new_paper(command, entry)?,
    };
    decide(original.place(), entry.way)?;
    if MOVES_MAX <= original.moves.len() {
        return Err(too_many().into());
    }
    let number = entry.courier.check(&entry.number)?;
    let content = Content { what: original.what.clone(), number: number.clone() };
    let content = serde_json::to_string(&content).map_err(|error| Fault::of("writing a paper", error))?;
    let content = tx.seal(&place::original(command), content);
    let row = params![
        command,
        original.paper,
        u32::try_from(original.moves.len()).unwrap_or(u32::MAX),
        entry.case,
        crate::word(&entry.way),
        crate::word(&entry.party),
        entry.courier.word(),
        original.pages,
        content,
        office,
        clerk,
        ctx.now,
        tx.name,
    ];
    // Whoever moved it at the same moment has this step already.
    if tx.run(&INSERT, row)? == 0 {
        return Err(just_moved().into());
    }
    let (way, party, courier) = (entry.way, entry.party, entry.courier);
    original.moves.push(Move { id: command, way, party, courier, number, by: clerk, at: ctx.now });
    Ok(original)
}

fn new_paper(command: MessageId, entry: &Entry) -> std::result::Result<Original, Refusal> {
    let what = entry.what.trim();
    if what.is_empty() || WHAT_LETTERS_MAX < what.chars().count() {
        return Err(no_name());
    }
    if !(1..=PAGES_MAX).contains(&entry.pages) {
        return Err(no_pages());
    }
    let (case, pages) = (entry.case, entry.pages);
    Ok(Original { paper: command, case, what: what.to_owned(), pages, moves: Vec::new() })
}

/// The papers of a case, in the order in which they came first.
pub fn of_case(tx: &mut Tx<'_>, case: CaseId) -> Result<Vec<Original>> {
    let mut all: Vec<Original> = Vec::new();
    for row in tx.all(&OF_CASE, params![case, ROWS_MAX])? {
        let (paper, pages, what, made) = read(tx, &row)?;
        match all.last_mut().filter(|last| last.paper == paper) {
            Some(last) => last.moves.push(made),
            None => all.push(Original { paper, case, what, pages, moves: vec![made] }),
        }
    }
    all.sort_by_key(|it| (it.moves.first().map(|first| first.at), it.paper));
    Ok(all)
}

fn read(tx: &Tx<'_>, row: &Row) -> Result<(MessageId, u32, String, Move)> {
    let id: MessageId = row.parse("id")?;
    let content: Content = tx.open_json(row, "content", &place::original(id))?;
    let courier: String = row.get("courier")?;
    let courier =
        Courier::of_word(&courier).ok_or_else(|| Violation::inconsistent("counter_original", id))?;
    let made = Move {
        id,
        way: crate::unword(row, "way")?,
        party: crate::unword(row, "party")?,
        courier,
        number: content.number,
        by: row.parse("clerk")?,
        at: row.get("at")?,
    };
    Ok((row.parse("paper")?, row.get("pages")?, content.what, made))
}

fn never_came() -> Refusal {
    Refusal::not_now("CTR-ORI-001", "这份原件还没有收进来", "This paper has not come in yet")
        .but("先登记收进，再登记发出", "Write down that it came in first")
}

fn is_here() -> Refusal {
    Refusal::not_now("CTR-ORI-002", "这份原件已经在本窗口", "This paper is at this counter already")
        .but("不用再登记；另一份原件请单独登记", "Nothing to write down; another paper has a line of its own")
}

fn is_out(now: Place) -> Refusal {
    let name = now.name();
    Refusal::not_now(
        "CTR-ORI-003",
        format!("这份原件{}，不能再发出一次", name.zh),
        format!("This paper was {}; it cannot go out twice", name.en),
    )
    .but("看下面的收发记录；退回来的，先登记收进", "See its moves; if it came back, write that down first")
}

fn just_moved() -> Refusal {
    Refusal::conflict("CTR-ORI-004", "同事刚刚登记了这份原件", "A colleague has just written down this paper")
        .but("看一下最新的记录再登记", "Look at the moves as they are now")
}

fn gone() -> Refusal {
    Refusal::gone("CTR-ORI-005", "没有这份原件", "There is no such paper")
        .but("从办件的原件页重新打开", "Open it from the papers of the case")
}

fn too_many() -> Refusal {
    Refusal::not_now("CTR-ORI-006", "登记的原件或收发次数太多", "Too many papers or moves")
        .but("几份一起登记成一份，写清件数", "Write several papers down as one, with their pages")
}

fn no_name() -> Refusal {
    Refusal::invalid(
        "CTR-ORI-007",
        "写明是什么原件，60 个字以内",
        "Say what the paper is, in up to 60 characters",
    )
    .on("what")
    .but("照原件的名称写，如“机动车驾驶证”", "As the paper is called, such as its title")
}

fn no_pages() -> Refusal {
    Refusal::invalid("CTR-ORI-008", "页数是 1 到 999 的整数", "Pages are a whole number from 1 to 999")
        .on("pages")
        .but("数一数再填；证卡填 1", "Count them; a card is 1")
}
