//! The last step: one HTTP request, one answer, nothing hidden.
//!
//! No redirects are followed here and nothing is sent twice: the path of a call does both, so that
//! every request is in the budget and on the meter.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response};

/// Bodies larger than this are given up: no service's answer is, and memory is not the provider's.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;
/// Longest time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time from the request to the last byte of its answer.
pub const WHOLE_TIMEOUT: Duration = Duration::from_secs(30);

/// Why no answer came. Texts hold no address: it may carry a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// There was no connection; nothing was sent.
    #[error("no connection ({0})")]
    Connect(String),
    /// The answer took too long.
    #[error("no answer within {} s", WHOLE_TIMEOUT.as_secs())]
    Timeout,
    /// The connection broke, or spoke no HTTP.
    #[error("the connection broke ({0})")]
    Broken(String),
    /// The body is larger than [`LARGEST_BODY`].
    #[error("the answer is larger than {} MiB", LARGEST_BODY / 1024 / 1024)]
    TooLarge,
}

impl TransportError {
    /// Whether another try may go better.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        !matches!(self, Self::TooLarge)
    }
}

/// What [`Transport::send`] returns.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends one request. In life [`HttpTransport`]; in tests of logic something in memory.
pub trait Transport: Send + Sync {
    /// Sends `request` to its absolute URI and returns the whole answer, decompressed.
    fn send(&self, request: Request<Bytes>) -> Sending<'_>;
}

/// HTTP/1.1 and HTTP/2 over rustls, with gzip, brotli and zstd.
#[derive(Debug, Clone)]
pub struct HttpTransport(reqwest::Client);

impl HttpTransport {
    /// A transport with the system's proxy settings and certificates.
    ///
    /// # Errors
    /// TLS cannot be set up on this system.
    pub fn new() -> Result<Self, TransportError> {
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(WHOLE_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()
            .map_err(|error| TransportError::Connect(reason(error)))?;
        Ok(Self(client))
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(classify)?;
            let mut answer = self.0.execute(request).await.map_err(classify)?;
            let mut body = BytesMut::new();
            while let Some(chunk) = answer.chunk().await.map_err(classify)? {
                if body.len() + chunk.len() > LARGEST_BODY {
                    return Err(TransportError::TooLarge);
                }
                body.extend_from_slice(&chunk);
            }
            let mut response = Response::new(body.freeze());
            *response.status_mut() = answer.status();
            *response.version_mut() = answer.version();
            *response.headers_mut() = std::mem::take(answer.headers_mut());
            Ok(response)
        })
    }
}

fn classify(error: reqwest::Error) -> TransportError {
    if error.is_timeout() && !error.is_connect() {
        TransportError::Timeout
    } else if error.is_connect() {
        TransportError::Connect(reason(error))
    } else {
        TransportError::Broken(reason(error))
    }
}

/// The innermost cause: it says what happened, and holds no URL.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
