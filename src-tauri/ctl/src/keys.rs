//! `keys`: what tools hold instead of real credentials.

use std::path::Path;

use headroom_engine::clock::Wall;
use serde_json::{Value, json};

use crate::args::KeysCommand;
use crate::backend::Backend;
use crate::failure::Failure;
use crate::show::{self, DIM, PLAIN, Table, remark, say};

pub(crate) async fn run(dir: &Path, command: KeysCommand, as_json: bool) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let done = carry_out(&backend, command, as_json).await;
    backend.close().await;
    done
}

async fn carry_out(backend: &Backend, command: KeysCommand, as_json: bool) -> Result<(), Failure> {
    match command {
        KeysCommand::Add { name, services, raw_links, share } => {
            let args = json!({ "name": name, "services": services, "raw_links": raw_links, "share": share });
            let made: Value = backend.call("add_key", args).await?;
            if as_json {
                return show::json(&made);
            }
            say!("{}", made.get("key").and_then(Value::as_str).unwrap_or_default())?;
            remark!("This is the key of {name}. It is not shown again.");
        }
        KeysCommand::List => {
            let keys = backend.ask("keys").await?;
            if as_json {
                return show::json(&keys);
            }
            return list(&keys);
        }
        KeysCommand::Revoke { name } => {
            backend.call::<Value>("revoke_key", json!({ "name": name })).await?;
            remark!("The key of {name} no longer opens anything.");
        }
    }
    Ok(())
}

fn list(keys: &Value) -> Result<(), Failure> {
    let mut table = Table::new(&["tool", "made", "services", "share", "calls", "hits", "last used"]);
    for key in keys.as_array().into_iter().flatten() {
        let services = key.get("services").and_then(Value::as_array);
        let services = services.map_or_else(
            || "all".to_owned(),
            |list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        );
        let made = Wall::from_seconds(key.get("created").and_then(Value::as_i64).unwrap_or(0)).to_text();
        let name = key.get("name").and_then(Value::as_str).unwrap_or_default();
        let share = key.get("share").and_then(Value::as_f64);
        let share = share.map_or_else(|| "all".to_owned(), |share| format!("{} %", (share * 100.0).round()));
        let count = |field: &str| key.get(field).and_then(Value::as_u64).unwrap_or(0).to_string();
        let used = key.get("last_used").and_then(Value::as_i64);
        let used = used.map_or_else(|| "never".to_owned(), |at| Wall::from_seconds(at).to_text());
        table.row([
            (PLAIN, name.to_owned()),
            (DIM, made),
            (PLAIN, services),
            (PLAIN, share),
            (PLAIN, count("calls")),
            (PLAIN, count("hits")),
            (DIM, used),
        ]);
    }
    table.print()
}
