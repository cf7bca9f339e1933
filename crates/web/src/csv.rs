//! Tables as files (表格文件): text that a spreadsheet opens with the right letters, and runs nothing of.

use axum::response::Response;

use crate::page::download;

/// A table file: commas, quotes, CR LF, and the mark by which a spreadsheet knows UTF-8.
pub(crate) struct Csv {
    text: String,
}

impl Csv {
    /// A file with a head line.
    pub(crate) fn new(heads: &[impl AsRef<str>]) -> Csv {
        let mut csv = Csv { text: String::from('\u{feff}') };
        csv.row(heads);
        csv
    }

    /// Adds a line.
    pub(crate) fn row(&mut self, cells: &[impl AsRef<str>]) {
        let cells: Vec<String> = cells.iter().map(|cell| quoted(cell.as_ref())).collect();
        self.text.push_str(&cells.join(","));
        self.text.push_str("\r\n");
    }

    /// The file as a download.
    pub(crate) fn file(self, name: &str) -> Response {
        download(name, "text/csv; charset=utf-8", self.text.into_bytes())
    }
}

/// What a formula begins with; a Chinese keyboard writes the wide ones, and a spreadsheet takes them for the others.
const STARTS: [char; 11] = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];

/// A cell that a spreadsheet would run as a formula becomes text; a number stays one.
fn quoted(cell: &str) -> String {
    let is_number = cell.parse::<i64>().is_ok();
    let is_formula = !is_number && cell.trim_start_matches(' ').starts_with(STARTS);
    let cell = if is_formula { format!("'{cell}") } else { cell.to_owned() };
    match cell.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", cell.replace('"', "\"\"")),
        false => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::{Csv, quoted};

    #[track_caller]
    fn check(cell: &str, expected: &str) {
        assert_eq!(quoted(cell), expected);
    }

    #[test]
    fn cells_are_safe() {
        check("湘潭", "湘潭");
        check("-12", "-12");
        check("=1+1", "'=1+1");
        check("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0");
        check("@SUM(A1)", "'@SUM(A1)");
        for wide in ["＝1+1", "＋1", "－1", "＠SUM(A1)", "  =1+1", " ＝1"] {
            check(wide, &format!("'{wide}"));
        }
        check("a＝1", "a＝1");
        check("\t=1", "'\t=1");
        check("-1,2", "\"'-1,2\"");
        check("say \"no\"", "\"say \"\"no\"\"\"");
        check("two\nlines", "\"two\nlines\"");
    }

    #[test]
    fn a_file_begins_with_its_mark_and_its_heads() {
        let mut csv = Csv::new(&["城市", "条"]);
        csv.row(&["湘潭", "2"]);
        assert_eq!(csv.text, "\u{feff}城市,条\r\n湘潭,2\r\n");
    }
}
