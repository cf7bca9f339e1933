//! The drill (演练): each city's process is killed at every write that it reaches, once before and once after it
//! took effect, and started again; the journey goes on meanwhile.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, ChildStdout, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::drill::HALTED;

/// How often a process is looked after.
const LOOK_MILLIS: u64 = 5;
/// A city that does not answer in this time is asked again.
const ANSWER_MILLIS_MAX: u64 = 1_000;
/// A city that is not back in this time will not be.
const BACK_SECONDS_MAX: u64 = 30;

/// A city was killed.
#[derive(Clone, Debug, Serialize)]
pub struct Kill {
    /// The city.
    pub city: String,
    /// The write, and on which side of it.
    pub point: String,
    /// From the kill until the city answered again; nothing where it was killed once more before that.
    pub back_millis: Option<u64>,
}

/// How many kills there were, and how soon the cities were back.
pub fn summary(kills: &[Kill]) -> String {
    let mut back: Vec<u64> = kills.iter().filter_map(|kill| kill.back_millis).collect();
    back.sort_unstable();
    let median = back.get(back.len() / 2).copied().unwrap_or_default();
    let worst = back.last().copied().unwrap_or_default();
    format!("killed {} times; back after {median} ms in the middle, {worst} ms at the worst", kills.len())
}

/// Somebody who starts a city's process, kills it where it halts, and starts it again.
pub struct Supervisor {
    shared: Arc<Mutex<Shared>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    kills: Vec<Kill>,
    /// The journey is over: the process is to end politely.
    is_ending: bool,
    problem: Option<String>,
}

/// Starts a city's process, which does not halt at the points given.
pub type Start = Box<dyn Fn(&[String]) -> Result<Child, String> + Send>;

/// What a supervisor needs to know of its city.
pub struct Charge {
    /// The city.
    pub city: String,
    /// Where its site answers.
    pub site: SocketAddr,
    /// Starts the process, which does not halt at the points given.
    pub start: Start,
}

impl Supervisor {
    /// Starts the process and looks after it.
    pub fn begin(charge: Charge) -> Result<Supervisor, String> {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let seen = shared.clone();
        let look_after = move || {
            if let Err(problem) = look_after(&charge, &seen) {
                locked(&seen).problem = Some(format!("{}: {problem}", charge.city));
            }
        };
        let thread = std::thread::Builder::new().name("drill".to_owned()).spawn(look_after);
        Ok(Supervisor { shared, thread: Some(thread.map_err(|error| error.to_string())?) })
    }

    /// What went wrong, if anything did.
    pub fn problem(&self) -> Option<String> {
        locked(&self.shared).problem.clone()
    }

    /// Lets the process end, killed once more where it halts on its way out; gives every kill.
    pub fn finish(&mut self) -> Result<Vec<Kill>, String> {
        locked(&self.shared).is_ending = true;
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| "the drill's thread panicked".to_owned())?;
        }
        let shared = locked(&self.shared);
        match &shared.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(shared.kills.clone()),
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        let _ = self.finish();
    }
}

fn locked(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How the life of one process ended.
enum End {
    /// It halted there and was killed.
    Killed(String),
    /// It was told to end, and did.
    Polite,
}

#[expect(clippy::disallowed_methods, reason = "how long a city is away is about real time")]
fn look_after(charge: &Charge, shared: &Mutex<Shared>) -> Result<(), String> {
    let mut passed: Vec<String> = Vec::new();
    let mut since = Instant::now();
    loop {
        let child = (charge.start)(&passed)?;
        match one_life(charge, shared, child, since)? {
            End::Polite => return Ok(()),
            End::Killed(point) => {
                since = Instant::now();
                passed.push(point.clone());
                locked(shared).kills.push(Kill { city: charge.city.clone(), point, back_millis: None });
            }
        }
    }
}

fn one_life(
    charge: &Charge,
    shared: &Mutex<Shared>,
    mut child: Child,
    since: Instant,
) -> Result<End, String> {
    let lines = lines_of(child.stdout.take())?;
    let (mut is_back, mut is_told) = (false, false);
    loop {
        match lines.recv_timeout(Duration::from_millis(LOOK_MILLIS)) {
            Ok(line) => {
                if let Some(point) = line.strip_prefix(HALTED) {
                    end(&mut child)?;
                    return Ok(End::Killed(point.to_owned()));
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                let status = child.wait().map_err(|error| error.to_string())?;
                return if is_told { Ok(End::Polite) } else { Err(format!("it ended by itself: {status}")) };
            }
        }
        if !is_back && answers(charge.site) {
            is_back = true;
            let millis = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            if let Some(kill) = locked(shared).kills.last_mut() {
                kill.back_millis = kill.back_millis.or(Some(millis));
            }
        }
        if !is_back && Duration::from_secs(BACK_SECONDS_MAX) < since.elapsed() {
            end(&mut child)?;
            return Err(format!("it is not back after {BACK_SECONDS_MAX} s"));
        }
        if is_back && !is_told && locked(shared).is_ending {
            is_told = true;
            signal(&child, "TERM")?;
        }
    }
}

/// As a power cut would.
fn end(child: &mut Child) -> Result<(), String> {
    child.kill().and_then(|()| child.wait()).map(drop).map_err(|error| error.to_string())
}

/// Sends a signal such as `TERM` or `STOP` to a process of this journey.
pub fn signal(child: &Child, name: &str) -> Result<(), String> {
    let sent = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status();
    match sent {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("kill -{name}: {status}")),
        Err(error) => Err(format!("kill -{name}: {error}")),
    }
}

/// The lines that a process writes, as they come.
fn lines_of(output: Option<ChildStdout>) -> Result<Receiver<String>, String> {
    let output = output.ok_or("its output is not piped")?;
    let (tell, lines) = channel();
    let read = move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    };
    std::thread::Builder::new().spawn(read).map_err(|error| error.to_string())?;
    Ok(lines)
}

/// Whether a site says anything at all.
fn answers(site: SocketAddr) -> bool {
    let within = Duration::from_millis(ANSWER_MILLIS_MAX);
    let ask = || {
        let mut stream = TcpStream::connect_timeout(&site, within)?;
        stream.set_read_timeout(Some(within))?;
        write!(stream, "GET /healthz HTTP/1.1\r\nhost: {site}\r\nconnection: close\r\n\r\n")?;
        let mut head = [0; 5];
        stream.read_exact(&mut head)?;
        Ok::<_, std::io::Error>(head)
    };
    ask().is_ok_and(|head| &head == b"HTTP/")
}
