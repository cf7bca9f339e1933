//! Stories of the applicant, told through the sites of three cities: every body crosses as it would on the wire.

mod acting;
pub(crate) mod world;

use serde_json::Value;
use tb_base::{Actor, CaseId, MessageId, Role, StaffId};
use tb_case::case::{Agreement, CorrectionLine, Proof};
use tb_case::command::{Command, Decision, GroundFacts};
use tb_case::definitions::DeliveryMode;
use world::{CHANGSHA, Got, World, XIANGTAN, node};

const FORM: &str = "reason=expiring&phone=13800990000&delivery=collecting_window&truth=yes&action=next";

/// The driver begins in Changsha for Xiangtan; the address of the draft.
async fn begun(world: &World) -> String {
    let made = world.post(CHANGSHA, "driver", "/items/121/apply", "deciding=430300").await;
    assert_eq!(made.status, 303, "{made:?}");
    made.location
}

/// A draft that is filled in, agreed and fetched.
async fn fetched(world: &World) -> String {
    let draft = begun(world).await;
    let sent = world.post(CHANGSHA, "driver", &draft, FORM).await;
    assert_eq!(sent.location, format!("{draft}/consent"), "{sent:?}");
    let agreed = world.post(CHANGSHA, "driver", &format!("{draft}/consent"), "answer=confirm").await;
    assert_eq!(agreed.location, format!("{draft}/check"), "{agreed:?}");
    draft
}

/// Hands the draft in; the address of the case.
async fn filed(world: &World) -> String {
    let draft = fetched(world).await;
    let check = world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.json();
    let command = check["command"].as_str().expect("a command");
    let sent =
        world.post(CHANGSHA, "driver", &format!("{draft}/submit"), &format!("command={command}")).await;
    assert!(sent.location.starts_with("/cases/"), "{sent:?}");
    sent.location
}

async fn progress(world: &World, city: &str, case: &str) -> Value {
    world.get(city, "driver", case).await.json()
}

/// A faulty city may offer her case with somebody else's licence: it is not taken for hers.
#[tokio::test]
async fn a_licence_of_somebody_else_renews_nothing() {
    let world = World::new().await;
    let city = &world.cities[&node(XIANGTAN)];
    let (ctx, is_current) = (world.ctx(node(XIANGTAN), Actor::System), city.env.is_current.clone());
    let number = tb_identity::seed::driver().expect("the cast").number;
    let vault = city.env.vault.clone();
    let found = city.store.read("t02.test", move |tx| {
        let driver = tb_identity::people::by_number(tx, &vault, &number)?.expect("the driver").id;
        let stranger = ctx.id(tb_base::PersonId::new);
        let licences = tb_licence::store::of_holder(tx, driver)?;
        let licence = licences.iter().find(|it| it.type_id == "road_transport_qualification").expect("hers");
        let named = tb_case::case::LicenceRef {
            material: "old-certificate".to_owned(),
            kind: licence.type_id.clone(),
            licence: licence.id,
            version: u32::from(licence.version),
            digest: tb_crypto::text::hex(&licence.digest),
            issuer: ctx.node,
            consent: String::new(),
        };
        let older = tb_case::case::LicenceRef { version: named.version + 1, ..named.clone() };
        Ok([
            is_current(tx, &ctx, driver, &named)?,
            is_current(tx, &ctx, stranger, &named)?,
            is_current(tx, &ctx, driver, &older)?,
        ])
    });
    assert_eq!(found.await.expect("read"), [true, false, false]);
}

