//! The journey as people see it (浏览器测试): a real Chromium on three real city processes.
//!
//! The resident at 390 px, clerk, reviewer and approver at 1280 px. Every page that is shown is looked over
//! (`checks.js`) and photographed into `target/screenshots`; with `TONGBAN_PICTURES=1` the pictures of the
//! README are made anew.

mod administrator;
mod asks;
mod bureau;
mod clerk;
mod counter;
mod door;
mod enterprise;
mod every_page;
mod hands;
mod keyboard;
mod officer;
mod plain;
mod plain_forms;
mod plain_staff;
mod planted;
mod resident;
mod review;
mod stage;
mod supervisor;
mod tab;
mod tour;
mod visits;

/// Runs a play on a fresh stage; fails with everything that was wrong, as people read it.
#[expect(clippy::panic, reason = "a failed test shows its message as it is, not escaped on one line")]
async fn play(name: &str, acts: impl AsyncFnOnce(&mut stage::Stage) -> Seen) {
    let mut stage = match stage::Stage::open(name).await {
        Ok(stage) => stage,
        Err(problem) => panic!("{problem}"),
    };
    let outcome = acts(&mut stage).await;
    if let Err(problems) = stage.verdict(outcome) {
        panic!("{problems}");
    }
}

/// What a step gives, or what was seen instead.
type Seen<T = ()> = Result<T, String>;
