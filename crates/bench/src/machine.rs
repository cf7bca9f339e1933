//! The machine (机器) and the versions on which figures were got.

use std::io::Write;
use std::process::Command;

use crate::measure::{Effort, Outcome, moment, words};

/// Sentences for the head of the document.
pub fn lines(effort: Effort) -> Vec<String> {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let cpu = from_file("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned());
    let memory = from_file("/proc/meminfo", "MemTotal").unwrap_or_else(|| "unknown".to_owned());
    let fsync = fsync_rate(effort).map_or("unknown".to_owned(), |rate| format!("{rate:.0}"));
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown");
    vec![
        format!("Measured on {} by `cargo xtask bench`.", first_line("date", &["-u", "+%F %H:%M UTC"])),
        format!("Machine: {cores} cores ({cpu}), {memory} of memory, {}.", first_line("uname", &["-sr"])),
        format!("Its disk takes {fsync} appends of 4 KiB with `fdatasync` a second, one after the other; the load average was {load} at the start."),
        format!(
            "{}; {}; {}; {}; {}.",
            first_line("rustc", &["--version"]),
            first_line("openssl", &["version"]),
            first_line("pgbench", &["--version"]),
            first_line("nginx", &["-v"]),
            format_args!("SQLite {}", rusqlite::version()),
        ),
        effort.of("", "**A quick run: only to see that everything works; its figures are not for comparison.**").to_owned(),
        format!(
            "{} interleaved rounds: each round measures ours and the peer one after the other, so that what else the machine does strikes both.",
            effort.rounds
        ),
        "Everything runs on this one machine, generators of load too; ratios hold where absolute figures do not.".to_owned(),
    ]
}

fn first_line(program: &str, words: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(words).output() else { return format!("no {program}") };
    // nginx says its version on standard error.
    let said = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&said).lines().next().unwrap_or_default().trim().to_owned()
}

fn from_file(path: &str, key: &str) -> Option<String> {
    let text = std::fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn fsync_rate(effort: Effort) -> Outcome<f64> {
    let folder = tb_testkit::Folder::new("bench-fsync");
    let mut file = std::fs::File::create(folder.file("log")).map_err(words)?;
    let appends = effort.of(500, 50);
    let begun = moment();
    for _ in 0..appends {
        file.write_all(&[7; 4_096]).map_err(words)?;
        file.sync_data().map_err(words)?;
    }
    Ok(f64::from(appends) / begun.elapsed().as_secs_f64())
}
