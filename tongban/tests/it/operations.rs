//! A city as its operator sees it: health, readiness, figures, log lines, and what `doctor` finds.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use hyper::Method;
use tb_testkit::Folder;
use tongban::journey::browser::Browser;
use tongban::journey::people::{list, text};

use crate::process::{Process, free_address, free_ports, tongban};

const HOME: &str = "430100";

/// A region on SQLite that was founded and does not run; gives the home city's configuration.
pub fn found(folder: &Folder) -> PathBuf {
    let ports: Vec<String> = free_ports(6).chunks(2).map(|pair| format!("{}:{}", pair[0], pair[1])).collect();
    let data = folder.path().display().to_string();
    let output = tongban(&["demo", "--prepare-only", "--data", &data, "--ports", &ports.join(",")]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder.path().join(HOME).join("city.toml")
}

/// Adds lines to a configuration; those of no table come first.
fn add(config: &Path, before: &str, after: &str) {
    let text = std::fs::read_to_string(config).expect("a configuration");
    std::fs::write(config, format!("{before}\n{text}\n{after}\n")).expect("it is written");
}

pub fn site_of(config: &Path) -> String {
    let config = tongban::config::CityConfig::load(config).expect("a configuration");
    format!("http://{}", config.site)
}

#[tokio::test]
async fn health_readiness_figures_and_log_lines() {
    let folder = Folder::new("operations");
    let config = found(&folder);
    let address = free_address();
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let json = text.replace("format = \"text\"", "format = \"json\"");
    assert_ne!(text, json);
    std::fs::write(&config, json).expect("it is written");
    add(&config, &format!("operations = \"{address}\""), "");
    let serve = ["serve", "--config", &config.display().to_string()];
    let process = Process::start(&folder, "serve", &serve);
    let mut browser = Browser::at(&site_of(&config));
    browser.call(Method::GET, "/items?q=CANARY", None).await.expect("a page");
    browser.call(Method::GET, "/cases/CANARY", None).await.expect("an answer");

    let mut operator = Browser::at(&format!("http://{address}"));
    let alive = operator.call(Method::GET, "/healthz", None).await.expect("health");
    assert_eq!((alive.status, alive.body.as_slice()), (200, &b"ok\n"[..]));
    let ready = operator.call(Method::GET, "/readyz", None).await.expect("readiness");
    assert_eq!(ready.status, 200, "{}", ready.json);
    let checks: Vec<&str> = list(&ready.json, "/checks").iter().map(|it| text_of(it, "check")).collect();
    assert_eq!(checks, ["database", "recovery", "trust", "certificate", "migrations", "workers"]);
    let figures = operator.call(Method::GET, "/metrics", None).await.expect("figures");
    let figures = String::from_utf8(figures.body).expect("text");
    for line in [
        "tongban_http_request_seconds_count{method=\"GET\",route=\"/items\",status=\"200\"} 1",
        "tongban_store_unit_seconds_count{kind=\"write\",unit=\"city.beat\",outcome=\"ok\"} ",
        "tongban_outbox_dead 0",
        "tongban_jobs_failed 0",
        "tongban_log_cosigned_lag{witness=\"430200\"}",
        "tongban_sqlite_bytes",
        "tongban_sessions 0",
        "tongban_processes 1",
        "process_resident_memory_bytes",
    ] {
        assert!(figures.lines().any(|it| it.starts_with(line)), "{line} in\n{figures}");
    }
    let nothing = browser.call(Method::GET, "/metrics", None).await.expect("an answer");
    assert_eq!(nothing.status, 404, "figures are not on the site");

    let log = process.log();
    assert!(!log.contains("CANARY") && !figures.contains("CANARY"), "{log}");
    let line = log.lines().find(|line| line.contains("/cases/{case}")).expect("a line for the request");
    let line: serde_json::Value = serde_json::from_str(line).expect("a log line is JSON");
    assert_eq!((text_of(&line, "method"), text_of(&line, "message")), ("GET", "request"));
    assert_eq!(text_of(&line, "trace").len(), 16, "{line}");
    assert!(line.get("millis").is_some_and(serde_json::Value::is_u64), "{line}");
}

fn text_of<'v>(value: &'v serde_json::Value, name: &str) -> &'v str {
    text(value, &format!("/{name}"))
}

/// What `doctor` says of each check, and whether it found no failure.
fn doctor(config: &Path, more: &[&str]) -> (Vec<(String, String, String)>, bool) {
    let config = config.display().to_string();
    let output = tongban(&[&["doctor", "--json", "--config", &config][..], more].concat());
    let report: serde_json::Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let of = |it: &serde_json::Value, name: &str| text_of(it, name).to_owned();
    let findings = list(&report, "/findings").iter();
    let found = findings.map(|it| (of(it, "check"), of(it, "state"), of(it, "says"))).collect();
    (found, output.status.success())
}

