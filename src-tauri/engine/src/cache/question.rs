//! What is asked, in one form: the same question from two tools is one entry.
//!
//! The form is injective (every part is hashed with its length) and canonical only where the service
//! does not tell the difference: percent escapes, the order of parameters of different names, Unicode
//! form, the case of the parameters the service's file names. It holds no credential: those are attached
//! after it is made, and a question that brings one of its own is not kept.

use std::fmt;
use std::sync::Arc;

use http::header::{AUTHORIZATION, COOKIE, RANGE};
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;

use crate::call::Call;
use crate::service::{EndpointId, Life, ServiceId, tags};

/// Raised whenever the form changes: entries of another form are never found.
const FORM: u8 = 1;

/// Parameters that carry a credential. Whoever sends one asks as somebody Headroom does not know.
const CREDENTIALS: [&str; 12] = [
    "access_token",
    "api_key",
    "api_sig",
    "apikey",
    "app_id",
    "client_secret",
    "key",
    "oauth_token",
    "request_sig",
    "sk",
    "token",
    "user_auth_token",
];

/// 128 bits of SHA-256 over the form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub [u8; 16]);

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Key {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut key = [0; 16];
        if text.len() != 32 || !text.is_ascii() {
            return Err(());
        }
        for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| ())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| ())?;
        }
        Ok(Self(key))
    }
}

/// A question whose answer may be kept.
#[derive(Clone, Debug)]
pub struct Question {
    /// Its place in the cache.
    pub key: Key,
    /// Whom it asks.
    pub service: ServiceId,
    /// What kind of call it is.
    pub endpoint: EndpointId,
    /// How long its answer is kept.
    pub life: Life,
    /// The account it depends on.
    pub account: Option<Arc<str>>,
    /// Whether only the headers of the answer are wanted.
    pub head: bool,
}

impl Question {
    /// The question `call` asks as `account`; `None` when its answer is never kept.
    #[must_use]
    pub fn of(call: &Call, endpoint: EndpointId, account: Option<Arc<str>>) -> Option<Self> {
        let service = call.service.service();
        let life = service.life_of(endpoint);
        let head = call.method == Method::HEAD;
        let is_read = head || (call.method == Method::GET && call.body.is_empty()) || call.asks_by_form();
        let is_its_own = [AUTHORIZATION, COOKIE, RANGE].iter().any(|name| call.headers.contains_key(name));
        if life == Life::Never || !is_read || is_its_own {
            return None;
        }
        let rules = &service.keeping;
        // Whose it is is not known: it cannot be told from anybody else's.
        if rules.by_account && account.is_none() {
            return None;
        }
        let account = account.filter(|_| rules.by_account);
        let mut form = Form::new(call.service, account.as_deref());
        form.path(&call.path);
        let is_kept = form.query(&call.parameters(), |name| {
            let private = CREDENTIALS.iter().chain(rules.personal).any(|p| p.eq_ignore_ascii_case(name));
            (!private).then(|| rules.ignores_case.iter().any(|p| p.eq_ignore_ascii_case(name)))
        });
        if !is_kept {
            return None;
        }
        form.headers(&call.headers, rules.varies);
        Some(Self { key: form.key(), service: call.service, endpoint, life, account, head })
    }
}

/// The question as people read it: `GET /search?q=get lucky`.
#[must_use]
pub fn shown(call: &Call) -> String {
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().nfc().collect::<String>();
    let path = decoded(&call.path);
    let query = call.parameters();
    if query.is_empty() {
        return format!("GET {path}");
    }
    format!("GET {path}?{}", decoded(&query.replace('+', " ")))
}

/// The parameters of a question, decoded; bytes that are no UTF-8 are replaced.
#[must_use]
pub fn parameters(query: &str) -> Vec<(String, String)> {
    let decoded = |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(n, v)| (decoded(n), decoded(v)))
        .collect()
}

/// The form being hashed.
struct Form(Sha256);

impl Form {
    fn new(service: ServiceId, account: Option<&str>) -> Self {
        let mut form = Self(Sha256::new());
        form.0.update([FORM]);
        form.part(service.as_str().as_bytes());
        form.option(account.map(str::as_bytes));
        form
    }

