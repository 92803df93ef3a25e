//! Who may ask: this machine, by a name of this machine, with a key.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderMap, StatusCode};

use super::Host;
use super::error::OwnError;
use crate::account::keys::KeyHash;

/// Header a key may always stand in.
pub(super) const KEY_HEADER: &str = "x-headroom-key";

/// Refuses requests for another host: a page whose name was pointed at 127.0.0.1 (DNS rebinding) sends
/// its own name.
pub(super) async fn check_host(request: Request, next: Next) -> Response {
    let named = request
        .headers()
        .get(HOST)
        .and_then(|h| h.to_str().ok())
        .or_else(|| request.uri().authority().map(http::uri::Authority::as_str));
    if named.is_some_and(is_loopback) {
        return next.run(request).await;
    }
    OwnError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "foreign_host",
        "This server answers only as 127.0.0.1, [::1] or localhost",
    )
    .into_response()
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    !host.contains('@')
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Lets only the control key through.
pub(super) async fn check_control_key(State(host): State<Host>, request: Request, next: Next) -> Response {
    let shown = header_key(request.headers());
    match shown {
        Some(key) if host.is_control_key(&KeyHash::of(&key)) => next.run(request).await,
        Some(key) if host.engine.keys().find(&KeyHash::of(&key)).is_some() => OwnError::new(
            StatusCode::FORBIDDEN,
            "control_key_needed",
            "A tool's key opens gateway routes only; the control API needs the key of runtime.json",
        )
        .into_response(),
        shown => key_refused(shown.is_some()).into_response(),
    }
}

/// The answer to a missing or wrong key.
pub(super) fn key_refused(shown: bool) -> OwnError {
    if shown {
        OwnError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_key",
            "This key is not known, or was revoked: `headroomctl keys add NAME` makes a new one",
        )
    } else {
        OwnError::new(
            StatusCode::UNAUTHORIZED,
            "key_missing",
            "Show a key, as `Authorization: Bearer …` or `X-Headroom-Key`: `headroomctl keys add NAME` makes one",
        )
    }
}

/// A key in one of the headers that hold it anywhere.
pub(super) fn header_key(headers: &HeaderMap) -> Option<String> {
    let own = headers.get(KEY_HEADER).and_then(|v| v.to_str().ok()).map(str::trim);
    let bearer =
        || headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| scheme(v, "bearer"));
    own.or_else(bearer).map(str::to_owned)
}

/// What follows an authentication scheme, whatever its case.
pub(super) fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

impl Host {
    pub(super) fn is_control_key(&self, shown: &KeyHash) -> bool {
        *shown == self.control_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["127.0.0.1", "127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org",
            "evil@127.0.0.1",
            "",
            "10.0.0.1",
            "[::2]",
            "0.0.0.0",
            "a b",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
