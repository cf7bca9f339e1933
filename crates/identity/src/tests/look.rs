//! Looks: row, leaf and proof.

use std::sync::Arc;

use tb_crypto::{sha256, text};
use tb_exchange::{LeafKind, subject_commitment};

use tb_base::{Actor, CaseId, PersonId, Role, StaffId, Timestamp};

use super::world::{NOW, World, refusal};
use crate::look::{self, Look, LookKind, ONE_LOOK_SECONDS};
use crate::{people, seed};

fn look(person: PersonId) -> Look {
    Look {
        person,
        kind: LookKind::Fetch,
        city: "430100".parse().expect("a node"),
        office: Some("430100-hall-1".parse().expect("an office")),
        role: "window".to_owned(),
        item: "121".to_owned(),
        case: None,
        ground: "consent:r1".to_owned(),
        fields: vec!["name".to_owned(), "valid_until".to_owned()],
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    }
}

#[tokio::test]
async fn a_look_is_a_row_and_a_leaf() {
    let world = World::planted("430300").await;
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    let number = seed::driver().expect("the driver").number;
    let (written, rows, parts, foreign) = world
        .write(move |tx| {
            let driver = people::by_number(tx, &vault, &number)?.expect("the driver").id;
            let other = people::by_number(tx, &vault, &seed::walk_in()?.number)?.expect("the walk-in").id;
            let written = look::record(tx, &ctx, &vault, &look(driver))?;
            look::record(tx, &ctx, &vault, &look(other))?;
            let rows = look::of_person(tx, driver, 0)?;
            assert_eq!(look::count(tx, driver)?, 1);
            let parts = look::proof_parts(tx, &vault, driver, written.look.id)?.expect("a proof");
            let foreign = look::proof_parts(tx, &vault, other, written.look.id)?;
            Ok((written, rows, parts, foreign))
        })
        .await
        .expect("written");
    assert_eq!(rows.as_slice(), std::slice::from_ref(&written));
    assert_eq!(foreign, None);
    assert_eq!(parts.leaf.kind, LeafKind::Look);
    assert_eq!(parts.leaf.id, written.look.id);
    assert_eq!(parts.leaf.content, sha256(parts.content.as_bytes()));
    assert_eq!(parts.leaf.subject, subject_commitment(&parts.salt, number.as_str().as_bytes()));
    assert_eq!(text::hex(&parts.leaf_hash), written.leaf);
    assert_eq!(parts.leaf_hash, tb_tlog::leaf_hash(&parts.leaf.encode()));
    assert!(!parts.content.contains(number.as_str()));
}

#[tokio::test]
async fn a_look_without_a_ground_is_refused() {
    let world = World::planted("430300").await;
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    let number = seed::driver().expect("the driver").number;
    let result = world
        .write(move |tx| {
            let driver = people::by_number(tx, &vault, &number)?.expect("the driver").id;
            let groundless = Look { ground: String::new(), ..look(driver) };
            look::record(tx, &ctx, &vault, &groundless)
        })
        .await;
    assert_eq!(refusal(result), "IDN-LOK-001");
}

/// The same reading at several moments, by several officers; on both engines.
pub(super) async fn looks_of_one_reading(world: &World) {
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    let (officers, cases): (Vec<StaffId>, Vec<CaseId>) =
        (0..2).map(|_| (ctx.id(StaffId::new), ctx.id(CaseId::new))).unzip();
    let number = seed::driver().expect("the driver").number;
    world
        .write(move |tx| {
            let driver = people::by_number(tx, &vault, &number)?.expect("the driver").id;
            let before = look::count(tx, driver)?;
            let mut check = |at: Timestamp, officer: usize, look: &Look, is_new: bool| {
                let actor = Actor::Staff {
                    staff: officers[officer],
                    role: Role::Reviewer,
                    office: "430300-transport".parse()?,
                };
                let mut ctx = ctx.acting(actor);
                ctx.now = at;
                let written = look::record_once(tx, &ctx, &vault, look, ONE_LOOK_SECONDS)?;
                assert_eq!(written.is_some(), is_new, "{at} {officer} {look:?}");
                Ok::<(), tb_base::Error>(())
            };
            let one = Look { case: Some(cases[0]), ..look(driver) };
            let after = |seconds| NOW.plus_seconds(seconds);
            check(NOW, 0, &one, true)?;
            check(NOW, 0, &one, false)?;
            let turned = Look { fields: one.fields.iter().rev().cloned().collect(), ..one.clone() };
            check(after(5), 0, &turned, false)?;
            check(after(10), 1, &one, true)?;
            check(after(20), 0, &Look { case: Some(cases[1]), ..one.clone() }, true)?;
            check(after(30), 0, &Look { ground: "case".to_owned(), ..one.clone() }, true)?;
            check(after(40), 0, &Look { fields: vec!["name".to_owned()], ..one.clone() }, true)?;
            check(after(50), 0, &Look { outcome: "IDN-X".to_owned(), ..one.clone() }, true)?;
            check(after(ONE_LOOK_SECONDS - 1), 0, &one, false)?;
            check(after(ONE_LOOK_SECONDS), 0, &one, true)?;
            assert_eq!(look::count(tx, driver)? - before, 7);
            Ok(())
        })
        .await
        .expect("written");
}

/// The first page of what a person is shown, and the one after it; on both engines.
pub(super) async fn looks_of_others_by_pages(world: &World) {
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    let number = seed::walk_in().expect("somebody").number;
    world
        .write(move |tx| {
            let person = people::by_number(tx, &vault, &number)?.expect("somebody").id;
            let mut written = Vec::new();
            for seconds in 1..=3 {
                let mut ctx = ctx.clone();
                ctx.now = NOW.plus_seconds(seconds);
                written.push(look::record(tx, &ctx, &vault, &look(person))?);
            }
            let own = Look { role: look::HERSELF.to_owned(), ground: "own".to_owned(), ..look(person) };
            look::record(tx, &ctx, &vault, &own)?;
            written.reverse();
            assert_eq!(look::by_others(tx, person, None, 2)?, written[..2]);
            assert_eq!(look::by_others(tx, person, Some(written[1].look.id), 2)?, written[2..]);
            Ok(())
        })
        .await
        .expect("read");
}

#[tokio::test]
async fn a_person_is_shown_who_looked() {
    looks_of_others_by_pages(&World::planted("430300").await).await;
}

#[tokio::test]
async fn reading_the_same_again_is_one_look() {
    looks_of_one_reading(&World::planted("430300").await).await;
}
