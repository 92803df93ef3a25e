//! Spotify's Web API in development mode, autumn 2026: catalogue and search.
//! What belongs to a user is in `spotify_user.rs`.
//!
//! Gone in February 2026 and therefore 403 here: batch lookups, new releases,
//! categories, artist top tracks; search pages are at most 10 long; no
//! popularity, followers, markets or labels.

use http::Method;
use serde_json::{Value, json};

use super::{Caller, Provider, page, spotify_user};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query, Track};
use crate::window::{Limit, Refusal, RefusalKind};
use crate::world::{Accept, World, lock};

pub(crate) struct Spotify;

impl Provider for Spotify {
    fn id(&self) -> &'static str {
        "spotify"
    }

    fn windows(&self) -> Vec<Limit> {
        // Unpublished; reports lie around this.
        vec![Limit::new(180, 30.0)]
    }

    fn quota(&self) -> Option<Limit> {
        Some(Limit::new(1_200, 86_400.0))
    }

    fn bans(&self) -> bool {
        true
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-spotify-token"]
    }

    fn gate(&self, world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        let token = call.authorization("bearer").ok_or_else(|| error(401, "No token provided"))?;
        match lock(&world.oauth).user_of(token, world.clock.elapsed()) {
            Ok(user) if !user.is_empty() => Ok(Caller::named(user)),
            Err(true) => Err(error(401, "The access token expired")),
            _ if accept.takes(token) => Ok(Caller::known()),
            _ => Err(error(401, "Invalid access token")),
        }
    }

    fn refusal(&self, refusal: &Refusal) -> Answer {
        let body = match refusal.kind {
            RefusalKind::Rate => {
                json!({"error": {"status": 429, "message": "API rate limit exceeded"}})
            }
            RefusalKind::Quota => {
                json!({"error": {"status": 429, "reason": "QUOTA_EXCEEDED", "message": "Quota exceeded"}})
            }
        };
        Answer::json(429, &body).with("retry-after", refusal.seconds())
    }

    fn answer(&self, world: &World, call: &Call, caller: &Caller) -> Answer {
        let parts = call.parts();
        let Some(("v1", rest)) = parts.split_first().map(|(first, rest)| (*first, rest)) else {
            return error(404, "Service not found");
        };
        match rest {
            ["me", ..] | ["playlists", ..] => spotify_user::answer(world, call, rest, caller),
            _ if call.method != Method::GET => error(405, "Method not allowed"),
            ["search"] => search(&world.catalogue, call),
            ["tracks" | "albums" | "artists"]
            | ["browse", ..]
            | ["artists", _, "top-tracks"]
            | ["markets"] => error(403, "Forbidden"),
            ["recommendations" | "audio-features", ..] | ["artists", _, "related-artists"] => {
                error(404, "Not found.")
            }
            [kind @ ("tracks" | "albums" | "artists"), id, sub @ ..] => {
                lookup(&world.catalogue, call, kind, id, sub)
            }
            _ => error(404, "Service not found"),
        }
    }
}

/// Spotify's error object.
pub(super) fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"error": {"status": status, "message": message}}))
}

fn lookup(catalogue: &Catalogue, call: &Call, kind: &str, id: &str, sub: &[&str]) -> Answer {
    if id.len() != 22 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return error(400, "Invalid base62 id");
    }
    let found = match (kind, sub) {
        ("tracks", []) => {
            catalogue.track_by_id(id).map(|found| Answer::json(200, &track(catalogue, call, found)))
        }
        ("artists", []) => catalogue.artist_by_id(id).map(|found| Answer::json(200, &artist(call, found))),
        ("albums", []) => {
            catalogue.album_by_id(id).map(|found| Answer::json(200, &full_album(catalogue, call, found)))
        }
        ("albums", ["tracks"]) => catalogue.album_by_id(id).map(|found| {
            let tracks = catalogue.tracks_of(found);
            paged(call, &tracks, 20, 50, |one| simple_track(catalogue, call, one))
        }),
        ("artists", ["albums"]) => catalogue.artist_by_id(id).map(|found| {
            let groups =
                call.param("include_groups").unwrap_or("album,single,compilation,appears_on").to_owned();
            let mut albums = catalogue.albums_of(found);
            albums.retain(|album| groups.split(',').any(|group| group == album.kind));
            paged(call, &albums, 5, 10, |one| simple_album(catalogue, call, one))
        }),
        _ => None,
    };
    found.unwrap_or_else(|| error(404, "Resource not found"))
}

