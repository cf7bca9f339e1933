//! What is written lies sealed, and everything runs on PostgreSQL as on SQLite.

use tb_testkit::Postgres;

use super::*;

const RAW: [Stmt; 2] = [
    stmt("test.enquiries", "SELECT content AS held FROM enquiry_enquiry"),
    stmt("test.turns", "SELECT content AS held FROM enquiry_turn"),
];
const SWAP: Stmt = stmt(
    "test.swap",
    "UPDATE enquiry_turn SET content = (SELECT MIN(content) FROM enquiry_turn) WHERE act = 'ask'",
);

#[test]
fn what_was_asked_lies_sealed_in_both_cities() {
    let world = World::new();
    let new =
        NewEnquiry { asker: Asker::Phone(PHONE.into()), ..world.new_of(About::Anything {}, xiangtan()) };
    world.ask(&new).unwrap();
    world.exchange();
    let mut seen = 0;
    for (node, raw) in [changsha(), xiangtan()].into_iter().flat_map(|node| RAW.map(|raw| (node, raw))) {
        let held = world.write(node, Actor::System, move |tx, _, _| {
            tx.all(&raw, &[])?.iter().map(|row| row.get::<String>("held")).collect::<Result<Vec<_>>>()
        });
        for text in held.unwrap() {
            seen += 1;
            assert!(text.starts_with("TBS1") && !text.contains("金丝雀"), "{}: {text}", raw.name);
        }
    }
    assert_eq!(seen, 6, "an enquiry and two turns in each city");
}

#[test]
fn a_sealed_turn_opens_in_its_own_row_only() {
    let world = World::new();
    for _ in 0..2 {
        world.ask(&world.new_of(About::Anything {}, changsha())).unwrap();
    }
    let id = world.write(changsha(), Actor::System, |tx, _, _| {
        tx.run(&SWAP, &[])?;
        let first = stmt("test.first", "SELECT MIN(enquiry) AS id FROM enquiry_turn");
        let last = stmt("test.last", "SELECT MAX(enquiry) AS id FROM enquiry_turn");
        let id = |tx: &mut Tx<'_>, which: &Stmt| tx.one(which, &[])?.unwrap().parse::<MessageId>("id");
        Ok([id(tx, &first)?, id(tx, &last)?])
    });
    let broken = id.unwrap().into_iter().filter(|id| {
        let id = *id;
        matches!(
            world.write(changsha(), Actor::System, move |tx, _, _| keep::turns(tx, id)),
            Err(Error::Violation(_))
        )
    });
    assert!(1 <= broken.count());
}

#[test]
fn all_of_it_on_postgresql() {
    let postgres = Postgres::start();
    let config = |node: NodeId| Config {
        engine: tb_store::Engine::Postgres {
            url: postgres.url.clone(),
            schema: postgres.schema(&format!("enquiry_{node}")),
        },
        inline: false,
    };
    let world = World::on(config);
    let new = NewEnquiry {
        office: Some(office(xiangtan(), "transport")),
        ..world.new_of(a_look(&world), xiangtan())
    };
    let id = world.ask(&new).unwrap().id;
    world.exchange();
    let act = answer(xiangtan(), "transport", 0);
    world.office_acts(xiangtan(), "transport", id, act, world.id()).unwrap();
    world.exchange();
    world.both_say(id, State::Answered);
    let (me, person) = (changsha(), world.cities[&changsha()].person);
    let lists = world.write(me, Actor::System, move |tx, ctx, env| {
        let away = queue::list(tx, me, &Whose::Away, &Filter::default(), 0)?;
        let late = Filter { due_before: Some(ctx.now), state: Some(State::Open), kind: None };
        let none = queue::list(tx, me, &Whose::Office(office(me, "hall-1")), &late, 0)?;
        let hers = queue::of_person(tx, person, 0)?;
        let owed = queue::owed(tx, me, &Whose::City, ctx.now, ctx.now)?;
        let found = keep::by_code(tx, &env.vault, "00000000", PHONE)?;
        let purged = keep::purge(tx, ctx.now, 10)?;
        Ok((
            away.total,
            none.total,
            hers.total,
            owed.open,
            found,
            purged,
            queue::by_office(tx, me, ctx.now)?.len(),
        ))
    });
    assert_eq!(lists.unwrap(), (1, 0, 1, 0, None, 0, 0));
}
