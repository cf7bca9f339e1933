//! The configuration: what is read, and that every problem is told at once.

use std::path::Path;

use super::fields::FIELDS;
use super::{CityConfig, KEY_FILES, document, example, problems};
use tb_testkit::Folder;

/// A folder in which a city's files lie.
fn folder() -> Folder {
    let folder = Folder::new("config");
    std::fs::create_dir(folder.file("keys")).unwrap();
    for key in KEY_FILES {
        std::fs::write(folder.path().join("keys").join(key), "{}").unwrap();
    }
    for file in ["trust.json", "contracts.json", "region.toml"] {
        std::fs::write(folder.file(file), "").unwrap();
    }
    folder
}

#[track_caller]
fn check(folder: &Folder, text: &str, expected: &[&str]) {
    let file = folder.file("city.toml");
    let found: Vec<String> = problems(&file, text)
        .iter()
        .map(|problem| format!("{}:{} {}", problem.line.unwrap_or(0), problem.field, problem.found))
        .collect();
    let found: Vec<String> =
        found.iter().map(|it| it.replace(&folder.path().display().to_string(), "DIR")).collect();
    assert_eq!(found, expected);
}

const LEAST: &str =
    "node = \"430100\"\nsite = \"127.0.0.1:1\"\nexchange = \"127.0.0.1:2\"\ndatabase = \"sqlite\"\n";

#[test]
fn the_least_is_enough() {
    let folder = folder();
    check(&folder, LEAST, &[]);
    std::fs::write(folder.file("city.toml"), LEAST).unwrap();
    let config = CityConfig::load(&folder.file("city.toml")).unwrap();
    assert_eq!(config.keys, folder.file("keys"));
    assert_eq!((config.warn.trust_days, config.limits.stop_seconds), (30, 10));
}

#[test]
fn every_problem_is_told_at_once() {
    let folder = folder();
    std::fs::remove_file(folder.path().join("keys/tls.json")).unwrap();
    std::fs::remove_file(folder.file("contracts.json")).unwrap();
    let text = "node = \"43010\"\nsite = \"somewhere\"\nexchange = \"127.0.0.1:2\"\noperations = \"127.0.0.1:2\"\n\
        database = \"postgres://u:secret@h/d\"\nsite_ulr = \"x\"\nregion = \"region.txt\"\n\
        trusted_proxies = [\"10.0.0.0/8\", \"10.0.0.1/8\", 3]\n[log]\nlevel = \"tb_node=loud\"\nformat = \"xml\"\ncolour = true\n\
        [warn]\ntrust_days = 0\n[telemetry]\nendpoint = \"https://collector\"\n[nothing]\n";
    check(
        &folder,
        text,
        &[
            "6:site_ulr there is no such field",
            "12:log.colour there is no such field",
            "17:nothing there is no such field",
            "1:node \"43010\" is none",
            "2:site \"somewhere\" is none",
            "0:keys DIR/keys/tls.json is not there",
            "7:region DIR/region.txt is not there",
            "8:trusted_proxies \"10.0.0.1/8\" is no network",
            "8:trusted_proxies an entry is no text",
            "10:log.level \"tb_node=loud\" is none",
            "11:log.format \"xml\" is none",
            "16:telemetry.endpoint \"https://collector\" is none",
            "14:warn.trust_days it is none",
            "0:schema PostgreSQL needs it",
            "4:operations 127.0.0.1:2 is that of exchange, too",
            "0:contracts.json DIR/contracts.json is not there",
        ],
    );
}

#[test]
fn what_is_no_toml_is_told_by_its_line() {
    let folder = folder();
    let found = problems(&folder.file("city.toml"), "node = \"430100\"\nsite = \n");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].line, Some(2));
}

#[test]
fn a_slip_is_told_the_right_name_and_no_password_is_shown() {
    let found =
        problems(Path::new("/nowhere/city.toml"), "datbase = \"x\"\ndatabase = \"mysql://u:secret@h\"\n");
    let told: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(told.iter().any(|line| line.contains("did you mean database?")), "{told:#?}");
    assert!(told.iter().all(|line| !line.contains("secret")), "{told:#?}");
}

/// The example with everything in it is good, and the table knows every field that the program reads.
#[test]
fn the_example_and_the_program_know_the_same_fields() {
    let folder = folder();
    let backups = folder.path().display().to_string();
    let lines = example();
    let full: Vec<String> = lines
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(field) if field.contains(" = ") && !field.contains('·') => field.to_owned(),
            _ => line.to_owned(),
        })
        .collect();
    let full = full.join("\n").replace("/var/backups/tongban", &backups);
    check(&folder, &full, &[]);
    let config: CityConfig = toml::from_str(&full).unwrap();
    let known = toml::Table::try_from(&config).unwrap();
    let mut paths = Vec::new();
    for (name, value) in &known {
        match value.as_table() {
            Some(table) => paths.extend(table.keys().map(|inner| format!("{name}.{inner}"))),
            None => paths.push(name.clone()),
        }
    }
    let mut listed: Vec<&str> = FIELDS.iter().map(|field| field.path).collect();
    listed.sort_unstable();
    paths.sort_unstable();
    assert_eq!(paths, listed);
    assert!(FIELDS.iter().all(|field| document().contains(field.path)));
}
