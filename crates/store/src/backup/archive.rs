//! The form of an archive (备份文件): frames of rows, a manifest, and a hash over everything before it.
//!
//! `TONGBAN-ARCHIVE-1` and a newline; frames of kind (1 byte), length (4 bytes, big endian) and payload: `P` a part
//! with its columns as JSON, `R` rows of it, `M` the manifest; at last 32 bytes, the SHA-256 of all that.
//! A value is its kind (1 byte) and its bytes: 0 NULL, 1 number, 2 float, 3 text, 4 bytes; the last two after a length.

use std::io::{Read, Write};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tb_base::{Error, Fault, Result, Violation};
use tb_crypto::text::hex;

use super::{FORMAT, Manifest, Part};
use crate::Value;

const MAGIC: &[u8] = b"TONGBAN-ARCHIVE-1\n";
/// Rows are gathered up to this before they are written; a single row may be larger.
const FRAME_BYTES: usize = 1024 * 1024;
/// The largest frame that is read.
const FRAME_BYTES_MAX: u32 = 256 * 1024 * 1024;

/// What a part begins with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) columns: Vec<String>,
}

/// A part while it is written or read.
struct Open {
    head: Head,
    rows: u64,
    bytes: u64,
    sha256: Sha256,
}

impl Open {
    fn new(head: Head) -> Open {
        Open { head, rows: 0, bytes: 0, sha256: Sha256::new() }
    }

    fn take(&mut self, payload: &[u8]) {
        self.bytes += payload.len() as u64;
        self.sha256.update(payload);
    }

    fn close(self) -> Part {
        let digest: [u8; 32] = self.sha256.finalize().into();
        Part { name: self.head.name, rows: self.rows, bytes: self.bytes, sha256: hex(&digest) }
    }
}

/// Writes an archive.
pub(crate) struct Writer<W> {
    out: W,
    whole: Sha256,
    open: Option<Open>,
    rows: Vec<u8>,
}

impl<W: Write> Writer<W> {
    pub(crate) fn begin(out: W) -> Result<Writer<W>> {
        let mut writer = Writer { out, whole: Sha256::new(), open: None, rows: Vec::new() };
        writer.put(MAGIC)?;
        Ok(writer)
    }

    /// Begins a part.
    pub(crate) fn part(&mut self, name: &str, columns: Vec<String>) -> Result<()> {
        let head = Head { name: name.to_owned(), columns };
        let payload = json(&head)?;
        self.frame(b'P', &payload)?;
        let mut open = Open::new(head);
        open.take(&payload);
        self.open = Some(open);
        Ok(())
    }

    /// Adds a row to the part.
    pub(crate) fn row(&mut self, row: &[Value]) -> Result<()> {
        for value in row {
            encode(value, &mut self.rows)?;
        }
        if let Some(open) = &mut self.open {
            open.rows += 1;
        }
        if self.rows.len() < FRAME_BYTES { Ok(()) } else { self.flush_rows() }
    }

    /// Ends the part.
    pub(crate) fn end_part(&mut self) -> Result<Part> {
        self.flush_rows()?;
        let open = self.open.take().ok_or_else(|| Fault::new("writing the archive: no part was begun"))?;
        Ok(open.close())
    }

    /// Writes the manifest and the hash of the whole.
    pub(crate) fn finish(mut self, manifest: &Manifest) -> Result<W> {
        let payload = json(manifest)?;
        self.frame(b'M', &payload)?;
        let digest: [u8; 32] = std::mem::take(&mut self.whole).finalize().into();
        self.put(&digest)?;
        Ok(self.out)
    }

    fn flush_rows(&mut self) -> Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        if let Some(open) = &mut self.open {
            open.take(&rows);
        }
        self.frame(b'R', &rows)
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> Result<()> {
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= FRAME_BYTES_MAX);
        let length = length.ok_or_else(|| Fault::new("writing the archive: a row is too large"))?;
        self.put(&[kind])?;
        self.put(&length.to_be_bytes())?;
        self.put(payload)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.whole.update(bytes);
        self.out.write_all(bytes).map_err(|error| Fault::of("writing the archive", error).into())
    }
}

/// What an archive holds, piece by piece.
pub(crate) enum Piece {
    /// A part begins.
    Part(Head),
    /// Rows of it.
    Rows(Vec<Vec<Value>>),
    /// The end: the manifest, which fits what was read, and the SHA-256 of the archive in hex.
    End(Box<Manifest>, String),
}

/// Reads an archive; every piece that is handed on is well formed, the end tells that all of them are true.
pub(crate) struct Reader<R> {
    input: R,
    whole: Sha256,
    open: Option<Open>,
    parts: Vec<Part>,
}

impl<R: Read> Reader<R> {
    pub(crate) fn begin(input: R) -> Result<Reader<R>> {
        let mut reader = Reader { input, whole: Sha256::new(), open: None, parts: Vec::new() };
        if reader.take(MAGIC.len())? != MAGIC {
            return Err(damaged("start", "it is no archive of a city, or of another version"));
        }
        Ok(reader)
    }

