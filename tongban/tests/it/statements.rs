//! Every registered statement prepares on both engines, after every migration.

use tb_store::{Engine, check_statements};
use tb_testkit::{Folder, Postgres};
use tongban::modules;

#[tokio::test]
async fn on_both_engines() {
    let (folder, postgres) = (Folder::new("statements"), Postgres::start());
    let engines = [
        Engine::Sqlite(folder.file("city.db")),
        Engine::Postgres { url: postgres.url.clone(), schema: postgres.schema("statements") },
    ];
    for engine in engines {
        let problems = check_statements(&modules::schemas(), &engine).await.expect("the store opens");
        assert!(problems.is_empty(), "{engine:?}: {problems:#?}");
    }
}
