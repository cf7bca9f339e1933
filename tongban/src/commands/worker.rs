//! `tongban worker` (后台进程): the work of a city beside processes that serve it, on one PostgreSQL.

use clap::Args;
use tb_base::Result;

use crate::city::Duty;
use crate::commands::place::{Addresses, Place};
use crate::commands::serve::{self, Run};

/// Options of `worker`.
#[derive(Args)]
pub struct Options {
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    addresses: Addresses,
    #[command(flatten)]
    run: Run,
}

/// Runs until a signal comes.
pub async fn run(options: Options) -> Result<()> {
    serve::start(&options.place, &options.addresses, &options.run, Duty::Work, None, None).await
}