    /// The next piece; nothing follows the end.
    pub(crate) fn next(&mut self) -> Result<Piece> {
        let [kind]: [u8; 1] = self.fixed()?;
        let length = u32::from_be_bytes(self.fixed()?);
        if FRAME_BYTES_MAX < length {
            return Err(damaged("frame", "it is longer than any"));
        }
        let payload = self.take(length as usize)?;
        match kind {
            b'P' => self.part(&payload),
            b'R' => self.rows(&payload),
            b'M' => self.end(&payload),
            _ => Err(damaged("frame", "its kind is not known")),
        }
    }

    fn part(&mut self, payload: &[u8]) -> Result<Piece> {
        self.close();
        let head: Head =
            serde_json::from_slice(payload).map_err(|error| damaged("part", &error.to_string()))?;
        if head.columns.is_empty() || !is_name(&head.name) || !head.columns.iter().all(|it| is_name(it)) {
            return Err(damaged("part", "its names are none of tables and columns"));
        }
        let mut open = Open::new(head.clone());
        open.take(payload);
        self.open = Some(open);
        Ok(Piece::Part(head))
    }

    fn rows(&mut self, payload: &[u8]) -> Result<Piece> {
        let open = self.open.as_mut().ok_or_else(|| damaged("frame", "rows of no part"))?;
        open.take(payload);
        let (mut rest, mut rows) = (payload, Vec::new());
        while !rest.is_empty() {
            let row: Option<Vec<Value>> = open.head.columns.iter().map(|_| decode(&mut rest)).collect();
            rows.push(row.ok_or_else(|| damaged(&open.head.name, "a row is cut"))?);
        }
        open.rows += rows.len() as u64;
        Ok(Piece::Rows(rows))
    }

    fn end(&mut self, payload: &[u8]) -> Result<Piece> {
        self.close();
        let manifest: Manifest =
            serde_json::from_slice(payload).map_err(|error| damaged("manifest", &error.to_string()))?;
        if manifest.format != FORMAT {
            return Err(damaged("manifest", &format!("form {} is not known", manifest.format)));
        }
        for (told, read) in manifest.parts.iter().zip(&self.parts) {
            if told != read {
                return Err(damaged(&told.name, "its SHA-256 is not that of the manifest"));
            }
        }
        if manifest.parts.len() != self.parts.len() {
            return Err(damaged("manifest", "it names other parts than there are"));
        }
        let whole: [u8; 32] = std::mem::take(&mut self.whole).finalize().into();
        let told: [u8; 32] = self.fixed()?;
        let mut behind = [0];
        let is_last = matches!(self.input.read(&mut behind), Ok(0));
        if whole != told || !is_last {
            return Err(damaged("end", "the SHA-256 of the whole is another"));
        }
        Ok(Piece::End(Box::new(manifest), hex(&whole)))
    }

    fn close(&mut self) {
        self.parts.extend(self.open.take().map(Open::close));
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.input.read_exact(&mut bytes).map_err(|error| damaged("end", &error.to_string()))?;
        self.whole.update(bytes);
        Ok(bytes)
    }

    /// Grows with what really comes: a length that lies reserves nothing.
    fn take(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let taken = self.input.by_ref().take(length as u64).read_to_end(&mut bytes);
        taken.map_err(|error| Fault::of("reading the archive", error))?;
        if bytes.len() != length {
            return Err(damaged("end", "it ends early"));
        }
        self.whole.update(&bytes);
        Ok(bytes)
    }
}

/// Names of tables and columns stand in statements as they are.
fn is_name(name: &str) -> bool {
    let good = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
    !name.is_empty() && name.len() <= 63 && name.bytes().all(good)
}

fn encode(value: &Value, out: &mut Vec<u8>) -> Result<()> {
    let mut long = |kind: u8, bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).map_err(|error| Fault::of("writing the archive", error))?;
        out.push(kind);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(bytes);
        Ok(())
    };
    match value {
        Value::Text(text) => return long(3, text.as_bytes()),
        Value::Bytes(bytes) => return long(4, bytes),
        Value::Null => out.push(0),
        Value::Int(number) => out.extend([&[1], &number.to_be_bytes()[..]].concat()),
        Value::Float(number) => out.extend([&[2], &number.to_be_bytes()[..]].concat()),
    }
    Ok(())
}

fn decode(rest: &mut &[u8]) -> Option<Value> {
    let [kind] = fixed(rest)?;
    match kind {
        0 => Some(Value::Null),
        1 => fixed(rest).map(i64::from_be_bytes).map(Value::Int),
        2 => fixed(rest).map(f64::from_be_bytes).map(Value::Float),
        3 => String::from_utf8(long(rest)?).ok().map(Value::Text),
        4 => long(rest).map(Value::Bytes),
        _ => None,
    }
}

fn fixed<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, behind) = rest.split_first_chunk::<N>()?;
    *rest = behind;
    Some(*taken)
}

fn long(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let length = u32::from_be_bytes(fixed(rest)?) as usize;
    let (taken, behind) = rest.split_at_checked(length)?;
    *rest = behind;
    Some(taken.to_vec())
}

fn json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|error| Fault::of("writing the archive", error).into())
}

fn damaged(component: &str, detail: &str) -> Error {
    Violation::new("archive-invalid", component.to_owned(), detail.to_owned()).into()
}
