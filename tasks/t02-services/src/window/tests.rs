//! Stories of the counter, told through the sites of the cities.

use serde_json::Value;
use tb_crypto::text::base64;
use tb_identity::{look, people, seed, sms};

use crate::tests::world::{CHANGSHA, Got, World, XIANGTAN, node};

const FORM: &str = "reason=expiring&phone=13800990000&delivery=collecting_window&truth=yes&checks=person-present&checks=form-complete";

/// A drawn signature as the form sends it.
pub(crate) fn signature() -> String {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    png.extend([7; 60]);
    png.extend(b"IDAT....IEND\xae\x42\x60\x82");
    format!(
        "signature=data%3Aimage%2Fpng%3Bbase64%2C{}",
        base64(&png).replace('+', "%2B").replace('/', "%2F")
    )
}

fn person(name: &str) -> String {
    let cast = if name == "driver" { seed::driver() } else { seed::walk_in() }.expect("the cast");
    format!("number={}&name={}&item=121&deciding=430300", cast.number, percent(cast.name))
}

pub(crate) fn percent(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// Begins with a person of the cast; the address of the draft.
async fn begun(world: &World, name: &str) -> String {
    let made = world.post(CHANGSHA, "window", "/window/start", &person(name)).await;
    assert!(made.location.starts_with("/window/drafts/"), "{made:?}");
    made.location
}

/// A draft with its form and formal check.
async fn filled(world: &World, name: &str) -> String {
    let draft = begun(world, name).await;
    let sent = world.post(CHANGSHA, "window", &draft, FORM).await;
    assert_eq!(sent.location, format!("{draft}/consent"), "{sent:?}");
    draft
}

/// The code that was sent to the driver's phone last.
async fn code(world: &World) -> String {
    let phone = seed::driver().expect("the cast").phone.expect("a phone");
    let vault = world.cities[&node(CHANGSHA)].env.vault.clone();
    let sent = world.write(CHANGSHA, move |tx| sms::of_phone(tx, &vault, &phone)).await;
    let text = &sent.first().expect("a message").text;
    text.chars().skip_while(|letter| !letter.is_ascii_digit()).take(6).collect()
}

/// A draft with everything fetched.
pub(crate) async fn fetched(world: &World) -> String {
    let draft = filled(world, "driver").await;
    let asked = world.post(CHANGSHA, "window", &format!("{draft}/consent/ask"), "how=code").await;
    assert_eq!(asked.location, format!("{draft}/consent"), "{asked:?}");
    let code = code(world).await;
    let agreed = world.post(CHANGSHA, "window", &format!("{draft}/consent"), &format!("code={code}")).await;
    assert_eq!(agreed.location, format!("{draft}/check"), "{agreed:?}");
    draft
}

/// Collects a matter of the driver; the id of the case, which both cities know by now.
pub(crate) async fn collected(world: &World) -> String {
    let draft = fetched(world).await;
    let check = world.get(CHANGSHA, "window", &format!("{draft}/check")).await.json();
    let command = check["command"].as_str().expect("a command").to_owned();
    let submit = format!("{draft}/submit");
    let sent = world.post(CHANGSHA, "window", &submit, &format!("command={command}")).await;
    let again = world.post(CHANGSHA, "window", &submit, &format!("command={command}")).await;
    assert_eq!(sent.location, again.location, "{sent:?}");
    world.exchange().await;
    let case = sent.location.trim_start_matches("/window/cases/");
    case.split('?').next().expect("an id").to_owned()
}

#[track_caller]
pub(crate) fn codes(got: &Got) -> Vec<String> {
    let page = got.json();
    let errors = page["errors"].as_array().or(page["form"]["errors"].as_array()).expect("errors").clone();
    errors.iter().map(|error| error["code"].as_str().unwrap_or("").to_owned()).collect()
}

#[track_caller]
pub(crate) fn fields_of(got: &Got) -> Vec<String> {
    let page = got.json();
    let errors = page["form"]["errors"].as_array().expect("errors").clone();
    errors.iter().map(|error| error["name"].as_str().unwrap_or("").to_owned()).collect()
}

#[tokio::test]
async fn whole_way_from_card_to_case() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let consent = world.get(CHANGSHA, "window", &format!("{draft}/consent")).await.json();
    assert_eq!(consent["consent"]["state"], "given");
    assert_eq!(consent["papers"].as_array().map(Vec::len), Some(2));
    let check = world.get(CHANGSHA, "window", &format!("{draft}/check")).await.json();
    assert_eq!(check["missing"].as_array().map(Vec::len), Some(0), "{}", check["missing"]);
    assert_eq!(check["checks"].as_array().map(Vec::len), Some(3));
    let case = collected(&world).await;
    let page = world.get(CHANGSHA, "window", &format!("/window/cases/{case}")).await.json();
    assert_eq!(page["progress"]["phase"], "received");
    assert_eq!(page["progress"]["epoch"], 2);
    let messages = page["messages"].as_array().expect("messages");
    assert!(messages.iter().any(|it| it["service"] == "case/1/offer" && it["state"] == "processed"));
    let receipt = world.page(CHANGSHA, "window", &format!("/window/cases/{case}/receipt")).await;
    assert_eq!(receipt.status, 200);
    let gone = world.get(CHANGSHA, "window", &draft).await;
    assert_eq!(gone.status, 200, "the first draft is still there");
    let desk = world.get(CHANGSHA, "window", "/window").await.json();
    assert_eq!((&desk["counts"]["cases"], &desk["counts"]["drafts"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(desk["cases"][0]["id"], case.as_str());
}

#[tokio::test]
async fn pages_are_shown_in_both_languages() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let case = collected(&world).await;
    let case = format!("/window/cases/{case}");
    for path in
        ["/window".to_owned(), draft.clone(), format!("{draft}/consent"), format!("{draft}/check"), case]
    {
        for lang in ["zh", "en"] {
            let page = world.page(CHANGSHA, "window", &format!("{path}?lang={lang}")).await;
            assert_eq!(page.status, 200, "{path}");
            assert!(page.text.contains("<main"), "{path}");
        }
    }
}

#[tokio::test]
async fn start_says_everything_that_is_wrong() {
    let world = World::new().await;
    let empty = world.post(CHANGSHA, "window", "/window/start", "number=123&item=1&deciding=999999").await;
    assert_eq!(empty.status, 422);
    assert_eq!(fields_of(&empty), ["number", "name", "item", "deciding"]);
    let unknown =
        person("driver").replace(&seed::driver().expect("the cast").number.to_string(), "11010519491231002X");
    let unknown = world.post(CHANGSHA, "window", "/window/start", &unknown).await;
    assert_eq!(codes(&unknown), ["T02-WIN-005"]);
    assert!(unknown.text.contains("居住登记"), "a way out");
    let other = person("driver").replace(&percent("周晓梅"), &percent("周小梅"));
    assert_eq!(codes(&world.post(CHANGSHA, "window", "/window/start", &other).await), ["T02-WIN-007"]);
    let kept = world.post(CHANGSHA, "window", "/window/start", &other).await.json();
    assert_eq!(kept["form"]["values"]["name"][0], "周小梅");
}

#[tokio::test]
async fn starting_leaves_a_look() {
    let world = World::new().await;
    begun(&world, "driver").await;
    let vault = world.cities[&node(CHANGSHA)].env.vault.clone();
    let looks = world
        .write(CHANGSHA, move |tx| {
            let driver = people::by_number(tx, &vault, &seed::driver()?.number)?.expect("the driver");
            look::of_person(tx, driver.id, 0)
        })
        .await;
    assert_eq!(looks.len(), 1);
    assert_eq!((looks[0].look.role.as_str(), looks[0].look.item.as_str()), ("window", "121"));
}

#[tokio::test]
async fn form_says_every_mistake_and_keeps_what_was_typed() {
    let world = World::new().await;
    let draft = begun(&world, "driver").await;
    let wrong = "reason=changed&phone=138009900&delivery=post&checks=consent-given";
    let sent = world.post(CHANGSHA, "window", &draft, wrong).await;
    assert_eq!(sent.status, 422);
    let fields = fields_of(&sent);
    for field in ["changed-what", "phone", "recipient", "address", "truth", "checks"] {
        assert!(fields.iter().any(|it| it == field), "{field} in {fields:?}");
    }
    // Her own answer ticks the line about consent; a clerk cannot.
    assert!(sent.json()["checks"].as_array().expect("checks").iter().all(|check| check["ticked"] == false));
    let page = world.get(CHANGSHA, "window", &draft).await.json();
    assert_eq!(page["fields"]["phone"], "138009900");
    let saved = world.post(CHANGSHA, "window", &draft, &format!("{wrong}&do=save")).await;
    assert_eq!(saved.location, format!("{draft}?done=saved"));
    let stale = world.post(CHANGSHA, "window", &draft, &format!("{FORM}&version=1")).await;
    assert_eq!(codes(&stale), ["CAS-DRA-002"]);
    assert_eq!(stale.json()["fields"]["phone"], "13800990000");
}

#[tokio::test]
async fn wrong_codes_cost_tries_and_then_she_signs() {
    let world = World::new().await;
    let draft = filled(&world, "driver").await;
    let consent = format!("{draft}/consent");
    let early = world.post(CHANGSHA, "window", &consent, "code=123456").await;
    assert_eq!(codes(&early), ["T02-WCN-003"]);
    world.post(CHANGSHA, "window", &format!("{consent}/ask"), "how=code").await;
    let right = code(&world).await;
    for slip in ["12345", "12345678", "abcdef"] {
        let sent = world.post(CHANGSHA, "window", &consent, &format!("code={slip}")).await;
        assert_eq!(
            (codes(&sent), &sent.json()["consent"]["tries_left"]),
            (vec!["T02-WCN-007".to_owned()], &5.into())
        );
    }
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for left in (0..5).rev() {
        let sent = world.post(CHANGSHA, "window", &consent, &format!("code={wrong}")).await;
        assert_eq!(sent.status, 422);
        assert_eq!(sent.json()["consent"]["tries_left"], left);
    }
    let used = world.page(CHANGSHA, "window", &consent).await;
    assert!(used.text.contains("次数用完了") && !used.text.contains("还可以试"), "{}", used.text);
    let over = world.post(CHANGSHA, "window", &consent, &format!("code={right}")).await;
    assert_eq!(codes(&over), ["LIC-CNS-006"]);
    let nothing = world.post(CHANGSHA, "window", &consent, "").await;
    assert_eq!(codes(&nothing), ["T02-WCN-004"]);
    let signed = world.post(CHANGSHA, "window", &consent, &signature()).await;
    assert_eq!(signed.location, format!("{draft}/check"), "{signed:?}");
}

#[tokio::test]
async fn without_a_phone_he_signs() {
    let world = World::new().await;
    let draft = filled(&world, "walkin").await;
    let by_code = world.post(CHANGSHA, "window", &format!("{draft}/consent/ask"), "how=code").await;
    assert_eq!(codes(&by_code), ["T02-WCN-002"]);
    let asked = world.post(CHANGSHA, "window", &format!("{draft}/consent/ask"), "how=signature").await;
    assert_eq!(asked.status, 303, "{asked:?}");
    let page = world.page(CHANGSHA, "window", &format!("{draft}/consent")).await;
    assert!(!page.text.contains("id=\"how\""), "no row without a button");
    assert!(page.text.contains("二选一") && !page.text.contains("可不填"), "{}", page.text);
    let typed = world
        .post(CHANGSHA, "window", &format!("{draft}/consent"), "signature=%E8%B0%A2%E5%9B%BD%E5%B9%B3")
        .await;
    assert_eq!(typed.status, 422, "a typed name is no signature");
    let signed = world.post(CHANGSHA, "window", &format!("{draft}/consent"), &signature()).await;
    assert_eq!(signed.location, format!("{draft}/check"), "{signed:?}");
    let page = world.get(CHANGSHA, "window", &format!("{draft}/consent")).await.json();
    assert_eq!(page["consent"]["state"], "given");
}

#[tokio::test]
async fn who_has_no_phone_files_without_one() {
    let world = World::new().await;
    let draft = begun(&world, "walkin").await;
    let form = FORM.replace("13800990000", "");
    let shown = world.page(CHANGSHA, "window", &draft).await;
    assert!(shown.text.contains("没有手机可以不填"), "{}", shown.text);
    let sent = world.post(CHANGSHA, "window", &draft, &form).await;
    assert_eq!(sent.location, format!("{draft}/consent"), "{sent:?}");
    world.post(CHANGSHA, "window", &format!("{draft}/consent/ask"), "how=signature").await;
    let signed = world.post(CHANGSHA, "window", &format!("{draft}/consent"), &signature()).await;
    assert_eq!(signed.location, format!("{draft}/check"), "{signed:?}");
    let collected = world.post(CHANGSHA, "window", &format!("{draft}/submit"), "").await;
    assert!(collected.location.starts_with("/window/cases/"), "{collected:?}");
}

#[tokio::test]
async fn pages_of_the_window_take_nobody_for_a_woman() {
    let world = World::new().await;
    let draft = filled(&world, "driver").await;
    let consent = format!("{draft}/consent");
    let mut pages = vec![world.page(CHANGSHA, "window", &consent).await];
    world.post(CHANGSHA, "window", &format!("{consent}/ask"), "how=code").await;
    pages.push(world.page(CHANGSHA, "window", &consent).await);
    pages.push(world.post_page(CHANGSHA, "window", &consent, "").await);
    pages.push(world.post_page(CHANGSHA, "window", &consent, "code=12345").await);
    let case = collected(&world).await;
    pages.push(world.page(CHANGSHA, "window", "/window").await);
    pages.push(world.page(CHANGSHA, "window", &format!("/window/cases/{case}")).await);
    for page in pages {
        assert!(!page.text.contains('她'), "{}", page.text);
    }
    let again = fetched(&world).await;
    let check = world.page(CHANGSHA, "window", &format!("{again}/check")).await;
    let link = format!("href=\"/window/cases/{case}\"");
    assert!(check.text.contains("申请人已有一件同样的在办") && check.text.contains(&link), "{}", check.text);
}

/// A scan of so many bytes.
fn jpeg(bytes: usize) -> Vec<u8> {
    let mut scan = b"\xff\xd8\xff\xe0\x00\x10JFIF".to_vec();
    scan.resize(bytes - 2, 7);
    scan.extend(b"\xff\xd9");
    scan
}

#[tokio::test]
async fn a_scan_of_a_signed_sheet_is_an_answer() {
    let world = World::new().await;
    let draft = filled(&world, "walkin").await;
    let consent = format!("{draft}/consent");
    world.post(CHANGSHA, "window", &format!("{consent}/ask"), "how=signature").await;
    let send = async |name: &str, bytes: &[u8]| {
        world.post_file(CHANGSHA, "window", &consent, ("scan", name, bytes)).await
    };
    let large = send("large.jpg", &jpeg(2 * 1024 * 1024 + 1)).await;
    assert_eq!((codes(&large), fields_of(&large)), (vec!["LIC-SIG-001".to_owned()], vec!["scan".to_owned()]));
    let pdf = send("sheet.pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n").await;
    assert_eq!(codes(&pdf), ["T02-SIG-002"]);
    let signed = send("sheet.jpg", &jpeg(1_500_000)).await;
    assert_eq!(signed.location, format!("{draft}/check"), "{signed:?}");
}

#[tokio::test]
async fn a_city_that_is_down_waits_and_nothing_is_lost() {
    let world = World::new().await;
    let draft = filled(&world, "driver").await;
    world.post(CHANGSHA, "window", &format!("{draft}/consent/ask"), "how=code").await;
    world.cut(XIANGTAN);
    let code = code(&world).await;
    let down = world.post(CHANGSHA, "window", &format!("{draft}/consent"), &format!("code={code}")).await;
    assert_eq!(down.status, 409);
    let page = down.json();
    assert_eq!(
        (&page["consent"]["state"], &page["problems"][0]["unavailable"]),
        (&Value::from("given"), &Value::from(true))
    );
    assert!(page["waiting"][0].as_str().expect("a line").contains("湘潭"));
    let missing = world.post(CHANGSHA, "window", &format!("{draft}/submit"), "").await;
    assert!(matches!(missing.status.as_u16(), 409 | 422), "{missing:?}");
    world.mend(XIANGTAN);
    let retried = world.post(CHANGSHA, "window", &format!("{draft}/consent"), "do=retry").await;
    assert_eq!(retried.location, format!("{draft}/check"), "{retried:?}");
}

#[tokio::test]
async fn other_offices_and_roles_see_nothing() {
    let world = World::new().await;
    let draft = filled(&world, "driver").await;
    assert_eq!(world.get(CHANGSHA, "window-elsewhere", &draft).await.status, 404);
    assert_eq!(world.get(CHANGSHA, "driver", "/window").await.status, 403);
    assert_eq!(world.get(CHANGSHA, "reviewer-changsha", "/window").await.status, 403);
    let case = collected(&world).await;
    let case = format!("/window/cases/{case}");
    assert_eq!(world.get(CHANGSHA, "window-elsewhere", &case).await.status, 403);
    assert_eq!(world.get(CHANGSHA, "window", &case).await.status, 200);
    assert_eq!(world.get(CHANGSHA, "window", "/window/cases/nothing").await.status, 404);
}

#[tokio::test]
async fn drafts_lie_on_the_counter_of_the_office() {
    let world = World::new().await;
    let draft = begun(&world, "driver").await;
    let counter = async |who: &str| world.get(CHANGSHA, who, "/window").await.json();
    let (own, colleague, elsewhere) =
        (counter("window").await, counter("window-colleague").await, counter("window-elsewhere").await);
    for (desk, mine) in [(&own, true), (&colleague, false)] {
        assert_eq!((&desk["counts"]["drafts"], &desk["counts"]["today"]), (&Value::from(1), &Value::from(1)));
        assert_eq!(desk["drafts"][0]["mine"], mine);
    }
    assert_eq!(elsewhere["counts"]["drafts"], 0);
    assert!(world.page(CHANGSHA, "window-colleague", "/window").await.text.contains("同事收的"));
    assert_eq!(world.get(CHANGSHA, "window-colleague", &draft).await.status, 200);
}

#[tokio::test]
async fn she_withdraws_at_the_counter_with_her_signature() {
    let world = World::new().await;
    let case = collected(&world).await;
    let path = format!("/window/cases/{case}/withdraw");
    let unsigned = world.post(CHANGSHA, "window", &path, "").await;
    assert_eq!(codes(&unsigned), ["T02-SIG-001"]);
    let blank = "signature=data%3Aimage%2Fpng%3Bbase64%2CiVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsAQKzQAAAABJRU5ErkJggg%3D%3D";
    let blank = world.post(CHANGSHA, "window", &path, blank).await;
    assert_eq!(codes(&blank), ["T02-SIG-003"], "{blank:?}");
    let sent = world.post(CHANGSHA, "window", &path, &signature()).await;
    assert_eq!(sent.location, format!("/window/cases/{case}?done=sent"), "{sent:?}");
    world.exchange().await;
    let page = world.get(CHANGSHA, "window", &format!("/window/cases/{case}")).await.json();
    assert_eq!(page["progress"]["phase"], "withdrawn");
}

#[tokio::test]
async fn she_may_say_no_and_change_her_mind() {
    let world = World::new().await;
    let draft = filled(&world, "driver").await;
    let consent = format!("{draft}/consent");
    world.post(CHANGSHA, "window", &format!("{consent}/ask"), "how=signature").await;
    let refused = world.post(CHANGSHA, "window", &consent, "do=refuse").await;
    assert_eq!(refused.location, consent, "{refused:?}");
    let page = world.page(CHANGSHA, "window", &consent).await;
    assert!(page.text.contains("不能调取"), "{}", page.text);
    assert_eq!(codes(&world.post(CHANGSHA, "window", &consent, &signature()).await), ["LIC-CNS-002"]);
    world.post(CHANGSHA, "window", &format!("{consent}/ask"), "how=signature").await;
    let agreed = world.post(CHANGSHA, "window", &consent, &signature()).await;
    assert_eq!(agreed.location, format!("{draft}/check"), "{agreed:?}");
}
