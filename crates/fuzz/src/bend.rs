//! Bending input (变异): small changes by a generator with a seed, so that a run can be repeated.

/// Xorshift64*: enough to wander, the same everywhere.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed; nought would stand still.
    pub fn new(seed: u64) -> Dice {
        Dice(seed ^ 0x9e37_79b9_7f4a_7c15).stepped()
    }

    fn stepped(mut self) -> Dice {
        if self.0 == 0 {
            self.0 = 1;
        }
        self.throw();
        self
    }

    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`, and nought for an `end` of nought.
    pub fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(u64::MAX);
        usize::try_from(self.throw() % end.max(1)).unwrap_or(0)
    }
}

/// Inputs do not grow beyond this.
pub const BYTES_MAX: usize = 96 * 1024;

/// What often breaks readers.
const WORDS: [&[u8]; 26] = [
    b"0",
    b"-1",
    b"1",
    b"9",
    b"18446744073709551615",
    b"9223372036854775807",
    b"1e999",
    b"null",
    b"\"\"",
    b"{}",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b";",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    "\u{202e}".as_bytes(),
    "\u{4e2d}".as_bytes(),
    "\u{1d7d8}".as_bytes(),
    b"%00",
    b"\\u0000",
];

/// One to four changes of an input; `other` lends pieces.
pub fn bend(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..=dice.below(4) {
        change(dice, &mut bytes, other);
    }
    bytes.truncate(BYTES_MAX);
    bytes
}

fn change(dice: &mut Dice, bytes: &mut Vec<u8>, other: &[u8]) {
    let at = dice.below(bytes.len() + 1);
    match dice.below(9) {
        0 => with(bytes, at, |byte| byte ^ (1 << dice.below(8))),
        1 => with(bytes, at, |_| u8::try_from(dice.below(256)).unwrap_or(0)),
        2 => insert(bytes, at, WORDS[dice.below(WORDS.len())]),
        3 => {
            let piece = piece(dice, bytes).to_vec();
            insert(bytes, at, &piece);
        }
        4 => {
            let piece = piece(dice, other);
            insert(bytes, at, piece);
        }
        5 => {
            let end = (at + 1 + dice.below(16)).min(bytes.len());
            bytes.drain(at.min(end)..end);
        }
        6 => bytes.truncate(at),
        // A digit for a digit, a letter for a letter: stays in the grammar longer.
        7 => with(bytes, at, |byte| neighbour(dice, byte)),
        _ => {
            let other_at = dice.below(bytes.len());
            if at < bytes.len() {
                bytes.swap(at, other_at);
            }
        }
    }
}

fn with(bytes: &mut [u8], at: usize, change: impl FnOnce(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte);
    }
}

fn neighbour(dice: &mut Dice, byte: u8) -> u8 {
    let any = |dice: &mut Dice, from: u8, count: usize| from + u8::try_from(dice.below(count)).unwrap_or(0);
    match byte {
        b'0'..=b'9' => any(dice, b'0', 10),
        b'a'..=b'z' => any(dice, b'a', 26),
        b'A'..=b'Z' => any(dice, b'A', 26),
        other => other,
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, piece: &[u8]) {
    if bytes.len() + piece.len() <= BYTES_MAX {
        bytes.splice(at..at, piece.iter().copied());
    }
}

fn piece<'a>(dice: &mut Dice, bytes: &'a [u8]) -> &'a [u8] {
    let from = dice.below(bytes.len());
    let to = (from + 1 + dice.below(64)).min(bytes.len());
    &bytes[from.min(to)..to]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_bends_the_same_way() {
        let bent = |seed| {
            let mut dice = Dice::new(seed);
            (0..50).map(|_| bend(&mut dice, b"{\"a\":[1,2]}", b"other")).collect::<Vec<_>>()
        };
        assert_eq!(bent(7), bent(7));
        assert_ne!(bent(7), bent(8));
        assert!(bent(0).iter().any(|it| it != b"{\"a\":[1,2]}"));
        let mut dice = Dice::new(1);
        assert!((0..500).all(|_| bend(&mut dice, b"", b"").len() <= BYTES_MAX));
    }
}
