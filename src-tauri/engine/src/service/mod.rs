//! The catalogue: what each music service is and how it behaves.
//!
//! One file a service; adding one means adding its file and its line in `catalogue!` below. Budgets,
//! gauges, the gateway's routes, the command line and the window all read this list, so a service that
//! is not in it cannot be named anywhere ([`ServiceId::from_str`] refuses it).
//!
//! ```
//! use headroom_engine::service::ServiceId;
//! let spotify = ServiceId::Spotify.service();
//! let endpoint = spotify.endpoint_of("GET", "/v1/artists/0OdUWJ0sBjDrqHygGUXeCF/albums", "");
//! assert_eq!(spotify.endpoint_name(endpoint), "artist_albums");
//! assert!("spofity".parse::<ServiceId>().is_err());
//! ```

mod endpoint;
mod life;
mod retry_after;
pub mod tags;
mod verdict;

use std::fmt;
use std::str::FromStr;

use http::HeaderMap;
use serde::{Deserialize, Serialize};

use crate::budget::{Budget, Quota, Window};
pub use endpoint::{Endpoint, EndpointId, OTHER};
pub use life::{Heeds, Keeping, Life, SEARCH_HOURS};
pub use retry_after::{LONGEST_OBEYED, retry_after};
pub use verdict::{Answered, BanKind, Verdict};

macro_rules! catalogue {
    ($($variant:ident = $file:ident),+ $(,)?) => {
        $(mod $file;)+

        /// A music service Headroom knows. Its text form is the lower-case id (`musicbrainz`).
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, ts_rs::TS)]
        #[ts(rename_all = "lowercase")]
        pub enum ServiceId {
            $(#[doc = concat!("`", stringify!($file), "`")] $variant),+
        }

        impl ServiceId {
            /// Every service, in the order they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// What the catalogue says of it.
            #[must_use]
            pub fn service(self) -> &'static Service {
                match self { $(Self::$variant => &$file::SERVICE),+ }
            }

            /// The id as written in settings, routes and answers.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => stringify!($file)),+ }
            }
        }
    };
}

catalogue! {
    Spotify = spotify,
    Itunes = itunes,
    Deezer = deezer,
    Lastfm = lastfm,
    Genius = genius,
    Musicbrainz = musicbrainz,
    Audiodb = audiodb,
    Tidal = tidal,
    Qobuz = qobuz,
    Discogs = discogs,
    Listenbrainz = listenbrainz,
    Odesli = odesli,
}

/// How many services there are.
pub const COUNT: usize = ServiceId::ALL.len();

impl ServiceId {
    /// Position in [`ServiceId::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Text that is no service's id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown service {0:?}; known are {known}", known = known_ids())]
pub struct UnknownService(pub String);

fn known_ids() -> String {
    ServiceId::ALL.iter().map(|id| id.as_str()).collect::<Vec<_>>().join(", ")
}

impl FromStr for ServiceId {
    type Err = UnknownService;
    fn from_str(text: &str) -> Result<Self, UnknownService> {
        Self::ALL
            .iter()
            .copied()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownService(text.to_owned()))
    }
}

impl fmt::Display for ServiceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for ServiceId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ServiceId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where a service expects its credential, which is also where a tool puts Headroom's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CredentialPlace {
    /// The service takes none.
    None,
    /// `Authorization: Bearer …`
    Bearer,
    /// `Authorization: Discogs token=…`, or `token` in the query
    DiscogsToken,
    /// `Authorization: Token …`
    TokenHeader,
    /// A query parameter of this name
    Query(&'static str),
    /// The path segment after this prefix (`/api/v1/json/KEY/search.php`)
    PathAfter(&'static str),
    /// Headers `X-App-Id` and `X-User-Auth-Token`
    QobuzHeaders,
}

/// How one comes by a credential.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AuthKind {
    /// There is none.
    None,
    /// Secrets the user copies from the service, by their names in the vault.
    Secrets(&'static [&'static str]),
    /// The user signs in: OAuth 2 with PKCE. The token endpoint is this path of the accounts URL.
    SignIn(&'static str),
    /// OAuth 2 client credentials: names of client id and secret, and the path of the token endpoint.
    Client([&'static str; 2], &'static str),
}

/// What a service needs before it answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Auth {
    /// How one comes by it.
    pub kind: AuthKind,
    /// Where the credential goes.
    pub place: CredentialPlace,
    /// Whether nothing works without it (Discogs and ListenBrainz answer without, with less).
    pub required: bool,
}

/// A budget as the catalogue writes it.
#[derive(Clone, Copy, Debug)]
pub struct DefaultBudget {
    /// Least time between two sends, in milliseconds.
    pub spacing_ms: u32,
    /// `(seconds, calls)`: at most so many calls in any stretch of so many seconds.
    pub windows: &'static [(u32, u32)],
}

impl DefaultBudget {
    /// The same as an editable [`Budget`]. It has no quota: that is learned or set by the user.
    #[must_use]
    pub fn to_budget(self) -> Budget {
        let windows =
            self.windows.iter().map(|&(seconds, calls)| Window { seconds: f64::from(seconds), calls });
        Budget { spacing_ms: self.spacing_ms, windows: windows.collect(), quota: None }
    }
}

