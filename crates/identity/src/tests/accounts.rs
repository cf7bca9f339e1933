//! Signing in, registering, resetting; limits and sessions.

use std::sync::Arc;

use tb_base::{Actor, Role};

use super::world::{NOW, SOURCE, World, code_in, refusal};
use crate::accounts::roll::{self, Because};
use crate::accounts::{self, AccountState, NewAccount, limits, passwords, sessions};
use crate::permit::{Action, Scope, may};
use crate::register::Claim;
use crate::seed::{self, DEMO_PASSWORD};
use crate::{people, sms};

#[tokio::test]
async fn staff_and_residents_sign_in() {
    let world = World::planted("430100").await;
    let clerk = world.sign_in("Window1@430100 ", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    assert_eq!(clerk.account.name, "李蔚");
    assert_eq!(clerk.account.role(), Role::Window);
    assert_eq!(clerk.account.office.expect("an office").id.as_str(), "430100-hall-1");

    let driver = seed::driver().expect("the driver");
    let by_number =
        world.sign_in(driver.number.as_str(), DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let by_alias = world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    assert_eq!(by_number.account, by_alias.account);
    assert_eq!(by_number.account.login, driver.number.masked());
    assert!(matches!(by_number.account.actor, Actor::Resident { level: 3, .. }));
    assert_ne!(by_number.token, by_alias.token);
}

#[tokio::test]
async fn unknown_name_and_wrong_password_get_one_answer() {
    let world = World::planted("430100").await;
    let unknown = world.sign_in("nobody@430100", DEMO_PASSWORD, SOURCE, NOW).await;
    let wrong = world.sign_in("window1@430100", "not the password", SOURCE, NOW).await;
    let (Err(unknown), Err(wrong)) = (unknown, wrong) else { panic!("signed in") };
    assert_eq!(unknown.to_string(), wrong.to_string());
    let long = "9".repeat(passwords::LETTERS_MAX + 1);
    assert_eq!(refusal(world.sign_in("window1@430100", &long, SOURCE, NOW).await), "IDN-SGN-001");
}

#[tokio::test]
async fn a_limit_pauses_and_never_locks() {
    let world = World::planted("430100").await;
    let friend = "198.51.100.1";
    world.sign_in("window1@430100", DEMO_PASSWORD, friend, NOW).await.expect("signed in");
    for _ in 0..limits::SIGN_IN_PAIR.attempts_max {
        assert_eq!(refusal(world.sign_in("window1@430100", "wrong wrong", SOURCE, NOW).await), "IDN-SGN-001");
    }
    // The right password does not help during the pause, which says nothing about it.
    assert_eq!(refusal(world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-LIM-001");
    let later = NOW.plus_seconds(limits::SIGN_IN_PAIR.window_seconds);
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, later).await.expect("the pause has ended");
}

#[tokio::test]
async fn strangers_cannot_lock_the_holder_out() {
    let world = World::planted("430100").await;
    let home = "198.51.100.1";
    world.sign_in("window1@430100", DEMO_PASSWORD, home, NOW).await.expect("signed in");
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    world
        .write(move |tx| {
            for _ in 0..=limits::SIGN_IN_ACCOUNT.attempts_max {
                limits::count(tx, &vault, limits::SIGN_IN_ACCOUNT, "window1@430100", ctx.now)?;
            }
            Ok(())
        })
        .await
        .expect("counted");
    assert_eq!(
        refusal(world.sign_in("window1@430100", DEMO_PASSWORD, "203.0.113.9", NOW).await),
        "IDN-LIM-001"
    );
    world.sign_in("window1@430100", DEMO_PASSWORD, home, NOW).await.expect("the known source is let in");
}

#[tokio::test]
async fn sessions_end() {
    let world = World::planted("430100").await;
    let signed_in = world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let find = |seconds: i64| {
        let (vault, token) = (Arc::clone(&world.vault), signed_in.token.clone());
        world.read(move |tx| sessions::session(tx, &vault, &token, NOW.plus_seconds(seconds)))
    };
    let session = find(0).await.expect("a session");
    assert!(find(sessions::IDLE_SECONDS_MAX - 1).await.is_some());
    assert!(find(sessions::IDLE_SECONDS_MAX).await.is_none());

    // Kept alive by requests, it ends after twelve hours.
    let (ctx, id) = (world.ctx(NOW.plus_seconds(sessions::LIFE_SECONDS_MAX - 10)), session.id);
    world.write(move |tx| sessions::touch(tx, &ctx, id)).await.expect("touched");
    assert!(find(sessions::LIFE_SECONDS_MAX - 1).await.is_some());
    assert!(find(sessions::LIFE_SECONDS_MAX).await.is_none());

    let (ctx, token) = (world.ctx(NOW), signed_in.token.clone());
    world.write(move |tx| sessions::sign_out(tx, &ctx, &token)).await.expect("signed out");
    assert!(find(sessions::LIFE_SECONDS_MAX - 1).await.is_none());
}

#[tokio::test]
async fn one_account_has_few_sessions_and_a_frozen_one_none() {
    let world = World::planted("430100").await;
    let ctx = world.ctx(NOW);
    let vault = Arc::clone(&world.vault);
    let id = world
        .write(move |tx| {
            let account = accounts::by_login(tx, &vault, "window1@430100")?.expect("an account");
            for _ in 0..sessions::SESSIONS_MAX + 3 {
                sessions::open(tx, &ctx, &account.id, &SOURCE.into())?;
            }
            assert_eq!(sessions::count(tx, &account.id)?, sessions::SESSIONS_MAX);
            accounts::set_state(tx, &ctx, &account.id, AccountState::Frozen)?;
            assert_eq!(sessions::count(tx, &account.id)?, 0);
            Ok(account.id)
        })
        .await
        .expect("written");
    assert_eq!(refusal(world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-SGN-001");
    let ctx = world.ctx(NOW);
    world.write(move |tx| accounts::set_state(tx, &ctx, &id, AccountState::Active)).await.expect("freed");
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
}

#[tokio::test]
async fn a_lost_password_is_reset_by_a_code() {
    let world = World::planted("430100").await;
    let driver = seed::driver().expect("the driver");
    let phone = driver.phone.expect("a phone");
    let before = world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let ctx = world.ctx(NOW);
    let ticket = world.door.reset_request(&ctx, driver.number.as_str(), SOURCE).await.expect("a ticket");
    let code = code_in(&world.last_sms(&phone).await.expect("a message"));

    let wrong = if code == "000000" { "000001" } else { "000000" };
    let new = "换个新口令-2026";
    assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, wrong, new, SOURCE).await), "IDN-COD-001");
    assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, &code, "short", SOURCE).await), "IDN-PWD-001");
    world.door.reset_confirm(&ctx, &ticket, &code, new, SOURCE).await.expect("reset");
    assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, &code, new, SOURCE).await), "IDN-COD-001");

    let (vault, token) = (Arc::clone(&world.vault), before.token);
    assert!(world.read(move |tx| sessions::session(tx, &vault, &token, NOW)).await.is_none());
    assert_eq!(refusal(world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await), "IDN-SGN-001");
    world.sign_in("driver@430100", new, SOURCE, NOW).await.expect("signed in");
}

