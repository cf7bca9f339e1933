//! Asking back: the resident with her telephone, the counter and the supervisor at their desks, a stranger without an account.

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

const STUCK: &str = "窗口要一份指南上没有的证明，说没有就不收";
const ANSWER: &str = "不需要那份证明，窗口已更正。请带身份证到任一专窗，当场收件。";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stuck_is_said_followed_and_answered() {
    super::play("asks", stuck).await;
}

async fn stuck(stage: &mut Stage) -> Seen {
    let phone = stage.tab("asks-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    phone.go("/asks").await?;
    phone.look("none").await?;
    let ask = say_what_is_stuck(&phone).await?;
    answer_it(stage, &ask).await?;
    phone.go("/messages").await?;
    phone.look("messages").await?;
    phone.press(&format!("main a[href='{ask}']")).await?;
    phone.says("main", ANSWER).await?;
    phone.look("answered").await?;
    ask_again(&phone).await?;
    phone.go("/asks").await?;
    phone.look("list").await?;
    watch_over(stage).await?;
    without_an_account(stage).await
}

/// The form, first without a word, then with the whole story; gives the address of the enquiry.
async fn say_what_is_stuck(phone: &Tab) -> Seen<String> {
    phone.go("/items/121").await?;
    phone.press("aside.help a[href='/help']").await?;
    phone.look("help").await?;
    phone.says("main", "从业资格证").await?;
    for _ in 0..2 {
        phone.press("form[action='/help'] button").await?;
        phone.says_errors(1).await?;
    }
    phone.look("help-wrong").await?;
    phone.fill("text", STUCK).await?;
    phone.press("form[action='/help'] button").await?;
    phone.says("main", "有人跟进").await?;
    phone.look("asked").await?;
    let path = phone.path().await?;
    Ok(path.split('?').next().unwrap_or_default().to_owned())
}

/// The clerk at the counter answers, after an empty try.
async fn answer_it(stage: &Stage, ask: &str) -> Seen {
    for view in [View::Phone, View::Desk] {
        let clerk = stage.tab(&format!("asks-clerk-{}", view.width()), view, "430100").await?;
        clerk.sign_in("window1@430100").await?;
        clerk.go("/office/asks").await?;
        clerk.look("queue").await?;
        clerk.press(&format!("main a[href='/office{ask}']")).await?;
        clerk.says("main", STUCK).await?;
        clerk.look("one").await?;
        if matches!(view, View::Phone) {
            continue;
        }
        clerk.press("button[value=answer]").await?;
        clerk.says_errors(1).await?;
        clerk.look("one-wrong").await?;
        clerk.fill("text", ANSWER).await?;
        clerk.press("button[value=answer]").await?;
        clerk.says("main", "已答复").await?;
        clerk.look("queue-answered").await?;
    }
    Ok(())
}

async fn ask_again(phone: &Tab) -> Seen {
    phone.press("button[value=again]").await?;
    phone.says_errors(1).await?;
    phone.look("again-wrong").await?;
    phone.fill("text", "去了，窗口还是不收").await?;
    phone.press("button[value=again]").await?;
    phone.says("main", "等答复").await?;
    phone.look("again").await
}

/// The supervisor reads what all offices owe, on either screen, and can answer nothing.
async fn watch_over(stage: &Stage) -> Seen {
    for view in [View::Phone, View::Desk] {
        let tab = stage.tab(&format!("asks-supervisor-{}", view.width()), view, "430100").await?;
        tab.sign_in("supervisor1@430100").await?;
        tab.go("/office/asks").await?;
        tab.look("overview").await?;
        tab.press("main td a, main th a").await?;
        tab.look("one").await?;
        if tab.count("textarea").await? != 0 {
            return Err("the supervisor is offered an answer".to_owned());
        }
    }
    Ok(())
}

/// With a telephone number alone: a receipt with a code, and the code with the number opens it again.
async fn without_an_account(stage: &Stage) -> Seen {
    for view in [View::Phone, View::Desk] {
        let tab = stage.tab(&format!("asks-stranger-{}", view.width()), view, "430100").await?;
        tab.go("/help").await?;
        tab.look("help").await?;
        tab.press("form[action='/help'] button").await?;
        tab.says_errors(2).await?;
        tab.look("help-wrong").await?;
        tab.fill("text", STUCK).await?;
        tab.fill("phone", "13800138000").await?;
        tab.press("form[action='/help'] button").await?;
        tab.look("receipt").await?;
        let code: String = tab.text(".receipt .code").await?.split_whitespace().collect();
        tab.press("main a[href='/help/find']").await?;
        tab.look("find").await?;
        tab.fill("code", "AAAAAAAA").await?;
        tab.fill("phone", "13800138000").await?;
        tab.press("form[action='/help/find'] button").await?;
        tab.says_errors(1).await?;
        tab.look("find-wrong").await?;
        tab.holds("phone", "13800138000").await?;
        tab.fill("code", &code).await?;
        tab.press("form[action='/help/find'] button").await?;
        tab.says("main", STUCK).await?;
        tab.look("found").await?;
        tab.press("button[value=close]").await?;
        tab.says("main", "已办结").await?;
        tab.look("closed").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_waits_for_a_city_that_is_down_and_is_answered_when_it_is_back() {
    super::play("asks-across", across).await;
}

async fn across(stage: &mut Stage) -> Seen {
    let phone = stage.tab("across-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    stage.world.region.kill("430300")?;
    phone.go("/help?view=elder").await?;
    phone.choose("about", "city:430300").await?;
    phone.fill("text", STUCK).await?;
    phone.look("help-elder").await?;
    phone.press("form[action='/help'] button").await?;
    phone.says("main", "等湘潭收到").await?;
    phone.look("waiting-elder").await?;
    let path = phone.path().await?;
    let ask = path.split('?').next().unwrap_or_default().to_owned();
    phone.go(&format!("{ask}?view=standard")).await?;
    phone.look("waiting").await?;
    let desk = stage.tab("across-supervisor-1280", View::Desk, "430100").await?;
    desk.sign_in("supervisor1@430100").await?;
    desk.go("/office/asks?where=away").await?;
    desk.says("main", "等湘潭收到").await?;
    desk.look("away").await?;
    stage.world.region.restart("430300").await?;
    phone.reload_until("main", "湘潭收到，交").await?;
    phone.look("received").await?;
    let clerk = stage.tab("across-clerk-1280", View::Desk, "430300").await?;
    clerk.sign_in("window1@430300").await?;
    clerk.go(&format!("/office{ask}?lang=en")).await?;
    clerk.look("one-en").await?;
    clerk.fill("text", ANSWER).await?;
    clerk.press("button[value=answer]").await?;
    phone.reload_until("main", ANSWER).await?;
    phone.look("answered").await?;
    phone.go(&format!("{ask}?lang=en")).await?;
    phone.look("answered-en").await
}
