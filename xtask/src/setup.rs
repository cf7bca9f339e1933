//! What the tests need on the machine (环境准备): installed when absent and allowed, named otherwise.

use std::path::Path;
use std::process::Command;

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
];

/// What the tests need.
pub fn run() -> Result<(), String> {
    install(PACKAGES)
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
