//! The demo as one opening page (演示导览): planted cities, the tour by clicks, a city that is cut and mended.

use serde_json::Value;
use tb_testkit::{Chrome, Folder};
use tongban::journey::browser::Browser;
use tongban::journey::people::text;

use super::Seen;
use super::stage::{BEGIN_SECONDS, now_seconds};
use super::tab::{Faults, Notes, PASSWORD, Tab, View};
use super::visits::Visits;
use crate::demo::{Demo, base_port};

const CITIES: [&str; 3] = ["430100", "430200", "430300"];

/// The demo in one process, as a newcomer starts it, and a Chromium.
struct Opening {
    chrome: Chrome,
    notes: Notes,
    port: u16,
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_opens_on_cities_at_work_and_leads_through_the_journey() {
    let (folder, port) = (Folder::new("tour"), base_port());
    let shift = (BEGIN_SECONDS - now_seconds()).to_string();
    let demo = Demo::start(&folder, port, &["--shift", &shift]);
    assert!(demo.lines.iter().any(|line| line.ends_with("cases planted")), "{:?}", demo.lines);
    let planted = queues(port).await;
    assert_eq!(planted.iter().map(|(_, late)| late).sum::<i64>(), 2, "two are late: {planted:?}");
    assert!(planted.iter().all(|(all, _)| 5 <= *all), "every office has something to do: {planted:?}");
    let notes = Notes { faults: Faults::default(), visits: Visits::of("tour") };
    let opening = Opening { chrome: Chrome::start(), notes, port };
    let outcome = play(&opening).await;
    if let Err(problems) = super::stage::verdict(&opening.notes, outcome) {
        panic!("{problems}");
    }
    demo.stop();
    let again = Demo::start(&folder, port, &["--shift", &shift]);
    assert!(!again.lines.iter().any(|line| line.contains("plant")), "a second start plants nothing");
    let kept = queues(port).await;
    assert_eq!(kept, planted, "both journeys came to their end; what was planted is there once");
    again.stop();
}

async fn play(opening: &Opening) -> Seen {
    for view in [View::Desk, View::Phone] {
        let tab = opening.tab(&format!("tour-{}", view.width()), view).await?;
        tour(&tab).await?;
        cut_and_mend(&tab).await?;
    }
    Ok(())
}

impl Opening {
    async fn tab(&self, name: &str, view: View) -> Seen<Tab> {
        let site = format!("http://127.0.0.1:{}", self.port + 1);
        Tab::open(&self.chrome, name, view, &site, &self.notes).await
    }
}

/// How many cases each transport office has to do, and how many of them are late.
async fn queues(port: u16) -> Vec<(i64, i64)> {
    let mut queues = Vec::new();
    for (at, city) in (1..).zip(CITIES) {
        let mut officer = Browser::at(&format!("http://127.0.0.1:{}", port + at));
        officer.get("/sign-in").await.expect("the door");
        let login = format!("reviewer1@{city}");
        officer.post("/sign-in", &[("login", &login), ("password", PASSWORD)]).await.expect("signed in");
        let page = officer.get("/office").await.expect("the queue");
        let count = |name: &str| page.pointer(name).and_then(Value::as_i64).unwrap_or(-1);
        assert_eq!(text(&page, "/office"), format!("{city}-transport"));
        queues.push((count("/counts/all"), count("/counts/late")));
    }
    queues
}

/// From the front page by its buttons alone to the end of the journey.
async fn tour(tab: &Tab) -> Seen {
    tab.go("/demo").await?;
    tab.look("front").await?;
    tab.press("form[action='/demo/tour'] [value=start]").await?;
    tab.is_at("/items/121").await?;
    tab.says(".tour", "1/8").await?;
    tab.look("step-1").await?;
    apply(tab).await?;
    tab.reload_until(".tour", "这一步做完了").await?;
    officer(tab, "2/8", "accept").await?;
    officer(tab, "3/8", "opine").await?;
    officer(tab, "4/8", "approve").await?;
    go_on(tab, "5/8").await?;
    tab.find("[data-tour]").await?;
    tab.look("step-5").await?;
    tab.sign("signature").await?;
    tab.press("[data-tour] button[type=submit]").await?;
    go_on(tab, "6/8").await?;
    tab.is_at("/licences").await?;
    tab.press("[data-tour] button").await?;
    go_on(tab, "7/8").await?;
    tab.is_at("/verify").await?;
    tab.press("button[data-tour]").await?;
    tab.says("main", "周晓梅").await?;
    go_on(tab, "8/8").await?;
    tab.is_at("/looks").await?;
    tab.find("[data-tour], .look").await?;
    tab.press(".tour a.btn").await?;
    tab.is_at("/demo").await?;
    tab.press("form[action='/demo/tour'] [value=stop]").await?;
    match tab.count(".tour").await? {
        0 => Ok(()),
        _ => Err("the tour does not end".to_owned()),
    }
}

/// Follows the bar to the next step.
async fn go_on(tab: &Tab, step: &str) -> Seen {
    tab.reload_until(".tour", "这一步做完了").await?;
    tab.press(".tour a.btn").await?;
    tab.says(".tour", step).await
}

/// She applies: what is marked is pressed, what is asked is chosen.
async fn apply(tab: &Tab) -> Seen {
    fill(tab, &MARKED).await?;
    tab.press("button[data-tour]").await?;
    tab.press("button[data-tour]").await
}

/// What is pressed on the way through the form.
struct Buttons<'a> {
    begin: &'a str,
    next: &'a str,
}

