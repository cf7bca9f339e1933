//! The pages of the data bureau: who may come, what they say, and what may be done about a dead letter.

use axum::http::StatusCode;
use tb_base::{CaseId, MessageId};
use tb_exchange::ceremony::{Plan, propose};
use tb_exchange::founding::Charter;
use tb_exchange::package::Package;
use tb_exchange::{Purpose, ServiceTerms, service};
use tb_store::outbox::{self, State};
use tb_store::{Tx, audit, contact, log, usage};

use super::support::{Browser, Region, node};

#[track_caller]
fn check(status: StatusCode, expected: u16, what: &str) {
    assert_eq!(status.as_u16(), expected, "{what}");
}

async fn bureau(region: &Region) -> Browser {
    Browser::signed_in(region, "430100", "bureau1@430100").await
}

/// Writes messages for Xiangtan that are good for so long.
async fn send(region: &Region, service: &'static str, count: usize, seconds: i64) -> Vec<MessageId> {
    let city = region.city("430100");
    let (ctx, desk) = (region.ctx("430100"), city.desk.clone());
    let send = move |tx: &mut Tx<'_>| {
        let case = Some(ctx.id(CaseId::new));
        let purpose = Purpose { item: "121".to_owned(), case, basis: "case".to_owned() };
        let mut ids = Vec::<MessageId>::new();
        for _ in 0..count {
            let (deadline, body) = (ctx.now.plus_seconds(seconds), serde_json::json!({ "word": "secret" }));
            let (to, by) = (node("430300"), "window/430100-hall-1");
            let message = desk.compose(&ctx, to, service, purpose.clone(), by, None, &body, deadline)?;
            outbox::send(tx, &ctx, &message)?;
            ids.push(message.envelope.id);
        }
        Ok(ids)
    };
    city.store.write("test.send", send).await.unwrap()
}

/// Writes a message and gives it up.
async fn bury(region: &Region, service: &'static str, seconds: i64) -> MessageId {
    let id = send(region, service, 1, seconds).await[0];
    let now = region.ctx("430100").now;
    let dead = move |tx: &mut Tx<'_>| {
        outbox::dead(tx, now, id, "violation: schema in body: invalid value: string \"secret\"")
    };
    assert!(region.city("430100").store.write("test.dead", dead).await.unwrap());
    id
}

async fn sent(region: &Region, id: MessageId) -> outbox::Sent {
    let find = move |tx: &mut Tx<'_>| outbox::find(tx, id);
    region.city("430100").store.read("test.find", find).await.unwrap().unwrap()
}

/// Object and outcome of the lines of an action, the newest first.
async fn audited(region: &Region, action: &'static str) -> Vec<(String, String)> {
    let read = move |tx: &mut Tx<'_>| audit::search(tx, &audit::Search::action(action), None, 100);
    let found = region.city("430100").store.read("test.lines", read).await.unwrap();
    found.lines.into_iter().map(|line| (line.object, line.outcome)).collect()
}

/// Presses a button of a letter, as the page shows it now.
async fn press(browser: &mut Browser, id: MessageId, fields: &[(&str, &str)]) -> super::support::Page {
    let path = format!("/bureau/dead/{id}");
    let version = browser.get(&path).await.json()["letter"]["version"].to_string();
    let mut all = vec![("version", version.as_str())];
    all.extend_from_slice(fields);
    browser.post(&path, &all).await
}

#[tokio::test]
async fn who_may_come() {
    let region = Region::new(None).await;
    let id = bury(&region, service::CASE_OFFER, 3_600).await;
    let letter = format!("/bureau/dead/{id}");
    let pages = [
        "/bureau",
        "/bureau/dead",
        &letter,
        "/bureau/shared",
        "/bureau/contracts",
        "/bureau/contracts/czt-430100-430300",
    ];
    let files =
        ["/bureau/contracts/czt-430100-430300/file", "/bureau/dead?export=csv", "/bureau/shared?export=csv"];
    for (login, reads, operates, audits) in [
        ("bureau1@430100", 200, 422, 403),
        ("auditor1@430100", 200, 403, 200),
        ("window1@430100", 403, 403, 403),
        ("reviewer1@430100", 403, 403, 403),
        ("supervisor1@430100", 403, 403, 403),
        ("admin1@430100", 403, 403, 403),
        ("driver@430100", 403, 403, 403),
    ] {
        let mut browser = Browser::signed_in(&region, "430100", login).await;
        for path in pages.into_iter().chain(files) {
            check(browser.get(path).await.status, reads, &format!("{login} {path}"));
        }
        check(browser.post(&letter, &[("do", "x"), ("version", "1")]).await.status, operates, login);
        check(browser.get("/audit").await.status, audits, login);
        check(browser.get("/audit?export=csv").await.status, audits, login);
    }
}