#[tokio::test]
async fn what_a_register_says_wrongly_is_noted_and_shown_to_the_officer() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let at = format!("{draft}/dispute");
    let say = async |form: &str| world.post(CHANGSHA, "driver", &at, form).await;
    let asked =
        world.page(CHANGSHA, "driver", &format!("{draft}/check?wrong=old-certificate.category")).await;
    assert!(asked.text.contains("id=\"wrong\"") && asked.text.contains("记下，随申请提交"), "{}", asked.text);
    let own = world.page(CHANGSHA, "driver", &format!("{draft}/check?wrong=phone")).await;
    assert!(!own.text.contains("id=\"wrong\""), "her own answer she changes herself");

    assert_eq!(codes(&say("field=old-certificate.category&text=").await), ["WEB-FIELD-001"]);
    assert_eq!(codes(&say("field=phone&text=x").await), ["CAS-DSP-001"]);
    for (form, disputed) in [
        ("field=old-certificate.category&text=B2", 1),
        ("field=old-certificate.category&do=clear", 0),
        ("field=old-certificate.category&text=A2", 1),
        ("field=person.name&text=X", 2),
    ] {
        assert_eq!(say(form).await.location, format!("{draft}/check?done=noted"), "{form}");
        let check = world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.json();
        assert_eq!(check["disputes"].as_object().map(serde_json::Map::len), Some(disputed), "{form}");
    }
    let shown = world.page(CHANGSHA, "driver", &format!("{draft}/check?done=noted")).await;
    assert!(shown.text.contains("您说不对：A2"), "{}", shown.text);
    assert_eq!(world.post(CHANGSHA, "walkin", &at, "field=person.name&text=Y").await.status, 404);

    let command = world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.json()["command"].clone();
    let form = format!("command={}", command.as_str().expect("a command"));
    let case = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), &form).await.location;
    world.exchange().await;
    let desk = format!("/office{case}");
    let seen = world.get(XIANGTAN, "reviewer", &desk).await.json();
    assert_eq!(seen["disputes"]["old-certificate.category"], "A2");
    let page = world.page(XIANGTAN, "reviewer", &desk).await;
    assert!(
        page.text.contains("申请人说不对：A2") && page.text.contains("申请人说登记不对"),
        "{}",
        page.text
    );
}

/// An officer of Xiangtan acts on a case.
async fn officer(world: &World, role: Role, case: &str, command: Command) {
    staff(world, (XIANGTAN, "430300-transport", role), case, command).await;
}

/// A member of staff acts on a case, and what follows is delivered.
async fn staff(world: &World, (city, office, role): (&str, &str, Role), case: &str, command: Command) {
    let case: CaseId = case.trim_start_matches("/cases/").parse().expect("an id");
    let system = world.ctx(node(city), Actor::System);
    let office = office.parse().expect("an office");
    let ctx = system.acting(Actor::Staff { staff: system.id(StaffId::new), role, office });
    let (id, env) = (system.id(MessageId::new), world.cities[&node(city)].env.clone());
    world.write(city, move |tx| tb_case::act(tx, &ctx, &env, case, command.clone(), id)).await;
    world.exchange().await;
}

#[track_caller]
fn codes(got: &Got) -> Vec<String> {
    let page = got.json();
    let errors = page["errors"].as_array().or(page["form"]["errors"].as_array()).expect("errors").clone();
    errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
}

#[tokio::test]
async fn search_finds_by_name_and_department_and_says_what_can_be_done() {
    let world = World::new().await;
    let all = world.get(CHANGSHA, "", "/items").await.json();
    assert_eq!(all["count"], 151);
    let found = world
        .get(CHANGSHA, "", "/items?q=%E4%BB%8E%E4%B8%9A%E8%B5%84%E6%A0%BC%20%E4%BA%A4%E9%80%9A")
        .await
        .json();
    let items = found["items"].as_array().expect("items");
    assert!(2 <= items.len() && items.len() < 10, "{items:?}");
    let renewal = items.iter().find(|item| item["no"] == 121).expect("item 121");
    assert_eq!(renewal["can_apply"], true);
    assert!(items.iter().filter(|item| item["no"] != 121).all(|item| item["can_apply"] == false));
    let nothing = world.page(CHANGSHA, "", "/items?q=qqqq").await;
    assert!(nothing.text.contains("没有找到"));
    let code = world.page(CHANGSHA, "", "/items?q=ab12+cd34").await;
    assert!(code.text.contains("/sign-in?next=%2Fitems%3Fq%3Dab12cd34"), "{}", code.text);
    let unknown = world.page(CHANGSHA, "driver", "/items?q=ab12cd34").await;
    assert!(unknown.text.contains("没有这个查询码的办件"), "{}", unknown.text);
    let online = world.get(CHANGSHA, "", "/items?only=online").await.json();
    assert_eq!(online["count"], 1);
}

