//! Tidal's open API: JSON:API documents, a client-credentials token, a country
//! code on every call.

use serde_json::{Value, json};

use super::{Caller, Provider, page};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World, lock};

const JSON_API: &str = "application/vnd.api+json";
const ARTISTS: usize = 3_500_000;
const ALBUMS: usize = 77_600_000;
const TRACKS: usize = 177_600_000;
const PAGE: usize = 20;

pub(crate) struct Tidal;

impl Provider for Tidal {
    fn id(&self) -> &'static str {
        "tidal"
    }

    fn windows(&self) -> Vec<Limit> {
        // Unpublished.
        vec![Limit::new(150, 60.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-tidal-token"]
    }

    fn gate(&self, world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        let token = call.authorization("bearer").unwrap_or_default();
        match lock(&world.oauth).user_of(token, world.clock.elapsed()) {
            Ok("") => Ok(Caller::known()),
            Err(false) if accept.takes(token) => Ok(Caller::known()),
            _ => Err(error(401, "UNAUTHORIZED", "The token is missing, wrong or expired")),
        }
    }

    fn refusal(&self, refusal: &Refusal) -> Answer {
        error(429, "TOO_MANY_REQUESTS", "Too many requests").with("retry-after", refusal.seconds())
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let parts = call.parts();
        let Some(("v2", rest)) = parts.split_first().map(|(first, rest)| (*first, rest)) else {
            return not_found();
        };
        if call.param("countryCode").is_none() && !matches!(rest, ["searchResults", ..]) {
            return error(400, "INVALID_REQUEST", "countryCode must be given");
        }
        match rest {
            ["searchResults", query] => search(catalogue, call, query),
            ["searchResults", query, "relationships", "tracks"] => {
                let tracks = catalogue.find_tracks(&Query::parse(query));
                let ids: Vec<Value> =
                    page(&tracks, 0, PAGE).iter().map(|one| identifier("tracks", TRACKS + one.n)).collect();
                document(call, ids.into(), included(catalogue, call, &tracks))
            }
            ["tracks"] => {
                let isrc = call.param("filter[isrc]").unwrap_or_default();
                let ids = call.param("filter[id]").unwrap_or_default();
                let found: Vec<&Track> = catalogue
                    .by_isrc(isrc)
                    .into_iter()
                    .chain(ids.split(',').filter_map(|id| catalogue.track_at(id, TRACKS)))
                    .take(PAGE)
                    .collect();
                let data: Vec<Value> = found.iter().map(|one| track(catalogue, call, one)).collect();
                document(call, data.into(), Vec::new())
            }
            ["tracks", id] => catalogue.track_at(id, TRACKS).map_or_else(not_found, |one| {
                let include = call.param("include").unwrap_or_default();
                let mut more = Vec::new();
                if include.contains("artists") {
                    more.push(artist(catalogue.artist_of(one)));
                }
                if include.contains("albums") {
                    more.push(album(catalogue, catalogue.album_of(one)));
                }
                document(call, track(catalogue, call, one), more)
            }),
            ["albums", id] => catalogue
                .album_at(id, ALBUMS)
                .map_or_else(not_found, |one| document(call, album(catalogue, one), Vec::new())),
            ["artists", id] => catalogue
                .artist_at(id, ARTISTS)
                .map_or_else(not_found, |one| document(call, artist(one), Vec::new())),
            _ => not_found(),
        }
    }
}

fn error(status: u16, code: &str, detail: &str) -> Answer {
    let error = json!({"id": "0", "status": status.to_string(), "code": code, "detail": detail});
    Answer::json(status, &json!({"errors": [error]})).typed(JSON_API)
}

fn not_found() -> Answer {
    error(404, "NOT_FOUND", "Requested resource could not be found")
}

fn document(call: &Call, data: Value, included: Vec<Value>) -> Answer {
    let own = if call.raw_query.is_empty() {
        call.path.clone()
    } else {
        format!("{}?{}", call.path, call.raw_query)
    };
    let own = own.strip_prefix("/v2").unwrap_or(&own).to_owned();
    let mut body = json!({"data": data, "links": {"self": own}});
    if !included.is_empty() {
        body["included"] = included.into();
    }
    Answer::json(200, &body).typed(JSON_API)
}

fn identifier(kind: &str, id: usize) -> Value {
    json!({"id": id.to_string(), "type": kind})
}

fn search(catalogue: &Catalogue, call: &Call, text: &str) -> Answer {
    let query = Query::parse(text);
    let tracks = catalogue.find_tracks(&query);
    let albums = catalogue.find_albums(&query);
    let artists = catalogue.find_artists(&query);
    let relation = |kind: &str, base: usize, places: Vec<usize>| {
        let data: Vec<Value> = places.iter().take(PAGE).map(|n| identifier(kind, base + n)).collect();
        json!({"data": data, "links": {"self": format!("/searchResults/{text}/relationships/{kind}")}})
    };
    let data = json!({
        "id": text, "type": "searchResults", "attributes": {"trackingId": "stand-in"},
        "relationships": {
            "tracks": relation("tracks", TRACKS, tracks.iter().map(|one| one.n).collect()),
            "albums": relation("albums", ALBUMS, albums.iter().map(|one| one.n).collect()),
            "artists": relation("artists", ARTISTS, artists.iter().map(|one| one.n).collect()),
        },
    });
    document(call, data, included(catalogue, call, &tracks))
}

fn included(catalogue: &Catalogue, call: &Call, tracks: &[&Track]) -> Vec<Value> {
    if !call.param("include").unwrap_or_default().contains("tracks") {
        return Vec::new();
    }
    page(tracks, 0, PAGE).iter().map(|one| track(catalogue, call, one)).collect()
}

/// Milliseconds as ISO 8601, `PT3M45S`.
fn duration(ms: u64) -> String {
    let seconds = ms / 1_000;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, minutes, seconds) => format!("PT{minutes}M{seconds}S"),
        (hours, minutes, seconds) => format!("PT{hours}H{minutes}M{seconds}S"),
    }
}

