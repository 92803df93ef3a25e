//! Sign-ins under way: OAuth 2 authorization code with PKCE (RFC 7636, S256), no client secret.
//!
//! Everything an attempt needs is in memory only and used once. Several attempts do not disturb one
//! another, and a callback nobody asked for disturbs none.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::secret::Secret;
use crate::clock::{Clock, Mono};
use crate::service::ServiceId;

/// A consent page may stay open so long.
pub const PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The redirect by deep link, to be registered at Spotify.
pub const DEEP_LINK: &str = "headroom://callback";
/// The redirect by loopback, to be registered at Spotify; any port is taken at run time.
pub const LOOPBACK: &str = "http://127.0.0.1/callback";
/// What Headroom asks Spotify for.
const SCOPES: &str = "user-read-private user-read-playback-state user-read-currently-playing \
    user-read-recently-played user-library-read user-library-modify playlist-read-private \
    playlist-modify-private playlist-modify-public";
/// A callback longer than this is none.
const LONGEST_CALLBACK: usize = 4_096;

/// One sign-in under way.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) service: ServiceId,
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) verifier: Secret,
    begun: Mono,
}

/// A callback that belongs to an attempt, which is spent by it.
#[derive(Debug)]
pub(super) struct Consent {
    pub(super) attempt: Attempt,
    pub(super) code: Secret,
}

/// Why a callback is refused. No text holds anything of the callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// It is no callback at all.
    #[error("This link is not a sign-in's answer, and was ignored")]
    NotACallback,
    /// It lacks `state`, or has it twice.
    #[error("This sign-in's answer does not say which sign-in it belongs to, and was ignored")]
    NoState,
    /// No attempt has this `state`: never asked for, used already, or too old.
    #[error(
        "This sign-in was not begun here, was finished already, or took longer than 5 minutes: begin again"
    )]
    UnknownState,
    /// The user, or the service, said no.
    #[error("The sign-in was refused: nothing has changed")]
    Denied,
    /// There is neither a code nor an error in it.
    #[error("The sign-in's answer is incomplete: begin again")]
    NoCode,
}

/// All sign-ins under way.
#[derive(Debug)]
pub(super) struct Attempts {
    clock: Clock,
    pending: Mutex<HashMap<String, Attempt>>,
}

impl Attempts {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, pending: Mutex::default() }
    }

    /// Begins one; returns the address of the consent page and its `state`.
    pub(super) fn begin(
        &self,
        service: ServiceId,
        accounts_url: &str,
        client_id: &str,
        redirect_uri: &str,
    ) -> (String, String) {
        let (state, verifier) = (random(), random());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let parameters = [
            ("client_id", client_id),
            ("response_type", "code"),
            ("redirect_uri", redirect_uri),
            ("code_challenge_method", "S256"),
            ("code_challenge", &challenge),
            ("state", &state),
            ("scope", SCOPES),
        ];
        let query = form(&parameters);
        let attempt = Attempt {
            service,
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            verifier: Secret::new(verifier),
            begun: self.clock.mono(),
        };
        let mut pending = self.pending.lock();
        let now = self.clock.mono();
        pending.retain(|_, attempt| now < attempt.begun + PATIENCE);
        pending.insert(state.clone(), attempt);
        (format!("{accounts_url}/authorize?{query}"), state)
    }

    /// Whether the answer to this attempt would come too late.
    pub(super) fn is_late(&self, state: &str) -> bool {
        let now = self.clock.mono();
        self.pending.lock().get(state).is_some_and(|attempt| now >= attempt.begun + PATIENCE)
    }

    /// Reads a callback. Whatever is wrong with it, attempts it does not belong to go on.
    pub(super) fn consent(&self, callback: &str) -> Result<Consent, CallbackError> {
        if callback.len() > LONGEST_CALLBACK {
            return Err(CallbackError::NotACallback);
        }
        let url = reqwest::Url::parse(callback).map_err(|_| CallbackError::NotACallback)?;
        let only = |name: &str| {
            let mut values = url.query_pairs().filter(|(n, _)| n == name).map(|(_, v)| v.into_owned());
            let first = values.next();
            if values.next().is_some() { None } else { first }
        };
        let state = only("state").ok_or(CallbackError::NoState)?;
        let mut pending = self.pending.lock();
        let attempt = pending.get(&state).ok_or(CallbackError::UnknownState)?;
        if !same_place(&url, &attempt.redirect_uri) {
            return Err(CallbackError::NotACallback);
        }
        if self.clock.mono() >= attempt.begun + PATIENCE {
            return Err(CallbackError::UnknownState);
        }
        // From here on it is the answer to this attempt, and the only one there will be.
        let Some(attempt) = pending.remove(&state) else { return Err(CallbackError::UnknownState) };
        drop(pending);
        if url.query_pairs().any(|(name, _)| name == "error") {
            return Err(CallbackError::Denied);
        }
        let code = only("code").filter(|code| !code.is_empty()).ok_or(CallbackError::NoCode)?;
        Ok(Consent { attempt, code: Secret::new(code) })
    }
}

