//! The auditor's search: what is found, what may be asked, and that every look is itself a line.

use axum::http::StatusCode;
use tb_store::{Tx, audit};

use super::support::{Browser, Region};

#[track_caller]
fn check(status: StatusCode, expected: u16, what: &str) {
    assert_eq!(status.as_u16(), expected, "{what}");
}

async fn auditor(region: &Region) -> Browser {
    Browser::signed_in(region, "430100", "auditor1@430100").await
}

/// Lines of an action as they stand in the store: object and outcome, the newest first.
async fn lines(region: &Region, action: &'static str) -> Vec<(String, String)> {
    let read = move |tx: &mut Tx<'_>| audit::search(tx, &audit::Search::action(action), None, 100);
    let found = region.city("430100").store.read("test.lines", read).await.unwrap();
    found.lines.into_iter().map(|line| (line.object, line.outcome)).collect()
}

#[tokio::test]
async fn the_auditor_searches_and_is_seen_to() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    let page = browser.get("/audit?action=identity.sign_in").await.json();
    let count = page["lines"].as_array().unwrap().len();
    assert_eq!(page["lines"][0]["action"], "identity.sign_in");
    let page = browser.get("/audit?action=audit.read").await.json();
    assert_eq!(page["lines"][0]["object"], "action=identity.sign_in");
    assert_eq!(page["lines"][0]["outcome"], format!("found:{count}"));
    assert_eq!(page["lines"][0]["outcome_word"], format!("查到 {count} 条"));
    assert_eq!(browser.get("/audit?from=2026-11-25").await.json()["lines"].as_array().unwrap().len(), 0);
    let today = browser.get("/audit?from=2026-11-24&until=2026-11-24").await.json();
    assert!(!today["lines"].as_array().unwrap().is_empty());
    browser.program = false;
    assert!(browser.get("/audit?object=nothing").await.text().contains("没有符合的记录"));
    assert!(browser.get("/audit").await.text().contains("审计记录"));
}

#[tokio::test]
async fn days_are_drawn_and_pages_turn_both_ways() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    let ctx = region.ctx("430100");
    let write = move |tx: &mut Tx<'_>| {
        for n in 0..120 {
            let mut older = ctx.clone();
            older.now = ctx.now.plus_seconds(-(n % 3) * 86_400 - n);
            audit::line(tx, &older, "case.act", &format!("case-{n}"), "done")?;
        }
        Ok(())
    };
    region.city("430100").store.write("test.many", write).await.unwrap();
    let first = browser.get("/audit?action=case.act").await.json();
    let days = first["days"].as_array().unwrap();
    assert_eq!(days.len(), 14);
    let sum: u64 = days.iter().map(|day| day["lines"].as_u64().unwrap()).sum();
    assert_eq!(sum, 120, "{first}");
    assert!(first["newer"].is_null());
    let second = browser.get(first["older"].as_str().unwrap()).await.json();
    let third = browser.get(second["older"].as_str().unwrap()).await.json();
    assert_eq!((third["lines"].as_array().unwrap().len(), third["older"].is_null()), (20, true));
    let back = browser.get(third["newer"].as_str().unwrap()).await.json();
    assert_eq!(back["lines"], second["lines"]);
    let again = browser.get(back["newer"].as_str().unwrap()).await.json();
    assert_eq!((&again["lines"], again["newer"].is_null()), (&first["lines"], true));
    let day = days.last().unwrap();
    let path = format!("/audit?action=case.act&from={0}&until={0}", day["day"].as_str().unwrap());
    browser.program = false;
    let html = browser.get("/audit?action=case.act").await.text();
    assert!(html.contains(&path.replace('&', "&#38;")), "a column opens its day: {html}");
    browser.program = true;
    let found = browser.get(&path).await.json();
    assert_eq!(found["days"].as_array().unwrap().len(), 1);
    assert_eq!(found["lines"].as_array().unwrap().len() as u64, day["lines"].as_u64().unwrap());
}

#[tokio::test]
async fn each_filter_narrows_and_all_may_be_named_together() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    Browser::signed_in(&region, "430100", "driver@430100").await;
    let all = browser.get("/audit").await.json();
    let line = all["lines"].as_array().unwrap().iter().find(|it| it["action"] == "identity.sign_in").unwrap();
    let of = |name: &str| line[name].as_str().unwrap().to_owned();
    let (actor, object, trace) = (of("actor"), of("object"), of("trace"));
    for query in [
        format!("actor={actor}"),
        format!("object={object}"),
        format!("trace={trace}"),
        format!("kind={}", actor.split(':').next().unwrap()),
        "outcome=done".to_owned(),
        format!("actor={actor}&object={object}&trace={trace}&action=identity.sign_in&outcome=done"),
    ] {
        let page = browser.get(&format!("/audit?{query}")).await.json();
        let lines = page["lines"].as_array().unwrap();
        assert!(lines.iter().any(|it| it["id"] == line["id"]), "{query}");
    }
    for query in ["kind=node", "outcome=LIC-CNS-001", "trace=0000000000000000"] {
        let page = browser.get(&format!("/audit?{query}")).await.json();
        assert_eq!(page["lines"].as_array().unwrap().len(), 0, "{query}");
    }
}

