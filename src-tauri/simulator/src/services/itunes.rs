//! The iTunes Search API. Refuses with 403 and an empty body; everything else is
//! 200 with the content type of a script.

use serde_json::{Value, json};

use super::{Caller, Provider};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::World;

const SCRIPT: &str = "text/javascript; charset=utf-8";
const ARTISTS: usize = 900_001;
const ALBUMS: usize = 1_440_000_001;
const TRACKS: usize = 1_500_000_001;

pub(crate) struct Itunes;

impl Provider for Itunes {
    fn id(&self) -> &'static str {
        "itunes"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(20, 60.0)]
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        Answer::empty(403).typed(SCRIPT)
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let found = match call.parts().as_slice() {
            ["search"] => search(&world.catalogue, call),
            ["lookup"] => lookup(&world.catalogue, call),
            _ => return Answer::text(404, "text/html", "<html><body>Not Found</body></html>"),
        };
        let body = match found {
            Ok(results) => json!({"resultCount": results.len(), "results": results}),
            Err(message) => {
                let body =
                    json!({"errorMessage": message, "queryParameters": {"output": "json", "country": "US"}});
                return Answer::json(400, &body).typed(SCRIPT);
            }
        };
        Answer::json(200, &body).typed(SCRIPT)
    }
}

fn search(catalogue: &Catalogue, call: &Call) -> Result<Vec<Value>, &'static str> {
    let limit = call.clamped("limit", 50, 1, 200);
    let query = Query::parse(&call.param("term").unwrap_or_default().replace(':', " "));
    Ok(match call.param("entity").unwrap_or("song") {
        "song" | "musicTrack" => {
            catalogue.find_tracks(&query).into_iter().take(limit).map(|one| track(catalogue, one)).collect()
        }
        "album" => {
            catalogue.find_albums(&query).into_iter().take(limit).map(|one| album(catalogue, one)).collect()
        }
        "musicArtist" => catalogue.find_artists(&query).into_iter().take(limit).map(artist).collect(),
        _ => return Err("Invalid value(s) for key(s): [resultEntity]"),
    })
}

fn lookup(catalogue: &Catalogue, call: &Call) -> Result<Vec<Value>, &'static str> {
    let entity = call.param("entity");
    let limit = call.clamped("limit", 50, 1, 200);
    let mut results = Vec::new();
    for id in call.param("id").or(call.param("upc")).unwrap_or_default().split(',') {
        // Tracks lie above albums, albums above artists: the highest base that fits is meant.
        if let Some(found) = catalogue.track_at(id, TRACKS) {
            results.push(track(catalogue, found));
        } else if let Some(found) = catalogue.album_at(id, ALBUMS) {
            results.push(album(catalogue, found));
            if entity == Some("song") {
                results.extend(
                    catalogue.tracks_of(found).into_iter().take(limit).map(|one| track(catalogue, one)),
                );
            }
        } else if let Some(found) = catalogue.artist_at(id, ARTISTS) {
            results.push(artist(found));
            if entity == Some("album") {
                results.extend(
                    catalogue.albums_of(found).into_iter().take(limit).map(|one| album(catalogue, one)),
                );
            }
        } else if let Some(found) = catalogue.albums.iter().find(|album| album.upc == id) {
            results.push(album(catalogue, found));
        }
    }
    Ok(results)
}

fn artist(artist: &Artist) -> Value {
    json!({
        "wrapperType": "artist", "artistType": "Artist", "artistName": artist.name, "artistId": ARTISTS + artist.n,
        "artistLinkUrl": format!("https://music.apple.com/us/artist/{}", ARTISTS + artist.n),
        "primaryGenreName": artist.genres.first(),
    })
}

fn album(catalogue: &Catalogue, album: &Album) -> Value {
    let artist = catalogue.album_artist(album);
    json!({
        "wrapperType": "collection", "collectionType": "Album", "artistId": ARTISTS + artist.n,
        "collectionId": ALBUMS + album.n, "artistName": artist.name, "collectionName": album.title,
        "collectionViewUrl": format!("https://music.apple.com/us/album/{}", ALBUMS + album.n),
        "artworkUrl100": format!("https://is1-ssl.mzstatic.com/image/{}/100x100bb.jpg", album.n),
        "trackCount": album.tracks.len(), "copyright": format!("℗ {} {}", album.year(), album.label),
        "country": "USA", "releaseDate": format!("{}T07:00:00Z", album.date),
        "primaryGenreName": artist.genres.first(),
    })
}

fn track(catalogue: &Catalogue, track: &Track) -> Value {
    let (album, artist) = (catalogue.album_of(track), catalogue.artist_of(track));
    json!({
        "wrapperType": "track", "kind": "song", "artistId": ARTISTS + artist.n, "collectionId": ALBUMS + album.n,
        "trackId": TRACKS + track.n, "artistName": catalogue.credit(track), "collectionName": album.title,
        "trackName": track.title,
        "trackViewUrl": format!("https://music.apple.com/us/album/{}?i={}", ALBUMS + album.n, TRACKS + track.n),
        "artworkUrl100": format!("https://is1-ssl.mzstatic.com/image/{}/100x100bb.jpg", album.n),
        "releaseDate": format!("{}T07:00:00Z", album.date),
        "trackExplicitness": if track.explicit { "explicit" } else { "notExplicit" },
        "discCount": 1, "discNumber": 1, "trackCount": album.tracks.len(), "trackNumber": track.number,
        "trackTimeMillis": track.duration_ms, "country": "USA", "primaryGenreName": artist.genres.first(),
        "isStreamable": true,
    })
}
