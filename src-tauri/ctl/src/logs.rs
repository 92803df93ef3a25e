//! `logs`: the last lines of the log, and those to come.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::failure::Failure;
use crate::show::{self, BAD, DIM, PLAIN, WARN, paint, remark, say};

/// Between two looks for new lines.
const LOOK: Duration = Duration::from_millis(200);
/// Read at once, from the end of a file.
const CHUNK: u64 = 64 * 1024;

/// Which log.
#[derive(Clone, Copy)]
enum Log {
    /// What the program does.
    Program,
    /// One line a call.
    Calls,
}

pub(crate) async fn run(
    dir: &Path,
    lines: usize,
    calls: bool,
    follow: bool,
    as_json: bool,
) -> Result<(), Failure> {
    let log = if calls { Log::Calls } else { Log::Program };
    let dir = dir.join("logs");
    let files = log.files(&dir);
    // Where to go on reading, before anything more is written.
    let place = files.last().map(|file| (file.clone(), length(file)));
    let mut last = Vec::new();
    for file in files.iter().rev() {
        let end = place.as_ref().filter(|(newest, _)| newest == file).map_or_else(|| length(file), |p| p.1);
        let mut earlier = last_lines(file, end, lines - last.len()).map_err(|e| unreadable(file, &e))?;
        earlier.append(&mut last);
        last = earlier;
        if last.len() >= lines {
            break;
        }
    }
    last.iter().try_for_each(|line| log.show(line, as_json))?;
    if files.is_empty() && !follow {
        remark!("Nothing has been logged yet in {}", dir.display());
    }
    if follow { go_on(log, &dir, place, as_json).await } else { Ok(()) }
}

/// Shows what comes, from a place in a file on, until nobody reads any more.
async fn go_on(
    log: Log,
    dir: &Path,
    mut place: Option<(PathBuf, u64)>,
    as_json: bool,
) -> Result<(), Failure> {
    loop {
        tokio::time::sleep(LOOK).await;
        for file in log.files(dir) {
            // Files before the one we are at are read; those after it are new.
            let from = match &place {
                Some((at, _)) if file < *at => continue,
                Some((at, from)) if file == *at => *from,
                _ => 0,
            };
            let (text, end) = new_lines(&file, from).map_err(|e| unreadable(&file, &e))?;
            text.lines().try_for_each(|line| log.show(line, as_json))?;
            place = Some((file, end));
        }
    }
}

fn unreadable(file: &Path, error: &std::io::Error) -> Failure {
    Failure::failed(format!("cannot read {}: {error}", file.display()))
}

fn length(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |about| about.len())
}

/// The last `wanted` lines before `end`.
fn last_lines(file: &Path, end: u64, wanted: usize) -> std::io::Result<Vec<String>> {
    let mut file = File::open(file)?;
    let (mut start, mut text) = (end, Vec::new());
    // One line break more than lines: the one that ends the line before them.
    while start > 0 && text.iter().filter(|byte| **byte == b'\n').count() <= wanted {
        let size = CHUNK.min(start);
        start -= size;
        let mut chunk = vec![0; usize::try_from(size).unwrap_or(0)];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut chunk)?;
        chunk.append(&mut text);
        text = chunk;
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    let first = lines.len().saturating_sub(wanted);
    Ok(lines.into_iter().skip(first).collect())
}

/// Whole lines from `from` on, and where they end.
fn new_lines(file: &Path, from: u64) -> std::io::Result<(String, u64)> {
    let mut file = File::open(file)?;
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1);
    bytes.truncate(whole);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), from + u64::try_from(whole).unwrap_or(0)))
}

