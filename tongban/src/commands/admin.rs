//! `tongban admin` (首任管理员): the first administrator of a city, or a way back in for one who lost everything.

use clap::Args;
use tb_base::Result;
use tb_identity::accounts::Passwords;
use tb_identity::roster;
use tb_store::Tx;

use crate::clock::OsEntropy;
use crate::commands::offline::Offline;
use crate::commands::place::Place;
use crate::commands::say;

/// Options of `admin`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    /// The sign-in name, such as `admin1@430100`.
    #[arg(long)]
    login: String,
    /// Name of the administrator.
    #[arg(long)]
    name: String,
}

/// Makes the account, or a new code for it, and says the code once.
pub async fn run(options: Options) -> Result<()> {
    let Options { place, login, name } = options;
    let opened = Offline::open(&place).await?;
    let (ctx, vault) = (opened.ctx(), opened.vault.clone());
    let hash = Passwords::new(&mut OsEntropy)?.of_nobody().to_owned();
    let made = opened.store.write("admin.first", move |tx: &mut Tx<'_>| {
        let office = roster::operations_office(&ctx)?;
        roster::administrator(tx, &ctx, &vault, &office, (&login, &name), &hash)
    });
    let code = made.await;
    let site = opened.site_url.clone();
    opened.store.close().await;
    let code = code?;
    say(&format!("one-time code: {code}"));
    say(&format!("set the password within 24 hours at {site}/password/first"));
    say("it is shown this once and works once; run the command again for another one");
    Ok(())
}
