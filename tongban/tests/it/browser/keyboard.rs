//! Bureau, auditor and administrator without a mouse (键盘): every page from its first stop to its last, and the main
//! job of each; a log with two histories and a letter that was given up are there to be seen to.

use std::sync::{Arc, Mutex};

use tb_base::{Actor, CaseId, Ctx, Timestamp};
use tb_crypto::Vault;
use tb_exchange::{Purpose, service};
use tb_store::{Sealer, Tx, outbox, trust};
use tb_tlog::leaf_hash;
use tongban::clock::OsEntropy;

use super::Seen;
use super::stage::{BEGIN_SECONDS, Stage};
use super::tab::{ENTER, SPACE, Tab, View};
use crate::evidence::{city, document, node, note, store};

const CITY: &str = "430100";
const LIAR: &str = "430200";
const AWAY: &str = "430300";
/// When the fork was seen and the letter given up, and when somebody looks.
const HALF_HOUR: i64 = 1_800;
const HOUR: i64 = 3_600;

#[tokio::test(flavor = "multi_thread")]
async fn two_histories_and_a_dead_letter_without_a_mouse() {
    super::play("keyboard", work).await;
}

async fn work(stage: &mut Stage) -> Seen {
    stage.world.region.kill(CITY)?;
    let case = plant(stage).await.map_err(|error| error.to_string())?;
    stage.world.region.restart_later(CITY, HOUR).await?;
    bureau(stage).await?;
    auditor(stage, &case).await?;
    administrator(stage).await?;
    on_a_phone(stage).await
}

/// Writes a letter that was given up and evidence of a fork into the store of a city that stands still; gives the case.
async fn plant(stage: &Stage) -> tb_base::Result<String> {
    let folder = stage.world.region.folder();
    let (own, liar) = (city(folder, CITY), city(folder, LIAR));
    let at = Timestamp(BEGIN_SECONDS * 1_000_000).plus_seconds(HALF_HOUR);
    let notes = [b"one", b"two"].map(|leaf| note(&liar, 9, leaf_hash(leaf)));
    let seen = document(&liar, &own, notes, &[], at);
    let origin = own.trust.list.city(node(LIAR)).map(|city| city.log_origin.clone()).unwrap_or_default();
    let entropy: Arc<Mutex<dyn tb_base::Entropy>> = Arc::new(Mutex::new(OsEntropy));
    let ctx = Ctx::new(at, Actor::System, node(CITY), Arc::clone(&entropy));
    let (case, desk) = (ctx.id(CaseId::new), own.desk()?);
    let purpose = Purpose { item: "121".to_owned(), case: Some(case), basis: "case".to_owned() };
    let (deadline, body) = (at.plus_seconds(HOUR), serde_json::json!({ "word": "secret" }));
    let (to, office) = (node(AWAY), "window/430100-hall-1");
    let message = desk.compose(&ctx, to, service::CASE_PROGRESS, purpose, office, None, &body, deadline)?;
    let kept = store(&own).await;
    kept.seal_messages(Sealer::new(Vault::new(own.secrets.vault), entropy));
    let put = move |tx: &mut Tx<'_>| {
        trust::put_fork(tx, at, &origin, &seen)?;
        outbox::send(tx, &ctx, &message)?;
        outbox::dead(tx, at, message.envelope.id, "violation: schema in body").map(drop)
    };
    kept.write("test.plant", put).await?;
    kept.close().await;
    Ok(case.to_string())
}

async fn desk(stage: &Stage, name: &str, view: View, login: &str) -> Seen<Tab> {
    let tab = stage.tab(name, view, CITY).await?;
    tab.sign_in(&format!("{login}@{CITY}")).await?;
    Ok(tab)
}

