//! Tables as Excel files (Office Open XML, ECMA-376): codes stay text, dates are dates, nothing is run as a formula.

use std::fmt::Write;

use tb_base::Date;

use crate::export::{Datum, Rows};
use crate::zip;

/// Letters of one cell that Excel takes.
const CELL_LETTERS_MAX: usize = 32_767;
/// Letters of a sheet's name that Excel takes.
const NAME_LETTERS_MAX: usize = 31;
/// Widths of columns, in letters.
const WIDTH_MIN: usize = 8;
const WIDTH_MAX: usize = 48;

/// Which look a cell has: places in the list of `styles.xml`.
const HEAD: u8 = 1;
const TEXT: u8 = 2;
const NUMBER: u8 = 3;
const DAY: u8 = 4;
const MOMENT: u8 = 5;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const LINKS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
/// Text cells have format 49 (text) and a quote prefix: Excel keeps them as they are, also when somebody edits them.
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Microsoft YaHei"/></font><font><b/><sz val="11"/><name val="Microsoft YaHei"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="6"><xf/><xf numFmtId="49" fontId="1" applyNumberFormat="1" applyFont="1" quotePrefix="1"/><xf numFmtId="49" applyNumberFormat="1" quotePrefix="1"/><xf numFmtId="3" applyNumberFormat="1"/><xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="165" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;

/// Rows as an Excel file with one sheet.
pub(crate) fn file(rows: &Rows) -> Vec<u8> {
    zip::pack(&[
        ("[Content_Types].xml", TYPES.into()),
        ("_rels/.rels", ROOT.into()),
        ("xl/workbook.xml", workbook(&rows.title).into_bytes()),
        ("xl/_rels/workbook.xml.rels", LINKS.into()),
        ("xl/styles.xml", STYLES.into()),
        ("xl/worksheets/sheet1.xml", sheet(rows).into_bytes()),
    ])
}

fn workbook(title: &str) -> String {
    // Excel takes none of these letters in the name of a sheet.
    let name: String =
        title.chars().filter(|letter| !"[]:*?/\\'".contains(*letter)).take(NAME_LETTERS_MAX).collect();
    let name = if name.trim().is_empty() { "1".to_owned() } else { escaped(&name) };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" \
         xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\">\
         <sheets><sheet name=\"{name}\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>"
    )
}

fn sheet(rows: &Rows) -> String {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n\
         <worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetViews>\
         <sheetView workbookViewId=\"0\"><pane ySplit=\"1\" topLeftCell=\"A2\" activePane=\"bottomLeft\" \
         state=\"frozen\"/></sheetView></sheetViews><cols>",
    );
    for (at, width) in widths(rows).into_iter().enumerate() {
        let place = at + 1;
        push(
            &mut xml,
            format_args!("<col min=\"{place}\" max=\"{place}\" width=\"{width}\" customWidth=\"1\"/>"),
        );
    }
    xml.push_str("</cols><sheetData>");
    let heads: Vec<Datum> = rows.heads.iter().map(Datum::text).collect();
    row(&mut xml, 1, &heads, HEAD);
    for (at, data) in rows.rows.iter().enumerate() {
        row(&mut xml, at + 2, data, TEXT);
    }
    if let Some(note) = &rows.note {
        row(&mut xml, rows.rows.len() + 3, &[Datum::text(note)], TEXT);
    }
    let last = (column(rows.heads.len().saturating_sub(1)), rows.rows.len() + 1);
    push(&mut xml, format_args!("</sheetData><autoFilter ref=\"A1:{}{}\"/></worksheet>", last.0, last.1));
    xml
}

fn row(xml: &mut String, number: usize, data: &[Datum], text_look: u8) {
    push(xml, format_args!("<row r=\"{number}\">"));
    for (at, datum) in data.iter().enumerate() {
        let place = format!("{}{number}", column(at));
        match datum {
            Datum::Empty => {}
            Datum::Text(text) | Datum::Code(text) => push(
                xml,
                format_args!(
                    "<c r=\"{place}\" s=\"{text_look}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{}</t></is></c>",
                    escaped(text)
                ),
            ),
            Datum::Number(number) => {
                push(xml, format_args!("<c r=\"{place}\" s=\"{NUMBER}\"><v>{number}</v></c>"));
            }
            Datum::Day(day) => {
                push(xml, format_args!("<c r=\"{place}\" s=\"{DAY}\"><v>{}</v></c>", serial(*day)));
            }
            Datum::Moment(at) => {
                let civil = at.civil();
                let minutes = i32::from(civil.hour()) * 60 + i32::from(civil.minute());
                let value = f64::from(serial(civil.date())) + f64::from(minutes) / 1_440.0;
                push(xml, format_args!("<c r=\"{place}\" s=\"{MOMENT}\"><v>{value:.10}</v></c>"));
            }
        }
    }
    xml.push_str("</row>");
}

