//! The tray: an icon that is itself a meter, and a menu that carries everything.
//!
//! Icon and menu are written only when they change.

mod host;
mod icon;

use std::path::PathBuf;

use headroom_engine::glance::{Glance, Tone};
use headroom_engine::{Engine, glance};
use tauri::image::Image;
use tauri::menu::{Menu, MenuItem, PredefinedMenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager, Wry};
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::desk::Desk;
use crate::window;

const OPEN: &str = "open";
const PAUSE: &str = "pause";
const QUIT: &str = "quit";
/// Countdowns go on even while no gauge changes.
const COUNTDOWN_EVERY: Duration = Duration::from_secs(20);
/// Steps of the ring that are told apart: more would only rewrite the icon more often.
const STEPS: f64 = 24.0;

/// Puts the icon up, where there is a place for it, and keeps it true.
pub(crate) fn start(app: &AppHandle, engine: &Engine) -> tauri::Result<()> {
    if host::is_there() {
        return put_up(app, engine);
    }
    tracing::info!("there is no tray here: until one comes, closing the window quits");
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        host::appears().await;
        // Icons are made where windows are.
        let handle = app.clone();
        let up = app.run_on_main_thread(move || {
            if let Err(error) = put_up(&handle, &engine) {
                tracing::warn!("the tray icon could not be put up: {error}");
            }
        });
        if let Err(error) = up {
            tracing::warn!("{error}");
        }
    });
    Ok(())
}

fn put_up(app: &AppHandle, engine: &Engine) -> tauri::Result<()> {
    let shown = Shown::of(engine);
    let tray = TrayIconBuilder::with_id("headroom")
        .icon(shown.image())
        .menu(&shown.menu(app)?)
        .temp_dir_path(pictures())
        .show_menu_on_left_click(false)
        .on_menu_event(|app, event| chosen(app, event.id().as_ref()))
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::show_or_report(tray.app_handle());
            }
        })
        .tooltip(shown.tooltip())
        .build(app)?;
    app.state::<Desk>().set_tray();
    tauri::async_runtime::spawn(keep_true(app.clone(), tray, engine.clone(), shown));
    Ok(())
}

/// Leaves nothing behind.
pub(crate) fn stop() {
    // Without a tray, and where icons are no files, there is nothing to remove.
    let _ = std::fs::remove_dir_all(pictures());
}

/// Where the pictures lie that a Linux desktop reads the icon from: a folder of this user alone, where
/// there is one.
fn pictures() -> PathBuf {
    let parent = std::env::var_os("XDG_RUNTIME_DIR").filter(|dir| !dir.is_empty()).map(PathBuf::from);
    parent.unwrap_or_else(std::env::temp_dir).join(format!("headroom-tray-{}", std::process::id()))
}

fn chosen(app: &AppHandle, item: &str) {
    match item {
        QUIT => app.exit(0),
        PAUSE => {
            if let Ok(engine) = app.state::<Desk>().engine() {
                engine.pause(!engine.rates().paused);
            }
        }
        // "Open", and each service's line.
        _ => window::show_or_report(app),
    }
}

async fn keep_true(app: AppHandle, tray: TrayIcon, engine: Engine, mut shown: Shown) {
    let mut frames = engine.frames();
    let mut countdown = interval(COUNTDOWN_EVERY);
    countdown.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            changed = frames.changed() => {
                if changed.is_err() {
                    return;
                }
                frames.mark_unchanged();
            }
            _ = countdown.tick() => {}
        }
        let now = Shown::of(&engine);
        if let Err(error) = now.replace(&shown, &app, &tray) {
            tracing::warn!("the tray could not be changed: {error}");
        }
        shown = now;
    }
}

/// What the tray shows.
#[derive(PartialEq)]
struct Shown {
    /// Steps of [`STEPS`].
    step: u8,
    tone: Tone,
    lines: Vec<String>,
    paused: bool,
}

impl Shown {
    fn of(engine: &Engine) -> Self {
        let rates = engine.rates();
        let Glance { level, tone, lines } = glance::Glance::of(&rates);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to STEPS")]
        let step = (level.clamp(0.0, 1.0) * STEPS).round() as u8;
        Self { step, tone, lines: lines.into_iter().map(|(_, line)| line).collect(), paused: rates.paused }
    }

    fn image(&self) -> Image<'static> {
        icon::draw(f64::from(self.step) / STEPS, self.tone)
    }

    fn tooltip(&self) -> String {
        if self.lines.is_empty() { "Headroom: no calls today".to_owned() } else { self.lines.join("\n") }
    }

    fn menu(&self, app: &AppHandle) -> tauri::Result<Menu<Wry>> {
        let menu = Menu::new(app)?;
        for (place, line) in self.lines.iter().enumerate() {
            menu.append(&MenuItem::with_id(app, format!("service-{place}"), line, true, None::<&str>)?)?;
        }
        if self.lines.is_empty() {
            menu.append(&MenuItem::with_id(app, "nothing", "No calls today", false, None::<&str>)?)?;
        }
        menu.append(&PredefinedMenuItem::separator(app)?)?;
        menu.append(&MenuItem::with_id(app, OPEN, "Open Headroom", true, None::<&str>)?)?;
        let pause = if self.paused { "Let calls go on" } else { "Pause calls" };
        menu.append(&MenuItem::with_id(app, PAUSE, pause, true, None::<&str>)?)?;
        menu.append(&PredefinedMenuItem::separator(app)?)?;
        menu.append(&MenuItem::with_id(app, QUIT, "Quit", true, None::<&str>)?)?;
        Ok(menu)
    }

    fn replace(&self, before: &Self, app: &AppHandle, tray: &TrayIcon) -> tauri::Result<()> {
        if (self.step, self.tone) != (before.step, before.tone) {
            tray.set_icon(Some(self.image()))?;
        }
        if (&self.lines, self.paused) != (&before.lines, before.paused) {
            tray.set_menu(Some(self.menu(app)?))?;
            tray.set_tooltip(Some(self.tooltip()))?;
        }
        Ok(())
    }
}