    fn part(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn option(&mut self, bytes: Option<&[u8]>) {
        self.0.update([u8::from(bytes.is_some())]);
        self.part(bytes.unwrap_or_default());
    }

    fn count(&mut self, count: usize) {
        self.0.update((count as u64).to_le_bytes());
    }

    fn path(&mut self, path: &str) {
        self.count(path.split('/').count());
        for segment in path.split('/') {
            // An escaped slash is no slash: segments are told apart before they are decoded.
            let segment = canonical(segment.as_bytes(), false);
            self.part(&segment);
        }
    }

    /// `rule` says of a parameter whether its case is ignored, or `None` that nothing is kept.
    fn query(&mut self, query: &str, rule: impl Fn(&str) -> Option<bool>) -> bool {
        let mut pairs = Vec::new();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (pair, None),
            };
            let name = canonical(name.as_bytes(), true);
            let Some(ignores_case) = rule(&String::from_utf8_lossy(&name)) else { return false };
            let value = value.map(|value| canonical(value.as_bytes(), true));
            let value = value.map(|value| if ignores_case { folded(value) } else { value });
            pairs.push((name, value));
        }
        // Stable: what is said twice under one name keeps its order.
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.count(pairs.len());
        for (name, value) in &pairs {
            self.part(name);
            self.option(value.as_deref());
        }
        true
    }

    fn headers(&mut self, headers: &HeaderMap, varies: &[&str]) {
        for name in varies {
            let values: Vec<_> = headers.get_all(*name).iter().map(|v| v.as_bytes()).collect();
            self.count(values.len());
            values.iter().for_each(|value| self.part(&value.trim_ascii().to_ascii_lowercase()));
        }
    }

    fn key(self) -> Key {
        let digest = self.0.finalize();
        Key(std::array::from_fn(|place| digest[place]))
    }
}

/// Without percent escapes, and in NFC where it is text.
fn canonical(encoded: &[u8], plus_is_space: bool) -> Vec<u8> {
    let plain = |b: &u8| b.is_ascii() && *b != b'%' && (*b != b'+' || !plus_is_space);
    if encoded.iter().all(plain) {
        return encoded.to_vec();
    }
    let spaced: Vec<u8> =
        encoded.iter().map(|b| if plus_is_space && *b == b'+' { b' ' } else { *b }).collect();
    let decoded: Vec<u8> = percent_encoding::percent_decode(&spaced).collect();
    if decoded.is_ascii() {
        return decoded;
    }
    match String::from_utf8(decoded) {
        Ok(text) => text.nfc().collect::<String>().into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    }
}

