//! The synthetic region (演示数据): people, enterprises, offices and staff that a seed number determines.
//!
//! Nobody in it is real: numbers carry right check digits and real division codes, names are drawn from lists,
//! phones lie in one block that the generator fills in order. The same number gives the same region on any machine.

mod cast;
mod generate;
mod names;
mod offices;
mod plant;
mod random;

use tb_base::{NodeId, OfficeId, PersonId, Refusal, Role};
use tb_store::Stmt;

use crate::enterprises::Enterprise;
use crate::offices::Office;
use crate::people::Person;
use crate::staff::Staff;

pub use cast::{CastMember, demo_accounts, driver, walk_in};
pub use generate::{city, is_known};
pub use plant::{is_planted, plant};

/// The password of every demo account; it exists in `demo` and `journey` only.
pub const DEMO_PASSWORD: &str = "Tongban-demo-2026";
/// The seed number of the shipped region.
pub const SEED: u64 = 20_210_410;
/// How many people a city of the shipped region has.
pub const PEOPLE: usize = 2_000;
/// How many enterprises.
pub const ENTERPRISES: usize = 400;
/// More people than that the block of phones cannot number.
pub const PEOPLE_MAX: usize = 99_999;

/// Every statement of this folder.
pub const STATEMENTS: &[Stmt] = &[plant::PLANTED, plant::MARK];

/// A city's register before it is stored.
#[derive(Clone, Debug)]
pub struct City {
    /// The node.
    pub node: NodeId,
    /// Persons; the cast first.
    pub people: Vec<Person>,
    /// Enterprises; first the one that has granted the agent to act for it.
    pub enterprises: Vec<Enterprise>,
    /// Offices.
    pub offices: Vec<Office>,
    /// Staff, all of whom get a demo account.
    pub staff: Vec<Staff>,
    /// Residents who get a demo account.
    pub accounts: Vec<ResidentAccount>,
}

/// A resident's demo account.
#[derive(Clone, Debug)]
pub struct ResidentAccount {
    /// The person.
    pub person: PersonId,
    /// The second sign-in name, such as `driver@430100`.
    pub alias: String,
    /// Whether the first enterprise of the city has granted her to act for it.
    pub is_agent: bool,
}

/// A demo account as the demo's front page and the printed list show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoAccount {
    /// The role.
    pub role: Role,
    /// The sign-in name.
    pub login: String,
    /// The name of the person.
    pub name: String,
    /// The office, where it is staff.
    pub office: Option<OfficeId>,
    /// Who she is, in Chinese: what she does and where she lives, or her office.
    pub who_zh: String,
    /// The same in English.
    pub who_en: String,
    /// What there is to do, in Chinese.
    pub what_to_do_zh: String,
    /// The same in English.
    pub what_to_do_en: String,
}

fn outside(node: NodeId) -> Refusal {
    Refusal::invalid(
        "IDN-SED-001",
        format!("{node} 不在演示区域内"),
        format!("{node} is no city of the demo region"),
    )
}
