//! The guide of an item (办事指南), made from its definition and from nothing else.
//! Serves clauses 2.1 and 2.5.
//!
//! Invariant: what is not certain is never told as certain: officers read 待核实, others that the notice counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::Path;
use serde::Serialize;
use tb_base::{NodeId, Role};
use tb_case::ItemRules;
use tb_case::definitions::{ClockRule, Holder, Item, LimitOf, Material, Side, Source, Stage, StageId};
use tb_case::draft;
use tb_case::text::Text;
use tb_identity::people::{self, PersonKind};
use tb_web::{Choice, CityFront, Field, Fields, Frame, Html, Input, Lang, PageError, PageResult, Visit, ui};

use super::{ItemLine, find};
use crate::access::Shared;
use crate::cases::open::{OpenCase, same_item};
use crate::parts::Parts;
use crate::situations::Tile;
use crate::words::{mark, say};

/// The guide of an item that can be applied for.
#[derive(Template, Serialize)]
#[template(path = "t02/guide.html")]
struct Guide {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    item: ItemLine,
    can_apply: bool,
    /// The city that the form offers first.
    deciding: NodeId,
    /// What each city promises, in working days or other units, as text.
    promised: BTreeMap<NodeId, String>,
    /// What the law allows.
    legal: String,
    version: u32,
    definition: String,
    /// Drafts of this item that she has begun.
    drafts: Vec<String>,
    /// Cases of this item that she has under way.
    open: Vec<OpenCase>,
    #[serde(skip)]
    rules: Arc<ItemRules>,
    #[serde(skip)]
    steps: Vec<Way>,
    #[serde(skip)]
    papers: Vec<Paper>,
    #[serde(skip)]
    form: Fields,
    #[serde(skip)]
    cities: Html,
    #[serde(skip)]
    staff: bool,
}

/// A stage with the city that does it, as far as that is known.
struct Way {
    title: String,
    city: Option<ui::CityMark>,
    who: String,
    note: String,
}

/// A material: where it comes from and what is left for her to do.
struct Paper {
    title: String,
    city: Option<ui::CityMark>,
    from: String,
    why: String,
    unconfirmed: bool,
}

/// The guide of an item that the region has not defined yet.
#[derive(Template, Serialize)]
#[template(path = "t02/guide_only.html")]
struct GuideOnly {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    item: ItemLine,
    can_apply: bool,
    /// Its name as the list has it.
    original: String,
    content: String,
    audience: String,
    /// Where the row comes from; officers only.
    source: Option<String>,
    /// What may have happened to somebody who needs it.
    situations: Vec<Tile>,
}

impl Guide {
    fn s<'a>(&self, text: &'a Text) -> &'a str {
        say(self.lang, text)
    }

    /// The limits that the guide explains.
    fn limits(&self) -> [&ClockRule; 4] {
        let clocks = &self.rules.clocks;
        [&clocks.acceptance, &clocks.legal, &clocks.promised, &clocks.delivery]
    }

    /// How a source that is not certain is told.
    fn unsure(&self, unconfirmed: &bool) -> Html {
        match (*unconfirmed, self.staff) {
            (false, _) => Html::default(),
            (true, true) => ui::tag("wait", self.lang.t("待核实", "unconfirmed")),
            (true, false) => Html::escaped(self.lang.t("（以窗口答复为准）", " (ask at the window)")),
        }
    }

    fn facts(&self) -> ui::Facts {
        let (lang, rules) = (self.lang, &self.rules);
        let fact =
            |label: &str, value: String, note: String| ui::Fact { label: label.to_owned(), value, note };
        let uncertain = |unconfirmed: bool| match (unconfirmed, self.staff) {
            (true, true) => lang.t("待核实", "unconfirmed").to_owned(),
            (true, false) => lang.t("以受理后的通知为准", "the notice after acceptance counts").to_owned(),
            (false, _) => String::new(),
        };
        let promise = &rules.clocks.promised;
        let papers = self.papers.len();
        let promised = self.promised.get(&self.deciding).cloned().unwrap_or_default();
        let facts = vec![
            fact(lang.t("承诺办完", "Promised"), promised, uncertain(promise.unconfirmed)),
            fact(
                lang.t("法定最长", "By law at most"),
                self.legal.clone(),
                rules.clocks.legal.basis.clone().unwrap_or_default(),
            ),
            fact(lang.t("费用", "Fee"), self.s(&rules.fee.text).to_owned(), uncertain(rules.fee.unconfirmed)),
            fact(
                lang.t("要带", "To bring"),
                lang.t("0 份材料", "No papers").to_owned(),
                match lang {
                    Lang::Zh => format!("{papers} 份由系统取得"),
                    Lang::En => format!("{papers} are fetched"),
                },
            ),
            fact(
                lang.t("谁决定", "Who decides"),
                self.s(&rules.offices.deciding.name).to_owned(),
                String::new(),
            ),
            fact(
                lang.t("在哪办", "Where"),
                lang.t("三市任一处", "In any of the cities").to_owned(),
                lang.t("网上、跨域通办专窗", "online, or at a cross-city window").to_owned(),
            ),
        ];
        ui::Facts { facts }
    }
}