#[tokio::test]
async fn guide_is_made_from_the_definition() {
    let world = World::new().await;
    let guide = world.get(CHANGSHA, "driver", "/items/121").await.json();
    assert_eq!(guide["item"]["no"], 121);
    assert_eq!(guide["can_apply"], true);
    assert_eq!(guide["deciding"], XIANGTAN, "prefilled with where she is registered");
    assert_eq!(guide["promised"][XIANGTAN], "5 个工作日");
    assert_eq!(guide["promised"][CHANGSHA], "8 个工作日");
    let page = world.page(CHANGSHA, "", "/items/121").await;
    assert!(page.text.contains("不用带") && page.text.contains("行政复议"), "{}", page.text);
    assert!(!page.text.contains("待核实"), "only officers read it");
    assert!(world.page(CHANGSHA, "window", "/items/121").await.text.contains("待核实"));
    let english = world.page(CHANGSHA, "", "/items/5?lang=en").await;
    let both =
        ["<span lang=\"en\">Renewal of a resident identity card</span>", "lang=\"zh-CN\">居民身份证换领<"];
    assert!(both.iter().all(|name| english.text.contains(name)), "{}", english.text);
    assert_eq!(world.get(CHANGSHA, "", "/items/5").await.json()["can_apply"], false);
    assert_eq!(world.get(CHANGSHA, "", "/items/999").await.status, 404);
    let refused = world.post(CHANGSHA, "driver", "/items/5/apply", "deciding=430300").await;
    assert_eq!(refused.status, 409, "{refused:?}");
}

#[tokio::test]
async fn form_says_every_mistake_and_keeps_what_was_typed() {
    let world = World::new().await;
    let draft = begun(&world).await;
    let page = world.get(CHANGSHA, "driver", &format!("{draft}?page=renewal")).await.json();
    assert_eq!(page["draft"]["deciding"], XIANGTAN);
    assert!(page["fields"]["phone"].as_str().expect("prefilled").len() == 11, "{page}");
    let wrong = world
        .post(CHANGSHA, "driver", &draft, "page=renewal&reason=changed&phone=1380099000&action=next")
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(codes(&wrong), ["CAS-FRM-003", "CAS-FRM-007"]);
    assert_eq!(wrong.json()["fields"]["phone"], "1380099000");
    let html = world
        .post_page(CHANGSHA, "driver", &draft, "page=renewal&reason=changed&phone=1380099000&action=next")
        .await;
    assert!(html.text.contains("value=\"1380099000\"") && html.text.contains("少一位"), "{}", html.text);

    let saved = world
        .post(CHANGSHA, "driver", &draft, "page=renewal&reason=changed&phone=1380099000&action=save")
        .await;
    assert_eq!(saved.location, "/cases?done=saved", "half an answer can be kept");
    let list = world.get(CHANGSHA, "driver", "/cases").await.json();
    assert_eq!(list["drafts"].as_array().expect("drafts").len(), 1);
    let kept = world.get(CHANGSHA, "driver", &format!("{draft}?page=renewal")).await.json();
    assert_eq!(kept["fields"]["phone"], "1380099000");

    let next = world
        .post(CHANGSHA, "driver", &draft, "page=renewal&reason=damaged&phone=138+0099+0001&action=next")
        .await;
    assert_eq!(next.location, format!("{draft}?page=delivery"));
    let old = "page=delivery&delivery=post&recipient=周晓梅&address=长沙市雨花区一号&version=1&action=next";
    let stale = world.post(CHANGSHA, "driver", &draft, old).await;
    assert_eq!(codes(&stale), ["CAS-DRA-002"]);
    assert_eq!(stale.json()["fields"]["recipient"], "周晓梅");
    let discarded = world.post(CHANGSHA, "driver", &format!("{draft}/discard"), "").await;
    assert_eq!(discarded.location, "/cases?done=discarded");
    assert_eq!(world.get(CHANGSHA, "driver", &draft).await.status, 404);
}

#[tokio::test]
async fn nothing_is_fetched_without_consent() {
    let world = World::new().await;
    let draft = begun(&world).await;
    world.post(CHANGSHA, "driver", &draft, FORM).await;
    let consent = format!("{draft}/consent");
    let page = world.get(CHANGSHA, "driver", &consent).await.json();
    assert_eq!(page["consent"]["state"], "none");
    let asked = page["asked"].as_array().expect("asked");
    assert_eq!(asked.len(), 2);
    assert!(
        asked.iter().all(|it| it["city"] == XIANGTAN && !it["fields"].as_array().expect("fields").is_empty())
    );
    assert_eq!(world.post(CHANGSHA, "driver", &consent, "answer=perhaps").await.status, 422);
    let refused = world.post(CHANGSHA, "driver", &consent, "answer=refuse").await;
    assert_eq!(refused.location, consent);
    let page = world.get(CHANGSHA, "driver", &consent).await.json();
    assert_eq!(page["consent"]["state"], "refused");
    assert_eq!(page["fetched"].as_array().map(Vec::len), Some(0));
    let submit = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), "").await;
    assert_eq!(submit.status, 422, "{submit:?}");
    let low = world.post(CHANGSHA, "driver-unproven", &consent, "answer=confirm").await;
    assert_eq!(low.status, 403, "level 2 may not consent: {low:?}");
}

