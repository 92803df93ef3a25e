//! Every command of the engine, declared once.
//!
//! `contract!` makes of one list the trait an engine must fill (a missing command does not compile),
//! the dispatch by name that the window's and the loopback server's one entry use, and the TypeScript
//! the window is written against.

use std::collections::BTreeMap;
use std::future::Future;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

use crate::account::accounts::{Account, CONSENT_DAYS};
use crate::account::keys::ToolKey;
use crate::account::secret::Secret;
use crate::account::token::TokenMetrics;
use crate::account::vault::VaultKind;
use crate::budget::{Budget, Quota, QuotaSource, QuotaUse, Window};
use crate::cache::{
    CacheAnswers, CacheEntry, CachePage, CachePolicy, CacheStats, Forget, Forgetting, Forgotten, LifeName,
    ServiceCache,
};
use crate::metadata::Found;
use crate::meter::{CallerUse, Event, EventKind, Imported, rollup::HourRow};
use crate::rates::{Access, Ban, Rates, ServiceRates, WindowUse};
use crate::service::{BanKind, Heeds, ServiceId};
use crate::shared::{SharedStatus, SharedTest};

/// What the catalogue says of a service.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ServiceInfo {
    /// Its id.
    pub id: ServiceId,
    /// The name people know it by.
    pub label: &'static str,
    /// Brand colour, `#RRGGBB`.
    pub colour: &'static str,
    /// The base URL in force.
    pub base_url: String,
    /// Whether nothing works without a credential.
    pub needs_credential: bool,
    /// Names of its endpoints, without `other`.
    pub endpoints: Vec<&'static str>,
    /// Its default budget as things stand.
    pub default_budget: Budget,
}

/// Calls of the last sixty minutes.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct LastHour {
    /// When the running minute began, unix seconds.
    pub minute: i64,
    /// Sixty minutes of each service, oldest first, the running one last.
    #[ts(type = "Record<ServiceId, number[]>")]
    pub services: BTreeMap<ServiceId, Vec<u32>>,
}

/// 24 h of a service at true minutes: place `i` is the minute that began at `start + 60 i`.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct ServiceDay {
    /// The service.
    pub service: ServiceId,
    /// The first minute, unix seconds.
    pub start: i64,
    /// Calls the budget allows in a minute.
    pub limit: u32,
    /// Calls, the running minute last.
    pub calls: Vec<u32>,
    /// Answers from the cache.
    pub hits: Vec<u32>,
    /// Calls by endpoint: each with a call in these 24 h.
    #[ts(type = "Record<string, number[]>")]
    pub endpoints: BTreeMap<&'static str, Vec<u32>>,
    /// Calls in all.
    pub total_24h: u32,
    /// Calls of the busiest minute.
    pub peak_cpm: u32,
    /// When that was, unix seconds.
    pub peak_at: Option<i64>,
}

/// Hourly sums of a service.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct DeepHistory {
    /// The service.
    pub service: ServiceId,
    /// `[unix_s, calls, hits, refused, failed]`, oldest first; hours without calls are left out.
    #[ts(type = "[number, number, number, number, number][]")]
    pub hours: Vec<HourRow>,
}

/// What kind of thing a [`Notice`] is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum NoticeKind {
    /// `settings.json` is not valid.
    SettingsRejected,
    /// The history cannot be written.
    StorageFailing,
    /// `library.db` cannot be used: no deep history.
    LibraryUnusable,
    /// The loopback server's port is taken.
    PortTaken,
    /// Answers are not kept on disk.
    CacheFailing,
    /// A sign-in's link was refused in the last minute.
    LinkRefused,
    /// The shared server cannot be used.
    SharedGone,
}

/// Something the user should know until it is mended.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Notice {
    /// What it is about.
    pub kind: NoticeKind,
    /// What it is and what to do.
    pub text: String,
}

/// The engine itself.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Status {
    /// Its version.
    pub version: &'static str,
    /// Its data directory.
    pub data_dir: String,
    /// Where the loopback server listens; null while it does not.
    pub address: Option<String>,
    /// When it started, unix seconds.
    pub started_at: i64,
    /// What the user should know.
    pub notices: Vec<Notice>,
}

