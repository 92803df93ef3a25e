//! One request as a provider's code sees it, and the answer it gives.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// A request, read completely and taken apart.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    /// The path as sent, without the query.
    pub(crate) path: String,
    /// The query as sent, without the question mark.
    pub(crate) raw_query: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Scheme, host and port of the stand-in, without a trailing slash.
    pub(crate) base: String,
    /// Unix milliseconds of the arrival.
    pub(crate) at_ms: i64,
}

impl Call {
    pub(crate) fn new(parts: &http::request::Parts, body: Bytes, base: String, at_ms: i64) -> Self {
        let path = parts.uri.path().to_owned();
        let raw_query = parts.uri.query().unwrap_or_default().to_owned();
        Self {
            method: parts.method.clone(),
            segments: path
                .split('/')
                .filter(|part| !part.is_empty())
                .map(|part| percent_decode_str(part).decode_utf8_lossy().into_owned())
                .collect(),
            query: form_urlencoded::parse(raw_query.as_bytes()).into_owned().collect(),
            path,
            raw_query,
            headers: parts.headers.clone(),
            body,
            base,
            at_ms,
        }
    }

    /// The decoded path segments, ready for matching.
    pub(crate) fn parts(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// The first value of a query parameter; an empty one counts as missing.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// A numeric parameter, held inside `low..=high`; `None` if it is not a number in range.
    pub(crate) fn number(&self, name: &str, default: usize, low: usize, high: usize) -> Option<usize> {
        match self.param(name) {
            None => Some(default),
            Some(text) => text.parse().ok().filter(|n| (low..=high).contains(n)),
        }
    }

    /// A numeric parameter, moved into `low..=high`.
    pub(crate) fn clamped(&self, name: &str, default: usize, low: usize, high: usize) -> usize {
        self.param(name).and_then(|text| text.parse().ok()).unwrap_or(default).clamp(low, high)
    }

    /// A header as text; an unreadable one counts as missing.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What follows `scheme ` in `Authorization`.
    pub(crate) fn authorization(&self, scheme: &str) -> Option<&str> {
        let (given, rest) = self.header("authorization")?.split_once(' ')?;
        given.eq_ignore_ascii_case(scheme).then(|| rest.trim())
    }

    /// The body as a form.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// Whether the `User-Agent` names an application and its version, and
    /// (if `contact` is asked for) somebody to write to.
    pub(crate) fn names_itself(&self, contact: bool) -> bool {
        let agent = self.header("user-agent").unwrap_or_default();
        let (name, rest) = agent.split_once('/').unwrap_or_default();
        let generic = ["python-requests", "curl", "java", "go-http-client", "okhttp", "reqwest", "mozilla"]
            .contains(&name.trim().to_ascii_lowercase().as_str());
        let versioned = rest.starts_with(|c: char| c.is_ascii_digit());
        let reachable = rest.contains('@') || rest.contains("://");
        !name.trim().is_empty() && !generic && versioned && (reachable || !contact)
    }
}

/// An answer before faults are applied to it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::text(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn text(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, content_type: content_type.to_owned(), headers: Vec::new(), body: body.into() }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::text(status, "", Bytes::new())
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    /// The body, if it is said to be JSON.
    pub(crate) fn body_as_json(&self) -> Option<Value> {
        self.content_type.starts_with("application/json").then(|| serde_json::from_slice(&self.body).ok())?
    }

    /// The same answer in other words.
    pub(crate) fn reworded(mut self, content_type: &str, body: String) -> Self {
        self.body = body.into();
        self.typed(content_type)
    }

    pub(crate) fn typed(mut self, content_type: &str) -> Self {
        content_type.clone_into(&mut self.content_type);
        self
    }

    /// The answer on the wire, with `body` in place of its own if one is given.
    pub(crate) fn into_response(self, body: Option<Body>) -> Response {
        let mut response = Response::new(body.unwrap_or_else(|| Body::from(self.body)));
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        if let Some(kind) = HeaderValue::from_str(&self.content_type).ok().filter(|kind| !kind.is_empty()) {
            headers.insert(http::header::CONTENT_TYPE, kind);
        }
        for (name, value) in self.headers {
            // Bytes, not text: tests send header values no provider should.
            if let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_bytes(value.as_bytes()))
            {
                headers.append(name, value);
            }
        }
        response
    }
}
