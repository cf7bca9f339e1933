//! What is planted (预置计划): who files what where, and what becomes of it on which day; a seed determines it.
//!
//! Nothing here reads a clock or a store: the same seed and day give the same plan on any machine.

use std::collections::BTreeSet;

use tb_base::{Calendar, Date, NodeId, Result};
use tb_crypto::sha256;
use tb_identity::people::{Person, PersonKind};
use tb_identity::seed::{self, City};

/// How old a driver for hire is.
const AGES: std::ops::RangeInclusive<i32> = 25..=55;

/// What happens to a case, in order; each on a day of its own, counted back in working days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is handed in.
    File,
    /// The reviewer asks once for a correction.
    Ask,
    /// The applicant answers it.
    Answer,
    /// 受理.
    Accept,
    /// 不予受理.
    Decline,
    /// The reviewer proposes to grant it.
    Favour,
    /// The reviewer proposes to refuse it.
    Oppose,
    /// The approver grants it, and the certificate is issued.
    Grant,
    /// The approver refuses it.
    Refuse,
    /// The counter hands the result over.
    Deliver,
    /// The applicant rates counter and department, with this grade.
    Rate(u8),
    /// The applicant takes it back.
    Withdraw,
}

/// Where a case came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// On the site.
    Online,
    /// At the counter, with the person present.
    Counter,
}

/// A case that is planted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// Whose it is, as the collecting city's register knows the person.
    pub person: Person,
    /// The same person in the register of the city that decides.
    pub there: Person,
    /// Where it is collected.
    pub collecting: NodeId,
    /// Who decides.
    pub deciding: NodeId,
    /// How it came.
    pub way: Way,
    /// What happens, with how many working days ago.
    pub steps: Vec<(u32, Step)>,
}

const CHANGSHA: &str = "430100";
const ZHUZHOU: &str = "430200";
const XIANGTAN: &str = "430300";

/// A fate: how many cases have it, and who decides them where that is not left to the lot.
type Fate = (usize, Option<&'static str>, &'static [(u32, Step)]);

