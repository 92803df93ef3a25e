//! Genius API: <https://docs.genius.com/>. Its limit is not published; 429 refuses.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Genius,
    label: "Genius",
    colour: "#FFFF64",
    base_url: "https://api.genius.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["genius"]), place: CredentialPlace::Bearer, required: true },
    credential_page: Some("https://genius.com/api-clients"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 2_000, windows: &[(60, 30)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", &["GET /search"]),
        Endpoint::new("song", &["GET /songs/{id}"]),
        Endpoint::new("artist", &["GET /artists/{id}"]),
        Endpoint::new("artist_songs", &["GET /artists/{id}/songs"]),
        Endpoint::new("web_page", &["GET /web_pages/lookup"]),
        Endpoint::new("referents", &["GET /referents"]),
        Endpoint::new("account", &["GET /account"]),
    ],
    check_path: "/search?q=a",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};
