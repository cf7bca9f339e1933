//! Staff and offices by pages: entered, given a first password, moved, sent on leave, closed.

use axum::http::StatusCode;

use super::support::{Browser, Region};

const GOOD: &str = "a long enough password";
const HALL: &str = "430100-hall-1";

#[track_caller]
fn check(status: StatusCode, expected: u16, what: &str) {
    assert_eq!(status.as_u16(), expected, "{what}");
}

fn clerk<'a>(login: &'a str, role: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("login", login), ("name", "陈新"), ("badge", "430100-2001"), ("office", HALL), ("role", role)]
}

async fn admin(region: &Region) -> Browser {
    Browser::signed_in(region, "430100", "admin1@430100").await
}

/// The page of an account that is found by its sign-in name.
async fn account(admin: &mut Browser, login: &str) -> String {
    let page = admin.get(&format!("/accounts?login={login}")).await.json();
    format!("/accounts/{}", page["rows"][0]["id"].as_str().unwrap())
}

#[tokio::test]
async fn only_the_administrator_comes_to_staff_and_offices() {
    let region = Region::new(None).await;
    let own = account(&mut admin(&region).await, "window1").await;
    for login in ["window1@430100", "auditor1@430100", "bureau1@430100", "driver@430100"] {
        let mut browser = Browser::signed_in(&region, "430100", login).await;
        for path in ["/accounts/new", "/offices", "/offices/430100-hall-1"] {
            check(browser.get(path).await.status, 403, &format!("{login} {path}"));
        }
        for act in ["", "/post", "/code", "/leave"] {
            let sent = browser.post(&format!("{own}{act}"), &[("do", "close")]).await;
            check(sent.status, 403, &format!("{login} {act}"));
        }
        check(browser.post("/accounts/new", &clerk("x1@430100", "window")).await.status, 403, login);
        check(browser.post("/offices", &[("code", "x")]).await.status, 403, login);
    }
}

#[tokio::test]
async fn a_new_clerk_gets_a_code_once_and_sets_her_own_password() {
    let region = Region::new(None).await;
    let mut admin = admin(&region).await;
    let empty = admin.post("/accounts/new", &[]).await;
    check(empty.status, 422, "nothing typed");
    assert_eq!(empty.json()["form"]["errors"].as_array().unwrap().len(), 5, "{}", empty.text());
    let taken = admin.post("/accounts/new", &clerk("window1@430100", "window")).await;
    assert_eq!(taken.json()["form"]["errors"][0]["code"], "IDN-STF-001");
    let resident = admin.post("/accounts/new", &clerk("window9@430100", "resident")).await;
    check(resident.status, 422, "no role of staff");
    let page = admin.post("/accounts/new", &clerk("window9@430100", "window")).await.json();
    let code = page["code"].as_str().unwrap().to_owned();
    assert!(page["address"].as_str().unwrap().ends_with("/password/first"));
    let shown = admin.get(&account(&mut admin.clone(), "window9").await).await.text();
    assert!(!shown.contains(&code), "no other page shows the code");

    let mut clerk = Browser::at(&region, "430100");
    clerk.program = false;
    assert!(clerk.get("/password/first").await.text().contains("一次性代码"));
    assert!(clerk.get("/password/first?lang=en").await.text().contains("Set your first password"));
    clerk.program = true;
    let wrong = clerk.post("/password/first", &[("code", "7K3M"), ("password", GOOD)]).await;
    assert_eq!(wrong.json()["form"]["errors"][0]["code"], "IDN-FST-001");
    let set = clerk.post("/password/first", &[("code", &code), ("password", GOOD)]).await;
    assert_eq!(set.location, "/sign-in?done=first", "{}", set.text());
    let again = clerk.post("/password/first", &[("code", &code), ("password", GOOD)]).await;
    check(again.status, 422, "a code works once");
    let entered = clerk.post("/sign-in", &[("login", "window9@430100"), ("password", GOOD)]).await;
    assert_eq!(entered.location, "/window");
    // Another code ends the password and the session.
    let path = account(&mut admin, "window9").await;
    assert_ne!(admin.post(&format!("{path}/code"), &[]).await.json()["code"], code);
    check(clerk.get("/profile").await.status, 401, "the session is gone");
}