/// The budget of a service and what it could be.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Limits {
    /// The service.
    pub service: ServiceId,
    /// The budget in question.
    pub budget: Budget,
    /// The catalogue's.
    pub default_budget: Budget,
    /// The preset *Careful*.
    pub careful: Budget,
    /// Whether the budget is the catalogue's.
    pub is_default: bool,
    /// Calls a minute it allows: the gauge's maximum.
    pub limit: u32,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SearchResult {
    /// The service asked.
    pub service: ServiceId,
    /// Tracks, best first.
    pub found: Vec<Found>,
    /// When the service said so, if that was not just now, unix seconds.
    pub as_of: Option<i64>,
    /// Whether that has expired, and is given because the service cannot be asked.
    pub stale: bool,
    /// Milliseconds it took.
    pub ms: u64,
}

/// Settings of the cache, as they are shown and changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
#[ts(rename = "CacheSettings")]
pub struct CacheChoice {
    /// Life of metadata in hours, 0 to 8,784; 0 keeps nothing.
    pub ttl_hours: f64,
    /// Life of "not found" in minutes.
    pub not_found_ttl_minutes: f64,
    /// Size on disk in MB, at least 1.
    pub max_mb: u32,
    /// The server shared with other machines, without its password. Given back like that, the password
    /// stays.
    pub shared_url: Option<String>,
}

/// A new key. Shown this once.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct NewKey {
    /// The tool's name.
    pub name: String,
    /// The key.
    pub key: String,
}

/// A tool's key, without the key.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct KeyInfo {
    /// The tool's name.
    pub name: String,
    /// The services it opens; null is all.
    pub services: Option<Vec<ServiceId>>,
    /// Whether links in answers are left as they are.
    pub raw_links: bool,
    /// When it was made, unix seconds.
    pub created: i64,
    /// The largest part of a service's budget it may use, more than 0 and at most 1; null: all.
    pub share: Option<f64>,
    /// When a call or an answer from the cache was last had with it, unix seconds.
    pub last_used: Option<i64>,
    /// Calls sent for it since it was made.
    pub calls: u64,
    /// Answers from the cache it was given since it was made.
    pub hits: u64,
}

impl KeyInfo {
    pub(crate) fn new(key: &ToolKey, used: CallerUse) -> Self {
        Self {
            name: key.name.clone(),
            services: key.services.clone(),
            raw_links: key.raw_links,
            created: key.created,
            share: key.share,
            last_used: (used.last > 0).then_some(used.last),
            calls: used.calls,
            hits: used.hits,
        }
    }
}

/// The gateway for tools.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct GatewayInfo {
    /// Whether tools are let through.
    pub enabled: bool,
    /// The port as set; 0 picks a free one.
    pub port: u16,
    /// Where it listens; null while it does not.
    pub address: Option<String>,
    /// How long a call may wait for its budget, in seconds.
    #[serde(serialize_with = "crate::budget::plain")]
    pub max_wait_seconds: f64,
}

/// A signed-in user at a service.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct AccountInfo {
    /// The service's own id of the user.
    pub id: String,
    /// The name the service shows.
    pub name: Option<String>,
    /// Whether calls are made as this account.
    pub active: bool,
    /// Whether it must sign in again.
    pub ended: bool,
    /// When its consent ends, unix seconds.
    pub consent_until: i64,
}

impl From<&Account> for AccountInfo {
    fn from(account: &Account) -> Self {
        Self {
            id: account.id.clone(),
            name: account.name.clone(),
            active: account.active,
            ended: account.ended,
            consent_until: account.consent_at + CONSENT_DAYS * 86_400,
        }
    }
}

/// A secret by its name, which is all that is ever shown of it.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SecretInfo {
    /// Its name in the vault.
    pub name: &'static str,
    /// Whether it is there.
    pub present: bool,
}

/// How well the token cache does, in percent; null before the first request.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct TokenPerformance {
    /// Requests answered by the token at hand.
    pub cache_hit_rate_percent: Option<f64>,
    /// Refreshes that brought a token.
    pub refresh_success_rate_percent: Option<f64>,
}

