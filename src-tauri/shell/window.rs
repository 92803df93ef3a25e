//! The one window: made when first shown, so that a hidden start costs no webview.

use tauri::window::Color;
use tauri::{AppHandle, Manager, WebviewUrl, WebviewWindowBuilder};

const LABEL: &str = "main";
/// The ground of the dark theme: what is seen until the UI has painted.
const GROUND: Color = Color(0x0d, 0x0f, 0x12, 0xff);

/// Brings the window to the front, and makes it if there is none.
pub fn show(app: &AppHandle) -> tauri::Result<()> {
    if let Some(window) = app.get_webview_window(LABEL) {
        window.show()?;
        window.unminimize()?;
        return window.set_focus();
    }
    WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Headroom")
        .inner_size(1280.0, 860.0)
        .min_inner_size(720.0, 560.0)
        .background_color(GROUND)
        .build()?;
    Ok(())
}

/// [`show`], where nobody waits for the answer.
pub fn show_or_report(app: &AppHandle) {
    if let Err(error) = show(app) {
        eprintln!("headroom: could not show the window: {error}");
    }
}
