//! Deezer's public API. Every error is 200 with an `error` object: code 4 is the
//! limit, 800 is not found.

use serde_json::{Value, json};

use super::{Caller, Provider, page};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::World;

pub(super) const ARTISTS: usize = 5_000;
pub(super) const ALBUMS: usize = 302_000;
pub(super) const TRACKS: usize = 3_100_000;

pub(crate) struct Deezer;

impl Provider for Deezer {
    fn id(&self) -> &'static str {
        "deezer"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(50, 5.0)]
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error("Exception", "Quota limit exceeded", 4)
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let found = match call.parts().as_slice() {
            ["search"] | ["search", "track"] => {
                let found = catalogue.find_tracks(&query(call));
                Some(list(call, &found, |one| track(catalogue, one, false)))
            }
            ["search", "album"] => {
                let found = catalogue.find_albums(&query(call));
                Some(list(call, &found, |one| album(catalogue, one, false)))
            }
            ["search", "artist"] => {
                let found = catalogue.find_artists(&query(call));
                Some(list(call, &found, |one| artist(one)))
            }
            ["track", id] => {
                let found = match id.strip_prefix("isrc:") {
                    Some(isrc) => catalogue.by_isrc(isrc).into_iter().next(),
                    None => catalogue.track_at(id, TRACKS),
                };
                found.map(|one| track(catalogue, one, true))
            }
            ["album", id] => {
                let found = match id.strip_prefix("upc:") {
                    Some(upc) => catalogue.albums.iter().find(|album| album.upc == upc),
                    None => catalogue.album_at(id, ALBUMS),
                };
                found.map(|one| album(catalogue, one, true))
            }
            ["album", id, "tracks"] => catalogue
                .album_at(id, ALBUMS)
                .map(|one| list(call, &catalogue.tracks_of(one), |one| track(catalogue, one, false))),
            ["artist", id] => catalogue.artist_at(id, ARTISTS).map(artist),
            ["artist", id, "albums"] => catalogue
                .artist_at(id, ARTISTS)
                .map(|one| list(call, &catalogue.albums_of(one), |one| album(catalogue, one, false))),
            ["artist", id, "top"] => catalogue.artist_at(id, ARTISTS).map(|one| {
                let mut tracks: Vec<&Track> = catalogue
                    .albums_of(one)
                    .into_iter()
                    .flat_map(|album| catalogue.tracks_of(album))
                    .collect();
                tracks.sort_by_key(|track| std::cmp::Reverse(track.plays));
                list(call, &tracks, |one| track(catalogue, one, false))
            }),
            _ => return error("InvalidQueryException", "Unknown path components", 600),
        };
        found.map_or_else(|| error("DataException", "no data", 800), |body| Answer::json(200, &body))
    }
}

fn error(kind: &str, message: &str, code: u32) -> Answer {
    Answer::json(200, &json!({"error": {"type": kind, "message": message, "code": code}}))
}

fn query(call: &Call) -> Query {
    Query::parse(call.param("q").unwrap_or_default())
}

fn list<T>(call: &Call, items: &[T], show: impl Fn(&T) -> Value) -> Value {
    let (index, limit) = (call.clamped("index", 0, 0, 100_000), call.clamped("limit", 25, 1, 100));
    let link = |index: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(key, _)| key != "index"));
        query.append_pair("index", &index.to_string());
        format!("{}{}?{}", call.base, call.path, query.finish())
    };
    let mut body = json!({
        "data": page(items, index, limit).iter().map(show).collect::<Vec<_>>(),
        "total": items.len(),
    });
    if index > 0 {
        body["prev"] = json!(link(index.saturating_sub(limit)));
    }
    if index + limit < items.len() {
        body["next"] = json!(link(index + limit));
    }
    body
}

fn artist(artist: &Artist) -> Value {
    let id = ARTISTS + artist.n;
    json!({
        "id": id, "name": artist.name, "link": format!("https://www.deezer.com/artist/{id}"),
        "picture_medium": format!("https://cdn-images.dzcdn.net/images/artist/{id}/250x250.jpg"),
        "nb_album": artist.albums.len(), "nb_fan": 1_000 + artist.n * 37, "radio": true, "type": "artist",
    })
}

fn album(catalogue: &Catalogue, album: &Album, whole: bool) -> Value {
    let id = ALBUMS + album.n;
    let owner = catalogue.album_artist(album);
    let mut body = json!({
        "id": id, "title": album.title, "link": format!("https://www.deezer.com/album/{id}"),
        "cover_medium": format!("https://cdn-images.dzcdn.net/images/cover/{id}/250x250.jpg"),
        "release_date": album.date, "record_type": if album.kind == "single" { "single" } else { "album" },
        "nb_tracks": album.tracks.len(), "type": "album", "artist": artist(owner),
    });
    if whole {
        let tracks = catalogue.tracks_of(album);
        body["upc"] = json!(album.upc);
        body["label"] = json!(album.label);
        body["duration"] = json!(tracks.iter().map(|track| track.duration_ms / 1_000).sum::<u64>());
        body["genres"] = json!({"data": owner.genres.iter().map(|name| json!({"name": name, "type": "genre"})).collect::<Vec<_>>()});
        body["tracks"] =
            json!({"data": tracks.iter().map(|one| track(catalogue, one, false)).collect::<Vec<_>>()});
    }
    body
}

fn track(catalogue: &Catalogue, track: &Track, whole: bool) -> Value {
    let id = TRACKS + track.n;
    let on = catalogue.album_of(track);
    let mut body = json!({
        "id": id, "readable": true, "title": track.title, "title_short": track.bare_title,
        "title_version": track.version.map_or_else(String::new, |version| format!("({version})")),
        "isrc": track.isrc, "link": format!("https://www.deezer.com/track/{id}"),
        "duration": track.duration_ms / 1_000, "rank": track.plays / 10, "explicit_lyrics": track.explicit,
        "preview": "", "artist": artist(catalogue.artist_of(track)),
        "album": {"id": ALBUMS + on.n, "title": on.title, "type": "album"}, "type": "track",
    });
    if whole {
        body["track_position"] = json!(track.number);
        body["disk_number"] = json!(1);
        body["release_date"] = json!(on.date);
        body["contributors"] =
            track.artists.iter().filter_map(|n| catalogue.artists.get(*n)).map(artist).collect();
    }
    body
}
