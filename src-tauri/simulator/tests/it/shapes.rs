//! Each provider's answer, not-found, refusal and credential check.

use headroom_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Got, encode, get, send};

/// A good call to each service: path and headers.
fn good(
    simulator: &Simulator,
    service: &str,
    title: &str,
    artist: &str,
    isrc: &str,
) -> (String, Vec<(&'static str, String)>) {
    let key = simulator.credential(service).unwrap_or_default();
    let (t, a) = (encode(title), encode(artist));
    let both = encode(&format!("{artist} {title}"));
    let bearer = vec![("authorization", format!("Bearer {key}"))];
    match service {
        "spotify" => (format!("/v1/search?q=isrc%3A{isrc}&type=track&limit=5"), bearer),
        "itunes" => (format!("/search?term={both}&entity=song"), vec![]),
        "deezer" => (format!("/track/isrc:{isrc}"), vec![]),
        "lastfm" => {
            (format!("/2.0/?method=track.getInfo&artist={a}&track={t}&api_key={key}&format=json"), vec![])
        }
        "genius" => (format!("/search?q={both}"), bearer),
        "musicbrainz" => (format!("/ws/2/isrc/{isrc}?fmt=json"), vec![]),
        "audiodb" => (format!("/api/v1/json/{key}/searchtrack.php?s={a}&t={t}"), vec![]),
        "tidal" => (format!("/v2/tracks?countryCode=US&filter%5Bisrc%5D={isrc}"), bearer),
        "qobuz" => (
            format!("/api.json/0.2/track/search?query={both}"),
            vec![("x-app-id", key.to_owned()), ("x-user-auth-token", "test-qobuz-token".to_owned())],
        ),
        "discogs" => (
            format!("/database/search?artist={a}&track={t}"),
            vec![("authorization", format!("Discogs token={key}"))],
        ),
        "listenbrainz" => (format!("/1/metadata/lookup?artist_name={a}&recording_name={t}"), vec![]),
        "odesli" => (
            format!("/v1-alpha.1/links?url={}", encode(&format!("https://open.spotify.com/track/{isrc}"))),
            vec![],
        ),
        other => panic!("no call for {other}"),
    }
}

async fn call(simulator: &Simulator, service: &str, path: &str, headers: &[(&'static str, String)]) -> Got {
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    get(&format!("{}{path}", simulator.base_url(service)), &headers).await
}

#[tokio::test]
async fn one_track_is_found_at_every_service_in_its_own_shape() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let catalogue = simulator.catalogue();
    let track = &catalogue.tracks[700];
    let artist = &catalogue.artist_of(track).name;
    // Services that search by name may prefer a namesake; those asked by ISRC may not.
    for (service, pointer, wanted) in [
        ("spotify", "/tracks/items/0/external_ids/isrc", Some(json!(track.isrc))),
        ("itunes", "/results/0/trackName", None),
        ("deezer", "/isrc", Some(json!(track.isrc))),
        ("lastfm", "/track/name", Some(json!(track.title))),
        ("genius", "/response/hits/0/result/title", None),
        ("musicbrainz", "/recordings/0/isrcs/0", Some(json!(track.isrc))),
        ("audiodb", "/track/0/strTrack", Some(json!(track.title))),
        ("tidal", "/data/0/attributes/isrc", Some(json!(track.isrc))),
        ("qobuz", "/tracks/items/0/isrc", None),
        ("discogs", "/results/0/title", None),
        ("listenbrainz", "/recording_name", Some(json!(track.title))),
    ] {
        let (path, headers) = good(&simulator, service, &track.title, artist, &track.isrc);
        let got = call(&simulator, service, &path, &headers).await;
        assert_eq!(got.status, 200, "{service} {path}");
        let body = got.json();
        let value = body.pointer(pointer).unwrap_or_else(|| panic!("{service} has {pointer}: {body}"));
        assert!(wanted.is_none_or(|wanted| *value == wanted), "{service} {pointer}: {value}");
    }
    let (path, _) = good(&simulator, "odesli", "", "", &track.spotify);
    let links = call(&simulator, "odesli", &path, &[]).await.json();
    assert!(links["linksByPlatform"]["deezer"]["url"].is_string(), "odesli links across: {links}");
}

#[tokio::test]
async fn what_is_not_there_is_said_in_each_providers_way() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.set("spotify", json!({"credentials": "any"})).unwrap();
    let nowhere = "00000000-0000-4000-8000-000000000000";
    for (service, path, status, pointer, wanted) in [
        ("spotify", "/v1/tracks/0000000000000000000000", 404, "/error/status", json!(404)),
        ("spotify", "/v1/tracks/short", 400, "/error/message", json!("Invalid base62 id")),
        ("itunes", "/search?term=zzyzx+nothing", 200, "/resultCount", json!(0)),
        ("deezer", "/track/1", 200, "/error/code", json!(800)),
        (
            "lastfm",
            "/2.0/?method=track.getInfo&artist=x&track=y&api_key=test-lastfm-key&format=json",
            200,
            "/error",
            json!(6),
        ),
        ("genius", "/songs/1", 404, "/meta/status", json!(404)),
        ("musicbrainz", &format!("/ws/2/recording/{nowhere}?fmt=json"), 404, "/error", json!("Not Found")),
        ("audiodb", "/api/v1/json/123/searchtrack.php?s=x&t=y", 200, "/track", Value::Null),
        ("tidal", "/v2/tracks/1?countryCode=US", 404, "/errors/0/code", json!("NOT_FOUND")),
        ("qobuz", "/api.json/0.2/track/get?track_id=1", 404, "/code", json!(404)),
        ("discogs", "/releases/1", 404, "/message", json!("Release not found.")),
        ("listenbrainz", "/1/user/nobody/listens", 404, "/code", json!(404)),
        (
            "odesli",
            "/v1-alpha.1/links?url=https%3A%2F%2Fexample.org%2Fx",
            404,
            "/code",
            json!("could_not_resolve_entity"),
        ),
    ] {
        let (_, headers) = good(&simulator, service, "", "", "");
        let got = call(&simulator, service, path, &headers).await;
        assert_eq!((got.status, got.json().pointer(pointer)), (status, Some(&wanted)), "{service} {path}");
    }
}

#[tokio::test]
async fn a_refusal_looks_as_the_provider_makes_it() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let track = &simulator.catalogue().tracks[0];
    for (service, status, pointer, wanted, retry_after) in [
        ("spotify", 429, "/error/status", json!(429), true),
        ("itunes", 403, "", Value::Null, false),
        ("deezer", 200, "/error/code", json!(4), false),
        ("lastfm", 200, "/error", json!(29), false),
        ("genius", 429, "/meta/status", json!(429), false),
        (
            "musicbrainz",
            503,
            "/help",
            json!("For usage, please see: https://musicbrainz.org/development/mmd"),
            false,
        ),
        ("audiodb", 429, "/Message", json!("Too many requests"), false),
        ("tidal", 429, "/errors/0/status", json!("429"), true),
        ("qobuz", 429, "/code", json!(429), false),
        ("discogs", 429, "/message", json!("You are making requests too quickly."), false),
        ("listenbrainz", 429, "/code", json!(429), false),
        ("odesli", 429, "/statusCode", json!(429), false),
    ] {
        simulator.set(service, json!({"window": {"seconds": 60, "calls": 1}})).unwrap();
        let (path, headers) = good(&simulator, service, &track.title, "x", &track.isrc);
        call(&simulator, service, &path, &headers).await;
        let got = call(&simulator, service, &path, &headers).await;
        assert_eq!(got.status, status, "{service}");
        assert_eq!(got.header("retry-after").is_some(), retry_after, "{service} and Retry-After");
        if pointer.is_empty() {
            assert!(got.body.is_empty(), "{service} refuses with nothing");
            assert_eq!(
                got.header("content-type"),
                Some("text/javascript; charset=utf-8"),
                "{service} is a script"
            );
        } else {
            assert_eq!(got.json().pointer(pointer), Some(&wanted), "{service}: {}", got.json());
        }
        assert_eq!(simulator.count(service).refused, 1, "{service} counts it");
    }
}

