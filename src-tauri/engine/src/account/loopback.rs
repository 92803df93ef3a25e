//! The redirect by loopback: a port of 127.0.0.1 that is open only while a sign-in is pending.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{OriginalUri, State};
use axum::response::Html;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::CallbackError;
use super::accounts::{AccountError, Accounts};
use super::attempts::PATIENCE;

/// An open port, chosen by the system.
#[derive(Debug)]
pub struct Loopback {
    listener: TcpListener,
    origin: String,
}

#[derive(Clone)]
struct Waiting {
    accounts: Arc<Accounts>,
    origin: Arc<str>,
    done: Arc<Notify>,
}

impl Loopback {
    /// Opens a port.
    ///
    /// # Errors
    /// The system has none.
    pub async fn open() -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://127.0.0.1:{}", listener.local_addr()?.port());
        Ok(Self { listener, origin })
    }

    /// What the service is told to send the browser to.
    #[must_use]
    pub fn redirect_uri(&self) -> String {
        format!("{}/callback", self.origin)
    }

    /// Takes callbacks until one ends its sign-in, and for five minutes at most; then the port closes.
    pub async fn receive(self, accounts: Arc<Accounts>) {
        let done = Arc::new(Notify::new());
        let waiting = Waiting { accounts, origin: self.origin.into(), done: Arc::clone(&done) };
        let router = Router::new().route("/callback", get(callback)).with_state(waiting);
        // Graceful: the browser still gets its page.
        let served = axum::serve(self.listener, router).with_graceful_shutdown(async move {
            tokio::select! {
                () = done.notified() => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
        });
        if let Err(error) = served.await {
            tracing::warn!("the sign-in's port closed: {error}");
        }
    }
}

async fn callback(State(waiting): State<Waiting>, OriginalUri(uri): OriginalUri) -> Html<String> {
    let callback = format!("{}{uri}", waiting.origin);
    match waiting.accounts.finish(&callback).await {
        Ok(account) => {
            waiting.done.notify_one();
            let name = account.name.unwrap_or(account.id);
            page("Signed in", &format!("Headroom is signed in as {name}. You can close this page."))
        }
        // Not this sign-in's answer: it stays pending.
        Err(AccountError::Callback(
            error @ (CallbackError::NotACallback | CallbackError::NoState | CallbackError::UnknownState),
        )) => page("Not signed in", &error.to_string()),
        Err(error) => {
            waiting.done.notify_one();
            page("Not signed in", &error.to_string())
        }
    }
}

/// Our own plain page: nothing of the request is in it, and the address bar forgets the code.
fn page(title: &str, text: &str) -> Html<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Html(format!(
        "<!doctype html><meta charset=utf-8><meta name=color-scheme content=\"light dark\">\
         <title>Headroom: {title}</title>\
         <body style=\"font:16px system-ui;max-width:32em;margin:15vh auto;padding:0 1em\">\
         <h1>{title}</h1><p>{}</p><script>history.replaceState(null,\"\",\"/\")</script>",
        escape(text)
    ))
}
