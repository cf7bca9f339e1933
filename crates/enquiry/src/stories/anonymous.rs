//! Asked with a telephone number alone.

use super::*;

fn asked(world: &World, to: NodeId) -> Enquiry {
    let new = NewEnquiry { asker: Asker::Phone(PHONE.into()), ..world.new_of(About::Anything {}, to) };
    world.ask(&new).unwrap()
}

fn found(world: &World, code: &str, phone: &'static str) -> Option<MessageId> {
    let code = code.to_owned();
    let find = move |tx: &mut Tx<'_>, _: &Ctx, env: &Env| keep::by_code(tx, &env.vault, &code, phone);
    world.write(changsha(), Actor::Anonymous, find).unwrap().map(|enquiry| enquiry.id)
}

#[test]
fn it_is_found_by_code_and_telephone_together() {
    let world = World::new();
    let enquiry = asked(&world, changsha());
    let spaced = format!(" {} {}", &enquiry.code[..4], enquiry.code[4..].to_ascii_lowercase());
    assert_eq!(found(&world, &spaced, PHONE), Some(enquiry.id));
    assert_eq!(found(&world, &enquiry.code, "13900139000"), None);
    assert_eq!(found(&world, "00000000", PHONE), None);
}

#[test]
fn the_message_on_her_telephone_says_nothing_of_the_matter() {
    let world = World::new();
    let enquiry = asked(&world, changsha());
    assert!(world.texts().is_empty(), "a stranger's number gets nothing before an office has answered");
    let act = answer(changsha(), "hall-1", 0);
    world.office_acts(changsha(), "hall-1", enquiry.id, act, world.id()).unwrap();
    let texts = world.texts();
    assert_eq!(texts.len(), 1);
    assert!(texts[0].contains(&enquiry.code) && !texts[0].contains("窗口"), "{}", texts[0]);
}

#[test]
fn one_telephone_has_few_open_ones() {
    let world = World::new();
    for _ in 0..acts::OPEN_OF_PHONE_MAX {
        asked(&world, changsha());
    }
    let new =
        NewEnquiry { asker: Asker::Phone(PHONE.into()), ..world.new_of(About::Anything {}, changsha()) };
    check_code(world.ask(&new), "ENQ-ASK-001");
}

#[test]
fn the_number_stays_in_the_city_where_it_was_left() {
    let world = World::new();
    let enquiry = asked(&world, xiangtan());
    let message = world.waiting(changsha()).remove(0);
    assert!(message.envelope.subject.is_none());
    let body = String::from_utf8(message.body.clone()).unwrap();
    assert!(!body.contains(PHONE) && !body.contains(&enquiry.code), "{body}");
    world.exchange();
    assert_eq!(world.held(xiangtan(), enquiry.id).asker, Asker::Elsewhere);
    let act = answer(xiangtan(), "hall-1", 0);
    world.office_acts(xiangtan(), "hall-1", enquiry.id, act, world.id()).unwrap();
    world.exchange();
    world.both_say(enquiry.id, State::Answered);
    assert_eq!(world.texts().len(), 1);
}
