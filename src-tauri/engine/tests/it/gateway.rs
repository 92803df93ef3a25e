//! The loopback server: who gets in, and what a tool gets back.

use headroom_engine::gateway::{ServeError, Server};
use headroom_engine::service::ServiceId::{Deezer, Spotify};
use serde_json::{Value, json};

use crate::sockets::{JsonValue as _, Site, thrifty_tool, tool};
use crate::support::total;

/// Status and error code of an answer of our own.
async fn own(request: reqwest::RequestBuilder) -> (u16, String) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["x-headroom-limited"], "local");
    assert_eq!(answer.headers()["content-type"], "application/json");
    let error = answer.json_value().await;
    assert!(!error["error"]["message"].as_str().unwrap().is_empty(), "{error}");
    (status, error["error"]["code"].as_str().unwrap().to_owned())
}

fn is(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_open_what_they_are_for_and_nothing_else() {
    let site = Site::new(&[]).await;
    let only_deezer = site
        .engine
        .keys()
        .add("tagger", Some(vec![Deezer]), false, None, site.engine.clock().wall())
        .unwrap();
    let control = site.runtime().key;
    let plain = |path: &str| site.tool.get(site.url(path));
    let with = |path: &str, key: &str| plain(path).header("x-headroom-key", key);

    assert_eq!(plain("/health").send().await.unwrap().json_value().await, json!({"status": "ok"}));
    for path in ["/deezer/search?q=a", "/api/rate-monitor", "/spotify/v1/me"] {
        assert_eq!(own(plain(path)).await, is(401, "key_missing"), "{path}");
        assert_eq!(own(with(path, "hr_0000")).await, is(401, "wrong_key"), "{path}");
        assert_eq!(own(plain(path).bearer_auth("hr_0000")).await, is(401, "wrong_key"), "{path}");
    }
    assert_eq!(own(with("/spotify/v1/me", &only_deezer)).await, is(403, "service_not_allowed"));
    for path in [
        "/api/rate-monitor",
        "/api/debug-summary",
        "/api/rate-monitor/events",
        "/api/rate-monitor/history/deezer",
        "/api/events",
    ] {
        assert_eq!(own(with(path, &site.key)).await, is(403, "control_key_needed"), "{path}");
        assert_eq!(with(path, &control).send().await.unwrap().status(), 200, "{path}");
    }
    let post = site.tool.post(site.url("/api/call/add_key")).header("x-headroom-key", &site.key);
    assert_eq!(own(post).await.0, 403, "a tool makes no keys");
    assert_eq!(own(with("/napster/search", &site.key)).await, is(404, "unknown_service"));
    assert_eq!(own(with("/api/rate-monitor/history/napster", &control)).await.0, 404);
    assert_eq!(
        own(with("/deezer/search?q=a", &site.key).header("host", "evil.example")).await,
        is(421, "foreign_host")
    );
    assert_eq!(own(plain("/health").header("host", "127.0.0.1.evil.example")).await, is(421, "foreign_host"));
    let before = site.simulator.count("deezer").arrived;
    for path in ["/deezer/search?q=a".to_owned(), format!("/~{only_deezer}/deezer/search?q=a")] {
        let answer = with(&path, &only_deezer).send().await.unwrap();
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["x-headroom-cache"].to_str().unwrap()),
            (200, "miss"),
            "{path}"
        );
        assert!(!answer.headers().contains_key("access-control-allow-origin"), "no CORS");
    }
    assert_eq!(
        plain(&format!("/~{only_deezer}/deezer/search?q=a")).send().await.unwrap().status(),
        200,
        "in front of the path"
    );
    assert_eq!(
        plain("/deezer/search?q=a").bearer_auth(&only_deezer).send().await.unwrap().status(),
        200,
        "as a bearer token"
    );
    site.engine.keys().revoke("tagger").unwrap();
    assert_eq!(own(with("/deezer/search?q=a", &only_deezer)).await, is(401, "wrong_key"), "at once");
    assert_eq!(site.simulator.count("deezer").arrived - before, 4, "nothing refused was sent");
    assert_eq!(u64::from(total(&site.engine, Deezer)), site.simulator.count("deezer").arrived);
    let callers = site.engine.rates().services[&Deezer].callers.0.clone();
    assert_eq!(callers, [("tagger".into(), 4)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_the_providers_byte_for_byte() {
    let site = Site::new(&[]).await;
    let direct = tool();
    for (id, path) in [
        ("deezer", "/search?q=moon&limit=5"),
        ("deezer", "/artist/5000"),
        ("deezer", "/track/999999999"),
        ("itunes", "/search?term=moon&limit=3"),
        ("itunes", "/nothing/here"),
        ("musicbrainz", "/ws/2/artist?query=moon&fmt=json"),
        ("musicbrainz", "/ws/2/artist/none?fmt=json"),
    ] {
        let base = site.simulator.base_url(id);
        let agent = [("user-agent", "Headroom-Test/1.0 ( test@example.org )")];
        let theirs = direct.get(format!("{base}{path}")).header(agent[0].0, agent[0].1).send().await.unwrap();
        let ours = site.get(&format!("/{id}{path}")).send().await.unwrap();
        assert_eq!(ours.status(), theirs.status(), "{id}{path}");
        assert_eq!(ours.headers().get("content-type"), theirs.headers().get("content-type"), "{id}{path}");
        assert_eq!(ours.bytes().await.unwrap(), theirs.bytes().await.unwrap(), "{id}{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_sends_arrives_without_its_key_and_with_our_user_agent_where_due() {
    let site = Site::new(&[]).await;
    let key = site.key.clone();
    let url =
        |path: &str| site.tool.get(site.url(path)).header("user-agent", "beets/2").header("x-mine", "1");
    let lastfm = format!("/lastfm/2.0/?method=artist.getinfo&api_key={key}&artist=a%20b&format=json");
    let audiodb = format!("/audiodb/api/v1/json/{key}/search.php?s=a");
    url(&lastfm).send().await.unwrap();
    url(&audiodb).send().await.unwrap();
    url("/discogs/releases/1").header("authorization", format!("Discogs token={key}")).send().await.unwrap();
    url("/spotify/v1/me").bearer_auth(&key).send().await.unwrap();
    url(&format!("/~{key}/deezer/search?q=a%2Bb&index=0")).header("cookie", "a=b").send().await.unwrap();
    for id in ["lastfm", "audiodb", "discogs", "spotify", "deezer"] {
        let log = site.simulator.log(id);
        assert_eq!(log.len(), 1, "{id}");
        let text = format!("{:?}", log[0]);
        assert!(!text.contains(&key) && !text.contains("cookie"), "{id}: {text}");
        assert_eq!(log[0].headers.get("x-mine").map(String::as_str), Some("1"), "{id}");
        let agent = &log[0].headers["user-agent"];
        assert_eq!(agent.starts_with("Headroom/"), id == "discogs", "{id}: {agent}");
    }
    assert_eq!(site.simulator.log("lastfm")[0].query, "method=artist.getinfo&artist=a%20b&format=json");
    assert_eq!(site.simulator.log("deezer")[0].query, "q=a%2Bb&index=0", "as it was written");
    assert_eq!(site.simulator.log("spotify")[0].headers["authorization"], "Bearer test-spotify-token");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_spotifys_pages_lead_through_the_gateway_unless_the_key_says_raw() {
    let site = Site::new(&[]).await;
    let raw = site.engine.keys().add("raw", None, true, None, site.engine.clock().wall()).unwrap();
    let name = &site.simulator.catalogue().artists[0].name;
    let path = format!("/spotify/v1/search?q={}&type=track&limit=1", &name[..1]);
    let next = |answer: &Value| answer["tracks"]["next"].as_str().map(str::to_owned);
    let turned = next(&site.get(&path).send().await.unwrap().json_value().await).expect("there is more");
    assert!(turned.starts_with(&site.url("/spotify/v1/search?")), "{turned}");
    let second = site.tool.get(&turned).header("x-headroom-key", &site.key).send().await.unwrap();
    assert_eq!(
        (second.status().as_u16(), total(&site.engine, Spotify)),
        (200, 2),
        "it is a page, and on the meter"
    );
    let answer =
        site.tool.get(site.url(&path)).header("x-headroom-key", raw).send().await.unwrap().json_value().await;
    assert!(next(&answer).unwrap().starts_with(site.simulator.base_url("spotify")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_may_choose_not_to_wait() {
    let site = Site::new(&[]).await;
    let budget = serde_json::from_value(json!({"windows": [{"seconds": 60, "calls": 1}]})).unwrap();
    headroom_engine::contract::Contract::set_limits(&site.engine, Deezer, Some(budget)).await.unwrap();
    assert_eq!(site.get("/deezer/search?q=a").send().await.unwrap().status(), 200);
    let refused =
        site.get("/deezer/search?q=b").header("prefer", "respond-async, wait=0").send().await.unwrap();
    let wait: i64 = refused.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(refused.status() == 429 && (58..=60).contains(&wait), "{wait}");
    let error = refused.json_value().await["error"].clone();
    let ahead = error["retry_at"].as_i64().unwrap() - site.engine.clock().wall().seconds();
    assert!(error["code"] == "over_budget" && (57..=61).contains(&ahead), "{error}");
    assert_eq!(site.simulator.count("deezer").arrived, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn runtime_json_is_the_owners_and_goes_with_a_clean_stop_and_a_taken_port_is_named() {
    let site = Site::new(&[]).await;
    let runtime = site.runtime();
    assert_eq!((runtime.pid, runtime.port), (std::process::id(), site.server.port()));
    let path = site.dir.path().join("runtime.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Server::start(&site.engine, Some(port)).await.unwrap_err();
    assert!(
        matches!(error, ServeError::PortTaken(p) if p == port) && error.to_string().contains("gateway.port"),
        "{error}"
    );
    assert!(path.exists(), "the running server's file stays");
    let Site { server, tool, .. } = site;
    drop(tool);
    server.stop().await;
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tool_sees_whether_an_answer_was_kept_and_how_old_it_is_and_may_ask_for_a_new_one() {
    let site = Site::new(&[]).await;
    let thrifty = thrifty_tool();
    let get = |control: Option<&str>| {
        let request = thrifty.get(site.url("/deezer/search?q=a&limit=2")).header("x-headroom-key", &site.key);
        match control {
            Some(control) => request.header("cache-control", control),
            None => request,
        }
    };
    let seen = async |control: Option<&str>| {
        let answer = get(control).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|v| v.to_str().unwrap().to_owned());
        let (cache, age) = (header("x-headroom-cache").unwrap(), header("age"));
        (cache, age, answer.bytes().await.unwrap())
    };
    let first = seen(None).await;
    assert_eq!((first.0.as_str(), &first.1), ("miss", &None));
    let second = seen(None).await;
    assert_eq!((second.0.as_str(), second.1.as_deref()), ("hit", Some("0")));
    assert_eq!(first.2, second.2, "byte for byte");
    assert_eq!(seen(Some("no-cache")).await.0, "miss");
    assert_eq!(seen(Some("max-age=100")).await.0, "hit");
    assert_eq!(site.simulator.count("deezer").arrived, 2);

    let control = |path: &str, body: Value| {
        let key = site.runtime().key;
        site.tool.post(site.url(path)).header("x-headroom-key", key).body(body.to_string())
    };
    let stats = site.control("/api/cache/stats").await;
    assert_eq!(
        (stats["hits"].as_u64(), stats["by_service"]["deezer"]["answers"]["misses"].as_u64()),
        (Some(2), Some(2))
    );
    assert!(
        stats["policy"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["endpoint"] == "search" && p["seconds"] == 21_600.0)
    );
    let forgotten = control("/api/cache/invalidate", json!({"scope": "service", "service": "deezer"}));
    assert_eq!(forgotten.send().await.unwrap().json_value().await["entries"], 1);
    assert_eq!(seen(None).await.0, "miss");
    let event = control("/api/library/events", json!({"type": "library_sync"}));
    assert_eq!(event.send().await.unwrap().json_value().await["entries"], 0);
    for (path, body) in [
        ("/api/cache/invalidate", json!({"scope": "everything"})),
        ("/api/library/events", json!({"type": "forget"})),
    ] {
        assert_eq!(own(control(path, body)).await.0, 400, "{path}");
    }
}
