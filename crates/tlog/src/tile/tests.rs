//! Paths, bundles, growth, and proofs made from tiles alone.

use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::prove::tests::Memory;
use crate::{leaf_hash, prove_consistency, prove_inclusion, tree_root, verify_inclusion};

#[track_caller]
fn check(path: &str, tile: Tile) {
    assert_eq!(tile.path(), path);
    assert_eq!(Tile::parse(path).unwrap(), tile);
}

#[test]
fn paths() {
    let hashes = |level| Content::Hashes { level };
    check("tile/0/x001/x234/067", Tile { content: hashes(0), index: 1_234_067, width: 256 });
    check("tile/7/000.p/64", Tile { content: hashes(7), index: 0, width: 64 });
    check("tile/1/000.p/17", Tile { content: hashes(1), index: 0, width: 17 });
    check("tile/entries/x001/000", Tile { content: Content::Entries, index: 1000, width: 256 });
    check("tile/entries/273.p/112", Tile { content: Content::Entries, index: 273, width: 112 });
    for bad in [
        "",
        "tile",
        "tile/0",
        "tile/0/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001",
        "tile/00/000",
        "tile/8/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p",
        "tile/0/000/",
        "/tile/0/000",
        "tile/entries/../000",
        "tile/0/x999/x999/x999/x999/x999/x999/999",
        "tile/data/000",
        "tile/0/000.p/1.p/1",
        "tile/7/000.p/65",
        "tile/7/001.p/1",
    ] {
        assert!(Tile::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn growth_of_the_standard() {
    // tlog-tiles: a tree of 70,000.
    let tiles = tiles_of_growth(0, 70_000);
    let of = |level: Content| tiles.iter().filter(move |tile| tile.content == level);
    assert_eq!(of(Content::Hashes { level: 0 }).count(), 274);
    assert_eq!(of(Content::Hashes { level: 0 }).map(|tile| tile.width).min(), Some(112));
    let widths = |level| of(Content::Hashes { level }).map(|tile| tile.width).collect::<Vec<_>>();
    assert_eq!((widths(1), widths(2), widths(3)), (vec![256, 17], vec![1], vec![]));
    assert_eq!(of(Content::Entries).count(), 274);
    let at_256: Vec<String> = tiles_of_growth(0, 256).iter().map(Tile::path).collect();
    assert_eq!(at_256, ["tile/0/000", "tile/1/000.p/1", "tile/entries/000"]);
    let grown: Vec<String> = tiles_of_growth(255, 257).iter().map(Tile::path).collect();
    assert_eq!(
        grown,
        ["tile/0/000", "tile/0/001.p/1", "tile/1/000.p/1", "tile/entries/000", "tile/entries/001.p/1"]
    );
    assert!(tiles_of_growth(7, 7).is_empty());
}

#[test]
fn places() {
    for level in 0..12 {
        for n in 0..200 {
            assert_eq!(place(stored_index(level, n)), (level, n));
        }
    }
}

#[test]
fn proofs_from_tiles() {
    let mut log = Memory::of(700, "");
    let mut files: HashMap<String, Vec<u8>> = HashMap::new();
    for (old, size) in [(0, 1), (1, 200), (200, 300), (300, 700)] {
        for tile in tiles_of_growth(old, size).iter().filter(|tile| tile.content != Content::Entries) {
            files.insert(tile.path(), write_hashes(&log.read(&tile.positions()).unwrap()));
        }
        let mut tiles = TileReader::new(size, |tile: &Tile| Ok(files[&tile.path()].clone()));
        let root = tree_root(size, &mut log).unwrap();
        assert_eq!(tree_root(size, &mut tiles).unwrap(), root);
        for index in (0..size).step_by(13) {
            let proof = prove_inclusion(index, size, &mut tiles).unwrap();
            verify_inclusion(&leaf_hash(index.to_string().as_bytes()), index, size, &proof, &root).unwrap();
            let consistency = prove_consistency(index, size, &mut tiles).unwrap();
            assert_eq!(consistency, prove_consistency(index, size, &mut log).unwrap());
        }
        assert!(prove_inclusion(0, size + 1, &mut tiles).is_err());
    }
}

#[test]
fn bundles() {
    let bytes = write_entries(&[&b"ab"[..], b"", b"c"]).unwrap();
    assert_eq!(bytes, b"\0\x02ab\0\0\0\x01c");
    assert_eq!(read_entries(&bytes, 3).unwrap(), [&b"ab"[..], b"", b"c"]);
    assert!(read_entries(&bytes, 2).is_err());
    assert!(read_entries(&bytes, 4).is_err());
    assert!(read_entries(&bytes[..8], 3).is_err());
    assert!(write_entries(&[vec![0; 65_536]]).is_err());
    assert!(read_hashes(&[0; 64], 2).is_ok());
    assert!(read_hashes(&[0; 64], 1).is_err());
    assert!(read_hashes(&[0; 63], 2).is_err());
}

proptest! {
    #[test]
    fn paths_there_and_back(level in 0_u8..=6, index in 0_u64..64, big in 0_u64..1 << 50, width in 1_u16..=256) {
        for tile in [
            Tile { content: Content::Hashes { level }, index, width },
            Tile { content: Content::Entries, index: big, width },
        ] {
            prop_assert_eq!(Tile::parse(&tile.path()).unwrap(), tile);
        }
    }

    #[test]
    fn any_bytes_are_survived(path: String, bytes: Vec<u8>, width: u16) {
        let _ = Tile::parse(&path);
        let _ = read_entries(&bytes, width);
        let _ = read_hashes(&bytes, width);
    }

    #[test]
    fn entries_there_and_back(entries: Vec<Vec<u8>>) {
        let bytes = write_entries(&entries).unwrap();
        prop_assert_eq!(read_entries(&bytes, u16::try_from(entries.len()).unwrap()).unwrap(), entries);
    }
}