#[tokio::test]
async fn a_move_a_leave_and_a_closure_by_pages() {
    let region = Region::new(None).await;
    let mut admin = admin(&region).await;
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    let path = account(&mut admin, "window1").await;
    let page = admin.get(&path).await.json();
    let substitute = page["substitutes"][0][0].as_str().unwrap().to_owned();
    assert_eq!(page["substitutes"].as_array().unwrap().len(), 2, "window2 and window3");
    let days = |first: &'static str, last: &'static str| {
        vec![("first_day".to_owned(), first), ("last_day".to_owned(), last)]
    };
    let mut leave = async |first: &'static str, last: &'static str, by: &str| {
        let days = days(first, last);
        let mut fields: Vec<(&str, &str)> = days.iter().map(|(name, day)| (name.as_str(), *day)).collect();
        fields.push(("substitute", by));
        admin.post(&format!("{path}/leave"), &fields).await
    };
    check(leave("2026-11-26", "2026-11-25", &substitute).await.status, 422, "ends before it begins");
    check(leave("2026-11-24", "2026-11-25", "").await.status, 422, "nobody stands in");
    let taken = leave("2026-11-24", "2026-11-25", &substitute).await;
    assert_eq!(taken.location, format!("{path}?done=leave"), "{}", taken.text());
    check(clerk.get("/profile").await.status, 401, "away");
    let entered = clerk
        .post("/sign-in", &[("login", "window1@430100"), ("password", tb_identity::seed::DEMO_PASSWORD)])
        .await;
    assert_eq!(entered.json()["form"]["errors"][0]["code"], "IDN-LEV-001");
    let page = admin.get(&path).await.json();
    assert_eq!((page["is_away"].as_bool(), page["leaves"][0]["state"].as_str()), (Some(true), Some("now")));
    let id = page["leaves"][0]["id"].as_str().unwrap().to_owned();
    let moved =
        admin.post(&format!("{path}/post"), &[("office", "430100-market"), ("role", "reviewer")]).await;
    assert_eq!(moved.json()["form"]["errors"][0]["code"], "IDN-STF-005");
    let ended = admin.post(&format!("{path}/leave/{id}"), &[]).await;
    assert_eq!(ended.location, format!("{path}?done=back"));
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;

    let moved =
        admin.post(&format!("{path}/post"), &[("office", "430100-market"), ("role", "reviewer")]).await;
    assert_eq!(moved.location, format!("{path}?done=moved"), "{}", moved.text());
    check(clerk.get("/profile").await.status, 401, "moved");
    let closed = admin.post(&path, &[("do", "close")]).await;
    assert_eq!(closed.location, format!("{path}?done=closed"), "{}", closed.text());
    check(
        clerk
            .post("/sign-in", &[("login", "window1@430100"), ("password", tb_identity::seed::DEMO_PASSWORD)])
            .await
            .status,
        422,
        "closed",
    );
    let reopened = admin.post(&path, &[("do", "reopen")]).await;
    assert_eq!(reopened.location, format!("{path}?done=reopened"));
    Browser::signed_in(&region, "430100", "window1@430100").await;
    admin.program = false;
    for (query, words) in [("?done=moved", "已调岗"), ("?done=leave&lang=en", "The leave is entered")] {
        let html = admin.get(&format!("{path}{query}")).await.text();
        assert!(html.contains(words), "{html}");
    }
    let mut auditor = Browser::signed_in(&region, "430100", "auditor1@430100").await;
    let lines = auditor.get("/audit?action=identity.staff.move").await.json();
    assert_eq!(
        (lines["lines"][0]["outcome"].as_str(), lines["lines"][0]["outcome_word"].as_str()),
        (Some("reviewer"), Some("审查人员"))
    );
}

#[tokio::test]
async fn nobody_changes_the_own_account_by_pages() {
    let region = Region::new(None).await;
    let mut admin = admin(&region).await;
    let own = account(&mut admin, "admin1").await;
    for (act, fields) in [
        ("", vec![("do", "close")]),
        ("/post", vec![("office", HALL), ("role", "window")]),
        ("/code", vec![]),
    ] {
        let sent = admin.post(&format!("{own}{act}"), &fields).await;
        check(sent.status, 403, act);
    }
    // Nobody else has her office and role: she cannot go on leave and leave the city without an administrator.
    let page = admin.get(&own).await.json();
    assert!(page["substitutes"].as_array().unwrap().is_empty());
    admin.program = false;
    assert!(admin.get(&own).await.text().contains("同单位同岗位没有别的人"));
}

#[tokio::test]
async fn offices_by_pages() {
    let region = Region::new(None).await;
    let mut admin = admin(&region).await;
    let list = admin.get("/offices").await.json();
    assert_eq!((list["count"].as_u64(), list["rows"][0]["is_closed"].as_bool()), (Some(12), Some(false)));
    assert_eq!(admin.get("/offices?name=hall").await.json()["count"], 1);
    let new = [("name_zh", "第二政务大厅"), ("name_en", "Second Hall"), ("code", "hall-2"), ("kind", "hall")];
    check(admin.post("/offices", &[("code", "Hall 2")]).await.status, 422, "no code");
    let made = admin.post("/offices", &new).await;
    assert_eq!(made.location, "/offices/430100-hall-2?done=made", "{}", made.text());
    assert_eq!(admin.post("/offices", &new).await.json()["form"]["errors"][0]["code"], "IDN-OFF-001");
    let path = "/offices/430100-hall-2";
    let renamed =
        admin.post(path, &[("do", "rename"), ("name_zh", "东大厅"), ("name_en", "East Hall")]).await;
    assert_eq!(renamed.location, format!("{path}?done=rename"));
    assert_eq!(admin.get(path).await.json()["office"]["name_zh"], "东大厅");
    check(admin.post(path, &[("do", "x")]).await.status, 422, "nothing to do");
    check(admin.post("/offices/430100-hall-1", &[("do", "close")]).await.status, 409, "people work there");
    assert_eq!(admin.post(path, &[("do", "close")]).await.location, format!("{path}?done=close"));
    let page = admin.get("/accounts/new").await.json();
    assert!(page["offices"].as_array().unwrap().iter().all(|office| office[0] != "430100-hall-2"));
    assert_eq!(admin.post(path, &[("do", "reopen")]).await.location, format!("{path}?done=reopen"));
    check(admin.get("/offices/430100-nowhere").await.status, 404, "no office");
    admin.program = false;
    assert!(admin.get("/offices?name=nothing").await.text().contains("没有符合的单位"));
    assert!(admin.get("/offices?lang=en").await.text().contains("A new office"));
    assert!(admin.get(&format!("{path}?lang=zh")).await.text().contains("撤销单位"));
}
