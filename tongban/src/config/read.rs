//! Reading `city.toml` (配置检查): every problem with its line, the rule and the way out.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use tb_base::NodeId;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{FIELDS, Field, Kind};
use super::paper::parts;
use super::{KEY_FILES, SIGNED_FILES, SQLITE};

/// Problems that are told at once.
const PROBLEMS_MAX: usize = 50;

/// One thing that is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub file: PathBuf,
    /// The line, from one; nothing where something is missing.
    pub line: Option<usize>,
    /// The field.
    pub field: String,
    /// What was found.
    pub found: String,
    /// What to do.
    pub way_out: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}; {}", self.field, self.found, self.way_out)
    }
}

/// Everything that is wrong with a file of this text.
pub fn problems(file: &Path, text: &str) -> Vec<Problem> {
    let mut check = Check { file, text, problems: Vec::new() };
    match DeTable::parse(text) {
        Ok(table) => check.whole(table.get_ref()),
        Err(error) => {
            let line = error.span().map(|span| check.line(span.start));
            let found = error.message().replace('\n', " ");
            check.add(
                line,
                "the file",
                found,
                "write it as TOML; `tongban config example` prints a file to begin from".to_owned(),
            );
        }
    }
    check.problems.truncate(PROBLEMS_MAX);
    check.problems
}

/// The check of one file on its way.
struct Check<'a> {
    file: &'a Path,
    text: &'a str,
    problems: Vec<Problem>,
}

type Value<'i> = Spanned<DeValue<'i>>;

impl Check<'_> {
    fn whole(&mut self, table: &DeTable<'_>) {
        self.unknown("", table);
        for field in FIELDS {
            match find(table, field) {
                Some(value) => self.value(field, value),
                None if field.usual.is_none() => self.missing(field),
                None => self.left_out(field),
            }
        }
        self.together(table);
        self.beside();
    }

    /// What the cities signed lies beside the file.
    fn beside(&mut self) {
        for name in SIGNED_FILES {
            let path = self.file.parent().unwrap_or(Path::new(".")).join(name);
            if !path.is_file() {
                let found = format!("{} is not there", path.display());
                self.add(None, name, found, "get the file from the other cities of the region".to_owned());
            }
        }
    }

    /// What nobody reads is most often a name with a slip in it.
    fn unknown(&mut self, table: &str, fields: &DeTable<'_>) {
        let mut fields: Vec<_> = fields.iter().collect();
        fields.sort_by_key(|(key, _)| key.span().start);
        for (key, value) in fields {
            let path = if table.is_empty() {
                key.get_ref().to_string()
            } else {
                format!("{table}.{}", key.get_ref())
            };
            let is_table = table.is_empty() && FIELDS.iter().any(|field| parts(field).0 == path);
            match value.get_ref().as_table() {
                Some(inner) if is_table => self.unknown(&path, inner),
                _ if FIELDS.iter().any(|field| field.path == path) => {}
                _ => {
                    let line = self.line(key.span().start);
                    let way_out = match nearest(&path) {
                        Some(near) => format!("did you mean {near}?"),
                        None => "take it out; `tongban config example` shows every field".to_owned(),
                    };
                    self.add(Some(line), &path, "there is no such field".to_owned(), way_out);
                }
            }
        }
    }

    fn missing(&mut self, field: &Field) {
        let way_out = format!("add {} = {}: {}", parts(field).1, field.example, field.what.1);
        self.add(None, field.path, "it is missing".to_owned(), way_out);
    }

    /// What is left out has its usual value, which may name files.
    fn left_out(&mut self, field: &Field) {
        let usual = field.usual.unwrap_or("").trim_matches('"');
        if matches!(field.kind, Kind::Folder | Kind::File | Kind::Keys) && !usual.starts_with("none") {
            self.path(field, None, usual);
        }
    }

    fn value(&mut self, field: &Field, value: &Value<'_>) {
        let line = Some(self.line(value.span().start));
        if let Kind::Networks = field.kind {
            return self.networks(field, value);
        }
        if let Kind::Number(least, most) = field.kind {
            let number = value.get_ref().as_integer().and_then(|it| it.as_str().parse::<i64>().ok());
            if !number.is_some_and(|number| (least..=most).contains(&number)) {
                self.wrong(field, line, "it is none");
            }
            return;
        }
        let Some(text) = value.get_ref().as_str() else { return self.wrong(field, line, "it is no text") };
        if matches!(field.kind, Kind::Folder | Kind::File | Kind::Keys) {
            return self.path(field, line, text);
        }
        if !is_good(field.kind, text) {
            // A database address may hold a password, which is nobody's business.
            let shown = if field.kind == Kind::Database {
                "it is none".to_owned()
            } else {
                format!("{text:?} is none")
            };
            self.wrong(field, line, &shown);
        }
    }

    fn networks(&mut self, field: &Field, value: &Value<'_>) {
        let line = Some(self.line(value.span().start));
        let Some(list) = value.get_ref().as_array() else { return self.wrong(field, line, "it is no list") };
        for item in list.iter() {
            let line = Some(self.line(item.span().start));
            match item.get_ref().as_str() {
                Some(text) if is_network(text) => {}
                Some(text) => self.wrong(field, line, &format!("{text:?} is no network")),
                None => self.wrong(field, line, "an entry is no text"),
            }
        }
    }

    fn path(&mut self, field: &Field, line: Option<usize>, text: &str) {
        let path = self.file.parent().unwrap_or(Path::new(".")).join(text);
        if field.kind == Kind::File {
            if !path.is_file() {
                self.absent(field, line, &path);
            }
            return;
        }
        if !path.is_dir() {
            return self.absent(field, line, &path);
        }
        for key in KEY_FILES.iter().filter(|_| field.kind == Kind::Keys) {
            let key = path.join(key);
            if !key.is_file() {
                self.absent(field, line, &key);
            }
        }
    }

    fn absent(&mut self, field: &Field, line: Option<usize>, path: &Path) {
        let found = format!("{} is not there", path.display());
        let way_out = match field.kind {
            Kind::Keys => "make the keys, or restore them from their own backup",
            Kind::Folder => "make the folder and give it to the node's user",
            _ => "set the field to where the file is",
        };
        self.add(line, field.path, found, way_out.to_owned());
    }

    fn wrong(&mut self, field: &Field, line: Option<usize>, found: &str) {
        self.add(line, field.path, found.to_owned(), format!("write {}", field.kind.rule()));
    }

    /// Rules over several fields.
    fn together(&mut self, table: &DeTable<'_>) {
        let text = |name: &str| table.get(name).and_then(|it| it.get_ref().as_str()).unwrap_or("").to_owned();
        let line = |check: &Self, name: &str| table.get(name).map(|it| check.line(it.span().start));
        let (database, schema) = (text("database"), text("schema"));
        if is_good(Kind::Database, &database) && database != SQLITE && schema.is_empty() {
            let way_out = "add schema = \"city_430100\": several cities may share one database".to_owned();
            let at = line(self, "schema");
            self.add(at, "schema", "PostgreSQL needs it".to_owned(), way_out);
        }
        if database == SQLITE && !schema.is_empty() {
            let at = line(self, "schema");
            self.add(
                at,
                "schema",
                "SQLite has none".to_owned(),
                "take it out, or set database to PostgreSQL".to_owned(),
            );
        }
        let mut taken: Vec<(SocketAddr, &str)> = Vec::new();
        for name in ["site", "exchange", "operations"] {
            let Ok(address) = text(name).parse::<SocketAddr>() else { continue };
            if let Some((_, other)) = taken.iter().find(|(it, _)| *it == address && address.port() != 0) {
                let found = format!("{address} is that of {other}, too");
                let at = line(self, name);
                self.add(at, name, found, "give each its own port".to_owned());
            }
            taken.push((address, name));
        }
    }

    fn add(&mut self, line: Option<usize>, field: &str, found: String, way_out: String) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            field: field.to_owned(),
            found,
            way_out,
        });
    }

    fn line(&self, offset: usize) -> usize {
        1 + self.text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
    }
}

