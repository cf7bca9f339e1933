//! Grants in the store: given once, told to both, ended by either, by two at the same moment once.

use std::sync::{Arc, Barrier};

use tb_base::{Actor, Ctx, MessageId, PersonId, Result, Timestamp, Uscc};

use super::world::{NOW, SOURCE, World, refusal};
use crate::accounts::{self, sessions};
use crate::enterprises;
use crate::grants::{self, Force, Grant, Matter, NewGrant, Standing, filed};
use crate::messages::{self, Wanted};
use crate::permit::{Action, Permit, Scope, may};
use crate::seed::{self, DEMO_PASSWORD};

/// Owner, agent and enterprise of a small city.
struct Cast {
    owner: PersonId,
    agent: PersonId,
    outsider: PersonId,
    firm: Uscc,
}

async fn cast(world: &World) -> Cast {
    let vault = Arc::clone(&world.vault);
    let node = world.node;
    world
        .read(move |tx| {
            let mut person = |alias: &str| {
                let account =
                    accounts::by_login(tx, &vault, &format!("{alias}@{node}"))?.expect("an account");
                Ok::<_, tb_base::Error>(account.actor.person().expect("a person"))
            };
            let (owner, agent, outsider) = (person("owner1")?, person("agent1")?, person("resident1")?);
            let firm = enterprises::of_representative(tx, owner)?.first().expect("an enterprise").uscc;
            Ok(Cast { owner, agent, outsider, firm })
        })
        .await
}

fn permit(action: Action, person: PersonId) -> Permit {
    let actor = Actor::Resident { person, level: 3 };
    may(&actor, action, &Scope::Person(person)).expect("a permit")
}

fn new(ctx: &Ctx, firm: Uscc, alias: &str) -> NewGrant {
    let city = seed::city(seed::SEED, ctx.node, 60, 12).expect("a city");
    let account = city.accounts.iter().find(|it| it.alias.starts_with(alias)).expect("an account");
    let person = city.people.iter().find(|it| it.id == account.person).expect("a person").clone();
    NewGrant {
        id: ctx.id(MessageId::new),
        enterprise: firm,
        number: person.number,
        name: person.name,
        matters: [Matter::Cases, Matter::Licences].into(),
        from: NOW.date(),
        to: NOW.plus_seconds(86_400 * 9).date(),
    }
}

async fn give(world: &World, by: PersonId, new: NewGrant) -> Result<Grant> {
    let (ctx, vault) = (world.ctx(NOW), Arc::clone(&world.vault));
    let permit = permit(Action::GrantAgency, by);
    world.write(move |tx| grants::give(tx, &ctx, &vault, &permit, &new)).await
}

async fn end(world: &World, by: PersonId, id: MessageId) -> Result<Grant> {
    let (ctx, vault) = (world.ctx(NOW), Arc::clone(&world.vault));
    let permit = permit(Action::ActForEnterprise, by);
    world.write(move |tx| grants::end(tx, &ctx, &vault, &permit, id)).await
}

async fn told(world: &World, person: PersonId) -> Vec<String> {
    let read = move |tx: &mut tb_store::Tx<'_>| messages::narrowed(tx, person, Wanted::default(), 0);
    world.read(read).await.0.into_iter().map(|notice| notice.template).collect()
}

async fn standing(world: &World, firm: Uscc, person: PersonId, at: Timestamp) -> Result<Standing> {
    let read = world.store.read("test", move |tx| grants::standing(tx, &firm, person, at.date()));
    read.await.map(|(_, standing)| standing)
}

#[tokio::test]
async fn a_grant_is_given_told_used_and_ended() {
    let world = World::planted("430100").await;
    given_told_used_ended(&world).await;
}