#[tokio::test]
async fn a_missing_or_wrong_credential_is_turned_away() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    for (service, path, headers, status) in [
        ("spotify", "/v1/me", vec![], 401),
        ("spotify", "/v1/me", vec![("authorization", "Bearer wrong")], 401),
        ("lastfm", "/2.0/?method=track.search&track=a&format=json", vec![], 403),
        ("lastfm", "/2.0/?method=track.search&track=a&format=json&api_key=wrong", vec![], 403),
        ("genius", "/search?q=a", vec![], 401),
        ("audiodb", "/api/v1/json/wrong/search.php?s=a", vec![], 401),
        ("tidal", "/v2/tracks/1?countryCode=US", vec![("authorization", "Bearer wrong")], 401),
        ("qobuz", "/api.json/0.2/track/get?track_id=1", vec![("x-app-id", "wrong")], 400),
        ("qobuz", "/api.json/0.2/track/get?track_id=1", vec![("x-app-id", "test-qobuz-app")], 401),
        ("discogs", "/releases/8300000", vec![("authorization", "Discogs token=wrong")], 401),
        ("discogs", "/database/search?q=a", vec![], 401),
        ("discogs", "/releases/8300000", vec![("user-agent", "")], 403),
        ("listenbrainz", "/1/user/a/listens", vec![("authorization", "Token wrong")], 401),
        ("musicbrainz", "/ws/2/artist?query=a&fmt=json", vec![("user-agent", "python-requests/2.32")], 403),
        ("musicbrainz", "/ws/2/artist?query=a&fmt=json", vec![("user-agent", "Headroom/1.0")], 403),
    ] {
        let got = get(&format!("{}{path}", simulator.base_url(service)), &headers).await;
        assert_eq!(got.status, status, "{service} {path} {headers:?}");
    }
}

