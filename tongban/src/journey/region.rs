//! The three processes that a journey runs on: founded in a folder of their own, started, killed, restarted.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::journey::browser::Browser;
use crate::journey::drill::{Charge, Kill, Supervisor};

/// The cities of the journey, in the order of their folders.
pub const CITIES: [&str; 3] = ["430100", "430200", "430300"];
/// A node that does not answer in this time did not start.
const START_SECONDS_MAX: u64 = 30;
/// How often a node that starts is asked.
const ASK_MILLIS: u64 = 20;
/// The ports that journeys take theirs from.
const PORTS_FROM: u16 = 10_000;
const PORTS: u16 = 22_000;
/// Keeps journeys that run beside each other apart.
const PORTS_STEP: u32 = 97;

/// How the region is to be run.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The binary.
    pub binary: PathBuf,
    /// An empty folder for the cities' data.
    pub folder: PathBuf,
    /// Seconds ahead of real time.
    pub shift: i64,
    /// A PostgreSQL address, or SQLite files.
    pub database: Option<String>,
    /// Kill each city at every write that it reaches.
    pub drill: bool,
}

/// One city's process.
struct Process {
    child: Option<Child>,
    site: u16,
    /// Seconds that this process is ahead of the region.
    ahead: i64,
}

/// Three city nodes, each a process of its own.
pub struct Region {
    setup: Setup,
    processes: Vec<Process>,
    supervisors: Vec<Supervisor>,
    /// Whether schemas in a database stay behind.
    leaves_data: bool,
}

impl Region {
    /// Founds the region, plants its people and starts its nodes.
    pub async fn start(setup: Setup) -> Result<Region, String> {
        let ports = free_ports(2 * CITIES.len())?;
        let pairs: Vec<String> = ports.chunks(2).map(|pair| format!("{}:{}", pair[0], pair[1])).collect();
        let mut prepare = Command::new(&setup.binary);
        prepare
            .args(["demo", "--prepare-only", "--data"])
            .arg(&setup.folder)
            .args(["--ports", &pairs.join(",")]);
        prepare.args(["--shift", &setup.shift.to_string()]);
        if let Some(database) = &setup.database {
            prepare.args(["--database", database, "--schemas", &schemas()]);
        }
        let prepared =
            tokio::process::Command::from(prepare).status().await.map_err(|error| error.to_string())?;
        if !prepared.success() {
            return Err("the region could not be founded".to_owned());
        }
        let sites = ports.chunks(2).map(|pair| Process { child: None, site: pair[0], ahead: 0 });
        let mut region =
            Region { setup, processes: sites.collect(), supervisors: Vec::new(), leaves_data: false };
        for at in 0..CITIES.len() {
            if region.setup.drill { region.supervise(at)? } else { region.begin(at)? }
        }
        for city in CITIES {
            region.ready(city).await?;
        }
        Ok(region)
    }

    fn begin(&mut self, at: usize) -> Result<(), String> {
        let child = serve(&self.setup, at, self.processes[at].ahead)?
            .stdout(Stdio::null())
            .spawn()
            .map_err(|error| format!("starting {}: {error}", CITIES[at]))?;
        self.processes[at].child = Some(child);
        Ok(())
    }

