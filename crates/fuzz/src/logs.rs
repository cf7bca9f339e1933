//! What a log and its witnesses say (日志与见证): notes, checkpoints, proofs, requests, tiles, leaves.

use std::fmt::{Debug, Display};
use std::str::FromStr;

use tb_base::{Timestamp, Violation};
use tb_exchange::{Leaf, witness as answers};
use tb_tlog::note::{Cosigner, Note, Signature, Verifier};
use tb_tlog::tile::{self, Tile};
use tb_tlog::witness::{Known, Request, decide};
use tb_tlog::{Checkpoint, LogProof};

use crate::frames::region;
use crate::{Target, named, same_again};

/// The readers of this file.
pub const TARGETS: &[Target] = &[
    Target { name: "note", run: note, seeds: note_seeds, mutations: 4_000 },
    Target { name: "checkpoint", run: checkpoint, seeds: checkpoint_seeds, mutations: 10_000 },
    Target { name: "proof", run: proof, seeds: proof_seeds, mutations: 4_000 },
    Target { name: "witness", run: witness, seeds: witness_seeds, mutations: 4_000 },
    Target { name: "tile", run: tiles, seeds: tile_seeds, mutations: 20_000 },
    Target { name: "leaf", run: leaf, seeds: leaf_seeds, mutations: 20_000 },
];

/// The root of the empty tree, which is well formed everywhere.
const HASH: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const NOW: Timestamp = Timestamp(1_795_492_800_000_000);

/// The same again, and a refusal names its part.
fn read<T: FromStr<Err = Violation> + Display + Debug + PartialEq>(text: &str) -> bool {
    if let Err(violation) = text.parse::<T>() {
        named(&violation);
    }
    same_again::<T>(text)
}

fn checkpoint_text() -> String {
    format!("{}\n3\n{HASH}\n", region().trust.list.cities[0].log_origin)
}

fn signed() -> String {
    let city = &region().trust.list.cities[0];
    let text = checkpoint_text();
    let line = format!("\u{2014} {} {}\n", city.log_origin, "A".repeat(91) + "=");
    format!("{text}\n{line}")
}

fn note(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let key = read::<Verifier>(&text);
    let lines = Signature::parse_lines(&text).map_or_else(|violation| named(&violation), |_| true);
    let note = match Note::parse(&text) {
        Ok(note) => note,
        Err(violation) => return named(&violation) || key || lines,
    };
    let written = note.to_string();
    assert!(Note::parse(&written).is_ok_and(|again| again.to_string() == written), "{written}");
    let keys = answers::log_keys(&region().trust.list.cities[0]).unwrap_or_default();
    let signed = note.verify(&keys).is_ok_and(|found| !found.is_empty());
    assert!(!signed, "a note that nobody signed verifies");
    true
}

fn note_seeds() -> Vec<Vec<u8>> {
    let key = answers::log_keys(&region().trust.list.cities[0]).unwrap_or_default();
    let mut seeds: Vec<Vec<u8>> = key.iter().map(|key| key.to_string().into_bytes()).collect();
    seeds.push(signed().into_bytes());
    seeds
}

fn checkpoint(data: &[u8]) -> bool {
    read::<Checkpoint>(&String::from_utf8_lossy(data))
}

fn checkpoint_seeds() -> Vec<Vec<u8>> {
    vec![checkpoint_text().into_bytes(), b"a/b\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".to_vec()]
}

fn proof(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Ok(proof) = text.parse::<LogProof>() else { return false };
    let written = proof.to_string();
    assert!(written.parse::<LogProof>().is_ok_and(|again| again.to_string() == written), "{written}");
    let keys = answers::log_keys(&region().trust.list.cities[0]).unwrap_or_default();
    assert!(proof.verify(&[0; 32], &keys, &[]).is_err(), "a proof of nothing holds");
    true
}

fn proof_seeds() -> Vec<Vec<u8>> {
    vec![format!("c2sp.org/tlog-proof@v1\nindex 1\n{HASH}\n{HASH}\n\n{}", signed()).into_bytes()]
}

