//! Lists as files (导出): one value of rows, written as Excel or as CSV, and the links that ask for them.
//!
//! ```ignore
//! if let Some(kind) = TableFile::asked(&visit) {
//!     return Ok(rows(&visit, &lines).file(kind, &format!("cases-{}", visit.ctx.now.date())));
//! }
//! ```

use axum::response::Response;
use tb_base::{Date, Timestamp};

use crate::csv::Csv;
use crate::page::download;
use crate::visit::Visit;
use crate::xlsx;

/// Rows of one file; whoever needs more narrows the list.
pub const FILE_ROWS_MAX: usize = 100_000;
/// What Excel files are called on the wire.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// The kinds of files that a list can be had as (文件种类).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableFile {
    /// Excel, where codes stay whole.
    Xlsx,
    /// Text with commas, for other programs.
    Csv,
}

impl TableFile {
    /// The file that the address asks for: `?export=xlsx` or `?export=csv`.
    pub fn asked(visit: &Visit) -> Option<TableFile> {
        match visit.param("export").as_deref() {
            Some("xlsx") => Some(TableFile::Xlsx),
            Some("csv") => Some(TableFile::Csv),
            _ => None,
        }
    }
}

/// One cell of a list (单元).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Datum {
    /// Words.
    Text(String),
    /// A number that is a name: never added up, never shortened.
    Code(String),
    /// A count.
    Number(i64),
    /// A day.
    Day(Date),
    /// A moment, to the minute.
    Moment(Timestamp),
    /// Nothing.
    Empty,
}

impl Datum {
    /// Words; none at all are an empty cell.
    pub fn text(text: impl AsRef<str>) -> Datum {
        let text = text.as_ref();
        if text.is_empty() { Datum::Empty } else { Datum::Text(text.to_owned()) }
    }

    /// A code.
    pub fn code(code: impl AsRef<str>) -> Datum {
        Datum::Code(code.as_ref().to_owned())
    }

    /// A day, if there is one.
    pub fn day(day: Option<Date>) -> Datum {
        day.map_or(Datum::Empty, Datum::Day)
    }

    /// A count, if there is one.
    pub fn number(number: Option<i64>) -> Datum {
        number.map_or(Datum::Empty, Datum::Number)
    }

    /// As it is written where there is only text.
    pub(crate) fn plain(&self) -> String {
        match self {
            Datum::Text(text) | Datum::Code(text) => text.clone(),
            Datum::Number(number) => number.to_string(),
            Datum::Day(day) => day.to_string(),
            Datum::Moment(at) => at.minute(),
            Datum::Empty => String::new(),
        }
    }
}

/// A list as it is exported (导出表).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// What it lists, which is the name of the sheet.
    pub title: String,
    /// Its columns.
    pub heads: Vec<String>,
    /// Its rows, one datum a column.
    pub rows: Vec<Vec<Datum>>,
    /// What stands below the rows, such as that there are more.
    pub note: Option<String>,
}

impl Rows {
    /// An empty list with its columns.
    pub fn new(title: impl Into<String>, heads: &[&str]) -> Rows {
        let heads = heads.iter().map(|head| (*head).to_owned()).collect();
        Rows { title: title.into(), heads, rows: Vec::new(), note: None }
    }

    /// Adds a row, as long as the file holds one more.
    pub fn push(&mut self, row: Vec<Datum>) {
        if self.rows.len() < FILE_ROWS_MAX {
            self.rows.push(row);
        }
    }

    /// Says something below the rows.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Rows {
        Rows { note: Some(note.into()), ..self }
    }

    /// The list as a download; `stem` is the name without its ending.
    pub fn file(self, kind: TableFile, stem: &str) -> Response {
        match kind {
            TableFile::Xlsx => download(&format!("{stem}.xlsx"), XLSX, xlsx::file(&self)),
            TableFile::Csv => self.csv().file(&format!("{stem}.csv")),
        }
    }

    fn csv(&self) -> Csv {
        let mut csv = Csv::new(&self.heads);
        for row in &self.rows {
            csv.row(&row.iter().map(Datum::plain).collect::<Vec<_>>());
        }
        if let Some(note) = &self.note {
            csv.row(&[note]);
        }
        csv
    }
}
