//! Qobuz partner API, version 0.2. Its limit is not published; 429 refuses. An application id and a
//! user's token are required.

use super::{Auth, AuthKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Metadata, Never, Search};
use super::tags::{self, Kind, Tags, id, names, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Qobuz,
    label: "Qobuz",
    colour: "#FF6B35",
    base_url: "https://www.qobuz.com",
    accounts_url: None,
    auth: Auth { kind: AuthKind::Secrets(&["qobuz.app_id", "qobuz.token"]), place: CredentialPlace::QobuzHeaders, required: true },
    credential_page: None,
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(60, 60)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("search", Search, &["GET /api.json/0.2/catalog/search"]),
        Endpoint::new("track_search", Search, &["GET /api.json/0.2/track/search"]),
        Endpoint::new("track", Metadata, &["GET /api.json/0.2/track/get"]),
        Endpoint::new("album_search", Search, &["GET /api.json/0.2/album/search"]),
        Endpoint::new("album", Metadata, &["GET /api.json/0.2/album/get"]),
        Endpoint::new("artist_search", Search, &["GET /api.json/0.2/artist/search"]),
        Endpoint::new("artist", Metadata, &["GET /api.json/0.2/artist/get"]),
        Endpoint::new("playlist", Never, &["GET /api.json/0.2/playlist/get"]),
        Endpoint::new("favorites", Never, &["* /api.json/0.2/favorite/getUserFavorites"]),
    ],
    asked_by_form: false,
    keeping: Keeping { ignores_case: &["query"], personal: &["user_id", "user_auth_token"], tags, ..Keeping::PLAIN },
    check_path: "/api.json/0.2/track/search?query=a&limit=1",
    default_ban_s: 60,
    verdict: |answer| answer.by_status(),
    server_limit: no_server_limit,
};

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|field, object| {
        let id = id(object, "id");
        let (name, title) = (text(object, "name"), text(object, "title"));
        match (Kind::of_name(field), name, title) {
            (Some(Kind::Artist), Some(name), _) => tags.artist(id.as_deref(), name),
            (Some(Kind::Album), _, Some(title)) => tags.album(id.as_deref(), &names(object.get("artist")), title),
            (Some(Kind::Track), _, Some(title)) => tags.track(id.as_deref(), &names(object.get("performer")), title),
            _ => {}
        }
    });
}
