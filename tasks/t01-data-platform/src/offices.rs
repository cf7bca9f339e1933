//! Offices (单位管理): made, renamed, closed when nobody works and no case lies there, opened again.
//! Serves clause 1.1.

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{DivisionCode, NodeId, OfficeId, Refusal, Result, Timestamp};
use tb_identity::offices::{self, Office, OfficeKind};
use tb_identity::permit::{Action, Permit, Scope, may};
use tb_identity::roster;
use tb_store::Tx;
use tb_web::{Choice, Field, Fields, Form, Frame, Input, Lang, PageError, PageResult, Visit, redirect, ui};

const KINDS: [Choice<'static>; 8] = [
    Choice::new("hall", "政务大厅", "Service hall"),
    Choice::new("department", "审批部门", "Department"),
    Choice::new("enforcement", "执法队伍", "Enforcement team"),
    Choice::new("bureau", "数据局", "Data bureau"),
    Choice::new("supervision", "监督机构", "Supervision"),
    Choice::new("audit", "审计机构", "Audit"),
    Choice::new("operations", "运行维护", "Operations"),
    Choice::new("court", "法院", "Court"),
];
const CODE: Field<'static> = Field::text("code", "单位代码", "Code of the office").hint(
    "小写字母、数字和连字符，定了不再改，如 hall-2；前面自动加上城市代码",
    "Small letters, digits and hyphens, for ever, such as hall-2; the code of the city goes before it",
);
const NAME_ZH: Field<'static> = Field::text("name_zh", "中文名称", "Name in Chinese");
const NAME_EN: Field<'static> = Field::text("name_en", "英文名称", "Name in English");
const KIND: Field<'static> = Field::new("kind", "类别", "Kind", Input::Select(&KINDS));
const FIND: Field<'static> =
    Field::text("name", "名称或代码", "Name or code").hint("可以只写一段", "Or a part of it");
const MAKE: [Field<'static>; 4] = [NAME_ZH, NAME_EN, CODE, KIND];
const RENAME: [Field<'static>; 2] = [NAME_ZH, NAME_EN];
const CODE_LETTERS_MAX: usize = 40;
const FIND_LETTERS_MAX: usize = 60;
const PAGE_ROWS: usize = 20;

/// The list, with the form for a new one.
#[derive(Template, Serialize)]
#[template(path = "t01/offices.html")]
struct OfficesPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    /// What was searched for.
    filter: Fields,
    rows: Vec<Row>,
    count: usize,
    #[serde(skip)]
    pager: ui::Pager,
    done: String,
}

/// One office.
#[derive(Template, Serialize)]
#[template(path = "t01/office_one.html")]
struct OfficePage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    form: Fields,
    office: Row,
    /// Cases that lie there.
    cases: i64,
    done: String,
}

#[derive(Clone, Serialize)]
struct Row {
    id: OfficeId,
    name_zh: String,
    name_en: String,
    kind: OfficeKind,
    is_closed: bool,
}

fn permit(visit: &Visit) -> Result<Permit> {
    may(&visit.ctx.actor, Action::ManageOffices, &Scope::Node(visit.ctx.node))
}

/// GET /offices
pub async fn list(visit: Visit) -> PageResult {
    let form = Fields::blank(&visit);
    let view = list_view(&visit, form).await?;
    visit.page(view)
}

