//! A region founded and changed by commands alone: three processes run on while a fourth city comes and goes.

#![expect(clippy::print_stdout, reason = "how soon a list takes effect is measured here")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hyper::Method;
use serde_json::{Value, json};
use tb_base::{Actor, Clock, Ctx, MessageId, NodeId};
use tb_crypto::Vault;
use tb_exchange::{Purpose, service};
use tb_licence::present::Code;
use tb_store::outbox::{self, Sent, State};
use tb_store::{Sealer, Store, audit, log, trust};
use tb_testkit::{Folder, Postgres};
use tokio::time::Instant;
use tongban::city::database;
use tongban::clock::{OsEntropy, SystemClock};
use tongban::journey::browser::Browser;
use tongban::modules;
use tongban::region::{CityFolder, SHIPPED};

use crate::process::free_ports;

const CHANGSHA: &str = "430100";
const ZHUZHOU: &str = "430200";
const XIANGTAN: &str = "430300";
const LOUDI: &str = "431300";
const THREE: [&str; 3] = [CHANGSHA, ZHUZHOU, XIANGTAN];
/// Nothing that is waited for takes longer.
const PATIENCE_SECONDS: u64 = 60;
const FOURTH: &str = r##"
[[city]]
node = "431300"
name = "娄底市"
short = "娄底"
name_en = "Loudi"
app = "娄底通办"
seal = "娄"
colour = "#2f5d50"

"##;

/// A machine room: a folder and ports for each city, and the processes that run.
///
/// The databases are on a server, so that the test may look into them while the cities run.
struct Room {
    folder: Folder,
    postgres: Postgres,
    name: &'static str,
    ports: BTreeMap<&'static str, (u16, u16)>,
    running: BTreeMap<&'static str, Child>,
}

