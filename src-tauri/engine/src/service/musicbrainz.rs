//! MusicBrainz web service 2.
//!
//! One call a second on average per IP address; above it *every* request is 503 until the rate drops:
//! <https://musicbrainz.org/doc/MusicBrainz_API/Rate_Limiting>. A `User-Agent` with application, version
//! and contact is required.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping, Life};
use super::life::Life::{Forever, Metadata, Never, Search};
use super::tags::{self, Kind, Tags, id, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Musicbrainz,
    label: "MusicBrainz",
    colour: "#BA478F",
    base_url: "https://musicbrainz.org",
    accounts_url: None,
    auth: Auth { kind: AuthKind::None, place: CredentialPlace::None, required: false },
    credential_page: None,
    wants_user_agent: true,
    budget: DefaultBudget { spacing_ms: 1_050, windows: &[] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("recording_search", Search, &["GET /ws/2/recording"]),
        Endpoint::new("recording", Forever, &["GET /ws/2/recording/{mbid}"]),
        Endpoint::new("release_search", Search, &["GET /ws/2/release"]),
        Endpoint::new("release", Metadata, &["GET /ws/2/release/{mbid}"]),
        Endpoint::new("release_group_search", Search, &["GET /ws/2/release-group"]),
        Endpoint::new("release_group", Metadata, &["GET /ws/2/release-group/{mbid}"]),
        Endpoint::new("artist_search", Search, &["GET /ws/2/artist"]),
        Endpoint::new("artist", Metadata, &["GET /ws/2/artist/{mbid}"]),
        Endpoint::new("isrc", Forever, &["GET /ws/2/isrc/{isrc}"]),
        Endpoint::new("label", Metadata, &["GET /ws/2/label", "GET /ws/2/label/{mbid}"]),
        Endpoint::new("work", Metadata, &["GET /ws/2/work", "GET /ws/2/work/{mbid}"]),
        Endpoint::new("discid", Metadata, &["GET /ws/2/discid/{id}"]),
        Endpoint::new("url", Metadata, &["GET /ws/2/url", "GET /ws/2/url/{mbid}"]),
        Endpoint::new("collection", Never, &["* /ws/2/collection/{mbid}/releases/{ids}"]),
    ],
    asked_by_form: false,
    keeping: Keeping { varies: &["accept"], other: Life::Metadata, tags, ..Keeping::PLAIN },
    check_path: "/ws/2/artist?query=a&fmt=json&limit=1",
    default_ban_s: 30,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match answer.status.as_u16() {
        503 => Verdict::Refused(BanKind::Rate),
        _ => answer.by_status(),
    }
}

/// A release within a recording leaves out its artists: the recording's.
fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|field, object| {
        let id = id(object, "id");
        let artists = names(object.get("artist-credit"));
        let (name, title) = (text(object, "name"), text(object, "title"));
        match (Kind::of_name(field), name, title) {
            (Some(Kind::Artist), Some(name), _) => tags.artist(id.as_deref(), name),
            (Some(Kind::Album), _, Some(title)) => tags.album(id.as_deref(), &artists, title),
            (Some(Kind::Track), _, Some(title)) => {
                tags.track(id.as_deref(), &artists, title);
                let releases = object.get("releases").and_then(|list| list.as_array());
                for release in releases.into_iter().flatten().filter_map(|release| release.as_object()) {
                    if let Some(title) = text(release, "title") {
                        tags.album(tags::id(release, "id").as_deref(), &artists, title);
                    }
                }
            }
            _ => {}
        }
    });
}
