//! The dice (种子随机数): everything that chance decides in a run comes from one seed.

use tb_base::Entropy;

/// SplitMix64: small, fast, the same everywhere. Secrets of the simulated cities come from it too, and guard nothing.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as the seed says.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// Dice of their own for one part of a run, so that a change in one part leaves the others as they were.
    pub fn apart(&self, part: &str) -> Dice {
        let digest = tb_crypto::sha256(&[&self.0.to_be_bytes()[..], part.as_bytes()].concat());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        Dice(u64::from_be_bytes(first))
    }

    /// The next throw.
    pub fn throw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to, not including, `high`.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.throw() % (high - low).max(1)
    }

    /// Whether something happens that happens so many times in a hundred.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.between(0, 100) < percent
    }

    /// One of the choices.
    pub fn choose<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let last = choices.len().saturating_sub(1) as u64;
        &choices[usize::try_from(self.between(0, last + 1)).unwrap_or(0)]
    }
}

impl Entropy for Dice {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.throw().to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}
