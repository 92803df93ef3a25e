//! Finding things by words, as forgivingly as the services do.

use std::cmp::Reverse;

use super::{Album, Artist, Catalogue, Track};

/// A track's searchable texts, folded once.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    title: String,
    artist: String,
    album: String,
    isrc: String,
}

impl Folded {
    pub(super) fn new(title: &str, artist: &str, album: &str, isrc: &str) -> Self {
        Self { title: fold(title), artist: fold(artist), album: fold(album), isrc: fold(isrc) }
    }

    fn all(&self, word: &str) -> bool {
        self.title.contains(word) || self.artist.contains(word) || self.album.contains(word)
    }
}

/// Lower case, without accents, everything that is neither letter nor digit a space.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars().flat_map(char::to_lowercase) {
        match c {
            'à' | 'á' | 'â' | 'ã' | 'ä' | 'å' | 'ą' => folded.push('a'),
            'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => folded.push('e'),
            'ì' | 'í' | 'î' | 'ï' | 'ı' => folded.push('i'),
            'ò' | 'ó' | 'ô' | 'õ' | 'ö' | 'ø' => folded.push('o'),
            'ù' | 'ú' | 'û' | 'ü' | 'ů' => folded.push('u'),
            'ç' | 'ć' | 'č' => folded.push('c'),
            'ñ' | 'ń' => folded.push('n'),
            'ł' => folded.push('l'),
            'ř' => folded.push('r'),
            'ğ' => folded.push('g'),
            'ş' | 'ś' => folded.push('s'),
            'ý' => folded.push('y'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            // Combining marks of the decomposed form.
            '\u{300}'..='\u{36f}' => {}
            c if c.is_alphanumeric() => folded.push(c),
            _ => {
                if !folded.is_empty() && !folded.ends_with(' ') {
                    folded.push(' ');
                }
            }
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// A search in the syntax Spotify, Deezer and MusicBrainz share in the main:
/// words and `field:"value"`; `AND` and brackets are read over.
#[derive(Debug, Default)]
pub(crate) struct Query {
    words: Vec<String>,
    fields: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let mut rest = text.trim_start_matches(['(', ' ']);
        while !rest.is_empty() {
            let end = rest.find(|c: char| c.is_whitespace() || c == ':' || c == '"').unwrap_or(rest.len());
            let (word, tail) = rest.split_at(end);
            if let Some(value) = tail.strip_prefix(':') {
                let (value, tail) = value_of(value);
                query.fields.push((word.trim_matches(['(', '+']).to_ascii_lowercase(), fold(value)));
                rest = tail;
            } else if tail.starts_with('"') {
                let (value, tail) = value_of(tail);
                query.add_words(word);
                query.add_words(value);
                rest = tail;
            } else {
                query.add_words(word);
                rest = tail;
            }
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(' || c == ')');
        }
        query
    }

    /// A query for exactly these fields.
    pub(crate) fn of(fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), fold(value))).collect();
        Self { words: Vec::new(), fields }
    }

    /// The same, and these fields; empty ones say nothing.
    pub(crate) fn and(mut self, fields: &[(&str, &str)]) -> Self {
        let given = fields.iter().filter(|(_, value)| !value.is_empty());
        self.fields.extend(given.map(|(name, value)| ((*name).to_owned(), fold(value))));
        self
    }

    fn add_words(&mut self, text: &str) {
        if !matches!(text, "AND" | "OR" | "NOT") {
            self.words.extend(fold(text).split(' ').filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }

    fn is_empty(&self) -> bool {
        self.words.is_empty() && self.fields.iter().all(|(_, value)| value.is_empty())
    }

    fn fits(&self, track: &Track) -> bool {
        let folded = &track.folded;
        self.words.iter().all(|word| folded.all(word))
            && self.fields.iter().all(|(field, value)| match field.as_str() {
                "artist" | "artistname" => folded.artist.contains(value),
                "track" | "recording" | "title" => folded.title.contains(value),
                "album" | "release" => folded.album.contains(value),
                "isrc" => folded.isrc == *value,
                _ => true,
            })
    }

    /// The words a title would have to equal to be the very thing asked for.
    fn wanted(&self) -> String {
        let title =
            self.fields.iter().find(|(field, _)| matches!(field.as_str(), "track" | "recording" | "title"));
        title.map_or_else(|| self.words.join(" "), |(_, value)| value.clone())
    }
}

fn value_of(text: &str) -> (&str, &str) {
    match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => text.split_at(text.find([' ', ')']).unwrap_or(text.len())),
    }
}