/// GET /items/{no}
pub(crate) async fn show(visit: Visit, parts: Shared, no: Path<String>) -> PageResult {
    let item = find(&parts, &no.0)?;
    match item.online() {
        true => visit.page(guide(&visit, &parts, item, Fields::blank(&visit)).await?),
        false => visit.page(guide_only(&visit, &parts, item)),
    }
}

/// The guide once more, with what is wrong in its form.
pub(crate) async fn again(visit: &Visit, parts: &Shared, no: u16, form: Fields) -> PageResult {
    let item = find(parts, &no.to_string())?;
    match item.online() {
        true => visit.form_again(guide(visit, parts, item, form).await?),
        false => Err(super::guide_only().into()),
    }
}

fn guide_only(visit: &Visit, parts: &Parts, item: &Item) -> GuideOnly {
    let line = ItemLine::of(visit.lang, parts, item);
    let situations = parts.finding.situations.with_item(item.entry.number);
    let frame =
        visit.frame(&line.name, &line.name).crumb("首页", "Start", "/").crumb("办事", "Services", "/items");
    GuideOnly {
        frame,
        lang: visit.lang,
        can_apply: false,
        original: item.entry.title.clone(),
        content: item.entry.content.clone(),
        audience: item.entry.audience.join("、"),
        source: is_staff(visit).then(|| item.entry.source.clone()),
        situations: situations.map(|it| Tile::of(visit.lang, it)).collect(),
        item: line,
    }
}

fn is_staff(visit: &Visit) -> bool {
    !matches!(visit.ctx.actor.role(), None | Some(Role::Resident))
}

async fn guide(visit: &Visit, parts: &Shared, item: &Item, form: Fields) -> Result<Guide, PageError> {
    let (home, drafts, open) = hers(visit, parts, item.entry.number).await?;
    let rules_in = |city: NodeId| parts.catalogue.rules(item.entry.number, city);
    let asked = visit.param("city").and_then(|city| city.parse::<NodeId>().ok());
    let typed = form.value("deciding").parse::<NodeId>().ok();
    let cities = [typed, asked, home, Some(visit.ctx.node)].into_iter().flatten();
    let first =
        cities.chain(visit.app.cities.iter().map(|front| front.node)).find(|city| rules_in(*city).is_some());
    let deciding = first.unwrap_or(visit.ctx.node);
    let rules = rules_in(deciding).ok_or_else(super::guide_only)?;
    let lang = visit.lang;
    let limit = |limit: LimitOf| say(lang, &limit.words()).to_owned();
    let local = visit.app.cities.iter().filter_map(|front| Some((front.node, rules_in(front.node)?)));
    let promised: BTreeMap<NodeId, String> =
        local.map(|(city, rules)| (city, limit(rules.clocks.promised.limit))).collect();
    let form =
        if form.value("deciding").is_empty() { form.with("deciding", deciding.as_str()) } else { form };
    let line = ItemLine::of(lang, parts, item);
    let frame =
        visit.frame(&line.name, &line.name).crumb("首页", "Start", "/").crumb("办事", "Services", "/items");
    Ok(Guide {
        frame: frame.errors(&form),
        lang,
        item: line,
        can_apply: true,
        deciding,
        legal: limit(rules.clocks.legal.limit),
        version: rules.item.version,
        definition: rules.sha256.clone(),
        drafts,
        open,
        steps: rules.stages.iter().map(|stage| way(visit, &rules, stage, deciding)).collect(),
        papers: rules.materials.iter().map(|material| paper(visit, material, deciding)).collect(),
        cities: choice(visit, &form, &promised),
        promised,
        form,
        staff: is_staff(visit),
        rules,
    })
}

