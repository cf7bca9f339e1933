//! One suite for both engines: every test of [`both`] runs on a SQLite file and on a PostgreSQL schema.

/// Makes a test per engine from functions over a bench.
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::tests::bench::Bench::sqlite(stringify!($name)).await).await;
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&crate::tests::bench::Bench::postgres(stringify!($name)).await).await;
            })+
        }
    };
}

mod backup;
mod bench;
mod bureau;
mod damage;
mod engine;
mod failover;
mod hardship;
mod look;
mod messages;
mod migrations;
mod mirror;
mod model;
mod owed;
mod presence;
mod sealed;
mod server;
mod tree;
mod work;
