//! What just happened, for whoever listens: one closed list of things, told once each.
//!
//! Gauges have a line of their own ([`Engine::frames`](crate::Engine::frames)); this is for what is rare.
//! The engine looks once a second whether a ban began or ended, somebody signed in or must, or a notice
//! changed. Others tell what they know themselves ([`Happenings::tell`]).

use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::broadcast;

use crate::contract::Notice;
use crate::engine::Inner;
use crate::rates::Ban;
use crate::service::{AuthKind, COUNT, ServiceId};

/// Happenings a slow listener may be behind before it misses the oldest.
const KEPT: usize = 64;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// A ban began or ended.
    Ban(BanNews),
    /// Somebody signed in or out, or must.
    Auth(AuthNews),
    /// What the user should know is another now: all of it.
    Notices(Vec<Notice>),
    /// A play ended, as `GET /api/plays` tells it.
    Play(serde_json::Value),
}

/// A ban began or ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BanNews {
    /// The service.
    pub service: ServiceId,
    /// `began` or `ended`.
    pub state: BanState,
    /// The ban; null once it ended.
    pub ban: Option<Ban>,
}

/// Whether a ban began or ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BanState {
    /// It runs.
    Began,
    /// It is over, or was cleared.
    Ended,
}

/// A service's credential came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct AuthNews {
    /// The service.
    pub service: ServiceId,
    /// How it stands.
    pub state: AuthState,
}

/// How a service's credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthState {
    /// There is one.
    SignedIn,
    /// There is none.
    #[default]
    SignedOut,
    /// There was one, and it is no longer good.
    Needed,
}

impl Happening {
    /// Its name as a server-sent event.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ban(_) => "ban",
            Self::Auth(_) => "auth",
            Self::Notices(_) => "notices",
            Self::Play(_) => "play",
        }
    }

    /// Its data, as JSON.
    #[must_use]
    pub fn data(&self) -> String {
        let json = match self {
            Self::Ban(news) => serde_json::to_string(news),
            Self::Auth(news) => serde_json::to_string(news),
            Self::Notices(notices) => serde_json::to_string(notices),
            Self::Play(play) => serde_json::to_string(play),
        };
        json.unwrap_or_default()
    }
}

/// Tells what happened to all who listen.
#[derive(Debug)]
pub struct Happenings {
    listeners: broadcast::Sender<Happening>,
    before: Mutex<Option<Seen>>,
}

/// How things stood a second ago.
#[derive(Debug)]
struct Seen {
    banned: [bool; COUNT],
    auth: [AuthState; COUNT],
    notices: Vec<Notice>,
}

impl Default for Happenings {
    fn default() -> Self {
        Self { listeners: broadcast::Sender::new(KEPT), before: Mutex::default() }
    }
}

impl Happenings {
    /// Tells everybody who listens.
    pub fn tell(&self, happening: Happening) {
        // Nobody listens: that is no error.
        let _ = self.listeners.send(happening);
    }

    /// What happens from now on.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<Happening> {
        self.listeners.subscribe()
    }
}

impl Inner {
    /// Tells what is otherwise than a second ago.
    pub(crate) fn tell_news(&self) {
        let mut now =
            Seen { banned: [false; COUNT], auth: [AuthState::default(); COUNT], notices: self.notices() };
        for id in ServiceId::ALL {
            now.banned[id.index()] = self.lane(*id).gate.ban().is_some();
            now.auth[id.index()] = self.auth_state(*id);
        }
        let mut before = self.happenings.before.lock();
        if let Some(before) = &*before {
            for &service in ServiceId::ALL {
                let at = service.index();
                if now.banned[at] != before.banned[at] {
                    let state = if now.banned[at] { BanState::Began } else { BanState::Ended };
                    let ban = now.banned[at].then(|| self.service_rates(service).ban).flatten();
                    self.happenings.tell(Happening::Ban(BanNews { service, state, ban }));
                }
                if now.auth[at] != before.auth[at] {
                    self.happenings.tell(Happening::Auth(AuthNews { service, state: now.auth[at] }));
                }
            }
            if now.notices != before.notices {
                self.happenings.tell(Happening::Notices(now.notices.clone()));
            }
        }
        *before = Some(now);
    }

    fn auth_state(&self, id: ServiceId) -> AuthState {
        match id.service().auth.kind {
            AuthKind::None => AuthState::SignedOut,
            _ if self.credentials.has(id) => AuthState::SignedIn,
            AuthKind::SignIn(_) if self.accounts.accounts(id).iter().any(|a| a.ended) => AuthState::Needed,
            _ => AuthState::SignedOut,
        }
    }
}
