//! A Chromium under remote control (浏览器), for tests that see pages as people do.
//!
//! Invariant: the driver and every browser that it opened end with their owner.
//! A machine without Chromium is a failure that says what to do, never a skipped test.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::Folder;

/// What every browser of a test is started with.
///
/// No sandbox, because tests may run as root; nothing that calls out of the machine.
const ARGUMENTS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--hide-scrollbars",
    "--lang=zh-CN",
];

/// A running chromedriver.
#[derive(Debug)]
pub struct Chrome {
    driver: Child,
    port: u16,
    profiles: Folder,
}

impl Chrome {
    /// Starts the driver on a port that is free.
    ///
    /// # Panics
    /// Where there is no chromedriver: the tests that need one must not pass without it.
    #[expect(clippy::panic, reason = "a test that cannot have its browser has to stop with the reason")]
    pub fn start() -> Chrome {
        match start() {
            Ok(chrome) => chrome,
            Err(problem) => panic!(
                "starting chromedriver: {problem}. `cargo xtask setup` installs it (chromium, chromium-driver, fonts-noto-cjk)"
            ),
        }
    }

    /// Where the driver answers.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The arguments of a browser of that size, with a profile that nobody else uses.
    pub fn arguments(&self, name: &str, width: u32, height: u32) -> Vec<String> {
        let own = [
            format!("--user-data-dir={}", self.profiles.file(name).display()),
            format!("--window-size={width},{height}"),
        ];
        ARGUMENTS.into_iter().map(str::to_owned).chain(own).collect()
    }

    /// Asks the driver to close its browsers and end.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut line = TcpStream::connect(("127.0.0.1", self.port))?;
        write!(line, "GET /shutdown HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n", self.port)?;
        std::io::copy(&mut line, &mut std::io::sink()).map(drop)
    }
}

impl Drop for Chrome {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            drop(self.driver.kill());
        }
        drop(self.driver.wait());
    }
}

fn start() -> Result<Chrome, String> {
    let mut driver = Command::new("chromedriver")
        .args(["--port=0", "--log-level=SEVERE"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    let output = driver.stdout.take().ok_or("it has no output")?;
    match port(BufReader::new(output)) {
        Ok(port) => Ok(Chrome { driver, port, profiles: Folder::new("chrome") }),
        Err(problem) => {
            drop(driver.kill());
            drop(driver.wait());
            Err(problem)
        }
    }
}

/// Reads what the driver says until it names its port: `ChromeDriver was started successfully on port 41234.`
fn port(output: impl BufRead) -> Result<u16, String> {
    for line in output.lines() {
        let line = line.map_err(|error| format!("reading what it says: {error}"))?;
        if let Some((_, port)) = line.split_once("successfully on port ") {
            return port.trim_end_matches('.').parse().map_err(|_| format!("it names no port: {line}"));
        }
    }
    Err("it ended before it listened".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Chrome, port};

    #[test]
    fn the_port_is_read_from_what_the_driver_says() {
        let said = "Starting ChromeDriver 156\nOnly local connections are allowed.\n\
                    ChromeDriver was started successfully on port 41234.\n";
        assert_eq!(port(said.as_bytes()), Ok(41_234));
        assert!(port("Starting ChromeDriver\n".as_bytes()).is_err());
    }

    #[test]
    fn a_driver_listens_and_ends() {
        let chrome = Chrome::start();
        let port = chrome.port;
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        drop(chrome);
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }
}
