//! Sealing anew (重新封存): every sealed column is read in bounded batches, and what lies under another key or suite,
//! or in clear, is sealed with the newest.
//!
//! Invariants: a batch is one transaction and may be run again; a value that somebody wrote meanwhile is left alone
//! and found again by the next pass; what does not open stays as it is and is counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tb_base::{Fault, Result, Violation};
use tb_crypto::{Mark, text};

use crate::sealing::MARK;
use crate::{Row, Sealer, Stmt, Tx, Value};

/// Rows that one batch reads at the most.
pub const BATCH_ROWS_MAX: u32 = 500;
/// Bytes of values after which a batch ends: a message may say up to four megabytes.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Rows that are held in memory at once.
const LOOK_ROWS_MAX: u32 = 8;
/// How a count names values that are not sealed at all.
pub const CLEAR: &str = "clear";
/// How a count names values whose first bytes are no seal.
const UNKNOWN: &str = "unknown";

/// A column of the key of a table.
#[derive(Clone, Copy, Debug)]
pub enum KeyColumn {
    /// TEXT.
    Text(&'static str),
    /// BIGINT that is never negative.
    Number(&'static str),
}

/// How a sealed value stands in its column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// BYTEA, the seal as it is.
    Bytes,
    /// BYTEA, the seal behind a mark; without the mark the bytes are clear.
    MarkedBytes,
    /// TEXT, the seal in base64 behind a mark; without the mark the text is clear.
    Text,
}

/// A column that lies sealed (加密列); [`sealed_column!`](crate::sealed_column) writes it from its names.
#[derive(Clone, Copy, Debug)]
pub struct SealedColumn {
    /// The table.
    pub table: &'static str,
    /// The column.
    pub column: &'static str,
    /// How the value stands there.
    pub form: Form,
    /// The key of the table.
    pub keys: &'static [KeyColumn],
    /// Rows behind a key in order: what the place needs, and the value as `held`; parameters are the key, then how many.
    pub rows: Stmt,
    /// Writes a value: parameters are the key, the value as it was read, the new value.
    pub put: Stmt,
    /// The place that the value was sealed for.
    pub place: fn(&Row) -> Result<String>,
}

impl SealedColumn {
    /// Such as `case_event.event`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.table, self.column)
    }

    fn first(&self) -> Vec<Value> {
        let least = |key: &KeyColumn| match key {
            KeyColumn::Text(_) => Value::Text(String::new()),
            KeyColumn::Number(_) => Value::Int(-1),
        };
        self.keys.iter().map(least).collect()
    }

    fn key_of(&self, row: &Row) -> Result<Vec<Value>> {
        let value = |key: &KeyColumn| match *key {
            KeyColumn::Text(name) => row.get::<String>(name).map(Value::Text),
            KeyColumn::Number(name) => row.get::<i64>(name).map(Value::Int),
        };
        self.keys.iter().map(value).collect()
    }
}

/// A [`SealedColumn`](crate::reseal::SealedColumn) from its names: owner / table . column, and a key of one or of two
/// columns; `reading` names a column beside the key that the place needs.
#[macro_export]
macro_rules! sealed_column {
    ($form:ident $owner:literal / $name:literal . $column:literal by $kind:ident $key:literal
     $(reading $more:literal)? at $place:expr) => {
        $crate::sealed_column!(@ $form $owner $name $column [$kind $key] [$($more)?] $place,
            concat!("$1 < ", $key), $key, "$2",
            concat!($key, " = $1 AND ", $column, " = $2"), "$3")
    };
    ($form:ident $owner:literal / $name:literal . $column:literal
     by $kind:ident $key:literal, $kind_2:ident $key_2:literal $(reading $more:literal)? at $place:expr) => {
        $crate::sealed_column!(@ $form $owner $name $column [$kind $key, $kind_2 $key_2] [$($more)?] $place,
            concat!("($1, $2) < (", $key, ", ", $key_2, ")"), concat!($key, ", ", $key_2), "$3",
            concat!($key, " = $1 AND ", $key_2, " = $2 AND ", $column, " = $3"), "$4")
    };
    (@ $form:ident $owner:literal $name:literal $column:literal
     [$($kind:ident $key:literal),+] [$($more:literal)?] $place:expr, $behind:expr, $order:expr, $limit:literal, $same:expr, $new:literal) => {
        $crate::reseal::SealedColumn {
            table: concat!($owner, "_", $name),
            column: $column,
            form: $crate::reseal::Form::$form,
            keys: &[$($crate::reseal::KeyColumn::$kind($key)),+],
            rows: $crate::stmt(
                concat!($owner, ".sealed.", $name, ".", $column),
                concat!(
                    "SELECT ", $order, $(", ", $more,)? ", ", $column, " AS held FROM ", $owner, "_", $name,
                    " WHERE ", $behind, " AND ", $column, " IS NOT NULL ORDER BY ", $order, " LIMIT ", $limit
                ),
            ),
            put: $crate::stmt(
                concat!($owner, ".reseal.", $name, ".", $column),
                concat!("UPDATE ", $owner, "_", $name, " SET ", $column, " = ", $new, " WHERE ", $same),
            ),
            place: $place,
        }
    };
}

