//! The engine's answers to the commands of the contract. Thin: each says where the answer is.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Number;

use crate::account::accounts::{AccountError, Progress};
use crate::account::keys::KeysError;
use crate::account::loopback::Loopback;
use crate::account::secret::Secret;
use crate::account::token::{TokenCache, TokenError};
use crate::account::{DEEP_LINK, LOOPBACK};
use crate::budget::Budget;
use crate::cache::question::Key;
use crate::cache::{CachePage, CacheStats, Forget, Forgotten, LibraryEvent};
use crate::call::{Call, CallError, Origin};
use crate::contract::{
    AccountInfo, ApiError, CacheChoice, Code, ConnectBy, Connection, Connections, Contract, DeepHistory,
    GatewayInfo, KeyInfo, LastHour, Limits, NewKey, Notice, NoticeKind, SearchResult, SecretInfo, ServiceDay,
    ServiceInfo, SignInBegun, SignInProgress, SignInVia, Status, TokenInfo, TokenPerformance, TokenStatus,
};
use crate::engine::{Engine, Inner};
use crate::metadata::{read_search, search_path};
use crate::meter::{Event, Imported, Summary, rollup};
use crate::rates::Rates;
use crate::service::{AuthKind, ServiceId};
use crate::settings::CacheSettings;
use crate::shared::{self, SharedTest, SharedUrl};

impl Engine {
    /// The last 24 h as debug text and in parts.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let rates = self.rates();
        let (clock, inner) = (self.clock(), &self.inner);
        let up = clock.wall().seconds() - inner.started.seconds();
        let head = format!(
            "Headroom {} on {} {}, up {up} s, {}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH,
            clock.wall().to_text()
        );
        let services = rates.services.into_iter().map(|(id, s)| {
            let ban = s.ban.map(|ban| {
                format!(
                    "banned ({:?}) on {} until {}",
                    ban.kind,
                    ban.endpoint,
                    crate::clock::Wall::from_seconds(ban.until).to_text()
                )
            });
            (id, inner.meter.summarise(id, s.limit, ban))
        });
        inner.meter.summary(&head, services.collect())
    }

    /// The token cache of a service, in the shape of the contract.
    #[must_use]
    pub fn token_status(&self, tokens: &TokenCache) -> TokenStatus {
        let metrics = tokens.metrics();
        #[expect(clippy::cast_precision_loss, reason = "a rate to one decimal")]
        let percent =
            |part: u64, of: u64| (of > 0).then(|| (part as f64 * 1_000.0 / of as f64).round() / 10.0);
        let minutes = |d: Duration| (d.as_secs_f64() / 6.0).round() / 10.0;
        let info = tokens.left().zip(tokens.age()).map(|(left, age)| TokenInfo {
            age_minutes: minutes(age),
            time_until_expiry_minutes: minutes(left),
            expires_at: self.clock().wall_of(self.clock().mono() + left).seconds(),
        });
        TokenStatus {
            cache_metrics: metrics,
            performance: TokenPerformance {
                cache_hit_rate_percent: percent(metrics.cache_hits, metrics.total_requests),
                refresh_success_rate_percent: percent(metrics.refresh_successes, metrics.refresh_attempts),
            },
            token_info: info,
        }
    }

    /// The token cache of Spotify's active account; all zero while nobody is signed in.
    #[must_use]
    pub fn spotify_tokens(&self) -> TokenStatus {
        let tokens = self.accounts().tokens(ServiceId::Spotify);
        tokens.map(|tokens| self.token_status(&tokens)).unwrap_or_default()
    }

    fn connection(&self, id: ServiceId) -> Connection {
        let (service, accounts) = (id.service(), self.accounts());
        Connection {
            service: id,
            by: match service.auth.kind {
                AuthKind::None => ConnectBy::Nothing,
                AuthKind::SignIn(_) => ConnectBy::SignIn,
                AuthKind::Secrets(_) | AuthKind::Client(..) => ConnectBy::Secrets,
            },
            access: self.inner.access(id),
            optional: !service.auth.required,
            credential_page: service.credential_page,
            client_id: self.settings().service(id).client_id,
            accounts: accounts.accounts(id).iter().map(AccountInfo::from).collect(),
            secrets: accounts
                .secrets_of(id)
                .into_iter()
                .map(|(name, present)| SecretInfo { name, present })
                .collect(),
            token: accounts.tokens(id).map(|tokens| self.token_status(&tokens)),
        }
    }

    /// Sets or removes one key of a service in `settings.json`.
    fn change_service(
        &self,
        id: ServiceId,
        key: &str,
        value: Option<serde_json::Value>,
    ) -> Result<(), ApiError> {
        let edit = |settings: &mut serde_json::Map<String, serde_json::Value>| {
            let services = settings.entry("services").or_insert_with(|| serde_json::json!({}));
            let Some(services) = services.as_object_mut() else { return };
            let entry = services.entry(id.as_str()).or_insert_with(|| serde_json::json!({}));
            let Some(entry) = entry.as_object_mut() else { return };
            match value {
                Some(value) => entry.insert(key.to_owned(), value),
                None => entry.remove(key),
            };
        };
        self.change_settings(edit).map_err(|e| ApiError::new(Code::Failed, e.to_string()))
    }

    /// How well the cache does.
    #[must_use]
    pub fn cache_stats(&self) -> CacheStats {
        let saved = |id| self.meter().rates(id).hits_24h;
        self.inner.cache.stats(&self.settings().cache, self.inner.shared.status(), saved)
    }

    /// Forgets kept answers. On disk when this returns.
    ///
    /// # Errors
    /// The key is none, or the disk cannot be written: nothing is read from it until it can.
    pub async fn forget(&self, what: Forget) -> Result<Forgotten, ApiError> {
        if let Forget::Key { key } = &what
            && key.parse::<Key>().is_err()
        {
            return Err(ApiError::new(Code::BadRequest, "A key has 32 hexadecimal digits"));
        }
        self.inner.cache.forget(what).await.map_err(|e| ApiError::new(Code::Failed, e))
    }

    /// Takes up an event of the user's library.
    ///
    /// # Errors
    /// A name is missing, or the disk cannot be written.
    pub async fn library_event(&self, event: &LibraryEvent) -> Result<Forgotten, ApiError> {
        let mut entries = 0;
        for what in event.forgets().map_err(|e| ApiError::new(Code::BadRequest, e))? {
            entries += self.forget(what).await?.entries;
        }
        Ok(Forgotten { entries, undo: None })
    }

    fn limits_of(&self, service: ServiceId, budget: Budget) -> Limits {
        let default_budget = service.service().default_budget(self.inner.credentials.has(service));
        Limits {
            service,
            limit: budget.limit(),
            careful: Budget::careful(&default_budget),
            is_default: budget == default_budget,
            budget,
            default_budget,
        }
    }
}

