//! Finding what people mean (查找): items by name, sound, initials and other names; situations as ways through items.
//! Serves clause 2.1.
//!
//! Layer 1, pure: texts in, numbers of items out. Names no item: words, sounds and ways are data of a task.
//! Invariant: what holds a word as it was typed stands before what only sounds like it, and a guess says that it is one.

mod near;
mod pinyin;
mod search;
mod situations;
mod words;

#[cfg(test)]
mod tests;

pub use search::{Department, Entry, Files, Finder, Found, How};
pub use situations::{Paper, Situation, Situations, Step, Text};

/// Letters of a query at the most; what stands behind is not read.
pub const QUERY_LETTERS_MAX: usize = 60;
