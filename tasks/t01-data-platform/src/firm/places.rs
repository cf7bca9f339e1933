//! What an enterprise can get done here (企业可办事项), and what policies give it (惠企政策): honestly.

use std::sync::Arc;

use askama::Template;
use serde::Serialize;
use tb_case::definitions::Item;
use tb_identity::enterprises::Enterprise;
use tb_identity::grants::{Matter, Standing, decide};
use tb_identity::permit::Action;
use tb_web::{Frame, Lang, PageError, PageResult, Visit, ui};

use super::{Shared, named, of_page, permit};
use crate::parts::Parts;

/// How the list of items names enterprises.
const ENTERPRISE_ZH: &str = "法人";
/// How a worked-out definition names them.
const ENTERPRISE: &str = "enterprise";

#[derive(Template, Serialize)]
#[template(path = "t01/firm_items.html")]
struct ItemsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    /// How many of them an enterprise can hand in on this site.
    online: usize,
    items: Vec<Line>,
}

/// An item for enterprises.
#[derive(Serialize)]
struct Line {
    no: u16,
    name: String,
    #[serde(skip)]
    name_lang: &'static str,
    department: String,
    /// Whether an enterprise can hand it in here; otherwise it is a guide.
    online: bool,
    /// Whether people apply for it as well.
    for_people: bool,
}

#[derive(Template, Serialize)]
#[template(path = "t01/firm_benefits.html")]
struct BenefitsPage {
    frame: Frame,
    #[serde(skip)]
    lang: Lang,
    name: String,
    /// Policies that are listed: none in this version.
    listed: usize,
}

/// GET /firm/items: every item for enterprises, those that can be handed in first.
pub async fn items(visit: Visit, parts: Shared) -> PageResult {
    permit(&visit.ctx, Action::ActForEnterprise)?;
    let of_firms = parts.catalogue.items().filter(|item| is_for_enterprises(item));
    let mut items: Vec<Line> = of_firms.map(|item| line(&visit, &parts, item)).collect();
    items.sort_by_key(|line| (!line.online, line.no));
    let frame = visit.frame("企业可以办的事", "What an enterprise can get done");
    visit.page(ItemsPage {
        frame: frame.crumb("首页", "Start", "/").crumb("我的企业", "My enterprise", "/firm"),
        lang: visit.lang,
        online: items.iter().filter(|line| line.online).count(),
        items,
    })
}

/// GET /firm/benefits?firm=: for whom the grant covers it.
pub async fn benefits(visit: Visit, _: Shared) -> PageResult {
    let firm = covered(&visit, Matter::Benefits).await?;
    let frame = visit.frame("惠企政策", "Benefits for enterprises").airy();
    visit.page(BenefitsPage {
        frame: frame.crumb("首页", "Start", "/").crumb(
            "我的企业",
            "My enterprise",
            &format!("/firm?firm={}", firm.uscc),
        ),
        lang: visit.lang,
        name: firm.name,
        listed: 0,
    })
}

/// The enterprise of a page that needs a matter.
async fn covered(visit: &Visit, matter: Matter) -> Result<Enterprise, PageError> {
    let (person, _) = permit(&visit.ctx, Action::ActForEnterprise)?;
    let (ctx, wanted) = (visit.ctx.clone(), named(visit));
    let read = visit.app.store.read("t01.firm.covered", move |tx| {
        let (firm, standing): (Enterprise, Standing) = of_page(tx, person, wanted, &ctx)?;
        decide::covers(&standing, matter)?;
        Ok(firm)
    });
    Ok(read.await?)
}

fn is_for_enterprises(item: &Item) -> bool {
    item.entry.audience.iter().any(|who| who == ENTERPRISE_ZH)
}

fn line(visit: &Visit, parts: &Arc<Parts>, item: &Item) -> Line {
    let (lang, no) = (visit.lang, item.entry.number);
    let rules = visit.app.cities.iter().find_map(|city| parts.catalogue.rules(no, city.node));
    let online = rules.is_some_and(|rules| rules.item.audience.iter().any(|who| who == ENTERPRISE));
    let english = (parts.english)(no).filter(|_| lang.is_english());
    let name_lang = if english.is_some() { "en" } else { "zh-CN" };
    Line {
        no,
        name: english.unwrap_or_else(|| item.entry.title.clone()),
        name_lang,
        department: item.entry.department.clone(),
        online,
        for_people: 1 < item.entry.audience.len(),
    }
}

impl Line {
    fn tag(&self, lang: &Lang) -> tb_web::Html {
        match self.online {
            true => ui::tag("done", lang.t("企业可在线办", "Hand in here")),
            false => ui::tag("plain", lang.t("办理指引", "Guide only")),
        }
    }
}
