//! ListenBrainz: its limit in three headers on every answer, listens per user,
//! metadata and popularity by MBID.

use http::Method;
use serde_json::{Map, Value, json};

use super::{Caller, Provider};
use crate::call::{Answer, Call};
use crate::catalogue::{Catalogue, Track};
use crate::window::{Limit, Refusal, Usage};
use crate::world::{Accept, World, lock};

pub(crate) struct Listenbrainz;

impl Provider for Listenbrainz {
    fn id(&self) -> &'static str {
        "listenbrainz"
    }

    fn windows(&self) -> Vec<Limit> {
        // A little above one a second, as the headers of the real one allow.
        vec![Limit::new(12, 10.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-listenbrainz-token"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        if !call.names_itself(false) {
            return Err(error(403, "A User-Agent that names the application is required."));
        }
        match call.authorization("token") {
            Some(token) if accept.takes(token) => Ok(Caller::known()),
            Some(_) => Err(error(401, "Invalid authorization token.")),
            None => Ok(Caller::nobody()),
        }
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error(
            429,
            "You have exceeded your rate limit. See the X-RateLimit-* response headers for more information on your current rate limit.",
        )
    }

    fn headers(&self, first: &Usage) -> Vec<(&'static str, String)> {
        let reset = first.reset.as_secs() + 1;
        vec![
            ("x-ratelimit-limit", first.calls.to_string()),
            ("x-ratelimit-remaining", first.calls.saturating_sub(first.used).to_string()),
            ("x-ratelimit-reset-in", reset.to_string()),
        ]
    }

    fn answer(&self, world: &World, call: &Call, caller: &Caller) -> Answer {
        let parts = call.parts();
        let ["1", rest @ ..] = parts.as_slice() else {
            return not_found();
        };
        let catalogue = &world.catalogue;
        match (&call.method, rest) {
            (&Method::GET, ["validate-token"]) => Answer::json(
                200,
                &match caller.authorised {
                    true => {
                        json!({"code": 200, "message": "Token valid.", "valid": true, "user_name": caller.user})
                    }
                    false => json!({"code": 200, "message": "Token invalid.", "valid": false}),
                },
            ),
            (&Method::POST, ["submit-listens"]) => submit(world, call, caller),
            (&Method::GET, ["user", user, "listens"]) => listens(world, call, user),
            (&Method::GET, ["user", user, "listen-count"]) => match lock(&world.people).known(user) {
                Some(person) => Answer::json(200, &json!({"payload": {"count": person.listens.len()}})),
                None => error(404, &format!("Cannot find user: {user}")),
            },
            (&Method::GET, ["metadata", "recording"]) => {
                let rows: Map<String, Value> = call
                    .param("recording_mbids")
                    .unwrap_or_default()
                    .split(',')
                    .filter_map(|mbid| {
                        Some((mbid.to_owned(), metadata(catalogue, catalogue.track_by_id(mbid)?)))
                    })
                    .collect();
                Answer::json(200, &rows.into())
            }
            (&Method::GET, ["metadata", "lookup"]) => {
                let given = |name| call.param(name).unwrap_or_default();
                let found = catalogue.track_named(given("artist_name"), given("recording_name"));
                Answer::json(200, &found.map_or_else(|| json!({}), |one| lookup(catalogue, one)))
            }
            (&Method::POST, ["popularity", "recording"]) => popularity(catalogue, call),
            _ => not_found(),
        }
    }
}

fn error(code: u16, message: &str) -> Answer {
    Answer::json(code, &json!({"code": code, "error": message}))
}

fn not_found() -> Answer {
    error(404, "The requested URL was not found on the server.")
}

fn submit(world: &World, call: &Call, caller: &Caller) -> Answer {
    if !caller.authorised {
        return error(401, "You need to provide an Authorization header.");
    }
    let body = call.json().unwrap_or_default();
    let Some(payload) = body["payload"].as_array() else {
        return error(400, "JSON document must contain a payload.");
    };
    let kind = body["listen_type"].as_str().unwrap_or_default();
    if !matches!(kind, "single" | "playing_now" | "import") || (kind != "import" && payload.len() != 1) {
        return error(400, "JSON document requires a valid listen_type key.");
    }
    let complete = |listen: &Value| {
        let track = &listen["track_metadata"];
        track["artist_name"].is_string()
            && track["track_name"].is_string()
            && (kind == "playing_now" || listen["listened_at"].is_i64())
    };
    if !payload.iter().all(complete) {
        return error(400, "JSON document does not contain required track_metadata or listened_at.");
    }
    if kind != "playing_now" {
        let mut people = lock(&world.people);
        let kept = &mut people.named(&caller.user).listens;
        // The same moment and track is the same listen, as on the real one.
        for listen in payload {
            let same = |old: &Value| {
                old["listened_at"] == listen["listened_at"]
                    && old["track_metadata"]["track_name"] == listen["track_metadata"]["track_name"]
            };
            if !kept.iter().any(same) {
                kept.push(listen.clone());
            }
        }
    }
    Answer::json(200, &json!({"status": "ok"}))
}

fn listens(world: &World, call: &Call, user: &str) -> Answer {
    let count = call.clamped("count", 25, 1, 1_000);
    let moment = |name, default| call.param(name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (after, before): (i64, i64) = (moment("min_ts", i64::MIN), moment("max_ts", i64::MAX));
    let people = lock(&world.people);
    let Some(person) = people.known(user) else {
        return error(404, &format!("Cannot find user: {user}"));
    };
    let at = |listen: &Value| listen["listened_at"].as_i64().unwrap_or(0);
    let mut found: Vec<Value> =
        person.listens.iter().filter(|listen| at(listen) > after && at(listen) < before).cloned().collect();
    found.sort_by_key(|listen| std::cmp::Reverse(at(listen)));
    found.truncate(count);
    for listen in &mut found {
        listen["user_name"] = json!(user);
    }
    let latest = person.listens.iter().map(at).max().unwrap_or(0);
    let payload =
        json!({"count": found.len(), "user_id": user, "latest_listen_ts": latest, "listens": found});
    Answer::json(200, &json!({"payload": payload}))
}

fn metadata(catalogue: &Catalogue, track: &Track) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    let tags: Vec<Value> = artist.genres.iter().map(|tag| json!({"tag": tag, "count": 3})).collect();
    json!({
        "recording": {"name": track.title, "length": track.duration_ms, "isrcs": [track.isrc]},
        "artist": {"name": artist.name, "artists": [{"name": artist.name, "artist_mbid": artist.mbid}]},
        "release": {"name": album.title, "mbid": album.mbid, "year": album.year().parse::<u32>().ok()},
        "tag": {"artist": tags, "recording": []},
    })
}

fn lookup(catalogue: &Catalogue, track: &Track) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    json!({
        "artist_credit_name": artist.name, "artist_mbids": [artist.mbid], "recording_mbid": track.mbid,
        "recording_name": track.title, "release_mbid": album.mbid, "release_name": album.title,
    })
}

fn popularity(catalogue: &Catalogue, call: &Call) -> Answer {
    let body = call.json().unwrap_or_default();
    let Some(mbids) = body["recording_mbids"].as_array() else {
        return error(
            400,
            "recording_mbids JSON element must be present and must be a list of recording_mbids",
        );
    };
    let rows = mbids.iter().filter_map(Value::as_str).map(|mbid| {
        let plays = catalogue.track_by_id(mbid).map(|track| track.plays / 100);
        json!({"recording_mbid": mbid, "total_listen_count": plays, "total_user_count": plays.map(|plays| plays / 9)})
    });
    Answer::json(200, &rows.collect())
}
