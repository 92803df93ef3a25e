//! A service in memory, and an engine that has asked it.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use headroom_engine::call::transport::{Sending, Transport};
use headroom_engine::call::{Accepts, Answer, Call, Origin};
use headroom_engine::contract::Contract;
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::service::ServiceId;
use headroom_engine::{Engine, Options};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};

/// Headers of an answer, all of a kind that is kept.
const HEADERS: [(&str, &str); 12] = [
    ("content-type", "application/json; charset=utf-8"),
    ("content-language", "en"),
    ("cache-control", "private, must-revalidate"),
    ("etag", "\"5f2d9c1be7a04438\""),
    ("last-modified", "Fri, 17 May 2013 00:00:00 GMT"),
    ("expires", "Mon, 26 Jul 1997 05:00:00 GMT"),
    ("pragma", "no-cache"),
    ("server", "Apache"),
    ("vary", "Accept-Encoding, Accept-Language"),
    ("x-content-type-options", "nosniff"),
    ("x-host", "blm-web-90"),
    ("x-org", "FR"),
];

const WORDS: [&str; 32] = [
    "Random", "Access", "Blue", "Night", "Train", "Golden", "Hour", "River", "Home", "Again", "Lucky",
    "Summer", "Ghost", "Paper", "Moon", "Silver", "Heart", "Dance", "Slow", "Fire", "North", "Glass",
    "Garden", "Winter", "Light", "Electric", "Dream", "Stone", "Wild", "Open", "Window", "Song",
];

/// Numbers that look random and are the same in every run (SplitMix64).
pub struct Numbers(pub u64);

impl Numbers {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap_or(0)
    }

    /// 0 to `count`, each once, in any order.
    pub fn order(&mut self, count: u32) -> Vec<u32> {
        let mut order: Vec<u32> = (0..count).collect();
        for last in (1..order.len()).rev() {
            order.swap(last, self.below(last + 1));
        }
        order
    }

    fn title(&mut self) -> String {
        let words: Vec<_> = (0..2 + self.below(3)).map(|_| WORDS[self.below(WORDS.len())]).collect();
        words.join(" ")
    }
}

/// An album's two tracks as Deezer writes them: about 2 KB, of which a good part are random digits.
pub fn body(album: u32) -> Bytes {
    let mut numbers = Numbers(album.into());
    let (artist, cover) = (numbers.below(20_000), u128::from(numbers.next()) << 64 | 7);
    let name = Numbers(artist as u64).title();
    let mut body = String::from("{\"data\":[");
    for place in 1..=2 {
        let track = album * 10 + place;
        let (title, isrc, rank) = (numbers.title(), numbers.below(100_000_000), numbers.below(1_000_000));
        let (file, sign) = (numbers.next(), [numbers.next(), numbers.next(), numbers.next(), numbers.next()]);
        let comma = if place == 1 { "" } else { "," };
        let _ = write!(
            body,
            r#"{comma}{{"id":{track},"readable":true,"title":"{title}","title_short":"{title}","title_version":"","isrc":"USQ{isrc:09}","link":"https:\/\/www.deezer.com\/track\/{track}","share":"https:\/\/www.deezer.com\/track\/{track}?utm_source=deezer&utm_content=track-{track}&utm_term=0_1793000940&utm_medium=web","duration":"{}","track_position":{place},"disk_number":1,"rank":"{rank}","explicit_lyrics":false,"explicit_content_lyrics":0,"explicit_content_cover":0,"preview":"https:\/\/cdnt-preview.dzcdn.net\/api\/1\/1\/{}\/{}\/{}\/0\/{file:016x}.mp3?hdnea=exp=1793000940~acl=\/api\/1\/1\/{file:016x}.mp3*~data=user_id=0,application_id=42~hmac={:016x}{:016x}{:016x}{:016x}","md5_image":"{cover:032x}","artist":{{"id":"{artist}","name":"{name}","tracklist":"https:\/\/api.deezer.com\/artist\/{artist}\/top?limit=50","type":"artist"}},"album":{{"id":"{album}","title":"{title}","cover":"https:\/\/api.deezer.com\/album\/{album}\/image","type":"album"}},"type":"track"}}"#,
            120 + rank % 300,
            file % 10,
            file / 10 % 10,
            file / 100 % 10,
            sign[0],
            sign[1],
            sign[2],
            sign[3],
        );
    }
    body.push_str("],\"total\":2}");
    Bytes::from(body)
}

/// The headers of every answer.
pub fn headers() -> HeaderMap {
    let pairs = HEADERS.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
    pairs.into_iter().collect()
}

/// The question for an album's tracks: its answer is kept until it is forgotten.
pub fn ask(album: u32) -> Call {
    Call::get(ServiceId::Deezer, format!("/album/{album}/tracks?limit=50"), "beets", Duration::from_secs(30))
}

/// The same of a caller whose answer is not kept.
pub fn ask_unkept(album: u32) -> Call {
    let accepts = Accepts { keeps_nothing: true, ..Accepts::default() };
    Call { accepts, ..ask(album) }
}

/// Answers at once: each album with its own body, or one of those made ready.
pub struct Provider {
    ready: Vec<Bytes>,
    headers: HeaderMap,
}

impl Provider {
    /// Each album has a body of its own.
    pub fn writing() -> Self {
        Self { ready: Vec::new(), headers: headers() }
    }

    /// The time to write a body is not part of what is measured.
    pub fn ready() -> Self {
        Self { ready: (0..1_024).map(body).collect(), headers: headers() }
    }
}

impl Transport for Provider {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        let album = request.uri().path().split('/').nth(2).and_then(|id| id.parse().ok()).unwrap_or(0);
        let body = match self.ready.len() {
            0 => body(album),
            ready => self.ready[album as usize % ready].clone(),
        };
        let mut response = Response::new(body);
        *response.headers_mut() = self.headers.clone();
        Box::pin(std::future::ready(Ok(response)))
    }
}

/// An engine whose budget holds nothing back, on `dir`.
pub async fn engine(dir: &Path, provider: Provider) -> Engine {
    let settings = br#"{"cache":{"max_mb":8192},
        "services":{"deezer":{"budget":{"spacing_ms":0,"windows":[{"seconds":1,"calls":1000000}]}}}}"#;
    write_atomically(&dir.join("settings.json"), settings, Readers::Default).expect("settings");
    let environment = vec![("HEADROOM_VAULT".to_owned(), "file".to_owned())];
    let options = Options { environment, transport: Some(Arc::new(provider)), ..Options::new(dir) };
    Engine::start(options).await.expect("an engine")
}

/// Asks, and makes sure of where the answer came from.
pub async fn answer(engine: &Engine, call: Call) -> Answer {
    engine.call(call).await.expect("an answer")
}

/// Asks for `count` albums, so that they are kept.
pub async fn fill(engine: &Engine, count: u32) {
    for album in 0..count {
        assert_eq!(answer(engine, ask(album)).await.origin, Origin::Service, "{album} is new");
        // What waits for the disk has a bound, beyond which it stays in memory only.
        if album % 4_096 == 0 {
            on_disk(engine).await;
        }
    }
    on_disk(engine).await;
}

/// Returns when everything kept is on disk.
pub async fn on_disk(engine: &Engine) {
    let service = Some(ServiceId::Deezer);
    let page = engine.cache_entries(String::new(), service, Some("0-0".to_owned())).await;
    page.expect("the writer is there");
}