/// POST /offices: makes one.
pub async fn make(visit: Visit, form: Form) -> PageResult {
    let permit = permit(&visit)?;
    let mut fields = form.fields();
    if let Some(office) = read_new(&visit, &mut fields)? {
        let (ctx, id) = (visit.ctx.clone(), office.id.clone());
        let outcome = visit
            .app
            .store
            .write("t01.office.make", move |tx: &mut Tx<'_>| roster::make_office(tx, &ctx, &permit, &office));
        if fields.take(outcome.await)?.is_some() {
            return Ok(redirect(&format!("/offices/{id}?done=made")));
        }
    }
    let view = list_view(&visit, fields).await?;
    visit.form_again(view)
}

fn read_new(visit: &Visit, fields: &mut Fields) -> Result<Option<Office>> {
    let node = visit.ctx.node;
    let names = read_names(fields);
    let code = fields.read(&CODE).max(CODE_LETTERS_MAX).check(|code| is_code(code)).required();
    let kind = fields.read(&KIND).parse::<OfficeKind>().required();
    let division: Option<DivisionCode> = node.as_str().parse().ok();
    let (Some((name_zh, name_en)), Some(code), Some(kind), Some(division)) = (names, code, kind, division)
    else {
        return Ok(None);
    };
    Ok(Some(Office { id: format!("{node}-{code}").parse()?, name_zh, name_en, kind, division }))
}

fn read_names(fields: &mut Fields) -> Option<(String, String)> {
    let zh = fields.read(&NAME_ZH).max(roster::NAME_LETTERS_MAX).required();
    let en = fields.read(&NAME_EN).max(roster::NAME_LETTERS_MAX).required();
    Some((zh?, en?))
}

fn is_code(code: &str) -> std::result::Result<(), Refusal> {
    let good = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    if code.bytes().all(good) && code.bytes().any(|letter| letter.is_ascii_lowercase()) {
        return Ok(());
    }
    Err(Refusal::invalid(
        "T01-OFF-001",
        "只用小写字母、数字和连字符，至少一个字母",
        "Only small letters, digits and hyphens, one letter at least",
    ))
}

/// GET /offices/{id}
pub async fn show(visit: Visit, id: Path<String>) -> PageResult {
    let form = Fields::blank(&visit);
    let view = one_view(&visit, &id, form).await?;
    visit.page(view)
}

/// POST /offices/{id}: `do` is `rename`, `close` or `reopen`.
pub async fn change(visit: Visit, path: Path<String>, form: Form) -> PageResult {
    let permit = permit(&visit)?;
    let id: OfficeId = path.parse().map_err(|_| missing())?;
    let mut fields = form.fields();
    let deed = fields.pressed().to_owned();
    let names = if deed == "rename" { read_names(&mut fields) } else { Some(Default::default()) };
    let Some((zh, en)) = names else {
        let view = one_view(&visit, &path, fields).await?;
        return visit.form_again(view);
    };
    let (ctx, office, act, me) = (visit.ctx.clone(), id.clone(), deed.clone(), visit.ctx.node);
    let outcome = visit.app.store.write("t01.office", move |tx: &mut Tx<'_>| match act.as_str() {
        "rename" => roster::rename_office(tx, &ctx, &permit, &office, (&zh, &en)),
        "close" if 0 < cases(tx, &office)? => Err(cases_there().into()),
        "close" if 0 < enquiries(tx, &office, me)? => Err(enquiries_there().into()),
        "close" => roster::close_office(tx, &ctx, &permit, &office),
        "reopen" => roster::reopen_office(tx, &ctx, &permit, &office),
        _ => Err(no_act().into()),
    });
    if fields.take(outcome.await)?.is_some() {
        return Ok(redirect(&format!("/offices/{id}?done={deed}")));
    }
    let view = one_view(&visit, &path, fields).await?;
    visit.form_again(view)
}

/// Running cases in the hands of an office.
fn cases(tx: &mut Tx<'_>, office: &OfficeId) -> Result<i64> {
    let never = Timestamp(0);
    Ok(tb_case::queue::urgency(tx, office, never, never, &std::collections::BTreeSet::new())?.all)
}

async fn list_view(visit: &Visit, form: Fields) -> std::result::Result<OfficesPage, PageError> {
    permit(visit)?;
    let mut filter = Fields::from_query(visit);
    let wanted =
        filter.read(&FIND).max(FIND_LETTERS_MAX).optional().flatten().unwrap_or_default().to_lowercase();
    let read = move |tx: &mut Tx<'_>| {
        let closed = roster::closed_offices(tx)?;
        Ok(offices::all(tx)?.into_iter().map(|office| row(office, &closed)).collect::<Vec<_>>())
    };
    let all: Vec<Row> = visit.app.store.read("t01.offices", read).await?;
    let fits = |row: &Row| {
        let held = [row.id.as_str(), &row.name_zh, &row.name_en];
        held.iter().any(|text| text.to_lowercase().contains(&wanted))
    };
    let found: Vec<Row> = all.into_iter().filter(fits).collect();
    let pager = ui::Pager::of(visit, found.len(), PAGE_ROWS);
    let frame = visit.frame("单位管理", "Offices").errors(&form);
    Ok(OfficesPage {
        frame: frame.crumb("账户管理", "Accounts of staff", "/accounts"),
        lang: visit.lang,
        form,
        filter,
        count: found.len(),
        rows: found.into_iter().skip(pager.page.saturating_sub(1) * PAGE_ROWS).take(PAGE_ROWS).collect(),
        pager,
        done: visit.param("done").unwrap_or_default(),
    })
}

