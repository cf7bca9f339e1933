//! Stories of the door and the desk, told through the site of a city.

mod world;

use axum::http::StatusCode;
use world::World;

#[tokio::test]
async fn a_number_is_taken_without_a_name_and_shows_how_many_wait() {
    let world = World::new().await;
    let page = world.page("", "/tickets").await;
    assert!(page.text.contains("取号"), "{}", page.text);
    let nothing = world.post("", "/tickets", "").await;
    assert_eq!(nothing.codes(), ["WEB-FIELD-001"]);
    let first = world.post("", "/tickets", "what=apply-121&city=430300").await;
    let second = world.post("", "/tickets", "what=ask").await;
    let shown = world.get("", &second.location).await.json();
    assert_eq!(
        (&shown["code"], &shown["before"], &shown["state"]),
        (&"K002".into(), &1.into(), &"waiting".into())
    );
    world.post("window", "/window/tickets/next", "seen=").await;
    let called = world.get("", &first.location).await.json();
    assert_eq!(called["state"], "called");
    for (path, expected) in [
        (first.location.as_str(), StatusCode::OK),
        ("/tickets/01m85vbsg4g0wn609k4x67c28v", StatusCode::NOT_FOUND),
        ("/tickets/nothing", StatusCode::NOT_FOUND),
    ] {
        for lang in ["zh", "en"] {
            assert_eq!(world.page("", &format!("{path}?lang={lang}")).await.status, expected, "{path}");
        }
    }
}

#[tokio::test]
async fn an_old_page_and_a_double_press_call_nobody_past() {
    let world = World::new().await;
    for _ in 0..3 {
        world.post("", "/tickets", "what=ask").await;
    }
    let next = |seen: String| {
        let world = &world;
        async move { world.post("window", "/window/tickets/next", &format!("seen={seen}")).await.location }
    };
    assert_eq!(next(String::new()).await, "/window");
    next(String::new()).await;
    let mine = world.mine("window").await.expect("a number");
    assert_eq!(mine.code(), "K001", "pressed twice, called once");
    next(mine.id.to_string()).await;
    next(mine.id.to_string()).await;
    assert_eq!(world.mine("window").await.expect("a number").code(), "K002");
    let late = world.post("window-colleague", &format!("/window/tickets/{}", mine.id), "do=call").await;
    assert_eq!(late.location, "/window?called=late", "it is done with");
}

#[tokio::test]
async fn one_source_does_not_take_all_the_numbers() {
    let world = World::new().await;
    for taken in 0..12 {
        let got = world.post("", "/tickets", "what=ask").await;
        assert!(got.location.starts_with("/tickets/"), "number {taken}: {got:?}");
    }
    assert_eq!(world.post("", "/tickets", "what=ask").await.codes(), ["T02-TKT-002"]);
    let on_duty = world.post("window", "/tickets", "what=ask").await;
    assert!(on_duty.location.starts_with("/tickets/"), "a clerk takes one for somebody: {on_duty:?}");
}

#[tokio::test]
async fn only_the_window_calls() {
    let world = World::new().await;
    for who in ["", "reviewer"] {
        let got = world.post(who, "/window/tickets/next", "seen=").await;
        assert!(
            got.status != StatusCode::SEE_OTHER || got.location.starts_with("/sign-in"),
            "{who}: {got:?}"
        );
    }
}

