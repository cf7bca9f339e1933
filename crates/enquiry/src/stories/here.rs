//! Asked and answered in one city.

use super::*;

#[test]
fn what_is_stuck_comes_to_the_hall_and_the_answer_to_her() {
    let world = World::new();
    let asked = world.ask(&world.new_of(About::Item { item: 121 }, changsha())).unwrap();
    assert_eq!(asked.office.as_ref().unwrap().id, office(changsha(), "hall-1"));
    assert_eq!(asked.due.date().to_string(), "2026-09-08", "one working day");
    let turn = world.id();
    let answered = world.office_acts(changsha(), "hall-1", asked.id, answer(changsha(), "hall-1", 0), turn);
    assert_eq!(answered.unwrap().state, State::Answered);
    assert_eq!(world.notices(), ["enquiry.answered"]);
    let open = world.asker_acts(asked.id, again()).unwrap();
    assert_eq!((open.state, open.since), (State::Open, world.now));
    assert_eq!(world.asker_acts(asked.id, Act::Close {}).unwrap().state, State::Closed);
    check_code(world.asker_acts(asked.id, again()), "ENQ-STA-001");
}

#[test]
fn pressing_twice_asks_and_answers_once() {
    let world = World::new();
    let new = world.new_of(About::Anything {}, changsha());
    let (first, second) = (world.ask(&new).unwrap(), world.ask(&new).unwrap());
    assert_eq!((first.id, first.turns), (second.id, second.turns));
    // The same form with other words in it is another question: nothing that was typed is lost.
    let other = NewEnquiry { text: "另一件事".parse().unwrap(), ..new.clone() };
    assert_ne!(world.ask(&other).unwrap().id, first.id);
    // Somebody else's id opens nothing.
    let stranger = NewEnquiry { asker: Asker::Phone(PHONE.into()), ..new };
    assert_ne!(world.ask(&stranger).unwrap().id, first.id);
    let turn = world.id();
    for _ in 0..2 {
        world.office_acts(changsha(), "hall-1", first.id, answer(changsha(), "hall-1", 0), turn).unwrap();
    }
    assert_eq!(world.held(changsha(), first.id).turns, 3, "asked, received, answered");
    assert_eq!(world.notices(), ["enquiry.answered"]);
}

#[test]
fn it_is_handed_on_and_only_who_has_it_answers() {
    let world = World::new();
    let id = world.ask(&world.new_of(About::Anything {}, changsha())).unwrap().id;
    let place =
        |name: &str| crate::Place { id: office(changsha(), name), zh: name.to_owned(), en: name.to_owned() };
    let pass =
        Act::PassOn {
            office: place("hall-1"), to: place("transport"), text: "归交通局".parse().unwrap()
        };
    let passed = world.office_acts(changsha(), "hall-1", id, pass, world.id()).unwrap();
    assert_eq!(passed.office.unwrap().id, office(changsha(), "transport"));
    assert_eq!(passed.due, world.held(changsha(), id).due, "handing on gives no more time");
    let act = answer(changsha(), "hall-1", 0);
    check_code(world.office_acts(changsha(), "hall-1", id, act, world.id()), "ENQ-WHO-001");
    let act = answer(changsha(), "transport", 0);
    world.office_acts(changsha(), "transport", id, act, world.id()).unwrap();
    assert_eq!(world.notices(), ["enquiry.passed", "enquiry.answered"]);
}

#[test]
fn whoever_answers_has_read_everything() {
    let world = World::new();
    let id = world.ask(&world.new_of(About::Anything {}, changsha())).unwrap().id;
    let seen = world.held(changsha(), id).turns;
    world.asker_acts(id, again()).unwrap();
    let (own, turn) = (office(changsha(), "hall-1"), world.id());
    let late = world.write(changsha(), Actor::System, move |tx, ctx, env| {
        let act = answer(changsha(), "hall-1", 0);
        acts::act(tx, ctx, env, id, &Doing { turn, act, by: By::Office(&own), seen: Some(seen) })
    });
    check_code(late, "ENQ-SEQ-001");
}

#[test]
fn an_answer_that_is_late_is_seen_and_silence_ends_what_was_answered() {
    let mut world = World::new();
    let asked = world.ask(&world.new_of(a_look(&world), changsha())).unwrap();
    assert_eq!(
        asked.office.as_ref().unwrap().id,
        office(changsha(), "bureau"),
        "nobody named: the data bureau"
    );
    world.run_timers(changsha(), asked.due);
    assert!(world.notices().is_empty(), "the day is not over");
    let late = asked.due.plus_seconds(2);
    world.run_timers(changsha(), late);
    world.run_timers(changsha(), late.plus_seconds(86_400));
    assert_eq!(world.notices(), ["enquiry.late"], "once");
    let me = changsha();
    let owed = world.write(me, Actor::System, move |tx, ctx, _| {
        let of_bureau = queue::owed(tx, me, &Whose::Office(office(me, "bureau")), ctx.now, ctx.now)?;
        let of_hall = queue::owed(tx, me, &Whose::Office(office(me, "hall-1")), ctx.now, ctx.now)?;
        let late = Filter { due_before: Some(ctx.now), ..Filter::default() };
        let listed = queue::list(tx, me, &Whose::City, &late, 0)?;
        Ok((of_bureau.late, of_hall.open, listed.total, queue::by_office(tx, me, ctx.now)?))
    });
    let (of_bureau, of_hall, listed, by_office) = owed.unwrap();
    assert_eq!((of_bureau, of_hall, listed), (1, 0, 1));
    assert_eq!((by_office[0].office.clone(), by_office[0].late), (office(me, "bureau"), 1));
    world.office_acts(me, "bureau", asked.id, answer(me, "bureau", 0), world.id()).unwrap();
    let answered = world.now;
    world.run_timers(me, answered.plus_seconds(14 * 86_400));
    assert_eq!(world.held(me, asked.id).state, State::Answered);
    world.run_timers(me, answered.plus_seconds(30 * 86_400));
    assert_eq!(world.held(me, asked.id).state, State::Closed);
    let purged = |world: &World| {
        let purge =
            |tx: &mut Tx<'_>, ctx: &Ctx, env: &Env| keep::purge(tx, env.limits.kept_since(ctx.now), 10);
        world.write(me, Actor::System, purge).unwrap()
    };
    assert_eq!(purged(&world), 0);
    world.now = answered.plus_seconds(400 * 86_400);
    assert_eq!((purged(&world), purged(&world)), (1, 0));
    let id = asked.id;
    let left =
        world.write(me, Actor::System, move |tx, _, _| Ok((keep::find(tx, id)?, keep::turns(tx, id)?)));
    assert_eq!(left.unwrap(), (None, Vec::new()));
}

#[test]
fn nobody_floods_an_office() {
    let world = World::new();
    for _ in 0..acts::OPEN_OF_PERSON_MAX {
        world.ask(&world.new_of(About::Anything {}, changsha())).unwrap();
    }
    check_code(world.ask(&world.new_of(About::Anything {}, changsha())), "ENQ-ASK-001");
}

#[test]
fn a_text_is_short_and_plain() {
    for (text, code) in
        [("  \n", "ENQ-TXT-001"), ("\u{7}响", "ENQ-TXT-003"), (&"长".repeat(1_001), "ENQ-TXT-002")]
    {
        assert_eq!(text.parse::<crate::Wording>().unwrap_err().code, code);
    }
    assert_eq!(" 一\r\n二 ".parse::<crate::Wording>().unwrap().as_str(), "一\n二");
}
