//! A PostgreSQL that a test process starts for itself, as an unprivileged user.
//!
//! Invariant: it listens on a socket in its own folder only, and ends with the process that started it:
//! a shell waits for the end of its standard input, which the process holds open, and then stops the server.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Says where to find a PostgreSQL that is to be used instead of a private one.
const URL_VARIABLE: &str = "TONGBAN_TEST_POSTGRES";

/// The user that the server runs as where the tests run as root, which PostgreSQL refuses.
pub(crate) const SERVER_USER: &str = "postgres";

/// A running PostgreSQL.
#[derive(Clone, Debug)]
pub struct Postgres {
    /// Its address, such as `postgres://postgres@%2Ftmp%2F…/postgres`.
    pub url: String,
}

/// What keeps the private server alive; the shell sees the end of its input when the process ends, however it ends.
struct Server {
    url: String,
    input: ChildStdin,
    keeper: Child,
}

static SERVER: Mutex<Option<Result<Server, String>>> = Mutex::new(None);
static DURABLE: Mutex<Option<Result<Server, String>>> = Mutex::new(None);
/// The data ends with the process, so nothing needs to reach the disk.
const FLEETING: &str =
    "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c shared_buffers=64MB";
/// As a city would run it: what is acknowledged is on the disk. For benchmarks.
const KEEPING: &str = "-c fsync=on -c synchronous_commit=on -c shared_buffers=1GB -c max_wal_size=4GB";
/// Texts stand in the order of Chinese, as on a server that a city installs: what works only where they stand in the
/// order of their bytes must not pass.
const LOCALE: &str = "--locale=C --locale-provider=icu --icu-locale=zh";
static NEXT_SCHEMA: AtomicU64 = AtomicU64::new(0);

impl Postgres {
    /// The server of this process: started by the first call, shared by the others.
    ///
    /// # Panics
    /// Where there is no PostgreSQL: the tests that need one must not pass without it.
    #[expect(clippy::panic, reason = "a test that cannot have its database has to stop with the reason")]
    pub fn start() -> Postgres {
        if let Ok(url) = std::env::var(URL_VARIABLE) {
            return Postgres { url };
        }
        let mut server = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        match server.get_or_insert_with(|| start("", FLEETING)) {
            Ok(server) => Postgres { url: server.url.clone() },
            Err(problem) => panic!(
                "starting PostgreSQL for the tests: {problem}. Install it (apt-get install postgresql) or set {URL_VARIABLE}"
            ),
        }
    }

    /// A second server of this process, whose commits reach the disk as those of a city do; for benchmarks.
    pub fn durable() -> Result<Postgres, String> {
        let mut server = DURABLE.lock().unwrap_or_else(PoisonError::into_inner);
        match server.get_or_insert_with(|| start("-durable", KEEPING)) {
            Ok(server) => Ok(Postgres { url: server.url.clone() }),
            Err(problem) => Err(problem.clone()),
        }
    }

    /// Stops the server of [`Postgres::durable`], if there is one, and removes its folder.
    pub fn end_durable() {
        let ended = DURABLE.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Ok(Server { input, mut keeper, .. })) = ended {
            drop(input);
            drop(keeper.wait());
        }
    }

    /// The folder with the socket of a private server, for programs that take a host.
    pub fn socket_folder(&self) -> Option<PathBuf> {
        let (_, rest) = self.url.split_once('@')?;
        let (host, _) = rest.split_once('/')?;
        Some(PathBuf::from(host.replace("%2F", "/")))
    }

    /// The name of a schema that no other test of any process uses.
    pub fn schema(&self, name: &str) -> String {
        let number = NEXT_SCHEMA.fetch_add(1, Ordering::Relaxed);
        format!("{name}_{}_{number}", std::process::id())
    }
}

fn start(name: &str, settings: &str) -> Result<Server, String> {
    let binaries = binaries().ok_or("no postgres program was found")?;
    let folder = std::env::temp_dir().join(format!("tongban-postgres{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    let mut keeper = keeper_command(&folder)?;
    keeper.arg(script(&binaries, &folder, settings));
    let mut child = keeper
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("starting a shell: {error}"))?;
    let input = child.stdin.take().ok_or("the shell has no input")?;
    let output = child.stdout.take().ok_or("the shell has no output")?;
    await_ready(BufReader::new(output), &folder)?;
    let host = folder.display().to_string().replace('/', "%2F");
    Ok(Server { url: format!("postgres://{SERVER_USER}@{host}/postgres"), input, keeper: child })
}

/// Reads what the shell says until the server is up.
pub(crate) fn await_ready(output: impl BufRead, folder: &Path) -> Result<(), String> {
    for line in output.lines() {
        match line {
            Ok(line) if line == "ready" => return Ok(()),
            Ok(_) => {}
            Err(error) => return Err(format!("reading from the shell: {error}")),
        }
    }
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    Err(format!("the server did not come up; {} says: {log}", folder.join("log").display()))
}

/// A shell that still lacks its script, as a user that PostgreSQL accepts.
pub(crate) fn keeper_command(folder: &Path) -> Result<Command, String> {
    if !is_root() {
        let mut command = Command::new("sh");
        command.arg("-c");
        return Ok(command);
    }
    let given = Command::new("chown")
        .arg(SERVER_USER)
        .arg(folder)
        .status()
        .map_err(|error| format!("giving the folder to {SERVER_USER}: {error}"))?;
    if !given.success() {
        return Err(format!("there is no user {SERVER_USER}"));
    }
    let mut command = Command::new("runuser");
    command.args(["-u", SERVER_USER, "--", "sh", "-c"]);
    Ok(command)
}

fn is_root() -> bool {
    let answer = Command::new("id").arg("-u").output();
    answer.is_ok_and(|output| output.stdout.starts_with(b"0"))
}

/// Starts the server, waits for the end of our input, stops the server and removes its folder.
fn script(binaries: &Path, folder: &Path, settings: &str) -> String {
    let (binaries, folder) = (binaries.display(), folder.display());
    format!(
        "trap '' INT TERM HUP\n\
         cd {folder} || exit 1\n\
         {binaries}/initdb -D data {LOCALE} -U {SERVER_USER} -A trust -E UTF8 --no-sync >log 2>&1 </dev/null || exit 1\n\
         {binaries}/pg_ctl -D data -l log -w -t 60 -o \"-k {folder} -c listen_addresses= -c max_connections=400 {settings}\" start \
         >>log 2>&1 </dev/null || exit 1\n\
         echo ready\n\
         cat >/dev/null\n\
         {binaries}/pg_ctl -D data -m immediate stop >>log 2>&1 </dev/null\n\
         cd / && rm -rf {folder}\n\
         exit 0\n"
    )
}

/// The folder with the server's programs: what stands on the path leads to it, or Debian keeps its newest version there.
pub(crate) fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find_map(|folder| folder.join("initdb").canonicalize().ok());
    on_path.and_then(|program| Some(program.parent()?.to_owned())).or_else(|| {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let folders = versions.flatten().map(|version| version.path().join("bin"));
        folders.filter(|folder| folder.join("initdb").is_file()).max()
    })
}
