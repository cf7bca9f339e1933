//! Tests of the services: the replay matrix of receipts, fields, five answers, and the looks they leave.

use tb_base::{Actor, NodeId, Timestamp};
use tb_crypto::SigningKey;
use tb_exchange::{Answer, Outgoing};
use tb_identity::look::{LookKind, LookRow, of_person};

use super::{Fetch, Fetched, NotFoundReason, Verdict, Verify};
use crate::ask;
use crate::consent::{self, Channel, Question, SignedReceipt};
use crate::present;
use crate::state::State;
use crate::store::{Licence, of_enterprise, suspend, withdraw};
use crate::tests_support::{
    NOON, QUALIFICATION, World, asked, case, changsha, names, refused, resident, types, window, xiangtan,
    zhuzhou,
};

const WINDOW: &str = "window/430100-hall-1";
const INSPECTOR: &str = "inspector/430200-transport";
const FIELDS: [&str; 4] = ["name", "number", "category", "resident_number"];

/// Consent of the driver at a city for a case, and the receipt for Xiangtan.
fn agreed(world: &World, city: NodeId, case_letter: char) -> SignedReceipt {
    let person = world.driver(city).id;
    let question = Question {
        case: case(case_letter),
        item: "121".to_owned(),
        deciding: xiangtan(),
        person,
        asked: asked(&FIELDS),
        channel: Channel::App,
    };
    let ctx = world.ctx(city, NOON, resident(person));
    let (desk, vault, key) = (world.desk(city), world.vault(city), world.secrets(city).message.clone());
    let signed = world.write(city, move |tx| {
        let asked = consent::request(tx, &ctx, &vault, &types(), question)?;
        consent::confirm_in_app(tx, &ctx, asked.id)?;
        consent::receipt(tx, &ctx, &desk, &vault, &key, asked.id, xiangtan())
    });
    signed.expect("she agreed")
}

fn fetch(world: &World, from: NodeId, licence: &Licence, receipt: SignedReceipt) -> Outgoing {
    let number = world.driver(xiangtan()).number;
    let ctx = world.ctx(from, NOON, window());
    ask::fetch(&world.desk(from), &ctx, licence.id, QUALIFICATION, receipt, WINDOW, number.as_str())
        .expect("composed")
}

fn looks(world: &World) -> Vec<LookRow> {
    let person = world.driver(xiangtan()).id;
    world.write(xiangtan(), move |tx| of_person(tx, person, 0)).expect("looks")
}

#[test]
fn located_without_values() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let number = world.driver(changsha()).number;
    let desk = world.desk(changsha());
    let ctx = world.ctx(changsha(), NOON, window());
    let locate = |item: &str, types: &[&str]| {
        ask::locate(&desk, &ctx, xiangtan(), item, case('1'), WINDOW, number.as_str(), names(types))
            .expect("composed")
    };
    let found = ask::located(&world.carry(locate("121", &[QUALIFICATION, "unknown"]), NOON).expect("answer"));
    let found = found.expect("found");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].id, found[0].version, found[0].state), (licence.id, 1, State::Valid));
    let listed = world.carry(locate("120", &["business_licence"]), NOON).expect("answer");
    refused(ask::located(&listed), "LIC-USE-001");

    let mut no_case = locate("121", &[QUALIFICATION]);
    no_case.envelope.purpose.case = None;
    no_case.envelope.purpose.basis = "subject".to_owned();
    refused(ask::located(&world.carry(no_case, NOON).expect("answer")), "LIC-USE-002");

    let looks = looks(&world);
    let outcomes: Vec<_> = looks.iter().map(|it| (it.look.kind, it.look.outcome.as_str())).collect();
    assert_eq!(outcomes.len(), 3, "a refused look is a look");
    assert!(
        outcomes.contains(&(LookKind::Locate, "shown"))
            && outcomes.contains(&(LookKind::Locate, "LIC-USE-002"))
    );
}

