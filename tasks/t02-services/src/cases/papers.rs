//! Where her papers are (原件去向): what the counter wrote down of each, as its person and the counter read it.
//! Serves clauses 2.4 and 2.5.

use serde::Serialize;
use tb_base::{CaseId, Result, Timestamp};
use tb_counter::original::{self, Original, Place};
use tb_store::Tx;
use tb_web::{Html, Lang, ui};

use crate::words::say;

/// One paper.
#[derive(Serialize)]
pub(crate) struct Paper {
    pub(crate) what: String,
    pub(crate) pages: u32,
    pub(crate) place: Place,
    /// Since when it is there.
    pub(crate) since: Timestamp,
    /// How it travels and under which number; empty from hand to hand.
    pub(crate) parcel: String,
    #[serde(skip)]
    tag: Html,
}

impl Paper {
    pub(crate) fn tag(&self) -> &Html {
        &self.tag
    }
}

/// The papers of a case.
pub(crate) fn of_case(tx: &mut Tx<'_>, lang: Lang, case: CaseId) -> Result<Vec<Paper>> {
    Ok(original::of_case(tx, case)?.iter().filter_map(|held| paper(lang, held)).collect())
}

fn paper(lang: Lang, held: &Original) -> Option<Paper> {
    let (place, last) = (held.place()?, held.moves.last()?);
    let courier = last.courier.name();
    let parcel = match last.number.is_empty() {
        true => String::new(),
        false => format!("{} {}", say(lang, &courier), last.number),
    };
    let kind = match place {
        Place::Person => "done",
        Place::Counter => "now",
        Place::OnWayToPerson | Place::Department | Place::OnWayToDepartment => "wait",
    };
    let tag = ui::tag(kind, say(lang, &place.name()));
    Some(Paper { what: held.what.clone(), pages: held.pages, place, since: last.at, parcel, tag })
}
