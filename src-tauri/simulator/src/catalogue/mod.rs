//! The invented catalogue every stand-in draws from.
//!
//! It is made from a seed, so ids, durations and ISRCs are the same in every
//! run. All services know the same tracks: one can be found at each of them by
//! ISRC or by artist and title. Artist 0 has exactly 217 albums, for paging.

mod build;
mod names;
mod search;

use std::collections::HashMap;

pub(crate) use search::{Query, fold};

/// A performer.
#[derive(Clone, Debug)]
pub struct Artist {
    /// Position in [`Catalogue::artists`]; numeric ids of services derive from it.
    pub n: usize,
    /// Name as printed.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// One to three genres.
    pub genres: Vec<&'static str>,
    /// MusicBrainz id.
    pub mbid: String,
    /// Spotify id, 22 characters of base 62.
    pub spotify: String,
    /// Positions in [`Catalogue::albums`], newest first.
    pub albums: Vec<usize>,
}

/// A release.
#[derive(Clone, Debug)]
pub struct Album {
    /// Position in [`Catalogue::albums`].
    pub n: usize,
    /// Title as printed.
    pub title: String,
    /// Position of its artist.
    pub artist: usize,
    /// Release date, `YYYY-MM-DD`.
    pub date: String,
    /// `album`, `single` or `compilation`.
    pub kind: &'static str,
    /// Record label.
    pub label: &'static str,
    /// 13 digits.
    pub upc: String,
    /// MusicBrainz release id.
    pub mbid: String,
    /// Spotify id.
    pub spotify: String,
    /// Positions in [`Catalogue::tracks`], in running order.
    pub tracks: Vec<usize>,
}

impl Album {
    /// The year of the release date.
    pub fn year(&self) -> &str {
        self.date.get(..4).unwrap_or_default()
    }
}

/// A recording on an album.
#[derive(Clone, Debug)]
pub struct Track {
    /// Position in [`Catalogue::tracks`].
    pub n: usize,
    /// Title with its version, as most services print it.
    pub title: String,
    /// Title without version.
    pub bare_title: String,
    /// `Live`, `Remastered 2011` and the like.
    pub version: Option<&'static str>,
    /// Positions of its artists, main artist first.
    pub artists: Vec<usize>,
    /// Position of its album.
    pub album: usize,
    /// Position on the album, from 1.
    pub number: usize,
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Same recording, same code, also on a compilation.
    pub isrc: String,
    /// MusicBrainz recording id.
    pub mbid: String,
    /// Spotify id.
    pub spotify: String,
    /// Carries an advisory.
    pub explicit: bool,
    /// Plays worldwide; services derive their ranks and counts from it.
    pub plays: u64,
    folded: search::Folded,
}

/// What an id belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Thing {
    Artist(usize),
    Album(usize),
    Track(usize),
}

/// All artists, albums and tracks of one seed.
#[derive(Debug)]
pub struct Catalogue {
    /// Artists; the first has 217 albums.
    pub artists: Vec<Artist>,
    /// Albums and singles.
    pub albums: Vec<Album>,
    /// Tracks, some thousand.
    pub tracks: Vec<Track>,
    ids: HashMap<String, Thing>,
    isrcs: HashMap<String, Vec<usize>>,
}

impl Catalogue {
    /// The thing a Spotify id or MBID belongs to.
    pub(crate) fn thing(&self, id: &str) -> Option<Thing> {
        self.ids.get(id).copied()
    }

    pub(crate) fn track_by_id(&self, id: &str) -> Option<&Track> {
        match self.thing(id) {
            Some(Thing::Track(n)) => self.tracks.get(n),
            _ => None,
        }
    }

    pub(crate) fn album_by_id(&self, id: &str) -> Option<&Album> {
        match self.thing(id) {
            Some(Thing::Album(n)) => self.albums.get(n),
            _ => None,
        }
    }

    pub(crate) fn artist_by_id(&self, id: &str) -> Option<&Artist> {
        match self.thing(id) {
            Some(Thing::Artist(n)) => self.artists.get(n),
            _ => None,
        }
    }

    /// Every track with this ISRC, the original release first.
    pub fn by_isrc(&self, isrc: &str) -> Vec<&Track> {
        let code = isrc.replace('-', "").to_ascii_uppercase();
        self.isrcs.get(&code).into_iter().flatten().filter_map(|n| self.tracks.get(*n)).collect()
    }

    /// The track a service's numeric id means: ids count up from `base`.
    pub(crate) fn track_at(&self, id: &str, base: usize) -> Option<&Track> {
        self.tracks.get(offset(id, base)?)
    }

    pub(crate) fn album_at(&self, id: &str, base: usize) -> Option<&Album> {
        self.albums.get(offset(id, base)?)
    }

    pub(crate) fn artist_at(&self, id: &str, base: usize) -> Option<&Artist> {
        self.artists.get(offset(id, base)?)
    }

    /// The album a track is on.
    pub fn album_of(&self, track: &Track) -> &Album {
        &self.albums[track.album]
    }

    /// The main artist of a track.
    pub fn artist_of(&self, track: &Track) -> &Artist {
        &self.artists[track.artists.first().copied().unwrap_or(0)]
    }

    /// The artist of an album.
    pub fn album_artist(&self, album: &Album) -> &Artist {
        &self.artists[album.artist]
    }

    /// The tracks of an album, in running order.
    pub fn tracks_of(&self, album: &Album) -> Vec<&Track> {
        album.tracks.iter().filter_map(|n| self.tracks.get(*n)).collect()
    }

    /// The albums of an artist, newest first.
    pub fn albums_of(&self, artist: &Artist) -> Vec<&Album> {
        artist.albums.iter().filter_map(|n| self.albums.get(*n)).collect()
    }

    /// All artists of a track, joined as a credit line.
    pub fn credit(&self, track: &Track) -> String {
        let names: Vec<&str> = track
            .artists
            .iter()
            .filter_map(|n| self.artists.get(*n))
            .map(|artist| artist.name.as_str())
            .collect();
        names.join(", ")
    }
}

fn offset(id: &str, base: usize) -> Option<usize> {
    id.parse::<usize>().ok()?.checked_sub(base)
}
