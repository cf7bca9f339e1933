//! What officers and applicants write lies sealed: a column opens in its own row only, and the chain still holds.

use tb_base::{Actor, CaseId, Error, Role};
use tb_store::{Stmt, params, stmt};

use super::*;
use crate::command::Command;

const WORDS: &str = "申请人说他住在金丝雀巷七号";

const RAW: [Stmt; 4] = [
    stmt("test.events", "SELECT event AS held FROM case_event ORDER BY case_id, seq"),
    stmt("test.heads", "SELECT state AS held FROM case_head"),
    stmt("test.views", "SELECT view AS held FROM case_reference"),
    stmt("test.custody", "SELECT answer AS held FROM case_custody"),
];
const SWAP: Stmt = stmt(
    "test.swap",
    "
    UPDATE case_event
    SET event = (SELECT e.event FROM case_event e WHERE e.case_id = $1 AND e.seq = 2)
    WHERE case_id = $1 AND seq = 3
",
);
const BEND: Stmt = stmt("test.bend", "UPDATE case_head SET state = $2 WHERE case_id = $1");
const STATE: Stmt = stmt("test.state", "SELECT state FROM case_head WHERE case_id = $1");

/// A case of Changsha, decided in Xiangtan, in which a reviewer wrote freely.
fn written(world: &mut World) -> CaseId {
    let case = world.file("collecting_window");
    world.exchange();
    let mut asked = correction();
    if let Command::AskCorrection { lines } = &mut asked {
        lines[0].what = WORDS.to_owned();
    }
    here(world, Role::Reviewer, case, asked);
    world.exchange();
    case
}

#[test]
fn free_texts_lie_sealed_in_both_cities() {
    let mut world = World::new();
    let case = written(&mut world);
    let mut seen = 0;
    for node in [changsha(), xiangtan()] {
        for raw in RAW {
            let held = world.write(node, Actor::System, move |tx, _, _| {
                tx.all(&raw, &[])?.iter().map(|row| row.get::<String>("held")).collect::<Result<Vec<_>, _>>()
            });
            for text in held.unwrap() {
                seen += 1;
                assert!(text.starts_with("TBS1") && !text.contains(WORDS), "{}: {text}", raw.name);
            }
        }
    }
    assert!(6 <= seen, "{seen} values were looked at");
    // Both cities read it, and the chain of hashes is over what was written, not over how it lies.
    check_same(&world, case, PhaseKind::Correcting);
    let view = world.view(changsha(), case);
    assert_eq!(view.correction.unwrap().lines[0].what, WORDS);
}

#[track_caller]
fn check_violation<T>(outcome: Result<T, Error>) {
    match outcome {
        Err(Error::Violation(violation)) => assert_eq!(violation.code, "sealed-invalid"),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("it opened"),
    }
}

#[test]
fn a_sealed_event_opens_in_its_own_row_only() {
    let mut world = World::new();
    let case = written(&mut world);
    world.write(xiangtan(), Actor::System, move |tx, _, _| tx.run(&SWAP, params![case])).unwrap();
    check_violation(world.write(xiangtan(), Actor::System, move |tx, _, _| keep::records(tx, case)));
}

#[test]
fn a_changed_letter_of_a_sealed_head_is_a_violation() {
    let mut world = World::new();
    let case = written(&mut world);
    world
        .write(xiangtan(), Actor::System, move |tx, _, _| {
            let mut state: String = tx.one(&STATE, params![case])?.unwrap().get("state")?;
            let other = if state.get(60..61) == Some("A") { "B" } else { "A" };
            state.replace_range(60..61, other);
            tx.run(&BEND, params![case, state])
        })
        .unwrap();
    check_violation(world.write(xiangtan(), Actor::System, move |tx, _, _| keep::head(tx, case)));
}
