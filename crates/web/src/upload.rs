//! Uploaded files (上传文件): only what a reviewer can open, recognised by content and not by name.

use tb_base::Refusal;

/// One file.
pub const FILE_BYTES_MAX: usize = 10 * 1024 * 1024;
const NAME_LETTERS_MAX: usize = 80;

/// What a file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A PDF document.
    Pdf,
    /// A PNG picture.
    Png,
    /// A JPEG picture.
    Jpeg,
}

impl FileKind {
    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            FileKind::Pdf => "application/pdf",
            FileKind::Png => "image/png",
            FileKind::Jpeg => "image/jpeg",
        }
    }
}

/// A file that was uploaded, of a known kind and size.
#[derive(Clone, PartialEq, Eq)]
pub struct Upload {
    /// The field that it came in.
    pub field: String,
    /// Its name, without path or control letters, for showing only.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Upload {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Upload({}, {:?}, {} bytes)", self.field, self.kind, self.bytes.len())
    }
}

/// Takes a file, or says by name what is wrong with it.
pub(crate) fn checked(
    field: &str,
    file_name: &str,
    bytes: Vec<u8>,
    size_bytes: usize,
) -> Result<Upload, Refusal> {
    let name = shown_name(file_name);
    let refuse = |code, zh: &str, en: &str| {
        Err(Refusal::invalid(code, format!("“{name}”{zh}"), format!("“{name}” {en}")).on(field.to_owned()))
    };
    if FILE_BYTES_MAX < size_bytes {
        return refuse(
            "WEB-FILE-001",
            "超过 10 MB，请压缩后再传",
            "is larger than 10 MB; make it smaller and try again",
        );
    }
    if bytes.is_empty() {
        return refuse("WEB-FILE-002", "是空文件，请重新选择", "is empty; choose it again");
    }
    match kind_of(&bytes) {
        None => refuse(
            "WEB-FILE-003",
            "不是 PDF、PNG 或 JPG 文件，请换一种格式",
            "is not a PDF, PNG or JPG file; use another format",
        ),
        Some((_, false)) => {
            refuse("WEB-FILE-004", "没有传完整或已损坏，请重新选择", "is cut off or damaged; choose it again")
        }
        Some((kind, true)) => Ok(Upload { field: field.to_owned(), name, kind, bytes }),
    }
}

/// The kind by the first bytes, and whether the file is whole by the last ones.
fn kind_of(bytes: &[u8]) -> Option<(FileKind, bool)> {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
    const PNG_END: &[u8] = b"IEND\xae\x42\x60\x82";
    let tail = |length: usize| bytes.get(bytes.len().saturating_sub(length)..).unwrap_or(bytes);
    let holds = |part: &[u8], text: &[u8]| part.windows(text.len()).any(|window| window == text);
    if bytes.starts_with(b"%PDF-") {
        // ISO 32000 §7.5.5: the end mark stands in the last line; writers add up to a kilobyte after it.
        return Some((FileKind::Pdf, holds(tail(1_024), b"%%EOF")));
    }
    if bytes.starts_with(PNG) {
        return Some((FileKind::Png, bytes.get(12..16) == Some(b"IHDR") && tail(PNG_END.len()) == PNG_END));
    }
    if bytes.starts_with(b"\xff\xd8\xff") {
        // Cameras pad after the end mark.
        return Some((FileKind::Jpeg, holds(tail(4_096), b"\xff\xd9")));
    }
    None
}

/// The last part of a path, without letters that could disturb a page or a log.
fn shown_name(file_name: &str) -> String {
    let last = file_name.rsplit(['/', '\\']).next().unwrap_or("");
    let name: String = last.chars().filter(|letter| !letter.is_control()).take(NAME_LETTERS_MAX).collect();
    if name.trim().is_empty() { "file".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: Result<FileKind, &str>) {
        let found = checked("paper", "C:\\scan\\证明.pdf", bytes.to_vec(), bytes.len());
        match (found, expected) {
            (Ok(upload), Ok(kind)) => {
                assert_eq!(upload.kind, kind);
                assert_eq!(upload.name, "证明.pdf");
            }
            (Err(refusal), Err(code)) => {
                assert_eq!(refusal.code, code);
                assert!(refusal.zh.contains("证明.pdf"), "{}", refusal.zh);
            }
            (found, expected) => panic!("{found:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn files_are_known_by_content() {
        check(b"%PDF-1.7\n...\n%%EOF\n", Ok(FileKind::Pdf));
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR....\0\0\0\0IEND\xae\x42\x60\x82", Ok(FileKind::Png));
        check(b"\xff\xd8\xff\xe0....\xff\xd9", Ok(FileKind::Jpeg));
        check(b"%PDF-1.7\n...", Err("WEB-FILE-004"));
        check(b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", Err("WEB-FILE-004"));
        check(b"\xff\xd8\xff\xe0", Err("WEB-FILE-004"));
        check(b"MZ\x90\0", Err("WEB-FILE-003"));
        check(b"<html>%PDF-", Err("WEB-FILE-003"));
        check(b"", Err("WEB-FILE-002"));
    }

    #[test]
    fn size_has_a_limit() {
        let refusal = checked("paper", "a.pdf", Vec::new(), FILE_BYTES_MAX + 1).expect_err("too large");
        assert_eq!(refusal.code, "WEB-FILE-001");
        assert_eq!(refusal.field.as_deref(), Some("paper"));
    }
}
