//! Credentials: what is attached to a call, and the keys tools hold instead.
//!
//! [`Credentials`] is the seam the path of a call sees; [`accounts::Accounts`] stands behind it.

pub mod accounts;
mod attach;
mod attempts;
pub mod keys;
pub mod loopback;
mod refreshers;
pub mod secret;
pub mod token;
pub mod vault;
pub mod vault_file;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;

pub use attempts::{CallbackError, DEEP_LINK, LOOPBACK};

use crate::service::ServiceId;

/// The parts of a request a credential may stand in.
#[derive(Debug, Clone, Default)]
pub struct Attached {
    /// Path below the base URL.
    pub path: String,
    /// Query without `?`.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body: a form may carry what otherwise stands in the query.
    pub body: Bytes,
}

/// Why there is no credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCredential {
    /// There is none, or it is no longer good: the user must sign in.
    SignIn,
    /// It could not be got just now; why.
    NotNow(String),
}

/// What [`Credentials::attach`] returns.
pub type Attaching<'a> = Pin<Box<dyn Future<Output = Result<(), NoCredential>> + Send + 'a>>;

/// What [`Credentials::rejected`] returns.
pub type Renewing<'a> = Pin<Box<dyn Future<Output = bool> + Send + 'a>>;

/// Gives each call the credential its service expects.
pub trait Credentials: Send + Sync {
    /// Puts the credential where `service` expects it.
    fn attach<'a>(&'a self, service: ServiceId, request: &'a mut Attached) -> Attaching<'a>;
    /// The service did not take the credential in `request`: whether another is at hand now.
    fn rejected<'a>(&'a self, service: ServiceId, request: &'a Attached) -> Renewing<'a> {
        let _ = (service, request);
        Box::pin(async { false })
    }
    /// Whether there is one: some services allow more with it.
    fn has(&self, service: ServiceId) -> bool;
    /// The account calls are made as, where there are accounts.
    fn account(&self, service: ServiceId) -> Option<Arc<str>> {
        let _ = service;
        None
    }
}

/// Before anybody signed in: services that take no credential, or can do without, are usable.
#[derive(Debug, Clone, Copy, Default)]
pub struct SignedOut;

impl Credentials for SignedOut {
    fn attach<'a>(&'a self, service: ServiceId, _request: &'a mut Attached) -> Attaching<'a> {
        let needed = service.service().auth.required;
        Box::pin(async move { if needed { Err(NoCredential::SignIn) } else { Ok(()) } })
    }

    fn has(&self, _service: ServiceId) -> bool {
        false
    }
}
