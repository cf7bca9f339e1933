//! The administrator enters a clerk by keyboard, sends one on leave and makes an office; the clerk sets a password on
//! her phone and works.

use super::Seen;
use super::stage::Stage;
use super::tab::{ENTER, SPACE, Tab, View};

const ADMINISTRATOR: &str = "admin1@430100";
const CLERK: &str = "window4@430100";
const PASSWORD: &str = "a long enough password";

#[tokio::test(flavor = "multi_thread")]
async fn staff_and_offices_by_pages() {
    super::play("administrator", administer).await;
}

async fn administer(stage: &mut Stage) -> Seen {
    let desk = stage.tab("administrator-1280", View::Desk, "430100").await?;
    desk.sign_in(ADMINISTRATOR).await?;
    desk.is_at("/accounts").await?;
    desk.look("accounts").await?;
    let code = enter_by_keyboard(&desk).await?;
    set_password(stage, &code).await?;
    send_on_leave(&desk).await?;
    make_an_office(&desk).await?;
    on_a_phone(stage).await
}

/// Everything missing first: all is said at once. Then without a mouse.
async fn enter_by_keyboard(desk: &Tab) -> Seen<String> {
    desk.press("main a[href='/accounts/new']").await?;
    desk.look("new").await?;
    desk.press("form[action='/accounts/new'] button").await?;
    desk.look("new-wrong").await?;
    desk.says_errors(5).await?;
    desk.go("/accounts/new").await?;
    desk.skip_to_main().await?;
    for (name, text) in [("login", CLERK), ("name", "陈新"), ("badge", "430100-2001")] {
        desk.tab_to(&format!("[name={name}]")).await?;
        desk.keys(text).await?;
    }
    desk.tab_to("[name=office]").await?;
    desk.keys("长沙市政务").await?;
    desk.holds("office", "430100-hall-1").await?;
    desk.tab_to("[name=role]").await?;
    desk.keys(&SPACE.to_string()).await?;
    desk.tab_to("form[action='/accounts/new'] button").await?;
    desk.key_to_next(ENTER).await?;
    desk.look("code").await?;
    desk.text("main .sheet .code").await
}

/// She has the code on paper and a phone in her hand.
async fn set_password(stage: &Stage, code: &str) -> Seen {
    let phone = stage.tab("new-clerk-390", View::Phone, "430100").await?;
    phone.go("/sign-in").await?;
    phone.press("main a[href='/password/first']").await?;
    phone.fill("code", "0000-0000-0000-0000").await?;
    phone.fill("password", PASSWORD).await?;
    phone.press("form[action='/password/first'] button").await?;
    phone.look("first-wrong").await?;
    phone.says_errors(1).await?;
    phone.fill("code", &code.to_lowercase()).await?;
    phone.fill("password", PASSWORD).await?;
    phone.press("form[action='/password/first'] button").await?;
    phone.is_at("/sign-in").await?;
    phone.look("sign-in").await?;
    phone.fill("login", CLERK).await?;
    phone.fill("password", PASSWORD).await?;
    phone.press("form[action='/sign-in'] button").await?;
    phone.is_at("/window").await
}

/// A clerk goes on leave, a colleague stands in; then the leave is called off.
async fn send_on_leave(desk: &Tab) -> Seen {
    desk.go("/accounts?login=window1").await?;
    desk.press("main table a").await?;
    desk.look("account").await?;
    for (name, day) in [("first_day", ["2026", "9", "8"]), ("last_day", ["2026", "9", "11"])] {
        for (part, value) in ["y", "m", "d"].iter().zip(day) {
            desk.fill(&format!("{name}.{part}"), value).await?;
        }
    }
    desk.press("form[action$='/leave'] button").await?;
    desk.look("leave-wrong").await?;
    desk.says_errors(1).await?;
    let second =
        desk.run("return document.querySelector('[name=substitute] option:nth-child(2)').value", Vec::new());
    desk.pick("substitute", second.await?.as_str().unwrap_or_default()).await?;
    desk.press("form[action$='/leave'] button").await?;
    desk.says("main", "请假已登记").await?;
    desk.look("leave").await?;
    desk.press("form[action*='/leave/'] button").await?;
    desk.says("main", "请假已结束").await
}

async fn make_an_office(desk: &Tab) -> Seen {
    desk.go("/offices").await?;
    desk.look("offices").await?;
    for (name, text) in [
        ("name_zh", "长沙市政务服务中心东厅"),
        ("name_en", "Changsha Service Hall, East"),
        ("code", "hall-2"),
    ] {
        desk.fill(name, text).await?;
    }
    desk.pick("kind", "hall").await?;
    desk.press("form[action='/offices'][method=post] button").await?;
    desk.says("main", "单位已建好").await?;
    desk.look("office").await
}

/// The same pages on a narrow screen and in English.
async fn on_a_phone(stage: &Stage) -> Seen {
    let phone = stage.tab("administrator-390", View::Phone, "430100").await?;
    phone.sign_in(ADMINISTRATOR).await?;
    for (path, shot) in [
        ("/accounts", "accounts"),
        ("/accounts/new", "new"),
        ("/offices", "offices"),
        ("/offices/430100-hall-2", "office"),
        ("/accounts/new?lang=en", "new-en"),
        ("/offices?lang=en", "offices-en"),
    ] {
        phone.go(path).await?;
        phone.look(shot).await?;
    }
    phone.go("/accounts?login=window1").await?;
    phone.press("main table a").await?;
    phone.look("account-en").await
}
