//! Spotify Web API, as of autumn 2026.
//!
//! A rolling 30 s limit of unpublished size, and a quota of about a day per developer account, shared
//! by all its development-mode apps: <https://developer.spotify.com/documentation/web-api/concepts/rate-limits>.
//! A rate refusal is 429 with `Retry-After` of seconds; a quota refusal is 429 with
//! `error.reason == "QUOTA_EXCEEDED"` and waits of 13 to 24 h. Asking during a ban prolongs it.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Heeds, Keeping};
use super::life::Life::{Forever, Metadata, Never, Own, Search};
use super::tags::{self, Tags, id, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Spotify,
    label: "Spotify",
    colour: "#1DB954",
    base_url: "https://api.spotify.com",
    accounts_url: Some("https://accounts.spotify.com"),
    auth: Auth { kind: AuthKind::SignIn("/api/token"), place: CredentialPlace::Bearer, required: true },
    credential_page: Some("https://developer.spotify.com/dashboard"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 350, windows: &[(30, 85), (3600, 1000)] },
    budget_without_credential: None,
    assumed_quota: Some(800),
    endpoints: &[
        Endpoint::new("token", Never, &["POST /api/token"]),
        Endpoint::new("search", Search, &["GET /v1/search"]),
        Endpoint::new("track", Metadata, &["GET /v1/tracks/{id}"]),
        Endpoint::new("album", Metadata, &["GET /v1/albums/{id}"]),
        Endpoint::new("album_tracks", Forever, &["GET /v1/albums/{id}/tracks"]),
        Endpoint::new("artist", Metadata, &["GET /v1/artists/{id}"]),
        Endpoint::new("artist_albums", Metadata, &["GET /v1/artists/{id}/albums"]),
        Endpoint::new("player", Never, &["GET /v1/me/player", "GET /v1/me/player/currently-playing"]),
        Endpoint::new("recently_played", Never, &["GET /v1/me/player/recently-played"]),
        Endpoint::new("player_control", Never, &[
            "PUT /v1/me/player", "PUT /v1/me/player/{action}", "POST /v1/me/player/{action}",
        ]),
        Endpoint::new("devices", Never, &["GET /v1/me/player/devices"]),
        Endpoint::new("queue", Never, &["GET /v1/me/player/queue"]),
        Endpoint::new("me", Own(60), &["GET /v1/me"]),
        Endpoint::new("library", Never, &[
            "* /v1/me/library", "* /v1/me/library/{what}", "* /v1/me/tracks", "* /v1/me/albums", "* /v1/me/following",
        ]),
        Endpoint::new("top_items", Own(60), &["GET /v1/me/top/{type}"]),
        Endpoint::new("my_playlists", Never, &["* /v1/me/playlists"]),
        Endpoint::new("playlist", Never, &["* /v1/playlists/{id}"]),
        Endpoint::new("playlist_items", Never, &["* /v1/playlists/{id}/items", "* /v1/playlists/{id}/tracks"]),
        Endpoint::new("show", Metadata, &["GET /v1/shows/{id}", "GET /v1/shows/{id}/episodes"]),
        Endpoint::new("episode", Metadata, &["GET /v1/episodes/{id}"]),
    ],
    asked_by_form: false,
    keeping: Keeping { by_account: true, varies: &["accept-language"], heeds: Heeds::Longer, tags, ..Keeping::PLAIN },
    check_path: "/v1/me",
    default_ban_s: 30 * 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match answer.by_status() {
        Verdict::Refused(_) if quota_exceeded(answer) => Verdict::Refused(BanKind::Quota),
        other => other,
    }
}

fn quota_exceeded(answer: &Answered<'_>) -> bool {
    let body = answer.json_with("\"QUOTA_EXCEEDED\"");
    body.is_some_and(|json| json.pointer("/error/reason").and_then(|r| r.as_str()) == Some("QUOTA_EXCEEDED"))
}

/// Objects say what they are in `type`.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|_, object| {
        let (id, artists) = (id(object, "id"), names(object.get("artists")));
        let Some(name) = text(object, "name") else { return };
        match text(object, "type") {
            Some("artist") => tags.artist(id.as_deref(), name),
            Some("album") => tags.album(id.as_deref(), &artists, name),
            Some("track") => tags.track(id.as_deref(), &artists, name),
            _ => {}
        }
    });
}
