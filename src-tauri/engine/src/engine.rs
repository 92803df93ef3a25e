//! The one front door: start an engine on a data directory, ask it things, stop it.
//!
//! ```no_run
//! use headroom_engine::{Engine, Options, call::Call, service::ServiceId};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::start(Options::new("/tmp/headroom-example")).await?;
//! let wait = std::time::Duration::from_secs(30);
//! let answer = engine.call(Call::get(ServiceId::Deezer, "/search?q=get+lucky", "ui", wait)).await?;
//! println!("{} bytes", answer.body.len());
//! engine.stop().await;
//! # Ok(()) }
//! ```

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::account::Credentials;
use crate::account::accounts::Accounts;
use crate::account::keys::Keys;
use crate::account::vault::Vault;
use crate::account::vault_file::{VaultFile, VaultFileError};
use crate::budget::share::Shares;
use crate::budget::{Budget, Gate, QuotaBook, Window};
use crate::cache::Cache;
use crate::call::transport::{HttpTransport, Transport, TransportError};
use crate::call::{Answer, Call, CallError};
use crate::clock::{Clock, Wall};
use crate::happenings::Happenings;
use crate::holder::{self, Hold, StopError, Taken};
use crate::library::{Library, LibraryError};
use crate::meter::history::{HistoryError, HistoryFile};
use crate::meter::{Event, EventKind, Meter};
use crate::rates::Rates;
use crate::recorder::Recorder;
use crate::service::ServiceId;
use crate::settings::{Settings, SettingsError, SettingsFile};
use crate::shared::{News, Shared};

/// How an engine is started.
#[derive(Clone)]
pub struct Options {
    /// The data directory; made if it is not there.
    pub data_dir: PathBuf,
    /// What runs it, as told to whoever finds the directory taken: `the app`.
    pub name: String,
    /// The time.
    pub clock: Clock,
    /// The last step of a call; HTTP unless a test says otherwise.
    pub transport: Option<Arc<dyn Transport>>,
    /// Where credentials come from; the vault unless a test says otherwise.
    pub credentials: Option<Arc<dyn Credentials>>,
    /// Variables that override settings.
    pub environment: Vec<(String, String)>,
}

impl Options {
    /// The usual engine on this data directory, with this process's environment.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            name: "an engine".to_owned(),
            clock: Clock::system(),
            transport: None,
            credentials: None,
            environment: std::env::vars().collect(),
        }
    }

    /// The same, run by `name`.
    #[must_use]
    pub fn named(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }
}

/// The directory used when none is named: `HEADROOM_DATA_DIR`, else the system's place for application
/// data (Linux `$XDG_DATA_HOME/headroom`).
#[must_use]
pub fn default_data_dir() -> Option<PathBuf> {
    match std::env::var_os("HEADROOM_DATA_DIR") {
        Some(dir) if !dir.is_empty() => Some(dir.into()),
        _ => directories::ProjectDirs::from("app", "", "headroom").map(|dirs| dirs.data_dir().to_owned()),
    }
}

