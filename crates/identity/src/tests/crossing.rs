//! Two acts at the same moment on PostgreSQL (交叉): each saw what the other had not yet done, and one is refused.

use std::sync::{Arc, Barrier};

use tb_base::{Ctx, OfficeId, Result, Role, StaffId};
use tb_crypto::Vault;
use tb_store::Tx;

use super::roster::{GOOD, account, administrator, clerk, enter, id_of, permit};
use super::world::{NOW, World, refusal};
use crate::accounts::AccountState;
use crate::accounts::roll::{self, Because};
use crate::leave;
use crate::offices::{Office, OfficeKind};
use crate::permit::{Action, Permit};
use crate::roster::{self, NewStaff};

type Act = Box<dyn Fn(&mut Tx<'_>, &Ctx, &Vault, &Permit) -> Result<()> + Send>;

/// One act of somebody, with the permit for it.
struct Side {
    ctx: Ctx,
    action: Action,
    act: Act,
}

impl Side {
    fn new(
        ctx: &Ctx,
        act: impl Fn(&mut Tx<'_>, &Ctx, &Vault, &Permit) -> Result<()> + Send + 'static,
    ) -> Side {
        Side { ctx: ctx.clone(), action: Action::ManageAccounts, act: Box::new(act) }
    }
}

/// Runs both acts so that each begins before the other has written anything.
async fn cross(world: &World, one: Side, other: Side) -> (Result<()>, Result<()>) {
    let barrier = Arc::new(Barrier::new(2));
    let run = |side: Side| {
        let (vault, barrier) = (Arc::clone(&world.vault), Arc::clone(&barrier));
        let permit = permit(&side.ctx, side.action);
        let mut is_first_run = true;
        world.write(move |tx| {
            // The first statement decides which moment the unit sees.
            crate::offices::all(tx)?;
            if std::mem::take(&mut is_first_run) {
                barrier.wait();
            }
            (side.act)(tx, &side.ctx, &vault, &permit)
        })
    };
    tokio::join!(run(one), run(other))
}

/// Exactly one of both goes through; the other is refused by one of these codes.
#[track_caller]
fn check(what: &str, (one, other): (Result<()>, Result<()>), expected: &[&str]) {
    let refused = match (one, other) {
        (Ok(()), refused) | (refused, Ok(())) if refused.is_err() => refusal(refused),
        outcome => panic!("{what}: {outcome:?}"),
    };
    assert!(expected.contains(&refused.as_str()), "{what}: {refused}");
}

fn close(id: StaffId) -> impl Fn(&mut Tx<'_>, &Ctx, &Vault, &Permit) -> Result<()> + Send + 'static {
    move |tx, ctx, vault, permit| {
        roll::set_state(tx, ctx, vault, permit, id, AccountState::Closed, Because::Left)
    }
}

fn take(
    staff: StaffId,
    substitute: StaffId,
) -> impl Fn(&mut Tx<'_>, &Ctx, &Vault, &Permit) -> Result<()> + Send + 'static {
    let days = (NOW.date(), NOW.plus_seconds(86_400).date());
    move |tx, ctx, vault, permit| leave::take(tx, ctx, vault, permit, (staff, substitute), days).map(drop)
}

fn move_to(
    id: StaffId,
    office: &str,
    role: Role,
) -> impl Fn(&mut Tx<'_>, &Ctx, &Vault, &Permit) -> Result<()> + Send + 'static {
    let office: OfficeId = office.parse().expect("a name");
    move |tx, ctx, vault, permit| roster::move_to(tx, ctx, vault, permit, id, (&office, role))
}

async fn second_administrator(world: &World, first: &Ctx) -> (StaffId, Ctx) {
    let new = NewStaff {
        role: Role::Administrator,
        office: "430100-operations".parse().expect("an office"),
        ..clerk("admin2@430100")
    };
    let (id, code) = enter(world, first, new).await.expect("entered");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, "192.0.2.8").await.expect("set");
    (id, first.acting(account(world, "admin2@430100").await))
}

#[tokio::test]
async fn two_administrators_do_not_stop_each_other() {
    let world = World::on_postgres("430100", "identity_cross_admins").await;
    world.plant(60, 12).await;
    let first = administrator(&world, NOW).await;
    let one = id_of(&world, "admin1@430100").await;
    let (two, her) = second_administrator(&world, &first).await;
    let outcome = cross(&world, Side::new(&first, close(two)), Side::new(&her, close(one))).await;
    check("closing each other", outcome, &["IDN-STF-004"]);
    let (vault, manage) = (Arc::clone(&world.vault), permit(&first, Action::ManageAccounts));
    let left = world.read(move |tx| {
        let active = |tx: &mut Tx<'_>, id| {
            Ok::<_, tb_base::Error>(
                roll::find(tx, &vault, &manage, id)?.and_then(|it| it.state) == Some(AccountState::Active),
            )
        };
        Ok((active(tx, one)?, active(tx, two)?))
    });
    assert!(matches!(left.await, (true, false) | (false, true)));
}

#[tokio::test]
async fn two_leaves_do_not_cross() {
    let world = World::on_postgres("430100", "identity_cross_leaves").await;
    world.plant(60, 12).await;
    let admin = administrator(&world, NOW).await;
    let (one, two, three) = (
        id_of(&world, "window1@430100").await,
        id_of(&world, "window2@430100").await,
        id_of(&world, "window3@430100").await,
    );
    let (a, b) = (Side::new(&admin, take(one, two)), Side::new(&admin, take(two, one)));
    check("standing in for each other", cross(&world, a, b).await, &["IDN-LEV-004"]);
    let ended = leave_of(&world, &admin, one).await;
    let ctx = admin.clone();
    let manage = permit(&admin, Action::ManageAccounts);
    world.write(move |tx| leave::end(tx, &ctx, &manage, ended)).await.expect("ended");
    let (a, b) = (
        Side::new(&admin, take(one, three)),
        Side::new(&admin, move_to(three, "430100-market", Role::Inspector)),
    );
    check("a substitute who moves", cross(&world, a, b).await, &["IDN-LEV-002", "IDN-STF-005"]);
}

async fn leave_of(world: &World, admin: &Ctx, id: StaffId) -> tb_base::MessageId {
    let manage = permit(admin, Action::ManageAccounts);
    world.read(move |tx| Ok(leave::of_staff(tx, &manage, id)?.first().expect("a leave").id)).await
}

#[tokio::test]
async fn a_substitute_is_not_closed_while_she_is_named() {
    let world = World::on_postgres("430100", "identity_cross_close").await;
    world.plant(60, 12).await;
    let admin = administrator(&world, NOW).await;
    let (one, two) = (id_of(&world, "window1@430100").await, id_of(&world, "window2@430100").await);
    let (a, b) = (Side::new(&admin, take(one, two)), Side::new(&admin, close(two)));
    check("a substitute who is closed", cross(&world, a, b).await, &["IDN-LEV-002", "IDN-LEV-007"]);
}

#[tokio::test]
async fn nobody_is_entered_in_an_office_that_is_being_closed() {
    let world = World::on_postgres("430100", "identity_cross_office").await;
    world.plant(60, 12).await;
    let admin = administrator(&world, NOW).await;
    let halls = ["430100-hall-8", "430100-hall-9"];
    let (ctx, manage) = (admin.clone(), permit(&admin, Action::ManageOffices));
    world
        .write(move |tx| {
            for hall in halls {
                let office = Office {
                    id: hall.parse()?,
                    name_zh: "新大厅".to_owned(),
                    name_en: "New Hall".to_owned(),
                    kind: OfficeKind::Hall,
                    division: "430100".parse()?,
                };
                roster::make_office(tx, &ctx, &manage, &office)?;
            }
            Ok(())
        })
        .await
        .expect("offices");
    let closing = |hall: &str| {
        let hall: OfficeId = hall.parse().expect("a name");
        let act = move |tx: &mut Tx<'_>, ctx: &Ctx, _: &Vault, permit: &Permit| {
            roster::close_office(tx, ctx, permit, &hall)
        };
        Side { ctx: admin.clone(), action: Action::ManageOffices, act: Box::new(act) }
    };
    let (new, hash) = (
        NewStaff { office: halls[0].parse().expect("a name"), ..clerk("window9@430100") },
        world.door.hash_of_nobody(),
    );
    let entering = Side::new(&admin, move |tx, ctx, vault, permit| {
        roster::enter(tx, ctx, vault, permit, &new, &hash).map(drop)
    });
    let expected = ["IDN-OFF-003", "IDN-OFF-006"];
    check("entering", cross(&world, entering, closing(halls[0])).await, &expected);
    let id = id_of(&world, "window1@430100").await;
    let moving = Side::new(&admin, move_to(id, halls[1], Role::Window));
    check("moving", cross(&world, moving, closing(halls[1])).await, &expected);
}
