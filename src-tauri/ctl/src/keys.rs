//! `keys`: what tools hold instead of real credentials.

use std::path::Path;

use serde_json::{Value, json};

use crate::args::KeysCommand;
use crate::backend::Backend;
use crate::failure::Failure;
use crate::show;

pub(crate) async fn run(dir: &Path, command: KeysCommand) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let done = carry_out(&backend, command).await;
    backend.close().await;
    done
}

async fn carry_out(backend: &Backend, command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Add { name, services, raw_links, json: as_json } => {
            let args = json!({ "name": name, "services": services, "raw_links": raw_links });
            let made: Value = backend.call("add_key", args).await?;
            if as_json {
                show::json(&made);
                return Ok(());
            }
            println!("{}", made.get("key").and_then(Value::as_str).unwrap_or_default());
            eprintln!("This is the key of {name}. It is not shown again.");
        }
        KeysCommand::List { json: as_json } => {
            let keys = backend.ask("keys").await?;
            if as_json {
                show::json(&keys);
                return Ok(());
            }
            for key in keys.as_array().into_iter().flatten() {
                let services = key.get("services").and_then(Value::as_array);
                let services = services.map_or_else(
                    || "all services".to_owned(),
                    |list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
                );
                println!("{:<20} {services}", key.get("name").and_then(Value::as_str).unwrap_or_default());
            }
        }
        KeysCommand::Revoke { name } => {
            backend.call::<Value>("revoke_key", json!({ "name": name })).await?;
            eprintln!("The key of {name} no longer opens anything.");
        }
    }
    Ok(())
}
