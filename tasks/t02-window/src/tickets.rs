//! Calling numbers from the desk (叫号): the next one, once more, skipped, done.
//!
//! Invariant: what a double press or an old page asks for a second time is done once.

use axum::extract::Path;
use tb_base::{Class, Error, MessageId};
use tb_counter::ticket::{self, Step};
use tb_identity::permit::Action;
use tb_web::{Form, PageResult, Visit, redirect, safe_next};

use crate::clerk::Clerk;

/// POST /window/tickets/next: `seen` is the number that the page shows as this clerk's own, or empty.
pub(crate) async fn next(visit: Visit, form: Form) -> PageResult {
    let clerk = Clerk::of(&visit.ctx, Action::CollectCase)?;
    let fields = form.fields();
    let (ctx, seen) = (visit.ctx.clone(), fields.value("seen").parse::<MessageId>().ok());
    let called = visit
        .app
        .store
        .write("t02.window.next", move |tx| ticket::next(tx, &ctx, &clerk.office, clerk.staff, seen));
    Ok(match called.await? {
        Some(_) => redirect("/window"),
        None => redirect("/window?called=nobody"),
    })
}

/// POST /window/tickets/{id}: `do=recall`, `skip`, `done`, or `call` for one that was skipped.
pub(crate) async fn step(visit: Visit, id: Path<String>, form: Form) -> PageResult {
    let clerk = Clerk::of(&visit.ctx, Action::CollectCase)?;
    let fields = form.fields();
    let (wanted, back) = match fields.pressed() {
        "recall" => (Step::Recall, safe_next(Some(fields.value("back"))).to_owned()),
        "skip" => (Step::Skip, "/window".to_owned()),
        "done" => (Step::Done, "/window".to_owned()),
        _ => (Step::Call, "/window".to_owned()),
    };
    let (ctx, number) = (visit.ctx.clone(), id.parse::<MessageId>().ok());
    let stepped = visit.app.store.write("t02.window.ticket", move |tx| match number {
        Some(number) => ticket::step(tx, &ctx, &clerk.office, clerk.staff, number, wanted).map(drop),
        None => Ok(()),
    });
    match stepped.await {
        // Somebody was quicker: the queue as it is now says the rest.
        Err(Error::Refused(refusal)) if refusal.class == Class::Conflict => {
            Ok(redirect("/window?called=late"))
        }
        stepped => stepped.map(|()| redirect(&back)).map_err(Into::into),
    }
}
