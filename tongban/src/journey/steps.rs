//! The acts of a journey (步骤): each one a form that a person sends, and what both cities show afterwards.

use serde_json::Value;

use crate::journey::people::{World, list, text};

/// The driver at the site where she lives.
pub const DRIVER_HOME: &str = "driver@430100";
/// The driver at the site of the city that decides.
pub const DRIVER_THERE: &str = "driver@430300";
/// The clerk at Changsha's window.
pub const CLERK: &str = "window1@430100";
/// Examines in Xiangtan.
pub const REVIEWER: &str = "reviewer1@430300";
/// Decides in Xiangtan.
pub const APPROVER: &str = "approver1@430300";
/// The clerk at Xiangtan's window, who answers what could not be got done there.
pub const HALL_THERE: &str = "window1@430300";
/// Verifies in Zhuzhou.
pub const INSPECTOR: &str = "inspector1@430200";

/// 道路运输驾驶员从业资格证换发.
const ITEM: &str = "121";
/// Xiangtan, which issued the certificate.
const DECIDING: &str = "430300";
/// A case that moves on more often than this while two pages are read is not the journey's.
const MOVES_MAX: usize = 10;
/// So often papers are fetched again in a drill.
const FETCHES_MAX: usize = 60;
/// A hand-drawn line: what the frame on the screen gives.
pub const SIGNATURE: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAGAAAAAgAQAAAADFu0D5AAAAg0lEQVR42p3Quw2DQBRE0enAJVAKpW1ISFEOqMNyA5ARrHi+s0gjxyB0tBeJ/an+Hj2MNkZtxDV7bIk+OSyxLw5LfN4OS2yHwxLr6bDE1D23VfX5YqKh6mz1qlsVP251q/pWXuUzKj+gMhUqi6CyPCobQ2XLqBwGlWOicgGoXM3D6/0BrFlcCKvVgHQAAAAASUVORK5CYII=";

/// Who comes to the window, as the demo's front page shows the cards.
pub struct IdentityCard {
    /// Resident number.
    pub number: String,
    /// Name.
    pub name: String,
    /// Phone, empty where there is none.
    pub phone: String,
}

/// Who comes to the window.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Visitor {
    /// The driver, with her phone.
    Driver,
    /// The man without phone and account.
    WalkIn,
}

/// The identity card that a visitor carries.
pub async fn identity_card(world: &mut World, visitor: Visitor) -> Result<IdentityCard, String> {
    let page = world.get(CLERK, "/demo").await?;
    let which = match visitor {
        Visitor::Driver => 0,
        Visitor::WalkIn => 1,
    };
    let field = |name: &str| text(&page, &format!("/cards/{which}/{name}")).to_owned();
    Ok(IdentityCard { number: field("number"), name: field("name"), phone: field("phone") })
}

/// She fills in the form on Changsha's site, up to the check before handing in; gives the draft.
pub async fn prepare_online(world: &mut World) -> Result<String, String> {
    let apply = format!("/items/{ITEM}/apply");
    let item = format!("/items/{ITEM}");
    let draft = world.post(DRIVER_HOME, &item, &apply, &[("deciding", DECIDING)]).await?;
    let form = answers(&world.get(DRIVER_HOME, &draft).await?);
    let next = world.post(DRIVER_HOME, &draft, &draft, &pairs(&form)).await?;
    let consent = format!("{draft}/consent");
    if !next.starts_with(&consent) {
        return Err(format!("after the form came {next}, not the consent"));
    }
    let check = world.post(DRIVER_HOME, &consent, &consent, &[("answer", "confirm")]).await?;
    if !check.starts_with(&format!("{draft}/check")) {
        return Err(format!("after the consent came {check}, not the check"));
    }
    Ok(draft)
}

