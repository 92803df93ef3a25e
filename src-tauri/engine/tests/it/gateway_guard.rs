//! What the loopback server does not let in, over bare sockets. `MALFORMED` is the list of requests tried.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::gateway_provider::{Bare, read_on};
use crate::sockets::JsonValue as _;
use crate::support::ms;

/// What is sent (`HOST` and `KEY` stand for the lines that would let it in), and how the answer begins;
/// nothing means that the connection just ends.
const MALFORMED: &[(&str, &str, &str)] = &[
    (
        "a length and a coding",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "a coding and a length",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "two lengths",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        "HTTP/1.1 400",
    ),
    (
        "one length twice",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 4\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 400",
    ),
    (
        "a list of lengths",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 4, 4\r\n\r\nabcd",
        "HTTP/1.1 400",
    ),
    ("a signed length", "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: +4\r\n\r\nabcd", "HTTP/1.1 400"),
    ("a negative length", "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: -4\r\n\r\nabcd", "HTTP/1.1 400"),
    (
        "a hexadecimal length",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 0x4\r\n\r\nabcd",
        "HTTP/1.1 400",
    ),
    (
        "a length beyond numbers",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: 99999999999999999999\r\n\r\n",
        "HTTP/1.1 400",
    ),
    ("no length", "POST /deezer/x HTTP/1.1\r\nHOSTKEYContent-Length: \r\n\r\n", "HTTP/1.1 400"),
    (
        "two codings",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "a coding in front of chunks",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "a coding that only looks chunked",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "chunks in HTTP/1.0",
        "POST /deezer/x HTTP/1.0\r\nHOSTKEYTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "a chunk's size that is none",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: chunked\r\n\r\nzz\r\nabcd\r\n0\r\n\r\n",
        "HTTP/1.1 400",
    ),
    (
        "a chunk's size too large",
        "POST /deezer/x HTTP/1.1\r\nHOSTKEYTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
        "HTTP/1.1 400",
    ),
    ("white space before the colon", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A : 1\r\n\r\n", "HTTP/1.1 400"),
    ("a tab before the colon", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A\t: 1\r\n\r\n", "HTTP/1.1 400"),
    ("a folded line", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A: 1\r\n 2\r\n\r\n", "HTTP/1.1 400"),
    ("white space before the first header", "GET /deezer/x HTTP/1.1\r\n HOSTKEY\r\n", "HTTP/1.1 400"),
    ("bare line feeds", "GET /deezer/x HTTP/1.1\nHOSTKEY\n", "HTTP/1.1 400"),
    ("one bare line feed", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A: 1\nX-B: 2\r\n\r\n", "HTTP/1.1 400"),
    ("a bare line feed at the end", "GET /deezer/x HTTP/1.1\r\nHOSTKEY\n", "HTTP/1.1 400"),
    ("a bare carriage return", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A: 1\rX-B: 2\r\n\r\n", "HTTP/1.1 400"),
    ("NUL in a value", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A: 1\0 2\r\n\r\n", "HTTP/1.1 400"),
    ("NUL in a name", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX\0A: 1\r\n\r\n", "HTTP/1.1 400"),
    ("no colon", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A\r\n\r\n", "HTTP/1.1 400"),
    ("no name", "GET /deezer/x HTTP/1.1\r\nHOSTKEY: 1\r\n\r\n", "HTTP/1.1 400"),
    ("an empty line in front", "\r\nGET /deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("no version", "GET /deezer/x\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("a version that is none", "GET /deezer/x HTTP/1.2\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("the second version's preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
    ("two blanks in the request line", "GET  /deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("a blank in the path", "GET /deezer/a b HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("a method that is none", "G@T /deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\n", "HTTP/1.1 400"),
    ("not a request", "hello\r\n\r\n", "HTTP/1.1 400"),
    ("TRACE", "TRACE /deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 405"),
    ("a method nobody knows", "BREW /deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 405"),
    ("CONNECT", "CONNECT api.deezer.com:443 HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 421"),
    ("no host", "GET /deezer/x HTTP/1.1\r\nKEY\r\n", "HTTP/1.1 421"),
    ("no host in HTTP/1.0", "GET /health HTTP/1.0\r\n\r\n", "HTTP/1.0 421"),
    ("two hosts", "GET /deezer/x HTTP/1.1\r\nHOSTHost: evil.example\r\nKEY\r\n", "HTTP/1.1 421"),
    ("one host twice", "GET /deezer/x HTTP/1.1\r\nHOSTHOSTKEY\r\n", "HTTP/1.1 421"),
    ("a foreign host", "GET /deezer/x HTTP/1.1\r\nHost: evil.example\r\nKEY\r\n", "HTTP/1.1 421"),
    (
        "a host that begins like ours",
        "GET /health HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n",
        "HTTP/1.1 421",
    ),
    ("a name before the host", "GET /health HTTP/1.1\r\nHost: evil@127.0.0.1\r\n\r\n", "HTTP/1.1 421"),
    ("an address of all interfaces", "GET /health HTTP/1.1\r\nHost: 0.0.0.0\r\n\r\n", "HTTP/1.1 421"),
    (
        "a proxy's request for another host",
        "GET http://evil.example/deezer/x HTTP/1.1\r\nHOSTKEY\r\n",
        "HTTP/1.1 421",
    ),
    ("the same over TLS", "GET https://api.deezer.com/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 421"),
    (
        "a foreign page",
        "GET /deezer/x HTTP/1.1\r\nHOSTKEYOrigin: http://evil.example\r\n\r\n",
        "HTTP/1.1 403",
    ),
    ("a page of nowhere", "GET /health HTTP/1.1\r\nHOSTOrigin: null\r\n\r\n", "HTTP/1.1 403"),
    ("another port's page", "GET /health HTTP/1.1\r\nHOSTOrigin: http://127.0.0.1:1\r\n\r\n", "HTTP/1.1 403"),
    (
        "a preflight",
        "OPTIONS /deezer/x HTTP/1.1\r\nHOSTOrigin: https://evil.example\r\nAccess-Control-Request-Method: GET\r\n\r\n",
        "HTTP/1.1 403",
    ),
    (
        "a foreign page's picture",
        "GET /deezer/x HTTP/1.1\r\nHOSTKEYSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n\r\n",
        "HTTP/1.1 403",
    ),
    ("steps up", "GET /deezer/../spotify/v1/me HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("steps up, encoded", "GET /deezer/%2e%2e/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("steps up, half encoded", "GET /deezer/..%2fx HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("a backslash", "GET /deezer/\\evil.example/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 400"),
    ("a backslash in front", "GET /\\evil.example/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 404"),
    ("two slashes in front", "GET //evil.example/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 404"),
    ("a service with a port", "GET /deezer:80/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 404"),
    ("a service in capitals", "GET /Deezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 404"),
    ("an encoded service", "GET /%64eezer/x HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 404"),
    ("too long an address", "GET /deezer/LONG HTTP/1.1\r\nHOSTKEY\r\n", "HTTP/1.1 4"),
    ("too large a head", "GET /deezer/x HTTP/1.1\r\nHOSTKEYX-A: LONG\r\n\r\n", "HTTP/1.1 4"),
    ("too many headers", "GET /deezer/x HTTP/1.1\r\nHOSTKEYMANY\r\n", "HTTP/1.1 431"),
];

#[tokio::test(flavor = "multi_thread")]
async fn malformed_requests_are_refused_and_the_server_stays_up() {
    let bare = Bare::new().await;
    let (host, key) =
        (format!("Host: 127.0.0.1:{}\r\n", bare.server.port()), format!("X-Headroom-Key: {}\r\n", bare.key));
    let many: String = (0..150).map(|n| format!("X-{n}: 1\r\n")).collect();
    for (what, text, begins) in MALFORMED {
        let text = text.replace("HOST", &host).replace("KEY", &key);
        let text = text.replace("LONG", &"a".repeat(70_000)).replace("MANY", &many);
        let got = bare.raw(text.as_bytes()).await;
        println!("{what}: {}", got.lines().next().unwrap_or("(closed)"));
        assert!(got.starts_with(begins), "{what}: {got}");
        assert!(
            got.matches("HTTP/1.").count() == usize::from(!begins.is_empty()),
            "one answer, whatever follows: {what}: {got}"
        );
        assert!(!got.to_lowercase().contains("access-control-"), "{what}: {got}");
        let health = bare.tool.get(bare.url("/health")).send().await.unwrap();
        assert_eq!(health.status(), 200, "after {what}");
    }
    assert_eq!(bare.asked().len(), 0, "nothing reached the provider: {:?}", bare.asked());
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_path_says_the_service_is_asked_and_no_other() {
    let bare = Bare::new().await;
    for path in [
        "//evil.example/x",
        "/@evil.example/x",
        "/x@evil.example",
        "/:80/x",
        "/%00",
        "/%0d%0aHost:%20evil.example",
        "/%2f%2fevil.example",
        "/http://evil.example/",
        "/;@evil.example",
        "/%40evil.example",
        "/#",
        "/..;/x",
        "/%EF%BC%8F%EF%BC%8Fevil.example",
        "/x?u=http://evil.example/",
        "/?@evil.example",
        "/x?a=%0d%0aX:%201",
        "/[::1]/x",
        "/.evil.example/",
        "/%E3%80%82evil.example",
        "/^{}|",
        "/x?'\"<>",
    ] {
        let before = bare.asked().len();
        let got = bare.raw(format!("GET /deezer{path} HTTP/1.1\r\n{}\r\n", bare.lines()).as_bytes()).await;
        assert!(got.starts_with("HTTP/1.1 200") || got.starts_with("HTTP/1.1 400"), "{path}: {got}");
        let asked = &bare.asked()[before..];
        println!("{path}: {:?}", asked.first().map(|a| a.line().to_owned()));
        assert_eq!(asked.len(), usize::from(got.starts_with("HTTP/1.1 200")), "{path}");
        for asked in asked {
            assert_eq!(asked.header("host"), Some(&*bare.provider), "{path}: {}", asked.head);
            assert!(asked.line().starts_with("GET /"), "{}", asked.head);
        }
    }
    let own =
        format!("GET http://127.0.0.1:{}/deezer/x?a=b HTTP/1.1\r\n{}\r\n", bare.server.port(), bare.lines());
    assert!(
        bare.raw(own.as_bytes()).await.starts_with("HTTP/1.1 200"),
        "a proxy's form with our own name is one too"
    );
    assert_eq!(bare.last().line(), "GET /x?a=b HTTP/1.1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_request_hidden_in_the_first_ones_body_is_none() {
    let bare = Bare::new().await;
    let hidden = format!("GET /deezer/hidden HTTP/1.1\r\n{}\r\n", bare.lines());
    let first = format!(
        "POST /deezer/open HTTP/1.1\r\n{}Content-Length: {}\r\n\r\n{hidden}",
        bare.lines(),
        hidden.len()
    );
    // The key in it would leave the machine, which is refused too.
    let got = bare.raw(first.as_bytes()).await;
    assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "{got}");
    assert!(bare.asked().iter().all(|asked| !asked.line().contains("hidden")));
    let chunked = format!(
        "POST /deezer/open HTTP/1.1\r\n{}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n{hidden}",
        bare.lines()
    );
    let got = bare.raw(chunked.as_bytes()).await;
    assert_eq!(got.matches("HTTP/1.1 ").count(), 1, "the connection ends after chunks: {got}");
    assert!(bare.asked().iter().all(|asked| !asked.line().contains("hidden")));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_our_own_says_what_is_wrong() {
    let bare = Bare::new().await;
    for (request, status, code) in [
        (bare.get("/deezer/x").header("origin", "https://evil.example"), 403, "foreign_origin"),
        (
            bare.get("/api/rate-monitor").bearer_auth(bare.control_key()).header("origin", "null"),
            403,
            "foreign_origin",
        ),
        (bare.get("/health").header("host", "evil.example"), 421, "foreign_host"),
        (bare.request(reqwest::Method::TRACE, "/deezer/x"), 405, "method_not_allowed"),
        (bare.get("/deezer/a%2f..%2fb"), 400, "bad_path"),
        (bare.get("/napster/x"), 404, "unknown_service"),
    ] {
        let got = request.send().await.unwrap();
        assert_eq!(
            (got.status().as_u16(), got.headers()["x-headroom-limited"].to_str().unwrap()),
            (status, "local")
        );
        assert_eq!(got.json_value().await["error"]["code"], code);
    }
    let own = format!("http://127.0.0.1:{}", bare.server.port());
    assert_eq!(bare.get("/deezer/x").header("origin", own).send().await.unwrap().status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_in_pieces_is_one_and_a_client_that_leaves_is_forgotten() {
    let bare = Bare::new().await;
    let mut stream = bare.connect().await;
    for piece in format!("GET /deezer/pieces HTTP/1.1\r\n{}\r\n", bare.lines()).as_bytes().chunks(7) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(ms(1)).await;
    }
    assert!(String::from_utf8_lossy(&read_on(&mut stream).await).starts_with("HTTP/1.1 200"));
    let mut left = bare.connect().await;
    left.write_all(b"POST /deezer/left HTTP/1.1\r\n").await.unwrap();
    drop(left);
    let mut half = bare.connect().await;
    half.write_all(
        format!("POST /deezer/half HTTP/1.1\r\n{}Content-Length: 10\r\n\r\nabc", bare.lines()).as_bytes(),
    )
    .await
    .unwrap();
    half.shutdown().await.unwrap();
    drop(half);
    tokio::time::sleep(ms(50)).await;
    assert_eq!(bare.asked().len(), 1, "half a body is not sent on");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_connections_are_kept_and_each_is_answered() {
    const MANY: usize = 1_000;
    let bare = Bare::new().await;
    let ask = format!("GET /health HTTP/1.1\r\n{}\r\n", bare.lines());
    let before = resident_kib();
    let mut open = Vec::with_capacity(MANY);
    for _ in 0..MANY {
        open.push(bare.connect().await);
    }
    for round in 0..2 {
        for stream in &mut open {
            stream.write_all(ask.as_bytes()).await.unwrap();
        }
        for (place, stream) in open.iter_mut().enumerate() {
            let mut got = Vec::new();
            while !got.ends_with(b"}") {
                let mut part = [0; 1_024];
                let read = tokio::io::AsyncReadExt::read(stream, &mut part).await.unwrap();
                assert!(read > 0, "connection {place} ended in round {round}");
                got.extend_from_slice(&part[..read]);
            }
            assert!(got.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&got));
        }
    }
    println!("{MANY} idle connections, both ends in this process: {} KiB in all", resident_kib() - before);
}

fn resident_kib() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Real seconds: the timers of sockets know no others.
#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_is_not_waited_for_and_an_idle_connection_is() {
    let bare = Bare::new().await;
    let mut slow = bare.connect().await;
    slow.write_all(b"GET /deezer/x HTTP/1.1\r\nX-").await.unwrap();
    let mut idle = bare.connect().await;
    let lines = format!("GET /health HTTP/1.1\r\n{}\r\n", bare.lines());
    idle.write_all(lines.as_bytes()).await.unwrap();
    assert!(!read_on(&mut idle).await.is_empty());
    let ended = async {
        let mut end = [0; 1];
        // A byte now and then does not prolong it.
        for _ in 0..20 {
            let _ = slow.write_all(b"a").await;
            let read = tokio::io::AsyncReadExt::read(&mut slow, &mut end);
            if let Ok(read) = tokio::time::timeout(Duration::from_secs(1), read).await {
                return read.unwrap_or(0);
            }
        }
        1
    };
    assert_eq!(ended.await, 0, "closed");
    idle.write_all(lines.as_bytes()).await.unwrap();
    assert!(String::from_utf8_lossy(&read_on(&mut idle).await).starts_with("HTTP/1.1 200"), "still open");
}
