//! The one reader of the clock.
//!
//! Two times, never mixed: [`Mono`] orders events and measures waits and rates; [`Wall`] is what a
//! person reads and what is stored. `Mono` goes on while a laptop sleeps (unlike
//! [`std::time::Instant`] on Linux and macOS), so a ban or a rolling minute ends when it should after
//! a suspend, and it never jumps when somebody sets the clock.
//!
//! ```
//! # use headroom_engine::clock::Clock;
//! # use std::time::Duration;
//! let clock = Clock::system();
//! let later = clock.mono() + Duration::from_secs(5);
//! assert!(clock.wall_of(later) > clock.wall());
//! ```

use std::fmt;
use std::ops::{Add, Sub};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point on the monotonic clock, in microseconds from an arbitrary origin. May be negative: a call
/// made before the machine was started again still has its place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash)]
pub struct Mono(i64);

impl Mono {
    /// A point `micros` microseconds after the origin.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Time passed since `earlier`; zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Signed milliseconds from `earlier` to `self`.
    #[must_use]
    pub fn millis_from(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0) / 1_000
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl Add<Duration> for Mono {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }
}

impl Sub<Duration> for Mono {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }
}

/// UTC, in milliseconds since 1970. Stored and shown, never used to measure a wait.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wall(i64);

impl Wall {
    /// `millis` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// `seconds` seconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Whole seconds since 1970, rounded up: the form for "not before".
    #[must_use]
    pub const fn seconds_up(self) -> i64 {
        -(-self.0).div_euclid(1_000)
    }

    /// The wall time `millis` later (or earlier, when negative).
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// `2026-11-21 14:06:12 UTC`, for logs and debug text.
    #[must_use]
    pub fn to_text(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0)
            .map_or_else(|| format!("{} ms", self.0), |t| t.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    }

    /// `20261121-140612`, for the names of files set aside.
    #[must_use]
    pub fn to_file_stamp(self) -> String {
        chrono::DateTime::from_timestamp_millis(self.0)
            .map_or_else(|| self.0.to_string(), |t| t.format("%Y%m%dT%H%M%SZ").to_string())
    }
}

/// Where the time comes from. [`Clock::system`] in life, [`VirtualClock`] in tests.
pub trait TimeSource: Send + Sync {
    /// Now, monotonic.
    fn mono(&self) -> Mono;
    /// Now, UTC.
    fn wall(&self) -> Wall;
}

/// A cheap-clone handle to the time.
#[derive(Clone)]
pub struct Clock(Arc<dyn TimeSource>);

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(SystemTime))
    }

    /// A clock that reads `source`.
    pub fn new(source: impl TimeSource + 'static) -> Self {
        Self(Arc::new(source))
    }

    /// Now, monotonic.
    #[must_use]
    pub fn mono(&self) -> Mono {
        self.0.mono()
    }

    /// Now, UTC.
    #[must_use]
    pub fn wall(&self) -> Wall {
        self.0.wall()
    }

    /// The wall time of a monotonic point, by the wall clock as it stands now.
    #[must_use]
    pub fn wall_of(&self, mono: Mono) -> Wall {
        self.wall().plus_millis(mono.millis_from(self.mono()))
    }

    /// The monotonic point of a wall time, by the wall clock as it stands now.
    #[must_use]
    pub fn mono_of(&self, wall: Wall) -> Mono {
        let ahead = wall.millis().saturating_sub(self.wall().millis());
        Mono(self.mono().0.saturating_add(ahead.saturating_mul(1_000)))
    }

    /// Sleeps until `until` at the latest, and at most a minute: the runtime's timer stands still
    /// while the machine sleeps, so whoever waits looks at the clock again.
    pub async fn sleep_towards(&self, until: Mono) {
        let left = until.since(self.mono()).min(Duration::from_secs(60));
        // Timers have millisecond resolution; a microsecond too early would only spin.
        tokio::time::sleep(left + Duration::from_micros(999)).await;
    }
}

struct SystemTime;

impl TimeSource for SystemTime {
    fn mono(&self) -> Mono {
        system_mono()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one reader of the clock")]
    fn wall(&self) -> Wall {
        Wall(chrono::Utc::now().timestamp_millis())
    }
}

#[cfg(unix)]
fn system_mono() -> Mono {
    use rustix::time::{ClockId, clock_gettime};
    // The clocks that go on during sleep: Linux counts it in BOOTTIME, macOS in MONOTONIC.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: ClockId = ClockId::Boottime;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: ClockId = ClockId::Monotonic;
    let now = clock_gettime(CLOCK);
    Mono(now.tv_sec.saturating_mul(1_000_000).saturating_add(now.tv_nsec / 1_000))
}

#[cfg(not(unix))]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the one reader of the clock; on Windows Instant counts sleep"
)]
fn system_mono() -> Mono {
    use std::sync::OnceLock;
    use std::time::Instant;
    static ORIGIN: OnceLock<Instant> = OnceLock::new();
    Mono(micros(ORIGIN.get_or_init(Instant::now).elapsed()))
}

/// A clock for tests: monotonic time is the runtime's, which `tokio::time::pause` makes virtual; the
/// wall clock is set by hand.
///
/// ```
/// # use headroom_engine::clock::{Clock, VirtualClock, Wall};
/// # tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(async {
/// let time = VirtualClock::at(Wall::from_seconds(1_700_000_000));
/// let clock = Clock::new(time.clone());
/// time.step_wall(-3_600_000);
/// assert_eq!(clock.wall().seconds(), 1_699_996_400);
/// # });
/// ```
#[derive(Clone)]
pub struct VirtualClock {
    origin: tokio::time::Instant,
    wall_at_origin: Arc<AtomicI64>,
}

impl VirtualClock {
    /// Starts at `wall`.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is a reader of the clock")]
    pub fn at(wall: Wall) -> Self {
        Self { origin: tokio::time::Instant::now(), wall_at_origin: Arc::new(AtomicI64::new(wall.millis())) }
    }

    /// Sets the wall clock forward, or back when negative, as a person or a time server would.
    pub fn step_wall(&self, millis: i64) {
        self.wall_at_origin.fetch_add(millis, Ordering::Relaxed);
    }
}

impl TimeSource for VirtualClock {
    fn mono(&self) -> Mono {
        Mono(micros(self.origin.elapsed()))
    }

    fn wall(&self) -> Wall {
        let passed = i64::try_from(self.origin.elapsed().as_millis()).unwrap_or(i64::MAX);
        Wall(self.wall_at_origin.load(Ordering::Relaxed).saturating_add(passed))
    }
}
