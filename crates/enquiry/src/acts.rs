//! Asking and answering (问与答): load, decide, keep, tell, in one transaction.
//!
//! Invariant: a turn takes effect once, however often it arrives or is pressed; what the other city has to know
//! leaves in the transaction in which it happened.

use tb_base::{Ctx, MessageId, NodeId, OfficeId, Refusal, Result};
use tb_identity::offices::{self, Office, OfficeKind};
use tb_identity::roster;
use tb_store::{Tx, audit};

use crate::decide::{By, TURNS_MAX, decide, standing};
use crate::enquiry::{About, Act, Asker, Enquiry, Kind, Place, State, Turn, Wording};
use crate::{Env, keep, notices, peer, refusals, timers};

/// Unanswered enquiries of one person at the most.
pub const OPEN_OF_PERSON_MAX: i64 = 10;
/// Unanswered enquiries of one telephone number at the most: each may send it messages.
pub const OPEN_OF_PHONE_MAX: i64 = 3;

/// What somebody asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEnquiry {
    /// Drawn when the form was shown, so that sending it twice asks once.
    pub id: MessageId,
    /// What it is about.
    pub about: About,
    /// Who asks.
    pub asker: Asker,
    /// The city that is to answer.
    pub to: NodeId,
    /// The office that is to answer, where it is known.
    pub office: Option<OfficeId>,
    /// What is asked.
    pub text: Wording,
}

/// Letters and digits that are not mistaken for each other.
const CODE_LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Asks (提出): the same form again is the same enquiry.
pub fn ask(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, new: NewEnquiry) -> Result<Enquiry> {
    if let Some(held) = keep::find(tx, new.id)? {
        return asked_before(tx, ctx, env, held, new);
    }
    let open = keep::open_of(tx, &env.vault, &new.asker, env.me())?;
    let open_max = match new.asker {
        Asker::Person(_) => OPEN_OF_PERSON_MAX,
        Asker::Phone(_) | Asker::Elsewhere => OPEN_OF_PHONE_MAX,
    };
    if open_max <= open {
        return Err(refusals::too_many(open).into());
    }
    let enquiry = begun(ctx, env, &new);
    if !keep::insert(tx, ctx, &env.vault, &enquiry)? {
        return Err(refusals::used_id().into());
    }
    let turn = Turn { id: enquiry.id, at: ctx.now, city: env.me(), act: Act::Ask { text: new.text } };
    let enquiry = add(tx, ctx, env, enquiry, &turn)?.0;
    audit::line(tx, ctx, "enquiry.ask", enquiry.id.as_str(), &crate::word(&enquiry.about.kind()))?;
    if enquiry.to == env.me() {
        return receive(tx, ctx, env, enquiry, new.office.as_ref());
    }
    peer::send_asked(tx, ctx, env, &enquiry, &turn, Some(new.office))?;
    Ok(enquiry)
}

/// The same form came before: the same enquiry, unless somebody else sends it or something else was typed into it.
fn asked_before(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, held: Enquiry, new: NewEnquiry) -> Result<Enquiry> {
    let first = keep::turns(tx, held.id)?.into_iter().find(|turn| turn.id == held.id);
    let is_hers = held.asker == new.asker && held.from == env.me() && held.about == new.about;
    if is_hers && first.is_some_and(|turn| turn.act.text() == Some(&new.text)) {
        return Ok(held);
    }
    ask(tx, ctx, env, NewEnquiry { id: ctx.id(MessageId::new), ..new })
}

fn begun(ctx: &Ctx, env: &Env, new: &NewEnquiry) -> Enquiry {
    Enquiry {
        id: new.id,
        about: new.about.clone(),
        signed_in: matches!(new.asker, Asker::Person(_)),
        asker: new.asker.clone(),
        code: code(ctx),
        from: env.me(),
        to: new.to,
        office: None,
        state: State::Open,
        asked: ctx.now,
        since: ctx.now,
        due: env.limits.due(&env.calendar, new.about.kind(), ctx.now).at,
        received: None,
        turns: 0,
        agains: 0,
        passes: 0,
    }
}

/// A code of eight letters (查询码): 40 random bits, good only beside the telephone number.
fn code(ctx: &Ctx) -> String {
    let random: [u8; 8] = ctx.random();
    let letters = random.iter().filter_map(|byte| CODE_LETTERS.get(usize::from(byte & 31)));
    letters.map(|letter| char::from(*letter)).collect()
}

/// Gives an enquiry to the office of this city that answers it, and says so to whoever asked.
pub(crate) fn receive(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    enquiry: Enquiry,
    wanted: Option<&OfficeId>,
) -> Result<Enquiry> {
    let office = route(tx, enquiry.about.kind(), wanted)?;
    let turn = turn_of(ctx, env, Act::Receive { office });
    let enquiry = add(tx, ctx, env, enquiry, &turn)?.0;
    peer::tell(tx, ctx, env, &enquiry, &turn)?;
    Ok(enquiry)
}