/// Fifty-eight cases beside those of the cast; two of them are late, by the promise and by law, and a few are due today and tomorrow.
const FATES: &[Fate] = &[
    (3, None, &[(0, Step::File)]),
    (4, None, &[(1, Step::File)]),
    (3, None, &[(2, Step::File)]),
    (2, None, &[(3, Step::File)]),
    (4, None, &[(5, Step::File), (3, Step::Ask)]),
    (2, None, &[(6, Step::File), (5, Step::Ask), (2, Step::Answer)]),
    (3, None, &[(3, Step::File), (2, Step::Accept)]),
    (4, None, &[(5, Step::File), (4, Step::Accept)]),
    (3, Some(ZHUZHOU), &[(6, Step::File), (5, Step::Accept)]),
    (2, Some(ZHUZHOU), &[(8, Step::File), (6, Step::Accept)]),
    (2, Some(CHANGSHA), &[(7, Step::File), (6, Step::Accept)]),
    // The two late ones: Zhuzhou promises 8 working days, the law gives 20. Xiangtan promises 5, so what waits there
    // is younger.
    (1, Some(ZHUZHOU), &[(10, Step::File), (8, Step::Accept)]),
    (1, Some(XIANGTAN), &[(22, Step::File), (20, Step::Accept)]),
    (6, None, &[(5, Step::File), (4, Step::Accept), (2, Step::Favour)]),
    (5, None, &[(6, Step::File), (5, Step::Accept), (4, Step::Favour), (2, Step::Grant)]),
    (
        4,
        None,
        &[
            (12, Step::File),
            (10, Step::Accept),
            (8, Step::Favour),
            (6, Step::Grant),
            (5, Step::Deliver),
            (4, Step::Rate(5)),
        ],
    ),
    (
        3,
        None,
        &[
            (10, Step::File),
            (8, Step::Accept),
            (6, Step::Favour),
            (5, Step::Grant),
            (3, Step::Deliver),
            (2, Step::Rate(4)),
        ],
    ),
    (
        1,
        None,
        &[
            (12, Step::File),
            (8, Step::Accept),
            (7, Step::Favour),
            (5, Step::Grant),
            (3, Step::Deliver),
            (1, Step::Rate(2)),
        ],
    ),
    (2, None, &[(10, Step::File), (8, Step::Accept), (6, Step::Oppose), (5, Step::Refuse)]),
    (
        1,
        None,
        &[(12, Step::File), (10, Step::Accept), (8, Step::Oppose), (6, Step::Refuse), (4, Step::Deliver)],
    ),
    (1, None, &[(6, Step::File), (3, Step::Withdraw)]),
    (1, None, &[(5, Step::File), (3, Step::Decline)]),
];
/// Of the cast: in which city, who, and what becomes of the case.
type Part = (&'static str, &'static str, &'static [(u32, Step)]);

/// What becomes of the cases of the cast who have accounts: they look at them on their own sites.
const OF_THE_CAST: [Part; 2] = [
    ("430100", "贺志强", &[(6, Step::File), (5, Step::Accept), (2, Step::Favour)]),
    ("430200", "唐雨晴", &[(3, Step::File), (1, Step::Ask)]),
];

/// Draws numbers that only the seed determines.
struct Lots {
    seed: u64,
    drawn: u64,
}

impl Lots {
    fn below(&mut self, limit: usize) -> usize {
        self.drawn += 1;
        let digest = sha256(format!("{}/{}", self.seed, self.drawn).as_bytes());
        let number = digest.iter().take(4).fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        number % limit.max(1)
    }
}

/// The registers of the demo's cities.
pub fn registers(nodes: &[NodeId]) -> Result<Vec<City>> {
    nodes.iter().map(|node| seed::city(seed::SEED, *node, seed::PEOPLE, seed::ENTERPRISES)).collect()
}

/// The plan of a seed; `today` only says how old people are.
pub fn plan(number: u64, today: Date, cities: &[City]) -> Vec<Planned> {
    let mut lots = Lots { seed: number, drawn: 0 };
    let mut taken = BTreeSet::new();
    let mut planned = of_the_cast(cities);
    let fates = FATES.iter().flat_map(|(count, city, steps)| std::iter::repeat_n((*city, *steps), *count));
    for (at, (decides, steps)) in fates.enumerate() {
        // Changsha collects more often than the others; every second case crosses a border.
        let collecting = [0, 1, 0, 2, 1, 0][at % 6] % cities.len();
        let other = lots.below(2) + 1;
        let deciding = match decides.and_then(|city| cities.iter().position(|it| it.node.as_str() == city)) {
            Some(city) => city,
            None if at % 2 == 0 => (collecting + other) % cities.len(),
            None => collecting,
        };
        let (collecting, deciding) = (&cities[collecting], &cities[deciding]);
        let Some((person, there)) = somebody(&mut lots, &mut taken, today, collecting, deciding) else {
            continue;
        };
        let way = if lots.below(3) == 0 { Way::Online } else { Way::Counter };
        planned.push(Planned {
            person,
            there,
            collecting: collecting.node,
            deciding: deciding.node,
            way,
            steps: steps.to_vec(),
        });
    }
    planned
}

fn of_the_cast(cities: &[City]) -> Vec<Planned> {
    let planned = |(node, name, steps): &Part| {
        let city = cities.iter().find(|city| city.node.as_str() == *node)?;
        let own = city.accounts.iter().map(|account| account.person);
        let mut people = own.filter_map(|id| city.people.iter().find(|person| person.id == id));
        let person = people.find(|person| person.name == *name)?.clone();
        let (there, node) = (person.clone(), city.node);
        Some(Planned {
            person,
            there,
            collecting: node,
            deciding: node,
            way: Way::Online,
            steps: steps.to_vec(),
        })
    };
    OF_THE_CAST.iter().filter_map(planned).collect()
}

/// Somebody who lives in one city and is registered in the other, or both in the same; each person once.
fn somebody(
    lots: &mut Lots,
    taken: &mut BTreeSet<String>,
    today: Date,
    collecting: &City,
    deciding: &City,
) -> Option<(Person, Person)> {
    let kind = match collecting.node == deciding.node {
        true => PersonKind::Household,
        false => PersonKind::Residence,
    };
    let cast: BTreeSet<_> = collecting.accounts.iter().map(|account| account.person).collect();
    let walk_in = seed::walk_in().map(|member| member.number).ok();
    let fits = |person: &&Person| {
        person.kind == kind
            && AGES.contains(&person.number.age_on(today))
            && !cast.contains(&person.id)
            && Some(person.number) != walk_in
            && !taken.contains(person.number.as_str())
    };
    let there = |person: &Person| {
        let same = |it: &&Person| it.number == person.number && it.kind == PersonKind::Household;
        deciding.people.iter().find(same).cloned()
    };
    let mut pairs = collecting.people.iter().filter(fits).filter_map(|it| Some((it.clone(), there(it)?)));
    // One of the first so many, whoever that is.
    let skip = lots.below(12);
    let first = pairs.next()?;
    let found = pairs.nth(skip).unwrap_or(first);
    taken.insert(found.0.number.to_string());
    Some(found)
}

/// The first day on which something happens: how many working days ago.
pub fn first_day() -> u32 {
    let fates = FATES.iter().flat_map(|(.., steps)| steps.iter());
    fates
        .chain(OF_THE_CAST.iter().flat_map(|(.., steps)| steps.iter()))
        .map(|(day, _)| *day)
        .max()
        .unwrap_or(0)
}

/// Every day on which something happens, the oldest first: how many working days ago.
pub fn days(planned: &[Planned]) -> Vec<u32> {
    let days: BTreeSet<u32> = planned.iter().flat_map(|it| &it.steps).map(|(day, _)| *day).collect();
    days.into_iter().rev().collect()
}

/// The day so many working days before another.
pub fn working_days_before(calendar: &Calendar, today: Date, count: u32) -> Date {
    let mut day = today;
    let mut left = count;
    while 0 < left {
        let Ok(before) = day.yesterday() else { return day };
        day = before;
        left -= u32::from(calendar.is_working(day).yes);
    }
    day
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planted(seed: u64) -> Vec<Planned> {
        let nodes = ["430100", "430200", "430300"].map(|node| node.parse().expect("a city"));
        plan(seed, Date::constant(2026, 9, 7), &registers(&nodes).expect("registers"))
    }

    #[test]
    fn a_seed_determines_the_plan() {
        assert_eq!(planted(1), planted(1));
        assert_ne!(planted(1), planted(2));
    }

    #[test]
    fn everybody_files_once_and_every_city_has_something() {
        let all = planted(1);
        assert!(60 <= all.len(), "{}", all.len());
        let people: BTreeSet<_> = all.iter().map(|it| it.person.number).collect();
        assert_eq!(people.len(), all.len());
        for city in ["430100", "430200", "430300"] {
            let of = |node: NodeId| node.as_str() == city;
            assert!(5 <= all.iter().filter(|it| of(it.collecting)).count(), "{city} collects");
            assert!(5 <= all.iter().filter(|it| of(it.deciding)).count(), "{city} decides");
        }
        assert!(20 <= all.iter().filter(|it| it.collecting != it.deciding).count());
        for it in &all {
            let days: Vec<u32> = it.steps.iter().map(|(day, _)| *day).collect();
            assert!(days.is_sorted_by(|one, next| next < one), "each step has a day of its own: {days:?}");
        }
    }

    #[test]
    fn working_days_are_counted_over_weekends_and_holidays() {
        let calendar = Calendar::national();
        let before = |day, count| working_days_before(calendar, day, count);
        // Monday: the working day before it is Friday.
        assert_eq!(before(Date::constant(2026, 9, 7), 1), Date::constant(2026, 9, 4));
        assert_eq!(before(Date::constant(2026, 9, 7), 0), Date::constant(2026, 9, 7));
    }
}
