//! The rules of grants as tables: each day, each side, each refusal by its code.

use tb_base::{Error, MessageId, PersonId, Result, Timestamp, Uscc};

use super::*;
use crate::grants::Ended;

const GIVEN: &str = "2026-11-01";

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The `n`-th person.
fn person(n: u8) -> PersonId {
    format!("01kq3zt000000000000000000{n}").parse().unwrap()
}

const OWNER: u8 = 1;
const AGENT: u8 = 2;
const OTHER: u8 = 3;

fn firm(status: EnterpriseStatus) -> Enterprise {
    let body = "91430100MA4L000P0";
    let uscc: Uscc = format!("{body}{}", Uscc::check_letter(body).unwrap()).parse().unwrap();
    Enterprise {
        uscc,
        name: "新程物流".to_owned(),
        representative: Some(person(OWNER)),
        division: "430103".parse().unwrap(),
        address: "天心区".to_owned(),
        status,
    }
}

fn grant(agent: u8, from: &str, to: &str, ended: Option<(&str, u8)>) -> Grant {
    Grant {
        id: "01kq3zt0000000000000000009".parse::<MessageId>().unwrap(),
        enterprise: firm(EnterpriseStatus::Active).uscc,
        agent: person(agent),
        matters: [Matter::Cases].into(),
        from: day(from),
        to: day(to),
        given_by: person(OWNER),
        given: Timestamp::at(day(GIVEN), 9),
        ended: ended.map(|(at, by)| Ended { at: Timestamp::at(day(at), 10), by: person(by) }),
    }
}