#[tokio::test]
async fn spotify_pages_lead_through_all_217_albums() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.set("spotify", json!({"window": {"seconds": 30, "calls": 500}})).unwrap();
    let base = simulator.base_url("spotify");
    let bearer = [("authorization", "Bearer test-spotify-token")];
    let artist = &simulator.catalogue().artists[0].spotify;
    let mut next = Some(format!("{base}/v1/artists/{artist}/albums?limit=10"));
    let (mut albums, mut pages) = (0, 0);
    while let Some(url) = next {
        assert!(url.starts_with(base), "links are absolute and our own: {url}");
        let page = get(&url, &bearer).await.json();
        albums += page["items"].as_array().unwrap().len();
        pages += 1;
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!((albums, pages), (217, 22), "ten at a time");
    let too_many = get(&format!("{base}/v1/search?q=a&type=track&limit=50"), &bearer).await;
    assert_eq!(too_many.status, 400, "search pages are at most ten long since February 2026");
}

#[tokio::test]
async fn playlists_and_scrobbles_are_kept() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let base = simulator.base_url("spotify");
    let bearer = [("authorization", "Bearer test-spotify-token")];
    let made =
        send("POST", &format!("{base}/v1/me/playlists"), &bearer, r#"{"name":"Favourites"}"#).await.unwrap();
    assert_eq!(made.status, 201, "created");
    let items = format!("{base}/v1/playlists/{}/items", made.json()["id"].as_str().unwrap());
    let uri = format!("spotify:track:{}", simulator.catalogue().tracks[3].spotify);
    let added = send("POST", &items, &bearer, &json!({"uris": [uri]}).to_string()).await.unwrap();
    assert_eq!(added.status, 201, "added");
    assert_eq!(get(&items, &bearer).await.json()["items"][0]["item"]["uri"], json!(uri), "listed");

    let listen = json!({"listen_type": "single", "payload": [{"listened_at": 1_760_000_000,
        "track_metadata": {"artist_name": "A", "track_name": "T"}}]});
    let base = simulator.base_url("listenbrainz");
    let token = [("authorization", "Token test-listenbrainz-token")];
    for _ in 0..2 {
        let sent =
            send("POST", &format!("{base}/1/submit-listens"), &token, &listen.to_string()).await.unwrap();
        assert_eq!(sent.json()["status"], "ok", "accepted");
    }
    let listens = get(&format!("{base}/1/user/listener/listens"), &[]).await.json();
    assert_eq!(listens["payload"]["count"], 1, "the same listen twice is one");
}
