//! `headroomctl`: the engine without a window, and the command line.
//!
//! If an engine runs on the data directory, a command talks to it over the loopback server; otherwise
//! those that can work on the files do so, under the directory's lock.

mod args;
mod backend;
mod background;
mod browser;
mod cache;
mod doctor;
mod failure;
mod get;
mod history;
mod keys;
mod logs;
mod open;
mod pages;
mod process;
mod progress;
mod secret;
mod serve;
mod show;
mod sign_in;
mod signals;
mod status;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use args::{Args, Command};
use failure::Failure;

/// How long work that nobody waits for may take at the end.
const LAST_WORK: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::failed(format!("cannot start: {error}")).report(),
    };
    let done = runtime.block_on(run(args));
    // A keychain that still asks its user something must not keep the program.
    runtime.shutdown_timeout(LAST_WORK);
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let json = args.json;
    match args.command {
        Command::Completions { shell } => pages::completions(shell),
        Command::Man { words, dir } => pages::man(&words, dir.as_deref()),
        command => {
            let dir = args.data_dir.or_else(headroom_engine::default_data_dir).ok_or_else(|| {
                Failure::failed("there is no home directory to keep data in: name one with --data-dir")
            })?;
            on_directory(command, &dir, json).await
        }
    }
}

async fn on_directory(command: Command, dir: &Path, json: bool) -> Result<(), Failure> {
    match command {
        Command::Serve { port, take_over, background } => {
            serve::run(dir, serve::Way { port, take_over, background }).await
        }
        Command::Start { port } => background::start(dir, port, json).await,
        Command::Stop => background::stop(dir, json).await,
        Command::Restart { port } => background::restart(dir, port, json).await,
        Command::Status => status::run(dir, json).await,
        Command::Logs { follow, lines, calls } => logs::run(dir, lines, calls, follow, json).await,
        Command::Open { print } => open::run(dir, print, json).await,
        Command::Get { service, path, query, fresh } => get::run(dir, service, &path, &query, fresh).await,
        Command::History { command } => history::run(dir, command, json).await,
        Command::Debug => show::debug(dir, json).await,
        Command::Doctor { online } => doctor::run(dir, online, json).await,
        Command::Login { service, no_browser } => sign_in::login(dir, service, !no_browser).await,
        Command::Logout { service, account } => sign_in::logout(dir, service, account).await,
        Command::Secret { command } => secret::run(dir, command).await,
        Command::Keys { command } => keys::run(dir, command, json).await,
        Command::Cache { command } => cache::run(dir, command, json).await,
        Command::Completions { .. } | Command::Man { .. } => Ok(()),
    }
}
