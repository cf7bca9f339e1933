//! A question about a look (问一句): to the office that looked, in whichever city, on the ground of the look itself.
//!
//! Invariant: what the question rests on is read again from the city that holds the look, never from the form.

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{MessageId, NodeId, OfficeId};
use tb_enquiry::acts::{self, NewEnquiry};
use tb_enquiry::{About, Asker, LookRef, State, queue};
use tb_identity::permit::Action;
use tb_web::{Field, Fields, Form, Frame, Input, Lang, PageError, PageResult, Visit, redirect, ui};

use super::help::fields_key;
use super::{Shared, key_of, person, taken, wording};
use crate::looks::trace::{Seen, TraceAsk};
use crate::looks::words::tell;
use crate::looks::{self, Found, proof};
use crate::parts::Parts;

const TEXT: Field<'static> = Field::new("text", "您想问什么", "What you want to ask", Input::Area).hint(
    "例如：为什么要看、谁看的、还会不会再看。最多 1000 字",
    "Such as: why, who, will it happen again. At most 1000 letters",
);

/// The form.
#[derive(Template, Serialize)]
#[template(path = "t01/look_ask.html")]
struct LookAskPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    #[serde(skip)]
    facts: ui::Summary,
    /// Who answers.
    to: String,
    limit: String,
    action: String,
    key: String,
}

/// A look, who holds it, and the names of the offices of all cities that answered.
struct Asked {
    held_by: NodeId,
    seen: Seen,
    found: Found,
}

/// GET /looks/{city}/{id}/ask
pub async fn show(visit: Visit, parts: Shared, path: Path<(String, String)>) -> PageResult {
    let asked = look(&visit, &parts, &path.0).await?;
    if let Some(id) = asked_before(&visit, asked.seen.id).await? {
        return Ok(redirect(&format!("/asks/{id}")));
    }
    let form = Fields::blank(&visit);
    visit.page(view(&visit, &parts, form, &asked))
}

/// POST /looks/{city}/{id}/ask
pub async fn submit(visit: Visit, parts: Shared, path: Path<(String, String)>, form: Form) -> PageResult {
    let person = person(&visit.ctx, Action::AskAboutLook)?;
    let asked = look(&visit, &parts, &path.0).await?;
    let mut fields = form.fields();
    let Some(text) = wording(&mut fields, &TEXT) else {
        return visit.form_again(view(&visit, &parts, fields, &asked));
    };
    let new = NewEnquiry {
        id: key_of(&visit.ctx, &fields),
        about: About::Look { look: Box::new(reference(&asked)) },
        asker: Asker::Person(person),
        to: asked.seen.city,
        office: asked.seen.office.clone(),
        text,
    };
    let (ctx, env) = (visit.ctx.clone(), parts.enquiry.clone());
    let done = visit.app.store.write("t01.look.ask", move |tx| acts::ask(tx, &ctx, &env, new.clone())).await;
    match taken(&mut fields, done)? {
        Some(enquiry) => Ok(redirect(&format!("/asks/{}?done=asked", enquiry.id))),
        None => visit.form_again(view(&visit, &parts, fields, &asked)),
    }
}

/// The question about this look that is not over yet.
async fn asked_before(visit: &Visit, look: MessageId) -> Result<Option<MessageId>, PageError> {
    let person = person(&visit.ctx, Action::AskAboutLook)?;
    let asked = visit.app.store.read("t01.look.asked", move |tx| queue::looks_of_person(tx, person)).await?;
    let same = |about: &About| matches!(about, About::Look { look: it } if it.id == look);
    let open = asked.into_iter().find(|it| it.state != State::Closed && same(&it.about));
    Ok(open.map(|it| it.id))
}

