//! What a crate owns in the database: its migrations and its statements, all of them registered.

/// A statement with the name that metrics and errors call it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stmt {
    /// Such as `case.find`.
    pub name: &'static str,
    /// One SQL text for both engines.
    pub sql: &'static str,
}

/// A named statement.
pub const fn stmt(name: &'static str, sql: &'static str) -> Stmt {
    Stmt { name, sql }
}

/// A step of the schema, forward only.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Such as `0001_case`.
    pub name: &'static str,
    /// Statements separated by semicolons, in the subset that both engines take.
    pub sql: &'static str,
    /// SHA-256 of the text in lower-case hex: a landed step never changes.
    pub sha256: &'static str,
}

/// What one crate owns.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The crate, which is the prefix of its tables, such as `case`.
    pub owner: &'static str,
    /// Its migrations in order.
    pub migrations: &'static [Migration],
    /// Its statements; each list is one file's.
    pub statements: &'static [&'static [Stmt]],
}
