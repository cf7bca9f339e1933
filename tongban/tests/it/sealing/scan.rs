//! Looks for texts in files, as they are and in the encodings in which a text hides from a plain search.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// A text in one of its forms.
struct Needle {
    text: String,
    form: &'static str,
    bytes: Vec<u8>,
}

/// Where a text was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    pub file: String,
    pub text: String,
    pub form: &'static str,
}

/// Texts that must not be anywhere.
pub struct Scanner {
    /// Needles by their first two bytes, so that a long file is read once.
    by_start: Vec<Vec<Needle>>,
}

impl Scanner {
    pub fn new(texts: &[String]) -> Scanner {
        let mut by_start: Vec<Vec<Needle>> = (0..=u16::MAX).map(|_| Vec::new()).collect();
        for text in texts {
            assert!(6 <= text.len(), "{text} is too short to mean anything");
            for (form, bytes) in forms(text) {
                let start = u16::from_be_bytes([bytes[0], bytes[1]]);
                by_start[usize::from(start)].push(Needle { text: text.clone(), form, bytes });
            }
        }
        Scanner { by_start }
    }

    pub fn bytes(&self, file: &str, bytes: &[u8]) -> BTreeSet<Found> {
        let mut found = BTreeSet::new();
        for (at, pair) in bytes.windows(2).enumerate() {
            let start = u16::from_be_bytes([pair[0], pair[1]]);
            for needle in &self.by_start[usize::from(start)] {
                if bytes[at..].starts_with(&needle.bytes) {
                    let text = needle.text.clone();
                    found.insert(Found { file: file.to_owned(), text, form: needle.form });
                }
            }
        }
        found
    }

    /// Every file beneath a folder; gives what was found and how many bytes were read.
    pub fn folder(&self, folder: &Path) -> (BTreeSet<Found>, usize) {
        let (mut found, mut read) = (BTreeSet::new(), 0);
        for path in files(folder) {
            let bytes = std::fs::read(&path).expect("a file");
            read += bytes.len();
            found.extend(self.bytes(&path.display().to_string(), &bytes));
        }
        (found, read)
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.is_file() {
            found.push(path);
        }
    }
    found
}

/// Every form in which a text is looked for.
fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let hex = |upper: bool| {
        let digit = |byte: u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        text.bytes().map(digit).collect::<String>().into_bytes()
    };
    let percent: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![
        ("utf-8", text.as_bytes().to_vec()),
        ("utf-16le", utf16.iter().flat_map(|unit| unit.to_le_bytes()).collect()),
        ("utf-16be", utf16.iter().flat_map(|unit| unit.to_be_bytes()).collect()),
        ("hex", hex(false)),
        ("HEX", hex(true)),
        ("percent", percent.into_bytes()),
    ];
    if !text.is_ascii() {
        let escaped: String = utf16.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        forms.push(("json escapes", escaped.into_bytes()));
        forms.push((
            "index words",
            utf16
                .windows(2)
                .map(|pair| format!("x{:x}x{:x}", pair[0], pair[1]))
                .next()
                .unwrap_or_default()
                .into_bytes(),
        ));
    }
    for before in 0..3 {
        forms.push(("base64", aligned(&STANDARD, text, before)));
        forms.push(("base64url", aligned(&URL_SAFE, text, before)));
    }
    forms
}

/// The letters of base64 that a text makes for certain where so many bytes stand before it.
fn aligned(engine: &impl base64::Engine, text: &str, before: usize) -> Vec<u8> {
    let bytes = [&vec![0; before][..], text.as_bytes()].concat();
    let letters = engine.encode(&bytes).into_bytes();
    let (first, end) = ((before * 8).div_ceil(6), bytes.len() * 8 / 6);
    letters[first..end].to_vec()
}

#[test]
fn a_planted_text_is_found_in_every_form() {
    let texts = ["430302199001017777".to_owned(), "金丝雀巷七号".to_owned()];
    let scanner = Scanner::new(&texts);
    for text in &texts {
        for (form, bytes) in forms(text) {
            let planted = [&[0xff, 0, b'"'][..], &bytes, &[0xff; 3]].concat();
            let found = scanner.bytes("planted", &planted);
            assert!(found.iter().any(|it| it.text == *text), "{text} as {form}");
        }
        // Base64 of something that holds the text, wherever it begins.
        for before in 0..5 {
            let held = format!("{}{text} und mehr", "x".repeat(before));
            let found = scanner.bytes("planted", STANDARD.encode(held).as_bytes());
            assert!(found.iter().any(|it| it.form == "base64"), "{text} behind {before}");
        }
    }
    assert!(scanner.bytes("clean", &[7; 10_000]).is_empty());
}
