//! A log with two histories on the bureau's page: what was kept, what it means, what is to be done, and the file.

use tb_base::NodeId;
use tb_exchange::fork::{FORMAT, Fork, Shown, SignedFork};
use tb_exchange::witness::signers;
use tb_store::log::{self, Ahead, WitnessState};
use tb_store::{Tx, audit, mirror, trust};
use tb_tlog::note::Note;
use tb_tlog::{Checkpoint, Hash};

use super::support::{Browser, Region, node};

const SEEN_BY: &str = "430100";
const LIAR: &str = "430300";
const OTHER: Hash = [7; 32];

fn origin(region: &Region) -> String {
    region.city(LIAR).desk.trust().list.city(node(LIAR)).unwrap().log_origin.clone()
}

/// A note of Xiangtan's log with both of its signatures.
fn note(region: &Region, size: u64, root: Hash) -> String {
    let (city, origin) = (region.city(LIAR), origin(region));
    let bare = Note::new(&Checkpoint { origin, size, root }.text()).unwrap();
    let own = city.desk.trust().list.city(city.node).unwrap().clone();
    let signers = signers(&own, &city.secrets).unwrap();
    signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare))).to_string()
}

/// What Changsha's witness keeps when it is shown the second after the first.
fn document(region: &Region, known: String, shown: String) -> SignedFork {
    let city = region.city(SEEN_BY);
    let fork = Fork {
        format: FORMAT.to_owned(),
        log: node(LIAR),
        witness: city.node,
        at: region.ctx(SEEN_BY).now,
        known,
        shown,
        proof: Vec::new(),
        trust: city.desk.trust().as_ref().clone(),
    };
    fork.sign(&city.secrets).unwrap()
}

async fn keep(region: &Region, seen: &SignedFork) -> String {
    let (seen, origin) = (seen.clone(), origin(region));
    let id = seen.fork.id().unwrap();
    let put = move |tx: &mut Tx<'_>| trust::put_fork(tx, seen.fork.at, &origin, &seen);
    assert!(region.city(SEEN_BY).store.write("test.fork", put).await.unwrap());
    id
}

/// Lets Xiangtan's real log grow by a look; gives its size and root.
async fn grow(region: &Region) -> (u64, Hash) {
    region.look(LIAR, |_| {}).await;
    region.witness(LIAR, &[]).await;
    let read = |tx: &mut Tx<'_>| Ok(log::latest(tx)?.map(|kept| (kept.size, kept.root)).unwrap());
    region.city(LIAR).store.read("test.latest", read).await.unwrap()
}

/// Copies Xiangtan's log into Changsha's store up to that tree.
async fn copy(region: &Region, (size, root): (u64, Hash)) {
    let entries = move |tx: &mut Tx<'_>| log::entries(tx, 0..size);
    let leaves = region.city(LIAR).store.read("test.entries", entries).await.unwrap();
    let now = region.ctx(SEEN_BY).now;
    let extend = move |tx: &mut Tx<'_>| {
        mirror::extend(tx, now, node(LIAR), 0, &leaves, &Ahead { size, root, proof: Vec::new() })
    };
    assert_eq!(region.city(SEEN_BY).store.write("test.copy", extend).await.unwrap(), size);
}

/// Writes down that Changsha cosigned a tree of Xiangtan's log now, after one of that size.
async fn cosigned(region: &Region, from: Option<u64>, (size, root): (u64, Hash)) {
    let (origin, at) = (origin(region), region.ctx(SEEN_BY).now);
    let state = WitnessState { origin, size, root, note: note(region, size, root), at };
    let put = move |tx: &mut Tx<'_>| log::put_witness_state(tx, from, &state);
    region.city(SEEN_BY).store.write("test.state", put).await.unwrap();
}

async fn audited(region: &Region, action: &'static str) -> Vec<(String, String)> {
    let read = move |tx: &mut Tx<'_>| audit::search(tx, &audit::Search::action(action), None, 100);
    let found = region.city(SEEN_BY).store.read("test.lines", read).await.unwrap();
    found.lines.into_iter().map(|line| (line.object, line.outcome)).collect()
}

async fn html(region: &Region, path: &str) -> String {
    let mut browser = Browser::signed_in(region, SEEN_BY, "bureau1@430100").await;
    browser.program = false;
    browser.get(path).await.text()
}

