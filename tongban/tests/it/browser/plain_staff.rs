//! What staff do without script (无脚本): officers about licences, the clerk with scans, the administrator, the bureau.

use tongban::journey::people::text;
use tongban::journey::steps::{self, CLERK, DRIVER_HOME, REVIEWER, Visitor};

use super::Seen;
use super::plain::Plain;
use super::stage::Stage;

/// What an officer without a case rests a look on.
const BASIS: &str = "《行政许可法》第六十一条，监督检查";

#[tokio::test(flavor = "multi_thread")]
async fn officers_need_no_script() {
    super::play("plain-office", office).await;
}

/// A certificate is suspended while her draft waits: her case comes back, and she begins again with what she typed.
async fn office(stage: &mut Stage) -> Seen {
    let draft = steps::prepare_online(&mut stage.world).await?;
    let card = steps::identity_card(&mut stage.world, Visitor::Driver).await?;
    let mut reviewer = stage.plain("430300");
    reviewer.sign_in("reviewer1@430300").await?;
    let licence = find_licence(&mut reviewer, &card.number).await?;
    let mut approver = stage.plain("430300");
    approver.sign_in("approver1@430300").await?;
    order(&mut approver, &licence, "suspend").await?;
    let case = steps::submit_online(&mut stage.world, &draft).await?;
    let path = format!("/cases/{case}");
    let returned = |page: &serde_json::Value| text(page, "/progress/phase") == "returned";
    stage.world.until(DRIVER_HOME, &path, "a case that came back", returned).await?;
    order(&mut approver, &licence, "lift").await?;
    let mut driver = stage.plain("430100");
    driver.sign_in(DRIVER_HOME).await?;
    driver.open(&path).await?;
    driver.send(&format!("{path}/again"), &[]).await?;
    if driver.path().starts_with("/drafts/") {
        Ok(())
    } else {
        Err(format!("again led to {}", driver.path()))
    }
}

/// By the holder's number and with a ground; what it says is opened with a ground, too. Gives its address.
async fn find_licence(browser: &mut Plain, number: &str) -> Seen<String> {
    browser.open("/office/licences").await?;
    browser.send_wrongly("/office/licences", &[("number", number), ("basis", "")]).await?;
    browser.open("/office/licences").await?;
    browser.send("/office/licences", &[("number", number), ("basis", BASIS)]).await?;
    browser.follow("/office/licences/").await?;
    let licence = browser.path().to_owned();
    browser.send(&format!("{licence}/face"), &[("basis", BASIS)]).await?;
    browser.says("周晓梅")?;
    Ok(licence)
}

async fn order(browser: &mut Plain, licence: &str, deed: &str) -> Seen {
    browser.open(licence).await?;
    let order = [("do", deed), ("article", "《行政许可法》第六十九条"), ("reason", "核实资料")];
    browser.send(licence, &order).await
}

/// The walk-in signs on paper, which is scanned: once for what was asked of him, once because he wants no more of it.
pub async fn window(stage: &mut Stage) -> Seen {
    let card = steps::identity_card(&mut stage.world, Visitor::WalkIn).await?;
    let mut clerk = stage.plain("430100");
    clerk.sign_in(CLERK).await?;
    let away = collect(&mut clerk, &card).await?;
    clerk.open(&away).await?;
    clerk.send(&format!("{away}/discard"), &[]).await?;
    let draft = collect(&mut clerk, &card).await?;
    agree(&mut clerk, &draft).await?;
    clerk.send(&format!("{draft}/submit"), &[]).await?;
    let path = clerk.path().to_owned();
    let case = path.trim_start_matches("/window/cases/").to_owned();
    shows(stage, &path, "received").await?;
    let ask = [
        ("command", "ask_correction"),
        ("about1", "truth"),
        ("what1", "请本人再确认一次"),
        ("article1", "行政许可法第三十二条"),
    ];
    steps::act(&mut stage.world, REVIEWER, &case, &ask).await?;
    shows(stage, &path, "correcting").await?;
    let papers = format!("{path}/originals");
    clerk.open(&papers).await?;
    let brought =
        [("what", "原道路运输从业资格证"), ("pages", "1"), ("party", "person"), ("courier", "hand")];
    clerk.send(&papers, &brought).await?;
    clerk.says("在收件窗口")?;
    clerk.open(&path).await?;
    clerk.upload(&format!("{path}/correction"), &[("answer.truth", "yes")], "scan", &scan()?).await?;
    shows(stage, &path, "received").await?;
    clerk.open(&format!("{path}?withdraw=yes")).await?;
    clerk.upload(&format!("{path}/withdraw"), &[], "scan", &scan()?).await?;
    shows(stage, &path, "withdrawn").await?;
    take_back(stage, &mut clerk, &card).await
}

