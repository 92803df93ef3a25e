//! Logs: what the program does (`logs/headroom.*.log`), and one line a call (`logs/calls-*.log`).
//! Daily files, seven kept. No line holds a path, a query or a secret of a call.

use std::io::BufWriter;
use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{InitError, RollingFileAppender, Rotation};
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

/// Bytes of lines written at a time, at most.
const BUFFER: usize = 64 * 1024;

/// Target of the lines of the call log.
pub const CALLS: &str = "headroom::calls";

/// Days of logs kept.
const FILES_KEPT: usize = 7;

/// Writes the logs until it is dropped; then what is still in memory goes to disk.
#[derive(Debug)]
pub struct Logs {
    _guards: [WorkerGuard; 2],
}

/// Begins to log into `data_dir/logs`. `HEADROOM_LOG` sets the level (`debug`, or as of
/// [`EnvFilter`]). A process logs to one place: a second call changes nothing.
///
/// # Errors
/// The folder or a file in it cannot be made.
pub fn start(data_dir: &Path) -> Result<Logs, InitError> {
    // The appender looks for old files before it makes the folder, and complains.
    let _ = std::fs::create_dir_all(data_dir.join("logs"));
    let appender = |prefix: &str| {
        let builder = RollingFileAppender::builder().rotation(Rotation::DAILY).filename_suffix("log");
        builder.filename_prefix(prefix).max_log_files(FILES_KEPT).build(data_dir.join("logs"))
    };
    // Lines that come together are written together: the appender flushes when no more are waiting.
    let buffered = |file| BufWriter::with_capacity(BUFFER, file);
    let (program, program_guard) = tracing_appender::non_blocking(buffered(appender("headroom")?));
    let (calls, calls_guard) = tracing_appender::non_blocking(buffered(appender("calls-")?));
    let level = EnvFilter::try_from_env("HEADROOM_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let is_call = FilterFn::new(|line| line.target() == CALLS);
    let is_program = FilterFn::new(|line| line.target() != CALLS);
    // A test, or a second engine in one process, may have begun already.
    let _ = tracing_subscriber::registry()
        .with(
            fmt::layer()
                .json()
                .flatten_event(true)
                .with_target(false)
                .with_level(false)
                .with_writer(calls)
                .with_filter(is_call),
        )
        .with(fmt::layer().with_ansi(false).with_writer(program).with_filter(is_program).with_filter(level))
        .try_init();
    Ok(Logs { _guards: [program_guard, calls_guard] })
}
