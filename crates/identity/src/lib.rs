//! People, organisations and accounts of one city (身份认证): who somebody is, what they may do, who looked.
//! Serves clauses 1.1 and 2.4.
//!
//! Layer 3; owns the tables `identity_…`.
//! Invariants: personal data is sealed at rest and found only by keyed tags; a password is verified outside of
//! any transaction; a [`permit::Permit`] is made only by [`permit::may`]; a look and its log leaf are one write.

pub mod accounts;
pub mod enterprises;
pub mod grants;
pub mod leave;
pub mod look;
pub mod messages;
pub mod offices;
pub mod people;
pub mod permit;
pub mod register;
pub mod roster;
pub mod seed;
pub mod sms;
pub mod staff;
pub mod wording;

mod hold;
mod sealed;
mod secret;
mod words;

use tb_store::{Migration, Schema};

/// What this crate owns in the database.
pub const SCHEMA: Schema = Schema {
    owner: "identity",
    migrations: &[
        Migration {
            name: "0001_identity",
            sql: include_str!("../migrations/0001_identity.sql"),
            sha256: "7de58b74e2ba21a02c632b2c7fcb455559295436df2f44787786f36f978cd5e6",
        },
        Migration {
            name: "0002_session_without_form_token",
            sql: include_str!("../migrations/0002_session_without_form_token.sql"),
            sha256: "287820137100b9da8befdbcb2e1cd9f1217a74cc0937025e1236fc55470c8aa7",
        },
        Migration {
            name: "0003_look_once",
            sql: include_str!("../migrations/0003_look_once.sql"),
            sha256: "172bf0a1e2ea1a51517950be175b8500541ef96943be389f9ea7c044880f561f",
        },
        Migration {
            name: "0004_look_own",
            sql: include_str!("../migrations/0004_look_own.sql"),
            sha256: "98cfc05e04027d16c37b5b6a159b54d5a2e35672ca6012093d8fd2161e493674",
        },
        Migration {
            name: "0005_staff_life",
            sql: include_str!("../migrations/0005_staff_life.sql"),
            sha256: "c6d15348026da696ed699b3254a9850e60a12514c710935a7359f370865cd1fb",
        },
        Migration {
            name: "0006_password_set",
            sql: include_str!("../migrations/0006_password_set.sql"),
            sha256: "2be26a1ddd6b88940264fd6ec7e7794cfd30cad01ddc80504013b5d7ab625e28",
        },
        Migration {
            name: "0007_grants",
            sql: include_str!("../migrations/0007_grants.sql"),
            sha256: "74af3ff52c96479d0471dd4b3080eed3d719dfa2bfc4c4e5266e0aeafb5ff9d1",
        },
    ],
    statements: &[
        people::STATEMENTS,
        enterprises::STATEMENTS,
        grants::STATEMENTS,
        grants::filed::STATEMENTS,
        offices::STATEMENTS,
        staff::STATEMENTS,
        accounts::STATEMENTS,
        accounts::roll::STATEMENTS,
        accounts::sessions::STATEMENTS,
        accounts::limits::STATEMENTS,
        accounts::codes::STATEMENTS,
        accounts::first::STATEMENTS,
        leave::STATEMENTS,
        roster::STATEMENTS,
        hold::STATEMENTS,
        look::STATEMENTS,
        sms::STATEMENTS,
        messages::STATEMENTS,
        seed::STATEMENTS,
        sealed::STATEMENTS,
    ],
};

pub use sealed::SEALED;

/// How many rows a list shows at once.
pub const PAGE_ROWS: i64 = 50;

/// The first row of a page; pages are counted from 0.
pub(crate) fn offset(page: u32) -> i64 {
    i64::from(page).saturating_mul(PAGE_ROWS)
}

#[cfg(test)]
mod tests;
