//! Licences of a synthetic region (演示数据): a card for everybody, qualifications for some, licences for firms.
//!
//! The batch is signed licence by licence, but stands in the log as one leaf: it is a take-over of a register,
//! not so many acts of an office.

use std::collections::BTreeMap;

use tb_base::{Ctx, Date, Divisions, MessageId, Result};
use tb_crypto::{canonical, sha256, text::hex};
use tb_exchange::{Leaf, LeafKind};
use tb_identity::enterprises::Enterprise;
use tb_identity::people::{Person, PersonKind};
use tb_identity::seed::{City, driver, walk_in};
use tb_store::{Stmt, Tx, params, stmt};

use crate::store::{Holder, Issuer, Licence, NewLicence, insertions, make};

/// How many licences go to the database in one round trip.
const BATCH: usize = 200;
/// In how many days the qualifications of the cast end: late enough to be in force, early enough to be renewed.
const SOON_DAYS: u8 = 16;
/// At which ages the seed lets people drive for hire.
const AGES: std::ops::RangeInclusive<i32> = 25..=55;
/// Classes of qualification that the seed hands out.
pub const CATEGORIES: [&str; 3] =
    ["经营性道路货物运输驾驶员", "经营性道路旅客运输驾驶员", "巡游出租汽车驾驶员"];

/// A qualification to hand out.
#[derive(Clone, Debug)]
pub struct Qualification<'a> {
    /// For whom.
    pub person: &'a Person,
    /// The class, such as one of [`CATEGORIES`].
    pub category: &'a str,
    /// First day of the term.
    pub valid_from: Date,
    /// The last day; none takes the term of the definition.
    pub valid_to: Option<Date>,
}

const ANY: Stmt = stmt(
    "licence.any",
    "
    SELECT id
    FROM licence_licence
    LIMIT 1
",
);

/// Every statement of this file.
pub const STATEMENTS: &[Stmt] = &[ANY];

/// Plants the licences of a city (演示证照); where there are any, everything stays. Gives how many were made.
///
/// Cards go to those whose household is registered here, so nobody has two.
/// The drivers of the cast hold qualifications that end in 16 days and can be renewed; one in 40 grown-ups has one.
pub fn plant(tx: &mut Tx<'_>, ctx: &Ctx, issuer: &Issuer, city: &City) -> Result<usize> {
    plant_for(tx, ctx, issuer, city, ctx.now.date())
}

/// The same for a demo that opens on a later day: from then on the terms of the cast have 16 days to go.
pub fn plant_for(tx: &mut Tx<'_>, ctx: &Ctx, issuer: &Issuer, city: &City, opens: Date) -> Result<usize> {
    if tx.one(&ANY, params![])?.is_some() {
        return Ok(0);
    }
    let households: Vec<Person> =
        city.people.iter().filter(|it| it.kind == PersonKind::Household).cloned().collect();
    let cards = resident_cards(tx, ctx, issuer, &households)?;
    let granted = drivers(&households, ctx.now.date(), opens)?;
    let granted = qualifications(tx, ctx, issuer, &granted)?;
    let names: BTreeMap<_, _> = city.people.iter().map(|it| (it.id, it.name.as_str())).collect();
    let name = |it: &Enterprise| {
        let known = it.representative.and_then(|id| names.get(&id));
        known.map_or("（不在本市登记）", |name| *name).to_owned()
    };
    let firms = business_licences(tx, ctx, issuer, &city.enterprises, name)?;
    Ok(cards.len() + granted.len() + firms.len())
}