#[track_caller]
fn check(config: &Path, more: &[&str], name: &str, state: &str, says: &str) {
    let (found, is_well) = doctor(config, more);
    let has = found.iter().any(|it| it.0 == name && it.1 == state && it.2.contains(says));
    assert!(has, "{name} {state} {says} in {found:#?}");
    assert_eq!(is_well, found.iter().all(|it| it.1 != "fail"), "the exit code says whether anything failed");
}

#[test]
fn doctor_names_each_planted_fault() {
    let folder = Folder::new("doctor");
    let config = found(&folder);
    let city = config.parent().expect("a folder").to_owned();
    check(&config, &[], "integrity", "ok", "");
    check(&config, &[], "migrations", "ok", "");
    check(&config, &[], "processes", "warn", "none");
    check(&config, &[], "peer 430200", "warn", "");
    let other = folder.path().join("430200").join("city.toml");
    let peer = Process::start(&folder, "peer", &["serve", "--config", &other.display().to_string()]);
    check(&config, &[], "peer 430200", "ok", "TLS and answer");
    check(&config, &[], "clock", "ok", "430200");
    check(&config, &["--shift", "45"], "clock", "warn", "430200");
    check(&config, &["--shift", "400"], "clock", "fail", "430200");
    check(&other, &[], "processes", "ok", "everything");
    drop(peer);

    check(&config, &["--shift", "93500000"], "trust", "warn", "counts until");
    check(&config, &["--shift", "96000000"], "trust", "fail", "that is over");
    let key = city.join("keys/secrets.json");
    Command::new("chmod").arg("644").arg(&key).status().expect("chmod runs");
    check(&config, &[], "keys", "fail", "secrets.json has mode 644");
    Command::new("chmod").arg("600").arg(&key).status().expect("chmod runs");
    check(&config, &[], "config mode", "ok", "");
    Command::new("chmod").arg("644").arg(&config).status().expect("chmod runs");
    check(&config, &[], "config mode", "warn", "city.toml has mode 644");
    let own = std::fs::read(city.join("keys/tls.json")).expect("a certificate");
    std::fs::copy(folder.path().join("430200/keys/tls.json"), city.join("keys/tls.json")).expect("a copy");
    check(&config, &[], "keys", "fail", "not those that its trust list names");
    std::fs::write(city.join("keys/tls.json"), own).expect("it is written back");

    let socket = TcpListener::bind(site_of(&config).trim_start_matches("http://")).expect("the port is free");
    check(&config, &[], "site", "fail", "another program listens");
    drop(socket);
    let backups = folder.path().join("backups");
    std::fs::create_dir(&backups).expect("a folder");
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let text = text.replace("[backup]", &format!("[backup]\nfolder = \"{}\"", backups.display()));
    std::fs::write(&config, text.replace("disk_free_mb = 1024", "disk_free_mb = 999999999"))
        .expect("it is written");
    check(&config, &[], "backup", "fail", "holds none");
    check(&config, &[], "disk", "warn", "MB are free");
    // What a person put there, and what is still being written, is no backup.
    std::fs::write(backups.join("notes.txt"), "").expect("a file");
    std::fs::write(backups.join("430100-2026-01-01T000000.tongban.part"), "").expect("a file");
    check(&config, &[], "backup", "fail", "holds none");
    std::fs::write(backups.join("430100-2026-01-01T000000.tongban"), "").expect("a backup");
    check(&config, &[], "backup", "ok", "0 h old");
    check(&config, &["--shift", "360000"], "backup", "fail", "100 h old");

    flip(&city.join("city.db"));
    check(&config, &[], "integrity", "fail", "");
    add(&config, "trusted_proxys = []", "");
    check(&config, &[], "config", "fail", "line 1: trusted_proxys: there is no such field");
    std::fs::remove_file(&config).expect("it is removed");
    check(&config, &[], "config", "fail", "cannot be read");
}

/// Overwrites pages in the middle of a file.
fn flip(file: &Path) {
    let mut bytes = std::fs::read(file).expect("a file");
    let middle = bytes.len() / 2 / 4_096 * 4_096;
    bytes[middle..middle + 40_960].fill(0x5a);
    std::fs::write(file, bytes).expect("it is written");
}

#[test]
fn migrate_says_what_it_would_do_and_does_it() {
    let folder = Folder::new("migrate");
    let config = found(&folder);
    let database = config.parent().expect("a folder").join("city.db");
    for end in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{end}", database.display()));
        drop(std::fs::remove_file(file));
    }
    let file = config.display().to_string();
    let run = |more: &[&str]| {
        let output = tongban(&[&["migrate", "--config", &file][..], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    };
    let would = run(&["--dry-run"]);
    assert!(would.contains("waiting  store/0001_store") && would.contains("steps waiting"), "{would}");
    assert!(!database.exists(), "a dry run makes nothing");
    assert_eq!(run(&[]).replace("done   ", "waiting").replace("done", "waiting"), would);
    assert!(run(&["--dry-run"]).contains("0 steps waiting"));
}
