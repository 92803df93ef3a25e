//! What an answer is about: the artists, albums and tracks in it, so that it can be forgotten by name.
//!
//! A tag is a hash of a name as people mean it (trimmed, case-folded, NFC) or of a service's own id.
//! Where an answer says both, the name is linked to the id: a list of an album's tracks, which does not
//! repeat the album's title, is then found by that title too.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use unicode_normalization::UnicodeNormalization;

use super::ServiceId;

/// What a tag names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// An artist.
    Artist,
    /// An album, release, release group or master.
    Album,
    /// A track, recording or song.
    Track,
}

impl Kind {
    /// The kind that endpoints and JSON fields of this name speak of (`album_tracks`: an album).
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let first = name.split(['_', '-', '.']).next().unwrap_or(name);
        match first.strip_suffix('s').unwrap_or(first) {
            "artist" | "artistmatche" => Some(Self::Artist),
            "album" | "release" | "master" | "collection" => Some(Self::Album),
            "track" | "recording" | "song" | "isrc" => Some(Self::Track),
            _ => None,
        }
    }
}

/// An answer as a service's file looks for names in it.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    /// Name of the endpoint that was asked.
    pub endpoint: &'static str,
    /// Parameters of the question, decoded.
    pub parameters: &'a [(String, String)],
    /// The body.
    pub json: &'a Value,
}

impl Answered<'_> {
    /// Visits every object of the body, each with the name of the field it stands in. Objects in lists
    /// have the list's name, `items` and `data` the name before, the outermost one the endpoint's.
    pub fn each_object(&self, mut visit: impl FnMut(&str, &Map<String, Value>)) {
        walk(self.endpoint, self.json, &mut visit);
    }

    /// A parameter of the question.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }
}

fn walk(name: &str, json: &Value, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    match json {
        Value::Array(list) => list.iter().for_each(|item| walk(name, item, visit)),
        Value::Object(object) => {
            visit(name, object);
            for (field, value) in object {
                let name = if matches!(field.as_str(), "items" | "data") { name } else { field };
                walk(name, value, visit);
            }
        }
        _ => {}
    }
}

/// A text field.
pub(super) fn text<'a>(object: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    object.get(field)?.as_str()
}

