//! Accounts of staff: the administrator locks and unlocks them.

use axum::http::StatusCode;

use super::support::{Browser, Region};

#[track_caller]
fn check(status: StatusCode, expected: u16, what: &str) {
    assert_eq!(status.as_u16(), expected, "{what}");
}

#[tokio::test]
async fn the_administrator_locks_and_unlocks() {
    let region = Region::new(None).await;
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    check(clerk.get("/accounts").await.status, 403, "a clerk");
    let mut admin = Browser::signed_in(&region, "430100", "admin1@430100").await;
    let page = admin.get("/accounts?login=WINDOW1").await.json();
    assert_eq!((page["count"].as_u64(), page["rows"][0]["state"].as_str()), (Some(1), Some("active")));
    assert_eq!(page["rows"][0]["role"], "窗口人员");
    let path = format!("/accounts/{}", page["rows"][0]["id"].as_str().unwrap());
    check(admin.post(&path, &[("do", "lock")]).await.status, 422, "no reason");
    check(admin.post(&path, &[("do", "lock"), ("reason", "back")]).await.status, 422, "no reason to lock");
    check(admin.post(&path, &[("do", "x"), ("reason", "back")]).await.status, 422, "nothing to do");
    check(clerk.get("/profile").await.status, 200, "still signed in");
    check(clerk.post(&path, &[("do", "lock"), ("reason", "left")]).await.status, 403, "a clerk locks nobody");
    let done = admin.post(&path, &[("do", "lock"), ("reason", "left")]).await;
    assert_eq!(done.location, format!("{path}?done=locked"));
    check(clerk.get("/profile").await.status, 401, "the session is gone");
    check(admin.post(&path, &[("do", "lock"), ("reason", "left")]).await.status, 409, "locked already");
    admin.program = false;
    let html = admin.get(&done.location).await.text();
    assert!(html.contains("恢复账户"), "{html}");
    let list = admin.get("/accounts").await.text();
    assert!(list.contains("已锁定") && list.contains("忘记密码"), "{list}");
    region.later(60);
    let done = admin.post(&path, &[("do", "unlock"), ("reason", "back")]).await;
    assert_eq!(done.location, format!("{path}?done=unlocked"));
    Browser::signed_in(&region, "430100", "window1@430100").await;
    let mut auditor = Browser::signed_in(&region, "430100", "auditor1@430100").await;
    let lines = auditor.get("/audit?action=identity.account.state").await.json();
    assert_eq!(lines["lines"][1]["outcome"], "frozen:left");
    assert_eq!(lines["lines"][0]["outcome_word"], "已恢复：回岗");
}

#[tokio::test]
async fn no_account_is_found_and_the_own_one_stays() {
    let region = Region::new(None).await;
    let mut admin = Browser::signed_in(&region, "430100", "admin1@430100").await;
    let own = admin.get("/accounts?login=admin1").await.json()["rows"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{own}");
    assert_eq!(admin.get(&path).await.json()["is_own"], true);
    let refused = admin.post(&path, &[("do", "lock"), ("reason", "left")]).await;
    assert_eq!(refused.json()["code"], "IDN-ACC-004");
    for path in ["/accounts/x", "/accounts/01kq3zt0000000000000000000"] {
        check(admin.get(path).await.status, 404, path);
    }
    check(admin.get(&format!("/accounts?login={}", "a".repeat(81))).await.status, 422, "too long");
    admin.program = false;
    assert!(admin.get("/accounts?login=nobody").await.text().contains("没有符合的账户"));
    let english = admin.get("/accounts?lang=en").await.text();
    assert!(english.contains("Accounts of staff") && english.contains("How a password is set anew"));
}
