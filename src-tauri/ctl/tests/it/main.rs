//! The command line as its users see it: the real program, a real engine, real sockets.

#![allow(clippy::expect_used, reason = "a test that cannot begin fails")]

#[cfg(target_os = "linux")]
mod background;
mod commands;
mod doctor;
mod holders;
mod pages;
mod stub;
mod support;