impl Catalogue {
    /// Tracks that match, the best match first, then the most played.
    pub(crate) fn find_tracks(&self, query: &Query) -> Vec<&Track> {
        if query.is_empty() {
            return Vec::new();
        }
        let wanted = query.wanted();
        let mut found: Vec<&Track> = self.tracks.iter().filter(|track| query.fits(track)).collect();
        found.sort_by_key(|track| (track.folded.title != wanted, Reverse(track.plays), track.n));
        found
    }

    /// Albums that match, by the tracks on them.
    pub(crate) fn find_albums(&self, query: &Query) -> Vec<&Album> {
        let mut seen = vec![false; self.albums.len()];
        self.find_tracks(query)
            .into_iter()
            .filter(|track| !std::mem::replace(&mut seen[track.album], true))
            .map(|track| self.album_of(track))
            .collect()
    }

    /// Artists whose name holds every word asked for.
    pub(crate) fn find_artists(&self, query: &Query) -> Vec<&Artist> {
        if query.is_empty() {
            return Vec::new();
        }
        let asked: Vec<&String> = query
            .words
            .iter()
            .chain(query.fields.iter().filter(|(name, _)| name == "artist").map(|(_, v)| v))
            .collect();
        self.artists
            .iter()
            .filter(|artist| {
                let name = fold(&artist.name);
                // A name of signs alone folds to nothing and must be met exactly.
                !asked.is_empty() && !name.is_empty() && asked.iter().all(|word| name.contains(word.as_str()))
            })
            .collect()
    }

    /// The track with this artist and title, compared without case or accents.
    pub(crate) fn track_named(&self, artist: &str, title: &str) -> Option<&Track> {
        let (folded, title) = (fold(artist), fold(title));
        // A name of signs alone folds to nothing and must be met exactly.
        let by = |track: &Track| {
            (!folded.is_empty() && track.folded.artist.contains(&folded))
                || self.artist_of(track).name == artist
        };
        self.tracks.iter().find(|track| track.folded.title == title && by(track))
    }

    /// The artist of this name, compared without case or accents.
    pub(crate) fn artist_named(&self, name: &str) -> Option<&Artist> {
        self.artists.iter().find(|artist| {
            artist.name == name || (!fold(name).is_empty() && fold(&artist.name) == fold(name))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_meets_half_way() {
        assert_eq!(fold("Sólrún Ægisdóttir!"), "solrun aegisdottir", "composed letters");
        assert_eq!(fold("So\u{301}lru\u{301}n"), "solrun", "decomposed letters");
        assert_eq!(fold("  夜の図書館  "), "夜の図書館", "letters without case stay");
    }

    #[test]
    fn a_catalogue_is_the_same_for_a_seed_and_holds_what_tests_rely_on() {
        let (a, b) = (Catalogue::new(7), Catalogue::new(7));
        assert_eq!(a.tracks.len(), b.tracks.len(), "same seed, same size");
        assert_eq!(a.tracks[100].spotify, b.tracks[100].spotify, "same seed, same ids");
        assert!(a.tracks.len() > 2_000, "some thousand tracks, got {}", a.tracks.len());
        assert_eq!(a.artists[0].albums.len(), 217, "one artist needs many pages");
        let mut names = std::collections::HashMap::new();
        for track in &a.tracks {
            let key = (track.artists[0], &track.title);
            let isrc = names.entry(key).or_insert(&track.isrc);
            assert_eq!(*isrc, &track.isrc, "{key:?} names one recording");
        }
        assert!(a.isrcs.values().any(|tracks| tracks.len() > 1), "a compilation repeats an ISRC");
    }

    #[test]
    fn a_track_is_found_by_field_words_and_isrc() {
        let catalogue = Catalogue::new(1);
        let track = &catalogue.tracks[500];
        let artist = &catalogue.artist_of(track).name;
        for text in [
            format!("{} {artist}", track.title),
            format!("track:\"{}\" artist:\"{artist}\"", track.title),
            format!("isrc:{}", track.isrc),
            format!("recording:\"{}\" AND artist:\"{artist}\"", track.title),
        ] {
            let found = catalogue.find_tracks(&Query::parse(&text));
            assert!(found.iter().any(|hit| hit.isrc == track.isrc), "{text} finds the track");
        }
        assert!(catalogue.find_tracks(&Query::parse("zzyzx nothing")).is_empty(), "nothing is nothing");
    }
}