/// The token at hand.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct TokenInfo {
    /// Its age in minutes.
    pub age_minutes: f64,
    /// Minutes until it expires.
    pub time_until_expiry_minutes: f64,
    /// When it expires, unix seconds.
    pub expires_at: i64,
}

/// The token cache of a service's active account.
#[derive(Debug, Clone, PartialEq, Default, Serialize, TS)]
pub struct TokenStatus {
    /// Counts since the start.
    pub cache_metrics: TokenMetrics,
    /// The same as rates.
    pub performance: TokenPerformance,
    /// The token; null before the first.
    pub token_info: Option<TokenInfo>,
}

impl TokenStatus {
    /// The same as text, for people and the log.
    #[must_use]
    pub fn to_text(&self) -> String {
        let (m, p) = (&self.cache_metrics, &self.performance);
        let percent = |rate: Option<f64>| rate.map_or_else(|| "-".to_owned(), |rate| format!("{rate} %"));
        let token = self.token_info.as_ref().map_or_else(
            || "none".to_owned(),
            |t| format!("{} min old, expires in {} min", t.age_minutes, t.time_until_expiry_minutes),
        );
        format!(
            "Token cache of Spotify\n\
             requests   {}, {} from the cache\n\
             refreshes  {}, {} succeeded, {} failed\n\
             token      {token}\n",
            m.total_requests,
            percent(p.cache_hit_rate_percent),
            m.refresh_attempts,
            percent(p.refresh_success_rate_percent),
            m.refresh_failures,
        )
    }
}

/// How one connects to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum ConnectBy {
    /// There is nothing to do.
    Nothing,
    /// By secrets copied from the service.
    Secrets,
    /// By signing in.
    SignIn,
}

/// What is known of the connection to a service.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Connection {
    /// The service.
    pub service: ServiceId,
    /// How one connects to it.
    pub by: ConnectBy,
    /// What stands in the way of a call.
    pub access: Access,
    /// Whether it answers without a credential too, with less.
    pub optional: bool,
    /// The page where the user gets the credential.
    pub credential_page: Option<&'static str>,
    /// The user's own client id, where one signs in.
    pub client_id: Option<String>,
    /// Who is signed in.
    pub accounts: Vec<AccountInfo>,
    /// The secrets it takes.
    pub secrets: Vec<SecretInfo>,
    /// The active account's token.
    pub token: Option<TokenStatus>,
}

/// All connections, and where their secrets lie.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct Connections {
    /// The vault in use; null before the first secret.
    pub vault: Option<VaultKind>,
    /// What keeps the vault from being read.
    pub vault_trouble: Option<String>,
    /// The redirect URIs to be registered with one's own client id.
    pub redirect_uris: Vec<&'static str>,
    /// Every service.
    pub services: Vec<Connection>,
}

/// Where the consent page sends the browser afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum SignInVia {
    /// To the app, by `headroom://callback`.
    Link,
    /// To a port of 127.0.0.1 that is open for it.
    Loopback,
}

/// A sign-in that was begun.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SignInBegun {
    /// The consent page.
    pub url: String,
    /// Names this sign-in to `sign_in_progress`.
    pub state: String,
}

/// How a sign-in stands: pending while both are null.
#[derive(Debug, Clone, PartialEq, Serialize, TS)]
pub struct SignInProgress {
    /// Whom it signed in.
    pub account: Option<AccountInfo>,
    /// Why it came to nothing.
    pub failed: Option<String>,
}

/// What the window branches on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[ts(rename_all = "snake_case")]
pub enum Code {
    /// Not now; `retry_at` says when.
    Refused,
    /// The user must sign in first.
    SignInNeeded,
    /// What was asked is wrong.
    BadRequest,
    /// The service did not answer.
    Unreachable,
    /// Something went wrong here.
    Failed,
    /// There is no engine.
    EngineStopped,
    /// There is none here: another one holds the data directory.
    EngineElsewhere,
}

/// Every failure the window sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, TS, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// What to branch on.
    pub code: Code,
    /// A sentence that says what to do, without a full stop.
    pub message: String,
    /// When another try is worth it, unix seconds.
    pub retry_at: Option<i64>,
}