const MARKED: Buttons<'_> = Buttons { begin: "button[data-tour]", next: "button[data-tour]" };
const UNMARKED: Buttons<'_> =
    Buttons { begin: "form[action$='/apply'] button", next: "button[name=action][value=next]" };

/// Up to the question whether her papers may be fetched.
async fn fill(tab: &Tab, buttons: &Buttons<'_>) -> Seen {
    tab.choose("deciding", "430300").await?;
    tab.press(buttons.begin).await?;
    for (question, answer) in [("reason", "expiring"), ("delivery", "collecting_window"), ("truth", "yes")] {
        tab.choose(question, answer).await?;
        tab.press(buttons.next).await?;
    }
    Ok(())
}

/// An officer of Xiangtan acts on the case; the place is marked.
async fn officer(tab: &Tab, step: &str, deed: &str) -> Seen {
    go_on(tab, step).await?;
    tab.find("[data-tour]").await?;
    if deed == "accept" {
        tab.look("step-2").await?;
    }
    tab.press(&format!("main a[href*='do={deed}']")).await?;
    if deed == "opine" {
        tab.choose("agrees", "approve").await?;
        tab.fill("text", "符合条件，建议准予换发").await?;
    }
    tab.press("form[action$='/act'] button[type=submit]").await
}

/// Xiangtan is cut off: her application waits and says since when; mended, it goes on.
async fn cut_and_mend(tab: &Tab) -> Seen {
    tab.press("a[href*='login=driver@430100'][href*='next=/items']").await?;
    fill(tab, &UNMARKED).await?;
    let consent = tab.path().await?;
    tab.go("/demo").await?;
    tab.press("button[name=cut][value='430300']").await?;
    tab.says("#lines", "断线").await?;
    tab.look("front-cut").await?;
    tab.go(&consent).await?;
    tab.press("button[name=answer][value=confirm]").await?;
    tab.says("main", "湘潭现在没有应答").await?;
    mend(tab).await?;
    tab.go(&consent).await?;
    tab.press("button[name=answer][value=confirm]").await?;
    hand_in_while_cut(tab).await
}

/// Her papers are here; the case itself waits for Xiangtan, at home and on the front page, and goes on by itself.
async fn hand_in_while_cut(tab: &Tab) -> Seen {
    let check = tab.path().await?;
    tab.go("/demo").await?;
    tab.press("button[name=cut][value='430300']").await?;
    tab.go(&check).await?;
    tab.press("form[action$='/submit'] button").await?;
    let case = tab.path().await?;
    tab.says("main", "湘潭").await?;
    tab.look("case-waits").await?;
    tab.go("/demo").await?;
    tab.says("#lines", "等湘潭，自").await?;
    mend(tab).await?;
    tab.go(&case).await?;
    tab.reload_until(".due", "湘潭").await?;
    tab.go(&format!("{}/withdraw", case.split('?').next().unwrap_or_default())).await?;
    tab.press("main form button[type=submit]").await
}

async fn mend(tab: &Tab) -> Seen {
    tab.go("/demo").await?;
    tab.press("button[name=mend][value='430300']").await?;
    match tab.count("button[name=mend]").await? {
        0 => Ok(()),
        _ => Err("the line is not mended".to_owned()),
    }
}
