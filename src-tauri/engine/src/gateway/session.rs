//! A browser's way in: a link that works once, and the cookie it sets.
//!
//! The cookie opens the control API to our own page and to nothing else: it counts only for requests the
//! browser says are of this origin, and never for the gateway.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, COOKIE, ORIGIN, REFERRER_POLICY, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::error::OwnError;
use super::guard::SITE;
use super::{Host, Shared};
use crate::account::keys::{KeyHash, new_key};
use crate::clock::{Clock, Mono};

/// How long a link works.
const LINK: Duration = Duration::from_secs(60);
/// How long a session lasts.
const SESSION: Duration = Duration::from_secs(12 * 3_600);
/// Links and sessions at once; the oldest gives way.
const MOST: usize = 16;

/// Links not used yet, and sessions. They end with the engine.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    links: Mutex<Vec<(KeyHash, Mono)>>,
    sessions: Mutex<Vec<(KeyHash, Mono)>>,
}

/// A link to open in a browser.
#[derive(Debug, Serialize)]
pub(super) struct Link {
    url: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Code {
    #[serde(default)]
    code: String,
}

fn keep(list: &Mutex<Vec<(KeyHash, Mono)>>, clock: &Clock, life: Duration) -> String {
    let (secret, now) = (new_key(), clock.mono());
    let mut list = list.lock();
    list.retain(|(_, ends)| *ends > now);
    if list.len() >= MOST {
        list.remove(0);
    }
    list.push((KeyHash::of(&secret), now + life));
    secret
}

impl Sessions {
    /// Exchanges a link's code for a session. It works once.
    fn open(&self, clock: &Clock, code: &str) -> Option<String> {
        let (shown, now) = (KeyHash::of(code), clock.mono());
        let mut links = self.links.lock();
        let place = links.iter().position(|(hash, _)| *hash == shown)?;
        let (_, ends) = links.remove(place);
        drop(links);
        (ends > now).then(|| keep(&self.sessions, clock, SESSION))
    }

    fn holds(&self, clock: &Clock, secret: &str) -> bool {
        let (shown, now) = (KeyHash::of(secret), clock.mono());
        self.sessions.lock().iter().fold(false, |held, (hash, ends)| held | (*hash == shown && *ends > now))
    }
}

/// The cookie's name. Cookies know no ports: two engines on one machine must not take each other's.
fn cookie_name(port: u16) -> String {
    format!("headroom_session_{port}")
}

impl Shared {
    /// Whether a request comes from our page with a session that runs. The guard has refused foreign
    /// origins; here the browser must also say that it is ours.
    pub(super) fn has_session(&self, headers: &HeaderMap) -> bool {
        let ours =
            headers.contains_key(ORIGIN) || headers.get(SITE).is_some_and(|site| site == "same-origin");
        if !ours {
            return false;
        }
        let name = cookie_name(self.port);
        let cookies = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
        let mut pairs = cookies.flat_map(|v| v.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.any(|(n, secret)| n == name && self.sessions.holds(self.engine.clock(), secret))
    }
}

/// `POST /api/session`: a link that opens the page, once, within a minute.
pub(super) async fn new_link(State(host): State<Host>) -> Json<Link> {
    let code = keep(&host.sessions.links, host.engine.clock(), LINK);
    Json(Link { url: format!("http://127.0.0.1:{}/open?code={code}", host.port) })
}

/// `GET /open?code=…`: the link itself.
pub(super) async fn open(State(host): State<Host>, Query(Code { code }): Query<Code>) -> Response {
    let Some(secret) = host.sessions.open(host.engine.clock(), &code) else {
        return OwnError::new(
            StatusCode::FORBIDDEN,
            "link_used",
            "This link was used, or is older than a minute: `headroomctl open` makes a new one",
        )
        .into_response();
    };
    let cookie = format!(
        "{}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={}",
        cookie_name(host.port),
        SESSION.as_secs()
    );
    let mut response = Redirect::to("/").into_response();
    let headers = response.headers_mut();
    headers.extend(HeaderValue::try_from(cookie).ok().map(|cookie| (SET_COOKIE, cookie)));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{VirtualClock, Wall};

    #[tokio::test(start_paused = true)]
    async fn a_link_works_once_within_a_minute_and_a_session_for_twelve_hours() {
        let clock = Clock::new(VirtualClock::at(Wall::from_seconds(1_793_000_040)));
        let sessions = Sessions::default();
        let link = || keep(&sessions.links, &clock, LINK);
        let (first, late) = (link(), link());
        let secret = sessions.open(&clock, &first).expect("it is fresh");
        assert!(sessions.open(&clock, &first).is_none(), "used");
        assert!(sessions.holds(&clock, &secret) && !sessions.holds(&clock, &first));
        assert!(sessions.open(&clock, "").is_none() && sessions.open(&clock, &secret).is_none());
        tokio::time::advance(LINK).await;
        assert!(sessions.open(&clock, &late).is_none(), "too old");
        tokio::time::advance(SESSION - LINK - Duration::from_secs(1)).await;
        assert!(sessions.holds(&clock, &secret));
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(!sessions.holds(&clock, &secret));
    }

    #[test]
    fn there_are_never_many() {
        let clock = Clock::system();
        let sessions = Sessions::default();
        let codes: Vec<_> = (0..=MOST).map(|_| keep(&sessions.links, &clock, LINK)).collect();
        assert!(sessions.open(&clock, &codes[0]).is_none(), "the oldest gave way");
        assert!(sessions.open(&clock, &codes[1]).is_some());
    }
}
