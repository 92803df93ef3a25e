//! What happens in the user's library, and what of the cache each event touches.

use serde::{Deserialize, Serialize};

use super::Forget;

/// Names of a thing in the library.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    /// Its artist.
    pub artist: Option<String>,
    /// Its album.
    pub album: Option<String>,
    /// Its title.
    pub title: Option<String>,
}

/// An event of the user's library: `POST /api/library/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LibraryEvent {
    /// A track is gone.
    TrackRemoved {
        /// What it was.
        #[serde(flatten)]
        names: Names,
    },
    /// A track has other names now.
    TrackModified {
        /// What it is now.
        #[serde(flatten)]
        names: Names,
        /// What it was.
        #[serde(default)]
        old: Names,
    },
    /// An album is another now.
    AlbumChanged {
        /// What it is now.
        #[serde(flatten)]
        names: Names,
        /// What it was.
        #[serde(default)]
        old: Names,
    },
    /// The whole library was read anew.
    LibrarySync,
    /// The user wants something forgotten.
    Forget {
        /// What: a track, else an album, else an artist.
        #[serde(flatten)]
        names: Names,
    },
}

impl LibraryEvent {
    /// What is to be forgotten.
    ///
    /// | event | forgets |
    /// |---|---|
    /// | `track_removed` | the track, and its album |
    /// | `track_modified` | the track and the album, as they were and as they are |
    /// | `album_changed` | the album, as it was and as it is |
    /// | `library_sync` | what was not found: it may be by now |
    /// | `forget` | the track, else the album, else all of the artist |
    ///
    /// # Errors
    /// A name that is needed is missing.
    pub fn forgets(&self) -> Result<Vec<Forget>, String> {
        let all: Vec<Forget> = match self {
            Self::TrackRemoved { names } => {
                [names.track(), names.whole_album()].into_iter().flatten().collect()
            }
            Self::TrackModified { names, old } => {
                // What the event does not name again stayed as it is.
                let old = old.completed_by(names);
                [old.track(), old.whole_album(), names.track(), names.whole_album()]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            Self::AlbumChanged { names, old } => {
                let old = old.completed_by(names);
                [old.whole_album(), names.whole_album()].into_iter().flatten().collect()
            }
            Self::LibrarySync => vec![Forget::NotFound],
            Self::Forget { names } => {
                let artist = || names.artist.clone().map(|artist| Forget::Artist { artist });
                names.track().or_else(|| names.whole_album()).or_else(artist).into_iter().collect()
            }
        };
        if all.is_empty() {
            return Err("name the artist, and the title or the album".to_owned());
        }
        let mut once = Vec::new();
        for what in all {
            if !once.contains(&what) {
                once.push(what);
            }
        }
        Ok(once)
    }
}

impl Names {
    fn track(&self) -> Option<Forget> {
        Some(Forget::Track { artist: self.artist.clone()?, title: self.title.clone()? })
    }

    fn whole_album(&self) -> Option<Forget> {
        Some(Forget::Album { artist: self.artist.clone()?, album: self.album.clone()? })
    }

    fn completed_by(&self, other: &Self) -> Self {
        let or = |own: &Option<String>, other: &Option<String>| own.clone().or_else(|| other.clone());
        Self {
            artist: or(&self.artist, &other.artist),
            album: or(&self.album, &other.album),
            title: or(&self.title, &other.title),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forgets(json: serde_json::Value) -> Result<Vec<Forget>, String> {
        serde_json::from_value::<LibraryEvent>(json).unwrap().forgets()
    }

    fn album(artist: &str, album: &str) -> Forget {
        Forget::Album { artist: artist.into(), album: album.into() }
    }

    fn track(artist: &str, title: &str) -> Forget {
        Forget::Track { artist: artist.into(), title: title.into() }
    }

    #[test]
    fn each_event_forgets_what_its_table_says() {
        use serde_json::json;
        assert_eq!(
            forgets(
                json!({"type": "track_modified", "artist": "A", "album": "New", "title": "T", "old": {"album": "Old"}})
            ),
            Ok(vec![track("A", "T"), album("A", "Old"), album("A", "New")])
        );
        assert_eq!(
            forgets(
                json!({"type": "track_removed", "artist": "A", "album": "B", "title": "T", "path": "/x.flac"})
            ),
            Ok(vec![track("A", "T"), album("A", "B")])
        );
        assert_eq!(
            forgets(json!({"type": "album_changed", "artist": "A", "album": "B", "old": {"artist": "Z"}})),
            Ok(vec![album("Z", "B"), album("A", "B")])
        );
        assert_eq!(forgets(json!({"type": "library_sync"})), Ok(vec![Forget::NotFound]));
        assert_eq!(
            forgets(json!({"type": "forget", "artist": "A"})),
            Ok(vec![Forget::Artist { artist: "A".into() }])
        );
        assert!(forgets(json!({"type": "forget", "title": "T"})).is_err());
    }
}
