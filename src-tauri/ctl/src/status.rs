//! `status`: the running engine and its meters.

use std::path::Path;

use headroom_engine::clock::Clock;
use serde_json::{Value, json};

use crate::backend::{Backend, Remote};
use crate::failure::Failure;
use crate::process;
use crate::show::{self, HEAD, WARN, paint, say};

pub(crate) async fn run(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let Some(remote) = Remote::find(dir).await? else { return Err(Failure::no_engine(dir)) };
    let pid = remote.runtime.pid;
    let backend = Backend::Remote(remote);
    let mut status = backend.ask("status").await?;
    let rates = backend.ask("rates").await?;
    let (memory, cpu) = process::usage(pid).await;
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
        return show::json(&status);
    }
    let text = |name: &str| status.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let flag = |name: &str| status.get(name).and_then(Value::as_bool).unwrap_or_default();
    say!("{} at {}", paint(HEAD, format_args!("Headroom {}", text("version"))), text("address"))?;
    say!("Process {pid}, up {}, {}, {cpu:.1} % CPU", show::length(uptime), show::size(memory))?;
    say!("Data in {}", text("data_dir"))?;
    if flag("paused") {
        say!("{}", paint(WARN, "! Calls are paused"))?;
    }
    for notice in status.get("notices").and_then(Value::as_array).into_iter().flatten() {
        let notice = notice.get("text").and_then(Value::as_str).unwrap_or_default();
        say!("{}", paint(WARN, format_args!("! {notice}")))?;
    }
    say!("")?;
    show::meters(&rates)
}
