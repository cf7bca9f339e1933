//! An office of this city reads a licence of its own city for a case (依职能查证).
//! Serves clause 3.4.
//!
//! Invariant: no case, no values; and she sees who looked, for which item, at which fields.

use std::collections::{BTreeMap, BTreeSet};

use tb_base::{Actor, CaseId, Ctx, LicenceId, OfficeId, Refusal, Result};
use tb_identity::look::{self, Look, LookKind, ONE_LOOK_SECONDS};
use tb_store::Tx;

use crate::store::{Issuer, Licence, find, missing};
use crate::types::Viewer;

/// For what an office reads.
#[derive(Clone, Debug)]
pub struct Reason {
    /// The item.
    pub item: String,
    /// The case.
    pub case: CaseId,
    /// The ground, in the form of `Purpose::basis`: `case`, `statute:<id>`, `consent:<id>`.
    pub ground: String,
}

/// The fields of a licence that an office may see for a case, with the look that says so.
pub fn read(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    issuer: &Issuer,
    id: LicenceId,
    fields: &BTreeSet<String>,
    reason: &Reason,
) -> Result<(Licence, BTreeMap<String, String>)> {
    let (role, office) = reader(ctx)?;
    let licence = find(tx, id)?.ok_or_else(missing)?;
    let kind = issuer.types.find(&licence.type_id)?;
    if !kind.serves(&reason.item) {
        return Err(crate::consent::not_on_list(&kind.title, &kind.title_en, &reason.item));
    }
    let shown = kind.shown_to(Viewer::Office);
    let mut values = licence.values(&issuer.vault)?;
    values.retain(|field, _| fields.contains(field) && shown.contains(field));
    if let Some(person) = licence.holder {
        let look = Look {
            person,
            kind: LookKind::Register,
            city: ctx.node,
            office: Some(office),
            role,
            item: reason.item.clone(),
            case: Some(reason.case),
            ground: reason.ground.clone(),
            fields: values.keys().cloned().collect(),
            licence: Some(id),
            message: None,
            outcome: "shown".to_owned(),
        };
        look::record_once(tx, ctx, &issuer.vault, &look, ONE_LOOK_SECONDS)?;
    }
    tb_store::audit::line(tx, ctx, "licence.read", id.as_str(), "shown")?;
    Ok((licence, values))
}

fn reader(ctx: &Ctx) -> Result<(String, OfficeId)> {
    match &ctx.actor {
        Actor::Staff { role, office, .. } => {
            let word = serde_json::to_value(role).ok().and_then(|word| word.as_str().map(str::to_owned));
            Ok((word.unwrap_or_default(), office.clone()))
        }
        Actor::Anonymous | Actor::Resident { .. } | Actor::Peer(_) | Actor::System => {
            Err(Refusal::not_allowed(
                "LIC-USE-004",
                "只有办件单位的工作人员可以查证",
                "Only staff of the office that handles the case may read it",
            )
            .into())
        }
    }
}

#[cfg(test)]
mod tests {
    use tb_identity::look::of_person;

    use super::{Reason, read};
    use crate::tests_support::{World, case, names, refused, window, xiangtan};

    #[test]
    fn an_office_reads_and_is_seen() {
        let world = World::peopled(20);
        let licence = world.qualified();
        let (issuer, person) = (world.issuer(xiangtan()), world.driver(xiangtan()).id);
        let (clerk, machine) = (world.system(xiangtan()).acting(window()), world.system(xiangtan()));
        let reason =
            |item: &str| Reason { item: item.to_owned(), case: case('1'), ground: "case".to_owned() };
        let fields = names(&["category", "vehicle_class", "salary"]);
        world
            .write(xiangtan(), move |tx| {
                let (_, values) = read(tx, &clerk, &issuer, licence.id, &fields, &reason("121"))?;
                assert_eq!(values.keys().collect::<Vec<_>>(), ["category", "vehicle_class"]);
                let looks = of_person(tx, person, 0)?;
                assert_eq!(looks.len(), 1);
                assert_eq!(looks[0].look.fields, ["category", "vehicle_class"]);
                assert_eq!(looks[0].look.role, "window");
                read(tx, &clerk, &issuer, licence.id, &fields, &reason("121"))?;
                assert_eq!(of_person(tx, person, 0)?.len(), 1, "the page again is the same look");
                read(tx, &clerk, &issuer, licence.id, &names(&["category"]), &reason("121"))?;
                assert_eq!(of_person(tx, person, 0)?.len(), 2, "other fields are another look");
                refused(read(tx, &clerk, &issuer, licence.id, &fields, &reason("80")), "LIC-USE-001");
                refused(read(tx, &machine, &issuer, licence.id, &fields, &reason("121")), "LIC-USE-004");
                Ok(())
            })
            .expect("read");
    }
}
