//! Offices and staff of a city of the demo region (演示单位与人员).

use tb_base::{DivisionCode, NodeId, Result, Role, StaffId};

use super::generate::{BEGINNING, person_name, phone};
use super::random::Dice;
use crate::offices::{Office, OfficeKind};
use crate::staff::Staff;

/// Suffix of the id, kind, name in Chinese after the city's name, name in English.
const OFFICES: &[(&str, OfficeKind, &str, &str)] = &[
    ("hall-1", OfficeKind::Hall, "政务服务中心跨域通办专窗", "Service Hall, Cross-city Window"),
    ("transport", OfficeKind::Department, "交通运输局", "Transport Bureau"),
    ("market", OfficeKind::Department, "市场监督管理局", "Market Regulation Bureau"),
    ("police", OfficeKind::Department, "公安局", "Public Security Bureau"),
    (
        "human-resources",
        OfficeKind::Department,
        "人力资源和社会保障局",
        "Human Resources and Social Security Bureau",
    ),
    ("civil-affairs", OfficeKind::Department, "民政局", "Civil Affairs Bureau"),
    ("enforcement", OfficeKind::Enforcement, "交通运输综合行政执法支队", "Transport Enforcement Team"),
    ("data", OfficeKind::Bureau, "数据局", "Data Bureau"),
    (
        "supervision",
        OfficeKind::Supervision,
        "优化营商环境监督办公室",
        "Office for Supervision of the Business Environment",
    ),
    ("audit", OfficeKind::Audit, "审计局", "Audit Bureau"),
    ("operations", OfficeKind::Operations, "政务数据运行维护中心", "Operations Centre"),
    ("court", OfficeKind::Court, "中级人民法院", "Intermediate People's Court"),
];

/// Sign-in name before the `@`, role, office.
const STAFF: &[(&str, Role, &str)] = &[
    ("window1", Role::Window, "hall-1"),
    ("window2", Role::Window, "hall-1"),
    ("window3", Role::Window, "hall-1"),
    ("reviewer1", Role::Reviewer, "transport"),
    ("reviewer2", Role::Reviewer, "market"),
    ("reviewer3", Role::Reviewer, "police"),
    ("approver1", Role::Approver, "transport"),
    ("approver2", Role::Approver, "market"),
    ("approver3", Role::Approver, "police"),
    ("inspector1", Role::Inspector, "enforcement"),
    ("inspector2", Role::Inspector, "market"),
    ("bureau1", Role::Bureau, "data"),
    ("supervisor1", Role::Supervisor, "supervision"),
    ("auditor1", Role::Auditor, "audit"),
    ("admin1", Role::Administrator, "operations"),
];

/// Names of the staff whom the walk-through meets, by city.
const KNOWN: &[(&str, &str, &str)] = &[
    ("430100", "window1", "李蔚"),
    ("430100", "reviewer3", "向晨"),
    ("430100", "bureau1", "蒋白露"),
    ("430200", "window1", "谭思远"),
    ("430200", "reviewer1", "宋岚"),
    ("430200", "inspector1", "龙正南"),
    ("430200", "bureau1", "文昊"),
    ("430300", "window1", "罗静"),
    ("430300", "reviewer1", "颜立新"),
    ("430300", "approver1", "欧阳晓岚"),
    ("430300", "supervisor1", "周序"),
];

/// The offices of a city.
pub(super) fn offices(node: NodeId, zh: &str, en: &str) -> Result<Vec<Office>> {
    let division: DivisionCode = node.as_str().parse().map_err(|_| super::outside(node))?;
    OFFICES
        .iter()
        .map(|(suffix, kind, name_zh, name_en)| {
            Ok(Office {
                id: format!("{node}-{suffix}").parse()?,
                name_zh: format!("{zh}{name_zh}"),
                name_en: format!("{en} {name_en}"),
                kind: *kind,
                division: division.clone(),
            })
        })
        .collect()
}

/// The staff of a city.
pub(super) fn staff(seed: u64, node: NodeId) -> Result<Vec<Staff>> {
    let city = super::generate::place(node)?;
    STAFF
        .iter()
        .enumerate()
        .map(|(index, (login, role, office))| {
            let mut dice = Dice::of(seed, &[node.as_str(), "staff"], index);
            Ok(Staff {
                id: StaffId::new(BEGINNING, &mut dice),
                login: format!("{login}@{node}"),
                office: format!("{node}-{office}").parse()?,
                role: *role,
                name: name(seed, node, login),
                phone: Some(phone(city, 900_000 + index)),
                badge: format!("{}-{:04}", node.as_str(), 1_001 + index * 7),
            })
        })
        .collect()
}

/// The name of a member of staff, which only city and sign-in name determine.
pub(super) fn name(seed: u64, node: NodeId, login: &str) -> String {
    let known = KNOWN.iter().find(|(city, known, _)| *city == node.as_str() && *known == login);
    known.map_or_else(
        || {
            let mut dice = Dice::of(seed, &[node.as_str(), "staff-name", login], 0);
            let is_male = dice.chance(50);
            person_name(&mut dice, is_male)
        },
        |(_, _, name)| (*name).to_owned(),
    )
}

/// What an office of a city of the region is called; empty outside of it.
pub(super) fn titled(node: NodeId, suffix: &str) -> (String, String) {
    let city = super::generate::CITIES.iter().find(|(code, ..)| *code == node.as_str());
    let office = OFFICES.iter().find(|(it, ..)| *it == suffix);
    let Some(((_, zh, en), (_, _, name_zh, name_en))) = city.zip(office) else { return Default::default() };
    (format!("{zh}{name_zh}"), format!("{en} {name_en}"))
}