/// The whole life, on either engine.
pub async fn given_told_used_ended(world: &World) {
    let Cast { owner, agent, outsider, firm } = cast(world).await;
    assert!(matches!(standing(world, firm, owner, NOW).await, Ok(Standing::Representative)));
    assert!(matches!(standing(world, firm, agent, NOW).await, Ok(Standing::Agent(_))), "the seed's grant");
    assert_eq!(refusal(standing(world, firm, outsider, NOW).await), "IDN-GRT-001");

    let ctx = world.ctx(NOW);
    let wish = new(&ctx, firm, "resident1");
    assert_eq!(refusal(give(world, agent, wish.clone()).await), "IDN-GRT-006", "an agent passes nothing on");
    let stranger = NewGrant { name: "别人".to_owned(), ..wish.clone() };
    assert_eq!(refusal(give(world, owner, stranger).await), "IDN-GRT-012");
    let given = give(world, owner, wish.clone()).await.expect("given");
    assert_eq!(give(world, owner, wish.clone()).await.expect("the same"), given, "sent twice, given once");
    let again = NewGrant { id: ctx.id(MessageId::new), ..wish };
    assert_eq!(refusal(give(world, owner, again).await), "IDN-GRT-009");
    assert_eq!(
        (told(world, outsider).await, told(world, owner).await),
        (vec!["grant.given".into()], vec!["grant.given_out".into()])
    );

    assert!(matches!(standing(world, firm, outsider, NOW).await, Ok(Standing::Agent(held)) if held == given));
    let last = NOW.plus_seconds(86_400 * 9);
    assert!(standing(world, firm, outsider, last).await.is_ok(), "on its last day");
    let after = NOW.plus_seconds(86_400 * 10);
    assert_eq!(refusal(standing(world, firm, outsider, after).await), "IDN-GRT-003");

    assert_eq!(refusal(end(world, agent, given.id).await), "IDN-GRT-013", "a grant of somebody else");
    let ended = end(world, outsider, given.id).await.expect("given up");
    assert_eq!(ended.force(NOW.date()), Force::Ended);
    assert_eq!(refusal(end(world, owner, given.id).await), "IDN-GRT-014");
    assert_eq!(refusal(standing(world, firm, outsider, NOW).await), "IDN-GRT-004");
    assert!(told(world, outsider).await.contains(&"grant.given_up_by_you".to_owned()));
    assert!(told(world, owner).await.contains(&"grant.given_up".to_owned()));
    let firms = world.read(move |tx| grants::firms_of(tx, outsider, NOW.date())).await;
    assert!(firms.is_empty(), "whoever has no grant sees no enterprise");
}

#[tokio::test]
async fn two_who_end_it_at_once_end_it_once() {
    let world = World::on_postgres("430100", "identity_grant_cross").await;
    world.plant(60, 12).await;
    given_told_used_ended(&world).await;
    let Cast { owner, agent, firm, .. } = cast(&world).await;
    let Ok(Standing::Agent(held)) = standing(&world, firm, agent, NOW).await else { panic!("a grant") };
    let barrier = Arc::new(Barrier::new(2));
    let run = |by: PersonId| {
        let (ctx, vault, barrier) = (world.ctx(NOW), Arc::clone(&world.vault), Arc::clone(&barrier));
        let (permit, id) = (permit(Action::ActForEnterprise, by), held.id);
        let mut is_first_run = true;
        world.write(move |tx| {
            grants::find(tx, id)?;
            if std::mem::take(&mut is_first_run) {
                barrier.wait();
            }
            grants::end(tx, &ctx, &vault, &permit, id)
        })
    };
    let refused = match tokio::join!(run(owner), run(agent)) {
        (Ok(_), Err(refused)) | (Err(refused), Ok(_)) => refusal::<()>(Err(refused)),
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(refused, "IDN-GRT-014");
    let ends = told(&world, agent).await.into_iter().filter(|it| it.contains("up") || it.contains("back"));
    assert_eq!(ends.count(), 1, "told once");
}

#[tokio::test]
async fn what_was_begun_for_an_enterprise_is_found_by_it() {
    let world = World::planted("430100").await;
    let Cast { owner, agent, firm, .. } = cast(&world).await;
    let ctx = world.ctx(NOW);
    world
        .write(move |tx| {
            let mut cases = Vec::new();
            for (person, item) in [(agent, 121), (agent, 84), (owner, 121)] {
                let case = ctx.id(tb_base::CaseId::new);
                filed::begin(tx, &ctx, &filed::Filed { case, enterprise: firm, person, item, at: ctx.now })?;
                cases.push(case);
            }
            let count = |tx: &mut tb_store::Tx<'_>, narrowed| {
                Ok::<_, tb_base::Error>(filed::of_enterprise(tx, &firm, narrowed, (20, 0))?.1)
            };
            let all = filed::Narrowed::default();
            assert_eq!(count(tx, all)?, 3);
            assert_eq!(count(tx, filed::Narrowed { person: Some(agent), ..all })?, 2);
            assert_eq!(count(tx, filed::Narrowed { item: Some(121), ..all })?, 2);
            filed::discard(tx, cases[0])?;
            assert_eq!((count(tx, all)?, filed::of(tx, cases[0])?), (2, None));
            Ok(())
        })
        .await
        .expect("written");
}

