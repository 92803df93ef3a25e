//! Tidal's open API: <https://developer.tidal.com/>. Its limit is not published; 429 with `Retry-After`
//! refuses. Signed in by client credentials.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Forever, Metadata, Never, Search};
use super::tags::{self, Tags, id, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Tidal,
    label: "Tidal",
    colour: "#00FFFF",
    base_url: "https://openapi.tidal.com",
    accounts_url: Some("https://auth.tidal.com"),
    auth: Auth { kind: AuthKind::Client(["tidal.client_id", "tidal.client_secret"], "/v1/oauth2/token"), place: CredentialPlace::Bearer, required: true },
    credential_page: Some("https://developer.tidal.com/dashboard"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 500, windows: &[(60, 120)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("token", Never, &["POST /v1/oauth2/token"]),
        Endpoint::new("search", Search, &["GET /v2/searchResults/{query}", "GET /v2/searchresults/{query}", "GET /v2/searchResults/{query}/relationships/{what}"]),
        Endpoint::new("track", Metadata, &["GET /v2/tracks/{id}"]),
        Endpoint::new("tracks", Metadata, &["GET /v2/tracks"]),
        Endpoint::new("album", Metadata, &["GET /v2/albums/{id}"]),
        Endpoint::new("albums", Metadata, &["GET /v2/albums"]),
        Endpoint::new("album_items", Forever, &["GET /v2/albums/{id}/relationships/items"]),
        Endpoint::new("artist", Metadata, &["GET /v2/artists/{id}"]),
        Endpoint::new("artists", Metadata, &["GET /v2/artists"]),
        Endpoint::new("artist_albums", Metadata, &["GET /v2/artists/{id}/relationships/albums"]),
    ],
    asked_by_form: false,
    keeping: Keeping { tags, ..Keeping::PLAIN },
    check_path: "/v2/tracks?countryCode=US&filter%5Bisrc%5D=USRC17607839",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};

/// JSON:API: what an object is made by stands elsewhere in the answer, under its id.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    let mut artists = std::collections::HashMap::new();
    answer.each_object(|_, object| {
        if let (Some("artists"), Some(id), Some(name)) = (text(object, "type"), id(object, "id"), attribute(object, "name")) {
            tags.artist(Some(&id), name);
            artists.insert(id, name.to_owned());
        }
    });
    answer.each_object(|_, object| {
        let made_by = object.get("relationships").and_then(|r| r.pointer("/artists/data")).and_then(|list| list.as_array());
        let made_by = made_by.into_iter().flatten().filter_map(|artist| artist.as_object());
        let by: Vec<_> = made_by.filter_map(|artist| artists.get(&id(artist, "id")?)).map(String::as_str).collect();
        let Some(title) = attribute(object, "title") else { return };
        match text(object, "type") {
            Some("albums") => tags.album(id(object, "id").as_deref(), &by, title),
            Some("tracks") => tags.track(id(object, "id").as_deref(), &by, title),
            _ => {}
        }
    });
}

fn attribute<'a>(object: &'a serde_json::Map<String, serde_json::Value>, name: &str) -> Option<&'a str> {
    object.get("attributes")?.get(name)?.as_str()
}
