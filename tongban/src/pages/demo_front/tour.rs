//! The journey as a guided tour (导览): each step knows its page, its person, its element, and when it is done.
//!
//! The cookie says which step a browser is at and since when; what has happened since is read from the cities
//! themselves, so that a step is done when it really is. Links sign in; nothing else of the product knows of the tour.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use tb_base::{CaseId, NodeId, PersonId, Result, Timestamp};
use tb_case::acts;
use tb_case::case::{Phase, PhaseKind};
use tb_case::queue;
use tb_identity::accounts;
use tb_licence::present;
use tb_store::Tx;
use tb_web::{Form, PageResult, TourBar, TourGuide, Visit, redirect};

use super::people::enter;
use super::{DemoCity, DemoDoor};

/// Where she lives and applies, and who decides.
const HOME: &str = "430100";
const DECIDES: &str = "430300";
/// Every step, in order.
const STOPS: [Stop; 8] = [
    Stop {
        node: HOME,
        login: "driver",
        next: "/items/121",
        places: &["/items/121", "/drafts/", "/cases/"],
        marks: &["apply", "draft", "consent", "submit"],
        zh: "周晓梅户籍在湘潭，住长沙。她在“我的长沙”申请换发从业资格证，由湘潭决定；旧证和身份信息由湘潭取来，不用带。",
        en: "Zhou Xiaomei is registered in Xiangtan and lives in Changsha. On Changsha's site she asks for a new certificate; Xiangtan decides, and gives her papers, so she brings none.",
        zh_link: "以周晓梅申请",
        en_link: "Apply as her",
    },
    Stop {
        node: DECIDES,
        login: "reviewer1",
        next: "/office",
        places: &["/office/cases/"],
        marks: &["act"],
        zh: "办件移交到了湘潭。审查人员看材料：要么一次告知补正，要么受理。请受理。",
        en: "The case went to Xiangtan. Its reviewer asks once for what is missing, or accepts. Accept it.",
        zh_link: "以审查人员受理",
        en_link: "Accept as the reviewer",
    },
    Stop {
        node: DECIDES,
        login: "reviewer1",
        next: "/office",
        places: &["/office/cases/"],
        marks: &["act"],
        zh: "审查人员提出意见：符合条件，建议准予。",
        en: "The reviewer gives an opinion: the conditions are met.",
        zh_link: "以审查人员提意见",
        en_link: "Give the opinion",
    },
    Stop {
        node: DECIDES,
        login: "approver1",
        next: "/office",
        places: &["/office/cases/"],
        marks: &["act"],
        zh: "审查的人不能决定。审批人员准予，新证签发，旧证当即失效。",
        en: "Who examined may not decide. The approver grants it; the new certificate ends the old one at once.",
        zh_link: "以审批人员决定",
        en_link: "Decide as the approver",
    },
    Stop {
        node: HOME,
        login: "window1",
        next: "/window",
        places: &["/window/cases/"],
        marks: &["handover"],
        zh: "回到长沙专窗：核对身份证，请她在框里签名，把新证交给她。",
        en: "Back at Changsha's counter: look at her card, let her sign in the frame, hand the certificate over.",
        zh_link: "以专窗人员交付",
        en_link: "Hand it over at the counter",
    },
    Stop {
        node: HOME,
        login: "driver",
        next: "/licences",
        places: &["/licences"],
        marks: &["show"],
        zh: "她出示新证：从业资格证上点“亮证”，一分钟内有效的一次性码。",
        en: "She shows the new certificate: a code that is good once, for a minute.",
        zh_link: "以周晓梅亮证",
        en_link: "Show it as her",
    },
    Stop {
        node: "430200",
        login: "inspector1",
        next: "/verify",
        places: &["/verify"],
        marks: &["verify"],
        zh: "株洲的执法人员扫她的码，当场向湘潭核验。码过期了就请她换一个。",
        en: "An inspector in Zhuzhou scans the code and verifies live with Xiangtan. If it is over, she makes another.",
        zh_link: "以执法人员核验",
        en_link: "Verify as the inspector",
    },
    Stop {
        node: HOME,
        login: "driver",
        next: "/looks",
        places: &["/looks"],
        marks: &["look"],
        zh: "她看到谁看过她的数据：哪个市、谁、为什么，每一条都有证明。",
        en: "She sees who looked at her data: which city, who, why, each with a proof.",
        zh_link: "以周晓梅查看",
        en_link: "See who looked",
    },
];