#[tokio::test]
async fn the_overview_tells_of_lines_log_and_witnesses() {
    let region = Region::new(None).await;
    let id = bury(&region, service::CASE_OFFER, 3_600).await;
    send(&region, service::CASE_OFFER, 2, 3_600).await;
    let (city, ctx) = (region.city("430100"), region.ctx("430100"));
    let now = ctx.now;
    let contacts = move |tx: &mut Tx<'_>| {
        contact::heard(tx, now, node("430200"), Some(4_000))?;
        contact::silent(tx, now, node("430300"), "refused: EXC-PEER-001")?;
        usage::asked(tx, &ctx, id, node("430200"), service::TRACE_LOOKS)
    };
    city.store.write("test.contact", contacts).await.unwrap();
    region.witness("430100", &["430200"]).await;
    region.later(600);
    let mut browser = bureau(&region).await;
    let page = browser.get("/bureau").await.json();
    let (zhuzhou, xiangtan) = (&page["peers"][0], &page["peers"][1]);
    assert_eq!((xiangtan["node"].as_str(), xiangtan["waiting"].as_u64()), (Some("430300"), Some(2)));
    assert_eq!((xiangtan["dead"].as_u64(), xiangtan["out_today"].as_u64()), (Some(1), Some(3)));
    assert!(xiangtan["silent_since"].is_i64() && zhuzhou["silent_since"].is_null());
    assert_eq!((zhuzhou["skew_millis"].as_i64(), zhuzhou["out_today"].as_u64()), (Some(4_000), Some(1)));
    assert_eq!((page["dead"]["open"].as_u64(), page["contracts"].as_u64()), (Some(1), Some(2)));
    assert_eq!(page["log"]["checkpoint"]["witnesses"][0], "tongban/witness/430200");
    let (first, second) = (&page["log"]["witnesses"][0], &page["log"]["witnesses"][1]);
    assert_eq!((first["behind"].as_u64(), first["behind_since"].is_null()), (Some(0), true));
    assert!(0 < second["behind"].as_u64().unwrap() && second["behind_since"].is_i64());
    assert_eq!(audited(&region, "bureau.read").await, [("overview".to_owned(), "done".to_owned())]);
    browser.program = false;
    let html = browser.get("/bureau").await.text();
    for word in ["1 封死信要处理", "10 分钟", "没有应答", "快 4 秒", "落后", "net__cut"] {
        assert!(html.contains(word), "{word}: {html}");
    }
    assert!(browser.get("/bureau?lang=en").await.text().contains("1 dead letter"));
}

#[tokio::test]
async fn a_letter_is_taken_and_goes_again_under_its_own_id() {
    let region = Region::new(None).await;
    let id = bury(&region, service::CASE_OFFER, 3_600).await;
    let mut browser = bureau(&region).await;
    let page = browser.get(&format!("/bureau/dead/{id}")).await.json();
    assert_eq!(
        (page["letter"]["cause"].as_str(), page["again"].as_str()),
        (Some("内容不符合约定的格式"), Some("same"))
    );
    let refused = press(&mut browser, id, &[("do", "again")]).await;
    assert_eq!(refused.json()["code"], "T01-DED-003");
    let taken = press(&mut browser, id, &[("do", "take")]).await;
    assert_eq!(taken.location, format!("/bureau/dead/{id}?done=take"));
    let version = browser.get(&format!("/bureau/dead/{id}")).await.json()["letter"]["version"].to_string();
    let again = [("version", version.as_str()), ("do", "again")];
    let path = format!("/bureau/dead/{id}");
    assert_eq!(browser.post(&path, &again).await.location, format!("{path}?done=again"));
    assert_eq!(sent(&region, id).await.state, State::Waiting);
    // Pressing twice is pressing once.
    assert_eq!(browser.post(&path, &again).await.location, format!("{path}?done=again"));
    assert_eq!(audited(&region, "exchange.again").await, [(id.to_string(), "same".to_owned())]);
    assert_eq!(audited(&region, "exchange.take").await.len(), 1);
    // Another of the bureau comes late.
    let settle = [("version", version.as_str()), ("do", "settle"), ("why", "mistaken"), ("done", "nothing")];
    assert_eq!(browser.post(&path, &settle).await.json()["code"], "STO-DEAD-001");
    browser.program = false;
    assert!(browser.get(&format!("{path}?done=again")).await.text().contains("已重发"));
}

