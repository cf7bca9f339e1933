//! Tests of consents: who may answer, how, how often, and how long.

use tb_base::Actor;
use tb_identity::sms;

use super::{
    Channel, Consent, ConsentState, Manner, Question, Typed, confirm_by_code, confirm_by_signature,
    confirm_in_app, end_of_case, find, of_case, open_cases, receipt, refuse, request, send_code, withdraw,
};
use crate::tests_support::{NOON, World, asked, case, changsha, refused, resident, types, window, xiangtan};

const FIELDS: [&str; 2] = ["name", "category"];
/// Two strokes, as the page's script writes them.
const DRAWN: &str =
    "data:application/json;base64,W1tbMSwyXSxbMyw0XSxbNSw2XSxbNyw4XV0sW1sxLDFdLFsyLDJdLFszLDNdLFs0LDRdXV0=";

fn ask(world: &World, channel: Channel, actor: Actor) -> Consent {
    let person = world.driver(changsha()).id;
    let question = Question {
        case: case('1'),
        item: "121".to_owned(),
        deciding: xiangtan(),
        person,
        asked: asked(&FIELDS),
        channel,
    };
    let (ctx, vault) = (world.ctx(changsha(), NOON, actor), world.vault(changsha()));
    world.write(changsha(), move |tx| request(tx, &ctx, &vault, &types(), question)).expect("asked")
}

/// The newest code on her phone.
fn code(world: &World) -> String {
    let (vault, phone) = (world.vault(changsha()), world.driver(changsha()).phone.expect("a phone"));
    let texts = world.write(changsha(), move |tx| sms::of_phone(tx, &vault, &phone)).expect("texts");
    let text = &texts.first().expect("a text").text;
    assert!(text.contains("道路运输从业资格证") && text.contains("121"), "{text}");
    text.split("验证码 ").nth(1).expect("a code").chars().take(6).collect()
}

#[test]
fn in_her_own_session() {
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    let consent = ask(&world, Channel::App, resident(person));
    assert!(consent.code_expires.is_none(), "no code for her own session");
    let stranger = world.ctx(changsha(), NOON, window());
    let her = world.ctx(changsha(), NOON, resident(person));
    let id = consent.id;
    world
        .write(changsha(), move |tx| {
            refused(confirm_in_app(tx, &stranger, id), "LIC-CNS-010");
            let given = confirm_in_app(tx, &her, id)?;
            assert_eq!((given.state, given.manner), (ConsentState::Given, Some(Manner::App)));
            refused(confirm_in_app(tx, &her, id), "LIC-CNS-002");
            assert_eq!(of_case(tx, case('1'))?.len(), 1);
            Ok(())
        })
        .expect("answers");
}

#[test]
fn by_a_code_with_five_tries() {
    let world = World::peopled(20);
    let consent = ask(&world, Channel::Window, window());
    let right = code(&world);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let nobody = world.ctx(changsha(), NOON, Actor::Anonymous);
    let (ctx, vault, id) = (world.ctx(changsha(), NOON, window()), world.vault(changsha()), consent.id);
    world
        .write(changsha(), move |tx| {
            refused(confirm_by_code(tx, &nobody, &vault, id, &right), "LIC-CNS-010");
            for left in (1..5).rev() {
                let typed = confirm_by_code(tx, &ctx, &vault, id, wrong)?;
                assert!(matches!(typed, Typed::Wrong { tries_left } if tries_left == left));
            }
            // The fifth try may be the right one; blanks do not matter.
            let spaced = format!("{} {}", &right[..3], &right[3..]);
            let Typed::Given(given) = confirm_by_code(tx, &ctx, &vault, id, &spaced)? else {
                panic!("right code")
            };
            assert_eq!(given.manner, Some(Manner::Code));
            Ok(())
        })
        .expect("typed");
}

