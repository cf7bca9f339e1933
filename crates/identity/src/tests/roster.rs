//! Staff come, move, go on leave and leave; offices open and close; the last administrator stays.

use std::sync::Arc;

use tb_base::{Actor, Ctx, Date, OfficeId, Result, Role, StaffId, Timestamp};
use tb_store::Tx;

use super::world::{NOW, SOURCE, World, refusal};
use crate::accounts::roll::{self, Because};
use crate::accounts::{self, AccountState, first};
use crate::offices::{Office, OfficeKind};
use crate::permit::{Action, Permit, Scope, may};
use crate::roster::{self, NewStaff};
use crate::seed::DEMO_PASSWORD;
use crate::{leave, offices};

pub(super) const GOOD: &str = "a long enough password";

/// The administrator of the planted city, at a moment.
pub(super) async fn administrator(world: &World, now: Timestamp) -> Ctx {
    world.ctx(now).acting(account(world, "admin1@430100").await)
}

pub(super) async fn account(world: &World, login: &'static str) -> Actor {
    let vault = Arc::clone(&world.vault);
    world.read(move |tx| Ok(accounts::by_login(tx, &vault, login)?.expect("an account").actor)).await
}

pub(super) async fn id_of(world: &World, login: &'static str) -> StaffId {
    match account(world, login).await {
        Actor::Staff { staff, .. } => staff,
        other => panic!("{other}"),
    }
}

pub(super) fn permit(ctx: &Ctx, action: Action) -> Permit {
    may(&ctx.actor, action, &Scope::Node(ctx.node)).expect("the permit")
}

pub(super) async fn act<T: Send + 'static>(
    world: &World,
    ctx: &Ctx,
    work: impl Fn(&mut Tx<'_>, &Ctx, &tb_crypto::Vault, &Permit) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (ctx, vault) = (ctx.clone(), Arc::clone(&world.vault));
    let permit = permit(&ctx, Action::ManageAccounts);
    world.write(move |tx| work(tx, &ctx, &vault, &permit)).await
}

pub(super) fn clerk(login: &str) -> NewStaff {
    NewStaff {
        login: login.to_owned(),
        name: "陈新".to_owned(),
        phone: None,
        badge: "430100-2001".to_owned(),
        office: "430100-hall-1".parse().expect("an office"),
        role: Role::Window,
    }
}

pub(super) async fn enter(world: &World, ctx: &Ctx, new: NewStaff) -> Result<(StaffId, String)> {
    let hash = world.door.hash_of_nobody();
    act(world, ctx, move |tx, ctx, vault, permit| roster::enter(tx, ctx, vault, permit, &new, &hash)).await
}

#[tokio::test]
async fn a_first_password_is_set_once_within_a_day() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let (_, code) = enter(&world, &admin, clerk("Window9@430100")).await.expect("entered");
    assert_eq!(code.len(), 19);
    assert_eq!(refusal(world.sign_in("window9@430100", "", SOURCE, NOW).await), "IDN-SGN-001");
    let late = world.ctx(NOW.plus_seconds(first::CODE_SECONDS));
    assert_eq!(refusal(world.door.first_password(&late, &code, GOOD, SOURCE).await), "IDN-FST-001");
    let ctx = world.ctx(NOW);
    assert_eq!(refusal(world.door.first_password(&ctx, &code, "short", SOURCE).await), "IDN-PWD-001");
    assert_eq!(
        refusal(world.door.first_password(&ctx, "0000-0000-0000-0000", GOOD, SOURCE).await),
        "IDN-FST-001"
    );
    // As a hand types it.
    let typed = code.to_lowercase().replace('-', " ");
    world.door.first_password(&ctx, &typed, GOOD, SOURCE).await.expect("set");
    assert_eq!(refusal(world.door.first_password(&ctx, &code, GOOD, SOURCE).await), "IDN-FST-001");
    let clerk = world.sign_in("window9@430100", GOOD, SOURCE, NOW).await.expect("signed in");
    assert_eq!((clerk.account.name.as_str(), clerk.account.role()), ("陈新", Role::Window));
}

