//! Every page that a role can reach by its own links (全站巡看), in each of its forms, and forms that need no script.

use std::collections::{BTreeSet, VecDeque};

use super::Seen;
use super::planted::{self, Planted};
use super::stage::Stage;
use super::tab::{Media, Tab, View};

/// Who walks, and in which city; somebody without an account walks first.
const WALKERS: [(&str, &str); 10] = [
    ("", "430100"),
    ("driver", "430100"),
    ("window1", "430100"),
    ("reviewer1", "430300"),
    ("approver1", "430300"),
    ("inspector1", "430200"),
    ("bureau1", "430100"),
    ("supervisor1", "430300"),
    ("auditor1", "430100"),
    ("admin1", "430100"),
];
/// The forms of a page: how it is asked for, the screen, and a word for its photographs.
const DESK: Form = Form { start: "/", view: View::Desk, word: "zh" };
const PHONE: Form = Form { start: "/", view: View::Phone, word: "zh" };
const ENGLISH: Form = Form { start: "/?lang=en", view: View::Desk, word: "en" };
const ELDER: Form = Form { start: "/?view=elder", view: View::Phone, word: "elder" };
const PLAIN: Form = Form { start: "/", view: View::PlainPhone, word: "plain" };
/// Addresses that are files, leave the site, or change something.
const NOT_PAGES: [&str; 7] = ["/proof", "/evidence", "/file", "/demo/enter", "export=", "lang=", "view="];
/// What everybody sees alike is walked by the first only.
const COMMON: [&str; 10] = [
    "/items",
    "/agreement",
    "/help",
    "/demo",
    "/styleguide",
    "/verify",
    "/sign-in",
    "/register",
    "/password",
    "/performance",
];
/// Where nobody's links lead, without an account.
const DOORS: [&str; 5] =
    ["/register", "/password/forgot", "/password/first", "/password/reset?ticket=none", "/nothing-here"];
/// What is printed, by how its address ends.
const PRINTED: [&str; 2] = ["/receipt", "/decision"];
/// What is looked at in the colours that a reader sets.
const FORCED: [&str; 5] = ["/", "/items/121", "/sign-in", "/window", "/office"];
/// More pages than any role has of its own.
const PAGES_MAX: usize = 60;

/// In which form the pages are walked.
#[derive(Clone, Copy)]
struct Form {
    start: &'static str,
    view: View,
    word: &'static str,
}

impl Form {
    /// What one walker's look shows of everybody's. What differs by role is in the words and rows of a page:
    /// they are looked at in each role as most people see them; in the other forms each kind of page once.
    fn shows_once(self, kind: &str) -> bool {
        self.word != "zh" || COMMON.iter().any(|it| kind.starts_with(it))
    }

    /// Without script people stand where they are: staff at a desk, others with a telephone.
    fn view_of(self, name: &str) -> View {
        match self.view {
            View::PlainPhone if !["", "driver"].contains(&name) => View::PlainDesk,
            view => view,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_that_somebody_reaches_is_whole() {
    super::play("walk", async |stage| walk_all(stage, &[DESK, PHONE]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_whole_in_english_and_larger() {
    super::play("walk-forms", async |stage| walk_all(stage, &[ENGLISH, ELDER]).await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_whole_without_script() {
    super::play("walk-plain", async |stage| walk_all(stage, &[PLAIN]).await).await;
}

async fn walk_all(stage: &mut Stage, forms: &[Form]) -> Seen {
    let planted = planted::plant(&mut stage.world).await?;
    for form in forms {
        let mut common = BTreeSet::new();
        for (name, city) in WALKERS {
            let who = if name.is_empty() { "anybody" } else { name };
            let view = form.view_of(name);
            let tab = format!("walk-{who}-{}-{}", form.word, view.width());
            let tab = stage.tab(&tab, view, city).await?;
            if !name.is_empty() {
                tab.sign_in(&format!("{name}@{city}")).await?;
            }
            let mut starts = vec![form.start.to_owned()];
            starts.extend(own(&planted, name));
            let seen = walk(&tab, starts, common.clone()).await?;
            common.extend(seen.into_iter().filter(|kind| form.shows_once(kind)));
        }
    }
    Ok(())
}

/// Where somebody begins beside the first page.
fn own(planted: &Planted, name: &str) -> Vec<String> {
    match name {
        "" => DOORS.map(str::to_owned).to_vec(),
        "driver" => planted.driver.clone(),
        "window1" => planted.clerk.clone(),
        "reviewer1" | "approver1" => planted.office.clone(),
        _ => Vec::new(),
    }
}

/// Looks at every start, then follows every link of the site, each kind of page once; gives the kinds that were seen.
async fn walk(tab: &Tab, starts: Vec<String>, mut seen: BTreeSet<String>) -> Seen<BTreeSet<String>> {
    let (mut next, before) = (VecDeque::new(), seen.len());
    for (at, path) in starts.into_iter().enumerate() {
        let kind = kind_of(&path);
        let again = if seen.insert(kind) { String::new() } else { format!("-{at}") };
        next.extend(show(tab, &path, &again).await?);
    }
    while let Some(path) = next.pop_front() {
        if !seen.insert(kind_of(&path)) {
            continue;
        }
        if before + PAGES_MAX < seen.len() {
            return Err(format!("there is no end of pages; the last is {path}"));
        }
        next.extend(show(tab, &path, "").await?);
    }
    Ok(seen)
}

/// Looks at a page in every way; gives its links.
async fn show(tab: &Tab, path: &str, again: &str) -> Seen<Vec<String>> {
    tab.go(path).await?;
    let shot = format!("{}{again}", kind_of(path).trim_matches('/').replace(['/', '?', '='], "-"));
    tab.look(&shot).await?;
    if tab.view() == View::Desk {
        tab.reflow(&shot).await?;
        if PRINTED.iter().any(|end| path.ends_with(end)) {
            tab.look_as(Media::Print, &format!("{shot}-print")).await?;
        }
        if FORCED.contains(&path) {
            tab.look_as(Media::ForcedColours, &format!("{shot}-forced")).await?;
        }
    }
    links(tab).await
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
    let path = match path.strip_prefix("/situations/") {
        Some(_) => "/situations/x",
        None => path,
    };
    let parts: Vec<&str> = path.split('/').map(|part| if is_id(part) { "x" } else { part }).collect();
    // One list is looked at, not each way to narrow it.
    let query = if path == "/supervise/cases" { "" } else { query };
    match query.split('=').next() {
        // A case in another list, and a list in another order, are the same pages.
        Some("" | "in" | "sort") | None => parts.join("/"),
        Some(name) => format!("{}?{name}", parts.join("/")),
    }
}

fn is_id(part: &str) -> bool {
    part.len() == 26
        || (part != "121" && !part.is_empty() && part.chars().all(|letter| letter.is_ascii_digit()))
}
