//! One kept answer, and how long it lives.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, AGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, ETAG,
    LAST_MODIFIED, RETRY_AFTER, SET_COOKIE, VARY,
};
use http::{HeaderMap, StatusCode};

use super::question::Question;
use crate::call::{Answer, Origin};
use crate::clock::Wall;
use crate::service::{Heeds, Life, SEARCH_HOURS, Verdict};
use crate::settings::CacheSettings;

/// How long an expired answer is still kept for a ban or an outage: 30 days.
const STALE_KEPT_MS: i64 = 30 * 86_400_000;
/// The same for "not found" and for what is the user's own: an hour.
const STALE_KEPT_SHORT_MS: i64 = 3_600_000;
/// Uses within this time are written down once.
const USE_NOTED_MS: i64 = 60_000;
/// Longest life a provider can give: a year.
const LONGEST_S: u64 = 366 * 86_400;

/// An answer as it is kept. Times are UTC milliseconds; when somebody sets the clock, the cache moves
/// them with it, so that a life is exact.
#[derive(Debug)]
pub struct Kept {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers worth keeping.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Whether it is an answer, or "there is no such thing".
    pub found: bool,
    /// When the service said it.
    pub stored: i64,
    /// When it expires; `None` is not before it is forgotten.
    pub expires: Option<i64>,
    /// When it is of no use even in a ban.
    pub removed: Option<i64>,
    /// When it was last used, to the minute.
    pub used: AtomicI64,
}

impl Kept {
    /// What is kept of `answer`; `None` when it is not to be kept.
    #[must_use]
    pub fn of(question: &Question, answer: &Answer, settings: &CacheSettings, now: Wall) -> Option<Self> {
        let found = match answer.verdict {
            Verdict::Fresh if answer.status == StatusCode::OK => true,
            Verdict::NotFound => false,
            _ => return None,
        };
        if question.head
            || answer.rest.is_some()
            || answer.headers.get(VARY).is_some_and(|v| v.as_bytes().contains(&b'*'))
        {
            return None;
        }
        // Half an answer, or a page that says sorry with status 200, is none.
        if is_json(&answer.headers) && serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_err()
        {
            return None;
        }
        let life = life_ms(question, found, &answer.headers, settings)?;
        let expires = life.map(|ms| now.millis().saturating_add(ms));
        let short = !found || matches!(question.life, Life::Own(_));
        let stale = if short { STALE_KEPT_SHORT_MS } else { STALE_KEPT_MS };
        Some(Self {
            status: answer.status,
            headers: worth_keeping(&answer.headers),
            body: answer.body.clone(),
            found,
            stored: now.millis(),
            expires,
            removed: expires.map(|at| at.saturating_add(stale)),
            used: AtomicI64::new(now.millis()),
        })
    }

    /// The same answer, said again by a 304: its body stays, its headers and its life are new.
    #[must_use]
    pub fn renewed(&self, headers: &HeaderMap) -> Answer {
        let mut merged = self.headers.clone();
        for (name, value) in &worth_keeping(headers) {
            if name != CONTENT_TYPE {
                merged.insert(name, value.clone());
            }
        }
        let verdict = if self.found { Verdict::Fresh } else { Verdict::NotFound };
        Answer {
            status: self.status,
            headers: merged,
            body: self.body.clone(),
            rest: None,
            verdict,
            origin: Origin::Service,
        }
    }

    /// Whether it still holds.
    #[must_use]
    pub fn is_alive(&self, now: Wall) -> bool {
        self.expires.is_none_or(|at| now.millis() < at)
    }

    /// How old it is.
    #[must_use]
    pub fn age(&self, now: Wall) -> Duration {
        Duration::from_millis(u64::try_from(now.millis() - self.stored).unwrap_or(0))
    }

    /// How long ago it expired; zero while it holds.
    #[must_use]
    pub fn staleness(&self, now: Wall) -> Duration {
        let past = self.expires.map_or(0, |at| now.millis() - at);
        Duration::from_millis(u64::try_from(past).unwrap_or(0))
    }

