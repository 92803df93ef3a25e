//! `ANY /{service}/{path}`: a tool's request, down the path of a call, and the service's answer back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HOST, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::error::OwnError;
use super::guard::key_refused;
use super::headers::drop_connection_headers;
use super::{Host, links, shown_key};
use crate::account::keys::KeyHash;
use crate::budget::Priority;
use crate::call::{Accepts, Answer, Call, CallError, Origin};
use crate::service::ServiceId;

/// Largest body a tool may send.
const LARGEST_REQUEST: usize = 8 * 1024 * 1024;
/// Longest wait a tool may ask for.
const LONGEST_WAIT_S: u64 = 3_600;

/// Whose key it was.
struct Asker {
    caller: Arc<str>,
    raw_links: bool,
    share: Option<f64>,
}

pub(super) async fn pass_on(State(host): State<Host>, request: Request) -> Response {
    match forward(&host, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn forward(host: &Host, request: Request) -> Result<Response, OwnError> {
    let (mut parts, body) = request.into_parts();
    let whole = parts.uri.path();
    let (front, whole) =
        shown_key::take_from_front(whole).map_or((None, whole.to_owned()), |(key, rest)| (Some(key), rest));
    let (service, mut path) = split_service(&whole)?;
    let mut query = parts.uri.query().unwrap_or_default().to_owned();
    let here = parts.headers.get(HOST).and_then(|h| h.to_str().ok()).unwrap_or("127.0.0.1").to_owned();
    let placed = shown_key::take(service.service(), &mut path, &mut query, &mut parts.headers);
    let asker = asker(host, service, front.or(placed))?;
    let settings = host.engine.settings();
    if !settings.gateway.enabled {
        return Err(OwnError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "gateway_off",
            "The gateway is switched off in the settings (gateway.enabled)",
        ));
    }
    let body = to_bytes(body, LARGEST_REQUEST).await.map_err(|_| {
        OwnError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            "The body did not come whole, or is larger than 8 MiB",
        )
    })?;
    let usual = Duration::try_from_secs_f64(settings.gateway.max_wait_seconds).unwrap_or_default();
    let call = Call {
        service,
        method: parts.method,
        path,
        query,
        max_wait: Some(preferred_wait(&parts.headers).unwrap_or(usual)),
        accepts: accepts(&parts.headers),
        headers: passed_on(parts.headers),
        body,
        caller: Arc::clone(&asker.caller),
        priority: Priority::Interactive,
        share: asker.share,
    };
    match host.engine.call(call).await {
        Ok(answer) => Ok(respond(host, service, &asker, &here, answer)),
        Err(error) => Ok(refuse(error)),
    }
}

fn split_service(path: &str) -> Result<(ServiceId, String), OwnError> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let (name, path) =
        rest.split_once('/').map_or((rest, "/".to_owned()), |(name, path)| (name, format!("/{path}")));
    let service = name.parse::<ServiceId>().map_err(|unknown| {
        OwnError::new(StatusCode::NOT_FOUND, "unknown_service", format!("{unknown}. A path is /SERVICE/…"))
    })?;
    Ok((service, path))
}

fn asker(host: &Host, service: ServiceId, key: Option<String>) -> Result<Asker, OwnError> {
    let Some(key) = key else { return Err(key_refused(false)) };
    let shown = KeyHash::of(&key);
    if host.is_control_key(&shown) {
        return Ok(Asker { caller: "cli".into(), raw_links: true, share: None });
    }
    let Some((known, caller)) = host.engine.keys().find(&shown) else { return Err(key_refused(true)) };
    if !known.opens(service) {
        let message = format!("The key of {:?} does not open {}", known.name, service.service().label);
        return Err(OwnError::new(StatusCode::FORBIDDEN, "service_not_allowed", message));
    }
    Ok(Asker { caller, raw_links: known.raw_links, share: known.share })
}

