//! The counter's page (专窗): start a matter, what lies on the counter, what waits to be handed over.
//! Serves clauses 2.3 and 2.5.
//!
//! Invariant: nobody is looked up in the register but by number and name together, and that leaves a look.

use askama::Template;
use serde::Serialize;
use tb_base::{CaseId, Ctx, DraftId, Error, MessageId, NodeId, Refusal, ResidentId, Result, Timestamp};
use tb_case::acts;
use tb_case::case::{Channel, Outcome, PhaseKind};
use tb_case::definitions::DeliveryMode;
use tb_case::draft::{self, Draft, NewDraft};
use tb_case::queue::{self, CasePage, CaseRow, Filter};
use tb_counter::card::{self, Card};
use tb_counter::journal::{self, Kind, Note};
use tb_counter::ticket::{self, Queue, Ticket};
use tb_identity::accounts;
use tb_identity::look::{self, Look, LookKind};
use tb_identity::people::{self, Person};
use tb_identity::permit::{Action, Scope, may};
use tb_identity::register::{Claim, Proof, match_claim};
use tb_licence::consent::ConsentState;
use tb_licence::present::{self, Code, Redeemed};
use tb_licence::store as licences;
use tb_store::{Tx, audit};
use tb_web::{Choice, Field, Fields, Form, Frame, Html, Input, Lang, PageResult, Visit, redirect, ui};

use super::Clerk;
use super::bench::{self, Silence, Stage};
use crate::access::{Shared, case_of};
use crate::parts::Parts;
use crate::words::{city_name, item_name, say, word};

/// Pages of decided cases that are looked through for refusals; what is granted leaves that phase by itself.
const DECIDED_PAGES_MAX: u32 = 10;

const CARD: Field<'static> = Field::text("card", "读身份证，或扫亮证码", "Resident card, or a shown licence").hint(
    "光标放在这里刷卡；读到号码和姓名后直接开始。没有读卡器的，在下面输入",
    "With the cursor here, lay the card on the reader: number and name are filled in. Without a reader, type below",
);
const NUMBER: Field<'static> = Field::new("number", "公民身份号码", "Resident number", Input::Digits)
    .hint("照卡输入，18 位", "As on the card, 18 characters");
const NAME: Field<'static> = Field::text("name", "姓名", "Name");
const TAKE_UP: Field<'static> = Field::text("draft", "草稿编号", "Code of a draft").hint(
    "本人在网上填过的，输入 8 位编号接着办，下面两项不用选",
    "Goes on with what the person began online: its 8 characters; the two below are not needed then",
);

/// A draft on the counter.
#[derive(Serialize)]
struct DraftLine {
    id: DraftId,
    item: u16,
    item_name: String,
    name: String,
    deciding: Option<NodeId>,
    saved: Timestamp,
    /// Whether the visitor began it; the others of the office can go on with it.
    mine: bool,
}

/// A case that this window collected.
#[derive(Serialize)]
struct CaseLine {
    id: CaseId,
    query_code: String,
    item: u16,
    item_name: String,
    phase: PhaseKind,
    due: Option<Timestamp>,
    since: Timestamp,
    collected: Timestamp,
    /// Refused: what is handed over is the decision.
    is_refused: bool,
}

/// How many there are in all, shown or not.
#[derive(Serialize)]
struct Counts {
    drafts: i64,
    today: i64,
    cases: i64,
    handovers: i64,
    finished: i64,
}

#[derive(Template, Serialize)]
#[template(path = "window/desk.html")]
struct Desk {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    drafts: Vec<DraftLine>,
    cases: Vec<CaseLine>,
    handovers: Vec<CaseLine>,
    counts: Counts,
    /// A code that was looked for and not found.
    missing: String,
    #[serde(skip)]
    office: String,
    #[serde(skip)]
    questions: Html,
    form: Fields,
    #[serde(skip)]
    pager: ui::Pager,
    queue: Queue,
    silences: Vec<Silence>,
    #[serde(skip)]
    column: Html,
    #[serde(skip)]
    way: Html,
    #[serde(skip)]
    notes: Vec<(NodeId, Html)>,
}

