//! Units of any shape against a model: the rows are those of the units that succeeded, whatever failed between.

use std::collections::BTreeSet;

use proptest::prelude::{Strategy, any, prop, proptest};
use tb_base::{Fault, Result};

use super::bench::{INSERT, TEST};
use crate::{Config, Store, Tx, params, stmt};

const ALL: crate::Stmt = stmt("test.all", "SELECT id FROM test_row ORDER BY id");

/// One step of a unit.
#[derive(Clone, Debug)]
enum Step {
    Insert(u8),
    Attempt(Vec<Step>),
    Fail,
    Panic,
}

fn step() -> impl Strategy<Value = Step> {
    let leaf = prop::strategy::Union::new_weighted(vec![
        (8, (0..12_u8).prop_map(Step::Insert).boxed()),
        (1, any::<()>().prop_map(|()| Step::Fail).boxed()),
        (1, any::<()>().prop_map(|()| Step::Panic).boxed()),
    ]);
    leaf.prop_recursive(3, 12, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Step::Attempt))
}

/// How the model leaves a step.
enum Outcome {
    Done,
    Failed,
    Panicked,
}

fn expect(rows: &mut BTreeSet<u8>, steps: &[Step]) -> Outcome {
    for step in steps {
        match step {
            Step::Insert(id) if !rows.insert(*id) => return Outcome::Failed,
            Step::Insert(_) => {}
            Step::Fail => return Outcome::Failed,
            Step::Panic => return Outcome::Panicked,
            Step::Attempt(inner) => {
                let mut tried = rows.clone();
                match expect(&mut tried, inner) {
                    Outcome::Done => *rows = tried,
                    Outcome::Failed => {}
                    Outcome::Panicked => return Outcome::Panicked,
                }
            }
        }
    }
    Outcome::Done
}

fn run(tx: &mut Tx<'_>, steps: &[Step]) -> Result<()> {
    for step in steps {
        match step {
            Step::Insert(id) => drop(tx.run(&INSERT, params![format!("{id:02}"), 1_i64])?),
            Step::Fail => return Err(Fault::new("as the test wants").into()),
            Step::Panic => panic!("as the test wants"),
            // A failed part is passed over: the rest of the unit goes on.
            Step::Attempt(inner) => drop(tx.attempt(|tx| run(tx, inner))),
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(prop::test_runner::Config { cases: 64, ..prop::test_runner::Config::default() })]

    #[test]
    fn rows_are_those_of_units_that_succeeded(units in prop::collection::vec(prop::collection::vec(step(), 0..5), 0..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (kept, expected) = runtime.block_on(async {
            let store = Store::open(&Config::memory(), &[TEST]).await.unwrap();
            let mut expected = BTreeSet::new();
            for steps in units {
                let mut rows = expected.clone();
                let succeeds = matches!(expect(&mut rows, &steps), Outcome::Done);
                let outcome = store.write("test.unit", move |tx| run(tx, &steps)).await;
                assert_eq!(outcome.is_ok(), succeeds);
                if succeeds {
                    expected = rows;
                }
            }
            let kept = store.read("test.all", |tx| {
                tx.all(&ALL, &[])?.iter().map(|row| row.get::<String>("id")).collect::<Result<Vec<_>>>()
            });
            (kept.await.unwrap(), expected)
        });
        assert_eq!(kept, expected.iter().map(|id| format!("{id:02}")).collect::<Vec<_>>());
    }
}