    /// The answer to whoever asks now.
    #[must_use]
    pub fn answer(&self, now: Wall) -> Answer {
        let age = self.age(now);
        let origin = if self.is_alive(now) { Origin::Hit(age) } else { Origin::Stale(age) };
        let verdict = if self.found { Verdict::Fresh } else { Verdict::NotFound };
        Answer {
            status: self.status,
            headers: self.headers.clone(),
            body: self.body.clone(),
            rest: None,
            verdict,
            origin,
        }
    }

    /// Notes a use; tells whether it is to be written down.
    pub fn note_use(&self, now: Wall) -> bool {
        let last = self.used.load(Ordering::Relaxed);
        let due = now.millis() - last >= USE_NOTED_MS;
        due && self.used.compare_exchange(last, now.millis(), Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// What it weighs in memory, in bytes.
    #[must_use]
    pub fn weight(&self) -> u32 {
        let headers: usize = self.headers.iter().map(|(n, v)| n.as_str().len() + v.len() + 64).sum();
        u32::try_from(self.body.len() + headers + 256).unwrap_or(u32::MAX)
    }

    /// Headers that ask whether it has changed, if the service gave something to ask by.
    pub fn ask_if_changed(&self, headers: &mut HeaderMap) -> bool {
        let pairs = [(ETAG, http::header::IF_NONE_MATCH), (LAST_MODIFIED, http::header::IF_MODIFIED_SINCE)];
        let mut asks = false;
        for (given, ask) in pairs {
            if let Some(value) = self.headers.get(given) {
                headers.insert(ask, value.clone());
                asks = true;
            }
        }
        asks
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(|t| t.contains("json"))
}

/// Life in milliseconds; `None` outside: not kept, inside: until forgotten.
fn life_ms(
    question: &Question,
    found: bool,
    headers: &HeaderMap,
    settings: &CacheSettings,
) -> Option<Option<i64>> {
    #[expect(clippy::cast_possible_truncation, reason = "the settings allow a year")]
    let ms = |seconds: f64| (seconds * 1_000.0) as i64;
    if settings.ttl_hours <= 0.0 {
        return None;
    }
    let not_found = ms(settings.not_found_ttl_minutes * 60.0);
    let own = match question.life {
        Life::Never => return None,
        Life::Own(seconds) => {
            return Some(Some(if found {
                i64::from(seconds) * 1_000
            } else {
                not_found.min(i64::from(seconds) * 1_000)
            }));
        }
        Life::Forever if found => return Some(None),
        Life::Search if found => i64::from(SEARCH_HOURS) * 3_600_000,
        Life::Metadata if found => ms(settings.ttl_hours * 3_600.0),
        _ => not_found,
    };
    let given = if found { CacheControl::of(headers) } else { CacheControl::default() };
    let life = match (question.service.service().keeping.heeds, given.max_age_ms) {
        (Heeds::Both, _) if given.no_store => return None,
        (Heeds::Both, Some(given)) => given,
        (Heeds::Longer, Some(given)) => own.max(given),
        _ => own,
    };
    (life > 0).then_some(Some(life))
}

/// What a provider says of keeping its answer (RFC 9111 §5.2.2).
#[derive(Debug, Default, PartialEq, Eq)]
struct CacheControl {
    /// `max-age` less the age it already has; 0 for `no-cache`.
    max_age_ms: Option<i64>,
    no_store: bool,
}

impl CacheControl {
    fn of(headers: &HeaderMap) -> Self {
        let number = |text: &str| text.trim_matches('"').parse::<u64>().ok();
        let age = headers.get(AGE).and_then(|v| v.to_str().ok()).and_then(number).unwrap_or(0);
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|v| v.to_str().ok());
        let mut said = Self::default();
        for directive in values.flat_map(|v| v.split(',')).map(|d| d.trim().to_ascii_lowercase()) {
            match directive.split_once('=').unwrap_or((&directive, "")) {
                ("no-store", _) => said.no_store = true,
                ("no-cache", _) => said.max_age_ms = Some(0),
                ("max-age", seconds) if said.max_age_ms != Some(0) => {
                    let left = number(seconds).map(|s| s.saturating_sub(age).min(LONGEST_S));
                    said.max_age_ms = left.and_then(|s| i64::try_from(s * 1_000).ok()).or(said.max_age_ms);
                }
                _ => {}
            }
        }
        said
    }
}

/// Headers that still hold of a kept answer: not those of one moment, one connection or one asker.
fn worth_keeping(headers: &HeaderMap) -> HeaderMap {
    const OF_THE_MOMENT: [http::HeaderName; 7] =
        [ACCEPT_RANGES, AGE, CONTENT_ENCODING, CONTENT_LENGTH, DATE, RETRY_AFTER, SET_COOKIE];
    let passing = |name: &str| {
        name.contains("ratelimit")
            || name.contains("rate-limit")
            || ["access-control-", "cf-", "x-amz-", "x-cache", "x-served-", "x-timer", "x-request-id"]
                .iter()
                .any(|p| name.starts_with(p))
            || [
                "alt-svc",
                "connection",
                "expect-ct",
                "keep-alive",
                "nel",
                "report-to",
                "server-timing",
                "set-cookie2",
                "strict-transport-security",
                "transfer-encoding",
                "trailer",
                "upgrade",
                "via",
            ]
            .contains(&name)
    };
    let kept = headers.iter().filter(|(name, _)| !OF_THE_MOMENT.contains(name) && !passing(name.as_str()));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::service::{EndpointId, ServiceId};

    fn life(service: ServiceId, life: Life, found: bool, control: &str) -> Option<Option<i64>> {
        let question = Question {
            key: super::super::question::Key([0; 16]),
            service,
            endpoint: EndpointId(0),
            life,
            account: None,
            head: false,
        };
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_str(control).unwrap());
        life_ms(&question, found, &headers, &CacheSettings::default())
    }

    const HOUR: i64 = 3_600_000;

    #[test]
    fn each_kind_of_answer_has_its_life() {
        use ServiceId::Deezer;
        assert_eq!(life(Deezer, Life::Metadata, true, "max-age=1"), Some(Some(12 * HOUR)));
        assert_eq!(life(Deezer, Life::Search, true, "no-store"), Some(Some(6 * HOUR)));
        assert_eq!(life(Deezer, Life::Forever, true, ""), Some(None));
        assert_eq!(life(Deezer, Life::Forever, false, ""), Some(Some(HOUR)));
        assert_eq!(life(Deezer, Life::Own(60), true, "max-age=9999"), Some(Some(60_000)));
        assert_eq!(life(Deezer, Life::Never, true, ""), None);
    }

    #[test]
    fn a_provider_lengthens_or_shortens_only_where_the_policy_says_so() {
        use ServiceId::Spotify;
        assert_eq!(life(Spotify, Life::Metadata, true, "public, max-age=0"), Some(Some(12 * HOUR)));
        assert_eq!(life(Spotify, Life::Metadata, true, "public, max-age=86400"), Some(Some(24 * HOUR)));
        assert_eq!(life(Spotify, Life::Metadata, false, "max-age=86400"), Some(Some(HOUR)));
        assert_eq!(
            life(Spotify, Life::Metadata, true, "max-age=99999999999999999999"),
            Some(Some(12 * HOUR))
        );
    }

    #[test]
    fn a_providers_words_are_read_as_rfc_9111_has_them() {
        let of = |control: &'static str, age: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static(control));
            headers.insert(AGE, HeaderValue::from_static(age));
            CacheControl::of(&headers)
        };
        assert_eq!(of("max-age=100", "40"), CacheControl { max_age_ms: Some(60_000), no_store: false });
        assert_eq!(of("Max-Age=100, NO-CACHE", "0"), CacheControl { max_age_ms: Some(0), no_store: false });
        assert_eq!(of("no-cache, max-age=100", "0"), CacheControl { max_age_ms: Some(0), no_store: false });
        assert_eq!(of("no-store", "x"), CacheControl { max_age_ms: None, no_store: true });
        assert_eq!(of("max-age=-5, max-age=x", "0"), CacheControl::default());
    }
}
