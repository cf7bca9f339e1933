//! The holder in Changsha, her licence in Xiangtan: what she reads and shows, and what nobody else does.

use tb_base::{LicenceId, MessageId, Timestamp};
use tb_exchange::Answer;

use super::{Own, Present, Presented, Told, draw, locate, message, presented};
use crate::ask;
use crate::peer::Verdict;
use crate::present::PresentationState;
use crate::state::State;
use crate::tests_support::{
    NOON, QUALIFICATION, World, changsha, names, refused, resident, xiangtan, zhuzhou,
};

const INSPECTOR: &str = "inspector/430200-transport";

fn ask(world: &World, ask: &Present, now: Timestamp) -> Answer {
    let person = world.driver(changsha());
    let ctx = world.ctx(changsha(), now, resident(person.id));
    let message = message(&world.desk(changsha()), &ctx, xiangtan(), person.number.as_str(), ask);
    world.carry(message.expect("composed"), now).expect("an answer")
}

fn told(world: &World, presentation: MessageId, now: Timestamp) -> Told {
    let answer = ask(world, &Present::Ask { presentation }, now);
    match presented(world.trust(), &answer).expect("told") {
        Presented::Told(told) => told,
        other => panic!("{other:?}"),
    }
}

fn own(world: &World, licence: LicenceId) -> Own {
    match presented(world.trust(), &ask(world, &Present::Read { licence }, NOON)).expect("read") {
        Presented::Licence(own) => *own,
        other => panic!("{other:?}"),
    }
}

#[test]
fn she_finds_and_reads_her_own() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let person = world.driver(changsha());
    let ctx = world.ctx(changsha(), NOON, resident(person.id));
    let types = names(&[QUALIFICATION, "business_licence"]);
    let asked = locate(&world.desk(changsha()), &ctx, xiangtan(), person.number.as_str(), types);
    let found = ask::located(&world.carry(asked.expect("composed"), NOON).expect("an answer"));
    assert_eq!(found.expect("found").iter().map(|it| it.id).collect::<Vec<_>>(), [licence.id]);

    let own = own(&world, licence.id);
    assert_eq!((own.state, own.in_force, own.history.len()), (State::Valid, true, 1));
    assert_eq!(own.extract.plain().get("category").map(String::as_str), Some("经营性道路货物运输驾驶员"));
    assert!(own.withheld.contains("resident_number"), "the contract keeps it back");
    let other = "01kq3zt0000000000000000000".parse().expect("an id");
    refused(presented(world.trust(), &ask(&world, &Present::Read { licence: other }, NOON)), "LIC-FND-001");
}

#[test]
fn she_shows_from_another_city() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let person = world.driver(changsha());
    let her = world.ctx(changsha(), NOON, resident(person.id));
    let (code, make) = draw(&her, xiangtan(), licence.id);
    let made = presented(world.trust(), &ask(&world, &make, NOON)).expect("made");
    let Presented::Made { presentation, expires } = made else { panic!("{made:?}") };
    assert_eq!(expires, NOON.plus_seconds(60));
    assert_eq!(told(&world, presentation, NOON).state, PresentationState::Open);

    let inspector = world.system(zhuzhou());
    let query = ask::verify(&world.desk(zhuzhou()), &inspector, &code.to_string(), INSPECTOR);
    let answer = world.carry(query.expect("composed"), NOON);
    let verdict = ask::verdict(world.trust(), &inspector, xiangtan(), answer).expect("a verdict");
    assert!(matches!(verdict, Verdict::Yes { .. }), "{verdict:?}");
    let told = told(&world, presentation, NOON);
    assert_eq!((told.verifier_city, told.verdict.as_deref()), (Some(zhuzhou()), Some("yes")));
    assert_eq!(told.verifier_actor.as_deref(), Some(INSPECTOR));
}

#[test]
fn nobody_else_asks_in_her_name() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let person = world.driver(changsha());
    let ctx = world.ctx(changsha(), NOON, resident(person.id));
    let number = person.number;
    let mut clerk = message(
        &world.desk(changsha()),
        &ctx,
        xiangtan(),
        number.as_str(),
        &Present::Read { licence: licence.id },
    )
    .expect("composed");
    clerk.envelope.actor = "window/430100-hall-1".to_owned();
    refused(presented(world.trust(), &world.carry(clerk, NOON).expect("an answer")), "LIC-PRE-003");
}
