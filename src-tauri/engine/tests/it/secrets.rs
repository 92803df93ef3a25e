//! Keys the user copies from a service: effective at once, each where its service expects it.

use headroom_engine::account::secret::Secret;
use headroom_engine::call::CallError;
use headroom_engine::contract::{Code, Contract as _};
use headroom_engine::service::ServiceId::{
    self, Audiodb, Discogs, Genius, Lastfm, Listenbrainz, Qobuz, Tidal,
};
use headroom_engine::service::Verdict;

use crate::sign_in::SignInSite;
use crate::support::get;

/// Names of secrets, and their values.
type Named = &'static [(&'static str, &'static str)];

/// Per service: a call, and the secrets it needs.
pub const SECRETS: &[(ServiceId, &str, Named)] = &[
    (Lastfm, "/2.0/?method=track.search&track=moon&format=json", &[("lastfm", "test-lastfm-key")]),
    (Genius, "/search?q=moon", &[("genius", "test-genius-token")]),
    (Discogs, "/database/search?q=moon", &[("discogs", "test-discogs-token")]),
    (Audiodb, "/api/v1/json/-/search.php?s=moon", &[("audiodb", "test-audiodb-key")]),
    (
        Qobuz,
        "/api.json/0.2/track/search?query=moon",
        &[("qobuz.app_id", "test-qobuz-app"), ("qobuz.token", "test-qobuz-token")],
    ),
    (Listenbrainz, "/1/validate-token", &[("listenbrainz", "test-listenbrainz-token")]),
    (
        Tidal,
        "/v2/searchResults/moon?countryCode=DE",
        &[("tidal.client_id", "test-tidal-id"), ("tidal.client_secret", "test-tidal-secret")],
    ),
];

async fn set(site: &SignInSite, name: &str, value: &str) {
    site.engine.set_secret(name.to_owned(), Secret::new(value)).await.unwrap();
}

async fn status(site: &SignInSite, service: ServiceId, path: &str) -> u16 {
    let answer = site.engine.call(get(service, path)).await.unwrap();
    assert!(!matches!(answer.verdict, Verdict::Refused(_)), "{service}");
    answer.status.as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_effective_at_once_where_its_service_expects_it() {
    let site = SignInSite::new(&[]).await;
    for (service, path, secrets) in SECRETS {
        for (name, value) in *secrets {
            match site.engine.call(get(*service, path)).await {
                Err(error) => assert!(matches!(error, CallError::SignInNeeded(_)), "{service}: {error}"),
                Ok(answer) => assert!(!service.service().auth.required, "{service}: {}", answer.status),
            }
            set(&site, name, value).await;
        }
        assert_eq!(status(&site, *service, path).await, 200, "{service}");
        let shown = format!("{:?}", site.simulator.log(service.as_str()).last().unwrap());
        let tidal = *service == Tidal;
        assert!(tidal || secrets.iter().all(|(_, value)| shown.contains(value)), "{service}: {shown}");
    }
    let asked = site.simulator.count("tidal-accounts").arrived;
    for _ in 0..3 {
        assert_eq!(status(&site, Tidal, "/v2/searchResults/sun?countryCode=DE").await, 200);
    }
    assert_eq!(site.simulator.count("tidal-accounts").arrived, asked, "one token for all calls");

    let site = site.restarted().await;
    for (service, path, _) in SECRETS {
        assert_eq!(status(&site, *service, path).await, 200, "{service}, after a restart");
    }
    for (service, path, secrets) in SECRETS {
        site.engine.forget_secret(secrets[0].0.to_owned()).await.unwrap();
        if service.service().auth.required {
            let error = site.engine.call(get(*service, path)).await.unwrap_err();
            assert!(matches!(error, CallError::SignInNeeded(_)), "{service}, forgotten: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b10_the_limit_of_discogs_follows_its_token_live() {
    let site = SignInSite::new(&[Discogs]).await;
    let limit = || site.engine.rates().services[&Discogs].limit;
    assert_eq!(limit(), 24);
    set(&site, "discogs", "test-discogs-token").await;
    assert_eq!(limit(), 55);
    assert_eq!(status(&site, Discogs, "/database/search?q=moon").await, 200);
    assert_eq!(limit(), 55, "its own header says 60");
    let site = site.restarted().await;
    assert_eq!(site.engine.rates().services[&Discogs].limit, 55);
    site.engine.forget_secret("discogs".to_owned()).await.unwrap();
    assert_eq!(site.engine.rates().services[&Discogs].limit, 24);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_replaced_at_once_and_nonsense_is_refused() {
    let site = SignInSite::new(&[]).await;
    let (_, path, _) = SECRETS.iter().find(|row| row.0 == Tidal).unwrap();
    set(&site, "tidal.client_id", "test-tidal-id").await;
    set(&site, "tidal.client_secret", "wrong").await;
    let error = site.engine.call(get(Tidal, path)).await.unwrap_err().to_string();
    assert!(error.contains("Tidal") && error.contains("invalid_client"), "{error}");
    set(&site, "tidal.client_secret", "test-tidal-secret").await;
    assert_eq!(status(&site, Tidal, path).await, 200, "no back-off of the wrong one is left");
    set(&site, "genius", "wrong").await;
    assert_eq!(status(&site, Genius, "/search?q=moon").await, 401);
    set(&site, "genius", "test-genius-token").await;
    assert_eq!(status(&site, Genius, "/search?q=moon").await, 200);
    for (name, value) in [
        ("genius", ""),
        ("genius", " a"),
        ("genius", "a\nb"),
        ("genius", "a\u{7f}"),
        ("spotify", "a"),
        ("napster", "a"),
    ] {
        let error = site.engine.set_secret(name.to_owned(), Secret::new(value)).await.unwrap_err();
        assert_eq!(error.code, Code::BadRequest, "{name} {value:?}");
    }
    assert_eq!(status(&site, Genius, "/search?q=moon").await, 200, "the good one is still there");
}

#[tokio::test(flavor = "multi_thread")]
async fn t5_a_redirect_that_repeats_the_key_is_followed_with_one_key_and_passed_on_with_none() {
    let site = SignInSite::new(&[]).await;
    for (service, path, secrets) in SECRETS.iter().filter(|row| [Lastfm, Audiodb].contains(&row.0)) {
        let key = secrets[0].1;
        set(&site, secrets[0].0, key).await;
        let redirect = |to: &str| {
            let fault = serde_json::json!({"fault": {"kind": "redirect", "to": to, "times": 1}});
            site.simulator.set(service.as_str(), fault).unwrap();
        };
        for to in ["same", "relative"] {
            redirect(to);
            assert_eq!(status(&site, *service, path).await, 200, "{service}, {to}");
            let last = site.simulator.log(service.as_str()).pop().unwrap();
            let address = format!("{}?{}", last.path, last.query);
            assert_eq!(address.matches(key).count(), 1, "{service}, {to}: {address}");
        }
        redirect("other");
        let answer = site.engine.call(get(*service, path)).await.unwrap();
        let location = answer.headers["location"].to_str().unwrap();
        assert!(answer.status == 302 && location.contains("moon") && !location.contains(key), "{location}");
    }
}
