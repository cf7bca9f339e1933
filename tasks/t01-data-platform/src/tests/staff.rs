//! The bureau's overview and the auditor's search: who may come, and what they say.

use axum::http::StatusCode;
use tb_base::MessageId;
use tb_exchange::{Purpose, service};
use tb_store::outbox;

use super::support::{Browser, Region, node};

#[track_caller]
fn check(status: StatusCode, expected: u16, what: &str) {
    assert_eq!(status.as_u16(), expected, "{what}");
}

#[tokio::test]
async fn who_may_come() {
    let region = Region::new(None).await;
    for (login, bureau, audit) in [
        ("bureau1@430100", 200, 403),
        ("auditor1@430100", 200, 200),
        ("window1@430100", 403, 403),
        ("admin1@430100", 403, 403),
        ("driver@430100", 403, 403),
    ] {
        let mut browser = Browser::signed_in(&region, "430100", login).await;
        check(browser.get("/bureau").await.status, bureau, login);
        check(browser.get("/audit").await.status, audit, login);
    }
}

#[tokio::test]
async fn the_bureau_sees_what_waits_and_what_died() {
    let region = Region::new(None).await;
    let city = region.city("430100");
    let (ctx, desk) = (region.ctx("430100"), city.desk.clone());
    let send = move |tx: &mut tb_store::Tx<'_>| {
        let case = ctx.id(tb_base::CaseId::new);
        let purpose = Purpose { item: "121".to_owned(), case: Some(case), basis: "case".to_owned() };
        let mut ids = Vec::<MessageId>::new();
        for _ in 0..2 {
            let deadline = ctx.now.plus_seconds(3_600);
            let (to, body) = (node("430300"), serde_json::json!({}));
            let message = desk.compose(
                &ctx,
                to,
                service::CASE_OFFER,
                purpose.clone(),
                "window/430100-hall-1",
                None,
                &body,
                deadline,
            )?;
            outbox::send(tx, &ctx, &message)?;
            ids.push(message.envelope.id);
        }
        outbox::dead(tx, ctx.now, ids[0], "schema")?;
        Ok(ids)
    };
    let ids = city.store.write("test.send", send).await.unwrap();
    region.witness("430100", &["430200"]).await;
    region.later(600);
    let mut browser = Browser::signed_in(&region, "430100", "bureau1@430100").await;
    let page = browser.get("/bureau").await.json();
    assert_eq!(
        (page["peers"][1]["node"].as_str(), page["peers"][1]["waiting"].as_u64()),
        (Some("430300"), Some(1))
    );
    assert_eq!(page["dead"][0]["id"], ids[0].as_str());
    assert_eq!(page["contracts"].as_array().unwrap().len(), 2);
    assert_eq!(page["log"]["checkpoint"]["witnesses"][0], "tongban/witness/430200");
    assert_eq!(page["log"]["cosigned_by_two"], 0);
    browser.program = false;
    let html = browser.get("/bureau").await.text();
    assert!(
        html.contains("1 条死信要处理") && html.contains("10 分钟") && html.contains("czt-430100-430300")
    );
    assert!(browser.get("/bureau?lang=en").await.text().contains("1 dead letter"));
}

#[tokio::test]
async fn the_auditor_searches_and_is_seen_to() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", "auditor1@430100").await;
    let page = browser.get("/audit?action=identity.sign_in").await.json();
    assert_eq!(page["lines"][0]["action"], "identity.sign_in");
    let page = browser.get("/audit?action=audit.read").await.json();
    assert_eq!(page["lines"][0]["object"], "identity.sign_in");
    assert_eq!(browser.get("/audit?from=2026-11-25").await.json()["lines"].as_array().unwrap().len(), 0);
    assert!(
        !browser.get("/audit?from=2026-11-24&until=2026-11-24").await.json()["lines"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    for bad in ["from=2026-13-01", "object=x&action=y"] {
        let page = browser.get(&format!("/audit?{bad}")).await;
        check(page.status, 422, bad);
        assert_eq!(page.json()["form"]["errors"].as_array().unwrap().len(), 1, "{bad}");
    }
    browser.program = false;
    assert!(browser.get("/audit?object=nothing").await.text().contains("没有符合的记录"));
    assert!(browser.get("/audit").await.text().contains("审计记录"));
}

#[tokio::test]
async fn older_lines_are_a_page_away() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", "auditor1@430100").await;
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
    let mut browser = Browser::signed_in(&region, "430100", "auditor1@430100").await;
    let line = browser.get("/audit?action=identity.sign_in").await.json()["lines"][0].clone();
    assert_eq!((line["action_word"].as_str(), line["outcome_word"].as_str()), (Some("登录"), Some("完成")));
    browser.program = false;
    let html = browser.get("/audit").await.text();
    assert!(html.contains(">登录<") && html.contains("identity.sign_in"), "{html}");
    let html = browser.get("/audit?lang=en").await.text();
    assert!(html.contains(">signed in<") && html.contains("identity.sign_in"), "{html}");
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
    assert!(html.contains("恢复账户") && html.contains("忘记密码"), "{html}");
    assert!(admin.get("/accounts").await.text().contains("已锁定"));
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
