//! Discogs API.
//!
//! 60 calls in a moving minute with a token, 25 without; every answer says how many are left:
//! <https://www.discogs.com/developers/#page:home,header:home-rate-limiting>. A unique `User-Agent` is
//! required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, ServerLimit, Service, ServiceId, header_number};
use super::life::{Keeping};
use super::life::Life::{Metadata, Never, Search};
use super::tags::{self, Kind, Tags, id, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Discogs,
    label: "Discogs",
    colour: "#D4A574",
    base_url: "https://api.discogs.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["discogs"]), place: CredentialPlace::DiscogsToken, required: false },
    credential_page: Some("https://www.discogs.com/settings/developers"),
    wants_user_agent: true,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(60, 55)] },
    budget_without_credential: Some(DefaultBudget { spacing_ms: 0, windows: &[(60, 24)] }),
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", Search, &["GET /database/search"]),
        Endpoint::new("release", Metadata, &["GET /releases/{id}"]),
        Endpoint::new("release_rating", Never, &["GET /releases/{id}/rating", "GET /releases/{id}/rating/{user}"]),
        Endpoint::new("master", Metadata, &["GET /masters/{id}"]),
        Endpoint::new("master_versions", Metadata, &["GET /masters/{id}/versions"]),
        Endpoint::new("artist", Metadata, &["GET /artists/{id}"]),
        Endpoint::new("artist_releases", Metadata, &["GET /artists/{id}/releases"]),
        Endpoint::new("label", Metadata, &["GET /labels/{id}"]),
        Endpoint::new("label_releases", Metadata, &["GET /labels/{id}/releases"]),
        Endpoint::new("identity", Never, &["GET /oauth/identity"]),
        Endpoint::new("collection", Never, &["* /users/{user}/collection/folders", "* /users/{user}/collection/folders/{id}", "* /users/{user}/collection/folders/{id}/releases", "* /users/{user}/collection/folders/{id}/releases/{release}"]),
        Endpoint::new("wantlist", Never, &["* /users/{user}/wants", "* /users/{user}/wants/{id}"]),
        Endpoint::new("marketplace", Never, &["* /marketplace/stats/{id}", "* /marketplace/price_suggestions/{id}", "* /marketplace/listings/{id}"]),
    ],
    asked_by_form: false,
    keeping: Keeping { ignores_case: &["q", "artist", "release_title", "track"], tags, ..Keeping::PLAIN },
    check_path: "/",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit,
};

/// `X-Discogs-Ratelimit` and `-Remaining`, on every answer.
fn server_limit(headers: &http::HeaderMap) -> Option<ServerLimit> {
    Some(ServerLimit {
        calls: header_number(headers, "x-discogs-ratelimit")?,
        remaining: header_number(headers, "x-discogs-ratelimit-remaining")?,
        reset_in_s: 60.0,
        seconds: Some(60.0),
    })
}

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|field, object| {
        let id = id(object, "id");
        let artists: Vec<_> = names(object.get("artists")).into_iter().map(without_number).collect();
        if let (Some(title), false) = (text(object, "title"), artists.is_empty()) {
            tags.album(id.as_deref(), &artists, title);
            let tracks = object.get("tracklist").and_then(|list| list.as_array());
            for track in tracks.into_iter().flatten().filter_map(|track| track.as_object()) {
                let own: Vec<_> = names(track.get("artists")).into_iter().map(without_number).collect();
                let by = if own.is_empty() { &artists } else { &own };
                text(track, "title").into_iter().for_each(|title| tags.track(None, by, title));
            }
        } else if let (Some("release" | "master"), Some((artist, title))) =
            (text(object, "type"), text(object, "title").and_then(|both| both.split_once(" - ")))
        {
            tags.album(id.as_deref(), &[without_number(artist)], title);
        } else if let (Some(Kind::Artist), Some(name)) = (Kind::of_name(field), text(object, "name")) {
            tags.artist(id.as_deref(), without_number(name));
        }
    });
}

/// Discogs tells artists of one name apart by a number: `Band (2)`.
fn without_number(name: &str) -> &str {
    let number = |rest: &str| rest.strip_suffix(')').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    name.rsplit_once(" (").filter(|(_, rest)| number(rest)).map_or(name, |(front, _)| front)
}
