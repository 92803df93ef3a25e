//! `headroom://callback`: the browser brings a sign-in's answer back to the app.
//!
//! Anybody can open such a link. Whatever comes is handed to the engine, which takes only the answer to
//! a sign-in that was begun here; the link itself is written nowhere.

use tauri::{AppHandle, Manager};
use tauri_plugin_deep_link::DeepLinkExt;

use crate::desk::Desk;
use crate::options::is_link;
use crate::window;

/// Takes the links that started the app. `register` is false for an instance on a directory of its own,
/// such as the demo: links belong to the one on the default directory.
pub(crate) fn start(app: &AppHandle, links: Vec<String>, register: bool) {
    // Installed apps are registered by their package; a build that was not installed does it here.
    if register
        && cfg!(any(target_os = "linux", all(windows, debug_assertions)))
        && let Err(error) = app.deep_link().register_all()
    {
        tracing::warn!("headroom:// links do not reach this app: {error}");
    }
    links.into_iter().for_each(|link| take(app, link));
    // macOS sends links as events; elsewhere they are arguments, of this start or of a second one.
    #[cfg(target_os = "macos")]
    {
        let handle = app.clone();
        app.deep_link().on_open_url(move |event| {
            event.urls().into_iter().for_each(|link| take(&handle, link.to_string()));
        });
    }
}

/// A second start handed over its arguments.
pub(crate) fn take_from(app: &AppHandle, args: Vec<String>) {
    args.into_iter().skip(1).filter(|arg| is_link(arg)).for_each(|link| take(app, link));
}

fn take(app: &AppHandle, link: String) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let Ok(engine) = app.state::<Desk>().engine() else { return };
        // The window hears of it from the sign-in's progress, or from the engine's notices.
        let said = match engine.accounts().finish(&link).await {
            Ok(account) => format!("Signed in as {}", account.name.unwrap_or(account.id)),
            Err(error) => error.to_string(),
        };
        tracing::info!("a headroom:// link came: {said}");
        window::show_or_report(&app);
    });
}
