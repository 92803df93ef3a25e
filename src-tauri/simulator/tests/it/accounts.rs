//! Spotify's authorisation server and Tidal's tokens.

use headroom_simulator::{Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Got, get, send};

// RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

async fn authorize(simulator: &Simulator, changes: &[(&str, &str)]) -> Got {
    let mut pairs = vec![
        ("client_id", "test-client-id"),
        ("redirect_uri", "http%3A%2F%2F127.0.0.1%3A4567%2Fcallback"),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        ("code_challenge", CHALLENGE),
        ("state", "s%261"),
        ("scope", "user-read-private"),
    ];
    for (name, value) in changes {
        pairs.retain(|(key, _)| key != name);
        pairs.push((name, value));
    }
    let query: Vec<String> = pairs.iter().map(|(key, value)| format!("{key}={value}")).collect();
    get(&format!("{}/authorize?{}", simulator.accounts_url("spotify"), query.join("&")), &[]).await
}

async fn token(simulator: &Simulator, form: &str) -> (u16, Value) {
    let url = format!("{}/api/token", simulator.accounts_url("spotify"));
    let got =
        send("POST", &url, &[("content-type", "application/x-www-form-urlencoded")], form).await.unwrap();
    (got.status, got.json())
}

fn redeem(code: &str, verifier: &str) -> String {
    format!(
        "grant_type=authorization_code&client_id=test-client-id&redirect_uri=http%3A%2F%2F127.0.0.1%3A4567%2Fcallback&code={code}&code_verifier={verifier}"
    )
}

fn code_of(got: &Got) -> String {
    let location = got.header("location").expect("a redirect");
    assert!(location.ends_with("&state=s%261"), "the state comes back as it went: {location}");
    location.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_sign_in_gives_a_token_that_works_and_a_code_works_once() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let code = code_of(&authorize(&simulator, &[]).await);
    let (status, tokens) = token(&simulator, &redeem(&code, VERIFIER)).await;
    assert_eq!((status, &tokens["expires_in"]), (200, &json!(3600)), "{tokens}");
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let me = format!("{}/v1/me", simulator.base_url("spotify"));
    assert_eq!(get(&me, &[("authorization", &bearer)]).await.json()["id"], "listener", "who signed in");
    let (status, again) = token(&simulator, &redeem(&code, VERIFIER)).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")), "a code works once");
    simulator.set_accounts(json!({"expire_access": true})).unwrap();
    let expired = get(&me, &[("authorization", &bearer)]).await;
    assert_eq!(
        (expired.status, &expired.json()["error"]["message"]),
        (401, &json!("The access token expired")),
        "dead"
    );
}

#[tokio::test]
async fn what_is_wrong_in_a_sign_in_is_refused() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    for change in [
        ("client_id", "unknown"),
        ("redirect_uri", "http%3A%2F%2Flocalhost%3A4567%2Fcallback"),
        ("redirect_uri", "https%3A%2F%2Fevil.example%2Fcallback"),
    ] {
        let got = authorize(&simulator, &[change]).await;
        assert_eq!((got.status, got.header("location")), (400, None), "{change:?} must never redirect");
    }
    for change in
        [("code_challenge_method", "plain"), ("response_type", "token"), ("code_challenge", "short")]
    {
        let got = authorize(&simulator, &[change]).await;
        assert!(got.header("location").unwrap().contains("error="), "{change:?} is told to the client");
    }
    let code = code_of(&authorize(&simulator, &[]).await);
    let (status, body) = token(&simulator, &redeem(&code, &VERIFIER.replace('d', "e"))).await;
    assert_eq!(
        (status, &body["error_description"]),
        (400, &json!("code_verifier was incorrect")),
        "PKCE is checked"
    );
    simulator.set_accounts(json!({"consent": "deny"})).unwrap();
    assert!(
        authorize(&simulator, &[]).await.header("location").unwrap().contains("error=access_denied"),
        "denied"
    );
    simulator.set_accounts(json!({"consent": "page"})).unwrap();
    assert!(String::from_utf8_lossy(&authorize(&simulator, &[]).await.body).contains("Agree"), "asked");
    assert!(simulator.set_accounts(json!({"rotat": true})).is_err(), "a typing mistake is said");
}

#[tokio::test]
async fn refreshes_rotate_repeat_or_omit_and_end_with_the_consent() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let code = code_of(&authorize(&simulator, &[]).await);
    let (_, tokens) = token(&simulator, &redeem(&code, VERIFIER)).await;
    let first = tokens["refresh_token"].as_str().unwrap().to_owned();
    let refresh =
        |token: &str| format!("grant_type=refresh_token&client_id=test-client-id&refresh_token={token}");
    for _ in 0..3 {
        let (status, body) = token(&simulator, &refresh(&first)).await;
        assert_eq!((status, body.get("refresh_token")), (200, None), "omitted as since July 2026");
    }
    simulator.set_accounts(json!({"omit_refresh_token": false})).unwrap();
    assert_eq!(token(&simulator, &refresh(&first)).await.1["refresh_token"], json!(first), "repeated");
    simulator.set_accounts(json!({"rotate": true})).unwrap();
    let second = token(&simulator, &refresh(&first)).await.1["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(token(&simulator, &refresh(&first)).await.1["error"], "invalid_grant", "the old one is gone");
    simulator.set_accounts(json!({"end_consent": true})).unwrap();
    assert_eq!(token(&simulator, &refresh(&second)).await.1["error"], "invalid_grant", "so is the new one");
    let grants = &simulator.counts()["accounts"]["spotify"]["grants"];
    assert_eq!((&grants["refresh_token"], &grants["failed"]), (&json!(5), &json!(2)), "{grants}");
}

#[tokio::test]
async fn tidal_takes_only_tokens_of_its_own_accounts_server() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    let url = format!("{}/v1/oauth2/token", simulator.accounts_url("tidal"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let wrong =
        send("POST", &url, &form, "grant_type=client_credentials&client_id=test-tidal-id&client_secret=no")
            .await
            .unwrap();
    assert_eq!((wrong.status, &wrong.json()["error"]), (401, &json!("invalid_client")), "a wrong secret");
    // test-tidal-id:test-tidal-secret
    let basic = [("authorization", "Basic dGVzdC10aWRhbC1pZDp0ZXN0LXRpZGFsLXNlY3JldA==")];
    let tokens = send("POST", &url, &basic, "grant_type=client_credentials").await.unwrap().json();
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let track = format!("{}/v2/tracks/177600000?countryCode=US", simulator.base_url("tidal"));
    assert_eq!(get(&track, &[("authorization", &bearer)]).await.status, 200, "a token of its own");
    let me = format!("{}/v1/me", simulator.base_url("spotify"));
    assert_eq!(get(&me, &[("authorization", &bearer)]).await.status, 401, "which is nothing to Spotify");
}
