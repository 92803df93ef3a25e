//! Headers that are passed on, and those that are not.

use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, RANGE};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers a service gets to see. Compression is agreed with it apart from the tool, and not at all
/// where a range of bytes is asked for: it would be one of the compressed ones.
pub(super) fn towards_service(mut headers: HeaderMap) -> HeaderMap {
    let partial = headers.contains_key(RANGE);
    drop_where(&mut headers, |name| {
        of_connection(name)
            || *name == HOST
            || *name == ACCEPT_ENCODING
            || *name == CONTENT_LENGTH
            || *name == CACHE_CONTROL
            || *name == EXPECT
            || of_browser(name)
    });
    if partial {
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    headers
}

/// The headers a tool gets to see: the provider's, without those of the connection and those that would
/// tell a browser something of this machine's own server.
pub(super) fn towards_tool(headers: &mut HeaderMap) {
    drop_where(headers, |name| of_connection(name) || of_origin(name));
}

/// Headers of one connection, not of a message (RFC 9110 §7.6.1).
fn of_connection(name: &HeaderName) -> bool {
    matches!(
        name.as_str(),
        "connection"
            | "keep-alive"
            | "proxy-authenticate"
            | "proxy-authentication-info"
            | "proxy-authorization"
            | "proxy-connection"
            | "te"
            | "trailer"
            | "transfer-encoding"
            | "upgrade"
    )
}

/// What tells who asked, from where: nothing of a provider's.
fn of_browser(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(name, "prefer" | "cookie" | "origin" | "referer" | "forwarded" | "via")
        || name.starts_with("x-forwarded-")
        || name.starts_with("sec-fetch-")
}

/// What a provider says of its own origin. Passed on it would be said of 127.0.0.1: cookies and
/// permissions for every program there, another server to go to instead of this one.
fn of_origin(name: &HeaderName) -> bool {
    let name = name.as_str();
    matches!(name, "set-cookie" | "set-cookie2" | "alt-svc" | "clear-site-data" | "strict-transport-security")
        || name.starts_with("access-control-")
}

/// Drops the headers that `dropped` names, and those the `Connection` header names.
fn drop_where(headers: &mut HeaderMap, dropped: impl Fn(&HeaderName) -> bool) {
    let mut gone: Vec<HeaderName> = Vec::new();
    if headers.contains_key(CONNECTION) {
        let listed = headers.get_all(CONNECTION).iter().filter_map(|v| v.to_str().ok());
        gone.extend(listed.flat_map(|v| v.split(',')).filter_map(|name| name.trim().parse().ok()));
    }
    gone.extend(headers.keys().filter(|name| dropped(name)).cloned());
    for name in gone {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(list: &[(&'static str, &'static str)]) -> HeaderMap {
        let header = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        list.iter().map(header).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_service_sees_what_concerns_it() {
        let headers = towards_service(map(&[
            ("host", "127.0.0.1"),
            ("accept", "application/json"),
            ("connection", "keep-alive, X-Secret"),
            ("x-secret", "1"),
            ("cookie", "a=b"),
            ("accept-encoding", "br"),
            ("te", "trailers"),
            ("x-forwarded-for", "10.0.0.1"),
            ("sec-fetch-site", "none"),
            ("if-none-match", "\"1\""),
        ]));
        assert_eq!(names(&headers), ["accept", "if-none-match"]);
    }

    #[test]
    fn a_range_is_asked_for_without_compression() {
        let headers = towards_service(map(&[("range", "bytes=0-9"), ("accept-encoding", "gzip")]));
        assert_eq!(
            (&headers["range"], &headers["accept-encoding"]),
            (&HeaderValue::from_static("bytes=0-9"), &HeaderValue::from_static("identity"))
        );
    }

    #[test]
    fn a_tool_sees_no_word_about_this_machines_origin() {
        let mut headers = map(&[
            ("access-control-allow-origin", "*"),
            ("access-control-allow-credentials", "true"),
            ("set-cookie", "headroom_session_1=x"),
            ("alt-svc", "h3=\":443\""),
            ("transfer-encoding", "chunked"),
            ("etag", "\"1\""),
            ("x-ratelimit-remaining", "3"),
        ]);
        towards_tool(&mut headers);
        assert_eq!(names(&headers), ["etag", "x-ratelimit-remaining"]);
    }
}
