//! What the functions of this crate need beside the transaction (办件环境): desk, catalogue, calendar, vault, hooks.

use std::sync::Arc;

use tb_base::{Calendar, CaseId, Ctx, NodeId, PersonId, Refusal, Result, Violation};
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_store::Tx;

use crate::case::{Case, IssuedResult, LicenceRef};
use crate::definitions::{Catalogue, ItemRules};
use crate::files::Filing;
use crate::refusals;

/// Makes the licence of an approved case, in the same transaction (制证).
pub type Issue = Arc<dyn Fn(&mut Tx<'_>, &Ctx, &Case, &Filing) -> Result<IssuedResult> + Send + Sync>;

/// Whether a licence that this city issued to this person is in force in the version and with the digest of the reference.
pub type IsCurrent = Arc<dyn Fn(&mut Tx<'_>, &Ctx, PersonId, &LicenceRef) -> Result<bool> + Send + Sync>;

/// Ends what was for one case (办结善后), in the transaction in which the case is over, wherever it is decided.
pub type Ended = Arc<dyn Fn(&mut Tx<'_>, &Ctx, CaseId) -> Result<()> + Send + Sync>;

/// What the functions of this crate need; cheap to clone.
#[derive(Clone)]
pub struct Env {
    /// Composes messages.
    pub desk: Arc<Desk>,
    /// The items.
    pub catalogue: Arc<Catalogue>,
    /// The working days.
    pub calendar: Arc<Calendar>,
    /// Seals personal data.
    pub vault: Arc<Vault>,
    /// Makes licences.
    pub issue: Issue,
    /// Checks licences that this city issued.
    pub is_current: IsCurrent,
    /// Ends what was for a case that is over.
    pub ended: Ended,
}

impl Env {
    /// This city.
    pub fn me(&self) -> NodeId {
        self.desk.me
    }

    /// The rules that a case runs under: those of the deciding city.
    pub(crate) fn rules(&self, case: &Case) -> Result<Arc<ItemRules>> {
        let opening = &case.opening;
        let rules = self.catalogue.rules(opening.item, opening.deciding.city);
        rules.filter(|rules| rules.sha256 == opening.definition).ok_or_else(|| {
            // A case ends under the definition that it was filed under; that one must not be unloaded before.
            let detail =
                format!("definition of item {} version {} is not loaded", opening.item, opening.item_version);
            Violation::new("inconsistent", "case_head", detail).into()
        })
    }

    /// The rules of an item that may be filed.
    pub(crate) fn rules_of(&self, item: u16, city: NodeId) -> std::result::Result<Arc<ItemRules>, Refusal> {
        self.catalogue.rules(item, city).ok_or_else(refusals::item_not_online)
    }
}