#[tokio::test]
async fn city_that_is_down_loses_nothing() {
    let world = World::new().await;
    let draft = begun(&world).await;
    world.post(CHANGSHA, "driver", &draft, FORM).await;
    let consent = format!("{draft}/consent");
    world.cut(XIANGTAN);
    let down = world.post(CHANGSHA, "driver", &consent, "answer=confirm").await;
    assert_eq!(down.status, 409);
    assert_eq!(down.json()["problems"][0]["city"], XIANGTAN);
    assert_eq!(down.json()["problems"][0]["unavailable"], true);
    let html = world.post_page(CHANGSHA, "driver", &consent, "answer=confirm").await;
    assert!(html.text.contains("现在没有应答") && html.text.contains("再试一次"), "{}", html.text);
    assert_eq!(html.text.matches("没有应答").count(), 1, "it is said once: {}", html.text);
    world.mend(XIANGTAN);
    let again = world.post(CHANGSHA, "driver", &consent, "answer=confirm").await;
    assert_eq!(again.location, format!("{draft}/check"));
    let check = world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.json();
    assert_eq!(check["missing"].as_array().map(Vec::len), Some(0), "{check}");
    let answers = check["answers"].as_array().expect("answers");
    let category = answers.iter().find(|it| it["id"] == "old-certificate.category").expect("a fetched value");
    assert!(category["source"].as_str().expect("a source").contains("湘潭"));
}

#[tokio::test]
async fn case_waits_for_a_city_that_is_down_and_goes_on_by_itself() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    world.cut(XIANGTAN);
    let sent = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), "").await;
    assert!(sent.location.starts_with("/cases/"), "{sent:?}");
    world.exchange().await;
    world.pass_seconds(60);
    let waits = progress(&world, CHANGSHA, &sent.location).await;
    assert_eq!(
        (waits["progress"]["phase"].as_str(), waits["stuck"]["city"].as_str()),
        (Some("offered"), Some(XIANGTAN))
    );
    assert!(world.page(CHANGSHA, "driver", &sent.location).await.text.contains("您什么也不用做"));
    world.mend(XIANGTAN);
    world.exchange().await;
    let goes_on = progress(&world, CHANGSHA, &sent.location).await;
    assert_eq!((goes_on["progress"]["phase"].as_str(), goes_on["stuck"].is_null()), (Some("received"), true));
}

#[tokio::test]
async fn same_command_hands_in_once() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let check = world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.json();
    let form = format!("command={}", check["command"].as_str().expect("a command"));
    let first = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), &form).await;
    let second = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), &form).await;
    assert_eq!(first.location, second.location);
    assert!(first.location.starts_with("/cases/"));
    let list = world.get(CHANGSHA, "driver", "/cases").await.json();
    assert_eq!((list["count"].clone(), list["drafts"].as_array().map(Vec::len)), (1.into(), Some(0)));
    let page = world.page(CHANGSHA, "driver", &first.location).await;
    assert!(page.text.contains("已提交") && page.text.contains("法定最晚"), "{}", page.text);
    assert!(
        page.text.contains("我的长沙（网上）"),
        "what is filed online was collected at no window: {}",
        page.text
    );
    let receipt = world.page(CHANGSHA, "driver", &format!("{}/receipt", first.location)).await;
    assert!(receipt.text.contains("class=\"qr\"") && receipt.text.contains("收件回执"), "{}", receipt.text);
}

