//! The engine from outside. Logic runs in virtual time over an in-memory transport, sockets in real
//! time against the stand-ins; the two are never mixed. Names begin with the number of the known
//! defect they guard against, where there is one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on should say where it stopped"
)]

mod bans;
mod budgets;
mod cache;
mod cache_forgetting;
mod counting;
mod crash;
mod faults;
mod gateway;
mod gateway_api;
mod gateway_guard;
mod gateway_keys;
mod gateway_page;
mod gateway_provider;
mod gateway_transparent;
#[cfg(target_os = "linux")]
mod keychain;
mod leaks;
mod limits;
mod plays;
mod provider;
mod refusals;
mod renewals;
mod restarts;
mod secrets;
#[cfg(target_os = "linux")]
mod shared;
mod shared_answers;
mod sign_in;
mod sockets;
mod storage;
mod support;
mod together;
mod tokens;
mod waiting;
