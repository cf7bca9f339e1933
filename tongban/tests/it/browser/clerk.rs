//! The clerk at Changsha's window: one form by keyboard alone, consent by code and by drawn signature, hand-over.

use tongban::journey::steps::{IdentityCard, Visitor, identity_card};

use super::Seen;
use super::stage::Stage;
use super::tab::{ENTER, SPACE, Tab, View};

const CLERK: &str = "window1@430100";
/// What a person without a phone of his own is called on.
const PHONE: &str = "13907310009";

#[tokio::test(flavor = "multi_thread")]
async fn two_people_come_to_the_window() {
    super::play("clerk", serve_both).await;
}

async fn serve_both(stage: &mut Stage) -> Seen {
    let desk = stage.tab("clerk-1280", View::Desk, "430100").await?;
    desk.sign_in(CLERK).await?;
    desk.is_at("/window").await?;
    desk.look("window").await?;
    a_wrong_number_is_said(&desk).await?;

    let driver = identity_card(&mut stage.world, Visitor::Driver).await?;
    start_by_keyboard(&desk, &driver).await?;
    fill_in_by_keyboard(&desk).await?;
    agree_by_code(stage, &desk).await?;
    collect(&desk, "code").await?;

    let walk_in = identity_card(&mut stage.world, Visitor::WalkIn).await?;
    start(&desk, &walk_in).await?;
    fill_in(&desk).await?;
    agree_by_signature(&desk).await?;
    collect(&desk, "signature").await
}

/// A number whose check letter is wrong, and nothing chosen: all is said at once, what was typed stays.
async fn a_wrong_number_is_said(desk: &Tab) -> Seen {
    desk.fill("number", "43030019900307002X").await?;
    desk.fill("name", "周晓梅").await?;
    desk.press("button[form=f]").await?;
    desk.look("window-wrong").await?;
    desk.says_errors(3).await?;
    desk.holds("number", "43030019900307002X").await?;
    desk.holds("name", "周晓梅").await
}

/// From the head of the page to the next one without a mouse, past the head by the first link.
async fn start_by_keyboard(desk: &Tab, card: &IdentityCard) -> Seen {
    desk.go("/window").await?;
    desk.skip_to_main().await?;
    desk.tab_to("[name=number]").await?;
    desk.keys(&card.number).await?;
    desk.tab_to("[name=name]").await?;
    desk.keys(&card.name).await?;
    desk.tab_to("[name=item]").await?;
    desk.keys("121").await?;
    desk.tab_to("[name=deciding]").await?;
    desk.keys("湘潭").await?;
    desk.holds("deciding", "430300").await?;
    desk.tab_to("button[form=f]").await?;
    desk.key_to_next(ENTER).await?;
    desk.look("draft").await?;
    desk.picture("window-1280", "body").await
}

/// The form and the formal check; the choices by space, the rest by typing.
async fn fill_in_by_keyboard(desk: &Tab) -> Seen {
    desk.skip_to_main().await?;
    desk.tab_to("[name=reason]").await?;
    desk.keys(&SPACE.to_string()).await?;
    desk.tab_to("[name=delivery]").await?;
    desk.keys(&SPACE.to_string()).await?;
    desk.tab_to("[name=truth]").await?;
    desk.keys(&SPACE.to_string()).await?;
    for check in ["person-present", "form-complete"] {
        desk.tab_to(&format!("[name=checks][value={check}]")).await?;
        desk.keys(&SPACE.to_string()).await?;
    }
    desk.tab_to("button[name=do][value=next]").await?;
    desk.key_to_next(ENTER).await
}

async fn start(desk: &Tab, card: &IdentityCard) -> Seen {
    desk.go("/window").await?;
    desk.fill("number", &card.number).await?;
    desk.fill("name", &card.name).await?;
    desk.pick("item", "121").await?;
    desk.pick("deciding", "430300").await?;
    desk.press("button[form=f]").await
}

/// The form with everything missing first: every mistake is said at once.
async fn fill_in(desk: &Tab) -> Seen {
    desk.press("button[name=do][value=next]").await?;
    desk.look("draft-wrong").await?;
    desk.choose("reason", "damaged").await?;
    desk.fill("phone", PHONE).await?;
    desk.choose("delivery", "collecting_window").await?;
    desk.choose("truth", "yes").await?;
    desk.choose("checks", "person-present").await?;
    desk.choose("checks", "form-complete").await?;
    desk.press("button[name=do][value=next]").await
}

/// The code goes to her telephone; she says it, the clerk types it.
async fn agree_by_code(stage: &Stage, desk: &Tab) -> Seen {
    desk.look("consent").await?;
    desk.press("button[name=how][value=code]").await?;
    desk.look("consent-code").await?;
    let phone = stage.tab("phone-390", View::Phone, "430100").await?;
    phone.go("/demo/phone").await?;
    phone.look("code").await?;
    let message = phone.text("main .msg p").await?;
    let code = six_digits(&message).ok_or_else(|| format!("no code in “{message}”"))?;
    let other = if code == "123456" { "654321" } else { "123456" };
    desk.fill("code", other).await?;
    desk.press("button[name=do][value=confirm]").await?;
    desk.look("consent-code-wrong").await?;
    desk.says_errors(1).await?;
    desk.fill("code", &code).await?;
    desk.press("button[name=do][value=confirm]").await
}

/// He has no telephone: he signs on the screen.
async fn agree_by_signature(desk: &Tab) -> Seen {
    desk.press("button[name=how][value=signature]").await?;
    desk.sign("signature").await?;
    desk.look("consent-signature").await?;
    desk.press("button[name=do][value=confirm]").await
}

/// What was fetched stands beside the form; the case goes to Xiangtan and comes back as held there.
async fn collect(desk: &Tab, how: &str) -> Seen {
    if !desk.path().await?.ends_with("/check") {
        desk.press("main a[href$='/check']").await?;
    }
    desk.look(&format!("check-{how}")).await?;
    desk.press("form[action$='/submit'] button").await?;
    desk.reload_until(".due", "湘潭").await?;
    desk.look(&format!("case-{how}")).await
}

/// She signs for the new certificate at the window.
pub async fn hand_over(stage: &Stage, case: &str) -> Seen {
    let desk = stage.tab("clerk-handover-1280", View::Desk, "430100").await?;
    desk.sign_in(CLERK).await?;
    desk.go(&format!("/window/cases/{case}")).await?;
    desk.reload_until("main", "交给本人").await?;
    desk.look("before").await?;
    desk.sign("signature").await?;
    desk.press("form[action$='/handover'] button[type=submit]").await?;
    desk.look("after").await
}

/// The code in a message.
pub fn six_digits(message: &str) -> Option<String> {
    message.split(|letter: char| !letter.is_ascii_digit()).find(|run| run.len() == 6).map(str::to_owned)
}