fn find<'t, 'i>(table: &'t DeTable<'i>, field: &Field) -> Option<&'t Value<'i>> {
    match parts(field) {
        ("", name) => table.get(name),
        (own, name) => table.get(own)?.get_ref().as_table()?.get(name),
    }
}

fn is_good(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Node => text.parse::<NodeId>().is_ok(),
        Kind::Address => text.parse::<SocketAddr>().is_ok(),
        Kind::Site => is_site(text),
        Kind::Database => {
            text == SQLITE || ["postgres://", "postgresql://", "host="].iter().any(|it| text.starts_with(it))
        }
        Kind::Schema => {
            let good = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_';
            text.len() <= 63 && text.bytes().all(good)
        }
        Kind::Level => !text.is_empty() && text.parse::<tracing_subscriber::EnvFilter>().is_ok(),
        Kind::Format => text == "text" || text == "json",
        Kind::Switch => text == "on" || text == "off",
        Kind::Seal => text == "aes-256-gcm" || text == "sm4-gcm",
        Kind::Collector => {
            let uri = text.parse::<axum::http::Uri>();
            uri.is_ok_and(|uri| uri.scheme_str() == Some("http") && uri.host().is_some())
        }
        Kind::Folder | Kind::Keys | Kind::File | Kind::Networks | Kind::Number(_, _) => true,
    }
}

fn is_site(text: &str) -> bool {
    let Ok(uri) = text.parse::<axum::http::Uri>() else { return false };
    let is_local = uri.host().is_some_and(|host| host == "localhost" || host.starts_with("127."));
    let scheme = uri.scheme_str();
    (scheme == Some("https") || scheme == Some("http") && is_local)
        && uri.host().is_some()
        && !text.ends_with('/')
}

/// An address, or an address with the length of its network behind a slash and nothing set beyond it.
fn is_network(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        None => (text, None),
        Some((address, prefix)) => match prefix.parse::<u32>() {
            Ok(prefix) => (address, Some(prefix)),
            Err(_) => return false,
        },
    };
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => ends(u128::from(address.to_bits()), 32, prefix.unwrap_or(32)),
        Ok(IpAddr::V6(address)) => ends(address.to_bits(), 128, prefix.unwrap_or(128)),
        Err(_) => false,
    }
}

fn ends(bits: u128, length: u32, prefix: u32) -> bool {
    prefix <= length && bits & 1_u128.checked_shl(length - prefix).map_or(u128::MAX, |it| it - 1) == 0
}

/// The field whose name differs least, if the difference is a slip.
fn nearest(path: &str) -> Option<&'static str> {
    const SLIPS_MAX: usize = 2;
    let best = FIELDS.iter().map(|field| (distance(path, field.path), field.path)).min()?;
    (best.0 <= SLIPS_MAX).then_some(best.1)
}

/// How many letters must be put in, taken out or changed.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut next = vec![at + 1];
        for (place, known) in other.iter().enumerate() {
            let changed = row[place] + usize::from(letter != *known);
            next.push(changed.min(row[place + 1] + 1).min(next[place] + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
