//! Plays: observations in, plays out. P1 to P4.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "milliseconds of an evening are small"
)]

mod behaviour;
mod evenings;
mod person;
mod polling;
mod rules;
mod scenarios;
mod score;
mod simulated;
