//! One city as a process: how soon it is ready, what it holds while nothing happens, and how fast its pages are.

use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use tb_base::CaseId;
use tb_testkit::Folder;
use tokio::runtime::Runtime;

use crate::child::Program;
use crate::http1::PageCaller;
use crate::load::{pace, saturate};
use crate::measure::{Effort, Outcome, Series, moment};
use crate::planted::Planted;
use crate::report::{Line, Section, Target, number};
use crate::sqlite::runtime;

/// Cases of the large city.
const CASES: u64 = 1_000_000;
/// How long an idle city is looked at.
const IDLE_SECONDS: u64 = 10;
/// A city that is not ready in this time is not measured.
const READY_SECONDS_MAX: u64 = 60;
/// Callers of a page at once.
const CLIENTS: usize = 16;

/// Memory and start of a city, small and large, then its pages.
pub fn run(tongban: &Path, effort: Effort) -> Outcome<Section> {
    let runtime = runtime()?;
    let planted = Planted::demo(tongban)?;
    let case = planted.file_case(&runtime)?;
    let logs = Folder::new("bench-logs");
    let (memory, share) = idle(tongban, &planted, &runtime, &logs, effort)?;
    let cases = effort.of(CASES, CASES / 50);
    let begun = moment();
    planted.plant(&runtime, case, cases)?;
    let planting = begun.elapsed().as_secs_f64();
    let mut starts = Series::default();
    for _ in 0..effort.rounds {
        let (city, took) = started(tongban, &planted, &runtime, &logs)?;
        starts.add(took.as_secs_f64());
        drop(city);
    }
    let mut section = Section {
        lines: vec![
            Line::alone("one idle city: memory", "MB", memory, Target::AtMost(60.0)),
            Line::alone("one idle city: share of one core", "%", share, Target::AtMost(0.5)),
            Line::alone(
                format!("start to the first page, {} cases", number(cases as f64)),
                "s",
                starts,
                Target::AtMost(2.0),
            ),
        ],
        notes: vec![
            format!(
                "One `tongban serve` on SQLite with the people, accounts and licences of the demo; its resident memory {IDLE_SECONDS} s after it was ready, and the processor time that it used meanwhile."
            ),
            format!(
                "For the start, rows like those of a case that was really handed in are planted in `case_head` and `case_index` through the store ({} cases in {planting:.0} s); the time goes from the start of the process to the first answer of the start page.",
                number(cases as f64)
            ),
        ],
        tables: Vec::new(),
    };
    pages(tongban, &planted, &runtime, (&logs, case), effort, &mut section)?;
    Ok(section)
}

