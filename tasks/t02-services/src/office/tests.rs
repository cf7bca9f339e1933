//! Stories of the department, told through the site of the city that decides.

use serde_json::Value;

use crate::tests::world::{CHANGSHA, Got, World, XIANGTAN};
use crate::window::tests::{collected, signature};

const ASK: &str = "command=ask_correction&about1=reason&what1=%E5%8E%9F%E5%9B%A0%E4%B8%8D%E6%B8%85&article1=%E7%AC%AC%E4%B8%89%E5%8D%81%E4%BA%8C%E6%9D%A1";

struct Desk<'a> {
    world: &'a World,
    case: String,
}

impl Desk<'_> {
    async fn see(&self, who: &str) -> Value {
        self.world.get(XIANGTAN, who, &format!("/office/cases/{}", self.case)).await.json()
    }

    async fn act(&self, who: &str, form: &str) -> Got {
        self.world.post(XIANGTAN, who, &format!("/office/cases/{}/act", self.case), form).await
    }

    #[track_caller]
    fn done(&self, got: &Got, word: &str) {
        assert_eq!(got.location, format!("/office/cases/{}?done={word}", self.case), "{got:?}");
    }
}

#[track_caller]
fn codes(got: &Got) -> Vec<String> {
    let page = got.json();
    let errors = page["form"]["errors"].as_array().expect("errors").clone();
    errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
}

#[track_caller]
fn names(got: &Got) -> Vec<String> {
    let page = got.json();
    let errors = page["form"]["errors"].as_array().expect("errors").clone();
    errors.iter().map(|error| error["name"].as_str().unwrap_or("").to_owned()).collect()
}

#[track_caller]
fn words(list: &Value) -> Vec<&str> {
    list.as_array().expect("a list").iter().filter_map(Value::as_str).collect()
}

#[tokio::test]
async fn from_queue_to_delivery() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let queue = world.get(XIANGTAN, "reviewer", "/office").await.json();
    assert_eq!(queue["cases"][0]["id"], desk.case.as_str());
    assert_eq!(queue["counts"]["mine"], 1);
    let page = desk.see("reviewer").await;
    assert_eq!(words(&page["allowed"]), ["accept", "ask_correction", "decline"]);
    let materials = page["materials"].as_array().expect("materials");
    assert_eq!(materials.len(), 3);
    assert!(
        materials.iter().filter(|it| !it["licence"].is_null()).all(|it| it["current"] == true),
        "{materials:?}"
    );
    assert_eq!(words(&page["checks"]).len(), 3);
    assert!(page["points"].as_array().expect("points").iter().any(|point| point["unconfirmed"] == true));

    desk.done(&desk.act("reviewer", ASK).await, "ask_correction");
    let again = desk.act("reviewer", ASK).await;
    assert_eq!((again.status.as_u16(), codes(&again)), (409, vec!["CAS-PHA-001".to_owned()]));
    world.exchange().await;
    let counter = format!("/window/cases/{}", desk.case);
    let waits = world.page(CHANGSHA, "window", &counter).await;
    assert!(waits.text.contains("<b>申请人</b><br>等申请人补正，"), "{}", waits.text);
    assert!(waits.text.contains("type=\"radio\" name=\"answer.reason\""), "{}", waits.text);
    let here = world.page(XIANGTAN, "reviewer", &format!("/office/cases/{}", desk.case)).await;
    assert!(here.text.contains("等待申请人补正，"), "{}", here.text);
    let number = tb_identity::seed::driver().expect("the cast").number;
    assert!(!here.text.contains(number.as_str()), "also a licence that is numbered with it");
    let steps = desk.see("reviewer").await["progress"]["steps"].as_array().expect("steps").clone();
    let dated: Vec<&str> =
        steps.iter().filter(|it| !it["until"].is_null()).filter_map(|it| it["key"].as_str()).collect();
    assert_eq!(dated, ["correction"], "what comes after the answer has no date yet");
    let holder = desk.see("reviewer").await["progress"]["holder"]["place"]["city"].clone();
    assert_eq!(holder, XIANGTAN, "custody stays where it is");
    let unsigned = world.post(CHANGSHA, "window", &format!("{counter}/correction"), "").await;
    assert_eq!(names(&unsigned), ["answer.reason", "signature"]);
    let answer = format!("answer.reason=expiring&{}", signature());
    let sent = world.post(CHANGSHA, "window", &format!("{counter}/correction"), &answer).await;
    assert_eq!(sent.location, format!("{counter}?done=sent"), "{sent:?}");
    world.exchange().await;
    assert_eq!(desk.see("reviewer").await["corrected"]["reason"], "expiring");
    let shown = world.page(XIANGTAN, "reviewer", &format!("/office/cases/{}", desk.case)).await;
    assert!(!shown.text.contains("补正为：expiring"), "an answer is shown in words");

    desk.done(&desk.act("reviewer", "command=accept").await, "accept");
    desk.done(&desk.act("reviewer", "command=opine&agrees=approve&text=ok").await, "opine");
    let page = desk.see("approver").await;
    assert_eq!(words(&page["allowed"]), ["approve", "refuse", "extend", "pause"]);
    desk.done(&desk.act("approver", "command=extend&reason=hearing").await, "extend");
    desk.done(&desk.act("approver", "command=approve").await, "approve");
    let page = desk.see("approver").await;
    assert_eq!(
        (&page["progress"]["phase"], &page["progress"]["result"]["version"]),
        (&Value::from("delivering"), &Value::from(2))
    );
    world.exchange().await;
    let waiting = world.get(CHANGSHA, "window", "/window").await.json();
    assert_eq!(waiting["handovers"][0]["id"], desk.case.as_str());
    let handed = world.post(CHANGSHA, "window", &format!("{counter}/handover"), &signature()).await;
    assert_eq!(handed.location, format!("{counter}?done=sent"), "{handed:?}");
    world.exchange().await;
    assert_eq!(desk.see("reviewer").await["progress"]["phase"], "delivered");
    let over = world.get(XIANGTAN, "reviewer", "/office?state=finished").await.json();
    assert_eq!(over["counts"]["found"], 1);
}