/// What she answers, beside what the draft brings along.
fn answers(page: &Value) -> Vec<(String, String)> {
    let phone = match text(page, "/fields/phone") {
        "" => "13907310001",
        phone => phone,
    };
    let version = page.pointer("/draft/version").map(ToString::to_string).unwrap_or_default();
    [
        ("version", version.as_str()),
        ("action", "next"),
        ("reason", "expiring"),
        ("phone", phone),
        ("delivery", "collecting_window"),
        ("truth", "yes"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}

fn pairs(form: &[(String, String)]) -> Vec<(&str, &str)> {
    form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// She hands in; gives the case.
pub async fn submit_online(world: &mut World, draft: &str) -> Result<String, String> {
    let check = format!("{draft}/check");
    let page = world.get(DRIVER_HOME, &check).await?;
    let command = text(&page, "/command").to_owned();
    let case = world.post(DRIVER_HOME, &check, &format!("{draft}/submit"), &[("command", &command)]).await?;
    // The same command once more: the button pressed twice makes one case.
    let again =
        world.post(DRIVER_HOME, "/cases", &format!("{draft}/submit"), &[("command", &command)]).await?;
    if last(&case) != last(&again) {
        return Err(format!("the same command made two cases: {case} and {again}"));
    }
    Ok(last(&case))
}

/// The clerk identifies the visitor, fills in the form and ticks the formal check; gives the draft.
pub async fn collect_at_window(world: &mut World, visitor: Visitor) -> Result<String, String> {
    let card = identity_card(world, visitor).await?;
    let start =
        [("number", card.number.as_str()), ("name", &card.name), ("item", ITEM), ("deciding", DECIDING)];
    let draft = world.post(CLERK, "/window", "/window/start", &start).await?;
    let mut form = answers(&world.get(CLERK, &draft).await?);
    // Who has no phone gives none.
    form.retain(|(name, _)| name != "phone");
    form.push(("phone".to_owned(), card.phone));
    form.push(("checks".to_owned(), "person-present".to_owned()));
    form.push(("checks".to_owned(), "form-complete".to_owned()));
    world.post(CLERK, &draft, &draft, &pairs(&form)).await?;
    Ok(draft)
}

/// The visitor agrees at the counter by the code on her phone.
pub async fn agree_by_code(world: &mut World, draft: &str) -> Result<(), String> {
    let consent = format!("{draft}/consent");
    world.post(CLERK, draft, &format!("{consent}/ask"), &[("how", "code")]).await?;
    let phone = world.get(CLERK, "/demo/phone").await?;
    let message = text(&phone, "/texts/0/text");
    let code = code_in(message).ok_or_else(|| format!("no code in the text message: {message}"))?;
    world.post(CLERK, &consent, &consent, &[("code", &code)]).await?;
    if world.is_patient() { fetch_again(world, &consent).await } else { Ok(()) }
}

/// Her answer is kept although the city was killed right after it: the clerk fetches what was not fetched then.
async fn fetch_again(world: &mut World, consent: &str) -> Result<(), String> {
    let is_complete = |page: &Value| {
        list(page, "/papers").iter().all(|paper| paper.pointer("/fetched") == Some(&Value::Bool(true)))
    };
    for _ in 0..FETCHES_MAX {
        if is_complete(&world.get(CLERK, consent).await?) {
            return Ok(());
        }
        world.post(CLERK, consent, consent, &[("do", "retry")]).await?;
    }
    Err(format!("the papers of {consent} were not fetched in {FETCHES_MAX} tries"))
}

/// The visitor agrees at the counter by hand.
pub async fn agree_by_signature(world: &mut World, draft: &str) -> Result<(), String> {
    let consent = format!("{draft}/consent");
    world.post(CLERK, draft, &format!("{consent}/ask"), &[("how", "signature")]).await?;
    world.post(CLERK, &consent, &consent, &[("signature", SIGNATURE)]).await.map(drop)
}

/// Six digits in a row.
fn code_in(message: &str) -> Option<String> {
    let digits = message.split(|letter: char| !letter.is_ascii_digit());
    digits.filter(|run| run.len() == 6).map(str::to_owned).next()
}

/// The clerk hands in for the visitor; gives the case.
pub async fn submit_at_window(world: &mut World, draft: &str) -> Result<String, String> {
    let check = format!("{draft}/check");
    let page = world.get(CLERK, &check).await?;
    let command = text(&page, "/command").to_owned();
    let case = world.post(CLERK, &check, &format!("{draft}/submit"), &[("command", &command)]).await?;
    Ok(last(&case))
}

/// An officer acts on a case.
pub async fn act(
    world: &mut World,
    officer: &str,
    case: &str,
    fields: &[(&str, &str)],
) -> Result<(), String> {
    let page = format!("/office/cases/{case}");
    world.post(officer, &page, &format!("{page}/act"), fields).await.map(drop)
}

/// She answers every line of the correction notice at a city's site.
pub async fn answer_correction(world: &mut World, who: &str, case: &str) -> Result<(), String> {
    let path = format!("/cases/{case}");
    let page = world
        .until(who, &path, "a correction to answer", |page| {
            !list(page, "/progress/correction/lines").is_empty()
        })
        .await?;
    let answers: Vec<(String, &str)> = list(&page, "/progress/correction/lines")
        .iter()
        .map(|line| (format!("answer.{}", text(line, "/about")), "13907319999"))
        .collect();
    let fields: Vec<(&str, &str)> = answers.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    world.post(who, &path, &format!("{path}/correction"), &fields).await.map(drop)
}

/// The clerk hands the result over against a signature.
pub async fn hand_over(world: &mut World, case: &str) -> Result<(), String> {
    let path = format!("/window/cases/{case}");
    world.post(CLERK, &path, &format!("{path}/handover"), &[("signature", SIGNATURE)]).await.map(drop)
}

/// She rates one of the two that served her.
pub async fn rate(world: &mut World, case: &str, target: &str, grade: &str) -> Result<(), String> {
    let path = format!("/cases/{case}");
    let fields = [("target", target), ("grade", grade), ("text", "")];
    world.post(DRIVER_HOME, &path, &format!("{path}/rate"), &fields).await.map(drop)
}

/// She withdraws at Changsha's site.
pub async fn withdraw(world: &mut World, case: &str) -> Result<(), String> {
    let path = format!("/cases/{case}/withdraw");
    world.post(DRIVER_HOME, &path, &path, &[]).await.map(drop)
}

/// Waits until both cities show one of the phases and the same progress; gives what Changsha and Xiangtan show.
///
/// Xiangtan is read first and again after Changsha: a case that moved on meanwhile is looked at once more.
pub async fn both_show(world: &mut World, case: &str, phases: &[&str]) -> Result<(Value, Value), String> {
    let path = format!("/cases/{case}");
    let here = |page: &Value| phases.contains(&text(page, "/progress/phase"));
    let hash = |page: &Value| text(page, "/progress/head_hash").to_owned();
    let what = phases.join(" or ");
    for _ in 0..MOVES_MAX {
        let there = world.until(DRIVER_THERE, &path, &what, here).await?;
        let (known, seq) = (hash(&there), seq(&there));
        let caught_up = |page: &Value| seq <= self::seq(page);
        let home = world.until(DRIVER_HOME, &path, &what, caught_up).await?;
        if hash(&home) == known && here(&home) {
            same_progress(&home, &there)?;
            return Ok((home, there));
        }
    }
    Err(format!("the case moved on {MOVES_MAX} times while it was looked at"))
}

/// How far a case has come.
fn seq(page: &Value) -> u64 {
    page.pointer("/progress/seq").and_then(Value::as_u64).unwrap_or(0)
}

/// Both cities show the same: phase, holder, steps, clocks with their days.
fn same_progress(home: &Value, there: &Value) -> Result<(), String> {
    for part in [
        "/progress/phase",
        "/progress/holder",
        "/progress/steps",
        "/progress/clocks",
        "/progress/seq",
        "/due",
    ] {
        let (one, other) = (home.pointer(part), there.pointer(part));
        if one != other {
            return Err(format!("the cities differ in {part}: {one:?} and {other:?}"));
        }
    }
    Ok(())
}

/// She makes a one-time code for her certificate on Changsha's site; gives the text of the code.
pub async fn show_certificate(world: &mut World) -> Result<String, String> {
    let page = licences(world).await?;
    let certificate = certificate(&page).ok_or_else(|| format!("no certificate among {page}"))?;
    let present = text(certificate, "/present_url").to_owned();
    let code = world.post(DRIVER_HOME, "/licences", &present, &[]).await?;
    let page = world.get(DRIVER_HOME, &code).await?;
    match text(&page, "/code") {
        "" => Err(format!("no code on {code}: {page}")),
        code => Ok(code.to_owned()),
    }
}

/// Her licences as Changsha's site lists them, the certificate among them; a city that does not answer is asked again.
pub async fn licences(world: &mut World) -> Result<Value, String> {
    let is_there = |page: &Value| certificate(page).is_some();
    world.until(DRIVER_HOME, "/licences", "her certificate", is_there).await
}

/// The certificate among her licences.
pub fn certificate(page: &Value) -> Option<&Value> {
    list(page, "/licences").iter().find(|licence| text(licence, "/type") == "road_transport_qualification")
}

/// The inspector asks about a code; gives the page with the answer.
pub async fn inspect(world: &mut World, code: &str) -> Result<Value, String> {
    let browser = world.person(INSPECTOR).await?;
    browser.get("/verify").await?;
    let page = browser.submit("/verify", &[("code", code)]).await?;
    match (page.status, page.location) {
        (303, Some(location)) => browser.get(&location).await,
        _ => Ok(page.json),
    }
}

/// The last part of an address, without its query.
fn last(path: &str) -> String {
    path.split('?').next().unwrap_or_default().rsplit('/').next().unwrap_or_default().to_owned()
}

/// 办不成事: she asks Xiangtan's hall from Changsha's site, pressing twice; the hall answers; gives the enquiry.
pub async fn ask_back(world: &mut World) -> Result<String, String> {
    let key = text(&world.get(DRIVER_HOME, "/help").await?, "/key").to_owned();
    let about = format!("city:{DECIDING}");
    let question = [("about", about.as_str()), ("text", "窗口要一份指南上没有的证明"), ("key", &key)];
    let mut led = Vec::new();
    for _ in 0..2 {
        led.push(world.post(DRIVER_HOME, "/help", "/help", &question).await?);
    }
    let asked = led.iter().find(|path| path.starts_with("/asks/"));
    let asked = asked.and_then(|path| path.split('?').next()).ok_or("asking led to no enquiry")?.to_owned();
    let arrived = |page: &Value| !text(page, "/ask/office").is_empty();
    world.until(DRIVER_HOME, &asked, "that Xiangtan has it", arrived).await?;
    let there = format!("/office{asked}");
    let page = world.get(HALL_THERE, &there).await?;
    let seen = page.pointer("/seen").map(ToString::to_string).unwrap_or_default();
    let key = text(&page, "/key").to_owned();
    let answer = [("do", "answer"), ("text", "不需要，现在就可以办"), ("seen", &seen), ("key", &key)];
    for _ in 0..2 {
        world.post(HALL_THERE, &there, &there, &answer).await?;
    }
    let settled = |page: &Value| text(page, "/ask/state") == "answered";
    let home = world.until(DRIVER_HOME, &asked, "the answer", settled).await?;
    let there = world.until(HALL_THERE, &there, "the answer", settled).await?;
    for page in [&home, &there] {
        let acts: Vec<&str> = list(page, "/ask/lines").iter().map(|line| text(line, "/act")).collect();
        if acts != ["ask", "receive", "answer"] {
            return Err(format!("{asked} should be asked, received and answered once, is {acts:?}"));
        }
    }
    Ok(asked)
}
