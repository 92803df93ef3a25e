//! The one window: made when first shown, hidden when closed, given up when it stays hidden.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tauri::window::Color;
use tauri::{
    AppHandle, LogicalPosition, LogicalSize, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder,
};

use crate::commands::set_seen;
use crate::desk::Desk;

const LABEL: &str = "main";
/// The ground of the dark theme: what is seen until the UI has painted.
const GROUND: Color = Color(0x0d, 0x0f, 0x12, 0xff);

/// Under the locale `C`, WebKitGTK says that the language is "C"; every `Intl` constructor refuses that,
/// and libraries use it as they load.
const VALID_LANGUAGE: &str = r#"
try { Intl.getCanonicalLocales(navigator.language); } catch {
  Object.defineProperty(navigator, "language", { value: "en-US" });
  Object.defineProperty(navigator, "languages", { value: Object.freeze(["en-US"]) });
}"#;

/// Where a window that was given up stood, and what it showed.
#[derive(Debug, Default)]
pub(crate) struct LastWindow {
    left: Mutex<Option<Left>>,
    /// Counts every show and hide: a wait for giving up ends with the next of them.
    turn: AtomicU64,
}

#[derive(Debug)]
struct Left {
    position: LogicalPosition<f64>,
    size: LogicalSize<f64>,
    page: String,
}

/// Brings the window to the front, and makes it if there is none.
pub(crate) fn show(app: &AppHandle) -> tauri::Result<()> {
    let last = app.state::<LastWindow>();
    last.turn.fetch_add(1, Ordering::Relaxed);
    if let Some(window) = app.get_webview_window(LABEL) {
        window.show()?;
        set_seen(app, true);
        window.unminimize()?;
        return window.set_focus();
    }
    let left = last.left.lock().unwrap_or_else(PoisonError::into_inner).take();
    let page = left.as_ref().map(|left| left.page.clone()).unwrap_or_default();
    let mut window =
        WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(format!("index.html{page}").into()))
            .title("Headroom")
            .inner_size(1280.0, 860.0)
            .min_inner_size(720.0, 560.0)
            .background_color(GROUND)
            .initialization_script(VALID_LANGUAGE);
    if let Some(Left { position, size, .. }) = left {
        window = window.inner_size(size.width, size.height).position(position.x, position.y);
    }
    window.build()?;
    set_seen(app, true);
    Ok(())
}

/// [`show`], where nobody waits for the answer.
pub(crate) fn show_or_report(app: &AppHandle) {
    if let Err(error) = show(app) {
        tracing::error!("the window could not be shown: {error}");
        eprintln!("headroom: could not show the window: {error}");
    }
}

/// Hides the window; after the time of the settings it is given up, and its memory with it.
pub(crate) fn hide(app: &AppHandle) -> tauri::Result<()> {
    let Some(window) = app.get_webview_window(LABEL) else { return Ok(()) };
    set_seen(app, false);
    window.hide()?;
    let turn = app.state::<LastWindow>().turn.fetch_add(1, Ordering::Relaxed) + 1;
    let minutes = app.state::<Desk>().settings().release_hidden_minutes;
    let Ok(wait) = Duration::try_from_secs_f64(minutes * 60.0) else { return Ok(()) };
    if wait.is_zero() {
        return Ok(());
    }
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(wait).await;
        let handle = app.clone();
        // Where windows are shown, so that none is shown between the look and the end.
        let given_up = app.run_on_main_thread(move || {
            if handle.state::<LastWindow>().turn.load(Ordering::Relaxed) == turn
                && let Err(error) = give_up(&handle, &window)
            {
                tracing::warn!("the hidden window could not be given up: {error}");
            }
        });
        if let Err(error) = given_up {
            tracing::warn!("{error}");
        }
    });
    Ok(())
}

fn give_up(app: &AppHandle, window: &WebviewWindow) -> tauri::Result<()> {
    let scale = window.scale_factor()?;
    let page = window.url().ok().and_then(|url| url.fragment().map(|page| format!("#{page}")));
    let left = Left {
        position: window.outer_position()?.to_logical(scale),
        size: window.inner_size()?.to_logical(scale),
        page: page.unwrap_or_default(),
    };
    *app.state::<LastWindow>().left.lock().unwrap_or_else(PoisonError::into_inner) = Some(left);
    window.destroy()
}
