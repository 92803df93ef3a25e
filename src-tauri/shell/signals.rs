//! Being asked to end from outside is a clean quit: nothing counted is lost.

use headroom_engine::Engine;
use tauri::AppHandle;

/// Quits when somebody with the control key asks the engine to end: `headroomctl stop`, or another
/// Headroom that takes over.
pub(crate) fn quit_when_asked(app: &AppHandle, engine: &Engine) {
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        engine.stop_asked().await;
        tracing::info!("asked to end over the control API");
        app.exit(0);
    });
}

/// Quits on SIGINT, SIGTERM and SIGHUP (the end of the session).
#[cfg(unix)]
pub(crate) fn quit_on_signal(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()] {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            match signal(kind) {
                Ok(mut signal) => {
                    signal.recv().await;
                    app.exit(0);
                }
                Err(error) => tracing::warn!("a signal is not heeded: {error}"),
            }
        });
    }
}

/// On Windows the end of the session closes the windows, which Tauri turns into an exit.
#[cfg(windows)]
pub(crate) fn quit_on_signal(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            app.exit(0);
        }
    });
}