fn drivers(people: &[Person], today: Date, opens: Date) -> Result<Vec<Qualification<'_>>> {
    let cast = [driver()?.number, walk_in()?.number];
    let soon = later(opens, SOON_DAYS);
    let mut granted = Vec::new();
    for (at, person) in people.iter().enumerate() {
        let spread = spread(person);
        let (valid_from, valid_to) = if cast.contains(&person.number) {
            (six_years_before(soon), Some(soon))
        } else if at % 40 == 7 && AGES.contains(&person.number.age_on(today)) {
            (date(today.year() - i16::from(spread % 5), 1 + spread % 12, 1 + spread % 28, today), None)
        } else {
            continue;
        };
        let category = if cast.contains(&person.number) { 0 } else { usize::from(spread) % CATEGORIES.len() };
        granted.push(Qualification { person, category: CATEGORIES[category], valid_from, valid_to });
    }
    Ok(granted)
}

fn later(day: Date, days: u8) -> Date {
    (0..days).fold(day, |day, _| day.tomorrow().unwrap_or(day))
}

/// The first day of a term of six years that ends on `last`.
fn six_years_before(last: Date) -> Date {
    let next = last.tomorrow().unwrap_or(last);
    date(next.year() - 6, next.month().unsigned_abs(), next.day().min(28).unsigned_abs(), last)
}

/// A resident card for each person (居民身份证).
pub fn resident_cards(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    people: &[Person],
) -> Result<Vec<Licence>> {
    let today = ctx.now.date();
    let made: Result<Vec<Licence>> =
        people.iter().map(|person| make(ctx, issuer, resident_card(issuer, person, today)?)).collect();
    store(tx, ctx, made?)
}