#[test]
fn a_code_that_is_spent_or_over() {
    let world = World::peopled(20);
    let spent = ask(&world, Channel::Window, window()).id;
    let right = code(&world);
    let wrong = if right == "000000" { "000001" } else { "000000" };
    let late = world.ctx(changsha(), NOON.plus_seconds(601), window());
    let next_day = world.ctx(changsha(), NOON.plus_seconds(90_000), window());
    let (ctx, vault) = (world.ctx(changsha(), NOON, window()), world.vault(changsha()));
    world
        .write(changsha(), {
            let (vault, right, ctx) = (vault.clone(), right.clone(), ctx.clone());
            move |tx| {
                refused(send_code(tx, &ctx, &vault, &types(), spent), "LIC-CNS-008");
                for _ in 0..5 {
                    confirm_by_code(tx, &ctx, &vault, spent, wrong)?;
                }
                refused(confirm_by_code(tx, &ctx, &vault, spent, &right), "LIC-CNS-006");
                Ok(())
            }
        })
        .expect("spent");
    let over = ask(&world, Channel::Window, window()).id;
    let right = code(&world);
    world
        .write(changsha(), move |tx| {
            refused(confirm_by_code(tx, &late, &vault, over, &right), "LIC-CNS-004");
            refused(confirm_by_code(tx, &next_day, &vault, over, &right), "LIC-CNS-003");
            send_code(tx, &late, &vault, &types(), over)?;
            refused(send_code(tx, &late, &vault, &types(), spent), "LIC-CNS-006");
            Ok(())
        })
        .expect("over");
}

#[test]
fn by_a_drawn_signature() {
    let world = World::peopled(20);
    let consent = ask(&world, Channel::Window, window());
    let reviewer = Actor::Staff {
        staff: "01kq3zt0000000000000000008".parse().expect("an id"),
        role: tb_base::Role::Reviewer,
        office: "430100-transport".parse().expect("an office"),
    };
    let (ctx, other) = (world.ctx(changsha(), NOON, window()), world.ctx(changsha(), NOON, reviewer));
    world
        .write(changsha(), move |tx| {
            refused(confirm_by_signature(tx, &other, consent.id, DRAWN), "LIC-CNS-010");
            refused(confirm_by_signature(tx, &ctx, consent.id, "data:image/png;base64,AAAA"), "LIC-SIG-003");
            let given = confirm_by_signature(tx, &ctx, consent.id, DRAWN)?;
            assert_eq!(given.manner, Some(Manner::Signature));
            assert!(given.signature_hash.is_some());
            Ok(())
        })
        .expect("signed");
}

#[test]
fn her_phone_hears_of_a_signature_at_a_window() {
    #[track_caller]
    fn check(world: &World, actor: Actor, channel: Channel, told: bool) {
        let (vault, phone) = (world.vault(changsha()), world.driver(changsha()).phone.expect("a phone"));
        ask(world, channel, actor);
        let texts = world.write(changsha(), move |tx| sms::of_phone(tx, &vault, &phone)).expect("texts");
        let warns = |text: &str| text.contains("手写签名") && text.contains("道路运输从业资格证");
        assert_eq!(texts.iter().any(|it| warns(&it.text)), told, "{texts:?}");
    }
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    check(&world, resident(person), Channel::App, false);
    check(&world, window(), Channel::Window, false);
    check(&world, window(), Channel::App, true);
}

#[test]
fn refused_and_withdrawn_make_no_receipt() {
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    let (no, taken_back) =
        (ask(&world, Channel::App, resident(person)).id, ask(&world, Channel::App, resident(person)).id);
    let her = world.ctx(changsha(), NOON, resident(person));
    let much_later = world.ctx(changsha(), NOON.plus_seconds(200 * 86_400), resident(person));
    let (desk, vault, key) =
        (world.desk(changsha()), world.vault(changsha()), world.secrets(changsha()).message.clone());
    world
        .write(changsha(), move |tx| {
            refused(receipt(tx, &her, &desk, &vault, &key, no, xiangtan()), "LIC-CNS-020");
            refuse(tx, &her, no)?;
            refused(receipt(tx, &her, &desk, &vault, &key, no, xiangtan()), "LIC-CNS-020");
            refused(withdraw(tx, &her, no), "LIC-CNS-007");
            confirm_in_app(tx, &her, taken_back)?;
            receipt(tx, &her, &desk, &vault, &key, taken_back, xiangtan())?.verify(&desk.trust().list)?;
            refused(receipt(tx, &much_later, &desk, &vault, &key, taken_back, xiangtan()), "LIC-CNS-020");
            withdraw(tx, &her, taken_back)?;
            refused(receipt(tx, &her, &desk, &vault, &key, taken_back, xiangtan()), "LIC-CNS-020");
            Ok(())
        })
        .expect("answers");
}