#[tokio::test]
async fn two_histories_are_told_and_the_evidence_is_a_file() {
    let region = Region::new(None).await;
    let (size, root) = grow(&region).await;
    assert!(!html(&region, "/bureau").await.contains("两份历史"), "nothing has forked yet");
    let seen = document(&region, note(&region, size, root), note(&region, size, OTHER));
    let id = keep(&region, &seen).await;
    let mut bureau = Browser::signed_in(&region, SEEN_BY, "bureau1@430100").await;
    let page = bureau.get("/bureau").await.json();
    let fork = &page["forks"][0];
    assert_eq!((fork["node"].as_str(), fork["count"].as_u64()), (Some(LIAR), Some(1)));
    let shown = &fork["seen"][0];
    assert_eq!((shown["id"].as_str(), shown["kind"].as_str()), (Some(id.as_str()), Some("proven")));
    assert_eq!((shown["known"]["size"].as_u64(), shown["shown"]["size"].as_u64()), (Some(size), Some(size)));
    assert!(shown["since"].is_null() && shown["known"]["root"] != shown["shown"]["root"]);
    assert!(audited(&region, "bureau.read").await.contains(&("forks".to_owned(), "found:1".to_owned())));

    let file = bureau.get(&format!("/bureau/forks/{id}/file")).await;
    let taken = SignedFork::from_json(&file.body).unwrap();
    let list = region.city("430200").desk.trust();
    assert_eq!((taken.verify(&list.list).unwrap(), &taken), (Shown::Proven(size), &seen));
    assert_eq!(audited(&region, "bureau.export").await, [(format!("fork/{id}"), "done".to_owned())]);
    let missing = bureau.get("/bureau/forks/00/file").await;
    assert_eq!((missing.status.as_u16(), missing.json()["code"].as_str()), (404, Some("T01-FRK-001")));
    for (login, status) in [("auditor1@430100", 200), ("window1@430100", 403), ("driver@430100", 403)] {
        let mut browser = Browser::signed_in(&region, SEEN_BY, login).await;
        assert_eq!(browser.get(&format!("/bureau/forks/{id}/file")).await.status, status, "{login}");
    }

    let zh = html(&region, "/bureau").await;
    for word in [
        "<h1>湘潭的日志有两份历史</h1>",
        "BwcH BwcH BwcH",
        "没有再为它见证",
        "请您做什么",
        "条数相同、树根不同",
    ] {
        assert!(zh.contains(word), "{word}: {zh}");
    }
    let en = html(&region, "/bureau?lang=en").await;
    for word in
        ["The log of Xiangtan has two histories", "What the node does by itself", "one size, two roots"]
    {
        assert!(en.contains(word), "{word}: {en}");
    }
}

/// A longer log without a proof may still be the same log; once the copy holds both, it is.
#[tokio::test]
async fn a_log_that_went_on_or_cleared_itself_is_no_alarm() {
    let region = Region::new(None).await;
    let (first, second) = (grow(&region).await, grow(&region).await);
    keep(&region, &document(&region, note(&region, first.0, first.1), note(&region, second.0, second.1)))
        .await;
    let kind = async |kind: &str, has_since: bool| {
        let mut bureau = Browser::signed_in(&region, SEEN_BY, "bureau1@430100").await;
        let page = bureau.get("/bureau").await.json();
        let seen = &page["forks"][0]["seen"][0];
        assert_eq!((seen["kind"].as_str(), seen["since"].is_null()), (Some(kind), !has_since), "{seen}");
    };
    kind("open", false).await;
    region.later(60);
    cosigned(&region, None, first).await;
    // The known tree cosigned once more says nothing new.
    kind("open", false).await;
    assert!(html(&region, "/bureau").await.contains("<h1>湘潭的日志有两份历史</h1>"));
    // The log goes on from the first history: no alarm, but the evidence is still shown.
    region.later(60);
    let third = grow(&region).await;
    cosigned(&region, Some(first.0), third).await;
    kind("open", true).await;
    let zh = html(&region, "/bureau").await;
    assert!(zh.contains("<h1>交换正常") && zh.contains("本市照常见证") && zh.contains("note--wait"), "{zh}");
    copy(&region, second).await;
    kind("cleared", true).await;
    let zh = html(&region, "/bureau").await;
    assert!(zh.contains("已澄清") && !zh.contains("本市照常见证"), "{zh}");
}

#[tokio::test]
async fn a_log_that_lies_often_takes_one_screen() {
    let region = Region::new(None).await;
    let (size, root) = grow(&region).await;
    let mut newest = String::new();
    for turn in 0..5 {
        region.later(1);
        newest =
            keep(&region, &document(&region, note(&region, size, root), note(&region, size, [turn; 32])))
                .await;
    }
    let mut bureau = Browser::signed_in(&region, SEEN_BY, "bureau1@430100").await;
    let page = bureau.get("/bureau").await.json();
    let fork = &page["forks"][0];
    assert_eq!((fork["seen"].as_array().unwrap().len(), fork["count"].as_u64()), (3, Some(5)));
    assert_eq!(fork["seen"][0]["id"].as_str(), Some(newest.as_str()));
    assert!(html(&region, "/bureau").await.contains("还有更早的证据 2 份"));
    let known: NodeId = fork["node"].as_str().unwrap().parse().unwrap();
    assert_eq!(known, node(LIAR));
}
