//! Reviewer, approver and inspector: the queue, the case side by side, each with the buttons that are theirs.

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

const REVIEWER: &str = "reviewer1@430300";
const APPROVER: &str = "approver1@430300";
const INSPECTOR: &str = "inspector1@430200";

/// The reviewer finds the case in the queue and asks once, for her telephone number; an empty notice is refused first.
pub async fn ask_for_a_correction(stage: &Stage, case: &str) -> Seen {
    let desk = office(stage, "reviewer-1280", REVIEWER).await?;
    desk.look("queue").await?;
    desk.press(&format!("main a[href='/office/cases/{case}']")).await?;
    desk.look("case").await?;
    desk.picture("office-1280", "body").await?;
    has_buttons(&desk, &["accept", "ask_correction", "decline"], &["approve", "refuse", "opine"]).await?;
    begin(&desk, "ask_correction").await?;
    send(&desk).await?;
    desk.look("notice-wrong").await?;
    desk.says_errors(1).await?;
    desk.pick("about1", "phone").await?;
    desk.fill("what1", "手机号打不通，请核对").await?;
    send(&desk).await?;
    desk.says("main", "已办理").await?;
    desk.look("asked").await
}

/// The corrected case is accepted and examined; the approver, another person, grants it.
pub async fn accept_and_grant(stage: &Stage, case: &str) -> Seen {
    let desk = office(stage, "reviewer2-1280", REVIEWER).await?;
    desk.go(&format!("/office/cases/{case}")).await?;
    desk.reload_until("main a", "受理").await?;
    act(&desk, "accept").await?;
    begin(&desk, "opine").await?;
    desk.choose("agrees", "approve").await?;
    desk.fill("text", "符合条件，建议准予换发").await?;
    desk.look("opinion").await?;
    send(&desk).await?;
    desk.look("examined").await?;
    has_buttons(&desk, &[], &["approve", "refuse"]).await?;
    let approver = office(stage, "approver-1280", APPROVER).await?;
    approver.go(&format!("/office/cases/{case}")).await?;
    approver.look("case").await?;
    approver.says("main", "符合条件，建议准予换发").await?;
    act(&approver, "approve").await?;
    approver.says("main", "已办理").await?;
    approver.look("granted").await
}

/// Opens the form of an act.
async fn begin(desk: &Tab, deed: &str) -> Seen {
    desk.press(&format!("main a[href*='do={deed}']")).await?;
    desk.look(deed).await
}

/// An act that asks nothing.
async fn act(desk: &Tab, deed: &str) -> Seen {
    begin(desk, deed).await?;
    send(desk).await
}

async fn send(desk: &Tab) -> Seen {
    desk.press("form[action$='/act'] button[type=submit]").await
}

/// Each officer sees the buttons that are hers, and no others.
async fn has_buttons(desk: &Tab, these: &[&str], not_those: &[&str]) -> Seen {
    for (deeds, wanted) in [(these, true), (not_those, false)] {
        for deed in deeds {
            let is_there = 0 < desk.count(&format!("main a[href*='do={deed}']")).await?;
            if is_there != wanted {
                return Err(format!("{deed} is there: {is_there}, at {}", desk.path().await?));
            }
        }
    }
    Ok(())
}

/// The inspector in Zhuzhou asks about the code that she shows.
pub async fn inspect(stage: &Stage, code: &str) -> Seen {
    let road = stage.tab("inspector-390", View::Phone, "430200").await?;
    road.sign_in(INSPECTOR).await?;
    road.go("/verify").await?;
    road.look("verify").await?;
    road.fill("code", code).await?;
    road.press("form[action='/verify'] button").await?;
    road.look("verified").await?;
    road.says("main", "周晓梅").await
}

async fn office(stage: &Stage, name: &str, login: &str) -> Seen<Tab> {
    let desk = stage.tab(name, View::Desk, "430300").await?;
    desk.sign_in(login).await?;
    desk.is_at("/office").await?;
    Ok(desk)
}
