//! Tidal's open API: <https://developer.tidal.com/>. Its limit is not published; 429 with `Retry-After`
//! refuses. Signed in by client credentials.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};

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
        Endpoint::new("token", &["POST /v1/oauth2/token"]),
        Endpoint::new("search", &["GET /v2/searchResults/{query}", "GET /v2/searchresults/{query}", "GET /v2/searchResults/{query}/relationships/{what}"]),
        Endpoint::new("track", &["GET /v2/tracks/{id}"]),
        Endpoint::new("tracks", &["GET /v2/tracks"]),
        Endpoint::new("album", &["GET /v2/albums/{id}"]),
        Endpoint::new("albums", &["GET /v2/albums"]),
        Endpoint::new("album_items", &["GET /v2/albums/{id}/relationships/items"]),
        Endpoint::new("artist", &["GET /v2/artists/{id}"]),
        Endpoint::new("artists", &["GET /v2/artists"]),
        Endpoint::new("artist_albums", &["GET /v2/artists/{id}/relationships/albums"]),
    ],
    check_path: "/v2/tracks?countryCode=US&filter%5Bisrc%5D=USRC17607839",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};
