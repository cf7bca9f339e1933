//! A program that ends with this process, however this process ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::measure::{Outcome, words};

/// Starts the program, says its number, and stops it when our end of the pipe closes.
const SCRIPT: &str = "trap '' INT TERM HUP\n\
    log=$1; shift\n\
    \"$@\" >\"$log\" 2>&1 </dev/null &\n\
    echo $!\n\
    cat >/dev/null\n\
    kill -TERM $! 2>/dev/null\n\
    for _ in $(seq 1 100); do kill -0 $! 2>/dev/null || break; sleep 0.1; done\n\
    kill -KILL $! 2>/dev/null\n\
    wait\n";

/// A running program.
pub struct Program {
    /// Its number.
    pub id: u32,
    input: Option<ChildStdin>,
    keeper: Child,
}

impl Program {
    /// Starts it; what it says goes to the log.
    pub fn start(program: &Path, words_: &[&str], log: &Path) -> Outcome<Program> {
        let mut keeper = Command::new("sh")
            .args(["-c", SCRIPT, "keeper"])
            .arg(log)
            .arg(program)
            .args(words_)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(words)?;
        let input = keeper.stdin.take();
        let output = keeper.stdout.take().ok_or("the shell has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).map_err(words)?;
        let id = line.trim().parse().map_err(|_| format!("{} did not start", program.display()))?;
        Ok(Program { id, input, keeper })
    }

    /// Memory that it holds at the moment, in megabytes.
    pub fn resident_mb(&self) -> Outcome<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.id)).map_err(words)?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok());
        kilobytes.map(|size| size / 1_024.0).ok_or_else(|| "no memory is told".to_owned())
    }

    /// Processor time that it used so far, in seconds.
    pub fn processor_seconds(&self) -> Outcome<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.id)).map_err(words)?;
        let (_, rest) = text.rsplit_once(')').ok_or("no times are told")?;
        // utime and stime, fields 14 and 15, in ticks of a hundredth.
        let ticks: Vec<f64> =
            rest.split_whitespace().skip(11).take(2).filter_map(|it| it.parse().ok()).collect();
        Ok(ticks.iter().sum::<f64>() / 100.0)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.input = None;
        drop(self.keeper.wait());
    }
}
