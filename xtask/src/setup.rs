//! What the tests need on the machine (环境准备): installed when absent and allowed, named otherwise.

use std::path::Path;
use std::process::Command;

use crate::{read, root};

/// Debian packages and the file that shows that each is there.
const PACKAGES: &[(&str, &[&str])] = &[
    ("chromium", &["/usr/bin/chromium"]),
    ("chromium-driver", &["/usr/bin/chromedriver"]),
    ("fonts-noto-cjk", &["/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"]),
    (
        "postgresql",
        &[
            "/usr/lib/postgresql/15/bin/initdb",
            "/usr/lib/postgresql/16/bin/initdb",
            "/usr/lib/postgresql/17/bin/initdb",
        ],
    ),
    ("openssl", &["/usr/bin/openssl"]),
    ("nodejs", &["/usr/bin/node", "/usr/local/bin/node"]),
    ("npm", &["/usr/bin/npm", "/usr/local/bin/npm"]),
];
/// What judges every page in every check; test side only.
const JUDGES: &str = "judges";

/// What the tests need.
pub fn run() -> Result<(), String> {
    install(PACKAGES)?;
    judges(JUDGES)
}

/// Installs the packages of a folder exactly as its lock file names them, once for each lock file.
/// None of them runs anything when it is installed.
pub fn judges(folder: &str) -> Result<(), String> {
    let lock = read(&format!("{folder}/package-lock.json"))?;
    let installed = root().join(folder).join("node_modules/.installed");
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == lock) {
        return Ok(());
    }
    println!("setup: npm ci in {folder}");
    let status =
        Command::new("npm").args(["ci", "--ignore-scripts"]).current_dir(root().join(folder)).status();
    match status {
        Ok(status) if status.success() => {
            std::fs::write(&installed, lock).map_err(|error| format!("{}: {error}", installed.display()))
        }
        Ok(_) => Err(format!("npm ci in {folder} failed; it needs the package registry once")),
        Err(error) => Err(format!("npm: {error}")),
    }
}

/// Installs what is missing with apt, or says exactly what to install.
pub fn install(packages: &[(&str, &[&str])]) -> Result<(), String> {
    let missing: Vec<&str> = packages
        .iter()
        .filter(|(_, files)| !files.iter().any(|file| Path::new(file).exists()))
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() {
        println!("setup: everything is there");
        return Ok(());
    }
    let by_hand = format!("apt-get update && apt-get install --no-install-recommends {}", missing.join(" "));
    println!("setup: {by_hand}");
    let update = apt(&["update"]);
    let mut words = vec!["install", "-y", "--no-install-recommends"];
    words.extend(&missing);
    if update && apt(&words) { Ok(()) } else { Err(format!("could not install; run as root: {by_hand}")) }
}

fn apt(words: &[&str]) -> bool {
    let status = Command::new("apt-get").args(words).env("DEBIAN_FRONTEND", "noninteractive").status();
    status.is_ok_and(|status| status.success())
}
