//! The desktop shell: the window and the tray around the engine. It decides nothing; the engine does.

mod commands;
mod deep_link;
mod desk;
mod options;
mod signals;
mod tray;
mod window;

use std::process::ExitCode;

use desk::Desk;
use headroom_engine::gateway::Assets;
use options::{Options, Parsed};
use tauri::{AppHandle, Manager, RunEvent, WindowEvent};

/// Runs the app until the user quits; the program's whole life.
///
/// Exit codes: 0 done, 1 failed, 2 bad arguments.
pub fn run() -> ExitCode {
    let options = match options::parse(std::env::args_os().skip(1), std::env::var_os("HEADROOM_DATA_DIR")) {
        Ok(Parsed::Run(options)) => options,
        Ok(Parsed::Print(text)) => {
            println!("{text}");
            return ExitCode::SUCCESS;
        }
        Err(unknown) => {
            eprintln!("headroom: {unknown}\n\n{}", options::USAGE);
            return ExitCode::from(2);
        }
    };
    match start(options) {
        Ok(code) => ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Err(error) => {
            eprintln!("headroom: could not start: {error}");
            ExitCode::FAILURE
        }
    }
}

fn start(options: Options) -> Result<i32, Box<dyn std::error::Error>> {
    let mut context = tauri::generate_context!();
    // One instance per data directory, not per machine: a demo runs beside the real thing.
    let config = context.config_mut();
    config.identifier = options.instance_identifier(&config.identifier);
    let default_directory = options.data_dir.is_none();
    let data_dir = match options.data_dir {
        Some(dir) => dir,
        None => headroom_engine::default_data_dir()
            .ok_or("there is no home directory to keep data in: name one with --data-dir")?,
    };

    let app = tauri::Builder::default()
        // First, so that a second start ends before anything else of it has begun.
        .plugin(tauri_plugin_single_instance::init(|app, args, _cwd| {
            window::show_or_report(app);
            deep_link::take_from(app, args);
        }))
        .plugin(tauri_plugin_deep_link::init())
        .plugin(tauri_plugin_store::Builder::new().build())
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_opener::init())
        .manage(window::LastWindow::default())
        .invoke_handler(tauri::generate_handler![
            commands::call,
            commands::restart_engine,
            commands::take_over_engine,
            commands::subscribe,
            commands::preferences_get,
            commands::preferences_set,
            commands::save_file,
            commands::open_link,
        ])
        .setup(move |app| {
            // What is built into the program for its window, a browser gets too.
            let files = app.asset_resolver();
            let page =
                Assets::new(move |path| files.get(path.to_owned()).map(|file| file.bytes().to_vec().into()));
            let desk = tauri::async_runtime::block_on(Desk::open(data_dir, page));
            let engine = desk.engine().ok();
            app.manage(desk);
            signals::quit_on_signal(app.handle());
            deep_link::start(app.handle(), options.links, default_directory);
            if let Some(engine) = engine {
                signals::quit_when_asked(app.handle(), &engine);
                tray::start(app.handle(), &engine)?;
            }
            if !options.hidden {
                window::show(app.handle())?;
            }
            Ok(())
        })
        .build(context)?;
    Ok(app.run_return(on_event))
}

fn on_event(app: &AppHandle, event: RunEvent) {
    match event {
        RunEvent::WindowEvent { event: WindowEvent::CloseRequested { api, .. }, .. } => {
            let desk = app.state::<Desk>();
            if !(desk.settings().close_to_tray && desk.has_tray()) {
                return app.exit(0);
            }
            api.prevent_close();
            if let Err(error) = window::hide(app) {
                tracing::warn!("the window could not be hidden: {error}");
            }
        }
        // The last window is gone, not the app: it lives on in the tray.
        RunEvent::ExitRequested { code: None, api, .. } if app.state::<Desk>().has_tray() => {
            api.prevent_exit()
        }
        RunEvent::Exit => {
            tray::stop();
            if let Some(desk) = app.try_state::<Desk>() {
                tauri::async_runtime::block_on(desk.close());
            }
        }
        _ => {}
    }
}
