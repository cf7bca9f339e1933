//! Every published vector of the codes, and each reason for which a text is refused.

use std::collections::HashSet;
use std::fmt::Debug;
use std::str::FromStr;

use jiff::civil::{Date, date};
use proptest::prelude::*;

use super::*;
use crate::Refusal;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "the expected result is written in place, as data")]
fn check<T: FromStr + Debug>(text: &str, expected: Result<(), T::Err>)
where
    T::Err: Debug + PartialEq,
{
    assert_eq!(text.parse::<T>().map(drop), expected, "{text}");
}

const TODAY: Date = date(2026, 11, 24);

#[test]
fn resident_numbers() {
    use BadResidentId::{BirthDate, Check, FirstGeneration, Length, Letter};
    for good in [
        "430102199003070012",
        "430203198512310026",
        "430304200002291015",
        "43012419920101444X",
        "430221197806153335",
        "43018119880808026X",
    ] {
        check::<ResidentId>(good, Ok(()));
        assert_eq!(good.parse::<ResidentId>().expect("good").born_by(TODAY), Ok(()));
    }
    check::<ResidentId>("430102199002300015", Err(BirthDate));
    check::<ResidentId>("430102199003070013", Err(Check));
    check::<ResidentId>("430102209912310016", Ok(()));
    check::<ResidentId>("43010219900307001", Err(Length { letters: 17 }));
    check::<ResidentId>("", Err(Length { letters: 0 }));
    check::<ResidentId>("430102900307001", Err(FirstGeneration));
    check::<ResidentId>("43010219900307O012", Err(Letter { at: 14 }));
    check::<ResidentId>("43010219900307001Y", Err(Letter { at: 17 }));
    check::<ResidentId>("4301021990030700１2", Err(Letter { at: 16 }));
    check::<ResidentId>("43010219900307001２", Err(Letter { at: 17 }));
    let future: ResidentId = "430102209912310016".parse().expect("well formed");
    assert_eq!(future.born_by(TODAY), Err(BadResidentId::NotYetBorn));
    assert_eq!(future.born_by(date(2099, 12, 31)), Ok(()));
}

#[test]
fn resident_number_tells_birth_sex_and_age() {
    let man: ResidentId = "430304200002291015".parse().expect("good");
    assert_eq!((man.birth(), man.is_male(), man.region()), (date(2000, 2, 29), true, "430304"));
    assert_eq!(man.age_on(date(2018, 2, 28)), 17);
    assert_eq!(man.age_on(date(2018, 3, 1)), 18);
    let woman: ResidentId = "430203198512310026".parse().expect("good");
    assert!(!woman.is_male());
    assert_eq!("43018119880808026x".parse::<ResidentId>().expect("small x").as_str(), "43018119880808026X");
}

#[test]
fn resident_number_is_masked_in_debug_and_errors() {
    let id: ResidentId = "430102199003070012".parse().expect("good");
    assert_eq!(id.masked(), "430102********0012");
    assert_eq!(format!("{id:?}"), "430102********0012");
    assert_eq!(id.to_string(), "430102199003070012");
    let json = serde_json::to_string(&id).expect("json");
    assert_eq!(json, "\"430102199003070012\"");
    assert_eq!(serde_json::from_str::<ResidentId>(&json).expect("back"), id);
    let error = serde_json::from_str::<ResidentId>("\"430102199003070013\"").expect_err("wrong check");
    assert!(!error.to_string().contains("19900307"));
}

