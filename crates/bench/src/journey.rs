//! The journey: one case through three processes, and how long its evidence takes to check.

use std::path::Path;
use std::process::Command;

use tb_testkit::Folder;

use crate::measure::{Effort, Outcome, Series, moment};
use crate::report::{Line, Section, Target};

/// Measures both, each as a process from its start to its end.
pub fn run(tongban: &Path, effort: Effort) -> Outcome<Section> {
    let folder = Folder::new("bench-journey");
    let bundle = folder.file("bundle.json").display().to_string();
    let [mut journey, mut verify] = <[Series; 2]>::default();
    for _ in 0..effort.of(3, 1) {
        journey.add(timed(tongban, &["journey", "--json", "--out", &bundle], &folder)?);
    }
    for _ in 0..effort.rounds {
        verify.add(timed(tongban, &["verify", &bundle], &folder)? * 1_000.0);
    }
    let size = std::fs::metadata(&bundle).map_or(0.0, |file| file.len() as f64 / 1_024.0);
    Ok(Section {
        lines: vec![
            Line::alone("journey of one case through three cities", "s", journey, Target::Open),
            Line::alone("`tongban verify` of its evidence", "ms", verify, Target::Open),
        ],
        notes: vec![
            "The journey founds a region, starts three processes, drives the case over HTTP only, waits for cosigned checkpoints, and writes the evidence; the time is that of the whole command.".to_owned(),
            format!("The bundle has {size:.0} KiB; `tongban verify` reads it and checks every signature, digest and proof in it, with no node running."),
        ],
        tables: Vec::new(),
    })
}

fn timed(tongban: &Path, words: &[&str], folder: &Folder) -> Outcome<f64> {
    let begun = moment();
    let ended = Command::new(tongban).args(words).current_dir(folder.path()).output();
    let ended = ended.map_err(|error| format!("running {}: {error}", tongban.display()))?;
    let took = begun.elapsed().as_secs_f64();
    if ended.status.success() {
        return Ok(took);
    }
    Err(format!("tongban {} failed: {}", words.join(" "), String::from_utf8_lossy(&ended.stderr)))
}
