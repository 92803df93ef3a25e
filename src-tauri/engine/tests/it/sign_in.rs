//! Signing in over real sockets: the consent page, both redirects, and what is refused on the way.

use std::sync::Arc;

use headroom_engine::account::loopback::Loopback;
use headroom_engine::call::{Answer, CallError};
use headroom_engine::contract::{AccountInfo, Code, Contract as _, SignInBegun, SignInVia};
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::meter::EventKind;
use headroom_engine::service::ServiceId::{self, Spotify};
use headroom_engine::{Engine, Options, StartError};
use headroom_simulator::Simulator;
use serde_json::{Value, json};

use crate::sockets::tool;
use crate::support::{Home, events, get, ms, s};

/// The stand-ins, and an engine whose vault is a file.
pub struct SignInSite {
    pub simulator: Arc<Simulator>,
    pub engine: Engine,
    pub dir: Arc<tempfile::TempDir>,
}

pub fn settings(simulator: &Simulator, default_budgets: &[ServiceId]) -> Value {
    let mut services = json!({});
    for id in ServiceId::ALL {
        services[id.as_str()] = json!({ "base_url": simulator.base_url(id.as_str()) });
        if !default_budgets.contains(id) {
            services[id.as_str()]["budget"] = json!({"windows": [{"seconds": 1, "calls": 100_000}]});
        }
    }
    services["spotify"]["client_id"] = json!("test-client-id");
    for id in ["spotify", "tidal"] {
        services[id]["accounts_url"] = json!(simulator.accounts_url(id));
    }
    json!({ "services": services })
}

impl SignInSite {
    pub async fn new(default_budgets: &[ServiceId]) -> Self {
        let simulator = Arc::new(Simulator::start(headroom_simulator::Options::default()).await.unwrap());
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let text = settings(&simulator, default_budgets).to_string();
        write_atomically(&dir.path().join("settings.json"), text.as_bytes(), Readers::Default).unwrap();
        Self { engine: start(&dir).await, simulator, dir }
    }

    pub async fn restarted(self) -> Self {
        let Self { simulator, engine, dir } = self;
        engine.stop().await;
        drop(engine);
        Self { engine: start(&dir).await, simulator, dir }
    }

    async fn begin(&self, via: SignInVia) -> SignInBegun {
        self.engine.begin_sign_in(Spotify, via).await.unwrap()
    }

    /// The whole sign-in by deep link.
    pub async fn sign_in(&self) -> AccountInfo {
        let begun = self.begin(SignInVia::Link).await;
        self.engine.finish_sign_in(consent(&begun.url).await).await.unwrap()
    }

    pub async fn me(&self) -> Result<Answer, CallError> {
        self.engine.call(get(Spotify, "/v1/me")).await
    }

    async fn my_id(&self) -> Value {
        let answer = self.me().await.unwrap();
        assert_eq!(answer.status, 200);
        serde_json::from_slice::<Value>(&answer.body).unwrap()["id"].clone()
    }

    /// Paths that came to Spotify, and how many came to its accounts server for a token.
    fn came(&self) -> (Vec<String>, usize) {
        let paths = |id: &str| self.simulator.log(id).into_iter().map(|entry| entry.path);
        (paths("spotify").collect(), paths("spotify-accounts").filter(|path| path == "/api/token").count())
    }

    /// Whether the sign-in goes on, and if not, whether it came to an account or why it did not.
    async fn progress(&self, state: &str) -> Option<Result<String, String>> {
        let progress = self.engine.sign_in_progress(state.to_owned()).await.unwrap();
        progress.failed.map(Err).or(progress.account.map(|account| Ok(account.id)))
    }

    fn account_ids(&self) -> Vec<(String, bool)> {
        let accounts = self.engine.accounts().accounts(Spotify);
        accounts.into_iter().map(|account| (account.id, account.active)).collect()
    }
}

async fn start(dir: &Arc<tempfile::TempDir>) -> Engine {
    let environment = vec![("HEADROOM_VAULT".to_owned(), "file".to_owned())];
    let options = || Options { environment: environment.clone(), ..Options::new(dir.path()) };
    loop {
        match Engine::start(options()).await {
            Err(StartError::Running(_)) => tokio::time::sleep(ms(10)).await,
            started => return started.unwrap(),
        }
    }
}