#[tokio::test]
async fn a_code_holds_ten_minutes_and_five_tries() {
    let world = World::planted("430100").await;
    let phone = seed::driver().expect("the driver").phone.expect("a phone");
    let ctx = world.ctx(NOW);
    let new = "another-secret-9";
    let ticket = world.door.reset_request(&ctx, "driver@430100", SOURCE).await.expect("a ticket");
    let code = code_in(&world.last_sms(&phone).await.expect("a message"));
    let late = world.ctx(NOW.plus_seconds(accounts::codes::CODE_SECONDS));
    assert_eq!(refusal(world.door.reset_confirm(&late, &ticket, &code, new, SOURCE).await), "IDN-COD-001");
    for _ in 0..accounts::codes::TRIES_MAX {
        assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, "x", new, SOURCE).await), "IDN-COD-001");
    }
    assert_eq!(refusal(world.door.reset_confirm(&ctx, &ticket, &code, new, SOURCE).await), "IDN-COD-001");
}

/// How many codes come to the driver's phone when she is asked for by this name at these moments.
async fn codes_to_driver(world: &World, logins: &[String], seconds_apart: i64) -> usize {
    let phone = seed::driver().expect("the driver").phone.expect("a phone");
    for (login, after) in logins.iter().zip(0_i64..) {
        let ctx = world.ctx(NOW.plus_seconds(after * seconds_apart));
        world.door.reset_request(&ctx, login, SOURCE).await.expect("a ticket");
    }
    let vault = Arc::clone(&world.vault);
    world.read(move |tx| sms::of_phone(tx, &vault, &phone)).await.len()
}

