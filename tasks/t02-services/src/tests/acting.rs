//! Applying for an enterprise: what is for people is refused while acting for one, and a grant is asked for twice.

use tb_base::{Actor, MessageId, PersonId};
use tb_identity::grants::filed::{self, Filed};
use tb_identity::grants::{self, Grant, Matter, NewGrant};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_identity::{people, seed};

use super::fetched;
use super::world::{CHANGSHA, World, firm, node};

fn permit(action: Action, person: PersonId) -> Permit {
    may(&Actor::Resident { person, level: 3 }, action, &Scope::Person(person)).expect("a permit")
}

/// The representative grants the driver to act until tomorrow.
async fn granted(world: &World) -> Grant {
    let ctx = world.ctx(node(CHANGSHA), Actor::System);
    let vault = world.vault(CHANGSHA);
    world
        .write(CHANGSHA, move |tx| {
            let driver = seed::driver()?;
            let firm = firm()?;
            let new = NewGrant {
                id: ctx.id(MessageId::new),
                enterprise: firm.uscc,
                number: driver.number,
                name: driver.name.to_owned(),
                matters: [Matter::Cases].into(),
                from: ctx.now.date(),
                to: ctx.now.plus_seconds(86_400).date(),
            };
            let owner = firm.representative.expect("a representative");
            grants::give(tx, &ctx, &vault, &permit(Action::GrantAgency, owner), &new)
        })
        .await
}

#[tokio::test]
async fn what_is_for_people_is_refused_while_acting_for_an_enterprise() {
    let world = World::new().await;
    let refused = world.post_page(CHANGSHA, "driver-acting", "/items/121/apply", "deciding=430300").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    for words in ["这件事由个人申请，您现在代湖南新程物流有限公司办事", "改为以本人身份办事"]
    {
        assert!(refused.text.contains(words), "{words}: {}", refused.text);
    }
    assert_eq!(
        world.get(CHANGSHA, "driver", "/cases").await.json()["drafts"].as_array().map(Vec::len),
        Some(0)
    );
}

#[tokio::test]
async fn a_grant_that_ended_refuses_at_the_next_act_and_nothing_is_lost() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let grant = granted(&world).await;
    let case = draft.trim_start_matches("/drafts/").parse().expect("an id");
    let (ctx, vault) = (world.ctx(node(CHANGSHA), Actor::System), world.vault(CHANGSHA));
    let ended = grant.clone();
    world
        .write(CHANGSHA, move |tx| {
            let person = people::by_number(tx, &vault, &seed::driver()?.number)?.expect("the driver").id;
            let enterprise = ended.enterprise;
            filed::begin(tx, &ctx, &Filed { case, enterprise, person, item: 121, at: ctx.now })?;
            grants::end(tx, &ctx, &vault, &permit(Action::ActForEnterprise, person), ended.id).map(drop)
        })
        .await;
    let refused = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), "").await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(refused.json()["form"]["errors"][0]["code"], "IDN-GRT-004");
    assert_eq!(
        world.get(CHANGSHA, "driver", &format!("{draft}/check")).await.status,
        200,
        "the draft is there"
    );
    granted(&world).await;
    let sent = world.post(CHANGSHA, "driver", &format!("{draft}/submit"), "").await;
    assert!(sent.location.starts_with("/cases/"), "{sent:?}");
}

#[tokio::test]
async fn a_draft_that_is_thrown_away_is_no_matter_of_the_enterprise_any_more() {
    let world = World::new().await;
    let draft = fetched(&world).await;
    let grant = granted(&world).await;
    let case = draft.trim_start_matches("/drafts/").parse().expect("an id");
    let ctx = world.ctx(node(CHANGSHA), Actor::System);
    world
        .write(CHANGSHA, move |tx| {
            let filed =
                Filed { case, enterprise: grant.enterprise, person: grant.agent, item: 121, at: ctx.now };
            filed::begin(tx, &ctx, &filed)
        })
        .await;
    world.post(CHANGSHA, "driver", &format!("{draft}/discard"), "").await;
    assert_eq!(world.write(CHANGSHA, move |tx| filed::of(tx, case)).await, None);
}
