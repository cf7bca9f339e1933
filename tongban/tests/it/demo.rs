//! The demo as a newcomer starts it: addresses, accounts, data that stays, a clean end.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use hyper::Method;
use tb_testkit::Folder;
use tongban::journey::browser::Browser;
use tongban::journey::people::{list, text};

/// A demo of its own, in one process.
pub struct Demo {
    child: Child,
    /// What it said until it was ready.
    pub lines: Vec<String>,
}

impl Demo {
    /// Starts and waits for the line that comes last.
    pub fn start(folder: &Folder, port: u16, more: &[&str]) -> Demo {
        let data = folder.path().to_string_lossy().into_owned();
        let mut child = Command::new(env!("CARGO_BIN_EXE_tongban"))
            .args(["demo", "--data", &data, "--port", &port.to_string()])
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the demo starts");
        let output = child.stdout.take().expect("its output");
        let mut demo = Demo { child, lines: Vec::new() };
        for line in BufReader::new(output).lines() {
            let line = line.expect("a line");
            let last = line.starts_with("every account");
            demo.lines.push(line);
            if last {
                return demo;
            }
        }
        let status = demo.child.wait();
        panic!("the demo ended before it was ready, {status:?}: {:?}", demo.lines);
    }

    /// What Ctrl-C and a service manager do.
    pub fn stop(mut self) {
        let killed =
            Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "a clean end, not {status}");
    }
}

/// Where the next test looks for ports; below those that the system hands out.
static NEXT_PORT: AtomicU16 = AtomicU16::new(20_000);

/// A port with thirteen free ones behind it, given to one test only.
pub fn base_port() -> u16 {
    let free = |base: u16| {
        let ports = [0, 1, 2, 3, 11, 12, 13].map(|offset| TcpListener::bind(("127.0.0.1", base + offset)));
        ports.iter().all(Result::is_ok)
    };
    std::iter::repeat_with(|| NEXT_PORT.fetch_add(40, Ordering::Relaxed))
        .take_while(|base| *base < 30_000)
        .find(|base| free(*base))
        .expect("free ports")
}

async fn drafts(port: u16) -> usize {
    let mut driver = Browser::at(&format!("http://127.0.0.1:{}", port + 1));
    driver.get("/sign-in").await.expect("the door");
    driver
        .post("/sign-in", &[("login", "driver@430100"), ("password", "Tongban-demo-2026")])
        .await
        .expect("signed in");
    let page = driver.get("/cases").await.expect("her cases");
    list(&page, "/drafts").len()
}

#[tokio::test]
async fn a_second_start_keeps_the_data_and_fresh_does_not() {
    let (folder, port) = (Folder::new("demo"), base_port());
    let demo = Demo::start(&folder, port, &["--empty"]);
    let said = demo.lines.join("\n");
    for what in [
        "430100",
        "430200",
        "430300",
        "driver@430100",
        "window1@430100",
        "reviewer1@430300",
        "inspector1@430200",
    ] {
        assert!(said.contains(what), "{what} in {said}");
    }
    enter_and_begin(port).await;
    assert_eq!(drafts(port).await, 1);
    demo.stop();

    let other = Command::new(env!("CARGO_BIN_EXE_tongban"))
        .args(["demo", "--data", &folder.path().to_string_lossy(), "--port", &(port + 20).to_string()])
        .output()
        .expect("it runs");
    assert!(
        !other.status.success() && String::from_utf8_lossy(&other.stderr).contains(&format!("--port {port}"))
    );

    let demo = Demo::start(&folder, port, &["--empty"]);
    assert_eq!(drafts(port).await, 1, "a second start keeps the data");
    demo.stop();
    let demo = Demo::start(&folder, port, &["--fresh", "--empty"]);
    assert_eq!(drafts(port).await, 0, "--fresh begins anew");
    demo.stop();
}

/// The front leads to the first city's demo page; one click signs in; the driver begins a draft.
async fn enter_and_begin(port: u16) {
    let mut front = Browser::at(&format!("http://127.0.0.1:{port}"));
    let page = front.call(Method::GET, "/", None).await.expect("the front");
    assert_eq!(page.location.as_deref(), Some(format!("http://127.0.0.1:{}/demo", port + 1).as_str()));
    let mut site = Browser::at(&format!("http://127.0.0.1:{}", port + 1));
    let page = site.get("/demo").await.expect("the demo page");
    assert_eq!(list(&page, "/cards").len(), 2);
    let enter = text(&page, "/roles/0/people/0/enter").to_owned();
    let path = enter.split_once(&format!(":{}", port + 1)).expect("on this site").1.to_owned();
    let entered = site.call(Method::GET, &path, None).await.expect("one click");
    assert_eq!(entered.status, 303, "{enter}");
    let forged =
        site.call(Method::GET, "/demo/enter?token=0&login=driver@430100", None).await.expect("an answer");
    assert_eq!(forged.status, 403, "a link that was not printed by this start");
    site.get("/items/121").await.expect("the guide");
    site.post("/items/121/apply", &[("deciding", "430300")]).await.expect("a draft");
}

#[tokio::test]
async fn the_demo_is_not_in_serve() {
    let (folder, port) = (Folder::new("serve"), base_port());
    let data = folder.path().to_string_lossy().into_owned();
    let prepared = Command::new(env!("CARGO_BIN_EXE_tongban"))
        .args(["demo", "--prepare-only", "--data", &data, "--port", &port.to_string()])
        .status()
        .expect("it runs");
    assert!(prepared.success());
    let mut city = Command::new(env!("CARGO_BIN_EXE_tongban"))
        .args(["serve", "--city", &folder.path().join("430100").to_string_lossy()])
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let log = BufReader::new(city.stderr.take().expect("its log"));
    assert!(log.lines().map_while(Result::ok).any(|line| line.contains("ready")), "the city starts");
    let mut site = Browser::at(&format!("http://127.0.0.1:{}", port + 1));
    for path in ["/demo", "/demo/enter?token=0&login=driver@430100", "/demo/phone", "/styleguide"] {
        let page = site.call(Method::GET, path, None).await.expect("an answer");
        assert_eq!(page.status, 404, "{path}");
    }
    city.kill().expect("it is killed");
    city.wait().expect("it ends");
}