#[test]
fn region_prefix_warns_and_never_rejects() {
    let warning = |number: &str| {
        let id: ResidentId = number.parse().expect("a prefix is no ground to reject");
        id.region_warning(Divisions::region())
    };
    assert_eq!(warning("430102199003070012"), None);
    let retired = |number: &str, name: &str, into: &str| match warning(number) {
        Some(PrefixWarning::Retired(row)) => {
            assert_eq!(row.name, name);
            let DivisionState::Retired { successor, confirmed, on, .. } = row.state else {
                panic!("{row:?}")
            };
            assert_eq!(successor.map(|code| code.to_string()), Some(into.to_owned()));
            assert!(confirmed && on.is_some());
        }
        other => panic!("{number}: {other:?}"),
    };
    retired("43012419920101444X", "宁乡县", "430182");
    retired("430221197806153335", "株洲县", "430212");
    let prefix = |text: &str| Divisions::region().prefix_warning(text);
    assert_eq!(prefix("430199"), Some(PrefixWarning::Unknown));
    assert_eq!(prefix("990101"), Some(PrefixWarning::NoProvince));
    assert_eq!(prefix("110101"), None);
    assert_eq!(prefix("830000"), None);
    assert!(matches!(prefix("430371"), Some(PrefixWarning::Statistical(_))));
}

#[test]
fn credit_codes() {
    use BadUscc::{Check, Division, Length, Letter};
    for good in [
        "11430100MB9900001F",
        "11430200MB9900002P",
        "91430100MA9T3X2015",
        "92430302MA9T3X3022",
        "93430211MA9T3X403K",
        "51430000500000001T",
        "91350100M000100Y43",
    ] {
        check::<Uscc>(good, Ok(()));
    }
    check::<Uscc>("91430100MA9T3X2016", Err(Check { expected: '5' }));
    check::<Uscc>("91350100M000100Y44", Err(Check { expected: '3' }));
    check::<Uscc>("9135010IM000100Y43", Err(Letter { at: 7 }));
    for (at, letter) in "IOSVZ".chars().enumerate() {
        let text = format!("914301{}{letter}{}", "0".repeat(at), "0".repeat(11 - at));
        check::<Uscc>(&text, Err(Letter { at: 6 + at }));
    }
    check::<Uscc>("91430100ma9T3X2015", Err(Letter { at: 8 }));
    check::<Uscc>("9143A100MA9T3X2015", Err(Division { at: 4 }));
    check::<Uscc>("91430100MA9T3X201", Err(Length { letters: 17 }));
    check::<Uscc>("一二三四五六", Err(Length { letters: 6 }));
    let company: Uscc = "91430100MA9T3X2015".parse().expect("good");
    assert_eq!(
        (company.registrar(), company.category(), company.division()),
        (Registrar::Market, "91", "430100")
    );
    let group: Uscc = "51430000500000001T".parse().expect("good");
    assert_eq!(group.registrar(), Registrar::CivilAffairs);
}

#[test]
fn division_codes() {
    use BadDivision::{Digit, Gap, Length, Province};
    for good in ["430000", "430100", "430102", "430102001", "430102001003", "430102000", "710000"] {
        check::<DivisionCode>(good, Ok(()));
    }
    check::<DivisionCode>("4301", Err(Length { letters: 4 }));
    check::<DivisionCode>("43010A", Err(Digit { at: 5 }));
    check::<DivisionCode>("430002", Err(Gap));
    check::<DivisionCode>("430100001", Err(Gap));
    check::<DivisionCode>("430102000001", Err(Gap));
    check::<DivisionCode>("990102", Err(Province));
    let street: DivisionCode = "430102001".parse().expect("good");
    assert_eq!(street.level(), DivisionLevel::Township);
    let parents: Vec<String> = std::iter::successors(Some(street.clone()), DivisionCode::parent)
        .map(|code| code.to_string())
        .collect();
    assert_eq!(parents, ["430102001", "430102", "430100", "430000"]);
    assert_eq!(street.node().map(|node| node.to_string()), Some("430100".to_owned()));
    let city: DivisionCode = "430100".parse().expect("good");
    assert!(city.contains(&street) && city.contains(&city) && !street.contains(&city));
    let hunan: DivisionCode = "430000".parse().expect("good");
    assert_eq!(hunan.city(), None);
    assert!(hunan.contains(&street));
}

