//! What the signed-in users own: player, playlists, library, submitted listens.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use crate::listener::Listener;
use crate::rng::Rng;

/// A playlist of one user.
#[derive(Clone, Debug)]
pub(crate) struct Playlist {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) public: bool,
    /// Spotify URIs in order, each with when it was added (Unix milliseconds).
    pub(crate) items: Vec<(String, i64)>,
    /// Changes with every write.
    pub(crate) snapshot: String,
}

/// A user's belongings.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) listener: Listener,
    /// Milliseconds the listener's clock is ahead of the real one.
    pub(crate) ahead_ms: i64,
    /// The listener's clock when it does not follow the real one.
    pub(crate) frozen_at: Option<i64>,
    pub(crate) playlists: Vec<Playlist>,
    /// URI to when it was saved (Unix milliseconds).
    pub(crate) saved: BTreeMap<String, i64>,
    /// Listens as submitted to ListenBrainz, oldest first.
    pub(crate) listens: Vec<Value>,
    /// Scrobbles as sent to Last.fm, oldest first.
    pub(crate) scrobbles: Vec<BTreeMap<String, String>>,
}

impl Person {
    fn new(now_ms: i64) -> Self {
        Self {
            listener: Listener::new(now_ms),
            ahead_ms: 0,
            frozen_at: None,
            playlists: Vec::new(),
            saved: BTreeMap::new(),
            listens: Vec::new(),
            scrobbles: Vec::new(),
        }
    }

    /// Lets the listener catch up with its clock, and returns it.
    pub(crate) fn listener_at(&mut self, now_ms: i64) -> &mut Listener {
        let now = self.frozen_at.unwrap_or(now_ms.saturating_add(self.ahead_ms));
        self.listener.advance(now);
        &mut self.listener
    }
}

/// All users of all services, by name.
#[derive(Debug)]
pub(crate) struct People {
    by_name: HashMap<String, Person>,
    rng: Rng,
    born_ms: i64,
}

impl People {
    pub(crate) fn new(seed: u64, born_ms: i64) -> Self {
        Self { by_name: HashMap::new(), rng: Rng::new(seed, 77), born_ms }
    }

    /// The person of that name; everybody exists as soon as they are named.
    pub(crate) fn named(&mut self, name: &str) -> &mut Person {
        self.by_name.entry(name.to_owned()).or_insert_with(|| Person::new(self.born_ms))
    }

    /// The person of that name, if anything was ever done as them.
    pub(crate) fn known(&self, name: &str) -> Option<&Person> {
        self.by_name.get(name)
    }

    /// A playlist of whomever, by id.
    pub(crate) fn playlist(&mut self, id: &str) -> Option<(String, &mut Playlist)> {
        self.by_name.iter_mut().find_map(|(name, person)| {
            person.playlists.iter_mut().find(|list| list.id == id).map(|list| (name.clone(), list))
        })
    }

    /// A new id, as Spotify writes them.
    pub(crate) fn new_id(&mut self) -> String {
        self.rng.base62(22)
    }
}