#[tokio::test]
async fn a_second_case_of_the_same_item_is_told_and_not_barred() {
    let world = World::new().await;
    let before = world.get(CHANGSHA, "driver", "/items/121").await.json();
    assert_eq!(before["open"].as_array().map(Vec::len), Some(0));
    let case = filed(&world).await;
    for path in ["/items/121".to_owned(), format!("{}/check", fetched(&world).await)] {
        let page = world.page(CHANGSHA, "driver", &path).await;
        let link = format!("href=\"{case}\"");
        assert!(page.text.contains("您已有一件在办") && page.text.contains(&link), "{path}: {}", page.text);
    }
    let other = world.page(CHANGSHA, "local", "/items/121").await;
    assert!(!other.text.contains("您已有一件在办"), "somebody else's case is nobody's business");
    assert_ne!(filed(&world).await, case, "a second one may be filed");
    world.exchange().await;
    world.post(CHANGSHA, "driver", &format!("{case}/withdraw"), "").await;
    world.exchange().await;
    let left = world.get(CHANGSHA, "driver", "/items/121").await.json();
    assert_eq!(left["open"].as_array().map(Vec::len), Some(1), "what is over is not told");
}

#[tokio::test]
async fn others_cannot_see_a_case_or_a_draft() {
    let world = World::new().await;
    let draft = begun(&world).await;
    assert_eq!(world.get(CHANGSHA, "local", &draft).await.status, 404);
    assert_eq!(world.post(CHANGSHA, "local", &format!("{draft}/discard"), "").await.status, 404);
    let case = filed(&world).await;
    assert_eq!(world.get(CHANGSHA, "local", &case).await.status, 404);
    assert_eq!(world.post(CHANGSHA, "local", &format!("{case}/withdraw"), "").await.status, 404);
    assert_eq!(world.get(CHANGSHA, "local", &format!("{case}/receipt")).await.status, 404);
    assert_eq!(world.get(CHANGSHA, "", &case).await.status, 401);
    assert_eq!(world.get(CHANGSHA, "window", &case).await.status, 403);
    assert_eq!(world.get(CHANGSHA, "local", "/cases/nonsense").await.status, 404);
}

/// Xiangtan asks for another phone; what is missing or wrong in the answer is said, and the page waits for her.
async fn ask_for_her_phone(world: &World, case: &str) {
    let line = CorrectionLine {
        about: "phone".into(),
        what: "号码打不通".into(),
        article: "行政许可法第三十二条".into(),
    };
    officer(world, Role::Reviewer, case, Command::AskCorrection { lines: vec![line] }).await;
    let correction = format!("{case}/correction");
    for (answer, code) in [("", "WEB-FIELD-001"), ("138009900", "CAS-FRM-007")] {
        let sent = world.post(CHANGSHA, "driver", &correction, &format!("answer.phone={answer}")).await;
        assert_eq!((sent.status.as_u16(), codes(&sent)), (422, vec![code.to_owned()]));
    }
    let page = world.page(CHANGSHA, "driver", case).await.text;
    assert!(page.contains("号码打不通") && page.contains("<b>您</b><br>等您补正，"), "{page}");
    let field = page.split("name=\"answer.phone\"").nth(1).expect("a field");
    assert!(field.trim_start().starts_with("type=\"tel\""), "{field}");
}

