//! A region of three cities in one process: real TLS sockets, real databases, each test on both engines.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, its helpers too")]

/// Makes a test per engine from functions over an engine.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::world::On::Sqlite).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::world::On::Postgres).await;
            })+
        }
    };
}

mod contact;
mod doors;
mod down;
mod faults;
mod log;
mod membership;
mod messages;
mod query;
mod raw;
mod restore;
mod services;
mod witness;
mod world;