#[test]
fn shipped_divisions_are_whole() {
    let divisions = Divisions::region();
    let current = include_str!("../../../../region/divisions.csv").lines().count() - 1;
    let retired = include_str!("../../../../region/divisions_retired.csv").lines().count() - 1;
    assert_eq!(divisions.iter().count(), current + retired);
    let counties = ["430100", "430200", "430300"].map(|city| {
        let city: DivisionCode = city.parse().expect("good");
        divisions.children(&city).count()
    });
    // 23 county-level divisions in all: 9, 9 and 5; the three statistical zones are not among them.
    assert_eq!(counties, [9, 9, 5]);
    let name = |code: &str| divisions.full_name(&code.parse().expect("good"));
    assert_eq!(name("430102001").as_deref(), Some("长沙市芙蓉区文艺路街道"));
    assert_eq!(name("430300").as_deref(), Some("湘潭市"));
    assert_eq!(name("430199"), None);
    let zone = divisions.find(&"430372".parse().expect("good")).expect("a zone");
    assert_eq!(zone.state, DivisionState::Statistical);
}

#[test]
fn shipped_outlines_are_small_and_of_known_divisions() {
    let text = include_str!("../../../../region/outlines.json");
    assert!(text.len() <= 25_000);
    let outlines: serde_json::Value = serde_json::from_str(text).expect("json");
    assert_eq!(outlines["label"], "示意图");
    let divisions = outlines["divisions"].as_array().expect("a list");
    assert_eq!(divisions.len(), 23);
    for outline in divisions {
        let code: DivisionCode = outline["code"].as_str().expect("a code").parse().expect("good");
        assert_eq!(Divisions::region().name(&code), outline["name"].as_str());
        assert_eq!(code.city().map(String::from).as_deref(), outline["city"].as_str());
        assert!(outline["path"].as_str().is_some_and(|path| path.starts_with('M') && path.ends_with('z')));
    }
}

const LICENCES: [&str; 3] = [
    "1.2.156.3005.2.11100000MB0143028R001.11430100MB9900001F.91430100MA9T3X20120210510.001.Z",
    "1.2.156.3005.2.11100000000013338W011.11430200MB9900002P.20210000012.001.7",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
];
const LICENCE_FAILING: &str =
    "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M";

#[test]
fn licence_identifiers() {
    use BadLicenceOid::{Check, CheckLetter, Issuer, Parts, Root, SerialLength, SerialLetter, Type, Version};
    for good in LICENCES {
        check::<LicenceOid>(good, Ok(()));
        assert_eq!(LicenceOid::inbound(good).expect("good").1, Quality::Good);
    }
    check::<LicenceOid>(LICENCE_FAILING, Err(Check { expected: 'D' }));
    let (oid, quality) = LicenceOid::inbound(LICENCE_FAILING).expect("the form is right");
    assert_eq!(quality, Quality::CheckMismatch { expected: 'D' });
    let json = serde_json::to_string(&oid).expect("json");
    assert_eq!(serde_json::from_str::<LicenceOid>(&json).expect("back").quality(), quality);
    let with = |from: &str, to: &str| LICENCES[1].replacen(from, to, 1);
    check::<LicenceOid>(&with("3005.2", "3005.3"), Err(Root));
    check::<LicenceOid>(&with(".001", ""), Err(Parts { parts: 4 }));
    check::<LicenceOid>(&with("W011", "W01A"), Err(Type));
    check::<LicenceOid>(&with("W011", "W01"), Err(Type));
    check::<LicenceOid>(&with("11430200MB9900002P", "4302"), Err(Issuer));
    check::<LicenceOid>(&with("20210000012", ""), Err(SerialLength { letters: 0 }));
    check::<LicenceOid>(&with("20210000012", &"1".repeat(33)), Err(SerialLength { letters: 33 }));
    check::<LicenceOid>(&with("20210000012", "2021-1"), Err(SerialLetter { at: 4 }));
    check::<LicenceOid>(&with(".001.", ".000."), Err(Version));
    check::<LicenceOid>(&with(".001.", ".1."), Err(Version));
    check::<LicenceOid>(&with(".001.7", ".001.77"), Err(CheckLetter));
    // Older data names the issuer by its division.
    assert!(LicenceOid::inbound(&with("11430200MB9900002P", "430200")).is_ok());
}

