//! The window's page in a browser: how one gets in, and what the page may.

use headroom_engine::gateway::{Assets, Server};
use reqwest::{RequestBuilder, Response};

use crate::gateway_provider::Bare;
use crate::sockets::JsonValue as _;

/// A server with a page, beside the one that has none.
struct Page {
    bare: Bare,
    server: Server,
}

impl Page {
    async fn new() -> Self {
        let bare = Bare::new().await;
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("assets")).unwrap();
        let script = "export const a = 1;\n".repeat(200);
        for (name, text) in [
            ("index.html", "<!doctype html><script type=module src=/assets/a.js></script>"),
            ("assets/a.js", script.as_str()),
            ("favicon.svg", "<svg/>"),
        ] {
            let path = dir.path().join(name);
            headroom_engine::disk::write_atomically(
                &path,
                text.as_bytes(),
                headroom_engine::disk::Readers::Default,
            )
            .unwrap();
        }
        let assets = Assets::folder(dir.path()).unwrap();
        let server = Server::start_with(&bare.engine, Some(0), Some(assets)).await.unwrap();
        Self { bare, server }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.bare.tool.get(format!("{}{path}", self.server.address()))
    }

    async fn link(&self) -> String {
        let key = self.bare.control_key();
        let made = self.bare.tool.post(format!("{}/api/session", self.server.address())).bearer_auth(key);
        let url = made.send().await.unwrap().json_value().await["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&self.server.address()).unwrap().to_owned()
    }

    /// The cookie a browser would send.
    async fn session(&self) -> String {
        let opened = self.get(&self.link().await).send().await.unwrap();
        assert_eq!((opened.status().as_u16(), &opened.headers()["location"]), (303, &"/".parse().unwrap()));
        let cookie = opened.headers()["set-cookie"].to_str().unwrap();
        let (pair, rules) = cookie.split_once("; ").unwrap();
        assert!(pair.starts_with(&format!("headroom_session_{}=", self.server.port())), "{pair}");
        assert_eq!(rules, "HttpOnly; SameSite=Strict; Path=/; Max-Age=43200");
        assert_eq!(opened.headers()["referrer-policy"], "no-referrer");
        pair.to_owned()
    }
}

async fn told(request: RequestBuilder) -> (u16, String) {
    let got = request.send().await.unwrap();
    let status = got.status().as_u16();
    let body = got.text().await.unwrap();
    let error: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
    (status, error["error"]["code"].as_str().unwrap_or_default().to_owned())
}

