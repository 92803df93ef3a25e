//! What goes through the gateway comes out as it went in.

use headroom_engine::service::ServiceId::Deezer;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use crate::gateway_provider::{Bare, answer, read_on};
use crate::sockets::Site;
use crate::support::{ms, total};

#[tokio::test(flavor = "multi_thread")]
async fn method_path_query_headers_and_body_arrive_as_they_were_sent() {
    let bare = Bare::new().await;
    let target = "/a//b;x=1,2/@c:d/%E2%82%AC%2f%00/(e)*!$&~";
    let query = "q=a+b%20c&empty=&flag&q=again&x=%26%3d&u=http://x/?y=1&colon=a:b@c/!$()*,;~";
    for method in ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let body: &[u8] = if method == "GET" { b"" } else { b"{\"a\":\0\xff}" };
        let head = format!(
            "{method} /deezer{target}?{query} HTTP/1.1\r\n{}Content-Length: {}\r\nContent-Type: application/x-own\r\nX-Two: 1\r\nX-Two: 2\r\nAccept-Language: de\r\n\r\n",
            bare.lines(),
            body.len()
        );
        let got = bare.raw(&[head.as_bytes(), body].concat()).await;
        assert!(got.starts_with("HTTP/1.1 200 OK\r\n"), "{method}: {got}");
        let asked = bare.last();
        assert_eq!(asked.line(), format!("{method} {target}?{query} HTTP/1.1"));
        assert_eq!(asked.body, body, "{method}");
        assert_eq!(asked.header("content-type"), Some("application/x-own"));
        assert_eq!(asked.head.to_lowercase().matches("x-two: ").count(), 2, "{}", asked.head);
        assert_eq!(asked.header("accept-language"), Some("de"));
        assert!(!asked.head.contains(&bare.key), "{}", asked.head);
    }
    assert_eq!(bare.asked().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn status_headers_and_bytes_come_back_as_they_were_sent() {
    let bare = Bare::new().await;
    for status in ["200 OK", "201 Created", "404 Not Found", "418 I'm a teapot", "302 Found", "403 No"] {
        bare.answers(move |_| {
            let headers = "Content-Type: text/x-own; charset=latin1\r\nETag: \"1\"\r\nX-Two: a\r\nX-Two: b\r\nLocation: https://elsewhere.example/\r\nAccess-Control-Allow-Origin: *\r\nSet-Cookie: a=b\r\nKeep-Alive: timeout=5\r\nX-Limit: 3\r\nDate: Tue, 15 Sep 2026 08:00:00 GMT\r\n";
            answer(status, headers, b"\x00\xff\r\nbytes")
        });
        let got = bare.get("/discogs/x").send().await.unwrap();
        assert_eq!(got.status().as_u16().to_string(), status[..3]);
        let header = |name: &str| -> Vec<String> {
            got.headers().get_all(name).iter().map(|v| v.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(header("content-type"), ["text/x-own; charset=latin1"]);
        assert_eq!(header("x-two"), ["a", "b"]);
        assert_eq!((header("etag"), header("x-limit")), (vec!["\"1\"".to_owned()], vec!["3".to_owned()]));
        assert_eq!(header("date"), ["Tue, 15 Sep 2026 08:00:00 GMT"], "the service's own");
        assert_eq!(header("location"), ["https://elsewhere.example/"], "not followed to another host");
        assert_eq!(header("x-headroom-cache"), ["miss"]);
        for gone in ["access-control-allow-origin", "set-cookie", "keep-alive", "content-security-policy"] {
            assert!(header(gone).is_empty(), "{gone}");
        }
        assert_eq!(got.bytes().await.unwrap(), b"\x00\xff\r\nbytes".as_slice());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn head_tells_the_length_and_sends_nothing() {
    let bare = Bare::new().await;
    let head = |lines: &'static str| move |_: &_| format!("HTTP/1.1 200 OK\r\n{lines}\r\n").into_bytes();
    bare.answers(head("Content-Length: 12345\r\nETag: \"a\"\r\nContent-Type: application/json\r\n"));
    let ask = |method: &str| format!("{method} /deezer/track/1 HTTP/1.1\r\n{}\r\n", bare.lines());
    // Twice on one connection: had the first a body, the second would not be found.
    let got = bare.raw(ask("HEAD").repeat(2).as_bytes()).await;
    assert_eq!(got.matches("HTTP/1.1 200 OK").count(), 2, "{got}");
    assert_eq!(got.to_lowercase().matches("content-length: 12345\r\n").count(), 2, "{got}");
    assert!(got.ends_with("\r\n\r\n"), "{got}");
    assert_eq!(bare.last().line(), "HEAD /track/1 HTTP/1.1");
    bare.answers(head("Transfer-Encoding: chunked\r\n"));
    let got = bare.raw(ask("HEAD").repeat(2).as_bytes()).await.to_lowercase();
    assert_eq!(got.matches("http/1.1 200 ok").count(), 2, "kept alive: {got}");
    assert!(!got.contains("content-length"), "no length is better than a wrong one: {got}");
    bare.answers(|_| b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n".to_vec());
    let got = bare.raw(ask("GET").as_bytes()).await;
    assert!(got.starts_with("HTTP/1.1 304"), "{got}");
    bare.answers(|_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let got = bare.raw(ask("GET").repeat(2).as_bytes()).await;
    assert_eq!(got.matches("HTTP/1.1 204").count(), 2, "{got}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_passes_through_and_is_asked_for_uncompressed() {
    let bare = Bare::new().await;
    bare.answers(|_| {
        answer(
            "206 Partial Content",
            "Content-Range: bytes 0-1999/9000\r\nContent-Type: text/plain\r\n",
            "a".repeat(2_000),
        )
    });
    let got = bare
        .get("/deezer/preview")
        .header("range", "bytes=0-1999")
        .header("accept-encoding", "gzip")
        .send()
        .await
        .unwrap();
    assert_eq!((got.status().as_u16(), got.headers().get("content-encoding")), (206, None));
    assert_eq!(got.headers()["content-range"], "bytes 0-1999/9000");
    assert_eq!(got.bytes().await.unwrap().len(), 2_000);
    let asked = bare.last();
    assert_eq!(
        (asked.header("range"), asked.header("accept-encoding")),
        (Some("bytes=0-1999"), Some("identity"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_tool_has_already_is_not_sent_again() {
    let bare = Bare::new().await;
    const CHANGED: &str = "Tue, 15 Sep 2026 08:00:00 GMT";
    bare.answers(|_| {
        let headers = format!(
            "ETag: \"a\"\r\nLast-Modified: {CHANGED}\r\nContent-Type: application/json\r\nCache-Control: max-age=60\r\nVary: Accept\r\n"
        );
        answer("200 OK", &headers, "{}")
    });
    for (name, value, status) in [
        ("if-none-match", "\"a\"", 304),
        ("if-none-match", "\"b\", W/\"a\"", 304),
        ("if-none-match", "\"b\"", 200),
        ("if-modified-since", CHANGED, 304),
        ("if-modified-since", "Mon, 14 Sep 2026 08:00:00 GMT", 200),
    ] {
        let got = bare.get("/deezer/track/1").header(name, value).send().await.unwrap();
        assert_eq!(got.status().as_u16(), status, "{name}: {value}");
        assert_eq!(got.headers()["etag"], "\"a\"");
        let headers = got.headers();
        if status == 304 {
            assert_eq!(
                (&headers["cache-control"], &headers["vary"]),
                (&"max-age=60".parse().unwrap(), &"Accept".parse().unwrap())
            );
            assert!(
                !headers.contains_key("content-type") && !headers.contains_key("content-length"),
                "{headers:?}"
            );
            assert!(headers.contains_key("x-headroom-cache"));
            assert!(got.bytes().await.unwrap().is_empty());
        }
    }
    let post = bare.request(Method::POST, "/deezer/x").header("if-none-match", "\"a\"").send().await.unwrap();
    assert_eq!(post.status(), 200, "a write is never skipped");
    bare.answers(|_| b"HTTP/1.1 304 Not Modified\r\nETag: \"z\"\r\n\r\n".to_vec());
    // What is not kept is asked for as the tool asks.
    let got = bare.get("/deezer/user/1").header("if-none-match", "\"z\"").send().await.unwrap();
    assert_eq!(
        (got.status().as_u16(), &got.headers()["etag"]),
        (304, &"\"z\"".parse().unwrap()),
        "the service's own"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn compression_is_agreed_with_each_side_apart() {
    let bare = Bare::new().await;
    let text = "{\"data\":[".to_owned() + &"{\"title\":\"Get Lucky\"},".repeat(200) + "{}]}";
    let (plain, zipped) = (text.clone(), gzip(text.as_bytes()));
    bare.answers(move |_| {
        answer(
            "200 OK",
            "Content-Type: application/json\r\nETag: \"a\"\r\nContent-Encoding: gzip\r\n",
            &zipped,
        )
    });
    // Asks for nothing: gets plain text, though the service was asked for, and sent, a compressed one.
    let got = bare.get("/deezer/search?q=a").send().await.unwrap();
    assert_eq!(got.headers().get("content-encoding"), None);
    assert_eq!(got.headers()["etag"], "\"a\"", "as the service gave it");
    assert_eq!(got.text().await.unwrap(), plain);
    assert!(bare.last().header("accept-encoding").unwrap().contains("gzip"));
    for (wish, encoding) in [("gzip", "gzip"), ("br", "br"), ("zstd, gzip;q=0.5", "zstd"), ("deflate", "")] {
        let got = bare.get("/deezer/search?q=a").header("accept-encoding", wish).send().await.unwrap();
        let headers = got.headers().clone();
        assert_eq!(headers.get("content-encoding").map_or("", |v| v.to_str().unwrap()), encoding);
        assert_eq!(headers["vary"], "Accept-Encoding", "{wish}");
        let bytes = got.bytes().await.unwrap();
        if encoding.is_empty() {
            assert_eq!(bytes, plain.as_bytes());
        } else {
            assert!(bytes.len() < plain.len() / 4 && headers["etag"] == "W/\"a\"", "{wish}");
            assert_eq!(headers["content-length"], bytes.len().to_string().as_str());
        }
    }
    let client = reqwest::Client::builder().no_proxy().gzip(true).build().unwrap();
    let got =
        client.get(bare.url("/deezer/search?q=a")).header("x-headroom-key", &bare.key).send().await.unwrap();
    assert_eq!(got.text().await.unwrap(), plain, "byte for byte after decoding");
    // What we cannot read we do not touch.
    bare.answers(|_| {
        answer("200 OK", "Content-Type: text/plain\r\nContent-Encoding: x-own\r\n", "?".repeat(3_000))
    });
    let got = bare.get("/deezer/x").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(got.headers()["content-encoding"], "x-own");
    assert_eq!(got.bytes().await.unwrap().len(), 3_000);
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn large_bodies_pass_both_ways_up_to_their_limits() {
    let bare = Bare::new().await;
    let large: Vec<u8> = (0..12_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let theirs = large.clone();
    bare.answers(move |_| answer("200 OK", "Content-Type: audio/flac\r\n", &theirs));
    assert!(bare.get("/deezer/x").send().await.unwrap().bytes().await.unwrap() == large);
    bare.answers(|_| answer("200 OK", "", "ok"));
    let most = large[..8 * 1024 * 1024].to_vec();
    let sent = bare.request(Method::PUT, "/deezer/x").body(most.clone()).send().await.unwrap();
    assert_eq!(sent.status(), 200);
    assert!(bare.last().body == most);
    let before = bare.asked().len();
    let too_large = bare.request(Method::PUT, "/deezer/x").body([&most[..], b"1"].concat()).send().await;
    // It may be told while it still sends.
    if let Ok(refused) = too_large {
        assert_eq!(refused.status(), 413);
    }
    assert_eq!(bare.asked().len(), before, "nothing was sent");
    let chunked = format!(
        "POST /deezer/x HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n",
        bare.lines()
    );
    let got = bare.raw(chunked.as_bytes()).await;
    assert!(got.starts_with("HTTP/1.1 200") && got.contains("connection: close"), "{got}");
    assert_eq!(
        (bare.last().body.as_slice(), bare.last().header("content-length")),
        (b"Wikipedia".as_slice(), Some("9"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_pylast_posts_its_key_in_a_form_and_the_real_one_takes_its_place() {
    let site = Site::new(&[]).await;
    let form = format!("method=artist.getInfo&artist=a%20b&api_key={}&format=json", site.key);
    let ask = |form: String| {
        let request = site.tool.post(site.url("/lastfm/2.0/")).body(form);
        request.header("content-type", "application/x-www-form-urlencoded")
    };
    ask(form.clone()).send().await.unwrap();
    let log = site.simulator.log("lastfm");
    assert_eq!((log.len(), log[0].query.as_str()), (1, ""));
    assert!(!log[0].body.contains("hr_"), "{}", log[0].body);
    assert!(log[0].body.starts_with("method=artist.getInfo&artist=a%20b&format=json"), "{}", log[0].body);
    assert_eq!(
        site.engine.rates().services[&headroom_engine::service::ServiceId::Lastfm].endpoints.0[0].0.as_ref(),
        "artist_info"
    );
    let wrong = ask(form.replace("hr_", "hx_")).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let strange = "a".repeat(300_000);
    assert_eq!(
        ask(strange.clone()).send().await.unwrap().status(),
        413,
        "a stranger's form is not read whole"
    );
    let known = ask(strange).header("x-headroom-key", &site.key).send().await.unwrap();
    assert_ne!(known.status(), 413);
    assert_eq!(site.simulator.log("lastfm").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_a_key_in_a_strange_place_goes_nowhere() {
    let bare = Bare::new().await;
    for request in [
        bare.get(&format!("/deezer/search?q=a&access_token={}", bare.key)),
        bare.get(&format!("/deezer/user/{}/x", bare.key)),
        bare.get("/deezer/x").header("x-api-key", &bare.key),
        bare.request(Method::POST, "/deezer/x").body(format!("{{\"key\":\"{}\"}}", bare.key)),
        bare.get(&format!("/lastfm/2.0/?api%5Fkey={}", bare.key)),
    ] {
        let got = request.send().await.unwrap();
        assert_eq!(got.status(), 400);
        let text = got.text().await.unwrap();
        assert!(text.contains("key_misplaced") && !text.contains(&bare.key), "{text}");
    }
    assert_eq!(bare.asked().len(), 0);
    assert_eq!(total(&bare.engine, Deezer), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_and_answers_come_in_order() {
    let bare = Bare::new().await;
    bare.answers(|asked| answer("200 OK", "", asked.line().as_bytes()));
    let mut stream = bare.connect().await;
    for round in 0..3 {
        let asks: String =
            (0..4).map(|n| format!("GET /deezer/{round}/{n} HTTP/1.1\r\n{}\r\n", bare.lines())).collect();
        stream.write_all(asks.as_bytes()).await.unwrap();
        let got = String::from_utf8(read_on(&mut stream).await).unwrap();
        let places: Vec<_> = (0..4).map(|n| got.find(&format!("GET /{round}/{n} HTTP")).unwrap()).collect();
        assert!(places.is_sorted(), "{got}");
    }
    let old = format!("GET /deezer/old HTTP/1.0\r\n{}\r\n", bare.lines());
    let got = bare.raw(old.as_bytes()).await;
    assert!(got.starts_with("HTTP/1.0 200") || got.starts_with("HTTP/1.1 200"), "{got}");
}

/// A provider that sends the second half of a body only when it is told that the first one arrived.
async fn in_two_halves(kind: &'static str, half: usize) -> (String, tokio::sync::oneshot::Sender<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (go_on, told) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4_096];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        let length = 2 * half;
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&vec![b'a'; half]).await.unwrap();
        if told.await.is_ok() {
            stream.write_all(&vec![b'b'; half]).await.unwrap();
        }
    });
    (address, go_on)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_that_nobody_reads_here_is_passed_on_as_it_comes() {
    let bare = Bare::new().await;
    let half = 2 * 1_024 * 1_024;
    let (address, go_on) = in_two_halves("image/jpeg", half).await;
    let settings = json!({"services": {"deezer": {"base_url": address}}}).to_string();
    let path = bare.dir.path().join("settings.json");
    headroom_engine::disk::write_atomically(
        &path,
        settings.as_bytes(),
        headroom_engine::disk::Readers::Default,
    )
    .unwrap();
    tokio::time::sleep(ms(1_300)).await;
    let mut got = bare.get("/deezer/album/1").send().await.unwrap();
    assert_eq!(got.headers()["content-length"], (2 * half).to_string().as_str());
    assert_eq!(got.headers()["x-headroom-cache"], "miss");
    let mut body = Vec::new();
    while body.len() < half {
        body.extend_from_slice(
            &got.chunk().await.unwrap().expect("the first half comes before the second is sent"),
        );
    }
    go_on.send(()).unwrap();
    while let Some(part) = got.chunk().await.unwrap() {
        body.extend_from_slice(&part);
    }
    assert_eq!(body.len(), 2 * half);
    assert!(body[..half].iter().all(|b| *b == b'a') && body[half..].iter().all(|b| *b == b'b'));
    assert_eq!(bare.engine.cache_stats().entries, 0, "what is not whole here is not kept");

    // A provider that breaks off breaks the tool's connection off too: half is never told as whole.
    let (address, go_on) = in_two_halves("audio/mpeg", half).await;
    let settings = json!({"services": {"deezer": {"base_url": address}}}).to_string();
    headroom_engine::disk::write_atomically(
        &path,
        settings.as_bytes(),
        headroom_engine::disk::Readers::Default,
    )
    .unwrap();
    tokio::time::sleep(ms(1_300)).await;
    let got = bare.get("/deezer/album/2").send().await.unwrap();
    drop(go_on);
    assert!(got.bytes().await.is_err());
}