/// Its deadline is over: the same words go under another id; the old message stays what it is, evidence.
#[tokio::test]
async fn a_letter_out_of_time_goes_again_in_another_message() {
    let region = Region::new(None).await;
    let id = bury(&region, service::CASE_PROGRESS, 3_600).await;
    region.later(7_200);
    let mut browser = bureau(&region).await;
    press(&mut browser, id, &[("do", "take")]).await;
    press(&mut browser, id, &[("do", "again")]).await;
    let page = browser.get(&format!("/bureau/dead/{id}")).await.json();
    let successor: MessageId = page["letter"]["successor"].as_str().unwrap().parse().unwrap();
    let (old, new) = (sent(&region, id).await, sent(&region, successor).await);
    assert_eq!((old.state, new.state), (State::Dead, State::Waiting));
    assert_eq!(
        (&old.message.body, &old.message.envelope.purpose),
        (&new.message.body, &new.message.envelope.purpose)
    );
    assert!(region.ctx("430100").now < new.message.envelope.deadline);
    assert_eq!(audited(&region, "exchange.again").await[0].1, format!("another:{successor}"));
    assert_eq!(browser.get("/bureau/dead").await.json()["count"], 0);
    assert_eq!(browser.get("/bureau/dead?state=again").await.json()["count"], 1);
}

/// What a person did is not done again in her name.
#[tokio::test]
async fn an_act_of_the_applicant_is_settled_by_hand_only() {
    let region = Region::new(None).await;
    let id = bury(&region, service::CASE_ACT, 3_600).await;
    let mut browser = bureau(&region).await;
    let page = browser.get(&format!("/bureau/dead/{id}")).await.json();
    assert_eq!(
        (page["again"].is_null(), page["again_refused"]["code"].as_str()),
        (true, Some("EXC-AGN-001"))
    );
    press(&mut browser, id, &[("do", "take")]).await;
    assert_eq!(press(&mut browser, id, &[("do", "again")]).await.json()["code"], "EXC-AGN-001");
    let missing = press(&mut browser, id, &[("do", "settle"), ("why", "redone")]).await;
    check(missing.status, 422, "what was done is missing");
    press(&mut browser, id, &[("do", "settle"), ("why", "redone"), ("done", "told_office")]).await;
    let page = browser.get(&format!("/bureau/dead/{id}")).await.json();
    assert_eq!((page["letter"]["state"].as_str(), page["may_act"].as_bool()), (Some("settled"), Some(false)));
    assert_eq!(
        audited(&region, "exchange.settle").await,
        [(id.to_string(), "redone:told_office".to_owned())]
    );
    browser.program = false;
    let html = browser.get(&format!("/bureau/dead/{id}")).await.text();
    assert!(html.contains("申请人已重做这一步") && html.contains("已告知经办单位"), "{html}");
}

#[tokio::test]
async fn letters_are_filtered_marked_overdue_and_exported_without_what_they_said() {
    let region = Region::new(None).await;
    let old = bury(&region, service::CASE_OFFER, 90 * 86_400).await;
    region.later(25 * 3_600);
    bury(&region, service::RECEIPT, 3_600).await;
    let mut browser = bureau(&region).await;
    for (query, count) in [
        ("", 2),
        ("?age=late", 1),
        ("?age=1", 1),
        ("?age=7", 0),
        ("?city=430300", 2),
        ("?city=430200", 0),
        ("?service=exchange/1/receipt", 1),
        ("?state=settled", 0),
    ] {
        let page = browser.get(&format!("/bureau/dead{query}")).await.json();
        assert_eq!(page["count"].as_u64(), Some(count), "{query}");
    }
    let page = browser.get("/bureau/dead").await.json();
    assert_eq!(
        (page["letters"][0]["id"].as_str(), &page["letters"][0]["is_overdue"]),
        (Some(old.as_str()), &true.into())
    );
    assert_eq!(page["letters"][1]["is_overdue"], false);
    let file = browser.get("/bureau/dead?export=csv").await.text();
    assert!(file.starts_with('\u{feff}') && file.contains(old.as_str()), "{file}");
    assert_eq!(file.lines().count(), 3);
    assert_eq!(audited(&region, "bureau.export").await, [("dead/open".to_owned(), "found:2".to_owned())]);
    browser.program = false;
    let html = browser.get("/bureau/dead").await.text();
    assert!(html.contains("已过期限") && html.contains("没有人认领"), "{html}");
    assert!(!html.contains("secret") && !file.contains("secret"));
    let empty = browser.get("/bureau/dead?city=430200&lang=en").await.text();
    assert!(empty.contains("No dead letter here"), "{empty}");
    check(browser.get("/bureau/dead/01kq3zt0000000000000000000").await.status, 404, "no letter");
}