#[test]
fn fetched_within_consent_and_contract() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let receipt = agreed(&world, changsha(), '1');
    let answer = world.carry(fetch(&world, changsha(), &licence, receipt), NOON).expect("answer");
    let given = ask::fetched(world.trust(), &answer).expect("values");
    assert_eq!(given.extract.values.keys().cloned().collect::<Vec<_>>(), ["category", "name", "number"]);
    assert_eq!(given.withheld, names(&["resident_number"]), "not in the contract");
    assert_eq!(given.extract.record.version, 1);
    assert_eq!(given.state, State::Valid);
    assert!(
        !String::from_utf8_lossy(&answer.body).contains("湘潭市交通运输局"),
        "nothing that was not asked"
    );

    let forged = Answer {
        body: String::from_utf8_lossy(&answer.body).replace("货物", "旅客").into_bytes(),
        ..answer
    };
    ask::fetched(world.trust(), &forged).expect_err("a changed value");

    let looks = looks(&world);
    assert_eq!(looks.len(), 1);
    let look = &looks[0].look;
    assert_eq!((look.kind, look.city, look.role.as_str()), (LookKind::Fetch, changsha(), "window"));
    assert_eq!(look.fields, ["category", "name", "number"]);
    assert_eq!(
        (look.case, look.licence, look.outcome.as_str()),
        (Some(case('1')), Some(licence.id), "shown")
    );
}

#[test]
fn the_own_city_asks_itself() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let receipt = agreed(&world, xiangtan(), '1');
    let (id, person) = (receipt.receipt.id, world.driver(xiangtan()).id);
    let message = fetch(&world, xiangtan(), &licence, receipt);
    let given =
        ask::fetched(world.trust(), &world.carry(message.clone(), NOON).expect("answer")).expect("values");
    assert_eq!(given.extract.values.len(), FIELDS.len(), "no contract limits the own city");
    let her = world.ctx(xiangtan(), NOON, resident(person));
    world.write(xiangtan(), move |tx| consent::withdraw(tx, &her, id)).expect("withdrawn");
    let answer = world.carry(message, NOON).expect("answer");
    refused(ask::fetched(world.trust(), &answer).map(drop), "LIC-CNS-108");
}

/// Each way to use a receipt for something else, and its refusal.
#[test]
fn a_receipt_fits_nothing_else() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let receipt = agreed(&world, changsha(), '1');
    let check = |change: &dyn Fn(&mut Outgoing, &mut Fetch), now: Timestamp, code: &str| {
        let mut message = fetch(&world, changsha(), &licence, receipt.clone());
        message.envelope.deadline = now.plus_seconds(10);
        let mut body: Fetch = serde_json::from_slice(&message.body).expect("body");
        change(&mut message, &mut body);
        message.body = serde_json::to_vec(&body).expect("json");
        let answer = world.carry(message, now).expect("answer");
        let Fetched::Refused { refusal } = answer.parse().expect("parsed") else {
            panic!("{code} was let through")
        };
        assert_eq!(refusal.code, code, "{refusal}");
    };
    let resign = |body: &mut Fetch, key: &SigningKey| {
        let text =
            [b"tongban/consent/1\n".to_vec(), tb_crypto::canonical(&body.consent.receipt).expect("json")]
                .concat();
        body.consent.signature = tb_crypto::text::base64(&key.sign(&text));
    };
    let changsha_key = &world.secrets(changsha()).message;
    let zhuzhou_key = &world.secrets(zhuzhou()).message;
    // Changed without a new signature, or signed by somebody else.
    check(&|_, body| body.consent.receipt.case = case('2'), NOON, "LIC-CNS-101");
    check(&|_, body| resign(body, zhuzhou_key), NOON, "LIC-CNS-101");
    // For another pair of cities.
    check(
        &|_, body| {
            body.consent.receipt.answering = zhuzhou();
            resign(body, changsha_key);
        },
        NOON,
        "LIC-CNS-102",
    );
    // Replayed for another case, under another consent, for another item.
    check(&|message, _| message.envelope.purpose.case = Some(case('2')), NOON, "LIC-CNS-103");
    check(
        &|message, _| message.envelope.purpose.basis = format!("consent:{}", case('3')),
        NOON,
        "LIC-CNS-103",
    );
    check(&|message, _| message.envelope.purpose.item = "120".to_owned(), NOON, "LIC-CNS-104");
    // More fields, or fewer, than she agreed to.
    check(&|_, body| body.fields.extend(names(&["birth"])), NOON, "LIC-CNS-106");
    check(&|_, body| body.fields.retain(|field| field != "name"), NOON, "LIC-CNS-106");
    // Too late, and from the future.
    check(&|_, _| (), NOON.plus_seconds(601), "LIC-CNS-107");
    check(&|_, _| (), NOON.plus_seconds(-61), "LIC-CNS-107");
    assert!(looks(&world).iter().all(|it| it.look.fields.is_empty()), "nothing was seen");
}