/// A step of the tour.
struct Stop {
    node: &'static str,
    /// Who does it, before the `@`.
    login: &'static str,
    /// Where it begins, as long as there is no case.
    next: &'static str,
    /// Beginnings of the addresses where it is done.
    places: &'static [&'static str],
    /// The elements that belong to it.
    marks: &'static [&'static str],
    zh: &'static str,
    en: &'static str,
    zh_link: &'static str,
    en_link: &'static str,
}

/// A step as the front of the demo lists it.
#[derive(Serialize)]
pub struct Step {
    /// What happens.
    pub text: String,
    /// What the link says.
    pub link: String,
    /// The link, which signs in.
    pub href: String,
    /// In which city.
    pub node: NodeId,
}

/// Where a browser stands: at which step, in a tour that began at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stand {
    step: usize,
    since: Timestamp,
}

impl Stand {
    fn parse(text: &str) -> Option<Stand> {
        let (step, since) = text.split_once('.')?;
        let step = step.parse().ok().filter(|step| *step < STOPS.len())?;
        Some(Stand { step, since: Timestamp(since.parse().ok()?) })
    }

    fn of(visit: &Visit) -> Option<Stand> {
        visit.tour_stand.as_deref().and_then(Stand::parse)
    }

    fn text(self) -> String {
        format!("{}.{}", self.step, self.since.micros())
    }
}

/// What has happened since the tour began.
#[derive(Clone, Copy, Default)]
struct Seen {
    case: Option<CaseId>,
    /// Where it stands in the city that decides.
    phase: Option<PhaseKind>,
    /// Where it stands as far as the city where she lives has heard.
    heard: Option<PhaseKind>,
    /// Whether the reviewer gave an opinion.
    is_reviewed: bool,
    is_shown: bool,
    is_verified: bool,
}

impl Seen {
    /// Whether a step is done; the last one is when its page is seen.
    fn has(self, step: usize) -> bool {
        let is_beyond = |phase: Option<PhaseKind>, phases: &[PhaseKind]| {
            phase.is_some_and(|phase| !phases.contains(&phase))
        };
        let beyond = |phases: &[PhaseKind]| is_beyond(self.phase, phases);
        let open = [PhaseKind::Offered, PhaseKind::Received, PhaseKind::Correcting];
        let accepted = [open.as_slice(), &[PhaseKind::Accepted]].concat();
        match step {
            // Only when the other city has it can anybody go on there.
            0 => self.case.is_some() && self.phase != Some(PhaseKind::Offered),
            1 => beyond(&open),
            2 => self.is_reviewed || beyond(&accepted),
            // The counter must have heard of it before it can hand anything over.
            3 => is_beyond(self.heard, &[accepted.as_slice(), &[PhaseKind::Decided]].concat()),
            4 => beyond(&[accepted.as_slice(), &[PhaseKind::Decided, PhaseKind::Delivering]].concat()),
            5 => self.is_shown,
            6 => self.is_verified,
            _ => false,
        }
    }
}

/// Leads the tour through the cities that are opened later.
pub fn guide(token: String, cities: Arc<OnceLock<Vec<DemoCity>>>) -> TourGuide {
    TourGuide::by(move |visit| {
        let (token, cities) = (token.clone(), cities.clone());
        Box::pin(async move { bar(&visit, &token, cities.get()?).await })
    })
}

