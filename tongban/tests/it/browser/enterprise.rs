//! An enterprise's people (企业): the representative at a desk gives and ends grants, the agent with a telephone acts
//! under one until it ends; both look after their own account.

use tb_identity::people::Person;
use tb_identity::seed;

use super::Seen;
use super::stage::Stage;
use super::tab::{Tab, View};

const CITY: &str = "430100";
const FIRM: &str = "湖南新程物流有限公司";

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_acts_for_an_enterprise_until_the_grant_ends() {
    super::play("enterprise", act).await;
}

async fn act(stage: &mut Stage) -> Seen {
    let agent = stage.tab("agent-390", View::Phone, CITY).await?;
    agent.sign_in("agent1@430100").await?;
    look_around(&agent).await?;
    act_for_it(&agent).await?;
    let owner = stage.tab("owner-1280", View::Desk, CITY).await?;
    owner.sign_in("owner1@430100").await?;
    give(&owner).await?;
    take_back(&owner).await?;
    it_is_over(&agent).await?;
    own_account(stage, &agent).await?;
    owner.go("/firm").await?;
    owner.reflow("firm").await?;
    in_other_forms(&owner).await
}

/// English, and the larger view.
async fn in_other_forms(owner: &Tab) -> Seen {
    for (form, word) in [("lang=en", "en"), ("lang=zh&view=elder", "elder")] {
        owner.go(&format!("/?{form}")).await?;
        for (path, shot) in
            [("/firm", "firm"), ("/firm/grants", "grants"), ("/firm/items", "items"), ("/profile", "profile")]
        {
            owner.go(path).await?;
            owner.look(&format!("{shot}-{word}")).await?;
        }
    }
    Ok(())
}

/// Record, licences, cases, items, benefits.
async fn look_around(agent: &Tab) -> Seen {
    agent.go("/firm").await?;
    agent.says("h1", FIRM).await?;
    agent.says("main", "营业执照").await?;
    agent.look("firm").await?;
    for (path, shot) in [
        ("/firm/cases", "firm-cases"),
        ("/firm/items", "firm-items"),
        ("/firm/benefits", "firm-benefits"),
        ("/firm/grants", "firm-grants"),
    ] {
        agent.go(path).await?;
        agent.look(shot).await?;
    }
    Ok(())
}

/// Every page says for whom she acts; what is for people only is refused with words.
async fn act_for_it(agent: &Tab) -> Seen {
    agent.go("/firm").await?;
    agent.press("button[name=do][value=act]").await?;
    agent.says(".tools", FIRM).await?;
    agent.look("firm-acting").await?;
    agent.go("/items/121").await?;
    agent.choose("deciding", "430300").await?;
    agent.press("form[action='/items/121/apply'] button").await?;
    agent.says_errors(1).await?;
    agent.says("main", "这件事由个人申请").await?;
    agent.look("guide-refused").await
}

/// A second agent, first with everything left out.
async fn give(owner: &Tab) -> Seen {
    owner.go("/firm").await?;
    owner.look("firm").await?;
    owner.press("a[href^='/firm/grants']").await?;
    owner.look("firm-grants").await?;
    owner.press("form[action='/firm/grants'] button").await?;
    owner.says_errors(5).await?;
    owner.look("firm-grants-wrong").await?;
    let other = resident()?;
    owner.fill("number", other.number.as_str()).await?;
    owner.fill("name", &other.name).await?;
    owner.choose("matters", "cases").await?;
    for (part, value) in [("to.y", "2026"), ("to.m", "12"), ("to.d", "31")] {
        owner.fill(part, value).await?;
    }
    owner.choose("truth", "yes").await?;
    owner.press("form[action='/firm/grants'] button").await?;
    owner.says("main", "授权已给出").await?;
    owner.look("firm-grants-given").await
}

/// The first agent's grant ends, after a question.
async fn take_back(owner: &Tab) -> Seen {
    let script = "return Array.from(document.querySelectorAll('main tr')).filter((row) => row.innerText.includes('彭亦凡')) \
                  .map((row) => row.querySelector('a').getAttribute('href'))[0] || ''";
    let path = owner.run(script, Vec::new()).await?;
    owner.go(path.as_str().unwrap_or_default()).await?;
    owner.look("firm-grant-end").await?;
    owner.press("main form button.btn--stop").await?;
    owner.says("main", "授权已结束").await?;
    owner.look("firm-grant-ended").await
}

async fn it_is_over(agent: &Tab) -> Seen {
    agent.go("/firm").await?;
    agent.says("main", "由企业取消").await?;
    agent.look("firm-over").await?;
    agent.press("button[name=do][value=self]").await?;
    agent.look("firm-none").await?;
    agent.go("/messages").await?;
    agent.says("main", "结束了给您的授权").await
}

/// Another sign-in ends; the codes for another phone are asked for, wrongly first.
async fn own_account(stage: &Stage, agent: &Tab) -> Seen {
    let mut elsewhere = stage.plain(CITY);
    elsewhere.sign_in("agent1@430100").await?;
    elsewhere.open("/profile").await?;
    let here = elsewhere.action("/profile/sessions/", "")?;
    agent.go("/profile").await?;
    agent.look("profile").await?;
    elsewhere.send(&here, &[]).await?;
    elsewhere.open("/profile/phone").await?;
    elsewhere.send_wrongly("/profile/phone", &[("phone", "139")]).await?;
    elsewhere.send("/profile/phone", &[("phone", "13900001111")]).await?;
    elsewhere.says("旧号码收到的验证码")?;
    agent.go("/profile").await?;
    agent.is_at("/sign-in").await?;
    agent.sign_in("agent1@430100").await?;
    agent.go("/profile/phone").await?;
    agent.look("phone").await
}

/// Somebody of the city's register who has no grant.
fn resident() -> Seen<Person> {
    let node = CITY.parse().map_err(|_| "no city".to_owned())?;
    let city =
        seed::city(seed::SEED, node, seed::PEOPLE, seed::ENTERPRISES).map_err(|error| error.to_string())?;
    let account = city.accounts.iter().find(|it| it.alias.starts_with("resident1"));
    let person = account.and_then(|account| city.people.iter().find(|it| it.id == account.person));
    person.cloned().ok_or_else(|| "nobody of that name".to_owned())
}
