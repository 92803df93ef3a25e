//! What is attached to each service's calls, and where.

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};

use super::accounts::Accounts;
use super::attempts::form;
use super::secret::Secret;
use super::token::TokenError;
use super::{Attached, Attaching, Credentials, NoCredential, Renewing};
use crate::call::is_form;
use crate::service::{AuthKind, CredentialPlace, ServiceId};

impl Accounts {
    async fn put_credential(&self, service: ServiceId, request: &mut Attached) -> Result<(), NoCredential> {
        let auth = service.service().auth;
        let credential = match auth.kind {
            AuthKind::None => return Ok(()),
            AuthKind::SignIn(_) | AuthKind::Client(..) => match self.tokens(service) {
                Some(tokens) => match tokens.get().await {
                    Ok(token) => Some(token),
                    Err(TokenError::SignInNeeded) => None,
                    Err(error) => return Err(NoCredential::NotNow(error.to_string())),
                },
                None => None,
            },
            AuthKind::Secrets(names) => names.last().and_then(|name| self.secret(name)),
        };
        let Some(credential) = credential else {
            return if auth.required { Err(NoCredential::SignIn) } else { Ok(()) };
        };
        let credential = credential.expose();
        let headers = &mut request.headers;
        let mut header = |name: HeaderName, text: &str| {
            headers.insert(name, value(text).ok_or(NoCredential::SignIn)?);
            Ok(())
        };
        match auth.place {
            CredentialPlace::None => Ok(()),
            CredentialPlace::Bearer => header(AUTHORIZATION, &format!("Bearer {credential}")),
            CredentialPlace::TokenHeader => header(AUTHORIZATION, &format!("Token {credential}")),
            CredentialPlace::DiscogsToken => header(AUTHORIZATION, &format!("Discogs token={credential}")),
            CredentialPlace::QobuzHeaders => {
                let app = self.secret("qobuz.app_id").ok_or(NoCredential::SignIn)?;
                header(HeaderName::from_static("x-app-id"), app.expose())?;
                header(HeaderName::from_static("x-user-auth-token"), credential)
            }
            CredentialPlace::Query(name) => {
                let pair = form(&[(name, credential)]);
                let with =
                    |pairs: &str| if pairs.is_empty() { pair.clone() } else { format!("{pairs}&{pair}") };
                // A tool that posts a form has its parameters there.
                match std::str::from_utf8(&request.body) {
                    Ok(fields) if is_form(headers) => request.body = with(fields).into(),
                    _ => request.query = with(&request.query),
                }
                Ok(())
            }
            CredentialPlace::PathAfter(prefix) => {
                let rest = request.path.strip_prefix(prefix).and_then(|rest| rest.split_once('/'));
                let (_, rest) = rest.ok_or(NoCredential::SignIn)?;
                request.path = format!("{prefix}{credential}/{rest}");
                Ok(())
            }
        }
    }

    /// Whether another credential than the one the service did not take is at hand now.
    async fn renew(&self, service: ServiceId, refused: &Attached) -> bool {
        let bearer = refused.headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok());
        let Some(rejected) = bearer.and_then(|v| v.strip_prefix("Bearer ")).map(Secret::new) else {
            return false;
        };
        match self.tokens(service) {
            Some(tokens) => tokens.instead_of(&rejected).await.is_ok_and(|other| other != rejected),
            None => false,
        }
    }
}

/// A header's value that no log prints.
pub(super) fn value(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl Credentials for Accounts {
    fn attach<'a>(&'a self, service: ServiceId, request: &'a mut Attached) -> Attaching<'a> {
        Box::pin(self.put_credential(service, request))
    }

    fn rejected<'a>(&'a self, service: ServiceId, request: &'a Attached) -> Renewing<'a> {
        Box::pin(self.renew(service, request))
    }

    fn account(&self, service: ServiceId) -> Option<std::sync::Arc<str>> {
        self.in_use(service)
    }

    fn has(&self, service: ServiceId) -> bool {
        match service.service().auth.kind {
            AuthKind::None => false,
            AuthKind::SignIn(_) | AuthKind::Client(..) => self.tokens(service).is_some_and(|t| !t.ended()),
            AuthKind::Secrets(names) => names.iter().all(|name| self.secrets.read().contains_key(*name)),
        }
    }
}
