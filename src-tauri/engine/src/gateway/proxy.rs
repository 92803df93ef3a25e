//! `ANY /{service}/{path}`: a tool's request, down the path of a call, and the service's answer back.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::header::{
    ACCEPT, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    HOST, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};

use super::compress::{Encoding, compress};
use super::conditional::{self, Conditions};
use super::error::OwnError;
use super::guard::key_refused;
use super::headers::{towards_service, towards_tool};
use super::receive::receive;
use super::{Host, links, shown_key};
use crate::account::keys::KeyHash;
use crate::budget::Priority;
use crate::call::{Accepts, Answer, Call, CallError, Origin, is_form};
use crate::service::{CredentialPlace, ServiceId};

/// Largest body a tool may send.
const LARGEST_REQUEST: usize = 8 * 1024 * 1024;
/// Largest form that is read to find a key in it.
const LARGEST_FORM: usize = 256 * 1024;
/// Longest wait a tool may ask for.
const LONGEST_WAIT_S: u64 = 3_600;

/// Whose key it was.
struct Asker {
    caller: Arc<str>,
    raw_links: bool,
    share: Option<f64>,
}

/// How a tool wants its answer.
struct Wish {
    service: ServiceId,
    raw_links: bool,
    /// The `Host` it asked.
    here: Option<HeaderValue>,
    head: bool,
    conditions: Conditions,
    encoding: Option<Encoding>,
    /// A browser's page load: what comes must not act as a page of this server.
    page: bool,
}

/// Answers a tool.
pub(super) async fn pass_on<B>(host: &Host, request: Request<B>) -> Response
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    match forward(host, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn forward<B>(host: &Host, request: Request<B>) -> Result<Response, OwnError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let (mut parts, body) = request.into_parts();
    check_method(&parts.method)?;
    let whole = parts.uri.path();
    let (front, (service, mut path)) = match shown_key::take_from_front(whole) {
        Some((key, rest)) => (Some(key), split_service(&rest)?),
        None => (None, split_service(whole)?),
    };
    check_path(&path)?;
    let mut query = parts.uri.query().unwrap_or_default().to_owned();
    let placed = shown_key::take(service.service(), &mut path, &mut query, &mut parts.headers);
    let in_form =
        matches!(service.service().auth.place, CredentialPlace::Query(_)) && is_form(&parts.headers);
    let (asker, body) = match (front.or(placed), in_form) {
        (shown, false) => {
            let asker = asker(host, service, shown)?;
            (asker, receive(body, LARGEST_REQUEST).await?)
        }
        (shown, true) => {
            // A stranger's body is not read to its end.
            let most = if shown.is_some() { LARGEST_REQUEST } else { LARGEST_FORM };
            let mut body = receive(body, most).await?;
            let in_form = shown_key::take_from_form(service.service(), &mut body);
            (asker(host, service, shown.or(in_form))?, body)
        }
    };
    let settings = host.engine.settings();
    if !settings.gateway.enabled {
        return Err(OwnError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "gateway_off",
            "The gateway is switched off in the settings (gateway.enabled)",
        ));
    }
    let usual = Duration::try_from_secs_f64(settings.gateway.max_wait_seconds).unwrap_or_default();
    let wish = Wish {
        service,
        raw_links: asker.raw_links,
        here: parts.headers.get(HOST).cloned(),
        head: parts.method == Method::HEAD,
        conditions: Conditions::of(&parts.method, &parts.headers),
        encoding: Encoding::accepted(&parts.headers),
        page: is_page_load(&parts.headers),
    };
    let call = Call {
        service,
        method: parts.method,
        path,
        query,
        max_wait: Some(preferred_wait(&parts.headers).unwrap_or(usual)),
        accepts: accepts(&parts.headers),
        headers: towards_service(parts.headers),
        body,
        caller: asker.caller,
        priority: Priority::Interactive,
        share: asker.share,
    };
    check_nothing_leaves(&call)?;
    match host.engine.call(call).await {
        Ok(answer) => Ok(respond(host, wish, answer).await),
        Err(error) => Ok(refuse(error)),
    }
}

/// `TRACE` would bring the real credential back; `CONNECT` asks for another kind of server.
fn check_method(method: &Method) -> Result<(), OwnError> {
    const PASSED: [Method; 7] = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
    ];
    if PASSED.contains(method) {
        return Ok(());
    }
    let message = "The gateway passes on GET, HEAD, POST, PUT, DELETE, PATCH and OPTIONS";
    Err(OwnError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message))
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

/// Refuses a path that another reader could take for another: one with steps up or down, or with a
/// backslash, however they are written. No client sends one by itself.
fn check_path(path: &str) -> Result<(), OwnError> {
    // Most paths have nothing to look at.
    if !path.contains(['.', '\\', '%']) {
        return Ok(());
    }
    let plain = path.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "\\");
    if plain.split('/').any(|segment| matches!(segment, "." | "..")) || plain.contains('\\') {
        let message = "A path with steps (/../) or backslashes is not passed on: write it out";
        return Err(OwnError::new(StatusCode::BAD_REQUEST, "bad_path", message));
    }
    Ok(())
}

/// A key that stands where no service expects it would leave the machine.
fn check_nothing_leaves(call: &Call) -> Result<(), OwnError> {
    let in_headers = || call.headers.values().any(|value| shown_key::stands_in(value.as_bytes()));
    if shown_key::stands_in(call.path.as_bytes())
        || shown_key::stands_in(call.query.as_bytes())
        || in_headers()
        || shown_key::stands_in(&call.body)
    {
        let label = call.service.service().label;
        let message = format!(
            "A key of Headroom stands where {label} would see it. Show it as `Authorization: Bearer …` or `X-Headroom-Key`, and nowhere else"
        );
        return Err(OwnError::new(StatusCode::BAD_REQUEST, "key_misplaced", message));
    }
    Ok(())
}

