//! `serve`: the engine in the foreground.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use headroom_engine::gateway::{Assets, Server};
use headroom_engine::holder::Taken;
use headroom_engine::{Engine, Options, StartError, TakeOverError, logs};

use crate::backend::start_engine;
use crate::background;
use crate::failure::Failure;
use crate::show::{remark, say};
use crate::signals::Signals;

/// How long another engine may take to end.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long saving may take when somebody is in a hurry.
const HURRY: Duration = Duration::from_secs(1);

/// How it is to run.
pub(crate) struct Way {
    pub(crate) port: Option<u16>,
    /// Stop another engine on the directory first.
    pub(crate) take_over: bool,
    /// Leave the terminal.
    pub(crate) background: bool,
}

pub(crate) async fn run(dir: &Path, way: Way) -> Result<(), Failure> {
    let name = if way.background {
        background::detach().map_err(|e| Failure::of(&e))?;
        "headroomctl in the background"
    } else {
        "headroomctl serve"
    };
    let engine = start(Options::new(dir).named(name), way.take_over).await?;
    // From here on there is something to save.
    let mut signals = Signals::new().map_err(|e| Failure::of(&e))?;
    // After the lock: a second engine on this directory must not write into the first one's logs.
    let logs = logs::start(dir).map_err(|e| Failure::of(&e))?;
    let server = match Server::start_with(&engine, way.port, page()).await {
        Ok(server) => server,
        Err(error) => {
            engine.stop().await;
            return Err(Failure::of(&error));
        }
    };
    // Nobody may read this, and the engine goes on.
    let _ = say!("Headroom listens on {}", server.address());
    let _ = say!("Data lies in {}", dir.display());
    if let Some(notice) = engine.storage_failing() {
        remark!("headroomctl: {notice}");
    }
    tokio::select! {
        () = signals.next() => {}
        () = engine.stop_asked() => {}
    }
    let _ = say!("Stopping; again to stop at once");
    let hurried = tokio::select! {
        () = server.stop() => false,
        () = signals.next() => true,
    };
    // Also in a hurry: what was counted goes to disk, unless the disk takes its time.
    tokio::select! {
        () = engine.stop() => {}
        () = tokio::time::sleep(HURRY), if hurried => {}
        () = signals.next() => {}
    }
    drop(logs);
    Ok(())
}

async fn start(options: Options, take_over: bool) -> Result<Engine, Failure> {
    match start_engine(options.clone()).await {
        Ok(engine) => Ok(engine),
        Err(StartError::Running(taken)) => {
            if !take_over && !asked(&taken)? {
                return Err(Failure::failed(format!(
                    "{taken}: `headroomctl serve --take-over` stops it first and goes on here"
                )));
            }
            remark!("Stopping {}", taken.holder);
            Engine::take_over(options, PATIENCE).await.map_err(|error| match error {
                TakeOverError::Start(StartError::Running(taken)) => Failure::failed(format!(
                    "{taken}: it was asked to end and has not after {} s",
                    PATIENCE.as_secs()
                )),
                error => Failure::of(&error),
            })
        }
        Err(error) => Err(Failure::of(&error)),
    }
}

/// Whether the user wants the other one stopped; nobody is asked where nobody sits.
fn asked(taken: &Taken) -> Result<bool, Failure> {
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Ok(false);
    }
    ask(&format!("{taken}. Stop it and go on here?"))
}

/// A question whose answer is no, unless it is yes.
pub(crate) fn ask(question: &str) -> Result<bool, Failure> {
    let mut err = std::io::stderr();
    let mut answer = String::new();
    let asked = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
    asked.and_then(|()| std::io::stdin().read_line(&mut answer)).map_err(|e| Failure::of(&e))?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// The window's page, for a browser: from `HEADROOM_UI`, or where an installed program has it.
fn page() -> Option<Assets> {
    let named = std::env::var_os("HEADROOM_UI").map(PathBuf::from);
    let program = std::env::current_exe().and_then(|program| program.canonicalize()).ok();
    let beside = program.as_deref().and_then(Path::parent).into_iter().flat_map(|dir| {
        ["ui", "../share/headroom/ui", "../lib/headroom/ui", "../lib/Headroom/ui", "../Resources/ui"]
            .map(|place| dir.join(place))
    });
    named.into_iter().chain(beside).find_map(|dir| Assets::folder(&dir).ok())
}
