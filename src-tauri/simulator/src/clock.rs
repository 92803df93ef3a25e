//! The simulator's one reader of the clock.
//!
//! The simulator does not depend on the engine, so it cannot use the engine's
//! `Clock`; it keeps its own, in this file only. Windows use the monotonic side,
//! everything that is shown to a client uses Unix milliseconds.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A monotonic clock that also knows the wall time it started at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started: Instant,
    started_unix: Duration,
}

impl Clock {
    /// Starts a clock at zero.
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulator's one reader of the clock; the engine's would be a forbidden dependency"
    )]
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_unix: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
        }
    }

    /// Time since [`Clock::start`].
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Unix time in milliseconds; it never goes back.
    pub(crate) fn unix_ms(&self) -> i64 {
        let now = self.started_unix + self.elapsed();
        i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
    }
}
