//! Processes of the binary as tests start and stop them.

use std::io::BufRead as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tb_testkit::{Folder, until};

/// A process with what it wrote.
pub struct Process {
    pub child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the binary and waits until it is ready.
    pub fn start(folder: &Folder, name: &str, words: &[&str]) -> Process {
        let log = folder.file(&format!("{name}.log"));
        let written = std::fs::File::create(&log).expect("a log file");
        let child = Command::new(env!("CARGO_BIN_EXE_tongban"))
            .args(words)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(written)
            .spawn()
            .expect("the binary runs");
        let process = Process { child, log };
        until(&format!("{name} is ready"), Duration::from_secs(30), || process.said("ready"));
        process
    }

    /// Everything that it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).expect("a log file")
    }

    /// The first line that holds the words.
    pub fn said(&self, words: &str) -> Option<String> {
        let file = std::fs::File::open(&self.log).expect("a log file");
        std::io::BufReader::new(file).lines().map_while(Result::ok).find(|line| line.contains(words))
    }

    /// As a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it is gone");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address of this machine that nobody listens on.
pub fn free_address() -> String {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("its address").to_string()
}

/// Runs the binary to its end.
pub fn tongban(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tongban")).args(words).output().expect("the binary runs")
}
