//! The desktop program; all of it is in the library.
// A release build on Windows would open a console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    headroom_shell::run()
}
