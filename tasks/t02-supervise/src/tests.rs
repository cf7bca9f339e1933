//! Stories of the supervisor and of everybody, told through the site of a city.

mod world;

use axum::http::StatusCode;
use serde_json::Value;
use tb_base::Timestamp;
use tb_store::{Config, Engine};
use world::{Listed, NOON, World};

const DAY: i64 = 86_400;

/// Case `n` of some hundreds: three offices, one of them in another city; late, today, this week and later; a third
/// decided, some of them too late.
fn listed(n: i64) -> Listed {
    let phases = ["offered", "received", "accepted", "decided", "closed"];
    let phase = phases[usize::try_from(n % 5).expect("a place")];
    let is_over = phase == "closed";
    let collected = NOON.plus_seconds(-(n % 83) * DAY - n);
    let decided = (n % 5 >= 3).then(|| collected.plus_seconds((n % 9) * DAY)).filter(|at| *at < NOON);
    Listed {
        item: if n % 4 == 0 { 80 } else { 121 },
        phase,
        office: ["430100-transport", "430100-hall-1", "430300-transport"]
            [usize::try_from(n % 3).expect("a place")],
        deciding: if n % 7 == 0 { "430300-transport" } else { "430100-transport" },
        due: (!is_over).then(|| NOON.plus_seconds((n % 17 - 6) * DAY)),
        collected,
        decided,
        promised: decided.map(|_| collected.plus_seconds(6 * DAY)),
    }
}

/// The figures of tiles and where they lead.
#[track_caller]
fn tiles(page: &Value) -> Vec<(i64, String)> {
    let tile = |tile: &Value| {
        let figure: String =
            tile["figure"].as_str().expect("a figure").chars().filter(char::is_ascii_digit).collect();
        (figure.parse().expect("a number"), tile["href"].as_str().expect("a link").to_owned())
    };
    page["tiles"].as_array().expect("tiles").iter().map(tile).collect()
}

/// Links to lists on a page, with the number that each shows.
fn links(html: &str) -> Vec<(String, i64)> {
    let mut found = Vec::new();
    for part in html.split("<a href=\"/supervise/cases?").skip(1) {
        let Some((address, rest)) = part.split_once("\">") else { continue };
        let text = rest.split("</a>").next().unwrap_or("");
        let digits: String =
            text.chars().filter(|letter| letter.is_ascii_digit() || *letter == '\u{a0}').collect();
        if let Ok(figure) = digits.replace('\u{a0}', "").parse() {
            found.push((format!("/supervise/cases?{}", address.replace("&#38;", "&")), figure));
        }
    }
    found
}

async fn counts_what_it_links(config: &Config) {
    let world = World::on(config).await;
    world.plant((0..400).map(listed).collect()).await;
    for path in ["/supervise", "/supervise/items/121", "/supervise/items/80"] {
        let page = world.get("supervisor", path).await.json();
        let all = tiles(&page);
        assert_eq!(all.len(), 5, "{page}");
        // The last two of an item are days, and not counts.
        for (figure, href) in all.iter().take(if path == "/supervise" { 5 } else { 3 }) {
            assert!(0 < *figure, "{href}");
            assert_eq!(world.get("supervisor", href).await.json()["total"], *figure, "{href}");
        }
    }
    // Every figure of a table that leads to a list, too.
    let html = world.page("supervisor", "/supervise").await.text;
    let table = html.split("id=\"items\"").nth(1).expect("a table");
    let figures = links(table);
    assert!(8 <= figures.len(), "{figures:?}");
    for (href, figure) in figures {
        assert_eq!(world.get("supervisor", &href).await.json()["total"], figure, "{href}");
    }
}