impl Inner {
    /// What the user should know until it is mended.
    pub(crate) fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        let mut notice = |kind, text: Option<String>| notices.extend(text.map(|text| Notice { kind, text }));
        notice(NoticeKind::SettingsRejected, self.rejected_settings.lock().clone());
        notice(NoticeKind::StorageFailing, self.recorder.failing());
        notice(NoticeKind::LibraryUnusable, self.library.as_ref().err().map(ToString::to_string));
        notice(NoticeKind::PortTaken, self.listening.lock().1.clone());
        notice(NoticeKind::CacheFailing, self.cache.trouble());
        notice(NoticeKind::LinkRefused, self.accounts.refused_link());
        notice(NoticeKind::SharedGone, self.shared.notice());
        notices
    }
}

impl Contract for Engine {
    async fn catalogue(&self) -> Result<Vec<ServiceInfo>, ApiError> {
        let settings = self.settings();
        let info = |id: &ServiceId| {
            let service = id.service();
            ServiceInfo {
                id: *id,
                label: service.label,
                colour: service.colour,
                base_url: settings.base_url(*id).to_owned(),
                needs_credential: service.auth.required,
                endpoints: service.endpoints.iter().map(|e| e.name).collect(),
                default_budget: service.default_budget(self.inner.credentials.has(*id)),
            }
        };
        Ok(ServiceId::ALL.iter().map(info).collect())
    }

    async fn status(&self) -> Result<Status, ApiError> {
        Ok(Status {
            version: env!("CARGO_PKG_VERSION"),
            data_dir: self.data_dir().display().to_string(),
            address: self.listening().0,
            started_at: self.inner.started.seconds(),
            notices: self.inner.notices(),
        })
    }

    async fn rates(&self) -> Result<Rates, ApiError> {
        Ok(self.inner.rates())
    }

    async fn last_hour(&self) -> Result<LastHour, ApiError> {
        let meter = self.meter();
        let services = ServiceId::ALL.iter().map(|id| (*id, meter.last_hour(*id))).collect();
        Ok(LastHour { minute: meter.this_minute(), services })
    }

