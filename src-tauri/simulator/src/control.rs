//! The control port: what tests and the demo use to steer the stand-ins.
//!
//! JSON over HTTP; the same functions serve the library's methods. Errors are
//! 400 with `{"error": "…"}`; unknown fields are errors, so that a typing
//! mistake in a test does not pass for a switch. `ID` is a service id,
//! `spotify-accounts` or `tidal-accounts`.
//!
//! | route | what |
//! |---|---|
//! | `GET /` | all addresses |
//! | `GET /counts` | what arrived everywhere, windows with their peaks, quotas, bans, grants |
//! | `GET /log[?service=ID][&n=100]` | the last requests, credentials visible |
//! | `POST /reset` | counts, logs, windows, bans, switches and rules as at the start |
//! | `GET`, `POST /services/ID` | one service; changes rules and adds switches |
//! | `GET`, `POST /accounts/spotify` | the authorisation server's settings |
//! | `GET /player[?user=…]`, `POST /player` | the listener |
//! | `GET /catalogue[?offset=0][&n=50]` | tracks with their ids |
//! | `GET /elsewhere` | what was sent to the foreign host of redirects to `other` |
//!
//! A change of rules: `window` or `windows` (`{"seconds", "calls"}`; they begin
//! empty), `quota` (the same, or `null`), `latency_ms` (`[shortest, longest]`),
//! `count` (`arrival`, or `anywhere` between arrival and answer), `credentials`
//! (a list, `"any"`, `"default"`), `retry_after` (send it at all), and switches:
//! `fault` and `refuse` add one, `faults` replaces all (see `faults.rs`).

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::faults::Fault;
use crate::oauth;
use crate::player;
use crate::window::Limit;
use crate::world::{Accept, Desk, World, lock};

/// Longest latency that can be asked for: ten minutes.
const LONGEST_MS: u64 = 600_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    window: Option<Limit>,
    windows: Option<Vec<Limit>>,
    /// `null` takes the quota away.
    #[serde(deserialize_with = "given")]
    quota: Option<Option<Limit>>,
    latency_ms: Option<[u64; 2]>,
    count: Option<CountAt>,
    credentials: Option<Credentials>,
    retry_after: Option<bool>,
    refuse: Option<Fault>,
    fault: Option<Fault>,
    /// Replaces every switch; `[]` turns all off.
    faults: Option<Vec<Fault>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CountAt {
    Arrival,
    Anywhere,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Credentials {
    These(Vec<String>),
    /// `"any"` or `"default"`.
    Word(String),
}

fn given<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Option<Limit>>, D::Error> {
    Option::deserialize(source).map(Some)
}

type Shared = State<Arc<World>>;
type Outcome = Result<Json<Value>, Wrong>;

/// A mistake in the request: 400 and a sentence.
struct Wrong(String);

impl From<String> for Wrong {
    fn from(message: String) -> Self {
        Self(message)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, Json(json!({"error": self.0}))).into_response()
    }
}

/// The routes of the control port.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/", get(|State(world): Shared| async move { Json(overview(&world)) }))
        .route("/counts", get(|State(world): Shared| async move { Json(counts(&world)) }))
        .route("/log", get(log_route))
        .route("/reset", post(|State(world): Shared| async move { Json(reset(&world)) }))
        .route("/services/{id}", get(service_route).post(change_route))
        .route("/accounts/spotify", get(accounts_route).post(change_accounts_route))
        .route("/player", get(player_route).post(command_route))
        .route("/catalogue", get(catalogue_route))
        .route("/elsewhere", get(|State(world): Shared| async move { Json(json!(*lock(&world.elsewhere))) }))
        // The foreign host of redirects to `other`: says what was sent to it.
        .route("/elsewhere/{*path}", any(elsewhere))
        .with_state(world)
}

fn overview(world: &World) -> Value {
    let [services, accounts] = world.addresses();
    json!({"control": world.control, "services": services, "accounts": accounts})
}

async fn change_route(State(world): Shared, Path(id): Path<String>, body: Bytes) -> Outcome {
    Ok(Json(change(&world, &id, read(&body)?)?))
}

async fn service_route(State(world): Shared, Path(id): Path<String>) -> Outcome {
    Ok(Json(describe(&world, find(&world, &id)?)))
}

async fn accounts_route(State(world): Shared) -> Json<Value> {
    Json(lock(&world.oauth).describe(world.clock.elapsed()))
}

async fn change_accounts_route(State(world): Shared, body: Bytes) -> Outcome {
    Ok(Json(change_accounts(&world, read(&body)?)?))
}

async fn player_route(State(world): Shared, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    Json(player::describe(&world, query.get("user").map_or(oauth::USER, String::as_str)))
}

async fn command_route(State(world): Shared, body: Bytes) -> Outcome {
    Ok(Json(player::command(&world, read(&body)?)?))
}

async fn log_route(State(world): Shared, Query(query): Query<HashMap<String, String>>) -> Outcome {
    let n = match query.get("n") {
        None => 100,
        Some(text) => text.parse().map_err(|_| Wrong(format!("n is `{text}`, not a number")))?,
    };
    let last = |desk: &Desk| json!(lock(&desk.state).ledger.last(n));
    Ok(Json(match query.get("service") {
        Some(id) => last(find(&world, id)?),
        None => world
            .desks
            .iter()
            .map(|desk| (desk.provider.id().to_owned(), last(desk)))
            .collect::<Map<_, _>>()
            .into(),
    }))
}

