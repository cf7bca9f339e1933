//! The enterprise on one page (企业主页), and the choice as whom one acts.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_base::{Ctx, Date, Error, PersonId, Refusal, Result, Uscc};
use tb_identity::accounts::sessions;
use tb_identity::enterprises::{self, Enterprise};
use tb_identity::grants::{self, Grant, Held, Matter, Standing, decide, filed, terms};
use tb_identity::look::{self, HERSELF, Look, LookKind};
use tb_identity::people;
use tb_identity::permit::Action;
use tb_licence::peer::INDEX_FIELD;
use tb_licence::store::{Licence, of_enterprise};
use tb_store::{Tx, audit};
use tb_web::{Form, Frame, Lang, PageResult, Visit, redirect, ui};

use super::{AGENT, AGENT_PURPOSE, Shared, named, permit, words};
use crate::parts::Parts;

/// Licences that the page shows; the wallet of the representative has them all.
const LICENCES_SHOWN: usize = 6;

#[derive(Template, Serialize)]
#[template(path = "t01/firm.html")]
struct FirmPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    firm: Option<Shown>,
    /// Every enterprise that she acts for, where there are several.
    firms: Vec<Choice>,
    /// Why the enterprise that she chose is not shown.
    why_not: Option<Why>,
    /// Grants of hers that count no more, or not yet.
    past: Vec<Past>,
    done: String,
}

/// An enterprise as its own people see it.
#[derive(Serialize)]
struct Shown {
    code: Uscc,
    name: String,
    status: &'static str,
    standing: String,
    is_representative: bool,
    /// Whether this session acts for it.
    is_acting: bool,
    agents: Vec<String>,
    cases: i64,
    licences: Vec<Card>,
    /// Why licences are not shown.
    licences_why: Option<Why>,
    grant: Option<Own>,
    basis: Vec<(String, bool)>,
    #[serde(skip)]
    summary: ui::Summary,
    #[serde(skip)]
    status_kind: &'static str,
}

/// The grant that she has.
#[derive(Serialize)]
struct Own {
    id: String,
    matters: String,
    from: Date,
    to: Date,
}

#[derive(Serialize)]
struct Card {
    name: String,
    oid: String,
    version: u16,
    valid_from: Date,
    valid_to: Option<Date>,
    state: String,
    #[serde(skip)]
    kind: &'static str,
}

#[derive(Serialize)]
struct Choice {
    code: Uscc,
    name: String,
    standing: String,
    is_shown: bool,
}

/// A refusal in the words of the page.
#[derive(Serialize)]
struct Why {
    code: String,
    said: String,
    basis: Option<String>,
    way_out: Option<String>,
}

#[derive(Serialize)]
struct Past {
    firm: String,
    days: String,
    state: String,
    note: String,
    #[serde(skip)]
    kind: &'static str,
}

/// What one reading of the store gives.
struct Read {
    firms: Vec<(Enterprise, Standing)>,
    shown: Option<Record>,
    why_not: Option<Refusal>,
    past: Vec<(String, Grant)>,
}

struct Record {
    firm: Enterprise,
    standing: Standing,
    recorded: Option<tb_base::Timestamp>,
    representative: Option<String>,
    agents: Vec<Held>,
    cases: i64,
    licences: Result<Vec<Licence>>,
}

/// GET /firm?firm=
pub async fn show(visit: Visit, parts: Shared) -> PageResult {
    let (person, _) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let (ctx, shared, wanted) = (visit.ctx.clone(), Arc::clone(&parts), named(&visit));
    // The look of an agent is written down in the transaction that shows the record.
    let read = visit.app.store.write("t01.firm", move |tx| read(tx, &ctx, &shared, person, wanted)).await?;
    visit.page(view(&visit, &parts, read)?)
}

/// POST /firm: acts for an enterprise from now on (`do=act`), or as herself (`do=self`).
pub async fn choose(visit: Visit, form: Form) -> PageResult {
    let (person, _) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let fields = form.fields();
    let firm = match fields.pressed() {
        "act" => Some(fields.value("firm").parse::<Uscc>().map_err(|_| Error::from(words::none()))?),
        _ => None,
    };
    let (ctx, token) = (visit.ctx.clone(), visit.session_token.clone().unwrap_or_default());
    let chosen = move |tx: &mut Tx<'_>| {
        if let Some(firm) = &firm {
            grants::standing(tx, firm, person, ctx.now.date())?;
        }
        sessions::act_for(tx, &ctx, &token, firm.as_ref())
    };
    visit.app.store.write("t01.firm.act", chosen).await?;
    Ok(match firm {
        Some(firm) => redirect(&format!("/firm?firm={firm}&done=acting")),
        None => redirect("/firm?done=self"),
    })
}

