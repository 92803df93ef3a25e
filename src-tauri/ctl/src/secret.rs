//! `secret`: keys and tokens that were copied from a service.

use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};

use crate::args::SecretCommand;
use crate::backend::Backend;
use crate::failure::Failure;

/// A secret longer than this is something else.
const LONGEST: u64 = 16 * 1024;

pub(crate) async fn run(dir: &Path, command: SecretCommand) -> Result<(), Failure> {
    // Read first: nothing is held while somebody types.
    let (name, args) = match command {
        SecretCommand::Set { name } => ("set_secret", json!({ "name": name, "value": from_stdin()? })),
        SecretCommand::Forget { name } => ("forget_secret", json!({ "name": name })),
    };
    let backend = Backend::open(dir).await?;
    let done = backend.call::<Value>(name, args).await;
    backend.close().await;
    done.map(drop)
}

/// Standard input without the newline at its end.
fn from_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::io::stdin().take(LONGEST).read_to_string(&mut text);
    read.map_err(|e| Failure::failed(format!("cannot read the secret from standard input: {e}")))?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(text.strip_suffix('\r').unwrap_or(text).to_owned())
}
