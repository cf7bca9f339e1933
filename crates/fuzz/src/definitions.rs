//! What the people of a city write (定义): items, licence types, calendars, keys.

use std::sync::OnceLock;

use tb_base::Calendar;
use tb_case::{Catalogue, DefinitionFile};
use tb_licence::types::Types;

use crate::Target;

/// The readers of this file.
pub const TARGETS: &[Target] = &[
    Target { name: "items", run: items, seeds: item_seeds, mutations: 1_000 },
    Target { name: "licence-types", run: licence_types, seeds: type_seeds, mutations: 1_500 },
    Target { name: "find", run: find, seeds: find_seeds, mutations: 1_500 },
    Target { name: "calendar", run: calendar, seeds: calendar_seeds, mutations: 1_500 },
    Target { name: "keys", run: keys, seeds: key_seeds, mutations: 2_000 },
];

/// The first byte chooses the file that the rest stands for; the other files are the shipped ones.
fn items(data: &[u8]) -> bool {
    let (choice, rest) = data.split_first().unwrap_or((&0, &[]));
    let text = String::from_utf8_lossy(rest);
    let shipped = t02_services::defs::FILES;
    let bent = usize::from(*choice) % shipped.len();
    let files: Vec<DefinitionFile<'_>> = shipped
        .iter()
        .enumerate()
        .map(|(at, file)| DefinitionFile {
            path: file.path,
            text: if at == bent { &text } else { file.text },
        })
        .collect();
    let loaded = Catalogue::load(&files);
    assert!(loaded.problems.iter().all(|problem| !problem.text.is_empty()), "a problem without words");
    for problem in &loaded.problems {
        let known = files.iter().any(|file| file.path == problem.file);
        assert!(known || problem.file.is_empty(), "{} is no file that was read", problem.file);
    }
    loaded.problems.is_empty()
}

fn item_seeds() -> Vec<Vec<u8>> {
    let seed = |(at, file): (usize, &DefinitionFile<'_>)| {
        // The list of items is long; its head and some lines say as much.
        let text: String = file.text.lines().take(200).map(|line| format!("{line}\n")).collect();
        [&[u8::try_from(at).unwrap_or(0)], text.as_bytes()].concat()
    };
    t02_services::defs::FILES.iter().enumerate().map(seed).collect()
}

/// What is typed into the search; whatever it is, what is found exists, once.
fn find(data: &[u8]) -> bool {
    static FINDER: OnceLock<tb_find::Finder> = OnceLock::new();
    let finder = FINDER.get_or_init(|| {
        // Every tenth item stands for its neighbours.
        let list = t02_services::defs::FILES.iter().find(|file| file.path == "items.csv");
        let lines = list.map_or("", |file| file.text).lines().step_by(10);
        let text: String = lines.map(|line| format!("{line}\n")).collect();
        let catalogue = Catalogue::load(&[DefinitionFile { path: "items.csv", text: &text }]).catalogue;
        t02_services::defs::finder(&catalogue).unwrap_or_else(|error| panic!("the shipped words: {error}"))
    });
    let found = finder.find(&String::from_utf8_lossy(data));
    let mut numbers = found.numbers.clone();
    numbers.sort_unstable();
    numbers.dedup();
    assert!(numbers.len() == found.numbers.len(), "an item is found twice");
    assert!(numbers.is_empty() == (found.how == tb_find::How::Nothing), "{:?} of {numbers:?}", found.how);
    !numbers.is_empty()
}

fn find_seeds() -> Vec<Vec<u8>> {
    let asked = ["我要换驾照", "gongjijintiqu", "gjj 提取", "how to renew my passport", "工积金", "１２１"];
    asked.iter().map(|query| query.as_bytes().to_vec()).collect()
}

const TYPES: [&str; 3] = [
    include_str!("../../../tasks/t03-recognition/defs/licence/business_licence.toml"),
    include_str!("../../../tasks/t03-recognition/defs/licence/resident_card.toml"),
    include_str!("../../../tasks/t03-recognition/defs/licence/road_transport_qualification.toml"),
];

fn licence_types(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let Err(problems) = Types::load(&[("bent.toml", &text)]) else { return true };
    assert!(!problems.is_empty(), "refused without a problem");
    assert!(problems.iter().all(|problem| !problem.text.is_empty()), "a problem without words");
    false
}

fn type_seeds() -> Vec<Vec<u8>> {
    TYPES.iter().map(|text| text.as_bytes().to_vec()).collect()
}

const HOLIDAYS: &str = include_str!("../../../region/holidays.csv");

fn calendar(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    match Calendar::parse(&text) {
        Ok(calendar) => {
            let day = tb_base::Timestamp(1_795_492_800_000_000).date();
            let _ = calendar.is_working(day);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal without words");
            false
        }
    }
}

fn calendar_seeds() -> Vec<Vec<u8>> {
    vec![HOLIDAYS.as_bytes().to_vec(), HOLIDAYS.lines().take(12).collect::<Vec<_>>().join("\n").into_bytes()]
}

fn keys(data: &[u8]) -> bool {
    let text = String::from_utf8_lossy(data);
    let witness = tb_exchange::keys::WitnessKey::from_json(&text).is_ok();
    match tb_exchange::keys::Secrets::from_json(&text) {
        Ok(_) => true,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a refusal without words");
            witness
        }
    }
}

fn key_seeds() -> Vec<Vec<u8>> {
    static SEEDS: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let make = || {
        let secrets = tb_exchange::keys::Secrets::generate(&mut Seven);
        let witness = tb_exchange::keys::WitnessKey::generate(&mut Seven);
        vec![secrets.to_json().into_bytes(), witness.to_json().into_bytes()]
    };
    SEEDS.get_or_init(make).clone()
}

/// Keys that everybody knows.
struct Seven;

impl tb_base::Entropy for Seven {
    fn fill(&mut self, buffer: &mut [u8]) {
        buffer.fill(7);
    }
}
