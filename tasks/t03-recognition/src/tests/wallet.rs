//! What she has, wherever it was issued, and who else is told.

use serde_json::Value;

use super::world::{CHANGSHA, World, XIANGTAN};
use super::{QUALIFICATION, qualification, shown};

#[tokio::test]
async fn licences_of_another_city_are_found_live() {
    let world = World::new().await;
    let wallet = world.get(CHANGSHA, "driver", "/licences").await.json();
    let licences = wallet["licences"].as_array().expect("a list");
    let types: Vec<_> = licences.iter().map(|it| it["type"].as_str().unwrap_or("")).collect();
    assert_eq!(types, ["resident_card", QUALIFICATION]);
    let licence = &licences[1];
    assert_eq!(licence["city"], XIANGTAN);
    assert_eq!((&licence["state"], &licence["state_word"]), (&Value::from("valid"), &Value::from("有效")));
    assert_eq!((&licence["version"], &licence["ends_in_days"]), (&Value::from(1), &Value::from(16)));
    assert_eq!(wallet["silent"], Value::Array(Vec::new()));

    let page = world.page(CHANGSHA, "driver", "/licences").await.text;
    assert!(page.contains("16 天后到期") && page.contains("道路运输从业资格证"), "{page}");
    let english = world.page(CHANGSHA, "driver", "/licences?lang=en").await.text;
    assert!(english.contains("My licences") && english.contains("ends in"), "{english}");

    let own = world.get(XIANGTAN, "driver", "/licences").await.json();
    assert_eq!(own["licences"].as_array().map(Vec::len), Some(2), "the issuing city lists the same");
}

#[tokio::test]
async fn who_has_none_is_told_so() {
    let world = World::new().await;
    let page = world.page(CHANGSHA, "local", "/licences").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("三市都没有您的证照"), "{}", page.text);
}

#[tokio::test]
async fn a_silent_city_is_named() {
    let world = World::new().await;
    let licence = qualification(&world).await;
    world.cut(XIANGTAN);
    let wallet = world.get(CHANGSHA, "driver", "/licences").await.json();
    assert_eq!(wallet["licences"], Value::Array(Vec::new()));
    assert_eq!(wallet["silent"][0]["city"], XIANGTAN);
    let page = world.page(CHANGSHA, "driver", "/licences").await.text;
    assert!(page.contains("查不到") && page.contains("湘潭") && !page.contains("三市都没有"), "{page}");

    let url = licence["url"].as_str().expect("an address");
    let page = world.page(CHANGSHA, "driver", url).await;
    assert_eq!(page.status, 503);
    assert!(page.text.contains("这不等于没有"), "{}", page.text);
    let refused = world.post(CHANGSHA, "driver", licence["present_url"].as_str().expect("it"), "").await;
    assert_eq!((refused.status.as_u16(), &refused.json()["code"]), (409, &Value::from("EXC-PEER-001")));
}

#[tokio::test]
async fn she_reads_it_with_its_history() {
    let world = World::new().await;
    let licence = qualification(&world).await;
    let url = licence["url"].as_str().expect("an address");
    let page = world.get(CHANGSHA, "driver", url).await.json();
    let labels: Vec<_> = page["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|it| it["label"].as_str().unwrap_or(""))
        .collect();
    assert_eq!(labels[0], "姓名", "in the order of the face: {labels:?}");
    assert_eq!(page["history"].as_array().map(Vec::len), Some(1));
    assert_eq!(page["history"][0]["event_word"], "签发");
    assert!(!page["withheld"].as_array().expect("a list").is_empty(), "the contract keeps something back");
    let home = world.get(XIANGTAN, "driver", url).await.json();
    assert!(home["withheld"].as_array().expect("a list").is_empty(), "no contract limits the issuing city");
    let print = world.page(CHANGSHA, "driver", url).await.text;
    assert!(
        print.contains("data-print") && print.contains("paper-only"),
        "a copy for paper, with its day: {print}"
    );
    let face =
        print.split("id=\"face\"").nth(1).and_then(|rest| rest.split("</section>").next()).expect("a face");
    assert!(face.contains("周晓梅") && !face.contains("no-print"), "what it says is printed whole: {face}");
    assert!(
        print.contains("打印的是副本")
            && print.contains(&format!("/looks?licence={}", licence["id"].as_str().expect("an id")))
    );
    let html = world.page(CHANGSHA, "driver", &format!("{url}?lang=en")).await.text;
    assert!(html.contains("Road transport qualification certificate") && html.contains("History"), "{html}");
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let world = World::new().await;
    let (page, code) = shown(&world).await;
    assert!(code.starts_with("T1.430300."), "{code}");
    let open = world.get(CHANGSHA, "driver", &page).await.json();
    assert_eq!((&open["state"], &open["seconds_left"]), (&Value::from("open"), &Value::from(60)));
    assert_eq!(open["verified_by"], Value::Null);
    let html = world.page(CHANGSHA, "driver", &page).await.text;
    assert!(html.contains("class=\"qr\"") && html.contains("data-until=\"60\""), "{html}");
    world.pass_seconds(61);
    let over = world.get(CHANGSHA, "driver", &page).await.json();
    assert_eq!((&over["state"], &over["code"]), (&Value::from("over"), &Value::Null));
    assert!(world.page(CHANGSHA, "driver", &page).await.text.contains("这个码已过期"));
}

#[tokio::test]
async fn a_code_that_is_put_away_is_of_no_use() {
    let world = World::new().await;
    let (page, code) = shown(&world).await;
    let open = world.get(CHANGSHA, "driver", &page).await.json();
    let presentation = open["presentation"].as_str().expect("an id");
    let close = page.split("/code").next().unwrap_or("").to_owned() + "/close";
    let put = world.post(CHANGSHA, "driver", &close, &format!("p={presentation}")).await;
    assert_eq!((put.status.as_u16(), put.location.as_str()), (303, "/licences"));
    let verdict = world.post(CHANGSHA, "", "/verify", &format!("code={code}")).await.json();
    assert_eq!(verdict["answer"], "not_found");
}

#[tokio::test]
async fn nobody_else_comes_in() {
    let world = World::new().await;
    let licence = qualification(&world).await;
    let (url, present) = (licence["url"].as_str().expect("it"), licence["present_url"].as_str().expect("it"));
    let low = world.get(CHANGSHA, "driver-unproven", "/licences").await;
    assert_eq!((low.status.as_u16(), &low.json()["code"]), (403, &Value::from("IDN-PMT-005")));
    assert_eq!(world.post(CHANGSHA, "driver-unproven", present, "").await.status, 403);
    assert_eq!(world.get(CHANGSHA, "window", "/licences").await.status, 403);
    assert_eq!(world.get(CHANGSHA, "", "/licences").await.status, 401);
    for (who, path) in
        [("walkin", url), ("local", url), ("driver", "/licences/430500/x"), ("driver", "/licences/430300/x")]
    {
        assert_eq!(world.get(CHANGSHA, who, path).await.status, 404, "{who} {path}");
    }
    let others = world.post(CHANGSHA, "walkin", present, "").await;
    assert_eq!((others.status.as_u16(), &others.json()["code"]), (404, &Value::from("LIC-FND-001")));
    let (page, _) = shown(&world).await;
    assert_eq!(
        world.get(CHANGSHA, "walkin", &page).await.status,
        404,
        "what became of a code is hers to know"
    );
    assert_eq!(world.get(CHANGSHA, "driver", &format!("{url}/code?c=T1.430300.X&p=1")).await.status, 404);
}