#[tokio::test]
async fn two_sign_in_names_do_not_give_twice_as_many_codes() {
    let world = World::planted("430100").await;
    let number = seed::driver().expect("the driver").number.to_string();
    let alias = "driver@430100".to_owned();
    let asked = [number.clone(), alias.clone(), number.clone(), alias, number];
    assert_eq!(codes_to_driver(&world, &asked, 1).await, 3);
}

#[tokio::test]
async fn guessing_at_codes_has_an_end_each_day() {
    let world = World::planted("430100").await;
    let asked = vec!["driver@430100".to_owned(); 20];
    let most = usize::try_from(limits::CODE_ACCOUNT_DAY.attempts_max).expect("a small number");
    assert_eq!(codes_to_driver(&world, &asked, 3_700).await, most);
}

#[tokio::test]
async fn a_stranger_learns_nothing_from_a_ticket() {
    let world = World::planted("430100").await;
    let ctx = world.ctx(NOW);
    let known = world.door.reset_request(&ctx, "driver@430100", SOURCE).await.expect("a ticket");
    let unknown = world.door.reset_request(&ctx, "nobody@430100", SOURCE).await.expect("a ticket");
    assert_eq!(known.len(), unknown.len());
    let new = "another-secret-9";
    let one = world.door.reset_confirm(&ctx, &known, "x", new, SOURCE).await.expect_err("wrong").to_string();
    let other =
        world.door.reset_confirm(&ctx, &unknown, "x", new, SOURCE).await.expect_err("wrong").to_string();
    assert_eq!(one, other);
}

#[tokio::test]
async fn registering_needs_the_phone_of_the_register() {
    let world = World::planted("430100").await;
    let vault = Arc::clone(&world.vault);
    let city = seed::city(seed::SEED, world.node, 60, 12).expect("a city");
    let person = city
        .people
        .iter()
        .find(|it| it.phone.is_some() && city.accounts.iter().all(|account| account.person != it.id))
        .expect("somebody without an account")
        .clone();
    let phone = person.phone.clone().expect("a phone");
    let claim = Claim { number: person.number, name: person.name.clone(), phone: phone.clone() };
    let ctx = world.ctx(NOW);
    let password = "a-fine-password";

    // Another phone, another name: a ticket, and silence.
    let foreign = Claim { phone: "19900000000".to_owned(), ..claim.clone() };
    world.door.register_request(&ctx, &foreign, SOURCE).await.expect("a ticket");
    let misnamed = Claim { name: "别人".to_owned(), ..claim.clone() };
    world.door.register_request(&ctx, &misnamed, SOURCE).await.expect("a ticket");
    assert_eq!(world.last_sms(&phone).await, None);
    assert_eq!(world.last_sms("19900000000").await, None);

    let ticket = world.door.register_request(&ctx, &claim, SOURCE).await.expect("a ticket");
    let code = code_in(&world.last_sms(&phone).await.expect("a message"));
    let signed_in =
        world.door.register_confirm(&ctx, &ticket, &code, password, SOURCE).await.expect("registered");
    assert_eq!(signed_in.account.actor, Actor::Resident { person: person.id, level: 3 });
    assert_eq!(signed_in.account.name, person.name);
    world.sign_in(person.number.as_str(), password, SOURCE, NOW).await.expect("signed in");

    // A second account is not made; the holder is told on her phone, the stranger is not.
    let later = world.ctx(NOW.plus_seconds(4_000));
    let ticket = world.door.register_request(&later, &claim, SOURCE).await.expect("a ticket");
    assert!(world.last_sms(&phone).await.expect("a message").contains("已有账号"));
    assert_eq!(
        refusal(world.door.register_confirm(&later, &ticket, "000000", password, SOURCE).await),
        "IDN-COD-001"
    );
    let ctx = world.ctx(NOW);
    let twice = world
        .write(move |tx| accounts::create(tx, &ctx, &vault, &NewAccount::of_person(&person, 3), "-"))
        .await;
    assert_eq!(refusal(twice), "IDN-ACC-001");
}

