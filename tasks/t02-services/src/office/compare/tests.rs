//! What is compared and how it stands, as a table.

use std::collections::BTreeMap;

use tb_case::case::LicenceRef;
use tb_web::ui::Verdict;

use super::{About, Application, Held, Line, Register, Source, compare};
use crate::tests::world::{CHANGSHA, XIANGTAN, node};

const NUMBER: &str = "430104198803121234";

fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect()
}

fn paper(material: &str, issuer: &str) -> LicenceRef {
    LicenceRef {
        material: material.to_owned(),
        kind: "road_transport_qualification".to_owned(),
        licence: "01kq3zt0000000000000000001".parse().expect("an id"),
        version: 2,
        digest: String::new(),
        issuer: node(issuer),
        consent: String::new(),
    }
}

fn held(version: Option<u32>, is_current: bool) -> Held {
    Held {
        version,
        is_current,
        state: ("有效", "in force"),
        holder: version.map(|_| ("周晓梅".to_owned(), NUMBER.to_owned())),
        values: texts(&[("category", "货运"), ("vehicle_class", "")]),
    }
}

/// A case with one paper and a phone number, compared with what a register holds.
struct Row<'a> {
    answers: &'a [(&'a str, &'a str)],
    disputes: &'a [(&'a str, &'a str)],
    issuer: &'a str,
    person: Option<&'a [(&'a str, &'a str)]>,
    held: Option<Held>,
}

const PERSON: &[(&str, &str)] = &[("name", "周晓梅"), ("number", NUMBER), ("phone", "13800000001")];

#[track_caller]
fn check(row: Row<'_>, expected: &[(&str, Verdict)]) {
    let catalogue = crate::defs::catalogue().expect("the shipped definitions");
    let rules = catalogue.rules(121, node(XIANGTAN)).expect("item 121");
    let licences = [paper("old-certificate", row.issuer)];
    let papers = row.held.into_iter().map(|held| ("old-certificate".to_owned(), held)).collect();
    let register = Register { person: row.person.map(texts), papers };
    let lines = compare(
        &Application {
            rules: &rules,
            answers: &texts(row.answers),
            disputes: &texts(row.disputes),
            licences: &licences,
        },
        &register,
    );
    let name = |line: &Line| match &line.field {
        About::Question(id) => id.clone(),
        About::Holder(material) => format!("holder of {material}"),
        About::Version(material) => format!("version of {material}"),
        About::Disputed(field) => format!("disputed {field}"),
    };
    let found: Vec<(String, Verdict)> = lines.iter().map(|line| (name(line), line.verdict)).collect();
    let expected: Vec<(String, Verdict)> =
        expected.iter().map(|(name, verdict)| ((*name).to_owned(), *verdict)).collect();
    assert_eq!(found, expected);
    for line in &lines {
        assert_eq!(line.registered.is_none(), line.verdict == Verdict::Unreached, "{line:?}");
    }
}

const ALL: Row<'static> = Row {
    answers: &[("phone", "138 0000 0001")],
    disputes: &[],
    issuer: XIANGTAN,
    person: Some(PERSON),
    held: None,
};
const HOLDER: &str = "holder of old-certificate";
const VERSION: &str = "version of old-certificate";

#[test]
fn every_way_in_which_two_values_stand_to_each_other() {
    use Verdict::{Differs, Same, Undeclared, Unreached, Unregistered};
    let current = || Some(held(Some(2), true));
    check(Row { held: current(), ..ALL }, &[(HOLDER, Same), (VERSION, Same), ("phone", Same)]);
    // Replaced, suspended or no longer there since the application.
    check(
        Row { held: Some(held(Some(3), false)), ..ALL },
        &[(HOLDER, Same), (VERSION, Differs), ("phone", Same)],
    );
    check(
        Row { held: Some(held(Some(2), false)), ..ALL },
        &[(HOLDER, Same), (VERSION, Differs), ("phone", Same)],
    );
    check(Row { held: Some(held(None, false)), ..ALL }, &[(VERSION, Unregistered), ("phone", Same)]);
    // Another city issued it: not compared, which is not the same as not found.
    check(Row { issuer: CHANGSHA, ..ALL }, &[(VERSION, Unreached), ("phone", Same)]);
    // Another telephone, none in the register, none in the application, nothing on either side.
    let other = &[("phone", "13900000002")];
    check(
        Row { answers: other, held: current(), ..ALL },
        &[(HOLDER, Same), (VERSION, Same), ("phone", Differs)],
    );
    let no_phone: &[(&str, &str)] = &[("name", "周晓梅"), ("number", NUMBER)];
    check(
        Row { person: Some(no_phone), held: current(), ..ALL },
        &[(HOLDER, Same), (VERSION, Same), ("phone", Unregistered)],
    );
    check(
        Row { answers: &[], held: current(), ..ALL },
        &[(HOLDER, Same), (VERSION, Same), ("phone", Undeclared)],
    );
    check(
        Row { answers: &[], person: Some(no_phone), held: current(), ..ALL },
        &[(HOLDER, Same), (VERSION, Same)],
    );
    // She is not in this city's register of persons.
    check(Row { person: None, held: current(), ..ALL }, &[(VERSION, Same), ("phone", Unreached)]);
    // The certificate is somebody else's.
    let stranger: &[(&str, &str)] = &[("name", "周晓明"), ("number", NUMBER), ("phone", "13800000001")];
    check(
        Row { person: Some(stranger), held: current(), ..ALL },
        &[(HOLDER, Differs), (VERSION, Same), ("phone", Same)],
    );
}

#[test]
fn what_she_disputes_differs_whatever_the_register_says() {
    use Verdict::{Differs, Same, Unreached, Unregistered};
    let disputes: &[(&str, &str)] = &[
        ("old-certificate.category", "应为客运"),
        ("old-certificate.vehicle_class", "A2"),
        ("person.name", "周晓梅"),
    ];
    check(
        Row { disputes, held: Some(held(Some(2), true)), ..ALL },
        &[
            (HOLDER, Same),
            (VERSION, Same),
            ("phone", Same),
            ("disputed old-certificate.category", Differs),
            ("disputed old-certificate.vehicle_class", Unregistered),
            ("disputed person.name", Differs),
        ],
    );
    check(
        Row { disputes: &disputes[..1], issuer: CHANGSHA, ..ALL },
        &[(VERSION, Unreached), ("phone", Same), ("disputed old-certificate.category", Unreached)],
    );
}

#[test]
fn a_paper_elsewhere_names_its_city() {
    let catalogue = crate::defs::catalogue().expect("the shipped definitions");
    let rules = catalogue.rules(121, node(XIANGTAN)).expect("item 121");
    let (answers, disputes) = (BTreeMap::new(), BTreeMap::new());
    let licences = [paper("old-certificate", CHANGSHA)];
    let application =
        Application { rules: &rules, answers: &answers, disputes: &disputes, licences: &licences };
    let lines = compare(&application, &Register::default());
    assert_eq!(lines[0].source, Source::Elsewhere(node(CHANGSHA)));
}
