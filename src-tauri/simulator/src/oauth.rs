//! Spotify's authorisation server: codes with PKCE, tokens, refreshes, and the
//! death of a consent; and Tidal's client-credential tokens.
//!
//! This is the state and the rules; the routes are in `services/accounts.rs`.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::rng::Rng;

/// The user a consent is for unless the control route names another.
pub(crate) const USER: &str = "listener";
/// The client that is registered from the start.
pub(crate) const CLIENT: &str = "test-client-id";

/// What the control route can change.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Change {
    expires_in: Option<u64>,
    rotate: Option<bool>,
    omit_refresh_token: Option<bool>,
    consent: Option<Consent>,
    user: Option<String>,
    code_life_s: Option<u64>,
    consent_life_s: Option<u64>,
    /// Client ids to their redirect URIs; replaces a client that exists.
    clients: HashMap<String, Vec<String>>,
    /// All refresh tokens die, as six months after consent.
    end_consent: bool,
    /// All access tokens die at once.
    expire_access: bool,
}

/// What the consent page does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Consent {
    /// Says yes by itself.
    Auto,
    /// Shows a page with two links.
    Page,
    /// Says no by itself.
    Deny,
}

/// A request to `/authorize` that may be asked about.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) client: &'a str,
    pub(crate) redirect: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) scope: &'a str,
}

#[derive(Debug)]
struct Code {
    client: String,
    redirect: String,
    challenge: String,
    scope: String,
    user: String,
    issued: Duration,
}

#[derive(Clone, Debug)]
struct Grant {
    client: String,
    scope: String,
    user: String,
    consented: Duration,
}

#[derive(Debug, Default)]
struct Grants {
    authorize: u64,
    code: u64,
    refresh: u64,
    client_credentials: u64,
    failed: u64,
}

/// An error of the token endpoint: its code and its description.
pub(crate) type TokenError = (&'static str, &'static str);

/// Codes, tokens and settings.
#[derive(Debug)]
pub(crate) struct OAuth {
    rng: Rng,
    expires_in: u64,
    rotate: bool,
    omit_refresh_token: bool,
    pub(crate) consent: Consent,
    user: String,
    code_life: Duration,
    consent_life: Duration,
    clients: HashMap<String, Vec<String>>,
    codes: HashMap<String, Code>,
    refresh: HashMap<String, Grant>,
    /// Access token to user and end.
    access: HashMap<String, (String, Duration)>,
    grants: Grants,
}

impl OAuth {
    pub(crate) fn new(seed: u64) -> Self {
        let redirects = ["headroom://callback", "http://127.0.0.1/callback", "http://[::1]/callback"];
        Self {
            rng: Rng::new(seed, 5),
            expires_in: 3_600,
            // Since 2026-07-20 refreshes with PKCE neither rotate nor repeat the refresh token.
            rotate: false,
            omit_refresh_token: true,
            consent: Consent::Auto,
            user: USER.to_owned(),
            code_life: Duration::from_secs(600),
            consent_life: Duration::from_secs(182 * 86_400),
            clients: HashMap::from([(CLIENT.to_owned(), redirects.map(str::to_owned).to_vec())]),
            codes: HashMap::new(),
            refresh: HashMap::new(),
            access: HashMap::new(),
            grants: Grants::default(),
        }
    }

    pub(crate) fn change(&mut self, change: Value, now: Duration) -> Result<(), String> {
        let change: Change = serde_json::from_value(change).map_err(|error| format!("accounts: {error}"))?;
        self.expires_in = change.expires_in.unwrap_or(self.expires_in);
        self.rotate = change.rotate.unwrap_or(self.rotate);
        self.omit_refresh_token = change.omit_refresh_token.unwrap_or(self.omit_refresh_token);
        self.consent = change.consent.unwrap_or(self.consent);
        self.code_life = change.code_life_s.map_or(self.code_life, Duration::from_secs);
        self.consent_life = change.consent_life_s.map_or(self.consent_life, Duration::from_secs);
        if let Some(user) = change.user {
            self.user = user;
        }
        self.clients.extend(change.clients);
        if change.end_consent {
            self.refresh.clear();
        }
        if change.expire_access {
            self.access.values_mut().for_each(|(_, end)| *end = (*end).min(now));
        }
        Ok(())
    }

    /// Counts of what the accounts server did.
    pub(crate) fn grants(&self) -> Value {
        let Grants { authorize, code, refresh, client_credentials, failed } = &self.grants;
        json!({
            "authorize": authorize, "authorization_code": code, "refresh_token": refresh,
            "client_credentials": client_credentials, "failed": failed,
        })
    }

    pub(crate) fn describe(&self, now: Duration) -> Value {
        json!({
            "grants": self.grants(), "user": self.user, "expires_in": self.expires_in,
            "rotate": self.rotate, "omit_refresh_token": self.omit_refresh_token, "clients": self.clients,
            "open_codes": self.codes.len(), "refresh_tokens": self.refresh.len(),
            "access_tokens": self.access.values().filter(|(_, end)| *end > now).count(),
        })
    }

    pub(crate) fn forget_counts(&mut self) {
        self.grants = Grants::default();
    }

    /// The user of a living access token; `Err(true)` if it is known but dead.
    pub(crate) fn user_of(&self, token: &str, now: Duration) -> Result<&str, bool> {
        match self.access.get(token) {
            Some((user, end)) if *end > now => Ok(user),
            Some(_) => Err(true),
            None => Err(false),
        }
    }