#[tokio::test]
async fn approved_after_a_correction_and_rated_from_the_other_city() {
    let world = World::new().await;
    let case = filed(&world).await;
    assert_eq!(progress(&world, CHANGSHA, &case).await["progress"]["phase"], "offered");
    world.exchange().await;
    let (here, there) = (progress(&world, CHANGSHA, &case).await, progress(&world, XIANGTAN, &case).await);
    assert_eq!(here["progress"], there["progress"]);
    assert_eq!(here["due"], there["due"]);
    assert_eq!(here["progress"]["phase"], "received");
    assert!(!here["due"]["legal"]["days"].as_array().expect("days").is_empty());

    ask_for_her_phone(&world, &case).await;
    let correction = format!("{case}/correction");
    let sent = world.post(CHANGSHA, "driver", &correction, "answer.phone=13800990001").await;
    assert_eq!(sent.location, format!("{case}?done=sent"));
    let waits = progress(&world, CHANGSHA, &case).await;
    assert_eq!(waits["pending_acts"][0]["status"], "sent");
    let html = world.page(CHANGSHA, "driver", &case).await;
    assert!(html.text.contains("已发出，等湘潭确认"), "{}", html.text);
    world.exchange().await;
    let answered = progress(&world, CHANGSHA, &case).await;
    assert_eq!(
        (answered["progress"]["phase"].as_str(), answered["pending_acts"].as_array().map(Vec::len)),
        (Some("received"), Some(0))
    );

    officer(&world, Role::Reviewer, &case, Command::Accept).await;
    officer(
        &world,
        Role::Reviewer,
        &case,
        Command::Opine { agrees: Agreement::Approve, text: "符合".into() },
    )
    .await;
    officer(&world, Role::Approver, &case, Command::Decide { decision: Decision::Approve }).await;
    officer(&world, Role::Approver, &case, Command::IssueResult { result: None }).await;
    let ready = progress(&world, CHANGSHA, &case).await;
    assert_eq!(ready["progress"]["phase"], "delivering", "{ready}");
    assert_eq!(ready["progress"]["result"]["version"], 2);
    let page = world.page(CHANGSHA, "driver", &case).await.text;
    assert!(page.contains("/licences/430300/") && page.contains("请带身份证到"), "{page}");
    assert!(!page.contains("您现在不用做什么"), "{page}");
    let messages = world.get(CHANGSHA, "driver", "/messages").await.json();
    assert!(5 <= messages["unread"].as_i64().expect("a count"), "{messages}");
    assert_eq!(world.post(CHANGSHA, "driver", "/messages/read", "").await.location, "/messages");
    assert_eq!(world.get(CHANGSHA, "driver", "/messages").await.json()["unread"], 0);

    let proof = Proof { mode: DeliveryMode::CollectingWindow, reference: "签收 0001".into() };
    staff(&world, (CHANGSHA, "430100-hall-1", Role::Window), &case, Command::Deliver { proof }).await;
    let page = world.page(CHANGSHA, "driver", &case).await;
    assert!(
        page.text.contains("rate?target=window") && page.text.contains("rate?target=department"),
        "{}",
        page.text
    );
    for (target, grade) in [("window", 5), ("department", 4)] {
        let form = format!("target={target}&grade={grade}&text=很快");
        let rated = world.post(CHANGSHA, "driver", &format!("{case}/rate"), &form).await;
        assert_eq!(rated.location, format!("{case}?done=sent"), "{rated:?}");
    }
    world.exchange().await;
    let closed = progress(&world, XIANGTAN, &case).await;
    assert_eq!(closed["progress"]["ratings"].as_array().map(Vec::len), Some(2), "{closed}");
    let page = world.page(CHANGSHA, "driver", &case).await;
    assert!(page.text.contains("非常满意") && !page.text.contains("rate?target"), "{}", page.text);
}

#[tokio::test]
async fn refused_with_reasons_and_remedies_then_rated() {
    let world = World::new().await;
    let case = filed(&world).await;
    world.exchange().await;
    officer(&world, Role::Reviewer, &case, Command::Accept).await;
    officer(
        &world,
        Role::Reviewer,
        &case,
        Command::Opine { agrees: Agreement::Refuse, text: "不符合".into() },
    )
    .await;
    let grounds =
        vec![GroundFacts { ground: "conditions-not-met".into(), facts: "原证已被撤销".into() }];
    officer(&world, Role::Approver, &case, Command::Decide { decision: Decision::Refuse { grounds } }).await;
    let page = world.page(CHANGSHA, "driver", &case).await;
    for words in ["不予许可", "原证已被撤销", "行政许可法第三十八条", "行政复议", "行政诉讼"]
    {
        assert!(page.text.contains(words), "{words} is not in {}", page.text);
    }
    let none = world.post(CHANGSHA, "driver", &format!("{case}/rate"), "target=window&grade=9").await;
    assert_eq!(none.status, 422, "{none:?}");
}

#[tokio::test]
async fn returned_case_begins_again_with_what_was_typed() {
    let world = World::new().await;
    let case = filed(&world).await;
    let (ctx, env) = (world.ctx(node(XIANGTAN), Actor::System), world.cities[&node(XIANGTAN)].env.clone());
    let suspend = move |tx: &mut tb_store::Tx<'_>| {
        let number = tb_identity::seed::driver()?.number;
        let driver = tb_identity::people::by_number(tx, &env.vault, &number)?.expect("she is registered");
        let held = tb_licence::store::of_holder(tx, driver.id)?;
        let held =
            held.into_iter().find(|it| it.type_id == "road_transport_qualification").expect("her licence");
        tb_licence::store::suspend(tx, &ctx, held.id, "暂扣").map(drop)
    };
    world.write(XIANGTAN, suspend).await;
    world.exchange().await;
    let page = world.page(CHANGSHA, "driver", &case).await;
    assert!(page.text.contains("已退回") && page.text.contains("带着填过的内容重新提交"), "{}", page.text);
    let begun = world.post(CHANGSHA, "driver", &format!("{case}/again"), "").await;
    let draft = world.get(CHANGSHA, "driver", &begun.location).await.json();
    assert_eq!(draft["fields"]["phone"], "13800990000", "{draft}");
    let agreed =
        world.post(CHANGSHA, "driver", &format!("{}/consent", begun.location), "answer=confirm").await;
    assert_eq!(agreed.json()["problems"][0]["refusal"]["code"], "T02-FCH-003", "{agreed:?}");
    let twice = world.post(CHANGSHA, "local", &format!("{case}/again"), "").await;
    assert_eq!(twice.status, 404);
}

