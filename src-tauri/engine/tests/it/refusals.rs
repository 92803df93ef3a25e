//! Which answers ban, and which only look like it.

use headroom_engine::call::CallError;
use headroom_engine::call::transport::TransportError;
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{self, *};

use crate::provider::{Reply, Scripted};
use crate::support::{Home, events, get, ms};

/// One engine that gets the answers it is told to.
struct Bench {
    home: Home<Scripted>,
    engine: headroom_engine::Engine,
}

impl Bench {
    async fn new() -> Self {
        let home = Home::roomy(Scripted::well(ms(0)), &[]);
        let engine = home.start().await;
        Self { home, engine }
    }

    /// Sends one call into `answer` and tells how long the ban is that it makes, in seconds.
    async fn ban(&self, id: ServiceId, answer: impl Fn() -> Reply + Send + 'static) -> Option<u64> {
        self.home.provider.now(move |_| answer());
        let result = self.engine.call(get(id, "/search")).await;
        let banned = self.engine.rates().services[&id].ban.as_ref().map(|ban| ban.remaining_s);
        assert_eq!(events(&self.engine, EventKind::Ban).len(), usize::from(banned.is_some()), "{id}");
        assert_eq!(matches!(result, Err(CallError::Refused { .. })), banned.is_some(), "{id}");
        banned
    }
}

#[tokio::test(start_paused = true)]
async fn b4_a_real_refusal_bans_for_the_services_own_time() {
    for id in ServiceId::ALL {
        let default = match id {
            Spotify => 1_800,
            Itunes => 600,
            Musicbrainz => 30,
            _ => 60,
        };
        assert_eq!(Bench::new().await.ban(*id, || Reply::new(429, "")).await, Some(default), "{id}");
        assert_eq!(
            Bench::new().await.ban(*id, || Reply::new(429, "").with("retry-after", "7")).await,
            Some(7),
            "{id}"
        );
    }
    for (id, status, body, expected) in [
        (Deezer, 200, r#"{"error":{"type":"Exception","message":"Quota limit exceeded","code":4}}"#, 60),
        (Deezer, 403, "", 60),
        (Itunes, 403, "", 600),
        (Itunes, 403, "\n \r\n", 600),
        (Musicbrainz, 503, r#"{"error":"Your requests are exceeding the allowable rate limit."}"#, 30),
        (Lastfm, 200, r#"{"error":29,"message":"Rate Limit Exceeded"}"#, 60),
        (Lastfm, 403, r#"{"message":"Rate Limit Exceeded","error":29}"#, 60),
        (
            Lastfm,
            200,
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<lfm status=\"failed\">\n  <error code=\"29\">Rate Limit Exceeded</error>\n</lfm>",
            60,
        ),
        (Odesli, 401, "", 60),
        (Spotify, 429, r#"{"error":{"status":429,"reason":"QUOTA_EXCEEDED"}}"#, 1_800),
    ] {
        assert_eq!(
            Bench::new().await.ban(id, move || Reply::new(status, body)).await,
            Some(expected),
            "{id} {status} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn b4_nothing_else_bans_whatever_it_says() {
    let bench = Bench::new().await;
    const TEXTS: [&str; 4] = [
        r#"{"error":{"status":403,"message":"Player command failed: Premium required","reason":"PREMIUM_REQUIRED"}}"#,
        r#"{"message":"rate limit exceeded, too many requests, 429"}"#,
        r#"{"title":"Accurate corporate rate","name":"Quota Exceeded"}"#,
        "<html><body>Max retries exceeded</body></html>",
    ];
    for id in ServiceId::ALL {
        for status in [200, 201, 204, 304, 400, 401, 402, 403, 404, 405, 408, 410, 422, 500, 502, 503, 504] {
            let bans = [(Musicbrainz, 503), (Odesli, 401), (Deezer, 403)];
            if bans.contains(&(*id, status)) {
                continue;
            }
            for text in TEXTS {
                assert_eq!(
                    bench.ban(*id, move || Reply::new(status, text)).await,
                    None,
                    "{id} {status} {text}"
                );
            }
        }
    }
    for (id, status, body) in [
        (
            Deezer,
            403,
            r#"{"error":{"type":"OAuthException","message":"An active access token must be used","code":200}}"#,
        ),
        (Deezer, 200, r#"{"error":{"type":"DataException","message":"no data","code":800}}"#),
        (Deezer, 200, r#"{"error":{"type":"Exception","message":"Service busy","code":700}}"#),
        (Deezer, 200, r#"{"data":[{"title":"\"error\":{\"code\":4}","error":{"code":4}}]}"#),
        (Deezer, 200, r#"{"error":[],"code":4}"#),
        (Itunes, 403, "Forbidden"),
        (Lastfm, 200, r#"{"error":11,"message":"Service Offline"}"#),
        (Lastfm, 200, r#"{"error":16,"message":"try again"}"#),
        (Lastfm, 403, r#"{"error":26,"message":"API Key Suspended"}"#),
        (Lastfm, 200, r#"{"track":{"name":"Error 29","error":"29"}}"#),
        (Lastfm, 200, "<lfm status=\"failed\"><error code=\"26\">Suspended, not 29</error></lfm>"),
        (Lastfm, 200, "<lfm status=\"ok\"><track><name>&lt;error code=&quot;29&quot;</name></track></lfm>"),
        (Musicbrainz, 500, "rate limit"),
        (Spotify, 403, r#"{"error":{"reason":"QUOTA_EXCEEDED"}}"#),
    ] {
        assert_eq!(bench.ban(id, move || Reply::new(status, body)).await, None, "{id} {status} {body}");
    }
}

#[tokio::test(start_paused = true)]
async fn b4_trouble_on_the_way_never_bans() {
    let bench = Bench::new().await;
    for error in [
        TransportError::Timeout,
        TransportError::Connect("connection refused".into()),
        TransportError::Broken("Max retries exceeded with url: too many 429 error responses".into()),
        TransportError::TooLarge,
    ] {
        for id in [Spotify, Deezer, Itunes, Musicbrainz] {
            let error = error.clone();
            assert_eq!(bench.ban(id, move || Reply(ms(5), Err(error.clone()))).await, None, "{id}");
        }
    }
}
