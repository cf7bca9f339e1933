//! A prefilled value that she says is wrong (不对): her note goes with the application to the officer.
//! Serves clause 2.3.
//!
//! Invariant: the value itself stays as its source says; only the source can correct it.

use std::sync::Arc;

use axum::extract::Path;
use tb_base::Refusal;
use tb_case::draft;
use tb_identity::permit::Action;
use tb_web::{Field, Fields, Form, Html, Input, PageResult, Visit, redirect};

use super::{Opened, check, open};
use crate::access::{Shared, draft_id, own_draft, resident};

/// What she says about the value.
pub(super) const TEXT: Field<'static> = Field::new("text", "哪里不对", "What is wrong", Input::Area).hint(
    "写明应该是什么；不改动登记，随申请交给决定机关核实",
    "Say what it should be; the register stays as it is, the deciding office looks into it",
);

/// The value whose note is open.
pub(super) struct Open {
    /// The field, such as `person.name` or `material.field`.
    pub(super) field: String,
    pub(super) label: String,
    pub(super) value: String,
    /// Whether there is a note that can be taken back.
    pub(super) noted: bool,
    pub(super) input: Html,
}

impl Open {
    /// The note on a value, with what was typed or noted before.
    pub(super) fn of(opened: &Opened, field: &str, label: &str, value: &str, form: &Fields) -> Open {
        let noted = opened.draft.disputes.get(field);
        let input = match (form.has_errors(), noted) {
            (false, Some(text)) => form.clone().with(TEXT.name, text.clone()).show(&TEXT),
            (_, _) => form.show(&TEXT),
        };
        Open {
            field: field.to_owned(),
            label: label.to_owned(),
            value: value.to_owned(),
            noted: noted.is_some(),
            input,
        }
    }
}

/// POST /drafts/{draft}/dispute: `field` and `text`; `do=clear` takes the note back.
pub(crate) async fn send(visit: Visit, parts: Shared, id: Path<String>, form: Form) -> PageResult {
    let (draft, (person, _)) = (draft_id(&id)?, resident(&visit.ctx, Action::FileCase)?);
    let mut fields = form.fields();
    let field = fields.value("field").to_owned();
    let text = match fields.pressed() {
        "clear" => Some(String::new()),
        _ => fields.read(&TEXT).max(draft::DISPUTE_LETTERS_MAX).required(),
    };
    if let Some(text) = text {
        let version = fields.value("version").parse::<i64>().ok();
        let (ctx, shared, about) = (visit.ctx.clone(), Arc::clone(&parts), field.clone());
        let noted = visit.app.store.write("t02.dispute", move |tx| {
            let held = own_draft(tx, &shared, draft, person)?;
            let version = version.unwrap_or(held.version);
            draft::dispute(tx, &ctx, &shared.env, draft, version, &about, &text)
        });
        match noted.await {
            Ok(_) => return Ok(redirect(&format!("/drafts/{draft}/check?done=noted"))),
            Err(tb_base::Error::Refused(refusal)) => fields.refuse(&Refusal { field: None, ..*refusal }),
            Err(error) => return Err(error.into()),
        }
    }
    let opened = open(&visit, &parts, &id).await?;
    visit.form_again(check::disputed(&visit, &parts, &opened, &field, fields))
}
