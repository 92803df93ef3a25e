//! Genius API: <https://docs.genius.com/>. Its limit is not published; 429 refuses.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Metadata, Never, Search};
use super::tags::{self, Tags, id, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Genius,
    label: "Genius",
    colour: "#FFFF64",
    base_url: "https://api.genius.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["genius"]), place: CredentialPlace::Bearer, required: true },
    credential_page: Some("https://genius.com/api-clients"),
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 2_000, windows: &[(60, 30)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", Search, &["GET /search"]),
        Endpoint::new("song", Metadata, &["GET /songs/{id}"]),
        Endpoint::new("artist", Metadata, &["GET /artists/{id}"]),
        Endpoint::new("artist_songs", Metadata, &["GET /artists/{id}/songs"]),
        Endpoint::new("web_page", Metadata, &["GET /web_pages/lookup"]),
        Endpoint::new("referents", Metadata, &["GET /referents"]),
        Endpoint::new("account", Never, &["GET /account"]),
    ],
    asked_by_form: false,
    keeping: Keeping { ignores_case: &["q"], tags, ..Keeping::PLAIN },
    check_path: "/search?q=a",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|field, object| {
        let id = id(object, "id");
        if let Some(title) = text(object, "title") {
            tags.track(id.as_deref(), &names(object.get("primary_artist")), title);
        } else if let Some(name) = text(object, "name") {
            match field {
                "album" => tags.album(id.as_deref(), &names(object.get("artist")), name),
                "artist" | "primary_artist" => tags.artist(id.as_deref(), name),
                _ => {}
            }
        }
    });
}
