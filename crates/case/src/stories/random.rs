//! Random histories of two cities: any party acts at any time, messages are late, doubled and out of order.

use proptest::prelude::*;
use tb_base::{Actor, CaseId, Error, Role};
use tb_exchange::Outgoing;

use super::world::World;
use crate::case::PhaseKind;
use crate::command::Command;
use crate::definitions::RatingTarget;
use crate::fixture::{answer, approve, changsha, correction, deliver, opine, rate, refuse, xiangtan};
use crate::keep;

#[derive(Clone, Debug)]
enum Turn {
    /// Somebody tries something: applicant or window in Changsha, or an officer in Xiangtan.
    Act(Command, u8),
    /// One of the waiting messages arrives.
    Deliver(prop::sample::Index),
    /// A message that had arrived before arrives again.
    Again(prop::sample::Index),
    /// Time goes on.
    Wait(u8),
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let command = prop::sample::select(vec![
        correction(),
        answer(),
        answer(),
        Command::Accept,
        Command::Accept,
        opine(),
        approve(),
        approve(),
        refuse("conditions-not-met"),
        Command::IssueResult { result: None },
        deliver(),
        Command::Extend { reason: "需要核实".into() },
        rate(RatingTarget::Window),
        rate(RatingTarget::Department),
        Command::Withdraw,
    ]);
    let turn = prop_oneof![
        6 => (command, 0_u8..5).prop_map(|(command, who)| Turn::Act(command, who)),
        6 => any::<prop::sample::Index>().prop_map(Turn::Deliver),
        2 => any::<prop::sample::Index>().prop_map(Turn::Again),
        1 => (1_u8..72).prop_map(Turn::Wait),
    ];
    prop::collection::vec(turn, 5..60)
}

fn take(world: &mut World, case: CaseId, turn: Turn, arrived: &mut Vec<Outgoing>) {
    let waiting = || [world.waiting(changsha()), world.waiting(xiangtan())].concat();
    match turn {
        Turn::Act(command, who) => {
            let (node, actor) = match who {
                0 => (changsha(), world.driver(changsha())),
                1 => (changsha(), world.staff(changsha(), Role::Window)),
                2 => (xiangtan(), world.driver(xiangtan())),
                3 => (xiangtan(), world.staff(xiangtan(), Role::Reviewer)),
                _ => (xiangtan(), world.staff(xiangtan(), Role::Approver)),
            };
            match world.act(node, actor, case, command) {
                Ok(_) | Err(Error::Refused(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Turn::Deliver(at) => {
            let waiting = waiting();
            if waiting.is_empty() {
                return;
            }
            let message = at.get(&waiting);
            match world.deliver(message) {
                Ok(()) => arrived.push(message.clone()),
                Err(Error::Fault(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
        Turn::Again(at) if !arrived.is_empty() => world.deliver(at.get(arrived)).unwrap(),
        Turn::Again(_) => {}
        Turn::Wait(hours) => world.now = world.now.plus_seconds(i64::from(hours) * 3_600),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever happens on the way, in the end both cities show the same, one owns, and the chain holds.
    #[test]
    fn two_cities_agree_in_the_end(turns in turns()) {
        let mut world = World::new();
        let case = world.file("collecting_window");
        let mut arrived = Vec::new();
        for turn in turns {
            take(&mut world, case, turn, &mut arrived);
            // Where both hold a head, the offering one can do nothing with it.
            let heads: Vec<_> = [changsha(), xiangtan()]
                .into_iter()
                .filter_map(|node| world.write(node, Actor::System, move |tx, _, _| keep::head(tx, case)).unwrap())
                .collect();
            let able = heads.iter().filter(|kept| kept.case.phase.kind() != PhaseKind::Offered).count();
            prop_assert!(able <= 1);
        }
        world.exchange();
        super::check_same(&world, case, world.view(xiangtan(), case).phase);
    }
}
