//! http-cache with moka, as a middleware of reqwest: an answer from memory, 2 KB with 12 headers.
//!
//! Prints one line of JSON: `{"name", "median_us", "p99_us"}`.

use std::time::{Duration, Instant};

use http_cache_reqwest::{Cache, CacheMode, HttpCache, HttpCacheOptions, MokaManager};
use reqwest_middleware::ClientBuilder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const ENTRIES: usize = 10_000;
const ASKED: usize = 50_000;
const HEADERS: &str = "content-type: application/json; charset=utf-8\r\ncontent-language: en\r\n\
    cache-control: public, max-age=43200\r\netag: \"5f2d9c1be7a04438\"\r\n\
    last-modified: Fri, 17 May 2013 00:00:00 GMT\r\ncontent-length: 2048\r\npragma: cache\r\n\
    server: Apache\r\nvary: Accept-Encoding\r\nx-content-type-options: nosniff\r\nx-host: blm-web-90\r\nx-org: FR\r\n";

/// Answers every request with 2,048 bytes of JSON.
async fn serve(listener: TcpListener) {
    let body = format!("{{\"data\":\"{}\"}}", "0123456789abcdef".repeat(128));
    let answer = format!("HTTP/1.1 200 OK\r\n{HEADERS}\r\n{}\"}}", &body[..2_046]);
    while let Ok((mut socket, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::spawn(async move {
            let mut request = [0; 4_096];
            while socket.read(&mut request).await.is_ok_and(|read| read > 0) {
                if socket.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(serve(listener));
    // Room for all, with plenty to spare.
    let manager = MokaManager::new(http_cache_reqwest::MokaCacheBuilder::new(100_000).build());
    let options = HttpCacheOptions::default();
    let cache = Cache(HttpCache { mode: CacheMode::Default, manager, options });
    let client = ClientBuilder::new(reqwest::Client::new()).with(cache).build();
    let address = |album: usize| format!("http://{address}/album/{album}/tracks?limit=50");
    for album in 0..ENTRIES {
        client.get(address(album)).send().await?.bytes().await?;
    }
    let mut times = Vec::with_capacity(ASKED);
    for turn in 0..ASKED {
        let address = address(turn * 7_919 % ENTRIES);
        let began = Instant::now();
        let answer = client.get(address).send().await?;
        let from_cache = answer.headers().get("x-cache").is_some_and(|hit| hit == "HIT");
        let body = answer.bytes().await?;
        times.push(began.elapsed());
        assert!(from_cache && body.len() == 2_048, "a hit of {} bytes", body.len());
    }
    times.sort();
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    println!(
        "{{\"name\":\"http-cache-reqwest with moka, from memory\",\"median_us\":{:.2},\"p99_us\":{:.2}}}",
        micros(times[ASKED / 2]),
        micros(times[ASKED / 100 * 99])
    );
    Ok(())
}
