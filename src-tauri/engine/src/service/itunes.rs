//! Apple Music, by the iTunes Search API.
//!
//! About 20 calls a minute: <https://developer.apple.com/library/archive/documentation/AudioVideo/Conceptual/iTuneSearchAPI/>.
//! A refusal is 403 (or 429) with an empty body and no hint of when. Nothing found is `resultCount` 0.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping, Life};
use super::life::Life::{Metadata, Search};
use super::tags::{self, Tags, id, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Itunes,
    label: "Apple Music",
    colour: "#FC3C44",
    base_url: "https://itunes.apple.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::None, place: CredentialPlace::None, required: false },
    credential_page: None,
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 3_000, windows: &[(60, 20)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", Search, &["GET /search", "GET /{country}/search"]),
        Endpoint::new("lookup", Metadata, &["GET /lookup", "GET /{country}/lookup"]),
    ],
    asked_by_form: false,
    keeping: Keeping { ignores_case: &["term"], other: Life::Metadata, tags, ..Keeping::PLAIN },
    check_path: "/search?term=a&limit=1",
    default_ban_s: 10 * 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match answer.by_status() {
        Verdict::Failed if answer.status.as_u16() == 403 && answer.is_blank() => Verdict::Refused(BanKind::Rate),
        Verdict::Fresh if found_nothing(answer) => Verdict::NotFound,
        other => other,
    }
}

fn found_nothing(answer: &Answered<'_>) -> bool {
    let body = answer.json_with("\"resultCount\"");
    body.is_some_and(|json| json.get("resultCount").and_then(serde_json::Value::as_u64) == Some(0))
}

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|_, object| {
        let Some(artist) = text(object, "artistName") else { return };
        tags.artist(id(object, "artistId").as_deref(), artist);
        if let Some(album) = text(object, "collectionName") {
            tags.album(id(object, "collectionId").as_deref(), &[artist], album);
        }
        if let Some(track) = text(object, "trackName") {
            tags.track(id(object, "trackId").as_deref(), &[artist], track);
        }
    });
}
