//! The counter from the door to the hand-over: a number on a telephone, called by a key, a card that is read, the
//! form, the consent, the collection, all without a mouse and counted against three minutes; and without script.

use tongban::journey::steps::{IdentityCard, Visitor, identity_card};

use super::Seen;
use super::hands::Hands;
use super::stage::Stage;
use super::tab::{PASSWORD, SPACE, Tab, View};

const CLERK: &str = "window1@430100";
const F2: char = '\u{e032}';
const F3: char = '\u{e033}';
const F4: char = '\u{e034}';
const F9: char = '\u{e039}';
/// The work of the counter for one matter, keys and thought and pages.
const SECONDS_MAX: u64 = 180;

#[tokio::test(flavor = "multi_thread")]
async fn a_number_is_taken_called_and_served_by_keys() {
    super::play("counter", serve).await;
}

async fn serve(stage: &mut Stage) -> Seen {
    let desk = stage.tab("counter-1280", View::Desk, "430100").await?;
    desk.sign_in(CLERK).await?;
    desk.go("/window").await?;
    desk.look("nobody").await?;
    let door = stage.tab("counter-390", View::Phone, "430100").await?;
    take_numbers(&door).await?;
    take_at_a_kiosk(&desk).await?;
    let card = identity_card(&mut stage.world, Visitor::Driver).await?;
    let case = by_keys(stage, &desk, &card).await?;
    door.go(&door.path().await?).await?;
    door.look("called").await?;
    door.go("/tickets/hall?lang=en").await?;
    door.look("hall-en").await?;
    the_next_does_not_come(&desk).await?;
    desk.go("/window/day").await?;
    desk.says("main", "收件并移交").await?;
    desk.look("day").await?;
    desk.press("a[href*='numbers=skipped']").await?;
    desk.look("day-skipped").await?;
    let phone = stage.tab("counter-desk-390", View::Phone, "430100").await?;
    phone.sign_in(CLERK).await?;
    phone.go("/window").await?;
    phone.look("desk").await?;
    phone.go("/window?lang=en").await?;
    phone.look("desk-en").await?;
    phone.go("/window/day").await?;
    phone.look("day-en").await?;
    phone.go(&format!("{case}/originals")).await?;
    phone.look("papers-en").await?;
    phone.go(&format!("{case}/undo")).await?;
    phone.look("undo-too-late-en").await?;
    her_papers(stage, &case).await
}

/// Nothing chosen first, then what for and where.
async fn take_numbers(door: &Tab) -> Seen {
    door.go("/tickets").await?;
    door.look("door").await?;
    door.press("form[action='/tickets'] button").await?;
    door.says_errors(1).await?;
    door.look("door-wrong").await?;
    door.choose("what", "apply-121").await?;
    door.choose("city", "430300").await?;
    door.press("form[action='/tickets'] button").await?;
    door.says(".digits", "K001").await?;
    door.look("ticket").await
}

/// Two more in the hall, one of them only to ask.
async fn take_at_a_kiosk(desk: &Tab) -> Seen {
    for what in ["apply-121", "ask"] {
        desk.go("/tickets").await?;
        desk.choose("what", what).await?;
        desk.press("form[action='/tickets'] button").await?;
    }
    desk.look("ticket").await?;
    desk.go("/tickets/hall").await?;
    desk.says("main", "K001").await?;
    desk.look("hall").await?;
    desk.go("/window").await?;
    desk.look("three-wait").await
}

/// From F2 to the receipt: every key is written down with its focus.
async fn by_keys(stage: &mut Stage, desk: &Tab, card: &IdentityCard) -> Seen<String> {
    let mut hands = Hands::at(desk);
    hands.key_to_next("call the next", F2).await?;
    desk.says(".queue .is-on", "K001").await?;
    desk.holds("item", "121").await?;
    desk.holds("deciding", "430300").await?;
    desk.look("called").await?;
    desk.skip_to_main().await?;
    hands.tab_to("[name=card]").await?;
    hands.card(&format!("{}|女|汉|{}", card.name, card.number)).await?;
    desk.look("draft").await?;
    desk.skip_to_main().await?;
    for answer in ["reason", "delivery", "truth"] {
        hands.tab_to(&format!("[name={answer}]")).await?;
        hands.key(answer, SPACE).await?;
    }
    hands.key("first check", '1').await?;
    hands.key("second check", '2').await?;
    for check in ["k1", "k2"] {
        desk.find(&format!("#{check}:checked")).await?;
    }
    hands.key_to_next("save and go on", F9).await?;
    desk.look("consent").await?;
    hands.key_to_next("send the code", F9).await?;
    let phone = stage.tab("counter-phone-390", View::Phone, "430100").await?;
    phone.go("/demo/phone").await?;
    let message = phone.text("main .msg p").await?;
    let code = super::clerk::six_digits(&message).ok_or_else(|| format!("no code in “{message}”"))?;
    desk.skip_to_main().await?;
    hands.tab_to("[name=code]").await?;
    hands.types("the code", &code).await?;
    hands.key_to_next("she agrees", F9).await?;
    desk.look("check").await?;
    hands.key_to_next("collect", F9).await?;
    desk.reload_until(".due", "湘潭").await?;
    desk.look("case").await?;
    hands.key_to_next("the receipt", F9).await?;
    desk.look("receipt").await?;
    hands.within("window", SECONDS_MAX)?;
    let case = desk.path().await?.trim_end_matches("/receipt").to_owned();
    papers(desk, &case).await?;
    Ok(case)
}