/// The question is written down, so nothing of a person may stand in it.
#[tokio::test]
async fn what_looks_like_a_person_is_not_searched_for() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    for bad in [
        "from=2026-13-01",
        "object=%E5%91%A8%E6%99%93%E6%A2%85",
        "object=430302199003072024",
        "actor=13907310001",
        "action=none",
    ] {
        let page = browser.get(&format!("/audit?{bad}")).await;
        check(page.status, 422, bad);
        assert_eq!(page.json()["form"]["errors"].as_array().unwrap().len(), 1, "{bad}");
    }
    assert_eq!(lines(&region, "audit.read").await, []);
}

#[tokio::test]
async fn a_line_opens_with_links_to_what_it_is_about() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    let page = browser.get("/audit?action=identity.sign_in").await.json();
    let id = page["lines"][0]["id"].as_str().unwrap().to_owned();
    region.later(1);
    let line = browser.get(&format!("/audit/{id}")).await.json();
    assert_eq!((line["line"]["id"].as_str(), &line["about"]), (Some(id.as_str()), &serde_json::Value::Null));
    assert_eq!(lines(&region, "audit.read").await[0], (id.clone(), "found:1".to_owned()));
    check(browser.get("/audit/x").await.status, 404, "no id");
    check(browser.get("/audit/01kq3zt0000000000000000000").await.status, 404, "no line");
    region.later(1);
    browser.get("/bureau/contracts/czt-430100-430300").await;
    let page = browser.get("/audit?action=bureau.read").await.json();
    let id = page["lines"][0]["id"].as_str().unwrap();
    let line = browser.get(&format!("/audit/{id}")).await.json();
    assert_eq!(line["about"], "/bureau/contracts/czt-430100-430300");
    browser.program = false;
    assert!(browser.get(&format!("/audit/{id}?lang=en")).await.text().contains("Open what it is about"));
}

/// An export is a line with its question and its size, in the act of exporting; cells run as no formula.
#[tokio::test]
async fn an_export_is_a_file_and_a_line() {
    let region = Region::new(None).await;
    let ctx = region.ctx("430100");
    let plant = move |tx: &mut Tx<'_>| audit::line(tx, &ctx, "case.act", "=1+1", "done");
    region.city("430100").store.write("test.plant", plant).await.unwrap();
    let mut browser = auditor(&region).await;
    browser.program = false;
    let page = browser.get("/audit?action=case.act&export=csv").await;
    let text = page.text();
    assert!(text.starts_with("\u{feff}时间,谁,") && text.contains(",'=1+1,"), "{text}");
    assert_eq!(text.lines().count(), 2);
    assert_eq!(lines(&region, "audit.export").await, [("action=case.act".to_owned(), "found:1".to_owned())]);
    let excel = browser.get("/audit?action=case.act&export=xlsx").await;
    let excel = String::from_utf8_lossy(&excel.body);
    assert!(excel.contains(">=1+1</t>") && !excel.contains("<f>"));
    let english = browser.get("/audit?action=case.act&export=csv&lang=en").await.text();
    assert!(english.starts_with("\u{feff}when,who,"), "{english}");
}

#[tokio::test]
async fn an_export_has_an_end_and_says_so() {
    let region = Region::new(None).await;
    let ctx = region.ctx("430100");
    let plant =
        move |tx: &mut Tx<'_>| (0..10_001).try_for_each(|_| audit::line(tx, &ctx, "case.act", "x", "done"));
    region.city("430100").store.write("test.plant", plant).await.unwrap();
    let mut browser = auditor(&region).await;
    let text = browser.get("/audit?action=case.act&export=csv").await.text();
    assert_eq!(text.lines().count(), 1 + 10_000 + 1);
    assert!(text.lines().last().unwrap().contains("没有全部导出"));
    assert_eq!(lines(&region, "audit.export").await[0].1, "found:10000");
}

#[tokio::test]
async fn older_lines_are_a_page_away() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    for _ in 0..52 {
        browser.get("/audit?action=audit.read").await;
        region.later(1);
    }
    let page = browser.get("/audit?action=audit.read").await.json();
    assert_eq!(page["lines"].as_array().unwrap().len(), 50);
    let older = browser.get(page["older"].as_str().unwrap()).await.json();
    assert!(!older["lines"].as_array().unwrap().is_empty() && older["older"].is_null());
}

#[tokio::test]
async fn the_audit_says_in_words_what_happened() {
    let region = Region::new(None).await;
    let mut browser = auditor(&region).await;
    let line = browser.get("/audit?action=identity.sign_in").await.json()["lines"][0].clone();
    assert_eq!((line["action_word"].as_str(), line["outcome_word"].as_str()), (Some("登录"), Some("完成")));
    browser.program = false;
    let html = browser.get("/audit").await.text();
    assert!(html.contains(">登录<") && html.contains("identity.sign_in"), "{html}");
    let html = browser.get("/audit?lang=en").await.text();
    assert!(html.contains(">signed in<") && html.contains("identity.sign_in"), "{html}");
}
