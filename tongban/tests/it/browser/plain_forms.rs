//! What residents and strangers do without script (无脚本): forms sent as HTML alone sends them, with what they hold.

use tb_identity::seed;
use tongban::journey::steps;

use super::Seen;
use super::plain::Plain;
use super::stage::Stage;
use super::tab::PASSWORD;

const CITY: &str = "430100";
/// Another one that is long enough.
const NEW_PASSWORD: &str = "another long password";

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_needs_no_script() {
    super::play("plain", resident).await;
}

async fn resident(stage: &mut Stage) -> Seen {
    let mut browser = stage.plain(CITY);
    browser.open("/looks").await?;
    browser.send("/sign-in", &[("login", "driver@430100"), ("password", PASSWORD)]).await?;
    let draft = fill_in(&mut browser).await?;
    dispute(&mut browser, &draft).await?;
    browser.send(&format!("{draft}/submit"), &[]).await?;
    let case = browser.path().to_owned();
    if !case.starts_with("/cases/") {
        return Err(format!("handing in led to {case}"));
    }
    read_messages(&mut browser).await?;
    // Withdrawn is what the other city has taken.
    steps::both_show(&mut stage.world, case.trim_start_matches("/cases/"), &["received"]).await?;
    withdraw(&mut browser, &case).await?;
    take_back_and_discard(&mut browser).await?;
    show_a_licence(&mut browser).await?;
    what_is_known(&mut browser, &case).await?;
    change_password(&mut browser).await
}

/// The form, page by page, up to the check; gives the draft.
async fn fill_in(browser: &mut Plain) -> Seen<String> {
    browser.open("/items/121").await?;
    browser.send("/items/121/apply", &[("deciding", "430300")]).await?;
    let draft = browser.path().to_owned();
    browser.send_wrongly(&draft, &[("phone", "139"), ("action", "next")]).await?;
    browser.open(&draft).await?;
    for answers in [
        &[("reason", "expiring"), ("phone", "13907310001"), ("action", "next")][..],
        &[("delivery", "electronic"), ("action", "next")],
        &[("truth", "yes"), ("action", "next")],
    ] {
        browser.send(&draft, answers).await?;
    }
    browser.send(&format!("{draft}/consent"), &[("answer", "confirm")]).await?;
    Ok(draft)
}

/// A value of the register is wrong; she says so, and what she said goes along.
async fn dispute(browser: &mut Plain, draft: &str) -> Seen {
    browser.open(&format!("{draft}/check")).await?;
    browser.follow(&format!("{draft}/check?wrong=")).await?;
    browser.send(&format!("{draft}/dispute"), &[("text", "已经改名")]).await?;
    browser.says("记下了")
}

async fn read_messages(browser: &mut Plain) -> Seen {
    browser.open("/messages").await?;
    browser.send("/messages/read", &[]).await
}

async fn withdraw(browser: &mut Plain, case: &str) -> Seen {
    browser.open(&format!("{case}/withdraw")).await?;
    browser.send(&format!("{case}/withdraw"), &[]).await
}

/// Another draft, whose consent she takes back; then she throws it away.
async fn take_back_and_discard(browser: &mut Plain) -> Seen {
    let draft = fill_in(browser).await?;
    browser.open("/consents").await?;
    let consent = browser.action("/consents/", "")?;
    browser.send(&consent, &[("answer", "withdraw")]).await?;
    browser.open(&format!("{draft}/discard")).await?;
    browser.send(&format!("{draft}/discard"), &[]).await
}

/// A one-time code, and away with it.
async fn show_a_licence(browser: &mut Plain) -> Seen {
    browser.open("/licences").await?;
    browser.follow("/licences/").await?;
    let present = browser.action("/licences/", "/present")?;
    browser.send(&present, &[]).await?;
    let close = browser.action("/licences/", "/close")?;
    browser.send(&close, &[]).await
}

