//! The cast of the walk-through (角色): the people whom the demo, the journey and the tests call by name.

use tb_base::{Date, NodeId, PersonId, ResidentId, Result, Role};

use super::generate::{BEGINNING, CITIES, address, division, number, phone, place};
use super::random::Dice;
use super::{DemoAccount, ResidentAccount, SEED, offices};
use crate::people::{Person, PersonKind, PersonStatus};

/// What somebody is in the walk-through, and which registers know her.
struct Part {
    /// Key of the part and of the alias.
    key: &'static str,
    name: &'static str,
    /// County of first issue.
    prefix: &'static str,
    birth: Date,
    is_male: bool,
    has_phone: bool,
    /// City of the household and its county.
    household: (&'static str, &'static str),
    /// City where she lives, if it is another one, and its county.
    residence: Option<(&'static str, &'static str)>,
    has_account: bool,
}

const PARTS: &[Part] = &[
    Part {
        key: "driver",
        name: "周晓梅",
        prefix: "430302",
        birth: Date::constant(1985, 6, 15),
        is_male: false,
        has_phone: true,
        household: ("430300", "430302"),
        residence: Some(("430100", "430111")),
        has_account: true,
    },
    Part {
        key: "walkin",
        name: "谢国平",
        prefix: "430321",
        birth: Date::constant(1967, 3, 2),
        is_male: true,
        has_phone: false,
        household: ("430300", "430321"),
        residence: Some(("430100", "430104")),
        has_account: false,
    },
    Part {
        key: "resident1",
        name: "贺志强",
        prefix: "430124",
        birth: Date::constant(1980, 9, 21),
        is_male: true,
        has_phone: true,
        household: ("430100", "430182"),
        residence: None,
        has_account: true,
    },
    Part {
        key: "resident1",
        name: "唐雨晴",
        prefix: "430211",
        birth: Date::constant(1997, 4, 8),
        is_male: false,
        has_phone: true,
        household: ("430200", "430211"),
        residence: None,
        has_account: true,
    },
    Part {
        key: "resident1",
        name: "陈桂兰",
        prefix: "430381",
        birth: Date::constant(1952, 11, 30),
        is_male: false,
        has_phone: true,
        household: ("430300", "430381"),
        residence: None,
        has_account: true,
    },
    Part {
        key: "agent1",
        name: "彭亦凡",
        prefix: "430103",
        birth: Date::constant(1990, 2, 17),
        is_male: true,
        has_phone: true,
        household: ("430100", "430103"),
        residence: None,
        has_account: true,
    },
    Part {
        key: "agent1",
        name: "易文韬",
        prefix: "430221",
        birth: Date::constant(1988, 12, 5),
        is_male: true,
        has_phone: true,
        household: ("430200", "430212"),
        residence: None,
        has_account: true,
    },
    Part {
        key: "agent1",
        name: "沈嘉禾",
        prefix: "430304",
        birth: Date::constant(1993, 7, 26),
        is_male: false,
        has_phone: true,
        household: ("430300", "430304"),
        residence: None,
        has_account: true,
    },
    Part {
        key: OWNER,
        name: "罗建平",
        prefix: "430102",
        birth: Date::constant(1974, 5, 9),
        is_male: true,
        has_phone: true,
        household: ("430100", "430102"),
        residence: None,
        has_account: true,
    },
    Part {
        key: OWNER,
        name: "文静怡",
        prefix: "430203",
        birth: Date::constant(1982, 1, 23),
        is_male: false,
        has_phone: true,
        household: ("430200", "430203"),
        residence: None,
        has_account: true,
    },
    Part {
        key: OWNER,
        name: "胡湘云",
        prefix: "430302",
        birth: Date::constant(1979, 10, 3),
        is_male: false,
        has_phone: true,
        household: ("430300", "430302"),
        residence: None,
        has_account: true,
    },
];

/// Who represents the enterprise of the agent.
const OWNER: &str = "owner1";

/// Sequences of the cast begin here, past most of the crowd's.
const SEQUENCE: usize = 410;

