//! Five answers, each for its reason, and none for another's.

use serde_json::Value;
use tb_base::Actor;
use tb_identity::accounts::limits;
use tb_identity::people;
use tb_licence::store::suspend;

use super::world::{CHANGSHA, Got, World, XIANGTAN, ZHUZHOU, node};
use super::{qualification, shown};

async fn verify(world: &World, city: &str, who: &str, code: &str) -> Got {
    world.post(city, who, "/verify", &format!("code={code}")).await
}

#[track_caller]
fn check(got: &Got, answer: &str, said: &str) -> Value {
    assert_eq!(got.status, 200, "{got:?}");
    let json = got.json();
    assert_eq!(json["answer"], answer, "{json}");
    assert!(json["said"].as_str().unwrap_or("").contains(said), "{json}");
    assert_eq!(json["issuer"], XIANGTAN);
    json
}

fn labels(json: &Value) -> Vec<(&str, &str)> {
    let fields = json["fields"].as_array().expect("fields");
    fields.iter().map(|it| (it["label"].as_str().unwrap_or(""), it["value"].as_str().unwrap_or(""))).collect()
}

#[tokio::test]
async fn an_inspector_in_a_third_city_sees_what_an_inspection_needs() {
    let world = World::new().await;
    let (page, code) = shown(&world).await;
    let got = verify(&world, ZHUZHOU, "inspector", &code).await;
    let json = check(&got, "yes", "有效");
    let fields = labels(&json);
    assert!(fields.contains(&("姓名", "周晓梅")), "{fields:?}");
    let number = fields.iter().find(|it| it.0 == "从业资格证号").expect("a number").1;
    assert!(number.contains("********"), "in part: {number}");
    assert!(fields.iter().any(|it| it.0 == "有效期"), "{fields:?}");
    assert!(!fields.iter().any(|it| it.0 == "出生日期"), "{fields:?}");

    let told = world.get(CHANGSHA, "driver", &page).await.json();
    assert_eq!((&told["state"], &told["verdict"]), (&Value::from("redeemed"), &Value::from("yes")));
    assert_eq!(told["verified_by"], "株洲的执法检查人员 (430200-transport)");
    assert_eq!(told["code"], Value::Null);
    let html = world.page(CHANGSHA, "driver", &page).await.text;
    assert!(html.contains("已被核验") && html.contains("对方看到：有效"), "{html}");

    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "not_found", "已被核验过");
}

#[tokio::test]
async fn anybody_sees_the_minimum() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    let address = format!("http://430100.invalid/verify?code={}", code.to_lowercase());
    let json = check(&verify(&world, XIANGTAN, "", &address).await, "yes", "有效");
    let fields = labels(&json);
    let names: Vec<_> = fields.iter().map(|it| it.0).collect();
    assert_eq!(names, ["姓名", "从业资格类别", "发证机关", "有效期"]);
    assert_eq!(fields[0].1, "**梅");
}

#[tokio::test]
async fn suspended_a_moment_ago_is_a_no() {
    let world = World::new().await;
    let licence = qualification(&world).await;
    let (_, code) = shown(&world).await;
    let id = licence["id"].as_str().expect("an id").parse().expect("an id");
    let ctx = world.ctx(node(XIANGTAN), Actor::System);
    world.write(XIANGTAN, move |tx| suspend(tx, &ctx, id, "涉嫌违章，接受调查")).await;
    let json = check(&verify(&world, ZHUZHOU, "inspector", &code).await, "no", "暂扣");
    assert_eq!(json["state"], "suspended");
    assert!(labels(&json).iter().all(|it| it.0 != "姓名"), "{json}");
    let after = qualification(&world).await;
    assert_eq!((&after["state_word"], &after["present_url"]), (&Value::from("暂扣"), &Value::Null));
}

#[tokio::test]
async fn a_code_that_is_over_is_not_found() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    world.pass_seconds(61);
    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "not_found", "已过期");
    let unknown = "T1.430300.00000000000000000000000000";
    check(&verify(&world, ZHUZHOU, "", unknown).await, "not_found", "查不到");
}

#[tokio::test]
async fn who_may_not_verify_learns_nothing_and_burns_nothing() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    let json = check(&verify(&world, ZHUZHOU, "bureau", &code).await, "not_allowed", "不能核验");
    assert_eq!((&json["state"], &json["fields"]), (&Value::Null, &Value::Array(Vec::new())));
    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "yes", "有效");
}

