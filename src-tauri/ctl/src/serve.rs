//! `serve`: the engine in the foreground.

use std::path::{Path, PathBuf};

use headroom_engine::gateway::{Assets, Server};
use headroom_engine::{Engine, Options, logs};

use crate::failure::Failure;

pub(crate) async fn run(dir: &Path, port: Option<u16>) -> Result<(), Failure> {
    let engine = Engine::start(Options::new(dir)).await.map_err(|e| Failure::of(&e))?;
    // After the lock: a second engine on this directory must not write into the first one's logs.
    let logs = logs::start(dir).map_err(|e| Failure::of(&e))?;
    let server = match Server::start_with(&engine, port, page()).await {
        Ok(server) => server,
        Err(error) => {
            engine.stop().await;
            return Err(Failure::of(&error));
        }
    };
    println!("Headroom listens on {}", server.address());
    println!("Data lies in {}", dir.display());
    if let Some(notice) = engine.storage_failing() {
        eprintln!("headroomctl: {notice}");
    }
    let mut signals = Signals::new().map_err(|e| Failure::of(&e))?;
    signals.next().await;
    println!("Stopping; again to stop at once");
    tokio::select! {
        () = async { server.stop().await; engine.stop().await } => {}
        () = signals.next() => {}
    }
    drop(logs);
    Ok(())
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

/// What asks a program to end: Ctrl-C, SIGTERM, the end of the session.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = self.hangup.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals {
    c: tokio::signal::windows::CtrlC,
    close: tokio::signal::windows::CtrlClose,
    shutdown: tokio::signal::windows::CtrlShutdown,
}

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::windows::{ctrl_c, ctrl_close, ctrl_shutdown};
        Ok(Self { c: ctrl_c()?, close: ctrl_close()?, shutdown: ctrl_shutdown()? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.c.recv() => {}
            _ = self.close.recv() => {}
            _ = self.shutdown.recv() => {}
        }
    }
}
