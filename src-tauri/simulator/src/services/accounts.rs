//! The accounts servers: Spotify's (`/authorize`, `/api/token`) and Tidal's
//! (`/v1/oauth2/token`). They have no windows, but switches and counts as every port.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::json;

use super::{Caller, Provider};
use crate::call::{Answer, Call};
use crate::oauth::{Asked, Consent, TokenError};
use crate::window::{Limit, Refusal};
use crate::world::{World, lock};

pub(crate) struct SpotifyAccounts;
pub(crate) struct TidalAccounts;

impl Provider for SpotifyAccounts {
    fn id(&self) -> &'static str {
        "spotify-accounts"
    }

    fn windows(&self) -> Vec<Limit> {
        Vec::new()
    }

    fn credentials(&self) -> &'static [&'static str] {
        &[crate::oauth::CLIENT]
    }

    fn refusal(&self, refusal: &Refusal) -> Answer {
        Answer::text(429, "text/plain", "Too many requests").with("retry-after", refusal.seconds())
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        match (&call.method, call.parts().as_slice()) {
            (&Method::GET, ["authorize"]) => authorize(world, call),
            (&Method::POST, ["api", "token"]) => token(world, call),
            _ => Answer::empty(404),
        }
    }
}

/// The page of a request that must not be redirected: nobody knows whose redirect that is.
fn page(status: u16, text: &str) -> Answer {
    Answer::text(status, "text/plain; charset=utf-8", text.to_owned())
}

fn authorize(world: &World, call: &Call) -> Answer {
    let given = |name| call.param(name).unwrap_or_default();
    let (client, redirect) = (given("client_id"), given("redirect_uri"));
    let mut oauth = lock(&world.oauth);
    if let Err(reason) = oauth.knows(client, redirect) {
        return page(400, reason);
    }
    let back = |pairs: &[(&str, &str)]| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(pairs);
        if let Some(state) = call.param("state") {
            query.append_pair("state", state);
        }
        let joint = if redirect.contains('?') { '&' } else { '?' };
        Answer::empty(302).with("location", format!("{redirect}{joint}{}", query.finish()))
    };
    if given("response_type") != "code" {
        return back(&[("error", "unsupported_response_type")]);
    }
    let challenge = given("code_challenge");
    if given("code_challenge_method") != "S256" || challenge.len() != 43 {
        return back(&[
            ("error", "invalid_request"),
            ("error_description", "code_challenge_method must be S256"),
        ]);
    }
    let consent = match (oauth.consent, call.param("consent")) {
        (Consent::Auto, _) | (Consent::Page, Some("yes")) => true,
        (Consent::Page, None) => return consent_page(call, given("scope")),
        (Consent::Deny | Consent::Page, _) => false,
    };
    if !consent {
        return back(&[("error", "access_denied")]);
    }
    let asked = Asked { client, redirect, challenge, scope: given("scope") };
    let code = oauth.issue_code(&asked, world.clock.elapsed());
    back(&[("code", &code)])
}

fn consent_page(call: &Call, scope: &str) -> Answer {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let link = |word: &str| format!("/authorize?{}&amp;consent={word}", escape(&call.raw_query));
    Answer::text(
        200,
        "text/html; charset=utf-8",
        format!(
            "<!DOCTYPE html><html lang=\"en\"><head><title>Stand-in consent</title></head><body><h1>Stand-in consent</h1>\
             <p>Scopes: {}</p><p><a id=\"agree\" href=\"{}\">Agree</a> <a id=\"cancel\" href=\"{}\">Cancel</a></p></body></html>",
            escape(scope),
            link("yes"),
            link("no"),
        ),
    )
}

fn token(world: &World, call: &Call) -> Answer {
    let form = call.form();
    let given = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let now = world.clock.elapsed();
    let mut oauth = lock(&world.oauth);
    let answer = match given("grant_type") {
        "authorization_code" => oauth.redeem(
            given("client_id"),
            given("code"),
            given("redirect_uri"),
            given("code_verifier"),
            now,
        ),
        "refresh_token" => oauth.renew(given("client_id"), given("refresh_token"), now),
        "" => Err(("invalid_request", "grant_type must be provided")),
        _ => Err(("unsupported_grant_type", "grant_type parameter is not supported")),
    };
    let answer = answer.inspect_err(|_| oauth.failed());
    match answer {
        Ok(body) => Answer::json(200, &body).with("cache-control", "no-store"),
        Err(wrong) => token_error(400, wrong),
    }
}

fn token_error(status: u16, (code, description): TokenError) -> Answer {
    Answer::json(status, &json!({"error": code, "error_description": description}))
}

impl Provider for TidalAccounts {
    fn id(&self) -> &'static str {
        "tidal-accounts"
    }

    fn windows(&self) -> Vec<Limit> {
        Vec::new()
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-tidal-id", "test-tidal-secret"]
    }

    fn refusal(&self, refusal: &Refusal) -> Answer {
        Answer::empty(429).with("retry-after", refusal.seconds())
    }

    fn gate(&self, _world: &World, call: &Call, accept: &crate::world::Accept) -> Result<Caller, Answer> {
        let form = call.form();
        let given = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let basic = call
            .authorization("basic")
            .and_then(|text| STANDARD.decode(text).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .and_then(|text| text.split_once(':').map(|(id, secret)| (id.to_owned(), secret.to_owned())));
        let known = basic
            .or_else(|| given("client_id").zip(given("client_secret")))
            .is_some_and(|(id, secret)| accept.takes(&id) && accept.takes(&secret) && id != secret);
        Ok(if known { Caller::known() } else { Caller::nobody() })
    }

    fn answer(&self, world: &World, call: &Call, caller: &Caller) -> Answer {
        if (&call.method, call.parts().as_slice()) != (&Method::POST, &["v1", "oauth2", "token"][..]) {
            return Answer::empty(404);
        }
        let mut oauth = lock(&world.oauth);
        let form = call.form();
        let grant = form.iter().find(|(key, _)| key == "grant_type").map_or("", |(_, value)| value.as_str());
        if !caller.authorised {
            oauth.failed();
            return token_error(401, ("invalid_client", "Client not found or secret wrong"));
        }
        if grant != "client_credentials" {
            oauth.failed();
            return token_error(400, ("unsupported_grant_type", "Only client_credentials is offered here"));
        }
        Answer::json(200, &oauth.client_token(world.clock.elapsed()))
    }
}