fn read(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, person: PersonId, wanted: Option<Uscc>) -> Result<Read> {
    let today = ctx.now.date();
    let firms = grants::firms_of(tx, person, today)?;
    let (shown, why_not) = match wanted {
        None => (firms.first().cloned(), None),
        Some(code) => match grants::standing(tx, &code, person, today) {
            Ok(found) => (Some(found), None),
            Err(Error::Refused(refusal)) => (None, Some(*refusal)),
            Err(error) => return Err(error),
        },
    };
    let shown = match shown {
        Some((firm, standing)) => Some(record(tx, ctx, parts, firm, standing)?),
        None => None,
    };
    let mut past = Vec::new();
    for grant in grants::of_agent(tx, person)? {
        if firms.iter().all(|(firm, _)| firm.uscc != grant.enterprise)
            && let Some(firm) = enterprises::find(tx, &grant.enterprise)?
        {
            past.push((firm.name, grant));
        }
    }
    Ok(Read { firms, shown, why_not, past })
}

fn record(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, firm: Enterprise, standing: Standing) -> Result<Record> {
    let representative = match firm.representative {
        Some(person) => people::find(tx, &parts.vault, person)?.map(|person| person.name),
        None => None,
    };
    let agents = match standing {
        Standing::Representative => grants::open_of_enterprise(tx, &parts.vault, &firm.uscc, ctx.now.date())?,
        Standing::Agent(_) => Vec::new(),
    };
    let licences = match decide::covers(&standing, Matter::Licences) {
        Ok(()) => Ok(of_enterprise(tx, &parts.vault, firm.uscc)?),
        Err(why) => Err(why),
    };
    let cases = match decide::covers(&standing, Matter::Cases) {
        Ok(()) => filed::of_enterprise(tx, &firm.uscc, filed::Narrowed::default(), (1, 0))?.1,
        Err(_) => 0,
    };
    look_at(tx, ctx, parts, &firm, &standing, licences.is_ok())?;
    let recorded = enterprises::recorded(tx, &firm.uscc)?;
    Ok(Record { firm, standing, recorded, representative, agents, cases, licences })
}

/// Writes down who looked at the record: an agent under her grant, the representative as herself.
fn look_at(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    firm: &Enterprise,
    standing: &Standing,
    with_licences: bool,
) -> Result<()> {
    let Some(person) = firm.representative else {
        return audit::line(tx, ctx, "enterprise.look", &firm.uscc.to_string(), "shown");
    };
    let (role, ground) = match standing {
        Standing::Representative => (HERSELF, "subject".to_owned()),
        Standing::Agent(grant) => (AGENT, format!("grant:{}", grant.id)),
    };
    let fields: BTreeSet<&str> = ["code", "name", "representative", "address"]
        .into_iter()
        .chain(with_licences.then_some(INDEX_FIELD))
        .collect();
    let seen = Look {
        person,
        kind: LookKind::Register,
        city: ctx.node,
        office: None,
        role: role.to_owned(),
        item: AGENT_PURPOSE.to_owned(),
        case: None,
        ground,
        fields: fields.into_iter().map(str::to_owned).collect(),
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    };
    look::record(tx, ctx, &parts.vault, &seen).map(drop)
}

fn view(visit: &Visit, parts: &Parts, read: Read) -> Result<FirmPage> {
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let shown_code = read.shown.as_ref().map(|record| record.firm.uscc);
    let choice = |(firm, standing): &(Enterprise, Standing)| Choice {
        code: firm.uscc,
        name: firm.name.clone(),
        standing: words::standing(lang, standing),
        is_shown: shown_code == Some(firm.uscc),
    };
    let past = |(firm, grant): &(String, Grant)| {
        let (kind, state) = words::force(lang, grant, today);
        let days = format!("{} {} {}", grant.from, lang.t("至", "to"), grant.to);
        Past { firm: firm.clone(), days, state, note: words::ended(lang, grant), kind }
    };
    Ok(FirmPage {
        frame: visit.frame("我的企业", "My enterprise").crumb("首页", "Start", "/"),
        lang,
        firms: read.firms.iter().map(choice).collect(),
        why_not: read.why_not.as_ref().map(|refusal| why(lang, refusal)),
        past: read.past.iter().map(past).collect(),
        firm: read.shown.map(|record| shown(visit, parts, record)).transpose()?,
        done: visit.param("done").unwrap_or_default(),
    })
}

