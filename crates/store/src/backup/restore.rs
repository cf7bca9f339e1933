//! Bringing a store back (恢复): checked first, built beside the place of the data, then named in one step.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Seek, SeekFrom};
use std::path::Path;

use tb_base::{Error, Fault, NodeId, Result, Timestamp, Violation};

use super::archive::{Head, Piece, Reader};
use super::{Manifest, Purpose, Tables, apart, beside, private_file, settle, there_already};
use crate::sqlite::Connection;
use crate::store::lock_folder;
use crate::unit::erase;
use crate::{Engine, Schema, migrate, postgres, restored, search};

/// What is built has such a name until it is complete.
const UNFINISHED: &str = "restoring";

/// Reads an archive to its end and compares every hash; gives what it holds.
pub async fn check(archive: &Path) -> Result<Manifest> {
    let archive = archive.to_owned();
    apart("store-check", move || read_through(&mut open(&archive)?).map(|(manifest, _)| manifest)).await
}

/// Brings the store of a city back from an archive, marked as restored; data that is there is never overwritten.
///
/// Either engine takes the archive of either. What an attempt before left unfinished is thrown away.
pub async fn restore(
    engine: &Engine,
    schemas: &[Schema],
    archive: &Path,
    city: NodeId,
    now: Timestamp,
) -> Result<Manifest> {
    let file = archive.to_owned();
    let schemas: Vec<Schema> = std::iter::once(crate::SCHEMA).chain(schemas.iter().copied()).collect();
    let mut source = open(&file)?;
    let (manifest, digest, source) = apart("store-check", move || {
        let (manifest, digest) = read_through(&mut source)?;
        Ok((manifest, digest, source))
    })
    .await?;
    if manifest.city != city {
        let detail = format!("it is {}'s, not {city}'s", manifest.city);
        return Err(Violation::new("archive-invalid", "city", detail).into());
    }
    let work = Work { schemas, source, manifest: manifest.clone(), digest, now };
    match engine {
        Engine::Sqlite(path) => {
            let path = path.clone();
            apart("store-restore", move || on_sqlite(&path, work)).await?;
        }
        Engine::Postgres { url, schema } => on_postgres(url, schema, work).await?,
    }
    Ok(manifest)
}

/// An archive that was checked, on its way into a store.
struct Work {
    schemas: Vec<Schema>,
    source: File,
    manifest: Manifest,
    digest: String,
    now: Timestamp,
}

fn on_sqlite(path: &Path, work: Work) -> Result<()> {
    let _lock = lock_folder(path)?;
    make_room(path)?;
    let building = beside(path, &format!(".{UNFINISHED}"));
    for end in ["", "-wal", "-shm"] {
        match std::fs::remove_file(beside(&building, end)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Fault::of("removing an unfinished restoration", error).into());
            }
            Ok(()) | Err(_) => {}
        }
    }
    let file = private_file(&building)?;
    let mut connection = Connection::open(&building)?;
    fill(&mut connection, work)?;
    connection.batch("store.restore.fold", "PRAGMA wal_checkpoint(TRUNCATE)")?;
    drop(connection);
    file.sync_all().map_err(|error| Fault::of("writing the restored file", error))?;
    settle(&building, path)
}

/// Data is never overwritten. What a look at a file left beside it holds none: an empty log of writes, and its index.
fn make_room(path: &Path) -> Result<()> {
    let log = beside(path, "-wal");
    for there in [path, &log] {
        if there.metadata().is_ok_and(|held| there == path || 0 < held.len()) {
            return Err(there_already(there).into());
        }
    }
    for left in [log, beside(path, "-shm")] {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Fault::of(format!("removing {}", left.display()), error).into());
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

async fn on_postgres(url: &str, schema: &str, work: Work) -> Result<()> {
    let building = format!("{schema}_{UNFINISHED}");
    if postgres::has_tables(url, schema).await? {
        return Err(there_already(Path::new(schema)).into());
    }
    postgres::drop_schema(url, &building).await?;
    let name = schema.to_owned();
    postgres::with_session(url, &building, "store-restore", move |session| {
        session.prepare_schema()?;
        fill(session, work)?;
        session.take_name(&name)
    })
    .await
}

fn open(archive: &Path) -> Result<File> {
    File::open(archive)
        .map_err(|error| Fault::of(format!("opening the archive {}", archive.display()), error).into())
}

fn read_through(source: &mut File) -> Result<(Manifest, String)> {
    let mut reader = Reader::begin(BufReader::new(source))?;
    loop {
        if let Piece::End(manifest, digest) = reader.next()? {
            return Ok((*manifest, digest));
        }
    }
}

/// Schema as of the backup, its rows, then what the program has added to the schema since, and the mark.
fn fill(tables: &mut impl Tables, mut work: Work) -> Result<()> {
    let landed = work.manifest.migrations.iter().cloned();
    let landed: BTreeMap<(String, String), String> =
        landed.map(|(owner, name, sha256)| ((owner, name), sha256)).collect();
    migrate::run_to(&work.schemas, &landed, &mut |unit| tables.unit(unit))?;
    tables.begin(Purpose::Load)?;
    let names = tables.names()?;
    for name in names.iter().rev() {
        tables.empty(name)?;
    }
    let rewound = work.source.seek(SeekFrom::Start(0));
    rewound.map_err(|error| Fault::of("reading the archive", error))?;
    load(tables, &names, &work)?;
    tables.commit()?;
    migrate::run(&work.schemas, &mut |unit| tables.unit(unit))?;
    mark(tables, &work)
}

fn load(tables: &mut impl Tables, names: &[String], work: &Work) -> Result<()> {
    let mut reader = Reader::begin(BufReader::new(&work.source))?;
    let mut part: Option<Head> = None;
    loop {
        match reader.next()? {
            Piece::Part(head) => {
                check_head(tables, names, &head)?;
                part = Some(head);
            }
            Piece::Rows(rows) => match &part {
                Some(head) if head.name == search::PART => {
                    let mut tx = tables.tx();
                    rows.iter().try_for_each(|row| search::load(&mut tx, row))?;
                }
                Some(head) => tables.load(&head.name, &head.columns, &rows)?,
                None => return Err(unknown("rows")),
            },
            // The file is the one that was checked, unless it was changed since.
            Piece::End(_, digest) if digest == work.digest => return Ok(()),
            Piece::End(..) => return Err(unknown("end")),
        }
    }
}

fn check_head(tables: &mut impl Tables, names: &[String], head: &Head) -> Result<()> {
    if head.name == search::PART {
        return if head.columns == search::columns() { Ok(()) } else { Err(unknown(&head.name)) };
    }
    if !names.contains(&head.name) {
        return Err(unknown(&head.name));
    }
    let columns = tables.columns(&head.name)?;
    if head.columns.iter().all(|column| columns.contains(column)) { Ok(()) } else { Err(unknown(&head.name)) }
}

fn unknown(part: &str) -> Error {
    Violation::new("archive-invalid", part.to_owned(), "it does not fit the schema of its migrations").into()
}

fn mark(tables: &mut impl Tables, work: &Work) -> Result<()> {
    let (digest, taken, now) = (work.digest.clone(), work.manifest.taken, work.now);
    let size =
        i64::try_from(work.manifest.log_size).map_err(|error| Fault::of("marking the store", error))?;
    let (unit, mut marked) =
        erase("store.restore", None, move |tx| restored::mark(tx, now, &digest, taken, size));
    tables.unit(unit);
    marked.try_recv().map_err(|error| Fault::of("marking the store as restored", error))?
}