impl ApiError {
    /// An error without a time.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_at: None }
    }
}

macro_rules! contract {
    ($($(#[doc = $doc:literal])+ $name:ident($($arg:ident: $type:ty),*) -> $result:ty;)+) => {
        /// What an engine answers, one method a command.
        pub trait Contract: Sync {
            $($(#[doc = $doc])+
            ///
            /// # Errors
            /// See [`ApiError`].
            fn $name(&self, $($arg: $type),*) -> impl Future<Output = Result<$result, ApiError>> + Send;)+
        }

        /// Runs the command `name` with its arguments as a JSON object.
        ///
        /// # Errors
        /// The command's own, or [`Code::BadRequest`] for an unknown name or wrong arguments.
        pub async fn dispatch(engine: &impl Contract, name: &str, args: Value) -> Result<Value, ApiError> {
            // No arguments may be written as nothing.
            let args = if args.is_null() { Value::Object(serde_json::Map::new()) } else { args };
            match name {
                $(stringify!($name) => {
                    #[derive(Deserialize)]
                    #[serde(deny_unknown_fields)]
                    struct Args { $($arg: $type),* }
                    let Args { $($arg),* } = serde_path_to_error::deserialize(args)
                        .map_err(|e| ApiError::new(Code::BadRequest, format!("{name}: {e}")))?;
                    let result = engine.$name($($arg),*).await?;
                    serde_json::to_value(result).map_err(|e| ApiError::new(Code::Failed, e.to_string()))
                })+
                _ => Err(ApiError::new(Code::BadRequest, format!("There is no command {name:?}"))),
            }
        }

        /// The names of all commands.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),+];

        /// The commands in TypeScript.
        fn commands(config: &ts_rs::Config) -> String {
            let mut out = String::from("/** Every command: its arguments and its result. */\nexport type Contract = {\n");
            $({
                let args: &[String] = &[$(format!("{}: {}", stringify!($arg), <$type as TS>::name(config))),*];
                let args = if args.is_empty() { "Record<string, never>".to_owned() } else { format!("{{ {} }}", args.join("; ")) };
                let doc = [$($doc.trim()),+].join(" ");
                let result = <$result as TS>::name(config);
                out.push_str(&format!("  /** {doc} */\n  {}: {{ args: {args}; result: {result} }};\n", stringify!($name)));
            })+
            out.push_str("};\n");
            out
        }
    };
}

contract! {
    /// The services there are.
    catalogue() -> Vec<ServiceInfo>;
    /// The engine itself.
    status() -> Status;
    /// The gauges, as they are now.
    rates() -> Rates;
    /// Bars of the last sixty minutes.
    last_hour() -> LastHour;
    /// 24 h of a service at true minutes.
    day(service: ServiceId) -> ServiceDay;
    /// Hourly sums of the last so many days.
    deep_history(service: ServiceId, days: u32) -> DeepHistory;
    /// The events, oldest first.
    events() -> Vec<Event>;
    /// The debug text.
    debug_text() -> String;
    /// Searches one service for tracks: one call.
    search(service: ServiceId, text: String) -> SearchResult;
    /// How well the cache does.
    cache_stats() -> CacheStats;
    /// Fifty kept answers whose question holds a text, last used first.
    cache_entries(text: String, service: Option<ServiceId>, after: Option<String>) -> CachePage;
    /// Forgets kept answers.
    forget(what: Forget) -> Forgotten;
    /// Takes back an act of forgetting, within a minute.
    undo_forget(undo: i64) -> Forgotten;
    /// The settings of the cache.
    cache_settings() -> CacheChoice;
    /// Changes the settings of the cache.
    set_cache_settings(settings: CacheChoice) -> CacheChoice;
    /// The budget of a service.
    limits(service: ServiceId) -> Limits;
    /// Replaces the budget of a service; null brings back the catalogue's.
    set_limits(service: ServiceId, budget: Option<Budget>) -> Limits;
    /// What the gauge's maximum would be.
    preview_limits(service: ServiceId, budget: Budget) -> Limits;
    /// Holds back all calls, or lets them go on.
    pause(paused: bool) -> ();
    /// The gateway for tools.
    gateway() -> GatewayInfo;
    /// Changes the gateway's settings; a new port holds from the next start.
    set_gateway(enabled: bool, port: u16, max_wait_seconds: f64) -> GatewayInfo;
    /// Makes a key for a tool.
    add_key(name: String, services: Option<Vec<ServiceId>>, raw_links: bool, share: Option<f64>) -> NewKey;
    /// The keys there are.
    keys() -> Vec<KeyInfo>;
    /// Ends a key.
    revoke_key(name: String) -> ();
    /// Takes in the history of the older monitor: the text of its file.
    import_history(text: String) -> Imported;
    /// Who is signed in where, and which secrets there are.
    connections() -> Connections;
    /// Sets the user's own client id; null removes it.
    set_client_id(service: ServiceId, client_id: Option<String>) -> ();
    /// Begins a sign-in.
    begin_sign_in(service: ServiceId, via: SignInVia) -> SignInBegun;
    /// How a sign-in stands.
    sign_in_progress(state: String) -> SignInProgress;
    /// Ends a sign-in by the link the consent page sent the browser to.
    finish_sign_in(callback: String) -> AccountInfo;
    /// Makes calls as this account.
    use_account(service: ServiceId, account: String) -> ();
    /// Forgets an account's tokens; what was counted of it stays.
    sign_out(service: ServiceId, account: String) -> ();
    /// Keeps a secret, effective at once.
    set_secret(name: String, value: Secret) -> ();
    /// Forgets a secret.
    forget_secret(name: String) -> ();
    /// Refreshes the token of a service's active account.
    renew_token(service: ServiceId) -> TokenStatus;
    /// Asks a shared server how it is; null is the one in the settings.
    test_shared(url: Option<String>) -> SharedTest;
}

/// The whole contract in TypeScript, as it stands in `ui/src/contract/contract.ts`.
#[must_use]
pub fn typescript() -> String {
    let config = ts_rs::Config::new().with_large_int("number");
    let mut out =
        String::from("// Generated from the engine's contract by `npm run types`. Do not edit.\n\n");
    macro_rules! declare {
        ($($type:ty),+ $(,)?) => {
            $(
                if let Some(doc) = <$type as TS>::docs() {
                    out.push_str(&doc);
                }
                out.push_str(&format!("export {}\n\n", <$type as TS>::decl(&config)));
            )+
        };
    }
    declare!(
        ServiceId,
        BanKind,
        Access,
        QuotaSource,
        Window,
        Quota,
        Budget,
        WindowUse,
        QuotaUse,
        Ban,
        ServiceRates,
        Rates,
        ServiceInfo,
        LastHour,
        ServiceDay,
        DeepHistory,
        EventKind,
        Event,
        NoticeKind,
        Notice,
        Status,
        Limits,
        Found,
        SearchResult,
        CacheAnswers,
        ServiceCache,
        LifeName,
        Heeds,
        CachePolicy,
        Forgetting,
        CacheStats,
        CacheEntry,
        CachePage,
        Forget,
        Forgotten,
        CacheChoice,
        NewKey,
        KeyInfo,
        GatewayInfo,
        AccountInfo,
        Secret,
        SecretInfo,
        TokenMetrics,
        TokenPerformance,
        TokenInfo,
        TokenStatus,
        ConnectBy,
        Connection,
        VaultKind,
        Connections,
        SignInVia,
        SignInBegun,
        SignInProgress,
        Imported,
        SharedStatus,
        SharedTest,
        Code,
        ApiError,
    );
    out.push_str(&commands(&config));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `npm run types` runs this with `HEADROOM_WRITE_TYPES=1`.
    #[test]
    fn the_committed_types_are_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../ui/src/contract/contract.ts");
        let now = typescript();
        if std::env::var_os("HEADROOM_WRITE_TYPES").is_some() {
            crate::disk::write_atomically(
                std::path::Path::new(path),
                now.as_bytes(),
                crate::disk::Readers::Default,
            )
            .unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
        assert!(committed == now, "ui/src/contract/contract.ts is stale: run `npm run types`");
    }
}
