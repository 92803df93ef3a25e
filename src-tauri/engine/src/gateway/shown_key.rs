//! Finds the key a tool shows where its service expects the credential, and takes it out, so that it
//! never leaves the machine and stands in no cache key and no log.

use bytes::Bytes;
use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::guard::{KEY_HEADER, header_key, scheme};
use crate::service::{CredentialPlace, Service};

/// Path segment that stands where a path key was, until the real one is attached.
const PLACE_IN_PATH: &str = "-";

/// Takes the key out of a request: the first found of `X-Headroom-Key`, `Authorization`, and the place
/// of the service. All these places are emptied.
pub(super) fn take(
    service: &Service,
    path: &mut String,
    query: &mut String,
    headers: &mut HeaderMap,
) -> Option<String> {
    let by_header = header_key(headers).or_else(|| authorization(service.auth.place, headers));
    let by_place = match service.auth.place {
        CredentialPlace::Query(name) => take_parameter(query, name),
        CredentialPlace::DiscogsToken => take_parameter(query, "token"),
        CredentialPlace::PathAfter(prefix) => take_segment(path, prefix),
        CredentialPlace::QobuzHeaders => {
            headers.remove("x-app-id");
            headers.remove("x-user-auth-token").and_then(|v| v.to_str().ok().map(str::to_owned))
        }
        CredentialPlace::None | CredentialPlace::Bearer | CredentialPlace::TokenHeader => None,
    };
    headers.remove(KEY_HEADER);
    headers.remove(AUTHORIZATION);
    by_header.or(by_place)
}

/// Takes the key out of a form a tool posts to a service that expects its credential in the query, or
/// in the form where there is one (Last.fm). Any other body is left alone.
pub(super) fn take_from_form(service: &Service, body: &mut Bytes) -> Option<String> {
    let CredentialPlace::Query(name) = service.auth.place else { return None };
    let mut form = std::str::from_utf8(body).ok()?.to_owned();
    let key = take_parameter(&mut form, name)?;
    *body = form.into();
    Some(key)
}

/// Whether something that looks like a key of ours stands in `bytes`: it must not leave the machine,
/// whosever it is and wherever a tool put it.
pub(super) fn stands_in(bytes: &[u8]) -> bool {
    const PREFIX: &[u8] = b"hr_";
    const DIGITS: usize = 48;
    memchr::memmem::find_iter(bytes, PREFIX).any(|at| {
        let rest = &bytes[at + PREFIX.len()..];
        rest.len() >= DIGITS && rest[..DIGITS].iter().all(u8::is_ascii_hexdigit)
    })
}

fn authorization(place: CredentialPlace, headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let key = match place {
        CredentialPlace::TokenHeader => scheme(value, "token")?,
        CredentialPlace::DiscogsToken => {
            let pairs = scheme(value, "discogs")?;
            pairs.split(',').find_map(|pair| pair.trim().strip_prefix("token="))?
        }
        _ => return None,
    };
    Some(key.trim_matches('"').to_owned())
}

fn take_parameter(query: &mut String, name: &str) -> Option<String> {
    let is_it = |pair: &&str| pair.split_once('=').is_some_and(|(n, _)| n == name);
    let key = query.split('&').find(is_it)?.split_once('=').map(|(_, key)| key.to_owned());
    *query = query.split('&').filter(|pair| !is_it(pair)).collect::<Vec<_>>().join("&");
    key
}

fn take_segment(path: &mut String, prefix: &str) -> Option<String> {
    let rest = path.strip_prefix(prefix)?;
    let (key, after) =
        rest.split_once('/').map_or((rest, String::new()), |(key, after)| (key, format!("/{after}")));
    let key = key.to_owned();
    *path = format!("{prefix}{PLACE_IN_PATH}{after}");
    Some(key)
}

