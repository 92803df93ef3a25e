//! MusicBrainz web service 2.
//!
//! One call a second on average per IP address; above it *every* request is 503 until the rate drops:
//! <https://musicbrainz.org/doc/MusicBrainz_API/Rate_Limiting>. A `User-Agent` with application, version
//! and contact is required.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};

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
        Endpoint::new("recording_search", &["GET /ws/2/recording"]),
        Endpoint::new("recording", &["GET /ws/2/recording/{mbid}"]),
        Endpoint::new("release_search", &["GET /ws/2/release"]),
        Endpoint::new("release", &["GET /ws/2/release/{mbid}"]),
        Endpoint::new("release_group_search", &["GET /ws/2/release-group"]),
        Endpoint::new("release_group", &["GET /ws/2/release-group/{mbid}"]),
        Endpoint::new("artist_search", &["GET /ws/2/artist"]),
        Endpoint::new("artist", &["GET /ws/2/artist/{mbid}"]),
        Endpoint::new("isrc", &["GET /ws/2/isrc/{isrc}"]),
        Endpoint::new("label", &["GET /ws/2/label", "GET /ws/2/label/{mbid}"]),
        Endpoint::new("work", &["GET /ws/2/work", "GET /ws/2/work/{mbid}"]),
        Endpoint::new("discid", &["GET /ws/2/discid/{id}"]),
        Endpoint::new("url", &["GET /ws/2/url", "GET /ws/2/url/{mbid}"]),
        Endpoint::new("collection", &["* /ws/2/collection/{mbid}/releases/{ids}"]),
    ],
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