#[test]
fn own_licence_identifiers_are_strict() {
    let issuer: Uscc = "11430200MB9900002P".parse().expect("good");
    let oid = LicenceOid::issue("11100000000013338W011", &issuer, "20210000012", 1).expect("good");
    assert_eq!(oid.as_str(), LICENCES[1]);
    assert_eq!((oid.type_code(), oid.issuer()), ("11100000000013338W011", "11430200MB9900002P"));
    assert_eq!((oid.serial(), oid.version()), ("20210000012", 1));
    let issue = |type_code, serial, version| LicenceOid::issue(type_code, &issuer, serial, version).map(drop);
    assert_eq!(issue("11100000000013338X011", "1", 1), Err(BadLicenceOid::Type));
    assert_eq!(issue("11100000000013338W011", "a", 1), Err(BadLicenceOid::SerialLetter { at: 0 }));
    assert_eq!(issue("11100000000013338W011", "1", 0), Err(BadLicenceOid::Version));
    assert_eq!(issue("11100000000013338W011", "1", 1_000), Err(BadLicenceOid::Version));
    assert_eq!(issue("11100000000013338W011", "1.2", 1), Err(BadLicenceOid::Parts { parts: 6 }));
}

#[test]
fn service_codes() {
    check::<CatalogCode>("000117051000", Ok(()));
    check::<CatalogCode>("00011705100", Err(BadCatalogCode::Length { letters: 11 }));
    check::<CatalogCode>("00011705100x", Err(BadCatalogCode::Letter { at: 11 }));
    let catalog: CatalogCode = "370117002011".parse().expect("good");
    assert_eq!((catalog.definer(), catalog.department()), ("370", "117"));
    assert_eq!((catalog.main_item(), catalog.sub_item(), catalog.is_national()), ("002", "011", false));

    for good in ["11440232MB2D06811W4000117051000", "11370800MB285591843370117002011"] {
        check::<TaskCode>(good, Ok(()));
    }
    check::<TaskCode>("11440232MB2D06811W400011705100", Err(BadTaskCode::Length { letters: 30 }));
    check::<TaskCode>(
        "11440232MB2D06811X4000117051000",
        Err(BadTaskCode::Body { reason: BadUscc::Check { expected: 'W' } }),
    );
    check::<TaskCode>("11440232MB2D06811W8000117051000", Err(BadTaskCode::Level));
    check::<TaskCode>(
        "11440232MB2D06811W400011705100-",
        Err(BadTaskCode::Catalog { reason: BadCatalogCode::Letter { at: 11 } }),
    );
    let body: Uscc = "11440232MB2D06811W".parse().expect("good");
    let task = TaskCode::new(&body, 4, &"000117051000".parse().expect("good")).expect("good");
    assert_eq!(task.as_str(), "11440232MB2D06811W4000117051000");
    assert_eq!((task.body(), task.level(), task.catalog().as_str()), (body.as_str(), 4, "000117051000"));
    assert_eq!(TaskCode::new(&body, 9, &task.catalog()), Err(BadTaskCode::Level));

    check::<HandleItemCode>("11440232MB2D06811W400011705100001", Ok(()));
    check::<HandleItemCode>("11440232MB2D06811W40001170510000A", Err(BadHandleItem::Sequence));
    check::<HandleItemCode>("11440232MB2D06811W4000117051000", Err(BadHandleItem::Length { letters: 31 }));
    let bad_task = BadHandleItem::Task { reason: BadTaskCode::Level };
    check::<HandleItemCode>("11440232MB2D06811W900011705100001", Err(bad_task));
    let item: HandleItemCode = "11440232MB2D06811W400011705100001".parse().expect("good");
    assert_eq!(item.task(), task);
}

