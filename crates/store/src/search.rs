//! Search (检索): texts are found by overlapping pairs of Chinese letters, and by beginnings of Latin words.
//!
//! The only place with SQL for one engine: FTS5 on SQLite, `tsvector` on PostgreSQL. Both hold the same words,
//! made here, so that neither engine's own idea of a Chinese word matters.

use tb_base::{Result, Violation};

use crate::{Stmt, Tx, Value, params, stmt};

/// Letters of a query that are looked at.
const QUERY_LETTERS_MAX: usize = 64;
/// Keys that one search gives at the most.
pub const FOUND_MAX: u32 = 200;

const SQLITE_ROW: Stmt = stmt(
    "store.search.row",
    "
    INSERT INTO store_search (kind, key)
    VALUES ($1, $2)
    ON CONFLICT (kind, key) DO UPDATE SET key = excluded.key
    RETURNING id
",
);

const SQLITE_FORGET_WORDS: Stmt = stmt(
    "store.search.forget_words",
    "
    DELETE FROM store_search_words
    WHERE rowid IN (SELECT id FROM store_search WHERE kind = $1 AND key = $2)
",
);

const SQLITE_WORDS: Stmt = stmt(
    "store.search.words",
    "
    INSERT INTO store_search_words (rowid, words)
    VALUES ($1, $2)
",
);

const SQLITE_FIND: Stmt = stmt(
    "store.search.find",
    "
    SELECT store_search.key
    FROM store_search_words
    JOIN store_search ON store_search.id = store_search_words.rowid
    WHERE store_search_words MATCH $2 AND store_search.kind = $1
    ORDER BY store_search_words.rank, store_search.key
    LIMIT $3
",
);

const POSTGRES_INDEX: Stmt = stmt(
    "store.search.index",
    "
    INSERT INTO store_search (kind, key, words)
    VALUES ($1, $2, array_to_tsvector(string_to_array(CAST($3 AS TEXT), ' ')))
    ON CONFLICT (kind, key) DO UPDATE SET words = excluded.words
",
);

const POSTGRES_FIND: Stmt = stmt(
    "store.search.find",
    "
    SELECT key
    FROM store_search
    WHERE kind = $1 AND words @@ CAST(CAST($2 AS TEXT) AS TSQUERY)
    ORDER BY length(words), key
    LIMIT $3
",
);

/// The words of each text, out of the index itself; `temp.store_search_vocabulary` shows it while a backup is made.
const SQLITE_DUMP: &str = "
    SELECT store_search.kind, store_search.key, group_concat(vocabulary.term, ' ')
    FROM temp.store_search_vocabulary AS vocabulary
    JOIN store_search ON store_search.id = vocabulary.doc
    GROUP BY store_search.id
";
const POSTGRES_DUMP: &str = "
    SELECT kind, key, array_to_string(tsvector_to_array(words), ' ')
    FROM store_search
";

const FORGET: Stmt = stmt(
    "store.search.forget",
    "
    DELETE FROM store_search
    WHERE kind = $1 AND key = $2
",
);

/// The statements of this file that run on SQLite only.
pub(crate) const SQLITE_STATEMENTS: &[Stmt] =
    &[SQLITE_ROW, SQLITE_FORGET_WORDS, SQLITE_WORDS, SQLITE_FIND, FORGET];
/// The statements of this file that run on PostgreSQL only.
pub(crate) const POSTGRES_STATEMENTS: &[Stmt] = &[POSTGRES_INDEX, POSTGRES_FIND, FORGET];

/// The part of an archive that holds the words.
pub(crate) const PART: &str = "store_search";

/// The columns of that part.
pub(crate) fn columns() -> Vec<String> {
    ["kind", "key", "words"].map(str::to_owned).to_vec()
}

/// The query that gives the rows of that part.
pub(crate) fn dump(is_postgres: bool) -> &'static str {
    if is_postgres { POSTGRES_DUMP } else { SQLITE_DUMP }
}

/// Takes a row of that part into the index.
pub(crate) fn load(tx: &mut Tx<'_>, row: &[Value]) -> Result<()> {
    let [Value::Text(kind), Value::Text(key), Value::Text(words)] = row else {
        return Err(Violation::new("archive-invalid", PART, "a row is not kind, key and words").into());
    };
    put(tx, kind, key, words)
}

/// Makes a text findable under a key; a second text under the same key replaces the first.
pub fn index(tx: &mut Tx<'_>, kind: &'static str, key: &str, text: &str) -> Result<()> {
    let mut words: Vec<String> = Vec::new();
    for run in runs(text) {
        run.index_words(&mut words);
    }
    words.sort_unstable();
    words.dedup();
    if words.is_empty() {
        return forget(tx, kind, key);
    }
    put(tx, kind, key, &words.join(" "))
}