#[tokio::test]
async fn nobody_registers_for_somebody_whose_phone_is_not_known() {
    let world = World::planted("430100").await;
    let walk_in = seed::walk_in().expect("the walk-in");
    assert_eq!(walk_in.phone, None);
    let strangers = "19900000009".to_owned();
    let claim = Claim { number: walk_in.number, name: walk_in.name.to_owned(), phone: strangers.clone() };
    world.door.register_request(&world.ctx(NOW), &claim, SOURCE).await.expect("a ticket");
    assert_eq!(world.last_sms(&strangers).await, None);
}

#[tokio::test]
async fn a_check_at_the_counter_raises_the_level() {
    let world = World::planted("430100").await;
    let clerk =
        world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").account.actor;
    let inspector = world.sign_in("inspector1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let scope = Scope::Node(world.node);
    let permit = may(&clerk, Action::CheckIdentity, &scope).expect("a permit");
    assert!(may(&inspector.account.actor, Action::CheckIdentity, &scope).is_err());
    let (vault, ctx) = (Arc::clone(&world.vault), world.ctx(NOW));
    world
        .write(move |tx| {
            let walk_in = people::by_number(tx, &vault, &seed::walk_in()?.number)?.expect("the walk-in");
            let phone = Some("19904000000".to_owned());
            accounts::check_at_counter(tx, &ctx, &vault, &permit, walk_in.id, phone.clone())?;
            assert_eq!(people::get(tx, &vault, walk_in.id)?.phone, phone);
            let other = Some("19904000001".to_owned());
            accounts::check_at_counter(tx, &ctx, &vault, &permit, walk_in.id, other)?;
            let told = sms::of_phone(tx, &vault, "19904000000")?;
            assert!(told.iter().any(|sms| sms.text.contains("改为新号码")), "{told:?}");
            let driver = people::by_number(tx, &vault, &seed::driver()?.number)?.expect("the driver");
            accounts::set_level(tx, &ctx, driver.id.as_str(), 2)?;
            accounts::check_at_counter(tx, &ctx, &vault, &permit, driver.id, None)?;
            let account = accounts::find(tx, &vault, driver.id.as_str())?.expect("an account");
            assert_eq!(account.actor, Actor::Resident { person: driver.id, level: 3 });
            Ok(())
        })
        .await
        .expect("written");
}

#[tokio::test]
async fn what_has_ended_is_purged() {
    let world = World::planted("430100").await;
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    world.door.reset_request(&world.ctx(NOW), "driver@430100", SOURCE).await.expect("a ticket");
    let dropped = world.write(|tx| accounts::purge(tx, NOW)).await.expect("purged");
    assert_eq!(dropped, 0);
    let later = NOW.plus_seconds(sessions::LIFE_SECONDS_MAX);
    // A session, a code, and the windows of source, account, code by source and code by account.
    let dropped = world.write(move |tx| accounts::purge(tx, later)).await.expect("purged");
    assert_eq!(dropped, 6, "the day of codes has not ended");
    let next_day = NOW.plus_seconds(86_400);
    assert_eq!(world.write(move |tx| accounts::purge(tx, next_day)).await.expect("purged"), 1);
}

#[tokio::test]
async fn changing_a_password_ends_other_sessions() {
    let world = World::planted("430100").await;
    let before = world.sign_in("driver@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let ctx = world.ctx(NOW);
    let id = before.account.id.as_str();
    let new = "another-secret-9";
    assert_eq!(
        refusal(world.door.change_password(&ctx, id, "wrong wrong", new, SOURCE).await),
        "IDN-PWD-006"
    );
    let after = world.door.change_password(&ctx, id, DEMO_PASSWORD, new, SOURCE).await.expect("changed");
    let vault = Arc::clone(&world.vault);
    let (old, fresh) = (before.token, after.token);
    world
        .read(move |tx| {
            assert!(sessions::session(tx, &vault, &old, NOW)?.is_none());
            assert!(sessions::session(tx, &vault, &fresh, NOW)?.is_some());
            Ok(())
        })
        .await;
}

#[test]
fn passwords_have_a_length_and_are_not_common() {
    #[track_caller]
    fn check(password: &str, expected: Option<&str>) {
        let code = match passwords::check(password, "window1@430100") {
            Ok(()) => None,
            result => Some(refusal(result)),
        };
        assert_eq!(code.as_deref(), expected, "{password}");
    }
    check("correct horse", None);
    check("一二三四五六七八", None);
    check(&"长".repeat(passwords::LETTERS_MAX), Some("IDN-PWD-003"));
    check("1234567", Some("IDN-PWD-001"));
    check(&"ab".repeat(passwords::LETTERS_MAX), Some("IDN-PWD-002"));
    check("PassWord123", Some("IDN-PWD-003"));
    check("zzzzzzzzzz", Some("IDN-PWD-003"));
    check("WINDOW1@430100", Some("IDN-PWD-004"));
}

/// An unknown name costs one verification, like a known one.
#[tokio::test]
async fn an_unknown_name_takes_a_verification() {
    let world = World::empty("430100").await;
    let ctx = world.ctx(NOW);
    let hash = world.passwords.hash(&ctx, "correct horse").await.expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(world.passwords.fits("correct horse", Some(&hash)).await.expect("verified"));
    assert!(!world.passwords.fits("wrong horse", Some(&hash)).await.expect("verified"));
    assert!(!world.passwords.fits("correct horse", None).await.expect("verified"));
}

#[tokio::test]
async fn an_administrator_finds_stops_and_lets_in() {
    let world = World::planted("430100").await;
    let admin = world.sign_in("admin1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in").account;
    let clerk = world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let permit = may(&admin.actor, Action::ManageAccounts, &Scope::Node(world.node)).expect("permitted");
    let window = world.ctx(NOW).acting(clerk.account.actor.clone());
    assert!(may(&window.actor, Action::ManageAccounts, &Scope::Node(world.node)).is_err());
    let other = may(&window.actor, Action::CheckIdentity, &Scope::Node(world.node)).expect("a clerk may");
    let (ctx, vault) = (world.ctx(NOW).acting(admin.actor.clone()), world.vault.clone());
    let id_of = |id: &str| id.parse::<tb_base::StaffId>().expect("an id of staff");
    let (me, id) = (id_of(&admin.id), id_of(&clerk.account.id));
    let run = move |tx: &mut tb_store::Tx<'_>| {
        let found = roll::search(tx, &vault, &permit, " Window1@ ", 0)?;
        assert_eq!((found.len(), roll::count(tx, &permit, "window1@")?), (1, 1));
        assert_eq!((found[0].staff.id, found[0].state), (id, Some(AccountState::Active)));
        // A mark of the pattern stands for itself.
        assert_eq!(roll::count(tx, &permit, "%")? + roll::count(tx, &permit, "_")?, 0);
        assert!(1 < roll::count(tx, &permit, "")?);
        let set = |tx: &mut tb_store::Tx<'_>, permit: &_, id, state| {
            roll::set_state(tx, &ctx, &vault, permit, id, state, Because::Stolen)
        };
        assert_eq!(refusal(set(tx, &permit, me, AccountState::Frozen)), "IDN-ACC-004");
        assert_eq!(refusal(set(tx, &permit, id, AccountState::Active)), "IDN-ACC-005");
        assert_eq!(refusal(set(tx, &other, id, AccountState::Frozen)), "IDN-ACC-006");
        set(tx, &permit, id, AccountState::Frozen)?;
        assert_eq!(sessions::count(tx, id.as_str())?, 0);
        let about = tb_store::audit::Search::object(id.as_str());
        let found = tb_store::audit::search(tx, &about, None, 1)?;
        assert_eq!(found.lines[0].outcome, "frozen:stolen");
        set(tx, &permit, id, AccountState::Active)
    };
    world.write(run).await.expect("the roll");
    world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in again");
}

