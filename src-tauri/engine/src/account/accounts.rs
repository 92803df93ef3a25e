//! Who is signed in, and what is attached to each service's calls.
//!
//! Invariant: a new refresh token is in the vault before its access token is used.
//! Invariant: nothing here prints a token, a code or a verifier.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};

use super::attempts::{Attempts, CallbackError, Consent};
use super::refreshers::{ByClient, ByRefreshToken};
use super::secret::Secret;
use super::token::TokenCache;
use super::vault::{Vault, VaultError, VaultKind};
use super::vault_file::{VaultFile, VaultFileError};
use crate::cache::Forget;
use crate::call::{Accepts, Call};
use crate::clock::{Clock, Mono};
use crate::engine::Inner;
use crate::meter::{Event, EventKind};
use crate::service::{AuthKind, ServiceId, Verdict};

/// A consent ends so many days after it was given: six months, by Spotify's rules of July 2026.
pub const CONSENT_DAYS: i64 = 182;
/// The account of a sign-in whose user is not known yet.
const UNKNOWN: &str = "unknown";
/// How long the window says that a link was refused.
const REFUSED_SHOWN: Duration = Duration::from_secs(60);
/// How long the first call after a sign-in may wait for its budget.
const PROBE_WAIT: Duration = Duration::from_secs(30);

/// A signed-in user at a service. Tokens lie in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The service's own id of the user.
    pub id: String,
    /// The name the service shows.
    pub name: Option<String>,
    /// When consent was given, unix seconds.
    pub consent_at: i64,
    /// Whether calls are made as this account.
    pub active: bool,
    /// Whether its consent has ended: it must sign in again.
    #[serde(default)]
    pub ended: bool,
}

/// How a sign-in stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// The consent page is open.
    Pending,
    /// Done, as this account.
    Done(Account),
    /// It came to nothing; why.
    Failed(String),
}