/// Who looked, with the proof of one look, and the evidence of the case: files that need no script.
async fn what_is_known(browser: &mut Plain, case: &str) -> Seen {
    browser.open("/looks").await?;
    let proof = browser.link("/looks/")?;
    browser.open(&proof).await?;
    browser.open(&format!("{case}/evidence")).await
}

/// Another password, out everywhere, and in again with the new one.
async fn change_password(browser: &mut Plain) -> Seen {
    browser.open("/account").await?;
    browser.send_wrongly("/profile", &[("old", "not this one"), ("password", NEW_PASSWORD)]).await?;
    browser.open("/profile").await?;
    browser.send("/profile", &[("old", PASSWORD), ("password", NEW_PASSWORD)]).await?;
    browser.send("/profile", &[("do", "leave")]).await?;
    browser.open("/sign-in").await?;
    browser.send("/sign-in", &[("login", "driver@430100"), ("password", NEW_PASSWORD)]).await?;
    browser.send("/sign-out", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doors_need_no_script() {
    super::play("doors", doors).await;
}

/// Somebody whom the register knows makes an account; she loses her password and sets another one; the demo lets her in.
async fn doors(stage: &mut Stage) -> Seen {
    let city = CITY.parse().map_err(|error| format!("{error}"))?;
    let people =
        seed::city(seed::SEED, city, seed::PEOPLE, seed::ENTERPRISES).map_err(|error| error.to_string())?;
    let has_account = |id| people.accounts.iter().any(|account| account.person == id);
    let newcomer = people.people.iter().find(|it| it.phone.is_some() && !has_account(it.id));
    let newcomer = newcomer.ok_or("everybody has an account")?;
    let (number, phone) =
        (newcomer.number.to_string(), newcomer.phone.clone().unwrap_or_default().to_string());
    let mut browser = stage.plain(CITY);
    browser.open("/register").await?;
    let claim = [("number", number.as_str()), ("name", &newcomer.name), ("phone", &phone)];
    browser.send("/register", &claim).await?;
    let code = code_on(stage, &phone).await?;
    browser.send_wrongly("/register", &[("code", "000000"), ("password", PASSWORD)]).await?;
    browser.send("/register", &[("code", &code), ("password", PASSWORD)]).await?;
    browser.says("注册完成")?;
    browser.send("/sign-out", &[]).await?;
    browser.open("/password/forgot").await?;
    browser.send("/password/forgot", &[("login", &number)]).await?;
    let code = code_on(stage, &phone).await?;
    browser.send("/password/reset", &[("code", &code), ("password", NEW_PASSWORD)]).await?;
    browser.open("/demo").await?;
    browser.enter("driver@430100").await?;
    browser.open("/demo").await?;
    browser.send("/demo/line", &[("cut", "430100")]).await?;
    browser.send("/demo/line", &[("mend", "430100")]).await?;
    browser.open("/styleguide").await?;
    browser.send_wrongly("/styleguide", &[]).await?;
    let whole = [
        ("name", "周晓梅"),
        ("phone", "13907310001"),
        ("address", "雨花区一号"),
        ("day.y", "2026"),
        ("day.m", "9"),
        ("day.d", "30"),
        ("delivery", "post"),
        ("county", "430111"),
        ("agree", "yes"),
    ];
    browser.send("/styleguide", &whole).await
}

/// The code in the newest message to a telephone.
async fn code_on(stage: &Stage, phone: &str) -> Seen<String> {
    let mut other = stage.plain(CITY);
    other.open(&format!("/demo/phone?phone={phone}")).await?;
    let message = other.page().split("class=\"msg\"").nth(1).unwrap_or_default();
    let text = message
        .split("<p lang=\"zh-CN\">")
        .nth(1)
        .unwrap_or_default()
        .split("</p>")
        .next()
        .unwrap_or_default();
    let code = text.split(|letter: char| !letter.is_ascii_digit()).find(|run| run.len() == 6);
    code.map(str::to_owned).ok_or_else(|| format!("no code in “{text}”"))
}