    async fn day(&self, service: ServiceId) -> Result<ServiceDay, ApiError> {
        let day = self.meter().day(service);
        let peak = day
            .calls
            .iter()
            .enumerate()
            .filter(|(_, n)| **n > 0)
            .max_by_key(|(at, n)| (**n, std::cmp::Reverse(*at)));
        let at = |place: usize| day.start + i64::try_from(place).unwrap_or(0) * 60;
        Ok(ServiceDay {
            service,
            limit: self.inner.lane(service).gate.view().limit,
            total_24h: day.calls.iter().sum(),
            peak_cpm: peak.map_or(0, |(_, n)| *n),
            peak_at: peak.map(|(place, _)| at(place)),
            start: day.start,
            calls: day.calls,
            hits: day.hits,
            endpoints: day.endpoints,
        })
    }

    async fn deep_history(&self, service: ServiceId, days: u32) -> Result<DeepHistory, ApiError> {
        let library = self.inner.library.as_ref().map_err(|e| ApiError::new(Code::Failed, e.to_string()))?;
        // What the running minute has is not in the library yet.
        self.inner.recorder.save().await;
        let since = self.clock().wall().seconds() - i64::from(days).saturating_mul(86_400);
        let hours = library.with(move |db| rollup::read(db, service, since)).await;
        let hours =
            hours.map_err(|e| ApiError::new(Code::Failed, format!("The library cannot be read: {e}")))?;
        Ok(DeepHistory { service, hours })
    }

    async fn events(&self) -> Result<Vec<Event>, ApiError> {
        Ok(self.meter().events())
    }

    async fn debug_text(&self) -> Result<String, ApiError> {
        Ok(self.summary().text)
    }

    async fn search(&self, service: ServiceId, text: String) -> Result<SearchResult, ApiError> {
        let text = text.trim();
        if text.is_empty() || text.len() > 200 {
            return Err(ApiError::new(Code::BadRequest, "Type an artist and a title, at most 200 letters"));
        }
        let Some(path) = search_path(service, text) else {
            return Err(ApiError::new(
                Code::BadRequest,
                format!("{} cannot be searched yet", service.service().label),
            ));
        };
        let wait = Duration::try_from_secs_f64(self.settings().gateway.max_wait_seconds).unwrap_or_default();
        let began = self.clock().mono();
        let answer = self.call(Call::get(service, path, "ui", wait)).await?;
        if !matches!(answer.verdict, crate::service::Verdict::Fresh | crate::service::Verdict::NotFound) {
            let message =
                format!("{} answered with status {}", service.service().label, answer.status.as_u16());
            return Err(ApiError::new(Code::Failed, message));
        }
        let ms = u64::try_from(self.clock().mono().since(began).as_millis()).unwrap_or(u64::MAX);
        let (age, stale) = match answer.origin {
            Origin::Service => (None, false),
            Origin::Hit(age) => (Some(age), false),
            Origin::Stale(age) => (Some(age), true),
        };
        let as_of = age.map(|age| {
            self.clock().wall().plus_millis(-i64::try_from(age.as_millis()).unwrap_or(i64::MAX)).seconds()
        });
        Ok(SearchResult { service, found: read_search(service, &answer.body), as_of, stale, ms })
    }

    async fn cache_stats(&self) -> Result<CacheStats, ApiError> {
        Ok(self.cache_stats())
    }

    async fn cache_entries(
        &self,
        text: String,
        service: Option<ServiceId>,
        after: Option<String>,
    ) -> Result<CachePage, ApiError> {
        // What was answered a moment ago should be seen.
        self.inner.cache.flush().await;
        let page = self.inner.cache.entries(text.trim(), service, after.as_deref());
        page.map_err(|e| ApiError::new(Code::BadRequest, e))
    }

    async fn forget(&self, what: Forget) -> Result<Forgotten, ApiError> {
        self.forget(what).await
    }

    async fn undo_forget(&self, undo: i64) -> Result<Forgotten, ApiError> {
        self.inner.cache.undo(undo).await.map_err(|e| ApiError::new(Code::Failed, e))
    }

    async fn cache_settings(&self) -> Result<CacheChoice, ApiError> {
        let CacheSettings { ttl_hours, not_found_ttl_minutes, max_mb, ref shared_url } =
            self.settings().cache;
        let shared_url = shared_url.as_ref().map(SharedUrl::hidden);
        Ok(CacheChoice { ttl_hours, not_found_ttl_minutes, max_mb, shared_url })
    }