#[tokio::test]
async fn what_is_entered_is_checked() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let check = async |new: NewStaff, expected: &str| {
        assert_eq!(refusal(enter(&world, &admin, new).await), expected);
    };
    check(clerk("window1@430100"), "IDN-STF-001").await;
    check(clerk("陈新"), "IDN-STF-009").await;
    check(clerk("430302199001017777"), "IDN-STF-009").await;
    check(NewStaff { role: Role::Resident, ..clerk("window9@430100") }, "IDN-STF-002").await;
    let nowhere: OfficeId = "430100-nowhere".parse().expect("a name");
    check(NewStaff { office: nowhere, ..clerk("window9@430100") }, "IDN-OFF-006").await;
}

#[tokio::test]
async fn a_newer_code_ends_the_password_and_the_code_before() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let id = id_of(&world, "window2@430100").await;
    let token = world.sign_in("window2@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").token;
    let renew = async |ctx: &Ctx, id: StaffId| {
        let hash = world.door.hash_of_nobody();
        act(&world, ctx, move |tx, ctx, vault, permit| roster::renew_code(tx, ctx, vault, permit, id, &hash))
            .await
    };
    let one = renew(&admin, id).await.expect("a code");
    let two = renew(&admin, id).await.expect("another");
    let vault = Arc::clone(&world.vault);
    assert!(world.read(move |tx| accounts::session(tx, &vault, &token, NOW)).await.is_none());
    assert_eq!(refusal(world.sign_in("window2@430100", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-SGN-001");
    let ctx = world.ctx(NOW);
    assert_eq!(refusal(world.door.first_password(&ctx, &one, GOOD, SOURCE).await), "IDN-FST-001");
    // A stopped account has no way in by a code that was given out before.
    let stop = move |state, because| {
        move |tx: &mut Tx<'_>, ctx: &Ctx, vault: &tb_crypto::Vault, permit: &Permit| {
            roll::set_state(tx, ctx, vault, permit, id, state, because)
        }
    };
    act(&world, &admin, stop(AccountState::Closed, Because::Left)).await.expect("closed");
    assert_eq!(refusal(world.door.first_password(&ctx, &two, GOOD, SOURCE).await), "IDN-FST-001");
    assert_eq!(refusal(renew(&admin, id).await), "IDN-STF-007");
    act(&world, &admin, stop(AccountState::Active, Because::Back)).await.expect("opened again");
    let three = renew(&admin, id).await.expect("a code");
    world.door.first_password(&ctx, &three, GOOD, SOURCE).await.expect("set");
    let own = id_of(&world, "admin1@430100").await;
    assert_eq!(refusal(renew(&admin, own).await), "IDN-STF-003");
}

#[tokio::test]
async fn nobody_moves_herself_and_a_move_ends_sessions() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let id = id_of(&world, "reviewer1@430100").await;
    let token = world.sign_in("reviewer1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").token;
    let go = async |ctx: &Ctx, id: StaffId, office: &str, role: Role| {
        let office: OfficeId = office.parse().expect("a name");
        act(&world, ctx, move |tx, ctx, vault, permit| {
            roster::move_to(tx, ctx, vault, permit, id, (&office, role))
        })
        .await
    };
    go(&admin, id, "430100-market", Role::Approver).await.expect("moved");
    let vault = Arc::clone(&world.vault);
    assert!(world.read(move |tx| accounts::session(tx, &vault, &token, NOW)).await.is_none());
    let moved =
        world.sign_in("reviewer1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").account;
    assert_eq!(
        (moved.role(), moved.office.expect("an office").id.as_str()),
        (Role::Approver, "430100-market")
    );
    assert_eq!(refusal(go(&admin, id, "430100-market", Role::Approver).await), "IDN-STF-008");
    let own = id_of(&world, "admin1@430100").await;
    assert_eq!(refusal(go(&admin, own, "430100-market", Role::Approver).await), "IDN-STF-003");
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let world = World::planted("430100").await;
    let first = administrator(&world, NOW).await;
    let new = NewStaff {
        role: Role::Administrator,
        office: "430100-operations".parse().expect("an office"),
        ..clerk("admin2@430100")
    };
    let (second, code) = enter(&world, &first, new).await.expect("entered");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, SOURCE).await.expect("set");
    let one = id_of(&world, "admin1@430100").await;
    let close = |id: StaffId| {
        move |tx: &mut Tx<'_>, ctx: &Ctx, vault: &tb_crypto::Vault, permit: &Permit| {
            roll::set_state(tx, ctx, vault, permit, id, AccountState::Closed, Because::Left)
        }
    };
    // The second closes the first, whose page was still open: he cannot close her in turn.
    let her = first.acting(account(&world, "admin2@430100").await);
    act(&world, &her, close(one)).await.expect("closed");
    assert_eq!(refusal(act(&world, &first, close(second)).await), "IDN-STF-004");
    let office: OfficeId = "430100-hall-1".parse().expect("an office");
    let moved = act(&world, &first, move |tx, ctx, vault, permit| {
        roster::move_to(tx, ctx, vault, permit, second, (&office, Role::Window))
    });
    assert_eq!(refusal(moved.await), "IDN-STF-004");
    assert_eq!(refusal(act(&world, &her, close(second)).await), "IDN-ACC-004");
}

