//! TheAudioDB API, version 1: <https://www.theaudiodb.com/free_music_api>. 30 calls a minute on the free
//! key; the key is part of the path. Nothing found is a member that is `null`.

use super::{Answered, Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Metadata, Search};
use super::tags::{self, Tags, id, text};

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
        Endpoint::new("artist_search", Search, &["GET /api/v1/json/{key}/search.php"]),
        Endpoint::new("album_search", Search, &["GET /api/v1/json/{key}/searchalbum.php"]),
        Endpoint::new("track_search", Search, &["GET /api/v1/json/{key}/searchtrack.php"]),
        Endpoint::new("artist", Metadata, &["GET /api/v1/json/{key}/artist.php", "GET /api/v1/json/{key}/artist-mb.php"]),
        Endpoint::new("album", Metadata, &["GET /api/v1/json/{key}/album.php", "GET /api/v1/json/{key}/album-mb.php"]),
        Endpoint::new("track", Metadata, &["GET /api/v1/json/{key}/track.php", "GET /api/v1/json/{key}/track-mb.php"]),
        Endpoint::new("discography", Metadata, &["GET /api/v1/json/{key}/discography.php", "GET /api/v1/json/{key}/discography-mb.php"]),
        Endpoint::new("music_videos", Metadata, &["GET /api/v1/json/{key}/mvid.php"]),
    ],
    asked_by_form: false,
    keeping: Keeping { ignores_case: &["s", "a", "t"], tags, ..Keeping::PLAIN },
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

/// Names stand in the question as well: what was not found is about them.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    if let Some(artist) = answer.parameter("s") {
        tags.artist(None, artist);
        answer.parameter("a").into_iter().for_each(|title| tags.album(None, &[artist], title));
        answer.parameter("t").into_iter().for_each(|title| tags.track(None, &[artist], title));
    }
    answer.each_object(|_, object| {
        let Some(artist) = text(object, "strArtist") else { return };
        tags.artist(id(object, "idArtist").as_deref(), artist);
        if let Some(album) = text(object, "strAlbum") {
            tags.album(id(object, "idAlbum").as_deref(), &[artist], album);
        }
        if let Some(track) = text(object, "strTrack") {
            tags.track(id(object, "idTrack").as_deref(), &[artist], track);
        }
    });
}
