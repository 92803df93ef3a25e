//! Genius: bearer token, answers wrapped in `meta` and `response`.

use serde_json::{Value, json};

use super::{Caller, Provider, page};
use crate::call::{Answer, Call};
use crate::catalogue::{Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World};

const ARTISTS: usize = 16_000;
const ALBUMS: usize = 46_000;
const SONGS: usize = 2_400_000;

pub(crate) struct Genius;

impl Provider for Genius {
    fn id(&self) -> &'static str {
        "genius"
    }

    fn windows(&self) -> Vec<Limit> {
        // Unpublished.
        vec![Limit::new(45, 60.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-genius-token"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        match call.authorization("bearer").or(call.param("access_token")) {
            Some(token) if accept.takes(token) => Ok(Caller::known()),
            Some(_) => Err(Answer::json(
                401,
                &json!({
                    "error": "invalid_token",
                    "error_description": "The access token provided is expired, revoked, malformed or invalid for other reasons.",
                }),
            )),
            None => Err(Answer::json(
                401,
                &json!({"meta": {"status": 401, "message": "This call requires an access_token."}}),
            )),
        }
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        Answer::json(429, &json!({"meta": {"status": 429, "message": "Too many requests"}}))
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let response = match call.parts().as_slice() {
            ["search"] => {
                let hits = catalogue.find_tracks(&Query::parse(call.param("q").unwrap_or_default()));
                let (per_page, number) = (call.clamped("per_page", 10, 1, 50), call.clamped("page", 1, 1, 10_000));
                let hits: Vec<Value> = page(&hits, (number - 1) * per_page, per_page)
                    .iter()
                    .map(|one| json!({"highlights": [], "index": "song", "type": "song", "result": song(catalogue, one, false)}))
                    .collect();
                Some(json!({"hits": hits}))
            }
            ["songs", id] => catalogue.track_at(id, SONGS).map(|one| json!({"song": song(catalogue, one, true)})),
            ["artists", id] => catalogue.artist_at(id, ARTISTS).map(|one| {
                json!({"artist": {"id": ARTISTS + one.n, "name": one.name, "api_path": format!("/artists/{}", ARTISTS + one.n), "url": format!("https://genius.com/artists/{}", one.n)}})
            }),
            ["artists", id, "songs"] => catalogue.artist_at(id, ARTISTS).map(|one| {
                let all: Vec<&Track> =
                    catalogue.albums_of(one).into_iter().flat_map(|album| catalogue.tracks_of(album)).collect();
                let (per_page, number) = (call.clamped("per_page", 20, 1, 50), call.clamped("page", 1, 1, 10_000));
                let shown = page(&all, (number - 1) * per_page, per_page);
                let songs: Vec<Value> = shown.iter().map(|one| song(catalogue, one, false)).collect();
                json!({"songs": songs, "next_page": (number * per_page < all.len()).then_some(number + 1)})
            }),
            _ => None,
        };
        match response {
            Some(response) => Answer::json(200, &json!({"meta": {"status": 200}, "response": response})),
            None => Answer::json(404, &json!({"meta": {"status": 404, "message": "Not found"}})),
        }
    }
}

fn song(catalogue: &Catalogue, track: &Track, whole: bool) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    let id = SONGS + track.n;
    let mut body = json!({
        "id": id, "title": track.title, "full_title": format!("{} by {}", track.title, artist.name),
        "artist_names": catalogue.credit(track), "api_path": format!("/songs/{id}"), "lyrics_state": "complete",
        "path": format!("/song-{id}-lyrics"), "url": format!("https://genius.com/song-{id}-lyrics"),
        "stats": {"hot": false, "pageviews": track.plays / 3},
        "primary_artist": {"id": ARTISTS + artist.n, "name": artist.name, "api_path": format!("/artists/{}", ARTISTS + artist.n), "url": format!("https://genius.com/artists/{}", artist.n)},
    });
    if whole {
        body["album"] = json!({"id": ALBUMS + album.n, "name": album.title, "full_title": format!("{} by {}", album.title, artist.name)});
        body["release_date"] = json!(album.date);
        body["media"] = json!([]);
    }
    body
}
