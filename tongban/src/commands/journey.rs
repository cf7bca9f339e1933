//! `tongban journey` (无界面全程).
use clap::Args;
/// Options of `journey`.
#[derive(Args)]
pub struct Options {}
/// Runs.
pub async fn run(_: Options) -> Result<(), String> {
    Ok(())
}
