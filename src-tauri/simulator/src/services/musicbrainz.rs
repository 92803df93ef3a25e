//! MusicBrainz' web service 2 in JSON. Above one call a second on average every
//! call is 503 until the rate drops; a meaningful `User-Agent` is required.

use serde_json::{Value, json};

use super::{Caller, Provider, page, xml};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World};

pub(crate) struct Musicbrainz;

impl Provider for Musicbrainz {
    fn id(&self) -> &'static str {
        "musicbrainz"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(5, 5.0)]
    }

    fn refused_count(&self) -> bool {
        true
    }

    fn gate(&self, _world: &World, call: &Call, _accept: &Accept) -> Result<Caller, Answer> {
        if call.names_itself(true) {
            return Ok(Caller::nobody());
        }
        Err(error(
            403,
            "Your request has been refused: the User-Agent must name the application, its version and a contact.",
        ))
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error(
            503,
            "Your requests are exceeding the allowable rate limit. Please see http://wiki.musicbrainz.org/XMLWebService for more information.",
        )
    }

    /// XML, unless JSON is asked for.
    fn worded(&self, call: &Call, answer: Answer) -> Answer {
        let parts = call.parts();
        let entity = parts.get(2).copied().unwrap_or_default();
        let asks_for_json = call.param("fmt") == Some("json")
            || call.header("accept").is_some_and(|kinds| kinds.contains("application/json"));
        let Some(body) = answer.body_as_json().filter(|_| !asks_for_json) else { return answer };
        answer.reworded("application/xml; charset=UTF-8", xml::musicbrainz(entity, &body))
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let parts = call.parts();
        let ["ws", "2", rest @ ..] = parts.as_slice() else {
            return Answer::text(
                404,
                "application/xml",
                "<?xml version=\"1.0\"?><error><text>Not Found</text></error>",
            );
        };
        match rest {
            [entity] => search(catalogue, call, entity),
            ["isrc", isrc] => {
                let found = catalogue.by_isrc(isrc);
                let recordings: Vec<Value> =
                    found.iter().take(1).map(|one| recording(catalogue, one)).collect();
                if found.is_empty() {
                    not_found()
                } else {
                    Answer::json(200, &json!({"isrc": isrc, "recordings": recordings}))
                }
            }
            [_, mbid] if !is_uuid(mbid) => error(400, "Invalid mbid."),
            ["recording", mbid] => found(catalogue.track_by_id(mbid).map(|one| recording(catalogue, one))),
            ["release", mbid] => found(catalogue.album_by_id(mbid).map(|one| release(catalogue, one, true))),
            ["artist", mbid] => found(catalogue.artist_by_id(mbid).map(artist)),
            _ => not_found(),
        }
    }
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(
        status,
        &json!({"error": message, "help": "For usage, please see: https://musicbrainz.org/development/mmd"}),
    )
}

fn not_found() -> Answer {
    error(404, "Not Found")
}

fn found(body: Option<Value>) -> Answer {
    body.map_or_else(not_found, |body| Answer::json(200, &body))
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(n, byte)| match n {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn search(catalogue: &Catalogue, call: &Call, entity: &str) -> Answer {
    let text = match (call.param("query"), call.param("artist").and_then(|id| catalogue.artist_by_id(id))) {
        (Some(text), _) => text.to_owned(),
        // Browsing: `/release?artist={mbid}`.
        (None, Some(artist)) => format!("artist:\"{}\"", artist.name),
        (None, None) => return error(400, "Must specify a least one parameter for 'query'."),
    };
    let query = Query::parse(&text);
    let (limit, offset) = (call.clamped("limit", 25, 1, 100), call.clamped("offset", 0, 0, 100_000));
    let answer = |name: &str, count: usize, mut items: Vec<Value>| {
        for item in &mut items {
            item["score"] = json!(100);
        }
        Answer::json(
            200,
            &json!({"created": "2026-11-21T00:00:00.000Z", "count": count, "offset": offset, name: items}),
        )
    };
    match entity {
        "recording" => {
            // The same recording on a second album is one recording here.
            let mut hits = catalogue.find_tracks(&query);
            let mut seen = std::collections::HashSet::new();
            hits.retain(|one| seen.insert(one.mbid.clone()));
            let shown = page(&hits, offset, limit).iter().map(|one| recording(catalogue, one)).collect();
            answer("recordings", hits.len(), shown)
        }
        "release" => {
            let hits = catalogue.find_albums(&query);
            answer(
                "releases",
                hits.len(),
                page(&hits, offset, limit).iter().map(|one| release(catalogue, one, false)).collect(),
            )
        }
        "artist" => {
            let hits = catalogue.find_artists(&query);
            answer("artists", hits.len(), page(&hits, offset, limit).iter().map(|one| artist(one)).collect())
        }
        _ => not_found(),
    }
}

fn credit(artist: &Artist) -> Value {
    json!([{"name": artist.name, "joinphrase": "", "artist": {"id": artist.mbid, "name": artist.name, "sort-name": artist.name}}])
}

fn genres(artist: &Artist) -> Vec<Value> {
    artist.genres.iter().map(|name| json!({"name": name, "count": 3})).collect()
}

fn artist(artist: &Artist) -> Value {
    json!({
        "id": artist.mbid, "type": "Group", "name": artist.name, "sort-name": artist.name, "country": artist.country,
        "genres": genres(artist), "tags": genres(artist), "disambiguation": "invented",
    })
}

fn release(catalogue: &Catalogue, album: &Album, whole: bool) -> Value {
    let artist = catalogue.album_artist(album);
    let mut body = json!({
        "id": album.mbid, "title": album.title, "status": "Official", "date": album.date, "country": artist.country,
        "barcode": album.upc, "artist-credit": credit(artist), "track-count": album.tracks.len(),
        "label-info": [{"label": {"name": album.label}}],
    });
    if whole {
        let tracks: Vec<Value> = catalogue
            .tracks_of(album)
            .iter()
            .map(|one| json!({"position": one.number, "number": one.number.to_string(), "title": one.title, "length": one.duration_ms, "recording": {"id": one.mbid, "title": one.title, "length": one.duration_ms}}))
            .collect();
        body["media"] =
            json!([{"position": 1, "format": "CD", "track-count": tracks.len(), "tracks": tracks}]);
    }
    body
}

fn recording(catalogue: &Catalogue, track: &Track) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    json!({
        "id": track.mbid, "title": track.title, "length": track.duration_ms, "video": false,
        "disambiguation": track.version.unwrap_or_default(), "artist-credit": credit(artist), "isrcs": [track.isrc],
        "first-release-date": album.date, "genres": genres(artist), "tags": genres(artist),
        "releases": [release(catalogue, album, false)],
    })
}