#[tokio::test]
async fn sessions_say_from_where_and_end_one_by_one() {
    let world = World::planted("430100").await;
    let from = |device: &str| accounts::Source::own(SOURCE).device(device);
    let mut tokens = Vec::new();
    for device in ["phone/chrome", "computer/edge"] {
        let credentials = accounts::Credentials {
            login: "agent1@430100".to_owned(),
            password: DEMO_PASSWORD.to_owned(),
            source: from(device),
        };
        tokens.push(world.door.sign_in(&world.ctx(NOW), &credentials).await.expect("signed in"));
    }
    let (id, own) = (tokens[0].account.id.clone(), tokens[0].token.clone());
    let firm = cast(&world).await.firm;
    let (ctx, vault) = (world.ctx(NOW), Arc::clone(&world.vault));
    world
        .write(move |tx| {
            let open = sessions::of_account(tx, &id, &own, NOW)?;
            let devices: Vec<_> =
                open.iter().map(|it| it.about.as_ref().expect("known").device.as_str()).collect();
            assert!(devices.contains(&"phone/chrome") && devices.contains(&"computer/edge"), "{devices:?}");
            assert_eq!(open.iter().filter(|it| it.is_this).count(), 1);
            let other = open.iter().find(|it| !it.is_this).expect("the other").id;
            assert_eq!(refusal(sessions::end(tx, &ctx, "somebody-else", other)), "IDN-SES-001");
            sessions::end(tx, &ctx, &id, other)?;
            assert_eq!(refusal(sessions::end(tx, &ctx, &id, other)), "IDN-SES-001");
            assert_eq!(sessions::of_account(tx, &id, &own, NOW)?.len(), 1);
            sessions::act_for(tx, &ctx, &own, Some(&firm))?;
            let session = sessions::session(tx, &vault, &own, NOW)?.expect("a session");
            assert_eq!(session.acting, Some(firm));
            sessions::act_for(tx, &ctx, &own, None)?;
            assert_eq!(sessions::session(tx, &vault, &own, NOW)?.expect("a session").acting, None);
            Ok(())
        })
        .await
        .expect("written");
}

#[tokio::test]
async fn another_phone_needs_the_code_of_both_numbers() {
    let world = World::planted("430100").await;
    let signed_in = world.sign_in("agent1@430100", DEMO_PASSWORD, SOURCE, NOW).await.expect("signed in");
    let account = signed_in.account;
    let person = account.actor.person().expect("a person");
    let vault = Arc::clone(&world.vault);
    let old = world.read(move |tx| crate::people::get(tx, &vault, person)).await.phone.expect("a phone");
    let (ctx, new) = (world.ctx(NOW), "13900001111");
    assert_eq!(refusal(world.door.phone_request(&ctx, &account, "12345", SOURCE).await), "IDN-PHN-001");
    assert_eq!(refusal(world.door.phone_request(&ctx, &account, &old, SOURCE).await), "IDN-PHN-004");
    let ticket = world.door.phone_request(&ctx, &account, new, SOURCE).await.expect("a ticket");
    let code = async |phone: &str| super::world::code_in(&world.last_sms(phone).await.expect("a message"));
    let (at_old, at_new) = (code(&old).await, code(new).await);
    let confirm = |phone: &str, codes: [String; 2]| {
        let (world, ctx, account, ticket, phone) =
            (&world, ctx.clone(), account.clone(), ticket.clone(), phone.to_owned());
        async move {
            let [one, other] = &codes;
            world.door.phone_confirm(&ctx, &account, &ticket, &phone, [one, other], SOURCE).await
        }
    };
    let wrong = if at_new == "000000" { "000001" } else { "000000" };
    for (what, phone, codes) in [
        ("only the old one", new, [at_old.clone(), wrong.to_owned()]),
        ("only the new one", new, [wrong.to_owned(), at_new.clone()]),
        ("another number than the code went to", "13900002222", [at_old.clone(), at_new.clone()]),
    ] {
        assert_eq!(refusal(confirm(phone, codes).await), "IDN-PHN-002", "{what}");
    }
    confirm(new, [at_old.clone(), at_new.clone()]).await.expect("changed");
    assert_eq!(refusal(confirm(new, [at_old, at_new]).await), "IDN-PHN-002", "used once");
    let vault = Arc::clone(&world.vault);
    let known = world.read(move |tx| crate::people::get(tx, &vault, person)).await;
    assert_eq!(known.phone.as_deref(), Some(new));
    let vault = Arc::clone(&world.vault);
    let sent = world.read(move |tx| crate::sms::of_phone(tx, &vault, &old)).await;
    assert!(sent.iter().any(|sms| sms.text.contains("改为新号码")), "the old number hears of it");
}
