//! What a play visited and looked at (访问记录): every answer that a browser got, by method and address, and every
//! photograph with whose page it shows; written for `cargo xtask routes` and the contact sheet when the play ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::Seen;
use super::stage::root;

/// Shared by the browsers of a play.
#[derive(Clone)]
pub struct Visits {
    play: String,
    lines: Arc<Mutex<BTreeSet<String>>>,
}

impl Visits {
    /// Nothing is visited yet.
    pub fn of(play: &str) -> Visits {
        Visits { play: play.to_owned(), lines: Arc::default() }
    }

    /// An answer to a request.
    pub fn answered(&self, method: &str, address: &str, status: u64) {
        self.put(format!("visit\t{method}\t{}\t{status}", path_of(address)));
    }

    /// A page that was looked over: its photograph, whose it is, how wide, in which form, where.
    pub fn looked(&self, shot: &str, who: &str, width: u32, form: &str, path: &str) {
        self.put(format!("look\t{shot}\t{who}\t{width}\t{form}\t{path}"));
    }

    fn put(&self, line: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).insert(line);
    }

    /// Leaves the lines in `target/visits`.
    pub fn write(&self) -> Seen {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for line in lines.iter() {
            let _ = writeln!(text, "{line}");
        }
        super::tab::write(&folder().join(format!("{}.tsv", self.play)), text.as_bytes())
    }
}

fn folder() -> PathBuf {
    root().join("target/visits")
}

/// The path of an address of a site, without its query.
fn path_of(address: &str) -> &str {
    let behind = address.split_once("://").map_or(address, |(_, rest)| rest);
    let path = behind.find('/').map_or("/", |at| &behind[at..]);
    path.split(['?', '#']).next().unwrap_or("/")
}

/// What the network log of a browser has told so far.
#[derive(Default)]
pub struct Network {
    /// Requests without an answer yet.
    asked: BTreeMap<String, (String, String)>,
    /// The request that brought the page that is shown.
    page: Option<String>,
}

impl Network {
    /// Reads lines of the log; every answer is a visit.
    pub fn read(&mut self, log: &Value, visits: &Visits) {
        let lines = log.as_array().map(Vec::as_slice).unwrap_or_default();
        for line in lines {
            let told = line["message"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            if let Some(told) = told {
                self.event(&told["message"], visits);
            }
        }
    }

    /// The request whose answer is the page that is shown.
    pub fn page(&self) -> Option<String> {
        self.page.clone()
    }

    fn event(&mut self, event: &Value, visits: &Visits) {
        let told = &event["params"];
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let id = word(&told["requestId"]);
        match event["method"].as_str() {
            Some("Network.requestWillBeSent") => {
                self.answer(&id, &told["redirectResponse"], visits);
                self.asked.insert(id, (word(&told["request"]["method"]), word(&told["request"]["url"])));
            }
            Some("Network.responseReceived") => {
                self.answer(&id, &told["response"], visits);
                if told["type"] == "Document" {
                    self.page = Some(id);
                }
            }
            _ => {}
        }
    }

    fn answer(&mut self, id: &str, response: &Value, visits: &Visits) {
        let Some(status) = response["status"].as_u64() else { return };
        if let Some((method, address)) = self.asked.remove(id) {
            visits.answered(&method, &address, status);
        }
    }
}