#[tokio::test]
async fn a_refusal_names_ground_article_and_remedies() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    desk.done(&desk.act("reviewer", "command=accept").await, "accept");
    desk.done(&desk.act("reviewer", "command=opine&agrees=refuse&text=no").await, "opine");
    let empty = desk.act("approver", "command=refuse").await;
    assert_eq!((empty.status.as_u16(), names(&empty)), (422, vec!["ground".to_owned(), "facts".to_owned()]));
    let uncertain = desk.act("approver", "command=refuse&ground=assessment-failed&facts=x").await;
    assert_eq!(codes(&uncertain), ["T02-OFF-006"]);
    assert_eq!(uncertain.json()["form"]["values"]["facts"][0], "x");
    desk.done(&desk.act("approver", "command=refuse&ground=conditions-not-met&facts=x").await, "refuse");
    let outcome = desk.see("approver").await["progress"]["outcome"].clone();
    assert_eq!(outcome["reasons"][0]["article"], "行政许可法第三十八条");
    assert_eq!(outcome["remedies"].as_array().map(Vec::len), Some(2));
    world.exchange().await;
    let page = world.get(CHANGSHA, "window", &format!("/window/cases/{}", desk.case)).await.json();
    assert_eq!(page["progress"]["outcome"], outcome);
}