#[tokio::test]
async fn the_end_of_the_day_is_a_page_and_a_file() {
    let world = World::new().await;
    let empty = world.page("window", "/window/day").await;
    assert!(empty.text.contains("这一天没有办件"), "{}", empty.text);
    world.post("", "/tickets", "what=ask").await;
    world.post("window", "/window/tickets/next", "seen=").await;
    let day = world.get("window", "/window/day").await.json();
    assert_eq!(
        (&day["sheet"]["taken"], &day["sheet"]["open"], &day["day"]),
        (&1.into(), &1.into(), &"2026-11-24".into())
    );
    let file = world.page("window", "/window/day?export=csv").await;
    assert!(file.text.contains("做了什么"), "{}", file.text);
    for (date, expected) in [
        ("2026-11-23", StatusCode::OK),
        ("2026-11-25", StatusCode::UNPROCESSABLE_ENTITY),
        ("soon", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let got = world.page("window", &format!("/window/day?date={date}&lang=en")).await;
        assert_eq!(got.status, expected, "{date}");
    }
}

/// A form of a paper: `command`, then what the page sends.
fn paper(command: &str, rest: &str) -> String {
    format!("command={command}&{rest}")
}

#[tokio::test]
async fn papers_come_in_and_go_out_under_a_number() {
    let world = World::new().await;
    let case = world.collected("430100").await;
    let path = format!("/window/cases/{case}/originals");
    let empty = world.page("window", &path).await;
    assert!(empty.text.contains("没有收原件"), "{}", empty.text);
    let nothing = world.post("window", &path, "way=in").await;
    assert_eq!(nothing.codes(), ["WEB-FIELD-001"; 4]);
    let command = world.get("window", &path).await.json()["command"].as_str().expect("a command").to_owned();
    let brought = paper(
        &command,
        "way=in&what=%E4%BB%8E%E4%B8%9A%E8%B5%84%E6%A0%BC%E8%AF%81&pages=1&party=person&courier=hand",
    );
    for _ in 0..2 {
        let sent = world.post("window", &path, &brought).await;
        assert_eq!(sent.location, format!("{path}?done=yes"), "{sent:?}");
    }
    let page = world.get("window", &path).await.json();
    assert_eq!(page["papers"].as_array().map(Vec::len), Some(1), "a double press is one paper");
    let form = format!("{path}?paper={command}");
    let shown = world.get("window", &form).await.json();
    assert_eq!((&shown["way"], &shown["papers"][0]["place"]), (&"out".into(), &"counter".into()));
    let away = format!("paper={command}&way=out&party=department&courier=sf");
    let wrong = world.post("window", &path, &format!("{away}&number=SF12")).await;
    assert_eq!(wrong.codes(), ["CTR-COU-002"]);
    assert_eq!(wrong.json()["form"]["values"]["number"][0], "SF12", "what was typed stays");
    world.post("window", &path, &format!("{away}&number=SF1234567890123")).await;
    let twice = world.post("window", &path, &format!("{away}&number=SF1234567890124")).await;
    assert_eq!(twice.codes(), ["CTR-ORI-003"]);
    let page = world.get("window", &path).await.json();
    assert_eq!(page["papers"][0]["place"], "on_way_to_department");
    for lang in ["zh", "en"] {
        let receipt = world.page("window", &format!("{path}/receipt?lang={lang}")).await;
        assert!(receipt.text.contains("SF1234567890123"), "{}", receipt.text);
        assert_eq!(world.page("window", &format!("{form}&lang={lang}")).await.status, StatusCode::OK);
    }
    let day = world.page("window", "/window/day?export=csv").await;
    assert!(day.text.contains("收进原件") && day.text.contains("发出原件"), "{}", day.text);
}

#[tokio::test]
async fn papers_are_those_of_the_own_counter() {
    let world = World::new().await;
    let case = world.collected("430300").await;
    let path = format!("/window/cases/{case}/originals");
    for (who, expected) in [
        ("window-colleague", StatusCode::OK),
        ("window-elsewhere", StatusCode::FORBIDDEN),
        ("reviewer", StatusCode::FORBIDDEN),
    ] {
        assert_eq!(world.get(who, &path).await.status, expected, "{who}");
    }
    let brought = "way=in&what=x&pages=1&party=person&courier=hand";
    assert_eq!(world.post("window-elsewhere", &path, brought).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.get("window", "/window/cases/nothing/originals").await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.get("window", &path).await.json()["papers"], serde_json::json!([]));
}

#[tokio::test]
async fn a_hand_over_that_nobody_took_is_taken_back_with_a_reason() {
    let world = World::new().await;
    let case = world.collected("430300").await;
    let path = format!("/window/cases/{case}/undo");
    let command = world.get("window", &path).await.json()["command"].as_str().expect("a command").to_owned();
    let nothing = world.post("window", &path, &format!("command={command}&reason=")).await;
    assert_eq!(nothing.codes(), ["WEB-FIELD-001"]);
    assert_eq!(world.post("window-elsewhere", &path, "reason=x").await.status, StatusCode::FORBIDDEN);
    for _ in 0..2 {
        let asked = world.post("window", &path, &format!("command={command}&reason=wrong%20item")).await;
        assert_eq!(asked.location, path, "{asked:?}");
    }
    let again = world.post("window-colleague", &path, "reason=also%20wrong").await;
    assert_eq!(again.codes(), ["CTR-UND-003"]);
    let page = world.get("window", &path).await.json();
    assert_eq!((&page["held"]["state"], &page["held"]["reason"]), (&"waiting".into(), &"wrong item".into()));
    let day = world.get("window", "/window/day").await.json();
    assert_eq!(day["lines"], 1);
    let here = world.collected("430100").await;
    let path = format!("/window/cases/{here}/undo");
    let taken = world.post("window", &path, "reason=wrong").await;
    assert_eq!(taken.codes(), ["CTR-UND-001"], "what is decided here is withdrawn by its person");
    for lang in ["zh", "en"] {
        let shown = world.page("window", &format!("{path}?lang={lang}")).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    }
}

#[tokio::test]
async fn a_draft_goes_back_to_its_person() {
    let world = World::new().await;
    let draft = world.drafted("430300").await;
    let path = format!("/window/drafts/{}/back", draft.id);
    let asked = world.page("window", &path).await;
    let (head, tail) = draft.code.split_at(4);
    assert!(asked.text.contains(head) && asked.text.contains(tail), "{}", asked.text);
    assert_eq!(world.get("window-elsewhere", &path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(world.post("window", &path, "").await.location, "/window");
    assert_eq!(world.post("window", &path, "").await.status, StatusCode::NOT_FOUND, "once");
    let env = std::sync::Arc::clone(&world.env);
    let held = world.store.read("test.draft", move |tx| tb_case::draft::find(tx, &env, draft.id)).await;
    let held = held.expect("a read").expect("it is kept");
    assert_eq!((held.office, held.clerk), (None, None));
    assert_eq!(held.answers, draft.answers);
    let told = world.store.read("test.told", move |tx| {
        tb_identity::messages::narrowed(tx, draft.person, tb_identity::messages::Wanted::default(), 0)
    });
    let (told, _) = told.await.expect("notices");
    let (zh, en) = told[0].words(tb_counter::notices::WORDINGS).expect("words");
    assert!(zh.contains(&draft.code) && en.contains(&draft.code), "{zh} {en}");
    assert_eq!(
        tb_counter::notices::href(&told[0].template, &told[0].params),
        Some(format!("/drafts/{}", draft.id))
    );
}

#[tokio::test]
async fn the_screen_in_the_hall_shows_numbers_and_nothing_else() {
    let world = World::new().await;
    let empty = world.page("", "/tickets/hall").await;
    assert!(empty.text.contains("现在没有人等"), "{}", empty.text);
    for _ in 0..3 {
        world.post("", "/tickets", "what=ask").await;
    }
    world.post("window", "/window/tickets/next", "seen=").await;
    let shown = world.get("", "/tickets/hall").await.json();
    let codes = |list: &str| {
        let lines = shown[list].as_array().expect("a list").iter();
        lines.map(|line| line["code"].as_str().expect("a code").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (codes("called"), codes("next")),
        (vec!["K001".to_owned()], vec!["K002".to_owned(), "K003".to_owned()])
    );
    assert_eq!(shown["waiting"], 2);
    let english = world.page("", "/tickets/hall?lang=en&office=nothing").await;
    assert_eq!((english.status, english.refresh.as_str()), (StatusCode::OK, "15"), "it is asked for again");
}

#[tokio::test]
async fn each_figure_of_the_day_leads_to_what_it_counts() {
    let world = World::new().await;
    for _ in 0..2 {
        world.post("", "/tickets", "what=ask").await;
    }
    world.post("window", "/window/tickets/next", "seen=").await;
    let case = world.collected("430100").await;
    let brought = "way=in&what=x&pages=1&party=person&courier=hand";
    world.post("window", &format!("/window/cases/{case}/originals"), brought).await;
    let day = world.page("window", "/window/day").await.text;
    for link in ["numbers=taken", "numbers=open", "kind=paper_in"] {
        assert!(day.contains(link), "{link}: {day}");
    }
    for (query, words, count) in [
        ("numbers=open", "K002", 2),
        ("numbers=skipped", "没有这样的号", 0),
        ("kind=paper_in", "收进原件", 1),
    ] {
        let page = world.page("window", &format!("/window/day?{query}")).await.text;
        assert!(page.contains(words), "{query}: {page}");
        let shown = world.get("window", &format!("/window/day?{query}")).await.json();
        let listed = if query.starts_with("kind") { &shown["lines"] } else { &shown["numbers_listed"] };
        assert_eq!(*listed, count, "{query}");
    }
    let none = world.get("window", "/window/day?kind=collected").await.json();
    assert_eq!(none["lines"], 0);
}
