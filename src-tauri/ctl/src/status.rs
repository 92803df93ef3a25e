//! `status`: the running engine and its meters.

use std::path::Path;
use std::time::Duration;

use headroom_engine::clock::Clock;
use serde_json::{Value, json};
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::backend::{Backend, Remote};
use crate::failure::Failure;
use crate::show;

pub(crate) async fn run(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let Some(remote) = Remote::find(dir).await? else { return Err(Failure::no_engine(dir)) };
    let pid = remote.runtime.pid;
    let backend = Backend::Remote(remote);
    let mut status = backend.ask("status").await?;
    let rates = backend.ask("rates").await?;
    let (memory, cpu) = usage(pid).await;
    let started = status.get("started_at").and_then(Value::as_i64).unwrap_or_default();
    let uptime = Clock::system().wall().seconds().saturating_sub(started).max(0);
    if let (Value::Object(status), Some(services)) = (&mut status, rates.get("services")) {
        let more = [
            ("pid", json!(pid)),
            ("uptime_s", json!(uptime)),
            ("memory_bytes", json!(memory)),
            ("cpu_percent", json!(cpu)),
            ("paused", rates.get("paused").cloned().unwrap_or_default()),
            ("services", services.clone()),
        ];
        status.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    if as_json {
        show::json(&status);
        return Ok(());
    }
    let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    println!("Headroom {} at {}", text("version"), text("address"));
    println!("Process {pid}, up {}, {} MiB, {cpu:.1} % CPU", show::length(uptime), memory / 1024 / 1024);
    println!("Data in {}", text("data_dir"));
    for notice in status.get("notices").and_then(Value::as_array).into_iter().flatten() {
        println!("! {}", notice.get("text").and_then(Value::as_str).unwrap_or_default());
    }
    println!();
    show::meters(&rates);
    Ok(())
}

/// Resident bytes, and percent of one core over a short while.
async fn usage(pid: u32) -> (u64, f32) {
    let pid = Pid::from_u32(pid);
    let Ok(mut system) = System::new() else { return (0, 0.0) };
    let kind = ProcessRefreshKind::nothing().with_cpu().with_memory();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    tokio::time::sleep(sysinfo::MINIMUM_CPU_UPDATE_INTERVAL.max(Duration::from_millis(200))).await;
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
    system.process(pid).map_or((0, 0.0), |process| (process.memory(), process.cpu_usage()))
}