#[tokio::test]
async fn a_refusal_is_shown_printed_and_served_at_the_window() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let counter = format!("/window/cases/{}", desk.case);
    let early = world.get(CHANGSHA, "window", &format!("{counter}/decision")).await;
    assert_eq!(early.status, 404, "nothing was refused yet: {early:?}");
    desk.done(&desk.act("reviewer", "command=accept").await, "accept");
    desk.done(&desk.act("reviewer", "command=opine&agrees=refuse&text=no").await, "opine");
    desk.done(&desk.act("approver", "command=refuse&ground=conditions-not-met&facts=FACTS").await, "refuse");
    world.exchange().await;

    let lies = world.get(CHANGSHA, "window", "/window").await.json();
    assert_eq!(lies["counts"]["handovers"], 1);
    assert_eq!(
        (&lies["handovers"][0]["id"], &lies["handovers"][0]["is_refused"]),
        (&desk.case.clone().into(), &true.into())
    );
    assert!(world.page(CHANGSHA, "window", "/window").await.text.contains("不予许可，待交决定书"));
    let hers = format!("/cases/{}", desk.case);
    for (who, path) in [
        ("window", counter.clone()),
        ("window", format!("{counter}/decision")),
        ("driver", hers.clone()),
        ("driver", format!("{hers}/decision")),
    ] {
        let page = world.page(CHANGSHA, who, &path).await;
        for words in ["FACTS", "行政许可法第三十八条", "行政复议", "行政诉讼"] {
            assert!(page.text.contains(words), "{words} is not in {path}: {}", page.text);
        }
        assert!(!page.text.contains("您现在不用做什么"), "{path}");
    }
    assert!(world.page(CHANGSHA, "driver", &hers).await.text.contains("可以领取决定书"));
    let printed = world.page(CHANGSHA, "window", &format!("{counter}/decision")).await;
    assert!(printed.text.contains("不予许可决定书") && printed.text.contains("本人签收"), "{}", printed.text);
    assert_eq!(world.get(CHANGSHA, "window-elsewhere", &format!("{counter}/decision")).await.status, 403);
    assert_eq!(world.get(CHANGSHA, "local", &format!("{hers}/decision")).await.status, 404);

    let handed = world.post(CHANGSHA, "window", &format!("{counter}/handover"), &signature()).await;
    assert_eq!(handed.location, format!("{counter}?done=sent"), "{handed:?}");
    world.exchange().await;
    assert_eq!(world.get(CHANGSHA, "window", "/window").await.json()["counts"]["handovers"], 0);
    let after = world.page(CHANGSHA, "window", &counter).await;
    assert!(after.text.contains("FACTS"), "a served decision can still be read: {}", after.text);
}

#[tokio::test]
async fn correction_says_everything_that_is_missing() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let empty = desk.act("reviewer", "command=ask_correction").await;
    assert_eq!(codes(&empty), ["T02-OFF-003"]);
    let half =
        desk.act("reviewer", "command=ask_correction&about1=nothing&what2=x&about3=phone&what3=y").await;
    assert_eq!(names(&half), ["about1", "what1", "article1", "about2", "article2", "article3"]);
    assert_eq!(half.json()["form"]["values"]["what2"][0], "x");
    assert_eq!(desk.see("reviewer").await["progress"]["phase"], "received");
}

#[tokio::test]
async fn whoever_acted_first_wins_and_the_other_is_told() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let seq = desk.see("reviewer").await["progress"]["seq"].clone();
    let key = "01kq3zt0000000000000000001";
    let accept = format!("command=accept&seq={seq}&key={key}");
    desk.done(&desk.act("reviewer", &accept).await, "accept");
    // The same press again is the same act.
    desk.done(&desk.act("reviewer", &accept).await, "accept");
    let late = desk.act("reviewer", &format!("command=opine&agrees=approve&text=late&seq={seq}")).await;
    assert_eq!((late.status.as_u16(), codes(&late)), (409, vec!["T02-OFF-010".to_owned()]));
    assert_eq!(late.json()["form"]["values"]["text"][0], "late");
    let page = desk.see("reviewer").await;
    assert!(page["opinion"].is_null());
}

#[tokio::test]
async fn others_may_not_act_and_a_supervisor_only_reads() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let path = format!("/office/cases/{}", desk.case);
    assert_eq!(world.get(XIANGTAN, "reviewer-elsewhere", &path).await.status, 403);
    assert_eq!(world.get(CHANGSHA, "reviewer-changsha", &path).await.status, 403);
    assert_eq!(world.get(CHANGSHA, "window", "/office").await.status, 403);
    assert_eq!(world.get(XIANGTAN, "", "/office").await.status, 401);
    assert_eq!(desk.act("reviewer-elsewhere", "command=accept").await.status, 403);
    assert_eq!(desk.act("approver", "command=accept").await.status, 403);
    assert_eq!(desk.act("supervisor", "command=accept").await.status, 403);
    assert_eq!(desk.act("reviewer", "command=explode").await.status, 422);
    let seen = desk.see("supervisor").await;
    assert_eq!((&seen["read_only"], words(&seen["allowed"]).len()), (&Value::from(true), 0));
    assert!(seen["answers"].as_array().expect("answers").is_empty(), "a supervisor sees no personal data");
    let queue = world.get(XIANGTAN, "supervisor", "/office").await.json();
    assert_eq!(queue["counts"]["all"], 1);
    assert_eq!(queue["office"], "430300-transport");
}