/// Where she is registered, the drafts of this item that she has begun, and its cases that run.
async fn hers(
    visit: &Visit,
    parts: &Shared,
    no: u16,
) -> Result<(Option<NodeId>, Vec<String>, Vec<OpenCase>), PageError> {
    let Some(person) = visit.ctx.actor.person() else { return Ok((None, Vec::new(), Vec::new())) };
    let shared = Arc::clone(parts);
    let read = visit.app.store.read("t02.guide", move |tx| {
        let drafts = draft::of_person(tx, &shared.env, person)?;
        Ok((people::get(tx, &shared.vault, person)?, drafts, same_item(tx, person, no)?))
    });
    let (person, drafts, open) = read.await?;
    let home = match person.kind {
        PersonKind::Household => Some(visit.ctx.node),
        // The first four digits of the number name the city that first registered her.
        PersonKind::Residence => {
            person.number.region().get(..4).and_then(|city| format!("{city}00").parse().ok())
        }
    };
    let home = home.filter(|city| visit.app.city(*city).is_some());
    let same = drafts.into_iter().filter(|draft| draft.item == no);
    Ok((home, same.map(|draft| draft.id.to_string()).collect(), open))
}

/// The choice of the city that decides, with what each promises.
fn choice(visit: &Visit, form: &Fields, promised: &BTreeMap<NodeId, String>) -> Html {
    let offered = visit.app.cities.iter().filter_map(|front| Some((front, promised.get(&front.node)?)));
    let words: Vec<(&CityFront, String, String, String)> = offered
        .map(|(front, days)| {
            (front, format!("{}市", front.name), format!("承诺 {days}"), format!("promises {days}"))
        })
        .collect();
    let choices: Vec<Choice<'_>> = words
        .iter()
        .map(|(front, zh, note_zh, note_en)| {
            Choice::new(front.node.as_str(), zh, &front.name_en).note(note_zh, note_en)
        })
        .collect();
    let field = Field::new(
        "deciding",
        "原证是哪个市发的？由它决定",
        "Which city issued the old one? It decides",
        Input::Radio(&choices),
    );
    form.show(&match visit.ctx.actor.person() {
        Some(_) => field.hint(
            "已按您的登记选好；在哪个市提出都一样",
            "Chosen by your registration; you may apply in any city",
        ),
        None => field.hint("在哪个市提出都一样", "You may apply in any city"),
    })
}

fn way(visit: &Visit, rules: &ItemRules, stage: &Stage, deciding: NodeId) -> Way {
    let lang = visit.lang;
    let (city, who) = match stage.at {
        Side::Collecting => (
            visit.ctx.node,
            lang.t("网上，或任一跨域通办专窗", "online, or at any cross-city window").to_owned(),
        ),
        Side::Deciding => (deciding, say(lang, &rules.offices.deciding.name).to_owned()),
    };
    let limit = match stage.id {
        StageId::Accept => Some(&rules.clocks.acceptance),
        StageId::Decide => Some(&rules.clocks.promised),
        StageId::Deliver => Some(&rules.clocks.delivery),
        StageId::Collect | StageId::HandOver | StageId::Examine | StageId::Issue => None,
    };
    let note = limit.map(|clock| {
        let (text, words) = (say(lang, &clock.text), clock.limit.words());
        format!("{text}{}{}", lang.t("：", ": "), say(lang, &words))
    });
    Way {
        title: say(lang, &stage.text).to_owned(),
        city: mark(&visit.app, lang, city),
        who,
        note: note.unwrap_or_default(),
    }
}

fn paper(visit: &Visit, material: &Material, deciding: NodeId) -> Paper {
    let lang = visit.lang;
    let holder = |holder: Holder| match holder {
        Holder::DecidingCity => deciding,
        Holder::CollectingCity => visit.ctx.node,
    };
    let (city, from) = match &material.source {
        Source::Licence { from, .. } => (
            holder(*from),
            lang.t("电子证照，经您同意后调取", "electronic licence, fetched with your consent"),
        ),
        Source::Office { holder: from } => {
            (holder(*from), lang.t("由该单位内部核对", "checked by the office itself"))
        }
    };
    Paper {
        title: say(lang, &material.title).to_owned(),
        city: mark(&visit.app, lang, city),
        from: from.to_owned(),
        why: say(lang, &material.why).to_owned(),
        unconfirmed: material.unconfirmed,
    }
}
