//! Signed in, hour after hour: what a refresh stores and when, what a rejected token costs, and how a
//! consent ends. The whole engine in virtual time; the accounts server is in memory.

use std::sync::Arc;
use std::time::Duration;

use headroom_engine::call::{Call, CallError};
use headroom_engine::contract::{Contract as _, SignInVia};
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::Spotify;
use headroom_engine::{Engine, Options};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::provider::{Reply, Scripted, Seen};
use crate::support::{Home, all, events, get, kill, ms, s};

/// Spotify and its accounts server: tokens are `access-1`, `refresh-1`, …
#[derive(Default)]
struct Spot {
    /// Refreshes asked for, by their refresh tokens.
    asked: Vec<String>,
    /// Access tokens that are not taken.
    dead: Vec<String>,
    rotates: bool,
    /// What refreshes get instead of a token.
    refuses: Option<(u16, &'static str)>,
    /// What must be in the vault's file when a call shows this token.
    stored: Vec<(String, bool)>,
}

type Shared = Arc<Mutex<Spot>>;

impl Spot {
    fn answer(&mut self, seen: &Seen, vault: &std::path::Path) -> Reply {
        if !seen.target().starts_with("/api/token") {
            let number = seen.bearer.trim_start_matches("access-");
            let kept = std::fs::read_to_string(vault).unwrap();
            self.stored.push((seen.bearer.clone(), kept.contains(&format!("\"refresh-{number}\""))));
            let me = json!({"id": "listener", "display_name": "A Listener"});
            return match self.dead.contains(&seen.bearer) {
                true => Reply::new(401, r#"{"error":{"status":401}}"#),
                false => Reply::new(200, me.to_string()),
            };
        }
        let form: Vec<_> = seen.body.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let field = |name: &str| form.iter().find(|(n, _)| *n == name).map_or("", |(_, v)| v).to_owned();
        if field("grant_type") == "authorization_code" {
            let given =
                json!({"access_token": "access-0", "refresh_token": "refresh-0", "expires_in": 3_600});
            return Reply::new(200, given.to_string());
        }
        self.asked.push(field("refresh_token"));
        if let Some((status, body)) = self.refuses {
            return Reply::new(status, body).after(ms(50));
        }
        let number = self.asked.len();
        let mut given = json!({"access_token": format!("access-{number}"), "expires_in": 3_600});
        if self.rotates {
            given["refresh_token"] = json!(format!("refresh-{number}"));
        }
        Reply::new(200, given.to_string()).after(ms(50))
    }
}

struct House {
    home: Home<Scripted>,
    spot: Shared,
}

const DEAD: (u16, &str) = (400, r#"{"error":"invalid_grant","error_description":"Refresh token revoked"}"#);

impl House {
    fn new() -> Self {
        let spot = Shared::default();
        let home = Home::new(Scripted::new(|_| Reply::ok()));
        let (script, vault) = (Arc::clone(&spot), home.path("vault.json"));
        home.provider.now(move |seen| script.lock().answer(seen, &vault));
        home.settings(&json!({"services": {"spotify": {
            "client_id": "mine", "budget": {"windows": [{"seconds": 1, "calls": 100_000}]}}}}));
        Self { home, spot }
    }

    async fn start(&self) -> Engine {
        let environment = vec![("HEADROOM_VAULT".to_owned(), "file".to_owned())];
        let options =
            || Options { credentials: None, environment: environment.clone(), ..self.home.options() };
        loop {
            match Engine::start(options()).await {
                Err(headroom_engine::StartError::Running(_)) => tokio::time::sleep(ms(1)).await,
                started => return started.unwrap(),
            }
        }
    }

    async fn signed_in(&self) -> Engine {
        let engine = self.start().await;
        sign_in(&engine).await;
        self.spot.lock().stored.clear();
        engine
    }

    fn asked(&self) -> Vec<String> {
        self.spot.lock().asked.clone()
    }

    fn calls(&self) -> usize {
        self.home.provider.seen().iter().filter(|seen| seen.target().starts_with("/v1/")).count()
    }

    fn vault(&self) -> Value {
        serde_json::from_str(&self.home.read("vault.json")).unwrap()
    }
}

async fn sign_in(engine: &Engine) {
    let begun = engine.begin_sign_in(Spotify, SignInVia::Link).await.unwrap();
    let callback = format!("headroom://callback?code=c&state={}", begun.state);
    assert_eq!(engine.finish_sign_in(callback).await.unwrap().id, "listener");
}

fn me() -> Call {
    get(Spotify, "/v1/me")
}

async fn status(engine: &Engine) -> u16 {
    engine.call(me()).await.unwrap().status.as_u16()
}

/// To the next hour: the token is then expired.
async fn an_hour() {
    tokio::time::advance(Duration::from_secs(3_601)).await;
}

#[tokio::test(start_paused = true)]
async fn t3_answers_without_a_refresh_token_keep_the_old_one() {
    let house = House::new();
    let engine = house.signed_in().await;
    for hour in 1..=3 {
        an_hour().await;
        assert_eq!(status(&engine).await, 200, "hour {hour}");
    }
    engine.stop().await;
    let engine = house.start().await;
    assert_eq!(status(&engine).await, 200, "and after a restart");
    assert_eq!(house.asked(), ["refresh-0"; 4]);
    assert_eq!(house.vault()["secrets"], json!({"spotify.refresh.listener": "refresh-0"}));
}

#[tokio::test(start_paused = true)]
async fn t3_a_new_refresh_token_is_stored_before_the_access_token_is_used() {
    let house = House::new();
    house.spot.lock().rotates = true;
    let engine = house.signed_in().await;
    for _ in 0..3 {
        an_hour().await;
        for answer in all(&engine, 20, &me()).await {
            assert_eq!(answer.unwrap().status, 200);
        }
    }
    assert_eq!(house.asked(), ["refresh-0", "refresh-1", "refresh-2"]);
    let stored = house.spot.lock().stored.clone();
    assert!(stored.len() == 60 && stored.iter().all(|(_, stored)| *stored), "{stored:?}");

    // Killed with its first call under way: the next one goes on with the new one.
    an_hour().await;
    let (script, vault) = (Arc::clone(&house.spot), house.home.path("vault.json"));
    house.home.provider.now(move |seen| {
        let reply = script.lock().answer(seen, &vault);
        if seen.target().starts_with("/v1/") { reply.after(s(600)) } else { reply }
    });
    let call = tokio::spawn({
        let engine = engine.clone();
        async move { engine.call(me()).await }
    });
    tokio::time::sleep(s(1)).await;
    assert_eq!(house.spot.lock().stored.last().unwrap(), &("access-4".to_owned(), true));
    call.abort();
    kill(engine).await;
    let (script, vault) = (Arc::clone(&house.spot), house.home.path("vault.json"));
    house.home.provider.now(move |seen| script.lock().answer(seen, &vault));
    let engine = house.start().await;
    assert_eq!(status(&engine).await, 200);
    assert_eq!(house.asked().last().unwrap(), "refresh-4");
}

#[tokio::test(start_paused = true)]
async fn t3_invalid_grant_asks_for_a_sign_in_once_and_is_never_tried_again() {
    let house = House::new();
    let engine = house.signed_in().await;
    let before = house.calls();
    house.spot.lock().refuses = Some(DEAD);
    an_hour().await;
    for round in 0..5 {
        for answer in all(&engine, 100, &me()).await {
            let error = answer.unwrap_err();
            assert!(matches!(error, CallError::SignInNeeded(Spotify)), "round {round}: {error}");
            assert!(error.to_string().starts_with("Sign in to Spotify"), "{error}");
        }
        an_hour().await;
    }
    assert!(engine.renew_token(Spotify).await.is_err());
    assert!(engine.use_account(Spotify, "listener".into()).await.is_ok());
    assert!(
        matches!(engine.call(me()).await, Err(CallError::SignInNeeded(Spotify))),
        "chosen again, still ended"
    );
    assert_eq!(house.asked().len(), 1, "exactly one try");
    let told = events(&engine, EventKind::SignInNeeded);
    assert_eq!((told.len(), told[0].service), (1, Some(Spotify)), "said once: {told:?}");
    engine.stop().await;

    let engine = house.start().await;
    let ended =
        |engine: &Engine| engine.accounts().accounts(Spotify).iter().map(|a| a.ended).collect::<Vec<_>>();
    assert_eq!(ended(&engine), [true], "the account is still listed, as ended");
    assert!(matches!(engine.call(me()).await, Err(CallError::SignInNeeded(Spotify))));
    assert_eq!((house.asked().len(), house.calls()), (1, before), "nothing is tried after a restart either");
    assert_eq!(events(&engine, EventKind::SignInNeeded).len(), 1);

    house.spot.lock().refuses = None;
    sign_in(&engine).await;
    assert_eq!((status(&engine).await, ended(&engine)), (200, vec![false]), "a sign-in mends it");
}

#[tokio::test(start_paused = true)]
async fn a_rejected_token_is_renewed_once_and_the_call_tried_once_more() {
    let house = House::new();
    let engine = house.signed_in().await;
    let before = house.calls();
    house.spot.lock().dead.push("access-0".into());
    for answer in all(&engine, 50, &me()).await {
        assert_eq!(answer.unwrap().status, 200, "however young the token was");
    }
    assert_eq!((house.asked().len(), house.calls() - before), (1, 100), "one refresh, one more try each");

    // A second 401 is the answer, and nobody is signed out.
    house.spot.lock().dead.extend((0..100).map(|n| format!("access-{n}")));
    let before = house.calls();
    assert_eq!(status(&engine).await, 401);
    assert_eq!((house.asked().len(), house.calls() - before), (2, 2));
    house.spot.lock().dead.clear();
    assert_eq!(status(&engine).await, 200, "the account stays signed in");
    assert!(events(&engine, EventKind::SignInNeeded).is_empty());
}

#[tokio::test(start_paused = true)]
async fn t1_rejections_while_the_accounts_server_is_down_do_not_hammer_it() {
    let house = House::new();
    let engine = house.signed_in().await;
    house.spot.lock().dead.push("access-0".into());
    house.spot.lock().refuses = Some((400, r#"{"error":"server_error"}"#));
    for answer in all(&engine, 100, &me()).await {
        assert_eq!(answer.unwrap().status, 401, "passed on");
    }
    for _ in 0..5 {
        assert_eq!(status(&engine).await, 401);
    }
    assert_eq!(house.asked().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn t2_an_accounts_server_in_trouble_is_no_reason_to_sign_in_again() {
    let house = House::new();
    let engine = house.signed_in().await;
    let before = house.calls();
    for (refusal, said) in [
        ((500, "oops"), "status 500"),
        ((400, r#"{"error":"server_error"}"#), "server_error"),
        ((200, "<html>"), "no token"),
        ((429, ""), "refuses calls for a while"),
    ] {
        house.spot.lock().refuses = Some(refusal);
        an_hour().await;
        let asked = house.asked().len();
        for answer in all(&engine, 20, &me()).await {
            let error = answer.unwrap_err();
            assert!(matches!(error, CallError::Unreachable { service: Spotify, .. }), "{refusal:?}: {error}");
            assert!(error.to_string().contains(said), "{refusal:?}: {error}");
        }
        assert_eq!(house.asked().len() - asked, 1, "{refusal:?}");
    }
    assert_eq!(house.calls(), before, "nothing is sent without a token");
    assert!(engine.rates().services[&Spotify].ban.is_none(), "the accounts server's refusal is its own");
    house.spot.lock().refuses = None;
    an_hour().await;
    assert_eq!(status(&engine).await, 200);
    assert!(events(&engine, EventKind::SignInNeeded).is_empty());
    let token =
        engine.connections().await.unwrap().services.into_iter().find(|c| c.service == Spotify).unwrap();
    let metrics = token.token.unwrap().cache_metrics;
    assert_eq!(metrics.cache_hits + metrics.cache_misses, metrics.total_requests);
    assert_eq!(metrics.refresh_successes + metrics.refresh_failures, metrics.refresh_attempts);
}
