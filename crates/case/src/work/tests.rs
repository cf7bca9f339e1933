//! Ticks and bulks, as the database keeps them on both engines.

use std::collections::BTreeSet;

use tb_base::{Actor, CaseId, Ctx, MessageId, OfficeId, Refusal, StaffId, Timestamp};
use tb_store::Tx;

use super::{BULK_ROWS_MAX, Bulk, RowState, begin, find, latest, settle, tick, ticks};
use crate::command::CommandKind;
use crate::fixture::{Counter, on_postgres, on_sqlite, xiangtan};

const NOW: Timestamp = Timestamp(1_795_449_600_000_000);

fn ctx(now: Timestamp) -> Ctx {
    Ctx::new(now, Actor::System, xiangtan(), std::sync::Arc::new(std::sync::Mutex::new(Counter(9))))
}

fn points(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check_ticks(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    let mut entropy = Counter(1);
    let (case, other) = (CaseId::new(NOW, &mut entropy), CaseId::new(NOW, &mut entropy));
    let (staff, colleague) = (StaffId::new(NOW, &mut entropy), StaffId::new(NOW, &mut entropy));
    tick(tx, &ctx(NOW), case, staff, &points(&["one", "two"]))?;
    tick(tx, &ctx(NOW), case, staff, &points(&["two", "three"]))?;
    tick(tx, &ctx(NOW), case, staff, &points(&["two", "three"]))?;
    tick(tx, &ctx(NOW), case, colleague, &points(&["one"]))?;
    assert_eq!(ticks(tx, case, staff)?, points(&["two", "three"]));
    assert_eq!(ticks(tx, case, colleague)?, points(&["one"]), "ticks are one officer's alone");
    assert_eq!(ticks(tx, other, staff)?, points(&[]));
    tick(tx, &ctx(NOW), case, staff, &points(&[]))?;
    assert_eq!(ticks(tx, case, staff)?, points(&[]));
    Ok(())
}

fn states(bulk: &Bulk) -> Vec<(CaseId, u32, RowState, Option<String>)> {
    let told = |refusal: &Option<Refusal>| refusal.as_ref().map(|refusal| refusal.zh.to_string());
    bulk.rows.iter().map(|row| (row.case, row.seen, row.state, told(&row.refusal))).collect()
}

fn check_bulks(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    let mut entropy = Counter(2);
    let cases: Vec<(CaseId, u32)> = (0..3).map(|seen| (CaseId::new(NOW, &mut entropy), seen)).collect();
    let staff = StaffId::new(NOW, &mut entropy);
    let office: OfficeId = "430300-transport".parse()?;
    let who = (staff, &office);
    let mut id = || MessageId::new(NOW, &mut entropy);
    let (first, second) = (id(), id());
    let too_many = vec![cases[0]; BULK_ROWS_MAX + 1];
    for wrong in [&[][..], &too_many[..]] {
        let refused = begin(tx, &ctx(NOW), first, who, CommandKind::Accept, wrong);
        assert!(matches!(refused, Err(tb_base::Error::Refused(it)) if it.code == "CAS-BLK-001"));
    }
    begin(tx, &ctx(NOW), first, who, CommandKind::Accept, &cases)?;
    let begun = find(tx, first)?.expect("a bulk");
    assert_eq!((begun.staff, &begun.office, begun.act), (staff, &office, CommandKind::Accept));
    begin(tx, &ctx(NOW), first, who, CommandKind::Accept, &cases[..1])?;
    assert_eq!(find(tx, first)?, Some(begun.clone()), "begun again it is the one that was begun");
    let refusal = Refusal::conflict("CAS-X-001", "别人先办了", "Somebody was faster");
    settle(tx, &ctx(NOW), first, cases[0].0, None)?;
    settle(tx, &ctx(NOW), first, cases[2].0, Some(&refusal))?;
    settle(tx, &ctx(NOW), first, cases[0].0, Some(&refusal))?;
    let told = Some("别人先办了".to_owned());
    assert_eq!(
        states(&find(tx, first)?.expect("a bulk")),
        [
            (cases[0].0, 0, RowState::Done, None),
            (cases[1].0, 1, RowState::Waiting, None),
            (cases[2].0, 2, RowState::Refused, told)
        ]
    );
    assert_eq!(latest(tx, &office, staff)?, Some((first, NOW)));
    // A bulk is kept for a quarter of a year, until the office begins another.
    let later = NOW.plus_seconds(91 * 86_400);
    begin(tx, &ctx(later), second, who, CommandKind::Accept, &cases)?;
    assert_eq!(find(tx, first)?, None);
    assert_eq!(latest(tx, &office, staff)?, Some((second, later)));
    Ok(())
}

fn check(tx: &mut Tx<'_>) -> tb_base::Result<()> {
    check_ticks(tx)?;
    check_bulks(tx)
}

#[test]
fn ticks_and_bulks_on_sqlite() {
    on_sqlite("case.work", check);
}

#[test]
fn ticks_and_bulks_on_postgres() {
    on_postgres("case.work", check);
}
