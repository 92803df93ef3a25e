//! The system's keychain, and what happens without it. Each test is a process with a session bus of its
//! own choice.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use headroom_engine::account::secret::Secret;
use headroom_engine::account::vault::VaultKind;
use headroom_engine::call::{Call, CallError};
use headroom_engine::contract::Contract as _;
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::service::ServiceId::Genius;
use headroom_engine::{Engine, Options};
use serde_json::{Value, json};

use crate::provider::Scripted;
use crate::support::ms;

const DIR: &str = "HEADROOM_KEYCHAIN_DIR";

/// Runs a test of this module again, in a process whose session bus is `bus`.
fn again(name: &str, dir: &Path, bus: &str) {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("keychain::{name}"), "--ignored", "--test-threads=1"])
        .env(DIR, dir)
        .env("DBUS_SESSION_BUS_ADDRESS", bus)
        .env_remove("HEADROOM_VAULT")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("1 passed"), "{name}: {text}{}", String::from_utf8_lossy(&output.stderr));
}

/// An engine on the child's directory that may use the keychain.
async fn engine(dir: &Path) -> Engine {
    let transport = std::sync::Arc::new(Scripted::well(ms(0)));
    let room = json!({"services": {"genius": {"budget": {"windows": [{"seconds": 1, "calls": 100}]}}}});
    write_atomically(&dir.join("settings.json"), room.to_string().as_bytes(), Readers::Default).unwrap();
    let options =
        || Options { transport: Some(transport.clone()), environment: Vec::new(), ..Options::new(dir) };
    loop {
        match Engine::start(options()).await {
            Err(headroom_engine::StartError::Running(_)) => tokio::time::sleep(ms(1)).await,
            started => return started.unwrap(),
        }
    }
}

fn vault(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("vault.json")).unwrap()).unwrap()
}

async fn genius(engine: &Engine) -> Result<u16, CallError> {
    let answer = engine.call(Call::get(Genius, "/search?q=moon", "ui", ms(0))).await;
    answer.map(|answer| answer.status.as_u16())
}

const NOWHERE: &str = "unix:path=/nonexistent/bus";

#[test]
fn a_keychain_that_is_gone_is_an_error_in_words_and_no_reason_to_write_secrets_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let before = json!({"kind": "keychain", "keys": [], "names": ["genius"]});
    write_atomically(&dir.path().join("vault.json"), before.to_string().as_bytes(), Readers::Owner).unwrap();
    again("child_whose_keychain_is_gone", dir.path(), NOWHERE);
    assert_eq!(vault(dir.path()), before, "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child: started by the test of the keychain that is gone"]
async fn child_whose_keychain_is_gone() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let patience = Duration::from_secs(15);
    let engine = tokio::time::timeout(patience, engine(Path::new(&dir))).await.expect("it starts at once");
    let trouble = engine.connections().await.unwrap().vault_trouble.expect("it says what is wrong");
    assert!(trouble.contains("keychain is not available") && trouble.contains("unlock it"), "{trouble}");
    assert_eq!(engine.accounts().vault_kind(), Some(VaultKind::Keychain), "it stays the kind of vault");
    assert!(matches!(genius(&engine).await, Err(CallError::SignInNeeded(Genius))));
    let kept =
        tokio::time::timeout(patience, engine.set_secret("lastfm".into(), Secret::new("s3cret"))).await;
    let error = kept.expect("an answer, not a hang").unwrap_err();
    assert!(
        error.message.contains("keychain is not available") && !error.message.contains("s3cret"),
        "{error:?}"
    );
    engine.stop().await;
}

#[test]
fn where_there_is_no_keychain_the_first_secret_chooses_the_file_for_good() {
    let dir = tempfile::tempdir().unwrap();
    again("child_without_a_keychain", dir.path(), NOWHERE);
    let vault = vault(dir.path());
    assert_eq!((&vault["kind"], &vault["secrets"]), (&json!("file"), &json!({"genius": "s3cret"})));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(dir.path().join("vault.json")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a child: started by the test without a keychain"]
async fn child_without_a_keychain() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let engine = engine(Path::new(&dir)).await;
    assert_eq!(engine.accounts().vault_kind(), None, "nothing is chosen before it must be");
    engine.set_secret("genius".into(), Secret::new("s3cret")).await.unwrap();
    assert_eq!(engine.connections().await.unwrap().vault, Some(VaultKind::File), "and Settings says so");
    assert_eq!(genius(&engine).await.unwrap(), 200);
    engine.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a session bus with an unlocked keyring: dbus-run-session and gnome-keyring-daemon --unlock"]
async fn with_a_keychain_no_secret_lies_in_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let first = engine(dir.path()).await;
    first.set_secret("genius".into(), Secret::new("s3cret-one")).await.unwrap();
    first.set_secret("genius".into(), Secret::new("s3cret-two")).await.unwrap();
    assert_eq!(first.accounts().vault_kind(), Some(VaultKind::Keychain));
    assert_eq!(genius(&first).await.unwrap(), 200);
    first.stop().await;
    drop(first);
    assert_eq!(vault(dir.path()), json!({"kind": "keychain", "keys": [], "names": ["genius"]}));

    let second = engine(dir.path()).await;
    assert_eq!(second.vault_trouble(), None);
    assert_eq!(genius(&second).await.unwrap(), 200, "read from the keychain after a restart");
    second.forget_secret("genius".into()).await.unwrap();
    assert!(matches!(genius(&second).await, Err(CallError::SignInNeeded(Genius))));
    second.stop().await;
    assert_eq!(vault(dir.path())["names"], Value::Null);
}
