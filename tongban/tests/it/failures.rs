//! What a machine does to a city, with real processes: no room on the disk, a node that stands still, a second process.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hyper::Method;
use tb_store::{Config, Engine, Stmt, Store, Tx, stmt};
use tb_testkit::Folder;
use tokio::time::Instant;
use tongban::journey::browser::{Browser, Page};

use crate::operations::{found, site_of};
use crate::process::{Process, tongban};

/// Longer than every lease and every call between cities.
const STOPPED_SECONDS: u64 = 20;
/// `TONGBAN_STOPPED_SECONDS=60 cargo test …` stands still for a minute.
const STOPPED: &str = "TONGBAN_STOPPED_SECONDS";
/// Nobody waits longer for a page.
const PATIENCE: Duration = Duration::from_secs(20);

/// One city's node, ready.
pub fn serve(folder: &Folder, name: &str, config: &Path) -> Process {
    Process::start(folder, name, &["serve", "--config", &config.display().to_string()])
}

/// The configuration of another city of the region.
pub fn beside(config: &Path, city: &str) -> PathBuf {
    config.parent().and_then(Path::parent).expect("a folder").join(city).join("city.toml")
}

/// Asks the other city about a code behind which there is no licence.
pub async fn verify(browser: &mut Browser) -> Page {
    browser.get("/verify").await.expect("the form");
    browser.submit("/verify", &[("code", &format!("T1.430200.{}", "0".repeat(26)))]).await.expect("an answer")
}

fn answer(page: &Page) -> &str {
    page.json.pointer("/answer").and_then(serde_json::Value::as_str).unwrap_or("none")
}

#[tokio::test]
async fn a_second_process_is_told_who_has_the_folder() {
    let folder = Folder::new("second");
    let config = found(&folder);
    let first = serve(&folder, "first", &config);
    let second = tongban(&["serve", "--config", &config.display().to_string(), "--site", "127.0.0.1:0"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success() && said.contains("another process uses it"), "{said}");
    let page = Browser::at(&site_of(&config)).call(Method::GET, "/items", None).await.expect("a page");
    assert_eq!(page.status, 200, "the first one goes on: {}", first.log());
}

#[tokio::test]
async fn a_node_that_stands_still_delays_nobody_and_goes_on() {
    let folder = Folder::new("stopped");
    let config = found(&folder);
    let other_config = beside(&config, "430200");
    let (home, other) = (serve(&folder, "home", &config), serve(&folder, "other", &other_config));
    let mut browser = Browser::at(&site_of(&config));
    assert_eq!(answer(&verify(&mut browser).await), "not_found", "{}", home.log());

    signal(&other, "STOP");
    let begun = Instant::now();
    assert_eq!(answer(&verify(&mut browser).await), "unavailable");
    assert!(begun.elapsed() < PATIENCE, "it was said after {} ms", begun.elapsed().as_millis());
    let still = std::env::var(STOPPED).ok().and_then(|it| it.parse().ok()).unwrap_or(STOPPED_SECONDS);
    let still = Duration::from_secs(still);
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    while begun.elapsed() < still {
        ticks.tick().await;
        let asked = Instant::now();
        let page = browser.call(Method::GET, "/items", None).await.expect("a page");
        assert_eq!(page.status, 200);
        assert!(asked.elapsed() < Duration::from_secs(5), "pages of the city go on");
    }

    signal(&other, "CONT");
    let begun = Instant::now();
    let mut said = String::new();
    while said != "not_found" && begun.elapsed() < PATIENCE {
        answer(&verify(&mut browser).await).clone_into(&mut said);
    }
    assert_eq!(said, "not_found", "{}", other.log());
    let page = Browser::at(&site_of(&other_config)).call(Method::GET, "/items", None).await;
    assert_eq!(page.expect("a page").status, 200);
}

/// Sends a signal such as `TERM`.
pub fn signal(process: &Process, name: &str) {
    let sent = Command::new("kill").args([format!("-{name}"), process.child.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// How often somebody asked and was told: each such act is an audit line.
const ASKED: Stmt =
    stmt("test.asked", "SELECT COUNT(*) AS lines FROM store_audit WHERE action = 'licence.ask'");

/// The lines that are there for such acts, in a file that a process may be using.
async fn asked(config: &Path) -> u64 {
    let engine = Engine::Sqlite(config.with_file_name("city.db"));
    let store = Store::look(&Config { engine, inline: false }).await.expect("the store");
    let read = |tx: &mut Tx<'_>| tx.one(&ASKED, &[])?.map_or(Ok(0), |row| row.get("lines"));
    let lines = store.read("test.asked", read).await.expect("the lines");
    store.close().await;
    lines
}

/// Asks until the log says that there is no room; gives how many answers were given.
async fn ask_until_full(browser: &mut Browser, full: &Process) -> u64 {
    let (begun, mut answered) = (Instant::now(), 0);
    while full.said("no room on the disk").is_none() && begun.elapsed() < Duration::from_secs(60) {
        // Every request writes something, until there is no room.
        if browser.get("/verify").await.is_ok() {
            let code = format!("T1.430200.{}", "0".repeat(26));
            let page = browser.submit("/verify", &[("code", &code)]).await;
            answered += u64::from(page.is_ok_and(|page| answer(&page) == "unavailable"));
        }
    }
    assert!(full.said("no room on the disk").is_some(), "{}", full.log());
    answered
}

/// The largest size of files stands for a full disk: the system cuts the write off, as it does there.
#[tokio::test]
async fn a_full_disk_is_told_and_nothing_acknowledged_is_gone() {
    let folder = Folder::new("full");
    let config = found(&folder);
    // One caller is to write as fast as it can.
    let text = std::fs::read_to_string(&config).expect("a configuration");
    let unlimited = text.replace("requests = \"on\"", "requests = \"off\"");
    assert_ne!(text, unlimited);
    std::fs::write(&config, unlimited).expect("it is written");
    let mut first = serve(&folder, "first", &config);
    let mut browser = Browser::at(&site_of(&config));
    assert_eq!(answer(&verify(&mut browser).await), "unavailable");
    // A clean end, after which everything is in the one file.
    signal(&first, "TERM");
    assert!(first.child.wait().expect("it ends").success());
    let before = asked(&config).await;
    assert_eq!(before, 1);
    let size = std::fs::metadata(config.with_file_name("city.db")).expect("the data").len();
    // The shell counts in blocks of 512 bytes; a signal that nobody wants is left out.
    let blocks = (size + 64 * 1_024) / 512;
    let binary = env!("CARGO_BIN_EXE_tongban");
    let line = format!("trap '' XFSZ; ulimit -f {blocks}; exec {binary} serve --config {}", config.display());
    let mut full = Process::run(&folder, "full", Command::new("sh").args(["-c", &line]));
    let answered = ask_until_full(&mut browser, &full).await;
    assert!(0 < answered, "somebody was told something before the disk was full");
    full.kill();

    let again = serve(&folder, "again", &config);
    let there = asked(&config).await;
    assert!(before + answered <= there, "{there} of {} acknowledged acts are there", before + answered);
    let mut browser = Browser::at(&site_of(&config));
    let page = browser.call(Method::GET, "/items", None).await.expect("a page");
    assert_eq!(page.status, 200, "{}", again.log());
    // It counts, asks and notes down again; that somebody asked too often is an answer, too.
    assert!(verify(&mut browser).await.status < 500, "it writes again: {}", again.log());
}