/// Her old certificate comes in, goes off to Xiangtan under a number, and cannot go off twice.
async fn papers(desk: &Tab, case: &str) -> Seen {
    let page = format!("{case}/originals");
    desk.go(&page).await?;
    desk.look("papers-none").await?;
    desk.fill("what", "原道路运输从业资格证").await?;
    desk.fill("pages", "1").await?;
    desk.choose("party", "person").await?;
    desk.pick("courier", "hand").await?;
    desk.press(&format!("form[action='{page}'] button")).await?;
    desk.press("main a[href*='?paper=']").await?;
    desk.choose("party", "department").await?;
    desk.pick("courier", "ems").await?;
    desk.fill("number", "EA123456784CN").await?;
    desk.press(&format!("form[action='{page}'] button")).await?;
    desk.says_errors(1).await?;
    desk.look("papers-wrong").await?;
    desk.fill("number", "EA123456785CN").await?;
    desk.press(&format!("form[action='{page}'] button")).await?;
    desk.says("main", "已寄办理部门").await?;
    desk.look("papers").await?;
    desk.go(&format!("{page}/receipt")).await?;
    desk.look("papers-receipt").await
}

/// Called again, skipped, the next one called, and the one who was skipped comes after all.
async fn the_next_does_not_come(desk: &Tab) -> Seen {
    desk.go("/window").await?;
    desk.key_to_next(F2).await?;
    desk.says(".queue .is-on", "K002").await?;
    desk.key_to_next(F3).await?;
    desk.key_to_next(F4).await?;
    desk.look("skipped").await?;
    desk.key_to_next(F2).await?;
    desk.says(".queue .is-on", "K003").await?;
    desk.run("document.querySelectorAll('details').forEach((it) => { it.open = true; })", Vec::new()).await?;
    desk.press("button[value=call]").await?;
    desk.says(".queue .is-on", "K002").await?;
    desk.key_to_next(F2).await?;
    desk.says("main", "没有人等").await?;
    desk.look("all-served").await
}

/// At home she sees where it is.
async fn her_papers(stage: &Stage, case: &str) -> Seen {
    let home = stage.tab("counter-home-390", View::Phone, "430100").await?;
    home.sign_in("driver@430100").await?;
    home.go(case.trim_start_matches("/window")).await?;
    home.says("main", "EA123456785CN").await?;
    home.look("papers").await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counter_needs_no_script() {
    super::play("counter-plain", plain).await;
}

/// A machine in the hall: somebody is there, then leaves it.
async fn machine(stage: &Stage) -> Seen {
    let mut machine = stage.plain("430100");
    machine.open("/tickets?view=kiosk").await?;
    match machine.open("/kiosk/stay").await {
        Err(told) if told.contains("status 204") => {}
        other => return Err(format!("a machine that is in use: {other:?}")),
    }
    machine.open("/tickets").await?;
    machine.send("/kiosk/over", &[]).await?;
    machine.says("已经退出")
}

/// Number, call, card, form: as a browser without script sends them; then somebody who signs on paper.
async fn plain(stage: &mut Stage) -> Seen {
    machine(stage).await?;
    let card = identity_card(&mut stage.world, Visitor::Driver).await?;
    let mut browser = stage.plain("430100");
    browser.open("/tickets").await?;
    browser.send("/tickets", &[("what", "apply-121"), ("city", "430300")]).await?;
    browser.open("/sign-in").await?;
    browser.send("/sign-in", &[("login", CLERK), ("password", PASSWORD)]).await?;
    browser.open("/window").await?;
    browser.send("/window/tickets/next", &[]).await?;
    let line = format!("{} {}", card.number, card.name);
    browser.send("/window/start", &[("card", &line), ("item", "121"), ("deciding", "430300")]).await?;
    let draft = browser.path().to_owned();
    let answers =
        [("reason", "expiring"), ("delivery", "electronic"), ("truth", "yes"), ("checks", "person-present")];
    let ticked = [("checks", "form-complete")];
    browser.send(&draft, &[&answers[..], &ticked[..]].concat()).await?;
    match browser.path() == format!("{draft}/consent") {
        true => super::plain_staff::window(stage).await,
        false => Err(format!("the form led to {}", browser.path())),
    }
}