    async fn set_cache_settings(&self, settings: CacheChoice) -> Result<CacheChoice, ApiError> {
        let CacheChoice { ttl_hours, not_found_ttl_minutes, max_mb, shared_url } = settings;
        let known = self.settings().cache.shared_url.clone();
        let written = shared_url.filter(|url| !url.trim().is_empty());
        let shared_url = written
            .map(|text| SharedUrl::parse_over(&text, known.as_ref()))
            .transpose()
            .map_err(|error| ApiError::new(Code::BadRequest, format!("cache.shared_url {error}")))?;
        let value = serde_json::json!({
            "ttl_hours": ttl_hours,
            "not_found_ttl_minutes": not_found_ttl_minutes,
            "max_mb": max_mb,
            "shared_url": shared_url.as_ref().map(SharedUrl::expose),
        });
        let changed = self.change_settings(|settings| {
            settings.insert("cache".to_owned(), value);
        });
        changed.map_err(|e| ApiError::new(Code::BadRequest, e.to_string()))?;
        Contract::cache_settings(self).await
    }

    async fn limits(&self, service: ServiceId) -> Result<Limits, ApiError> {
        Ok(self.limits_of(service, self.settings().budget(service, self.inner.credentials.has(service))))
    }

    async fn set_limits(&self, service: ServiceId, budget: Option<Budget>) -> Result<Limits, ApiError> {
        let value = match &budget {
            Some(budget) => {
                budget.check().map_err(|e| ApiError::new(Code::BadRequest, e.to_string()))?;
                Some(serde_json::to_value(budget).map_err(|e| ApiError::new(Code::Failed, e.to_string()))?)
            }
            None => None,
        };
        self.change_service(service, "budget", value)?;
        self.limits(service).await
    }

    async fn preview_limits(&self, service: ServiceId, budget: Budget) -> Result<Limits, ApiError> {
        budget.check().map_err(|e| ApiError::new(Code::BadRequest, e.to_string()))?;
        Ok(self.limits_of(service, budget))
    }

    async fn pause(&self, paused: bool) -> Result<(), ApiError> {
        self.pause(paused);
        Ok(())
    }

    async fn gateway(&self) -> Result<GatewayInfo, ApiError> {
        let gateway = &self.settings().gateway;
        Ok(GatewayInfo {
            enabled: gateway.enabled,
            port: gateway.port,
            address: self.listening().0,
            max_wait_seconds: gateway.max_wait_seconds,
        })
    }

    async fn set_gateway(
        &self,
        enabled: bool,
        port: u16,
        max_wait_seconds: f64,
    ) -> Result<GatewayInfo, ApiError> {
        let wait = Number::from_f64(max_wait_seconds)
            .ok_or_else(|| ApiError::new(Code::BadRequest, "The longest wait is a number of seconds"))?;
        let edit = |settings: &mut serde_json::Map<String, serde_json::Value>| {
            let gateway = settings.entry("gateway").or_insert_with(|| serde_json::json!({}));
            let Some(gateway) = gateway.as_object_mut() else { return };
            gateway.insert("enabled".into(), enabled.into());
            gateway.insert("port".into(), port.into());
            gateway.insert("max_wait_seconds".into(), wait.into());
        };
        self.change_settings(edit).map_err(|e| ApiError::new(Code::BadRequest, e.to_string()))?;
        self.gateway().await
    }

    async fn add_key(
        &self,
        name: String,
        services: Option<Vec<ServiceId>>,
        raw_links: bool,
        share: Option<f64>,
    ) -> Result<NewKey, ApiError> {
        let key = self.keys().add(&name, services, raw_links, share, self.clock().wall())?;
        // Another tool may have had the name; on disk too, or a crash would count its calls again.
        self.meter().forget_caller(&name);
        self.inner.recorder.save().await;
        Ok(NewKey { name, key })
    }

    async fn keys(&self) -> Result<Vec<KeyInfo>, ApiError> {
        let keys = self.keys().list();
        Ok(keys.iter().map(|key| KeyInfo::new(key, self.meter().caller_use(&key.name))).collect())
    }

    async fn revoke_key(&self, name: String) -> Result<(), ApiError> {
        Ok(self.keys().revoke(&name)?)
    }

    async fn import_history(&self, text: String) -> Result<Imported, ApiError> {
        let imported = self
            .meter()
            .import(text.as_bytes())
            .map_err(|e| ApiError::new(Code::BadRequest, e.to_string()))?;
        self.inner.recorder.save().await;
        Ok(imported)
    }

    async fn connections(&self) -> Result<Connections, ApiError> {
        Ok(Connections {
            vault: self.accounts().vault_kind(),
            vault_trouble: self.vault_trouble(),
            redirect_uris: vec![DEEP_LINK, LOOPBACK],
            services: ServiceId::ALL.iter().map(|id| self.connection(*id)).collect(),
        })
    }

