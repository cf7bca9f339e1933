//! What she was asked, what she answers, and taking it back.

use serde_json::Value;
use tb_base::{Actor, Role};
use tb_identity::people;
use tb_licence::consent::{Asked, Channel, ConsentId, Question, end_of_case, request};

use super::QUALIFICATION;
use super::world::{CHANGSHA, World, XIANGTAN, node};

/// The window asks the driver by a code.
async fn asked_at_the_window(world: &World) -> ConsentId {
    let issuer = world.cities[&node(CHANGSHA)].issuer.clone();
    let number = tb_identity::seed::driver().expect("the cast").number;
    let clerk = Actor::Staff {
        staff: "01kq3zt0000000000000000009".parse().expect("an id"),
        role: Role::Window,
        office: "430100-hall-1".parse().expect("an office"),
    };
    let ctx = world.ctx(node(CHANGSHA), clerk);
    world
        .write(CHANGSHA, move |tx| {
            let person = people::by_number(tx, &issuer.vault, &number)?.expect("registered").id;
            let fields = ["category", "name"].map(str::to_owned).into();
            let question = Question {
                case: "01kq3zt0000000000000000001".parse()?,
                item: "121".to_owned(),
                deciding: node(XIANGTAN),
                person,
                asked: vec![Asked { type_id: QUALIFICATION.to_owned(), fields }],
                channel: Channel::Window,
            };
            request(tx, &ctx, &issuer.vault, &issuer.types, question).map(|it| it.id)
        })
        .await
}

async fn first(world: &World) -> Value {
    world.get(CHANGSHA, "driver", "/consents").await.json()["consents"][0].clone()
}

#[tokio::test]
async fn asked_confirmed_and_taken_back() {
    let world = World::new().await;
    let empty = world.page(CHANGSHA, "driver", "/consents").await.text;
    assert!(empty.contains("还没有人请您授权"), "{empty}");
    let id = asked_at_the_window(&world).await;
    let row = first(&world).await;
    assert_eq!((&row["state"], &row["by_code"]), (&Value::from("asked"), &Value::from(true)));
    assert_eq!(row["item_name"], "从业资格证换发");
    assert_eq!(row["asked"][0]["fields"], serde_json::json!(["姓名", "从业资格类别"]));
    let page = world.page(CHANGSHA, "driver", "/consents").await.text;
    assert!(page.contains("短信") && page.contains("value=\"confirm\""), "{page}");

    let path = format!("/consents/{id}");
    let done = world.post(CHANGSHA, "driver", &path, "answer=confirm").await;
    assert_eq!((done.status.as_u16(), done.location.as_str()), (303, "/consents?done=given"));
    assert_eq!(first(&world).await["can"], serde_json::json!(["withdraw"]));
    let again = world.post(CHANGSHA, "driver", &path, "answer=confirm").await;
    assert_eq!((again.status.as_u16(), &again.json()["code"]), (409, &Value::from("LIC-CNS-002")));
    let done = world.post(CHANGSHA, "driver", &path, "answer=withdraw").await;
    assert_eq!(done.location, "/consents?done=withdrawn");
    let row = first(&world).await;
    assert_eq!(row["state"], "withdrawn");
    assert!(
        row["stops"].as_str().is_some_and(|it| it.contains("不会再向湘潭") && it.contains("依法")),
        "{row}"
    );
}

#[tokio::test]
async fn a_consent_ends_with_its_case() {
    let world = World::new().await;
    let id = asked_at_the_window(&world).await;
    world.post(CHANGSHA, "driver", &format!("/consents/{id}"), "answer=confirm").await;
    let page = world.page(CHANGSHA, "driver", "/consents").await.text;
    assert!(page.contains("不会再向湘潭") && page.contains("value=\"withdraw\""), "{page}");
    let ctx = world.ctx(node(CHANGSHA), Actor::System);
    let end = move |tx: &mut tb_store::Tx<'_>| end_of_case(tx, &ctx, "01kq3zt0000000000000000001".parse()?);
    assert_eq!(world.write(CHANGSHA, end).await, 1);
    let row = first(&world).await;
    assert_eq!((&row["state"], &row["can"]), (&Value::from("ended"), &serde_json::json!([])));
    let page = world.page(CHANGSHA, "driver", "/consents").await.text;
    assert!(page.contains("已结束") && page.contains("结束于") && !page.contains("不会再向"), "{page}");
    let late = world.post(CHANGSHA, "driver", &format!("/consents/{id}"), "answer=withdraw").await;
    assert_eq!(late.json()["code"], "LIC-CNS-007");
}

#[tokio::test]
async fn refused_and_over_by_time() {
    let world = World::new().await;
    let id = asked_at_the_window(&world).await;
    let done = world.post(CHANGSHA, "driver", &format!("/consents/{id}"), "answer=refuse").await;
    assert_eq!(done.location, "/consents?done=refused");
    world.pass_seconds(1);
    asked_at_the_window(&world).await;
    world.pass_seconds(86_401);
    let row = first(&world).await;
    assert_eq!((&row["state"], &row["can"]), (&Value::from("expired"), &serde_json::json!([])));
}

#[tokio::test]
async fn nobody_else_answers_for_her() {
    let world = World::new().await;
    let path = format!("/consents/{}", asked_at_the_window(&world).await);
    let others = world.post(CHANGSHA, "walkin", &path, "answer=confirm").await;
    assert_eq!((others.status.as_u16(), &others.json()["code"]), (404, &Value::from("T03-CNS-001")));
    assert_eq!(world.post(CHANGSHA, "window", &path, "answer=confirm").await.status, 403);
    assert_eq!(world.post(CHANGSHA, "driver-unproven", &path, "answer=confirm").await.status, 403);
    assert_eq!(world.post(CHANGSHA, "driver", &path, "answer=maybe").await.status, 422);
    assert_eq!(first(&world).await["state"], "asked");
}
