//! Asked in Changsha, answered in Xiangtan.

use super::*;

fn asked(world: &World) -> MessageId {
    let new = NewEnquiry {
        office: Some(office(xiangtan(), "transport")),
        ..world.new_of(a_look(world), xiangtan())
    };
    world.ask(&new).unwrap().id
}

#[test]
fn both_cities_say_the_same_all_the_way() {
    let world = World::new();
    let id = asked(&world);
    let here = world.held(changsha(), id);
    assert!(here.is_on_its_way() && here.office.is_none());
    world.exchange();
    world.both_say(id, State::Open);
    assert_eq!(world.held(changsha(), id).office.unwrap().id, office(xiangtan(), "transport"));
    let act = answer(xiangtan(), "transport", 0);
    world.office_acts(xiangtan(), "transport", id, act, world.id()).unwrap();
    world.exchange();
    world.both_say(id, State::Answered);
    assert_eq!(world.notices(), ["enquiry.answered"]);
    world.asker_acts(id, again()).unwrap();
    world.exchange();
    world.both_say(id, State::Open);
    world.asker_acts(id, Act::Close {}).unwrap();
    world.exchange();
    world.both_say(id, State::Closed);
}

#[test]
fn a_question_waits_while_the_other_city_is_down_and_is_owed_all_the_same() {
    let mut world = World::new();
    let id = asked(&world);
    // Xiangtan is away for a week: its answer is late here, and hers to see.
    let due = world.held(changsha(), id).due;
    world.run_timers(changsha(), due.plus_seconds(2));
    assert_eq!(world.notices(), ["enquiry.late"]);
    let me = changsha();
    let owed =
        world.write(me, Actor::System, move |tx, ctx, _| queue::owed(tx, me, &Whose::Away, ctx.now, ctx.now));
    assert_eq!(owed.unwrap().late, 1);
    world.exchange();
    world.both_say(id, State::Open);
    assert!(world.held(xiangtan(), id).is_overdue(world.now), "the clock began when she asked");
    // The arrival begins no new clock: she is not told twice.
    let later = world.now.plus_seconds(60);
    world.run_timers(changsha(), later);
    world.run_timers(xiangtan(), later);
    assert_eq!(world.notices(), ["enquiry.late"]);
}

#[test]
fn what_crosses_on_the_line_ends_alike_in_both_cities() {
    let mut world = World::new();
    let id = asked(&world);
    world.exchange();
    world.now = world.now.plus_seconds(60);
    world.asker_acts(id, again()).unwrap();
    world.now = world.now.plus_seconds(60);
    let act = answer(xiangtan(), "transport", 0);
    world.office_acts(xiangtan(), "transport", id, act, world.id()).unwrap();
    world.exchange();
    world.both_say(id, State::Open);
    let act = answer(xiangtan(), "transport", 1);
    world.office_acts(xiangtan(), "transport", id, act.clone(), world.id()).unwrap();
    // She ends it before the answer is there.
    world.asker_acts(id, Act::Close {}).unwrap();
    world.exchange();
    world.both_say(id, State::Closed);
}

#[test]
fn a_message_that_comes_twice_changes_nothing() {
    let world = World::new();
    let id = asked(&world);
    let question = world.waiting(changsha()).remove(0);
    world.exchange();
    let before = world.held(xiangtan(), id);
    // The bureau sends it again under another id, as it may.
    let mut once_more = question;
    once_more.envelope.id = world.id();
    world.hand_in(&once_more).unwrap();
    assert_eq!(world.held(xiangtan(), id), before);
    assert!(world.waiting(xiangtan()).is_empty(), "nothing is said twice");
    world.asker_acts(id, again()).unwrap();
    let mut addition = world.waiting(changsha()).remove(0);
    world.exchange();
    addition.envelope.id = world.id();
    world.hand_in(&addition).unwrap();
    world.both_say(id, State::Open);
}

#[test]
fn an_addition_that_overtakes_its_question_is_tried_again() {
    let world = World::new();
    let id = asked(&world);
    world.asker_acts(id, again()).unwrap();
    let addition = world.waiting(changsha()).remove(1);
    assert!(matches!(world.hand_in(&addition), Err(Error::Fault(_))));
    world.exchange();
    world.both_say(id, State::Open);
}

/// Bends the body of a message; the other city takes it for broken.
#[track_caller]
fn check_bent(message: &Outgoing, world: &World, bend: impl Fn(&mut serde_json::Value)) {
    let mut body: serde_json::Value = serde_json::from_slice(&message.body).unwrap();
    bend(&mut body);
    let mut bent = message.clone();
    bent.envelope.id = world.id();
    bent.body = serde_json::to_vec(&body).unwrap();
    assert!(matches!(world.hand_in(&bent), Err(Error::Violation(_))), "{body}");
}

#[test]
fn a_city_speaks_for_itself_only_and_within_bounds() {
    let world = World::new();
    let id = asked(&world);
    let question = world.waiting(changsha()).remove(0);
    check_bent(&question, &world, |body| body["turn"]["city"] = "430200".into());
    check_bent(&question, &world, |body| body["turn"]["act"] = serde_json::json!({ "act": "lapse" }));
    check_bent(&question, &world, |body| body["turn"]["act"]["text"] = "字".repeat(1_001).into());
    check_bent(&question, &world, |body| body["turn"]["at"] = "2027-09-07T09:00:00.000000+08:00".into());
    check_bent(&question, &world, |body| {
        body["opening"]["about"]["look"]["fields"] = vec!["name"; 65].into();
    });
    check_bent(&question, &world, |body| body["extra"] = 1.into());
    world.exchange();
    // An answer to something that was never asked of that city, and an answer that comes from the asking side.
    let act = answer(xiangtan(), "transport", 0);
    world.office_acts(xiangtan(), "transport", id, act, world.id()).unwrap();
    let answered = world.waiting(xiangtan()).remove(0);
    check_bent(&answered, &world, |body| body["enquiry"] = "01kb3x00000000000000000099".into());
    check_bent(&answered, &world, |body| body["turn"]["act"] = serde_json::json!({ "act": "close" }));
    world.exchange();
    world.both_say(id, State::Answered);
}

#[test]
fn a_city_whose_contract_does_not_name_it_is_not_asked_and_nothing_is_half_kept() {
    let world = World::new();
    let zhuzhou: NodeId = "430200".parse().unwrap();
    let new = world.new_of(About::Anything {}, zhuzhou);
    check_code(world.ask(&new), "EXC-CON-002");
    let id = new.id;
    let left = world.write(changsha(), Actor::System, move |tx, ctx, _| {
        let timers = jobs::due(tx, ctx.now.plus_seconds(30 * 86_400), 10, LEASE)?.len();
        Ok((keep::find(tx, id)?, keep::turns(tx, id)?.len(), timers))
    });
    assert_eq!(left.unwrap(), (None, 0, 0));
}
