//! People and enterprises of a demo city (生成人口与法人).

use std::collections::HashSet;

use tb_base::{
    Date, DivisionCode, Divisions, NodeId, PersonId, Refusal, ResidentId, Result, Timestamp, Uscc,
};

use super::random::Dice;
use super::{City, PEOPLE_MAX, cast, names, offices, outside};
use crate::enterprises::{Enterprise, EnterpriseStatus};
use crate::people::{Person, PersonKind, PersonStatus};

/// The cities of the demo region: code, name, name in English.
pub(super) const CITIES: [(&str, &str, &str); 3] =
    [("430100", "长沙市", "Changsha"), ("430200", "株洲市", "Zhuzhou"), ("430300", "湘潭市", "Xiangtan")];

/// Ids of the demo region carry this time, so that they are the same on any day: 2021-04-10 in China.
pub(super) const BEGINNING: Timestamp = Timestamp(1_617_984_000_000_000);

/// Codes that were retired: the present one, the old one, first year of the present one.
const RETIRED: [(&str, &str, i16); 3] =
    [("430112", "430122", 2011), ("430182", "430124", 2017), ("430212", "430221", 2018)];

/// One in so many people of a register lives here and is registered in another city.
const RESIDENCE_EVERY: usize = 10;

/// The register of a city: a seed number, how many people and enterprises.
pub fn city(seed: u64, node: NodeId, people: usize, enterprises: usize) -> Result<City> {
    if PEOPLE_MAX < people {
        return Err(
            Refusal::invalid("IDN-SED-002", "演示人口过多", "Too many people for the demo region").into()
        );
    }
    let at = place(node)?;
    let (_, zh, en) = CITIES[at];
    let mut register = cast::people(node)?;
    let mut known: HashSet<ResidentId> = register.iter().map(|person| person.number).collect();
    for person in crowd(seed, at, people.saturating_sub(register.len()))? {
        if known.insert(person.number) {
            register.push(person);
        }
    }
    let owner = cast::owner(node, &register);
    let enterprises = firms(seed, at, enterprises, &register, owner)?;
    Ok(City {
        node,
        accounts: cast::accounts(node, &register)?,
        offices: offices::offices(node, zh, en)?,
        staff: offices::staff(seed, node)?,
        people: register,
        enterprises,
    })
}

/// Whether a city belongs to the demo region.
pub fn is_known(node: NodeId) -> bool {
    place(node).is_ok()
}

/// The place of a city in [`CITIES`].
pub(super) fn place(node: NodeId) -> Result<usize> {
    CITIES.iter().position(|(code, ..)| *code == node.as_str()).ok_or_else(|| outside(node).into())
}

/// Everybody but the cast: mostly registered here, some living here and registered in another city.
fn crowd(seed: u64, at: usize, count: usize) -> Result<Vec<Person>> {
    let residences = count / RESIDENCE_EVERY;
    let mut people = Vec::with_capacity(count);
    for index in 0..count - residences {
        people.push(person(seed, at, at, index)?);
    }
    for index in 0..residences {
        // Another city's household, in turn; the step keeps the three cities' choices apart.
        let other = (at + 1 + index % 2) % CITIES.len();
        people.push(person(seed, at, other, index * (RESIDENCE_EVERY - 1) + at)?);
    }
    Ok(people)
}

/// The `index`-th household of the city `home` as the register of the city `at` knows it.
fn person(seed: u64, at: usize, home: usize, index: usize) -> Result<Person> {
    let (home_code, ..) = CITIES[home];
    let mut dice = Dice::of(seed, &[home_code, "household"], index);
    let county = pick_county(&mut dice, home)?;
    let is_male = dice.chance(51);
    let birth = birth(&mut dice);
    let number = number(issued_at(&mut dice, county.as_str(), birth), birth, index, is_male)?;
    let name = person_name(&mut dice, is_male);
    let phone = dice.chance(96).then(|| phone(home, index));
    let (code, ..) = CITIES[at];
    let mut local = Dice::of(seed, &[code, home_code, "entry"], index);
    let (kind, division) = if at == home {
        (PersonKind::Household, county)
    } else {
        (PersonKind::Residence, pick_county(&mut local, at)?)
    };
    Ok(Person {
        id: PersonId::new(BEGINNING, &mut local),
        number,
        name,
        phone,
        address: address(&mut local, &division),
        division,
        kind,
        status: PersonStatus::Active,
    })
}

/// A county-level division of a city that GB/T 2260 knows.
fn pick_county(dice: &mut Dice, at: usize) -> Result<DivisionCode> {
    let (code, ..) = CITIES[at];
    let city = division(code)?;
    let counties: Vec<&DivisionCode> = Divisions::region().children(&city).map(|row| &row.code).collect();
    dice.pick(&counties).map(|code| (*code).clone()).ok_or_else(|| outside_code(code))
}

/// Where the number was first issued: for some the retired code of the county.
fn issued_at<'a>(dice: &mut Dice, county: &'a str, birth: Date) -> &'a str {
    let old = RETIRED.iter().find(|(present, _, year)| *present == county && birth.year() < *year);
    match old {
        Some((_, retired, _)) if dice.chance(60) => retired,
        Some(_) | None => county,
    }
}

/// Adults mostly, children and old people some.
fn birth(dice: &mut Dice) -> Date {
    let year = 1938 + i16::try_from(dice.below(80)).unwrap_or(0);
    let month = 1 + i8::try_from(dice.below(12)).unwrap_or(0);
    let day = 1 + i8::try_from(dice.below(28)).unwrap_or(0);
    tb_base::Timestamp::at(Date::new(year, month, day).unwrap_or(Date::constant(1980, 1, 1)), 0).date()
}