/// He signs for the papers that are fetched.
async fn agree(clerk: &mut Plain, draft: &str) -> Seen {
    let consent = format!("{draft}/consent");
    clerk.open(&consent).await?;
    clerk.send(&format!("{consent}/ask"), &[("how", "signature")]).await?;
    clerk.upload(&consent, &[("do", "confirm")], "scan", &scan()?).await?;
    clerk.open(&format!("{draft}/check")).await
}

/// One draft goes back to him; another one is handed over by mistake while Xiangtan is down: it is taken back, and
/// withdrawn once the city is there.
async fn take_back(stage: &mut Stage, clerk: &mut Plain, card: &steps::IdentityCard) -> Seen {
    let home = format!("{}/back", collect(clerk, card).await?);
    clerk.open(&home).await?;
    clerk.send(&home, &[]).await?;
    let draft = collect(clerk, card).await?;
    agree(clerk, &draft).await?;
    stage.world.region.kill("430300")?;
    clerk.send(&format!("{draft}/submit"), &[]).await?;
    let path = clerk.path().to_owned();
    let undo = format!("{path}/undo");
    clerk.open(&undo).await?;
    clerk.send(&undo, &[("reason", "事项选错")]).await?;
    clerk.says("等办理的市答复")?;
    stage.world.region.restart("430300").await?;
    shows(stage, &path, "withdrawn").await
}

/// The form filled in and the formal check ticked; gives the draft.
async fn collect(clerk: &mut Plain, card: &steps::IdentityCard) -> Seen<String> {
    clerk.open("/window").await?;
    let start =
        [("number", card.number.as_str()), ("name", &card.name), ("item", "121"), ("deciding", "430300")];
    clerk.send("/window/start", &start).await?;
    let draft = clerk.path().to_owned();
    let answers = [
        ("reason", "damaged"),
        ("phone", "13907310009"),
        ("delivery", "collecting_window"),
        ("truth", "yes"),
        ("checks", "person-present"),
        ("checks", "form-complete"),
    ];
    clerk.send(&draft, &answers).await?;
    Ok(draft)
}

async fn shows(stage: &mut Stage, path: &str, phase: &str) -> Seen {
    let is_there = |page: &serde_json::Value| text(page, "/progress/phase") == phase;
    stage.world.until(CLERK, path, phase, is_there).await.map(drop)
}

/// A sheet with a line on it, as a scanner gives it.
fn scan() -> Seen<Vec<u8>> {
    use base64::Engine as _;
    let data = steps::SIGNATURE.split_once(',').map_or("", |(_, data)| data);
    base64::engine::general_purpose::STANDARD.decode(data).map_err(|error| error.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_administrator_needs_no_script() {
    super::play("plain-admin", administer).await;
}

/// An account is locked and unlocked, moved, and given a code; an office gets another name.
async fn administer(stage: &mut Stage) -> Seen {
    let mut admin = stage.plain("430100");
    admin.sign_in("admin1@430100").await?;
    admin.open("/accounts?login=window3").await?;
    let account = admin.link("/accounts/01")?;
    admin.open(&account).await?;
    admin.send_wrongly(&account, &[("do", "lock")]).await?;
    admin.open(&account).await?;
    admin.choose_first(&account, "do", "lock").await?;
    admin.choose_first(&account, "do", "unlock").await?;
    admin.send(&format!("{account}/post"), &[("role", "inspector")]).await?;
    admin.open(&account).await?;
    admin.send(&format!("{account}/code"), &[]).await?;
    admin.says("只显示这一次")?;
    let office = "/offices/430100-hall-1";
    admin.open(office).await?;
    admin.send(office, &[("name_en", "Changsha Service Hall"), ("do", "rename")]).await?;
    admin.says("名称已改")?;
    let mut bureau = stage.plain("430100");
    bureau.sign_in("bureau1@430100").await?;
    bureau.open("/bureau/contracts").await?;
    bureau.follow("/bureau/contracts/").await?;
    let file = format!("{}/file", bureau.path());
    bureau.follow(&file).await
}