#[tokio::test]
async fn whoever_examined_does_not_decide() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    desk.done(&desk.act("reviewer", "command=accept").await, "accept");
    desk.done(&desk.act("reviewer", "command=opine&agrees=approve&text=ok").await, "opine");
    let wrong = desk.act("reviewer", "command=approve").await;
    assert_eq!(wrong.status, 403);
    // The same person promoted to approver is still the one who examined.
    let promoted = desk.act("reviewer-promoted", "command=approve").await;
    assert_eq!((promoted.status.as_u16(), codes(&promoted)), (403, vec!["CAS-WHO-003".to_owned()]));
    let page = desk.see("reviewer-promoted").await;
    assert_eq!((&page["recused"], words(&page["allowed"]).contains(&"approve")), (&Value::from(true), false));
    let shown = world.page(XIANGTAN, "reviewer-promoted", &format!("/office/cases/{}", desk.case)).await;
    assert!(shown.text.contains("不能由您决定"));
}

#[tokio::test]
async fn queue_is_filtered_in_the_address_and_exported() {
    let world = World::new().await;
    let case = collected(&world).await;
    let queue = world.get(XIANGTAN, "reviewer", "/office").await.json();
    let code = queue["cases"][0]["query_code"].as_str().expect("a code").to_owned();
    for (query, found) in [
        ("state=received", 1),
        ("state=accepted", 0),
        ("due=late", 0),
        ("who=mine", 1),
        ("q=121", 1),
        ("q=zzz", 0),
        (&format!("q={code}"), 1),
    ] {
        let page = world.get(XIANGTAN, "reviewer", &format!("/office?{query}")).await.json();
        assert_eq!(page["counts"]["found"], found, "{query}");
    }
    assert_eq!(world.get(XIANGTAN, "approver", "/office?who=mine").await.json()["counts"]["found"], 0);
    let empty = world.page(XIANGTAN, "reviewer", "/office?q=zzz").await;
    assert!(empty.text.contains("没有符合条件的件"));
    let csv = world.page(XIANGTAN, "reviewer", "/office?export=csv").await;
    assert!(csv.text.contains(&code) && !csv.text.contains(&case));
    let excel = world.page(XIANGTAN, "reviewer", "/office?export=xlsx").await;
    assert!(excel.text.starts_with("PK") && excel.text.contains(&format!(">{code}</t>")));
    world.pass_seconds(60 * 86_400);
    let late = world.get(XIANGTAN, "reviewer", "/office?due=late").await.json();
    assert_eq!(late["counts"]["late"], 1);
}

#[tokio::test]
async fn pages_are_shown_in_both_languages_with_each_form() {
    let world = World::new().await;
    let desk = Desk { world: &world, case: collected(&world).await };
    let shown = async |who: &str, acts: &[&str]| {
        for act in acts {
            for lang in ["zh", "en"] {
                let path = format!("/office/cases/{}?do={act}&lang={lang}", desk.case);
                let page = world.page(XIANGTAN, who, &path).await;
                assert_eq!(page.status, 200, "{path}");
                assert!(page.text.contains(&format!("value=\"{act}\"")) || act.is_empty(), "{path}");
            }
        }
    };
    shown("reviewer", &["", "accept", "ask_correction", "decline"]).await;
    desk.done(&desk.act("reviewer", "command=accept").await, "accept");
    shown("reviewer", &["opine", "pause"]).await;
    desk.done(&desk.act("reviewer", "command=opine&agrees=approve&text=ok").await, "opine");
    shown("approver", &["approve", "refuse", "extend", "pause"]).await;
    desk.done(&desk.act("approver", "command=pause&kind=hearing&notice=x&estimate_days=5").await, "pause");
    shown("approver", &["resume"]).await;
    assert_eq!(world.page(XIANGTAN, "approver", "/office?lang=en").await.status, 200);
}