#[test]
fn case_numbers() {
    let task: TaskCode = "11440232MB2D06811W4000117051000".parse().expect("good");
    let case = CaseNo::new(&task, date(2026, 11, 24), 7).expect("good");
    assert_eq!(case.as_str(), "11440232MB2D06811W4000117051000202611240007");
    assert_eq!(case.as_str().len(), 43);
    assert_eq!(CaseNo::new(&task, TODAY, 10_000), Err(BadCaseNo::Sequence { sequence: 10_000 }));
    assert_eq!(CaseNo::new(&task, TODAY, 0), Err(BadCaseNo::Sequence { sequence: 0 }));
    check::<CaseNo>(&"9".repeat(50), Ok(()));
    check::<CaseNo>(&"9".repeat(51), Err(BadCaseNo::Length { letters: 51 }));
    check::<CaseNo>("", Err(BadCaseNo::Length { letters: 0 }));
    check::<CaseNo>("43 1", Err(BadCaseNo::Letter { at: 2 }));
}

#[test]
fn project_and_resource_codes() {
    check::<ProjectCode>("2021-430100-78-01-123456", Ok(()));
    check::<ProjectCode>("2021-430100-78-01-12345", Err(BadProjectCode::Length { letters: 23 }));
    check::<ProjectCode>("20214-30100-78-01-123456", Err(BadProjectCode::Layout));
    check::<ProjectCode>("2021-43010A-78-01-123456", Err(BadProjectCode::Layout));
    check::<ProjectCode>("1921-430100-78-01-123456", Err(BadProjectCode::Year));
    let division = BadProjectCode::Division { reason: BadDivision::Province };
    check::<ProjectCode>("2021-990100-78-01-123456", Err(division));
    let project: ProjectCode = "2021-430100-78-01-123456".parse().expect("good");
    assert_eq!((project.year(), project.division()), (2021, "430100"));
    assert_eq!((project.industry(), project.kind()), ("78", "01"));

    check::<ResourceCode>("307001/00012", Ok(()));
    check::<ResourceCode>("3070010001/00012", Ok(()));
    check::<ResourceCode>("307001", Err(BadResourceCode::Slash));
    check::<ResourceCode>("307001/1/2", Err(BadResourceCode::Slash));
    check::<ResourceCode>("407001/1", Err(BadResourceCode::Kind));
    check::<ResourceCode>("30700/1", Err(BadResourceCode::Class));
    check::<ResourceCode>("307001/", Err(BadResourceCode::Sequence));
    check::<ResourceCode>(
        &format!("307001/{}", "1".repeat(58)),
        Err(BadResourceCode::Length { letters: 65 }),
    );
    let resource: ResourceCode = "107001/1".parse().expect("good");
    assert_eq!((resource.kind(), resource.class()), (ResourceKind::Basic, "107001"));
}

#[test]
fn land_and_customs_numbers() {
    use BadRealEstateUnit::{District, Fixture, Length, Parcel};
    check::<RealEstateUnitNo>("430102001001GB00001F00010001", Ok(()));
    check::<RealEstateUnitNo>("430102001001GB00001F0001000", Err(Length { letters: 27 }));
    check::<RealEstateUnitNo>("43010200100AGB00001F00010001", Err(District));
    check::<RealEstateUnitNo>("430102001001G100001F00010001", Err(Parcel));
    check::<RealEstateUnitNo>("430102001001GB0000AF00010001", Err(Parcel));
    check::<RealEstateUnitNo>("430102001001GB00001100010001", Err(Fixture));
    let division = BadRealEstateUnit::Division { reason: BadDivision::Province };
    check::<RealEstateUnitNo>("990102001001GB00001F00010001", Err(division));
    let unit: RealEstateUnitNo = "430102001001GB00001W00000000".parse().expect("good");
    assert_eq!(
        (unit.parcel(), unit.fixture(), unit.division()),
        ("430102001001GB00001", "W00000000", "430102")
    );
    assert!(unit.is_land_only());

    check::<CustomsEntryNo>("224920231000039191", Ok(()));
    check::<CustomsEntryNo>("22492023100003919", Err(BadCustomsEntry::Length { letters: 17 }));
    check::<CustomsEntryNo>("2249202310000391X1", Err(BadCustomsEntry::Digit { at: 16 }));
    check::<CustomsEntryNo>("224919231000039191", Err(BadCustomsEntry::Year));
    check::<CustomsEntryNo>("224920232000039191", Err(BadCustomsEntry::Direction));
    let entry: CustomsEntryNo = "224920231000039191".parse().expect("good");
    assert_eq!((entry.office(), entry.year(), entry.direction()), ("2249", 2023, CustomsDirection::Import));
}

