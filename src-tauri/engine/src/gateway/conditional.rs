//! "Only if it changed": a tool's `If-None-Match` and `If-Modified-Since` against an answer it would get
//! (RFC 9110 §13). Also answers from the cache are compared, which is why it is done here.

use http::header::{
    CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH,
    LAST_MODIFIED, TRANSFER_ENCODING,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// What a tool has already.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    tags: Vec<HeaderValue>,
    since: Option<HeaderValue>,
}

impl Conditions {
    /// Reads them; there are none for methods other than `GET` and `HEAD`.
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Self::default();
        }
        let tags: Vec<_> = headers.get_all(IF_NONE_MATCH).iter().cloned().collect();
        // The tag is the better witness: the date counts only without one.
        let since = if tags.is_empty() { headers.get(IF_MODIFIED_SINCE).cloned() } else { None };
        Self { tags, since }
    }

    /// Whether the tool has this very answer.
    pub(super) fn hold_for(&self, status: StatusCode, headers: &HeaderMap) -> bool {
        if status != StatusCode::OK {
            return false;
        }
        if !self.tags.is_empty() {
            let tag = headers.get(ETAG).and_then(|v| v.to_str().ok()).map(opaque);
            let mut given = self.tags.iter().filter_map(|v| v.to_str().ok()).flat_map(tags);
            return tag.is_some_and(|tag| given.any(|given| given == "*" || opaque(given) == tag));
        }
        let date = |value: &HeaderValue| httpdate::parse_http_date(value.to_str().ok()?).ok();
        let changed = headers.get(LAST_MODIFIED).and_then(date);
        let since = self.since.as_ref().and_then(date);
        changed.zip(since).is_some_and(|(changed, since)| changed <= since)
    }
}

/// Leaves the headers that belong to a 304: those that describe the body go with it.
pub(super) fn without_body(headers: &mut HeaderMap) {
    for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, CONTENT_RANGE, TRANSFER_ENCODING] {
        headers.remove(name);
    }
    if headers.contains_key(ETAG) {
        headers.remove(LAST_MODIFIED);
    }
}

/// A tag without its weakness: what may be compared weakly is the text between the quotes.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// The tags of a list; a comma may stand within the quotes.
fn tags(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return None;
        }
        let weak = if rest.starts_with("W/") { 2 } else { 0 };
        let end = match rest[weak..].strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(rest.len(), |end| weak + 1 + end + 1),
            None => rest.find(',').unwrap_or(rest.len()),
        };
        let (tag, after) = rest.split_at(end);
        rest = after;
        Some(tag.trim_end())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(list: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    const DAY: &str = "Tue, 15 Sep 2026 08:00:00 GMT";
    const BEFORE: &str = "Mon, 14 Sep 2026 08:00:00 GMT";

    #[test]
    fn tags_are_compared_weakly_and_come_before_dates() {
        for (given, tag, same) in [
            ("\"a\"", "\"a\"", true),
            ("W/\"a\"", "\"a\"", true),
            ("\"a\"", "W/\"a\"", true),
            ("\"x\", W/\"a\"", "\"a\"", true),
            ("\"x,y\",\"a\"", "\"a\"", true),
            ("\"x,y\"", "\"x,y\"", true),
            ("*", "\"a\"", true),
            ("\"A\"", "\"a\"", false),
            ("a", "\"a\"", false),
            ("", "\"a\"", false),
            ("\"", "\"a\"", false),
            (",,", "\"a\"", false),
        ] {
            let conditions =
                Conditions::of(&Method::GET, &map(&[(IF_NONE_MATCH, given), (IF_MODIFIED_SINCE, DAY)]));
            let answer = map(&[(ETAG, tag), (LAST_MODIFIED, BEFORE)]);
            assert_eq!(conditions.hold_for(StatusCode::OK, &answer), same, "{given} and {tag}");
        }
        let star = Conditions::of(&Method::GET, &map(&[(IF_NONE_MATCH, "*")]));
        assert!(!star.hold_for(StatusCode::OK, &HeaderMap::new()), "nothing to compare with");
    }

    #[test]
    fn dates_hold_from_their_second_on() {
        let since = |date| Conditions::of(&Method::HEAD, &map(&[(IF_MODIFIED_SINCE, date)]));
        let answer = map(&[(LAST_MODIFIED, DAY)]);
        assert!(since(DAY).hold_for(StatusCode::OK, &answer));
        for (date, status) in [(BEFORE, 200), ("yesterday", 200), (DAY, 404), (DAY, 206)] {
            let status = StatusCode::from_u16(status).unwrap();
            assert!(!since(date).hold_for(status, &answer), "{date} {status}");
        }
        assert!(!since(DAY).hold_for(StatusCode::OK, &HeaderMap::new()));
        let post = Conditions::of(&Method::POST, &map(&[(IF_MODIFIED_SINCE, DAY)]));
        assert!(!post.hold_for(StatusCode::OK, &answer), "a write is never skipped");
    }

    proptest::proptest! {
        #[test]
        fn any_list_of_tags_is_read(list in "\\PC{0,40}|[\"W/, a*]{0,20}") {
            let read: usize = tags(&list).map(str::len).sum();
            proptest::prop_assert!(read <= list.len());
        }
    }
}