impl Log {
    /// Its daily files, oldest first.
    fn files(self, dir: &Path) -> Vec<PathBuf> {
        let prefix = match self {
            Self::Program => "headroom.",
            Self::Calls => "calls-",
        };
        let ours = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name.starts_with(prefix) && name.ends_with(".log")
        };
        let entries = fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = entries.filter(ours).collect();
        files.sort();
        files
    }

    fn show(self, line: &str, as_json: bool) -> Result<(), Failure> {
        match (self, as_json) {
            (Self::Calls, true) => say!("{line}"),
            (Self::Calls, false) => say!("{}", call(line).unwrap_or_else(|| line.to_owned())),
            (Self::Program, true) => say!("{}", program(line)),
            (Self::Program, false) => say!("{}", paint(level(line), line)),
        }
    }
}

/// `2026-11-21T14:06:12Z  INFO headroom_engine::engine: settings.json was read again`
fn program(line: &str) -> Value {
    let parts = || {
        let (at, rest) = line.split_once(char::is_whitespace)?;
        let (level, rest) = rest.trim_start().split_once(' ')?;
        let (target, text) = rest.trim_start().split_once(": ")?;
        at.starts_with(|c: char| c.is_ascii_digit())
            .then(|| json!({ "at": at, "level": level, "target": target, "text": text }))
    };
    // A message of several lines.
    parts().unwrap_or_else(|| json!({ "text": line }))
}

fn level(line: &str) -> show::Style {
    match line.split_whitespace().nth(1) {
        Some("ERROR") => BAD,
        Some("WARN") => WARN,
        Some("DEBUG" | "TRACE") => DIM,
        _ => PLAIN,
    }
}

/// A call's line in columns; `None` if it is none.
fn call(line: &str) -> Option<String> {
    let call: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| match call.get(name) {
        Some(Value::String(text)) => text.clone(),
        None | Some(Value::Null) => "-".to_owned(),
        Some(other) => other.to_string(),
    };
    let status = call.get("status").and_then(Value::as_u64).unwrap_or(0);
    let style = match status {
        200..400 => PLAIN,
        404 => DIM,
        429 | 403 => BAD,
        _ => WARN,
    };
    Some(format!(
        "{}  {:<13} {:<20} {:<14} {} {:>7} ms {:>10}  {}",
        text("timestamp"),
        text("service"),
        text("endpoint"),
        text("caller"),
        paint(style, format_args!("{:>3}", text("status"))),
        text("ms"),
        show::size(call.get("bytes").and_then(Value::as_u64).unwrap_or(0)),
        text("cache"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use headroom_engine::disk::{Readers, write_atomically};

    #[test]
    fn the_last_lines_are_found_from_the_end_however_long_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("headroom.2026-11-21.log");
        let text: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
        write_atomically(&path, text.as_bytes(), Readers::Default).unwrap();
        let end = length(&path);
        assert_eq!(last_lines(&path, end, 2).unwrap(), ["line 39998", "line 39999"]);
        assert_eq!(last_lines(&path, end, 0).unwrap(), [""; 0]);
        assert_eq!(last_lines(&path, end, 50_000).unwrap().len(), 40_000);
        assert_eq!(last_lines(&path, end, 20_000).unwrap()[0], "line 20000");
    }

    #[test]
    fn only_whole_lines_are_new() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        write_atomically(&path, b"one\ntwo\nthr", Readers::Default).unwrap();
        assert_eq!(new_lines(&path, 4).unwrap(), ("two\n".to_owned(), 8));
        assert_eq!(new_lines(&path, 8).unwrap(), (String::new(), 8));
    }

    #[test]
    fn a_line_of_the_log_has_its_parts_and_a_second_line_of_a_message_is_text() {
        let line = "2026-11-21T14:06:12.5Z  INFO headroom_engine::engine: settings.json: read again";
        let parts = json!({ "at": "2026-11-21T14:06:12.5Z", "level": "INFO",
            "target": "headroom_engine::engine", "text": "settings.json: read again" });
        assert_eq!(program(line), parts);
        assert_eq!(program("  because: of this"), json!({ "text": "  because: of this" }));
    }
}
