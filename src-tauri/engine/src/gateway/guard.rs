//! Who may ask: this machine, by a name of this machine, with a key. No page of another origin.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, StatusCode};

use super::error::OwnError;
use super::{Host, Shared};
use crate::account::keys::KeyHash;

/// Header a key may always stand in.
pub(super) const KEY_HEADER: &str = "x-headroom-key";
/// Header in which a browser says how far the asking page is from here.
pub(super) const SITE: &str = "sec-fetch-site";

/// Refuses what no program of this machine would send by itself: requests for another host (a page whose
/// name was pointed at 127.0.0.1, DNS rebinding, sends its own name), and requests of pages of another
/// origin. A link may be followed from there to the page (`links`), but to nothing that makes a call: the
/// key may stand in the path.
pub(super) fn check<B>(request: &http::Request<B>, links: bool) -> Result<(), OwnError> {
    let headers = request.headers();
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => return Err(foreign_host()),
    };
    // A request line may name a host too, and then it is the one that counts.
    let authority = request.uri().authority().map(http::uri::Authority::as_str);
    if !is_loopback(host) || authority.is_some_and(|named| !is_loopback(named)) {
        return Err(foreign_host());
    }
    if headers.contains_key(ORIGIN) || headers.contains_key(SITE) {
        check_origin(headers, host, links)?;
    }
    Ok(())
}

/// A browser names the page that asks. Ours is at the very address it asks; a link that is followed to
/// this server brings nothing along.
fn check_origin(headers: &HeaderMap, host: &str, links: bool) -> Result<(), OwnError> {
    let own = |origin: &str| origin.strip_prefix("http://").is_some_and(|o| o.eq_ignore_ascii_case(host));
    let origins_own = headers.get_all(ORIGIN).iter().all(|o| o.to_str().is_ok_and(own));
    let says = |name, text: &str| headers.get(name).is_some_and(|v| v.as_bytes() == text.as_bytes());
    let foreign_site = says(SITE, "cross-site") || says(SITE, "same-site");
    if origins_own && (!foreign_site || (links && says("sec-fetch-mode", "navigate"))) {
        return Ok(());
    }
    Err(OwnError::new(
        StatusCode::FORBIDDEN,
        "foreign_origin",
        "Pages of other addresses may not ask this server",
    ))
}

fn foreign_host() -> OwnError {
    OwnError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "foreign_host",
        "This server answers only as 127.0.0.1, [::1] or localhost",
    )
}

/// Whether `host` is `127.0.0.1`, `localhost` or `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((name, port)) if name.parse::<Ipv6Addr>().is_ok() => {
                (name, port.strip_prefix(':').or(port.is_empty().then_some("0")))
            }
            _ => return false,
        },
        None => host.split_once(':').map_or((host, Some("0")), |(name, port)| (name, Some(port))),
    };
    port.is_some_and(|port| port.parse::<u16>().is_ok() && !port.starts_with('+'))
        && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

/// Lets only the control key through, and our page in a browser that was let in by `headroomctl open`.
pub(super) async fn check_control_key(State(host): State<Host>, request: Request, next: Next) -> Response {
    let Some(shown) = header_key(request.headers()).map(|key| KeyHash::of(&key)) else {
        if host.has_session(request.headers()) {
            return next.run(request).await;
        }
        return key_refused(false).into_response();
    };
    if host.is_control_key(&shown) {
        return next.run(request).await;
    }
    if host.engine.keys().find(&shown).is_none() {
        return key_refused(true).into_response();
    }
    OwnError::new(
        StatusCode::FORBIDDEN,
        "control_key_needed",
        "A tool's key opens gateway routes only; the control API needs the key of runtime.json",
    )
    .into_response()
}

/// Lets any key through: the control key is another after each start, which no monitoring could follow.
pub(super) async fn check_any_key(State(host): State<Host>, request: Request, next: Next) -> Response {
    let shown = header_key(request.headers()).map(|key| KeyHash::of(&key));
    match shown {
        Some(key) if host.is_control_key(&key) || host.engine.keys().find(&key).is_some() => {
            next.run(request).await
        }
        shown => key_refused(shown.is_some()).into_response(),
    }
}