/// Whether a callback came to the very place it was asked to.
fn same_place(url: &reqwest::Url, redirect_uri: &str) -> bool {
    let Ok(asked) = reqwest::Url::parse(redirect_uri) else { return false };
    let place = |u: &reqwest::Url| {
        let path = u.path().trim_end_matches('/').to_owned();
        (u.scheme().to_owned(), u.host_str().map(str::to_ascii_lowercase), u.port_or_known_default(), path)
    };
    place(url) == place(&asked) && url.username().is_empty() && url.password().is_none()
}

/// 256 random bits, in the alphabet of RFC 7636 §4.1.
fn random() -> String {
    let bytes: [u8; 32] = rand::random();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A form's body, or a query.
pub(super) fn form(parameters: &[(&str, &str)]) -> String {
    let mut out = reqwest::Url::parse("http://x").ok();
    if let Some(url) = &mut out {
        url.query_pairs_mut().extend_pairs(parameters);
    }
    out.and_then(|url| url.query().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{VirtualClock, Wall};

    const REDIRECT: &str = "headroom://callback";

    fn attempts() -> Attempts {
        Attempts::new(Clock::new(VirtualClock::at(Wall::default())))
    }

    fn begin(attempts: &Attempts) -> String {
        attempts.begin(ServiceId::Spotify, "https://accounts.spotify.com", "abc", REDIRECT).1
    }

    #[tokio::test(start_paused = true)]
    async fn t4_hostile_callbacks_are_refused_and_the_pending_sign_in_is_not_disturbed() {
        use CallbackError::{NoState, NotACallback, UnknownState};
        let attempts = attempts();
        let state = begin(&attempts);
        let long = format!("{REDIRECT}?code=x&state={state}&pad={}", "a".repeat(5_000));
        for (callback, error) in [
            (String::new(), NotACallback),
            ("headroom:".into(), NoState),
            ("headroom://callback".into(), NoState),
            (format!("{REDIRECT}?code=x"), NoState),
            (format!("{REDIRECT}?code=x&state={state}&state={state}"), NoState),
            (format!("{REDIRECT}?code=x&state=wrong"), UnknownState),
            (format!("{REDIRECT}?code=x&state={state}%00"), UnknownState),
            (format!("{REDIRECT}?code=x&state={}", state.to_uppercase()), UnknownState),
            (format!("headroom://evil?code=x&state={state}"), NotACallback),
            (format!("headroom://callback.evil?code=x&state={state}"), NotACallback),
            (format!("headroom://user@callback?code=x&state={state}"), NotACallback),
            (format!("headroom://callback/deeper?code=x&state={state}"), NotACallback),
            (format!("https://callback?code=x&state={state}"), NotACallback),
            (format!("http://127.0.0.1/callback?code=x&state={state}"), NotACallback),
            (format!("javascript:alert(1)?code=x&state={state}"), NotACallback),
            (format!("file:///callback?code=x&state={state}"), NotACallback),
            ("headroom://callback?%ff%fe=%zz&state=%F0%9F".into(), UnknownState),
            (long, NotACallback),
        ] {
            assert_eq!(attempts.consent(&callback).unwrap_err(), error, "{callback}");
        }
        let consent = attempts.consent(&format!("{REDIRECT}/?code=good&state={state}")).unwrap();
        assert_eq!(consent.code.expose(), "good", "the pending sign-in was not disturbed");
        let again = attempts.consent(&format!("{REDIRECT}?code=good&state={state}"));
        assert_eq!(again.unwrap_err(), UnknownState, "a replay");
    }

    #[tokio::test(start_paused = true)]
    async fn t4_each_attempt_is_its_own_and_ends_after_five_minutes() {
        let attempts = attempts();
        let (one, two) = (begin(&attempts), begin(&attempts));
        assert_ne!(one, two);
        let denied = attempts.consent(&format!("{REDIRECT}?error=access_denied&state={one}"));
        assert_eq!(denied.unwrap_err(), CallbackError::Denied);
        tokio::time::advance(PATIENCE - Duration::from_secs(1)).await;
        assert_eq!(attempts.consent(&format!("{REDIRECT}?state={two}")).unwrap_err(), CallbackError::NoCode);
        let three = begin(&attempts);
        tokio::time::advance(PATIENCE).await;
        let late = attempts.consent(&format!("{REDIRECT}?code=x&state={three}"));
        assert_eq!(late.unwrap_err(), CallbackError::UnknownState);
    }

    #[tokio::test(start_paused = true)]
    async fn the_consent_page_is_asked_with_pkce_and_nothing_secret() {
        let attempts = attempts();
        let (url, state) =
            attempts.begin(ServiceId::Spotify, "https://accounts.spotify.com", "a b", REDIRECT);
        let url = reqwest::Url::parse(&url).unwrap();
        let pairs: HashMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!((url.path(), pairs["state"].as_str()), ("/authorize", state.as_str()));
        assert_eq!(pairs["code_challenge_method"], "S256");
        assert_eq!((pairs["client_id"].as_str(), pairs["redirect_uri"].as_str()), ("a b", REDIRECT));
        let pending = attempts.pending.lock();
        let verifier = pending[&state].verifier.expose();
        assert_eq!(pairs["code_challenge"], URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        assert!(!url.as_str().contains(verifier) && (43..=128).contains(&verifier.len()));
    }
}
