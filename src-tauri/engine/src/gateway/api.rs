//! The control API: gauges, history, events, and every command of the contract.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::{Path, Query, Request, State};
use axum::response::Response;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::StatusCode;
use serde_json::{Value, json};

use super::Host;
use super::error::OwnError;
use super::guard::check_control_key;
use crate::contract::{ApiError, Code, Contract, KeyInfo, TokenStatus, dispatch};
use crate::meter::{Event, Summary};
use crate::rates::Rates;
use crate::service::ServiceId;

pub(super) fn router(host: Host) -> Router<Host> {
    Router::new()
        .route("/rate-monitor", get(rates))
        .route("/rate-monitor/history/{service}", get(history))
        .route("/rate-monitor/events", get(events))
        .route("/debug-summary", get(debug_summary))
        .route("/token-cache/status", get(token_status))
        .route("/token-cache/performance", get(token_performance))
        .route("/keys", get(keys))
        .route("/events", get(stream_events))
        .route("/call/{command}", post(command))
        .fallback(unknown)
        .layer(middleware::from_fn_with_state(host, check_control_key))
}

pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// A path that begins with no service's name.
pub(super) async fn no_service(request: Request) -> OwnError {
    let first = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
    let unknown = crate::service::UnknownService(first.to_owned());
    OwnError::new(StatusCode::NOT_FOUND, "unknown_service", format!("{unknown}. A path is /SERVICE/…"))
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

async fn keys(State(host): State<Host>) -> Result<Json<Vec<KeyInfo>>, OwnError> {
    Ok(Json(Contract::keys(&host.engine).await?))
}

/// Server-sent events: `rates` at once and then when a gauge changes, at most once a second.
async fn stream_events(State(host): State<Host>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let first = host.engine.rates();
    let state = (host.engine.frames(), host.stopping.clone(), Some(first));
    let frames = stream::unfold(state, |(mut frames, mut stopping, first)| async move {
        let rates = match first {
            Some(rates) => json(&rates),
            None => {
                tokio::select! {
                    changed = frames.changed() => changed.ok()?,
                    _ = stopping.wait_for(|stop| *stop) => return None,
                }
                let rates = frames.borrow_and_update().clone()?;
                json(&rates)
            }
        };
        Some((Ok(Message::default().event("rates").data(rates)), (frames, stopping, None)))
    });
    Sse::new(frames).keep_alive(KeepAlive::default())
}

fn json(rates: &Rates) -> String {
    serde_json::to_string(rates).unwrap_or_default()
}

/// `POST /api/call/{command}` with the arguments as a JSON object.
async fn command(
    State(host): State<Host>,
    Path(command): Path<String>,
    body: Bytes,
) -> Result<Response, OwnError> {
    use axum::response::IntoResponse;
    let args = if body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&body)
            .map_err(|e| ApiError::new(Code::BadRequest, format!("The body is not JSON: {e}")))?
    };
    Ok(Json(dispatch(&host.engine, &command, args).await?).into_response())
}
