//! Asking back: the resident with her telephone, the counter and the supervisor at their desks, a stranger without an account.

use tongban::journey::steps::{self, Visitor};

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

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looked_is_asked_and_answers() {
    super::play("asks-look", about_a_look).await;
}

async fn about_a_look(stage: &mut Stage) -> Seen {
    let draft = steps::collect_at_window(&mut stage.world, Visitor::Driver).await?;
    steps::agree_by_code(&mut stage.world, &draft).await?;
    steps::submit_at_window(&mut stage.world, &draft).await?;
    let phone = stage.tab("looks-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    phone.go("/looks").await?;
    phone.look("looks").await?;
    phone.press(".look[data-city='430100'] a[href$='/ask']").await?;
    phone.look("ask").await?;
    for _ in 0..2 {
        phone.press("form[action$='/ask'] button").await?;
        phone.says_errors(1).await?;
    }
    phone.look("ask-wrong").await?;
    phone.fill("text", "我在湘潭办，长沙为什么要看？").await?;
    phone.press("form[action$='/ask'] button").await?;
    phone.says("main", "有人跟进").await?;
    phone.look("asked").await?;
    let path = phone.path().await?;
    let ask = path.split('?').next().unwrap_or_default().to_owned();
    phone.go("/looks").await?;
    phone.says("main", "您问过").await?;
    phone.look("looks-asked").await?;
    let clerk = stage.tab("looks-clerk-1280", View::Desk, "430100").await?;
    clerk.sign_in("window1@430100").await?;
    clerk.go("/office/asks?kind=look").await?;
    clerk.press(&format!("main a[href='/office{ask}']")).await?;
    clerk.look("one").await?;
    clerk.fill("text", "收件在长沙，专窗核对您的从业资格证，只看了这几项。").await?;
    clerk.press("button[value=answer]").await?;
    let desk = stage.tab("looks-1280", View::Desk, "430100").await?;
    desk.sign_in("driver@430100").await?;
    for (path, shot) in [("/looks", "looks"), ("/asks", "list"), (ask.as_str(), "answered")] {
        desk.go(path).await?;
        desk.look(shot).await?;
    }
    desk.says("main", "只看了这几项").await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_late_stands_before_the_supervisor_and_she_is_told() {
    super::play("asks-late", late).await;
}

async fn late(stage: &mut Stage) -> Seen {
    let phone = stage.tab("late-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    for city in ["430100", "430300"] {
        phone.go("/help").await?;
        phone.choose("about", &format!("city:{city}")).await?;
        phone.fill("text", STUCK).await?;
        phone.press("form[action='/help'] button").await?;
        phone.says("main", "有人跟进").await?;
    }
    // Three working days later nobody has answered.
    stage.world.region.kill("430100")?;
    stage.world.region.restart_later("430100", 3 * 86_400).await?;
    phone.sign_in("driver@430100").await?;
    phone.go("/messages").await?;
    phone.reload_until("main .list", "没有答复，已列入监督").await?;
    // Xiangtan's word that it has the other question comes late, too, and tells her nothing twice.
    phone.reload_until(".count", "2 条未读").await?;
    phone.look("messages").await?;
    phone.press("main a[href^='/asks/']").await?;
    phone.says("main", "逾期没有答复").await?;
    phone.look("one").await?;
    for view in [View::Phone, View::Desk] {
        let tab = stage.tab(&format!("late-supervisor-{}", view.width()), view, "430100").await?;
        tab.sign_in("supervisor1@430100").await?;
        for (path, shot) in [
            ("/office/asks", "overview"),
            ("/office/asks?where=away", "away"),
            ("/office/asks?lang=en", "overview-en"),
        ] {
            tab.go(path).await?;
            tab.look(shot).await?;
        }
        tab.says("main h1", "1 answer is overdue").await?;
        tab.press("main th a").await?;
        tab.look("one-en").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_and_answering_need_no_script() {
    super::play("asks-plain", plain).await;
}

async fn plain(stage: &mut Stage) -> Seen {
    let mut driver = stage.plain("430100");
    driver.open("/sign-in").await?;
    driver.send("/sign-in", &[("login", "driver@430100"), ("password", super::tab::PASSWORD)]).await?;
    driver.open("/help").await?;
    driver.send("/help", &[("about", "city:430100"), ("text", STUCK)]).await?;
    let ask = driver.path().to_owned();
    let mut clerk = stage.plain("430100");
    clerk.open("/sign-in").await?;
    clerk.send("/sign-in", &[("login", "window1@430100"), ("password", super::tab::PASSWORD)]).await?;
    clerk.open(&format!("/office{ask}")).await?;
    clerk.send(&format!("/office{ask}"), &[("text", ANSWER), ("do", "answer")]).await?;
    driver.open(&ask).await?;
    driver.send(&ask, &[("text", "还是不行"), ("do", "again")]).await?;
    driver.send(&ask, &[("do", "close")]).await?;
    let mut stranger = stage.plain("430100");
    stranger.open("/help").await?;
    stranger.send("/help", &[("about", "city:430100"), ("text", STUCK), ("phone", "13800138000")]).await?;
    if driver.path() == ask && stranger.path() == "/help" {
        Ok(())
    } else {
        Err(format!("{} and {} are not where the forms lead", driver.path(), stranger.path()))
    }
}