#[tokio::test]
async fn withdrawn_from_the_city_that_decides() {
    let world = World::new().await;
    let case = filed(&world).await;
    world.exchange().await;
    let question = world.page(XIANGTAN, "driver", &format!("{case}/withdraw")).await;
    assert!(question.text.contains("撤回这件申请？"), "{}", question.text);
    let done = world.post(XIANGTAN, "driver", &format!("{case}/withdraw"), "").await;
    assert_eq!(done.location, format!("{case}?done=applied"));
    world.exchange().await;
    assert_eq!(progress(&world, CHANGSHA, &case).await["progress"]["phase"], "withdrawn");
    let again = world.get(CHANGSHA, "driver", &format!("{case}/withdraw")).await;
    assert_eq!(again.status, 409);
}

/// Whether each consent of a case has ended, as the city knows that asked for it.
async fn ended(world: &World, case: &str) -> Vec<bool> {
    let case: CaseId = case.trim_start_matches("/cases/").parse().expect("an id");
    let read = move |tx: &mut tb_store::Tx<'_>| tb_licence::consent::of_case(tx, case);
    let consents = world.write(CHANGSHA, read).await;
    consents.iter().map(|consent| consent.ended_at.is_some()).collect()
}

/// In the transaction that ends the case there, and in the one that hears of it here: no job has run.
#[tokio::test]
async fn a_consent_ends_when_its_case_is_over_wherever_it_is_decided() {
    let world = World::new().await;
    let (case, other) = (filed(&world).await, filed(&world).await);
    world.exchange().await;
    assert_eq!(ended(&world, &case).await, [false], "it stands while the case goes on");
    world.post(XIANGTAN, "driver", &format!("{case}/withdraw"), "").await;
    world.exchange().await;
    assert_eq!(ended(&world, &case).await, [true]);
    assert_eq!(ended(&world, &other).await, [false], "that of another case stands");
}

#[tokio::test]
async fn every_page_speaks_both_languages_and_both_sizes() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let case = filed(&world).await;
    world.exchange().await;
    let paths = [
        "/".to_owned(),
        "/items".to_owned(),
        "/items/121".to_owned(),
        "/items/5".to_owned(),
        draft.clone(),
        format!("{draft}/consent"),
        format!("{draft}/check?wrong=person.name"),
        format!("{draft}/discard"),
        "/cases".to_owned(),
        case.clone(),
        format!("{case}/receipt"),
        format!("{case}/withdraw"),
        format!("{case}/rate?target=window"),
        "/messages".to_owned(),
    ];
    for path in &paths {
        for query in ["lang=en", "lang=zh", "view=elder"] {
            let join = if path.contains('?') { '&' } else { '?' };
            let page = world.page(CHANGSHA, "driver", &format!("{path}{join}{query}")).await;
            assert_eq!(page.status, 200, "{path} {query}: {}", page.text);
            assert!(page.text.contains("<h1"), "{path} has no heading");
            assert!(page.text.len() < 100_000, "{path} has {} bytes", page.text.len());
        }
    }
    assert_eq!(world.get(CHANGSHA, "window", "/").await.location, "/window");
    assert_eq!(world.get(XIANGTAN, "supervisor", "/").await.location, "/supervise");
}

