//! What an operator does with files: a configuration behind a link, lists put into the folder of a running node, renewed
//! keys that are backed up and come back, and a pipe that nobody reads any more.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use tb_testkit::{Folder, until};
use tongban::region::CityFolder;

use crate::operations::found;
use crate::process::{Process, tongban};

/// Nothing that is waited for takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

fn city_of(config: &Path, code: &str) -> String {
    config.parent().and_then(Path::parent).expect("a folder").join(code).display().to_string()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[track_caller]
fn done(words: &[&str]) -> String {
    let output = tongban(words);
    assert!(output.status.success(), "{words:?}: {}", said(&output));
    said(&output)
}

fn serve(folder: &Folder, name: &str, config: &Path) -> Process {
    Process::start(folder, name, &["serve", "--config", &config.display().to_string()])
}

#[test]
fn a_configuration_behind_a_link_finds_what_lies_beside_the_file() {
    let folder = Folder::new("link");
    let config = found(&folder);
    std::fs::create_dir(folder.file("etc")).expect("a folder");
    let link = folder.file("etc").join("city.toml");
    symlink(&config, &link).expect("a link");
    let named = link.display().to_string();
    assert!(done(&["config", "check", &named]).contains("sound"));
    let process = serve(&folder, "linked", &link);
    assert!(process.said("ready").is_some());
    let files = std::fs::read_dir(folder.file("etc")).expect("the folder").count();
    assert_eq!(files, 1, "nothing was made beside the link");
}

/// New keys of the home city, and the list that names them, signed by two cities.
fn renewed(folder: &Folder, config: &Path) -> String {
    let (home, other) = (city_of(config, "430100"), city_of(config, "430200"));
    let file = |name: &str| folder.file(name).display().to_string();
    let (member, proposal, list) = (file("member.json"), file("proposal.json"), file("list-2.json"));
    done(&["trust", "renew", "--city", &home, "--out", &member]);
    done(&["trust", "propose", "--from", &home, "--members", &member, "--out", &proposal]);
    let copies = [(&home, file("home.json")), (&other, file("other.json"))];
    for (city, copy) in &copies {
        done(&["trust", "sign", "--city", city, &proposal, "--out", copy, "--yes"]);
    }
    done(&["trust", "combine", "--out", &list, &copies[0].1, &copies[1].1]);
    list
}

#[test]
fn a_passing_error_does_not_hide_the_next_list() {
    let folder = Folder::new("lists");
    let config = found(&folder);
    let home = city_of(&config, "430100");
    let list = renewed(&folder, &config);
    let process = serve(&folder, "home", &config);
    // A folder in the place of the file cannot be read, and a file that was cut short is none.
    let place = PathBuf::from(&home).join("trust/000002.json");
    std::fs::create_dir_all(&place).expect("a folder");
    until("the first problem", PATIENCE, || process.said("Is a directory"));
    std::fs::remove_dir(&place).expect("it is removed");
    std::fs::write(&place, "{").expect("a file");
    let problems = || process.log().matches("was not put in force").count();
    until("the second problem", PATIENCE, || (problems() == 2).then_some(()));
    std::fs::remove_file(&place).expect("it is removed");
    done(&["trust", "install", "--city", &home, &list]);
    until("list 2 in force", PATIENCE, || process.said("a trust list is in force"));
    assert_eq!(problems(), 2, "each is told once: {}", process.log());
}

#[test]
fn renewed_keys_are_backed_up_and_come_back() {
    let folder = Folder::new("renewed");
    let config = found(&folder);
    let home = city_of(&config, "430100");
    let list = renewed(&folder, &config);
    done(&["trust", "install", "--city", &home, &list]);
    let keys = PathBuf::from(&home).join("keys");
    let public =
        |folder: &CityFolder| folder.secrets.public(&folder.identity.fingerprint(), &folder.witness.public());
    let before = CityFolder::open(Path::new(&home)).expect("the city");
    let renewed_key = keys.join("renewed-1/secrets.json");
    Command::new("chmod").arg("644").arg(&renewed_key).status().expect("chmod runs");
    let doctor = tongban(&["doctor", "--city", &home]);
    assert!(
        !doctor.status.success() && said(&doctor).contains("secrets.json has mode 644"),
        "{}",
        said(&doctor)
    );
    Command::new("chmod").arg("600").arg(&renewed_key).status().expect("chmod runs");

    let (sealed, secret) = (folder.file("home.keys"), folder.file("passphrase"));
    std::fs::write(&secret, "correct horse battery\n").expect("the passphrase");
    let (sealed, secret) = (sealed.display().to_string(), secret.display().to_string());
    let kept = done(&["backup-keys", "--city", &home, "--to", &sealed, "--passphrase-file", &secret]);
    assert!(kept.contains("6 key files"), "{kept}");
    std::fs::remove_dir_all(&keys).expect("the keys are lost");
    done(&["restore", "--city", &home, "--keys", &sealed, "--passphrase-file", &secret]);
    let after = CityFolder::open(Path::new(&home)).expect("the city");
    assert_eq!(public(&before), public(&after));
    assert_eq!(before.secrets.vault, after.secrets.vault);
    let process = serve(&folder, "home", &config);
    assert!(process.said("ready").is_some());
}

/// Runs a command whose reader is gone before it says anything.
fn unread(words: &[&str]) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = command.args(words).stdout(Stdio::from(writer)).output().expect("the binary runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_pipe_that_nobody_reads_is_no_reason_to_panic() {
    let folder = Folder::new("pipe");
    let config = found(&folder);
    let (home, archive) = (city_of(&config, "430100"), folder.file("home.tongban").display().to_string());
    let admin = ["admin", "--city", &home, "--login", "admin1@430100", "--name", "张三"];
    for words in [
        &["keys", "rotate", "--city", &home][..],
        &["keys", "status", "--city", &home],
        &admin,
        &["backup", "--city", &home, "--to", &archive],
        &["restore", "--check", "--city", &home, "--from", &archive],
        &["defs", "permits"],
    ] {
        let (is_well, errors) = unread(words);
        assert!(is_well && !errors.contains("panicked"), "{words:?}: {errors}");
    }
}