#[tokio::test]
async fn every_figure_counts_what_it_links_on_sqlite() {
    counts_what_it_links(&Config::memory()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_figure_counts_what_it_links_on_postgres() {
    let postgres = tb_testkit::Postgres::start();
    let engine = Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema("supervise") };
    counts_what_it_links(&Config { engine, inline: false }).await;
}

#[tokio::test]
async fn the_title_says_what_is_wrong() {
    let world = World::new().await;
    let empty = world.page("supervisor", "/supervise").await;
    assert!(empty.text.contains("<h1>没有在办的件</h1>"), "{}", empty.text);
    let running = |office, days: i64| Listed {
        due: Some(NOON.plus_seconds(days * DAY)),
        office,
        phase: "accepted",
        ..listed(0)
    };
    world.plant(vec![running("430100-transport", 3), running("430300-transport", 0)]).await;
    let today = world.page("supervisor", "/supervise?lang=en").await;
    assert!(today.text.contains("<h1>Nothing is late; 1 case is due today</h1>"), "{}", today.text);
    let world = World::new().await;
    world.plant(vec![running("430100-transport", -3), running("430100-hall-1", 0)]).await;
    let late = world.page("supervisor", "/supervise").await;
    assert!(late.text.contains("<h1>晚了 1 件，都在长沙市交通运输局"), "{}", late.text);
    assert!(late.text.contains("晚了 3 天"), "{}", late.text);
}

#[tokio::test]
async fn only_the_supervisor_watches() {
    let world = World::new().await;
    for path in [
        "/supervise",
        "/supervise/cases",
        "/supervise/items/121",
        "/supervise/cases/01m85vbsg4g0wn609k4x67c28v",
    ] {
        assert_eq!(world.get("reviewer", path).await.status, StatusCode::FORBIDDEN, "{path}");
        assert!(world.page("", path).await.location.starts_with("/sign-in"), "{path}");
    }
    for path in
        ["/supervise/cases/nothing", "/supervise/cases/01m85vbsg4g0wn609k4x67c28v", "/supervise/items/9999"]
    {
        assert_eq!(world.get("supervisor", path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_list_turns_its_pages_and_becomes_a_file() {
    let world = World::new().await;
    world.plant((0..100).map(listed).collect()).await;
    let first = world.page("supervisor", "/supervise/cases").await.text;
    assert!(first.contains("80 件，这里 20 件") && !first.contains("上一页"), "{first}");
    let after = first.split("after=").nth(1).and_then(|it| it.split('"').next()).expect("a next page");
    let second = world.page("supervisor", &format!("/supervise/cases?after={after}")).await.text;
    assert!(second.contains("上一页") && second.contains("下一页"), "{second}");
    let file = world.page("supervisor", "/supervise/cases?due=late&export=csv").await.text;
    let late =
        (0..100).map(listed).filter(|it| it.due.is_some_and(|due| due < Timestamp::at(NOON.date(), 0)));
    assert_eq!(file.trim_end().lines().count(), late.count() + 1, "{file}");
    assert_eq!(world.audited("supervise.export").await, ["/supervise/cases?due=late"]);
    let wrong = world.page("supervisor", "/supervise/cases?state=decided&from=soon").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.text.contains("value=\"soon\""), "what was typed stays: {}", wrong.text);
}

#[tokio::test]
async fn everybody_reads_figures_without_anybody_in_them() {
    let world = World::new().await;
    let nothing = world.page("", "/performance").await;
    assert_eq!(nothing.status, StatusCode::OK);
    assert!(nothing.text.contains("还没有可以公布的数字"), "{}", nothing.text);
    let world = World::new().await;
    let decided = |n: i64, item: i64| Listed {
        item,
        phase: "closed",
        deciding: "430100-transport",
        office: "430100-transport",
        due: None,
        collected: NOON.plus_seconds(-(20 + n % 30) * DAY),
        decided: Some(NOON.plus_seconds(-(10 + n % 8) * DAY)),
        promised: Some(NOON.plus_seconds(-9 * DAY)),
    };
    let cases = (0..60).map(|n| decided(n, 121)).chain((0..4).map(|n| decided(n, 80)));
    world.plant(cases.collect()).await;
    let told = world.get("", "/performance").await;
    let json = told.json();
    assert_eq!((&json["decided"], &json["withheld"]), (&60.into(), &1.into()), "{json}");
    assert_eq!(json["items"].as_array().map(Vec::len), Some(1));
    let page = world.page("", "/performance?lang=en").await.text;
    for text in [&told.text, &page] {
        // No case, no code, no person.
        assert!(!text.contains("C000") && !text.contains("/supervise"), "{text}");
    }
    assert!(page.contains("<table") && page.contains("<desc"), "charts with their tables: {page}");
}
