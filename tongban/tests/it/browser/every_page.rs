//! Every page that a role can reach by its own links (全站巡看), and forms that need no script.

use std::collections::{BTreeSet, VecDeque};

use tongban::journey::steps::{self, Visitor};

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

/// Who walks, in which city, on which screen, and how the first page is asked for.
const WALKERS: [(&str, View, &str); 16] = [
    ("driver@430100", View::Phone, "/"),
    ("window1@430100", View::Desk, "/"),
    ("reviewer1@430300", View::Desk, "/"),
    ("approver1@430300", View::Desk, "/"),
    ("inspector1@430200", View::Phone, "/"),
    ("bureau1@430100", View::Desk, "/"),
    ("supervisor1@430300", View::Desk, "/"),
    ("auditor1@430100", View::Desk, "/"),
    ("admin1@430100", View::Desk, "/"),
    ("window1@430100", View::Phone, "/"),
    ("reviewer1@430300", View::Phone, "/"),
    ("bureau1@430100", View::Phone, "/"),
    ("driver@430100", View::Phone, "/?lang=en"),
    ("window1@430100", View::Desk, "/?lang=en"),
    ("reviewer1@430300", View::Desk, "/?lang=en"),
    ("driver@430100", View::Phone, "/?view=elder"),
];
/// Addresses that are files, leave the site, or change something.
const NOT_PAGES: [&str; 7] = ["/proof", "/evidence", "/file", "/demo/enter", "export=", "lang=", "view="];
/// What everybody sees is walked by the first only.
const COMMON: [&str; 7] = ["/items", "/agreement", "/help", "/demo", "/styleguide", "/verify", "/messages"];
/// More pages than any role has of its own.
const PAGES_MAX: usize = 60;

#[tokio::test(flavor = "multi_thread")]
async fn every_page_that_somebody_reaches_is_whole() {
    super::play("walk", walk_all).await;
}

async fn walk_all(stage: &mut Stage) -> Seen {
    let draft = steps::collect_at_window(&mut stage.world, Visitor::Driver).await?;
    steps::agree_by_code(&mut stage.world, &draft).await?;
    let case = steps::submit_at_window(&mut stage.world, &draft).await?;
    steps::both_show(&mut stage.world, &case, &["received"]).await?;
    steps::prepare_online(&mut stage.world).await?;
    let mut common = BTreeSet::new();
    for (login, view, start) in WALKERS {
        let (name, city) = login.split_once('@').unwrap_or((login, ""));
        let how = start.rsplit('=').next().filter(|how| !how.starts_with('/')).unwrap_or("zh");
        let tab = stage.tab(&format!("walk-{name}-{how}-{}", view.width()), view, city).await?;
        tab.sign_in(login).await?;
        let seen = walk(&tab, start, common.clone()).await?;
        common.extend(seen.into_iter().filter(|kind| COMMON.iter().any(|it| kind.starts_with(it))));
    }
    Ok(())
}

/// Follows every link of the site, each kind of page once; gives the kinds that were seen.
async fn walk(tab: &Tab, start: &str, mut seen: BTreeSet<String>) -> Seen<BTreeSet<String>> {
    let mut next = VecDeque::from([start.to_owned()]);
    while let Some(path) = next.pop_front() {
        if !seen.insert(kind_of(&path)) {
            continue;
        }
        if PAGES_MAX < seen.len() {
            return Err(format!("there is no end of pages; the last is {path}"));
        }
        tab.go(&path).await?;
        tab.look(&kind_of(&path).trim_matches('/').replace(['/', '?', '='], "-")).await?;
        next.extend(links(tab).await?);
    }
    Ok(seen)
}

/// The links of a page that lead to pages of this site.
async fn links(tab: &Tab) -> Seen<Vec<String>> {
    let script = "return Array.from(document.querySelectorAll('a[href]')).filter((it) => it.origin === location.origin) \
                  .map((it) => it.pathname + it.search)";
    let found = tab.run(script, Vec::new()).await?;
    let found: Vec<String> = serde_json::from_value(found).map_err(|error| error.to_string())?;
    Ok(found.into_iter().filter(|path| !NOT_PAGES.iter().any(|other| path.contains(other))).collect())
}

/// A page without the ids in its address: one case is looked at, not each; of a query the first name counts.
fn kind_of(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "x" } else { part }).collect();
    match query.split('=').next() {
        Some("") | None => parts.join("/"),
        Some(name) => format!("{}?{name}", parts.join("/")),
    }
}

fn is_id(part: &str) -> bool {
    part.len() == 26
        || (part != "121" && !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resident_needs_no_script() {
    super::play("plain", plain_forms).await;
}

/// The pages of an application are plain forms: sent as a browser without script sends them, with every field that they hold.
async fn plain_forms(stage: &mut Stage) -> Seen {
    let mut browser = stage.plain("430100");
    browser.open("/sign-in").await?;
    browser.send("/sign-in", &[("login", "driver@430100"), ("password", super::tab::PASSWORD)]).await?;
    browser.open("/items/121").await?;
    browser.send("/items/121/apply", &[("deciding", "430300")]).await?;
    let draft = browser.path().to_owned();
    for answers in [
        &[("reason", "expiring"), ("phone", "13907310001"), ("action", "next")][..],
        &[("delivery", "electronic"), ("action", "next")],
        &[("truth", "yes"), ("action", "next")],
    ] {
        browser.send(&draft, answers).await?;
    }
    browser.send(&format!("{draft}/consent"), &[("answer", "confirm")]).await?;
    browser.send(&format!("{draft}/submit"), &[]).await?;
    if browser.path().starts_with("/cases/") {
        Ok(())
    } else {
        Err(format!("handing in led to {}", browser.path()))
    }
}
