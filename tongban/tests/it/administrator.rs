//! `tongban admin`: somebody who can reach the machine makes an administrator, and nobody else can.

use std::path::{Path, PathBuf};
use std::process::Command;

use tb_testkit::Folder;
use tongban::journey::browser::Browser;
use tongban::journey::region::{Region, Setup};

const CITY: &str = "430100";
const LOGIN: &str = "root@430100";
const PASSWORD: &str = "a long enough password";

fn admin(city: &Path, login: &str) -> (bool, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
    command.args(["admin", "--login", login, "--name", "钟管理", "--city"]).arg(city);
    let output = command.output().expect("the binary runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

fn code(said: &str) -> String {
    said.lines().find_map(|line| line.strip_prefix("one-time code: ")).expect("a code").to_owned()
}

async fn set_password(browser: &mut Browser, code: &str, password: &str) -> u16 {
    browser.get("/password/first").await.expect("the page");
    browser.submit("/password/first", &[("code", code), ("password", password)]).await.expect("sent").status
}

async fn sign_in(browser: &mut Browser, password: &str) -> u16 {
    browser.get("/sign-in").await.expect("the page");
    browser.submit("/sign-in", &[("login", LOGIN), ("password", password)]).await.expect("sent").status
}

#[tokio::test]
async fn the_first_administrator_is_made_on_the_machine() {
    let folder = Folder::new("first-administrator");
    let setup = Setup {
        drill: false,
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        folder: folder.path().to_owned(),
        shift: 0,
        database: None,
    };
    let mut region = Region::start(setup).await.expect("the region starts");
    let city = folder.file(CITY);
    let (done, said) = admin(&city, LOGIN);
    assert!(!done && said.contains("another process uses it"), "a running node keeps its file: {said}");
    region.kill(CITY).expect("killed");
    let (done, said) = admin(&city, "window1@430100");
    assert!(!done && said.contains("IDN-STF-006"), "{said}");
    let (_, lost) = admin(&city, LOGIN);
    // Run again: the code before holds no more.
    let (done, said) = admin(&city, LOGIN);
    assert!(done && said.contains("/password/first"), "{said}");
    region.restart(CITY).await.expect("it starts");
    let mut browser = region.browser(CITY);
    assert_eq!(set_password(&mut browser, &code(&lost), PASSWORD).await, 422, "a code of before");
    assert_eq!(sign_in(&mut browser, PASSWORD).await, 422, "no password yet");
    assert_eq!(set_password(&mut browser, &code(&said), PASSWORD).await, 303);
    assert_eq!(set_password(&mut browser, &code(&said), PASSWORD).await, 422, "a code works once");
    assert_eq!(sign_in(&mut browser, PASSWORD).await, 303);
    assert_eq!(browser.get("/accounts").await.expect("the accounts")["rows"][0]["state"], "active");
}
