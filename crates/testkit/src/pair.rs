//! A PostgreSQL primary with a streaming standby, for tests that kill the one and promote the other.
//!
//! A commit counts when the standby has it (`synchronous_standby_names`). Both end with the process that started them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::postgres::{SERVER_USER, await_ready, binaries, keeper_command};

/// The ports stand in the names of sockets in the pair's own folder: they meet nobody else's.
const PRIMARY: u16 = 6_001;
const STANDBY: u16 = 6_002;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// Two servers, of which the first takes writes until it is killed.
pub struct PostgresPair {
    /// The address that names both and wants the one that takes writes.
    pub url: String,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _keeper: Child,
}

impl PostgresPair {
    /// Starts both.
    ///
    /// # Panics
    /// Where there is no PostgreSQL: the tests that need one must not pass without it.
    #[expect(clippy::panic, reason = "a test that cannot have its database has to stop with the reason")]
    pub fn start() -> PostgresPair {
        match start() {
            Ok(pair) => pair,
            Err(problem) => panic!("starting a pair of PostgreSQL servers: {problem}"),
        }
    }

    /// Kills the primary as a power cut would.
    ///
    /// # Panics
    /// Where it cannot be killed.
    pub fn kill_primary(&mut self) {
        self.tell("kill");
    }

    /// Makes the standby take writes, and waits until it does.
    ///
    /// # Panics
    /// Where it cannot be promoted.
    pub fn promote_standby(&mut self) {
        self.tell("promote");
    }

    #[expect(clippy::panic, reason = "a test whose servers do not obey has to stop")]
    fn tell(&mut self, word: &str) {
        let told = writeln!(self.input, "{word}").and_then(|()| self.input.flush());
        let mut answer = String::new();
        let heard = told.and_then(|()| self.output.read_line(&mut answer));
        if heard.is_err() || answer.trim() != "done" {
            panic!("telling the servers to {word}: {answer:?} {heard:?}");
        }
    }
}

fn start() -> Result<PostgresPair, String> {
    let binaries = binaries().ok_or("no postgres program was found")?;
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("tongban-pair-{}-{number}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).map_err(|error| format!("making {}: {error}", folder.display()))?;
    let mut keeper = keeper_command(&folder)?;
    keeper.arg(script(&binaries, &folder));
    let mut child = keeper
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("starting a shell: {error}"))?;
    let input = child.stdin.take().ok_or("the shell has no input")?;
    let mut output = BufReader::new(child.stdout.take().ok_or("the shell has no output")?);
    await_ready(&mut output, &folder)?;
    let host = folder.display();
    let url = format!(
        "host={host},{host} port={PRIMARY},{STANDBY} user={SERVER_USER} dbname=postgres target_session_attrs=read-write"
    );
    Ok(PostgresPair { url, input, output, _keeper: child })
}

/// Starts both, obeys, and stops both at the end of our input.
fn script(binaries: &Path, folder: &Path) -> String {
    let (binaries, folder) = (binaries.display(), folder.display());
    let common = format!("-k {folder} -c listen_addresses= -c max_connections=200 -c shared_buffers=32MB");
    format!(
        "trap '' INT TERM HUP\n\
         cd {folder} || exit 1\n\
         {binaries}/initdb -D one -U {SERVER_USER} -A trust -E UTF8 --locale=C --locale-provider=icu --icu-locale=zh --no-sync >log 2>&1 </dev/null || exit 1\n\
         {binaries}/pg_ctl -D one -l one.log -w -t 60 -o \"{common} -p {PRIMARY} -c wal_level=replica \
         -c synchronous_commit=on -c synchronous_standby_names=*\" start >>log 2>&1 </dev/null || exit 1\n\
         {binaries}/pg_basebackup -h {folder} -p {PRIMARY} -U {SERVER_USER} -D two -R -c fast -X stream --no-sync \
         >>log 2>&1 </dev/null || exit 1\n\
         {binaries}/pg_ctl -D two -l two.log -w -t 60 -o \"{common} -p {STANDBY}\" start >>log 2>&1 </dev/null || exit 1\n\
         echo ready\n\
         while read -r word; do case $word in\n\
         kill) kill -9 \"$(head -n 1 one/postmaster.pid)\" && echo done ;;\n\
         promote) {binaries}/pg_ctl -D two -w -t 60 promote >>log 2>&1 </dev/null && echo done ;;\n\
         esac || echo failed; done\n\
         {binaries}/pg_ctl -D two -m immediate stop >>log 2>&1 </dev/null\n\
         {binaries}/pg_ctl -D one -m immediate stop >>log 2>&1 </dev/null\n\
         cd / && rm -rf {folder}\n\
         exit 0\n"
    )
}
