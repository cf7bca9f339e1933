//! What the machine says (本机检查): key files, disk, ports, backups.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tb_base::Timestamp;
use tokio::net::{TcpListener, TcpStream};

use crate::config::CityConfig;
use crate::finding::Finding;

const HOUR_SECONDS: i64 = 3_600;
/// How `tongban backup` ends the names of what it writes; whatever else lies there is no backup.
const ARCHIVE: &str = "tongban";
/// Whoever listens on this machine answers in this time.
const ANSWER_MILLIS_MAX: u64 = 1_000;

/// Keys are for the node's own user, those of renewed sets as well.
pub fn keys(folder: &Path) -> Finding {
    let sets = entries(folder).into_iter().filter(|path| path.is_dir());
    let files = sets.flat_map(|set| entries(&set)).chain(entries(folder)).filter(|path| path.is_file());
    let open: Vec<String> = files.filter_map(|path| open_to(&path, 0o077)).collect();
    match open.is_empty() {
        true => Finding::ok("keys", "the files are their user's alone"),
        false => Finding::fail(
            "keys",
            open.join(", "),
            "chmod 600 them; who could read them may have: renew the keys if that was somebody",
        ),
    }
}

/// The address of a database may hold a password; a group may read it, such as that of the node's user.
pub fn configuration(file: &Path, config: &CityConfig) -> Finding {
    match (open_to(file, 0o007), config.is_sqlite()) {
        (None, _) => Finding::ok("config mode", "the file is not for everybody"),
        (Some(says), true) => Finding::warn("config mode", says, "chmod 600 it"),
        (Some(says), false) => Finding::fail(
            "config mode",
            says,
            "chmod 600 it, and change the password of the database if it holds one",
        ),
    }
}

/// What a file's mode is, where it lets somebody in who is named by the bits.
fn open_to(path: &Path, bits: u32) -> Option<String> {
    let mode = std::fs::metadata(path).map_or(0, |about| about.permissions().mode());
    (mode & bits != 0).then(|| format!("{} has mode {:o}", path.display(), mode & 0o777))
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Free space where the data lies.
pub fn disk(config: &CityConfig) -> Finding {
    let Some(free) = free_megabytes(&config.data) else {
        return Finding::warn("disk", "its free space cannot be read", "see that `df` works here");
    };
    let says = format!("{free} MB are free at {}", config.data.display());
    match free < config.warn.disk_free_mb {
        true => Finding::warn("disk", says, format!("make room: less than {} MB", config.warn.disk_free_mb)),
        false => Finding::ok("disk", says),
    }
}

/// The available kilobytes that POSIX `df -Pk` tells.
fn free_megabytes(path: &Path) -> Option<u64> {
    let output = std::process::Command::new("df").arg("-Pk").arg(path).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let kilobytes: u64 = text.lines().last()?.split_whitespace().nth(3)?.parse().ok()?;
    Some(kilobytes / 1_024)
}

/// The age of the newest backup, where it is configured.
pub fn backup(config: &CityConfig, now: Timestamp) -> Option<Finding> {
    let folder = config.backup.folder.as_ref()?;
    let archives =
        entries(folder).into_iter().filter(|path| path.extension().is_some_and(|it| it == ARCHIVE));
    let newest = archives.filter_map(|path| changed(&path)).max();
    let Some(newest) = newest else {
        let says = format!("{} holds none", folder.display());
        return Some(Finding::fail("backup", says, "make one now (docs/operations/backup.md)"));
    };
    let hours = (now.seconds() - newest) / HOUR_SECONDS;
    let says = format!("the newest is {hours} h old");
    Some(match i64::from(config.backup.hours_max) < hours {
        true => Finding::fail(
            "backup",
            says,
            format!("more than {} h: see why none was made", config.backup.hours_max),
        ),
        false => Finding::ok("backup", says),
    })
}

fn changed(path: &PathBuf) -> Option<i64> {
    let changed = std::fs::metadata(path).ok()?.modified().ok()?;
    let since = changed.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Each port is free, or somebody listens on it who is this city.
pub async fn ports(config: &CityConfig) -> Vec<Finding> {
    let mut found = vec![site(config.site).await, port("exchange", config.exchange).await];
    if let Some(address) = config.operations {
        found.push(port("operations", address).await);
        if !address.ip().is_loopback() {
            let says = format!("{address} is not on loopback");
            found.push(Finding::warn("operations", says, "see that only operators reach it"));
        }
    }
    found
}

async fn site(address: SocketAddr) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok("site", format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            if is_tongban(address).await {
                return Finding::ok("site", format!("{address} answers"));
            }
            let says = format!("another program listens on {address}");
            Finding::fail("site", says, "end it, or set site to another port")
        }
        Err(error) => {
            Finding::fail("site", format!("{address}: {error}"), "set site to an address of this machine")
        }
    }
}

async fn port(name: &str, address: SocketAddr) -> Finding {
    match TcpListener::bind(address).await {
        Ok(_) => Finding::ok(name, format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Finding::ok(name, format!("somebody listens on {address}"))
        }
        Err(error) => Finding::fail(
            name,
            format!("{address}: {error}"),
            format!("set {name} to an address of this machine"),
        ),
    }
}

/// Whether whoever listens there answers as the site of a city does.
async fn is_tongban(address: SocketAddr) -> bool {
    let ask = async {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut answer = Vec::new();
        stream.take(8_192).read_to_end(&mut answer).await?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(Duration::from_millis(ANSWER_MILLIS_MAX), ask).await;
    matches!(answer, Ok(Ok(answer)) if answer.starts_with("HTTP/1.1") && answer.to_lowercase().contains("content-security-policy"))
}
