//! Asking back: forms that lose nothing, codes that open one thing, offices that see their own, a supervisor that sees all.

use axum::http::StatusCode;
use serde_json::Value;

use super::support::{Browser, Region};

const DRIVER: &str = "driver@430100";
const PHONE: &str = "13800138000";
const WORDS: &str = "窗口要一份指南上没有的证明";

/// Sends the form of `page` as that page shows it.
async fn send(
    browser: &mut Browser,
    page: &str,
    path: &str,
    fields: &[(&str, &str)],
) -> super::support::Page {
    let key = browser.get(page).await.json()["key"].as_str().unwrap_or_default().to_owned();
    let mut fields = fields.to_vec();
    fields.push(("key", &key));
    browser.post(path, &fields).await
}

/// Asks signed in; gives the address of the enquiry.
async fn asked(browser: &mut Browser, city: &str) -> String {
    let about = format!("city:{city}");
    let page = send(browser, "/help", "/help", &[("about", &about), ("text", WORDS)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    page.location.split('?').next().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_stuck_is_answered_by_the_hall_and_told_to_her() {
    let region = Region::new(None).await;
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    let address = asked(&mut driver, "430100").await;
    let page = driver.get(&address).await.json();
    assert_eq!(page["ask"]["state"], "open");
    assert_eq!(page["ask"]["office"], "长沙市政务服务中心跨域通办专窗");
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    let list = clerk.get("/office/asks").await.json();
    assert_eq!((list["owed"]["open"].as_i64(), list["owed"]["late"].as_i64()), (Some(1), Some(0)));
    let at_office = format!("/office{address}");
    let answer = [("do", "answer"), ("text", "不需要那份证明，现在就可以办"), ("seen", "2")];
    let sent = send(&mut clerk, &at_office, &at_office, &answer).await;
    assert_eq!((sent.status, sent.location.as_str()), (StatusCode::SEE_OTHER, "/office/asks?done=answer"));
    let page = driver.get(&address).await.json();
    assert_eq!(page["ask"]["state"], "answered");
    let said = page["ask"]["lines"].as_array().unwrap().last().unwrap()["message"]["text"].clone();
    assert_eq!(said, "不需要那份证明，现在就可以办");
    let again = send(&mut driver, &address, &address, &[("do", "again"), ("text", "还是要")]).await;
    assert_eq!(again.status, StatusCode::SEE_OTHER);
    assert_eq!(driver.get(&address).await.json()["ask"]["state"], "open");
    send(&mut driver, &address, &address, &[("do", "close")]).await;
    assert_eq!(driver.get(&address).await.json()["ask"]["state"], "closed");
}

#[tokio::test]
async fn a_double_click_asks_once_and_an_error_keeps_what_was_typed() {
    let region = Region::new(None).await;
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    let key = driver.get("/help").await.json()["key"].as_str().unwrap().to_owned();
    let empty = driver.post("/help", &[("about", "city:430100"), ("text", " "), ("key", &key)]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(empty.json()["form"]["errors"].as_array().unwrap().len(), 1);
    assert_eq!(empty.json()["key"], key.as_str(), "the form stays the same form");
    let elsewhere = driver.post("/help", &[("about", "city:999999"), ("text", WORDS), ("key", &key)]).await;
    assert_eq!(elsewhere.json()["form"]["values"]["text"][0], WORDS);
    let mut addresses = Vec::new();
    for _ in 0..2 {
        let fields = [("about", "city:430100"), ("text", WORDS), ("key", key.as_str())];
        addresses.push(driver.post("/help", &fields).await.location);
    }
    assert_eq!(addresses[0], addresses[1]);
    assert_eq!(driver.get("/asks").await.json()["total"], 1);
}

#[tokio::test]
async fn without_an_account_code_and_telephone_open_it_together() {
    let region = Region::new(None).await;
    let mut anybody = Browser::at(&region, "430100");
    let short = [("about", "city:430100"), ("text", WORDS), ("phone", "1380013")];
    let refused = send(&mut anybody, "/help", "/help", &short).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let fields = [("about", "city:430100"), ("text", WORDS), ("phone", PHONE)];
    let receipt = send(&mut anybody, "/help", "/help", &fields).await;
    assert_eq!(receipt.status, StatusCode::OK, "{}", receipt.text());
    let (code, phone) =
        (receipt.json()["code"].as_str().unwrap().to_owned(), receipt.json()["phone"].clone());
    assert_eq!((code.len(), phone.as_str()), (9, Some("138****8000")));
    let mut other = Browser::at(&region, "430100");
    for (code, phone) in [("AAAA AAAA", PHONE), (code.as_str(), "13900139000")] {
        let wrong = other.post("/help/find", &[("code", code), ("phone", phone)]).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(wrong.json()["form"]["errors"][0]["code"], "ENQ-FND-001");
    }
    let found = other.post("/help/find", &[("code", &code), ("phone", PHONE)]).await.json();
    assert_eq!(found["ask"]["state"], "open");
    let key = found["key"].as_str().unwrap().to_owned();
    let more =
        [("code", code.as_str()), ("phone", PHONE), ("do", "again"), ("text", "还有一句"), ("key", &key)];
    for _ in 0..2 {
        let page = other.post("/help/find", &more).await.json();
        assert_eq!(
            page["ask"]["lines"].as_array().unwrap().len(),
            3,
            "asked, received, added once: {page:#}"
        );
    }
    let id = found["ask"]["id"].as_str().unwrap();
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    clerk.program = false;
    assert!(clerk.get(&format!("/office/asks/{id}")).await.text().contains(PHONE), "the hall can call back");
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    assert_eq!(driver.get(&format!("/asks/{id}")).await.status, StatusCode::NOT_FOUND, "it is not hers");
}

#[tokio::test]
async fn an_office_sees_its_own_and_hands_on_what_is_not() {
    let region = Region::new(None).await;
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    let at_office = format!("/office{}", asked(&mut driver, "430100").await);
    let mut reviewer = Browser::signed_in(&region, "430100", "reviewer1@430100").await;
    assert_eq!(reviewer.get(&at_office).await.status, StatusCode::NOT_FOUND);
    let answer = [("do", "answer"), ("text", "不归我"), ("seen", "2")];
    let refused = reviewer.post(&at_office, &answer).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.text());
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    let stale = [("do", "answer"), ("text", "已办"), ("seen", "1")];
    let refused = send(&mut clerk, &at_office, &at_office, &stale).await;
    assert_eq!(refused.json()["form"]["errors"][0]["code"], "ENQ-SEQ-001");
    assert_eq!(refused.json()["form"]["values"]["text"][0], "已办");
    let nowhere = [("do", "pass"), ("to", "430300-transport"), ("reason", "归口"), ("seen", "2")];
    let refused = send(&mut clerk, &at_office, &at_office, &nowhere).await;
    assert_eq!(refused.json()["form"]["errors"][0]["code"], "ENQ-PAS-003");
    let pass = [("do", "pass"), ("to", "430100-transport"), ("reason", "归口交通局"), ("seen", "2")];
    assert_eq!(send(&mut clerk, &at_office, &at_office, &pass).await.location, "/office/asks?done=pass");
    assert_eq!(clerk.get(&at_office).await.status, StatusCode::NOT_FOUND);
    let page = reviewer.get(&at_office).await.json();
    assert_eq!((page["may_answer"].as_bool(), page["seen"].as_i64()), (Some(true), Some(3)));
}

#[tokio::test]
async fn the_supervisor_sees_what_is_late_here_and_elsewhere_and_answers_nothing() {
    let region = Region::new(None).await;
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    let at_office = format!("/office{}", asked(&mut driver, "430100").await);
    asked(&mut driver, "430300").await;
    region.later(3 * 86_400);
    let mut supervisor = Browser::signed_in(&region, "430100", "supervisor1@430100").await;
    let page = supervisor.get("/office/asks").await.json();
    assert_eq!((page["owed"]["late"].as_i64(), page["away"]["late"].as_i64()), (Some(1), Some(1)));
    for (address, count) in [
        ("/office/asks?due=late", 1),
        ("/office/asks?where=away&due=late", 1),
        ("/office/asks?state=closed", 0),
    ] {
        assert_eq!(supervisor.get(address).await.json()["total"], count, "{address}");
    }
    let one = supervisor.get(&at_office).await.json();
    assert_eq!((one["ask"]["is_overdue"].as_bool(), one["may_answer"].as_bool()), (Some(true), Some(false)));
    let answer = [("do", "answer"), ("text", "好"), ("seen", "2")];
    assert_eq!(supervisor.post(&at_office, &answer).await.status, StatusCode::FORBIDDEN);
    let file = supervisor.get("/office/asks?export=csv").await.text();
    assert!(file.contains("长沙市政务服务中心跨域通办专窗") && !file.contains(WORDS), "{file}");
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    driver.program = false;
    assert!(driver.get("/asks").await.text().contains("逾期未答"));
}

#[tokio::test]
async fn a_question_about_a_look_goes_to_the_office_that_looked() {
    let region = Region::new(None).await;
    let own = region.look("430100", |_| ()).await;
    let far = region.look("430300", |look| look.office = Some("430100-transport".parse().unwrap())).await;
    let mut driver = Browser::signed_in(&region, "430100", DRIVER).await;
    for (city, id, office) in [("430100", own, "430100-hall-1"), ("430300", far, "430100-transport")] {
        let page = format!("/looks/{city}/{id}/ask");
        assert!(driver.get(&page).await.json()["to"].as_str().unwrap().starts_with("长沙市"));
        let sent = send(&mut driver, &page, &page, &[("text", "为什么要看？")]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        let login = if office.ends_with("hall-1") { "window1@430100" } else { "reviewer1@430100" };
        let mut staff = Browser::signed_in(&region, "430100", login).await;
        assert_eq!(staff.get("/office/asks?kind=look").await.json()["total"], 1, "{office}");
        let again = driver.get(&page).await;
        assert_eq!(again.status, StatusCode::SEE_OTHER, "the question is there already");
    }
    let rows = driver.get("/looks").await.json()["rows"].clone();
    let asked = |row: &Value| row["question"]["state"] == "等答复";
    assert!(rows.as_array().unwrap().iter().all(asked), "{rows:#}");
    let nothing = driver.get("/looks/430100/01kb3x0000000000000000000a/ask").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
}