fn header<'a>(got: &'a Response, name: &str) -> &'a str {
    got.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_needs_no_key_its_data_does_and_its_policy_is_strict() {
    let page = Page::new().await;
    for (path, kind, cache) in [
        ("/", "text/html; charset=utf-8", "no-cache"),
        ("/index.html", "text/html; charset=utf-8", "no-cache"),
        ("/assets/a.js", "text/javascript; charset=utf-8", "public, max-age=31536000, immutable"),
        ("/favicon.svg", "image/svg+xml", "no-cache"),
    ] {
        let got = page.get(path).send().await.unwrap();
        assert_eq!((got.status().as_u16(), header(&got, "content-type")), (200, kind), "{path}");
        assert_eq!(header(&got, "cache-control"), cache, "{path}");
        let policy = header(&got, "content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "frame-ancestors 'none'",
            "connect-src 'self'",
        ] {
            assert!(policy.split("; ").any(|part| part == rule), "{rule}: {policy}");
        }
        assert!(!policy.contains("script-src 'self' ") && !policy.contains("unsafe-eval"), "{policy}");
        assert_eq!(
            (
                header(&got, "x-content-type-options"),
                header(&got, "referrer-policy"),
                header(&got, "x-frame-options")
            ),
            ("nosniff", "no-referrer", "DENY")
        );
        assert!(!got.headers().contains_key("access-control-allow-origin"));
    }
    let small = page.get("/assets/a.js").header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(header(&small, "content-encoding"), "gzip");
    for path in [
        "/..%2fsettings.json",
        "/assets/..%2f..%2fvault.json",
        "/vault.json",
        "/runtime.json",
        "/assets/",
        "/assets",
    ] {
        assert_eq!(page.get(path).send().await.unwrap().status(), 404, "{path}");
    }
    assert_eq!(told(page.get("/api/rate-monitor")).await, (401, "key_missing".into()));
    assert_eq!(told(page.bare.get("/")).await, (404, "no_page".into()), "a server without one says so");
    let post = page.bare.tool.post(format!("{}/", page.server.address()));
    assert_eq!(told(post).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_works_once_and_its_cookie_opens_the_control_api_to_our_page_only() {
    let page = Page::new().await;
    let link = page.link().await;
    assert_eq!(page.get(&link).send().await.unwrap().status(), 303);
    assert_eq!(told(page.get(&link)).await, (403, "link_used".into()), "once");
    assert_eq!(told(page.get("/open?code=hr_00")).await, (403, "link_used".into()));
    let tool = page.bare.tool.post(format!("{}/api/session", page.server.address()));
    assert_eq!(told(tool.header("x-headroom-key", &page.bare.key)).await, (403, "control_key_needed".into()));

    let cookie = page.session().await;
    let own = page.server.address();
    let api = || page.get("/api/rate-monitor").header("cookie", format!("other=1; {cookie}"));
    assert_eq!(told(api().header("sec-fetch-site", "same-origin")).await.0, 200);
    assert_eq!(told(api().header("origin", &own)).await.0, 200);
    assert_eq!(told(api()).await, (401, "key_missing".into()), "nobody says that it is our page");
    assert_eq!(told(api().header("sec-fetch-site", "none")).await.0, 401, "typed in");
    for (site, mode) in [("cross-site", "no-cors"), ("same-site", "cors"), ("cross-site", "navigate")] {
        let status = told(api().header("sec-fetch-site", site).header("sec-fetch-mode", mode)).await.0;
        assert!(status == 403 || status == 401, "{site} {mode}: {status}");
    }
    assert_eq!(told(api().header("origin", "http://localhost:1")).await, (403, "foreign_origin".into()));
    let post = page.bare.tool.post(format!("{own}/api/call/status")).header("cookie", &cookie);
    assert_eq!(told(post.header("origin", &own)).await.0, 200);
    for path in ["/deezer/search?q=a", "/metrics"] {
        let request = page.get(path).header("cookie", &cookie).header("sec-fetch-site", "same-origin");
        assert_eq!(told(request).await, (401, "key_missing".into()), "{path}: never the gateway");
    }
    assert_eq!(page.bare.asked().len(), 0);
    let wrong = page.get("/api/keys").header("sec-fetch-site", "same-origin");
    let renamed = cookie.replace("headroom_session_", "headroom_session_1");
    for cookie in ["headroom_session_1=x".to_owned(), renamed, format!("{cookie}0"), String::new()] {
        let request = wrong.try_clone().unwrap().header("cookie", &cookie);
        assert_eq!(told(request).await.0, 401, "{cookie}");
    }
    let known = page.get("/api/keys").header("cookie", &cookie).header("sec-fetch-site", "same-origin");
    assert_eq!(
        told(known.header("x-headroom-key", "hr_wrong")).await,
        (401, "wrong_key".into()),
        "a key counts first"
    );
    // Another start is another server: its sessions are its own.
    let again = Server::start(&page.bare.engine, Some(0)).await.unwrap();
    let request =
        page.bare.tool.get(format!("{}/api/keys", again.address())).header("sec-fetch-site", "same-origin");
    let moved = cookie.replace(&page.server.port().to_string(), &again.port().to_string());
    assert_eq!(told(request.header("cookie", moved)).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_page_in_a_browser_acts_for_nobody() {
    let page = Page::new().await;
    page.bare.answers(|_| {
        crate::gateway_provider::answer(
            "200 OK",
            "Content-Type: text/html\r\nContent-Security-Policy: script-src *\r\n",
            "<script>fetch('/api/keys')</script>",
        )
    });
    let path = format!("/~{}/deezer/x", page.bare.key);
    for (name, value) in [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-dest", "document")] {
        let got = page.get(&path).header(name, value).send().await.unwrap();
        let rules: Vec<_> = got.headers().get_all("content-security-policy").iter().collect();
        assert_eq!(rules, ["sandbox"], "{name}");
        assert_eq!(header(&got, "x-content-type-options"), "nosniff");
    }
    let got = page.get(&path).send().await.unwrap();
    assert_eq!(header(&got, "content-security-policy"), "script-src *", "a tool gets what the service sent");
}
