//! Stories of an officer's working tools: comparing, ticking, going through a list, accepting several at once.

use serde_json::Value;
use tb_base::{Actor, CaseId, MessageId};
use tb_case::command::CommandKind;
use tb_case::work;
use tb_identity::{look, people, seed};

use crate::tests::world::{CHANGSHA, World, XIANGTAN, node, staff_of};
use crate::window::tests::collected;

const ASK: &str = "command=ask_correction&about1=reason&what1=%E5%8E%9F%E5%9B%A0%E4%B8%8D%E6%B8%85&article1=%E7%AC%AC%E4%B8%89%E5%8D%81%E4%BA%8C%E6%9D%A1";

fn at(case: &str) -> String {
    format!("/office/cases/{case}")
}

/// The values of the hidden fields of a name, as a page has them.
fn hidden(page: &str, name: &str) -> Vec<String> {
    let start = format!("name=\"{name}\" value=\"");
    let values = page.split(&start).skip(1);
    values.filter_map(|rest| rest.split('"').next().map(str::to_owned)).collect()
}

#[tokio::test]
async fn declared_and_registered_stand_side_by_side_and_the_look_is_on_record() {
    let world = World::new().await;
    let (first, case) = (collected(&world).await, collected(&world).await);
    let page = world.get(XIANGTAN, "reviewer", &at(&case)).await.json();
    let lines = page["compare"]["lines"].as_array().expect("lines").clone();
    let verdicts: Vec<(&str, &str)> = lines
        .iter()
        .map(|line| (line["label"].as_str().unwrap_or(""), line["verdict"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        verdicts,
        [
            ("手机号", "differs"),
            ("居民身份证：姓名、号码", "same"),
            ("居民身份证：版本", "same"),
            ("原道路运输从业资格证：姓名、号码", "same"),
            ("原道路运输从业资格证：版本", "same"),
        ]
    );
    assert_eq!(lines[0]["declared"], "13800990000");
    assert_eq!(page["earlier"][0]["case"], first.as_str());
    let driver = seed::driver().expect("the cast");
    let shown = world.page(XIANGTAN, "reviewer", &at(&case)).await.text;
    assert!(!shown.contains(driver.number.as_str()), "the resident number is masked");
    assert!(shown.contains("申请人没有另外说什么") && shown.contains("5 项，4 项一致，1 项不同"), "{shown}");

    let vault = world.cities[&node(XIANGTAN)].env.vault.clone();
    let looks = world
        .write(XIANGTAN, move |tx| {
            let person = people::by_number(tx, &vault, &driver.number)?.expect("the driver").id;
            look::of_person(tx, person, 0)
        })
        .await;
    let fields = ["name", "number", "phone", "earlier_cases"];
    let read = looks.iter().filter(|it| it.look.case.is_some_and(|held| held.as_str() == case));
    let register: Vec<_> =
        read.filter(|it| it.look.kind == look::LookKind::Register && it.look.licence.is_none()).collect();
    assert_eq!(register.len(), 1, "twice within ten minutes is one look: {looks:?}");
    assert_eq!(register[0].look.fields, fields);

    let supervisor = world.get(XIANGTAN, "supervisor", &at(&case)).await.json();
    assert!(supervisor["compare"].is_null() && supervisor["earlier"] == serde_json::json!([]));
}

#[tokio::test]
async fn points_are_ticked_by_each_officer_for_herself() {
    let world = World::new().await;
    let case = collected(&world).await;
    let ticks = format!("{}/ticks", at(&case));
    let ticked = async |who: &str| {
        let page = world.get(XIANGTAN, who, &at(&case)).await.json();
        let points = page["points"].as_array().expect("points").clone();
        let ticked = points.iter().filter(|point| point["ticked"] == true);
        ticked.filter_map(|point| point["id"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let two = "point=before-expiry&point=holds-valid-certificate&point=no-such-point&in=due%3Dlate&at=4";
    let kept = world.post(XIANGTAN, "reviewer", &ticks, two).await;
    assert_eq!(kept.location, format!("{}?in=due%3Dlate&at=4#points", at(&case)), "{kept:?}");
    assert_eq!(ticked("reviewer").await, ["holds-valid-certificate", "before-expiry"]);
    assert!(ticked("approver").await.is_empty());
    world.post(XIANGTAN, "reviewer", &ticks, "point=before-expiry").await;
    assert_eq!(ticked("reviewer").await, ["before-expiry"]);
    let page = world.page(XIANGTAN, "reviewer", &at(&case)).await.text;
    assert!(
        page.contains("value=\"before-expiry\" checked") && page.contains("<b data-left>2</b>"),
        "{page}"
    );
    for (who, status) in [("supervisor", 403), ("reviewer-elsewhere", 403), ("window", 403)] {
        assert_eq!(world.post(XIANGTAN, who, &ticks, two).await.status, status, "{who}");
    }
}

#[tokio::test]
async fn a_list_is_gone_through_and_goes_on_when_a_case_has_left_it() {
    let world = World::new().await;
    let mut cases = Vec::new();
    for _ in 0..3 {
        cases.push(collected(&world).await);
    }
    let beside = async |path: &str| {
        let page = world.get(XIANGTAN, "reviewer", path).await.json();
        [&page["place"], &page["listed"], &page["previous"], &page["next"]].map(Value::clone)
    };
    let list = "in=state%3Dreceived%26sort%3Dsince";
    let (none, id) = (Value::Null, |at: usize| Value::from(cases[at].as_str()));
    let first = beside(&format!("{}?{list}", at(&cases[0]))).await;
    assert_eq!(first, [1.into(), 3.into(), none.clone(), id(1)]);
    let last = beside(&format!("{}?{list}", at(&cases[2]))).await;
    assert_eq!(last, [3.into(), 3.into(), id(1), none.clone()]);
    let page = world.page(XIANGTAN, "reviewer", &format!("{}?{list}", at(&cases[1]))).await.text;
    for words in ["第 2 件，共 3 件", "data-key=\"[\"", "data-key=\"]\"", "data-key=\"Y\"", "?do=accept"]
    {
        assert!(page.contains(words), "{words} is not in {page}");
    }
    // Accepted, it leaves the list; the way leads on from where it stood.
    let send = format!("command=accept&{list}&at=2");
    let done = world.post(XIANGTAN, "reviewer", &format!("{}/act", at(&cases[1])), &send).await;
    assert_eq!(done.location, format!("{}?done=accept&{list}&at=2", at(&cases[1])), "{done:?}");
    assert_eq!(beside(&done.location).await, [none.clone(), 2.into(), id(0), id(2)]);
    // An address that says nonsense says the whole list.
    let whole = beside(&format!("{}?in=%26%26state%3Dx%26due%3Dnever", at(&cases[0]))).await;
    assert_eq!(whole[1], 3);
    let act = format!("{}/act", at(&cases[0]));
    let wrong = world.post(XIANGTAN, "reviewer", &act, "command=opine&in=x&at=y").await;
    assert_eq!(wrong.status, 422);
}

#[tokio::test]
async fn a_bulk_of_twenty_says_of_each_what_became_of_it() {
    let world = World::new().await;
    let mut cases = Vec::new();
    for _ in 0..20 {
        cases.push(collected(&world).await);
    }
    let act = async |case: &str, form: &str| {
        let done = world.post(XIANGTAN, "reviewer", &format!("{}/act", at(case)), form).await;
        assert_eq!(done.status, 303, "{done:?}");
    };
    let queue = world.page(XIANGTAN, "reviewer", "/office").await.text;
    assert_eq!(hidden(&queue, "case"), cases, "each received case can be chosen, the most urgent first");
    act(&cases[4], ASK).await;
    let back = world.post(CHANGSHA, "driver", &format!("/cases/{}/withdraw", cases[9]), "sure=yes").await;
    assert_eq!(back.status, 303, "{back:?}");
    world.exchange().await;
    let chosen: Vec<String> = cases.iter().map(|case| format!("case={case}")).collect();
    let asked = world.page(XIANGTAN, "reviewer", &format!("/office/bulk?{}", chosen.join("&"))).await;
    assert_eq!(asked.text.matches("现在不能受理").count(), 2, "{}", asked.text);
    // A colleague is faster after the question was put.
    act(&cases[14], "command=accept").await;
    let key = hidden(&asked.text, "key").remove(0);
    let given: Vec<String> = hidden(&asked.text, "case").iter().map(|case| format!("case={case}")).collect();
    assert_eq!(given.len(), 20);
    let form = format!("key={key}&in=due%3Dsoon&{}", given.join("&"));
    let done = world.post(XIANGTAN, "reviewer", "/office/bulk", &form).await;
    assert_eq!(done.location, format!("/office/bulk/{key}?in=due%3Dsoon"), "{done:?}");

    let result = world.get(XIANGTAN, "reviewer", &done.location).await.json();
    assert_eq!([&result["done"], &result["refused"], &result["waiting"]], [17, 3, 0]);
    let refused: Vec<(&str, &str)> = result["lines"]
        .as_array()
        .expect("lines")
        .iter()
        .filter(|line| line["state"] == "refused")
        .map(|line| (line["case"].as_str().unwrap_or(""), line["refusal"]["code"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(
        refused,
        [
            (cases[4].as_str(), "CAS-PHA-001"),
            (cases[9].as_str(), "CAS-PHA-001"),
            (cases[14].as_str(), "T02-OFF-010")
        ]
    );
    let page = world.page(XIANGTAN, "reviewer", &done.location).await;
    assert!(page.text.contains("3 件没有受理，17 件已受理"), "{}", page.text);
    assert!(page.text.contains("待补正") && page.text.contains("已撤回") && page.text.contains("别人先办了"));

    // Pressed again, and opened again: nothing happens twice.
    let again = world.post(XIANGTAN, "reviewer", "/office/bulk", &form).await;
    assert_eq!(again.location, done.location);
    assert_eq!(world.get(XIANGTAN, "reviewer", &done.location).await.json()["lines"], result["lines"]);
    let seen = world.get(XIANGTAN, "reviewer", &at(&cases[0])).await.json();
    let accepted = seen["events"].as_array().expect("events").iter().filter(|it| it["kind"] == "accepted");
    assert_eq!(accepted.count(), 1);
    let file = world.page(XIANGTAN, "reviewer", &format!("/office/bulk/{key}?export=xlsx")).await;
    let code = seen["progress"]["query_code"].as_str().expect("a code");
    let cell = format!("s=\"2\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{code}</t>");
    assert!(file.text.starts_with("PK") && file.text.contains(&cell), "a code stays text");
    assert_eq!(world.get(XIANGTAN, "approver", &done.location).await.status, 404, "it is not hers");
    let linked = world.page(XIANGTAN, "reviewer", "/office").await;
    assert!(linked.text.contains(&format!("/office/bulk/{key}")), "the result is found again");
}

#[tokio::test]
async fn an_interrupted_bulk_goes_on() {
    let world = World::new().await;
    let case = collected(&world).await;
    let seen = world.get(XIANGTAN, "reviewer", &at(&case)).await.json()["progress"]["seq"].clone();
    let ctx = world.ctx(node(XIANGTAN), Actor::System);
    let (id, staff) = (ctx.id(MessageId::new), staff_of("reviewer"));
    let cases: Vec<(CaseId, u32)> =
        vec![(case.parse().expect("an id"), u32::try_from(seen.as_u64().expect("a count")).expect("small"))];
    world
        .write(XIANGTAN, move |tx| {
            let office = "430300-transport".parse()?;
            work::begin(tx, &ctx, id, (staff, &office), CommandKind::Accept, &cases)
        })
        .await;
    let path = format!("/office/bulk/{id}");
    let page = world.page(XIANGTAN, "reviewer", &path).await;
    assert!(page.text.contains("1 件还没有办") && page.text.contains("接着办"), "{}", page.text);
    let go_on = format!("key={id}");
    assert_eq!(world.post(XIANGTAN, "approver", "/office/bulk", &go_on).await.status, 403);
    assert_eq!(world.post(XIANGTAN, "reviewer-elsewhere", "/office/bulk", &go_on).await.status, 404);
    let done = world.post(XIANGTAN, "reviewer", "/office/bulk", &go_on).await;
    assert_eq!(done.location, path, "{done:?}");
    assert_eq!(world.get(XIANGTAN, "reviewer", &path).await.json()["done"], 1);
    assert_eq!(world.get(XIANGTAN, "reviewer", &at(&case)).await.json()["progress"]["phase"], "accepted");
}

#[tokio::test]
async fn a_bulk_takes_only_what_may_be_accepted_by_this_office() {
    let world = World::new().await;
    let case = collected(&world).await;
    let ask = format!("/office/bulk?case={case}");
    assert_eq!(world.get(XIANGTAN, "reviewer", "/office/bulk").await.status, 422);
    assert_eq!(world.get(XIANGTAN, "reviewer", "/office/bulk?case=x").await.status, 404);
    assert_eq!(world.get(XIANGTAN, "reviewer-elsewhere", &ask).await.status, 403);
    assert_eq!(world.get(XIANGTAN, "supervisor", &ask).await.status, 403);
    assert_eq!(world.post(XIANGTAN, "reviewer", "/office/bulk", "").await.status, 422);
    assert_eq!(world.post(XIANGTAN, "approver", "/office/bulk", &format!("case={case}.3")).await.status, 403);
    // Without the state that was seen, and at another office, nothing is accepted.
    for who in ["reviewer", "reviewer-elsewhere"] {
        let done = world.post(XIANGTAN, who, "/office/bulk", &format!("case={case}")).await;
        assert_eq!(world.get(XIANGTAN, who, &done.location).await.json()["refused"], 1, "{done:?}");
    }
    assert_eq!(world.get(XIANGTAN, "reviewer", &at(&case)).await.json()["progress"]["phase"], "received");
    for path in [&ask, "/office?lang=en", "/office?sort=newest&item=121"] {
        assert_eq!(world.page(XIANGTAN, "reviewer", &format!("{path}&lang=en")).await.status, 200, "{path}");
    }
}
