//! A zip file (压缩包) of parts that are kept as they are: what office documents are packed in (PKWARE APPNOTE 6.3).

use crate::deflate::crc32;

/// 1980-01-01, the first day that the format knows: the same parts make the same file.
const FIRST_DAY: u16 = 0x21;
/// Version 2.0, the first with folders; no part needs more.
const VERSION: u16 = 20;
/// Names are UTF-8 (bit 11).
const FLAGS: u16 = 1 << 11;

/// Packs parts, each with its name.
pub(crate) fn pack(parts: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in parts {
        let begins = length(&file);
        let common = common(name, content);
        file.extend(*b"PK\x03\x04");
        file.extend(&common);
        file.extend(name.as_bytes());
        file.extend(content);
        directory.extend(*b"PK\x01\x02");
        directory.extend(VERSION.to_le_bytes());
        directory.extend(&common);
        // No comment, first disk, no attributes.
        directory.extend([0; 10]);
        directory.extend(begins.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let begins = length(&file);
    let size = length(&directory);
    let count = u16::try_from(parts.len()).unwrap_or(u16::MAX).to_le_bytes();
    file.extend(directory);
    file.extend(*b"PK\x05\x06\0\0\0\0");
    file.extend([count, count].concat());
    file.extend(size.to_le_bytes());
    file.extend(begins.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// What the head of a part and its line in the directory have in common.
fn common(name: &str, content: &[u8]) -> Vec<u8> {
    let stored = 0_u16;
    let mut head = Vec::with_capacity(26);
    for word in [VERSION, FLAGS, stored, 0, FIRST_DAY] {
        head.extend(word.to_le_bytes());
    }
    head.extend(crc32(content).to_le_bytes());
    head.extend(length(content).to_le_bytes());
    head.extend(length(content).to_le_bytes());
    head.extend(u16::try_from(name.len()).unwrap_or(u16::MAX).to_le_bytes());
    head.extend([0; 2]);
    head
}

/// A table of our size stays far below the 4 GB of the format.
fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn number(bytes: &[u8], at: usize, width: usize) -> usize {
        bytes[at..at + width].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// Reads a file by its directory, as readers of zip files do.
    pub(crate) fn unpack(file: &[u8]) -> Vec<(String, Vec<u8>)> {
        let end = file.len() - 22;
        assert_eq!(file[end..end + 4], *b"PK\x05\x06");
        let mut at = number(file, end + 16, 4);
        let mut parts = Vec::new();
        for _ in 0..number(file, end + 10, 2) {
            assert_eq!(file[at..at + 4], *b"PK\x01\x02");
            let (sum, size) = (number(file, at + 16, 4), number(file, at + 24, 4));
            let (name_length, begins) = (number(file, at + 28, 2), number(file, at + 42, 4));
            let name = &file[at + 46..at + 46 + name_length];
            assert_eq!(file[begins..begins + 4], *b"PK\x03\x04");
            assert_eq!(&file[begins + 30..begins + 30 + name_length], name);
            let content = file[begins + 30 + name_length..][..size].to_vec();
            assert_eq!(crc32(&content) as usize, sum);
            parts.push((String::from_utf8(name.to_vec()).expect("a name"), content));
            at += 46 + name_length;
        }
        assert_eq!(at, end);
        parts
    }

    #[test]
    fn what_is_packed_comes_out_again() {
        let parts = [("a.xml", b"<a/>".to_vec()), ("b/c.xml", Vec::new()), ("表.xml", b"x".repeat(70_000))];
        let out = unpack(&pack(&parts));
        let expected: Vec<_> =
            parts.iter().map(|(name, content)| ((*name).to_owned(), content.clone())).collect();
        assert_eq!(out, expected);
        assert_eq!(pack(&parts), pack(&parts));
    }
}
