//! An officer at her list (逐件核对): from the queue to the last case by keys alone, at a desk and on a telephone, and
//! several cases accepted at once.

use super::Seen;
use super::planted;
use super::stage::Stage;
use super::tab::{ENTER, SPACE, Tab, View};

const REVIEWER: &str = "reviewer1@430300";
/// The list that she works through: received cases, the longest standing first.
const LIST: &str = "/office?state=received&sort=since";

#[tokio::test(flavor = "multi_thread")]
async fn cases_are_reviewed_by_keys_alone() {
    super::play("review", async |stage| {
        let mut cases = Vec::new();
        for _ in 0..4 {
            cases.push(planted::file(&mut stage.world).await?);
        }
        at_the_desk(stage, &cases).await?;
        on_the_telephone(stage, &cases[2]).await
    })
    .await;
}

/// One is accepted, one looked at, two accepted at once; nothing but keys.
async fn at_the_desk(stage: &Stage, cases: &[String]) -> Seen {
    let desk = open(stage, View::Desk).await?;
    desk.look("list").await?;
    enter(&desk, "main .table a").await?;
    is_case(&desk, &cases[0], "第 1 件，共 4 件").await?;
    desk.look("case").await?;
    bar_is_in_sight(&desk).await?;
    desk.keys("1").await?;
    desk.keys("2").await?;
    desk.reload_until("[data-left]", "1").await?;
    desk.key_to_next('y').await?;
    desk.says("h2#do", "受理").await?;
    desk.key_to_next('y').await?;
    desk.says("main", "已办理").await?;
    desk.key_to_next(']').await?;
    is_case(&desk, &cases[1], "第 1 件，共 3 件").await?;
    desk.key_to_next('b').await?;
    desk.says("h2#do", "一次性告知补正").await?;
    desk.key_to_next('l').await?;
    desk.is_at("/office").await?;
    desk.skip_to_main().await?;
    for case in &cases[2..] {
        desk.tab_to(&format!("input[value='{case}']")).await?;
        desk.keys(&SPACE.to_string()).await?;
    }
    desk.tab_to("main .decide button").await?;
    desk.key_to_next(ENTER).await?;
    desk.look("bulk-confirm").await?;
    enter(&desk, "main form[action='/office/bulk'] button").await?;
    desk.says("h1", "2 件已受理").await?;
    desk.look("bulk").await
}

/// The same keys on a telephone with a keyboard, in the list of what is hers.
async fn on_the_telephone(stage: &Stage, case: &str) -> Seen {
    let phone = open(stage, View::Phone).await?;
    phone.go(&format!("/office/cases/{case}?in=state%3Daccepted%26sort%3Dsince")).await?;
    is_case(&phone, case, "第 2 件，共 3 件").await?;
    phone.look("case").await?;
    phone.keys("3").await?;
    phone.reload_until("[data-left]", "2").await?;
    phone.key_to_next('y').await?;
    phone.says("h2#do", "审查意见").await?;
    phone.key_to_next('[').await?;
    phone.key_to_next('l').await?;
    phone.is_at("/office").await?;
    phone.go("/office").await?;
    enter(&phone, "main a[href^='/office/bulk/']").await?;
    phone.look("bulk").await
}

async fn open(stage: &Stage, view: View) -> Seen<Tab> {
    let tab = stage.tab(&format!("review-{}", view.width()), view, "430300").await?;
    tab.sign_in(REVIEWER).await?;
    tab.go(LIST).await?;
    Ok(tab)
}

/// From the head of the page by the tab key to something, which is pressed.
async fn enter(tab: &Tab, css: &str) -> Seen {
    tab.skip_to_main().await?;
    tab.tab_to(css).await?;
    tab.key_to_next(ENTER).await
}

async fn is_case(tab: &Tab, case: &str, place: &str) -> Seen {
    tab.is_at(&format!("/office/cases/{case}")).await?;
    tab.says("main nav.row", place).await
}

/// At the top of the page, before anything is scrolled, the whole bar of decisions is seen.
async fn bar_is_in_sight(tab: &Tab) -> Seen {
    let script = "window.scrollTo(0, 0); const it = document.querySelector('.decide').getBoundingClientRect(); \
                  return it.top >= 0 && it.bottom <= innerHeight + 1";
    match tab.run(script, Vec::new()).await? {
        serde_json::Value::Bool(true) => Ok(()),
        _ => Err("the bar of decisions is out of sight".to_owned()),
    }
}
