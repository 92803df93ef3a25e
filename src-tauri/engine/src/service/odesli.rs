//! Odesli (song.link) API: links to one song on every platform. 10 calls a minute without a key;
//! refuses with 429, sometimes 401: <https://linktree.notion.site/API-d0ebe08a5e304a55928405eb682f6741>.

use super::{Answered, Auth, AuthKind, BanKind, CredentialPlace, DefaultBudget, Endpoint, Service, ServiceId, Verdict, no_server_limit};
use super::life::{Keeping};
use super::life::Life::{Metadata};
use super::tags::{self, Tags, text};

pub(super) static SERVICE: Service = Service {
    id: ServiceId::Odesli,
    label: "Odesli",
    colour: "#FF4B8B",
    base_url: "https://api.song.link",
    accounts_url: None,
    auth: Auth { kind: AuthKind::None, place: CredentialPlace::None, required: false },
    credential_page: None,
    wants_user_agent: false,
    budget: DefaultBudget { spacing_ms: 0, windows: &[(60, 9)] },
    budget_without_credential: None,
    assumed_quota: None,
    endpoints: &[
        Endpoint::new("links", Metadata, &["GET /v1-alpha.1/links"]),
    ],
    asked_by_form: false,
    keeping: Keeping { tags, ..Keeping::PLAIN },
    check_path: "/v1-alpha.1/links?url=https%3A%2F%2Fwww.deezer.com%2Ftrack%2F3135556",
    default_ban_s: 60,
    verdict,
    server_limit: no_server_limit,
};

fn verdict(answer: &Answered<'_>) -> Verdict {
    match answer.by_status() {
        // It takes no credential that could be wrong.
        Verdict::SignInNeeded => Verdict::Refused(BanKind::Rate),
        other => other,
    }
}

fn tags(answer: &tags::Answered<'_>, tags: &mut Tags) {
    answer.each_object(|_, object| {
        let (Some(artist), Some(title)) = (text(object, "artistName"), text(object, "title")) else { return };
        match text(object, "type") {
            Some("album") => tags.album(text(object, "id"), &[artist], title),
            Some("song") => tags.track(text(object, "id"), &[artist], title),
            _ => {}
        }
    });
}