/// From the overview to the letter, taken and settled with a reason.
async fn bureau(stage: &Stage) -> Seen {
    let bureau = desk(stage, "keyboard-1280", View::Desk, "bureau1").await?;
    for page in ["/bureau/contracts", "/bureau/contracts/czt-430100-430300", "/bureau"] {
        bureau.go(page).await?;
        bureau.tab_through().await?;
    }
    bureau.look("forks").await?;
    bureau.says("h1", "株洲的日志有两份历史").await?;
    bureau.says("main", "请您做什么").await?;
    bureau.go("/bureau").await?;
    bureau.skip_to_main().await?;
    bureau.tab_to(".tiles a[href='/bureau/dead']").await?;
    bureau.key_to_next(ENTER).await?;
    bureau.tab_through().await?;
    bureau.look("dead").await?;
    bureau.go("/bureau/dead").await?;
    bureau.skip_to_main().await?;
    bureau.tab_to("main tbody th a").await?;
    bureau.key_to_next(ENTER).await?;
    bureau.tab_through().await?;
    bureau.look("letter").await?;
    bureau.go(&bureau.path().await?).await?;
    bureau.skip_to_main().await?;
    bureau.tab_to("button[value=take]").await?;
    bureau.key_to_next(ENTER).await?;
    bureau.look("taken").await?;
    bureau.tab_through().await?;
    bureau.go(&bureau.path().await?).await?;
    bureau.skip_to_main().await?;
    for answer in ["why", "done"] {
        bureau.tab_to(&format!("[name={answer}]")).await?;
        bureau.keys(&SPACE.to_string()).await?;
    }
    bureau.tab_to("button[value=settle]").await?;
    bureau.key_to_next(ENTER).await?;
    bureau.says("main", "已人工办结").await?;
    bureau.tab_through().await?;
    bureau.look("settled").await
}

/// A search by its form, a line, and the way back.
async fn auditor(stage: &Stage, case: &str) -> Seen {
    let auditor = desk(stage, "keyboard-audit-1280", View::Desk, "auditor1").await?;
    auditor.go("/audit").await?;
    auditor.tab_through().await?;
    auditor.go("/audit").await?;
    auditor.skip_to_main().await?;
    auditor.tab_to("[name=action]").await?;
    auditor.keys("人工办结").await?;
    auditor.holds("action", "exchange.settle").await?;
    auditor.tab_to("form[action='/audit'] button").await?;
    auditor.key_to_next(ENTER).await?;
    auditor.says("main .stack > .scroll tbody", "人工办结死信").await?;
    auditor.look("found").await?;
    auditor.go(&auditor.path().await?).await?;
    auditor.skip_to_main().await?;
    auditor.tab_to("main .stack > .scroll tbody th a").await?;
    auditor.key_to_next(ENTER).await?;
    auditor.tab_through().await?;
    auditor.look("line").await?;
    auditor.go(&format!("/audit?object={case}")).await?;
    auditor.look("nothing").await?;
    auditor.tab_through().await
}

/// Leave is entered and an office renamed; the pages of the administrator from their first stop to their last.
async fn administrator(stage: &Stage) -> Seen {
    let admin = desk(stage, "keyboard-admin-1280", View::Desk, "admin1").await?;
    for page in ["/accounts", "/accounts/new", "/offices", "/offices/430100-hall-1", "/profile"] {
        admin.go(page).await?;
        admin.look(&page.trim_matches('/').replace('/', "-")).await?;
        admin.tab_through().await?;
    }
    admin.go("/accounts?login=window1").await?;
    admin.skip_to_main().await?;
    admin.tab_to("main tbody a").await?;
    admin.key_to_next(ENTER).await?;
    admin.tab_through().await?;
    admin.go(&admin.path().await?).await?;
    admin.skip_to_main().await?;
    for (name, day) in [("first_day", ["2026", "9", "8"]), ("last_day", ["2026", "9", "11"])] {
        for (part, value) in ["y", "m", "d"].iter().zip(day) {
            admin.tab_to(&format!("[name='{name}.{part}']")).await?;
            admin.keys(value).await?;
        }
    }
    admin.tab_to("[name=substitute]").await?;
    admin.keys(&DOWN.to_string()).await?;
    admin.tab_to("form[action$='/leave'] button").await?;
    admin.key_to_next(ENTER).await?;
    admin.says("main", "请假已登记").await?;
    admin.look("leave").await
}

/// The arrow key that goes on in a list.
const DOWN: char = '\u{e015}';

/// The notice on a telephone, in both languages and in the elder view; the file is there.
async fn on_a_phone(stage: &Stage) -> Seen {
    let phone = desk(stage, "keyboard-390", View::Phone, "bureau1").await?;
    for (path, name) in [
        ("/bureau", "forks"),
        ("/bureau?view=elder", "forks-elder"),
        ("/bureau?view=standard", "forks-standard"),
        ("/bureau?lang=en", "forks-en"),
        ("/bureau/dead?lang=zh", "dead"),
    ] {
        phone.go(path).await?;
        phone.look(name).await?;
    }
    phone.go("/bureau").await?;
    let taken = phone
        .run("return fetch(document.querySelector(\"a[href^='/bureau/forks/']\").href).then((it) => it.json())", Vec::new())
        .await?;
    phone.go("/bureau").await?;
    if taken["fork"]["format"] == "tongban-fork-v1" { Ok(()) } else { Err(format!("the link gives {taken}")) }
}
