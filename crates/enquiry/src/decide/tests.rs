//! The rules as a table, and that crossing messages leave both cities with the same.

use proptest::prelude::*;
use tb_base::{MessageId, NodeId, OfficeId, Timestamp};

use super::{AGAINS_MAX, By, PASSES_MAX, allowed, decide, standing};
use crate::enquiry::{About, Act, ActKind, Asker, Enquiry, Place, State, Turn};

const ASKED: Timestamp = Timestamp(1_788_742_800_000_000);

fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

fn office(name: &str) -> Place {
    Place { id: name.parse().unwrap(), zh: name.to_owned(), en: name.to_owned() }
}

fn id(number: u8) -> MessageId {
    format!("01kb3x000000000000000000{number:02}").parse().unwrap()
}

fn enquiry(state: State) -> Enquiry {
    Enquiry {
        id: id(0),
        about: About::Anything {},
        asker: Asker::Elsewhere,
        signed_in: false,
        code: String::new(),
        from: node("430100"),
        to: node("430300"),
        office: Some(office("430300-hall-1")),
        state,
        asked: ASKED,
        since: ASKED,
        due: ASKED.plus_seconds(86_400),
        received: Some(ASKED),
        turns: 2,
        agains: 0,
        passes: 0,
    }
}

#[track_caller]
fn check(state: State, by: By<'_>, expected: &[ActKind]) {
    assert_eq!(allowed(&enquiry(state), by), expected, "{state:?} {by:?}");
}

#[test]
fn each_state_allows_each_side_its_own() {
    let (own, other): (OfficeId, OfficeId) =
        ("430300-hall-1".parse().unwrap(), "430300-bureau".parse().unwrap());
    let (asker, holder, another) = (By::Asker, By::Office(&own), By::Office(&other));
    check(State::Open, asker, &[ActKind::Again, ActKind::Close]);
    check(State::Open, holder, &[ActKind::Answer, ActKind::PassOn, ActKind::Return]);
    check(State::Open, another, &[]);
    for state in [State::Answered, State::Returned] {
        check(state, asker, &[ActKind::Again, ActKind::Close]);
        check(state, holder, &[]);
    }
    check(State::Closed, asker, &[]);
    check(State::Closed, holder, &[]);
}

#[track_caller]
fn check_code(enquiry: &Enquiry, act: &Act, by: By<'_>, code: &str) {
    assert_eq!(decide(enquiry, act, by).unwrap_err().code, code);
}

#[test]
fn nobody_is_sent_round_in_circles() {
    let own: OfficeId = "430300-hall-1".parse().unwrap();
    let text = "请看".parse().unwrap();
    let pass = |to: &str| Act::PassOn {
        office: office("430300-hall-1"),
        to: office(to),
        text: "归口".parse().unwrap(),
    };
    check_code(&enquiry(State::Open), &pass("430300-hall-1"), By::Office(&own), "ENQ-PAS-002");
    let passed = Enquiry { passes: PASSES_MAX, ..enquiry(State::Open) };
    check_code(&passed, &pass("430300-bureau"), By::Office(&own), "ENQ-PAS-001");
    let added = Enquiry { agains: AGAINS_MAX, ..enquiry(State::Open) };
    check_code(&added, &Act::Again { text }, By::Asker, "ENQ-AGN-001");
    check_code(&enquiry(State::Open), &Act::Lapse {}, By::Asker, "ENQ-WHO-002");
    check_code(&enquiry(State::Open), &Act::Lapse {}, By::System, "ENQ-STA-001");
}

fn turn(number: u8, minutes: i64, act: Act) -> Turn {
    Turn { id: id(number), at: ASKED.plus_seconds(minutes * 60), city: node("430100"), act }
}

fn again() -> Act {
    Act::Again { text: "还有".parse().unwrap() }
}

fn answer(after: u32) -> Act {
    Act::Answer { office: office("430300-hall-1"), text: "已办".parse().unwrap(), after }
}

/// Whatever an asker and an office may say, with clocks that differ.
fn any_turns() -> impl Strategy<Value = Vec<Turn>> {
    let act = prop_oneof![
        Just(again()),
        (0..4_u32).prop_map(answer),
        (0..4_u32).prop_map(|after| Act::Return {
            office: office("430300-hall-1"),
            text: "不归口".parse().unwrap(),
            after,
        }),
        Just(Act::PassOn {
            office: office("430300-hall-1"),
            to: office("430300-bureau"),
            text: "归口".parse().unwrap(),
        }),
        Just(Act::Receive { office: office("430300-hall-1") }),
        Just(Act::Close {}),
    ];
    prop::collection::vec((act, 0..600_i64), 0..8).prop_map(|acts| {
        let ask = turn(0, 0, Act::Ask { text: "卡住了".parse().unwrap() });
        let rest = acts.into_iter().zip(1..).map(|((act, minutes), number)| turn(number, minutes, act));
        std::iter::once(ask).chain(rest).collect()
    })
}

proptest! {
    /// The asking city and the answering city have the same turns in different orders.
    #[test]
    fn the_order_of_arrival_does_not_matter(turns in any_turns(), seed in any::<u64>()) {
        let mut other = turns.clone();
        let length = other.len();
        for at in (1..length).rev() {
            let with = usize::try_from(seed.rotate_left(u32::try_from(at).unwrap()) % (at as u64 + 1)).unwrap();
            other.swap(at, with);
        }
        prop_assert_eq!(standing(ASKED, &turns), standing(ASKED, &other));
    }
}

#[test]
fn what_crosses_an_answer_waits_for_another_one() {
    let ask = turn(0, 0, Act::Ask { text: "卡住了".parse().unwrap() });
    // The office answered before it had read what she added: it still owes an answer, from then on.
    let crossed = [ask.clone(), turn(1, 10, again()), turn(2, 12, answer(0))];
    let now = standing(ASKED, &crossed);
    assert_eq!((now.state, now.since), (State::Open, ASKED.plus_seconds(600)));
    let read = [ask.clone(), turn(1, 10, again()), turn(2, 12, answer(1))];
    assert_eq!(standing(ASKED, &read).state, State::Answered);
    // What she added while nobody had answered begins no new clock.
    let added = [ask, turn(1, 10, again())];
    assert_eq!(standing(ASKED, &added).since, ASKED);
}
