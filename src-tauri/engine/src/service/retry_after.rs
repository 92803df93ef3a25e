//! `Retry-After`, in every form seen in the wild.

use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};

use crate::clock::Wall;

/// The longest `Retry-After` that is believed. Spotify's longest known is a day; a value beyond a week
/// is a provider's slip, and would lock the user out for good.
pub const LONGEST_OBEYED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The wait an answer asks for, or `None` when it gives none that can be believed (missing, negative,
/// garbage, a date that has passed).
///
/// Seconds or an HTTP date (RFC 9110 §10.2.3). A date is read against the answer's own `Date`, so that
/// a wrong clock on either side does no harm. `0` is one second: we were refused just now. The result
/// is at most [`LONGEST_OBEYED`].
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Wall) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match seconds(value) {
        Some(seconds) => seconds,
        None => until_date(value, headers, now)?,
    };
    Some(wait.clamp(Duration::from_secs(1), LONGEST_OBEYED))
}

fn seconds(value: &str) -> Option<Duration> {
    let digits = value.replace(',', "");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    // Digits alone can only fail by being too many: that is a very long time.
    let seconds = digits.parse::<f64>().ok()?;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn until_date(value: &str, headers: &HeaderMap, now: Wall) -> Option<Duration> {
    let unix = |text: &str| {
        let date = httpdate::parse_http_date(text).ok()?;
        date.duration_since(std::time::UNIX_EPOCH).ok()
    };
    let until = unix(value)?;
    let served = headers.get(DATE).and_then(|v| v.to_str().ok()).and_then(unix);
    let now = served.unwrap_or_else(|| Duration::from_millis(u64::try_from(now.millis()).unwrap_or(0)));
    until.checked_sub(now).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Wall = Wall::from_seconds(1_793_000_000); // 2026-10-26T07:33:20Z

    fn wait(value: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, value.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        retry_after(&headers, NOW).map(|d| d.as_secs())
    }

    #[test]
    fn b5_every_form_of_retry_after() {
        let week = LONGEST_OBEYED.as_secs();
        for (value, expected) in [
            ("4", Some(4)),
            ("0", Some(1)),
            ("47967", Some(47_967)),
            ("47,967", Some(47_967)),
            ("86400", Some(86_400)),
            ("99999999999", Some(week)),
            ("99,999,999,999", Some(week)),
            ("999999999999999999999999999999999999999999", Some(week)),
            ("1.5", Some(1)),
            ("-5", None),
            ("", None),
            ("soon", None),
            ("1.2.3", None),
            ("Mon, 26 Oct 2026 07:34:20 GMT", Some(60)),
            ("Mon, 26 Oct 2026 07:32:20 GMT", None),
            ("Tue, 26 Oct 9999 07:32:20 GMT", Some(week)),
        ] {
            assert_eq!(wait(value, None), expected, "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), NOW), None, "missing");
    }

    #[test]
    fn b5_a_date_is_read_against_the_servers_own_clock() {
        // Their clock is an hour behind ours: 30 s from their now is 30 s, not a time long past.
        let wait = wait("Mon, 26 Oct 2026 06:33:50 GMT", Some("Mon, 26 Oct 2026 06:33:20 GMT"));
        assert_eq!(wait, Some(30));
    }
}
