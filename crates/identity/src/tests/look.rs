//! Looks: row, leaf and proof.

use std::sync::Arc;

use tb_crypto::{sha256, text};
use tb_exchange::{LeafKind, subject_commitment};

use super::world::{NOW, World, refusal};
use crate::look::{self, Look, LookKind};
use crate::{people, seed};

fn look(person: tb_base::PersonId) -> Look {
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
