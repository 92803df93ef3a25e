//! The window's page for a browser: files the engine is given, and does not know.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::compress::{Encoding, compress};
use super::error::OwnError;

/// No script and no style but from here, no frame around the page, nothing sent elsewhere. Style
/// attributes are allowed: elements are moved by them.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Files by their path, `/index.html` among them.
#[derive(Clone)]
pub struct Assets(Arc<Find>);

type Find = dyn Fn(&str) -> Option<Bytes> + Send + Sync;

impl std::fmt::Debug for Assets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Assets")
    }
}

impl Assets {
    /// Files that `find` knows by their path (`/index.html`).
    pub fn new(find: impl Fn(&str) -> Option<Bytes> + Send + Sync + 'static) -> Self {
        Self(Arc::new(find))
    }

    /// All files of a folder as they are now; later changes are not seen, and nothing outside it is.
    ///
    /// # Errors
    /// The folder cannot be read, or has no `index.html`.
    pub fn folder(dir: &Path) -> io::Result<Self> {
        let mut files = HashMap::new();
        read_folder(dir, "", &mut files)?;
        if !files.contains_key("/index.html") {
            return Err(io::Error::new(io::ErrorKind::NotFound, "there is no index.html"));
        }
        Ok(Self::new(move |path| files.get(path).cloned()))
    }

    /// The file at `path`, as a browser gets it.
    pub(super) async fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let path = if path == "/" { "/index.html" } else { path };
        let body = (self.0)(path)?;
        // Names of built files hold a hash of what is in them.
        let cache =
            if path.starts_with("/assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        let mut out = own_headers();
        out.insert(CONTENT_TYPE, HeaderValue::from_static(kind(path)));
        out.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
        let body = compress(Encoding::accepted(headers), StatusCode::OK, &mut out, body).await;
        let mut response = Response::new(Body::from(body));
        *response.headers_mut() = out;
        Some(response)
    }
}

/// The answer where there is no page to give.
pub(super) fn no_page() -> Response {
    let message = "This engine runs without its page; open the Headroom app, or use `headroomctl`";
    OwnError::new(StatusCode::NOT_FOUND, "no_page", message).into_response()
}

/// What goes with everything a browser shows of us.
fn own_headers() -> HeaderMap {
    const OWN: [(HeaderName, &str); 6] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    OWN.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

fn read_folder(dir: &Path, prefix: &str, files: &mut HashMap<String, Bytes>) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{prefix}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            read_folder(&entry.path(), &path, files)?;
        } else if kind.is_file() {
            files.insert(path, fs::read(entry.path())?.into());
        }
    }
    Ok(())
}

fn kind(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, end)| end) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "woff2" => "font/woff2",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
