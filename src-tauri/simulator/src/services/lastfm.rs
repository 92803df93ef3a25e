//! Last.fm's API 2.0: one path, a `method` parameter, errors by number.
//!
//! Error 6 (not found) and 29 (rate limit) come inside a 200, the case that is
//! easiest to mistake for an answer; a bad key is 403.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Value, json};

use super::{Caller, Provider, page, xml};
use crate::call::{Answer, Call};
use crate::catalogue::{Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World, lock};

pub(crate) struct Lastfm;

impl Provider for Lastfm {
    fn id(&self) -> &'static str {
        "lastfm"
    }

    fn windows(&self) -> Vec<Limit> {
        // Five a second, averaged over five minutes.
        vec![Limit::new(1_500, 300.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-lastfm-key"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        let fields = Fields::of(call);
        match fields.get("api_key") {
            "" => Err(error(403, 10, "Invalid API key - You must be granted a valid key by last.fm")),
            key if accept.takes(key) => Ok(Caller::known()),
            _ => Err(error(403, 10, "Invalid API key - You must be granted a valid key by last.fm")),
        }
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error(200, 29, "Rate Limit Exceeded - This application has made too many requests in a short period")
    }

    /// XML, unless JSON is asked for.
    fn worded(&self, call: &Call, answer: Answer) -> Answer {
        let asks_for_json = Fields::of(call).get("format") == "json";
        let Some(body) = answer.body_as_json().filter(|_| !asks_for_json) else { return answer };
        answer.reworded("text/xml; charset=UTF-8", xml::lastfm(&body))
    }

    fn answer(&self, world: &World, call: &Call, caller: &Caller) -> Answer {
        if call.parts().as_slice() != ["2.0"] {
            return Answer::text(404, "text/html", "<html><body>Not Found</body></html>");
        }
        let fields = Fields::of(call);
        let catalogue = &world.catalogue;
        match fields.get("method").to_ascii_lowercase().as_str() {
            "track.getinfo" => {
                found(fields.track(catalogue).map(|one| json!({"track": track(catalogue, one)})), "Track")
            }
            "artist.getinfo" => {
                found(fields.artist(catalogue).map(|one| json!({"artist": artist(one)})), "Artist")
            }
            "album.getinfo" => found(album(catalogue, &fields), "Album"),
            "track.gettoptags" => found(
                fields.track(catalogue).map(|one| json!({"toptags": tags(catalogue.artist_of(one))})),
                "Track",
            ),
            "track.search" => Answer::json(200, &search(catalogue, &fields)),
            "auth.gettoken" => Answer::json(200, &json!({"token": "stand-in-token"})),
            "auth.getsession" | "auth.getmobilesession" => signed(
                &fields,
                || json!({"session": {"name": caller.user, "key": "test-lastfm-session", "subscriber": 0}}),
            ),
            "track.updatenowplaying" => {
                write(call, &fields, || json!({"nowplaying": {"ignoredMessage": {"code": "0", "#text": ""}}}))
            }
            "track.scrobble" => write(call, &fields, || {
                let accepted = fields.scrobbles();
                let count = accepted.len();
                lock(&world.people).named(&caller.user).scrobbles.extend(accepted);
                json!({"scrobbles": {"@attr": {"accepted": count, "ignored": 0}}})
            }),
            "user.getrecenttracks" => recent(world, caller),
            _ => error(400, 3, "Invalid Method - No method with that name in this package"),
        }
    }
}

fn error(status: u16, code: u32, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message, "error": code}))
}

fn found(body: Option<Value>, what: &str) -> Answer {
    match body {
        Some(body) => Answer::json(200, &body),
        None => error(200, 6, &format!("{what} not found")),
    }
}

fn signed(fields: &Fields, body: impl FnOnce() -> Value) -> Answer {
    let signature = fields.get("api_sig");
    if signature.len() != 32 || !signature.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return error(403, 13, "Invalid method signature supplied");
    }
    Answer::json(200, &body())
}

fn write(call: &Call, fields: &Fields, body: impl FnOnce() -> Value) -> Answer {
    if call.method != Method::POST {
        return error(400, 4, "This method requires POST");
    }
    if fields.get("sk").is_empty() {
        return error(403, 9, "Invalid session key - Please re-authenticate");
    }
    signed(fields, body)
}

