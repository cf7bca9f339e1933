//! What this task needs beside the application (所需部件), and how sites learn who is signed in.

use std::sync::Arc;

use tb_case::Catalogue;
use tb_crypto::Vault;
use tb_exchange::Desk;
use tb_exchange::keys::Secrets;
use tb_identity::accounts::{self, Door};
use tb_identity::enterprises;
use tb_licence::types::{LicenceType, Types};
use tb_web::session;

use crate::evidence::CaseEvidence;
use crate::limits::Limits;

/// A name that a definition gives: Chinese, then English.
pub type Named = Arc<dyn Fn(&str) -> Option<(String, String)> + Send + Sync>;

/// The English name of an item by its number.
pub type English = Arc<dyn Fn(u16) -> Option<String> + Send + Sync>;

/// The name of a field among those that were seen with it: licence types call the same id differently.
pub type NamedAmong = Arc<dyn Fn(&str, &[String]) -> Option<(String, String)> + Send + Sync>;

/// What codes are called (名称): definitions know it, this task does not.
#[derive(Clone)]
pub struct Words {
    /// The name of an item by its number.
    pub item: Named,
    /// The name of a field by its id.
    pub field: NamedAmong,
    /// The name of a type of licence by its id.
    pub licence: Named,
}

impl Words {
    /// Knows no name: pages show codes.
    pub fn none() -> Words {
        Words { item: Arc::new(|_| None), field: Arc::new(|_, _| None), licence: Arc::new(|_| None) }
    }

    /// The names that the definitions of items and licences give.
    pub fn of(catalogue: Arc<Catalogue>, types: Arc<Types>) -> Words {
        let (asked, kinds) = (Arc::clone(&catalogue), Arc::clone(&types));
        Words {
            item: Arc::new(move |number| {
                let item = catalogue.item(number.parse().ok()?)?;
                let zh = item.entry.title.clone();
                let en = item.title_en().map_or_else(|| zh.clone(), str::to_owned);
                Some((zh, en))
            }),
            field: Arc::new(move |id, all| {
                let known = |kind: &&LicenceType| all.iter().filter(|id| kind.field(id).is_some()).count();
                if let Some(field) = types.all().max_by_key(known).and_then(|kind| kind.field(id)) {
                    return Some((field.title.clone(), field.title_en.clone()));
                }
                let question = asked.items().find_map(|item| item.question(id))?;
                Some((question.zh.clone(), question.en.clone()))
            }),
            licence: Arc::new(move |id| {
                let kind = kinds.get(id)?;
                Some((kind.title.clone(), kind.title_en.clone()))
            }),
        }
    }
}

/// What this task needs beside the application.
#[derive(Clone)]
pub struct Parts {
    /// Opens sealed personal data.
    pub vault: Arc<Vault>,
    /// Signs parts of evidence bundles with the key for messages.
    pub secrets: Arc<Secrets>,
    /// Trust list, contracts and pseudonyms.
    pub desk: Arc<Desk>,
    /// Signs in, registers, resets passwords.
    pub door: Door,
    /// Names of items and fields.
    pub words: Words,
    /// Every item: what enterprises can get done.
    pub catalogue: Arc<Catalogue>,
    /// The English name of an item, where there is one.
    pub english: English,
    /// How long the data bureau has for what.
    pub limits: Limits,
    /// Questions to offices, and their answers.
    pub enquiry: tb_enquiry::Env,
    /// What the case block knows of a case; without it only messages and looks are proven.
    pub case_evidence: Option<CaseEvidence>,
}

/// How a site finds the account of a session: for `AppParts::session`.
pub fn session_lookup(vault: Arc<Vault>) -> session::Lookup {
    Arc::new(move |tx, token, now| {
        let Some(session) = accounts::session(tx, &vault, token, now)? else { return Ok(None) };
        let acting = match session.acting {
            Some(code) => enterprises::find(tx, &code)?.map(|firm| session::Acting { code, name: firm.name }),
            None => None,
        };
        Ok(Some(session::Account {
            acting,
            id: session.account.id,
            login: session.account.login,
            name: session.account.name,
            actor: session.account.actor,
            office_name: session.account.office.map(|office| office.name_zh),
        }))
    })
}
