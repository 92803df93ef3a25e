//! How far long work is: on stderr, and only where somebody looks.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A line that comes and goes; gone when dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// Work of unknown length.
    pub(crate) fn spinner(text: impl Into<String>) -> Self {
        Self::begin(ProgressBar::new_spinner(), "{spinner} {msg} ({elapsed})", text.into())
    }

    /// Work of so many steps.
    pub(crate) fn steps(steps: usize, text: impl Into<String>) -> Self {
        let bar = ProgressBar::new(u64::try_from(steps).unwrap_or(u64::MAX));
        Self::begin(bar, "{msg} [{bar:30}] {pos}/{len} ({elapsed})", text.into())
    }

    // The bar draws on stderr, and nothing at all where that is no terminal.
    fn begin(bar: ProgressBar, template: &str, text: String) -> Self {
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(text);
        bar.enable_steady_tick(Duration::from_millis(120));
        Self(bar)
    }

    pub(crate) fn step(&self) {
        self.0.inc(1);
    }

    pub(crate) fn at(&self, done: u64, total: u64) {
        self.0.set_length(total);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