/// Why an engine does not start. Each names what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another engine holds the directory.
    #[error("{0}")]
    Running(Taken),
    /// The directory cannot be used.
    #[error("cannot use the data directory {path}: choose another with --data-dir, or make it writable")]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// `vault.json` cannot be read.
    #[error(transparent)]
    Vault(#[from] VaultFileError),
    /// The history cannot be used.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// TLS cannot be set up.
    #[error("cannot set up HTTPS")]
    Transport(#[from] TransportError),
}

/// Why an engine does not take over a directory.
#[derive(Debug, thiserror::Error)]
pub enum TakeOverError {
    /// The other engine cannot be asked to end.
    #[error(transparent)]
    Stop(#[from] StopError),
    /// The other one is gone, or did not end in time; this one does not start.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// What we allow ourselves at any accounts server: a token lives an hour, and people sign in rarely.
fn accounts_budget() -> Budget {
    Budget { spacing_ms: 0, windows: vec![Window { seconds: 60.0, calls: 30 }], quota: None }
}

/// One service's budget and quota in force.
#[derive(Debug)]
pub(crate) struct Lane {
    pub(crate) gate: Arc<Gate>,
    /// The door of its accounts server.
    pub(crate) accounts: Arc<Gate>,
    pub(crate) quota: Mutex<QuotaBook>,
    /// What tools with a share of the budget hold of it.
    pub(crate) shares: Shares,
}

/// Everything an engine holds.
pub(crate) struct Inner {
    pub(crate) data_dir: PathBuf,
    pub(crate) clock: Clock,
    pub(crate) started: Wall,
    pub(crate) settings: SettingsFile,
    pub(crate) keys: Keys,
    pub(crate) lanes: Arc<Vec<Lane>>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) library: Result<Library, LibraryError>,
    pub(crate) credentials: Arc<dyn Credentials>,
    pub(crate) accounts: Arc<Accounts>,
    vault_trouble: Mutex<Option<String>>,
    pub(crate) cache: Cache,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) shared: Shared,
    paused: AtomicBool,
    frames: watch::Sender<Option<Arc<Rates>>>,
    pub(crate) happenings: Happenings,
    pub(crate) rejected_settings: Mutex<Option<String>>,
    /// Where the loopback server listens, or why it does not.
    pub(crate) listening: Mutex<(Option<String>, Option<String>)>,
    stop_asked: watch::Sender<bool>,
    /// Held while the engine lives: one engine a directory.
    hold: Mutex<Option<Hold>>,
}

impl Inner {
    pub(crate) fn lane(&self, id: ServiceId) -> &Lane {
        &self.lanes[id.index()]
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::Relaxed)
    }

    pub(crate) fn user_agent(&self) -> String {
        format!("Headroom/{} ( {} )", env!("CARGO_PKG_VERSION"), self.settings.current().contact)
    }

    pub(crate) fn apply(&self, settings: &Settings) {
        for id in ServiceId::ALL {
            let budget = settings.budget(*id, self.credentials.has(*id));
            let lane = self.lane(*id);
            lane.quota.lock().set(budget.quota);
            lane.gate.set_budget(budget);
        }
    }

    /// A sign-in ends ban, cooldown and escalation; the next call is a single probe.
    pub(crate) async fn sign_in_clears_ban(&self, id: ServiceId) {
        if self.lane(id).gate.clear_ban() {
            self.recorder.ban_cleared(id).await;
        }
    }

    async fn second(&self) {
        match self.settings.reload() {
            None => {}
            Some(Ok(settings)) => {
                self.apply(&settings);
                self.shared.follow(settings.cache.shared_url.as_ref());
                *self.rejected_settings.lock() = None;
                tracing::info!("settings.json was read again");
            }
            Some(Err(error)) => {
                let text =
                    format!("settings.json is not used, the last good settings stay in force. {error}");
                tracing::error!("{text}");
                self.recorder.note(Event::general(
                    self.clock.wall().seconds(),
                    EventKind::SettingsRejected,
                    text.clone(),
                ));
                *self.rejected_settings.lock() = Some(text);
            }
        }
        self.cache.tick(&self.settings.current().cache);
        self.recorder.tick().await;
        self.tell_news();
        if self.frames.receiver_count() > 0 {
            let rates = Arc::new(self.rates());
            self.frames.send_if_modified(|last| {
                let news = last.as_ref().is_none_or(|last| rates.differs(last));
                if news {
                    *last = Some(rates);
                }
                news
            });
        }
    }
}

/// A cheap-clone handle to a running engine.
#[derive(Clone)]
pub struct Engine {
    pub(crate) inner: Arc<Inner>,
    ticker: Arc<Mutex<Option<JoinHandle<()>>>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("data_dir", &self.inner.data_dir).finish_non_exhaustive()
    }
}