#[tokio::test]
async fn strangers_cannot_use_up_what_inspectors_may_ask() {
    let world = World::new().await;
    let unknown = "T1.430300.00000000000000000000000000";
    for _ in 0..limits::VERIFY_SOURCE.attempts_max {
        check(&verify(&world, ZHUZHOU, "", unknown).await, "not_found", "查不到");
    }
    let got = verify(&world, ZHUZHOU, "", unknown).await;
    assert_eq!(got.status, 422, "{got:?}");
    assert!(got.text.contains("T03-VER-003") || got.text.contains("太频繁"), "{}", got.text);
    let (_, code) = shown(&world).await;
    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "yes", "有效");
}

#[tokio::test]
async fn silence_is_neither_yes_nor_no() {
    let world = World::new().await;
    let (page, code) = shown(&world).await;
    world.cut(XIANGTAN);
    let json = check(&verify(&world, ZHUZHOU, "inspector", &code).await, "unavailable", "没有应答");
    assert_eq!(json["state"], Value::Null);
    let waiting = world.get(CHANGSHA, "driver", &page).await.json();
    assert_eq!((&waiting["state"], &waiting["code"]), (&Value::from("unknown"), &Value::from(code.as_str())));
    world.mend(XIANGTAN);
    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "yes", "有效");
}

/// Nobody stands at the roadside for half a minute.
#[tokio::test(start_paused = true)]
async fn who_answers_too_late_did_not_answer() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    world.hang();
    let began = tokio::time::Instant::now();
    check(&verify(&world, ZHUZHOU, "inspector", &code).await, "unavailable", "没有及时应答");
    let wallet = world.get(CHANGSHA, "driver", "/licences").await.json();
    assert_eq!(wallet["silent"].as_array().map(Vec::len), Some(2), "both other cities are named");
    assert!(began.elapsed().as_secs() <= 11, "both cities are asked at once");
}

/// An answer that the issuer did not sign is not used, neither for a verifier nor for the holder.
#[tokio::test]
async fn a_changed_answer_is_no_answer() {
    let world = World::new().await;
    let licence = qualification(&world).await;
    let (_, code) = shown(&world).await;
    world.forge("货物", "旅客");
    let json = check(&verify(&world, ZHUZHOU, "inspector", &code).await, "unavailable", "没有通过验证");
    assert_eq!(json["fields"], Value::Array(Vec::new()));
    let page = world.page(CHANGSHA, "driver", licence["url"].as_str().expect("it")).await;
    assert_eq!(page.status, 503);
    assert!(!page.text.contains("旅客"), "{}", page.text);
}

#[tokio::test]
async fn what_is_no_code_is_said_at_the_field() {
    let world = World::new().await;
    for (code, expected) in [
        ("", "WEB-FIELD-001"),
        ("4816 2093", "LIC-PRE-001"),
        ("T1.430500.00000000000000000000000000", "T03-VER-001"),
    ] {
        let got = verify(&world, ZHUZHOU, "", code).await;
        assert_eq!(got.status, 422, "{code}");
        let json = got.json();
        assert_eq!(json["form"]["errors"][0]["code"], expected, "{json}");
        assert_eq!(json["form"]["errors"][0]["name"], "code");
    }
}

/// Each answer has words of its own in both languages, and a mark of its own.
#[tokio::test]
async fn pages_of_the_five_answers() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    let filled = world.page(ZHUZHOU, "", &format!("/verify?code={code}")).await.text;
    assert!(filled.contains(&code), "the scanned code fills the form in");
    let html = verify_page(&world, &code).await;
    assert!(html.contains("✓") && html.contains("note--done"), "{html}");
    let html = verify_page(&world, &code).await;
    assert!(html.contains(">?</span> 查不到"), "{html}");
    world.cut(XIANGTAN);
    let html = verify_page(&world, &code).await;
    assert!(html.contains("note--wait") && html.contains("不等于有效，也不等于无效"), "{html}");
}

async fn verify_page(world: &World, code: &str) -> String {
    world.post_page(ZHUZHOU, "inspector", "/verify", &format!("code={code}")).await.text
}

/// She sees the verification in the list of looks that the issuing city keeps.
#[tokio::test]
async fn a_verification_is_a_look() {
    let world = World::new().await;
    let (_, code) = shown(&world).await;
    verify(&world, ZHUZHOU, "inspector", &code).await;
    let vault = world.cities[&node(XIANGTAN)].issuer.vault.clone();
    let number = tb_identity::seed::driver().expect("the cast").number;
    let looks = world
        .write(XIANGTAN, move |tx| {
            let person = people::by_number(tx, &vault, &number)?.expect("registered");
            tb_identity::look::of_person(tx, person.id, 0)
        })
        .await;
    let kinds: Vec<_> = looks.iter().map(|it| (it.look.kind.word(), it.look.role.as_str())).collect();
    assert_eq!(kinds, [("verify", "inspector")], "her own reading of the list is no row");
}