/// The statements of sealed columns, two for each.
pub const fn statements<const COUNT: usize>(columns: &[SealedColumn]) -> [Stmt; COUNT] {
    assert!(COUNT == 2 * columns.len(), "each column has two statements");
    let mut statements = [columns[0].rows; COUNT];
    let mut at = 0;
    while at < COUNT {
        let column = columns[at / 2];
        statements[at] = if at % 2 == 0 { column.rows } else { column.put };
        at += 1;
    }
    statements
}

/// What is done with the values that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// They are counted.
    Count,
    /// Those that are not sealed by the newest key and suite are sealed so.
    Seal,
}

/// Where a pass over all columns stands (进度); it is kept between batches.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pass {
    /// The key and suite that it seals with.
    pub to: String,
    /// The column that it is at.
    pub at: usize,
    /// The key of the last row that was read there.
    pub after: Option<Vec<Key>>,
    /// How many values were read.
    pub seen: u64,
    /// How many were sealed anew.
    pub renewed: u64,
    /// How many do not open.
    pub broken: u64,
    /// How many values lie under which key and suite, by `key/suite`, or [`CLEAR`].
    pub under: BTreeMap<String, u64>,
    /// Whether every column was read.
    pub done: bool,
}

/// A value of a key as a pass keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Of a number.
    Number(i64),
    /// Of a text.
    Text(String),
}

impl Key {
    fn value(&self) -> Value {
        match self {
            Key::Number(number) => Value::Int(*number),
            Key::Text(text) => Value::Text(text.clone()),
        }
    }

    fn of(value: Value) -> Result<Key> {
        match value {
            Value::Int(number) => Ok(Key::Number(number)),
            Value::Text(text) => Ok(Key::Text(text)),
            Value::Null | Value::Float(_) | Value::Bytes(_) => {
                Err(Fault::new("reading the key of a sealed row").into())
            }
        }
    }
}

/// Goes one batch on; a pass that is done stays as it is.
pub fn step(
    tx: &mut Tx<'_>,
    columns: &[SealedColumn],
    work: Work,
    rows_max: u32,
    pass: &mut Pass,
) -> Result<()> {
    pass.to = newest(tx)?.to_string();
    let Some(column) = columns.get(pass.at) else {
        pass.done = true;
        return Ok(());
    };
    let rows_max = rows_max.clamp(1, BATCH_ROWS_MAX);
    let (mut rows_left, mut bytes) = (rows_max, 0);
    while 0 < rows_left && bytes < BATCH_BYTES_MAX {
        let asked = rows_left.min(LOOK_ROWS_MAX);
        let rows = rows_behind(tx, column, pass, asked)?;
        for row in &rows {
            bytes += one(tx, column, work, row, pass)?;
        }
        match rows.last() {
            Some(last) if rows.len() == asked as usize => {
                pass.after = Some(column.key_of(last)?.into_iter().map(Key::of).collect::<Result<_>>()?);
            }
            Some(_) | None => {
                (pass.at, pass.after) = (pass.at + 1, None);
                break;
            }
        }
        rows_left -= asked;
    }
    pass.done = columns.len() <= pass.at;
    Ok(())
}

