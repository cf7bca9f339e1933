//! Processes of the binary as tests start and stop them.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tb_testkit::{Folder, until};
use tongban::journey::region;

/// A process with what it wrote.
pub struct Process {
    pub child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts the binary and waits until it is ready.
    pub fn start(folder: &Folder, name: &str, words: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tongban"));
        command.args(words);
        let process = Process::run(folder, name, &mut command);
        until(&format!("{name} is ready"), Duration::from_secs(30), || process.said("ready"));
        process
    }

    /// Starts any command; whatever becomes of the test, the process ends with it.
    pub fn run(folder: &Folder, name: &str, command: &mut Command) -> Process {
        let log = folder.file(&format!("{name}.log"));
        let written = std::fs::File::create(&log).expect("a log file");
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(written);
        Process { child: quiet.spawn().expect("the command runs"), log }
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

/// Ports that nobody listens on and that the system gives to no call that goes out.
pub fn free_ports(count: usize) -> Vec<u16> {
    region::free_ports(count).expect("free ports")
}

/// An address of this machine with such a port.
pub fn free_address() -> String {
    format!("127.0.0.1:{}", free_ports(1)[0])
}

/// Runs the binary to its end.
pub fn tongban(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tongban")).args(words).output().expect("the binary runs")
}