/// `ok`, or the code of the refusal.
fn said<T>(outcome: Result<T>) -> String {
    match outcome {
        Ok(_) => "ok".to_owned(),
        Err(Error::Refused(refusal)) => refusal.code.into_owned(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn a_grant_counts_from_its_first_day_to_its_last() {
    let held = grant(AGENT, "2026-12-01", "2026-12-31", None);
    for (today, expected) in [
        ("2026-11-30", "IDN-GRT-002"),
        ("2026-12-01", "ok"),
        ("2026-12-31", "ok"),
        ("2027-01-01", "IDN-GRT-003"),
    ] {
        let outcome =
            standing(&firm(EnterpriseStatus::Active), std::slice::from_ref(&held), person(AGENT), day(today));
        assert_eq!(said(outcome), expected, "{today}");
    }
}

#[test]
fn who_acts_for_an_enterprise() {
    let holds = || grant(AGENT, "2026-11-01", "2026-12-31", None);
    let gone = || grant(AGENT, "2025-01-01", "2025-12-31", None);
    let ended = || grant(AGENT, "2026-11-01", "2026-12-31", Some(("2026-11-20", OWNER)));
    let active = EnterpriseStatus::Active;
    let cases: [(&str, EnterpriseStatus, Vec<Grant>, u8, &str); 9] = [
        ("the representative", active, vec![], OWNER, "ok"),
        ("of an abnormal one too", EnterpriseStatus::Abnormal, vec![], OWNER, "ok"),
        ("an agent", active, vec![holds()], AGENT, "ok"),
        ("a stranger", active, vec![], OTHER, "IDN-GRT-001"),
        ("a grant that was ended", active, vec![ended()], AGENT, "IDN-GRT-004"),
        ("a new one after one that ended", active, vec![holds(), ended()], AGENT, "ok"),
        ("the latest of those that are over speaks", active, vec![gone(), ended()], AGENT, "IDN-GRT-004"),
        ("an enterprise that is closed", EnterpriseStatus::Closed, vec![holds()], AGENT, "IDN-GRT-011"),
        ("a stranger learns nothing of a closed one", EnterpriseStatus::Closed, vec![], OTHER, "IDN-GRT-001"),
    ];
    for (what, status, hers, who, expected) in cases {
        assert_eq!(said(standing(&firm(status), &hers, person(who), day("2026-11-24"))), expected, "{what}");
    }
}

#[test]
fn a_grant_covers_what_it_names() {
    let agent = Standing::Agent(grant(AGENT, GIVEN, "2026-12-31", None));
    for (matter, expected) in
        [(Matter::Cases, "ok"), (Matter::Licences, "IDN-GRT-005"), (Matter::Benefits, "IDN-GRT-005")]
    {
        assert_eq!(said(covers(&agent, matter)), expected, "{matter:?}");
        assert_eq!(said(covers(&Standing::Representative, matter)), "ok");
    }
}

#[test]
fn giving() {
    let terms = Terms::shipped().unwrap();
    let today = day("2026-11-24");
    let check = |what: &str, status, known: &[Grant], giver: u8, wish: Wish, expected: &str| {
        let outcome = give(&firm(status), known, person(giver), &wish, &terms, today);
        assert_eq!(said(outcome), expected, "{what}");
    };
    let wish = |agent: u8, from: &str, to: &str| Wish {
        agent: person(agent),
        matters: [Matter::Cases].into(),
        from: day(from),
        to: day(to),
    };
    let (active, fine) = (EnterpriseStatus::Active, || wish(AGENT, "2026-11-24", "2027-11-23"));
    check("today and for a year", active, &[], OWNER, fine(), "ok");
    check("one day", active, &[], OWNER, wish(AGENT, "2026-11-24", "2026-11-24"), "ok");
    check("the longest", active, &[], OWNER, wish(AGENT, "2026-11-24", "2029-11-23"), "ok");
    check("a day longer", active, &[], OWNER, wish(AGENT, "2026-11-24", "2029-11-24"), "IDN-GRT-007");
    check("from yesterday", active, &[], OWNER, wish(AGENT, "2026-11-23", "2026-12-01"), "IDN-GRT-007");
    check("backwards", active, &[], OWNER, wish(AGENT, "2026-12-02", "2026-12-01"), "IDN-GRT-007");
    check("nothing", active, &[], OWNER, Wish { matters: BTreeSet::new(), ..fine() }, "IDN-GRT-016");
    check("to herself", active, &[], OWNER, wish(OWNER, "2026-11-24", "2026-12-01"), "IDN-GRT-008");
    check(
        "an agent passes it on",
        active,
        &[],
        AGENT,
        wish(OTHER, "2026-11-24", "2026-12-01"),
        "IDN-GRT-006",
    );
    check("revoked", EnterpriseStatus::Revoked, &[], OWNER, fine(), "IDN-GRT-011");
    let held = grant(AGENT, "2026-12-01", "2026-12-31", None);
    check(
        "the day before one that comes",
        active,
        std::slice::from_ref(&held),
        OWNER,
        wish(AGENT, "2026-11-24", "2026-11-30"),
        "ok",
    );
    check(
        "into it",
        active,
        std::slice::from_ref(&held),
        OWNER,
        wish(AGENT, "2026-11-24", "2026-12-01"),
        "IDN-GRT-009",
    );
    check("for somebody else", active, &[held], OWNER, wish(OTHER, "2026-11-24", "2026-12-01"), "ok");
    let over = grant(AGENT, "2026-11-01", "2026-12-31", Some(("2026-11-20", AGENT)));
    check("after one that was ended", active, &[over], OWNER, fine(), "ok");
    let many: Vec<Grant> =
        (0..terms.open_max(today)).map(|_| grant(OTHER, "2026-11-01", "2026-12-31", None)).collect();
    check("one too many", active, &many, OWNER, fine(), "IDN-GRT-010");
}

#[test]
fn ending() {
    let firm = firm(EnterpriseStatus::Active);
    let open = || grant(AGENT, "2026-11-01", "2026-11-30", None);
    for (what, held, by, today, expected) in [
        ("the enterprise", open(), OWNER, "2026-11-24", Ok(Side::Enterprise)),
        ("the agent", open(), AGENT, "2026-11-24", Ok(Side::Agent)),
        ("on the last day", open(), AGENT, "2026-11-30", Ok(Side::Agent)),
        ("before the first", open(), OWNER, "2026-10-31", Ok(Side::Enterprise)),
        ("a day late", open(), OWNER, "2026-12-01", Err("IDN-GRT-015")),
        ("somebody else", open(), OTHER, "2026-11-24", Err("IDN-GRT-013")),
        (
            "twice",
            grant(AGENT, "2026-11-01", "2026-11-30", Some(("2026-11-20", AGENT))),
            OWNER,
            "2026-11-24",
            Err("IDN-GRT-014"),
        ),
    ] {
        match (end(&firm, &held, person(by), day(today)), expected) {
            (Ok(side), Ok(expected)) => assert_eq!(side, expected, "{what}"),
            (outcome, expected) => assert_eq!(said(outcome), expected.err().unwrap_or("ok"), "{what}"),
        }
    }
}
