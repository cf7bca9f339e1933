//! Tiles and entry bundles (日志分片): the files in which a log is published. C2SP tlog-tiles.
//!
//! A full tile has 256 hashes or entries and never changes; the rightmost ones are partial and named by their width.
//! Whoever reads tiles trusts nothing in them but what a proof leads to a signed root.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use tb_base::Violation;

use crate::hash::{Hash, TREE_SIZE_MAX, node_hash, parse_decimal};
use crate::stored::{HashReader, stored_count, stored_index};

/// Hashes or entries of a full tile.
pub const TILE_WIDTH: u16 = 256;
/// Levels of the tree in one tile.
const TILE_HEIGHT: u32 = 8;
/// Highest level of tiles that a tree of [`TREE_SIZE_MAX`] has.
const LEVEL_MAX: u8 = 7;
/// Bytes of the length before an entry.
const LENGTH_BYTES: usize = 2;

/// What a file of the log holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Content {
    /// Hashes of every 256th power of leaves: level 0 are leaf hashes.
    Hashes {
        /// Level of the tile, 0 to 7.
        level: u8,
    },
    /// The leaves themselves.
    Entries,
}

/// One file of a published log (分片): what, where, how wide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tile {
    /// What it holds.
    pub content: Content,
    /// Its place among the tiles of this content.
    pub index: u64,
    /// How many hashes or entries, 1 to 256.
    pub width: u16,
}

impl Tile {
    /// The path below the log's address, such as `tile/0/x001/x234/067.p/112`.
    pub fn path(&self) -> String {
        self.to_string()
    }

    /// A tile from its path; every other spelling is refused.
    pub fn parse(path: &str) -> Result<Tile, Violation> {
        path.parse()
    }

    /// Positions of its hashes in the stored order; an entry bundle has those of its leaves.
    pub fn positions(&self) -> Vec<u64> {
        let first = self.index * u64::from(TILE_WIDTH);
        let level = u32::from(self.level()) * TILE_HEIGHT;
        (first..first + u64::from(self.width)).map(|n| stored_index(level, n)).collect()
    }

    /// Which leaves an entry bundle or a tile of level 0 holds.
    pub fn leaves(&self) -> Range<u64> {
        let first = self.index * u64::from(TILE_WIDTH);
        first..first + u64::from(self.width)
    }

    fn level(&self) -> u8 {
        match self.content {
            Content::Hashes { level } => level,
            Content::Entries => 0,
        }
    }

    /// Whether some tree within the maximum has this tile.
    fn is_possible(&self) -> bool {
        let most = u128::from(TREE_SIZE_MAX >> (u32::from(self.level().min(LEVEL_MAX)) * TILE_HEIGHT));
        let end = u128::from(self.index) * u128::from(TILE_WIDTH) + u128::from(self.width);
        self.level() <= LEVEL_MAX && 0 < self.width && self.width <= TILE_WIDTH && end <= most
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.content {
            Content::Hashes { level } => write!(f, "tile/{level}/")?,
            Content::Entries => write!(f, "tile/entries/")?,
        }
        let digits = self.index.to_string();
        let padded = format!("{digits:0>width$}", width = digits.len().div_ceil(3) * 3);
        let (groups, _) = padded.as_bytes().as_chunks::<3>();
        for (at, [a, b, c]) in groups.iter().enumerate() {
            let start = if at + 1 < groups.len() { "x" } else { "" };
            let end = if at + 1 < groups.len() { "/" } else { "" };
            write!(f, "{start}{}{}{}{end}", char::from(*a), char::from(*b), char::from(*c))?;
        }
        if self.width < TILE_WIDTH {
            write!(f, ".p/{}", self.width)?;
        }
        Ok(())
    }
}

impl FromStr for Tile {
    type Err = Violation;

    fn from_str(path: &str) -> Result<Tile, Violation> {
        let bad = || Violation::new("tile-invalid", "path", "not the path of a tile");
        let (content, rest) =
            path.strip_prefix("tile/").and_then(|rest| rest.split_once('/')).ok_or_else(bad)?;
        let content = match (content, parse_decimal(content).map(u8::try_from)) {
            ("entries", _) => Content::Entries,
            (_, Some(Ok(level))) => Content::Hashes { level },
            (_, Some(Err(_)) | None) => return Err(bad()),
        };
        let (place, width) = match rest.split_once(".p/") {
            Some((place, width)) => (place, parse_decimal(width).and_then(|width| u16::try_from(width).ok())),
            None => (rest, Some(TILE_WIDTH)),
        };
        let digits: String = place.chars().filter(char::is_ascii_digit).collect();
        let index = digits.parse().map_err(|_| bad())?;
        let tile = Tile { content, index, width: width.ok_or_else(bad)? };
        // Writing it again is the check of every slash, letter and zero.
        if tile.is_possible() && tile.to_string() == path { Ok(tile) } else { Err(bad()) }
    }
}

/// The files to write when a log has grown from `old` to `size` leaves: hashes of all levels, then entries.
pub fn tiles_of_growth(old: u64, size: u64) -> Vec<Tile> {
    let levels = (0..=LEVEL_MAX).map(|level| Content::Hashes { level });
    let contents = levels.chain([Content::Entries]);
    contents.flat_map(|content| content_of_growth(content, old, size)).collect()
}

