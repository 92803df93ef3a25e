//! Asking a token endpoint, and the two ways to refresh: by a refresh token, by client credentials.

use std::sync::Weak;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;

use super::accounts::{Accounts, refresh_name};
use super::attach::value;
use super::attempts::form;
use super::secret::Secret;
use super::token::{Fresh, Refresher, Refreshing, TokenError};
use crate::call::CallError;
use crate::service::{AuthKind, ServiceId};

impl Accounts {
    /// Asks a token endpoint.
    pub(super) async fn ask_token(
        &self,
        service: ServiceId,
        parameters: &[(&str, &str)],
        authorization: Option<&Secret>,
    ) -> Result<Given, TokenError> {
        let failed = |reason: &str| TokenError::Refresh(reason.to_owned());
        let (AuthKind::SignIn(path) | AuthKind::Client(_, path)) = service.service().auth.kind else {
            return Err(failed("this service has no tokens"));
        };
        let engine = self.engine().ok_or_else(|| failed("the engine is stopping"))?;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        if let Some(authorization) = authorization {
            headers.insert(
                AUTHORIZATION,
                value(authorization.expose()).ok_or_else(|| failed("a bad client id"))?,
            );
        }
        let answer = engine.ask_accounts(service, path, headers, form(parameters).into()).await;
        let answer = answer.map_err(|error| match error {
            CallError::Refused { .. } => failed("it refuses calls for a while"),
            error => TokenError::Refresh(error.to_string()),
        })?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|_| failed("its answer is no token"));
        }
        let said: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match said.get("error").and_then(|e| e.as_str()) {
            Some("invalid_grant") => Err(TokenError::SignInNeeded),
            // A word of RFC 6749 §5.2; anything longer could hold what is secret.
            Some(word) if word.len() < 40 => Err(TokenError::Refresh(word.to_owned())),
            _ => Err(TokenError::Refresh(format!("status {}", answer.status.as_u16()))),
        }
    }
}

/// What a token endpoint gives (RFC 6749 §5.1).
#[derive(Deserialize)]
pub(super) struct Given {
    access_token: Secret,
    #[serde(default = "an_hour")]
    expires_in: f64,
    pub(super) refresh_token: Option<Secret>,
}

fn an_hour() -> f64 {
    3_600.0
}

impl Given {
    pub(super) fn fresh(&self) -> Fresh {
        let lives = Duration::try_from_secs_f64(self.expires_in).unwrap_or(Duration::from_secs(3_600));
        Fresh { access: self.access_token.clone(), lives: lives.min(Duration::from_secs(86_400)) }
    }
}

/// Refreshes by a refresh token.
pub(super) struct ByRefreshToken {
    pub(super) accounts: Weak<Accounts>,
    pub(super) service: ServiceId,
    pub(super) account: String,
}

impl Refresher for ByRefreshToken {
    fn refresh(&self) -> Refreshing<'_> {
        Box::pin(async move {
            let gone = || TokenError::Refresh("the engine is stopping".to_owned());
            let accounts = self.accounts.upgrade().ok_or_else(gone)?;
            let engine = accounts.engine().ok_or_else(gone)?;
            let name = refresh_name(self.service, &self.account);
            let kept = accounts.vault.get(&name).await.map_err(|e| TokenError::Refresh(e.to_string()))?;
            let Some(kept) = kept else { return Err(TokenError::SignInNeeded) };
            let client_id = engine.settings.current().service(self.service).client_id.unwrap_or_default();
            let parameters = [
                ("grant_type", "refresh_token"),
                ("refresh_token", kept.expose()),
                ("client_id", &client_id),
            ];
            let given = accounts.ask_token(self.service, &parameters, None).await;
            if given.as_ref().err() == Some(&TokenError::SignInNeeded) {
                accounts.consent_ended(self.service, &self.account);
            }
            let given = given?;
            // An answer without a refresh token keeps the old one.
            if let Some(new) = given.refresh_token.as_ref().filter(|new| **new != kept) {
                accounts.vault.set(&name, new).await.map_err(|e| TokenError::Refresh(e.to_string()))?;
            }
            Ok(given.fresh())
        })
    }
}

/// Refreshes by client credentials.
pub(super) struct ByClient {
    pub(super) accounts: Weak<Accounts>,
    pub(super) service: ServiceId,
}

impl Refresher for ByClient {
    fn refresh(&self) -> Refreshing<'_> {
        Box::pin(async move {
            let gone = || TokenError::Refresh("the engine is stopping".to_owned());
            let accounts = self.accounts.upgrade().ok_or_else(gone)?;
            let AuthKind::Client([id, secret], _) = self.service.service().auth.kind else {
                return Err(gone());
            };
            let (Some(id), Some(secret)) = (accounts.secret(id), accounts.secret(secret)) else {
                return Err(TokenError::SignInNeeded);
            };
            let basic = STANDARD.encode(format!("{}:{}", id.expose(), secret.expose()));
            let authorization = Secret::new(format!("Basic {basic}"));
            let parameters = [("grant_type", "client_credentials")];
            Ok(accounts.ask_token(self.service, &parameters, Some(&authorization)).await?.fresh())
        })
    }
}
