//! ListenBrainz API.
//!
//! At most a call a second; answers carry `X-RateLimit-Limit`, `-Remaining` and `-Reset-In`, of which
//! the last is the one to trust: <https://listenbrainz.readthedocs.io/en/latest/users/api/index.html#rate-limiting>.
//! A `User-Agent` is required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, ServerLimit, Service, ServiceId, header_number};
use super::life::{Keeping};
use super::life::Life::{Metadata, Never};
use super::tags::{self, Tags, text};

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
        Endpoint::new("submit_listens", Never, &["POST /1/submit-listens"]),
        Endpoint::new("listens", Never, &["GET /1/user/{user}/listens"]),
        Endpoint::new("playing_now", Never, &["GET /1/user/{user}/playing-now"]),
        Endpoint::new("listen_count", Never, &["GET /1/user/{user}/listen-count"]),
        Endpoint::new("lookup", Metadata, &["* /1/metadata/lookup", "* /1/metadata/lookup/"]),
        Endpoint::new("recording", Metadata, &["* /1/metadata/recording"]),
        Endpoint::new("artist", Metadata, &["* /1/metadata/artist"]),
        Endpoint::new("release_group", Metadata, &["* /1/metadata/release_group"]),
        Endpoint::new("popularity", Metadata, &["* /1/popularity/recording", "* /1/popularity/artist", "* /1/popularity/release", "* /1/popularity/release-group"]),
        Endpoint::new("validate_token", Never, &["GET /1/validate-token"]),
        Endpoint::new("feedback", Never, &["* /1/feedback/recording-feedback", "GET /1/feedback/user/{user}/get-feedback"]),
        Endpoint::new("stats", Never, &["GET /1/stats/user/{user}/{what}"]),
    ],
    asked_by_form: false,
    keeping: Keeping { tags, ..Keeping::PLAIN },
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

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|_, object| {
        let Some(artist) = text(object, "artist_credit_name") else { return };
        tags.artist(None, artist);
        if let Some(album) = text(object, "release_name") {
            tags.album(text(object, "release_mbid"), &[artist], album);
        }
        if let Some(track) = text(object, "recording_name") {
            tags.track(text(object, "recording_mbid"), &[artist], track);
        }
    });
}