impl Engine {
    /// Starts an engine: takes the directory's lock, reads what is there, and goes on where the last
    /// one stopped.
    ///
    /// # Errors
    /// See [`StartError`]. Nothing on disk is changed then, but for a damaged history set aside.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { data_dir, name, clock, transport, credentials, environment } = options;
        let hold = Hold::take(&data_dir, &name).await?;
        let settings = SettingsFile::open(&data_dir, environment.iter().cloned())?;
        let vault_file = Arc::new(VaultFile::open(&data_dir)?);
        let keys = Keys::new(Arc::clone(&vault_file));
        let (file, loaded) = HistoryFile::open(&data_dir, clock.wall())?;
        let library = Library::open(&data_dir, clock.wall());
        if let Err(error) = &library {
            tracing::error!("the library is not used: {error}");
        }
        let cache = Cache::open(&data_dir, &settings.current().cache, clock.clone());
        let transport = match transport {
            Some(transport) => transport,
            None => Arc::new(HttpTransport::new()?),
        };
        let lanes: Vec<Lane> = ServiceId::ALL
            .iter()
            .map(|id| Lane {
                gate: Gate::new(clock.clone(), id.service().default_budget(false)),
                accounts: Gate::new(clock.clone(), accounts_budget()),
                quota: Mutex::new(QuotaBook::new(id.service().assumed_quota)),
                shares: Shares::default(),
            })
            .collect();
        let lanes = Arc::new(lanes);
        let meter = Arc::new(Meter::new(clock.clone()));
        let for_sums = library.as_ref().ok().cloned();
        let recorder =
            Arc::new(Recorder::new(clock.clone(), Arc::clone(&meter), Arc::clone(&lanes), for_sums, file));
        let for_news = Arc::clone(&recorder);
        let gates = lanes.iter().map(|lane| Arc::clone(&lane.gate)).collect();
        let shared =
            Shared::start(clock.clone(), &data_dir, gates, move |news: News| for_news.shared_news(news));
        let force_file = environment_says(&environment, "HEADROOM_VAULT", "file");
        let vault = Vault::new(&data_dir, Arc::clone(&vault_file), force_file);
        let accounts = Accounts::new(clock.clone(), vault_file, vault);
        let inner = Arc::new(Inner {
            started: clock.wall(),
            data_dir,
            settings,
            keys,
            lanes,
            meter,
            recorder,
            library,
            credentials: credentials.unwrap_or_else(|| Arc::clone(&accounts) as Arc<dyn Credentials>),
            accounts,
            vault_trouble: Mutex::new(None),
            cache,
            transport,
            shared,
            clock,
            paused: AtomicBool::new(false),
            frames: watch::Sender::new(None),
            happenings: Happenings::default(),
            rejected_settings: Mutex::new(None),
            listening: Mutex::new((None, None)),
            stop_asked: watch::Sender::new(false),
            hold: Mutex::new(Some(hold)),
        });
        inner.cache.share(&inner.shared);
        inner.accounts.attach_engine(Arc::downgrade(&inner));
        read_vault(&inner).await;
        // Budgets first: the windows to be filled are theirs.
        inner.apply(&inner.settings.current());
        inner.recorder.restore(loaded);
        inner.recorder.save().await;
        // Last, because it tells the others what the windows hold.
        inner.shared.follow(inner.settings.current().cache.shared_url.as_ref());
        inner.shared.first_try(SHARED_PATIENCE).await;
        // What is so from the start is no news.
        inner.tell_news();
        let ticker = tokio::spawn(tick(Arc::downgrade(&inner)));
        tokio::spawn(meet_others(Arc::downgrade(&inner)));
        Ok(Self { inner, ticker: Arc::new(Mutex::new(Some(ticker))) })
    }

    /// Starts an engine on a directory that another one may hold: that one is asked to end first, and
    /// has `patience` to do so.
    ///
    /// # Errors
    /// See [`TakeOverError`]. An engine that does not answer is left alone.
    pub async fn take_over(options: Options, patience: Duration) -> Result<Self, TakeOverError> {
        let silent = match holder::ask_to_stop(&options.data_dir).await {
            Err(silent @ StopError::Silent { .. }) => Some(silent),
            Ok(_) | Err(StopError::NotRunning(_)) => None,
        };
        // Whoever does not answer may be a command that is done in a moment.
        let patience = if silent.is_some() { A_MOMENT.min(patience) } else { patience };
        let until = options.clock.mono() + patience;
        loop {
            match Self::start(options.clone()).await {
                Err(StartError::Running(_)) if options.clock.mono() < until => {
                    tokio::time::sleep(LOOK).await;
                }
                Err(running @ StartError::Running(_)) => {
                    return Err(silent.map_or(TakeOverError::Start(running), TakeOverError::Stop));
                }
                started => return Ok(started?),
            }
        }
    }

    /// Asks the program that runs this engine to end it.
    pub(crate) fn ask_to_stop(&self) {
        self.inner.stop_asked.send_replace(true);
    }

    /// Waits until this engine was asked to end, over the control API. Whoever runs it then ends it.
    pub async fn stop_asked(&self) {
        let mut asked = self.inner.stop_asked.subscribe();
        // The sender lives as long as this handle.
        let _ = asked.wait_for(|asked| *asked).await;
    }

    /// Takes a call down the path.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn call(&self, call: Call) -> Result<Answer, CallError> {
        self.inner.take(call).await
    }

    /// The gauges, as they are now.
    #[must_use]
    pub fn rates(&self) -> Rates {
        self.inner.rates()
    }

    /// The gauges each second in which one of them changes, for as long as the receiver is kept.
    #[must_use]
    pub fn frames(&self) -> watch::Receiver<Option<Arc<Rates>>> {
        self.inner.frames.subscribe()
    }

    /// What happens: bans, sign-ins, notices, plays.
    #[must_use]
    pub fn happenings(&self) -> &Happenings {
        &self.inner.happenings
    }

    /// Everything counted.
    #[must_use]
    pub fn meter(&self) -> &Meter {
        &self.inner.meter
    }

    /// The keys tools hold.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.inner.keys
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        self.inner.settings.current()
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.inner.data_dir
    }

    /// The time it lives by.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Holds back all calls, or lets them go on.
    pub fn pause(&self, paused: bool) {
        self.inner.paused.store(paused, Ordering::Relaxed);
    }

    /// Ends ban, cooldown and escalation of a service; its next call is a single probe. On disk when
    /// this returns.
    pub async fn clear_ban(&self, id: ServiceId) {
        self.inner.sign_in_clears_ban(id).await;
    }

    /// Who is signed in, and the secrets there are.
    #[must_use]
    pub fn accounts(&self) -> &Arc<Accounts> {
        &self.inner.accounts
    }

    /// What keeps the vault from being read.
    #[must_use]
    pub fn vault_trouble(&self) -> Option<String> {
        self.inner.vault_trouble.lock().clone()
    }

    /// What is wrong with `settings.json` since it was last good.
    #[must_use]
    pub fn rejected_settings(&self) -> Option<String> {
        self.inner.rejected_settings.lock().clone()
    }

    /// What is shared with other machines.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.inner.shared
    }

    /// What keeps the history from the disk.
    #[must_use]
    pub fn storage_failing(&self) -> Option<String> {
        self.inner.recorder.failing()
    }

    /// Saves and ends. Other handles of the same engine are of no use afterwards.
    pub async fn stop(&self) {
        let ticker = self.ticker.lock().take();
        if let Some(ticker) = ticker {
            ticker.abort();
            // Its last write is whole before ours begins.
            let _ = ticker.await;
        }
        if self.inner.accounts.tokens(ServiceId::Spotify).is_some() {
            tracing::info!("{}", self.spotify_tokens().to_text().trim_end().replace('\n', "; "));
        }
        self.inner.shared.stop().await;
        self.inner.recorder.save().await;
        self.inner.cache.stop().await;
        tracing::info!("everything counted is saved; the engine has stopped");
        self.inner.hold.lock().take();
    }

    /// Where the loopback server listens, and what keeps it from listening.
    #[must_use]
    pub fn listening(&self) -> (Option<String>, Option<String>) {
        self.inner.listening.lock().clone()
    }

    pub(crate) fn set_listening(&self, address: Option<String>, trouble: Option<String>) {
        match (&address, &trouble) {
            (Some(address), _) => tracing::info!("the loopback server listens on {address}"),
            (None, Some(trouble)) => tracing::error!("the loopback server does not listen: {trouble}"),
            (None, None) => tracing::info!("the loopback server has stopped"),
        }
        *self.inner.listening.lock() = (address, trouble);
    }

    pub(crate) fn change_settings(
        &self,
        edit: impl FnOnce(&mut serde_json::Map<String, serde_json::Value>),
    ) -> Result<(), SettingsError> {
        let settings = self.inner.settings.edit(edit)?;
        self.inner.apply(&settings);
        self.inner.shared.follow(settings.cache.shared_url.as_ref());
        *self.inner.rejected_settings.lock() = None;
        Ok(())
    }
}

