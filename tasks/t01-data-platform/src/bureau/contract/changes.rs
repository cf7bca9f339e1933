//! What a version of a contract changes against the one before it (版本差异), in words.

use std::collections::BTreeSet;

use serde::Serialize;
use tb_exchange::{Contract, Desk};
use tb_web::{Lang, ui};

use super::ContractPage;
use crate::bureau::contracts::version_word;
use crate::bureau::words::service_word;

/// What changed since which version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Changes {
    /// The version before.
    pub before: u32,
    /// Nothing where only days and signatures are new.
    pub all: Vec<Change>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(super) enum Change {
    ServiceAdded { service: String },
    ServiceGone { service: String },
    Purposes { service: String, added: BTreeSet<String>, gone: BTreeSet<String> },
    Fields { service: String, added: BTreeSet<String>, gone: BTreeSet<String> },
    Quota { service: String, before: u32, after: u32 },
    Retention { before: u32, after: u32 },
}

/// What a contract in force changes against the version before it; nothing where none was in force here.
pub(super) fn of(desk: &Desk, contract: &Contract) -> Option<Changes> {
    let ever = desk.contracts_ever().into_iter().map(|signed| signed.contract);
    let before = ever.filter(|it| it.id == contract.id && it.version < contract.version);
    before.max_by_key(|it| it.version).map(|before| between(&before, contract))
}

/// What one version changes against another.
fn between(before: &Contract, after: &Contract) -> Changes {
    let mut all = Vec::new();
    for (service, terms) in &after.services {
        let Some(old) = before.services.get(service) else {
            all.push(Change::ServiceAdded { service: service.clone() });
            continue;
        };
        let (added, gone) = apart(&old.purposes, &terms.purposes);
        if !(added.is_empty() && gone.is_empty()) {
            all.push(Change::Purposes { service: service.clone(), added, gone });
        }
        let (added, gone) = apart(&old.fields, &terms.fields);
        if !(added.is_empty() && gone.is_empty()) {
            all.push(Change::Fields { service: service.clone(), added, gone });
        }
        if old.quota_per_day != terms.quota_per_day {
            let (before, after) = (old.quota_per_day, terms.quota_per_day);
            all.push(Change::Quota { service: service.clone(), before, after });
        }
    }
    let gone = before.services.keys().filter(|service| !after.services.contains_key(*service));
    all.extend(gone.map(|service| Change::ServiceGone { service: service.clone() }));
    if before.retention_days != after.retention_days {
        all.push(Change::Retention { before: before.retention_days, after: after.retention_days });
    }
    Changes { before: before.version, all }
}

fn apart(before: &BTreeSet<String>, after: &BTreeSet<String>) -> (BTreeSet<String>, BTreeSet<String>) {
    (after.difference(before).cloned().collect(), before.difference(after).cloned().collect())
}

impl ContractPage {
    /// `与第 2 版相比`.
    pub(super) fn compared(&self, changes: &Changes) -> String {
        let before = version_word(self.lang, changes.before);
        match self.lang {
            Lang::Zh => format!("与{before}相比："),
            Lang::En => format!("Compared with {before}:"),
        }
    }

    pub(super) fn changed(&self, changes: &Changes) -> ui::Summary {
        ui::Summary { rows: changes.all.iter().map(|change| self.change_row(change)).collect() }
    }

    fn change_row(&self, change: &Change) -> ui::SummaryRow {
        let lang = self.lang;
        let row = |service: &str, what: &str, value: String| {
            ui::SummaryRow::new(format!("{}{}{what}", service_word(lang, service), lang.t("：", ": ")), value)
        };
        let (purposes, fields) = (lang.t("用途", "purposes"), lang.t("字段", "fields"));
        match change {
            Change::ServiceAdded { service } => {
                ui::SummaryRow::new(service_word(lang, service), lang.t("新增的服务", "a new service"))
            }
            Change::ServiceGone { service } => {
                ui::SummaryRow::new(service_word(lang, service), lang.t("不再允许", "no longer allowed"))
            }
            Change::Purposes { service, added, gone } => {
                row(service, purposes, self.moved(&self.purpose_words(added), &self.purpose_words(gone)))
            }
            Change::Fields { service, added, gone } => {
                row(service, fields, self.moved(&self.field_words(added), &self.field_words(gone)))
            }
            Change::Quota { service, before, after } => {
                let quota = lang.t("一天最多", "a day at most");
                row(service, quota, format!("{} → {}", lang.number(*before), lang.number(*after)))
            }
            Change::Retention { before, after } => {
                let days = |days: u32| lang.count(days, "天", "day", "days");
                let kept = lang.t("对方最多留存", "Kept for at most");
                ui::SummaryRow::new(kept, format!("{} → {}", days(*before), days(*after)))
            }
        }
    }

    /// `增加 甲、乙；取消 丙`.
    fn moved(&self, added: &str, gone: &str) -> String {
        let lang = self.lang;
        let part = |word, what: &str| (!what.is_empty()).then(|| format!("{word} {what}"));
        let parts = [part(lang.t("增加", "added:"), added), part(lang.t("取消", "taken away:"), gone)];
        parts.into_iter().flatten().collect::<Vec<_>>().join(lang.t("；", "; "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use tb_exchange::{Contract, ServiceTerms};

    use super::{Change, Changes, between};

    fn contract(version: u32, services: &[(&str, &str, &str, u32)], retention_days: u32) -> Contract {
        let set = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        let services: BTreeMap<_, _> = services
            .iter()
            .map(|(name, purposes, fields, quota)| {
                let (purposes, fields) = (set(purposes), set(fields));
                ((*name).to_owned(), ServiceTerms { purposes, fields, quota_per_day: *quota })
            })
            .collect();
        let parties = ["430100".parse().unwrap(), "430300".parse().unwrap()];
        let (id, effective) = ("czt-430100-430300".parse().unwrap(), "2026-01-01".parse().unwrap());
        Contract { id, version, parties, effective, services, retention_days }
    }

    #[track_caller]
    fn check(after: &[(&str, &str, &str, u32)], retention_days: u32, expected: Vec<Change>) {
        let before = contract(2, &[("a/1/x", "121", "name class", 5), ("b/1/y", "*", "", 9)], 30);
        let found = between(&before, &contract(3, after, retention_days));
        assert_eq!(found, Changes { before: 2, all: expected });
    }

    #[test]
    fn each_kind_of_change_is_found_and_nothing_else() {
        let set = |text: &str| text.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
        let (a, b) = (("a/1/x", "121", "name class", 5), ("b/1/y", "*", "", 9));
        let name = |name: &str| name.to_owned();
        check(&[a, b], 30, vec![]);
        check(&[a], 30, vec![Change::ServiceGone { service: name("b/1/y") }]);
        check(&[a, b, ("c/1/z", "*", "", 1)], 30, vec![Change::ServiceAdded { service: name("c/1/z") }]);
        let purposes = Change::Purposes { service: name("a/1/x"), added: set("9"), gone: set("121") };
        check(&[("a/1/x", "9", "name class", 5), b], 30, vec![purposes]);
        let fields = Change::Fields { service: name("a/1/x"), added: set("photo"), gone: set("class") };
        check(&[("a/1/x", "121", "name photo", 5), b], 30, vec![fields]);
        let quota = Change::Quota { service: name("b/1/y"), before: 9, after: 10 };
        check(&[a, ("b/1/y", "*", "", 10)], 30, vec![quota]);
        check(&[a, b], 60, vec![Change::Retention { before: 30, after: 60 }]);
    }
}
