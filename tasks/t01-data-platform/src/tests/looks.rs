//! Who looked: rows of all cities, cities that are down, proofs that verify.

use axum::http::StatusCode;
use tb_exchange::bundle::{Origin, verify};
use tb_identity::look::LookKind;
use tb_store::{audit, log};

use super::support::{Browser, Region, node};

const DRIVER: &str = "driver@430100";

#[tokio::test]
async fn rows_of_all_cities_stand_in_one_list() {
    let region = Region::new(None).await;
    let own = region.look("430100", |look| look.kind = LookKind::Register).await;
    region.later(60);
    let far = region.look("430300", |_| ()).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let page = browser.get("/looks").await.json();
    assert_eq!(page["unavailable"].as_array().unwrap().len(), 0, "{page:#}");
    let rows = page["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0]["id"].as_str(), rows[0]["held_by"].as_str()), (Some(far.as_str()), Some("430300")));
    assert_eq!((rows[1]["id"].as_str(), rows[1]["held_by"].as_str()), (Some(own.as_str()), Some("430100")));
    assert_eq!(rows[0]["proof_url"], format!("/looks/430300/{far}/proof"));
    assert_eq!(rows[0]["fields"], serde_json::json!(["name", "class"]));
    assert_eq!(
        rows[0]["told"]["who"], "长沙市政务服务中心跨域通办专窗",
        "an office is named by its own city"
    );
    assert_eq!(rows[0]["witnesses"], 0);
    assert!(!page["frame"]["csrf"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn looks_are_narrowed_to_one_licence() {
    let region = Region::new(None).await;
    let ids =
        [region.ctx("430100").id(tb_base::LicenceId::new), region.ctx("430100").id(tb_base::LicenceId::new)];
    region.look("430100", |look| look.licence = Some(ids[0])).await;
    region.later(60);
    let far = region.look("430300", |look| look.licence = Some(ids[0])).await;
    region.look("430300", |look| (look.licence, look.item) = (Some(ids[1]), "5".to_owned())).await;
    region.look("430100", |look| (look.licence, look.item) = (None, "6".to_owned())).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let page = browser.get(&format!("/looks?licence={}", ids[0])).await.json();
    assert_eq!((&page["count"], &page["total"]), (&2.into(), &4.into()), "{page:#}");
    assert_eq!(
        (&page["licence"], &page["rows"][0]["id"]),
        (&ids[0].to_string().into(), &far.to_string().into())
    );
    let none =
        browser.get(&format!("/looks?licence={}", region.ctx("430100").id(tb_base::LicenceId::new))).await;
    assert_eq!(none.json()["count"], 0);
    assert_eq!(
        browser.get("/looks?licence=nothing").await.status,
        StatusCode::OK,
        "what is no id narrows nothing"
    );
}

#[tokio::test]
async fn a_city_that_is_down_is_named_and_the_rest_is_shown() {
    let region = Region::new(None).await;
    region.look("430100", |_| ()).await;
    region.down.lock().unwrap().insert(node("430300"));
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let page = browser.get("/looks").await.json();
    assert_eq!(page["rows"].as_array().unwrap().len(), 1);
    let away = &page["unavailable"][0];
    assert_eq!((away["city"].as_str(), away["code"].as_str()), (Some("430300"), Some("EXC-PEER-001")));
    browser.program = false;
    let html = browser.get("/looks").await.text();
    assert!(html.contains("湘潭") && html.contains("暂时没有应答"));
}

#[tokio::test]
async fn reading_makes_a_leaf_and_an_audit_line_but_no_row() {
    let region = Region::new(None).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let store = region.city("430100").store.clone();
    let before = store.read("test.waiting", log::waiting).await.unwrap();
    for _ in 0..2 {
        assert_eq!(browser.get("/looks").await.json()["total"], 0);
    }
    assert_eq!(store.read("test.waiting", log::waiting).await.unwrap(), before + 2);
    let search = |tx: &mut tb_store::Tx<'_>| audit::search(tx, &audit::Search::action("look.read"), None, 10);
    assert_eq!(store.read("test.audit", search).await.unwrap().lines.len(), 2);
}

#[tokio::test]
async fn a_proof_waits_for_a_witness_and_then_verifies_anywhere() {
    let region = Region::new(None).await;
    for held_by in ["430100", "430300"] {
        let id = region.look(held_by, |_| ()).await;
        let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
        let path = format!("/looks/{held_by}/{id}/proof");
        let early = browser.get(&path).await;
        assert_eq!(
            (early.status, early.json()["code"].as_str()),
            (StatusCode::CONFLICT, Some("T01-PRF-001"))
        );
        assert!(early.json()["way_out"].as_str().is_some());
        region.witness(held_by, &["430200"]).await;
        let rows = browser.get("/looks").await.json();
        assert_eq!(
            rows["rows"].as_array().unwrap().iter().find(|row| row["id"] == id.as_str()).unwrap()["witnesses"],
            1
        );
        let proof = browser.get(&path).await;
        assert_eq!(proof.status, StatusCode::OK, "{}", proof.text());
        let trust = serde_json::to_vec(region.city("430100").desk.trust().as_ref()).unwrap();
        let report = verify(&proof.body, Some(&trust));
        assert!(report.ok, "{:#?}", report.failures().collect::<Vec<_>>());
        assert_eq!((report.looks, report.proofs, report.origin), (1, 1, Origin::Proven));
        let is_named = proof.text().contains(tb_identity::seed::driver().unwrap().number.as_str());
        assert_eq!(is_named, held_by == "430100", "the number stays in its city");
        let mut bent = proof.body.clone();
        let at = bent.len() / 2;
        bent[at] ^= 1;
        assert!(!verify(&bent, None).ok);
    }
}

#[tokio::test]
async fn three_cities_witness_a_look() {
    let region = Region::new(None).await;
    region.look("430100", |_| ()).await;
    region.witness("430100", &["430200", "430300"]).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    assert_eq!(browser.get("/looks").await.json()["rows"][0]["witnesses"], 2);
    browser.program = false;
    let html = browser.get("/looks").await.text();
    assert!(html.contains("三方见证") && html.contains("下载证明"));
}

#[tokio::test]
async fn a_proof_of_anybody_else_is_not_there() {
    let region = Region::new(None).await;
    let id = region.look("430100", |_| ()).await;
    region.witness("430100", &["430200"]).await;
    let mut other = Browser::signed_in(&region, "430100", "resident1@430100").await;
    for path in [
        format!("/looks/430100/{id}/proof"),
        format!("/looks/430300/{id}/proof"),
        format!("/looks/999999/{id}/proof"),
        "/looks/x/y/proof".to_owned(),
    ] {
        let page = other.get(&path).await;
        assert_eq!(
            (page.status, page.json()["code"].as_str()),
            (StatusCode::NOT_FOUND, Some("T01-LOK-002")),
            "{path}"
        );
    }
}

#[tokio::test]
async fn filters_stand_in_the_address() {
    let region = Region::new(None).await;
    region.look("430100", |look| look.ground = "statute:x".to_owned()).await;
    region.look("430100", |look| (look.kind, look.city) = (LookKind::Verify, node("430200"))).await;
    region
        .look("430100", |look| {
            look.fields.clear();
            look.outcome = "LIC-USE-001".to_owned();
        })
        .await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    for (query, count) in [
        ("", 3),
        ("?why=law", 1),
        ("?why=showing", 1),
        ("?why=case", 1),
        ("?city=430200", 1),
        ("?month=2026-11", 3),
        ("?month=2026-10", 0),
        ("?why=nonsense", 3),
    ] {
        let page = browser.get(&format!("/looks{query}")).await.json();
        assert_eq!((page["count"].as_u64(), page["total"].as_u64()), (Some(count), Some(3)), "{query}");
    }
    browser.program = false;
    let html = browser.get("/looks?why=case").await.text();
    assert!(html.contains("没有给") && html.contains("什么也没看到") && html.contains("已拒绝"));
    assert!(browser.get("/looks?month=2026-10").await.text().contains("没有符合的记录"));
    let english = browser.get("/looks?lang=en").await.text();
    assert!(english.contains("Who looked at my data") && english.contains("being witnessed"));
}

#[tokio::test]
async fn the_list_is_narrowed_to_a_case() {
    const CASE: &str = "01kq3zt0000000000000000000";
    let region = Region::new(None).await;
    region.look("430300", |look| look.case = Some(CASE.parse().unwrap())).await;
    region.look("430300", |_| ()).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let page = browser.get(&format!("/looks?case={CASE}")).await.json();
    assert_eq!((page["count"].as_u64(), page["case"].as_str()), (Some(1), Some(CASE)));
    browser.program = false;
    assert!(browser.get(&format!("/looks?case={CASE}")).await.text().contains("只看与这个办件有关的"));
}

#[tokio::test]
async fn every_look_is_on_some_page() {
    let region = Region::new(None).await;
    // As heavy as rows come: a case, many fields, a proof to take.
    let heavy = |look: &mut tb_identity::look::Look| {
        look.case = Some("01kq3zt0000000000000000000".parse().unwrap());
        look.fields = (0..8).map(|at| format!("初次领证日期{at}")).collect();
        look.item = "道路运输驾驶员从业资格证换发".to_owned();
        look.message = Some("01kq3zt0000000000000000001".parse().unwrap());
    };
    for _ in 0..120 {
        region.look("430300", heavy).await;
        region.later(1);
    }
    for _ in 0..80 {
        region.look("430100", heavy).await;
        region.later(1);
    }
    region.witness("430100", &["430200", "430300"]).await;
    region.witness("430300", &["430100", "430200"]).await;
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let (mut path, mut seen) = ("/looks".to_owned(), std::collections::BTreeSet::new());
    loop {
        let page = browser.get(&path).await.json();
        assert_eq!((page["count"].as_u64(), page["total"].as_u64()), (Some(200), Some(200)));
        assert_eq!(page["newer"].as_u64(), Some(seen.len() as u64));
        let rows = page["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 40);
        seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
        let Some(older) = page["older"].as_str() else { break };
        path = older.to_owned();
    }
    assert_eq!(seen.len(), 200);
    assert!(browser.get(&path).await.json()["newest"].as_str().is_some());
    browser.program = false;
    let html = browser.get("/looks").await.text();
    assert!(html.contains("第 1–40 条，共 200 条") && html.contains("200</"), "{html}");
    // Stylesheets and script weigh 50 kB.
    assert!(html.len() < 50_000, "{} bytes", html.len());
}

#[tokio::test]
async fn her_own_reading_is_not_listed_and_stays_provable() {
    let region = Region::new(None).await;
    let own = |look: &mut tb_identity::look::Look| {
        (look.role, look.office, look.ground) = ("resident".to_owned(), None, "subject".to_owned());
    };
    let id = region.look("430300", own).await;
    region.later(1);
    region.look("430300", |look| (look.role, look.office) = ("resident".to_owned(), None)).await;
    region.later(1);
    for role in ["anonymous", "resident"] {
        region
            .look("430300", |look| {
                (look.role, look.office, look.kind) = (role.to_owned(), None, LookKind::Verify);
            })
            .await;
        region.later(1);
    }
    let mut browser = Browser::signed_in(&region, "430100", DRIVER).await;
    let page = browser.get("/looks").await.json();
    assert_eq!((page["count"].as_u64(), page["total"].as_u64()), (Some(3), Some(3)));
    let who = |at: usize| page["rows"][at]["told"]["who"].as_str().unwrap();
    assert_eq!((who(0), who(1), who(2)), ("登录的居民", "匿名核验", "您"));
    region.witness("430300", &["430200"]).await;
    assert_eq!(browser.get(&format!("/looks/430300/{id}/proof")).await.status, StatusCode::OK);
    browser.program = false;
    assert!(browser.get("/looks?lang=en").await.text().contains("Anonymous check"));
}

#[tokio::test]
async fn only_residents_read_looks() {
    let region = Region::new(None).await;
    assert_eq!(Browser::at(&region, "430100").get("/looks").await.status, StatusCode::UNAUTHORIZED);
    let mut clerk = Browser::signed_in(&region, "430100", "window1@430100").await;
    assert_eq!(clerk.get("/looks").await.status, StatusCode::FORBIDDEN);
}