/// What a service's own headers said of its limit. Corrects our budget downward, never upward.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ServerLimit {
    /// Calls the service allows in its window.
    pub calls: u32,
    /// Calls it still allows now.
    pub remaining: u32,
    /// Seconds after which `remaining` is full again, at the latest.
    pub reset_in_s: f64,
    /// Length of its window in seconds, where it is known.
    pub seconds: Option<f64>,
}

/// One service of the catalogue.
#[derive(Debug)]
pub struct Service {
    /// Its id.
    pub id: ServiceId,
    /// The name people know it by.
    pub label: &'static str,
    /// Brand colour, `#RRGGBB`.
    pub colour: &'static str,
    /// Scheme and host of its API; everything after is a call's path.
    pub base_url: &'static str,
    /// Scheme and host of its sign-in, where that is another host.
    pub accounts_url: Option<&'static str>,
    /// What it needs before it answers.
    pub auth: Auth,
    /// The page where the user gets the credential.
    pub credential_page: Option<&'static str>,
    /// Whether it refuses a `User-Agent` without application and contact, so that ours replaces a tool's.
    pub wants_user_agent: bool,
    /// What we allow ourselves unless the user says otherwise. Stays below the provider's own limit,
    /// because their clock is not ours.
    pub budget: DefaultBudget,
    /// The same without a credential, where that differs.
    pub budget_without_credential: Option<DefaultBudget>,
    /// The quota assumed until it is learned, in calls per rolling 24 h, where the provider has one.
    pub assumed_quota: Option<u32>,
    /// Its endpoints, most specific first.
    pub endpoints: &'static [Endpoint],
    /// Whether its clients put questions as a form in a `POST`, too.
    pub asked_by_form: bool,
    /// How long its answers are kept.
    pub keeping: Keeping,
    /// A cheap `GET` for `doctor`: whether the service answers, and takes the credential, if it needs one.
    pub check_path: &'static str,
    /// Length of a first ban when the service gives no time, in seconds.
    pub default_ban_s: u64,
    /// The service's own reading of an answer.
    pub verdict: fn(&Answered<'_>) -> Verdict,
    /// What its headers say of its limit.
    pub server_limit: fn(&HeaderMap) -> Option<ServerLimit>,
}

impl Service {
    /// The endpoint of a request. Ids never become endpoint names; what no template matches is
    /// [`OTHER`]. `query` is the raw query without `?`.
    #[must_use]
    pub fn endpoint_of(&self, method: &str, path: &str, query: &str) -> EndpointId {
        endpoint::find(self.endpoints, method, path, query)
    }

    /// The name of an endpoint (`search`), `other` for [`OTHER`].
    #[must_use]
    pub fn endpoint_name(&self, id: EndpointId) -> &'static str {
        endpoint::name(self.endpoints, id)
    }

    /// How long the answers of an endpoint are kept.
    #[must_use]
    pub fn life_of(&self, id: EndpointId) -> Life {
        self.endpoints.get(usize::from(id.0)).map_or(self.keeping.other, |endpoint| endpoint.life)
    }

    /// The endpoint of that name; [`OTHER`] for `other`, `None` for a name the catalogue lacks.
    #[must_use]
    pub fn endpoint_named(&self, name: &str) -> Option<EndpointId> {
        endpoint::named(self.endpoints, name)
    }

    /// The default budget, with or without a credential at hand.
    #[must_use]
    pub fn default_budget(&self, has_credential: bool) -> Budget {
        let without = self.budget_without_credential.filter(|_| !has_credential);
        without.unwrap_or(self.budget).to_budget()
    }

    /// The quota assumed before anything is learned.
    #[must_use]
    pub fn assumed_quota(&self) -> Option<Quota> {
        self.assumed_quota.map(|calls| Quota { hours: 24.0, calls })
    }
}

/// For services whose answers carry no limit.
fn no_server_limit(_: &HeaderMap) -> Option<ServerLimit> {
    None
}

/// A header's value as a number, however it is written.
fn header_number<T: FromStr>(headers: &HeaderMap, name: &str) -> Option<T> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn m10_an_unknown_service_is_an_error_that_names_the_known() {
        let error = "spofity".parse::<ServiceId>().unwrap_err().to_string();
        assert!(error.contains("spofity") && error.contains("spotify"), "{error}");
    }

    #[test]
    fn every_service_is_listed_once_under_its_own_id() {
        for (index, id) in ServiceId::ALL.iter().enumerate() {
            let service = id.service();
            assert_eq!((service.id, id.index()), (*id, index), "{id}");
            assert!(service.base_url.starts_with("https://") && !service.base_url.ends_with('/'), "{id}");
            assert!(service.colour.len() == 7 && service.colour.starts_with('#'), "{id}");
            assert!(service.endpoints.len() < usize::from(OTHER.0), "{id}");
            assert!(service.endpoints.iter().all(|e| e.name != "other"), "{id}");
        }
    }
}
