//! The control API: gauges, history, events, and every command of the contract.

use std::collections::HashMap;

use axum::extract::{Path, Query, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router, middleware};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::assets::no_page;
use super::error::OwnError;
use super::guard::{check_any_key, check_control_key};
use super::{Host, metrics, openapi, session, stream};
use crate::cache::{CacheStats, Forgotten};
use crate::contract::{ApiError, Code, Contract, KeyInfo, TokenStatus, dispatch};
use crate::meter::{Event, Summary};
use crate::rates::Rates;
use crate::service::ServiceId;

/// Every route below `/api`. Each is in `openapi.json` too, and a test holds the two together.
fn routes() -> Vec<(&'static str, MethodRouter<Host>)> {
    vec![
        ("/rate-monitor", get(rates)),
        ("/rate-monitor/history/{service}", get(history)),
        ("/rate-monitor/events", get(events)),
        ("/debug-summary", get(debug_summary)),
        ("/token-cache/status", get(token_status)),
        ("/token-cache/performance", get(token_performance)),
        ("/cache/stats", get(cache_stats)),
        ("/cache/invalidate", post(invalidate)),
        ("/library/events", post(library_event)),
        ("/keys", get(keys)),
        ("/events", get(stream::events)),
        ("/session", post(session::new_link)),
        ("/call/{command}", post(command)),
        ("/stop", post(stop)),
        ("/openapi.json", get(openapi::describe)),
    ]
}

pub(super) fn router(host: Host) -> Router<Host> {
    let router =
        routes().into_iter().fold(Router::new(), |router, (path, answer)| router.route(path, answer));
    router
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(host, check_control_key))
}

/// What lies outside `/api`, but for the gateway itself.
pub(super) fn outside(host: Host) -> Router<Host> {
    let metrics = get(metrics::metrics).layer(middleware::from_fn_with_state(host, check_any_key));
    Router::new()
        .route("/health", get(health))
        .route("/metrics", metrics)
        .route("/open", get(session::open))
        .fallback(page)
        .method_not_allowed_fallback(wrong_method)
}

/// A file of the page, else a path that begins with no service's name.
async fn page(State(host): State<Host>, method: Method, request: Request) -> Response {
    let path = request.uri().path();
    if matches!(method, Method::GET | Method::HEAD) {
        match &host.assets {
            Some(assets) => {
                if let Some(file) = assets.answer(path, request.headers()).await {
                    return file;
                }
            }
            None if path == "/" => return no_page(),
            None => {}
        }
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let unknown = crate::service::UnknownService(first.to_owned());
    let message = format!("{unknown}. A path is /SERVICE/…");
    OwnError::new(StatusCode::NOT_FOUND, "unknown_service", message).into_response()
}

async fn wrong_method() -> OwnError {
    OwnError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This route takes another method")
}

pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

async fn unknown() -> OwnError {
    OwnError::not_found("There is no such route in the control API")
}

async fn rates(State(host): State<Host>) -> Json<Rates> {
    Json(host.engine.rates())
}

async fn history(
    State(host): State<Host>,
    Path(service): Path<String>,
    Query(query): Query<HashMap<String, String>>,
) -> Result<Json<Value>, OwnError> {
    let id: ServiceId =
        service.parse().map_err(|e: crate::service::UnknownService| OwnError::not_found(e.to_string()))?;
    let mut day = host.engine.meter().day(id);
    let calls = match query.get("endpoint") {
        None => day.calls,
        Some(name) if id.service().endpoint_named(name).is_some() => {
            let length = day.calls.len();
            day.endpoints.remove(name.as_str()).unwrap_or_else(|| vec![0; length])
        }
        Some(name) => return Err(OwnError::not_found(format!("{id} has no endpoint {name:?}"))),
    };
    let last = calls.len().saturating_sub(1);
    let minutes = (day.start..).step_by(60).zip(calls).enumerate();
    // Empty minutes say nothing, but for the running one.
    let history: Vec<(i64, u32)> =
        minutes.filter(|(place, (_, n))| *n > 0 || *place == last).map(|(_, minute)| minute).collect();
    let limit = host.engine.rates().services.get(&id).map_or(0, |s| s.limit);
    Ok(Json(json!({ "service": id, "rate_limit": limit, "history": history })))
}

async fn events(State(host): State<Host>) -> Json<Vec<Event>> {
    Json(host.engine.meter().events())
}

async fn debug_summary(State(host): State<Host>) -> Json<Summary> {
    Json(host.engine.summary())
}

/// The token cache of Spotify's active account; all zero while nobody is signed in.
async fn token_status(State(host): State<Host>) -> Json<TokenStatus> {
    Json(host.engine.spotify_tokens())
}

/// The same as text.
async fn token_performance(State(host): State<Host>) -> String {
    host.engine.spotify_tokens().to_text()
}

async fn cache_stats(State(host): State<Host>) -> Json<CacheStats> {
    Json(host.engine.cache_stats())
}

/// `{"scope":"album","artist":…,"album":…}`: on disk when it is answered.
async fn invalidate(State(host): State<Host>, body: Bytes) -> Result<Json<Forgotten>, OwnError> {
    Ok(Json(host.engine.forget(read(&body)?).await?))
}

/// `{"type":"track_modified","artist":…,"old":{…}}`: done when it is answered.
async fn library_event(State(host): State<Host>, body: Bytes) -> Result<Json<Forgotten>, OwnError> {
    Ok(Json(host.engine.library_event(&read(&body)?).await?))
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body)
        .map_err(|e| ApiError::new(Code::BadRequest, format!("The body is not understood: {e}")))
}

async fn keys(State(host): State<Host>) -> Result<Json<Vec<KeyInfo>>, OwnError> {
    Ok(Json(Contract::keys(&host.engine).await?))
}

/// `POST /api/stop`: whoever runs the engine saves and ends it. Answers who that is.
async fn stop(State(host): State<Host>) -> Json<Value> {
    host.engine.ask_to_stop();
    Json(json!({ "pid": std::process::id() }))
}

/// `POST /api/call/{command}` with the arguments as a JSON object.
async fn command(
    State(host): State<Host>,
    Path(command): Path<String>,
    body: Bytes,
) -> Result<Response, OwnError> {
    let args = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)
            .map_err(|e| ApiError::new(Code::BadRequest, format!("The body is not JSON: {e}")))?
    };
    Ok(Json(dispatch(&host.engine, &command, args).await?).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described() {
        let described = openapi::document(8765);
        let paths = described["paths"].as_object().unwrap();
        for (path, _) in routes() {
            assert!(paths.contains_key(&format!("/api{path}")), "{path} is not in openapi.json");
        }
        for path in paths.keys().filter_map(|path| path.strip_prefix("/api")) {
            assert!(routes().iter().any(|(route, _)| *route == path), "{path} is in openapi.json only");
        }
    }
}
