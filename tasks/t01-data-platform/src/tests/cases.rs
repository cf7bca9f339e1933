//! Evidence of a case: who gets it, what is in it, and that it verifies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use tb_base::{CaseId, NodeId, PersonId};
use tb_exchange::bundle::verify;
use tb_exchange::{Purpose, http_message, service};
use tb_identity::seed;
use tb_store::outbox;

use super::support::{Browser, Region, node};
use crate::{CaseEvidence, CaseFacts};

const CASE: &str = "01kq3zt0000000000000000000";

/// The driver as each city's register knows her.
type Drivers = Arc<Mutex<BTreeMap<NodeId, PersonId>>>;

/// A case block that knows one case of the driver.
fn one_case(drivers: Drivers) -> CaseEvidence {
    Arc::new(move |_, ctx, case| {
        let known: CaseId = CASE.parse()?;
        if case != known {
            return Ok(None);
        }
        let applicant = drivers.lock().unwrap().get(&ctx.node).copied();
        let offices = vec![format!("{}-transport", ctx.node).parse()?];
        Ok(Some(CaseFacts { applicant, offices, ..CaseFacts::default() }))
    })
}

/// A region in which Changsha sent one signed message and looked once for the case.
async fn begun() -> Region {
    let drivers = Drivers::default();
    let region = Region::new(Some(Box::new({
        let drivers = Arc::clone(&drivers);
        move |_, _| one_case(Arc::clone(&drivers))
    })))
    .await;
    let driver = region.driver("430100").await;
    drivers.lock().unwrap().insert(node("430100"), driver);
    region.look("430100", |look| look.case = Some(CASE.parse().unwrap())).await;
    region.look("430100", |_| ()).await;
    let city = region.city("430100");
    let (ctx, desk, secrets) = (region.ctx("430100"), city.desk.clone(), city.secrets.clone());
    let send = move |tx: &mut tb_store::Tx<'_>| {
        let purpose = Purpose { item: "121".to_owned(), case: Some(CASE.parse()?), basis: "case".to_owned() };
        let driver = seed::driver()?.number;
        let (to, body) = (node("430300"), serde_json::json!({"secret": "content"}));
        let deadline = ctx.now.plus_seconds(3_600);
        let actor = "window/430100-hall-1";
        let message = desk.compose(
            &ctx,
            to,
            service::CASE_OFFER,
            purpose,
            actor,
            Some(driver.as_str()),
            &body,
            deadline,
        )?;
        outbox::send(tx, &ctx, &message)?;
        let signed = http_message::sign_request(&message, &secrets, &desk, ctx.now, ctx.random())?;
        outbox::signed(tx, ctx.now, message.envelope.id, &serde_json::to_value(signed.evidence()).unwrap())
    };
    city.store.write("test.send", send).await.unwrap();
    region
}

fn path() -> String {
    format!("/cases/{CASE}/evidence")
}

#[tokio::test]
async fn the_applicant_gets_messages_and_looks_that_verify() {
    let region = begun().await;
    let mut browser = Browser::signed_in(&region, "430100", "driver@430100").await;
    assert_eq!(browser.get(&path()).await.status, StatusCode::CONFLICT, "nobody cosigned yet");
    region.witness("430100", &["430200", "430300"]).await;
    let page = browser.get(&path()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    let report = verify(&page.body, None);
    assert!(report.ok, "{:#?}", report.failures().collect::<Vec<_>>());
    assert_eq!((report.messages, report.looks, report.proofs), (1, 1, 2));
    assert!(page.text().contains(&tb_crypto::text::base64(b"{\"secret\":\"content\"}")));
    assert_eq!(report.cosignatures[&node("430100")].len(), 2);
}

#[tokio::test]
async fn staff_of_the_case_get_it_without_contents() {
    let region = begun().await;
    region.witness("430100", &["430200"]).await;
    let mut reviewer = Browser::signed_in(&region, "430100", "reviewer1@430100").await;
    let page = reviewer.get(&path()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    assert!(verify(&page.body, None).ok);
    assert!(!page.text().contains(&tb_crypto::text::base64(b"{\"secret\":\"content\"}")));
    assert!(!page.text().contains(seed::driver().unwrap().number.as_str()));
}

#[tokio::test]
async fn nobody_else_learns_that_there_is_such_a_case() {
    let region = begun().await;
    for login in ["resident1@430100", "window1@430100", "reviewer2@430100", "auditor1@430100"] {
        let mut browser = Browser::signed_in(&region, "430100", login).await;
        assert_eq!(browser.get(&path()).await.status, StatusCode::NOT_FOUND, "{login}");
    }
    let mut driver = Browser::signed_in(&region, "430100", "driver@430100").await;
    for case in ["01kq3zt0000000000000000009", "x"] {
        assert_eq!(driver.get(&format!("/cases/{case}/evidence")).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(Browser::at(&region, "430100").get(&path()).await.status, StatusCode::UNAUTHORIZED);
}