fn search(catalogue: &Catalogue, call: &Call) -> Answer {
    let Some(text) = call.param("q") else {
        return error(400, "No search query");
    };
    let Some(types) = call.param("type") else {
        return error(400, "Missing parameter type");
    };
    let query = Query::parse(text);
    let mut answer = json!({});
    for kind in types.split(',') {
        let page = match kind {
            "track" => {
                let found = catalogue.find_tracks(&query);
                page_of(call, &found, 5, 10, |one| track(catalogue, call, one))
            }
            "album" => {
                let found = catalogue.find_albums(&query);
                page_of(call, &found, 5, 10, |one| simple_album(catalogue, call, one))
            }
            "artist" => {
                let found = catalogue.find_artists(&query);
                page_of(call, &found, 5, 10, |one| artist(call, one))
            }
            "playlist" | "show" | "episode" | "audiobook" => {
                page_of(call, &[], 5, 10, |_: &Value| Value::Null)
            }
            _ => return error(400, "Bad search type field"),
        };
        match page {
            Ok(page) => answer[format!("{kind}s")] = page,
            Err(wrong) => return wrong,
        }
    }
    Answer::json(200, &answer)
}

/// A paging object as the whole answer.
pub(super) fn paged<T>(
    call: &Call,
    items: &[T],
    default: usize,
    most: usize,
    show: impl Fn(&T) -> Value,
) -> Answer {
    page_of(call, items, default, most, show).map_or_else(|wrong| wrong, |page| Answer::json(200, &page))
}

/// A paging object with absolute links to this server.
fn page_of<T>(
    call: &Call,
    items: &[T],
    default: usize,
    most: usize,
    show: impl Fn(&T) -> Value,
) -> Result<Value, Answer> {
    let limit = call.number("limit", default, 1, most).ok_or_else(|| error(400, "Invalid limit"))?;
    let offset = call.number("offset", 0, 0, 100_000).ok_or_else(|| error(400, "Invalid offset"))?;
    let link = |offset: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(key, _)| key != "limit" && key != "offset"));
        query.append_pair("offset", &offset.to_string()).append_pair("limit", &limit.to_string());
        format!("{}{}?{}", call.base, call.path, query.finish())
    };
    Ok(json!({
        "href": link(offset),
        "items": page(items, offset, limit).iter().map(show).collect::<Vec<_>>(),
        "limit": limit,
        "next": (offset + limit < items.len()).then(|| link(offset + limit)),
        "offset": offset,
        "previous": (offset > 0).then(|| link(offset.saturating_sub(limit))),
        "total": items.len(),
    }))
}

fn links(call: &Call, kind: &str, id: &str) -> Value {
    json!({
        "external_urls": {"spotify": format!("https://open.spotify.com/{kind}/{id}")},
        "href": format!("{}/v1/{kind}s/{id}", call.base),
        "id": id, "type": kind, "uri": format!("spotify:{kind}:{id}"),
    })
}

fn merged(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

fn simple_artist(call: &Call, artist: &Artist) -> Value {
    merged(links(call, "artist", &artist.spotify), json!({"name": artist.name}))
}

fn artist(call: &Call, artist: &Artist) -> Value {
    merged(simple_artist(call, artist), json!({"genres": artist.genres, "images": images(&artist.spotify)}))
}

fn images(id: &str) -> Value {
    let image = |size: u32| json!({"url": format!("https://i.scdn.co/image/{id}{size}"), "height": size, "width": size});
    json!([image(640), image(300), image(64)])
}

fn simple_album(catalogue: &Catalogue, call: &Call, album: &Album) -> Value {
    merged(
        links(call, "album", &album.spotify),
        json!({
            "album_type": album.kind, "total_tracks": album.tracks.len(), "name": album.title,
            "images": images(&album.spotify), "release_date": album.date, "release_date_precision": "day",
            "artists": [simple_artist(call, catalogue.album_artist(album))],
        }),
    )
}

fn full_album(catalogue: &Catalogue, call: &Call, album: &Album) -> Value {
    let tracks = catalogue.tracks_of(album);
    let href = format!("{}/v1/albums/{}/tracks?offset=0&limit=50", call.base, album.spotify);
    merged(
        simple_album(catalogue, call, album),
        json!({
            "external_ids": {"upc": album.upc},
            "copyrights": [{"text": format!("{} {}", album.year(), album.label), "type": "C"}],
            "genres": [],
            "tracks": {
                "href": href, "limit": 50, "next": null, "offset": 0, "previous": null, "total": tracks.len(),
                "items": tracks.iter().map(|one| simple_track(catalogue, call, one)).collect::<Vec<_>>(),
            },
        }),
    )
}

fn simple_track(catalogue: &Catalogue, call: &Call, track: &Track) -> Value {
    let artists: Vec<Value> = track
        .artists
        .iter()
        .filter_map(|n| catalogue.artists.get(*n))
        .map(|one| simple_artist(call, one))
        .collect();
    merged(
        links(call, "track", &track.spotify),
        json!({
            "artists": artists, "disc_number": 1, "duration_ms": track.duration_ms, "explicit": track.explicit,
            "is_local": false, "is_playable": true, "name": track.title, "track_number": track.number,
        }),
    )
}

/// The full track object.
pub(super) fn track(catalogue: &Catalogue, call: &Call, track: &Track) -> Value {
    merged(
        simple_track(catalogue, call, track),
        json!({
            "album": simple_album(catalogue, call, catalogue.album_of(track)),
            "external_ids": {"isrc": track.isrc},
        }),
    )
}