fn artist(artist: &Artist) -> Value {
    json!({
        "id": (ARTISTS + artist.n).to_string(), "type": "artists",
        "attributes": {"name": artist.name, "popularity": 0.5, "externalLinks": [{"href": format!("https://tidal.com/browse/artist/{}", ARTISTS + artist.n), "meta": {"type": "TIDAL_SHARING"}}]},
    })
}

fn album(catalogue: &Catalogue, album: &Album) -> Value {
    let length = catalogue.tracks_of(album).iter().map(|one| one.duration_ms).sum();
    json!({
        "id": (ALBUMS + album.n).to_string(), "type": "albums",
        "attributes": {
            "title": album.title, "barcodeId": album.upc, "numberOfVolumes": 1, "numberOfItems": album.tracks.len(),
            "duration": duration(length), "explicit": false, "releaseDate": album.date, "albumType": album.kind.to_uppercase(),
            "copyright": {"text": format!("{} {}", album.year(), album.label)},
        },
        "relationships": {"artists": {"data": [identifier("artists", ARTISTS + album.artist)]}},
    })
}

fn track(catalogue: &Catalogue, call: &Call, track: &Track) -> Value {
    let id = TRACKS + track.n;
    let artists: Vec<Value> = track.artists.iter().map(|n| identifier("artists", ARTISTS + n)).collect();
    let country = call.param("countryCode").unwrap_or("US");
    json!({
        "id": id.to_string(), "type": "tracks",
        "attributes": {
            "title": track.bare_title, "version": track.version, "isrc": track.isrc, "duration": duration(track.duration_ms),
            "explicit": track.explicit, "popularity": 0.5, "availability": ["STREAM"], "mediaTags": ["LOSSLESS"],
            "copyright": {"text": catalogue.album_of(track).label},
            "externalLinks": [{"href": format!("https://tidal.com/browse/track/{id}"), "meta": {"type": "TIDAL_SHARING"}}],
        },
        "relationships": {
            "artists": {"data": artists, "links": {"self": format!("/tracks/{id}/relationships/artists?countryCode={country}")}},
            "albums": {"data": [identifier("albums", ALBUMS + track.album)], "links": {"self": format!("/tracks/{id}/relationships/albums?countryCode={country}")}},
        },
    })
}