/// Starts the city and waits for its start page.
fn started(
    tongban: &Path,
    planted: &Planted,
    runtime: &Runtime,
    logs: &Folder,
) -> Outcome<(Program, Duration)> {
    let begun = moment();
    let city = serve(tongban, &planted.folder, logs)?;
    while begun.elapsed() < Duration::from_secs(READY_SECONDS_MAX) {
        let asked = runtime.block_on(async {
            let mut caller = PageCaller::connect(planted.port, "/", "").await?;
            caller.get().await
        });
        if asked.is_ok_and(|answer| answer.status == 200) {
            return Ok((city, begun.elapsed()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Err(format!(
        "the city was not ready: {}",
        std::fs::read_to_string(log_of(&planted.folder, logs)).unwrap_or_default()
    ))
}

fn serve(tongban: &Path, folder: &Path, logs: &Folder) -> Outcome<Program> {
    let city = folder.display().to_string();
    Program::start(tongban, &["serve", "--demo", "--city", &city], &log_of(folder, logs))
}

fn log_of(folder: &Path, logs: &Folder) -> std::path::PathBuf {
    logs.file(&folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
}

/// Megabytes, and per cent of a core, of a city that nobody asks.
fn idle(
    tongban: &Path,
    planted: &Planted,
    runtime: &Runtime,
    logs: &Folder,
    effort: Effort,
) -> Outcome<(Series, Series)> {
    let [mut memory, mut share] = <[Series; 2]>::default();
    for _ in 0..effort.of(2, 1) {
        let (city, _) = started(tongban, planted, runtime, logs)?;
        // The start itself is not idleness.
        std::thread::sleep(Duration::from_secs(effort.of(2, 1)));
        let (before, begun) = (city.processor_seconds()?, moment());
        std::thread::sleep(Duration::from_secs(effort.of(IDLE_SECONDS, 3)));
        share.add((city.processor_seconds()? - before) / begun.elapsed().as_secs_f64() * 100.0);
        memory.add(city.resident_mb()?);
    }
    Ok((memory, share))
}

/// Asks for the six pages that a resident opens most, signed in, one page after the other in every round.
fn pages(
    tongban: &Path,
    planted: &Planted,
    runtime: &Runtime,
    (logs, case): (&Folder, CaseId),
    effort: Effort,
    section: &mut Section,
) -> Outcome<()> {
    // The page of looks asks the other cities, too.
    let region = planted.folder.parent().ok_or("the city's folder lies nowhere")?;
    let others: Vec<Program> = ["430100", "430200"]
        .iter()
        .map(|node| serve(tongban, &region.join(node), logs))
        .collect::<Outcome<_>>()?;
    let (city, _) = started(tongban, planted, runtime, logs)?;
    let cookie = runtime.block_on(sign_in(planted))?;
    let paths = [
        ("start", "/".to_owned()),
        ("services", "/items".to_owned()),
        ("guide of a service", "/items/121".to_owned()),
        ("my cases", "/cases".to_owned()),
        ("one case", format!("/cases/{case}")),
        ("who looked at my data", "/looks".to_owned()),
    ];
    let mut figures: Vec<PageFigures> = Vec::new();
    for (_, path) in &paths {
        figures.push(runtime.block_on(sizes(planted.port, path, &cookie))?);
    }
    for _ in 0..effort.rounds {
        for ((_, path), figures) in paths.iter().zip(&mut figures) {
            figures.round(runtime, planted.port, path, &cookie, effort)?;
        }
    }
    drop((city, others));
    let mut table = "| page | requests/s | p50 at half load | p99 at half load | page | as sent |\n|---|---|---|---|---|---|\n".to_owned();
    for ((name, _), it) in paths.iter().zip(figures) {
        let (p50, p99) = (number(it.p50.median()), number(it.p99.median()));
        let (rate, spread) = (number(it.rate.median()), it.rate.spread());
        let (body, sent) = (number(it.body as f64), number(it.sent as f64));
        let _ = writeln!(
            table,
            "| {name} | {rate} ± {spread:.0} % | {p50} ms | {p99} ms | {body} B | {sent} B |"
        );
        section.lines.push(Line::alone(format!("page: {name}"), "/s", it.rate, Target::Open));
    }
    section.tables.push(table);
    section.notes.push(format!("Pages are asked for by {CLIENTS} kept connections in plain HTTP on the city with these cases, in the session of the demo's driver, while the other two cities run; \"as sent\" is with the fields and what compression the site offers to a browser."));
    Ok(())
}

/// The cookie of the driver's session, by the demo's own door.
async fn sign_in(planted: &Planted) -> Outcome<String> {
    let front = PageCaller::connect(planted.port, "/demo", "").await?.get().await?;
    let text = String::from_utf8_lossy(&front.body).into_owned();
    let token = text.split_once("token=").map(|(_, rest)| rest.split('&').next().unwrap_or_default());
    let token = token.ok_or("the demo's front has no link to sign in")?;
    let path = format!("/demo/enter?token={token}&login={}&next=/", planted.login);
    let entered = PageCaller::connect(planted.port, &path, "").await?.get().await?;
    let cookie = entered.field("set-cookie").and_then(|cookie| cookie.split(';').next());
    cookie
        .map(|cookie| format!("cookie: {cookie}\r\n"))
        .ok_or_else(|| format!("signing in gave no cookie: {}", entered.head))
}

/// What is known of a page.
#[derive(Default)]
struct PageFigures {
    body: usize,
    sent: usize,
    rate: Series,
    p50: Series,
    p99: Series,
}

/// Bytes without and with what a browser accepts.
async fn sizes(port: u16, path: &str, cookie: &str) -> Outcome<PageFigures> {
    let plain = PageCaller::connect(port, path, cookie).await?.get().await?;
    if plain.status != 200 {
        return Err(format!("{path} answers {}", plain.status));
    }
    let fields = format!("{cookie}accept-encoding: gzip, br, zstd\r\n");
    let sent = PageCaller::connect(port, path, &fields).await?.get().await?;
    Ok(PageFigures {
        body: plain.body.len(),
        sent: sent.head.len() + sent.body.len(),
        ..PageFigures::default()
    })
}

impl PageFigures {
    fn round(
        &mut self,
        runtime: &Runtime,
        port: u16,
        path: &str,
        cookie: &str,
        effort: Effort,
    ) -> Outcome<()> {
        let connect = async {
            let mut callers = Vec::new();
            for _ in 0..CLIENTS {
                callers.push(PageCaller::connect(port, path, cookie).await?);
            }
            Ok::<_, String>(callers)
        };
        let (rate, callers) = saturate(runtime, runtime.block_on(connect)?, effort)?;
        let (times, _) = pace(runtime, callers, rate / 2.0, effort)?;
        self.rate.add(rate);
        self.p50.add(times.percentile(50));
        self.p99.add(times.percentile(99));
        Ok(())
    }
}
