//! What is shown: lines, JSON and tables on stdout, remarks on stderr.
//!
//! Colours only where somebody looks (a terminal, and not against `NO_COLOR`). A reader that has seen
//! enough, such as `head`, is no error.

use std::fmt;
use std::io::{self, Write};
use std::path::Path;

use clap::builder::styling::AnsiColor;
pub(crate) use clap::builder::styling::Style;
use serde::Serialize;
use serde_json::Value;

use crate::backend::Backend;
use crate::failure::Failure;

/// A line on stdout.
macro_rules! say {
    ($($text:tt)*) => { $crate::show::line(format_args!($($text)*)) };
}
/// A line on stderr, for whoever watches; nothing fails if nobody does.
macro_rules! remark {
    ($($text:tt)*) => { $crate::show::aside(format_args!($($text)*)) };
}
pub(crate) use {remark, say};

pub(crate) const PLAIN: Style = Style::new();
pub(crate) const HEAD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

pub(crate) fn line(text: fmt::Arguments<'_>) -> Result<(), Failure> {
    let mut out = anstream::stdout().lock();
    written(writeln!(out, "{text}"))
}

pub(crate) fn aside(text: fmt::Arguments<'_>) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Bytes as they are.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    written(out.write_all(bytes).and_then(|()| out.flush()))
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::nobody_reads(),
        _ => Failure::failed(format!("cannot write to standard output: {error}")),
    })
}

/// Pretty JSON on stdout.
pub(crate) fn json(value: &impl Serialize) -> Result<(), Failure> {
    say!("{}", serde_json::to_string_pretty(value).map_err(|e| Failure::of(&e))?)
}

/// Text in a colour.
pub(crate) fn paint(style: Style, text: impl fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// `3 h 5 min`, `12 min`, `40 s`.
pub(crate) fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3_600),
    }
}

/// `512 B`, `1.4 KiB`, `23.0 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let bytes = bytes as f64;
    match bytes {
        ..1_024.0 => format!("{bytes} B"),
        ..1_048_576.0 => format!("{:.1} KiB", bytes / 1_024.0),
        ..1_073_741_824.0 => format!("{:.1} MiB", bytes / 1_048_576.0),
        _ => format!("{:.1} GiB", bytes / 1_073_741_824.0),
    }
}

/// Columns that are as wide as what is in them. Numbers stand at the right.
pub(crate) struct Table {
    right: Vec<bool>,
    rows: Vec<Vec<(Style, String)>>,
}

impl Table {
    /// A heading that begins with `>` stands at the right, with its whole column.
    pub(crate) fn new(heads: &[&str]) -> Self {
        let right = heads.iter().map(|head| head.starts_with('>')).collect();
        let heads = heads.iter().map(|head| (HEAD, head.trim_start_matches('>').to_owned())).collect();
        Self { right, rows: vec![heads] }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [(Style, String); N]) {
        self.rows.push(cells.into());
    }

    fn widths(&self) -> Vec<usize> {
        let width = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|(_, text)| text.chars().count()).max()
        };
        (0..self.right.len()).map(|column| width(column).unwrap_or(0)).collect()
    }

    fn lines(&self) -> Vec<String> {
        let widths = self.widths();
        let row = |row: &Vec<(Style, String)>| {
            let cell = |(column, (style, text)): (usize, &(Style, String))| {
                let gap = " ".repeat(widths[column] - text.chars().count());
                let (before, after) = match self.right[column] {
                    true => (gap.as_str(), ""),
                    // Nothing trails at the end of a line.
                    false if column + 1 == widths.len() => ("", ""),
                    false => ("", gap.as_str()),
                };
                format!("{before}{}{after}", paint(*style, text))
            };
            row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ")
        };
        self.rows.iter().map(row).collect()
    }

    pub(crate) fn print(&self) -> Result<(), Failure> {
        self.lines().iter().try_for_each(|line| say!("{line}"))
    }
}

/// The gauges as a table.
pub(crate) fn meters(rates: &Value) -> Result<(), Failure> {
    let heads = ["service", ">calls/min", ">of", ">fullest window", ">24 h", ">cached", "state"];
    let mut table = Table::new(&heads);
    for (id, service) in rates.get("services").and_then(Value::as_object).into_iter().flatten() {
        let number = |name: &str| {
            let number = service.get(name).and_then(Value::as_u64).unwrap_or(0);
            (if number == 0 { DIM } else { PLAIN }, number.to_string())
        };
        table.row([
            (PLAIN, id.clone()),
            number("cpm"),
            number("limit"),
            fullest(service),
            number("calls_24h"),
            number("hits_24h"),
            state(service),
        ]);
    }
    table.print()
}

/// `44/45 in 5 s`, in the colour of the gauge.
fn fullest(service: &Value) -> (Style, String) {
    let windows = service.get("windows").and_then(Value::as_array).into_iter().flatten();
    let read =
        |w: &Value| Some((w.get("used")?.as_f64()?, w.get("calls")?.as_f64()?, w.get("seconds")?.as_f64()?));
    let fullest = windows.filter_map(read).max_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let Some((used, calls, seconds)) = fullest else { return (DIM, "-".to_owned()) };
    let style = match used / calls {
        0.0 => DIM,
        ..=0.6 => PLAIN,
        ..=0.8 => WARN,
        _ => BAD,
    };
    (style, format!("{used}/{calls} in {seconds} s"))
}

fn state(service: &Value) -> (Style, String) {
    if let Some(ban) = service.get("ban").filter(|ban| !ban.is_null()) {
        let left = ban.get("remaining_s").and_then(Value::as_i64).unwrap_or(0);
        let kind = ban.get("kind").and_then(Value::as_str).unwrap_or("rate");
        return (BAD, format!("banned ({kind}) for {}", length(left)));
    }
    match service.get("access").and_then(Value::as_str) {
        Some("credential_needed") => (DIM, "sign in first".to_owned()),
        Some("disabled") => (DIM, "switched off".to_owned()),
        _ if service.get("waiting").and_then(Value::as_u64).unwrap_or(0) > 0 => {
            (WARN, "calls wait".to_owned())
        }
        _ => (GOOD, "room".to_owned()),
    }
}

/// `debug`: text for a report, or the same in parts.
pub(crate) async fn debug(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let summary = match &backend {
        Backend::Remote(remote) => remote.read("/api/debug-summary").await,
        Backend::Local(engine) => serde_json::to_value(engine.summary()).map_err(|e| Failure::of(&e)),
    };
    backend.close().await;
    let summary = summary?;
    if as_json {
        return json(&summary);
    }
    raw(summary.get("text").and_then(Value::as_str).unwrap_or_default().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_at_the_right() {
        let mut table = Table::new(&["service", ">calls", "state"]);
        table.row([(PLAIN, "überlang".into()), (PLAIN, "7".into()), (PLAIN, "room".into())]);
        table.row([(PLAIN, "x".into()), (PLAIN, "123456".into()), (BAD, "banned".into())]);
        let lines: Vec<_> =
            table.lines().iter().map(|line| anstream::adapter::strip_str(line).to_string()).collect();
        assert_eq!(lines, ["service    calls  state", "überlang       7  room", "x         123456  banned"]);
    }

    #[test]
    fn lengths_and_sizes_are_said_in_their_unit() {
        let lengths = [40, 61, 3_700, 90_000].map(length);
        assert_eq!(lengths, ["40 s", "1 min", "1 h 1 min", "1 d 1 h"]);
        assert_eq!([512, 1_434, 24_117_248].map(size), ["512 B", "1.4 KiB", "23.0 MiB"]);
    }
}
