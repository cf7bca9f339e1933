//! Evidence from the real case and licence blocks: events and licences verify as they stand in the store.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::http::StatusCode;
use tb_base::{Actor, Calendar, CaseId, Ctx, LicenceId, MessageId, Refusal, Result, Role, StaffId, Uscc};
use tb_case::case::{Channel, IssuedResult};
use tb_case::definitions::{Catalogue, DefinitionFile, Source};
use tb_case::draft::{self, Fetched, NewDraft};
use tb_case::{Env, submit};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_exchange::bundle::{Part, assemble, verify};
use tb_identity::people;
use tb_licence::store::Issuer;
use tb_licence::types::Types;
use tb_store::Tx;

use super::support::{Browser, NOW, Region, node};
use crate::case_evidence;
use crate::evidence::cases::of_licence;

pub const FILES: [DefinitionFile<'static>; 5] = [
    DefinitionFile { path: "items.csv", text: include_str!("../../../t02-services/defs/items.csv") },
    DefinitionFile { path: "121.toml", text: include_str!("../../../t02-services/defs/121.toml") },
    DefinitionFile {
        path: "430100/121.toml",
        text: include_str!("../../../t02-services/defs/430100/121.toml"),
    },
    DefinitionFile {
        path: "430200/121.toml",
        text: include_str!("../../../t02-services/defs/430200/121.toml"),
    },
    DefinitionFile {
        path: "430300/121.toml",
        text: include_str!("../../../t02-services/defs/430300/121.toml"),
    },
];
const CARD: (&str, &str) =
    ("resident_card.toml", include_str!("../../../t03-recognition/defs/licence/resident_card.toml"));

pub fn env(desk: &Arc<Desk>, vault: &Arc<Vault>) -> Env {
    Env {
        desk: Arc::clone(desk),
        catalogue: Arc::new(Catalogue::load(&FILES).sound().unwrap()),
        calendar: Arc::new(Calendar::national().clone()),
        vault: Arc::clone(vault),
        issue: Arc::new(|_, _, _, _| -> Result<IssuedResult> {
            Err(Refusal::not_now("TST-ISS-001", "这里不发证", "Nothing is issued here").into())
        }),
        is_current: Arc::new(|_, _, _, _| Ok(true)),
        ended: Arc::new(|_, _, _| Ok(())),
    }
}

/// A complete draft at Changsha's window, handed in to Xiangtan.
pub fn file(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, person: tb_base::PersonId) -> Result<CaseId> {
    let new = NewDraft { item: 121, person, channel: Channel::Window, deciding: Some(node("430300")) };
    let mut held = draft::create(tx, ctx, env, &new)?;
    let pairs = [
        ("reason", "expiring"),
        ("phone", "13807314627"),
        ("delivery", "collecting_window"),
        ("truth", "yes"),
    ];
    let answers = pairs.iter().map(|(id, answer)| ((*id).to_owned(), (*answer).to_owned())).collect();
    held = draft::save(tx, ctx, env, held.id, held.version, &answers)?;
    let rules = env.catalogue.rules(121, node("430300")).unwrap();
    for material in &rules.materials {
        let Source::Licence { licence, .. } = &material.source else { continue };
        let fetched = Fetched {
            material: material.id.clone(),
            kind: licence.clone(),
            licence: ctx.id(LicenceId::new),
            version: 1,
            digest: "00".repeat(32),
            issuer: node("430300"),
            consent: "01kq3zt0000000000000000001".into(),
            values: [("name".to_owned(), "周晓梅".to_owned())].into(),
            at: ctx.now,
        };
        held = draft::attach_fetched(tx, ctx, env, held.id, held.version, &fetched)?;
    }
    let checks: BTreeSet<String> = rules.checks.iter().map(|check| check.id.clone()).collect();
    held = draft::check(tx, ctx, env, held.id, held.version, &checks)?;
    submit(tx, ctx, env, held.id, ctx.id(MessageId::new))
}

#[tokio::test]
async fn events_of_a_filed_case_verify() {
    let region = Region::new(Some(Box::new(|desk, vault| case_evidence(Arc::new(env(desk, vault)))))).await;
    let city = region.city("430100");
    let person = region.driver("430100").await;
    let env = env(&city.desk, &city.vault);
    let clerk = Actor::Staff {
        staff: region.ctx("430100").id(StaffId::new),
        role: Role::Window,
        office: "430100-hall-1".parse().unwrap(),
    };
    let ctx = region.ctx("430100").acting(clerk);
    let case = city.store.write("test.file", move |tx| file(tx, &ctx, &env, person)).await.unwrap();
    region.witness("430100", &["430200", "430300"]).await;
    for login in ["driver@430100", "window1@430100"] {
        let mut browser = Browser::signed_in(&region, "430100", login).await;
        let page = browser.get(&format!("/cases/{case}/evidence")).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        let report = verify(&page.body, None);
        assert!(report.ok, "{:#?}", report.failures().collect::<Vec<_>>());
        assert!(1 <= report.events && report.events <= report.proofs, "{login}");
    }
    let mut other = Browser::signed_in(&region, "430100", "resident1@430100").await;
    assert_eq!(other.get(&format!("/cases/{case}/evidence")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_licence_of_the_store_verifies() {
    let region = Region::new(None).await;
    let city = region.city("430300");
    let person = region.driver("430300").await;
    let body = "11430300MB9900001";
    let issuer = Issuer {
        vault: Arc::clone(&city.vault),
        key: Arc::new(city.secrets.licence_sm2.clone()),
        types: Arc::new(Types::load(&[CARD]).unwrap()),
        city: city.node,
        uscc: format!("{body}{}", Uscc::check_letter(body).unwrap()).parse().unwrap(),
    };
    let ctx = region.ctx("430300");
    let issue = move |tx: &mut Tx<'_>| {
        let person = people::get(tx, &issuer.vault, person)?;
        tb_licence::seed::resident_cards(tx, &ctx, &issuer, &[person])
    };
    let licences = city.store.write("test.issue", issue).await.unwrap();
    let mut part = Part::new(city.node, NOW, city.desk.trust().as_ref().clone());
    part.licences = licences.iter().map(|licence| of_licence(licence).unwrap()).collect();
    let report = verify(&assemble(vec![part.sign(&city.secrets).unwrap()]).unwrap(), None);
    assert!(report.ok, "{:#?}", report.failures().collect::<Vec<_>>());
    assert_eq!(report.licences, 1);
}