/// The office that was meant, if this city has it and it is open; else the hall for what is stuck, the data bureau for data.
fn route(tx: &mut Tx<'_>, kind: Kind, wanted: Option<&OfficeId>) -> Result<Place> {
    let closed = roster::closed_offices(tx)?;
    let meant = wanted.map(|id| offices::find(tx, id)).transpose()?.flatten();
    if let Some(office) = meant.filter(|office| !closed.contains(&office.id)) {
        return Ok(place(office));
    }
    let fitting = match kind {
        Kind::Stuck => OfficeKind::Hall,
        Kind::Look => OfficeKind::Bureau,
    };
    let mut all = offices::all(tx)?;
    all.retain(|office| !closed.contains(&office.id));
    let at = all.iter().position(|office| office.kind == fitting).unwrap_or(0);
    if all.len() <= at {
        return Err(tb_base::Fault::new("giving an enquiry to an office: the city has none").into());
    }
    Ok(place(all.swap_remove(at)))
}

/// An office as both cities show it.
pub fn place(office: Office) -> Place {
    Place { id: office.id, zh: office.name_zh, en: office.name_en }
}

/// The office of this id, for a turn of its staff.
pub fn place_of(tx: &mut Tx<'_>, id: &OfficeId) -> Result<Place> {
    let office = offices::find(tx, id)?.ok_or_else(refusals::no_office)?;
    Ok(place(office))
}

/// What somebody wants to do with an enquiry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing<'a> {
    /// Drawn when the form was shown, so that sending it twice does it once.
    pub turn: MessageId,
    /// What.
    pub act: Act,
    /// Who.
    pub by: By<'a>,
    /// How many turns the page showed; whoever acts on less than all is asked to read first.
    pub seen: Option<u32>,
}

/// Does something with an enquiry (办理), once.
pub fn act(tx: &mut Tx<'_>, ctx: &Ctx, env: &Env, id: MessageId, doing: &Doing<'_>) -> Result<Enquiry> {
    let enquiry = keep::find(tx, id)?.ok_or_else(refusals::gone)?;
    if keep::turns(tx, id)?.iter().any(|turn| turn.id == doing.turn) {
        return Ok(enquiry);
    }
    decide(&enquiry, &doing.act, doing.by)?;
    if doing.seen.is_some_and(|seen| seen != enquiry.turns) {
        return Err(refusals::moved_on().into());
    }
    let turn = Turn { id: doing.turn, at: ctx.now, city: env.me(), act: doing.act.clone() };
    let (enquiry, is_new) = add(tx, ctx, env, enquiry, &turn)?;
    if is_new {
        audit::line(tx, ctx, turn.act.kind().action(), id.as_str(), &crate::word(&enquiry.state))?;
        peer::tell(tx, ctx, env, &enquiry, &turn)?;
    }
    Ok(enquiry)
}

/// A turn of this moment in this city.
pub(crate) fn turn_of(ctx: &Ctx, env: &Env, act: Act) -> Turn {
    Turn { id: ctx.id(MessageId::new), at: ctx.now, city: env.me(), act }
}

/// Adds a turn, once, and writes down what the turns add up to; tells whoever asked here what is news to her.
pub(crate) fn add(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    env: &Env,
    enquiry: Enquiry,
    turn: &Turn,
) -> Result<(Enquiry, bool)> {
    if TURNS_MAX <= usize::try_from(enquiry.turns).unwrap_or(usize::MAX) {
        return Err(refusals::agains_spent().into());
    }
    if !keep::insert_turn(tx, ctx, &enquiry, turn)? {
        return Ok((enquiry, false));
    }
    let now = standing(enquiry.asked, &keep::turns(tx, enquiry.id)?);
    let due = env.limits.due(&env.calendar, enquiry.about.kind(), now.since).at;
    let clock = timers::clock(&enquiry);
    let enquiry = keep::update(tx, ctx, enquiry, now, due)?;
    timers::set(tx, ctx, env, clock, &enquiry)?;
    notices::tell(tx, ctx, env, &enquiry, turn)?;
    Ok((enquiry, true))
}

/// Refuses an enquiry that is not hers as one that is not there.
pub fn own(enquiry: Option<Enquiry>, asker: &Asker) -> std::result::Result<Enquiry, Refusal> {
    enquiry.filter(|enquiry| enquiry.asker == *asker).ok_or_else(refusals::gone)
}

/// The refusal for an enquiry that is not there.
pub fn gone() -> Refusal {
    refusals::gone()
}
