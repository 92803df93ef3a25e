//! `headroomctl`: the engine without a window, and the command line.
//!
//! If an engine runs on the data directory, a command talks to it over the loopback server; otherwise
//! those that can work on the files do so, under the directory's lock.

mod args;
mod backend;
mod doctor;
mod failure;
mod get;
mod history;
mod keys;
mod secret;
mod serve;
mod show;
mod sign_in;
mod status;

use std::process::ExitCode;

use clap::Parser;

use args::{Args, Command};
use failure::Failure;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::failed(format!("cannot start: {error}")).report(),
    };
    match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let dir = match args.data_dir {
        Some(dir) => dir,
        None => headroom_engine::default_data_dir().ok_or_else(|| {
            Failure::failed("there is no home directory to keep data in: name one with --data-dir")
        })?,
    };
    match args.command {
        Command::Serve { port } => serve::run(&dir, port).await,
        Command::Status { json } => status::run(&dir, json).await,
        Command::Get { service, path, query } => get::run(&dir, service, &path, &query).await,
        Command::History { command } => history::run(&dir, command).await,
        Command::Debug => show::debug(&dir).await,
        Command::Doctor { online, json } => doctor::run(&dir, online, json).await,
        Command::Login { service, no_browser } => sign_in::login(&dir, service, !no_browser).await,
        Command::Logout { service, account } => sign_in::logout(&dir, service, account).await,
        Command::Secret { command } => secret::run(&dir, command).await,
        Command::Keys { command } => keys::run(&dir, command).await,
    }
}
