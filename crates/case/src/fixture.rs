//! What tests share: the real definitions, actors, and a case in every phase.

use std::sync::{Arc, LazyLock};

use tb_base::{Calendar, CaseId, Date, Entropy, LicenceId, NodeId, Result, Timestamp};
use tb_store::{Config, Engine, Store, Tx};

use crate::case::{
    Agreement, By, Case, Channel, CorrectionLine, IssuedResult, Opening, Party, PhaseKind, Proof,
};
use crate::command::{AnswerLine, Answers, Command, Decision, GroundFacts};
use crate::definitions::{Catalogue, DefinitionFile, DeliveryMode, ItemRules, RatingTarget};
use crate::text::Place;
use crate::{clocks, decide, event};

pub(crate) const FILES: [DefinitionFile<'static>; 5] = [
    DefinitionFile { path: "items.csv", text: include_str!("../../../tasks/t02-services/defs/items.csv") },
    DefinitionFile { path: "121.toml", text: include_str!("../../../tasks/t02-services/defs/121.toml") },
    DefinitionFile {
        path: "430100/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430100/121.toml"),
    },
    DefinitionFile {
        path: "430200/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430200/121.toml"),
    },
    DefinitionFile {
        path: "430300/121.toml",
        text: include_str!("../../../tasks/t02-services/defs/430300/121.toml"),
    },
];

pub(crate) struct Counter(pub(crate) u64);

impl Entropy for Counter {
    fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            self.0 += 1;
            let digest = tb_crypto::sha256(&self.0.to_be_bytes());
            chunk.copy_from_slice(&digest[..chunk.len()]);
        }
    }
}

pub(crate) fn node(text: &str) -> NodeId {
    text.parse().unwrap()
}

pub(crate) fn changsha() -> NodeId {
    node("430100")
}

pub(crate) fn xiangtan() -> NodeId {
    node("430300")
}

pub(crate) fn catalogue() -> Arc<Catalogue> {
    static LOADED: LazyLock<Arc<Catalogue>> =
        LazyLock::new(|| Arc::new(Catalogue::load(&FILES).sound().unwrap()));
    LOADED.clone()
}

pub(crate) fn rules(city: NodeId) -> Arc<ItemRules> {
    catalogue().rules(121, city).unwrap()
}

/// Nine in the morning in China.
pub(crate) fn morning(date: &str) -> Timestamp {
    Timestamp::at(date.parse::<Date>().unwrap(), 9)
}

pub(crate) fn place(city: NodeId, window: bool) -> Place {
    let rules = rules(city);
    let office = if window { &rules.offices.window } else { &rules.offices.deciding };
    Place { city, office: office.id.clone(), name: office.name.clone() }
}

pub(crate) fn opening(
    collecting: NodeId,
    deciding: NodeId,
    delivery: DeliveryMode,
    now: Timestamp,
) -> Opening {
    let rules = rules(deciding);
    Opening {
        case: CaseId::new(now, &mut Counter(1)),
        query_code: "7K4M29QD".to_owned(),
        item: 121,
        item_version: rules.item.version,
        definition: rules.sha256.clone(),
        channel: Channel::Window,
        collecting: place(collecting, true),
        deciding: place(deciding, false),
        delivery,
        licences: Vec::new(),
        filing: String::new(),
        clocks: clocks::at_collection(&rules, collecting != deciding, now, Calendar::national()),
    }
}

pub(crate) fn by(party: Party) -> By {
    let city = if matches!(party, Party::Applicant | Party::Window) { changsha() } else { xiangtan() };
    let office = match party {
        Party::Window => Some(place(city, true).office),
        Party::Reviewer | Party::Approver => Some(place(city, false).office),
        Party::Applicant | Party::System => None,
    };
    By { party, name: format!("{party:?}"), city, office }
}

pub(crate) fn result() -> IssuedResult {
    IssuedResult { licence: LicenceId::new(Timestamp(0), &mut Counter(9)), version: 2 }
}

pub(crate) fn correction() -> Command {
    let line = CorrectionLine {
        about: "changed-what".into(),
        what: "没有写清".into(),
        article: "行政许可法第三十二条".into(),
    };
    Command::AskCorrection { lines: vec![line] }
}

pub(crate) fn answer() -> Command {
    let line = AnswerLine { about: "changed-what".into(), text: "照片".into() };
    Command::AnswerCorrection { answers: Answers { salt: String::new(), lines: vec![line] } }
}

