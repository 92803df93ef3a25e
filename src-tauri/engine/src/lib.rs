//! Everything Headroom knows, without a window.
//!
//! One room for one word: the catalogue of services ([`service`]), the path every call takes ([`call`]),
//! what we allow ourselves ([`budget`]), what is counted ([`meter`]), credentials ([`account`]), kept
//! answers ([`cache`]), what was listened to ([`plays`]), what several machines share ([`shared`]), and the
//! loopback server ([`gateway`]). [`Engine`] is the front door.
//!
//! Invariant: this crate knows no host. No window, no globals, no clock but [`clock`].

pub mod account;
pub mod budget;
pub mod cache;
pub mod call;
pub mod clock;
pub mod contract;
pub mod disk;
pub mod engine;
pub mod gateway;
pub mod glance;
pub mod happenings;
pub mod holder;
pub mod library;
pub mod logs;
pub mod metadata;
pub mod meter;
pub mod plays;
pub mod rates;
pub mod recorder;
pub mod service;
pub mod settings;
pub mod shared;

mod answers;

pub use engine::{Engine, Options, StartError, TakeOverError, default_data_dir};
