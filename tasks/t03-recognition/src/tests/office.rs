//! The department's page: found, opened on a ground, ordered about; and what everybody else sees at once.

use serde_json::json;
use tb_identity::{look, messages, people, seed};
use tb_licence::store::notices;
use tb_store::audit::{self, Search};

use super::world::{CHANGSHA, Got, World, XIANGTAN, ZHUZHOU, node};
use super::{QUALIFICATION, qualification, shown};

const LIST: &str = "/office/licences";

/// The address of the driver's qualification on the department's site.
async fn address(world: &World) -> String {
    let licence = qualification(world).await;
    format!("{LIST}/{}", licence["id"].as_str().expect("an id"))
}

async fn order(world: &World, path: &str, deed: &str, more: &str) -> Got {
    let form = format!("do={deed}&reason=涉嫌出借证件&article=《道路运输从业人员管理规定》第四十八条{more}");
    world.post(XIANGTAN, "approver", path, &form).await
}

#[track_caller]
fn check_done(got: &Got, deed: &str) {
    assert_eq!(got.status, 303, "{got:?}");
    assert!(got.location.ends_with(&format!("?done={deed}")), "{}", got.location);
}

/// What an inspector in Zhuzhou is told about a code.
async fn check_verified(world: &World, code: &str, answer: &str, state: &str) {
    let got = world.post(ZHUZHOU, "inspector", "/verify", &format!("code={code}")).await.json();
    assert_eq!((&got["answer"], &got["state"]), (&json!(answer), &json!(state)), "{got}");
}

async fn check_allowed(world: &World, who: &str, path: &str, state: &str, allowed: &[&str]) {
    let page = world.get(XIANGTAN, who, path).await.json();
    assert_eq!((&page["licence"]["state"], &page["allowed"]), (&json!(state), &json!(allowed)), "{page}");
}

#[tokio::test]
async fn suspended_lifted_and_annulled_and_seen_everywhere_at_once() {
    let world = World::new().await;
    let path = address(&world).await;
    let (_, code) = shown(&world).await;
    check_allowed(&world, "approver", &path, "valid", &["suspend", "revoke", "withdraw", "cancel"]).await;
    check_done(&order(&world, &path, "suspend", "").await, "suspend");
    check_verified(&world, &code, "no", "suspended").await;
    assert_eq!(qualification(&world).await["state"], "suspended", "her wallet in Changsha");
    check_allowed(&world, "approver", &path, "suspended", &["lift", "revoke", "withdraw", "cancel"]).await;

    check_done(&order(&world, &path, "lift", "").await, "lift");
    let (_, code) = shown(&world).await;
    check_verified(&world, &code, "yes", "valid").await;

    world.pass_seconds(1);
    let (_, code) = shown(&world).await;
    let asked = order(&world, &path, "revoke", "").await;
    assert_eq!((asked.status.as_u16(), &asked.json()["do"]), (200, &json!("revoke")), "{asked:?}");
    assert_eq!(qualification(&world).await["state"], "valid", "asked once more, nothing done");
    check_done(&order(&world, &path, "revoke", "&confirm=yes").await, "revoke");
    check_verified(&world, &code, "no", "revoked").await;
    assert_eq!(qualification(&world).await["state"], "revoked");
    check_allowed(&world, "approver", &path, "revoked", &["cancel"]).await;

    let page = world.get(XIANGTAN, "approver", &path).await.json();
    let events: Vec<_> =
        page["history"].as_array().expect("lines").iter().map(|it| it["event"].clone()).collect();
    assert_eq!(events, ["revoked", "lifted", "suspended", "issued"]);
    assert_eq!(page["licence"]["void_from"], page["licence"]["valid_from"], "from the start");
    assert!(page["history"][0]["reason"].as_str().unwrap_or("").contains("第四十八条"), "{page}");
}