/// A person of the cast, as every city may know her.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CastMember {
    /// Resident number.
    pub number: ResidentId,
    /// Name.
    pub name: &'static str,
    /// Phone, if she has one.
    pub phone: Option<String>,
}

/// The driver 周晓梅: registered in Xiangtan, lives in Changsha, has an account in both.
pub fn driver() -> Result<CastMember> {
    member(0)
}

/// 谢国平: registered in Xiangtan, lives in Changsha, has no phone and no account; he comes to the window.
pub fn walk_in() -> Result<CastMember> {
    member(1)
}

fn member(index: usize) -> Result<CastMember> {
    let part = &PARTS[index];
    Ok(CastMember { number: part.number(index)?, name: part.name, phone: part.phone(index)? })
}

impl Part {
    fn number(&self, index: usize) -> Result<ResidentId> {
        number(self.prefix, self.birth, SEQUENCE + index, self.is_male)
    }

    fn phone(&self, index: usize) -> Result<Option<String>> {
        let home = place(self.household.0.parse()?)?;
        Ok(self.has_phone.then(|| phone(home, 990_000 + index)))
    }

    /// How the register of a city knows this person, if it does.
    fn entry(&self, node: NodeId) -> Option<(PersonKind, &'static str)> {
        let (home, county) = self.household;
        if home == node.as_str() {
            return Some((PersonKind::Household, county));
        }
        let (city, county) = self.residence?;
        (city == node.as_str()).then_some((PersonKind::Residence, county))
    }

    fn alias(&self, node: NodeId) -> String {
        format!("{}@{node}", self.key)
    }
}

/// The cast in a city's register.
pub(super) fn people(node: NodeId) -> Result<Vec<Person>> {
    let mut people = Vec::new();
    for (index, part) in PARTS.iter().enumerate() {
        let Some((kind, county)) = part.entry(node) else { continue };
        let mut dice = Dice::of(SEED, &[node.as_str(), "cast"], index);
        let division = division(county)?;
        people.push(Person {
            id: PersonId::new(BEGINNING, &mut dice),
            number: part.number(index)?,
            name: part.name.to_owned(),
            phone: part.phone(index)?,
            address: address(&mut dice, &division),
            division,
            kind,
            status: PersonStatus::Active,
        });
    }
    Ok(people)
}

/// The demo accounts of residents; `register` begins with the cast.
pub(super) fn accounts(node: NodeId, register: &[Person]) -> Result<Vec<ResidentAccount>> {
    let here = PARTS.iter().filter(|part| part.entry(node).is_some());
    Ok(here
        .zip(register)
        .filter(|(part, _)| part.has_account)
        .map(|(part, person)| ResidentAccount {
            person: person.id,
            alias: part.alias(node),
            is_agent: part.key == "agent1",
        })
        .collect())
}

/// Who represents the enterprise for which a city's agent acts; `register` begins with the cast.
pub(super) fn owner(node: NodeId, register: &[Person]) -> Option<PersonId> {
    let here = PARTS.iter().filter(|part| part.entry(node).is_some());
    here.zip(register).find(|(part, _)| part.key == OWNER).map(|(_, person)| person.id)
}

/// The enterprise for which a city's agent acts.
pub(super) fn agent_firm(at: usize) -> &'static str {
    const FIRMS: [&str; 3] = ["湖南新程物流有限公司", "株洲恒锐轨道配件有限公司", "湘潭莲城食品有限公司"];
    FIRMS[at]
}

