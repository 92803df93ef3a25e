//! `open`: the window in a browser, by a link that works once.

use std::io::IsTerminal;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::backend::Remote;
use crate::browser;
use crate::failure::Failure;
use crate::show::{self, remark, say};

pub(crate) async fn run(dir: &Path, print: bool, as_json: bool) -> Result<(), Failure> {
    let Some(remote) = Remote::find(dir).await? else { return Err(Failure::no_engine(dir)) };
    let url = session(&remote).await?;
    if as_json {
        return show::json(&json!({ "url": url }));
    }
    if print || !std::io::stdout().is_terminal() || !browser::has_desktop() {
        return say!("{url}");
    }
    browser::open(&url);
    remark!("Headroom opens in your browser; if not, `headroomctl open --print` gives an address to open.");
    Ok(())
}

/// The link's address.
async fn session(remote: &Remote) -> Result<String, Failure> {
    let answer = remote.request(Method::POST, "/api/session").send().await;
    let answer = answer.map_err(|e| Failure::of(&e.without_url()))?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(|e| Failure::of(&e.without_url()))?;
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    if status == StatusCode::NOT_FOUND {
        return Err(Failure::failed(
            "the running engine has no page for a browser: is it an older Headroom?",
        ));
    }
    let url = body.get("url").and_then(Value::as_str).filter(|_| status.is_success());
    url.map(str::to_owned).ok_or_else(|| {
        let why = body.pointer("/error/message").and_then(Value::as_str);
        Failure::failed(why.unwrap_or("the engine gave no link"))
    })
}
