//! `login` and `logout`.

use std::path::Path;
use std::time::Duration;

use headroom_engine::service::ServiceId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::browser;
use crate::failure::Failure;
use crate::show::{remark, say};

/// Between two looks at how the sign-in stands.
const LOOK: Duration = Duration::from_millis(200);
/// As long as the engine waits for the browser.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

#[derive(Deserialize)]
struct Begun {
    url: String,
    state: String,
}

#[derive(Deserialize)]
struct Progress {
    account: Option<Account>,
    failed: Option<String>,
}

#[derive(Deserialize)]
struct Account {
    id: String,
    name: Option<String>,
}

pub(crate) async fn login(dir: &Path, service: ServiceId, browser: bool) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let done = sign_in(&backend, service, browser).await;
    backend.close().await;
    done
}

async fn sign_in(backend: &Backend, service: ServiceId, browser: bool) -> Result<(), Failure> {
    let begun: Begun =
        backend.call("begin_sign_in", json!({ "service": service, "via": "loopback" })).await?;
    say!("{}", begun.url)?;
    if browser {
        remark!("The consent page opens in your browser; if not, open the address above.");
        browser::open(&begun.url);
    } else {
        remark!("Open this address in a browser on this machine.");
    }
    let account = tokio::time::timeout(PATIENCE, wait(backend, &begun.state)).await;
    let account = account.map_err(|_| Failure::failed("no answer came within 5 minutes: begin again"))??;
    let name = account.name.unwrap_or(account.id);
    remark!("Signed in at {} as {name}.", service.service().label);
    Ok(())
}

async fn wait(backend: &Backend, state: &str) -> Result<Account, Failure> {
    loop {
        let progress: Progress = backend.call("sign_in_progress", json!({ "state": state })).await?;
        match progress {
            Progress { account: Some(account), .. } => return Ok(account),
            Progress { failed: Some(why), .. } => return Err(Failure::failed(why)),
            Progress { .. } => tokio::time::sleep(LOOK).await,
        }
    }
}

pub(crate) async fn logout(dir: &Path, service: ServiceId, account: Option<String>) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let done = sign_out(&backend, service, account).await;
    backend.close().await;
    done
}

async fn sign_out(backend: &Backend, service: ServiceId, account: Option<String>) -> Result<(), Failure> {
    let account = match account {
        Some(account) => account,
        None => active(backend, service).await?,
    };
    backend.call::<Value>("sign_out", json!({ "service": service, "account": account })).await?;
    remark!("{account} is signed out at {}; what was counted stays.", service.service().label);
    Ok(())
}

async fn active(backend: &Backend, service: ServiceId) -> Result<String, Failure> {
    let connections = backend.ask("connections").await?;
    let services = connections.get("services").and_then(Value::as_array).into_iter().flatten();
    let ours = services.filter(|c| c.get("service") == Some(&json!(service)));
    let accounts = ours.filter_map(|c| c.get("accounts")?.as_array()).flatten();
    let active = accounts.filter(|a| a.get("active") == Some(&json!(true)));
    let id = active.filter_map(|a| a.get("id")?.as_str()).next();
    id.map(str::to_owned)
        .ok_or_else(|| Failure::failed(format!("nobody is signed in at {}", service.service().label)))
}