/// An id, which services write as a number or as text.
pub(super) fn id(object: &Map<String, Value>, field: &str) -> Option<String> {
    match object.get(field)? {
        Value::String(id) => Some(id.clone()),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

/// Names of artists, however a service writes them: a text, an object with `name`, or a list of either.
pub(super) fn names(json: Option<&Value>) -> Vec<&str> {
    match json {
        Some(Value::String(name)) => vec![name],
        Some(Value::Object(artist)) => text(artist, "name").into_iter().collect(),
        Some(Value::Array(list)) => list.iter().flat_map(|artist| names(Some(artist))).collect(),
        _ => Vec::new(),
    }
}

/// The tags of one answer.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tags {
    service: Option<ServiceId>,
    /// All tags.
    pub all: BTreeSet<i64>,
    /// Names and the ids they stand for.
    pub links: BTreeSet<(i64, i64)>,
}

impl Tags {
    /// No tags yet, of an answer of `service`.
    #[must_use]
    pub fn of(service: ServiceId) -> Self {
        Self { service: Some(service), ..Self::default() }
    }

    /// An artist is in the answer.
    pub fn artist(&mut self, id: Option<&str>, name: &str) {
        self.add(Kind::Artist, id, [artist(name)]);
    }

    /// An album is in the answer; a compilation may have several artists.
    pub fn album(&mut self, id: Option<&str>, artists: &[&str], title: &str) {
        artists.iter().for_each(|name| self.artist(None, name));
        self.add(Kind::Album, id, artists.iter().map(|artist| album(artist, title)));
    }

    /// A track is in the answer.
    pub fn track(&mut self, id: Option<&str>, artists: &[&str], title: &str) {
        artists.iter().for_each(|name| self.artist(None, name));
        self.add(Kind::Track, id, artists.iter().map(|artist| track(artist, title)));
    }

    /// The answer is about the thing with this id of the service's own.
    pub fn id(&mut self, kind: Kind, id: &str) {
        self.add(kind, Some(id), []);
    }

    fn add(&mut self, kind: Kind, id: Option<&str>, names: impl IntoIterator<Item = i64>) {
        let id = id.filter(|id| !id.is_empty()).map(|id| own_id(self.service, kind, id));
        self.all.extend(id);
        for name in names {
            self.all.insert(name);
            self.links.extend(id.map(|id| (name, id)));
        }
    }
}

/// The tag of an artist.
#[must_use]
pub fn artist(name: &str) -> i64 {
    hash(&["artist", &fold(name)])
}

/// The tag of an album.
#[must_use]
pub fn album(artist: &str, title: &str) -> i64 {
    hash(&["album", &fold(artist), &fold(title)])
}

/// The tag of a track.
#[must_use]
pub fn track(artist: &str, title: &str) -> i64 {
    hash(&["track", &fold(artist), &fold(title)])
}

fn own_id(service: Option<ServiceId>, kind: Kind, id: &str) -> i64 {
    let kind = match kind {
        Kind::Artist => "artist",
        Kind::Album => "album",
        Kind::Track => "track",
    };
    hash(&["id", service.map_or("", ServiceId::as_str), kind, id])
}

/// A name as people mean it: trimmed, case-folded, NFC.
#[must_use]
pub fn fold(name: &str) -> String {
    if name.is_ascii() {
        return name.trim().to_ascii_lowercase();
    }
    caseless::default_case_fold_str(name.trim()).nfc().collect()
}

/// 64 bits of a stable hash. Parts are told apart by their lengths.
fn hash(parts: &[&str]) -> i64 {
    use sha2::Digest;
    let mut sha = sha2::Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_le_bytes());
        sha.update(part.as_bytes());
    }
    let digest = sha.finalize();
    i64::from_le_bytes(std::array::from_fn(|place| digest[place]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tags(service: ServiceId, endpoint: &'static str, parameters: &[(&str, &str)], json: &Value) -> Tags {
        let parameters: Vec<_> = parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let mut tags = Tags::of(service);
        (service.service().keeping.tags)(&Answered { endpoint, parameters: &parameters, json }, &mut tags);
        tags
    }

    #[test]
    fn a_name_is_one_whatever_its_case_form_and_margins() {
        assert_eq!(artist("  Björk "), artist("BJO\u{308}RK"));
        assert_eq!(artist("Straße"), artist("STRASSE"));
        assert_ne!(album("a", "b c"), album("a b", "c"));
        assert_ne!(artist("a"), track("a", ""));
    }

    #[test]
    fn each_service_finds_its_albums_and_tracks() {
        use ServiceId::*;
        let cases: &[(ServiceId, &'static str, Value)] = &[
            (
                Spotify,
                "search",
                json!({"tracks": {"items": [{"type": "track", "id": "t", "name": "Song", "artists": [{"type": "artist", "id": "a", "name": "Band"}], "album": {"type": "album", "id": "b", "name": "Disc", "artists": [{"type": "artist", "name": "Band"}]}}]}}),
            ),
            (
                Itunes,
                "lookup",
                json!({"results": [{"wrapperType": "track", "artistName": "Band", "collectionName": "Disc", "trackName": "Song", "trackId": 1, "collectionId": 2, "artistId": 3}]}),
            ),
            (
                Deezer,
                "search",
                json!({"data": [{"type": "track", "id": 1, "title": "Song", "artist": {"type": "artist", "id": 3, "name": "Band"}, "album": {"type": "album", "id": 2, "title": "Disc"}}]}),
            ),
            (
                Lastfm,
                "track_info",
                json!({"track": {"name": "Song", "artist": {"name": "Band"}, "album": {"artist": "Band", "title": "Disc"}}}),
            ),
            (
                Genius,
                "song",
                json!({"response": {"song": {"id": 1, "title": "Song", "primary_artist": {"id": 3, "name": "Band"}, "album": {"id": 2, "name": "Disc", "artist": {"name": "Band"}}}}}),
            ),
            (
                Musicbrainz,
                "recording",
                json!({"id": "r", "title": "Song", "artist-credit": [{"name": "Band", "artist": {"id": "a", "name": "Band"}}], "releases": [{"id": "b", "title": "Disc"}]}),
            ),
            (
                Audiodb,
                "track",
                json!({"track": [{"idTrack": "1", "idAlbum": "2", "idArtist": "3", "strTrack": "Song", "strAlbum": "Disc", "strArtist": "Band"}]}),
            ),
            (
                Tidal,
                "track",
                json!({"data": {"id": "1", "type": "tracks", "attributes": {"title": "Song"}, "relationships": {"artists": {"data": [{"id": "3", "type": "artists"}]}, "albums": {"data": [{"id": "2", "type": "albums"}]}}}, "included": [{"id": "3", "type": "artists", "attributes": {"name": "Band"}}, {"id": "2", "type": "albums", "attributes": {"title": "Disc"}, "relationships": {"artists": {"data": [{"id": "3", "type": "artists"}]}}}]}),
            ),
            (
                Qobuz,
                "track",
                json!({"id": 1, "title": "Song", "performer": {"id": 3, "name": "Band"}, "album": {"id": "2", "title": "Disc", "artist": {"id": 3, "name": "Band"}}}),
            ),
            (
                Discogs,
                "release",
                json!({"id": 2, "title": "Disc", "artists": [{"id": 3, "name": "Band (2)"}], "tracklist": [{"title": "Song"}]}),
            ),
            (
                Listenbrainz,
                "lookup",
                json!({"artist_credit_name": "Band", "recording_name": "Song", "release_name": "Disc", "recording_mbid": "r", "release_mbid": "b"}),
            ),
        ];
        for (service, endpoint, json) in cases {
            let tags = tags(*service, endpoint, &[], json);
            for (what, tag) in [
                ("artist", artist("band")),
                ("album", album("Band", "disc")),
                ("track", track("BAND", "song")),
            ] {
                assert!(tags.all.contains(&tag), "{service} has no {what}: {json}");
            }
            assert!(!tags.all.contains(&artist("disc")), "{service}");
        }
        let odesli = json!({"entitiesByUniqueId": {"X::1": {"id": "1", "type": "song", "title": "Song", "artistName": "Band"}}});
        assert!(tags(Odesli, "links", &[], &odesli).all.contains(&track("band", "song")));
    }

    #[test]
    fn a_question_names_what_it_did_not_find() {
        let asked = [("method", "album.getInfo"), ("artist", "Band"), ("album", "Disc")];
        let tags = tags(ServiceId::Lastfm, "album_info", &asked, &json!({"error": 6}));
        assert!(tags.all.contains(&album("band", "disc")));
    }

    #[test]
    fn an_albums_name_is_linked_to_its_id() {
        let json = json!({"type": "album", "id": 302127, "title": "Disc", "artist": {"name": "Band"}});
        let tags = tags(ServiceId::Deezer, "album", &[], &json);
        let id = own_id(Some(ServiceId::Deezer), Kind::Album, "302127");
        assert!(tags.links.contains(&(album("band", "disc"), id)));
    }
}