#[test]
fn every_reason_has_its_own_code_and_both_languages() {
    let codes: Vec<&str> = [
        BadResidentId::CODES,
        BadUscc::CODES,
        BadDivision::CODES,
        BadLicenceOid::CODES,
        BadCatalogCode::CODES,
        BadTaskCode::CODES,
        BadHandleItem::CODES,
        BadCaseNo::CODES,
        BadProjectCode::CODES,
        BadResourceCode::CODES,
        BadRealEstateUnit::CODES,
        BadCustomsEntry::CODES,
        crate::BadCalendar::CODES,
        crate::BadLimit::CODES,
        crate::BadCents::CODES,
        crate::BadClause::CODES,
    ]
    .concat();
    assert_eq!(codes.iter().collect::<HashSet<_>>().len(), codes.len());
    let refusal = Refusal::from(BadUscc::Letter { at: 7 });
    assert_eq!(refusal.code, "BAS-USC-002");
    assert!(refusal.zh.contains("第 8 位") && refusal.en.contains("Letter 8"));
}

proptest! {
    /// MOD 11-2 and the weights modulo 31 find every single slip.
    #[test]
    fn one_wrong_letter_is_found(at in 0_usize..18, letter in "[0-9A-Z]") {
        for (good, is_resident) in [("430102199003070012", true), ("91430100MA9T3X2015", false)] {
            let mut text = good.to_owned();
            text.replace_range(at..=at, &letter);
            let accepted =
                if is_resident { text.parse::<ResidentId>().is_ok() } else { text.parse::<Uscc>().is_ok() };
            prop_assert_eq!(accepted, text == good);
        }
    }

    /// No text makes a parser panic, and what is accepted is shown as it was.
    #[test]
    fn any_text_is_answered(text in "\\PC{0,60}") {
        let _ = text.parse::<ResidentId>();
        prop_assert!(text.parse::<Uscc>().map_or(true, |it| it.as_str() == text));
        prop_assert!(text.parse::<DivisionCode>().map_or(true, |it| it.as_str() == text));
        prop_assert!(text.parse::<LicenceOid>().map_or(true, |it| it.as_str() == text));
        prop_assert!(text.parse::<CaseNo>().map_or(true, |it| it.as_str() == text));
        let _ = text.parse::<TaskCode>();
        let _ = text.parse::<HandleItemCode>();
        let _ = text.parse::<ProjectCode>();
        let _ = text.parse::<ResourceCode>();
        let _ = text.parse::<RealEstateUnitNo>();
        let _ = text.parse::<CustomsEntryNo>();
        let _ = Divisions::region().prefix_warning(&text);
    }

    /// What we issue, we accept.
    #[test]
    fn issued_licence_identifiers_parse(serial in "[0-9A-Z]{1,32}", version in 1_u16..=999) {
        let issuer: Uscc = "11430100MB9900001F".parse().expect("good");
        let oid = LicenceOid::issue("11100000000013338W011", &issuer, &serial, version).expect("good");
        prop_assert_eq!(oid.as_str().parse::<LicenceOid>(), Ok(oid.clone()));
        prop_assert_eq!((oid.serial(), oid.version()), (serial.as_str(), version));
    }
}