/// The answer to a missing or wrong key.
pub(super) fn key_refused(shown: bool) -> OwnError {
    if shown {
        OwnError::new(
            StatusCode::UNAUTHORIZED,
            "wrong_key",
            "This key is not known, or was revoked: `headroomctl keys add NAME` makes a new one",
        )
    } else {
        OwnError::new(
            StatusCode::UNAUTHORIZED,
            "key_missing",
            "Show a key, as `Authorization: Bearer …` or `X-Headroom-Key`: `headroomctl keys add NAME` makes one",
        )
    }
}

/// A key in one of the headers that hold it anywhere.
pub(super) fn header_key(headers: &HeaderMap) -> Option<String> {
    let own = headers.get(KEY_HEADER).and_then(|v| v.to_str().ok()).map(str::trim);
    let bearer =
        || headers.get(AUTHORIZATION).and_then(|v| v.to_str().ok()).and_then(|v| scheme(v, "bearer"));
    own.or_else(bearer).map(str::to_owned)
}

/// What follows an authentication scheme, whatever its case.
pub(super) fn scheme<'a>(value: &'a str, name: &str) -> Option<&'a str> {
    let (scheme, rest) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case(name).then(|| rest.trim())
}

impl Shared {
    pub(super) fn is_control_key(&self, shown: &KeyHash) -> bool {
        *shown == self.control_key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_are_hosts() {
        for host in ["127.0.0.1", "127.0.0.1:8765", "localhost:1", "LOCALHOST", "[::1]:8765", "[::1]"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in [
            "example.org",
            "127.0.0.1.example.org",
            "localhost.example.org",
            "evil@127.0.0.1",
            "",
            "10.0.0.1",
            "[::2]",
            "0.0.0.0",
            "a b",
            "127.0.0.1/x",
            "127.0.0.1:8765@evil.example",
            "localhost.",
            "127.1",
            "2130706433",
        ] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn only_the_page_of_this_very_address_is_no_foreigner() {
        let asked = |links: bool, list: &[(&'static str, &str)]| {
            let mut request = http::Request::new(());
            for (name, value) in list {
                request.headers_mut().append(*name, value.parse().unwrap());
            }
            check(&request, links).is_ok()
        };
        let request = |list: &[(&'static str, &str)]| asked(true, list);
        const HERE: (&str, &str) = ("host", "127.0.0.1:8765");
        assert!(request(&[HERE]));
        assert!(request(&[HERE, ("origin", "http://127.0.0.1:8765")]));
        assert!(request(&[HERE, ("origin", "http://127.0.0.1:8765"), (SITE, "same-origin")]));
        assert!(request(&[HERE, (SITE, "none")]));
        assert!(request(&[HERE, (SITE, "cross-site"), ("sec-fetch-mode", "navigate")]), "a link");
        let frame = [HERE, (SITE, "same-site"), ("sec-fetch-mode", "navigate")];
        assert!(!asked(false, &frame), "a frame would make a call");
        assert!(asked(false, &[HERE, (SITE, "none"), ("sec-fetch-mode", "navigate")]), "typed in");
        for origin in [
            "http://127.0.0.1",
            "http://127.0.0.1:8766",
            "https://127.0.0.1:8765",
            "http://localhost:8765",
            "null",
            "",
            "http://evil.example",
            "http://127.0.0.1:8765.evil.example",
            "http://evil@127.0.0.1:8765",
            "file://",
        ] {
            assert!(!request(&[HERE, ("origin", origin)]), "{origin}");
        }
        assert!(!request(&[HERE, ("origin", "http://127.0.0.1:8765"), ("origin", "http://evil.example")]));
        assert!(!request(&[HERE, (SITE, "same-site")]));
        assert!(!request(&[HERE, (SITE, "cross-site"), ("sec-fetch-mode", "no-cors")]));
        assert!(!request(&[HERE, HERE]), "two hosts");
        assert!(!request(&[]), "no host");
    }

    proptest::proptest! {
        #[test]
        fn any_host_is_read(host in "[ -~]{0,30}|(127.0.0.1|localhost|\\[::1\\]|@|:|\\.|[0-9]){0,6}") {
            // What is taken for this machine cannot name another.
            if is_loopback(&host) {
                let name = host.rsplit_once(':').filter(|(_, port)| !port.contains(']')).map_or(&*host, |(n, _)| n);
                let plain = name.trim_matches(['[', ']']);
                proptest::prop_assert!(
                    plain.eq_ignore_ascii_case("localhost") || plain.parse::<IpAddr>().unwrap().is_loopback()
                );
            }
        }
    }
}