pub(crate) fn opine() -> Command {
    Command::Opine { agrees: Agreement::Approve, text: "符合条件".into() }
}

pub(crate) fn approve() -> Command {
    Command::Decide { decision: Decision::Approve }
}

pub(crate) fn refuse(ground: &str) -> Command {
    let grounds = vec![GroundFacts { ground: ground.into(), facts: "原证已被撤销".into() }];
    Command::Decide { decision: Decision::Refuse { grounds } }
}

pub(crate) fn issue() -> Command {
    Command::IssueResult { result: Some(result()) }
}

pub(crate) fn deliver() -> Command {
    Command::Deliver {
        proof: Proof { mode: DeliveryMode::CollectingWindow, reference: "签收 0001".into() }
    }
}

pub(crate) fn rate(target: RatingTarget) -> Command {
    Command::Rate { target, grade: 5, text: String::new() }
}

/// A case collected in Changsha and decided in Xiangtan, before custody.
pub(crate) fn offered(now: Timestamp) -> Case {
    let events = decide::open(
        opening(changsha(), xiangtan(), DeliveryMode::CollectingWindow, now),
        &by(Party::Window),
        now,
    );
    event::fold(&events).unwrap()
}

/// Gives a command that must be allowed.
#[track_caller]
pub(crate) fn run(case: Case, command: &Command, party: Party, now: Timestamp) -> Case {
    let rules = rules(xiangtan());
    let events = decide::decide(&case, &rules, command, &by(party), now, Calendar::national()).unwrap();
    events.iter().fold(case, event::evolve)
}

/// A case in a phase, all of its steps at one moment.
pub(crate) fn in_phase(kind: PhaseKind, now: Timestamp) -> Case {
    let offered = offered(now);
    let received = || run(offered.clone(), &Command::AcceptCustody, Party::System, now);
    let accepted = || run(received(), &Command::Accept, Party::Reviewer, now);
    let decided = || run(run(accepted(), &opine(), Party::Reviewer, now), &approve(), Party::Approver, now);
    let delivered = || run(run(decided(), &issue(), Party::Reviewer, now), &deliver(), Party::Window, now);
    let reason = crate::case::Reason {
        ground: "CAS-CUS-004".into(),
        text: crate::text::Text::new("没有登记", "no record"),
        article: String::new(),
        facts: String::new(),
    };
    let decline =
        Command::Decline { ground: "other-authority".into(), facts: "应向交通运输部申请".into() };
    match kind {
        PhaseKind::Offered => offered,
        PhaseKind::Received => received(),
        PhaseKind::Correcting => run(received(), &correction(), Party::Reviewer, now),
        PhaseKind::Accepted => accepted(),
        PhaseKind::Decided => decided(),
        PhaseKind::Delivering => run(decided(), &issue(), Party::Reviewer, now),
        PhaseKind::Delivered => delivered(),
        PhaseKind::Closed => run(delivered(), &Command::Close, Party::System, now),
        PhaseKind::Withdrawn => run(received(), &Command::Withdraw, Party::Applicant, now),
        PhaseKind::Declined => run(received(), &decline, Party::Reviewer, now),
        PhaseKind::Lapsed => event::evolve(
            run(received(), &correction(), Party::Reviewer, now),
            &event::Event { at: now, by: by(Party::System), change: event::Change::Lapsed },
        ),
        PhaseKind::Returned => run(offered, &Command::RefuseCustody { reason }, Party::System, now),
    }
}

/// Does the work in one transaction of a store in memory.
pub(crate) fn on_sqlite(name: &'static str, work: fn(&mut Tx<'_>) -> Result<()>) {
    on(&Config::memory(), name, work);
}

/// The same on a PostgreSQL of its own.
pub(crate) fn on_postgres(name: &'static str, work: fn(&mut Tx<'_>) -> Result<()>) {
    let postgres = tb_testkit::Postgres::start();
    let engine =
        Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema(&name.replace('.', "_")) };
    on(&Config { engine, inline: false }, name, work);
}

fn on(config: &Config, name: &'static str, work: fn(&mut Tx<'_>) -> Result<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::open(config, &[tb_identity::SCHEMA, crate::SCHEMA])).unwrap();
    runtime.block_on(store.write(name, work)).unwrap();
}
