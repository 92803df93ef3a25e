//! Deezer API.
//!
//! 50 calls in 5 s per IP address: <https://developers.deezer.com/guidelines>. A refusal hides in a 200:
//! `{"error":{"code":4}}`, without a time; 403 without a JSON error is the address being blocked.
//! `error.code` 800 means there is no such thing: <https://developers.deezer.com/api/errors>.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Deezer,
    label: "Deezer",
    colour: "#A238FF",
    base_url: "https://api.deezer.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::None, place: CredentialPlace::None, required: false },
    credential_page: None,
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(5, 45)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", &[
            "GET /search", "GET /search/{type}",
        ]),
        Endpoint::new("track", &["GET /track/{id}", "GET /2.0/track/{isrc}"]),
        Endpoint::new("album", &["GET /album/{id}", "GET /2.0/album/{upc}"]),
        Endpoint::new("album_tracks", &["GET /album/{id}/tracks"]),
        Endpoint::new("artist", &["GET /artist/{id}"]),
        Endpoint::new("artist_albums", &["GET /artist/{id}/albums"]),
        Endpoint::new("artist_top", &["GET /artist/{id}/top"]),
        Endpoint::new("artist_related", &["GET /artist/{id}/related"]),
        Endpoint::new("playlist", &["GET /playlist/{id}", "GET /playlist/{id}/tracks"]),
        Endpoint::new("chart", &["GET /chart", "GET /chart/{id}", "GET /chart/{id}/{type}"]),
        Endpoint::new("genre", &["GET /genre", "GET /genre/{id}", "GET /genre/{id}/artists"]),
        Endpoint::new("user", &["GET /user/{id}", "GET /user/{id}/{type}"]),
        Endpoint::new("infos", &["GET /infos"]),
    ],
    check_path: "/infos",
    default_ban_s: 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match (answer.by_status(), error_code(answer)) {
        (_, Some(4)) => Verdict::Refused(BanKind::Rate),
        (Verdict::Failed, None) if answer.status.as_u16() == 403 => Verdict::Refused(BanKind::Rate),
        (Verdict::Fresh, Some(800)) => Verdict::NotFound,
        // 300: the token is wrong. 700: the service is busy.
        (Verdict::Fresh, Some(300)) => Verdict::SignInNeeded,
        (Verdict::Fresh, Some(700)) => Verdict::Transient,
        (Verdict::Fresh, Some(_)) => Verdict::Failed,
        (other, _) => other,
    }
}

/// `error.code` at the top of the body; zero for an error without one.
fn error_code(answer: &Answered<'_>) -> Option<i64> {
    let json = answer.json_with("\"error\"")?;
    let error = json.get("error")?.as_object()?;
    Some(error.get("code").and_then(serde_json::Value::as_i64).unwrap_or(0))
}
