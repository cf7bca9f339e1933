//! Every reader over its kept inputs and mutations from a fixed seed: part of each check of the project.

use tb_fuzz::run::{Until, run, try_one};
use tb_fuzz::{Target, targets};

/// Another seed finds other things; this one makes a failure stay a failure.
const SEED: u64 = 20_261_124;

#[test]
fn every_reader_holds_on_kept_and_bent_input() {
    let (targets, mut broken) = (targets(), Vec::new());
    std::thread::scope(|scope| {
        let running: Vec<_> = targets
            .iter()
            .map(|target| (target.name, scope.spawn(|| run(target, SEED, Until::Count(target.mutations)))))
            .collect();
        for (name, thread) in running {
            match thread.join().expect("the runner itself holds") {
                Ok(tried) => assert!(1_000 <= tried, "{name} tried {tried} only"),
                Err(found) => {
                    let input = String::from_utf8_lossy(&found.input).chars().take(2_000).collect::<String>();
                    broken.push(format!("{name}: {}\n  input: {input:?}", found.how));
                }
            }
        }
    });
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A reader that reads none of its seeds would only be tried at its first letter.
#[test]
fn every_reader_reads_what_is_good() {
    let reads = |target: &Target| {
        (target.seeds)().iter().any(|seed| try_one(target, seed).expect("a good input holds"))
    };
    let without: Vec<&str> = targets().iter().filter(|it| !reads(it)).map(|it| it.name).collect();
    assert!(without.is_empty(), "{without:?} read none of their seeds");
}

/// The runner finds what it is there to find.
#[test]
fn a_reader_that_breaks_is_found() {
    fn breaks(input: &[u8]) -> bool {
        assert!(!input.windows(2).any(|pair| pair == b"99"), "nines");
        true
    }
    let target =
        tb_fuzz::Target { name: "test", run: breaks, seeds: || vec![b"12345".to_vec()], mutations: 0 };
    let found = run(&target, SEED, Until::Count(200_000)).expect_err("the nines are found");
    assert!(found.how.contains("nines"), "{}", found.how);
}

#[test]
fn names_are_plain_and_single() {
    let mut names: Vec<&str> = targets().iter().map(|target| target.name).collect();
    assert!(15 <= names.len());
    assert!(
        names.iter().all(|name| name.bytes().all(|letter| letter.is_ascii_lowercase() || letter == b'-'))
    );
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), targets().len());
}
