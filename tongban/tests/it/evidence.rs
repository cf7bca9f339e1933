//! Evidence of a fork (分叉证据) with the real binary: kept by a witness, shown to the bureau, checked by anybody.

use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};
use tb_base::{Actor, Clock as _, Ctx, NodeId, Timestamp};
use tb_crypto::text as code;
use tb_exchange::fork::{FORMAT, Fork, SignedFork};
use tb_exchange::witness::signers;
use tb_licence::present::Code;
use tb_store::{Store, trust};
use tb_testkit::Folder;
use tb_tlog::note::Note;
use tb_tlog::{Checkpoint, Hash, leaf_hash, node_hash};
use tongban::city::database;
use tongban::clock::{OsEntropy, SystemClock};
use tongban::journey::people::{World, list, text};
use tongban::journey::region::{Region, Setup};
use tongban::modules;
use tongban::region::{self, CityFolder, Ports};

use crate::process::tongban;

const LIAR: &str = "430100";
const WITNESS: &str = "430300";
const LIAR_BUREAU: &str = "bureau1@430100";
const BUREAU: &str = "bureau1@430300";
/// More questions than it takes to grow a log beyond what was lost of it.
const QUESTIONS_MAX: usize = 40;

/// Runs `tongban trust` with these words.
fn run(words: &[&str]) -> Output {
    tongban(&[&["trust"], words].concat())
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn check(file: &Path, list: &Path) -> Output {
    run(&["check", &file.to_string_lossy(), "--trust", &list.to_string_lossy()])
}

#[track_caller]
fn shows(file: &Path, list: &Path, words: &str) {
    let output = check(file, list);
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said(&output).starts_with(words), "{}{problem}", said(&output));
}

#[track_caller]
fn is_refused(file: &Path, list: &Path, because: &str, what: &str) {
    let output = check(file, list);
    let problem = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success(), "{what} passed: {}", said(&output));
    assert!(problem.contains(because), "{what}: {problem}");
    assert_eq!(said(&output), "", "{what}: nothing is accused");
}

/// Changes a document.
type Edit<'a> = &'a dyn Fn(&mut Value);