/// As long as a command without an engine holds the directory, generously.
const A_MOMENT: Duration = Duration::from_secs(1);
/// Between two looks whether the other engine has ended.
const LOOK: Duration = Duration::from_millis(50);

/// A keychain that asks its user something must not hold the start up for longer than this; what it
/// says comes later.
const VAULT_PATIENCE: Duration = Duration::from_secs(2);
/// Nor a shared server; without it calls go on as though it were gone.
const SHARED_PATIENCE: Duration = Duration::from_secs(1);

async fn read_vault(inner: &Arc<Inner>) {
    let engine = Arc::clone(inner);
    let reading = tokio::spawn(async move {
        if let Err(error) = engine.accounts.load().await {
            tracing::error!("{error}");
            *engine.vault_trouble.lock() = Some(error.to_string());
        }
        engine.apply(&engine.settings.current());
    });
    // Late, it goes on by itself.
    let _ = tokio::time::timeout(VAULT_PATIENCE, reading).await;
}

fn environment_says(environment: &[(String, String)], name: &str, value: &str) -> bool {
    environment.iter().any(|(n, v)| n == name && v.eq_ignore_ascii_case(value))
}

/// What is kept together with other machines, once a second; apart from [`tick`], for it may wait for
/// their server.
async fn meet_others(engine: std::sync::Weak<Inner>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        seconds.tick().await;
        let Some(inner) = engine.upgrade() else { return };
        inner.cache.meet_others().await;
    }
}

async fn tick(engine: std::sync::Weak<Inner>) {
    let mut seconds = tokio::time::interval(Duration::from_secs(1));
    seconds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    seconds.tick().await;
    loop {
        seconds.tick().await;
        let Some(inner) = engine.upgrade() else { return };
        inner.second().await;
    }
}
