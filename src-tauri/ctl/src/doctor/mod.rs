//! `doctor`: is everything as it should be? It changes nothing, but for the calls of `--online`.

mod files;
mod running;

use std::path::Path;

use headroom_engine::library::{Library, check_database};
use headroom_engine::meter::history::HistoryFile;
use headroom_engine::service::ServiceId;
use headroom_engine::settings::{Settings, SettingsFile};
use serde::Serialize;
use serde_json::{Value, json};

use crate::backend::{Backend, Remote};
use crate::failure::Failure;
use crate::get;
use crate::progress::Progress;
use crate::show::{self, BAD, GOOD, PLAIN, Table};

#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
}

/// What a check found, in words.
type Found = Result<String, String>;

fn check(name: impl Into<String>, found: Found) -> Check {
    let ok = found.is_ok();
    Check { name: name.into(), ok, detail: found.unwrap_or_else(|fault| fault) }
}

pub(crate) async fn run(dir: &Path, online: bool, as_json: bool) -> Result<(), Failure> {
    let remote = Remote::find(dir).await?;
    let settings = SettingsFile::open(dir, std::env::vars()).map_err(|e| e.to_string());
    let in_force = settings.as_ref().map(SettingsFile::current).unwrap_or_default();
    let mut checks = vec![
        check("settings", settings.map(|_| dir.join("settings.json").display().to_string())),
        check("data directory", files::directory(dir)),
        check("secret files", files::secrets(dir)),
    ];
    checks.extend(running::vault_and_accounts(dir, remote.as_ref()).await);
    checks.push(check("port", running::port(dir, &in_force, remote.as_ref())));
    checks.push(check("clock", running::clock().await));
    checks.push(check("history", HistoryFile::check(dir)));
    checks.push(check("library", Library::check(dir)));
    checks.push(check(
        "cache",
        check_database(&dir.join("cache.db"))
            .map_err(|fault| format!("{fault}; it can be removed, the next start makes a new one")),
    ));
    checks.push(check("disk", files::disk(dir)));
    if let Some(remote) = remote {
        let backend = Backend::Remote(remote);
        checks.extend(running::notices(&backend).await);
        if in_force.cache.shared_url.is_some() && !online {
            checks.extend(shared_as_it_is(&backend).await);
        }
    }
    if online {
        checks.extend(ask_providers(dir, &in_force).await);
    }
    let ok = checks.iter().all(|c| c.ok);
    if as_json {
        show::json(&json!({ "ok": ok, "checks": checks }))?;
    } else {
        let mut table = Table::new(&["", "check", "found"]);
        for Check { name, ok, detail } in checks {
            let (style, word) = if ok { (GOOD, "ok") } else { (BAD, "FAULT") };
            table.row([(style, word.to_owned()), (PLAIN, name), (PLAIN, detail)]);
        }
        table.print()?;
    }
    if ok { Ok(()) } else { Err(Failure::found()) }
}

/// One call to each service that is switched on and has what it needs.
async fn ask_providers(dir: &Path, settings: &Settings) -> Vec<Check> {
    let backend = match Backend::open(dir).await {
        Ok(backend) => backend,
        Err(failure) => return vec![check("online", Err(failure.into_text()))],
    };
    let rates = backend.ask("rates").await.unwrap_or_default();
    let ready = |id: &&ServiceId| {
        let access = rates.pointer(&format!("/services/{id}/access")).and_then(Value::as_str);
        !matches!(access, Some("credential_needed" | "disabled"))
    };
    let services: Vec<_> = ServiceId::ALL.iter().filter(ready).collect();
    let progress = Progress::steps(services.len(), "Asking the services");
    let mut checks = Vec::new();
    for id in services {
        let asked = get::once(&backend, *id, id.service().check_path).await;
        checks.push(check(format!("{id} online"), asked));
        progress.step();
    }
    if settings.cache.shared_url.is_some() {
        checks.extend(shared_by_asking(&backend).await);
    }
    backend.close().await;
    checks
}

/// The shared tier as the running engine knows it; nothing from one that has none.
async fn shared_as_it_is(backend: &Backend) -> Option<Check> {
    let stats = backend.ask("cache_stats").await.ok()?;
    let shared = stats.get("shared").filter(|shared| !shared.is_null())?;
    let text = |name: &str| shared.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let connected = shared.get("connected").and_then(Value::as_bool).unwrap_or(false);
    let found = if connected {
        Ok(format!("connected to {}", text("address")))
    } else {
        Err(format!("{} is not reached: {}", text("address"), text("trouble")))
    };
    Some(check("shared tier", found))
}

async fn shared_by_asking(backend: &Backend) -> Option<Check> {
    let asked: Result<Value, Failure> = backend.call("test_shared", json!({ "url": null })).await;
    match asked {
        Ok(answer) => {
            let server = answer.get("server").and_then(Value::as_str).unwrap_or_default();
            let ms = answer.get("ms").and_then(Value::as_f64).unwrap_or(0.0);
            Some(check("shared tier", Ok(format!("{server} answered in {ms:.1} ms"))))
        }
        // An engine without a shared tier.
        Err(failure) if failure.is_unknown_command() => None,
        Err(failure) => Some(check("shared tier", Err(failure.into_text()))),
    }
}
