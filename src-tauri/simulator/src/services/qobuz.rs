//! Qobuz' partner API: an application id on every call, a user token beside it.

use serde_json::{Value, json};

use super::{Caller, Provider, page};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World};

const ARTISTS: usize = 36_000;
const TRACKS: usize = 52_000_000;

pub(crate) struct Qobuz;

impl Provider for Qobuz {
    fn id(&self) -> &'static str {
        "qobuz"
    }

    fn windows(&self) -> Vec<Limit> {
        // Unpublished.
        vec![Limit::new(75, 60.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-qobuz-app", "test-qobuz-token"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        let app = call.header("x-app-id").or(call.param("app_id")).unwrap_or_default();
        let token = call.header("x-user-auth-token").or(call.param("user_auth_token")).unwrap_or_default();
        if !accept.takes(app) {
            return Err(error(400, "Invalid or missing app_id parameter."));
        }
        if !accept.takes(token) {
            return Err(error(401, "User authentication is required."));
        }
        Ok(Caller::known())
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error(429, "Too many requests")
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let parts = call.parts();
        let ["api.json", "0.2", rest @ ..] = parts.as_slice() else {
            return Answer::text(404, "text/html", "<html><body>Not Found</body></html>");
        };
        let id =
            call.param("track_id").or(call.param("album_id")).or(call.param("artist_id")).unwrap_or_default();
        let text = call.param("query").unwrap_or_default();
        let query = Query::parse(text);
        let found = match rest {
            ["track", "search"] => {
                let hits = catalogue.find_tracks(&query);
                Some(json!({"query": text, "tracks": list(call, &hits, |one| track(catalogue, one))}))
            }
            ["album", "search"] => {
                let hits = catalogue.find_albums(&query);
                Some(json!({"query": text, "albums": list(call, &hits, |one| album(catalogue, one, false))}))
            }
            ["track", "get"] => catalogue.track_at(id, TRACKS).map(|one| track(catalogue, one)),
            ["album", "get"] => {
                catalogue.albums.iter().find(|album| album.upc == id).map(|one| album(catalogue, one, true))
            }
            ["artist", "get"] => catalogue.artist_at(id, ARTISTS).map(artist),
            _ => None,
        };
        found.map_or_else(|| error(404, "No result matching given argument"), |body| Answer::json(200, &body))
    }
}

fn error(code: u16, message: &str) -> Answer {
    Answer::json(code, &json!({"status": "error", "code": code, "message": message}))
}

fn list<T>(call: &Call, items: &[T], show: impl Fn(&T) -> Value) -> Value {
    let (limit, offset) = (call.clamped("limit", 50, 1, 500), call.clamped("offset", 0, 0, 100_000));
    json!({
        "limit": limit, "offset": offset, "total": items.len(),
        "items": page(items, offset, limit).iter().map(show).collect::<Vec<_>>(),
    })
}

fn artist(artist: &Artist) -> Value {
    json!({"id": ARTISTS + artist.n, "name": artist.name, "albums_count": artist.albums.len()})
}

fn album(catalogue: &Catalogue, album: &Album, whole: bool) -> Value {
    let owner = catalogue.album_artist(album);
    let tracks = catalogue.tracks_of(album);
    let mut body = json!({
        "id": album.upc, "title": album.title, "upc": album.upc, "artist": artist(owner),
        "label": {"name": album.label}, "genre": {"name": owner.genres.first()}, "release_date_original": album.date,
        "tracks_count": tracks.len(), "duration": tracks.iter().map(|one| one.duration_ms / 1_000).sum::<u64>(),
        "url": format!("https://www.qobuz.com/us-en/album/{}", album.upc), "hires": true,
    });
    if whole {
        body["tracks"] = json!({"offset": 0, "limit": 50, "total": tracks.len(), "items": tracks.iter().map(|one| track(catalogue, one)).collect::<Vec<_>>()});
    }
    body
}

fn track(catalogue: &Catalogue, track: &Track) -> Value {
    json!({
        "id": TRACKS + track.n, "title": track.bare_title, "version": track.version, "isrc": track.isrc,
        "duration": track.duration_ms / 1_000, "track_number": track.number, "media_number": 1,
        "parental_warning": track.explicit, "performer": artist(catalogue.artist_of(track)),
        "album": album(catalogue, catalogue.album_of(track), false), "streamable": true,
    })
}