/// What is ordered, what she is told and what the auditor reads are one write.
#[tokio::test]
async fn she_is_told_and_the_auditor_reads_it() {
    let world = World::new().await;
    let path = address(&world).await;
    check_done(&order(&world, &path, "withdraw", "&confirm=yes").await, "withdraw");
    let vault = world.cities[&node(XIANGTAN)].issuer.vault.clone();
    let number = seed::driver().expect("the cast").number;
    let (told, lines) = world
        .write(XIANGTAN, move |tx| {
            let person = people::by_number(tx, &vault, &number)?.expect("registered").id;
            let found = audit::search(tx, &Search::default(), None, 20)?;
            Ok((messages::narrowed(tx, person, Default::default(), 0)?.0, found.lines))
        })
        .await;
    assert_eq!(told.len(), 1);
    let (zh, en) = told[0].words(notices::WORDINGS).expect("words");
    assert!(zh.contains("道路运输从业资格证") && zh.contains("吊销") && zh.contains("第四十八条"), "{zh}");
    assert!(en.contains("withdrawn") && en.contains("go to court"), "{en}");
    assert!(lines.iter().any(|it| it.action == "licence.order" && it.outcome == "withdrawn"), "{lines:?}");
}

#[tokio::test]
async fn what_the_state_or_the_role_does_not_allow() {
    let world = World::new().await;
    let path = address(&world).await;
    check_allowed(&world, "reviewer", &path, "valid", &[]).await;
    let reviewer = world.post(XIANGTAN, "reviewer", &path, "do=suspend&reason=x&article=y").await;
    assert_eq!(reviewer.status, 403);
    for path in [LIST, path.as_str()] {
        assert_eq!(world.get(XIANGTAN, "inspector", path).await.status, 403);
        assert_eq!(world.get(XIANGTAN, "driver", path).await.status, 403);
    }
    let other = world.get(XIANGTAN, "approver-market", &path).await;
    assert_eq!((other.status.as_u16(), &other.json()["code"]), (403, &json!("IDN-PMT-003")));
    let other = world.post(XIANGTAN, "approver-market", &path, "do=suspend&reason=x&article=y").await;
    assert_eq!(other.status, 403);
    let again = order(&world, &path, "lift", "").await;
    assert_eq!((again.status.as_u16(), &again.json()["code"]), (409, &json!("LIC-STA-001")));
    let bare = world.post(XIANGTAN, "approver", &path, "do=revoke&confirm=yes").await;
    assert_eq!(bare.status, 422);
    let errors = bare.json()["form"]["errors"].clone();
    assert_eq!((&errors[0]["name"], &errors[1]["name"]), (&json!("reason"), &json!("article")));
    assert_eq!(world.post(XIANGTAN, "approver", &path, "do=burn&reason=x&article=y").await.status, 422);
    assert_eq!(qualification(&world).await["state"], "valid");
    let elsewhere = format!("{LIST}/01kq3zt0000000000000000001");
    assert_eq!(world.get(XIANGTAN, "approver", &elsewhere).await.status, 404);
}

