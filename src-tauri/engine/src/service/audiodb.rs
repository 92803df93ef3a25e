//! TheAudioDB API, version 1: <https://www.theaudiodb.com/free_music_api>. 30 calls a minute on the free
//! key; the key is part of the path. Nothing found is a member that is `null`.

use super::{Answered, Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Audiodb,
    label: "TheAudioDB",
    colour: "#00BCD4",
    base_url: "https://www.theaudiodb.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["audiodb"]), place: CredentialPlace::PathAfter("/api/v1/json/"), required: true },
    credential_page: Some("https://www.theaudiodb.com/free_music_api"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 2_000, windows: &[(60, 30)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("artist_search", &["GET /api/v1/json/{key}/search.php"]),
        Endpoint::new("album_search", &["GET /api/v1/json/{key}/searchalbum.php"]),
        Endpoint::new("track_search", &["GET /api/v1/json/{key}/searchtrack.php"]),
        Endpoint::new("artist", &["GET /api/v1/json/{key}/artist.php", "GET /api/v1/json/{key}/artist-mb.php"]),
        Endpoint::new("album", &["GET /api/v1/json/{key}/album.php", "GET /api/v1/json/{key}/album-mb.php"]),
        Endpoint::new("track", &["GET /api/v1/json/{key}/track.php", "GET /api/v1/json/{key}/track-mb.php"]),
        Endpoint::new("discography", &["GET /api/v1/json/{key}/discography.php", "GET /api/v1/json/{key}/discography-mb.php"]),
        Endpoint::new("music_videos", &["GET /api/v1/json/{key}/mvid.php"]),
    ],
    check_path: "/api/v1/json/-/search.php?s=a",
    default_ban_s: 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match answer.by_status() {
        Verdict::Fresh if found_nothing(answer) => Verdict::NotFound,
        other => other,
    }
}

/// `{"artists":null}` and its like: one member, and nothing in it.
fn found_nothing(answer: &Answered<'_>) -> bool {
    let json = (answer.body.len() < 64).then(|| answer.json_with("null")).flatten();
    json.and_then(|json| json.as_object().map(|o| o.len() == 1 && o.values().all(serde_json::Value::is_null))) == Some(true)
}
