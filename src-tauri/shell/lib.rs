//! The desktop shell: the window around the engine. It decides nothing; the engine does.

mod options;
mod window;

use std::process::ExitCode;

use options::{Options, Parsed};

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

fn start(options: Options) -> tauri::Result<i32> {
    let mut context = tauri::generate_context!();
    // One instance per data directory, not per machine: a demo runs beside the real thing.
    let config = context.config_mut();
    config.identifier = options.instance_identifier(&config.identifier);

    let app = tauri::Builder::default()
        // First, so that a second start ends before anything else of it has begun.
        .plugin(tauri_plugin_single_instance::init(|app, _args, _cwd| window::show_or_report(app)))
        .setup(move |app| {
            if !options.hidden {
                window::show(app.handle())?;
            }
            Ok(())
        })
        .build(context)?;
    Ok(app.run_return(|_app, _event| {}))
}