fn folded(bytes: Vec<u8>) -> Vec<u8> {
    match String::from_utf8(bytes) {
        Ok(text) => tags::fold(&text).into_bytes(),
        Err(bytes) => bytes.into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn question_as(service: ServiceId, target: &str, account: Option<&str>) -> Option<Question> {
        let call = Call::get(service, target, "ui", Duration::ZERO);
        let endpoint = service.service().endpoint_of("GET", &call.path, &call.query);
        Question::of(&call, endpoint, account.map(Arc::from))
    }

    fn key(service: ServiceId, target: &str) -> Key {
        question_as(service, target, None).expect(target).key
    }

    #[test]
    fn c4_what_the_service_does_not_tell_apart_is_one_question() {
        use ServiceId::{Deezer, Itunes, Musicbrainz};
        for (service, a, b) in [
            (Deezer, "/search?q=get+lucky&limit=1", "/search?limit=1&q=get%20lucky"),
            (Deezer, "/search?q=bj%C3%B6rk", "/search?q=bjo%CC%88rk"),
            (Deezer, "/search?q=Get%20Lucky", "/search?q=GET%20LUCKY"),
            (Deezer, "/search?q=a", "/sear%63h?q=%61&"),
            (Itunes, "/search?term=X", "/search?term=x"),
            (Musicbrainz, "/ws/2/recording?query=a&fmt=json", "/ws/2/recording?fmt=json&query=a"),
        ] {
            assert_eq!(key(service, a), key(service, b), "{a} and {b}");
        }
    }

    #[test]
    fn c4_what_may_differ_is_two_questions() {
        use ServiceId::{Deezer, Musicbrainz};
        for (service, a, b) in [
            (Deezer, "/search?q=a%7Cb&x=c", "/search?q=a&x=b%7Cc"),
            (Deezer, "/search?q=a%26x=b", "/search?q=a&x=b"),
            (Deezer, "/search?q=a&q=b", "/search?q=b&q=a"),
            (Deezer, "/search?q=a+b", "/search?q=a%2Bb"),
            (Deezer, "/search?q", "/search?q="),
            (Deezer, "/album/1%2Ftracks", "/album/1/tracks"),
            (Deezer, "/album/AB", "/album/ab"),
            (Deezer, "/search?order=RANKING&q=a", "/search?order=ranking&q=a"),
            (Deezer, "/album/a+b", "/album/a%20b"),
            (Musicbrainz, "/ws/2/recording?query=a+AND+b", "/ws/2/recording?query=a+and+b"),
            (Musicbrainz, "/ws/2/recording?query=%ff", "/ws/2/recording?query=%fe"),
        ] {
            assert_ne!(key(service, a), key(service, b), "{a} and {b}");
        }
        assert_ne!(key(ServiceId::Itunes, "/search?q=a"), key(Deezer, "/search?q=a"));
    }

    #[test]
    fn c4_an_answer_that_depends_on_the_account_is_kept_for_it_alone() {
        let of = |account| question_as(ServiceId::Spotify, "/v1/me", account);
        let (anna, ben) = (of(Some("anna")).unwrap(), of(Some("ben")).unwrap());
        assert_ne!(anna.key, ben.key);
        assert!(of(None).is_none(), "nobody's is not kept");
    }

    #[test]
    fn c4_nothing_that_carries_a_credential_is_kept() {
        for target in [
            "/search?q=a&access_token=x",
            "/search?q=a&ACCESS_TOKEN=x",
            "/search?q=a&api%5Fkey=x",
            "/user/me",
            "/playlist/1",
        ] {
            assert!(question_as(ServiceId::Deezer, target, None).is_none(), "{target}");
        }
        let with = |name: http::HeaderName| {
            let mut call = Call::get(ServiceId::Deezer, "/search?q=a", "ui", Duration::ZERO);
            call.headers.insert(name, http::HeaderValue::from_static("x"));
            Question::of(&call, EndpointId(0), None)
        };
        assert!(with(AUTHORIZATION).is_none() && with(RANGE).is_none());
        assert!(with(http::header::ACCEPT).is_some());
    }

    #[test]
    fn a_question_by_form_is_the_same_question_and_a_deed_is_none() {
        let post = |form: &'static str| {
            let mut call = Call::get(ServiceId::Lastfm, "/2.0/", "ui", Duration::ZERO);
            (call.method, call.body) = (Method::POST, form.into());
            let kind = http::HeaderValue::from_static("application/x-www-form-urlencoded");
            call.headers.insert(http::header::CONTENT_TYPE, kind);
            let endpoint = ServiceId::Lastfm.service().endpoint_of("POST", &call.path, &call.parameters());
            Question::of(&call, endpoint, None).map(|question| question.key)
        };
        let asked = post("method=track.getInfo&artist=Daft+Punk&track=Get+Lucky");
        assert_eq!(
            asked,
            Some(key(ServiceId::Lastfm, "/2.0/?artist=Daft%20Punk&method=track.getInfo&track=Get+Lucky"))
        );
        assert_eq!(post("method=track.scrobble&artist=a&track=b"), None);
        assert_eq!(post("method=track.getInfo&artist=a&track=b&sk=x"), None);
    }

    #[test]
    fn a_key_is_read_back_from_its_text() {
        let key = key(ServiceId::Deezer, "/search?q=a");
        assert_eq!(key.to_string().parse(), Ok(key));
        assert!("".parse::<Key>().is_err() && "zz".repeat(16).parse::<Key>().is_err());
    }

    fn encode(text: &str) -> String {
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
    }

    proptest! {
        /// C4: two pairs of values make one key only when they are the same in NFC.
        #[test]
        fn c4_keys_are_injective(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}", d in ".{0,6}") {
            let of = |x: &str, y: &str| key(ServiceId::Musicbrainz, &format!("/ws/2/artist?query={}&y={}", encode(x), encode(y)));
            let nfc = |text: &str| text.nfc().collect::<String>();
            let same = nfc(&a) == nfc(&c) && nfc(&b) == nfc(&d);
            prop_assert_eq!(of(&a, &b) == of(&c, &d), same);
        }
    }
}