/// What a document is worth after somebody changed it: nothing.
fn changes_are_found(file: &Path, list: &Path, room: &Folder) {
    let original: Value = serde_json::from_slice(&std::fs::read(file).expect("the file")).expect("JSON");
    let known = original["fork"]["known"].clone();
    let edits: [(&str, &str, Edit<'_>); 9] = [
        ("signature-invalid", "another day", &|it| it["fork"]["at"] = json!(1_577_836_800_000_000_i64)),
        ("signature-invalid", "another witness", &|it| it["fork"]["witness"] = json!("430200")),
        ("signature-invalid", "another log", &|it| it["fork"]["log"] = json!("430200")),
        ("signature-invalid", "the first history twice", &|it| it["fork"]["shown"] = known.clone()),
        ("signature-invalid", "a proof that nobody gave", &|it| {
            it["fork"]["proof"] = json!([code::base64(&[7; 32])]);
        }),
        ("signature-invalid", "another list of the day", &|it| {
            it["fork"]["trust"]["list"]["cities"][0]["exchange_url"] = json!("https://127.0.0.1:1");
        }),
        ("signature-invalid", "another signature", &|it| it["signature"] = json!(code::base64(&[0; 64]))),
        ("grammar", "another format", &|it| it["fork"]["format"] = json!("tongban-fork-v2")),
        ("grammar", "a field that is unknown", &|it| it["fork"]["more"] = json!(1)),
    ];
    let bent = room.file("bent.json");
    for (because, what, edit) in edits {
        let mut document = original.clone();
        edit(&mut document);
        assert_ne!(document, original, "{what} is a change");
        std::fs::write(&bent, document.to_string()).expect("written");
        is_refused(&bent, list, because, what);
    }
    let whole = std::fs::read_to_string(file).expect("the file");
    std::fs::write(&bent, &whole[..whole.len() / 2]).expect("written");
    is_refused(&bent, list, "grammar", "half a document");
}

/// A list that somebody bent, or of another region, is no ground to accuse anybody.
fn other_lists_are_no_ground(file: &Path, list: &Path, room: &Folder) {
    let bent = room.file("bent-list.json");
    let mut trust: Value = serde_json::from_slice(&std::fs::read(list).expect("the list")).expect("JSON");
    trust["list"]["cities"][0]["log_origin"] = json!("tongban/elsewhere");
    std::fs::write(&bent, trust.to_string()).expect("written");
    is_refused(file, &bent, "signature-invalid", "a list with another log");
    let elsewhere = Folder::new("evidence-elsewhere");
    founded(&elsewhere);
    is_refused(file, &trust_of(&elsewhere, LIAR), "signature-invalid", "the list of another region");
}

/// Three city folders of one region, without processes; their ports are never listened on.
fn founded(folder: &Folder) {
    let region = region::Region::load(None).expect("the shipped region");
    let ports = [1, 2, 3].map(|at| Ports { site: at, exchange: at + 3 });
    let now = SystemClock::real().now();
    region::prepare(folder.path(), &region, &ports, None, now, &mut OsEntropy).expect("a region");
}

/// A city's folder of a region.
pub fn city(folder: &Path, city: &str) -> CityFolder {
    CityFolder::open(&folder.join(city)).expect("a city's folder")
}

fn trust_of(folder: &Folder, city: &str) -> PathBuf {
    folder.path().join(city).join("trust.json")
}

/// A city by its code.
pub fn node(city: &str) -> NodeId {
    city.parse().expect("a node")
}

/// The store of a city that does not run.
pub async fn store(folder: &CityFolder) -> Store {
    Store::open(&database(folder), &modules::schemas()).await.expect("the store")
}

/// A note of a log with both of its signatures.
pub fn note(log: &CityFolder, size: u64, root: Hash) -> String {
    let own = log.trust.list.city(log.config.node).expect("a member");
    let bare = Note::new(&Checkpoint { origin: own.log_origin.clone(), size, root }.text()).expect("a note");
    let signers = signers(own, &log.secrets).expect("its keys");
    signers.iter().fold(bare.clone(), |note, signer| note.with(signer.sign(&bare))).to_string()
}

/// What a witness keeps when it is shown the second note after the first.
pub fn document(
    log: &CityFolder,
    witness: &CityFolder,
    notes: [String; 2],
    proof: &[Hash],
    at: Timestamp,
) -> SignedFork {
    let [known, shown] = notes;
    let fork = Fork {
        format: FORMAT.to_owned(),
        log: log.config.node,
        witness: witness.config.node,
        at,
        known,
        shown,
        proof: proof.iter().map(|hash| code::base64(hash)).collect(),
        trust: witness.trust.clone(),
    };
    fork.sign(&witness.secrets).expect("signed")
}

#[tokio::test]
async fn what_a_document_proves_is_said_and_what_was_bent_proves_nothing() {
    let folder = Folder::new("evidence-kinds");
    founded(&folder);
    let (liar, witness) = (city(folder.path(), LIAR), city(folder.path(), WITNESS));
    let (first, second, other) = (leaf_hash(b"one"), leaf_hash(b"two"), leaf_hash(b"other"));
    let now = SystemClock::real().now();
    let both = node_hash(&first, &second);
    let proven = document(&liar, &witness, [note(&liar, 1, first), note(&liar, 1, other)], &[], now);
    let longer = document(&liar, &witness, [note(&liar, 1, first), note(&liar, 2, both)], &[other], now);
    let honest = document(&liar, &witness, [note(&liar, 1, first), note(&liar, 2, both)], &[second], now);
    let (names, keep) = ([&proven, &longer].map(name), [proven.clone(), longer]);
    let kept = store(&witness).await;
    let origin = liar.trust.list.city(node(LIAR)).expect("a member").log_origin.clone();
    let put = move |tx: &mut tb_store::Tx<'_>| {
        keep.iter().try_for_each(|seen| trust::put_fork(tx, seen.fork.at, &origin, seen).map(drop))
    };
    kept.write("test.forks", put).await.expect("kept");
    kept.close().await;

    let out = folder.file("out");
    let witness_folder = folder.path().join(WITNESS).to_string_lossy().into_owned();
    let export = || run(&["evidence", "--city", &witness_folder, "--out", &out.to_string_lossy()]);
    let written = said(&export());
    assert!(written.contains("log of 430100 seen by 430300") && written.contains("2 documents"), "{written}");
    let list = trust_of(&folder, "430200");
    let [proven_file, longer_file] = names.map(|name| out.join(name));
    shows(&proven_file, &list, "PROVEN (证实): the log of 430100 signed two histories of 1 leaves");
    shows(
        &longer_file,
        &list,
        "TESTIFIED (见证): 430300 saw that the log of 430100, once 1 leaves, came with 2",
    );
    assert_eq!(std::fs::read_to_string(&proven_file).expect("it is there"), proven.to_json().expect("JSON"));
    assert_eq!(said(&export()), written, "again is the same as once");

    changes_are_found(&proven_file, &list, &folder);
    changes_are_found(&longer_file, &list, &folder);
    other_lists_are_no_ground(&proven_file, &list, &folder);
    let honest_file = folder.file("honest.json");
    std::fs::write(&honest_file, honest.to_json().expect("JSON")).expect("written");
    is_refused(&honest_file, &list, "may both be true", "a log that only grew");
    // A city cannot sign in the name of another log.
    let made_up = document(&liar, &witness, [note(&witness, 1, first), note(&witness, 1, other)], &[], now);
    std::fs::write(&honest_file, made_up.to_json().expect("JSON")).expect("written");
    is_refused(&honest_file, &list, "note-invalid", "notes of another log");
}