/// The next rows behind the last one that was read.
fn rows_behind(tx: &mut Tx<'_>, column: &SealedColumn, pass: &Pass, limit: u32) -> Result<Vec<Row>> {
    let mut parameters: Vec<Value> = match &pass.after {
        Some(after) => after.iter().map(Key::value).collect(),
        None => column.first(),
    };
    parameters.push(Value::from(limit));
    tx.all(&column.rows, &parameters)
}

/// The key and suite that this store seals with now.
pub fn newest(tx: &Tx<'_>) -> Result<Mark> {
    Ok(sealer(tx)?.vault().sealing())
}

fn sealer<'a>(tx: &'a Tx<'_>) -> Result<&'a Sealer> {
    Ok(tx.sealer().ok_or_else(|| Fault::new("sealing anew: the store has no keys"))?)
}

/// A value as it was read: under which key it lies, where it is sealed.
struct Held {
    value: Value,
    sealed: Option<Vec<u8>>,
    clear: Vec<u8>,
}

/// Does the work on one value; says how many bytes it has.
fn one(tx: &mut Tx<'_>, column: &SealedColumn, work: Work, row: &Row, pass: &mut Pass) -> Result<usize> {
    pass.seen += 1;
    let held = held(column, row)?;
    let bytes = held.clear.len() + held.sealed.as_ref().map_or(0, Vec::len);
    let mark = held.sealed.as_deref().map(Mark::read);
    let newest = newest(tx)?;
    let name = match mark {
        Some(Some(mark)) => mark.to_string(),
        Some(None) => UNKNOWN.to_owned(),
        None => CLEAR.to_owned(),
    };
    if work == Work::Count || mark == Some(Some(newest)) {
        *pass.under.entry(name).or_default() += 1;
        return Ok(bytes);
    }
    let place = (column.place)(row)?;
    let plain = match &held.sealed {
        Some(sealed) => sealer(tx)?.vault().open(place.as_bytes(), sealed),
        None => Ok(held.clear),
    };
    let Ok(plain) = plain else {
        pass.broken += 1;
        *pass.under.entry(name).or_default() += 1;
        return Ok(bytes);
    };
    let sealed = sealer(tx)?.seal(&place, &plain);
    let mut parameters = column.key_of(row)?;
    parameters.extend([held.value, written(column.form, &sealed)]);
    // A value that somebody wrote meanwhile was sealed by whoever wrote it.
    if tx.run(&column.put, &parameters)? == 1 {
        pass.renewed += 1;
    }
    *pass.under.entry(newest.to_string()).or_default() += 1;
    Ok(bytes)
}

fn held(column: &SealedColumn, row: &Row) -> Result<Held> {
    match column.form {
        Form::Bytes => {
            let bytes: Vec<u8> = row.get("held")?;
            Ok(Held { value: Value::Bytes(bytes.clone()), sealed: Some(bytes), clear: Vec::new() })
        }
        Form::MarkedBytes => {
            let bytes: Vec<u8> = row.get("held")?;
            let sealed = bytes.strip_prefix(MARK.as_bytes()).map(<[u8]>::to_vec);
            Ok(Held { value: Value::Bytes(bytes.clone()), sealed, clear: bytes })
        }
        Form::Text => {
            let words: String = row.get("held")?;
            let unreadable = || Violation::inconsistent(column.table, column.column);
            let sealed =
                words.strip_prefix(MARK).map(text::unbase64).transpose().map_err(|_| unreadable())?;
            Ok(Held { value: Value::Text(words.clone()), sealed, clear: words.into_bytes() })
        }
    }
}

fn written(form: Form, sealed: &[u8]) -> Value {
    match form {
        Form::Bytes => Value::Bytes(sealed.to_vec()),
        Form::MarkedBytes => Value::Bytes([MARK.as_bytes(), sealed].concat()),
        Form::Text => Value::Text(format!("{MARK}{}", text::base64(sealed))),
    }
}
