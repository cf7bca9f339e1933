//! The enterprise by pages: its record for its own people only, grants that are given and end, who it acts as.

use axum::http::StatusCode;
use serde_json::Value;
use tb_base::{CaseId, PersonId, Uscc};
use tb_identity::grants::filed::{self, Filed};
use tb_identity::people::Person;
use tb_identity::{accounts, enterprises, people};
use tb_store::Tx;

use super::real_cases;
use super::support::{Browser, Page, Region};

const CITY: &str = "430100";
const OWNER: &str = "owner1@430100";
const AGENT: &str = "agent1@430100";
const OTHER: &str = "resident1@430100";

async fn person(region: &Region, login: &str) -> Person {
    let (vault, login) = (region.city(CITY).vault.clone(), login.to_owned());
    let read = move |tx: &mut Tx<'_>| {
        let account = accounts::by_login(tx, &vault, &login)?.expect("an account");
        people::get(tx, &vault, account.actor.person().expect("a person"))
    };
    region.city(CITY).store.read("test.person", read).await.unwrap()
}

async fn firm(region: &Region) -> Uscc {
    let owner = person(region, OWNER).await.id;
    let read = move |tx: &mut Tx<'_>| Ok(enterprises::of_representative(tx, owner)?[0].uscc);
    region.city(CITY).store.read("test.firm", read).await.unwrap()
}

#[track_caller]
fn refused(page: &Page, code: &str) {
    let body = page.json();
    let said = body["refusal"]["code"].as_str().or(body["code"].as_str());
    let of_form = body["form"]["errors"][0]["code"].as_str();
    assert!(said == Some(code) || of_form == Some(code), "{code}: {} {body:#}", page.status);
}

/// Gives a grant as the page of the representative offers it.
async fn give(owner: &mut Browser, region: &Region, firm: Uscc, to: &str, last: &str) -> Page {
    let (agent, firm) = (person(region, to).await, firm.to_string());
    let page = format!("/firm/grants?firm={firm}");
    let key = owner.get(&page).await.json()["key"].as_str().unwrap().to_owned();
    let number = agent.number.to_string();
    let fields = [
        ("firm", firm.as_str()),
        ("key", &key),
        ("number", &number),
        ("name", &agent.name),
        ("matters", "cases"),
        ("from", "2026-11-24"),
        ("to", last),
        ("truth", "yes"),
    ];
    owner.post("/firm/grants", &fields).await
}

#[tokio::test]
async fn the_agent_sees_the_record_and_the_representative_sees_the_look() {
    let region = Region::new(None).await;
    let mut agent = Browser::signed_in(&region, CITY, AGENT).await;
    let page = agent.get("/firm").await.json();
    assert_eq!(page["firm"]["name"], "湖南新程物流有限公司", "{page:#}");
    assert_eq!(
        (&page["firm"]["is_representative"], &page["firm"]["is_acting"]),
        (&false.into(), &false.into())
    );
    assert_eq!(page["firm"]["agents"], Value::Array(Vec::new()), "an agent does not learn of the others");
    let mut owner = Browser::signed_in(&region, CITY, OWNER).await;
    let hers = owner.get("/firm").await.json();
    assert_eq!(hers["firm"]["agents"].as_array().unwrap().len(), 1, "{hers:#}");
    let looks = owner.get("/looks").await.json();
    let look = &looks["rows"][0];
    assert_eq!((&look["role"], &look["item"]), (&"agent".into(), &"enterprise".into()), "{looks:#}");
    assert!(look["basis"].as_str().unwrap().starts_with("grant:"));
    let mut stranger = Browser::signed_in(&region, CITY, OTHER).await;
    let nothing = stranger.get("/firm").await.json();
    assert_eq!((&nothing["firm"], &nothing["firms"]), (&Value::Null, &Value::Array(Vec::new())));
    let code = firm(&region).await;
    let named = stranger.get(&format!("/firm?firm={code}")).await.json();
    assert_eq!((&named["firm"], &named["why_not"]["code"]), (&Value::Null, &"IDN-GRT-001".into()));
    for path in ["/firm/grants", "/firm/cases", "/firm/benefits"] {
        let page = stranger.get(&format!("{path}?firm={code}")).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{path}");
        refused(&page, "IDN-GRT-001");
    }
    let mut clerk = Browser::signed_in(&region, CITY, "window1@430100").await;
    assert_eq!(clerk.get("/firm").await.status, StatusCode::FORBIDDEN, "staff has no enterprise here");
}