fn put(tx: &mut Tx<'_>, kind: &str, key: &str, words: &str) -> Result<()> {
    if tx.is_postgres() {
        return tx.run(&POSTGRES_INDEX, params![kind, key, words]).map(drop);
    }
    tx.run(&SQLITE_FORGET_WORDS, params![kind, key])?;
    match tx.one(&SQLITE_ROW, params![kind, key])? {
        Some(row) => tx.run(&SQLITE_WORDS, params![row.get::<i64>("id")?, words]).map(drop),
        None => Ok(()),
    }
}

/// Takes a text out of the index.
pub fn forget(tx: &mut Tx<'_>, kind: &'static str, key: &str) -> Result<()> {
    if !tx.is_postgres() {
        tx.run(&SQLITE_FORGET_WORDS, params![kind, key])?;
    }
    tx.run(&FORGET, params![kind, key]).map(drop)
}

/// Keys of the texts that hold every word of the query; short texts and good matches first.
pub fn find(tx: &mut Tx<'_>, kind: &'static str, query: &str, limit: u32) -> Result<Vec<String>> {
    let query: String = query.chars().take(QUERY_LETTERS_MAX).collect();
    let mut words: Vec<Wanted> = Vec::new();
    for run in runs(&query) {
        run.query_words(&mut words);
    }
    if words.is_empty() {
        return Ok(Vec::new());
    }
    // Words hold nothing but ASCII letters and digits, so that neither engine sees an operator in them.
    let (find, text) = if tx.is_postgres() {
        (&POSTGRES_FIND, joined(&words, " & ", ":*"))
    } else {
        (&SQLITE_FIND, joined(&words, " AND ", "*"))
    };
    let rows = tx.all(find, params![kind, text, limit.min(FOUND_MAX)])?;
    rows.iter().map(|row| row.get("key")).collect()
}

/// A word that is looked for.
#[derive(Debug, PartialEq, Eq)]
enum Wanted {
    Whole(String),
    Beginning(String),
}

fn joined(words: &[Wanted], and: &str, any_end: &str) -> String {
    let quoted = |word: &Wanted| match word {
        Wanted::Whole(word) => word.clone(),
        Wanted::Beginning(word) => format!("{word}{any_end}"),
    };
    words.iter().map(quoted).collect::<Vec<_>>().join(and)
}

/// Letters of one kind that stand together.
#[derive(Debug, PartialEq, Eq)]
enum Run {
    /// ASCII letters and digits, in lower case.
    Latin(String),
    /// Every other letter: Chinese has no spaces between words.
    Han(Vec<char>),
}

impl Run {
    fn index_words(&self, words: &mut Vec<String>) {
        match self {
            Run::Latin(word) => words.push(format!("w{word}")),
            Run::Han(letters) => {
                words.extend(letters.iter().map(|letter| code(&[*letter])));
                words.extend(letters.windows(2).map(code));
            }
        }
    }

    fn query_words(&self, words: &mut Vec<Wanted>) {
        match self {
            Run::Latin(word) => words.push(Wanted::Beginning(format!("w{word}"))),
            Run::Han(letters) if letters.len() == 1 => words.push(Wanted::Whole(code(letters))),
            Run::Han(letters) => words.extend(letters.windows(2).map(code).map(Wanted::Whole)),
        }
    }
}

/// Letters as a word that every engine takes for one: 证照 is `x8bc1x7167`.
fn code(letters: &[char]) -> String {
    letters.iter().map(|letter| format!("x{:x}", u32::from(*letter))).collect()
}

fn runs(text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    let mut is_new = true;
    for letter in text.chars().flat_map(char::to_lowercase) {
        if !letter.is_alphanumeric() {
            is_new = true;
            continue;
        }
        match runs.last_mut() {
            Some(Run::Latin(word)) if !is_new && letter.is_ascii() => word.push(letter),
            Some(Run::Han(letters)) if !is_new && !letter.is_ascii() => letters.push(letter),
            Some(_) | None if letter.is_ascii() => runs.push(Run::Latin(letter.to_string())),
            Some(_) | None => runs.push(Run::Han(vec![letter])),
        }
        is_new = false;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::{Run, code, runs};

    #[track_caller]
    fn check(text: &str, expected: &[Run]) {
        assert_eq!(runs(text), expected);
    }

    #[test]
    fn runs_of_letters() {
        check("", &[]);
        check("—，。 ", &[]);
        check("换发", &[Run::Han(vec!['换', '发'])]);
        check(
            "第121项 A证",
            &[
                Run::Han(vec!['第']),
                Run::Latin("121".to_owned()),
                Run::Han(vec!['项']),
                Run::Latin("a".to_owned()),
                Run::Han(vec!['证']),
            ],
        );
        check("证，照", &[Run::Han(vec!['证']), Run::Han(vec!['照'])]);
    }

    #[test]
    fn words_are_plain() {
        assert_eq!(code(&['证', '照']), "x8bc1x7167");
    }
}
