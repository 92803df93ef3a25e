//! Deezer API.
//!
//! 50 calls in 5 s per IP address: <https://developers.deezer.com/guidelines>. A refusal hides in a 200:
//! `{"error":{"code":4}}`, without a time; 403 without a JSON error is the address being blocked.
//! `error.code` 800 means there is no such thing: <https://developers.deezer.com/api/errors>.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping, Life};
use super::life::Life::{Forever, Metadata, Never, Search};
use super::tags::{self, Tags, id, names, text};

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
        Endpoint::new("search", Search, &[
            "GET /search", "GET /search/{type}",
        ]),
        Endpoint::new("track", Metadata, &["GET /track/{id}", "GET /2.0/track/{isrc}"]),
        Endpoint::new("album", Metadata, &["GET /album/{id}", "GET /2.0/album/{upc}"]),
        Endpoint::new("album_tracks", Forever, &["GET /album/{id}/tracks"]),
        Endpoint::new("artist", Metadata, &["GET /artist/{id}"]),
        Endpoint::new("artist_albums", Metadata, &["GET /artist/{id}/albums"]),
        Endpoint::new("artist_top", Metadata, &["GET /artist/{id}/top"]),
        Endpoint::new("artist_related", Metadata, &["GET /artist/{id}/related"]),
        Endpoint::new("playlist", Never, &["GET /playlist/{id}", "GET /playlist/{id}/tracks"]),
        Endpoint::new("chart", Search, &["GET /chart", "GET /chart/{id}", "GET /chart/{id}/{type}"]),
        Endpoint::new("genre", Metadata, &["GET /genre", "GET /genre/{id}", "GET /genre/{id}/artists"]),
        Endpoint::new("user", Never, &["GET /user/{id}", "GET /user/{id}/{type}"]),
        Endpoint::new("infos", Never, &["GET /infos"]),
    ],
    asked_by_form: false,
    keeping: Keeping { varies: &["accept-language"], ignores_case: &["q"], other: Life::Metadata, tags, ..Keeping::PLAIN },
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

/// Objects say what they are in `type`. An album within a track leaves out its artist: the track's.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|_, object| {
        let id = id(object, "id");
        let artists = names(object.get("artist"));
        match (text(object, "type"), text(object, "title")) {
            (Some("artist"), _) => {
                if let Some(name) = text(object, "name") {
                    tags.artist(id.as_deref(), name);
                }
            }
            (Some("album"), Some(title)) => tags.album(id.as_deref(), &artists, title),
            (Some("track"), Some(title)) => {
                tags.track(id.as_deref(), &artists, title);
                let album = object.get("album").and_then(|album| album.as_object());
                if let Some((album, title)) = album.and_then(|album| Some((album, text(album, "title")?))) {
                    tags.album(tags::id(album, "id").as_deref(), &artists, title);
                }
            }
            _ => {}
        }
    });
}
