//! The stand-ins from outside: real sockets, real time, short windows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should say where it stopped"
)]

mod accounts;
mod client;
mod faults;
mod limits;
mod player;
mod program;
mod shapes;