fn name(document: &SignedFork) -> String {
    document.fork.file_name().expect("a name")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_set_back_is_found_out_and_shown_to_the_bureau() {
    let folder = Folder::new("evidence-set-back");
    let setup = Setup {
        binary: PathBuf::from(env!("CARGO_BIN_EXE_tongban")),
        folder: folder.path().to_owned(),
        shift: 0,
        database: None,
        drill: false,
    };
    let mut world = World::new(Region::start(setup).await.expect("the region starts"));
    set_back(&mut world, &folder).await.expect("a second history");
    let shown = world
        .until(BUREAU, "/bureau", "two histories", |page| !list(page, "/forks").is_empty())
        .await
        .expect("the bureau is told");
    assert_eq!(text(&shown, "/forks/0/node"), LIAR);
    let (id, kind) = (text(&shown, "/forks/0/seen/0/id"), text(&shown, "/forks/0/seen/0/kind"));
    let words = match kind {
        "proven" => "PROVEN",
        "open" => "TESTIFIED",
        other => panic!("{other}: {shown}"),
    };
    let path = format!("/bureau/forks/{id}/file");
    let taken = world.download(BUREAU, &path).await.expect("the file");
    let file = folder.file("taken.json");
    std::fs::write(&file, &taken).expect("written");
    shows(&file, &trust_of(&folder, "430200"), words);
    changes_are_found(&file, &trust_of(&folder, "430200"), &folder);
    // Looking and taking are lines that the auditor finds.
    for (action, object) in [("bureau.export", format!("fork/{id}")), ("bureau.read", "forks".to_owned())] {
        let lines = world.get("auditor1@430300", &format!("/audit?action={action}")).await.expect("lines");
        assert!(list(&lines, "/lines").iter().any(|line| line["object"] == object), "{action}: {lines}");
    }
    // The operator's command writes the same bytes.
    world.region.kill(WITNESS).expect("it ends");
    let out = folder.file("out");
    let at = folder.path().join(WITNESS).to_string_lossy().into_owned();
    let output = run(&["evidence", "--city", &at, "--out", &out.to_string_lossy()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name = SignedFork::from_json(&taken).map(|it| name(&it)).expect("a document");
    assert_eq!(std::fs::read(out.join(name)).expect("it is there"), taken);
}

/// Changsha's log grows and is cosigned; then an old copy of its disk is put back, and it goes on from there.
async fn set_back(world: &mut World, folder: &Folder) -> Result<(), String> {
    let (own, copy) = (folder.path().join(LIAR), folder.file("copy"));
    grown(world).await?;
    world.region.kill(LIAR)?;
    copy_all(&own, &copy).map_err(|error| error.to_string())?;
    world.region.restart(LIAR).await?;
    grown(world).await?;
    world.region.kill(LIAR)?;
    std::fs::remove_dir_all(&own).map_err(|error| error.to_string())?;
    copy_all(&copy, &own).map_err(|error| error.to_string())?;
    world.region.restart(LIAR).await?;
    for _ in 0..QUESTIONS_MAX {
        ask(world).await?;
        if !list(&world.get(BUREAU, "/bureau").await?, "/forks").is_empty() {
            break;
        }
    }
    Ok(())
}

/// Lets Changsha's log grow, and waits until Xiangtan has cosigned all of it.
async fn grown(world: &mut World) -> Result<(), String> {
    let before = cosigned(world, 0).await?;
    ask(world).await?;
    cosigned(world, before + 1).await.map(drop)
}

/// Waits until Xiangtan has cosigned all of Changsha's log, of so many leaves at least; gives its size.
async fn cosigned(world: &mut World, size_min: u64) -> Result<u64, String> {
    let size = |page: &Value| page["log"]["size"].as_u64().unwrap_or(0);
    let is_cosigned = |page: &Value| {
        let checkpoint = page["log"]["checkpoint"]["size"].as_u64();
        let mut witnesses = list(page, "/log/witnesses").iter();
        let behind = witnesses.find(|it| it["node"] == WITNESS).and_then(|it| it["behind"].as_u64());
        let is_all = page["log"]["waiting"] == 0 && checkpoint == Some(size(page));
        size_min <= size(page) && is_all && behind == Some(0)
    };
    let page = world.until(LIAR_BUREAU, "/bureau", "a longer log, cosigned", is_cosigned).await?;
    Ok(size(&page))
}

/// A signed query from Changsha to Xiangtan: a leaf in both logs.
async fn ask(world: &World) -> Result<(), String> {
    let entropy = std::sync::Arc::new(std::sync::Mutex::new(OsEntropy));
    let ctx = Ctx::new(SystemClock::real().now(), Actor::System, node(WITNESS), entropy);
    let code = Code::fresh(&ctx, ctx.node).to_string();
    let mut browser = world.region.browser(LIAR);
    browser.get("/verify").await?;
    let page = browser.submit("/verify", &[("code", &code)]).await?;
    if page.status == 200 { Ok(()) } else { Err(page.short()) }
}

fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_all(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
