//! The last step: one HTTP request, one answer, nothing hidden.
//!
//! No redirects are followed here and nothing is sent twice: the path of a call does both, so that
//! every request is in the budget and on the meter.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream::{self, Stream};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Request, Response};
use parking_lot::Mutex;

/// Bodies larger than this are given up: no service's answer is, and memory is not the provider's.
/// What is passed on as it comes ([`Rest`]) has no limit.
pub const LARGEST_BODY: usize = 64 * 1024 * 1024;
/// A body that nobody here reads (a picture, a sound) is passed on as it comes once it is this long.
pub const PASSED_ON_FROM: usize = 1024 * 1024;
/// Longest time to connect.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time from the request to the last byte of its answer; for what is passed on as it comes, to
/// its first part and between any two.
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

/// What is still on its way of an answer, after its first part.
#[derive(Clone)]
pub struct Rest(Arc<Mutex<Option<Parts>>>);

/// Parts of a body as they come.
pub type Parts = Pin<Box<dyn Stream<Item = Result<Bytes, TransportError>> + Send>>;

impl Rest {
    /// What `parts` will bring.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(Mutex::new(Some(parts))))
    }

    /// The parts, for the first who asks: they come once.
    #[must_use]
    pub fn take(&self) -> Option<Parts> {
        self.0.lock().take()
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rest")
    }
}

/// What [`Transport::send`] returns.
pub type Sending<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, TransportError>> + Send + 'a>>;

/// Sends one request. In life [`HttpTransport`]; in tests of logic something in memory.
pub trait Transport: Send + Sync {
    /// Sends `request` to its absolute URI and returns the answer, decompressed: whole, or its first part
    /// with the [`Rest`] among its extensions.
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
            .read_timeout(WHOLE_TIMEOUT)
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
            let whole = tokio::time::timeout(WHOLE_TIMEOUT, fetch(&self.0, request));
            whole.await.unwrap_or(Err(TransportError::Timeout))
        })
    }
}

async fn fetch(
    client: &reqwest::Client,
    request: reqwest::Request,
) -> Result<Response<Bytes>, TransportError> {
    let mut answer = client.execute(request).await.map_err(classify)?;
    let is_read_here = is_read_here(answer.headers());
    let (mut body, mut ended) = (BytesMut::new(), false);
    while !ended && (is_read_here || body.len() < PASSED_ON_FROM) {
        match answer.chunk().await.map_err(classify)? {
            Some(chunk) if body.len() + chunk.len() > LARGEST_BODY => return Err(TransportError::TooLarge),
            Some(chunk) => body.extend_from_slice(&chunk),
            None => ended = true,
        }
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.version_mut() = answer.version();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    if !ended {
        let parts = stream::try_unfold(answer, |mut answer| async move {
            Ok(answer.chunk().await.map_err(classify)?.map(|chunk| (chunk, answer)))
        });
        response.extensions_mut().insert(Rest::new(Box::pin(parts)));
    }
    Ok(response)
}

/// Whether the body is a text: verdicts, links and the cache are about those, and need them whole.
fn is_read_here(headers: &HeaderMap) -> bool {
    let kind =
        headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
    let media = [
        "image/",
        "audio/",
        "video/",
        "font/",
        "application/octet-stream",
        "application/zip",
        "application/pdf",
    ];
    !media.iter().any(|known| kind.starts_with(known))
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
