//! `get`: one call down the path, raw body on stdout.

use std::path::Path;
use std::time::Duration;

use headroom_engine::call::{Accepts, Call, CallError};
use headroom_engine::clock::Clock;
use headroom_engine::service::ServiceId;
use http::header::{CACHE_CONTROL, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::backend::Backend;
use crate::failure::Failure;
use crate::show;

pub(crate) async fn run(
    dir: &Path,
    service: ServiceId,
    path: &str,
    query: &[(String, String)],
    fresh: bool,
) -> Result<(), Failure> {
    let path = target(path, query)?;
    let backend = Backend::open(dir).await?;
    let answered = fetch(&backend, service, path, fresh).await;
    backend.close().await;
    let (status, body) = answered?;
    show::raw(&body)?;
    match status {
        status if status.is_success() || status.is_redirection() => Ok(()),
        status => Err(Failure::failed(format!(
            "{} answered with status {}",
            service.service().label,
            status.as_u16()
        ))),
    }
}

async fn fetch(
    backend: &Backend,
    service: ServiceId,
    path: String,
    fresh: bool,
) -> Result<(StatusCode, Vec<u8>), Failure> {
    match backend {
        Backend::Remote(remote) => {
            let mut request = remote.request(reqwest::Method::GET, &format!("/{service}{path}"));
            if fresh {
                request = request.header(CACHE_CONTROL, "no-cache");
            }
            let answer = request.send().await;
            let answer = answer.map_err(|e| Failure::of(&e.without_url()))?;
            let (status, own) = (answer.status(), answer.headers().contains_key("x-headroom-limited"));
            if status == StatusCode::TOO_MANY_REQUESTS && !own {
                return Err(refused(service, answer.headers()));
            }
            let body = answer.bytes().await.map_err(|e| Failure::of(&e.without_url()))?;
            if own { Err(own_error(status, &body)) } else { Ok((status, body.into())) }
        }
        Backend::Local(engine) => {
            let wait =
                Duration::try_from_secs_f64(engine.settings().gateway.max_wait_seconds).unwrap_or_default();
            let accepts = Accepts { only_fresh_from_service: fresh, ..Accepts::default() };
            let answer = engine.call(Call { accepts, ..Call::get(service, path, "cli", wait) }).await;
            answer.map(|a| (a.status, a.body.into())).map_err(|error| match error {
                CallError::Refused { .. } => Failure::refused(error.to_string()),
                error => Failure::of(&error),
            })
        }
    }
}

/// This very call was refused by the service; the gateway says for how long.
fn refused(service: ServiceId, headers: &HeaderMap) -> Failure {
    let label = service.service().label;
    let wait = headers.get(RETRY_AFTER).and_then(|wait| wait.to_str().ok()?.parse::<i64>().ok());
    Failure::refused(match wait {
        Some(wait) => {
            let until = Clock::system().wall().plus_millis(wait.saturating_mul(1_000)).to_text();
            format!("{label} refuses calls for a while: nothing is sent before {until}")
        }
        None => format!("{label} refuses calls for a while"),
    })
}

/// One call to see whether a service answers, in words.
pub(crate) async fn once(backend: &Backend, service: ServiceId, path: &str) -> Result<String, String> {
    match fetch(backend, service, path.to_owned(), true).await {
        // It need not know what was asked for: it is there, and speaks to us.
        Ok((status, _)) if status.is_success() || status == StatusCode::NOT_FOUND => {
            Ok(format!("answered with status {}", status.as_u16()))
        }
        Ok((status, _)) => Err(format!("answered with status {}", status.as_u16())),
        Err(failure) => Err(failure.into_text()),
    }
}

/// Path and query as they are sent.
fn target(path: &str, query: &[(String, String)]) -> Result<String, Failure> {
    let slash = if path.starts_with('/') { "" } else { "/" };
    // Encodes what has no place in an address (spaces, umlauts), and leaves the rest as written.
    let mut url: reqwest::Url = format!("http://localhost{slash}{path}")
        .parse()
        .map_err(|e| Failure::usage(format!("{path:?} is no path: {e}")))?;
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(url.query().map_or_else(|| url.path().to_owned(), |q| format!("{}?{q}", url.path())))
}

fn own_error(status: StatusCode, body: &[u8]) -> Failure {
    let json: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let message = json
        .pointer("/error/message")
        .and_then(|m| m.as_str())
        .unwrap_or("the gateway refused without a word");
    if status == StatusCode::TOO_MANY_REQUESTS { Failure::refused(message) } else { Failure::failed(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_it_is_sent() {
        let query = [("q".to_owned(), "a b&c=ü".to_owned())];
        assert_eq!(target("search", &query).unwrap(), "/search?q=a+b%26c%3D%C3%BC");
        assert_eq!(target("/track/3?x=1", &[]).unwrap(), "/track/3?x=1");
        assert_eq!(target("//evil.example/x", &[]).unwrap(), "//evil.example/x");
    }
}
