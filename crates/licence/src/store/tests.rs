//! Tests of licences at rest: issue, replace, order, tamper, seed.

use tb_crypto::text::hex;
use tb_exchange::keys::KeyUse;
use tb_store::{Config, Stmt, params, stmt};

use super::{
    Renewal, by_oid, cancel, find, history_of, issue, lift, of_holder, revoke, supersede, suspend, withdraw,
};
use crate::state::State;
use crate::tests_support::{NOON, World, names, qualification, refused, xiangtan};
use tb_base::{Actor, LicenceId};

fn renewal() -> Renewal {
    Renewal {
        fields: [("integrity".to_owned(), "AAA".to_owned())].into(),
        valid_from: "2026-06-11".parse().expect("a date"),
        valid_to: "2032-06-10".parse().ok(),
        reason: "换发".to_owned(),
    }
}

#[test]
fn issued_and_signed() {
    let world = World::peopled(20);
    let licence = world.qualified();
    assert_eq!((licence.version, licence.oid.version()), (1, 1));
    assert!(licence.oid.as_str().parse::<tb_base::LicenceOid>().is_ok(), "our own identifiers are strict");
    assert_eq!(hex(&licence.digest), hex(&licence.record.digest().expect("digest")));
    let values = licence.values(&world.vault(xiangtan())).expect("values");
    assert_eq!(values["category"], "经营性道路货物运输驾驶员");
    licence.values(&world.vault(crate::tests_support::changsha())).expect_err("sealed under another key");
    let text = serde_json::to_string(&licence.record).expect("json");
    assert!(
        !text.contains(&values["number"]) && !text.contains(&values["name"]),
        "the record tells no value"
    );
}

#[test]
fn a_changed_letter_is_seen() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let key = world.trust().city(xiangtan()).expect("city").keys.key(KeyUse::LicenceSm2).expect("key");
    let extract = licence.extract(&world.vault(xiangtan()), &names(&["name", "category"])).expect("extract");
    extract.verify(&key).expect("as it was signed");
    assert_eq!(extract.plain().len(), 2);

    let mut value = extract.clone();
    value.values.get_mut("category").expect("there").value.push('2');
    value.verify(&key).expect_err("another value");
    let mut moved = extract.clone();
    let name = moved.values.remove("name").expect("there");
    moved.values.insert("issuer".to_owned(), name);
    moved.verify(&key).expect_err("a value of another field");
    let mut term = extract.clone();
    term.record.valid_to = "2036-06-10".parse().ok();
    term.verify(&key).expect_err("another term");
    let other =
        world.trust().city(crate::tests_support::zhuzhou()).expect("city").keys.key(KeyUse::LicenceSm2);
    extract.verify(&other.expect("key")).expect_err("another city's key");
}

#[track_caller]
fn whole_life(world: &World) {
    let first = world.qualified();
    let (id, issuer) = (first.id, world.issuer(xiangtan()));
    let ctx = world.system(xiangtan());
    let second = world.write(xiangtan(), {
        let (ctx, issuer) = (ctx.clone(), issuer.clone());
        move |tx| supersede(tx, &ctx, &issuer, id, renewal())
    });
    let second = second.expect("superseded");
    assert_eq!((second.id, second.version, second.record.predecessor.as_ref()), (id, 2, Some(&first.oid)));
    assert_ne!(second.oid, first.oid);
    assert_eq!(second.values(&issuer.vault).expect("values")["integrity"], "AAA");
    assert_eq!(
        second.values(&issuer.vault).expect("values")["vehicle_class"],
        "A2",
        "what is not named stays"
    );

    let holder = second.holder.expect("a person");
    let (found, history) = world
        .write(xiangtan(), move |tx| {
            suspend(tx, &ctx, id, "超限运输")?;
            lift(tx, &ctx, id, "整改完成")?;
            withdraw(tx, &ctx, id, "处罚决定书 12 号")?;
            cancel(tx, &ctx, id, "吊销后注销")?;
            refused(suspend(tx, &ctx, id, "再暂扣"), "LIC-STA-001");
            refused(cancel(tx, &ctx, id, " "), "LIC-STA-005");
            let old = by_oid(tx, &first.oid)?.expect("the old identifier leads here");
            assert_eq!((old.0.id, old.1, old.0.version), (id, 1, 2));
            Ok((of_holder(tx, holder)?, history_of(tx, id)?))
        })
        .expect("orders");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].standing.state, State::Cancelled);
    assert_eq!(found[0].standing.void_from, Some(NOON.date()), "the day of the penalty stays");
    let events: Vec<(u32, &str, State)> =
        history.iter().map(|it| (it.version, it.event.as_str(), it.state)).collect();
    assert_eq!(
        events,
        [
            (1, "issued", State::Valid),
            (1, "superseded", State::Superseded),
            (2, "issued", State::Valid),
            (2, "suspended", State::Suspended),
            (2, "lifted", State::Valid),
            (2, "withdrawn", State::Withdrawn),
            (2, "cancelled", State::Cancelled),
        ]
    );
}

const REASONS: Stmt =
    stmt("test.reasons", "SELECT seq, reason FROM licence_version WHERE licence = $1 ORDER BY seq");
const SWAP: Stmt = stmt(
    "test.swap",
    "
    UPDATE licence_version
    SET reason = (SELECT v.reason FROM licence_version v WHERE v.licence = $1 AND v.seq = 2)
    WHERE licence = $1 AND seq = 3
",
);