/// Sign-in name before the `@`, role, office, what there is to do.
const JOBS: &[(&str, Role, &str, &str, &str)] = &[
    (
        "window1",
        Role::Window,
        "hall-1",
        "在跨域通办专窗收件、核对身份、移交、送达",
        "Collect a case for another city, check identity, hand over, deliver",
    ),
    (
        "reviewer1",
        Role::Reviewer,
        "transport",
        "审查移交来的办件：一次告知补正、受理、提出意见",
        "Examine cases: ask once for corrections, accept, propose",
    ),
    (
        "approver1",
        Role::Approver,
        "transport",
        "作出决定，签发新版证照",
        "Decide, and issue the new version of the licence",
    ),
    (
        "inspector1",
        Role::Inspector,
        "enforcement",
        "扫码核验司机出示的从业资格证",
        "Verify the certificate that a driver shows",
    ),
    (
        "bureau1",
        Role::Bureau,
        "data",
        "看三市之间的契约、报文与检查点",
        "See contracts, messages and checkpoints between the cities",
    ),
    (
        "supervisor1",
        Role::Supervisor,
        "supervision",
        "看哪些办件临近期限、在谁手里",
        "See which cases are close to their limit, and who holds them",
    ),
    (
        "auditor1",
        Role::Auditor,
        "audit",
        "查审计记录，核对日志证明",
        "Read audit lines and check proofs of the log",
    ),
    (
        "admin1",
        Role::Administrator,
        "operations",
        "管理账号与单位；看不到办件和个人数据",
        "Manage accounts and offices; sees no case and no personal data",
    ),
];

/// The demo accounts of a city, residents first; empty for a city outside of the demo region.
pub fn demo_accounts(node: NodeId) -> Vec<DemoAccount> {
    if CITIES.iter().all(|(code, ..)| *code != node.as_str()) {
        return Vec::new();
    }
    let residents = PARTS.iter().filter(|part| part.has_account && part.entry(node).is_some()).map(|part| {
        let ((zh, en), (who_zh, who_en)) = (todo_of(part.key), who_is(part.name));
        DemoAccount {
            who_zh: who_zh.to_owned(),
            who_en: who_en.to_owned(),
            role: Role::Resident,
            login: part.alias(node),
            name: part.name.to_owned(),
            office: None,
            what_to_do_zh: zh.to_owned(),
            what_to_do_en: en.to_owned(),
        }
    });
    let staff = JOBS.iter().map(|(login, role, office, zh, en)| DemoAccount {
        who_zh: offices::titled(node, office).0,
        who_en: offices::titled(node, office).1,
        role: *role,
        login: format!("{login}@{node}"),
        name: offices::name(SEED, node, login),
        office: format!("{node}-{office}").parse().ok(),
        what_to_do_zh: (*zh).to_owned(),
        what_to_do_en: (*en).to_owned(),
    });
    residents.chain(staff).collect()
}

/// Who somebody of the cast is, as her card says it.
fn who_is(name: &str) -> (&'static str, &'static str) {
    match name {
        "周晓梅" => (
            "货车司机，户籍湘潭，住长沙；证快到期了",
            "Lorry driver of Xiangtan, lives in Changsha; her certificate ends soon",
        ),
        "贺志强" => {
            ("货车司机，住浏阳；换证办到一半", "Lorry driver in Liuyang; his renewal is under way")
        }
        "唐雨晴" => {
            ("出租车司机，住天元区；有一处要补正", "Taxi driver in Tianyuan; one thing to correct")
        }
        "陈桂兰" => (
            "退休，住韶山；看自己的证照，用长者版",
            "Retired, of Shaoshan; reads her licences in the larger view",
        ),
        "彭亦凡" => ("湖南新程物流有限公司", "Agent of a logistics firm"),
        "易文韬" => ("株洲恒锐轨道配件有限公司", "Agent of a maker of railway parts"),
        "沈嘉禾" => ("湘潭莲城食品有限公司", "Agent of a food firm"),
        _ => ("居民", "Resident"),
    }
}

fn todo_of(key: &str) -> (&'static str, &'static str) {
    match key {
        "driver" => (
            "户籍在湘潭、住在长沙的货车司机：换发从业资格证，看进度，亮证，查看谁看了我的数据",
            "A driver registered in Xiangtan and living in Changsha: renew the certificate, follow it, show it, see who looked",
        ),
        "agent1" => (
            "替企业办事的经办人：看企业登记、证照和可以办的事",
            "Acts for an enterprise: its record, licences and what it can get done",
        ),
        OWNER => (
            "企业的法定代表人：给经办人授权，随时收回",
            "Represents an enterprise: grants an agent to act for it, and takes it back",
        ),
        _ => ("查指南、看自己的证照和消息", "Read guides, own licences and notices"),
    }
}
