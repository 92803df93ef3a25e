//! What the window may ask. Each is one line into the engine, or into a plugin.

use std::path::PathBuf;
use std::sync::Arc;

use headroom_engine::contract::{ApiError, Code, Contract, Notice, dispatch};
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::rates::Rates;
use headroom_engine::service::ServiceId;
use serde_json::Value;
use tauri::ipc::Channel;
use tauri::{AppHandle, Emitter, Manager, State};
use tauri_plugin_dialog::DialogExt;
use tauri_plugin_opener::OpenerExt;
use tauri_plugin_store::StoreExt;
use tokio::sync::watch;
use tokio::time::{Duration, interval};

use crate::desk::Desk;
use crate::{signals, tray};

/// How often notices are looked at while the window is seen.
const NOTICES_EVERY: Duration = Duration::from_secs(2);

/// Any command of the engine's contract.
#[tauri::command]
pub(crate) async fn call(desk: State<'_, Desk>, name: String, args: Value) -> Result<Value, ApiError> {
    dispatch(&desk.engine()?, &name, args).await
}

/// Tries once more to start an engine that did not start.
#[tauri::command]
pub(crate) async fn restart_engine(app: AppHandle, desk: State<'_, Desk>) -> Result<(), ApiError> {
    start_again(&app, &desk, false).await
}

/// Stops the engine that holds the data directory, and starts one here.
#[tauri::command]
pub(crate) async fn take_over_engine(app: AppHandle, desk: State<'_, Desk>) -> Result<(), ApiError> {
    start_again(&app, &desk, true).await
}

async fn start_again(app: &AppHandle, desk: &Desk, take_over: bool) -> Result<(), ApiError> {
    if desk.restart(take_over).await? {
        let engine = desk.engine()?;
        signals::quit_when_asked(app, &engine);
        // Icons are made where windows are; a tray that fails is no reason to do without an engine.
        let handle = app.clone();
        let on_main = app.run_on_main_thread(move || {
            if let Err(error) = tray::start(&handle, &engine) {
                tracing::warn!("the tray icon could not be put up: {error}");
            }
        });
        on_main.map_err(failed)?;
    }
    Ok(())
}

/// Sends the gauges once a second while one of them changes and the window is seen. A new
/// subscription ends the one before: the window was loaded anew.
#[tauri::command]
pub(crate) fn subscribe(
    app: AppHandle,
    desk: State<'_, Desk>,
    channel: Channel<Arc<Rates>>,
) -> Result<(), ApiError> {
    let engine = desk.engine()?;
    let seen = desk.seen();
    let feed = tauri::async_runtime::spawn(async move {
        let mut seen = seen;
        while until(&mut seen, true).await {
            if channel.send(Arc::new(engine.rates())).is_err() {
                return;
            }
            if !while_seen(&app, &engine, &channel, &mut seen).await {
                return;
            }
        }
    });
    desk.replace_feed(feed);
    Ok(())
}

/// Feeds the window until it is hidden (true) or gone (false).
async fn while_seen(
    app: &AppHandle,
    engine: &headroom_engine::Engine,
    channel: &Channel<Arc<Rates>>,
    seen: &mut watch::Receiver<bool>,
) -> bool {
    // Dropped when hidden: then the engine gathers no frames at all.
    let mut frames = engine.frames();
    let mut look = interval(NOTICES_EVERY);
    let mut told: Option<Vec<Notice>> = None;
    loop {
        tokio::select! {
            hidden = until(seen, false) => return hidden,
            changed = frames.changed() => {
                let rates = frames.borrow_and_update().clone();
                if changed.is_err() || rates.is_some_and(|rates| channel.send(rates).is_err()) {
                    return false;
                }
            }
            _ = look.tick() => {
                let notices = Contract::status(engine).await.map(|status| status.notices).unwrap_or_default();
                if told.as_ref() != Some(&notices) {
                    // A window that is just closing hears nothing, which is no loss.
                    let _ = app.emit("notices", &notices);
                    told = Some(notices);
                }
            }
        }
    }
}

/// Waits for the window to be seen, or not; false when the app ends.
async fn until(seen: &mut watch::Receiver<bool>, wanted: bool) -> bool {
    seen.wait_for(|seen| *seen == wanted).await.is_ok()
}

fn failed(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::Failed, error.to_string())
}

/// The window's own preferences: theme, order, hidden services.
#[tauri::command]
pub(crate) fn preferences_get(app: AppHandle, desk: State<'_, Desk>) -> Result<Value, ApiError> {
    let store = preferences(&app, &desk)?;
    Ok(Value::Object(store.entries().into_iter().collect()))
}

/// Keeps one preference.
#[tauri::command]
pub(crate) fn preferences_set(
    app: AppHandle,
    desk: State<'_, Desk>,
    key: String,
    value: Value,
) -> Result<(), ApiError> {
    let store = preferences(&app, &desk)?;
    store.set(key, value);
    store.save().map_err(failed)
}

fn preferences(app: &AppHandle, desk: &Desk) -> Result<Arc<tauri_plugin_store::Store<tauri::Wry>>, ApiError> {
    app.store_builder(desk.data_dir().join("preferences.json")).disable_auto_save().build().map_err(failed)
}

/// Asks where to, and writes a text there; false if the user changed their mind.
#[tauri::command]
pub(crate) async fn save_file(app: AppHandle, name: String, text: String) -> Result<bool, ApiError> {
    let (chosen, choice) = tokio::sync::oneshot::channel();
    app.dialog().file().set_file_name(name).save_file(move |path| {
        // The command may have been given up.
        let _ = chosen.send(path);
    });
    let Some(path) = choice.await.ok().flatten() else { return Ok(false) };
    let path: PathBuf = path.into_path().map_err(failed)?;
    write_atomically(&path, text.as_bytes(), Readers::Default)
        .map_err(|e| failed(format!("{}: {e}", path.display())))?;
    Ok(true)
}

/// Opens a page in the browser. Pages only: a service's answer must not start a program.
#[tauri::command]
pub(crate) fn open_link(app: AppHandle, desk: State<'_, Desk>, url: String) -> Result<(), ApiError> {
    if !url.starts_with("https://") && !is_sign_in(&desk, &url) {
        return Err(ApiError::new(Code::BadRequest, "Only https pages are opened"));
    }
    app.opener().open_url(url, None::<&str>).map_err(failed)
}

/// Whether this is the consent page of an accounts server the user has set, which may be a local one.
fn is_sign_in(desk: &Desk, url: &str) -> bool {
    let Ok(engine) = desk.engine() else { return false };
    let settings = engine.settings();
    let pages = ServiceId::ALL.iter().filter_map(|id| settings.accounts_url(*id));
    pages.map(|page| format!("{page}/authorize?")).any(|page| url.starts_with(&page))
}

/// Whether the window is on the screen, as the shell knows it.
pub(crate) fn set_seen(app: &AppHandle, seen: bool) {
    if let Some(desk) = app.try_state::<Desk>() {
        desk.set_seen(seen);
    }
}