#[test]
fn a_receipt_of_another_person() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let receipt = agreed(&world, changsha(), '1');
    let mut message = fetch(&world, changsha(), &licence, receipt);
    // Somebody whom Xiangtan knows, but whose licence this is not: answered as if there was none.
    let other = tb_identity::seed::walk_in().expect("the cast").number;
    let contract = message.envelope.contract.id.clone();
    message.envelope.subject =
        Some(world.desk(changsha()).pseudonym(&contract, other.as_str()).expect("pseudonym"));
    let answer = world.carry(message, NOON).expect("answer");
    assert!(matches!(answer.parse::<Fetched>().expect("parsed"), Fetched::NotFound { .. }));
}

/// A code that the driver shows in Xiangtan's app.
fn shown(world: &World, licence: &Licence, now: Timestamp) -> String {
    let person = world.driver(xiangtan()).id;
    let (ctx, id) = (world.ctx(xiangtan(), now, resident(person)), licence.id);
    world.write(xiangtan(), move |tx| present::create(tx, &ctx, id)).expect("a code").text
}

#[track_caller]
fn verify(world: &World, code: &str, actor: &str, now: Timestamp) -> Verdict {
    let ctx = world.ctx(zhuzhou(), now, Actor::System);
    let message = ask::verify(&world.desk(zhuzhou()), &ctx, code, actor).expect("composed");
    let city = message.envelope.to;
    ask::verdict(world.trust(), &ctx, city, world.carry(message, now)).expect("a verdict")
}

#[test]
fn shown_once_within_a_minute() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let code = shown(&world, &licence, NOON);
    let verdict = verify(&world, &code, INSPECTOR, NOON.plus_seconds(60));
    assert_eq!(verdict.word(), "yes");
    let values = verdict.values();
    assert_eq!(values["name"], world.driver(xiangtan()).name);
    assert!(values["number"].contains("********"), "numbers stay masked on the road");
    assert!(!values.contains_key("birth") && !values.contains_key("resident_number"));
    let second = verify(&world, &code, INSPECTOR, NOON.plus_seconds(60));
    assert!(matches!(second, Verdict::NotFound { why: NotFoundReason::Used, .. }));

    let late = shown(&world, &licence, NOON);
    let over = verify(&world, &late, INSPECTOR, NOON.plus_seconds(61));
    assert!(matches!(over, Verdict::NotFound { why: NotFoundReason::Over, .. }));

    let person = world.driver(xiangtan()).id;
    let shows = world.write(xiangtan(), move |tx| present::of_holder(tx, person)).expect("shows");
    let told: Vec<_> = shows.iter().filter_map(|it| it.answer.as_deref()).collect();
    assert_eq!(told, ["yes"]);
    assert!(shows.iter().any(|it| it.verifier_city == Some(zhuzhou())), "the holder sees who verified");
    assert_eq!(looks(&world).len(), 1);
}

/// Eight verifiers at once: one is told yes, seven that the code was used.
#[test]
fn one_of_many_verifiers() {
    let postgres = tb_testkit::Postgres::start();
    let config = |_| tb_store::Config {
        engine: tb_store::Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema("licence") },
        inline: false,
    };
    for world in [World::peopled(20), World::on(config).plant(20)] {
        let licence = world.qualified();
        let code = shown(&world, &licence, NOON);
        let answers = std::thread::scope(|scope| {
            let ask = || verify(&world, &code, INSPECTOR, NOON).word();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
            threads.into_iter().map(|it| it.join().expect("an answer")).collect::<Vec<_>>()
        });
        assert_eq!(answers.iter().filter(|it| **it == "yes").count(), 1, "{answers:?}");
        assert_eq!(answers.iter().filter(|it| **it == "not_found").count(), 7, "{answers:?}");
        assert_eq!(looks(&world).len(), 1);
    }
}