/// Road-transport qualifications (道路运输从业资格证).
pub fn qualifications(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    granted: &[Qualification<'_>],
) -> Result<Vec<Licence>> {
    let today = ctx.now.date();
    let made: Result<Vec<Licence>> =
        granted.iter().map(|it| make(ctx, issuer, qualification(issuer, it, today)?)).collect();
    store(tx, ctx, made?)
}

/// A business licence for each enterprise (营业执照); `representative` gives the name of a person.
pub fn business_licences(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    enterprises: &[Enterprise],
    representative: impl Fn(&Enterprise) -> String,
) -> Result<Vec<Licence>> {
    let today = ctx.now.date();
    let made: Result<Vec<Licence>> = enterprises
        .iter()
        .map(|it| make(ctx, issuer, business_licence(issuer, it, representative(it), today)))
        .collect();
    store(tx, ctx, made?)
}

fn store(tx: &mut Tx<'_>, ctx: &Ctx, licences: Vec<Licence>) -> Result<Vec<Licence>> {
    if licences.is_empty() {
        return Ok(licences);
    }
    for batch in licences.chunks(BATCH) {
        let rows: Vec<_> = batch.iter().flat_map(|licence| insertions(tx, ctx, licence)).collect();
        tx.run_all(&rows)?;
    }
    let digests: Vec<String> = licences.iter().map(|licence| hex(&licence.digest)).collect();
    let id = ctx.id(MessageId::new);
    let leaf = Leaf {
        kind: LeafKind::Licence,
        at: ctx.now,
        id,
        contract: [0; 16],
        content: sha256(&canonical(&digests)?),
        base: [0; 32],
        subject: [0; 32],
    };
    tb_store::log::append(tx, &leaf)?;
    tb_store::audit::line(tx, ctx, "licence.take_over", id.as_str(), "issued")?;
    Ok(licences)
}

fn resident_card(issuer: &Issuer, person: &Person, today: Date) -> Result<NewLicence> {
    let kind = issuer.types.find("resident_card")?;
    let spread = spread(person);
    let valid_from = date(today.year() - i16::from(spread % 5), 1 + spread % 12, 1 + spread % 28, today);
    let age = u32::try_from(person.number.age_on(valid_from)).unwrap_or(0);
    let fields = values([
        ("name", person.name.clone()),
        ("sex", sex(person)),
        ("ethnicity", "汉族".to_owned()),
        ("birth", person.number.birth().to_string()),
        ("address", person.address.clone()),
        ("number", person.number.to_string()),
        ("issuer", format!("{}公安局", city_name(issuer))),
    ]);
    Ok(NewLicence {
        type_id: kind.id.clone(),
        holder: Holder::Person { id: person.id, number: person.number },
        fields,
        valid_from,
        valid_to: kind.term_end(valid_from, age),
    })
}

fn qualification(issuer: &Issuer, granted: &Qualification<'_>, today: Date) -> Result<NewLicence> {
    let kind = issuer.types.find("road_transport_qualification")?;
    let person = granted.person;
    let years = i16::from(6 * (1 + spread(person) % 2));
    let from = granted.valid_from;
    let first =
        date(from.year() - years, from.month().unsigned_abs(), from.day().min(28).unsigned_abs(), from);
    let fields = values([
        ("name", person.name.clone()),
        ("sex", sex(person)),
        ("birth", person.number.birth().to_string()),
        ("resident_number", person.number.to_string()),
        ("number", person.number.to_string()),
        ("category", granted.category.to_owned()),
        ("vehicle_class", "A2".to_owned()),
        ("first_issued", first.to_string()),
        ("issuer", format!("{}交通运输局", city_name(issuer))),
        ("integrity", "AA".to_owned()),
        ("integrity_year", (today.year() - 1).to_string()),
        ("education_hours", "24".to_owned()),
    ]);
    Ok(NewLicence {
        type_id: kind.id.clone(),
        holder: Holder::Person { id: person.id, number: person.number },
        fields,
        valid_from: granted.valid_from,
        valid_to: granted.valid_to.or_else(|| kind.term_end(granted.valid_from, 0)),
    })
}

fn business_licence(
    issuer: &Issuer,
    enterprise: &Enterprise,
    representative: String,
    today: Date,
) -> NewLicence {
    let spread = enterprise.uscc.as_str().bytes().fold(0_u8, u8::wrapping_add);
    let established =
        date(today.year() - 1 - i16::from(spread % 15), 1 + spread % 12, 1 + spread % 28, today);
    let form = match enterprise.uscc.category() {
        "92" => "个体工商户",
        "93" => "农民专业合作社",
        _ => "有限责任公司",
    };
    let fields = values([
        ("code", enterprise.uscc.to_string()),
        ("name", enterprise.name.clone()),
        ("form", form.to_owned()),
        ("representative", representative),
        ("capital", format!("{} 万元人民币", 50 + 10 * u32::from(spread % 96))),
        ("established", established.to_string()),
        ("address", enterprise.address.clone()),
        ("scope", "依法须经批准的项目，经相关部门批准后方可开展经营活动".to_owned()),
        ("issuer", format!("{}市场监督管理局", city_name(issuer))),
    ]);
    NewLicence {
        type_id: "business_licence".to_owned(),
        holder: Holder::Enterprise { code: enterprise.uscc, representative: enterprise.representative },
        fields,
        valid_from: established,
        valid_to: None,
    }
}

fn values<const N: usize>(pairs: [(&str, String); N]) -> BTreeMap<String, String> {
    pairs.into_iter().map(|(field, value)| (field.to_owned(), value)).collect()
}

fn sex(person: &Person) -> String {
    if person.number.is_male() { "男".to_owned() } else { "女".to_owned() }
}

/// A number that spreads dates over people and is the same at each start.
fn spread(person: &Person) -> u8 {
    person.number.as_str().bytes().fold(0_u8, |sum, letter| sum.wrapping_mul(31).wrapping_add(letter))
}

/// That day, or `latest` where it does not exist or lies after it.
fn date(year: i16, month: u8, day: u8, latest: Date) -> Date {
    let found = Date::new(year, month.cast_signed(), day.cast_signed());
    found.ok().filter(|it| *it <= latest).unwrap_or(latest)
}

fn city_name(issuer: &Issuer) -> String {
    let code = issuer.city.as_str().parse().ok();
    code.and_then(|code| Divisions::region().name(&code).map(str::to_owned)).unwrap_or_default()
}