#[tokio::test]
async fn a_grant_is_given_used_and_ended_and_then_refuses_with_words() {
    let region = Region::new(None).await;
    let code = firm(&region).await;
    let mut owner = Browser::signed_in(&region, CITY, OWNER).await;
    let empty = owner.post("/firm/grants", &[("firm", &code.to_string())]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(empty.json()["form"]["errors"].as_array().unwrap().len(), 6, "{}", empty.text());
    let late = give(&mut owner, &region, code, OTHER, "2026-11-23").await;
    refused(&late, "IDN-GRT-007");
    assert_eq!(late.json()["form"]["values"]["name"][0], person(&region, OTHER).await.name.as_str());
    let given = give(&mut owner, &region, code, OTHER, "2026-12-01").await;
    assert_eq!(given.location, format!("/firm/grants?firm={code}&done=given"), "{}", given.text());
    refused(&give(&mut owner, &region, code, OTHER, "2026-12-01").await, "IDN-GRT-009");
    let mut agent = Browser::signed_in(&region, CITY, AGENT).await;
    refused(&give_as(&mut agent, &region, code).await, "IDN-GRT-006");

    let mut other = Browser::signed_in(&region, CITY, OTHER).await;
    let page = other.get("/firm").await.json();
    assert_eq!(page["firm"]["licences_why"]["code"], "IDN-GRT-005", "the grant covers cases only");
    refused(&other.get("/firm/benefits").await, "IDN-GRT-005");
    let acting = other.post("/firm", &[("do", "act"), ("firm", &code.to_string())]).await;
    assert_eq!(acting.location, format!("/firm?firm={code}&done=acting"));
    other.program = false;
    assert!(
        other.get("/asks").await.text().contains("代 <b lang=\"zh-CN\">湖南新程物流"),
        "every page says so"
    );
    other.program = true;

    let id = page["firm"]["grant"]["id"].as_str().unwrap().to_owned();
    let path = format!("/firm/grants/{id}/end");
    assert_eq!(agent.get(&path).await.status, StatusCode::NOT_FOUND, "a grant of somebody else");
    assert_eq!(agent.post(&path, &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(owner.get(&path).await.status, StatusCode::OK);
    let ended = owner.post(&path, &[]).await;
    assert_eq!(ended.location, format!("/firm/grants?firm={code}&done=ended"));
    refused(&other.post(&path, &[]).await, "IDN-GRT-014");

    let page = other.get("/firm").await.json();
    assert_eq!((&page["firm"], &page["why_not"]["code"]), (&Value::Null, &"IDN-GRT-004".into()));
    refused(&other.get("/firm/cases").await, "IDN-GRT-004");
    assert_eq!(other.post("/firm", &[("do", "self")]).await.location, "/firm?done=self");
    refused(&other.post("/firm", &[("do", "act"), ("firm", &code.to_string())]).await, "IDN-GRT-004");
    let page = other.get("/firm").await.json();
    assert_eq!((&page["why_not"], page["past"].as_array().unwrap().len()), (&Value::Null, 1));

    region.later(86_400 * 8);
    let mut agent = Browser::signed_in(&region, CITY, AGENT).await;
    assert_eq!(agent.get("/firm").await.json()["firm"]["code"], code.to_string().as_str());
    let own = agent.get("/firm").await.json()["firm"]["grant"]["id"].as_str().unwrap().to_owned();
    let gone = agent.post(&format!("/firm/grants/{own}/end"), &[]).await;
    assert_eq!(gone.location, "/firm?done=given_up");
    assert_eq!(agent.get("/firm").await.json()["firm"], Value::Null);
}

/// An agent who types in a grant of an enterprise that she does not represent.
async fn give_as(agent: &mut Browser, region: &Region, firm: Uscc) -> Page {
    let (to, firm) = (person(region, OTHER).await, firm.to_string());
    let number = to.number.to_string();
    let fields = [
        ("firm", firm.as_str()),
        ("number", &number),
        ("name", &to.name),
        ("matters", "cases"),
        ("from", "2026-11-24"),
        ("to", "2026-12-01"),
        ("truth", "yes"),
    ];
    agent.post("/firm/grants", &fields).await
}

/// A real case and drafts, begun for the enterprise.
async fn begin(region: &Region, firm: Uscc, people: &[PersonId]) -> CaseId {
    let city = region.city(CITY);
    let env = real_cases::env(&city.desk, &city.vault);
    let clerk = tb_base::Actor::Staff {
        staff: region.ctx(CITY).id(tb_base::StaffId::new),
        role: tb_base::Role::Window,
        office: "430100-hall-1".parse().unwrap(),
    };
    let (ctx, people) = (region.ctx(CITY).acting(clerk), people.to_vec());
    city.store
        .write("test.begin", move |tx| {
            let case = real_cases::file(tx, &ctx, &env, people[0])?;
            let mut begun = vec![(case, people[0], 121)];
            begun.extend(people.iter().map(|person| (ctx.id(CaseId::new), *person, 84)));
            for (case, person, item) in begun {
                filed::begin(tx, &ctx, &Filed { case, enterprise: firm, person, item, at: ctx.now })?;
            }
            Ok(case)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn the_cases_of_an_enterprise_are_narrowed_paged_and_taken_away() {
    let region = Region::new(None).await;
    let code = firm(&region).await;
    let (agent, owner) = (person(&region, AGENT).await.id, person(&region, OWNER).await.id);
    let mut browser = Browser::signed_in(&region, CITY, AGENT).await;
    let empty = browser.get("/firm/cases").await.json();
    assert_eq!((&empty["total"], &empty["any_online"]), (&0.into(), &false.into()));
    let people: Vec<PersonId> = std::iter::once(agent).chain(std::iter::repeat_n(owner, 21)).collect();
    let case = begin(&region, code, &people).await;
    let first = browser.get("/firm/cases").await.json();
    assert_eq!((&first["total"], first["rows"].as_array().unwrap().len()), (&23.into(), 20));
    assert_eq!(browser.get("/firm/cases?page=2").await.json()["rows"].as_array().unwrap().len(), 3);
    for (query, expected) in [
        ("item=121", 1),
        ("state=draft", 22),
        ("state=open", 1),
        ("state=over", 0),
        ("by=me", 2),
        ("by=me&item=84", 1),
    ] {
        assert_eq!(browser.get(&format!("/firm/cases?{query}")).await.json()["total"], expected, "{query}");
    }
    let row = &browser.get("/firm/cases?item=121").await.json()["rows"][0];
    assert_eq!(
        (&row["case"], &row["is_mine"], &row["by"]),
        (&case.to_string().into(), &true.into(), &"您".into())
    );
    let page = browser.get("/firm/cases?item=84").await.json();
    let owner = person(&region, OWNER).await.name;
    assert!(page["rows"].as_array().unwrap().iter().any(|row| row["by"] == owner.as_str()), "{page:#}");
    browser.program = false;
    let file = browser.get("/firm/cases?state=open&export=csv").await.text();
    assert_eq!(file.lines().count(), 2, "{file}");
    assert_eq!(browser.get("/firm/cases?export=xlsx").await.body.get(..2), Some(b"PK".as_slice()));
}

#[tokio::test]
async fn every_page_of_the_enterprise_speaks_both_languages() {
    let region = Region::new(None).await;
    let mut owner = Browser::signed_in(&region, CITY, OWNER).await;
    owner.program = false;
    for (path, zh, en) in [
        ("/firm", "登记信息", "Record"),
        ("/firm/grants", "授权一位经办人", "Grant somebody to act"),
        ("/firm/cases", "还没有以企业名义办的事", "Nothing has been begun in its name"),
        ("/firm/items", "办理指引", "Guide only"),
        ("/firm/benefits", "这里还没有列出任何政策", "No policy is listed here yet"),
        ("/profile", "正在登录的地方", "Signed in at"),
        ("/profile/phone", "发两个验证码", "Send both codes"),
    ] {
        for (lang, words) in [("zh", zh), ("en", en)] {
            let page = owner.get(&format!("{path}?lang={lang}")).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            assert!(page.text().contains(words), "{path} {lang}: {}", page.text());
        }
    }
}

#[tokio::test]
async fn a_sign_in_is_ended_from_another_one() {
    let region = Region::new(None).await;
    let mut here = Browser::signed_in(&region, CITY, AGENT).await;
    let mut lost = Browser::signed_in(&region, CITY, AGENT).await;
    let mut stranger = Browser::signed_in(&region, CITY, OTHER).await;
    let listed = here.get("/profile").await.json()["sessions"].as_array().unwrap().clone();
    assert_eq!(listed.len(), 2);
    let other = listed.iter().find(|it| it["is_this"] == false).unwrap()["id"].as_str().unwrap();
    let path = format!("/profile/sessions/{other}");
    refused(&stranger.post(&path, &[]).await, "IDN-SES-001");
    assert_eq!(lost.get("/asks").await.status, StatusCode::OK);
    assert_eq!(here.post(&path, &[]).await.location, "/profile?done=ended");
    assert_eq!(lost.get("/asks").await.status, StatusCode::UNAUTHORIZED);
    refused(&here.post(&path, &[]).await, "IDN-SES-001");
    refused(&here.post("/profile/sessions/none", &[]).await, "T01-PRF-001");
}

#[tokio::test]
async fn the_phone_is_changed_with_both_codes_and_typing_is_kept() {
    let region = Region::new(None).await;
    let mut agent = Browser::signed_in(&region, CITY, AGENT).await;
    let old = person(&region, AGENT).await.phone.unwrap();
    let short = agent.post("/profile/phone", &[("phone", "1390000")]).await;
    refused(&short, "IDN-PHN-001");
    assert_eq!(short.json()["phone"], "1390000");
    let new = "13900001111";
    let sent = agent.post("/profile/phone", &[("phone", new)]).await.json();
    let ticket = sent["ticket"].as_str().unwrap().to_owned();
    let (at_old, at_new) = (region.code(CITY, &old).await.unwrap(), region.code(CITY, new).await.unwrap());
    let confirm = |old_code: &str, new_code: &str| {
        let mut agent = agent.clone();
        let fields = [
            ("do", "confirm"),
            ("ticket", &ticket),
            ("phone", new),
            ("old_code", old_code),
            ("new_code", new_code),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        async move {
            let fields: Vec<(&str, &str)> =
                fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            agent.post("/profile/phone", &fields).await
        }
    };
    let wrong = if at_new == "000000" { "000001" } else { "000000" };
    let half = confirm(&at_old, wrong).await;
    refused(&half, "IDN-PHN-002");
    assert_eq!(half.json()["ticket"], ticket.as_str(), "the same tickets are answered again");
    assert_eq!(confirm(&at_old, "12").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(confirm(&at_old, &at_new).await.location, "/profile?done=phone");
    assert_eq!(person(&region, AGENT).await.phone.as_deref(), Some(new));
}