#[tokio::test]
async fn letters_have_pages() {
    let region = Region::new(None).await;
    for _ in 0..52 {
        bury(&region, service::CASE_OFFER, 3_600).await;
    }
    let mut browser = bureau(&region).await;
    let page = browser.get("/bureau/dead").await.json();
    assert_eq!((page["letters"].as_array().unwrap().len(), page["count"].as_u64()), (50, Some(52)));
    let next = browser.get(page["next"].as_str().unwrap()).await.json();
    assert_eq!((next["letters"].as_array().unwrap().len(), next["next"].is_null()), (2, true));
}

#[tokio::test]
async fn a_contract_tells_its_terms_and_its_use() {
    let region = Region::new(None).await;
    send(&region, service::CASE_OFFER, 3, 3_600).await;
    let mut ctx = region.ctx("430100");
    ctx = ctx.acting(tb_base::Actor::Peer(node("430300")));
    let refused = move |tx: &mut Tx<'_>| {
        audit::line(tx, &ctx, "exchange.refuse", "/x/v1/430100/430300/case/1/offer", "quota")?;
        audit::line(tx, &ctx, "exchange.refuse", "/x/v1/430100/430300/case/1/offer", "schema")
    };
    region.city("430100").store.write("test.refused", refused).await.unwrap();
    let mut browser = bureau(&region).await;
    let list = browser.get("/bureau/contracts").await.json();
    let line =
        list["contracts"].as_array().unwrap().iter().find(|it| it["peer"] == "430300").unwrap().clone();
    assert_eq!((line["out_today"].as_u64(), line["out_days"].as_u64()), (Some(3), Some(3)));
    assert_eq!((line["used_percent"].as_u64(), line["refused_today"].as_u64()), (Some(3), Some(1)));
    let page = browser.get("/bureau/contracts/czt-430100-430300").await.json();
    let offer =
        page["uses"].as_array().unwrap().iter().find(|it| it["code"] == service::CASE_OFFER).unwrap().clone();
    assert_eq!((offer["today"]["out"].as_u64(), offer["quota_per_day"].as_u64()), (Some(3), Some(100)));
    assert_eq!((offer["refused_today"].as_u64(), offer["refused_days"].as_u64()), (Some(1), Some(1)));
    let file = browser.get("/bureau/contracts/czt-430100-430300/file").await;
    let signed: tb_exchange::SignedContract = serde_json::from_slice(&file.body).unwrap();
    signed.verify(&region.city("430100").desk.trust().list).unwrap();
    assert_eq!(audited(&region, "bureau.export").await[0].0, "contract/czt-430100-430300");
    assert!(audited(&region, "bureau.read").await.iter().any(|(it, _)| it == "contract/czt-430100-430300"));
    check(browser.get("/bureau/contracts/none").await.status, 404, "no contract");
    browser.program = false;
    let html = browser.get("/bureau/contracts/czt-430100-430300").await.text();
    assert!(html.contains("移交办件") && html.contains("3 / 0") && html.contains("下载签名的契约"), "{html}");
    assert!(browser.get("/bureau/contracts?lang=en").await.text().contains("30 days out / in"));
}

