//! Errors of our own, in their one shape.

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use crate::call::CallError;
use crate::contract::{ApiError, Code};
use crate::rates::refusal_code;

/// An answer that Headroom gives itself: `{"error":{"code","message","retry_at"?}}`.
#[derive(Debug)]
pub(super) struct OwnError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// Unix seconds, and seconds from now.
    retry: Option<(i64, u64)>,
}

impl OwnError {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), retry: None }
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }
}

impl From<&CallError> for OwnError {
    fn from(error: &CallError) -> Self {
        let message = error.to_string();
        match error {
            CallError::Refused { why, until, wait, .. } => {
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                let retry = Some((until.seconds_up(), seconds.max(1)));
                Self { retry, ..Self::new(StatusCode::TOO_MANY_REQUESTS, refusal_code(*why), message) }
            }
            CallError::SignInNeeded(_) => Self::new(StatusCode::UNAUTHORIZED, "sign_in_needed", message),
            CallError::Disabled(_) => Self::new(StatusCode::FORBIDDEN, "service_disabled", message),
            CallError::Unreachable { .. } => Self::new(StatusCode::BAD_GATEWAY, "unreachable", message),
            CallError::BadRequest(_) => Self::new(StatusCode::BAD_REQUEST, "bad_request", message),
        }
    }
}

impl From<ApiError> for OwnError {
    fn from(error: ApiError) -> Self {
        let (status, code) = match error.code {
            Code::Refused => (StatusCode::TOO_MANY_REQUESTS, "refused"),
            Code::SignInNeeded => (StatusCode::UNAUTHORIZED, "sign_in_needed"),
            Code::BadRequest => (StatusCode::BAD_REQUEST, "bad_request"),
            Code::Unreachable => (StatusCode::BAD_GATEWAY, "unreachable"),
            Code::Failed => (StatusCode::INTERNAL_SERVER_ERROR, "failed"),
            Code::EngineStopped => (StatusCode::SERVICE_UNAVAILABLE, "engine_stopped"),
            Code::EngineElsewhere => (StatusCode::SERVICE_UNAVAILABLE, "engine_elsewhere"),
        };
        Self { retry: error.retry_at.map(|at| (at, 1)), ..Self::new(status, code, error.message) }
    }
}

impl IntoResponse for OwnError {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some((at, _)) = self.retry {
            error["retry_at"] = at.into();
        }
        let mut response = (self.status, json!({ "error": error }).to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-headroom-limited", HeaderValue::from_static("local"));
        if let Some((_, seconds)) = self.retry {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}
