//! ListenBrainz API.
//!
//! At most a call a second; answers carry `X-RateLimit-Limit`, `-Remaining` and `-Reset-In`, of which
//! the last is the one to trust: <https://listenbrainz.readthedocs.io/en/latest/users/api/index.html#rate-limiting>.
//! A `User-Agent` is required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, ServerLimit, Service, ServiceId, header_number};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Listenbrainz,
    label: "ListenBrainz",
    colour: "#EB743B",
    base_url: "https://api.listenbrainz.org",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["listenbrainz"]), place: CredentialPlace::TokenHeader, required: false },
    credential_page: Some("https://listenbrainz.org/settings/"),
    wants_user_agent: true,
    budget: DefaultBudget { spacing_ms: 1_000, windows: &[] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("submit_listens", &["POST /1/submit-listens"]),
        Endpoint::new("listens", &["GET /1/user/{user}/listens"]),
        Endpoint::new("playing_now", &["GET /1/user/{user}/playing-now"]),
        Endpoint::new("listen_count", &["GET /1/user/{user}/listen-count"]),
        Endpoint::new("lookup", &["* /1/metadata/lookup", "* /1/metadata/lookup/"]),
        Endpoint::new("recording", &["* /1/metadata/recording"]),
        Endpoint::new("artist", &["* /1/metadata/artist"]),
        Endpoint::new("release_group", &["* /1/metadata/release_group"]),
        Endpoint::new("popularity", &["* /1/popularity/recording", "* /1/popularity/artist", "* /1/popularity/release", "* /1/popularity/release-group"]),
        Endpoint::new("validate_token", &["GET /1/validate-token"]),
        Endpoint::new("feedback", &["* /1/feedback/recording-feedback", "GET /1/feedback/user/{user}/get-feedback"]),
        Endpoint::new("stats", &["GET /1/stats/user/{user}/{what}"]),
    ],
    check_path: "/1/user/rob/listen-count",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit,
};

fn server_limit(headers: &http::HeaderMap) -> Option<ServerLimit> {
    Some(ServerLimit {
        calls: header_number(headers, "x-ratelimit-limit")?,
        remaining: header_number(headers, "x-ratelimit-remaining")?,
        reset_in_s: header_number(headers, "x-ratelimit-reset-in")?,
        seconds: None,
    })
}
