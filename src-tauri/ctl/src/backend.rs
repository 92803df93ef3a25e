//! Where a command is carried out: by the engine that runs, or by one of its own for a moment.

use std::path::Path;
use std::time::Duration;

use headroom_engine::clock::Clock;
use headroom_engine::contract::dispatch;
use headroom_engine::gateway::Runtime;
use headroom_engine::{Engine, Options, StartError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::Failure;

/// The name under which a command holds the directory for its moment.
const COMMAND: &str = "a command of headroomctl";
/// How long another command, or an engine that starts or stops, is waited for.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);

/// A running engine, seen from outside.
pub(crate) struct Remote {
    client: reqwest::Client,
    pub(crate) runtime: Runtime,
    pub(crate) address: String,
}

/// Who carries a command out.
pub(crate) enum Backend {
    Remote(Remote),
    Local(Engine),
}

impl Remote {
    /// The engine that runs on `dir`; `None` if there is none. A `runtime.json` that a killed engine
    /// left behind is none.
    pub(crate) async fn find(dir: &Path) -> Result<Option<Self>, Failure> {
        let Some(runtime) = Runtime::read(dir) else { return Ok(None) };
        let client = reqwest::Client::builder().no_proxy().connect_timeout(Duration::from_secs(2)).build();
        let client = client.map_err(|e| Failure::of(&e))?;
        let address = format!("http://127.0.0.1:{}", runtime.port);
        let remote = Self { client, runtime, address };
        // Its key is good only at the engine that wrote it: another program may have the port now.
        let answer = remote
            .request(reqwest::Method::POST, "/api/call/status")
            .timeout(Duration::from_secs(5))
            .send()
            .await;
        Ok(answer.is_ok_and(|a| a.status().is_success()).then_some(remote))
    }

    pub(crate) fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.address))
            .header("x-headroom-key", &self.runtime.key)
    }

    pub(crate) async fn call(&self, name: &str, args: &Value) -> Result<Value, Failure> {
        let request = self.request(reqwest::Method::POST, &format!("/api/call/{name}"));
        Self::answer(request.body(args.to_string())).await
    }

    /// What a route of the control API shows.
    pub(crate) async fn read(&self, path: &str) -> Result<Value, Failure> {
        Self::answer(self.request(reqwest::Method::GET, path)).await
    }

    async fn answer(request: reqwest::RequestBuilder) -> Result<Value, Failure> {
        let answer = request.send().await.map_err(|e| Failure::of(&e.without_url()))?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(|e| Failure::of(&e.without_url()))?;
        let body: Value = serde_json::from_slice(&body).map_err(|e| Failure::of(&e))?;
        if status.is_success() {
            return Ok(body);
        }
        let message = body
            .pointer("/error/message")
            .and_then(Value::as_str)
            .unwrap_or("the engine refused without a word");
        Err(if status.as_u16() == 429 { Failure::refused(message) } else { Failure::failed(message) })
    }
}

/// Starts an engine; a command that holds the directory just now is waited for.
pub(crate) async fn start_engine(options: Options) -> Result<Engine, StartError> {
    let clock = Clock::system();
    let until = clock.mono() + PATIENCE;
    loop {
        match Engine::start(options.clone()).await {
            Err(StartError::Running(taken)) if taken.holder.name() == COMMAND && clock.mono() < until => {
                tokio::time::sleep(LOOK).await;
            }
            started => return started,
        }
    }
}

impl Backend {
    /// The running engine, else one of our own on the files.
    pub(crate) async fn open(dir: &Path) -> Result<Self, Failure> {
        let clock = Clock::system();
        let until = clock.mono() + PATIENCE;
        loop {
            if let Some(remote) = Remote::find(dir).await? {
                return Ok(Self::Remote(remote));
            }
            match start_engine(Options::new(dir).named(COMMAND)).await {
                Ok(engine) => return Ok(Self::Local(engine)),
                // It may be starting or stopping.
                Err(StartError::Running(_)) if clock.mono() < until => tokio::time::sleep(LOOK).await,
                Err(error @ StartError::Running(_)) => {
                    return Err(Failure::failed(format!("{error}, but does not answer")));
                }
                Err(error) => return Err(Failure::of(&error)),
            }
        }
    }

    /// Runs a command of the contract.
    pub(crate) async fn call<T: DeserializeOwned>(&self, name: &str, args: Value) -> Result<T, Failure> {
        let value = match self {
            Self::Remote(remote) => remote.call(name, &args).await?,
            Self::Local(engine) => dispatch(engine, name, args).await?,
        };
        serde_json::from_value(value).map_err(|e| Failure::of(&e))
    }

    /// A command without arguments, as JSON.
    pub(crate) async fn ask(&self, name: &str) -> Result<Value, Failure> {
        self.call(name, json!({})).await
    }

    /// Saves and ends an engine of our own.
    pub(crate) async fn close(self) {
        if let Self::Local(engine) = self {
            engine.stop().await;
        }
    }
}