/// An administrator who cannot sign in is none: without a password, or on leave.
#[tokio::test]
async fn an_administrator_who_cannot_sign_in_does_not_count() {
    let world = World::planted("430100").await;
    let first = administrator(&world, NOW).await;
    let office: OfficeId = "430100-operations".parse().expect("an office");
    let new = |login: &str| NewStaff { role: Role::Administrator, office: office.clone(), ..clerk(login) };
    let one = id_of(&world, "admin1@430100").await;
    let (two, code) = enter(&world, &first, new("admin2@430100")).await.expect("entered");
    let her = first.acting(account(&world, "admin2@430100").await);
    let close = async |ctx: &Ctx, id: StaffId| {
        act(&world, ctx, move |tx, ctx, vault, permit| {
            roll::set_state(tx, ctx, vault, permit, id, AccountState::Frozen, Because::Examined)
        })
        .await
    };
    let hash = world.door.hash_of_nobody();
    let renew = async |ctx: &Ctx, id: StaffId| {
        let hash = hash.clone();
        act(&world, ctx, move |tx, ctx, vault, permit| roster::renew_code(tx, ctx, vault, permit, id, &hash))
            .await
    };
    let days = (NOW.date(), NOW.plus_seconds(86_400).date());
    let take = async |who: (StaffId, StaffId)| {
        act(&world, &first, move |tx, ctx, vault, permit| leave::take(tx, ctx, vault, permit, who, days))
            .await
    };
    // She has a code and no password yet: nobody could manage accounts, nor stand in.
    assert_eq!(refusal(close(&her, one).await), "IDN-STF-004");
    assert_eq!(refusal(take((one, two)).await), "IDN-LEV-002");
    assert_eq!(refusal(renew(&her, one).await), "IDN-STF-004");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, SOURCE).await.expect("set");
    let away = take((one, two)).await.expect("a leave");
    // The one who is away cannot, and whoever stands in stays.
    assert_eq!(refusal(close(&first, two).await), "IDN-STF-004");
    assert_eq!(refusal(renew(&first, two).await), "IDN-STF-004");
    let (three, code) = enter(&world, &her, new("admin3@430100")).await.expect("entered");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, SOURCE).await.expect("set");
    assert_eq!(refusal(close(&first, two).await), "IDN-LEV-007");
    close(&her, three).await.expect("the second is left");
    act(&world, &her, move |tx, ctx, _, permit| leave::end(tx, ctx, permit, away)).await.expect("ended");
    close(&first, two).await.expect("the first is back");
}

