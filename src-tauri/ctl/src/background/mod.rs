//! `start`, `stop` and `restart`: an engine that goes on without a terminal.

#[cfg_attr(unix, path = "unix.rs")]
#[cfg_attr(windows, path = "windows.rs")]
mod system;

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use headroom_engine::clock::Clock;
use headroom_engine::disk;
use headroom_engine::gateway::Runtime;
use headroom_engine::holder::{self, Holder, StopError};
use serde_json::json;

use crate::backend::Remote;
use crate::failure::Failure;
use crate::process;
use crate::show::{self, remark, say};

pub(crate) use system::detach;

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(50);

/// Starts an engine in the background, and waits until it answers. Fine if one runs already.
pub(crate) async fn start(dir: &Path, port: Option<u16>, as_json: bool) -> Result<(), Failure> {
    if let Some(remote) = Remote::find(dir).await? {
        return report(&remote, true, as_json);
    }
    // One that is just starting or stopping is not ours to disturb.
    let (mut child, log) = spawn(dir, port)?;
    let clock = Clock::system();
    let until = clock.mono() + PATIENCE;
    loop {
        if let Some(remote) = Remote::find(dir).await? {
            return report(&remote, remote.runtime.pid != child.id(), as_json);
        }
        let ended = child.try_wait().map_err(|e| Failure::of(&e))?;
        // Another start may have been quicker: then its engine is waited for.
        if let Some(status) = ended.filter(|_| holder::of(dir).is_none()) {
            return Err(Failure::failed(last_words(&log, &status.to_string())));
        }
        if clock.mono() >= until {
            return Err(Failure::failed(format!(
                "the engine (pid {}) has not answered within {} s and goes on trying: see {}",
                child.id(),
                PATIENCE.as_secs(),
                log.display()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// `serve` without a terminal. What it says goes to a file of its own: the daily logs begin only when it
/// holds the directory.
fn spawn(dir: &Path, port: Option<u16>) -> Result<(Child, std::path::PathBuf), Failure> {
    let dir = std::path::absolute(dir).map_err(|e| Failure::of(&e))?;
    let logs = dir.join("logs");
    let log = logs.join("background.log");
    let failed = |error: std::io::Error| Failure::failed(format!("cannot use {}: {error}", log.display()));
    disk::make_private_dir(&dir).and_then(|()| fs::create_dir_all(&logs)).map_err(failed)?;
    let out = OpenOptions::new().create(true).append(true).open(&log).map_err(failed)?;
    out.set_len(0).map_err(failed)?;
    let err = out.try_clone().map_err(failed)?;
    let program = std::env::current_exe().map_err(|e| Failure::of(&e))?;
    let mut command = Command::new(program);
    command.arg("--data-dir").arg(&dir).args(["serve", "--background"]);
    if let Some(port) = port {
        command.args(["--port", &port.to_string()]);
    }
    command.stdin(Stdio::null()).stdout(out).stderr(err);
    let child = system::prepare(&mut command).spawn();
    child.map(|child| (child, log)).map_err(|e| Failure::failed(format!("cannot start the engine: {e}")))
}

fn last_words(log: &Path, status: &str) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let text = text.trim().trim_start_matches("headroomctl: ");
    if text.is_empty() { format!("the engine ended at once ({status})") } else { text.to_owned() }
}

fn report(remote: &Remote, already: bool, as_json: bool) -> Result<(), Failure> {
    let pid = remote.runtime.pid;
    if as_json {
        return show::json(&json!({ "pid": pid, "address": remote.address, "already_running": already }));
    }
    let how = if already { "already runs" } else { "runs" };
    say!("Headroom {how} at {}, pid {pid}", remote.address)
}

/// Who ended, and how long that took.
struct Ended {
    holder: Holder,
    ms: u64,
}

pub(crate) async fn stop(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let Ended { holder, ms } = end(dir).await?;
    if as_json {
        let (pid, name) = (holder.pid(), holder.name());
        return show::json(&json!({ "pid": pid, "name": name, "stopped": true, "ms": ms }));
    }
    say!("{holder} saved and ended, after {}.{} s", ms / 1_000, ms % 1_000 / 100)
}

/// Asks the running engine to save and end, and waits until it has.
async fn end(dir: &Path) -> Result<Ended, Failure> {
    let clock = Clock::system();
    let began = clock.mono();
    let holder = match holder::ask_to_stop(dir).await {
        Ok(holder) => holder,
        Err(StopError::NotRunning(_)) => return Err(none_runs(dir)),
        Err(error) => return Err(Failure::of(&error)),
    };
    // Free for the next one, and out of the list of processes.
    while holder::of(dir).is_some_and(|now| now == holder) || holder.pid().is_some_and(process::is_alive) {
        if clock.mono().since(began) >= PATIENCE {
            return Err(Failure::failed(format!(
                "{holder} was asked to end and has not after {} s; nothing was forced",
                PATIENCE.as_secs()
            )));
        }
        tokio::time::sleep(LOOK).await;
    }
    let ms = u64::try_from(clock.mono().since(began).as_millis()).unwrap_or(u64::MAX);
    Ok(Ended { holder, ms })
}

fn none_runs(dir: &Path) -> Failure {
    let nothing = Failure::no_engine(dir);
    match Runtime::read(dir) {
        Some(old) => nothing.and(&format!("the last one (pid {}) did not end by itself", old.pid)),
        None => nothing,
    }
}

/// Stops the running engine, if there is one, and starts another on the same port.
pub(crate) async fn restart(dir: &Path, port: Option<u16>, as_json: bool) -> Result<(), Failure> {
    let Some(remote) = Remote::find(dir).await? else { return start(dir, port, as_json).await };
    if holder::of(dir).is_some_and(|holder| holder.name() == holder::APP) {
        return Err(Failure::failed(
            "the app runs the engine: quit and start the app, or `headroomctl stop` and `headroomctl start`",
        ));
    }
    match end(dir).await {
        Ok(Ended { holder, .. }) => remark!("{holder} saved and ended"),
        // It ended by itself meanwhile.
        Err(failure) if failure.is_no_engine() => {}
        Err(failure) => return Err(failure),
    }
    start(dir, port.or(Some(remote.runtime.port)), as_json).await
}