fn asker(host: &Host, service: ServiceId, key: Option<String>) -> Result<Asker, OwnError> {
    let Some(key) = key else { return Err(key_refused(false)) };
    let shown = KeyHash::of(&key);
    if host.is_control_key(&shown) {
        return Ok(Asker { caller: Arc::clone(&host.cli), raw_links: true, share: None });
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

/// Whether a browser would show the answer as a page, which would be one of this server's own origin.
fn is_page_load(headers: &HeaderMap) -> bool {
    headers.contains_key("sec-fetch-dest")
        || headers.get(ACCEPT).is_some_and(|v| memchr::memmem::find(v.as_bytes(), b"text/html").is_some())
}

async fn respond(host: &Host, wish: Wish, answer: Answer) -> Response {
    let Answer { status, mut headers, mut body, rest, origin, .. } = answer;
    towards_tool(&mut headers);
    let length = headers.remove(CONTENT_LENGTH);
    let turned = wish.service == ServiceId::Spotify
        && !wish.raw_links
        && !headers.contains_key(CONTENT_ENCODING)
        && headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|t| t.contains("json"));
    if turned {
        let here = wish.here.as_ref().and_then(|h| h.to_str().ok()).unwrap_or("127.0.0.1");
        let settings = host.engine.settings();
        let to = format!("http://{here}/{}", wish.service);
        body = links::rewrite(&body, settings.base_url(wish.service), &to);
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
    if wish.page {
        headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    if wish.conditions.hold_for(status, &headers) {
        conditional::without_body(&mut headers);
        return assemble(StatusCode::NOT_MODIFIED, headers, Body::empty());
    }
    if wish.head {
        // A service tells the length of what it does not send; a kept answer has the body itself.
        let length = if body.is_empty() { length.filter(|_| !turned) } else { Some(body.len().into()) };
        headers.extend(length.map(|length| (CONTENT_LENGTH, length)));
        return assemble(status, headers, Body::new(Unsent));
    }
    if let Some(parts) = rest.and_then(|rest| rest.take()) {
        headers.extend(length.map(|length| (CONTENT_LENGTH, length)));
        return assemble(status, headers, Body::from_stream(stream::iter([Ok(body)]).chain(parts)));
    }
    let body = compress(wish.encoding, status, &mut headers, body).await;
    assemble(status, headers, Body::from(body))
}

/// The body of an answer to `HEAD`: none, and of unknown length, so that no wrong one is written.
struct Unsent;

impl http_body::Body for Unsent {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        std::task::Poll::Ready(None)
    }
}

fn assemble(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
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
        towards_tool(&mut headers);
        headers.remove(CONTENT_LENGTH);
        headers.insert(RETRY_AFTER, (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1).into());
        headers.insert("x-headroom-cache", HeaderValue::from_static("miss"));
        return assemble(status, headers, Body::from(body));
    }
    own.into_response()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn map(name: &'static str, value: &str) -> Option<HeaderMap> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().ok()?);
        Some(headers)
    }

    #[test]
    fn paths_with_steps_are_refused_however_they_are_written() {
        for path in [
            "/..",
            "/../x",
            "/a/../b",
            "/a/./b",
            "/.",
            "/a/..",
            "/%2e%2e/x",
            "/.%2E/x",
            "/a/%2e",
            "/..%2fx",
            "/a%2f..%2fb",
            "/a%2F%2e%2e%2Fb",
            "/\\evil",
            "/a\\..\\b",
            "/%5cevil",
            "/..%5cx",
            "/a/..%2f",
        ] {
            assert!(check_path(path).is_err(), "{path}");
        }
        for path in [
            "/",
            "//evil.example/x",
            "/@evil.example",
            "/2.0/",
            "/v1/a.b",
            "/...",
            "/a..b",
            "/%00",
            "/%0d%0a",
            "/AC%2FDC",
            "/%E2%80%AE",
            "/.well-known/x",
            "/a/..;/b",
        ] {
            assert!(check_path(path).is_ok(), "{path}");
        }
    }

    #[test]
    fn a_page_load_is_recognised() {
        for (name, value, page) in [
            ("accept", "text/html,application/xhtml+xml", true),
            ("sec-fetch-dest", "document", true),
            ("accept", "application/json", false),
            ("accept", "*/*", false),
        ] {
            assert_eq!(is_page_load(&map(name, value).unwrap()), page, "{value}");
        }
    }

    proptest! {
        #[test]
        fn what_a_tool_prefers_is_read_whatever_it_is(
            value in "[ -~]{0,60}|((wait|no-cache|max-stale|respond-async|NO-STORE)=?[\"0-9,; -]{0,20}){0,4}"
        ) {
            if let Some(headers) = map("prefer", &value) {
                let wait = preferred_wait(&headers);
                prop_assert!(wait.is_none_or(|wait| wait <= Duration::from_secs(LONGEST_WAIT_S)));
            }
            if let Some(headers) = map("cache-control", &value) {
                let _ = accepts(&headers);
            }
        }

        #[test]
        fn a_path_is_split_without_loss(path in "/?(deezer|spotify|napster|~k)?(/|\\PC|%2f|\\.\\.){0,8}") {
            if let Ok((service, rest)) = split_service(&path) {
                prop_assert!(rest.starts_with('/'));
                let whole = format!("/{service}{rest}");
                let given = format!("/{}", path.strip_prefix('/').unwrap_or(&path));
                prop_assert!(whole == given || whole == format!("{given}/"), "{} and {}", whole, given);
            }
            let _ = check_path(&path);
        }
    }
}