/// Whoever had left comes back to an office that is still there.
#[tokio::test]
async fn nobody_comes_back_to_a_closed_office() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let hall: OfficeId = "430100-hall-2".parse().expect("a name");
    let office = Office {
        id: hall.clone(),
        name_zh: "第二政务大厅".to_owned(),
        name_en: "Second Hall".to_owned(),
        kind: OfficeKind::Hall,
        division: "430100".parse().expect("a division"),
    };
    let (ctx, manage) = (admin.clone(), permit(&admin, Action::ManageOffices));
    world.write(move |tx| roster::make_office(tx, &ctx, &manage, &office)).await.expect("an office");
    let (id, _) = enter(&world, &admin, NewStaff { office: hall.clone(), ..clerk("window9@430100") })
        .await
        .expect("entered");
    let set = async |state: AccountState, because: Because| {
        act(&world, &admin, move |tx, ctx, vault, permit| {
            roll::set_state(tx, ctx, vault, permit, id, state, because)
        })
        .await
    };
    set(AccountState::Closed, Because::Left).await.expect("closed");
    let (ctx, manage) = (admin.clone(), permit(&admin, Action::ManageOffices));
    world.write(move |tx| roster::close_office(tx, &ctx, &manage, &hall)).await.expect("closed");
    assert_eq!(refusal(set(AccountState::Active, Because::Back).await), "IDN-OFF-006");
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[tokio::test]
async fn whoever_is_on_leave_does_not_act_and_somebody_equal_stands_in() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let (one, two, three, other) = (
        id_of(&world, "window1@430100").await,
        id_of(&world, "window2@430100").await,
        id_of(&world, "window3@430100").await,
        id_of(&world, "reviewer1@430100").await,
    );
    let token = world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").token;
    let (today, later) = (NOW.date(), NOW.plus_seconds(3 * 86_400));
    let take = async |who: (StaffId, StaffId), days: (Date, Date)| {
        act(&world, &admin, move |tx, ctx, vault, permit| leave::take(tx, ctx, vault, permit, who, days))
            .await
    };
    let days = (today, later.date());
    assert_eq!(refusal(take((one, one), days).await), "IDN-LEV-002");
    assert_eq!(refusal(take((one, other), days).await), "IDN-LEV-002");
    assert_eq!(refusal(take((one, two), (days.1, days.0)).await), "IDN-LEV-003");
    assert_eq!(refusal(take((one, two), (today, day("2030-01-01"))).await), "IDN-LEV-003");
    let id = take((one, two), days).await.expect("a leave");
    let session = |now: Timestamp, token: String| {
        let vault = Arc::clone(&world.vault);
        world.read(move |tx| accounts::session(tx, &vault, &token, now))
    };
    assert!(session(NOW, token).await.is_none());
    assert_eq!(refusal(world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-LEV-001");
    assert_eq!(refusal(world.sign_in("window1@430100", "wrong wrong", SOURCE, NOW).await), "IDN-SGN-001");
    world.sign_in("window2@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("the substitute works");
    // The substitute does not leave on those days, nor does the one who is away stand in for a third.
    for who in [(two, three), (one, three), (three, one)] {
        assert_eq!(refusal(take(who, (later.date(), later.date())).await), "IDN-LEV-004", "{who:?}");
    }
    let office: OfficeId = "430100-market".parse().expect("an office");
    let moved = act(&world, &admin, move |tx, ctx, vault, permit| {
        roster::move_to(tx, ctx, vault, permit, two, (&office, Role::Inspector))
    });
    assert_eq!(refusal(moved.await), "IDN-STF-005");
    // The day after the last she is back without anybody doing anything; a leave that is ended is over at once.
    let after = later.plus_seconds(86_400);
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, after).await.expect("back");
    act(&world, &admin, move |tx, ctx, _, permit| leave::end(tx, ctx, permit, id)).await.expect("ended");
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("back early");
    let again = act(&world, &admin, move |tx, ctx, _, permit| leave::end(tx, ctx, permit, id)).await;
    assert_eq!(refusal(again), "IDN-LEV-005");
    // A leave that was planned begins by itself.
    let token = world.sign_in("window3@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").token;
    let tomorrow = NOW.plus_seconds(86_400);
    take((three, two), (tomorrow.date(), tomorrow.date())).await.expect("planned");
    assert!(session(NOW, token.clone()).await.is_some());
    assert!(session(NOW.plus_seconds(1_700), token).await.is_some());
    assert_eq!(
        refusal(world.sign_in("window3@430100", DEMO_PASSWORD, SOURCE, tomorrow).await),
        "IDN-LEV-001"
    );
}

#[tokio::test]
async fn offices_are_made_renamed_and_closed_when_nobody_works_there() {
    let world = World::planted("430100").await;
    let admin = administrator(&world, NOW).await;
    let manage = permit(&admin, Action::ManageOffices);
    let office = Office {
        id: "430100-hall-2".parse().expect("a name"),
        name_zh: "第二政务大厅".to_owned(),
        name_en: "Second Hall".to_owned(),
        kind: OfficeKind::Hall,
        division: "430100".parse().expect("a division"),
    };
    let hall: OfficeId = office.id.clone();
    let ctx = admin.clone();
    world
        .write(move |tx| {
            roster::make_office(tx, &ctx, &manage, &office)?;
            assert_eq!(refusal(roster::make_office(tx, &ctx, &manage, &office)), "IDN-OFF-001");
            roster::rename_office(tx, &ctx, &manage, &hall, ("新大厅", "New Hall"))?;
            assert_eq!(offices::find(tx, &hall)?.expect("there").name_zh, "新大厅");
            let busy: OfficeId = "430100-hall-1".parse()?;
            assert_eq!(refusal(roster::close_office(tx, &ctx, &manage, &busy)), "IDN-OFF-003");
            roster::close_office(tx, &ctx, &manage, &hall)?;
            assert_eq!(refusal(roster::close_office(tx, &ctx, &manage, &hall)), "IDN-OFF-005");
            assert!(roster::closed_offices(tx)?.contains(&hall));
            Ok(())
        })
        .await
        .expect("offices");
    let hall: OfficeId = "430100-hall-2".parse().expect("a name");
    let entered = enter(&world, &admin, NewStaff { office: hall.clone(), ..clerk("window9@430100") }).await;
    assert_eq!(refusal(entered), "IDN-OFF-006");
    let (ctx, manage) = (admin.clone(), permit(&admin, Action::ManageOffices));
    world.write(move |tx| roster::reopen_office(tx, &ctx, &manage, &hall)).await.expect("open again");
}

#[tokio::test]
async fn the_first_administrator_of_an_empty_city_and_one_who_lost_everything() {
    let world = World::empty("430100").await;
    let make = async |login: &'static str| {
        let (ctx, vault, hash) = (world.ctx(NOW), Arc::clone(&world.vault), world.door.hash_of_nobody());
        world
            .write(move |tx| {
                let office = roster::operations_office(&ctx)?;
                roster::administrator(tx, &ctx, &vault, &office, (login, "钟管理"), &hash)
            })
            .await
    };
    let code = make("root@430100").await.expect("a code");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, SOURCE).await.expect("set");
    let signed_in = world.sign_in("root@430100", GOOD, SOURCE, NOW).await.expect("signed in");
    assert_eq!((signed_in.account.role(), signed_in.account.name.as_str()), (Role::Administrator, "钟管理"));
    let again = make("root@430100").await.expect("a new code for the same account");
    assert_eq!(refusal(world.sign_in("root@430100", GOOD, SOURCE, NOW).await), "IDN-SGN-001");
    world.door.first_password(&world.ctx(NOW), &again, "another long password", SOURCE).await.expect("set");
    let ctx = world.ctx(NOW).acting(signed_in.account.actor);
    let hall = NewStaff { office: "430100-operations".parse().expect("a name"), ..clerk("window9@430100") };
    enter(&world, &ctx, hall).await.expect("the first clerk");
    assert_eq!(refusal(make("window9@430100").await), "IDN-STF-006");
    // One who is on leave is back by the command.
    let new = NewStaff {
        role: Role::Administrator,
        office: "430100-operations".parse().expect("an office"),
        ..clerk("admin2@430100")
    };
    let (two, code) = enter(&world, &ctx, new).await.expect("another administrator");
    world.door.first_password(&world.ctx(NOW), &code, GOOD, SOURCE).await.expect("set");
    let root = id_of(&world, "root@430100").await;
    let days = (NOW.date(), NOW.date());
    let away = act(&world, &ctx, move |tx, ctx, vault, permit| {
        leave::take(tx, ctx, vault, permit, (root, two), days)
    });
    away.await.expect("a leave");
    let again = make("root@430100").await.expect("a code");
    world.door.first_password(&world.ctx(NOW), &again, GOOD, SOURCE).await.expect("set");
    world.sign_in("root@430100", GOOD, SOURCE, NOW).await.expect("back");
}
