//! `history`: the calls of the last 24 hours, shown, written out, taken in.

use std::fs;
use std::path::Path;

use headroom_engine::clock::{Clock, Wall};
use headroom_engine::service::ServiceId;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::args::HistoryCommand;
use crate::backend::Backend;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::show::{self, say};

/// The part of a day's answer that is used here.
#[derive(Deserialize)]
struct Day {
    start: i64,
    limit: u32,
    calls: Vec<u32>,
    endpoints: Map<String, Value>,
    total_24h: u32,
    peak_cpm: u32,
}

pub(crate) async fn run(dir: &Path, command: HistoryCommand, as_json: bool) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let done = match command {
        HistoryCommand::Show { service } => show_minutes(&backend, service, as_json).await,
        HistoryCommand::Export => export(&backend).await,
        HistoryCommand::Import { file } => import(&backend, &file, as_json).await,
    };
    backend.close().await;
    done
}

async fn show_minutes(backend: &Backend, service: ServiceId, as_json: bool) -> Result<(), Failure> {
    let day: Day = backend.call("day", json!({ "service": service })).await?;
    let history = minutes(day.start, &day.calls);
    if as_json {
        let shown = json!({ "service": service, "rate_limit": day.limit, "history": history });
        return show::json(&shown);
    }
    say!("{} calls in 24 h, at most {} a minute of {}", day.total_24h, day.peak_cpm, day.limit)?;
    for (minute, calls) in history {
        say!("{}  {calls:>5}", Wall::from_seconds(minute).to_text())?;
    }
    Ok(())
}

/// The minutes in which there were calls.
fn minutes(start: i64, calls: &[u32]) -> Vec<(i64, u32)> {
    (start..).step_by(60).zip(calls.iter().copied()).filter(|(_, calls)| *calls > 0).collect()
}

async fn export(backend: &Backend) -> Result<(), Failure> {
    let mut history = Map::new();
    let progress = Progress::steps(ServiceId::ALL.len(), "Reading");
    for service in ServiceId::ALL {
        progress.step();
        let day: Day = backend.call("day", json!({ "service": service })).await?;
        if day.total_24h == 0 {
            continue;
        }
        history.insert(service.to_string(), json!(minutes(day.start, &day.calls)));
        for (endpoint, calls) in day.endpoints {
            let calls: Vec<u32> = serde_json::from_value(calls).map_err(|e| Failure::of(&e))?;
            history.insert(format!("{service}:{endpoint}"), json!(minutes(day.start, &calls)));
        }
    }
    let events = backend.ask("events").await?;
    drop(progress);
    show::json(&json!({ "ts": Clock::system().wall().seconds(), "history": history, "events": events }))
}

async fn import(backend: &Backend, file: &Path, as_json: bool) -> Result<(), Failure> {
    let text = fs::read_to_string(file)
        .map_err(|e| Failure::failed(format!("cannot read {}: {e}", file.display())))?;
    let size = show::size(u64::try_from(text.len()).unwrap_or(0));
    let progress = Progress::spinner(format!("Taking in {size}"));
    let imported: Value = backend.call("import_history", json!({ "text": text })).await?;
    drop(progress);
    if as_json {
        return show::json(&imported);
    }
    let number = |name: &str| imported.get(name).and_then(Value::as_u64).unwrap_or(0);
    say!("{} calls in {} minutes taken in, {} events", number("calls"), number("minutes"), number("events"))?;
    if number("out_of_range") > 0 {
        say!("{} minutes were left out: over 24 h old, or in the future", number("out_of_range"))?;
    }
    let unknown: Vec<_> = imported
        .get("unknown")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if !unknown.is_empty() {
        say!("left out, no such service: {}", unknown.join(", "))?;
    }
    Ok(())
}
