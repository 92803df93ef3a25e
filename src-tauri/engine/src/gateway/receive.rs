//! A request's body, as much of it as we take and as slowly as we bear.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body_util::BodyExt;

use super::error::OwnError;

/// Longest silence in the middle of a body.
pub(super) const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// The whole body, of at most `most` bytes.
pub(super) async fn receive<B>(mut body: B, most: usize) -> Result<Bytes, OwnError>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let too_large = || {
        let message = format!("The body is larger than {} KiB", most / 1_024);
        OwnError::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    };
    // Said before it is sent, where its length is told.
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let mut first = Bytes::new();
    let mut whole: Option<BytesMut> = None;
    loop {
        let frame = tokio::time::timeout(LONGEST_SILENCE, body.frame()).await.map_err(|_| {
            let message = format!("No byte of the body came for {} s", LONGEST_SILENCE.as_secs());
            OwnError::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
        })?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| {
            OwnError::new(StatusCode::BAD_REQUEST, "body_incomplete", "The body did not come whole")
        })?;
        // Trailers are of the connection.
        let Ok(data) = frame.into_data() else { continue };
        if first.len() + whole.as_ref().map_or(0, BytesMut::len) + data.len() > most {
            return Err(too_large());
        }
        match &mut whole {
            Some(whole) => whole.extend_from_slice(&data),
            None if first.is_empty() => first = data,
            None => {
                let mut both = BytesMut::with_capacity(2 * (first.len() + data.len()));
                both.extend_from_slice(&std::mem::take(&mut first));
                both.extend_from_slice(&data);
                whole = Some(both);
            }
        }
    }
    Ok(whole.map_or(first, BytesMut::freeze))
}