/// What the bar says here; none where the cities of the tour do not all run in this process.
async fn bar(visit: &Visit, token: &str, cities: &[DemoCity]) -> Option<TourBar> {
    let stand = Stand::of(visit)?;
    let (home, decides) = (city(cities, HOME)?, city(cities, DECIDES)?);
    let seen = match seen(home, decides, stand.since).await {
        Ok(seen) => seen,
        Err(error) => {
            tracing::warn!(%error, "the tour cannot see how far it is");
            return None;
        }
    };
    let (lang, stop) = (visit.lang, &STOPS[stand.step]);
    let is_here = is_at(visit, stop);
    let is_done = seen.has(stand.step) || (is_here && stand.step + 1 == STOPS.len());
    let way = match (is_done, is_here) {
        (true, _) if stand.step + 1 == STOPS.len() => Some((
            "/demo".to_owned(),
            lang.t("走完了，回演示首页", "That was all; back to the demo").to_owned(),
        )),
        (true, _) => way(visit, token, seen, stand.step + 1),
        (false, false) => way(visit, token, seen, stand.step),
        (false, true) => None,
    };
    Some(TourBar {
        step: stand.step + 1,
        count: STOPS.len(),
        text: lang.t(stop.zh, stop.en).to_owned(),
        is_done,
        // Where she sees her case there is nothing to press.
        marks: if visit.path.starts_with("/cases/") { &[] } else { stop.marks },
        is_here,
        way,
    })
}

fn city<'a>(cities: &'a [DemoCity], node: &str) -> Option<&'a DemoCity> {
    cities.iter().find(|city| city.node.as_str() == node)
}

/// Whether this is a page of the step, in its city, for the person who does it.
fn is_at(visit: &Visit, stop: &Stop) -> bool {
    let who = visit.account.as_ref().map(|account| account.name.as_str());
    let wanted = tb_identity::seed::demo_accounts(visit.ctx.node);
    let login = login(stop);
    let is_she = wanted.iter().any(|it| it.login == login && Some(it.name.as_str()) == who);
    visit.ctx.node.as_str() == stop.node
        && is_she
        && stop.places.iter().any(|place| visit.path.starts_with(place))
}

fn login(stop: &Stop) -> String {
    format!("{}@{}", stop.login, stop.node)
}

/// The link to a step, which signs in and moves the tour there.
fn way(visit: &Visit, token: &str, seen: Seen, step: usize) -> Option<(String, String)> {
    let (lang, stop) = (visit.lang, &STOPS[step]);
    let front = visit.app.cities.iter().find(|city| city.node.as_str() == stop.node)?;
    let next = match (stop.next, seen.case) {
        ("/office" | "/window", Some(case)) => format!("{}/cases/{case}", stop.next),
        // The code on her screen is what the inspector scans.
        ("/verify", _) => match visit.param("c") {
            Some(code) => format!("/verify?code={code}"),
            None => stop.next.to_owned(),
        },
        _ => stop.next.to_owned(),
    };
    let href = format!("{}&tour={step}", enter(front, token, &login(stop), &next));
    Some((href, lang.t(stop.zh_link, stop.en_link).to_owned()))
}

/// Looks at both cities for what has happened.
async fn seen(home: &DemoCity, decides: &DemoCity, since: Timestamp) -> Result<Seen> {
    let vault = home.parts.vault.clone();
    let case = home.parts.store.read("demo.tour.case", move |tx| {
        let Some(person) = driver(tx, &vault, HOME)? else { return Ok(None) };
        let page = queue::narrowed_of_person(tx, person, &queue::Filter::default(), &BTreeSet::new(), 0)?;
        let rows = page.rows.into_iter().filter(|row| since <= row.collected);
        Ok(rows.max_by_key(|row| row.collected).map(|row| (row.case, row.phase)))
    });
    let Some((case, phase)) = case.await? else { return Ok(Seen::default()) };
    let vault = decides.parts.vault.clone();
    let there = decides.parts.store.read("demo.tour.there", move |tx| {
        let held = match acts::owned(tx, case) {
            Ok(held) => Some(held),
            // It is on its way.
            Err(tb_base::Error::Refused(_)) => None,
            Err(error) => return Err(error),
        };
        let shown = match driver(tx, &vault, DECIDES)? {
            Some(person) => present::of_holder(tx, person)?,
            None => Vec::new(),
        };
        Ok((held, shown))
    });
    let (held, shown) = there.await?;
    let phase_there = held.as_ref().map(|held| held.phase.kind());
    let shown = shown.iter().filter(|it| since <= it.expires.plus_seconds(-present::CODE_SECONDS));
    Ok(Seen {
        case: Some(case),
        phase: phase_there.or(Some(phase)),
        heard: Some(phase),
        is_reviewed: held.is_some_and(|it| matches!(it.phase, Phase::Accepted { opinion: Some(_), .. })),
        is_shown: shown.clone().next().is_some(),
        is_verified: shown.clone().any(|it| it.redeemed_at.is_some()),
    })
}