/// A resident number: the sequence is odd for men; the check letter is that of GB 11643.
pub(super) fn number(prefix: &str, birth: Date, index: usize, is_male: bool) -> Result<ResidentId> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: [char; 11] = ['1', '0', 'X', '9', '8', '7', '6', '5', '4', '3', '2'];
    let sequence = index % 500 * 2 + usize::from(is_male);
    let first = format!("{prefix}{:04}{:02}{:02}{sequence:03}", birth.year(), birth.month(), birth.day());
    let sum: u32 = first.bytes().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    let check = CHECKS[(sum % 11) as usize];
    Ok(format!("{first}{check}")
        .parse()
        .map_err(|_| Refusal::invalid("IDN-SED-003", "号码无效", "Bad number"))?)
}

/// A name, in two of a hundred cases one that is hard on software.
pub(super) fn person_name(dice: &mut Dice, is_male: bool) -> String {
    if dice.chance(2) {
        return dice.pick(names::RARE).map_or(String::new(), |name| (*name).to_owned());
    }
    let given = if is_male { names::MEN } else { names::WOMEN };
    let surname = dice.pick(names::SURNAMES).copied().unwrap_or("");
    let given = dice.pick(given).copied().unwrap_or("");
    format!("{surname}{given}")
}

/// A phone of the block 1990x, by city and index.
pub(super) fn phone(at: usize, index: usize) -> String {
    format!("1990{}{index:06}", at + 1)
}

/// An address in a real township.
pub(super) fn address(dice: &mut Dice, county: &DivisionCode) -> String {
    let divisions = Divisions::region();
    let townships: Vec<&str> = divisions.children(county).map(|row| row.name.as_str()).collect();
    let township = dice.pick(&townships).copied().unwrap_or("");
    let street = dice.pick(names::STREETS).copied().unwrap_or("");
    let county = divisions.full_name(county).unwrap_or_default();
    let (house, block, room) =
        (1 + dice.below(300), 1 + dice.below(20), 100 * (1 + dice.below(18)) + 1 + dice.below(4));
    format!("湖南省{county}{township}{street}{house}号{block}栋{room}室")
}

/// Enterprises with representatives from the people; the agent's enterprise first.
fn firms(
    seed: u64,
    at: usize,
    count: usize,
    people: &[Person],
    owner: Option<PersonId>,
) -> Result<Vec<Enterprise>> {
    let (code, ..) = CITIES[at];
    let adults: Vec<&Person> = people.iter().filter(|person| is_adult(person)).collect();
    let mut firms = Vec::with_capacity(count);
    for index in 0..count {
        let mut dice = Dice::of(seed, &[code, "enterprise"], index);
        let division = pick_county(&mut dice, at)?;
        let representative = adults.get((index * 3 + 11) % adults.len().max(1)).map(|person| person.id);
        firms.push(Enterprise {
            uscc: uscc(&mut dice, &division, at, index)?,
            name: if index == 0 { cast::agent_firm(at).to_owned() } else { firm_name(&mut dice, at) },
            representative: owner.filter(|_| index == 0).or(representative),
            address: address(&mut dice, &division),
            division,
            status: if index == 0 || dice.chance(97) {
                EnterpriseStatus::Active
            } else {
                EnterpriseStatus::Abnormal
            },
        });
    }
    Ok(firms)
}

/// Born early enough to represent an enterprise on any day of the demo.
fn is_adult(person: &Person) -> bool {
    let year = person.number.birth().year();
    (1955..=2002).contains(&year) && person.kind == PersonKind::Household
}

fn firm_name(dice: &mut Dice, at: usize) -> String {
    let (_, city, _) = CITIES[at];
    let city = city.trim_end_matches('市');
    let first = dice.pick(names::BRAND_FIRST).copied().unwrap_or("");
    let second = dice.pick(names::BRAND_SECOND).copied().unwrap_or("");
    let trade = dice.pick(names::TRADES).copied().unwrap_or("");
    format!("{city}{first}{second}{trade}有限公司")
}

/// A credit code of a company: the organisation code inside has its own check letter (GB 11714).
fn uscc(dice: &mut Dice, division: &DivisionCode, at: usize, index: usize) -> Result<Uscc> {
    const LETTERS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
    let mut body = format!("MA{}", at + 4);
    let mut rest = index;
    for _ in 0..3 {
        body.push(char::from(LETTERS[rest % LETTERS.len()]));
        rest /= LETTERS.len();
    }
    for _ in 0..2 {
        body.push(dice.pick(LETTERS).map_or('0', |letter| char::from(*letter)));
    }
    let first = format!("91{}{body}{}", division.as_str(), organisation_check(&body));
    let bad = |_| Refusal::invalid("IDN-SED-003", "号码无效", "Bad number");
    let check = Uscc::check_letter(&first).map_err(bad)?;
    Ok(format!("{first}{check}").parse().map_err(bad)?)
}

/// The check letter of an organisation code, GB 11714-1997: weights 3 7 9 10 5 8 4 2, modulo 11.
fn organisation_check(body: &str) -> char {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    let sum: u32 =
        body.chars().zip(WEIGHTS).map(|(letter, weight)| letter.to_digit(36).unwrap_or(0) * weight).sum();
    match 11 - sum % 11 {
        10 => 'X',
        11 => '0',
        digit => char::from_digit(digit, 10).unwrap_or('0'),
    }
}

/// A division code of the shipped region.
pub(super) fn division(code: &str) -> Result<DivisionCode> {
    code.parse().map_err(|_| outside_code(code))
}

fn outside_code(code: &str) -> tb_base::Error {
    Refusal::invalid(
        "IDN-SED-001",
        format!("{code} 不在演示区域内"),
        format!("{code} is outside of the demo region"),
    )
    .into()
}