/// Parameters of the query, then of the form.
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn of(call: &Call) -> Self {
        Self(call.form().into_iter().chain(call.query.clone()).collect())
    }

    fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    fn track<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Track> {
        catalogue
            .track_by_id(self.get("mbid"))
            .or_else(|| catalogue.track_named(self.get("artist"), self.get("track")))
    }

    fn artist<'c>(&self, catalogue: &'c Catalogue) -> Option<&'c Artist> {
        catalogue.artist_by_id(self.get("mbid")).or_else(|| catalogue.artist_named(self.get("artist")))
    }

    /// `artist[0]`, `track[0]`, … as separate maps; without an index there is one.
    fn scrobbles(&self) -> Vec<BTreeMap<String, String>> {
        let mut rows = BTreeMap::<u32, BTreeMap<String, String>>::new();
        for (key, value) in &self.0 {
            let (name, n) = match key.split_once('[') {
                Some((name, rest)) => (name, rest.trim_end_matches(']').parse().unwrap_or(0)),
                None => (key.as_str(), 0),
            };
            if matches!(name, "artist" | "track" | "album" | "timestamp" | "duration" | "mbid") {
                rows.entry(n).or_default().insert(name.to_owned(), value.clone());
            }
        }
        rows.into_values()
            .filter(|row| row.contains_key("artist") && row.contains_key("track"))
            .take(50)
            .collect()
    }
}

fn tags(artist: &Artist) -> Value {
    let tags: Vec<Value> = artist
        .genres
        .iter()
        .map(|name| json!({"name": name, "url": format!("https://www.last.fm/tag/{}", name.replace(' ', "+"))}))
        .collect();
    json!({"tag": tags})
}

fn artist(artist: &Artist) -> Value {
    json!({
        "name": artist.name, "mbid": artist.mbid, "url": format!("https://www.last.fm/music/{}", artist.n),
        "stats": {"listeners": (1_000 + artist.n * 991).to_string(), "playcount": (20_000 + artist.n * 9_973).to_string()},
        "tags": tags(artist), "bio": {"summary": "Invented.", "content": "Invented."},
    })
}

fn track(catalogue: &Catalogue, track: &Track) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    json!({
        "name": track.title, "mbid": track.mbid, "duration": track.duration_ms.to_string(),
        "url": format!("https://www.last.fm/music/{}/_/{}", artist.n, track.n),
        "listeners": (track.plays / 7).to_string(), "playcount": track.plays.to_string(),
        "artist": {"name": artist.name, "mbid": artist.mbid, "url": format!("https://www.last.fm/music/{}", artist.n)},
        "album": {"artist": artist.name, "title": album.title, "mbid": album.mbid, "@attr": {"position": track.number.to_string()}},
        "toptags": tags(artist),
    })
}

fn album(catalogue: &Catalogue, fields: &Fields) -> Option<Value> {
    let found = catalogue.album_by_id(fields.get("mbid")).or_else(|| {
        let artist = fields.artist(catalogue)?;
        let wanted = crate::catalogue::fold(fields.get("album"));
        catalogue.albums_of(artist).into_iter().find(|album| crate::catalogue::fold(&album.title) == wanted)
    })?;
    let artist = catalogue.album_artist(found);
    let tracks: Vec<Value> = catalogue
        .tracks_of(found)
        .iter()
        .map(|one| json!({"name": one.title, "duration": one.duration_ms / 1_000, "@attr": {"rank": one.number}}))
        .collect();
    Some(json!({"album": {
        "name": found.title, "artist": artist.name, "mbid": found.mbid, "listeners": "1234", "playcount": "56789",
        "url": format!("https://www.last.fm/music/{}/{}", artist.n, found.n),
        "tracks": {"track": tracks}, "tags": tags(artist),
    }}))
}

fn search(catalogue: &Catalogue, fields: &Fields) -> Value {
    let query = Query::of(&[("track", fields.get("track")), ("artist", fields.get("artist"))]);
    let hits = catalogue.find_tracks(&query);
    let limit = fields.get("limit").parse().unwrap_or(30usize).clamp(1, 1_000);
    let number = fields.get("page").parse().unwrap_or(1usize).max(1);
    let shown: Vec<Value> = page(&hits, (number - 1).saturating_mul(limit), limit)
        .iter()
        .map(|one| {
            json!({
                "name": one.title, "artist": catalogue.artist_of(one).name, "mbid": one.mbid,
                "url": format!("https://www.last.fm/music/_/{}", one.n), "listeners": (one.plays / 7).to_string(),
            })
        })
        .collect();
    json!({"results": {
        "opensearch:totalResults": hits.len().to_string(), "opensearch:startIndex": ((number - 1).saturating_mul(limit)).to_string(),
        "opensearch:itemsPerPage": limit.to_string(), "trackmatches": {"track": shown}, "@attr": {},
    }})
}

fn recent(world: &World, caller: &Caller) -> Answer {
    let mut people = lock(&world.people);
    let rows: Vec<Value> = people
        .named(&caller.user)
        .scrobbles
        .iter()
        .rev()
        .map(|row| {
            json!({
                "artist": {"#text": row.get("artist")}, "name": row.get("track"),
                "album": {"#text": row.get("album")}, "date": {"uts": row.get("timestamp")},
            })
        })
        .collect();
    let total = rows.len().to_string();
    Answer::json(
        200,
        &json!({"recenttracks": {"track": rows, "@attr": {"user": caller.user, "total": total}}}),
    )
}
