//! The resident with her telephone: from the search to the certificate, and who looked at her data.

use super::Seen;
use super::officer;
use super::stage::Stage;
use super::tab::{Tab, View};

/// What she types first: no telephone number.
const BAD_PHONE: &str = "1390731";
/// Her own.
const PHONE: &str = "13907310001";

#[tokio::test(flavor = "multi_thread")]
async fn she_renews_her_certificate_from_her_telephone() {
    super::play("resident", renew).await;
}

async fn renew(stage: &mut Stage) -> Seen {
    let phone = stage.tab("resident-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    phone.look("home").await?;
    find_the_item(&phone).await?;
    fill_in(&phone).await?;
    agree(&phone).await?;
    let case = hand_in(&phone).await?;
    officer::ask_for_a_correction(stage, &case).await?;
    correct(&phone, &case).await?;
    officer::accept_and_grant(stage, &case).await?;
    see_the_decision(&phone, &case).await?;
    super::supervisor::watch(stage, &case).await?;
    super::clerk::hand_over(stage, &case).await?;
    rate(&phone, &case).await?;
    let code = show_the_certificate(&phone, &case).await?;
    officer::inspect(stage, &code).await?;
    who_looked(&phone, &case).await
}

/// Home, search, guide.
async fn find_the_item(phone: &Tab) -> Seen {
    phone.go("/").await?;
    phone.fill("q", "从业资格证").await?;
    phone.press(".search button").await?;
    phone.look("found").await?;
    phone.press("main a[href='/items/121']").await?;
    phone.look("guide").await?;
    phone.picture("guide-390", "h1").await?;
    phone.choose("deciding", "430300").await?;
    phone.press("form[action='/items/121/apply'] button").await
}

/// The form, first with a mistake on each page that can have one.
async fn fill_in(phone: &Tab) -> Seen {
    phone.look("form-reason").await?;
    phone.fill("phone", BAD_PHONE).await?;
    phone.press("button[name=action][value=next]").await?;
    phone.look("form-reason-wrong").await?;
    phone.says_errors(2).await?;
    phone.holds("phone", BAD_PHONE).await?;
    phone.choose("reason", "expiring").await?;
    phone.fill("phone", PHONE).await?;
    phone.press("button[name=action][value=next]").await?;
    phone.look("form-delivery").await?;
    phone.choose("delivery", "collecting_window").await?;
    phone.press("button[name=action][value=next]").await?;
    phone.look("form-statement").await?;
    phone.choose("truth", "yes").await?;
    phone.press("button[name=action][value=next]").await
}

/// What is asked for stands there word for word before she says yes.
async fn agree(phone: &Tab) -> Seen {
    phone.look("consent").await?;
    phone.picture("consent-390", "h1").await?;
    phone.says("main", "原道路运输从业资格证").await?;
    phone.says("main", "湘潭").await?;
    phone.press("button[name=answer][value=confirm]").await
}

/// Checks what she hands in; gives the case.
async fn hand_in(phone: &Tab) -> Seen<String> {
    phone.look("check").await?;
    phone.says("main", "周晓梅").await?;
    phone.says("main", "有效期快到了").await?;
    phone.press("form[action$='/submit'] button").await?;
    let path = phone.path().await?;
    let case = path.strip_prefix("/cases/").ok_or_else(|| format!("handing in led to {path}"))?;
    let case = case.split('?').next().unwrap_or_default().to_owned();
    phone.look("case-new").await?;
    // The case is Xiangtan's as soon as its acceptance is back.
    phone.reload_until(".due", "湘潭").await?;
    phone.look("case").await?;
    phone.picture("progress-390", ".due").await?;
    Ok(case)
}

/// She answers what Xiangtan asks; first with an empty line.
async fn correct(phone: &Tab, case: &str) -> Seen {
    phone.go(&format!("/cases/{case}")).await?;
    phone.reload_until("main", "要您补正").await?;
    phone.look("case-correcting").await?;
    let form = format!("form[action='/cases/{case}/correction']");
    phone.press(&format!("{form} button")).await?;
    phone.look("case-correcting-wrong").await?;
    phone.says_errors(1).await?;
    phone.fill("answer.phone", "13907319999").await?;
    phone.press(&format!("{form} button")).await?;
    phone.look("case-corrected").await
}

async fn see_the_decision(phone: &Tab, case: &str) -> Seen {
    phone.go(&format!("/cases/{case}")).await?;
    phone.reload_until("main", "准予").await?;
    phone.look("case-granted").await?;
    phone.go(&format!("/cases/{case}/receipt")).await?;
    phone.look("receipt").await?;
    for (path, shot) in
        [("/cases", "cases"), ("/messages", "messages"), ("/consents", "consents"), ("/account", "account")]
    {
        phone.go(path).await?;
        phone.look(shot).await?;
    }
    Ok(())
}

/// Window and department, each for itself.
async fn rate(phone: &Tab, case: &str) -> Seen {
    phone.go(&format!("/cases/{case}")).await?;
    phone.reload_until("main", "评价").await?;
    for (target, grade) in [("window", "5"), ("department", "4")] {
        phone.go(&format!("/cases/{case}/rate?target={target}")).await?;
        phone.look(&format!("rate-{target}")).await?;
        phone.choose("grade", grade).await?;
        phone.press(&format!("form[action='/cases/{case}/rate'] button")).await?;
    }
    phone.look("case-rated").await
}

/// From the case to the new certificate and to a one-time code; gives its letters.
async fn show_the_certificate(phone: &Tab, case: &str) -> Seen<String> {
    phone.go("/licences").await?;
    phone.look("licences").await?;
    phone.go(&format!("/cases/{case}")).await?;
    phone.press("main a[href^='/licences/430300/']").await?;
    phone.says("main", "道路运输从业资格证").await?;
    phone.look("certificate").await?;
    phone.press("form[action*='/present'] button").await?;
    phone.look("code").await?;
    let code = phone.text("#code .code").await?;
    Ok(code.split_whitespace().collect())
}

/// Every look of the journey, each with its proof; the proof is a file that names its parts.
async fn who_looked(phone: &Tab, case: &str) -> Seen {
    phone.go("/looks").await?;
    phone.reload_until("main .look", "三方见证").await?;
    phone.look("looks").await?;
    phone.picture("looks-390", ".count").await?;
    phone.go(&format!("/looks?case={case}")).await?;
    phone.look("looks-of-the-case").await?;
    if phone.count(".look").await? == 0 {
        return Err(format!("no look for the case {case}"));
    }
    // The supervisor of the deciding city opened it, too.
    phone.says("main", "湘潭市优化营商环境监督办公室").await
}

#[tokio::test(flavor = "multi_thread")]
async fn she_finds_what_she_needs_by_the_words_that_she_has() {
    super::play("finding", find_by_words).await;
}

/// Initials, a slip of the finger, nothing at all, what happened: on a telephone and on a desk, in all three forms.
async fn find_by_words(stage: &mut Stage) -> Seen {
    for (name, view, how) in [
        ("finding-390", View::Phone, "zh"),
        ("finding-1280", View::Desk, "zh"),
        ("finding-en-390", View::Phone, "en"),
        ("finding-elder-390", View::Phone, "elder"),
    ] {
        let tab = stage.tab(name, view, "430100").await?;
        let first = match how {
            "zh" => "/",
            "en" => "/?lang=en",
            _ => "/?view=elder",
        };
        tab.go(first).await?;
        tab.look("home").await?;
        tab.go("/items").await?;
        for (typed, shot) in [("jsz", "initials"), ("gongjijn", "guess"), ("宠物狗牌照", "nothing")] {
            tab.fill("q", typed).await?;
            tab.press(".search button").await?;
            tab.look(shot).await?;
            tab.holds("q", typed).await?;
        }
        for (path, shot) in [
            ("/items?q=gjj&dept=tax", "filtered"),
            ("/items/132", "guide-only"),
            ("/situations", "situations"),
        ] {
            tab.go(path).await?;
            tab.look(shot).await?;
        }
        tab.press("main a[href='/situations/drive']").await?;
        tab.look("situation-drive").await?;
        tab.press("main .steps a[href='/items/121']").await?;
        tab.is_at("/items/121").await?;
        tab.go("/situations/child").await?;
        tab.look("situation-child").await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn she_goes_on_at_home_with_what_she_began_on_her_telephone() {
    super::play("two-devices", go_on_at_home).await;
}

/// Two browsers that share nothing but her account: what she typed on the one stands on the other.
async fn go_on_at_home(stage: &mut Stage) -> Seen {
    let phone = stage.tab("begun-390", View::Phone, "430100").await?;
    phone.sign_in("driver@430100").await?;
    phone.go("/items/121").await?;
    phone.choose("deciding", "430300").await?;
    phone.press("form[action='/items/121/apply'] button").await?;
    phone.choose("reason", "damaged").await?;
    phone.fill("phone", PHONE).await?;
    phone.press("button[name=action][value=save]").await?;
    phone.is_at("/cases").await?;
    phone.look("saved").await?;
    let desk = stage.tab("continued-1280", View::Desk, "430100").await?;
    desk.sign_in("driver@430100").await?;
    desk.go("/cases").await?;
    desk.press("main a[href^='/drafts/']").await?;
    desk.says("main h1", "新证怎么给您").await?;
    let draft = desk.path().await?;
    let draft = draft.split('?').next().unwrap_or_default().to_owned();
    desk.go(&format!("{draft}?page=renewal")).await?;
    desk.holds("phone", PHONE).await?;
    desk.look("continued").await?;
    desk.press("button[name=action][value=next]").await?;
    desk.choose("delivery", "electronic").await?;
    desk.press("button[name=action][value=next]").await?;
    desk.choose("truth", "yes").await?;
    desk.press("button[name=action][value=next]").await?;
    desk.press("button[name=answer][value=confirm]").await?;
    desk.look("check").await?;
    desk.press("form[action$='/submit'] button").await?;
    let case = desk.path().await?;
    if !case.starts_with("/cases/") {
        return Err(format!("handing in led to {case}"));
    }
    // What was handed in on the one is on the other, which still shows the draft.
    phone.go("/cases").await?;
    phone.look("one-case").await?;
    for (path, shot) in [
        ("/cases?state=open", "cases-open"),
        ("/cases?state=over", "cases-over"),
        ("/messages", "messages"),
        ("/licences?view=elder", "licences-elder"),
        ("/cases", "cases-elder"),
        ("/looks", "looks-elder"),
        ("/profile", "profile-elder"),
    ] {
        phone.go(path).await?;
        phone.look(shot).await?;
    }
    if phone.count(".nav a[href='/looks']").await? != 0 {
        return Err("the short menu of the larger view holds what is no main task".to_owned());
    }
    Ok(())
}
