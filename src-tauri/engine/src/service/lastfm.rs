//! Last.fm API 2.0.
//!
//! Five calls a second averaged over 5 minutes per IP address. Errors are a JSON `error` number, with
//! whatever HTTP status: <https://www.last.fm/api/errorcodes>. 29 is the only refusal; 11 and 16 pass;
//! 6 is "not found" in look-ups; 26 is a suspended key, which waiting does not mend.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Metadata, Never, Search};
use super::tags::{self, Tags, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Lastfm,
    label: "Last.fm",
    colour: "#D51007",
    base_url: "https://ws.audioscrobbler.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["lastfm"]), place: CredentialPlace::Query("api_key"), required: true },
    credential_page: Some("https://www.last.fm/api/account/create"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(1, 5), (300, 1_500)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("track_info", Metadata, &["* /2.0?method=track.getinfo"]),
        Endpoint::new("track_search", Search, &["* /2.0?method=track.search"]),
        Endpoint::new("track_top_tags", Metadata, &["* /2.0?method=track.gettoptags"]),
        Endpoint::new("album_info", Metadata, &["* /2.0?method=album.getinfo"]),
        Endpoint::new("album_search", Search, &["* /2.0?method=album.search"]),
        Endpoint::new("artist_info", Metadata, &["* /2.0?method=artist.getinfo"]),
        Endpoint::new("artist_search", Search, &["* /2.0?method=artist.search"]),
        Endpoint::new("artist_similar", Metadata, &["* /2.0?method=artist.getsimilar"]),
        Endpoint::new("artist_top_albums", Metadata, &["* /2.0?method=artist.gettopalbums"]),
        Endpoint::new("artist_top_tags", Metadata, &["* /2.0?method=artist.gettoptags"]),
        Endpoint::new("user_recent_tracks", Never, &["* /2.0?method=user.getrecenttracks"]),
        Endpoint::new("user_info", Never, &["* /2.0?method=user.getinfo"]),
        Endpoint::new("scrobble", Never, &["* /2.0?method=track.scrobble"]),
        Endpoint::new("now_playing", Never, &["* /2.0?method=track.updatenowplaying"]),
    ],
    asked_by_form: true,
    keeping: Keeping { ignores_case: &["method", "artist", "track", "album"], personal: &["user", "username"], tags, ..Keeping::PLAIN },
    check_path: "/2.0/?method=track.search&track=a&format=json&limit=1",
    default_ban_s: 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    let json = answer.json_with("\"error\"");
    let code = json.as_ref().and_then(|json| json.get("error")).and_then(serde_json::Value::as_i64);
    match code.or_else(|| xml_code(answer.body)) {
        Some(29) => Verdict::Refused(BanKind::Rate),
        Some(6) => Verdict::NotFound,
        Some(8 | 11 | 16) => Verdict::Transient,
        Some(4 | 9 | 10 | 14) => Verdict::SignInNeeded,
        Some(_) => Verdict::Failed,
        None => answer.by_status(),
    }
}

/// Without `format=json` answers are XML: `<lfm status="failed"><error code="29">…`.
fn xml_code(body: &[u8]) -> Option<i64> {
    let text = body.starts_with(b"<").then(|| std::str::from_utf8(body).ok())??;
    let failed = text.split_once("<lfm status=\"failed\">")?.1.trim_start();
    failed.strip_prefix("<error code=\"")?.split_once('"')?.0.parse().ok()
}

/// Names stand in the question as well: what was not found is about them.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    if let Some(artist) = answer.parameter("artist") {
        tags.artist(None, artist);
        answer.parameter("album").into_iter().for_each(|title| tags.album(None, &[artist], title));
        answer.parameter("track").into_iter().for_each(|title| tags.track(None, &[artist], title));
    }
    answer.each_object(|field, object| {
        let artists = names(object.get("artist"));
        let Some(name) = text(object, "name").or_else(|| text(object, "title")) else { return };
        match field {
            "artist" => tags.artist(None, name),
            "album" => tags.album(None, &artists, name),
            "track" => tags.track(None, &artists, name),
            _ => {}
        }
    });
}
