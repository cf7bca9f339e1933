//! Cases of the same person and item that still run (在办的同一事项): told before another one is filed, never a bar.
//! Serves clause 2.3.

use serde::Serialize;
use tb_base::{CaseId, OfficeId, PersonId, Result};
use tb_case::case::PhaseKind;
use tb_case::queue::{self, PAGE_ROWS};
use tb_store::Tx;
use tb_web::{Lang, ui};

use crate::words::say;

/// Pages of somebody's cases that are looked through; the newest come first.
const PAGES_MAX: u32 = 5;

/// A case of the same item that still runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct OpenCase {
    pub(crate) case: CaseId,
    pub(crate) query_code: String,
    pub(crate) phase: PhaseKind,
    #[serde(skip)]
    pub(crate) collecting_office: OfficeId,
}

impl OpenCase {
    /// Its code and where it stands, in words.
    pub(crate) fn words(&self, lang: &Lang) -> String {
        format!("{}{}{}", self.query_code, lang.t("，", ", "), say(*lang, &self.phase.name()))
    }
}

/// The running cases of a person for one item, as far as this city knows of them.
pub(crate) fn same_item(tx: &mut Tx<'_>, person: PersonId, item: u16) -> Result<Vec<OpenCase>> {
    let mut open = Vec::new();
    for page in 0..PAGES_MAX {
        let found = queue::of_person(tx, person, page)?;
        let running = found.rows.into_iter().filter(|row| row.item == item && !row.phase.is_over());
        open.extend(running.map(|row| OpenCase {
            case: row.case,
            query_code: ui::grouped(&row.query_code, 4),
            phase: row.phase,
            collecting_office: row.collecting_office,
        }));
        if found.total <= i64::from(page + 1).saturating_mul(PAGE_ROWS) {
            break;
        }
    }
    Ok(open)
}
