//! Signing in, registering, lost passwords, the own account.

use axum::http::StatusCode;
use tb_identity::seed;

use super::support::{Browser, Page, Region};

const GOOD: &str = "long-enough-2026";

fn errors(page: &Page) -> Vec<String> {
    let errors = page.json()["form"]["errors"].clone();
    errors.as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn sign_in_leads_home_or_where_she_wanted_to_go() {
    let region = Region::new(None).await;
    for (login, next, expected) in [
        ("driver@430100", "", "/"),
        ("driver@430100", "/looks?why=law", "/looks?why=law"),
        ("driver@430100", "//evil.example", "/"),
        ("window1@430100", "", "/window"),
        ("bureau1@430100", "/", "/bureau"),
    ] {
        let mut browser = Browser::at(&region, "430100");
        let fields = [("login", login), ("password", seed::DEMO_PASSWORD), ("next", next)];
        let page = browser.post("/sign-in", &fields).await;
        assert_eq!(
            (page.status, page.location.as_str()),
            (StatusCode::SEE_OTHER, expected),
            "{login} {next}"
        );
        let profile = browser.get("/profile").await;
        assert_eq!(profile.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn signing_in_makes_a_new_session_and_ends_the_one_before() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", "driver@430100").await;
    let mut copy = browser.clone();
    let fields = [("login", "window1@430100"), ("password", seed::DEMO_PASSWORD)];
    assert_eq!(browser.post("/sign-in", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(copy.get("/profile").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.get("/window").await.status, StatusCode::NOT_FOUND, "the window is another task's");
    assert_eq!(browser.get("/profile").await.json()["login"], "window1@430100");
}

#[tokio::test]
async fn a_session_that_was_planted_is_not_taken_over() {
    let region = Region::new(None).await;
    let mut browser = Browser::at(&region, "430100");
    browser.plant("tb_session_430100", &"A".repeat(43));
    let mut copy = browser.clone();
    let fields = [("login", "driver@430100"), ("password", seed::DEMO_PASSWORD)];
    assert_eq!(browser.post("/sign-in", &fields).await.status, StatusCode::SEE_OTHER);
    assert_eq!(browser.get("/profile").await.status, StatusCode::OK);
    assert_eq!(copy.get("/profile").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_words() {
    let region = Region::new(None).await;
    let mut answers = Vec::new();
    for login in ["driver@430100", "nobody@430100"] {
        let mut browser = Browser::at(&region, "430100");
        let page = browser.post("/sign-in", &[("login", login), ("password", "wrong-password")]).await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(page.json()["form"]["values"]["login"][0], login, "what was typed stays");
        assert!(!page.text().contains("wrong-password"));
        answers.push(page.json()["form"]["errors"].clone());
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn an_empty_form_names_both_fields() {
    let region = Region::new(None).await;
    let page = Browser::at(&region, "430100").post("/sign-in", &[]).await;
    assert_eq!(errors(&page), ["WEB-FIELD-001", "WEB-FIELD-001"]);
}

#[tokio::test]
async fn a_form_without_its_token_is_refused() {
    let region = Region::new(None).await;
    let mut browser = Browser::at(&region, "430100");
    let page = browser.post("/sign-in", &[("csrf", "0"), ("login", "driver@430100")]).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn demo_accounts_are_shown_in_the_demo_only() {
    let region = Region::new(None).await;
    for (city, shown) in [("430100", true), ("430300", false)] {
        let mut browser = Browser::at(&region, city);
        browser.program = false;
        let page = browser.get("/sign-in").await;
        assert_eq!(page.text().contains(seed::DEMO_PASSWORD), shown, "{city}");
        assert!(page.text().contains("登录名"));
        let english = browser.get("/sign-in?lang=en").await.text();
        assert!(english.contains("Sign-in name") && !english.contains("登录名"));
    }
}

#[tokio::test]
async fn signing_out_ends_the_session() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", "driver@430100").await;
    let page = browser.post("/sign-out", &[]).await;
    assert_eq!(page.location, "/sign-in?done=out");
    assert_eq!(browser.get("/profile").await.status, StatusCode::UNAUTHORIZED);
    browser.program = false;
    let page = browser.get("/profile").await;
    assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/sign-in?next=%2Fprofile"));
}

#[tokio::test]
async fn somebody_of_the_register_gets_an_account_of_level_three() {
    let region = Region::new(None).await;
    // A person of the crowd: seeded, without an account.
    let people = seed::city(seed::SEED, "430200".parse().unwrap(), 20, 2).unwrap().people;
    let person = people.iter().rev().find(|it| it.phone.is_some()).unwrap();
    let phone = person.phone.clone().unwrap();
    let mut browser = Browser::at(&region, "430200");
    let claim = [("number", person.number.as_str()), ("name", &person.name), ("phone", &phone)];
    let page = browser.post("/register", &claim).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.text());
    let ticket = page.location.strip_prefix("/register?ticket=").unwrap().to_owned();
    let code = region.code("430200", &phone).await.unwrap();
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let page = browser.post("/register", &[("ticket", &ticket), ("code", wrong), ("password", GOOD)]).await;
    assert_eq!(errors(&page), ["IDN-COD-001"]);
    let page =
        browser.post("/register", &[("ticket", &ticket), ("code", &code), ("password", "short")]).await;
    assert_eq!(errors(&page), ["IDN-PWD-001"]);
    let page = browser.post("/register", &[("ticket", &ticket), ("code", &code), ("password", GOOD)]).await;
    assert_eq!(page.location, "/profile?done=registered", "{}", page.text());
    let profile = browser.get("/profile").await.json();
    assert_eq!(profile["level"], 3);
    assert_eq!(profile["name"], person.name.as_str());
    assert!(profile["phone"].as_str().unwrap().contains("****"));
}

#[tokio::test]
async fn registration_does_not_tell_who_is_in_the_register() {
    let region = Region::new(None).await;
    let driver = seed::driver().unwrap();
    for (name, phone) in [("李四", "13800000000"), (driver.name, "13800000000")] {
        let mut browser = Browser::at(&region, "430100");
        let claim = [("number", driver.number.as_str()), ("name", name), ("phone", phone)];
        let page = browser.post("/register", &claim).await;
        assert!(page.location.starts_with("/register?ticket="), "{name}");
        assert_eq!(region.code("430100", phone).await, None);
    }
}

#[tokio::test]
async fn a_claim_shows_every_error_at_once() {
    let region = Region::new(None).await;
    let claim = [("number", "430302198506150000"), ("name", ""), ("phone", "0731-12345")];
    let page = Browser::at(&region, "430100").post("/register", &claim).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(page.json()["form"]["errors"].as_array().unwrap().len(), 3);
    assert_eq!(page.json()["form"]["values"]["phone"][0], "0731-12345");
}

#[tokio::test]
async fn a_lost_password_is_replaced_and_every_session_ends() {
    let region = Region::new(None).await;
    let phone = seed::driver().unwrap().phone.unwrap();
    let mut elsewhere = Browser::signed_in(&region, "430100", "driver@430100").await;
    let mut browser = Browser::at(&region, "430100");
    let unknown = browser.post("/password/forgot", &[("login", "nobody")]).await;
    let page = browser.post("/password/forgot", &[("login", "driver@430100")]).await;
    assert_eq!(
        (page.status, page.location.len()),
        (unknown.status, unknown.location.len()),
        "alike for both"
    );
    let ticket = page.location.strip_prefix("/password/reset?ticket=").unwrap().to_owned();
    let code = region.code("430100", &phone).await.unwrap();
    let fields = [("ticket", ticket.as_str()), ("code", &code), ("password", GOOD)];
    let page = browser.post("/password/reset", &fields).await;
    assert_eq!(page.location, "/sign-in?done=reset", "{}", page.text());
    assert_eq!(elsewhere.get("/profile").await.status, StatusCode::UNAUTHORIZED);
    let page = browser.post("/sign-in", &[("login", "driver@430100"), ("password", GOOD)]).await;
    assert_eq!(page.location, "/");
}

#[tokio::test]
async fn the_password_is_changed_with_the_present_one_only() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", "window1@430100").await;
    let page = browser.post("/profile", &[("old", "wrong-password"), ("password", GOOD)]).await;
    assert_eq!(errors(&page), ["IDN-PWD-006"]);
    let page = browser.post("/profile", &[("old", seed::DEMO_PASSWORD), ("password", GOOD)]).await;
    assert_eq!(page.location, "/profile?done=password");
    browser.program = false;
    let page = browser.get("/profile?done=password").await.text();
    assert!(page.contains("密码已改") && page.contains("李蔚") && page.contains("工号"));
    let page = browser.post("/profile", &[("do", "leave")]).await;
    assert_eq!(page.location, "/sign-in?done=out");
    assert_eq!(browser.get("/profile").await.status, StatusCode::SEE_OTHER);
}
