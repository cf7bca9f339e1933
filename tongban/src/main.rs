//! The command line (命令行): each word after `tongban` is a file of [`tongban::commands`].

use std::process::ExitCode;

use clap::Parser;
use tongban::commands::{Command, run};

/// Government services of several cities, handled anywhere (通办).
#[derive(Parser)]
#[command(name = "tongban", version, about)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Line::parse().command).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("tongban: {problem}");
            ExitCode::FAILURE
        }
    }
}
