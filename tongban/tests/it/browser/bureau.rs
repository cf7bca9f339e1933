//! The data bureau when another city is down for two months (数据局): lines, a dead letter, and its answer.

use tongban::journey::people::text;
use tongban::journey::steps::{self, Visitor};

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

const CITY: &str = "430100";
const DOWN: &str = "430300";
const WITNESS: &str = "430200";
/// A message about a case is worth delivering for sixty days.
const SIXTY_ONE_DAYS: i64 = 61 * 86_400;

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_seen_to_and_answered() {
    super::play("bureau", two_months_down).await;
}

async fn two_months_down(stage: &mut Stage) -> Seen {
    let draft = steps::collect_at_window(&mut stage.world, Visitor::Driver).await?;
    steps::agree_by_code(&mut stage.world, &draft).await?;
    stage.world.region.kill(DOWN)?;
    let case = steps::submit_at_window(&mut stage.world, &draft).await?;
    let bureau = desk(stage, "bureau-1280", View::Desk, "bureau1").await?;
    bureau.go("/bureau").await?;
    bureau.reload_until("main", "没有应答").await?;
    bureau.look("silent").await?;
    for city in [CITY, WITNESS] {
        stage.world.region.restart_later(city, SIXTY_ONE_DAYS).await?;
    }
    bureau.sign_in("bureau1@430100").await?;
    bureau.go("/bureau").await?;
    bureau.reload_until("main", "1 封死信要处理").await?;
    bureau.look("overview").await?;
    bureau.press(".tiles a[href='/bureau/dead']").await?;
    bureau.look("dead").await?;
    bureau.says("main", "道路运输").await?;
    see_on_a_phone(stage).await?;
    send_again(&bureau).await?;
    audit(stage).await?;
    stage.world.region.restart_later(DOWN, SIXTY_ONE_DAYS).await?;
    bureau.go("/bureau").await?;
    bureau.reload_until("main", "交换正常").await?;
    // Xiangtan has answered: whether it takes a case that is two months old is its own affair.
    let path = format!("/cases/{case}");
    let answered = |page: &serde_json::Value| !matches!(text(page, "/progress/phase"), "" | "offered");
    stage.world.until("driver@430100", &path, "an answer of the other city", answered).await.map(drop)
}

/// Taken first, then sent again: its time is over, so it goes in another message.
async fn send_again(bureau: &Tab) -> Seen {
    bureau.press("main tbody th a").await?;
    bureau.look("letter").await?;
    bureau.says("main", "到期限还没有送到").await?;
    bureau.press("button[value=take]").await?;
    bureau.look("taken").await?;
    bureau.press("button[value=settle]").await?;
    bureau.says_errors(2).await?;
    bureau.look("settle-wrong").await?;
    bureau.press("button[value=again]").await?;
    bureau.says("main", "已重发").await?;
    bureau.look("again").await
}

/// The same pages at 390 px, in English, and in the elder view.
async fn see_on_a_phone(stage: &Stage) -> Seen {
    let phone = desk(stage, "bureau-390", View::Phone, "bureau1").await?;
    for (path, name) in [
        ("/bureau", "overview"),
        ("/bureau?view=elder", "elder"),
        ("/bureau/dead?view=standard", "dead"),
        ("/bureau/contracts", "contracts"),
        ("/bureau/contracts/czt-430100-430300", "contract"),
        ("/bureau/contracts/czt-430100-430300?lang=en", "contract-en"),
        ("/bureau", "overview-en"),
    ] {
        phone.go(path).await?;
        phone.look(name).await?;
    }
    Ok(())
}

/// The auditor sees who looked, opens a line, and comes from there to the letter.
async fn audit(stage: &Stage) -> Seen {
    for (name, view) in [("auditor-1280", View::Desk), ("auditor-390", View::Phone)] {
        let auditor = desk(stage, name, view, "auditor1").await?;
        auditor.go("/audit?action=exchange.again").await?;
        auditor.look("again").await?;
        auditor.says("main", "以新报文代替").await?;
        auditor.press("main tbody th a").await?;
        auditor.look("line").await?;
        auditor.press("main a[href^='/bureau/dead/']").await?;
        auditor.look("letter").await?;
        auditor.says("main", "已重发").await?;
        if 0 < auditor.count("main button").await? {
            return Err("the auditor reads, and has nothing to press".to_owned());
        }
    }
    Ok(())
}

async fn desk(stage: &Stage, name: &str, view: View, login: &str) -> Seen<Tab> {
    let tab = stage.tab(name, view, CITY).await?;
    tab.sign_in(&format!("{login}@{CITY}")).await?;
    Ok(tab)
}
