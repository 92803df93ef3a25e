//! What Spotify shows of a user: profile, player, history, playlists, library.

use http::Method;
use serde_json::{Value, json};

use super::spotify::{error, paged, track};
use super::{Caller, iso};
use crate::call::{Answer, Call};
use crate::listener::{Repeat, View};
use crate::people::Playlist;
use crate::world::{World, lock};

/// Answers `/v1/me…` and `/v1/playlists…`; `parts` follow `v1`.
pub(super) fn answer(world: &World, call: &Call, parts: &[&str], caller: &Caller) -> Answer {
    let method = &call.method;
    match parts {
        ["me"] => Answer::json(200, &profile(&caller.user)),
        ["me", "player"] | ["me", "player", "currently-playing"] => {
            player(world, call, caller, parts.len() == 2)
        }
        ["me", "player", "recently-played"] => recently_played(world, call, caller),
        ["me", "playlists"] if method == Method::POST => create_playlist(world, call, caller),
        ["me", "playlists"] => {
            let lists = lock(&world.people).named(&caller.user).playlists.clone();
            paged(call, &lists, 20, 50, |list| playlist(world, call, &caller.user, list, false))
        }
        ["me", "library", rest @ ..] => library(world, call, caller, rest),
        ["me", kind @ ("tracks" | "albums")] if method == Method::GET => saved(world, call, caller, kind),
        ["playlists", id] => with_playlist(world, id, |owner, list| {
            Answer::json(200, &playlist(world, call, owner, list, true))
        }),
        ["playlists", id, "items"] => items(world, call, caller, id),
        // Moved to `/items` in February 2026.
        ["playlists", _, "tracks"] => error(403, "Forbidden"),
        _ => error(404, "Service not found"),
    }
}

fn profile(user: &str) -> Value {
    json!({
        "display_name": user, "external_urls": {"spotify": format!("https://open.spotify.com/user/{user}")},
        "id": user, "images": [], "type": "user", "uri": format!("spotify:user:{user}"), "product": "premium",
    })
}

fn player(world: &World, call: &Call, caller: &Caller, whole: bool) -> Answer {
    let view = lock(&world.people).named(&caller.user).listener_at(call.at_ms).view();
    let Some(view) = view else {
        return Answer::empty(204);
    };
    let View { song, progress_ms, playing, changed_ms, device, repeat, kind } = view;
    let item = world.catalogue.track_by_id(&song.id).filter(|_| kind == "track");
    let context = item.map(|item| {
        let album = world.catalogue.album_of(item);
        json!({
            "type": "album", "uri": format!("spotify:album:{}", album.spotify),
            "href": format!("{}/v1/albums/{}", call.base, album.spotify),
            "external_urls": {"spotify": format!("https://open.spotify.com/album/{}", album.spotify)},
        })
    });
    let mut body = json!({
        "timestamp": changed_ms, "context": context, "progress_ms": progress_ms,
        "item": item.map(|item| track(&world.catalogue, call, item)),
        "currently_playing_type": kind, "is_playing": playing,
        "actions": {"disallows": if playing { json!({"resuming": true}) } else { json!({"pausing": true}) }},
    });
    if whole {
        body["device"] = json!({
            "id": format!("{:0>40}", device.to_lowercase().replace(' ', "")), "is_active": true,
            "is_private_session": false, "is_restricted": false, "name": device, "type": "Computer",
            "volume_percent": 70, "supports_volume": true,
        });
        body["repeat_state"] = json!(if repeat == Repeat::Track { "track" } else { "off" });
        body["shuffle_state"] = json!(false);
        body["smart_shuffle"] = json!(false);
    }
    Answer::json(200, &body)
}