/// The look of an address, as the city that holds it tells it now.
async fn look(visit: &Visit, parts: &Shared, path: &(String, String)) -> Result<Asked, PageError> {
    let (city, id) = (path.0.parse::<NodeId>(), path.1.parse::<MessageId>());
    let (Ok(held_by), Ok(id)) = (city, id) else { return Err(proof::gone().into()) };
    let ask = TraceAsk { rows_max: 1, before: Some(behind(id)), ..TraceAsk::default() };
    let mut found = looks::found(visit, &parts.0, &ask).await?;
    let at = found.rows.iter().position(|(city, row)| *city == held_by && row.id == id);
    if let Some(at) = at {
        let (_, seen) = found.rows.swap_remove(at);
        return Ok(Asked { held_by, seen, found });
    }
    let away = found.unavailable.into_iter().find(|(city, _)| *city == held_by);
    Err(away.map_or_else(proof::gone, |(_, refusal)| refusal).into())
}

/// The id that follows: the list gives what is older than a row, and this row is wanted itself.
fn behind(id: MessageId) -> MessageId {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let mut text = id.as_str().as_bytes().to_vec();
    for letter in text.iter_mut().rev() {
        let at = LETTERS.iter().position(|it| it == letter).unwrap_or(0);
        *letter = LETTERS[(at + 1) % LETTERS.len()];
        if at + 1 < LETTERS.len() {
            break;
        }
    }
    String::from_utf8_lossy(&text).parse().unwrap_or(id)
}

fn reference(asked: &Asked) -> LookRef {
    let seen = &asked.seen;
    LookRef {
        id: seen.id,
        held_by: asked.held_by,
        at: seen.at,
        kind: seen.kind,
        office: seen.office.clone(),
        role: seen.role.clone(),
        item: seen.item.clone(),
        case: seen.case,
        ground: seen.ground.clone(),
        fields: seen.fields.clone(),
        message: seen.message,
        outcome: seen.outcome.clone(),
    }
}

fn view(visit: &Visit, parts: &Parts, form: Fields, asked: &Asked) -> LookAskPage {
    let (lang, seen) = (visit.lang, &asked.seen);
    let frame = visit.frame("问一句", "Ask about this look");
    let city = frame.city_name(seen.city);
    let told = tell(lang, &parts.words, &asked.found, seen, &city);
    let row = |zh: &str, en: &str, value: String| ui::SummaryRow::new(lang.t(zh, en), value);
    let limit = parts.enquiry.limits.answer(tb_enquiry::Kind::Look, visit.ctx.now.date()).limit;
    let key = fields_key(&form).unwrap_or_else(|| visit.ctx.id(MessageId::new).to_string());
    LookAskPage {
        to: answers(lang, seen.office.as_ref(), &asked.found, &city),
        facts: ui::Summary {
            rows: vec![
                row("哪次查看", "Which look", format!("{}{}{}{}", told.who, told.verb, told.what, told.tail)),
                row("什么时候", "When", lang.time(seen.at)),
                row("为了", "For", told.item),
                row("依据", "Ground", told.ground),
                row("看到", "Saw", told.seen),
            ],
        },
        frame: frame.airy().errors(&form).crumb("首页", "Start", "/").crumb(
            "谁看了我的数据",
            "Who looked at my data",
            "/looks",
        ),
        lang,
        limit: lang.t(&limit.zh(), &limit.en()).to_owned(),
        action: format!("/looks/{}/{}/ask", asked.held_by, seen.id),
        key,
        form,
    }
}

/// The office that answers; the data bureau where no office looked.
fn answers(lang: Lang, office: Option<&OfficeId>, found: &Found, city: &str) -> String {
    match office.and_then(|office| found.offices.get(office)) {
        Some((zh, en)) => lang.t(zh, en).to_owned(),
        None => match lang {
            Lang::Zh => format!("{city}的数据局"),
            Lang::En => format!("the data bureau of {city}"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::behind;

    #[track_caller]
    fn check(id: &str, expected: &str) {
        assert_eq!(behind(id.parse().unwrap()).as_str(), expected);
    }

    #[test]
    fn the_next_id_carries_over() {
        check("01kb3x0000000000000000000a", "01kb3x0000000000000000000b");
        check("01kb3x000000000000000000zz", "01kb3x00000000000000000100");
        check("01kb3x0000000000000000000h", "01kb3x0000000000000000000j");
    }
}
