//! Discogs API.
//!
//! 60 calls in a moving minute with a token, 25 without; every answer says how many are left:
//! <https://www.discogs.com/developers/#page:home,header:home-rate-limiting>. A unique `User-Agent` is
//! required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, ServerLimit, Service, ServiceId, header_number};

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
        Endpoint::new("search", &["GET /database/search"]),
        Endpoint::new("release", &["GET /releases/{id}"]),
        Endpoint::new("release_rating", &["GET /releases/{id}/rating", "GET /releases/{id}/rating/{user}"]),
        Endpoint::new("master", &["GET /masters/{id}"]),
        Endpoint::new("master_versions", &["GET /masters/{id}/versions"]),
        Endpoint::new("artist", &["GET /artists/{id}"]),
        Endpoint::new("artist_releases", &["GET /artists/{id}/releases"]),
        Endpoint::new("label", &["GET /labels/{id}"]),
        Endpoint::new("label_releases", &["GET /labels/{id}/releases"]),
        Endpoint::new("identity", &["GET /oauth/identity"]),
        Endpoint::new("collection", &["* /users/{user}/collection/folders", "* /users/{user}/collection/folders/{id}", "* /users/{user}/collection/folders/{id}/releases", "* /users/{user}/collection/folders/{id}/releases/{release}"]),
        Endpoint::new("wantlist", &["* /users/{user}/wants", "* /users/{user}/wants/{id}"]),
        Endpoint::new("marketplace", &["* /marketplace/stats/{id}", "* /marketplace/price_suggestions/{id}", "* /marketplace/listings/{id}"]),
    ],
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