fn recently_played(world: &World, call: &Call, caller: &Caller) -> Answer {
    let Some(limit) = call.number("limit", 20, 1, 50) else {
        return error(400, "Invalid limit");
    };
    if call.param("after").is_some() && call.param("before").is_some() {
        return error(400, "Only one of after and before can be given");
    }
    let moment = |name| call.param(name).map(|text| text.parse::<i64>());
    let (Ok(after), Ok(before)) = (moment("after").transpose(), moment("before").transpose()) else {
        return error(400, "Invalid timestamp");
    };
    let mut rows = lock(&world.people).named(&caller.user).listener_at(call.at_ms).history();
    rows.retain(|(_, at)| after.is_none_or(|after| *at > after) && before.is_none_or(|before| *at < before));
    // Fifty rows is all the provider keeps.
    rows.truncate(50);
    let more = rows.len() > limit;
    rows.truncate(limit);
    let cursors = rows
        .first()
        .zip(rows.last())
        .map(|((_, newest), (_, oldest))| json!({"after": newest.to_string(), "before": oldest.to_string()}));
    let next = rows.last().filter(|_| more).map(|(_, oldest)| {
        format!("{}/v1/me/player/recently-played?before={oldest}&limit={limit}", call.base)
    });
    let items: Vec<Value> = rows
        .iter()
        .filter_map(|(heard, at)| {
            let item = world.catalogue.track_by_id(&heard.track_id)?;
            Some(
                json!({"track": track(&world.catalogue, call, item), "played_at": iso(*at), "context": null}),
            )
        })
        .collect();
    Answer::json(
        200,
        &json!({
            "items": items, "next": next, "cursors": cursors, "limit": limit,
            "href": format!("{}/v1/me/player/recently-played?limit={limit}", call.base),
        }),
    )
}

fn create_playlist(world: &World, call: &Call, caller: &Caller) -> Answer {
    let body = call.json().unwrap_or_default();
    let Some(name) = body["name"].as_str().filter(|name| !name.is_empty()) else {
        return error(400, "Missing required field: name");
    };
    let mut people = lock(&world.people);
    let list = Playlist {
        id: people.new_id(),
        name: name.to_owned(),
        description: body["description"].as_str().unwrap_or_default().to_owned(),
        public: body["public"].as_bool().unwrap_or(true),
        items: Vec::new(),
        snapshot: people.new_id(),
    };
    let shown = playlist(world, call, &caller.user, &list, true);
    people.named(&caller.user).playlists.insert(0, list);
    Answer::json(201, &shown)
}

fn playlist(world: &World, call: &Call, owner: &str, list: &Playlist, whole: bool) -> Value {
    let href = format!("{}/v1/playlists/{}/items", call.base, list.id);
    let mut items = json!({"href": href, "total": list.items.len()});
    if whole {
        items["items"] = list.items.iter().map(|item| playlist_item(world, call, owner, item)).collect();
    }
    json!({
        "collaborative": false, "description": list.description, "id": list.id, "images": [], "name": list.name,
        "external_urls": {"spotify": format!("https://open.spotify.com/playlist/{}", list.id)},
        "href": format!("{}/v1/playlists/{}", call.base, list.id),
        "owner": {"id": owner, "display_name": owner, "type": "user", "uri": format!("spotify:user:{owner}")},
        "public": list.public, "snapshot_id": list.snapshot, "items": items, "type": "playlist",
        "uri": format!("spotify:playlist:{}", list.id),
    })
}

fn playlist_item(world: &World, call: &Call, owner: &str, (uri, added): &(String, i64)) -> Value {
    let item = uri.strip_prefix("spotify:track:").and_then(|id| world.catalogue.track_by_id(id));
    json!({
        "added_at": iso(*added), "added_by": {"id": owner, "type": "user"}, "is_local": false,
        "item": item.map(|item| track(&world.catalogue, call, item)),
    })
}

fn with_playlist(world: &World, id: &str, act: impl FnOnce(&str, &mut Playlist) -> Answer) -> Answer {
    match lock(&world.people).playlist(id) {
        Some((owner, list)) => act(&owner, list),
        None => error(404, "Resource not found"),
    }
}