    /// Puts a city under the drill: it halts at every write, is killed there and started again.
    fn supervise(&mut self, at: usize) -> Result<(), String> {
        let setup = self.setup.clone();
        let start = move |passed: &[String]| {
            let mut command = serve(&setup, at, 0)?;
            command.args(["--halt-at", "any"]);
            if !passed.is_empty() {
                command.args(["--passed", &passed.join(",")]);
            }
            command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())
        };
        let site = SocketAddr::from(([127, 0, 0, 1], self.processes[at].site));
        let charge = Charge { city: CITIES[at].to_owned(), site, start: Box::new(start) };
        self.supervisors.push(Supervisor::begin(charge)?);
        Ok(())
    }

    /// What the cities wrote into a database stays when they are gone, as files in a named folder do.
    pub fn leave_data(&mut self) {
        self.leaves_data = true;
    }

    /// Whether cities are killed by a drill.
    pub fn is_drilled(&self) -> bool {
        !self.supervisors.is_empty()
    }

    /// What went wrong with the drill itself.
    pub fn drill_problem(&self) -> Option<String> {
        self.supervisors.iter().find_map(Supervisor::problem)
    }

    /// Ends the drill and with it the cities; gives every kill.
    pub fn finish_drill(&mut self) -> Result<Vec<Kill>, String> {
        let kills: Result<Vec<_>, String> = self.supervisors.iter_mut().map(Supervisor::finish).collect();
        Ok(kills?.into_iter().flatten().collect())
    }

    /// Waits until a city answers.
    #[expect(clippy::disallowed_methods, reason = "waiting for a process is about real time")]
    pub async fn ready(&mut self, city: &str) -> Result<(), String> {
        let begun = Instant::now();
        let mut browser = self.browser(city);
        while browser.call(hyper::Method::GET, "/healthz", None).await.is_err() {
            if let Some(problem) = self.drill_problem() {
                return Err(problem);
            }
            let at = index(city);
            if let Some(status) =
                self.processes[at].child.as_mut().and_then(|child| child.try_wait().ok().flatten())
            {
                return Err(format!("{city} ended with {status}: {}", self.tail(city)));
            }
            if Duration::from_secs(START_SECONDS_MAX) < begun.elapsed() {
                return Err(format!("{city} did not start in {START_SECONDS_MAX} s: {}", self.tail(city)));
            }
            tokio::time::sleep(Duration::from_millis(ASK_MILLIS)).await;
        }
        Ok(())
    }

    /// A fresh browser at a city's site.
    pub fn browser(&self, city: &str) -> Browser {
        Browser::at(&self.site(city))
    }

    /// The address of a city's site.
    pub fn site(&self, city: &str) -> String {
        format!("http://127.0.0.1:{}", self.processes[index(city)].site)
    }

    /// The folder with the cities' data.
    pub fn folder(&self) -> &Path {
        &self.setup.folder
    }

    /// Kills a city's process at once, as a power cut would.
    pub fn kill(&mut self, city: &str) -> Result<(), String> {
        if let Some(mut child) = self.processes[index(city)].child.take() {
            child.kill().map_err(|error| error.to_string())?;
            child.wait().map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Starts a city again from what lies on its disk.
    pub async fn restart(&mut self, city: &str) -> Result<(), String> {
        self.begin(index(city))?;
        self.ready(city).await
    }

    /// Starts a city again so much later, as if it had stood still meanwhile.
    pub async fn restart_later(&mut self, city: &str, seconds: i64) -> Result<(), String> {
        self.kill(city)?;
        self.processes[index(city)].ahead += seconds;
        self.restart(city).await
    }

    fn tail(&self, city: &str) -> String {
        let log = std::fs::read_to_string(self.setup.folder.join(format!("{city}.log"))).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(5)..].join("\n")
    }
}

impl Drop for Region {
    /// Ends the nodes, and removes what they left in a database that is somebody else's, unless it is to stay.
    fn drop(&mut self) {
        self.supervisors.clear();
        for city in CITIES {
            let _ = self.kill(city);
        }
        if let Some(database) = self.setup.database.as_ref().filter(|_| !self.leaves_data) {
            let mut drop = Command::new(&self.setup.binary);
            drop.args(["demo", "--drop-only", "--database", database, "--schemas", &schemas()]);
            let _ = drop.stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
    }
}

/// A city's process, to be started; its clock may be ahead of the others'.
fn serve(setup: &Setup, at: usize, ahead: i64) -> Result<Command, String> {
    let log = std::fs::File::options()
        .create(true)
        .append(true)
        .open(setup.folder.join(format!("{}.log", CITIES[at])))
        .map_err(|error| error.to_string())?;
    let mut command = Command::new(&setup.binary);
    command
        .args(["serve", "--demo", "--city"])
        .arg(setup.folder.join(CITIES[at]))
        .args(["--shift", &(setup.shift + ahead).to_string()])
        .stdin(Stdio::null())
        .stderr(log);
    Ok(command)
}

/// Schemas of this process alone: a demo on the same database keeps its own.
fn schemas() -> String {
    format!("journey_{}_", std::process::id())
}

fn index(city: &str) -> usize {
    CITIES.iter().position(|it| *it == city).unwrap_or(0)
}

/// Ports that nobody listens on now, below those that the system gives to calls that go out: a city that is killed
/// and started again finds its own port free, and no call to it while it is away can end at itself.
pub fn free_ports(count: usize) -> Result<Vec<u16>, String> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(PORTS_STEP);
    let mut sockets: Vec<TcpListener> = Vec::new();
    for _ in 0..PORTS {
        if sockets.len() == count {
            break;
        }
        let at = start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % u32::from(PORTS);
        let port = PORTS_FROM + u16::try_from(at).unwrap_or(0);
        sockets.extend(TcpListener::bind(("127.0.0.1", port)).ok());
    }
    if sockets.len() < count {
        return Err(format!("no {count} ports are free from {PORTS_FROM} on"));
    }
    sockets
        .iter()
        .map(|socket| socket.local_addr().map(|it| it.port()).map_err(|error| error.to_string()))
        .collect()
}