#[test]
fn the_reason_of_an_order_lies_sealed_in_its_own_line() {
    let world = World::peopled(20);
    let (id, ctx) = (world.qualified().id, world.system(xiangtan()));
    let words = "当事人住金丝雀巷七号，超限运输";
    let raw = world
        .write(xiangtan(), move |tx| {
            suspend(tx, &ctx, id, words)?;
            lift(tx, &ctx, id, "整改完成")?;
            assert_eq!(history_of(tx, id)?[1].reason, words);
            tx.all(&REASONS, params![id])?
                .iter()
                .map(|row| row.get::<String>("reason"))
                .collect::<tb_base::Result<Vec<_>>>()
        })
        .expect("orders");
    assert!(raw.iter().all(|held| held.starts_with("TBS1")), "{raw:?}");
    world.write(xiangtan(), move |tx| tx.run(&SWAP, params![id])).expect("swapped");
    let moved = world.write(xiangtan(), move |tx| history_of(tx, id)).expect_err("another line's reason");
    assert!(matches!(moved, tb_base::Error::Violation(_)), "{moved}");
}

#[test]
fn whole_life_on_sqlite() {
    whole_life(&World::peopled(20));
}

#[test]
fn whole_life_on_postgres() {
    let postgres = tb_testkit::Postgres::start();
    let config = |_| Config {
        engine: tb_store::Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema("licence") },
        inline: false,
    };
    whole_life(&World::on(config).plant(20));
}

#[test]
fn annulled_from_the_start_and_withdrawn_from_today() {
    let world = World::peopled(20);
    let (one, other) = (world.qualified(), world.qualified());
    let ctx = world.system(xiangtan());
    let (revoked, withdrawn) = world
        .write(xiangtan(), move |tx| {
            Ok((revoke(tx, &ctx, one.id, "骗取许可")?, withdraw(tx, &ctx, other.id, "处罚")?))
        })
        .expect("orders");
    assert_eq!(revoked.standing.void_from, Some(revoked.standing.valid_from));
    assert_eq!(withdrawn.standing.void_from, Some(NOON.date()));
}

#[test]
fn what_is_not_issued() {
    let world = World::peopled(20);
    let (issuer, ctx, person) =
        (world.issuer(xiangtan()), world.system(xiangtan()), world.driver(xiangtan()));
    world
        .write(xiangtan(), move |tx| {
            let mut lacking = qualification(&person);
            lacking.fields.remove("category");
            refused(issue(tx, &ctx, &issuer, lacking).map(|it| it.id), "LIC-ISS-002");
            let mut unknown = qualification(&person);
            unknown.fields.insert("colour".to_owned(), "红".to_owned());
            refused(issue(tx, &ctx, &issuer, unknown).map(|it| it.id), "LIC-ISS-002");
            let mut wrong = qualification(&person);
            wrong.fields.insert("birth".to_owned(), "1990-02-30".to_owned());
            refused(issue(tx, &ctx, &issuer, wrong).map(|it| it.id), "LIC-ISS-002");
            let mut backwards = qualification(&person);
            backwards.valid_to = "2020-06-10".parse().ok();
            refused(issue(tx, &ctx, &issuer, backwards).map(|it| it.id), "LIC-ISS-003");
            let mut nothing = qualification(&person);
            nothing.type_id = "fishing_rod".to_owned();
            refused(issue(tx, &ctx, &issuer, nothing).map(|it| it.id), "LIC-TYP-001");
            let mut firm = qualification(&person);
            firm.type_id = "business_licence".to_owned();
            refused(issue(tx, &ctx, &issuer, firm).map(|it| it.id), "LIC-ISS-001");
            let nobody: LicenceId = ctx.id(LicenceId::new);
            assert!(find(tx, nobody)?.is_none());
            refused(suspend(tx, &ctx, nobody, "无").map(|it| it.id), "LIC-FND-001");
            Ok(())
        })
        .expect("refusals only");
}

#[test]
fn a_city_is_planted_once() {
    let world = World::peopled(400);
    let city = tb_identity::seed::city(tb_identity::seed::SEED, xiangtan(), 400, 3).expect("a city");
    let (issuer, person) = (world.issuer(xiangtan()), world.driver(xiangtan()));
    let ctx = world.ctx(xiangtan(), NOON, Actor::System);
    let (made, again, hers) = world
        .write(xiangtan(), move |tx| {
            let made = crate::seed::plant(tx, &ctx, &issuer, &city)?;
            let again = crate::seed::plant(tx, &ctx, &issuer, &city)?;
            Ok((made, again, of_holder(tx, person.id)?))
        })
        .expect("planted");
    assert!(360 <= made && again == 0, "{made} licences, then {again}");
    let mut types: Vec<_> = hers.iter().map(|it| (it.type_id.as_str(), it.state(NOON.date()))).collect();
    types.sort_unstable();
    assert_eq!(types, [("resident_card", State::Valid), ("road_transport_qualification", State::Valid)]);
}

#[test]
fn terms_that_are_over() {
    let world = World::peopled(20);
    let licence = world.qualified();
    let ctx = world.ctx(xiangtan(), NOON.plus_seconds(20 * 86_400), Actor::System);
    let (early, id) = (world.system(xiangtan()), licence.id);
    world
        .write(xiangtan(), move |tx| {
            assert_eq!(super::due(tx, early.now.date(), "")?, [""; 0]);
            assert_eq!(super::due(tx, ctx.now.date(), "")?, [id.to_string()]);
            assert_eq!(super::due(tx, ctx.now.date(), id.as_str())?, [""; 0], "a page begins after the last");
            super::expire(tx, &ctx, id)?;
            assert_eq!(super::due(tx, ctx.now.date(), "")?, [""; 0], "once");
            assert_eq!(find(tx, id)?.expect("there").standing.state, State::Expired);
            Ok(())
        })
        .expect("expired");
}