async fn one_view(visit: &Visit, id: &str, form: Fields) -> std::result::Result<OfficePage, PageError> {
    permit(visit)?;
    let id: OfficeId = id.parse().map_err(|_| missing())?;
    let read = move |tx: &mut Tx<'_>| {
        let office = offices::find(tx, &id)?.ok_or_else(missing)?;
        let closed = roster::closed_offices(tx)?;
        Ok((cases(tx, &id)?, row(office, &closed)))
    };
    let (cases, office) = visit.app.store.read("t01.office.read", read).await?;
    let frame = visit.frame("单位", "Office").errors(&form).airy();
    let form = if form.value("name_zh").is_empty() && !form.has_errors() {
        form.with("name_zh", office.name_zh.clone()).with("name_en", office.name_en.clone())
    } else {
        form
    };
    Ok(OfficePage {
        frame: frame.crumb("单位管理", "Offices", "/offices"),
        lang: visit.lang,
        form,
        office,
        cases,
        done: visit.param("done").unwrap_or_default(),
    })
}

fn row(office: Office, closed: &std::collections::BTreeSet<OfficeId>) -> Row {
    let is_closed = closed.contains(&office.id);
    Row { id: office.id, name_zh: office.name_zh, name_en: office.name_en, kind: office.kind, is_closed }
}

fn missing() -> Refusal {
    Refusal::gone("T01-OFF-002", "没有这个单位", "There is no such office")
        .but("请从“单位管理”打开", "Open it from the list of offices")
}

fn no_act() -> Refusal {
    Refusal::invalid("T01-OFF-003", "请选择要做什么", "Choose what to do").on("do")
}

/// How many enquiries wait there for an answer.
fn enquiries(tx: &mut Tx<'_>, office: &OfficeId, me: NodeId) -> Result<i64> {
    let whose = tb_enquiry::queue::Whose::Office(office.clone());
    let never = Timestamp(0);
    Ok(tb_enquiry::queue::owed(tx, me, &whose, never, never)?.open)
}

fn enquiries_there() -> Refusal {
    Refusal::not_now("T01-OFF-006", "单位里还有没有答复的问询", "Enquiries in this office wait for an answer")
        .but("请先让单位答复或转办", "Let the office answer them or pass them on first")
}

fn cases_there() -> Refusal {
    Refusal::not_now(
        "T01-OFF-004",
        "单位手里还有没办完的件，不能撤销",
        "The office still has running cases in hand",
    )
    .but("请先办完，或按移交规定转走", "Let them be finished or handed over first")
}

impl Row {
    fn name(&self, lang: Lang) -> &str {
        lang.t(&self.name_zh, &self.name_en)
    }

    fn kind_word(&self, lang: Lang) -> &'static str {
        let known = KINDS.iter().find(|choice| choice.value == self.kind.word());
        known.map_or("", |choice| lang.t(choice.zh, choice.en))
    }

    fn state_tag(&self, lang: Lang) -> (&'static str, &'static str) {
        if self.is_closed {
            ("", lang.t("已撤销", "closed"))
        } else {
            ("done", lang.t("在用", "in use"))
        }
    }
}

impl OfficesPage {
    fn table(&self) -> ui::Table {
        let lang = self.lang;
        let rows = self.rows.iter().map(|row| {
            let (kind, word) = row.state_tag(lang);
            ui::TableRow::new(vec![
                ui::Cell::link(row.name(lang), format!("/offices/{}", row.id)),
                ui::Cell::text(row.id.as_str()),
                ui::Cell::text(row.kind_word(lang)),
                ui::Cell::tag(kind, word),
            ])
        });
        let heads = [("名称", "Name"), ("代码", "Code"), ("类别", "Kind"), ("状态", "State")];
        ui::Table {
            caption: lang.t("单位", "Offices").to_owned(),
            heads: heads.iter().map(|(zh, en)| ui::Head::text(lang.t(zh, en))).collect(),
            rows: rows.collect(),
            count: lang.count(self.count, "个单位", "office", "offices"),
            export: None,
        }
    }
}

impl OfficePage {
    fn title(&self) -> &str {
        self.office.name(self.lang)
    }

    fn summary(&self) -> ui::Summary {
        let (lang, office) = (self.lang, &self.office);
        let cases = self.cases.to_string();
        let row = |zh, en, value: &str| ui::SummaryRow::new(lang.t(zh, en), value);
        let rows = vec![
            row("代码", "Code", office.id.as_str()),
            row("类别", "Kind", office.kind_word(lang)),
            row("状态", "State", office.state_tag(lang).1),
            row("在办件", "Running cases", &cases),
        ];
        ui::Summary { rows }
    }
}