impl CaseLine {
    fn state(&self, lang: Lang) -> ui::Cell {
        match self.is_refused {
            true => ui::Cell::tag("stop", lang.t("不予许可，待交决定书", "Refused; to be served")),
            false => ui::Cell::tag(self.phase.tag(), say(lang, &self.phase.name())),
        }
    }
}

impl Desk {
    /// What to do while that city does not answer.
    fn silent(&self, silence: &Silence) -> Html {
        let note = self.notes.iter().find(|(city, _)| *city == silence.city);
        note.map(|(_, note)| note.clone()).unwrap_or_default()
    }

    fn drafts_table(&self) -> ui::Table {
        let lang = self.lang;
        let row = |line: &DraftLine| {
            let city = line.deciding.map(|city| self.frame.city_name(city)).unwrap_or_default();
            ui::TableRow::new(vec![
                ui::Cell::link(&line.name, format!("/window/drafts/{}", line.id)),
                ui::Cell::text(&line.item_name),
                ui::Cell::text(city),
                ui::Cell::text(lang.moment(line.saved)).note(if line.mine {
                    ""
                } else {
                    lang.t("同事收的", "a colleague's")
                }),
            ])
        };
        ui::Table {
            caption: lang.t("在手的草稿", "Drafts on the counter").to_owned(),
            heads: heads(
                lang,
                &[("申请人", "Applicant"), ("事项", "Item"), ("办理地", "Decided in"), ("保存", "Saved")],
            ),
            rows: self.drafts.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    fn cases_table(&self, lines: &[CaseLine], caption: &str) -> ui::Table {
        let lang = self.lang;
        let row = |line: &CaseLine| {
            let due = line.due.map_or_else(|| "—".to_owned(), |due| lang.date(due.date()));
            let code = ui::grouped(&line.query_code, 4);
            ui::TableRow::new(vec![
                ui::Cell::link(code, format!("/window/cases/{}", line.id)),
                ui::Cell::text(&line.item_name),
                line.state(lang),
                ui::Cell::text(lang.moment(line.since)),
                ui::Cell::text(due),
            ])
        };
        ui::Table {
            caption: caption.to_owned(),
            heads: heads(
                lang,
                &[
                    ("查询码", "Code"),
                    ("事项", "Item"),
                    ("状态", "State"),
                    ("从何时", "Since"),
                    ("最晚", "Due"),
                ],
            ),
            rows: lines.iter().map(row).collect(),
            count: String::new(),
            export: None,
        }
    }

    fn tiles(&self) -> ui::Tiles {
        let (lang, counts) = (self.lang, &self.counts);
        let tile = |figure: String, label: &str, href: &str, kind: &str| ui::Tile {
            figure,
            label: label.to_owned(),
            href: href.to_owned(),
            kind: kind.to_owned(),
        };
        let wait = if 0 < counts.handovers { "wait" } else { "" };
        ui::Tiles {
            tiles: vec![
                tile(lang.number(counts.drafts), lang.t("在手草稿", "drafts"), "#drafts", ""),
                tile(
                    lang.number(counts.handovers),
                    lang.t("等着交给本人", "to hand over"),
                    "#handovers",
                    wait,
                ),
                tile(lang.number(counts.cases), lang.t("办理中", "under way"), "#cases", ""),
                tile(
                    lang.number(counts.finished),
                    lang.t("已办结", "finished"),
                    "/window?finished=yes#cases",
                    "",
                ),
            ],
        }
    }

    fn handover_table(&self) -> ui::Table {
        self.cases_table(&self.handovers, self.lang.t("等着交给本人的结果", "Results to be handed over"))
    }

    fn collected_table(&self) -> ui::Table {
        self.cases_table(&self.cases, self.lang.t("本窗口收的件", "Cases that this window collected"))
    }
}

fn heads(lang: Lang, names: &[(&str, &str)]) -> Vec<ui::Head> {
    names.iter().map(|(zh, en)| ui::Head::text(lang.t(*zh, *en))).collect()
}

/// What the counter has, as read in one view.
struct Counter {
    drafts: Vec<DraftLine>,
    drafts_total: i64,
    drafts_today: i64,
    cases: CasePage,
    handovers: CasePage,
    /// Refused by the deciding city; the decision waits to be handed over here.
    refusals: Vec<CaseRow>,
    running: i64,
    finished: i64,
    queue: Queue,
    silences: Vec<Silence>,
}

/// GET /window: `?code=` opens a case, `?finished=yes` lists what is over, `?page=` pages.
pub(crate) async fn show(visit: Visit, parts: Shared) -> PageResult {
    let clerk = Clerk::of(&visit.ctx, Action::CollectCase)?;
    if let Some(code) = visit.param("code").filter(|code| !code.is_empty()) {
        let office = clerk.office.clone();
        let found = visit.app.store.read("t02.window.code", move |tx| queue::by_code(tx, &code)).await?;
        if let Some(row) = found.filter(|row| row.collecting_office == office) {
            return Ok(redirect(&format!("/window/cases/{}", row.case)));
        }
    }
    visit.page(view(&visit, &parts, &clerk, None).await?)
}

/// A blank form, with what the number at the counter was taken for.
fn blank(visit: &Visit, mine: Option<&Ticket>) -> Fields {
    let form = Fields::blank(visit);
    let Some(mine) = mine else { return form };
    let form = match mine.item {
        Some(item) => form.with("item", item.to_string()),
        None => form,
    };
    match mine.city {
        Some(city) => form.with("deciding", city.to_string()),
        None => form,
    }
}

async fn view(visit: &Visit, parts: &Shared, clerk: &Clerk, form: Option<Fields>) -> Result<Desk> {
    let finished = visit.param("finished").is_some_and(|it| it == "yes");
    let page = visit.param("page").and_then(|page| page.parse::<u32>().ok()).unwrap_or(1).saturating_sub(1);
    let (shared, at, lang) = (parts.0.clone(), clerk.clone(), visit.lang);
    let midnight = Timestamp::at(visit.ctx.now.date(), 0);
    let others =
        visit.app.cities.iter().map(|city| city.node).filter(|city| *city != visit.ctx.node).collect();
    let asked = Asked { lang, now: visit.ctx.now, midnight, finished, page, others };
    let read = visit.app.store.read_snapshot("t02.window", move |tx| read(tx, &shared, &at, &asked));
    let counter = read.await?;
    let (per_page, total) = (usize::try_from(queue::PAGE_ROWS).unwrap_or(20), counter.cases.total);
    let form = form.unwrap_or_else(|| blank(visit, counter.queue.mine.as_ref()));
    let frame = visit.frame("专窗", "Counter").errors(&form);
    let line = |row: &CaseRow| case_line(parts, lang, row);
    let refused = |row: &CaseRow| CaseLine { is_refused: true, ..case_line(parts, lang, row) };
    let waiting = counter.refusals.iter().map(refused).chain(counter.handovers.rows.iter().map(line));
    let refusals_total = i64::try_from(counter.refusals.len()).unwrap_or(i64::MAX);
    Ok(Desk {
        lang,
        counts: Counts {
            drafts: counter.drafts_total,
            today: counter.drafts_today,
            cases: counter.running,
            handovers: counter.handovers.total.saturating_add(refusals_total),
            finished: counter.finished,
        },
        drafts: counter.drafts,
        cases: counter.cases.rows.iter().map(line).collect(),
        handovers: waiting.collect(),
        missing: visit.param("code").unwrap_or_default(),
        office: visit.account.as_ref().and_then(|account| account.office_name.clone()).unwrap_or_default(),
        questions: questions(visit, parts, &form),
        form,
        pager: ui::Pager::of(visit, usize::try_from(total).unwrap_or(0), per_page),
        frame,
        column: bench::column(visit, parts, &counter.queue),
        way: bench::way(lang, Stage::Identity),
        notes: counter
            .silences
            .iter()
            .map(|silence| (silence.city, bench::while_silent(visit, Some(*silence), Stage::Identity)))
            .collect(),
        queue: counter.queue,
        silences: counter.silences,
    })
}

/// What the address asks of the counter's page.
struct Asked {
    lang: Lang,
    now: Timestamp,
    /// The other cities, whose lines are looked at.
    others: Vec<NodeId>,
    /// When today began.
    midnight: Timestamp,
    finished: bool,
    page: u32,
}

fn read(tx: &mut Tx<'_>, parts: &Parts, clerk: &Clerk, asked: &Asked) -> Result<Counter> {
    let mut drafts = Vec::new();
    for held in draft::of_office(tx, &parts.env, &clerk.office)? {
        let name = people::get(tx, &parts.vault, held.person)?.name;
        drafts.push(DraftLine {
            id: held.id,
            item: held.item,
            item_name: item_name(parts, asked.lang, held.item),
            name,
            mine: held.clerk == Some(clerk.staff),
            deciding: held.deciding,
            saved: held.saved,
        });
    }
    let of = |finished| Filter { finished, ..Filter::default() };
    let delivering = Filter { phases: Some([PhaseKind::Delivering].into()), ..Filter::default() };
    let (drafts_total, drafts_today) = draft::count_of_office(tx, &clerk.office, asked.midnight)?;
    let running = queue::collected_by(tx, &clerk.office, &of(false), asked.page)?;
    let over = queue::collected_by(tx, &clerk.office, &of(true), asked.page)?;
    let (running_total, over_total) = (running.total, over.total);
    let mut silences = Vec::new();
    for city in &asked.others {
        silences.extend(bench::silence(tx, *city, asked.now)?);
    }
    Ok(Counter {
        queue: bench::queue(tx, clerk, asked.now)?,
        silences,
        drafts,
        drafts_total,
        drafts_today,
        handovers: queue::of_office(tx, &clerk.office, &delivering, 0)?,
        refusals: refusals(tx, parts, clerk)?,
        cases: if asked.finished { over } else { running },
        running: running_total,
        finished: over_total,
    })
}

/// Refused cases of this window whose applicants chose to come here: until the decision is served, it lies here.
fn refusals(tx: &mut Tx<'_>, parts: &Parts, clerk: &Clerk) -> Result<Vec<CaseRow>> {
    let decided = Filter { phases: Some([PhaseKind::Decided].into()), ..Filter::default() };
    let (mut refused, mut page) = (Vec::new(), 0);
    loop {
        let found = queue::collected_by(tx, &clerk.office, &decided, page)?;
        for row in found.rows {
            let view = acts::view(tx, &parts.env, row.case)?;
            let is_refused = matches!(view.outcome, Some(Outcome::Refused { .. }));
            if is_refused && view.delivery == DeliveryMode::CollectingWindow {
                refused.push(row);
            }
        }
        page += 1;
        if DECIDED_PAGES_MAX <= page || found.total <= i64::from(page).saturating_mul(queue::PAGE_ROWS) {
            return Ok(refused);
        }
    }
}

fn case_line(parts: &Parts, lang: Lang, row: &CaseRow) -> CaseLine {
    CaseLine {
        id: row.case,
        query_code: row.query_code.clone(),
        item: row.item,
        item_name: item_name(parts, lang, row.item),
        phase: row.phase,
        due: row.due,
        since: row.since,
        collected: row.collected,
        is_refused: false,
    }
}

/// The start form: items that can be filed here and the cities that decide them.
fn questions(visit: &Visit, parts: &Parts, form: &Fields) -> Html {
    let items: Vec<(String, String, String)> = parts
        .catalogue
        .items()
        .filter(|item| item.online())
        .map(|item| {
            let zh = item.entry.title.clone();
            let en = item.title_en().map_or_else(|| zh.clone(), str::to_owned);
            (
                item.entry.number.to_string(),
                format!("{} {zh}", item.entry.number),
                format!("{} {en}", item.entry.number),
            )
        })
        .collect();
    let items: Vec<Choice<'_>> = items.iter().map(|(no, zh, en)| Choice::new(no, zh, en)).collect();
    let cities: Vec<Choice<'_>> = visit
        .app
        .cities
        .iter()
        .map(|city| Choice::new(city.node.as_str(), &city.name, &city.name_en))
        .collect();
    let fields = [
        CARD.optional(),
        NUMBER,
        NAME,
        TAKE_UP.optional(),
        Field::new("item", "办什么事", "What for", Input::Select(&items)),
        Field::new("deciding", "哪个市办理", "Which city decides", Input::Select(&cities))
            .hint("换证由原发证的市办理", "A renewal is decided by the city that issued the licence"),
    ];
    form.show_all(&fields)
}

/// POST /window/start: finds the person and begins a draft with her, or goes on with the one that she began.
pub(crate) async fn start(visit: Visit, parts: Shared, form: Form) -> PageResult {
    let clerk = Clerk::of(&visit.ctx, Action::CollectCase)?;
    let mut fields = form.fields();
    let who = who(&visit, &mut fields);
    let what = what(&visit, &parts, &mut fields);
    let fields_read = (who, what);
    let mut fields = card_shown(fields, fields_read.0.as_ref());
    let (Some(who), Some(what)) = fields_read else {
        return visit.form_again(view(&visit, &parts, &clerk, Some(fields)).await?);
    };
    let (ctx, shared, at) = (visit.ctx.clone(), parts.0.clone(), clerk.clone());
    let begun = visit
        .app
        .store
        .write("t02.window.start", move |tx| {
            begin(tx, &ctx, &shared, &at, &who, &what).map(|id| (id, what.clone()))
        })
        .await;
    match fields.take(begun)? {
        Some((draft, What::New { .. })) => Ok(redirect(&format!("/window/drafts/{draft}"))),
        Some((draft, What::TakeUp(_))) => Ok(redirect(&format!("/window/drafts/{draft}?done=taken"))),
        None => visit.form_again(view(&visit, &parts, &clerk, Some(fields)).await?),
    }
}

/// Who stands at the counter: by card, read or typed, or by a licence that she shows.
#[derive(Clone)]
enum Who {
    Card(Card),
    Shown(Code),
}

/// What is begun: a new matter, or the draft that she began on the site.
#[derive(Clone)]
enum What {
    New { item: u16, deciding: NodeId },
    TakeUp(String),
}

/// What a QR code of a licence holds before the code itself.
const IN_ADDRESS: &str = "code=";

fn who(visit: &Visit, fields: &mut Fields) -> Option<Who> {
    let line = fields.read(&CARD).max(card::LINE_LETTERS_MAX).optional()?;
    if let Some(line) = line {
        let code = line.rsplit_once(IN_ADDRESS).map_or(line.as_str(), |(_, code)| code);
        if let Ok(code) = code.parse::<Code>() {
            return Some(Who::Shown(code));
        }
        let read = card::read(&line).and_then(|card| {
            card.number.born_by(visit.ctx.now.date()).map_err(Into::<Refusal>::into)?;
            Ok(card)
        });
        return match read {
            Ok(card) => Some(Who::Card(card)),
            Err(refusal) => {
                fields.wrong(&CARD, &refusal);
                None
            }
        };
    }
    let number = fields.read(&NUMBER).try_with(|text| number_of(&visit.ctx, &text)).required();
    let name = fields.read(&NAME).max(60).required();
    Some(Who::Card(Card { number: number?, name: name? }))
}

/// What was read from the card stands in the fields below it, where it can be corrected; the field is free for the next.
fn card_shown(fields: Fields, who: Option<&Who>) -> Fields {
    match who {
        Some(Who::Card(card)) if !fields.value(CARD.name).is_empty() => fields
            .with(NUMBER.name, card.number.to_string())
            .with(NAME.name, card.name.clone())
            .with(CARD.name, ""),
        Some(Who::Card(_) | Who::Shown(_)) | None => fields,
    }
}

fn what(visit: &Visit, parts: &Parts, fields: &mut Fields) -> Option<What> {
    let code = fields.read(&TAKE_UP).max(20).optional()?;
    if let Some(code) = code {
        let letters = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
        return Some(What::TakeUp(letters.collect::<String>().to_ascii_uppercase()));
    }
    let item = fields
        .read(&Field::text("item", "办什么事", "What for"))
        .try_with(|text| online(parts, &text))
        .required();
    let deciding = fields
        .read(&Field::text("deciding", "哪个市办理", "Which city decides"))
        .try_with(|text| city(visit, parts, item, &text))
        .required();
    Some(What::New { item: item?, deciding: deciding? })
}

fn number_of(ctx: &Ctx, text: &str) -> std::result::Result<ResidentId, Refusal> {
    let letters: String = text.chars().filter(|letter| !letter.is_whitespace()).collect();
    let number: ResidentId = letters.to_uppercase().parse().map_err(Into::<Refusal>::into)?;
    number.born_by(ctx.now.date()).map_err(Into::<Refusal>::into)?;
    Ok(number)
}

fn online(parts: &Parts, text: &str) -> std::result::Result<u16, Refusal> {
    let number = text.parse::<u16>().ok();
    number
        .filter(|number| parts.catalogue.item(*number).is_some_and(tb_case::definitions::Item::online))
        .ok_or_else(|| {
            Refusal::invalid(
                "T02-WIN-003",
                "本事项目前只有办理指引，不能在专窗收件",
                "This item is a guide entry and cannot be collected here",
            )
            .but("请按办理指引告知申请人去哪里办", "Tell the applicant where to go, as the guide says")
        })
}

fn city(visit: &Visit, parts: &Parts, item: Option<u16>, text: &str) -> std::result::Result<NodeId, Refusal> {
    let known = text.parse::<NodeId>().ok().filter(|city| visit.app.city(*city).is_some());
    let city = known
        .ok_or_else(|| Refusal::invalid("T02-APP-001", "请选由哪个市决定", "Choose the city that decides"))?;
    if item.is_some_and(|item| parts.catalogue.rules(item, city).is_none()) {
        return Err(Refusal::invalid(
            "T02-WIN-004",
            "这个市还没有开通本事项",
            "That city does not offer this item yet",
        ));
    }
    Ok(city)
}

/// The card lies on the counter: her assurance level rises, the look is written, the draft begins or goes on.
fn begin(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    clerk: &Clerk,
    who: &Who,
    what: &What,
) -> Result<DraftId> {
    may(&ctx.actor, Action::FindPerson, &Scope::Node(ctx.node))?;
    let person = match who {
        Who::Card(card) => identify(tx, parts, card)?,
        Who::Shown(code) => shown(tx, ctx, parts, clerk, code)?,
    };
    let permit = may(&ctx.actor, Action::CheckIdentity, &Scope::Node(ctx.node))?;
    accounts::check_at_counter(tx, ctx, &parts.vault, &permit, person.id, None)?;
    let draft = match what {
        What::New { item, deciding } => {
            let (item, deciding) = (*item, Some(*deciding));
            let begin = NewDraft { item, person: person.id, channel: Channel::Window, deciding };
            draft::create(tx, ctx, &parts.env, &begin)?
        }
        What::TakeUp(code) => take_up(tx, ctx, parts, clerk, &person, code)?,
    };
    let case = case_of(draft.id)?;
    ticket::attach(tx, ctx, &clerk.office, clerk.staff, case)?;
    let look = Look {
        person: person.id,
        kind: LookKind::Register,
        city: ctx.node,
        office: draft.office.clone(),
        role: ctx.actor.role().map(|role| word(&role)).unwrap_or_default(),
        item: draft.item.to_string(),
        case: Some(case),
        ground: "case".to_owned(),
        fields: ["name", "number", "phone"].map(str::to_owned).to_vec(),
        licence: None,
        message: None,
        outcome: "shown".to_owned(),
    };
    look::record(tx, ctx, &parts.vault, &look)?;
    Ok(draft.id)
}

/// The holder of a licence that is shown on a telephone; the code is used up with that.
fn shown(tx: &mut Tx<'_>, ctx: &Ctx, parts: &Parts, clerk: &Clerk, code: &Code) -> Result<Person> {
    let actor = format!("window/{}", clerk.office);
    let other_way =
        ("请读身份证，或照卡输入号码和姓名", "Read the resident card, or type number and name from it");
    let refuse = |code: &'static str, zh: &'static str, en: &'static str| {
        Error::from(Refusal::invalid(code, zh, en).on("card").but(other_way.0, other_way.1))
    };
    if code.city != ctx.node {
        return Err(refuse(
            "T02-WIN-009",
            "这张证照由别的市签发，本市不能据此找到人",
            "This licence was issued by another city; this city cannot find its holder by it",
        ));
    }
    let Redeemed::Good { licence, .. } = present::redeem(tx, ctx, code, ctx.node, &actor)? else {
        return Err(refuse(
            "T02-WIN-010",
            "这个亮证码已经用过或者过期",
            "This code was used before, or its minute is over",
        ));
    };
    let licence = licences::find(tx, licence)?.filter(|licence| licence.standing.is_in_force(ctx.now.date()));
    let Some(holder) = licence.and_then(|licence| licence.holder) else {
        return Err(refuse(
            "T02-WIN-011",
            "这张证照现在无效，或者不是个人的",
            "This licence is not in force, or no person holds it",
        ));
    };
    let person = people::get(tx, &parts.vault, holder)?;
    if person.status != people::PersonStatus::Active {
        return Err(inactive().into());
    }
    Ok(person)
}

/// Goes on with a draft of the person who stands here; what she filled in and agreed to stays.
fn take_up(
    tx: &mut Tx<'_>,
    ctx: &Ctx,
    parts: &Parts,
    clerk: &Clerk,
    person: &Person,
    code: &str,
) -> Result<Draft> {
    let drafts = draft::of_person(tx, &parts.env, person.id)?;
    let held = drafts.into_iter().find(|draft| draft.code == code).ok_or_else(|| {
        Refusal::invalid(
            "T02-WIN-012",
            "本人没有这个编号的草稿，或者已经提交",
            "The person has no draft of that code, or it has been handed in",
        )
        .on("draft")
        .but(
            "核对草稿页上的 8 位编号；也可以不填编号，重新收件",
            "See the 8 characters on the page of the draft, or start anew without",
        )
    })?;
    if held.office.as_ref() == Some(&clerk.office) {
        return Ok(held);
    }
    let taken = draft::take_over(tx, ctx, &parts.env, held.id, held.version, Channel::Window)?;
    let agreed = super::consent::latest(tx, taken.id)?
        .is_some_and(|consent| consent.state == ConsentState::Given && !consent.is_expired(ctx.now));
    if agreed {
        super::draft::tick_consent(tx, ctx, parts, taken.id, true)?;
    }
    let (case, item, city) = (case_of(taken.id)?, taken.item, taken.deciding);
    let note = Note { kind: Kind::TakenUp, case, item, city, ground: None };
    journal::note(tx, ctx, (&clerk.office, clerk.staff), ctx.id(MessageId::new), &note)?;
    audit::line(tx, ctx, "case.draft", taken.id.as_str(), "taken_up")?;
    Ok(taken)
}

/// The person of number and name in this city's register, or why not and what to do.
fn identify(tx: &mut Tx<'_>, parts: &Parts, card: &Card) -> Result<Person> {
    let person = people::by_number(tx, &parts.vault, &card.number)?.ok_or_else(|| {
        Refusal::invalid(
            "T02-WIN-005",
            "本市人口登记中没有这个号码",
            "This city's register does not know this number",
        )
        .on("number")
        .but(
            "请先办理居住登记，或到户籍所在城市的专窗、网站提出",
            "Register the residence first, or apply at the window or site of the city of the household",
        )
    })?;
    let claim = Claim { number: card.number, name: card.name.clone(), phone: String::new() };
    if match_claim(&claim, Proof::Counter, Some(&person)).person.is_some() {
        return Ok(person);
    }
    if person.status != people::PersonStatus::Active {
        return Err(inactive().into());
    }
    Err(Refusal::invalid("T02-WIN-007", "姓名与登记不一致", "The name differs from the register")
        .on("name")
        .but(
            "照身份证重新输入；仍不一致的，先到公安户政窗口核对",
            "Type it from the card; if it still differs, have the register checked",
        )
        .into())
}

fn inactive() -> Refusal {
    Refusal::invalid("T02-WIN-006", "登记状态不正常，不能收件", "The entry in the register is not active")
        .on("number")
        .but("请先到公安户政窗口核对登记", "Have the entry checked at the household registry first")
}

/// The city that decides, in words.
pub(super) fn deciding_name(visit: &Visit, city: Option<NodeId>) -> String {
    city.map(|city| city_name(&visit.app, visit.lang, city)).unwrap_or_default()
}