/// Two hundred people at once: some are asked to come again, the rest get in, and meanwhile the store answers others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_at_sign_in_is_bounded_and_starves_nobody() {
    let world = World::empty("430100").await;
    let mut crowd = tokio::task::JoinSet::new();
    for _ in 0..200 {
        let passwords = world.passwords.clone();
        crowd.spawn(async move { passwords.fits("correct horse", None).await });
    }
    for _ in 0..20 {
        world.store.read("test.others", |_| Ok(())).await.expect("others are answered");
    }
    assert!(!crowd.is_empty() && crowd.len() == 200, "nobody was waited for");
    let (mut answered, mut sent_away) = (0, 0);
    let mut waited_for_last = false;
    while let Some(done) = crowd.join_next().await {
        match done.expect("a task") {
            Ok(fits) => {
                assert!(!fits);
                answered += 1;
                waited_for_last = true;
            }
            result => {
                assert_eq!(refusal(result), "IDN-PWD-005");
                // Whoever is too many learns it at once, not after the others.
                assert!(!waited_for_last || answered < passwords::WAITING_MAX, "the last were kept waiting");
                sent_away += 1;
            }
        }
    }
    assert!(
        passwords::WAITING_MAX <= answered && 0 < sent_away,
        "{answered} answered, {sent_away} sent away"
    );
    assert!(!world.passwords.fits("correct horse", None).await.expect("there is a place again"));
}