#[tokio::test]
async fn what_is_shared_with_whom_and_why_is_one_table() {
    let region = Region::new(None).await;
    send(&region, service::CASE_OFFER, 3, 3_600).await;
    let mut browser = bureau(&region).await;
    let tile = browser.get("/bureau").await.json()["shared"].as_u64();
    let all = browser.get("/bureau/shared").await.json()["rows"].as_array().unwrap().clone();
    assert_eq!(tile, u64::try_from(all.len()).ok(), "the tile counts what it links");
    let contracts = region.city("430100").desk.contracts();
    assert_eq!(all.len(), contracts.values().map(|signed| signed.contract.services.len()).sum::<usize>());
    let one =
        browser.get(&format!("/bureau/shared?city=430300&service={}", service::CASE_OFFER)).await.json();
    let row = &one["rows"][0];
    assert_eq!((one["rows"].as_array().unwrap().len(), row["today"]["out"].as_u64()), (1, Some(3)));
    assert_eq!(row["contract"], "czt-430100-430300");
    assert!(!row["purposes"].as_str().unwrap().is_empty());
    let file = browser.get("/bureau/shared?city=430300&export=csv").await.text();
    let with_xiangtan = all.iter().filter(|row| row["peer"] == "430300").count();
    assert_eq!(file.trim_end().lines().count(), with_xiangtan + 1, "{file}");
    let exports = audited(&region, "bureau.export").await;
    assert_eq!(exports, [("shared".to_owned(), format!("found:{with_xiangtan}"))]);
    browser.program = false;
    assert!(browser.get("/bureau/shared?city=none").await.text().contains("没有这样的共享"));
    assert!(browser.get("/bureau/shared?lang=en").await.text().contains("hands a case over"));
}

#[tokio::test]
async fn an_idle_log_waits_for_nobody() {
    let region = Region::new(None).await;
    region.witness("430100", &["430200", "430300"]).await;
    let store = region.city("430100").store.clone();
    assert_eq!(store.read("test.waiting", log::waiting_since).await.unwrap(), None);
    let mut browser = bureau(&region).await;
    browser.program = false;
    let html = browser.get("/bureau").await.text();
    assert!(html.contains("交换正常，没有积压") && html.contains("已签齐"), "{html}");
}

/// Puts the next list in force, with other terms in every contract, as all cities signed them.
fn agree(region: &Region, change: impl FnOnce(&mut Charter)) {
    let desk = &region.city("430100").desk;
    let contracts: Vec<_> = desk.contracts().values().cloned().collect();
    let terms = contracts[0].contract.clone();
    let before = Package { trust: desk.trust().as_ref().clone(), contracts };
    let now = region.ctx("430100").now;
    let mut charter = Charter {
        region: before.trust.list.region.clone(),
        not_before: now,
        not_after: now.plus_seconds(86_400 * 365),
        services: terms.services,
        retention_days: terms.retention_days,
    };
    change(&mut charter);
    let (removed, revoked) = (Default::default(), Default::default());
    let plan = Plan { charter, quorum: None, removed, revoked, overlap_until: now.plus_seconds(3_600) };
    let mut package = propose(&plan, Some(&before), &[]).unwrap();
    for city in ["430100", "430200", "430300"] {
        package.sign(node(city), &region.city(city).secrets).unwrap();
    }
    package.verify_successor(&before.trust.list).unwrap();
    desk.replace(package.trust, package.contracts).unwrap();
}

#[tokio::test]
async fn a_new_version_of_a_contract_tells_what_it_changes() {
    let region = Region::new(None).await;
    let path = "/bureau/contracts/czt-430100-430300";
    let mut browser = bureau(&region).await;
    assert!(browser.get(path).await.json()["changes"].is_null(), "the first version changes nothing");
    agree(&region, |charter| {
        charter.retention_days = 180;
        charter.services.remove(service::LICENCE_PRESENT);
        let offer: &mut ServiceTerms = charter.services.get_mut(service::CASE_OFFER).unwrap();
        offer.quota_per_day = 250;
        offer.purposes = ["121".to_owned()].into();
        charter.services.get_mut(service::LICENCE_FETCH).unwrap().fields = ["name".to_owned()].into();
    });
    let page = browser.get(path).await.json();
    assert_eq!(
        (page["signed"]["contract"]["version"].as_u64(), page["changes"]["before"].as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(page["changes"]["all"].as_array().unwrap().len(), 5, "{}", page["changes"]);
    browser.program = false;
    let zh = browser.get(path).await.text();
    for word in [
        "这一版改了什么",
        "与第 1 版相比",
        "100 → 250",
        "增加 121；取消 任何事项",
        "增加 name",
        "异地亮证",
        "不再允许",
        "365 天 → 180 天",
    ] {
        assert!(zh.contains(word), "{word}: {zh}");
    }
    let en = browser.get(&format!("{path}?lang=en")).await.text();
    assert!(en.contains("Compared with version 1:") && en.contains("taken away: any item"), "{en}");
}