#[tokio::test]
async fn found_by_identifier_or_number_and_never_without_a_ground() {
    let world = World::new().await;
    let oid = world.get(XIANGTAN, "reviewer", &address(&world).await).await.json()["licence"]["oid"].clone();
    let oid = oid.as_str().expect("an identifier");
    let found = world.get(XIANGTAN, "reviewer", &format!("{LIST}?oid={oid}")).await.json();
    assert_eq!(found["licences"][0]["type"], QUALIFICATION);
    assert_eq!(found["licences"][0]["oid"], oid);
    let none = world.get(CHANGSHA, "reviewer", &format!("{LIST}?oid={oid}")).await;
    assert_eq!(none.status, 422, "another city issued it");
    assert_eq!(world.get(XIANGTAN, "reviewer", &format!("{LIST}?oid=x")).await.status, 422);

    let number = seed::driver().expect("the cast").number;
    let bare = world.post(XIANGTAN, "reviewer", LIST, &format!("number={number}")).await;
    assert_eq!((bare.status.as_u16(), looks(&world).await.len()), (422, 0), "{bare:?}");
    let invented = world.post(XIANGTAN, "reviewer", LIST, &format!("number={number}&case=7K4M29QD")).await;
    assert_eq!(invented.json()["form"]["errors"][0]["code"], "T03-OFL-004");
    let stated = format!("number={number}&basis=《行政许可法》第六十一条");
    let found = world.post(XIANGTAN, "reviewer", LIST, &stated).await.json();
    let types: Vec<_> = found["licences"].as_array().expect("a list").iter().map(|it| &it["type"]).collect();
    assert_eq!(types, [QUALIFICATION], "her resident card is of another department");
    let looks = looks(&world).await;
    assert_eq!(looks, [("locate".to_owned(), "statute:《行政许可法》第六十一条".to_owned())]);
}

/// Her values stay closed until a ground is given; then she sees who opened them, and which.
#[tokio::test]
async fn opened_on_a_ground() {
    let world = World::new().await;
    let path = address(&world).await;
    let closed = world.page(XIANGTAN, "reviewer", &path).await.text;
    assert!(!closed.contains("周晓梅") && closed.contains("打开照面信息"), "{closed}");
    let face = format!("{path}/face");
    let bare = world.post(XIANGTAN, "reviewer", &face, "").await;
    assert_eq!((bare.status.as_u16(), looks(&world).await.len()), (422, 0), "{bare:?}");
    let opened = world.post_page(XIANGTAN, "reviewer", &face, "basis=监督检查").await;
    assert!(opened.status == 200 && opened.text.contains("周晓梅"), "{opened:?}");
    assert_eq!(looks(&world).await, [("register".to_owned(), "statute:监督检查".to_owned())]);
}

/// The pages tell 撤销, 吊销 and 注销 apart, in both languages.
#[tokio::test]
async fn pages() {
    let world = World::new().await;
    let path = address(&world).await;
    let list = world.page(XIANGTAN, "approver", LIST).await.text;
    assert!(list.contains("按持证人查") && !list.contains("没有找到"), "{list}");
    let page = world.page(XIANGTAN, "approver", &format!("{path}?lang=en")).await.text;
    assert!(page.contains("value=\"revoke\"") && page.contains("void from today on"), "{page}");
    let form = "do=revoke&reason=x&article=y";
    let ask = world.post_page(XIANGTAN, "approver", &path, form).await.text;
    for words in
        ["撤销这张证照？", "自始无效", "吊销", "从今天起失效", "注销", "name=\"confirm\" value=\"yes\""]
    {
        assert!(ask.contains(words), "{words}: {ask}");
    }
    let done = format!("{path}?done=suspend");
    let claimed = world.page(XIANGTAN, "approver", &done).await.text;
    assert!(!claimed.contains("已写入履历"), "an address alone says nothing: {claimed}");
    order(&world, &path, "suspend", "").await;
    let done = world.page(XIANGTAN, "approver", &done).await.text;
    assert!(done.contains("已写入履历，并通知持证人"), "{done}");
}

/// Kind and ground of the looks that Xiangtan wrote down about the driver, without her own reading.
async fn looks(world: &World) -> Vec<(String, String)> {
    let vault = world.cities[&node(XIANGTAN)].issuer.vault.clone();
    let number = seed::driver().expect("the cast").number;
    let rows = world
        .write(XIANGTAN, move |tx| {
            let person = people::by_number(tx, &vault, &number)?.expect("registered").id;
            look::of_person(tx, person, 0)
        })
        .await;
    let plain = |it: &look::LookRow| (it.look.kind.word().to_owned(), it.look.ground.clone());
    rows.iter().filter(|it| it.look.role != "node").map(plain).collect()
}
