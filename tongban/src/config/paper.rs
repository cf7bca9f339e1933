//! What people read about the configuration: an example to begin from, and the document; both from the one table.

use std::fmt::Write as _;

use super::fields::{FIELDS, Field};

/// An example with every field; those that may be left out stand behind a `#`.
pub fn example() -> String {
    let mut text = String::from(
        "# 通办城市节点配置 · the configuration of one city's node (docs/operations/configuration.md)\n",
    );
    let mut table = "";
    for field in FIELDS {
        let (own, name) = parts(field);
        if own != table {
            table = own;
            let _ = write!(text, "\n[{table}]");
        }
        let mark = if field.usual.is_some() { "# " } else { "" };
        let (zh, en) = field.what;
        let _ = write!(text, "\n# {zh} · {en}\n{mark}{name} = {}\n", field.example);
    }
    text
}

/// The document, a row for each field.
pub fn document() -> String {
    let mut text = String::from(
        "# Configuration\n\n\
         One file in TOML, `city.toml`, says everything that differs from city to city.\n\
         `tongban config example` prints one to begin from, `tongban config check city.toml` finds every problem at once with its line, \
         and `tongban doctor --config city.toml` looks at the world around it.\n\
         An unknown field, a wrong value or a missing file stops the start.\n\
         Paths are meant from the folder of the file, and the signed `trust.json` and `contracts.json` lie in that folder.\n\
         What is changed counts from the next start.\n\n\
         | field | value | left out | 用途 | what it is for |\n|---|---|---|---|---|\n",
    );
    for field in FIELDS {
        let usual = field.usual.unwrap_or("it must be there");
        let (zh, en) = field.what;
        let rule = field.kind.rule();
        let _ = writeln!(text, "| `{}` | {rule} | {usual} | {zh} | {en} |", field.path);
    }
    text.push_str(
        "\nThe options `--site`, `--exchange` and `--operations` of `serve` and `worker` go before the file: \
         several processes of one city can share it.\n",
    );
    text
}

/// The table and the name of a field.
pub(super) fn parts(field: &Field) -> (&'static str, &'static str) {
    field.path.split_once('.').unwrap_or(("", field.path))
}
