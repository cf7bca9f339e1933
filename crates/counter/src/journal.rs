//! What was done at the counter (今日记录): one line for each act, written with the act; the end of the day adds them up.
//!
//! Invariant: a line is written in the transaction of its act, so that the sheet of a day and the cases agree.

use serde::{Deserialize, Serialize};
use tb_base::{CaseId, Ctx, Date, MessageId, NodeId, OfficeId, Result, StaffId, Timestamp};
use tb_case::text::Text;
use tb_store::{Row, Stmt, Tx, params, stmt};

/// Lines of one day that are read at the most.
pub const LINES_MAX: i64 = 5_000;

/// What was done (做了什么).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Collected and handed over to the city that decides (收件).
    Collected,
    /// A draft of the site taken up at the counter (接办网上草稿).
    TakenUp,
    /// A result or decision handed to its person (交付).
    Delivered,
    /// A correction answered for her (代补正).
    Corrected,
    /// Withdrawn for her (代撤回).
    Withdrawn,
    /// An original that came in (收原件).
    PaperIn,
    /// An original that went out (发原件).
    PaperOut,
    /// A hand-over that is taken back (撤销移交).
    Undone,
    /// A draft that its person goes on with alone (交还草稿).
    HandedBack,
}

/// Every kind, in the order of the sheet.
pub const KINDS: [Kind; 9] = [
    Kind::Collected,
    Kind::TakenUp,
    Kind::Delivered,
    Kind::Corrected,
    Kind::Withdrawn,
    Kind::PaperIn,
    Kind::PaperOut,
    Kind::Undone,
    Kind::HandedBack,
];

impl Kind {
    /// Its name in both languages.
    pub fn name(self) -> Text {
        match self {
            Kind::Collected => Text::new("收件并移交", "Collected and handed over"),
            Kind::TakenUp => Text::new("接办网上草稿", "Drafts of the site taken up"),
            Kind::Delivered => Text::new("交付结果", "Results handed over"),
            Kind::Corrected => Text::new("代为补正", "Corrections answered"),
            Kind::Withdrawn => Text::new("代为撤回", "Withdrawn"),
            Kind::PaperIn => Text::new("收进原件", "Papers taken in"),
            Kind::PaperOut => Text::new("发出原件", "Papers sent out or given back"),
            Kind::Undone => Text::new("撤销移交", "Hand-overs taken back"),
            Kind::HandedBack => Text::new("交还草稿", "Drafts handed back"),
        }
    }
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Who did it.
    pub clerk: StaffId,
    /// What.
    pub kind: Kind,
    /// On which case or draft.
    pub case: CaseId,
    /// Of which item.
    pub item: u16,
    /// The city that decides.
    pub city: Option<NodeId>,
    /// The ground, where it needed one.
    pub ground: Option<String>,
    /// When.
    pub at: Timestamp,
}

const INSERT: Stmt = stmt(
    "counter.act.insert",
    "
    INSERT INTO counter_act (id, office, day, clerk, kind, case_id, item, city, ground, at, tx)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (id) DO NOTHING
",
);

const OF_DAY: Stmt = stmt(
    "counter.act.of_day",
    "
    SELECT clerk, kind, case_id, item, city, ground, at
    FROM counter_act
    WHERE office = $1 AND day = $2
    ORDER BY at, id
    LIMIT $3
",
);

pub(crate) const STATEMENTS: &[Stmt] = &[INSERT, OF_DAY];

/// What a line is about.
#[derive(Clone, Debug)]
pub struct Note {
    /// What was done.
    pub kind: Kind,
    /// On which case or draft.
    pub case: CaseId,
    /// Of which item.
    pub item: u16,
    /// The city that decides.
    pub city: Option<NodeId>,
    /// The ground, where it needs one.
    pub ground: Option<&'static str>,
}

/// Writes a line; the same command writes it once.
pub fn note(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    (office, clerk): (&OfficeId, StaffId),
    command: MessageId,
    note: &Note,
) -> Result<()> {
    let (day, name) = (ctx.now.date(), tx.name);
    let row = params![
        command,
        office,
        day,
        clerk,
        crate::word(&note.kind),
        note.case,
        i64::from(note.item),
        note.city,
        note.ground,
        ctx.now,
        name,
    ];
    tx.run(&INSERT, row).map(drop)
}

/// The lines of a day, in order.
pub fn of_day(tx: &mut Tx<'_>, office: &OfficeId, day: Date) -> Result<Vec<Line>> {
    tx.all(&OF_DAY, params![office, day, LINES_MAX])?.iter().map(line).collect()
}

fn line(row: &Row) -> Result<Line> {
    Ok(Line {
        clerk: row.parse("clerk")?,
        kind: crate::unword(row, "kind")?,
        case: row.parse("case_id")?,
        item: crate::item(row, "item")?.unwrap_or(0),
        city: row.parse_option("city")?,
        ground: row.get("ground")?,
        at: row.get("at")?,
    })
}