/// Writing into a text cannot fail.
fn push(xml: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = xml.write_fmt(what);
}

/// Excel counts days from 1899-12-30, so that its false 29 February 1900 lies behind us.
fn serial(day: Date) -> i32 {
    let unix = day.since(Date::constant(1970, 1, 1)).map_or(0, |span| span.get_days());
    unix + 25_569
}

/// `A` to `Z`, `AA` and so on.
fn column(at: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(at % 26).unwrap_or(0));
    match at / 26 {
        0 => letter.to_string(),
        more => format!("{}{letter}", column(more - 1)),
    }
}

/// As wide as the widest of the first cells; a Chinese character is two letters wide.
fn widths(rows: &Rows) -> Vec<usize> {
    let wide =
        |text: &str| text.chars().map(|letter| if letter.is_ascii() { 1 } else { 2 }).sum::<usize>() + 2;
    let of = |at: usize, head: &String| {
        let cells =
            rows.rows.iter().take(200).filter_map(|row| row.get(at)).map(|datum| wide(&datum.plain()));
        cells.chain([wide(head)]).max().unwrap_or(WIDTH_MIN).clamp(WIDTH_MIN, WIDTH_MAX)
    };
    rows.heads.iter().enumerate().map(|(at, head)| of(at, head)).collect()
}

/// Text as XML takes it: no control letters, and nothing that Excel would read as one of its own escapes.
fn escaped(text: &str) -> String {
    let mut xml = String::with_capacity(text.len());
    for letter in text.chars().take(CELL_LETTERS_MAX) {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\n' | '\t' => xml.push(letter),
            '\u{fffe}' | '\u{ffff}' => {}
            _ if letter.is_control() => {}
            _ => xml.push(letter),
        }
    }
    // `_x000D_` means a carriage return to Excel; the escape of its first letter says that it is meant as written.
    xml.replace("_x", "_x005F_x")
}

#[cfg(test)]
mod tests {
    use super::*;

    use tb_base::Timestamp;

    use crate::zip::tests::unpack;

    fn sample() -> Rows {
        Rows {
            title: "待办 [一]".to_owned(),
            heads: ["查询码", "事项", "件", "最晚", "收件"].map(str::to_owned).to_vec(),
            rows: vec![
                vec![
                    Datum::code("004300000000000001"),
                    Datum::text("=1+1 <b>&\u{7} _x000D_"),
                    Datum::Number(1_284),
                    Datum::Day(Date::constant(2026, 11, 24)),
                    Datum::Moment(Timestamp(1_795_449_600_000_000).plus_seconds(34_860)),
                ],
                vec![Datum::code("2"), Datum::Empty, Datum::Number(-2), Datum::Empty, Datum::Empty],
            ],
            note: Some("没有全部导出".to_owned()),
        }
    }

    #[test]
    fn a_file_has_its_parts_and_every_cell_its_kind() {
        let parts = unpack(&file(&sample()));
        let of = |name: &str| {
            let (_, content) = parts.iter().find(|(part, _)| part == name).expect("a part");
            String::from_utf8(content.clone()).expect("text")
        };
        assert!(of("[Content_Types].xml").contains("/xl/worksheets/sheet1.xml"));
        assert!(of("xl/workbook.xml").contains("<sheet name=\"待办 一\""));
        let sheet = of("xl/worksheets/sheet1.xml");
        for cell in [
            "<c r=\"A1\" s=\"1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">查询码</t></is></c>",
            "<c r=\"A2\" s=\"2\" t=\"inlineStr\"><is><t xml:space=\"preserve\">004300000000000001</t></is></c>",
            "<t xml:space=\"preserve\">=1+1 &lt;b&gt;&amp; _x005F_x000D_</t>",
            "<c r=\"C2\" s=\"3\"><v>1284</v></c>",
            "<c r=\"D2\" s=\"4\"><v>46350</v></c>",
            "<c r=\"E2\" s=\"5\"><v>46350.4034722222</v></c>",
            "<c r=\"C3\" s=\"3\"><v>-2</v></c>",
            "<row r=\"5\"><c r=\"A5\"",
            "<autoFilter ref=\"A1:E3\"/>",
        ] {
            assert!(sheet.contains(cell), "{cell} is not in {sheet}");
        }
        assert!(!sheet.contains("<f>"));
    }

    #[test]
    fn columns_are_counted_in_letters() {
        for (at, name) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (702, "AAA")] {
            assert_eq!(column(at), name);
        }
    }
}