/// What happens while the password is being verified counts: the session is not opened on what was known before.
async fn meanwhile(
    change: impl Fn(&mut tb_store::Tx<'_>, &tb_base::Ctx, &str) -> tb_base::Result<()> + Send + 'static,
) {
    let world = World::planted("430100").await;
    let vault = Arc::clone(&world.vault);
    let account = world
        .read(move |tx| Ok(accounts::by_login(tx, &vault, "window1@430100")?.expect("an account")))
        .await;
    let mut signing = std::pin::pin!(world.sign_in("window1@430100", DEMO_PASSWORD, SOURCE, NOW));
    // The inline store answers at once, so what is waited for after the first step is the hash.
    let waits =
        std::future::poll_fn(|context| std::task::Poll::Ready(signing.as_mut().poll(context).is_pending()));
    assert!(waits.await, "the hash takes its time");
    let (ctx, id) = (world.ctx(NOW), account.id.clone());
    world.write(move |tx| change(tx, &ctx, &id)).await.expect("changed");
    assert_eq!(refusal(signing.await), "IDN-SGN-001");
    assert_eq!(world.read(move |tx| sessions::count(tx, &account.id)).await, 0);
}

#[tokio::test]
async fn a_sign_in_under_way_does_not_outlive_a_change() {
    meanwhile(|tx, ctx, id| accounts::set_hash(tx, ctx, id, "$argon2id$another")).await;
    meanwhile(|tx, ctx, id| accounts::set_state(tx, ctx, id, AccountState::Frozen)).await;
}

#[tokio::test]
async fn many_who_sign_in_from_one_address_are_not_held_up() {
    let world = World::planted("430100").await;
    let (vault, now) = (Arc::clone(&world.vault), NOW);
    let counted = async |source: accounts::Source| {
        let vault = Arc::clone(&vault);
        let counted = world.write(move |tx| {
            let mut within = 0;
            while limits::count_source(tx, &vault, limits::SIGN_IN_SOURCE, &source, now)?
                == limits::Verdict::Within
            {
                within += 1;
            }
            Ok(within)
        });
        counted.await.expect("counted")
    };
    // Whoever gets in does not guess.
    world.sign_in("window1@430100", DEMO_PASSWORD, "198.51.100.1", NOW).await.expect("signed in");
    assert_eq!(
        refusal(world.sign_in("window1@430100", "wrong wrong", "198.51.100.2", NOW).await),
        "IDN-SGN-001"
    );
    let most = limits::SIGN_IN_SOURCE.attempts_max;
    assert_eq!(counted(accounts::Source::own("198.51.100.1")).await, most);
    assert_eq!(counted(accounts::Source::own("198.51.100.2")).await, most - 1);
    assert_eq!(counted(accounts::Source::shared("198.51.100.3")).await, most * limits::SHARED_TIMES);
    assert_eq!(
        refusal(world.sign_in("window2@430100", DEMO_PASSWORD, "198.51.100.1", NOW).await),
        "IDN-LIM-001"
    );
}
