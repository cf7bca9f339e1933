//! Stories (故事): the acceptance tests of clauses, in plain words, on three processes and both engines.
//!
//! Each line of a `.story` file is one act or one expectation; an unknown line fails the story.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tb_testkit::{Folder, Postgres};
use tongban::journey::people::{World, list, text};
use tongban::journey::region::{Region, Setup};
use tongban::journey::steps::{self, APPROVER, DRIVER_HOME, DRIVER_THERE, REVIEWER, Visitor};
use tongban::journey::tour::shift_to;

/// The day that every story begins on; each says it too, so that it reads as a whole.
const DAY: &str = "2026-03-10";

/// What a story has come to.
struct Told {
    case: String,
    draft: String,
    version: u64,
}

#[tokio::test]
async fn on_sqlite() {
    tell_all(None).await;
}

#[tokio::test]
async fn on_postgres() {
    let postgres = Postgres::start();
    tell_all(Some(postgres.url.clone())).await;
}

async fn tell_all(database: Option<String>) {
    let folder = Folder::new("stories");
    let setup = Setup {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        folder: folder.path().to_owned(),
        shift: shift_to(DAY).expect("a day"),
        database,
        drill: false,
    };
    let mut world = World::new(Region::start(setup).await.expect("the region starts"));
    for path in stories() {
        let story = std::fs::read_to_string(&path).expect("a story");
        if let Err(problem) = tell(&mut world, &story).await {
            panic!("{}: {problem}", path.display());
        }
    }
}

/// Every story of every task, in order of their names.
fn stories() -> Vec<PathBuf> {
    let tasks = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tasks");
    let mut found = Vec::new();
    for task in std::fs::read_dir(tasks).expect("tasks") {
        let folder = task.expect("a task").path().join("stories");
        let Ok(files) = std::fs::read_dir(folder) else { continue };
        found.extend(
            files
                .map(|file| file.expect("a file").path())
                .filter(|path| path.extension().is_some_and(|it| it == "story")),
        );
    }
    found.sort();
    assert!(!found.is_empty(), "there are stories");
    found
}

async fn tell(world: &mut World, story: &str) -> Result<(), String> {
    let mut told = Told { case: String::new(), draft: String::new(), version: version(world).await? };
    for (at, line) in story.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        step(world, &mut told, line)
            .await
            .map_err(|problem| format!("line {}, “{line}”: {problem}", at + 1))?;
    }
    Ok(())
}

async fn step(world: &mut World, told: &mut Told, line: &str) -> Result<(), String> {
    match line.split_once(' ') {
        Some(("at", day)) if day == DAY => Ok(()),
        Some(("at", day)) => Err(format!("stories begin on {DAY}, not on {day}")),
        Some(("expect", what)) => expect(world, told, what).await,
        _ => act(world, told, line).await,
    }
}

async fn act(world: &mut World, told: &mut Told, line: &str) -> Result<(), String> {
    match line {
        "driver files item 121 at Changsha online for Xiangtan" => {
            told.draft = steps::prepare_online(world).await?;
            told.case = steps::submit_online(world, &told.draft).await?;
            Ok(())
        }
        "driver prepares item 121 at Changsha for Xiangtan" => {
            told.draft = steps::prepare_online(world).await?;
            Ok(())
        }
        "driver submits" => {
            told.case = steps::submit_online(world, &told.draft).await?;
            Ok(())
        }
        "walk-in files item 121 at the window of Changsha for Xiangtan by signature" => {
            told.draft = steps::collect_at_window(world, Visitor::WalkIn).await?;
            steps::agree_by_signature(world, &told.draft).await?;
            told.case = steps::submit_at_window(world, &told.draft).await?;
            Ok(())
        }
        "Xiangtan goes down" => world.region.kill("430300"),
        "Xiangtan comes back" => world.region.restart("430300").await,
        "driver answers the correction at Xiangtan" => {
            steps::answer_correction(world, DRIVER_THERE, &told.case).await
        }
        "driver answers the correction at Changsha" => {
            steps::answer_correction(world, DRIVER_HOME, &told.case).await
        }
        "driver withdraws at Changsha" => steps::withdraw(world, &told.case).await,
        "clerk hands the result over" => steps::hand_over(world, &told.case).await,
        "driver rates window 5 and department 4" => {
            steps::rate(world, &told.case, "window", "5").await?;
            steps::rate(world, &told.case, "department", "4").await
        }
        _ => officer(world, told, line).await,
    }
}