/// A situation leads through its items; what cannot be handed in yet is said.
#[tokio::test]
async fn a_situation_leads_through_its_items_in_order() {
    let world = World::new().await;
    let home = world.page(CHANGSHA, "", "/").await;
    assert!(home.text.contains("href=\"/situations/drive\"") && home.text.contains("href=\"/situations\""));
    let drive = world.get(CHANGSHA, "", "/situations/drive").await.json();
    assert_eq!((drive["can_apply"].as_i64(), drive["first"]["no"].as_i64()), (Some(1), Some(121)));
    let papers: Vec<&str> =
        drive["papers"].as_array().expect("papers").iter().filter_map(|it| it["name"].as_str()).collect();
    assert_eq!(papers, ["居民身份证", "机动车驾驶证", "机动车行驶证", "体检证明"]);
    let child = world.page(CHANGSHA, "", "/situations/child?lang=en").await;
    assert!(child.text.contains("None of these 5 items can be handed in here yet"), "{}", child.text);
    let all = world.get(CHANGSHA, "", "/situations").await.json();
    for situation in all["situations"].as_array().expect("situations") {
        let id = situation["id"].as_str().expect("an id");
        assert_eq!(world.page(CHANGSHA, "", &format!("/situations/{id}")).await.status, 200, "{id}");
    }
    assert_eq!(world.get(CHANGSHA, "", "/situations/none").await.status, 404);
}

/// A department narrows what was found, and what was nearly typed is said to be near.
#[tokio::test]
async fn what_is_found_is_narrowed_by_department_and_said_to_be_a_guess() {
    let world = World::new().await;
    let police = world.get(CHANGSHA, "", "/items?dept=police").await.json();
    assert_eq!(police["count"], 28);
    let tax = world.get(CHANGSHA, "", "/items?q=gongjijin&dept=tax").await;
    assert_eq!(tax.json()["count"], 0);
    assert!(world.page(CHANGSHA, "", "/items?q=gongjijin&dept=tax").await.text.contains("这样筛选后没有了"));
    let guess = world.page(CHANGSHA, "", "/items?q=gongjijn").await;
    assert!(guess.text.contains("读音或写法相近") && guess.text.contains("公积金"), "{}", guess.text);
    let page = world.page(CHANGSHA, "", "/items?q=gjj&lang=en").await;
    assert!(
        page.text.contains("Housing fund account") && page.text.contains("Housing fund (11)"),
        "{}",
        page.text
    );
}

/// Her list is narrowed by what is typed and by state; her messages stand case by case.
#[tokio::test]
async fn her_cases_and_messages_are_narrowed_and_grouped() {
    let world = World::new().await;
    let case = filed(&world).await;
    world.exchange().await;
    let count = async |query: &str| world.get(CHANGSHA, "driver", &format!("/cases{query}")).await.json();
    let code = count("").await["cases"][0]["query_code"].as_str().expect("a code").replace(' ', "");
    for (query, found) in [
        ("", 1),
        ("?q=cyzgz", 1),
        ("?q=huzhao", 0),
        ("?state=open", 1),
        ("?state=mine", 0),
        ("?state=over", 0),
        ("?q=%25", 0),
    ] {
        assert_eq!(count(query).await["count"], found, "{query}");
    }
    assert_eq!(count(&format!("?q={}", &code[..5])).await["count"], 1, "a part of the code");
    let nothing = world.page(CHANGSHA, "driver", "/cases?state=over").await;
    assert!(nothing.text.contains("没有符合的办件"), "{}", nothing.text);

    let lines = vec![CorrectionLine {
        about: "phone".to_owned(),
        what: "手机号打不通".to_owned(),
        article: "行政许可法第三十二条".to_owned(),
    }];
    officer(&world, Role::Reviewer, &case, Command::AskCorrection { lines }).await;
    assert_eq!(count("?state=mine").await["count"], 1, "now it waits for her");
    let messages = world.get(CHANGSHA, "driver", "/messages?reading=unread").await.json();
    let groups = messages["groups"].as_array().expect("groups").clone();
    let own: Vec<&Value> =
        groups.iter().filter(|it| it["case"] == case.trim_start_matches("/cases/")).collect();
    assert_eq!(own.len(), 1, "{groups:?}");
    assert!(1 < own[0]["messages"].as_array().map_or(0, Vec::len), "{groups:?}");
    assert_eq!(own[0]["title"], "道路运输驾驶员从业资格证换发");
    world.post(CHANGSHA, "driver", "/messages/read", "").await;
    let left = world.page(CHANGSHA, "driver", "/messages?reading=unread").await;
    assert!(left.text.contains("没有符合的消息"), "{}", left.text);
}