/// Where the consent page sends the browser.
pub async fn consent(url: &str) -> String {
    let answer = tool().get(url).send().await.unwrap();
    assert_eq!(answer.status(), 302, "{}", answer.status());
    answer.headers()["location"].to_str().unwrap().to_owned()
}

/// What the browser shows of an address of ours.
async fn page(url: &str) -> String {
    let answer = tool().get(url).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/html; charset=utf-8");
    let text = answer.text().await.unwrap();
    for (_, secret) in reqwest::Url::parse(url).unwrap().query_pairs() {
        assert!(secret.len() < 20 || !text.contains(&*secret), "the page holds what the address held");
    }
    text
}

/// The redirect an authorise URL asks for.
fn redirect_of(url: &str) -> String {
    let url = reqwest::Url::parse(url).unwrap();
    url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.into_owned()
}

/// Waits until nobody listens there any more.
async fn closed(url: &str) {
    let port = reqwest::Url::parse(url).unwrap().port().unwrap();
    for _ in 0..200 {
        match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
            Ok(_) => tokio::time::sleep(ms(5)).await,
            Err(_) => return,
        }
    }
    panic!("port {port} stays open");
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_a_sign_in_by_loopback_survives_every_stranger_and_closes_its_port() {
    let site = SignInSite::new(&[]).await;
    let other = site.begin(SignInVia::Loopback).await;
    let begun = site.begin(SignInVia::Loopback).await;
    let redirect = redirect_of(&begun.url);
    assert!(redirect.starts_with("http://127.0.0.1:") && redirect.ends_with("/callback"), "{redirect}");
    for (query, said) in [
        ("?code=stolen&state=wrong-state-of-some-length", "was not begun here"),
        ("?code=stolen", "does not say which sign-in"),
        ("", "does not say which sign-in"),
        ("?error=access_denied", "does not say which sign-in"),
        ("?error=access_denied&state=wrong-state-of-some-length", "was not begun here"),
        (&format!("?code=stolen&state={}&state={}", begun.state, begun.state), "does not say which sign-in"),
        // The other sign-in's answer goes to the other sign-in's port.
        (&format!("?code=stolen&state={}", other.state), "not a sign-in&#39;s answer"),
    ] {
        let text = page(&format!("{redirect}{query}")).await;
        let said = said.replace("&#39;", "'");
        assert!(text.contains("Not signed in") && text.contains(&said), "{query}: {text}");
        assert_eq!(site.progress(&begun.state).await, None, "{query}: it stays pending");
    }
    assert_eq!(tool().get(redirect.replace("/callback", "/")).send().await.unwrap().status(), 404);
    assert_eq!(site.came().1, 0, "nothing stolen was tried");

    let callback = consent(&begun.url).await;
    assert!(callback.starts_with(&redirect), "{callback}");
    // A second callback while the first is worked on.
    site.simulator.set("spotify-accounts", json!({"latency_ms": [200, 200]})).unwrap();
    let first = tokio::spawn({
        let callback = callback.clone();
        async move { page(&callback).await }
    });
    tokio::time::sleep(ms(80)).await;
    let second = page(&callback).await;
    assert!(second.contains("was finished already"), "{second}");
    let first = first.await.unwrap();
    assert!(first.contains("Signed in") && first.contains("signed in as listener"), "{first}");
    assert_eq!(site.progress(&begun.state).await, Some(Ok("listener".into())));
    closed(&redirect).await;
    assert_eq!(site.progress(&other.state).await, None, "the other one goes on");
    let again = site.engine.finish_sign_in(callback).await.unwrap_err();
    assert_eq!((again.code, again.message.contains("was finished already")), (Code::BadRequest, true));
    assert_eq!(site.came(), (vec!["/v1/me".to_owned()], 1), "one token request, and Me asked once");
    assert_eq!(site.my_id().await, "listener");
    assert_eq!(site.account_ids(), [("listener".to_owned(), true)]);
    assert_eq!(events(&site.engine, EventKind::SignedIn).len(), 1);
    assert!(page(&consent(&other.url).await).await.contains("signed in as listener"));
    closed(&redirect_of(&other.url)).await;
    assert_eq!(site.account_ids(), [("listener".to_owned(), true)], "signed in again, still one account");
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_a_no_on_the_consent_page_changes_nothing_and_closes_the_port() {
    let site = SignInSite::new(&[]).await;
    site.simulator.set_accounts(json!({"consent": "deny"})).unwrap();
    for via in [SignInVia::Loopback, SignInVia::Link] {
        let begun = site.begin(via).await;
        let callback = consent(&begun.url).await;
        assert!(callback.contains("error=access_denied"), "{callback}");
        if callback.starts_with("headroom:") {
            let error = site.engine.finish_sign_in(callback).await.unwrap_err();
            assert_eq!(
                (error.code, error.message.as_str()),
                (Code::BadRequest, "The sign-in was refused: nothing has changed")
            );
        } else {
            assert!(page(&callback).await.contains("The sign-in was refused: nothing has changed"));
            closed(&callback).await;
        }
        let failed = site.progress(&begun.state).await.unwrap().unwrap_err();
        assert!(failed.contains("refused"), "{failed}");
    }
    assert_eq!((site.account_ids(), site.came()), (vec![], (vec![], 0)));
    assert!(!site.dir.path().join("vault.json").exists(), "not even a vault");
    assert!(matches!(site.me().await, Err(CallError::SignInNeeded(Spotify))));
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_a_link_nobody_asked_for_is_refused_and_the_real_one_still_works() {
    let site = SignInSite::new(&[]).await;
    let strange = "headroom://callback?code=stolen-code-of-some-length&state=stolen-state-of-some-length";
    for _ in 0..2 {
        let error = site.engine.finish_sign_in(strange.to_owned()).await.unwrap_err();
        assert!(error.code == Code::BadRequest && error.message.contains("was not begun here"), "{error:?}");
        assert!(!error.message.contains("stolen"), "{error:?}");
    }
    let begun = site.begin(SignInVia::Link).await;
    assert_eq!(redirect_of(&begun.url), "headroom://callback");
    assert!(site.engine.finish_sign_in(strange.to_owned()).await.is_err());
    // The right state with somebody else's code spends the attempt, and says so.
    let callback = consent(&begun.url).await;
    let (before, _) = callback.split_once("code=").unwrap();
    let swapped = format!("{before}code=stolen-code-of-some-length&state={}", begun.state);
    let error = site.engine.finish_sign_in(swapped).await.unwrap_err();
    assert!(
        error.message.contains("Spotify gave no token") && !error.message.contains("stolen"),
        "{error:?}"
    );
    assert!(site.progress(&begun.state).await.unwrap().is_err());
    assert!(site.engine.finish_sign_in(callback).await.is_err(), "the attempt is spent");
    assert!(site.account_ids().is_empty());
    assert_eq!(site.sign_in().await.id, "listener", "and a new one works");
    assert_eq!(site.came(), (vec!["/v1/me".to_owned()], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn t4_without_a_client_id_or_at_other_services_nothing_begins() {
    let site = SignInSite::new(&[]).await;
    let error = site.engine.begin_sign_in(ServiceId::Deezer, SignInVia::Loopback).await.unwrap_err();
    assert!(error.message.contains("Deezer"), "{error:?}");
    site.engine.set_client_id(Spotify, None).await.unwrap();
    let error = site.engine.begin_sign_in(Spotify, SignInVia::Link).await.unwrap_err();
    assert!(
        error.code == Code::BadRequest && error.message.contains("services.spotify.client_id"),
        "{error:?}"
    );
    site.engine.set_client_id(Spotify, Some("test-client-id".into())).await.unwrap();
    assert_eq!(site.sign_in().await.id, "listener", "effective at once");
}

#[tokio::test(start_paused = true)]
async fn t4_a_port_nobody_comes_to_closes_after_five_minutes_and_the_sign_in_has_failed() {
    let home = Home::new(crate::provider::Scripted::well(ms(0)));
    home.settings(&json!({"services": {"spotify": {"client_id": "mine"}}}));
    let engine = home.start().await;
    let port = Loopback::open().await.unwrap();
    let redirect = port.redirect_uri();
    let (_, state) = engine.accounts().begin(Spotify, &redirect).unwrap();
    let waiting = tokio::spawn(port.receive(Arc::clone(engine.accounts())));
    tokio::time::sleep(s(299)).await;
    assert!(!waiting.is_finished());
    assert!(engine.sign_in_progress(state.clone()).await.unwrap().failed.is_none());
    tokio::time::sleep(s(2)).await;
    assert!(waiting.is_finished());
    closed(&redirect).await;
    let late = engine.finish_sign_in(format!("{redirect}?code=c&state={state}")).await.unwrap_err();
    assert!(late.message.contains("took longer than 5 minutes"), "{late:?}");
    let failed = engine.sign_in_progress(state).await.unwrap().failed;
    assert!(failed.is_some_and(|why| why.contains("5 minutes")));
}

#[tokio::test(flavor = "multi_thread")]
async fn b3_a_sign_in_clears_a_ban_by_one_probe_and_a_refused_probe_lets_it_stand_again() {
    let site = SignInSite::new(&[]).await;
    site.sign_in().await;
    let refuse = |seconds: u32| {
        let refuse = json!({"refuse": {"status": 429, "retry_after": seconds, "times": 1}});
        site.simulator.set("spotify", refuse).unwrap();
    };
    let until = || site.engine.rates().services[&Spotify].ban.clone().map(|ban| ban.until);
    refuse(3_600);
    assert!(site.me().await.is_err());
    let first = until().expect("banned");
    assert!(site.me().await.is_err());
    assert_eq!(site.came().0.len(), 2, "nothing is sent while it runs");

    assert_eq!(site.sign_in().await.id, "listener", "a sign-in is held back by no ban");
    assert_eq!((until(), site.came().0.len()), (None, 3), "one probe");
    assert_eq!(site.me().await.unwrap().status, 200);
    assert!(site.engine.rates().services[&Spotify].ban.is_none());

    refuse(3_600);
    assert!(site.me().await.is_err());
    let second = until().unwrap();
    assert!(second >= first);
    refuse(5);
    let came = site.came().0.len();
    let account = site.sign_in().await;
    assert_eq!(site.came().0.len() - came, 1, "the probe alone");
    assert!(until().is_some_and(|until| until >= second), "the ban stands again: {:?} {second}", until());
    assert!(account.active, "signed in nevertheless: {account:?}");
    assert!(site.me().await.is_err());
    let site = site.restarted().await;
    let after = site.engine.rates().services[&Spotify].ban.clone().map(|ban| ban.until);
    assert!(after.is_some_and(|until| until >= second), "and after a restart");
    assert!(site.me().await.is_err());
    assert_eq!(site.came().0.len() - came, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_apart_switched_at_once_and_signed_out_alone() {
    let site = SignInSite::new(&[]).await;
    site.sign_in().await;
    site.simulator.set_accounts(json!({"user": "sister"})).unwrap();
    assert_eq!(site.sign_in().await.id, "sister");
    assert_eq!(site.my_id().await, "sister");
    let both = |active: &str| ["listener", "sister"].map(|id| (id.to_owned(), id == active));
    assert_eq!(site.account_ids(), both("sister"));
    let tokens = site.came().1;
    site.engine.use_account(Spotify, "listener".into()).await.unwrap();
    assert_eq!((site.my_id().await, site.account_ids()), (json!("listener"), both("listener").to_vec()));
    assert_eq!(site.came().1, tokens + 1, "its refresh token was used");

    let site = site.restarted().await;
    assert_eq!(site.my_id().await, "listener", "the choice survives a restart");
    assert!(site.engine.use_account(Spotify, "nobody".into()).await.is_err());
    site.engine.sign_out(Spotify, "sister".into()).await.unwrap();
    assert_eq!(
        (site.my_id().await, site.account_ids()),
        (json!("listener"), vec![("listener".to_owned(), true)])
    );
    site.engine.sign_out(Spotify, "listener".into()).await.unwrap();
    assert!(site.engine.sign_out(Spotify, "listener".into()).await.is_err());
    assert!(matches!(site.me().await, Err(CallError::SignInNeeded(Spotify))), "at once");
    let vault: Value =
        serde_json::from_slice(&std::fs::read(site.dir.path().join("vault.json")).unwrap()).unwrap();
    assert!(vault["secrets"].as_object().is_none_or(serde_json::Map::is_empty), "no token is left");
    assert_eq!(events(&site.engine, EventKind::SignedOut).len(), 2);
    let site = site.restarted().await;
    assert!(matches!(site.me().await, Err(CallError::SignInNeeded(Spotify))));
}