/// `Prefer: wait=N` (RFC 7240 §4.3), in seconds.
fn preferred_wait(headers: &HeaderMap) -> Option<Duration> {
    let values = headers.get_all("prefer").iter().filter_map(|v| v.to_str().ok());
    let wait = values.flat_map(|v| v.split([',', ';'])).find_map(|p| p.trim().strip_prefix("wait="))?;
    wait.trim()
        .trim_matches('"')
        .parse()
        .ok()
        .map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_WAIT_S)))
}

/// A tool's `Cache-Control`: `no-cache` and `max-stale[=seconds]`.
fn accepts(headers: &HeaderMap) -> Accepts {
    let mut accepts = Accepts::default();
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|v| v.to_str().ok());
    for directive in values.flat_map(|v| v.split(',')).map(str::trim) {
        match directive.split_once('=').unwrap_or((directive, "")) {
            (name, _) if name.eq_ignore_ascii_case("no-cache") => accepts.only_fresh_from_service = true,
            (name, _) if name.eq_ignore_ascii_case("no-store") => {
                accepts.only_fresh_from_service = true;
                accepts.keeps_nothing = true;
            }
            (name, seconds) if name.eq_ignore_ascii_case("max-age") => {
                accepts.max_age = seconds.parse().ok().map(Duration::from_secs);
            }
            (name, seconds) if name.eq_ignore_ascii_case("max-stale") => {
                accepts.max_stale = Some(seconds.parse().map_or(Duration::MAX, Duration::from_secs));
            }
            _ => {}
        }
    }
    accepts
}

/// The headers a service gets to see. Compression is agreed with it apart from the tool.
fn passed_on(mut headers: HeaderMap) -> HeaderMap {
    drop_connection_headers(&mut headers);
    for name in [HOST, ACCEPT_ENCODING, CONTENT_LENGTH, CACHE_CONTROL] {
        headers.remove(name);
    }
    for name in [
        "prefer",
        "cookie",
        "origin",
        "referer",
        "forwarded",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
    ] {
        headers.remove(name);
    }
    headers
}

fn respond(host: &Host, service: ServiceId, asker: &Asker, here: &str, answer: Answer) -> Response {
    let Answer { status, mut headers, mut body, origin, .. } = answer;
    drop_connection_headers(&mut headers);
    headers.remove(CONTENT_LENGTH);
    headers.remove(CONTENT_ENCODING);
    let is_json = headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|t| t.contains("json"));
    if service == ServiceId::Spotify && is_json && !asker.raw_links {
        body = links::rewrite(
            &body,
            host.engine.settings().base_url(service),
            &format!("http://{here}/{service}"),
        );
    }
    let (cache, age) = match origin {
        Origin::Service => ("miss", None),
        Origin::Hit(age) => ("hit", Some(age)),
        Origin::Stale(age) => ("stale", Some(age)),
    };
    headers.insert("x-headroom-cache", HeaderValue::from_static(cache));
    if let Some(age) = age {
        headers.insert(AGE, age.as_secs().into());
    }
    assemble(status, headers, body)
}

fn assemble(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// A refusal of this very call is passed on as the service wrote it, with the wait it must keep. One
/// that hides behind another status (a 200 or 403) is answered as the honest 429 it is: no tool should
/// take it for "there is no such album".
fn refuse(error: CallError) -> Response {
    let own = OwnError::from(&error);
    if let CallError::Refused { wait, answer: Some(answer), .. } = error
        && answer.status == StatusCode::TOO_MANY_REQUESTS
    {
        let Answer { status, mut headers, body, .. } = *answer;
        drop_connection_headers(&mut headers);
        headers.remove(CONTENT_LENGTH);
        headers.remove(CONTENT_ENCODING);
        headers.insert(RETRY_AFTER, (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).into());
        headers.insert("x-headroom-cache", HeaderValue::from_static("miss"));
        return assemble(status, headers, body);
    }
    own.into_response()
}