fn shown(visit: &Visit, parts: &Parts, record: Record) -> Result<Shown> {
    let (lang, today) = (visit.lang, visit.ctx.now.date());
    let (status_kind, status) = words::status(lang, record.firm.status);
    let summary = summary(visit, &record);
    let (licences, licences_why) = match record.licences {
        Ok(found) => (found, None),
        Err(Error::Refused(refusal)) => (Vec::new(), Some(why(lang, &refusal))),
        Err(error) => return Err(error),
    };
    let grant = match &record.standing {
        Standing::Representative => None,
        Standing::Agent(grant) => Some(Own {
            id: grant.id.to_string(),
            matters: words::matters(lang, grant),
            from: grant.from,
            to: grant.to,
        }),
    };
    let terms = terms::Terms::shipped()?;
    Ok(Shown {
        code: record.firm.uscc,
        name: record.firm.name,
        status,
        standing: words::standing(lang, &record.standing),
        is_representative: record.standing == Standing::Representative,
        is_acting: visit.acting().is_some_and(|acting| acting.code == record.firm.uscc),
        agents: record.agents.into_iter().map(|held| held.agent.name).collect(),
        cases: record.cases,
        licences: licences.iter().take(LICENCES_SHOWN).map(|it| card(lang, parts, it, today)).collect(),
        licences_why,
        grant,
        basis: terms.on(today).into_iter().map(|term| (term.basis.clone(), term.is_confirmed)).collect(),
        summary,
        status_kind,
    })
}

/// The record, each line with its source and its day.
fn summary(visit: &Visit, record: &Record) -> ui::Summary {
    let (lang, firm) = (visit.lang, &record.firm);
    let here = visit.app.city(visit.ctx.node);
    let here = here.map_or(visit.ctx.node.as_str(), |front| lang.t(&front.name, &front.name_en));
    let on = record.recorded.map_or_else(String::new, |at| lang.date(at.date()));
    let source = match lang {
        Lang::Zh => format!("{here}市法人库，{on} 登记"),
        Lang::En => format!("register of enterprises of {here}, {on}"),
    };
    let row = |zh: &str, en: &str, value: &str| ui::SummaryRow::new(lang.t(zh, en), value).from(&source);
    let unknown = lang.t("不在本市人口登记里", "not in this city's register of people");
    ui::Summary {
        rows: vec![
            row("统一社会信用代码", "Unified social credit code", &ui::grouped(&firm.uscc.to_string(), 6))
                .code(),
            row("法定代表人", "Representative", record.representative.as_deref().unwrap_or(unknown)),
            row("登记状态", "Status", words::status(lang, firm.status).1),
            row("住所", "Registered address", &firm.address),
        ],
    }
}

fn card(lang: Lang, parts: &Parts, licence: &Licence, today: Date) -> Card {
    let state = licence.state(today);
    let (zh, en) = state.words();
    let name = (parts.words.licence)(&licence.type_id);
    Card {
        name: name.map_or_else(|| licence.type_id.clone(), |(zh, en)| lang.t(&zh, &en).to_owned()),
        oid: licence.oid.as_str().to_owned(),
        version: licence.version,
        valid_from: licence.standing.valid_from,
        valid_to: licence.standing.valid_to,
        state: lang.t(zh, en).to_owned(),
        kind: if licence.standing.is_in_force(today) { "done" } else { "stop" },
    }
}

fn why(lang: Lang, refusal: &Refusal) -> Why {
    Why {
        code: refusal.code.to_string(),
        said: lang.refusal(refusal).to_owned(),
        basis: refusal.basis.as_ref().map(ToString::to_string),
        way_out: lang.way_out(refusal).map(str::to_owned),
    }
}