fn content_of_growth(content: Content, old: u64, size: u64) -> Vec<Tile> {
    let full = u64::from(TILE_WIDTH);
    let shift = match content {
        Content::Hashes { level } => u32::from(level) * TILE_HEIGHT,
        Content::Entries => 0,
    };
    let (old, size) = (old >> shift, size >> shift);
    if size <= old {
        return Vec::new();
    }
    let tile = |index: u64| {
        let width = u16::try_from(size - index * full).map_or(TILE_WIDTH, |width| width.min(TILE_WIDTH));
        Tile { content, index, width }
    };
    (old / full..=(size - 1) / full).map(tile).collect()
}

/// The bytes of a tile of hashes.
pub fn write_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The hashes of a tile of this width.
pub fn read_hashes(bytes: &[u8], width: u16) -> Result<Vec<Hash>, Violation> {
    let (hashes, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() || hashes.len() != usize::from(width) {
        return Err(Violation::new(
            "tile-invalid",
            "hashes",
            format!("{} bytes for {width} hashes", bytes.len()),
        ));
    }
    Ok(hashes.to_vec())
}

/// The bytes of an entry bundle: each entry after its length, big endian.
pub fn write_entries(entries: &[impl AsRef<[u8]>]) -> Result<Vec<u8>, Violation> {
    let mut bytes = Vec::new();
    for entry in entries {
        let entry = entry.as_ref();
        let length = u16::try_from(entry.len()).map_err(|_| {
            Violation::new("tile-invalid", "entry", format!("{} bytes, at most 65535", entry.len()))
        })?;
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(entry);
    }
    Ok(bytes)
}

/// The entries of a bundle of this width.
pub fn read_entries(bytes: &[u8], width: u16) -> Result<Vec<Vec<u8>>, Violation> {
    let bad = || Violation::new("tile-invalid", "entries", format!("not exactly {width} entries"));
    let (mut entries, mut rest) = (Vec::new(), bytes);
    for _ in 0..width {
        let (length, after) = rest.split_first_chunk::<LENGTH_BYTES>().ok_or_else(bad)?;
        let (entry, after) =
            after.split_at_checked(usize::from(u16::from_be_bytes(*length))).ok_or_else(bad)?;
        entries.push(entry.to_vec());
        rest = after;
    }
    if rest.is_empty() { Ok(entries) } else { Err(bad()) }
}

/// Reads stored hashes out of tiles, for auditors and peers that mirror a log (分片读取).
pub struct TileReader<F> {
    size: u64,
    fetch: F,
}

impl<F: FnMut(&Tile) -> tb_base::Result<Vec<u8>>> TileReader<F> {
    /// A reader of the log at this size; `fetch` gives the bytes of a tile.
    pub fn new(size: u64, fetch: F) -> TileReader<F> {
        TileReader { size, fetch }
    }

    fn hash(&mut self, position: u64) -> tb_base::Result<Hash> {
        let (level, n) = place(position);
        let (tile_level, within) = (level / TILE_HEIGHT, level % TILE_HEIGHT);
        let first = n << within;
        let full = u64::from(TILE_WIDTH);
        let index = first / full;
        let present = (self.size >> (tile_level * TILE_HEIGHT)).saturating_sub(index * full).min(full);
        let bad = || Violation::new("proof-impossible", "log", "the log is not that large");
        let content = Content::Hashes { level: u8::try_from(tile_level).map_err(|_| bad())? };
        let tile = Tile { content, index, width: u16::try_from(present).map_err(|_| bad())? };
        if tile.width == 0 {
            return Err(bad().into());
        }
        let hashes = read_hashes(&(self.fetch)(&tile)?, tile.width)?;
        let start = usize::try_from(first % full).map_err(|_| bad())?;
        let hashes = hashes.get(start..start + (1 << within)).ok_or_else(bad)?;
        Ok(perfect_root(hashes))
    }
}

impl<F: FnMut(&Tile) -> tb_base::Result<Vec<u8>>> HashReader for TileReader<F> {
    fn read(&mut self, positions: &[u64]) -> tb_base::Result<Vec<Hash>> {
        positions.iter().map(|position| self.hash(*position)).collect()
    }
}

/// Level and number of a stored position: the inverse of [`stored_index`].
fn place(position: u64) -> (u32, u64) {
    // Leaf n is written at 2n less the ones of n: from half the position, at most 64 leaves on.
    let mut leaf = position / 2;
    while stored_count(leaf + 1) <= position {
        leaf += 1;
    }
    let level = u32::try_from(position - stored_count(leaf)).unwrap_or(0);
    (level, leaf >> level)
}

/// The root over 1, 2, 4 … 256 hashes.
fn perfect_root(hashes: &[Hash]) -> Hash {
    let mut level = hashes.to_vec();
    while let [_, _, ..] = level[..] {
        level = level.as_chunks::<2>().0.iter().map(|[left, right]| node_hash(left, right)).collect();
    }
    level[0]
}

#[cfg(test)]
mod tests;
