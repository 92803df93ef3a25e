//! `cache`: what is kept of earlier answers, and forgetting it.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use headroom_engine::service::ServiceId;
use serde_json::{Value, json};

use crate::args::{CacheCommand, Forget};
use crate::backend::Backend;
use crate::failure::Failure;
use crate::progress::Progress;
use crate::serve::ask;
use crate::show::{self, DIM, PLAIN, Table, WARN, paint, say, size};

/// Between two looks at how far forgetting is.
const LOOK: Duration = Duration::from_millis(250);

pub(crate) async fn run(dir: &Path, command: CacheCommand, as_json: bool) -> Result<(), Failure> {
    // Asked first: nothing is held while somebody thinks.
    let what = match &command {
        CacheCommand::Stats => None,
        CacheCommand::Clear { service, yes } => {
            sure(*service, *yes)?;
            Some(service.map_or_else(|| json!({ "scope": "all" }), of_service))
        }
        CacheCommand::Forget { what } => Some(match what {
            Forget::Key { key } => json!({ "scope": "key", "key": key }),
            Forget::Track { artist, title } => json!({ "scope": "track", "artist": artist, "title": title }),
            Forget::Album { artist, album } => json!({ "scope": "album", "artist": artist, "album": album }),
            Forget::Artist { artist } => json!({ "scope": "artist", "artist": artist }),
            Forget::Service { service } => of_service(*service),
        }),
    };
    let backend = Backend::open(dir).await?;
    let done = match what {
        None => stats(&backend, as_json).await,
        Some(what) => forget(&backend, what, as_json).await,
    };
    backend.close().await;
    done
}

fn of_service(service: ServiceId) -> Value {
    json!({ "scope": "service", "service": service })
}

fn sure(service: Option<ServiceId>, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !(std::io::stdin().is_terminal() && std::io::stderr().is_terminal()) {
        return Err(Failure::usage("say --yes: there is nobody here to ask"));
    }
    let whose = service.map_or("all services", |id| id.service().label);
    let question = format!("Forget every kept answer of {whose}? They have to be asked for again.");
    if ask(&question)? { Ok(()) } else { Err(Failure::failed("nothing was forgotten")) }
}

async fn forget(backend: &Backend, what: Value, as_json: bool) -> Result<(), Failure> {
    let args = json!({ "what": what });
    let forgetting = backend.call::<Value>("forget", args);
    tokio::pin!(forgetting);
    let progress = Progress::spinner("Forgetting");
    let mut bar: Option<Progress> = None;
    let forgotten = loop {
        tokio::select! {
            done = &mut forgetting => break done?,
            () = tokio::time::sleep(LOOK) => {
                let stats = backend.ask("cache_stats").await.unwrap_or_default();
                let number = |name: &str| stats.pointer(&format!("/forgetting/{name}")).and_then(Value::as_u64);
                if let (Some(done), Some(total)) = (number("done"), number("total")) {
                    bar.get_or_insert_with(|| Progress::steps(0, "Forgetting")).at(done, total);
                }
            }
        }
    };
    drop((bar, progress));
    if as_json {
        return show::json(&forgotten);
    }
    match forgotten.get("entries").and_then(Value::as_u64).unwrap_or(0) {
        0 => say!("Nothing of that was kept"),
        1 => say!("1 answer is forgotten"),
        entries => say!("{entries} answers are forgotten"),
    }
}

async fn stats(backend: &Backend, as_json: bool) -> Result<(), Failure> {
    let stats = backend.ask("cache_stats").await?;
    if as_json {
        return show::json(&stats);
    }
    let number = |name: &str| stats.get(name).and_then(Value::as_u64).unwrap_or(0);
    let rate = |name: &str| stats.get(name).and_then(Value::as_f64);
    let text = |path: &str| stats.pointer(path).and_then(Value::as_str);
    if let Some(trouble) = text("/trouble") {
        say!("{}", paint(WARN, format_args!("! {trouble}")))?;
    }
    say!(
        "{} answers ({} found, {} not found), {} of at most {} {}",
        number("entries"),
        number("found"),
        number("not_found"),
        size(number("bytes")),
        size(number("max_bytes")),
        text("/path").map_or_else(|| "in memory only".to_owned(), |path| format!("in {path}")),
    )?;
    if let Some(ratio) = rate("compression_ratio") {
        say!("Compressed {ratio:.1} times, {} without", size(number("raw_bytes")))?;
    }
    say!("{} of them in memory too, {}", number("memory_entries"), size(number("memory_bytes")))?;
    let percent = rate("hit_rate_percent").map_or_else(String::new, |rate| format!(" ({rate:.1} %)"));
    say!(
        "Since the start: {} hits{percent}, {} misses, {} stale; in 24 h {} calls saved",
        number("hits"),
        number("misses"),
        number("stale"),
        number("saved_24h")
    )?;
    if let Some(address) = text("/shared/address") {
        let state = match stats.pointer("/shared/connected").and_then(Value::as_bool) {
            Some(true) => paint(PLAIN, "connected"),
            _ => paint(WARN, text("/shared/trouble").unwrap_or("not connected")),
        };
        say!("Shared with other machines at {address}: {state}")?;
    }
    say!("")?;
    services(&stats)
}

fn services(stats: &Value) -> Result<(), Failure> {
    let heads =
        ["service", ">answers", ">not found", ">on disk", ">hits", ">stale", ">misses", ">saved 24 h"];
    let mut table = Table::new(&heads);
    for (id, service) in stats.get("by_service").and_then(Value::as_object).into_iter().flatten() {
        let number = |path: &str| service.pointer(path).and_then(Value::as_u64).unwrap_or(0);
        let cell = |n: u64| (if n == 0 { DIM } else { PLAIN }, n.to_string());
        let hits = ["memory", "disk", "shared"].map(|tier| number(&format!("/answers/{tier}")));
        table.row([
            (PLAIN, id.clone()),
            cell(number("/entries")),
            cell(number("/not_found")),
            (PLAIN, size(number("/bytes"))),
            cell(hits.iter().sum()),
            cell(number("/answers/stale")),
            cell(number("/answers/misses")),
            cell(number("/saved_24h")),
        ]);
    }
    table.print()
}