/// Why a sign-in, or a change to accounts and secrets, did not come about.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The callback is refused.
    #[error(transparent)]
    Callback(#[from] CallbackError),
    /// The vault cannot be used.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its file cannot be used.
    #[error(transparent)]
    File(#[from] VaultFileError),
    /// The service did not give a token.
    #[error("{service} gave no token ({reason}): begin again")]
    NoToken {
        /// The service.
        service: &'static str,
        /// What it said, without secrets.
        reason: String,
    },
    /// There is no client id.
    #[error("{0} needs your own client id first: put it into the settings (services.{1}.client_id)")]
    NoClientId(&'static str, ServiceId),
    /// One does not sign in there.
    #[error("one does not sign in at {0}; it takes a key at most")]
    NoSignIn(&'static str),
    /// No such account.
    #[error("nobody is signed in at {0} under that name")]
    NoAccount(&'static str),
    /// No secret has that name.
    #[error("there is no secret named {0:?}; known are {1}")]
    UnknownSecret(String, String),
    /// It cannot be one.
    #[error("a secret is one line of text without spaces around it, and not empty")]
    BadSecret,
}

/// Accounts, secrets and tokens of one engine.
pub struct Accounts {
    clock: Clock,
    file: Arc<VaultFile>,
    pub(super) vault: Vault,
    attempts: Attempts,
    pub(super) secrets: RwLock<BTreeMap<String, Secret>>,
    /// The tokens of each service's active account.
    tokens: RwLock<HashMap<ServiceId, InUse>>,
    progress: Mutex<HashMap<String, Progress>>,
    /// The last callback that was refused: when, and why.
    refused: Mutex<Option<(Mono, String)>>,
    engine: OnceLock<Weak<Inner>>,
    me: Weak<Self>,
}

/// The tokens calls are made with, and whose they are.
struct InUse {
    tokens: Arc<TokenCache>,
    /// `None` for an application's own, and while it is not known who signed in.
    account: Option<Arc<str>>,
}

/// Names of every secret there may be; `lastfm.secret` signs scrobbles.
fn secret_names() -> Vec<&'static str> {
    let of = |id: &ServiceId| match id.service().auth.kind {
        AuthKind::Secrets(names) => names.to_vec(),
        AuthKind::Client(names, _) => names.to_vec(),
        AuthKind::None | AuthKind::SignIn(_) => Vec::new(),
    };
    ServiceId::ALL.iter().flat_map(of).chain(["lastfm.secret"]).collect()
}

pub(super) fn refresh_name(service: ServiceId, account: &str) -> String {
    format!("{service}.refresh.{account}")
}

impl Accounts {
    /// Those of a data directory. Secrets are read by [`Accounts::load`].
    #[must_use]
    pub fn new(clock: Clock, file: Arc<VaultFile>, vault: Vault) -> Arc<Self> {
        Arc::new_cyclic(|me| Self {
            attempts: Attempts::new(clock.clone()),
            clock,
            file,
            vault,
            secrets: RwLock::default(),
            tokens: RwLock::default(),
            progress: Mutex::default(),
            refused: Mutex::default(),
            engine: OnceLock::new(),
            me: me.clone(),
        })
    }

    pub(crate) fn attach_engine(&self, engine: Weak<Inner>) {
        // Set once, at the engine's start.
        let _ = self.engine.set(engine);
    }

    pub(super) fn engine(&self) -> Option<Arc<Inner>> {
        self.engine.get().and_then(Weak::upgrade)
    }

    /// Reads the secrets, and takes up the active accounts. A keychain that is locked is an error the
    /// caller shows; what could be read is used.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn load(&self) -> Result<(), VaultError> {
        let known = self.vault.names();
        for name in secret_names().into_iter().filter(|name| known.iter().any(|k| k == name)) {
            if let Some(secret) = self.vault.get(name).await? {
                self.secrets.write().insert(name.to_owned(), secret);
            }
        }
        for id in ServiceId::ALL {
            match id.service().auth.kind {
                AuthKind::SignIn(_) => {
                    let active = self.accounts(*id).into_iter().find(|a| a.active && !a.ended);
                    if let Some(account) = active {
                        self.use_tokens(*id, &account.id);
                    }
                }
                AuthKind::Client(..) => self.use_client(*id),
                AuthKind::None | AuthKind::Secrets(_) => {}
            }
        }
        Ok(())
    }

    fn use_tokens(&self, service: ServiceId, account: &str) -> Arc<TokenCache> {
        let refresher = ByRefreshToken { accounts: self.me.clone(), service, account: account.to_owned() };
        let tokens = TokenCache::new(self.clock.clone(), Arc::new(refresher));
        let account = (account != UNKNOWN).then(|| Arc::from(account));
        self.tokens.write().insert(service, InUse { tokens: Arc::clone(&tokens), account });
        tokens
    }

    fn use_client(&self, service: ServiceId) {
        let AuthKind::Client(names, _) = service.service().auth.kind else { return };
        if names.iter().all(|name| self.secrets.read().contains_key(*name)) {
            let refresher = ByClient { accounts: self.me.clone(), service };
            let tokens = TokenCache::new(self.clock.clone(), Arc::new(refresher));
            self.tokens.write().insert(service, InUse { tokens, account: None });
        } else {
            self.tokens.write().remove(&service);
        }
    }

    /// The vault in use; `None` before the first secret.
    #[must_use]
    pub fn vault_kind(&self) -> Option<VaultKind> {
        self.vault.kind()
    }

    /// The accounts at a service.
    #[must_use]
    pub fn accounts(&self, service: ServiceId) -> Vec<Account> {
        self.file.read(|content| content.accounts.get(&service).cloned().unwrap_or_default())
    }

    /// The tokens of a service's active account.
    #[must_use]
    pub fn tokens(&self, service: ServiceId) -> Option<Arc<TokenCache>> {
        self.tokens.read().get(&service).map(|used| Arc::clone(&used.tokens))
    }

    /// The account calls are made as; `None` while nobody is signed in, or it is not known who.
    pub(super) fn in_use(&self, service: ServiceId) -> Option<Arc<str>> {
        self.tokens.read().get(&service)?.account.clone()
    }

    /// Names of the secrets of a service, and whether each is there.
    #[must_use]
    pub fn secrets_of(&self, service: ServiceId) -> Vec<(&'static str, bool)> {
        let known = self.secrets.read();
        let belongs = |name: &&str| name.split('.').next() == Some(service.as_str());
        secret_names().into_iter().filter(belongs).map(|name| (name, known.contains_key(name))).collect()
    }

    /// Keeps a secret, effective at once.
    ///
    /// # Errors
    /// No such name, no secret, or the vault cannot be used; nothing has changed then.
    pub async fn set_secret(&self, name: &str, secret: &Secret) -> Result<(), AccountError> {
        let Some(name) = secret_names().into_iter().find(|known| *known == name) else {
            return Err(AccountError::UnknownSecret(name.to_owned(), secret_names().join(", ")));
        };
        let text = secret.expose();
        if text.is_empty() || text.trim() != text || text.chars().any(char::is_control) {
            return Err(AccountError::BadSecret);
        }
        self.vault.set(name, secret).await?;
        self.secrets.write().insert(name.to_owned(), secret.clone());
        self.secrets_changed(name);
        Ok(())
    }

    /// Forgets a secret.
    ///
    /// # Errors
    /// The vault cannot be used.
    pub async fn forget_secret(&self, name: &str) -> Result<(), AccountError> {
        self.vault.remove(name).await?;
        self.secrets.write().remove(name);
        self.secrets_changed(name);
        Ok(())
    }

    fn secrets_changed(&self, name: &str) {
        let Some(id) = name.split('.').next().and_then(|id| id.parse::<ServiceId>().ok()) else { return };
        self.use_client(id);
        // Some services allow more with a credential.
        if let Some(engine) = self.engine() {
            engine.apply(&engine.settings.current());
        }
    }

    /// Begins a sign-in; returns the address of the consent page and the attempt's `state`.
    ///
    /// # Errors
    /// One does not sign in there, or there is no client id.
    pub fn begin(&self, service: ServiceId, redirect_uri: &str) -> Result<(String, String), AccountError> {
        let label = service.service().label;
        let (AuthKind::SignIn(_), Some(engine)) = (service.service().auth.kind, self.engine()) else {
            return Err(AccountError::NoSignIn(label));
        };
        let settings = engine.settings.current();
        let client_id = settings.service(service).client_id.filter(|id| !id.is_empty());
        let client_id = client_id.ok_or(AccountError::NoClientId(label, service))?;
        let accounts_url = settings.accounts_url(service).unwrap_or_default();
        self.give_up_the_late();
        let (url, state) = self.attempts.begin(service, accounts_url, &client_id, redirect_uri);
        self.progress.lock().insert(state.clone(), Progress::Pending);
        Ok((url, state))
    }

    /// How the sign-in with this `state` stands.
    #[must_use]
    pub fn progress(&self, state: &str) -> Option<Progress> {
        self.give_up_the_late();
        self.progress.lock().get(state).cloned()
    }

    /// A sign-in whose consent page sent nothing back in time has failed.
    fn give_up_the_late(&self) {
        for (state, progress) in self.progress.lock().iter_mut() {
            if *progress == Progress::Pending && self.attempts.is_late(state) {
                *progress = Progress::Failed("No answer came within 5 minutes: begin again".to_owned());
            }
        }
    }

    /// Ends a sign-in by what the consent page sent back, and makes the first call with it.
    ///
    /// # Errors
    /// See [`AccountError`]. An attempt the callback does not belong to goes on.
    pub async fn finish(&self, callback: &str) -> Result<Account, AccountError> {
        let consent = self.attempts.consent(callback);
        let state = reqwest::Url::parse(callback)
            .ok()
            .and_then(|url| url.query_pairs().find(|(n, _)| n == "state").map(|(_, v)| v.into_owned()));
        let finished = match consent {
            Ok(consent) => self.exchange(consent).await,
            Err(error) => Err(error.into()),
        };
        let ends = !matches!(
            finished,
            Err(AccountError::Callback(
                CallbackError::NotACallback | CallbackError::NoState | CallbackError::UnknownState
            ))
        );
        if let Err(AccountError::Callback(error)) = &finished {
            *self.refused.lock() = Some((self.clock.mono(), error.to_string()));
        }
        if let (Some(state), true) = (state, ends) {
            let progress = match &finished {
                Ok(account) => Progress::Done(account.clone()),
                Err(error) => Progress::Failed(error.to_string()),
            };
            self.progress.lock().insert(state, progress);
        }
        finished
    }

    /// Why a link or callback was refused in the last minute: whoever opened it should hear of it.
    #[must_use]
    pub fn refused_link(&self) -> Option<String> {
        let refused = self.refused.lock().clone();
        let fresh = |at: Mono| self.clock.mono().since(at) < REFUSED_SHOWN;
        refused.filter(|(at, _)| fresh(*at)).map(|(_, why)| why)
    }

    async fn exchange(&self, consent: Consent) -> Result<Account, AccountError> {
        let Consent { attempt, code } = consent;
        let service = attempt.service;
        let parameters = [
            ("grant_type", "authorization_code"),
            ("code", code.expose()),
            ("redirect_uri", &attempt.redirect_uri),
            ("client_id", &attempt.client_id),
            ("code_verifier", attempt.verifier.expose()),
        ];
        let no_token = |reason: String| AccountError::NoToken { service: service.service().label, reason };
        let given = self.ask_token(service, &parameters, None).await.map_err(|e| no_token(e.to_string()))?;
        let refresh =
            given.refresh_token.clone().ok_or_else(|| no_token("it sent no refresh token".into()))?;
        self.vault.set(&refresh_name(service, UNKNOWN), &refresh).await?;
        self.use_tokens(service, UNKNOWN).put(&given.fresh());
        if let Some(engine) = self.engine() {
            engine.apply(&engine.settings.current());
            engine.sign_in_clears_ban(service).await;
        }
        let (id, name) = self.who_am_i(service).await.unwrap_or_else(|| (UNKNOWN.to_owned(), None));
        if id != UNKNOWN {
            self.vault.set(&refresh_name(service, &id), &refresh).await?;
            self.use_tokens(service, &id).put(&given.fresh());
            self.vault.remove(&refresh_name(service, UNKNOWN)).await?;
        }
        let now = self.clock.wall().seconds();
        let account = Account { id, name, consent_at: now, active: true, ended: false };
        self.file.change(|content| {
            let accounts = content.accounts.entry(service).or_default();
            // One whose user could not be asked for is replaced by the next that could.
            accounts.retain(|known| known.id != account.id && known.id != UNKNOWN);
            accounts.iter_mut().for_each(|known| known.active = false);
            accounts.push(account.clone());
            Ok::<_, VaultError>(())
        })?;
        let text = format!("Signed in as {}", account.name.as_deref().unwrap_or(&account.id));
        self.note(EventKind::SignedIn, service, text);
        Ok(account)
    }

    /// `/v1/me`: the single probe after a sign-in. `None` if it was refused or failed.
    async fn who_am_i(&self, service: ServiceId) -> Option<(String, Option<String>)> {
        let engine = self.engine()?;
        let accepts = Accepts { only_fresh_from_service: true, ..Accepts::default() };
        let call = Call { accepts, ..Call::get(service, "/v1/me", "ui", PROBE_WAIT) };
        let answer = engine.take(call).await.ok().filter(|a| a.verdict == Verdict::Fresh)?;
        let me: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
        let text = |field: &str| me.get(field).and_then(|v| v.as_str()).map(str::to_owned);
        Some((text("id").filter(|id| !id.is_empty())?, text("display_name")))
    }

    /// Makes an account the one calls are made as.
    ///
    /// # Errors
    /// There is no such account, or the vault cannot be used.
    pub fn activate(&self, service: ServiceId, account: &str) -> Result<(), AccountError> {
        let (mut was_active, mut ended) = (false, false);
        self.change_account(service, account, |accounts, place| {
            (was_active, ended) = (accounts[place].active, accounts[place].ended);
            accounts.iter_mut().for_each(|known| known.active = false);
            accounts[place].active = true;
        })?;
        if ended {
            // Its refresh token is dead: it is not tried again.
            self.tokens.write().remove(&service);
        } else if !was_active || self.tokens(service).is_none() {
            self.use_tokens(service, account);
        }
        Ok(())
    }

    /// Forgets an account's tokens. What was counted and kept of it stays.
    ///
    /// # Errors
    /// There is no such account, or the vault cannot be used.
    pub async fn sign_out(&self, service: ServiceId, account: &str) -> Result<(), AccountError> {
        let mut was_active = false;
        self.change_account(service, account, |accounts, place| was_active = accounts.remove(place).active)?;
        if was_active {
            self.tokens.write().remove(&service);
        }
        self.vault.remove(&refresh_name(service, account)).await?;
        self.note(EventKind::SignedOut, service, format!("Signed out {account}; what was counted stays"));
        if let Some(engine) = self.engine() {
            // What it was told is nobody's business any more. A disk that cannot be written just now says
            // so itself, and is not read meanwhile.
            let _ = engine.cache.forget(Forget::Account { service, account: account.to_owned() }).await;
            engine.apply(&engine.settings.current());
        }
        Ok(())
    }

    fn change_account(
        &self,
        service: ServiceId,
        account: &str,
        change: impl FnOnce(&mut Vec<Account>, usize),
    ) -> Result<(), AccountError> {
        self.file.change(|content| {
            let accounts = content.accounts.entry(service).or_default();
            let place = accounts.iter().position(|known| known.id == account);
            let place = place.ok_or(AccountError::NoAccount(service.service().label))?;
            change(accounts, place);
            Ok(())
        })
    }

    /// The consent of an account has ended: said once, and never tried again.
    pub(super) fn consent_ended(&self, service: ServiceId, account: &str) {
        let marked = self.change_account(service, account, |accounts, place| accounts[place].ended = true);
        if let Err(error) = marked {
            tracing::warn!("{error}");
        }
        let text = format!("The sign-in of {account} has ended: sign in again");
        self.note(EventKind::SignInNeeded, service, text);
    }

    fn note(&self, kind: EventKind, service: ServiceId, text: String) {
        if let Some(engine) = self.engine() {
            let event = Event::general(self.clock.wall().seconds(), kind, text);
            engine.recorder.note(Event { service: Some(service), ..event });
        }
    }

    pub(super) fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.read().get(name).cloned()
    }
}
