//! From a request to the name of its endpoint.

use super::Life;

/// Position of an endpoint in its service's list; [`OTHER`] for what no template matches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct EndpointId(pub u8);

/// The endpoint of requests the catalogue has no name for.
pub const OTHER: EndpointId = EndpointId(u8::MAX);

/// A named kind of call.
#[derive(Debug)]
pub struct Endpoint {
    /// Its name (`artist_albums`), unique within the service.
    pub name: &'static str,
    /// Requests it stands for: `METHOD /path`, with `{id}` for one segment, `*` as method for any, and
    /// an optional `?name=value` that must stand in the query.
    pub templates: &'static [&'static str],
    /// How long its answers are kept.
    pub life: Life,
}

impl Endpoint {
    /// An endpoint, as the services' files write it.
    pub(super) const fn new(name: &'static str, life: Life, templates: &'static [&'static str]) -> Self {
        Self { name, templates, life }
    }
}

pub(super) fn find(endpoints: &[Endpoint], method: &str, path: &str, query: &str) -> EndpointId {
    let found = endpoints.iter().position(|e| e.templates.iter().any(|t| matches(t, method, path, query)));
    found.and_then(|index| u8::try_from(index).ok()).map_or(OTHER, EndpointId)
}

pub(super) fn name(endpoints: &[Endpoint], id: EndpointId) -> &'static str {
    endpoints.get(usize::from(id.0)).map_or("other", |e| e.name)
}

pub(super) fn named(endpoints: &[Endpoint], name: &str) -> Option<EndpointId> {
    if name == "other" {
        return Some(OTHER);
    }
    let index = endpoints.iter().position(|e| e.name == name)?;
    u8::try_from(index).ok().map(EndpointId)
}

fn matches(template: &str, method: &str, path: &str, query: &str) -> bool {
    let Some((wanted_method, rest)) = template.split_once(' ') else { return false };
    // HEAD asks the same question as GET.
    let method = if method == "HEAD" { "GET" } else { method };
    if wanted_method != "*" && wanted_method != method {
        return false;
    }
    let (wanted_path, wanted_query) = rest.split_once('?').map_or((rest, None), |(p, q)| (p, Some(q)));
    let mut wanted = segments(wanted_path);
    let mut given = segments(path);
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => break,
            (Some(w), Some(g)) if w.starts_with('{') || w == g => {}
            _ => return false,
        }
    }
    wanted_query.is_none_or(|pair| query.split('&').any(|given| given.eq_ignore_ascii_case(pair)))
}

/// Segments without the slashes around them, so that `/2.0/` and `/2.0` are one path.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &[Endpoint] = &[
        Endpoint::new("albums", Life::Metadata, &["GET /v1/artists/{id}/albums"]),
        Endpoint::new("get_info", Life::Metadata, &["* /2.0/?method=track.getInfo"]),
    ];

    #[test]
    fn ids_never_become_names_and_the_unknown_is_other() {
        assert_eq!(name(LIST, find(LIST, "GET", "/v1/artists/abc/albums", "")), "albums");
        assert_eq!(name(LIST, find(LIST, "HEAD", "/v1/artists/abc/albums/", "limit=10")), "albums");
        for (method, path) in
            [("POST", "/v1/artists/abc/albums"), ("GET", "/v1/artists/abc"), ("GET", "/"), ("GET", "")]
        {
            assert_eq!(find(LIST, method, path, ""), OTHER, "{method} {path}");
        }
    }

    #[test]
    fn a_template_may_name_a_query_parameter() {
        assert_eq!(name(LIST, find(LIST, "POST", "/2.0/", "api_key=x&method=track.getinfo")), "get_info");
        assert_eq!(find(LIST, "GET", "/2.0/", "method=track.getInfos"), OTHER);
    }
}
