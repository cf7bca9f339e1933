//! Compression (压缩): DEFLATE with fixed codes (RFC 1951), enough for our own text files; small, so that no library is.
//!
//! Only what every visitor gets alike is compressed: on a page with a token, the length of what is sent could tell of it.

/// The shortest and the longest repetition that the format knows.
const MATCH_MIN: usize = 3;
const MATCH_MAX: usize = 258;
/// How far back a repetition may lie.
const BACK_MAX: usize = 32_768;
/// Earlier places that are tried for a repetition; more finds little more.
const TRIES_MAX: usize = 64;
const HASHES: usize = 1 << 15;
/// No earlier place.
const NONE: usize = usize::MAX;

/// First length and extra bits of the length codes 257 to 285 (RFC 1951 §3.2.5).
const LENGTHS: [(usize, u32); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// First distance and extra bits of the distance codes.
const DISTANCES: [(usize, u32); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12_289, 12),
    (16_385, 13),
    (24_577, 13),
];

/// Data as a gzip file (RFC 1952), which browsers take as `content-encoding: gzip`.
pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    // Magic, deflate, no name, no time, unknown system.
    let mut file = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];
    file.extend(deflate(data));
    file.extend(crc32(data).to_le_bytes());
    // The format keeps the length modulo 2³².
    file.extend(u32::try_from(data.len() & 0xffff_ffff).unwrap_or(0).to_le_bytes());
    file
}

/// Data as one DEFLATE block with fixed codes.
pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut bits = Bits::default();
    // The last block, with fixed codes.
    bits.put(0b011, 3);
    let mut earlier = Earlier::new(data);
    let mut at = 0;
    while let Some(byte) = data.get(at) {
        match earlier.repetition(at) {
            Some((length, back)) => {
                bits.repetition(length, back);
                earlier.pass(at, length);
                at += length;
            }
            None => {
                bits.letter(usize::from(*byte));
                earlier.pass(at, 1);
                at += 1;
            }
        }
    }
    bits.letter(256);
    bits.end()
}

/// The check sum of gzip and zip files (CRC-32, ISO 3309).
pub(crate) fn crc32(data: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in data {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}

/// Where each three bytes stood before.
struct Earlier<'a> {
    data: &'a [u8],
    last: Vec<usize>,
    before: Vec<usize>,
}

impl Earlier<'_> {
    fn new(data: &[u8]) -> Earlier<'_> {
        Earlier { data, last: vec![NONE; HASHES], before: vec![NONE; data.len()] }
    }

    fn hash(&self, at: usize) -> Option<usize> {
        let three = self.data.get(at..at + MATCH_MIN)?;
        let mixed = three.iter().fold(0_usize, |mixed, byte| (mixed << 5) ^ usize::from(*byte));
        Some(mixed % HASHES)
    }

    /// The longest repetition of what begins here: its length and how far back it lies.
    fn repetition(&self, at: usize) -> Option<(usize, usize)> {
        let mut place = *self.last.get(self.hash(at)?)?;
        let (mut best, mut tries) = (None, 0);
        while place != NONE && at - place <= BACK_MAX && tries < TRIES_MAX {
            let length = self.alike(place, at);
            if MATCH_MIN <= length && best.is_none_or(|(longest, _)| longest < length) {
                best = Some((length, at - place));
            }
            place = *self.before.get(place)?;
            tries += 1;
        }
        best
    }

    fn alike(&self, one: usize, other: usize) -> usize {
        let pairs = self.data.iter().skip(one).zip(self.data.iter().skip(other)).take(MATCH_MAX);
        pairs.take_while(|(left, right)| left == right).count()
    }

    /// Remembers the places that were gone through.
    fn pass(&mut self, from: usize, length: usize) {
        for at in from..from + length {
            let Some(hash) = self.hash(at) else { return };
            if let (Some(last), Some(before)) = (self.last.get_mut(hash), self.before.get_mut(at)) {
                *before = *last;
                *last = at;
            }
        }
    }
}

/// Bits in the order of the format: the lowest first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits {
    fn put(&mut self, value: u32, count: u32) {
        for at in 0..count {
            self.held |= (value >> at & 1) << self.count;
            self.count += 1;
            if self.count == 8 {
                self.bytes.push(self.held.to_le_bytes()[0]);
                (self.held, self.count) = (0, 0);
            }
        }
    }

    /// A code goes in with its highest bit first.
    fn code(&mut self, code: usize, count: u32) {
        for at in (0..count).rev() {
            self.put(u32::from(code >> at & 1 == 1), 1);
        }
    }

    /// A letter, the end (256) or a length, in the fixed codes (RFC 1951 §3.2.6).
    fn letter(&mut self, letter: usize) {
        match letter {
            0..=143 => self.code(0x30 + letter, 8),
            144..=255 => self.code(0x190 + letter - 144, 9),
            256..=279 => self.code(letter - 256, 7),
            _ => self.code(0xc0 + letter - 280, 8),
        }
    }

    fn repetition(&mut self, length: usize, back: usize) {
        let (code, rest, extra) = part(&LENGTHS, length);
        self.letter(257 + code);
        self.put(rest, extra);
        let (code, rest, extra) = part(&DISTANCES, back);
        self.code(code, 5);
        self.put(rest, extra);
    }

    fn end(mut self) -> Vec<u8> {
        if 0 < self.count {
            self.bytes.push(self.held.to_le_bytes()[0]);
        }
        self.bytes
    }
}

/// The code of a value, what is left above its first value, and in how many bits.
fn part(table: &[(usize, u32)], value: usize) -> (usize, u32, u32) {
    let code = table.partition_point(|(first, _)| *first <= value).saturating_sub(1);
    let (first, extra) = table.get(code).copied().unwrap_or((value, 0));
    (code, u32::try_from(value - first).unwrap_or(0), extra)
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::io::Write;
    use std::process::{Command, Stdio};

    /// What the system's own gzip makes of a file of ours.
    fn unpacked(file: &[u8]) -> Vec<u8> {
        let mut child = Command::new("gzip")
            .arg("-dc")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("gzip, which every Linux has");
        let mut into = child.stdin.take().expect("its input");
        let file = file.to_vec();
        let writer = std::thread::spawn(move || into.write_all(&file));
        let output = child.wait_with_output().expect("its output");
        writer.join().expect("a writer").expect("all is written");
        assert!(output.status.success());
        output.stdout
    }

    #[track_caller]
    fn check(data: &[u8]) {
        assert_eq!(unpacked(&gzip(data)), data);
    }

    #[test]
    fn gzip_reads_what_we_write() {
        check(b"");
        check(b"a");
        check(b"abcabcabcabcabc");
        check("在哪儿都能办，在哪儿都能办。".as_bytes());
        check(&vec![b'x'; 70_000]);
        let every: Vec<u8> = (0..=255).cycle().take(40_000).collect();
        check(&every);
        // No repetition within reach: every byte stands for itself.
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        check(&noise.take(100_000).collect::<Vec<_>>());
    }

    #[test]
    fn lengths_and_distances_have_the_codes_of_the_standard() {
        assert_eq!(part(&LENGTHS, 3), (0, 0, 0));
        assert_eq!(part(&LENGTHS, 12), (8, 1, 1));
        assert_eq!(part(&LENGTHS, 257), (27, 30, 5));
        assert_eq!(part(&LENGTHS, 258), (28, 0, 0));
        assert_eq!(part(&DISTANCES, 1), (0, 0, 0));
        assert_eq!(part(&DISTANCES, 32_768), (29, 8191, 13));
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