/// The driver in a city's register.
fn driver(tx: &mut Tx<'_>, vault: &tb_crypto::Vault, node: &str) -> Result<Option<PersonId>> {
    let account = accounts::by_login(tx, vault, &format!("driver@{node}"))?;
    Ok(account.and_then(|account| match account.actor {
        tb_base::Actor::Resident { person, .. } => Some(person),
        _ => None,
    }))
}

/// The journey as the front lists it: who does what, with a link that signs in and leads there.
pub fn steps(visit: &Visit, door: &DemoDoor) -> Vec<Step> {
    let lang = visit.lang;
    let step = |stop: &Stop| {
        let front = visit.app.cities.iter().find(|city| city.node.as_str() == stop.node)?;
        Some(Step {
            text: lang.t(stop.zh, stop.en).to_owned(),
            link: lang.t(stop.zh_link, stop.en_link).to_owned(),
            href: enter(front, &door.token, &login(stop), stop.next),
            node: front.node,
        })
    };
    STOPS.iter().filter_map(step).collect()
}

/// Whether the cities of the tour all run in this process.
pub fn is_whole(door: &DemoDoor) -> bool {
    STOPS.iter().all(|stop| city(door.cities(), stop.node).is_some())
}

/// Where the tour goes on after a link of it was followed: the same tour, at another step.
pub fn moved(visit: &Visit, step: Option<usize>) -> Option<String> {
    let (stand, step) = (Stand::of(visit)?, step.filter(|step| *step < STOPS.len())?);
    Some(Stand { step, ..stand }.text())
}

/// POST /demo/tour: `do=start`, `do=next` or `do=stop`.
pub async fn act(visit: Visit, form: Form, door: DemoDoor) -> PageResult {
    let fields = form.fields();
    let back = visit.came_from.clone().unwrap_or_else(|| "/demo".to_owned());
    match (fields.value("do"), Stand::of(&visit)) {
        ("start", _) => {
            let stand = Stand { step: 0, since: visit.ctx.now };
            let first = &STOPS[0];
            // A form may not lead to another site; there the bar shows the way.
            let next = match visit.ctx.node.as_str() == first.node {
                true => {
                    format!("/demo/enter?token={}&login={}&next={}", door.token, login(first), first.next)
                }
                false => "/demo".to_owned(),
            };
            Ok(visit.touring(Some(&stand.text()), redirect(&next)))
        }
        ("next", Some(stand)) => {
            let step = (stand.step + 1).min(STOPS.len() - 1);
            Ok(visit.touring(Some(&Stand { step, ..stand }.text()), redirect(&back)))
        }
        _ => Ok(visit.touring(None, redirect(&back))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_of_another_hand_is_no_stand() {
        let stand = Stand { step: 3, since: Timestamp(1_788_742_800_000_000) };
        assert_eq!(Stand::parse(&stand.text()), Some(stand));
        for text in ["", "3", "x.1", "8.1", "99.1", "3.", "-1.5"] {
            assert_eq!(Stand::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_step_is_done_when_the_case_has_come_so_far() {
        let done = |phase, is_reviewed| {
            let seen = Seen { phase: Some(phase), heard: Some(phase), is_reviewed, ..Seen::default() };
            (0..STOPS.len()).filter(|step| seen.has(*step)).collect::<Vec<_>>()
        };
        assert_eq!(done(PhaseKind::Offered, false), Vec::<usize>::new());
        assert_eq!(done(PhaseKind::Correcting, false), Vec::<usize>::new());
        assert_eq!(done(PhaseKind::Accepted, false), [1]);
        assert_eq!(done(PhaseKind::Accepted, true), [1, 2]);
        assert_eq!(done(PhaseKind::Delivering, false), [1, 2, 3]);
        assert_eq!(done(PhaseKind::Delivered, false), [1, 2, 3, 4]);
    }
}