/// `/~KEY/spotify/v1/…`: the key in front, for services whose clients have no place for one.
pub(super) fn take_from_front(path: &str) -> Option<(String, String)> {
    let (key, rest) = path.strip_prefix("/~")?.split_once('/')?;
    Some((key.to_owned(), format!("/{rest}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::ServiceId;

    fn taken(
        id: ServiceId,
        path: &str,
        query: &str,
        headers: &[(&'static str, &str)],
    ) -> (Option<String>, String, String, HeaderMap) {
        let mut map: HeaderMap =
            headers.iter().map(|(k, v)| (http::HeaderName::from_static(k), v.parse().unwrap())).collect();
        let (mut path, mut query) = (path.to_owned(), query.to_owned());
        let key = take(id.service(), &mut path, &mut query, &mut map);
        (key, path, query, map)
    }

    #[test]
    fn t5_a_key_is_found_where_each_service_expects_its_credential_and_taken_out() {
        for (id, path, query, headers, path_left, query_left) in [
            (ServiceId::Spotify, "/v1/me", "a=1", vec![("authorization", "Bearer K")], "/v1/me", "a=1"),
            (ServiceId::Deezer, "/search", "q=x", vec![("x-headroom-key", "K")], "/search", "q=x"),
            (
                ServiceId::Lastfm,
                "/2.0/",
                "method=a&api_key=K&format=json",
                vec![],
                "/2.0/",
                "method=a&format=json",
            ),
            (
                ServiceId::Audiodb,
                "/api/v1/json/K/search.php",
                "s=x",
                vec![],
                "/api/v1/json/-/search.php",
                "s=x",
            ),
            (
                ServiceId::Discogs,
                "/releases/1",
                "",
                vec![("authorization", "Discogs token=K")],
                "/releases/1",
                "",
            ),
            (ServiceId::Discogs, "/releases/1", "token=K", vec![], "/releases/1", ""),
            (ServiceId::Listenbrainz, "/1/x", "", vec![("authorization", "Token K")], "/1/x", ""),
            (
                ServiceId::Qobuz,
                "/api.json/0.2/x",
                "",
                vec![("x-app-id", "1"), ("x-user-auth-token", "K")],
                "/api.json/0.2/x",
                "",
            ),
        ] {
            let (key, path, query, headers) = taken(id, path, query, &headers);
            assert_eq!(
                (key.as_deref(), path.as_str(), query.as_str()),
                (Some("K"), path_left, query_left),
                "{id}"
            );
            assert!(headers.is_empty(), "{id}: {headers:?}");
        }
    }

    #[test]
    fn t5_a_key_in_a_posted_form_is_taken_out_and_the_rest_is_as_it_was() {
        let form = |id: ServiceId, text: &'static str| {
            let mut body = Bytes::from_static(text.as_bytes());
            (take_from_form(id.service(), &mut body), body)
        };
        let lastfm = form(ServiceId::Lastfm, "method=a.b&api_key=K&artist=a%20b+c&api_key=L&format=json");
        assert_eq!(lastfm, (Some("K".into()), "method=a.b&artist=a%20b+c&format=json".into()));
        assert_eq!(form(ServiceId::Lastfm, "method=a").0, None);
        assert_eq!(form(ServiceId::Deezer, "api_key=K"), (None, "api_key=K".into()));
    }

    #[test]
    fn t5_a_key_is_recognised_anywhere() {
        let key = crate::account::keys::new_key();
        for text in
            [key.clone(), format!("a{key}"), format!("{{\"x\":\"hr_ {key}\"}}"), format!("hr_hr_{key}z")]
        {
            assert!(stands_in(text.as_bytes()), "{text}");
        }
        for text in ["", "hr_", "hr_0000", "hr", &key[1..], &key[..50]] {
            assert!(!stands_in(text.as_bytes()), "{text}");
        }
    }

    /// A query or form of pairs, in which a key may stand anywhere.
    fn pairs(key: &str) -> impl proptest::strategy::Strategy<Value = String> {
        use proptest::prelude::*;
        let key = key.to_owned();
        let name = prop::sample::select(vec![
            "api_key",
            "token",
            "q",
            "API_KEY",
            "api_key[]",
            "",
            "a b",
            "api%5Fkey",
        ]);
        let value = prop_oneof!["[a-z%&=+]{0,8}", Just(key)];
        let pair = (name, value, prop::sample::select(vec!["=", "", "=="]));
        prop::collection::vec(pair, 0..6).prop_map(|list| {
            list.iter().map(|(n, v, eq)| format!("{n}{eq}{v}")).collect::<Vec<_>>().join("&")
        })
    }

    proptest::proptest! {
        #[test]
        fn t5_no_key_survives_and_nothing_panics(
            service in proptest::sample::select(ServiceId::ALL),
            query in pairs("hr_0123456789abcdef0123456789abcdef0123456789abcdef"),
            form in pairs("hr_0123456789abcdef0123456789abcdef0123456789abcdef"),
            path in "(/|~|api|v1|json|hr_0123456789abcdef0123456789abcdef0123456789abcdef|%2f|\\PC){0,8}",
            scheme in "(Bearer|token|Discogs token=|Basic)? ?",
        ) {
            const KEY: &str = "hr_0123456789abcdef0123456789abcdef0123456789abcdef";
            let mut headers = HeaderMap::new();
            for name in ["authorization", "x-headroom-key", "x-user-auth-token"] {
                if let Ok(value) = format!("{scheme}{KEY}").parse() {
                    headers.insert(name, value);
                }
            }
            let (mut path, mut query, mut body) = (path, query, Bytes::from(form));
            if let Some((_, rest)) = take_from_front(&path) {
                path = rest;
            }
            let _ = take(service.service(), &mut path, &mut query, &mut headers);
            let _ = take_from_form(service.service(), &mut body);
            proptest::prop_assert!(!headers.contains_key("authorization"));
            proptest::prop_assert!(!headers.contains_key("x-headroom-key"));
            // What is left of it somewhere strange is seen, and the request is refused.
            for rest in [path.as_bytes(), query.as_bytes(), &body] {
                let here = rest.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes());
                proptest::prop_assert_eq!(here, stands_in(rest));
            }
        }
    }

    #[test]
    fn a_key_in_front_of_the_path() {
        assert_eq!(take_from_front("/~K/deezer/search"), Some(("K".into(), "/deezer/search".into())));
        assert_eq!(take_from_front("/deezer/~K/search"), None);
        assert_eq!(take_from_front("/~K"), None);
    }
}