    async fn set_client_id(&self, service: ServiceId, client_id: Option<String>) -> Result<(), ApiError> {
        let client_id = client_id.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty());
        if client_id.as_ref().is_some_and(|id| id.len() > 100 || !id.chars().all(|c| c.is_ascii_graphic())) {
            return Err(ApiError::new(Code::BadRequest, "A client id is one word of letters and digits"));
        }
        self.change_service(service, "client_id", client_id.map(Into::into))
    }

    async fn begin_sign_in(&self, service: ServiceId, via: SignInVia) -> Result<SignInBegun, ApiError> {
        let accounts = self.accounts();
        let (url, state) = match via {
            SignInVia::Link => accounts.begin(service, DEEP_LINK)?,
            SignInVia::Loopback => {
                let port = Loopback::open().await.map_err(|e| ApiError::new(Code::Failed, e.to_string()))?;
                let begun = accounts.begin(service, &port.redirect_uri())?;
                tokio::spawn(port.receive(Arc::clone(accounts)));
                begun
            }
        };
        Ok(SignInBegun { url, state })
    }

    async fn sign_in_progress(&self, state: String) -> Result<SignInProgress, ApiError> {
        match self.accounts().progress(&state) {
            Some(Progress::Pending) => Ok(SignInProgress { account: None, failed: None }),
            Some(Progress::Done(account)) => {
                Ok(SignInProgress { account: Some((&account).into()), failed: None })
            }
            Some(Progress::Failed(why)) => Ok(SignInProgress { account: None, failed: Some(why) }),
            None => Err(ApiError::new(Code::BadRequest, "There is no such sign-in")),
        }
    }

    async fn finish_sign_in(&self, callback: String) -> Result<AccountInfo, ApiError> {
        Ok((&self.accounts().finish(&callback).await?).into())
    }

    async fn use_account(&self, service: ServiceId, account: String) -> Result<(), ApiError> {
        Ok(self.accounts().activate(service, &account)?)
    }

    async fn sign_out(&self, service: ServiceId, account: String) -> Result<(), ApiError> {
        Ok(self.accounts().sign_out(service, &account).await?)
    }

    async fn set_secret(&self, name: String, value: Secret) -> Result<(), ApiError> {
        Ok(self.accounts().set_secret(&name, &value).await?)
    }

    async fn forget_secret(&self, name: String) -> Result<(), ApiError> {
        Ok(self.accounts().forget_secret(&name).await?)
    }

    async fn renew_token(&self, service: ServiceId) -> Result<TokenStatus, ApiError> {
        let tokens = self.accounts().tokens(service);
        let label = service.service().label;
        let nobody = || ApiError::new(Code::SignInNeeded, format!("Sign in to {label} first"));
        let tokens = tokens.ok_or_else(nobody)?;
        tokens.force().await.map_err(|error| match error {
            TokenError::SignInNeeded => nobody(),
            error => ApiError::new(Code::Failed, error.to_string()),
        })?;
        Ok(self.token_status(&tokens))
    }

    async fn test_shared(&self, url: Option<String>) -> Result<SharedTest, ApiError> {
        let current = self.settings().cache.shared_url.clone();
        let bad = |what: String| ApiError::new(Code::BadRequest, what);
        let url = match url {
            Some(text) => SharedUrl::parse_over(&text, current.as_ref())
                .map_err(|error| bad(format!("The address {error}")))?,
            None => current.ok_or_else(|| bad("Write the address of the shared server first".into()))?,
        };
        let answer = shared::test(&url, self.clock()).await;
        answer.map_err(|error| ApiError::new(Code::Unreachable, error.to_string()))
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        let code = match error {
            AccountError::Vault(_) | AccountError::File(_) | AccountError::NoToken { .. } => Code::Failed,
            _ => Code::BadRequest,
        };
        Self::new(code, error.to_string())
    }
}

impl From<KeysError> for ApiError {
    fn from(error: KeysError) -> Self {
        let code = match error {
            KeysError::Taken(_) | KeysError::BadName(_) | KeysError::BadShare(_) | KeysError::Unknown(_) => {
                Code::BadRequest
            }
            KeysError::File(_) => Code::Failed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<CallError> for ApiError {
    fn from(error: CallError) -> Self {
        let message = error.to_string();
        let (code, retry_at) = match error {
            CallError::Refused { until, .. } => (Code::Refused, Some(until.seconds_up())),
            CallError::SignInNeeded(_) => (Code::SignInNeeded, None),
            CallError::Disabled(_) | CallError::BadRequest(_) => (Code::BadRequest, None),
            CallError::Unreachable { .. } => (Code::Unreachable, None),
        };
        Self { code, message, retry_at }
    }
}