impl Drop for Room {
    fn drop(&mut self) {
        for child in self.running.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Room {
    fn new(name: &'static str) -> Room {
        let folder = Folder::new(name);
        let cities = [CHANGSHA, ZHUZHOU, XIANGTAN, LOUDI];
        let ports = free_ports(2 * cities.len());
        let ports = cities.into_iter().zip(ports.chunks(2).map(|pair| (pair[0], pair[1]))).collect();
        let (before, after) = SHIPPED.split_once("[service.").expect("services");
        let region = format!("{before}{FOURTH}[service.{after}");
        std::fs::write(folder.file("region.toml"), region).expect("the region's file");
        Room { folder, postgres: Postgres::start(), name, ports, running: BTreeMap::new() }
    }

    fn city(&self, city: &str) -> PathBuf {
        self.folder.path().join(city)
    }

    fn file(&self, name: &str) -> String {
        self.folder.file(name).to_string_lossy().into_owned()
    }

    /// `tongban trust` with these words; a word with a dot is a file of the room. Gives what it said, or why not.
    fn trust(&self, words: &[&str]) -> Result<String, String> {
        let is_file = |word: &&str| word.ends_with(".json") || word.ends_with(".toml");
        let words = words.iter().map(|word| match *word {
            word if is_file(&word) => self.file(word),
            word if word.starts_with('@') => self.city(&word[1..]).to_string_lossy().into_owned(),
            word => word.to_owned(),
        });
        let output = Command::new(env!("CARGO_BIN_EXE_tongban"))
            .arg("trust")
            .args(words)
            .stdin(Stdio::null())
            .output()
            .expect("the binary runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    #[track_caller]
    fn done(&self, words: &[&str]) -> String {
        self.trust(words).unwrap_or_else(|problem| panic!("trust {words:?}: {problem}"))
    }

    #[track_caller]
    fn refused(&self, words: &[&str], with: &str) {
        let problem = self.trust(words).expect_err("it is refused");
        assert!(problem.contains(with), "{words:?}: {problem}");
    }

    /// A city makes its keys and says who it is.
    fn keys(&self, city: &'static str) -> Vec<String> {
        let (site, exchange) = self.ports[city];
        let (site, exchange) = (format!("127.0.0.1:{site}"), format!("127.0.0.1:{exchange}"));
        let (at, out) = (format!("@{city}"), format!("member-{city}.json"));
        let words = ["keys", "--city", &at, "--node", city, "--region", "region.toml"];
        let schema = self.postgres.schema(&format!("{}_{city}", self.name));
        let database = ["--database", &self.postgres.url, "--schema", &schema];
        let more = ["--site", &site, "--exchange", &exchange, "--out", &out];
        words.iter().chain(&database).chain(&more).map(|word| (*word).to_owned()).collect()
    }

    fn make_keys(&self, city: &'static str) {
        let words = self.keys(city);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.done(&words);
        self.refused(&words, "holds a city already");
    }

    /// Each of the cities signs its own copy of the proposal, and somebody puts them together.
    fn signed(&self, proposal: &str, by: &[&str], out: &str) -> String {
        let copies: Vec<String> = by.iter().map(|city| format!("{city}-{proposal}")).collect();
        for (city, copy) in by.iter().zip(&copies) {
            self.done(&["sign", "--city", &format!("@{city}"), proposal, "--out", copy, "--yes"]);
        }
        let mut words = vec!["combine", "--out", out];
        words.extend(copies.iter().map(String::as_str));
        self.done(&words)
    }

    fn start(&mut self, city: &'static str) {
        let log = std::fs::File::create(self.file(&format!("{city}.log"))).expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_tongban"))
            .args(["serve", "--region", &self.file("region.toml"), "--city"])
            .arg(self.city(city))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the city starts");
        self.running.insert(city, child);
    }

    fn kill(&mut self, city: &str) {
        let mut child = self.running.remove(city).expect("it runs");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    fn browser(&self, city: &str) -> Browser {
        Browser::at(&format!("http://127.0.0.1:{}", self.ports[city].0))
    }

    async fn ready(&self, city: &str) {
        until(&format!("{city} answers"), async || {
            self.browser(city).call(Method::GET, "/healthz", None).await.ok()
        })
        .await;
    }

    /// The number of the list in force in a city, and its warnings.
    fn number(&self, city: &str) -> u64 {
        let shown = self.done(&["show", "--city", &format!("@{city}"), "--json"]);
        let shown: Value = serde_json::from_str(&shown).expect("JSON");
        shown["number"].as_u64().expect("a number")
    }

    /// How long it takes until the running nodes of all these have the list of that number in force.
    async fn effective(&self, number: u32, cities: &[&str]) -> Duration {
        let begun = Instant::now();
        for city in cities {
            let store = self.store(city).await;
            until(&format!("list {number} is in force in {city}"), async || {
                store.read("test.list", move |tx| trust::find(tx, number)).await.expect("read")
            })
            .await;
            store.close().await;
            assert_eq!(self.number(city), u64::from(number), "it is on disk, too");
        }
        begun.elapsed()
    }

    /// A real query: a code of one city is verified at the site of another. Gives the answer, or the form's errors.
    async fn verify(&self, at: &str, of: &str) -> Value {
        let ctx = ctx(of);
        let code = Code::fresh(&ctx, ctx.node).to_string();
        let mut browser = self.browser(at);
        browser.get("/verify").await.expect("the form");
        let page = browser.submit("/verify", &[("code", &code)]).await.expect("an answer");
        match &page.json["answer"] {
            Value::Null => page.json["form"]["errors"].clone(),
            answer => answer.clone(),
        }
    }

    async fn store(&self, city: &str) -> Store {
        let folder = CityFolder::open(&self.city(city)).expect("the folder");
        let store = Store::open(&database(&folder), &modules::schemas()).await.expect("the store");
        store.seal_messages(Sealer::new(Vault::new(folder.secrets.vault), entropy()));
        store
    }

    /// Puts a message into the outbox of a city that may be running.
    async fn send(&self, from: &str, to: &str) -> MessageId {
        let desk = CityFolder::open(&self.city(from)).expect("the folder").desk().expect("a desk");
        let ctx = ctx(from);
        let case = Some("01kq3zt0000000000000000000".parse().expect("a case"));
        let purpose = Purpose { item: "121".to_owned(), case, basis: "case".to_owned() };
        let (to, deadline) = (node(to), ctx.now.plus_seconds(3_600));
        let message =
            desk.compose(&ctx, to, service::CASE_PROGRESS, purpose, "node", None, &json!({}), deadline);
        let message = message.expect("a contract allows it");
        let id = message.envelope.id;
        let store = self.store(from).await;
        store.write("test.send", move |tx| outbox::send(tx, &ctx, &message)).await.expect("sent");
        store.close().await;
        id
    }

    async fn until_state(&self, city: &str, id: MessageId, states: &[State]) -> Sent {
        let store = self.store(city).await;
        let found = until(&format!("{id} is one of {states:?}"), async || {
            let sent = store.read("test.find", move |tx| outbox::find(tx, id)).await.expect("read")?;
            states.contains(&sent.state).then_some(sent)
        })
        .await;
        store.close().await;
        found
    }

    async fn until_cosigned(&self, city: &str, witnesses: u32) {
        let store = self.store(city).await;
        until(&format!("{city} is cosigned by {witnesses}"), async || {
            store.read("test.cosigned", move |tx| log::latest_cosigned(tx, witnesses)).await.expect("read")
        })
        .await;
        store.close().await;
    }

    async fn audited(&self, city: &str, action: &str) -> Vec<(String, String)> {
        let (store, search) = (self.store(city).await, audit::Search::action(action));
        let lines = store.read("test.audit", move |tx| audit::search(tx, &search, None, 50));
        let lines =
            lines.await.expect("lines").lines.into_iter().map(|line| (line.object, line.outcome)).collect();
        store.close().await;
        lines
    }

    /// Changes a file of the room as somebody might who is not careful, or not honest.
    fn edited(&self, from: &str, to: &str, change: impl FnOnce(&mut Value)) {
        let text = std::fs::read_to_string(self.file(from)).expect("the file");
        let mut value: Value = serde_json::from_str(&text).expect("JSON");
        change(&mut value);
        std::fs::write(self.file(to), value.to_string()).expect("written");
    }
}

fn entropy() -> Arc<Mutex<dyn tb_base::Entropy>> {
    Arc::new(Mutex::new(OsEntropy))
}

fn node(city: &str) -> NodeId {
    city.parse().expect("a node")
}

fn ctx(city: &str) -> Ctx {
    Ctx::new(SystemClock::real().now(), Actor::System, node(city), entropy())
}

async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(50));
        loop {
            ticks.tick().await;
            if let Some(found) = look().await {
                return found;
            }
        }
    };
    let found = tokio::time::timeout(Duration::from_secs(PATIENCE_SECONDS), looking).await;
    found.unwrap_or_else(|_| panic!("waited in vain until {what}"))
}

fn aloud(said: &str) -> String {
    let line = said.lines().find_map(|line| line.strip_prefix("fingerprint (指纹) "));
    line.expect("a fingerprint").to_owned()
}

fn is_there(path: &Path) -> bool {
    path.exists()
}

/// Three cities found a region; each has made its own keys.
async fn founded(name: &'static str) -> Room {
    let mut room = Room::new(name);
    THREE.into_iter().for_each(|city| room.make_keys(city));
    let members = THREE.map(|city| format!("member-{city}.json"));
    let mut words = vec!["propose", "--region", "region.toml", "--out", "p1.json", "--members"];
    words.extend(members.iter().map(String::as_str));
    let said = room.done(&words);
    assert!(said.contains("长沙市") && said.contains("3 contracts are new"), "{said}");
    // Founding needs everybody.
    let said = room.signed("p1.json", &[CHANGSHA, ZHUZHOU], "two.json");
    assert!(said.contains("not complete yet"), "{said}");
    room.refused(&["install", "--city", "@430100", "two.json"], "signature-coverage");
    assert!(!is_there(&room.city(CHANGSHA).join("trust.json")), "nothing was written");
    assert!(room.signed("p1.json", &THREE, "one.json").contains("complete ("));
    for city in THREE {
        room.done(&["install", "--city", &format!("@{city}"), "one.json"]);
        room.start(city);
    }
    for city in THREE {
        room.ready(city).await;
    }
    room
}

#[tokio::test]
async fn a_fourth_city_comes_and_goes_while_the_others_run() {
    let mut room = founded("ceremony").await;
    assert_eq!(room.verify(CHANGSHA, XIANGTAN).await, "not_found", "the three exchange queries");
    joins(&mut room).await;
    is_refused(&room);
    leaves(&mut room).await;
}

async fn joins(room: &mut Room) {
    room.make_keys(LOUDI);
    let propose = ["propose", "--region", "region.toml", "--from", "@430100"];
    let said = room.done(&[&propose[..], &["--members", "member-431300.json", "--out", "p2.json"]].concat());
    assert!(said.contains("+ 431300 娄底市 (Loudi) joins") && said.contains("3 contracts are new"), "{said}");
    room.signed("p2.json", &[CHANGSHA, ZHUZHOU, XIANGTAN, LOUDI], "four.json");
    // Whoever joins has no list that proves this one: the others read its fingerprint aloud.
    room.refused(&["install", "--city", "@431300", "four.json"], "--fingerprint");
    let fingerprint = aloud(&said);
    room.done(&["install", "--city", "@431300", "four.json", "--fingerprint", &fingerprint]);
    room.start(LOUDI);
    room.ready(LOUDI).await;
    // One city is told; the others hear of it.
    room.done(&["install", "--city", "@430100", "four.json"]);
    let took = room.effective(2, &THREE).await;
    assert!(took < Duration::from_secs(60), "in force everywhere after {took:?}");
    println!("joining: list 2 in force in all cities after {} ms", took.as_millis());

    // Queries and messages both ways, each with its receipt.
    assert_eq!(until_answered(room, LOUDI, CHANGSHA).await, "not_found");
    assert_eq!(until_answered(room, ZHUZHOU, LOUDI).await, "not_found");
    let settled = [State::Processed, State::Rejected];
    for (from, to) in [(LOUDI, XIANGTAN), (CHANGSHA, LOUDI)] {
        let id = room.send(from, to).await;
        let sent = room.until_state(from, id, &settled).await;
        assert!(sent.evidence.is_some(), "a signed receipt came back");
    }
    room.until_cosigned(LOUDI, 3).await;
    room.until_cosigned(CHANGSHA, 3).await;
    for city in [CHANGSHA, ZHUZHOU, XIANGTAN, LOUDI] {
        let lines = room.audited(city, "trust.install").await;
        assert!(lines.iter().any(|(object, _)| object == "trust/2"), "{city}: {lines:?}");
    }
}

/// A line that was down a moment ago may still be waiting to be tried again.
async fn until_answered(room: &Room, at: &str, of: &str) -> Value {
    until(&format!("{of} answers {at}"), async || {
        let answer = room.verify(at, of).await;
        (answer != "unavailable").then_some(answer)
    })
    .await
}

/// What may not follow list 2 is refused, and list 2 stays.
fn is_refused(room: &Room) {
    let install = |file: &str, with: &str| room.refused(&["install", "--city", "@430200", file], with);
    install("one.json", "replay");
    room.done(&["remove", "430300", "--from", "@430200", "--region", "region.toml", "--out", "p3.json"]);
    room.signed("p3.json", &[CHANGSHA], "alone.json");
    install("alone.json", "signature-coverage");
    // Two of four are no quorum; nor do they become one by a list that says so.
    room.edited("p3.json", "p3-quorum.json", |package| {
        package["trust"]["list"]["quorum"] = json!("51/100");
    });
    room.signed("p3-quorum.json", &[CHANGSHA, ZHUZHOU], "changed-quorum.json");
    install("changed-quorum.json", "of the members before");
    room.signed("p3.json", &[CHANGSHA, ZHUZHOU, LOUDI], "good.json");
    room.edited("good.json", "forged.json", |package| {
        package["trust"]["list"]["cities"][0]["exchange_url"] = json!("https://evil.example");
    });
    install("forged.json", "signature-invalid");
    room.edited("p3.json", "p3-expired.json", |package| {
        package["trust"]["list"]["not_before"] = json!(1_577_836_800_000_000_i64);
        package["trust"]["list"]["not_after"] = json!(1_580_515_200_000_000_i64);
    });
    room.signed("p3-expired.json", &[CHANGSHA, ZHUZHOU, LOUDI], "expired.json");
    install("expired.json", "expired");
    room.edited("good.json", "stripped.json", |package| package["contracts"] = json!([]));
    install("stripped.json", "not the contracts");
    assert_eq!(room.number(ZHUZHOU), 2);
}

async fn leaves(room: &mut Room) {
    room.kill(LOUDI);
    let waiting = room.send(CHANGSHA, LOUDI).await;
    room.done(&["remove", LOUDI, "--from", "@430300", "--region", "region.toml", "--out", "p4.json"]);
    room.signed("p4.json", &THREE, "three.json");
    room.done(&["install", "--city", "@430300", "three.json"]);
    let took = room.effective(3, &THREE).await;
    assert!(took < Duration::from_secs(60), "in force everywhere after {took:?}");
    println!("removal: list 3 in force in all cities after {} ms", took.as_millis());
    let dead = room.until_state(CHANGSHA, waiting, &[State::Dead]).await;
    assert!(dead.problem.expect("a reason").contains("no member"));
    // The city that left still calls, and is not answered.
    room.start(LOUDI);
    room.ready(LOUDI).await;
    assert_eq!(room.number(LOUDI), 2);
    assert_eq!(room.verify(LOUDI, CHANGSHA).await, "unavailable");
    let refused = room.verify(CHANGSHA, LOUDI).await.to_string();
    assert!(refused.contains("互认") || refused.contains("among the cities"), "{refused}");
    assert_eq!(until_answered(room, CHANGSHA, ZHUZHOU).await, "not_found", "the three go on");
    for city in THREE {
        assert!(room.running.get_mut(city).expect("it runs").try_wait().expect("a state").is_none());
    }
}

#[tokio::test]
async fn keys_are_renewed_and_lost_keys_replaced() {
    let mut room = founded("renewal").await;
    // Xiangtan renews all keys: the old ones go on, until its node is restarted on the new ones.
    room.done(&["renew", "--city", "@430300", "--region", "region.toml", "--out", "m3.json"]);
    room.refused(&["renew", "--city", "@430300", "--region", "region.toml"], "wait for a list");
    let propose = ["propose", "--region", "region.toml", "--from", "@430100", "--members"];
    let said = room.done(&[&propose[..], &["m3.json", "--out", "p2.json"]].concat());
    assert!(said.contains("430300 has a new message key") && said.contains("TLS certificate"), "{said}");
    assert!(!said.contains("contracts are new"), "{said}");
    room.signed("p2.json", &[CHANGSHA, ZHUZHOU], "two.json");
    room.done(&["install", "--city", "@430100", "two.json"]);
    room.effective(2, &THREE).await;
    assert_eq!(room.verify(CHANGSHA, XIANGTAN).await, "not_found", "old keys, to it");
    assert_eq!(room.verify(XIANGTAN, CHANGSHA).await, "not_found", "old keys, from it");
    let shown = room.done(&["show", "--city", "@430200"]);
    assert!(shown.contains("430300 has new keys"), "{shown}");
    room.kill(XIANGTAN);
    room.start(XIANGTAN);
    room.ready(XIANGTAN).await;
    assert_eq!(until_answered(&room, CHANGSHA, XIANGTAN).await, "not_found", "new keys, to it");
    assert_eq!(until_answered(&room, XIANGTAN, CHANGSHA).await, "not_found", "new keys, from it");
    room.until_cosigned(XIANGTAN, 2).await;

    // Zhuzhou's keys are stolen: two of three replace them, and what was stolen is worth nothing at once.
    let stolen = room.city(ZHUZHOU);
    room.kill(ZHUZHOU);
    std::fs::rename(&stolen, room.folder.path().join("stolen")).expect("moved away");
    room.make_keys(ZHUZHOU);
    // Whose keys are revoked has to say which it has instead, and other ones.
    let no = |said, of| [&propose[..], &[said, "--revoke", of, "--out", "no.json"]].concat();
    room.refused(&no("m3.json", ZHUZHOU), "states no keys");
    room.refused(&no("m3.json", XIANGTAN), "key that is to be revoked");
    let mut words = propose.to_vec();
    words.extend(["member-430200.json", "--revoke", ZHUZHOU, "--out", "p3.json"]);
    let said = room.done(&words);
    assert!(said.contains("! 430200 has a new governance key") && said.contains("counts no more"), "{said}");
    let said = room.signed("p3.json", &[CHANGSHA, XIANGTAN], "nearly.json");
    assert!(said.contains("not complete") || said.contains("complete"), "{said}");
    room.signed("p3.json", &[CHANGSHA, XIANGTAN, ZHUZHOU], "three.json");
    room.done(&["install", "--city", "@430100", "three.json"]);
    let took = room.effective(3, &[CHANGSHA, XIANGTAN]).await;
    println!("revocation: list 3 in force in all cities after {} ms", took.as_millis());
    room.done(&["install", "--city", "@430200", "three.json", "--fingerprint", &aloud(&said_of(&room))]);
    room.start(ZHUZHOU);
    room.ready(ZHUZHOU).await;
    assert_eq!(until_answered(&room, CHANGSHA, ZHUZHOU).await, "not_found");
    keys_that_were_seen_are_revoked(&mut room, &propose).await;
}

/// Somebody copied Xiangtan's keys, those it replaced with them: new ones follow, and no old one stays.
async fn keys_that_were_seen_are_revoked(room: &mut Room, propose: &[&str]) {
    room.done(&["renew", "--city", "@430300", "--region", "region.toml", "--out", "m4.json"]);
    let said = room.done(&[propose, &["m4.json", "--revoke", XIANGTAN, "--out", "p4.json"]].concat());
    assert!(said.contains("! 430300 has a new log key") && said.contains("430300 has 1 sets"), "{said}");
    let said = room.signed("p4.json", &THREE, "four.json");
    assert!(said.contains("complete ("), "{said}");
    room.done(&["install", "--city", "@430100", "four.json"]);
    room.effective(4, &[CHANGSHA, ZHUZHOU]).await;
    // The others do not know its running node any more: it is told by its own people, and restarted.
    room.done(&["install", "--city", "@430300", "four.json"]);
    room.kill(XIANGTAN);
    room.start(XIANGTAN);
    room.ready(XIANGTAN).await;
    assert_eq!(until_answered(room, CHANGSHA, XIANGTAN).await, "not_found");
    assert_eq!(until_answered(room, XIANGTAN, ZHUZHOU).await, "not_found");
    room.until_cosigned(XIANGTAN, 2).await;
    let list = std::fs::read_to_string(room.city(CHANGSHA).join("trust.json")).expect("the list");
    assert!(!list.contains("former"), "{list}");
}

/// What a member reads aloud of the list in force.
fn said_of(room: &Room) -> String {
    room.done(&["show", "--city", "@430100"])
}

/// An operator stands in a folder and names files by their names alone.
#[test]
fn files_may_be_named_by_their_bare_names() {
    let folder = Folder::new("bare-names");
    let run = |words: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_tongban"))
            .args(words)
            .current_dir(folder.path())
            .output()
            .expect("the binary runs");
        assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    };
    std::fs::write(folder.file("passphrase"), "four words on paper").expect("a passphrase");
    for city in THREE {
        let out = format!("{city}.json");
        let places = ["--site", "127.0.0.1:1", "--exchange", "127.0.0.1:2"];
        run(&[&["trust", "keys", "--city", city, "--node", city, "--out", &out][..], &places].concat());
        // The keys are backed up before there is a trust list.
        let (to, passphrase) = (format!("{city}.keys"), ["--passphrase-file", "passphrase"]);
        run(&[&["backup-keys", "--city", city, "--to", &to][..], &passphrase].concat());
        assert!(folder.file(&to).is_file());
    }
    let members = THREE.map(|city| format!("{city}.json"));
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    run(&[&["trust", "propose", "--out", "proposal.json", "--members"][..], &members].concat());
    assert!(folder.file("proposal.json").is_file());
}
