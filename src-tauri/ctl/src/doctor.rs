//! `doctor`: is everything as it should be? It changes nothing.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use headroom_engine::account::keys::Keys;
use headroom_engine::account::vault_file::VaultFile;
use headroom_engine::clock::Clock;
use headroom_engine::library::Library;
use headroom_engine::meter::history::HistoryFile;
use headroom_engine::service::ServiceId;
use headroom_engine::settings::{Settings, SettingsFile};
use serde::Serialize;
use serde_json::json;
use sysinfo::Disks;

use crate::backend::{Backend, Remote};
use crate::failure::Failure;
use crate::{get, show};

/// Less free space than this is a fault: a day's history and a cache need it.
const LEAST_FREE_MIB: u64 = 100;

#[derive(Serialize)]
struct Check {
    name: String,
    ok: bool,
    detail: String,
}

fn check(name: &str, result: Result<String, String>) -> Check {
    let ok = result.is_ok();
    Check { name: name.to_owned(), ok, detail: result.unwrap_or_else(|fault| fault) }
}

pub(crate) async fn run(dir: &Path, online: bool, as_json: bool) -> Result<(), Failure> {
    let remote = Remote::find(dir).await?;
    let settings = SettingsFile::open(dir, std::env::vars()).map_err(|e| e.to_string());
    let in_force = settings.as_ref().map(SettingsFile::current).unwrap_or_default();
    let mut checks = vec![
        check("settings", settings.map(|_| dir.join("settings.json").display().to_string())),
        check("data directory", data_directory(dir)),
        check(
            "vault",
            VaultFile::open(dir)
                .map(|file| format!("{} tool keys in vault.json", Keys::new(Arc::new(file)).list().len()))
                .map_err(|e| e.to_string()),
        ),
        check("port", port(&in_force, remote.as_ref())),
        check("clock", clock()),
        check("history", HistoryFile::check(dir)),
        check("library", Library::check(dir)),
        check("disk", disk(dir)),
    ];
    drop(remote);
    if online {
        let backend = Backend::open(dir).await?;
        for id in ServiceId::ALL.iter().filter(|id| in_force.service(**id).enabled) {
            if let Some(path) = id.service().check_path {
                let asked = get::once(&backend, *id, path).await;
                checks.push(check(&format!("{id} online"), asked));
            }
        }
        backend.close().await;
    }
    let ok = checks.iter().all(|c| c.ok);
    if as_json {
        show::json(&json!({ "ok": ok, "checks": checks }));
    } else {
        for c in &checks {
            println!("{:<5} {:<16} {}", if c.ok { "ok" } else { "FAULT" }, c.name, c.detail);
        }
    }
    if ok { Ok(()) } else { Err(Failure::found()) }
}

fn data_directory(dir: &Path) -> Result<String, String> {
    if !dir.exists() {
        return Ok(format!("{} (made at the first start)", dir.display()));
    }
    tempfile_in(dir)
        .map(|()| dir.display().to_string())
        .map_err(|e| format!("{} is not writable: {e}", dir.display()))
}

/// Whether a file can be made there; it is gone again at once.
fn tempfile_in(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    std::fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    std::fs::remove_file(path)
}

fn port(settings: &Settings, remote: Option<&Remote>) -> Result<String, String> {
    if let Some(remote) = remote {
        return Ok(format!("an engine answers at {}", remote.address));
    }
    let port = settings.gateway.port;
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(format!("{port} is free; no engine is running")),
        Err(error) => {
            Err(format!("{port} cannot be used ({error}): choose another with gateway.port in settings.json"))
        }
    }
}

fn clock() -> Result<String, String> {
    let now = Clock::system().wall();
    // Bans and quotas are stored in UTC: a clock that is years off would end or keep them wrongly.
    let plausible = 1_750_000_000..4_000_000_000;
    if plausible.contains(&now.seconds()) {
        Ok(now.to_text())
    } else {
        Err(format!("{} cannot be: set the clock", now.to_text()))
    }
}

fn disk(dir: &Path) -> Result<String, String> {
    let path = std::path::absolute(dir).map_err(|e| e.to_string())?;
    let existing = path.ancestors().find(|d| d.exists()).unwrap_or(&path);
    let Ok(disks) = Disks::new_with_refreshed_list() else {
        return Ok("the free space is not known here".to_owned());
    };
    let holding = disks
        .iter()
        .filter(|d| existing.starts_with(d.mount_point()))
        .max_by_key(|d| d.mount_point().as_os_str().len());
    let Some(holding) = holding else { return Ok("the free space is not known here".to_owned()) };
    let free = holding.available_space() / 1024 / 1024;
    let text = format!("{free} MiB free on {}", holding.mount_point().display());
    if free >= LEAST_FREE_MIB {
        Ok(text)
    } else {
        Err(format!("{text}: make room, or move the data directory"))
    }
}
