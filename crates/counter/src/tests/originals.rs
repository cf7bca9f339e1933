//! Papers in and out: numbers of couriers by table, where a paper is by table, then doubles and two clerks at once.

use tb_base::{CaseId, MessageId, Result, Timestamp};
use tb_crypto::Vault;
use tb_store::{Config, Engine, Sealer, Store};
use tb_testkit::Folder;

use super::{NOON, clerk, code, ctx, entropy, hall};
use crate::courier::Courier;
use crate::original::{self, Entry, Original, Party, Place, Way};

#[test]
fn a_number_has_the_form_of_its_courier() {
    for (courier, typed, expected) in [
        (Courier::Hand, "", Ok("")),
        (Courier::Hand, "SF1234567890123", Err("CTR-COU-003")),
        (Courier::Sf, " sf1234 5678 90123 ", Ok("SF1234567890123")),
        (Courier::Sf, "SF123456789012", Err("CTR-COU-002")),
        (Courier::Sf, "SF12345678901X3", Err("CTR-COU-002")),
        (Courier::Sf, "", Err("CTR-COU-001")),
        (Courier::Ems, "ea123456785cn", Ok("EA123456785CN")),
        (Courier::Ems, "EA123456784CN", Err("CTR-COU-002")),
        (Courier::Ems, "EA473124829CN", Ok("EA473124829CN")),
        (Courier::Ems, "1234567890123", Ok("1234567890123")),
        (Courier::Ems, "2234567890123", Err("CTR-COU-002")),
        (Courier::Ems, "EA1234567８5CN", Err("CTR-COU-002")),
        (Courier::Jd, "JDVB01234567", Err("CTR-COU-002")),
        (Courier::Jd, "jdvb012345678-9x", Ok("JDVB0123456789X")),
        (Courier::Other, "YT123", Err("CTR-COU-002")),
        (Courier::Other, "YT1234567890123", Ok("YT1234567890123")),
        (Courier::Other, "快递单号一二三四五六", Err("CTR-COU-002")),
    ] {
        let got = courier.check(typed);
        if let Err(refusal) = &got {
            assert!(refusal.way_out.is_some() && refusal.field.as_deref() == Some("number"), "{typed}");
        }
        let got = got.as_deref().map_err(|refusal| refusal.code.as_ref());
        assert_eq!(got, expected, "{courier:?} {typed}");
    }
}

#[test]
fn a_paper_goes_out_from_here_and_comes_in_from_elsewhere() {
    let out = [Place::Person, Place::OnWayToPerson, Place::Department, Place::OnWayToDepartment];
    let code = |now, way| original::decide(now, way).err().map(|refusal| refusal.code.to_string());
    assert_eq!(code(None, Way::In), None);
    assert_eq!(code(None, Way::Out).as_deref(), Some("CTR-ORI-001"));
    assert_eq!(code(Some(Place::Counter), Way::Out), None);
    assert_eq!(code(Some(Place::Counter), Way::In).as_deref(), Some("CTR-ORI-002"));
    for place in out {
        assert_eq!(code(Some(place), Way::In), None, "{place:?}");
        assert_eq!(code(Some(place), Way::Out).as_deref(), Some("CTR-ORI-003"), "{place:?}");
    }
}

fn sealed(store: Store) -> Store {
    store.seal_messages(Sealer::new(Vault::new([7; 32]), entropy()));
    store
}

async fn store() -> Store {
    sealed(super::store().await)
}

fn case() -> CaseId {
    ctx(NOON).id(CaseId::new)
}

fn command() -> MessageId {
    ctx(NOON).id(MessageId::new)
}

/// A paper of one page that its person brings.
fn brought(case: CaseId) -> Entry {
    let (way, party, courier) = (Way::In, Party::Person, Courier::Hand);
    Entry {
        case,
        paper: None,
        what: "从业资格证".to_owned(),
        pages: 1,
        way,
        party,
        courier,
        number: String::new(),
    }
}

/// It is sent to the office that decides.
fn sent(held: &Original) -> Entry {
    let (way, party, courier) = (Way::Out, Party::Department, Courier::Sf);
    let number = "SF1234567890123".to_owned();
    Entry { paper: Some(held.paper), way, party, courier, number, ..brought(held.case) }
}

async fn record(store: &Store, command: MessageId, entry: &Entry) -> Result<Original> {
    record_at(store, NOON, command, entry).await
}

async fn record_at(store: &Store, now: Timestamp, command: MessageId, entry: &Entry) -> Result<Original> {
    let (ctx, entry) = (ctx(now), entry.clone());
    let written = store
        .write("test.original", move |tx| original::record(tx, &ctx, (&hall(), clerk(1)), command, &entry));
    written.await
}