async fn officer(world: &mut World, told: &Told, line: &str) -> Result<(), String> {
    let (who, fields): (&str, Vec<(&str, &str)>) = match line {
        "reviewer asks for a correction of phone" => (
            REVIEWER,
            vec![
                ("command", "ask_correction"),
                ("about1", "phone"),
                ("what1", "手机号打不通，请核对"),
                ("article1", "行政许可法第三十二条"),
            ],
        ),
        "reviewer accepts" => (REVIEWER, vec![("command", "accept")]),
        "reviewer proposes approval" => {
            (REVIEWER, vec![("command", "opine"), ("agrees", "approve"), ("text", "符合条件")])
        }
        "reviewer proposes refusal" => {
            (REVIEWER, vec![("command", "opine"), ("agrees", "refuse"), ("text", "不符合条件")])
        }
        "approver approves" => (APPROVER, vec![("command", "approve")]),
        "approver refuses for conditions-not-met" => (
            APPROVER,
            vec![("command", "refuse"), ("ground", "conditions-not-met"), ("facts", "继续教育学时未完成")],
        ),
        _ => return Err("nobody knows how to do this".to_owned()),
    };
    steps::act(world, who, &told.case, &fields).await
}

async fn expect(world: &mut World, told: &Told, what: &str) -> Result<(), String> {
    if let Some(phases) = what.strip_prefix("phase ").and_then(|rest| rest.strip_suffix(" in both cities")) {
        let phases: Vec<&str> = phases.split(" or ").collect();
        return both_or_owner(world, told, &phases).await;
    }
    match what {
        "phase offered at Changsha, waiting for Xiangtan" => offered(world, told).await,
        "the same due dates in both cities" => due_dates(world, told).await,
        "a new version of the certificate" => {
            let now = version(world).await?;
            if now == told.version + 1 {
                Ok(())
            } else {
                Err(format!("version {now} follows {}", told.version))
            }
        }
        "a refusal with article and remedies in both cities" => refusal(world, told).await,
        "looks that name the case, each proved" => looks(world, told).await,
        _ => Err("nobody knows how to see this".to_owned()),
    }
}

/// A case of the man without an account is seen by the clerk and by the officer who holds it.
async fn both_or_owner(world: &mut World, told: &Told, phases: &[&str]) -> Result<(), String> {
    let path = format!("/cases/{}", told.case);
    let hers = world.person(DRIVER_HOME).await?.call(hyper::Method::GET, &path, None).await?.status == 200;
    if hers {
        return steps::both_show(world, &told.case, phases).await.map(drop);
    }
    let shows = |page: &Value| phases.contains(&text(page, "/progress/phase"));
    let what = phases.join(" or ");
    world.until(REVIEWER, &format!("/office/cases/{}", told.case), &what, shows).await?;
    world.until(steps::CLERK, &format!("/window/cases/{}", told.case), &what, shows).await.map(drop)
}

async fn offered(world: &mut World, told: &Told) -> Result<(), String> {
    let path = format!("/cases/{}", told.case);
    let page = world
        .until(DRIVER_HOME, &path, "an offered case that waits", |page| {
            text(page, "/progress/phase") == "offered"
        })
        .await?;
    match page.pointer("/progress/waiting") {
        Some(Value::Object(_)) => Ok(()),
        _ => Err(format!("the page does not say what it waits for: {page}")),
    }
}

async fn due_dates(world: &mut World, told: &Told) -> Result<(), String> {
    let (home, there) = steps::both_show(world, &told.case, &["accepted", "reviewing"]).await?;
    let due = |page: &Value| page.pointer("/due/legal/date").cloned();
    match (due(&home), due(&there)) {
        (Some(one), Some(other)) if one == other => Ok(()),
        (one, other) => Err(format!("{one:?} here, {other:?} there")),
    }
}

async fn refusal(world: &mut World, told: &Told) -> Result<(), String> {
    for who in [DRIVER_HOME, DRIVER_THERE] {
        let path = format!("/cases/{}", told.case);
        let refused = |page: &Value| {
            !list(page, "/progress/remedies").is_empty() && page.to_string().contains("行政许可法第三十八条")
        };
        world.until(who, &path, "a refusal with article and remedies", refused).await?;
    }
    Ok(())
}

async fn looks(world: &mut World, told: &Told) -> Result<(), String> {
    let proved = |page: &Value| {
        let rows = list(page, "/rows");
        let of_case = rows.iter().filter(|row| text(row, "/case") == told.case);
        let cosigned = |row: &Value| row.pointer("/witnesses").and_then(Value::as_u64) == Some(2);
        of_case.clone().count() > 0 && of_case.clone().all(cosigned)
    };
    world.until(DRIVER_HOME, "/looks", "looks of the case with proofs", proved).await.map(drop)
}

async fn version(world: &mut World) -> Result<u64, String> {
    let page = world.get(DRIVER_HOME, "/licences").await?;
    let version = steps::certificate(&page).and_then(|it| it.pointer("/version")).and_then(Value::as_u64);
    version.ok_or_else(|| format!("she has no certificate: {page}"))
}