/// 吊销未注销: the firm still has the picture of its licence, the verifier hears that it is withdrawn.
#[test]
fn a_withdrawn_business_licence() {
    let world = World::peopled(20);
    let city = tb_identity::seed::city(tb_identity::seed::SEED, xiangtan(), 20, 3).expect("a city");
    let firm = city.enterprises[0].clone();
    let representative = firm.representative.expect("the register knows her");
    let (issuer, ctx) = (world.issuer(xiangtan()), world.system(xiangtan()));
    let her = world.ctx(xiangtan(), NOON, resident(representative));
    let code = world
        .write(xiangtan(), move |tx| {
            crate::seed::plant(tx, &ctx, &issuer, &city)?;
            let licence = of_enterprise(tx, &issuer.vault, firm.uscc)?.remove(0);
            assert_eq!(licence.holder, Some(representative));
            withdraw(tx, &ctx, licence.id, "处罚决定书 3 号")?;
            present::create(tx, &her, licence.id)
        })
        .expect("a code");
    let verdict = verify(&world, &code.text, "public", NOON);
    assert!(
        matches!(verdict, Verdict::No { state: State::Withdrawn, void_from: Some(_), .. }),
        "{verdict:?}"
    );
}

#[test]
fn five_answers() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let public = verify(&world, &shown(&world, &licence, NOON), "public", NOON);
    assert_eq!(public.word(), "yes");
    assert!(public.values()["name"].starts_with('*'), "the public sees a masked name");

    let code = shown(&world, &licence, NOON);
    let not_allowed = verify(&world, &code, "auditor/430200-audit", NOON);
    assert_eq!(not_allowed.word(), "not_allowed");

    let (ctx, id) = (world.system(xiangtan()), licence.id);
    world.write(xiangtan(), move |tx| suspend(tx, &ctx, id, "超限运输").map(drop)).expect("suspended");
    // The code was made while the licence was valid, and was not used up by whoever may not verify.
    let no = verify(&world, &code, INSPECTOR, NOON);
    assert!(matches!(no, Verdict::No { state: State::Suspended, .. }));
    assert!(no.values().is_empty());

    let unknown = format!("T1.430300.{}", "0".repeat(26));
    assert!(matches!(
        verify(&world, &unknown, INSPECTOR, NOON),
        Verdict::NotFound { why: NotFoundReason::Unknown, .. }
    ));

    let down = tb_exchange::unavailable("湘潭市", "Xiangtan");
    let ctx = world.system(zhuzhou());
    let unavailable = ask::verdict(world.trust(), &ctx, xiangtan(), Err(down.into())).expect("an answer");
    assert_eq!(unavailable.word(), "unavailable");
    let words: std::collections::BTreeSet<_> =
        [public, not_allowed, no, unavailable].iter().map(Verdict::word).collect();
    assert_eq!(words.len(), 4);
}

#[test]
fn a_peer_cannot_say_that_it_does_not_answer() {
    let world = World::peopled(20);
    let refusal = tb_exchange::unavailable("湘潭市", "Xiangtan");
    let verdict = Verdict::Unavailable { city: xiangtan(), refusal, as_of: NOON };
    let body = serde_json::to_vec(&verdict).expect("json");
    let answer = Answer { from: xiangtan(), body, at: NOON };
    ask::verdict(world.trust(), &world.system(zhuzhou()), xiangtan(), Ok(answer)).expect_err("a violation");
}

#[test]
fn unknown_members_and_foreign_codes() {
    serde_json::from_str::<Verify>("{\"code\":\"x\",\"more\":1}").expect_err("an unknown member");
    let world = World::peopled(20);
    let ctx = world.system(zhuzhou());
    refused(ask::verify(&world.desk(zhuzhou()), &ctx, "hello", INSPECTOR), "LIC-PRE-001");
    let licence = world.qualified();
    let stranger = world.ctx(xiangtan(), NOON, resident(ctx.id(tb_base::PersonId::new)));
    let id = licence.id;
    world
        .write(xiangtan(), move |tx| {
            refused(present::create(tx, &stranger, id), "LIC-PRE-002");
            Ok(())
        })
        .expect("a refusal only");
}