#[test]
fn what_may_not_be_asked() {
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    let (ctx, vault) = (world.ctx(changsha(), NOON, window()), world.vault(changsha()));
    let stranger = world.ctx(changsha(), NOON, resident(ctx.id(tb_base::PersonId::new)));
    let question = |item: &str, fields: &[&str]| Question {
        case: case('1'),
        item: item.to_owned(),
        deciding: xiangtan(),
        person,
        asked: asked(fields),
        channel: Channel::App,
    };
    let (other_item, other_field, nothing, good) = (
        question("80", &FIELDS),
        question("121", &["name", "salary"]),
        question("121", &[]),
        question("121", &FIELDS),
    );
    world
        .write(changsha(), move |tx| {
            refused(request(tx, &ctx, &vault, &types(), other_item), "LIC-USE-001");
            refused(request(tx, &ctx, &vault, &types(), other_field), "LIC-CNS-012");
            refused(request(tx, &ctx, &vault, &types(), nothing), "LIC-CNS-012");
            refused(request(tx, &stranger, &vault, &types(), good), "LIC-CNS-010");
            Ok(())
        })
        .expect("refusals only");
}

#[test]
fn a_consent_ends_with_its_case() {
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    let refused_before = ask(&world, Channel::App, resident(person)).id;
    let given = ask(&world, Channel::App, resident(person)).id;
    let waiting = ask(&world, Channel::App, resident(person)).id;
    let her = world.ctx(changsha(), NOON, resident(person));
    let (desk, vault, key) =
        (world.desk(changsha()), world.vault(changsha()), world.secrets(changsha()).message.clone());
    world
        .write(changsha(), move |tx| {
            refuse(tx, &her, refused_before)?;
            confirm_in_app(tx, &her, given)?;
            assert_eq!(open_cases(tx, NOON, "")?, [case('1').to_string()]);
            assert_eq!(open_cases(tx, NOON, case('1').as_str())?, [""; 0]);
            assert_eq!((end_of_case(tx, &her, case('2'))?, end_of_case(tx, &her, case('1'))?), (0, 2));
            assert_eq!((end_of_case(tx, &her, case('1'))?, open_cases(tx, NOON, "")?.len()), (0, 0));
            let ended = find(tx, given)?.expect("kept");
            assert_eq!((ended.state, ended.ended_at), (ConsentState::Given, Some(NOON)));
            assert!(!ended.is_given(NOON) && ended.is_expired(NOON));
            assert_eq!(find(tx, refused_before)?.expect("kept").ended_at, None);
            refused(receipt(tx, &her, &desk, &vault, &key, given, xiangtan()), "LIC-CNS-020");
            refused(withdraw(tx, &her, given), "LIC-CNS-007");
            refused(confirm_in_app(tx, &her, waiting), "LIC-CNS-015");
            Ok(())
        })
        .expect("ended");
}

#[test]
fn a_case_that_goes_to_another_city_needs_a_new_consent() {
    let world = World::peopled(20);
    let person = world.driver(changsha()).id;
    let (before, again) =
        (ask(&world, Channel::App, resident(person)).id, ask(&world, Channel::App, resident(person)).id);
    let (her, vault) = (world.ctx(changsha(), NOON, resident(person)), world.vault(changsha()));
    let question = Question {
        case: case('1'),
        item: "121".to_owned(),
        deciding: changsha(),
        person,
        asked: asked(&FIELDS),
        channel: Channel::App,
    };
    world
        .write(changsha(), move |tx| {
            confirm_in_app(tx, &her, before)?;
            assert!(find(tx, again)?.expect("asked").ended_at.is_none(), "the same city may ask again");
            let new = request(tx, &her, &vault, &types(), question.clone())?;
            assert_eq!(new.ended_at, None);
            for id in [before, again] {
                assert_eq!(find(tx, id)?.expect("kept").ended_at, Some(NOON));
            }
            Ok(())
        })
        .expect("rerouted");
}
