//! Hands on a keyboard (键盘用时): every key of a job with where the focus was, and how long such hands take.
//!
//! Counted after the keystroke-level model of Card, Moran and Newell, not by the clock of the test: a key takes
//! 0.28 s (an average typist), to think of what comes next 1.35 s, a card reader types its line in 1.5 s, a page comes
//! within 1 s. What people say to each other is not in it; nor is what the applicant writes or her telephone does.

use std::fs;

use super::Seen;
use super::stage::root;
use super::tab::Tab;

/// Hundredths of a second.
const KEY: u64 = 28;
const THOUGHT: u64 = 135;
const READER: u64 = 150;
const PAGE: u64 = 100;

/// Hands at one tab, with what they did.
pub struct Hands<'a> {
    tab: &'a Tab,
    log: String,
    keys: u64,
    hundredths: u64,
}

impl<'a> Hands<'a> {
    /// Hands that have done nothing yet.
    pub fn at(tab: &'a Tab) -> Hands<'a> {
        Hands { tab, log: String::from("what\tfocus\tkeys\ttime\n"), keys: 0, hundredths: 0 }
    }

    /// A key of its own, thought of first: a choice, a tick, a command.
    pub async fn key(&mut self, what: &str, key: char) -> Seen {
        self.tab.keys(&key.to_string()).await?;
        self.note(what, 1, THOUGHT + KEY).await
    }

    /// A key that leads to another page.
    pub async fn key_to_next(&mut self, what: &str, key: char) -> Seen {
        self.tab.key_to_next(key).await?;
        self.note(what, 1, THOUGHT + KEY + PAGE).await
    }

    /// From stop to stop until something has the focus; each is a key.
    pub async fn tab_to(&mut self, css: &str) -> Seen {
        let stops = self.tab.tabs_to(css).await?;
        self.note("Tab", stops, stops * KEY).await
    }

    /// Types what was said or read aloud.
    pub async fn types(&mut self, what: &str, text: &str) -> Seen {
        self.tab.keys(text).await?;
        let count = u64::try_from(text.chars().count()).unwrap_or(0);
        self.note(what, count, THOUGHT + count * KEY).await
    }

    /// The reader types its line and its Enter.
    pub async fn card(&mut self, line: &str) -> Seen {
        self.tab.keys(line).await?;
        self.tab.key_to_next(super::tab::ENTER).await?;
        self.note("card", 0, THOUGHT + READER + PAGE).await
    }

    /// Something that takes no key: a page that comes with the key of a form.
    async fn note(&mut self, what: &str, keys: u64, hundredths: u64) -> Seen {
        self.keys += keys;
        self.hundredths += hundredths;
        let focus = self.tab.focus().await?;
        self.log.push_str(&format!(
            "{what}\t{focus}\t{keys}\t{}.{:02}\n",
            hundredths / 100,
            hundredths % 100
        ));
        Ok(())
    }

    /// Writes the log down and fails where it took longer.
    pub fn within(mut self, name: &str, seconds: u64) -> Seen {
        let told = format!("{} keys, {}.{:02} s", self.keys, self.hundredths / 100, self.hundredths % 100);
        self.log.push_str(&format!(
            "all\t\t{}\t{}.{:02}\n",
            self.keys,
            self.hundredths / 100,
            self.hundredths % 100
        ));
        let folder = root().join("target/keys");
        fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        fs::write(folder.join(format!("{name}.tsv")), &self.log).map_err(|error| error.to_string())?;
        if seconds * 100 < self.hundredths {
            return Err(format!("{name}: {told}, more than {seconds} s"));
        }
        Ok(())
    }
}
