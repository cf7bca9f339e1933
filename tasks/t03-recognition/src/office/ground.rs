//! On what ground an officer opens something about a holder (查看依据): a case of hers, or a named statute.
//!
//! Invariant: a case counts only where it is the holder's and the officer's own department decides it.

use tb_base::{Actor, CaseId, Ctx, LicenceId, OfficeId, PersonId, Refusal, Result};
use tb_case::{acts, queue};
use tb_identity::look::{self, Look, LookKind, ONE_LOOK_SECONDS};
use tb_licence::store::Issuer;
use tb_store::Tx;
use tb_web::{Field, Fields};

/// The case for which she is looked up.
pub(super) const CASE: Field<'static> = Field::text("case", "办件查询码", "Code of the case").hint(
    "本单位在办的办件；没有办件，填下一项",
    "A case that your office handles; without one fill in the next field",
);
/// The law by which she is looked up where there is no case.
pub(super) const BASIS: Field<'static> = Field::text("basis", "法律依据和事由", "Article and reason").hint(
    "没有办件时填，如《行政许可法》第六十一条，监督检查；持证人会看到",
    "Where there is no case, such as Administrative Licensing Law, article 61, inspection; the holder sees it",
);
const CASE_LETTERS_MAX: usize = 20;
const BASIS_LETTERS_MAX: usize = 120;
/// How her list names an inspection that belongs to no item.
const SUPERVISION: &str = "证照监督管理 (supervision of licences)";

/// What the officer stated.
#[derive(Clone)]
pub(super) struct Stated {
    case: Option<String>,
    basis: Option<String>,
}

impl Stated {
    /// Reads both fields; one of them must be filled in.
    pub(super) fn read(form: &mut Fields) -> Option<Stated> {
        let case = form.read(&CASE).max(CASE_LETTERS_MAX).optional();
        let basis = form.read(&BASIS).max(BASIS_LETTERS_MAX).optional();
        let stated = Stated { case: case?, basis: basis? };
        if stated.case.is_none() && stated.basis.is_none() {
            form.wrong(&CASE, &no_ground());
            return None;
        }
        Some(stated)
    }
}

/// What was opened.
pub(super) struct Opened {
    pub(super) kind: LookKind,
    pub(super) licence: Option<LicenceId>,
    pub(super) fields: Vec<String>,
}

/// Writes down that the officer looked, on the ground that was stated; refuses a ground that is none.
pub(super) fn record(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    person: PersonId,
    stated: &Stated,
    opened: Opened,
) -> Result<()> {
    let (role, office) = officer(ctx)?;
    let (case, item, ground) = match (&stated.case, &stated.basis) {
        (Some(code), _) => {
            let (case, item) = own_case(tx, person, &office, code)?;
            (Some(case), item, "case".to_owned())
        }
        (None, Some(basis)) => (None, SUPERVISION.to_owned(), format!("statute:{basis}")),
        (None, None) => return Err(no_ground().into()),
    };
    let look = Look {
        person,
        kind: opened.kind,
        city: ctx.node,
        office: Some(office),
        role: role.to_owned(),
        item,
        case,
        ground,
        fields: opened.fields,
        licence: opened.licence,
        message: None,
        outcome: "shown".to_owned(),
    };
    look::record_once(tx, ctx, &issuer.vault, &look, ONE_LOOK_SECONDS).map(drop)
}

fn own_case(tx: &mut Tx<'_>, person: PersonId, office: &OfficeId, code: &str) -> Result<(CaseId, String)> {
    let Some(row) = queue::by_code(tx, code)? else { return Err(not_her_case().into()) };
    if row.deciding_office != *office || acts::person_of(tx, row.case)? != Some(person) {
        return Err(not_her_case().into());
    }
    Ok((row.case, row.item.to_string()))
}

fn officer(ctx: &Ctx) -> Result<(&'static str, OfficeId)> {
    match &ctx.actor {
        Actor::Staff { role, office, .. } => Ok((tb_identity::staff::role_word(*role), office.clone())),
        Actor::Anonymous | Actor::Resident { .. } | Actor::Peer(_) | Actor::System => Err(not_staff().into()),
    }
}

fn no_ground() -> Refusal {
    Refusal::invalid(
        "T03-OFL-003",
        "没有办件，也没有法律依据，不能查看",
        "Without a case or a named article nothing is opened",
    )
    .on(CASE.name)
    .but("填办件查询码，或写明法律依据和事由", "Give the code of a case, or the article and the reason")
}

fn not_her_case() -> Refusal {
    Refusal::invalid(
        "T03-OFL-004",
        "本单位没有这个人的这件办件",
        "Your office has no such case of this person",
    )
    .on(CASE.name)
    .but("核对查询码，或写明法律依据和事由", "Check the code, or give the article and the reason")
}

fn not_staff() -> Refusal {
    Refusal::not_allowed(
        "T03-OFL-005",
        "只有签发部门的工作人员能查",
        "Only staff of the issuing department may look",
    )
}