/// `GET` lists, `POST` adds at `position` or the end, `PUT` replaces, `DELETE` takes out.
fn items(world: &World, call: &Call, caller: &Caller, id: &str) -> Answer {
    if call.method == Method::GET {
        return with_playlist(world, id, |owner, list| {
            paged(call, &list.items, 20, 50, |item| playlist_item(world, call, owner, item))
        });
    }
    let body = call.json().unwrap_or_default();
    let uris: Vec<String> = match (call.param("uris"), &body["uris"], &body["items"]) {
        (Some(uris), _, _) => uris.split(',').map(str::to_owned).collect(),
        (_, Value::Array(uris), _) => uris.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        (_, _, Value::Array(items)) => {
            items.iter().filter_map(|item| item["uri"].as_str()).map(str::to_owned).collect()
        }
        _ => return error(400, "No uris provided"),
    };
    if uris.len() > 100 {
        return error(400, "Too many ids requested");
    }
    if let Some(unknown) = uris.iter().find(|uri| {
        uri.strip_prefix("spotify:track:").and_then(|id| world.catalogue.track_by_id(id)).is_none()
    }) {
        return error(400, &format!("Invalid track uri: {unknown}"));
    }
    let snapshot = lock(&world.people).new_id();
    with_playlist(world, id, |owner, list| {
        if owner != caller.user {
            return error(403, "You cannot edit a playlist you don't own.");
        }
        let new = uris.iter().map(|uri| (uri.clone(), call.at_ms));
        if call.method == Method::POST {
            let position = body["position"].as_u64().and_then(|at| usize::try_from(at).ok());
            let at = position.unwrap_or(list.items.len()).min(list.items.len());
            list.items.splice(at..at, new);
        } else if call.method == Method::PUT {
            list.items = new.collect();
        } else {
            list.items.retain(|(uri, _)| !uris.contains(uri));
        }
        list.snapshot.clone_from(&snapshot);
        let status = if call.method == Method::POST { 201 } else { 200 };
        Answer::json(status, &json!({"snapshot_id": snapshot}))
    })
}

/// `PUT` and `DELETE /me/library?uris=…`, `GET /me/library/contains?uris=…`.
fn library(world: &World, call: &Call, caller: &Caller, rest: &[&str]) -> Answer {
    let body = call.json().unwrap_or_default();
    let uris: Vec<String> = match (call.param("uris"), &body["uris"]) {
        (Some(uris), _) => uris.split(',').map(str::to_owned).collect(),
        (_, Value::Array(uris)) => uris.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => return error(400, "No uris provided"),
    };
    let mut people = lock(&world.people);
    let saved = &mut people.named(&caller.user).saved;
    match (&call.method, rest) {
        (&Method::GET, ["contains"]) => {
            Answer::json(200, &uris.iter().map(|uri| saved.contains_key(uri)).collect())
        }
        (&Method::PUT, []) => {
            saved.extend(uris.into_iter().map(|uri| (uri, call.at_ms)));
            Answer::empty(200)
        }
        (&Method::DELETE, []) => {
            saved.retain(|uri, _| !uris.contains(uri));
            Answer::empty(200)
        }
        _ => error(404, "Service not found"),
    }
}

fn saved(world: &World, call: &Call, caller: &Caller, kind: &str) -> Answer {
    let prefix = format!("spotify:{}:", kind.trim_end_matches('s'));
    let mut uris: Vec<(String, i64)> = {
        let mut people = lock(&world.people);
        let saved = &people.named(&caller.user).saved;
        saved.iter().filter(|(uri, _)| uri.starts_with(&prefix)).map(|(uri, at)| (uri.clone(), *at)).collect()
    };
    uris.sort_by_key(|(_, at)| std::cmp::Reverse(*at));
    paged(call, &uris, 20, 50, |(uri, at)| {
        let item = uri.strip_prefix(&prefix).and_then(|id| world.catalogue.track_by_id(id));
        json!({"added_at": iso(*at), "track": item.map(|item| track(&world.catalogue, call, item))})
    })
}