#[tokio::test]
async fn where_a_paper_is_follows_from_its_moves() {
    let store = store().await;
    let case = case();
    let held = record(&store, command(), &brought(case)).await.expect("comes in");
    assert_eq!(held.place(), Some(Place::Counter));
    let twice = command();
    let out = record(&store, twice, &sent(&held)).await.expect("goes out");
    assert_eq!((out.place(), out.moves.len()), (Some(Place::OnWayToDepartment), 2));
    // The same command again is the same move; another one is a second way out.
    assert_eq!(record(&store, twice, &sent(&held)).await.expect("once").moves.len(), 2);
    assert_eq!(code(record(&store, command(), &sent(&held)).await), "CTR-ORI-003");
    let back = Entry { way: Way::In, ..sent(&held) };
    record(&store, command(), &back).await.expect("comes back");
    let given =
        Entry { way: Way::Out, party: Party::Person, courier: Courier::Hand, number: String::new(), ..back };
    record(&store, command(), &given).await.expect("given back");
    let second = Entry { what: "  委托书 ".to_owned(), pages: 3, ..brought(case) };
    record_at(&store, NOON.plus_seconds(60), command(), &second).await.expect("another paper");
    let all = store.read("test.papers", move |tx| original::of_case(tx, case)).await.expect("papers");
    let told: Vec<_> =
        all.iter().map(|it| (it.what.as_str(), it.pages, it.place(), it.moves.len())).collect();
    let expected = [("从业资格证", 1, Some(Place::Person), 4), ("委托书", 3, Some(Place::Counter), 1)];
    assert_eq!(told, expected);
    assert_eq!(all[0].moves[1].number, "SF1234567890123");
}

#[tokio::test]
async fn what_is_no_paper_is_refused_in_words() {
    let store = store().await;
    let case = case();
    for (entry, expected) in [
        (Entry { what: "  ".to_owned(), ..brought(case) }, "CTR-ORI-007"),
        (Entry { what: "证".repeat(61), ..brought(case) }, "CTR-ORI-007"),
        (Entry { pages: 0, ..brought(case) }, "CTR-ORI-008"),
        (Entry { pages: 1_000, ..brought(case) }, "CTR-ORI-008"),
        (Entry { way: Way::Out, ..brought(case) }, "CTR-ORI-001"),
        (Entry { paper: Some(command()), ..brought(case) }, "CTR-ORI-005"),
        (Entry { courier: Courier::Ems, number: "EA123456784CN".to_owned(), ..brought(case) }, "CTR-COU-002"),
    ] {
        assert_eq!(code(record(&store, command(), &entry).await), expected, "{entry:?}");
    }
    for _ in 0..original::PAPERS_MAX {
        record(&store, command(), &brought(case)).await.expect("comes in");
    }
    assert_eq!(code(record(&store, command(), &brought(case)).await), "CTR-ORI-006");
    let none =
        store.read("test.papers", move |tx| original::of_case(tx, self::case())).await.expect("papers");
    assert_eq!(none, [], "another case has none");
}

/// Two clerks send the same paper off at the same moment, many times over: it leaves once.
async fn send_off_at_once(store: Store) {
    let case = case();
    for _ in 0..8 {
        let held = record(&store, command(), &brought(case)).await.expect("comes in");
        let entry = sent(&held);
        let (one, two) = tokio::join!(record(&store, command(), &entry), record(&store, command(), &entry));
        let refused: Vec<String> = [one, two].into_iter().filter(Result::is_err).map(code).collect();
        assert!(
            matches!(refused.as_slice(), [one] if one == "CTR-ORI-003" || one == "CTR-ORI-004"),
            "{refused:?}"
        );
    }
    let all = store.read("test.papers", move |tx| original::of_case(tx, case)).await.expect("papers");
    assert!(
        all.iter().all(|it| it.moves.len() == 2 && it.place() == Some(Place::OnWayToDepartment)),
        "{all:?}"
    );
    assert_eq!(all.len(), 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_leaves_once_whoever_presses() {
    let folder = Folder::new("originals");
    let config = Config { engine: Engine::Sqlite(folder.file("city.db")), inline: false };
    send_off_at_once(sealed(Store::open(&config, &[crate::SCHEMA]).await.expect("a store"))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paper_leaves_once_whoever_presses_on_postgres() {
    let server = tb_testkit::Postgres::start();
    let engine = Engine::Postgres { schema: server.schema("originals"), url: server.url };
    let config = Config { engine, inline: false };
    let store = sealed(Store::open(&config, &[crate::SCHEMA]).await.expect("a store"));
    send_off_at_once(store).await;
}
