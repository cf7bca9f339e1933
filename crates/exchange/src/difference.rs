//! What a list changes (名单差异), in lines that people read to each other before they sign.

use std::fmt;

use tb_base::{NodeId, Result, Timestamp};

use crate::{City, CityKeys, TrustList};

/// How many letters of a fingerprint are read aloud: 128 bits, in groups of four.
const ALOUD_LETTERS: usize = 32;

/// One thing that changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The region begins.
    Founded,
    /// A city becomes a member.
    Added(Box<City>),
    /// A city is a member no more.
    Removed(NodeId, String),
    /// A city has another key; the old one counts until a moment, or no more at all.
    Key(NodeId, &'static str, Option<Timestamp>),
    /// So many sets of keys that a city had replaced before count no more.
    Forgotten(NodeId, usize),
    /// A city is called otherwise or is elsewhere: what, from, to.
    Detail(NodeId, &'static str, String, String),
    /// How many must sign: before, after.
    Quorum(String, String),
    /// Until when the list holds: before, after.
    Validity(Option<Timestamp>, Timestamp),
    /// So many contracts are new or changed, and so many end.
    Contracts {
        /// New or changed.
        new: usize,
        /// Ended or replaced.
        ended: usize,
    },
}

/// A fingerprint as it is read aloud: its first 128 bits, in groups of four letters.
pub fn aloud(fingerprint: &str) -> String {
    let letters: Vec<char> = fingerprint.chars().take(ALOUD_LETTERS).collect();
    letters.chunks(4).map(|group| group.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// What people compare of a city's keys: the hash over all of them.
pub fn keys_aloud(city: &City) -> Result<String> {
    Ok(aloud(&tb_crypto::text::hex(&tb_crypto::sha256(&tb_crypto::canonical(&city.keys)?))))
}

/// Everything that the next list changes.
pub fn between(before: Option<&TrustList>, next: &TrustList) -> Vec<Change> {
    let mut changes = Vec::new();
    if before.is_none() {
        changes.push(Change::Founded);
    }
    for city in &next.cities {
        match before.and_then(|list| list.city(city.node)) {
            Some(old) => of_city(&mut changes, old, city),
            None => changes.push(Change::Added(Box::new(city.clone()))),
        }
    }
    let old_cities = before.map(|list| list.cities.as_slice()).unwrap_or_default();
    for city in old_cities.iter().filter(|city| next.city(city.node).is_none()) {
        changes.push(Change::Removed(city.node, city.name.clone()));
    }
    let quorum = |list: &TrustList| format!("{} of {}", list.quorum_min(), list.cities.len());
    let old_quorum = before.map(quorum).unwrap_or_default();
    if old_quorum != quorum(next) {
        changes.push(Change::Quorum(old_quorum, quorum(next)));
    }
    changes.push(Change::Validity(before.map(|list| list.not_after), next.not_after));
    let old_contracts = before.map(|list| list.contracts.as_slice()).unwrap_or_default();
    let new = next.contracts.iter().filter(|hash| !old_contracts.contains(hash)).count();
    let ended = old_contracts.iter().filter(|hash| !next.contracts.contains(hash)).count();
    if 0 < new + ended {
        changes.push(Change::Contracts { new, ended });
    }
    changes
}

fn of_city(changes: &mut Vec<Change>, old: &City, new: &City) {
    let details = [
        ("name", &old.name, &new.name),
        ("English name", &old.name_en, &new.name_en),
        ("app", &old.app, &new.app),
        ("exchange address", &old.exchange_url, &new.exchange_url),
        ("site address", &old.site_url, &new.site_url),
        ("log", &old.log_origin, &new.log_origin),
    ];
    for (what, old, to) in details.into_iter().filter(|(_, old, new)| old != new) {
        changes.push(Change::Detail(new.node, what, old.clone(), to.clone()));
    }
    let until = new.former.iter().find(|former| former.keys == old.keys).map(|former| former.until);
    if old.keys.tls_sha256 != new.keys.tls_sha256 {
        changes.push(Change::Key(new.node, "TLS certificate", until));
    }
    for ((job, key), (_, other)) in old.keys.jobs().into_iter().zip(new.keys.jobs()) {
        if key != other {
            changes.push(Change::Key(new.node, job, until));
        }
    }
    let kept = |keys: &CityKeys| new.keys_ever().any(|other| other == keys);
    let forgotten = old.former.iter().filter(|former| !kept(&former.keys)).count();
    if 0 < forgotten {
        changes.push(Change::Forgotten(new.node, forgotten));
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Founded => write!(f, "+ the region is founded (组建)"),
            Change::Added(city) => write!(
                f,
                "+ {} {} ({}) joins (加入): {}, {}, keys {}",
                city.node,
                city.name,
                city.name_en,
                city.exchange_url,
                city.site_url,
                keys_aloud(city).unwrap_or_default()
            ),
            Change::Removed(node, name) => {
                write!(f, "- {node} {name} leaves (退出): its connections, messages and contracts end")
            }
            Change::Key(node, job, Some(until)) => {
                write!(f, "~ {node} has a new {job} key (换钥); the old one counts until {until}")
            }
            Change::Key(node, job, None) => {
                write!(f, "! {node} has a new {job} key (换钥); the old one counts no more (作废)")
            }
            Change::Forgotten(node, sets) => {
                write!(f, "! {node} has {sets} sets of keys from before that count no more (旧密钥作废)")
            }
            Change::Detail(node, what, from, to) => write!(f, "~ {node} {what}: {from} → {to}"),
            Change::Quorum(from, to) if from.is_empty() => {
                write!(f, "  a later list needs {to} cities (法定人数)")
            }
            Change::Quorum(from, to) => write!(f, "~ a later list needs {to} cities, not {from} (法定人数)"),
            Change::Validity(None, to) => write!(f, "  it holds until {to} (有效期)"),
            Change::Validity(Some(from), to) => write!(f, "~ it holds until {to}, not {from} (有效期)"),
            Change::Contracts { new, ended } => {
                write!(f, "~ {new} contracts are new or changed, {ended} end (共享契约)")
            }
        }
    }
}
