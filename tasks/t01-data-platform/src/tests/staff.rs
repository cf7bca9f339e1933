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