/// What a witness is asked, judged with its own keys: nothing bent is cosigned.
fn witness(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let answered = text.split_once('\n').is_some_and(|(status, body)| {
        let read = answers::Answer::read(status.parse().unwrap_or(0), body);
        read.map_or_else(|violation| named(&violation), |_| true)
    });
    let request = match text.parse::<Request>() {
        Ok(request) => request,
        Err(violation) => return named(&violation) || answered,
    };
    let written = request.to_string();
    assert!(written.parse::<Request>().is_ok_and(|again| again.to_string() == written), "{written}");
    let keys = answers::log_keys(&region().trust.list.cities[0]).unwrap_or_default();
    let decided = decide(&keys, Known::NOTHING, &request, cosigner(), NOW);
    assert!(decided.is_err(), "a checkpoint that nobody signed is cosigned");
    true
}

fn cosigner() -> &'static Cosigner {
    static COSIGNER: std::sync::OnceLock<Cosigner> = std::sync::OnceLock::new();
    COSIGNER.get_or_init(|| {
        let key = tb_exchange::keys::WitnessKey::generate(&mut Nought);
        let made = answers::cosigner(&region().trust.list.cities[1], &key);
        made.unwrap_or_else(|error| panic!("making a cosigner: {error}"))
    })
}

/// A key that everybody knows.
struct Nought;

impl tb_base::Entropy for Nought {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}

fn witness_seeds() -> Vec<Vec<u8>> {
    vec![
        format!("old 0\n\n{}", signed()).into_bytes(),
        format!("old 2\n{HASH}\n{HASH}\n\n{}", signed()).into_bytes(),
        b"409\n3\n".to_vec(),
        format!("200\n\u{2014} a/b {}==\n", "A".repeat(102)).into_bytes(),
    ]
}

/// Addresses of tiles, and their bytes for each width.
fn tiles(data: &[u8]) -> bool {
    let address = read::<Tile>(&String::from_utf8_lossy(data));
    let width = u16::from(data.first().copied().unwrap_or(0)) + 1;
    let rest = data.get(1..).unwrap_or(&[]);
    let entries = match tile::read_entries(rest, width) {
        Ok(entries) => tile::write_entries(&entries).is_ok_and(|it| it == rest),
        Err(violation) => !named(&violation),
    };
    assert!(entries, "entries are written otherwise");
    match tile::read_hashes(rest, width) {
        Ok(hashes) => assert_eq!(tile::write_hashes(&hashes), rest, "hashes are written otherwise"),
        Err(violation) => return named(&violation) || address || tile::read_entries(rest, width).is_ok(),
    }
    true
}

fn tile_seeds() -> Vec<Vec<u8>> {
    let entries = tile::write_entries(&[b"one".to_vec(), Vec::new()]).unwrap_or_default();
    vec![
        b"tile/0/x001/x234/067.p/8".to_vec(),
        b"tile/entries/000".to_vec(),
        b"tile/3/x999/255".to_vec(),
        [&[1][..], &entries].concat(),
        [&[1][..], &[9; 64]].concat(),
    ]
}

fn leaf(data: &[u8]) -> bool {
    match Leaf::decode(data) {
        Ok(leaf) => {
            assert_eq!(leaf.encode().as_slice(), data, "a leaf is written otherwise");
            true
        }
        Err(tb_base::Error::Violation(violation)) => named(&violation),
        Err(other) => panic!("bytes that are no leaf are {other:?}"),
    }
}

fn leaf_seeds() -> Vec<Vec<u8>> {
    let kind = tb_exchange::LeafKind::Sent;
    let id = "01kq3zt0000000000000000000".parse();
    let Ok(id) = id else { return Vec::new() };
    vec![
        Leaf { kind, at: NOW, id, contract: [1; 16], content: [2; 32], base: [3; 32], subject: [4; 32] }
            .encode()
            .to_vec(),
    ]
}
