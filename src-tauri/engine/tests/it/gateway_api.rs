//! The control API against its own description, the metrics against Prometheus' format, the events.

use std::collections::{BTreeMap, BTreeSet};

use headroom_engine::happenings::Happening;
use headroom_engine::service::ServiceId::{self, Deezer, Spotify};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::gateway_provider::{Bare, answer};
use crate::sockets::JsonValue as _;
use crate::support::{ms, s};

/// What one route answered, held against the description.
struct Described {
    document: Value,
    /// `GET /api/keys` and the statuses seen of it.
    seen: BTreeMap<String, BTreeSet<u16>>,
}

impl Described {
    async fn of(bare: &Bare) -> Self {
        let request = bare.tool.get(bare.url("/api/openapi.json")).bearer_auth(bare.control_key());
        Self { document: request.send().await.unwrap().json_value().await, seen: BTreeMap::new() }
    }

    /// Sends a request of `route` and checks status, type and body.
    async fn check(&mut self, method: &str, route: &str, request: RequestBuilder) -> Value {
        let got = request.send().await.unwrap();
        let (status, kind) = (got.status().as_u16(), content_type(&got));
        let told = format!("{method} {route} → {status}");
        let operation = self.document["paths"][route][method.to_lowercase()].clone();
        let mut response = operation["responses"][status.to_string()].clone();
        assert!(!response.is_null(), "{told} is not described");
        if let Some(to) = response["$ref"].as_str() {
            response = self.document.pointer(&to[1..]).unwrap().clone();
            assert_eq!(got.headers()["x-headroom-limited"], "local", "{told}");
        }
        self.seen.entry(format!("{method} {route}")).or_default().insert(status);
        let bytes = got.bytes().await.unwrap();
        let Some(content) =
            response.get("content").and_then(|content| content.get(&kind).or(content.get("*/*")))
        else {
            assert!(bytes.is_empty() && response.get("content").is_none(), "{told}: {kind} is not described");
            return Value::Null;
        };
        if kind != "application/json" {
            return String::from_utf8_lossy(&bytes).into_owned().into();
        }
        let body: Value = serde_json::from_slice(&bytes).unwrap();
        let Some(schema) = content.get("schema") else { return body };
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let errors: Vec<_> = jsonschema::validator_for(&schema)
            .unwrap()
            .iter_errors(&body)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{told}: {errors:#?}");
        body
    }
}

fn content_type(got: &Response) -> String {
    let kind = got.headers().get("content-type").and_then(|v| v.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_as_it_is_described() {
    let bare = Bare::new().await;
    let control = bare.control_key();
    let mut api = Described::of(&bare).await;
    let of = |method: Method, path: &str| bare.tool.request(method, bare.url(path));
    let get = |path: &str| of(Method::GET, path).bearer_auth(&control);
    // Something in every list: calls, a ban, a summary of them.
    for path in ["/deezer/search?q=a", "/deezer/track/1", "/lastfm/2.0/?method=track.getinfo"] {
        bare.get(path).send().await.unwrap();
    }
    bare.answers(|_| answer("429 Too Many Requests", "Retry-After: 900\r\n", ""));
    bare.get("/spotify/v1/search?q=a").send().await.unwrap();
    bare.answers(|_| answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    bare.engine.keys().add("other", Some(vec![Deezer]), true, Some(0.5), bare.engine.clock().wall()).unwrap();

    api.check("GET", "/health", of(Method::GET, "/health")).await;
    let rates = api.check("GET", "/api/rate-monitor", get("/api/rate-monitor")).await;
    assert_eq!(rates["services"].as_object().unwrap().len(), ServiceId::ALL.len());
    assert_eq!(rates["services"]["spotify"]["ban"]["kind"], "rate");
    let history = "/api/rate-monitor/history/{service}";
    let day = api.check("GET", history, get("/api/rate-monitor/history/deezer")).await;
    assert_eq!(day["history"].as_array().unwrap().iter().map(|row| row[1].as_u64().unwrap()).sum::<u64>(), 2);
    api.check("GET", history, get("/api/rate-monitor/history/deezer?endpoint=search")).await;
    api.check("GET", history, get("/api/rate-monitor/history/deezer?endpoint=x")).await;
    api.check("GET", history, get("/api/rate-monitor/history/napster")).await;
    let events = api.check("GET", "/api/rate-monitor/events", get("/api/rate-monitor/events")).await;
    assert_eq!(events[0]["kind"], "ban");
    let summary = api.check("GET", "/api/debug-summary", get("/api/debug-summary")).await;
    assert!(summary["services"]["spotify"]["ban"].is_string(), "{summary}");
    api.check("GET", "/api/token-cache/status", get("/api/token-cache/status")).await;
    api.check("GET", "/api/token-cache/performance", get("/api/token-cache/performance")).await;
    let keys = api.check("GET", "/api/keys", get("/api/keys")).await;
    assert_eq!((&keys[0]["calls"], &keys[1]["share"]), (&json!(4), &json!(0.5)));
    let stats = api.check("GET", "/api/cache/stats", get("/api/cache/stats")).await;
    assert_eq!(stats["entries"], 3, "{stats}");
    for (route, good, bad) in [
        ("/api/cache/invalidate", json!({"scope": "not_found"}), json!({"scope": "x"})),
        ("/api/library/events", json!({"type": "library_sync"}), json!({"type": "forget"})),
    ] {
        for body in [good, bad] {
            let request = of(Method::POST, route).bearer_auth(&control).body(body.to_string());
            api.check("POST", route, request).await;
        }
    }
    api.check("POST", "/api/stop", of(Method::POST, "/api/stop").bearer_auth(&control)).await;
    api.check("GET", "/api/openapi.json", get("/api/openapi.json")).await;
    api.check("GET", "/metrics", get("/metrics")).await;
    api.check("GET", "/metrics", bare.get("/metrics")).await;

    let call = "/api/call/{command}";
    let post = |path: &str| of(Method::POST, path).bearer_auth(&control);
    api.check("POST", call, post("/api/call/status")).await;
    api.check("POST", call, post("/api/call/napster")).await;
    api.check("POST", call, post("/api/call/day").body("{")).await;
    api.check("POST", call, post("/api/call/search").body(r#"{"service":"spotify","text":"a"}"#)).await;
    bare.answers(|_| Vec::new());
    let link = api.check("POST", "/api/session", post("/api/session")).await;
    let path = link["url"].as_str().unwrap().strip_prefix(&bare.server.address()).unwrap().to_owned();
    api.check("GET", "/open", of(Method::GET, &path)).await;
    api.check("GET", "/open", of(Method::GET, &path)).await;
    api.check("GET", "/open", of(Method::GET, "/open")).await;

    bare.answers(|_| answer("200 OK", "Content-Type: application/json\r\n", "{}"));
    let gateway = "/{service}/{path}";
    api.check("GET", gateway, bare.get("/deezer/x")).await;
    api.check("GET", gateway, bare.get("/deezer/a/../b%2f..%2f")).await;
    api.check("GET", gateway, bare.get("/napster/x")).await;
    api.check("GET", gateway, bare.get("/spotify/v1/me")).await;
    api.check("GET", "/~{key}/{service}/{path}", of(Method::GET, &format!("/~{}/deezer/x", bare.key))).await;
    for (route, path) in [
        ("/api/rate-monitor", "/api/rate-monitor"),
        ("/api/keys", "/api/keys"),
        ("/api/events", "/api/events"),
        ("/metrics", "/metrics"),
        (gateway, "/deezer/x"),
    ] {
        api.check("GET", route, of(Method::GET, path)).await;
        api.check("GET", route, of(Method::GET, path).bearer_auth("hr_no")).await;
        api.check("GET", route, of(Method::GET, path).bearer_auth(&control).header("host", "evil.example"))
            .await;
        api.check("GET", route, of(Method::GET, path).bearer_auth(&control).header("origin", "null")).await;
        if route.starts_with("/api") {
            api.check("GET", route, bare.get(path)).await;
        }
    }
    bare.engine.pause(true);
    api.check("GET", gateway, bare.get("/deezer/x")).await;
    bare.engine.pause(false);
    headroom_engine::contract::Contract::set_gateway(&bare.engine, false, 0, 1.0).await.unwrap();
    api.check("GET", gateway, bare.get("/deezer/x")).await;

    // The one that does not end.
    let mut stream = get("/api/events").send().await.unwrap();
    assert_eq!((stream.status().as_u16(), content_type(&stream)), (200, "text/event-stream".to_owned()));
    assert!(stream.chunk().await.unwrap().is_some());
    api.seen.entry("GET /api/events".into()).or_default().insert(200);
    for (route, operations) in api.document["paths"].as_object().unwrap() {
        for method in
            operations.as_object().unwrap().keys().filter(|key| ["get", "post"].contains(&key.as_str()))
        {
            let seen = api.seen.get(&format!("{} {route}", method.to_uppercase()));
            let good = seen.is_some_and(|seen| seen.iter().any(|status| *status < 400));
            assert!(good, "{method} {route} was never answered: {seen:?}");
        }
    }
    let wrong = post("/api/keys").send().await.unwrap();
    assert_eq!(
        (wrong.status().as_u16(), &wrong.json_value().await["error"]["code"]),
        (405, &json!("method_not_allowed"))
    );
}

/// A line of Prometheus' text: name, labels, value.
fn sample(line: &str) -> (String, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').unwrap();
    let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
    let labels = labels.strip_suffix('}').unwrap();
    let pairs = labels.split(',').filter(|pair| !pair.is_empty()).map(|pair| {
        let (label, text) = pair.split_once('=').unwrap();
        (label.to_owned(), text.strip_prefix('"').unwrap().strip_suffix('"').unwrap().to_owned())
    });
    (name.to_owned(), pairs.collect(), value.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_prometheus_text_and_count_what_was_counted() {
    let bare = Bare::new().await;
    for q in ["a", "b", "c", "a"] {
        bare.get(&format!("/deezer/search?q={q}")).send().await.unwrap();
    }
    bare.answers(|_| answer("429 Too Many Requests", "Retry-After: 900\r\n", ""));
    bare.get("/spotify/v1/me").send().await.unwrap();
    let got = bare.get("/metrics").send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = got.text().await.unwrap();
    assert!(text.ends_with('\n') && !text.contains(&bare.key));
    let mut types: BTreeMap<String, String> = BTreeMap::new();
    let mut series = BTreeMap::new();
    let mut running = String::new();
    for line in text.lines() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            running = help.split(' ').next().unwrap().to_owned();
            assert!(!types.contains_key(&running), "{running} stands in one place");
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').unwrap();
            assert_eq!((name, kind == "counter"), (running.as_str(), name.ends_with("_total")), "{line}");
            types.insert(name.to_owned(), kind.to_owned());
        } else {
            let (name, labels, value) = sample(line);
            assert_eq!(name, running, "a sample under its own family");
            let fits = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(name.chars().all(fits) && labels.keys().all(|label| label.chars().all(fits)), "{line}");
            assert!(value.is_finite());
            let of_service =
                !["headroom_info", "headroom_start_time_seconds", "headroom_paused"].contains(&&*name);
            assert_eq!(labels.contains_key("service"), of_service, "{line}");
            assert!(series.insert((name, labels), value).is_none(), "twice: {line}");
        }
    }
    let value = |name: &str, service: ServiceId| {
        let labels = BTreeMap::from([("service".to_owned(), service.to_string())]);
        *series.get(&(name.to_owned(), labels)).unwrap_or_else(|| panic!("{name} of {service}"))
    };
    assert_eq!((value("headroom_calls_total", Deezer), value("headroom_hits_total", Deezer)), (3.0, 1.0));
    assert_eq!(
        (value("headroom_calls_total", Spotify), value("headroom_refused_total", Spotify)),
        (1.0, 1.0)
    );
    assert_eq!(
        (value("headroom_calls_per_minute", Deezer), value("headroom_received_bytes_total", Deezer)),
        (3.0, 6.0)
    );
    assert!((890.0..=900.0).contains(&value("headroom_ban_remaining_seconds", Spotify)));
    for id in ServiceId::ALL {
        value("headroom_failed_total", *id);
        assert!(value("headroom_limit_per_minute", *id) > 0.0);
    }
}

/// Reads events until one is named `name`; its data.
async fn wait_for(stream: &mut Response, rest: &mut String, name: &str) -> Value {
    let found = async {
        loop {
            while let Some((message, after)) =
                rest.split_once("\n\n").map(|(m, a)| (m.to_owned(), a.to_owned()))
            {
                *rest = after;
                let line = |start: &str| {
                    message.lines().find_map(|line| line.strip_prefix(start).map(str::to_owned))
                };
                if line("event: ").as_deref() == Some(name) {
                    return serde_json::from_str(&line("data: ").unwrap()).unwrap();
                }
            }
            rest.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().expect("it goes on")).unwrap());
        }
    };
    tokio::time::timeout(s(10), found).await.unwrap_or_else(|_| panic!("no {name} came"))
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_of_rates_bans_notices_and_plays_once_each() {
    let bare = Bare::new().await;
    let mut stream =
        bare.tool.get(bare.url("/api/events")).bearer_auth(bare.control_key()).send().await.unwrap();
    let mut rest = String::new();
    assert!(wait_for(&mut stream, &mut rest, "rates").await["services"]["deezer"].is_object(), "at once");
    assert_eq!(wait_for(&mut stream, &mut rest, "notices").await, json!([]), "at once");

    bare.get("/deezer/search?q=a").send().await.unwrap();
    let rates = wait_for(&mut stream, &mut rest, "rates").await;
    assert_eq!(rates["services"]["deezer"]["cpm"], 1);

    bare.answers(|_| answer("429 Too Many Requests", "Retry-After: 2\r\n", ""));
    bare.get("/deezer/search?q=b").send().await.unwrap();
    let began = wait_for(&mut stream, &mut rest, "ban").await;
    assert_eq!(
        (&began["service"], &began["state"], &began["ban"]["kind"]),
        (&json!("deezer"), &json!("began"), &json!("rate"))
    );
    let ended = wait_for(&mut stream, &mut rest, "ban").await;
    assert_eq!(ended, json!({"service": "deezer", "state": "ended", "ban": null}));

    let settings = bare.dir.path().join("settings.json");
    headroom_engine::disk::write_atomically(&settings, b"{", headroom_engine::disk::Readers::Default)
        .unwrap();
    let notices = wait_for(&mut stream, &mut rest, "notices").await;
    assert_eq!(notices[0]["kind"], "settings_rejected");

    bare.engine.happenings().tell(Happening::Play(json!({"track_id": "x"})));
    assert_eq!(wait_for(&mut stream, &mut rest, "play").await, json!({"track_id": "x"}));
    bare.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_tell_of_sign_ins_and_the_stream_ends_with_the_server() {
    let site = crate::sign_in::SignInSite::new(&[]).await;
    let mut happenings = site.engine.happenings().listen();
    site.engine
        .accounts()
        .set_secret("discogs", &headroom_engine::account::secret::Secret::new("t-0000"))
        .await
        .unwrap();
    let next = async |happenings: &mut tokio::sync::broadcast::Receiver<Happening>| loop {
        if let Happening::Auth(news) = happenings.recv().await.unwrap() {
            return serde_json::to_value(news).unwrap();
        }
    };
    assert_eq!(next(&mut happenings).await, json!({"service": "discogs", "state": "signed_in"}));
    site.engine.accounts().forget_secret("discogs").await.unwrap();
    assert_eq!(next(&mut happenings).await, json!({"service": "discogs", "state": "signed_out"}));

    let bare = Bare::new().await;
    let mut stream =
        bare.tool.get(bare.url("/api/events")).bearer_auth(bare.control_key()).send().await.unwrap();
    stream.chunk().await.unwrap();
    let Bare { server, .. } = bare;
    let stopped = tokio::time::timeout(s(3), server.stop());
    let read = async { while let Ok(Some(_)) = stream.chunk().await {} };
    let (stopped, ()) = tokio::join!(stopped, read);
    assert!(stopped.is_ok(), "an open stream does not hold it up");
    tokio::time::sleep(ms(1)).await;
}
