//! Qobuz partner API, version 0.2. Its limit is not published; 429 refuses. An application id and a
//! user's token are required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Qobuz,
    label: "Qobuz",
    colour: "#FF6B35",
    base_url: "https://www.qobuz.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["qobuz.app_id", "qobuz.token"]), place: CredentialPlace::QobuzHeaders, required: true },
    credential_page: None,
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(60, 60)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", &["GET /api.json/0.2/catalog/search"]),
        Endpoint::new("track_search", &["GET /api.json/0.2/track/search"]),
        Endpoint::new("track", &["GET /api.json/0.2/track/get"]),
        Endpoint::new("album_search", &["GET /api.json/0.2/album/search"]),
        Endpoint::new("album", &["GET /api.json/0.2/album/get"]),
        Endpoint::new("artist_search", &["GET /api.json/0.2/artist/search"]),
        Endpoint::new("artist", &["GET /api.json/0.2/artist/get"]),
        Endpoint::new("playlist", &["GET /api.json/0.2/playlist/get"]),
        Endpoint::new("favorites", &["* /api.json/0.2/favorite/getUserFavorites"]),
    ],
    check_path: "/api.json/0.2/track/search?query=a&limit=1",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};
