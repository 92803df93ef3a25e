//! What is at work: vault, accounts, port, clock, and what the running engine says.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use headroom_engine::account::accounts::Accounts;
use headroom_engine::account::vault::{Vault, VaultKind};
use headroom_engine::account::vault_file::VaultFile;
use headroom_engine::clock::Clock;
use headroom_engine::contract::AccountInfo;
use headroom_engine::holder;
use headroom_engine::service::ServiceId;
use headroom_engine::settings::Settings;
use serde_json::{Value, json};

use super::{Check, Found, check};
use crate::backend::{Backend, Remote};
use crate::show::length;

/// A consent that ends sooner is worth a word.
const CONSENT_SOON_S: i64 = 14 * 86_400;
/// How long the two clocks are compared, and how far they may part in that time.
const COMPARE: Duration = Duration::from_millis(150);
const APART_MS: u64 = 1_000;

/// Of the running engine, else of the files: a keychain is asked either way.
pub(super) async fn vault_and_accounts(dir: &Path, remote: Option<&Remote>) -> Vec<Check> {
    let connections = match remote {
        Some(remote) => remote.call("connections", &json!({})).await.map_err(|failure| failure.into_text()),
        None => from_files(dir).await,
    };
    match connections {
        Ok(connections) => {
            vec![check("vault", vault(&connections)), check("sign-ins", accounts(&connections))]
        }
        Err(fault) => vec![check("vault", Err(fault))],
    }
}

/// The part of `connections` that is used here, without an engine.
async fn from_files(dir: &Path) -> Result<Value, String> {
    let file = Arc::new(VaultFile::open(dir).map_err(|e| e.to_string())?);
    let vault = Vault::new(dir, Arc::clone(&file), false);
    let accounts = Accounts::new(Clock::system(), file, vault);
    let trouble = accounts.load().await.err().map(|e| e.to_string());
    let of = |id: &ServiceId| {
        let accounts: Vec<AccountInfo> = accounts.accounts(*id).iter().map(AccountInfo::from).collect();
        json!({ "service": id, "accounts": accounts })
    };
    let services: Vec<_> = ServiceId::ALL.iter().map(of).collect();
    Ok(json!({ "vault": accounts.vault_kind(), "vault_trouble": trouble, "services": services }))
}

fn vault(connections: &Value) -> Found {
    if let Some(trouble) = connections.get("vault_trouble").and_then(Value::as_str) {
        return Err(trouble.to_owned());
    }
    let kind = connections.get("vault").and_then(|kind| serde_json::from_value(kind.clone()).ok());
    Ok(match kind {
        Some(VaultKind::Keychain) => "the system's keychain",
        Some(VaultKind::File) => "vault.json, readable by you alone",
        None => "chosen with the first secret",
    }
    .to_owned())
}

fn accounts(connections: &Value) -> Found {
    let now = Clock::system().wall().seconds();
    let mut good = Vec::new();
    for service in connections.get("services").and_then(Value::as_array).into_iter().flatten() {
        let id = service.get("service").and_then(Value::as_str).unwrap_or_default();
        for account in service.get("accounts").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| account.get(name).and_then(Value::as_str);
            let name = text("name").or_else(|| text("id")).unwrap_or_default();
            let until = account.get("consent_until").and_then(Value::as_i64).unwrap_or(i64::MAX);
            let ended = account.get("ended").and_then(Value::as_bool).unwrap_or(false);
            if ended || until <= now {
                return Err(format!(
                    "the consent of {name} at {id} has ended: `headroomctl login {id}`, or `headroomctl logout {id}`"
                ));
            }
            good.push(match until - now {
                left @ ..CONSENT_SOON_S => {
                    format!("{id} as {name}, whose consent ends in {}: sign in again before", length(left))
                }
                _ => format!("{id} as {name}"),
            });
        }
    }
    Ok(if good.is_empty() { "nobody is signed in".to_owned() } else { good.join("; ") })
}

pub(super) fn port(dir: &Path, settings: &Settings, remote: Option<&Remote>) -> Found {
    if let Some(remote) = remote {
        return Ok(format!("ours: the engine answers at {}", remote.address));
    }
    if let Some(holder) = holder::of(dir) {
        return Err(format!("{holder} runs and does not answer: is its port taken, or is it just starting?"));
    }
    let port = settings.gateway.port;
    match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(format!("{port} is free; no engine is running")),
        Err(error) => {
            let why = if error.kind() == ErrorKind::AddrInUse {
                "another program has it".to_owned()
            } else {
                error.to_string()
            };
            Err(format!("{port} cannot be used ({why}): choose another with gateway.port in settings.json"))
        }
    }
}

/// Bans and quotas are stored in UTC: a clock that is years off would end or keep them wrongly.
pub(super) async fn clock() -> Found {
    let clock = Clock::system();
    let (mono, wall) = (clock.mono(), clock.wall());
    let built = env!("HEADROOM_BUILT_AT").parse().unwrap_or(0);
    if wall.seconds() < built {
        return Err(format!("{} cannot be, this program is younger: set the clock", wall.to_text()));
    }
    tokio::time::sleep(COMPARE).await;
    let passed = i64::try_from(clock.mono().since(mono).as_millis()).unwrap_or(i64::MAX);
    let apart = (clock.wall().millis() - wall.millis()).abs_diff(passed);
    if apart > APART_MS {
        return Err(format!("it jumped by {apart} ms while we looked: what sets the clock of this machine?"));
    }
    Ok(wall.to_text())
}

/// What the running engine would tell its user.
pub(super) async fn notices(backend: &Backend) -> Vec<Check> {
    let status = match backend.ask("status").await {
        Ok(status) => status,
        Err(failure) => return vec![check("engine", Err(failure.into_text()))],
    };
    let notices = status.get("notices").and_then(Value::as_array).into_iter().flatten();
    let text = |notice: &Value| notice.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts: Vec<_> = notices.map(text).collect();
    let version = status.get("version").and_then(Value::as_str).unwrap_or_default();
    let found = if texts.is_empty() { Ok(format!("version {version}")) } else { Err(texts.join("; ")) };
    vec![check("engine", found)]
}
