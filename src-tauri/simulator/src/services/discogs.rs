//! Discogs: 60 a minute with a token, 25 without, its state in three headers on
//! every answer. Searching needs a token, everything needs a `User-Agent`.

use serde_json::{Value, json};

use super::{Caller, Provider, page};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Query};
use crate::window::{Limit, Refusal, Usage};
use crate::world::{Accept, World};

const ARTISTS: usize = 72_000;
const RELEASES: usize = 8_300_000;
const MASTERS: usize = 96_000;

pub(crate) struct Discogs;

impl Provider for Discogs {
    fn id(&self) -> &'static str {
        "discogs"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(60, 60.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-discogs-token"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        if !call.names_itself(false) {
            return Err(error(403, "You must send a User-Agent that names your application."));
        }
        let header =
            call.authorization("discogs").map(|rest| rest.strip_prefix("token=").unwrap_or_default());
        match header.or(call.param("token")) {
            Some(token) if accept.takes(token) => Ok(Caller::known()),
            Some(_) => {
                Err(error(401, "Invalid consumer token. Please register an app before making requests."))
            }
            None if call.parts().starts_with(&["database", "search"]) => {
                Err(error(401, "You must authenticate to access this resource."))
            }
            None => Ok(Caller::nobody()),
        }
    }

    fn cap(&self, caller: &Caller) -> Option<usize> {
        (!caller.authorised).then_some(25)
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        error(429, "You are making requests too quickly.")
    }

    fn headers(&self, first: &Usage) -> Vec<(&'static str, String)> {
        vec![
            ("x-discogs-ratelimit", first.calls.to_string()),
            ("x-discogs-ratelimit-used", first.used.to_string()),
            ("x-discogs-ratelimit-remaining", first.calls.saturating_sub(first.used).to_string()),
        ]
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let found = match call.parts().as_slice() {
            ["database", "search"] => return search(catalogue, call),
            ["releases", id] => {
                catalogue.album_at(id, RELEASES).map(|one| release(catalogue, call, one)).ok_or("Release")
            }
            ["masters", id] => catalogue
                .album_at(id, MASTERS)
                .map(|one| master(catalogue, call, one))
                .ok_or("Master Release"),
            ["artists", id] => catalogue.artist_at(id, ARTISTS).map(|one| artist(call, one)).ok_or("Artist"),
            ["artists", id, "releases"] => catalogue
                .artist_at(id, ARTISTS)
                .map(|one| {
                    listed(call, "releases", &catalogue.albums_of(one), |album| hit(catalogue, call, album))
                })
                .ok_or("Artist"),
            _ => return error(404, "The requested resource was not found."),
        };
        match found {
            Ok(body) => Answer::json(200, &body),
            Err(what) => error(404, &format!("{what} not found.")),
        }
    }
}

fn error(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({"message": message}))
}

fn search(catalogue: &Catalogue, call: &Call) -> Answer {
    let albums = if let Some(code) = call.param("barcode") {
        catalogue.albums.iter().filter(|album| album.upc == code).collect()
    } else {
        let given = |name| call.param(name).unwrap_or_default();
        let fields =
            [("artist", given("artist")), ("track", given("track")), ("album", given("release_title"))];
        let text = Query::parse(&given("q").replace(" - ", " "));
        catalogue.find_albums(&text.and(&fields))
    };
    Answer::json(200, &listed(call, "results", &albums, |album| hit(catalogue, call, album)))
}

fn listed<T>(call: &Call, name: &str, items: &[T], show: impl Fn(&T) -> Value) -> Value {
    let (per_page, number) = (call.clamped("per_page", 50, 1, 100), call.clamped("page", 1, 1, 10_000));
    let pages = items.len().div_ceil(per_page).max(1);
    let link = |number: usize| {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(call.query.iter().filter(|(key, _)| key != "page" && key != "token"));
        query.append_pair("page", &number.to_string());
        format!("{}{}?{}", call.base, call.path, query.finish())
    };
    let mut urls = json!({});
    if number < pages {
        urls["next"] = json!(link(number + 1));
        urls["last"] = json!(link(pages));
    }
    json!({
        "pagination": {"page": number, "pages": pages, "per_page": per_page, "items": items.len(), "urls": urls},
        name: page(items, (number - 1) * per_page, per_page).iter().map(show).collect::<Vec<_>>(),
    })
}

fn hit(catalogue: &Catalogue, call: &Call, album: &Album) -> Value {
    let artist = catalogue.album_artist(album);
    json!({
        "id": RELEASES + album.n, "type": "release", "title": format!("{} - {}", artist.name, album.title),
        "master_id": MASTERS + album.n, "year": album.year(), "country": artist.country, "format": ["CD", "Album"],
        "label": [album.label], "genre": ["Rock"], "style": artist.genres, "barcode": [album.upc],
        "uri": format!("/release/{}", RELEASES + album.n),
        "resource_url": format!("{}/releases/{}", call.base, RELEASES + album.n),
    })
}

fn artist(call: &Call, artist: &Artist) -> Value {
    let id = ARTISTS + artist.n;
    json!({
        "id": id, "name": artist.name, "resource_url": format!("{}/artists/{id}", call.base), "profile": "Invented.",
        "uri": format!("https://www.discogs.com/artist/{id}"), "releases_url": format!("{}/artists/{id}/releases", call.base),
    })
}

fn tracklist(catalogue: &Catalogue, album: &Album) -> Vec<Value> {
    let time = |ms: u64| format!("{}:{:02}", ms / 60_000, ms / 1_000 % 60);
    catalogue
        .tracks_of(album)
        .iter()
        .map(|one| json!({"position": one.number.to_string(), "type_": "track", "title": one.title, "duration": time(one.duration_ms)}))
        .collect()
}

fn release(catalogue: &Catalogue, call: &Call, album: &Album) -> Value {
    let owner = catalogue.album_artist(album);
    json!({
        "id": RELEASES + album.n, "status": "Accepted", "title": album.title, "year": album.year().parse::<u32>().unwrap_or(0),
        "artists": [artist(call, owner)], "artists_sort": owner.name, "labels": [{"name": album.label}],
        "released": album.date, "country": owner.country, "genres": ["Rock"], "styles": owner.genres,
        "master_id": MASTERS + album.n, "master_url": format!("{}/masters/{}", call.base, MASTERS + album.n),
        "resource_url": format!("{}/releases/{}", call.base, RELEASES + album.n),
        "identifiers": [{"type": "Barcode", "value": album.upc}],
        "community": {"have": 100 + album.n, "want": 40 + album.n, "rating": {"count": 12, "average": 4.1}},
        "uri": format!("https://www.discogs.com/release/{}", RELEASES + album.n),
        "tracklist": tracklist(catalogue, album),
    })
}

fn master(catalogue: &Catalogue, call: &Call, album: &Album) -> Value {
    let owner = catalogue.album_artist(album);
    json!({
        "id": MASTERS + album.n, "main_release": RELEASES + album.n, "title": album.title,
        "main_release_url": format!("{}/releases/{}", call.base, RELEASES + album.n),
        "artists": [artist(call, owner)], "genres": ["Rock"], "styles": owner.genres,
        "year": album.year().parse::<u32>().unwrap_or(0), "tracklist": tracklist(catalogue, album),
    })
}