    /// Whether this client may be sent to this redirect: exactly as registered,
    /// or any port of a loopback literal that was registered without one.
    pub(crate) fn knows(&self, client: &str, redirect: &str) -> Result<(), &'static str> {
        let registered = self.clients.get(client).ok_or("INVALID_CLIENT: Invalid client")?;
        let without_port = loopback_without_port(redirect);
        let known = registered.iter().any(|uri| uri == redirect || Some(uri) == without_port.as_ref());
        if known { Ok(()) } else { Err("INVALID_CLIENT: Invalid redirect URI") }
    }

    /// Issues a code for a consent.
    pub(crate) fn issue_code(&mut self, asked: &Asked<'_>, now: Duration) -> String {
        self.grants.authorize += 1;
        let code = format!("AQ{}", self.rng.base62(180));
        self.codes.insert(
            code.clone(),
            Code {
                client: asked.client.to_owned(),
                redirect: asked.redirect.to_owned(),
                challenge: asked.challenge.to_owned(),
                scope: asked.scope.to_owned(),
                user: self.user.clone(),
                issued: now,
            },
        );
        code
    }

    /// `grant_type=authorization_code`.
    pub(crate) fn redeem(
        &mut self,
        client: &str,
        code: &str,
        redirect: &str,
        verifier: &str,
        now: Duration,
    ) -> Result<Value, TokenError> {
        // Taken out first: a code works once, whatever becomes of it.
        let code = self.codes.remove(code).ok_or(("invalid_grant", "Invalid authorization code"))?;
        if now.saturating_sub(code.issued) > self.code_life {
            return Err(("invalid_grant", "Authorization code expired"));
        }
        if code.client != client {
            return Err(("invalid_grant", "Invalid authorization code"));
        }
        if code.redirect != redirect {
            return Err(("invalid_grant", "Invalid redirect URI"));
        }
        let proof = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        if !(43..=128).contains(&verifier.len()) || proof != code.challenge {
            return Err(("invalid_grant", "code_verifier was incorrect"));
        }
        self.grants.code += 1;
        let grant = Grant { client: code.client, scope: code.scope, user: code.user, consented: now };
        let mut answer = self.access_token(&grant, now);
        answer["refresh_token"] = json!(self.new_refresh_token(grant));
        Ok(answer)
    }

    /// `grant_type=refresh_token`.
    pub(crate) fn renew(&mut self, client: &str, token: &str, now: Duration) -> Result<Value, TokenError> {
        let grant = match self.refresh.get(token) {
            Some(grant) if grant.client != client => {
                return Err(("invalid_client", "Invalid client"));
            }
            Some(grant) if now.saturating_sub(grant.consented) <= self.consent_life => grant.clone(),
            Some(_) => return Err(("invalid_grant", "Refresh token expired")),
            None => return Err(("invalid_grant", "Refresh token revoked")),
        };
        self.grants.refresh += 1;
        let mut answer = self.access_token(&grant, now);
        if self.rotate {
            self.refresh.remove(token);
            answer["refresh_token"] = json!(self.new_refresh_token(grant));
        } else if !self.omit_refresh_token {
            answer["refresh_token"] = json!(token);
        }
        Ok(answer)
    }

    /// `grant_type=client_credentials`, as Tidal does it; the caller checked the secret.
    pub(crate) fn client_token(&mut self, now: Duration) -> Value {
        self.grants.client_credentials += 1;
        let token = format!("eyJ{}", self.rng.base62(120));
        self.access.insert(token.clone(), (String::new(), now + Duration::from_secs(86_400)));
        json!({"access_token": token, "token_type": "Bearer", "expires_in": 86_400, "scope": ""})
    }

    pub(crate) fn failed(&mut self) {
        self.grants.failed += 1;
    }

    fn access_token(&mut self, grant: &Grant, now: Duration) -> Value {
        let token = format!("BQ{}", self.rng.base62(160));
        self.access.insert(token.clone(), (grant.user.clone(), now + Duration::from_secs(self.expires_in)));
        json!({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in, "scope": grant.scope})
    }

    fn new_refresh_token(&mut self, grant: Grant) -> String {
        let token = format!("AQ{}", self.rng.base62(130));
        self.refresh.insert(token.clone(), grant);
        token
    }
}

/// A loopback redirect with its port taken out; `None` for anything else.
fn loopback_without_port(redirect: &str) -> Option<String> {
    ["http://127.0.0.1", "http://[::1]"].into_iter().find_map(|host| {
        let (port, path) = redirect.strip_prefix(host)?.strip_prefix(':')?.split_once('/')?;
        port.parse::<u16>().ok().map(|_| format!("{host}/{path}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_are_exact_but_for_a_loopback_port() {
        let oauth = OAuth::new(1);
        for (redirect, fine) in [
            ("headroom://callback", true),
            ("http://127.0.0.1:49152/callback", true),
            ("http://[::1]:8/callback", true),
            ("http://127.0.0.1/callback", true),
            ("http://127.0.0.1:49152/callback/", false),
            ("http://127.0.0.1:49152/other", false),
            ("http://127.0.0.1:x@evil.example/callback", false),
            ("http://localhost:49152/callback", false),
            ("https://127.0.0.1:49152/callback", false),
            ("headroom://callback/", false),
        ] {
            assert_eq!(oauth.knows(CLIENT, redirect).is_ok(), fine, "{redirect}");
        }
        assert!(oauth.knows("somebody-else", "headroom://callback").is_err(), "an unknown client");
    }
}
