//! Three processes: the whole journey, its evidence, and what a killed node leaves behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tb_testkit::{Folder, Postgres};
use tongban::journey::people::{World, list, text};
use tongban::journey::region::{Region, Setup};
use tongban::journey::steps::{self, DRIVER_HOME};
use tongban::journey::tour::shift_to;

fn tongban(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tongban")).args(words).output().expect("the binary runs")
}

fn journey(folder: &Folder, more: &[&str]) -> (serde_json::Value, PathBuf) {
    let bundle = folder.file("bundle.json");
    let out = bundle.to_string_lossy().into_owned();
    let mut words = vec!["journey", "--json", "--out", &out];
    words.extend(more);
    let output = tongban(&words);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| {
        panic!(
            "{error}: {} {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
    });
    assert!(output.status.success(), "{report:#} {}", String::from_utf8_lossy(&output.stderr));
    (report, bundle)
}

fn check_report(report: &serde_json::Value) {
    assert_eq!(report.pointer("/ok"), Some(&serde_json::Value::Bool(true)), "{report:#}");
    assert!(10 <= list(report, "/steps").len(), "{report:#}");
    assert!(!text(report, "/legal_due").is_empty(), "{report:#}");
    for figure in ["/proofs", "/cosignatures", "/looks"] {
        assert!(
            report.pointer(figure).and_then(serde_json::Value::as_u64).is_some_and(|it| 0 < it),
            "{figure} in {report:#}"
        );
    }
}

#[test]
fn the_journey_on_sqlite_and_every_changed_byte() {
    let folder = Folder::new("journey");
    let (report, bundle) = journey(&folder, &[]);
    check_report(&report);
    changed_bytes_fail(&bundle);
}

#[test]
fn the_journey_on_postgres() {
    let postgres = Postgres::start();
    let folder = Folder::new("journey-postgres");
    let (report, _) = journey(&folder, &["--database", &postgres.url, "--at", "2025-09-25"]);
    check_report(&report);
    // 20 working days from 25 September 2025: National Day and the Mid-Autumn Festival do not count.
    assert_eq!(text(&report, "/legal_due"), "2025-10-29", "{report:#}");
}

/// One byte changed at each of many places over the whole file: none of them verifies.
fn changed_bytes_fail(bundle: &Path) {
    let bytes = std::fs::read(bundle).expect("the bundle");
    assert!(tb_exchange::bundle::verify(&bytes, None).ok, "the bundle verifies as it is");
    let step = (bytes.len() / 400).max(1);
    for at in (0..bytes.len()).step_by(step) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let report = tb_exchange::bundle::verify(&changed, None);
        assert!(!report.ok, "a change of byte {at} passed");
        let failed: Vec<_> = report.checks.iter().filter(|check| !check.ok).collect();
        assert!(failed.iter().all(|check| !check.part.is_empty()), "byte {at}: no part is named");
    }
}

#[tokio::test]
async fn a_killed_node_loses_nothing_and_doubles_nothing() {
    let folder = Folder::new("killed");
    let setup = Setup {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        folder: folder.path().to_owned(),
        shift: shift_to("2026-03-10").expect("a day"),
        database: None,
        drill: false,
    };
    let mut world = World::new(Region::start(setup).await.expect("the region starts"));
    let draft = steps::prepare_online(&mut world).await.expect("a draft");
    world.region.kill("430300").expect("Xiangtan is killed");
    let case = steps::submit_online(&mut world, &draft).await.expect("handed in while Xiangtan is down");
    // The collecting city is killed too, right after it said yes.
    world.region.kill("430100").expect("Changsha is killed");
    world.region.restart("430100").await.expect("Changsha comes back");
    world.region.restart("430300").await.expect("Xiangtan comes back");
    steps::both_show(&mut world, &case, &["received"]).await.expect("the case arrived");
    let cases = world.get(DRIVER_HOME, "/cases").await.expect("her cases");
    assert_eq!(list(&cases, "/cases").len(), 1, "{cases:#}");
    let there = world.get(steps::DRIVER_THERE, "/cases").await.expect("her cases there");
    assert_eq!(list(&there, "/cases").len(), 1, "{there:#}");
}

#[test]
fn definitions_are_sound() {
    let output = tongban(&["defs", "check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}");
    assert!(
        text.trim_end().ends_with("151 items, 1 can be filed online, 3 licence types, 0 problems"),
        "{text}"
    );
    let output = tongban(&["defs", "diff", "430100", "430300"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("clocks.promised"), "the declared difference that changes a date: {text}");
}