async fn catalogue_route(State(world): Shared, Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    let number = |name: &str, default| query.get(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let tracks: Vec<Value> = world
        .catalogue
        .tracks
        .iter()
        .skip(number("offset", 0))
        .take(number("n", 50))
        .map(|track| {
            json!({
                "n": track.n, "title": track.title, "artist": world.catalogue.artist_of(track).name,
                "credit": world.catalogue.credit(track), "album": world.catalogue.album_of(track).title,
                "duration_ms": track.duration_ms, "isrc": track.isrc, "spotify": track.spotify, "mbid": track.mbid,
            })
        })
        .collect();
    Json(
        json!({"total": world.catalogue.tracks.len(), "many_albums": world.catalogue.artists.first().map(|a| &a.spotify), "tracks": tracks}),
    )
}

async fn elsewhere(State(world): Shared, request: Request) -> Json<Value> {
    let headers: Map<String, Value> = request
        .headers()
        .iter()
        .map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned().into())
        })
        .collect();
    let visit = json!({
        "method": request.method().as_str(), "uri": request.uri().to_string(), "headers": headers,
    });
    lock(&world.elsewhere).push(visit.clone());
    Json(visit)
}

/// The body as JSON, whatever its content type says; nothing is `{}`.
fn read(body: &Bytes) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

fn find<'w>(world: &'w World, id: &str) -> Result<&'w Desk, String> {
    world.desk(id).ok_or_else(|| format!("there is no service `{id}`"))
}

fn describe(world: &World, desk: &Desk) -> Value {
    let now = world.clock.elapsed();
    let mut state = lock(&desk.state);
    let (windows, quota) = state.limits.usage(now);
    let mut counts = state.ledger.counts();
    counts["windows"] = json!(windows);
    counts["quota"] = json!(quota);
    counts["ban_seconds"] = json!(state.limits.ban_remaining(now).map(|left| left.as_secs_f64()));
    counts["faults"] = json!(state.faults.active(now));
    counts["latency_ms"] = json!(state.rules.latency_ms);
    counts
}

/// `GET /counts`.
pub(crate) fn counts(world: &World) -> Value {
    let (mut services, mut accounts) = (Map::new(), Map::new());
    for desk in &world.desks {
        let id = desk.provider.id();
        match id.strip_suffix("-accounts") {
            Some(service) => accounts.insert(service.to_owned(), describe(world, desk)),
            None => services.insert(id.to_owned(), describe(world, desk)),
        };
    }
    let grants = lock(&world.oauth).grants();
    for account in accounts.values_mut() {
        account["grants"] = grants.clone();
    }
    json!({"services": services, "accounts": accounts})
}

/// `POST /reset`.
pub(crate) fn reset(world: &World) -> Value {
    world.desks.iter().for_each(Desk::reset);
    lock(&world.oauth).forget_counts();
    lock(&world.elsewhere).clear();
    json!({"reset": true})
}

/// `POST /services/{id}`.
pub(crate) fn change(world: &World, id: &str, change: Value) -> Result<Value, String> {
    let desk = find(world, id)?;
    let change: Change = serde_json::from_value(change).map_err(|error| format!("{id}: {error}"))?;
    let windows = change.windows.or(change.window.map(|window| vec![window]));
    for limit in windows.iter().flatten().chain(change.quota.iter().flatten()) {
        if !(limit.seconds > 0.0 && limit.seconds.is_finite()) {
            return Err(format!("{id}: a window of {} seconds is none", limit.seconds));
        }
    }
    if let Some([low, high]) = change.latency_ms
        && (low > high || high > LONGEST_MS)
    {
        return Err(format!("{id}: latency_ms must be [shortest, longest], at most {LONGEST_MS}"));
    }
    let accept = match change.credentials {
        None => None,
        Some(Credentials::These(all)) => Some(Accept::Listed(all)),
        Some(Credentials::Word(word)) if word == "any" => Some(Accept::Any),
        Some(Credentials::Word(word)) if word == "default" => {
            Some(Accept::Listed(desk.provider.credentials().iter().map(|&key| key.to_owned()).collect()))
        }
        Some(Credentials::Word(word)) => {
            return Err(format!("{id}: credentials `{word}` is neither a list nor `any`"));
        }
    };

    let now = world.clock.elapsed();
    let mut state = lock(&desk.state);
    let limits_change = windows.is_some() || change.quota.is_some();
    let rules = &mut state.rules;
    rules.windows = windows.unwrap_or_else(|| rules.windows.clone());
    rules.quota = change.quota.unwrap_or(rules.quota);
    rules.latency_ms = change.latency_ms.unwrap_or(rules.latency_ms);
    rules.retry_after = change.retry_after.unwrap_or(rules.retry_after);
    if let Some(count) = change.count {
        rules.count_anywhere = matches!(count, CountAt::Anywhere);
    }
    if let Some(accept) = accept {
        rules.accept = accept;
    }
    if limits_change {
        // New windows begin empty: nothing that was counted for the old ones is theirs.
        state.limits = state.rules.limits(desk.provider);
    }
    if change.faults.is_some() {
        state.faults.clear();
    }
    for fault in change.faults.into_iter().flatten().chain(change.refuse).chain(change.fault) {
        state.faults.add(fault, now);
    }
    drop(state);
    Ok(describe(world, desk))
}

/// `POST /accounts/spotify`.
pub(crate) fn change_accounts(world: &World, change: Value) -> Result<Value, String> {
    let now = world.clock.elapsed();
    let mut oauth = lock(&world.oauth);
    oauth.change(change, now)?;
    Ok(oauth.describe(now))
}
