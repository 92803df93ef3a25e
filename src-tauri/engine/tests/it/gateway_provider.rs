//! A provider on a real socket that answers byte by byte as it is told, an engine before it, and a client
//! that writes whatever it likes.

use std::sync::Arc;

use headroom_engine::clock::Clock;
use headroom_engine::disk::{Readers, write_atomically};
use headroom_engine::gateway::{Runtime, Server};
use headroom_engine::service::ServiceId;
use headroom_engine::{Engine, Options};
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{TestCredentials, s};

/// What came: the head as text, and the body.
#[derive(Debug, Clone)]
pub struct Asked {
    pub head: String,
    pub body: Vec<u8>,
}

impl Asked {
    /// `GET /search?q=a HTTP/1.1`
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let pairs = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        pairs.filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim()).next()
    }
}

type Answers = Arc<Mutex<Box<dyn FnMut(&Asked) -> Vec<u8> + Send>>>;

/// An engine whose every service is this provider.
pub struct Bare {
    pub engine: Engine,
    pub server: Server,
    pub tool: reqwest::Client,
    pub key: String,
    pub dir: tempfile::TempDir,
    answers: Answers,
    asked: Arc<Mutex<Vec<Asked>>>,
    pub provider: String,
}

/// An answer with these header lines and this body, its length told.
pub fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A client that asks for no compression and reads none by itself.
fn plain_tool() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.no_gzip().no_brotli().no_zstd().build().unwrap()
}

impl Bare {
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let provider = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        let answers: Answers = Arc::new(Mutex::new(Box::new(|_| answer("200 OK", "", "{}"))));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (on, log) = (answers.clone(), asked.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(speak(stream, on.clone(), log.clone()));
            }
        });
        let mut services = json!({});
        for id in ServiceId::ALL {
            let budget = json!({"windows": [{"seconds": 1, "calls": 100_000}]});
            services[id.as_str()] = json!({"base_url": format!("http://{provider}"), "budget": budget});
        }
        let dir = tempfile::tempdir().unwrap();
        let settings = json!({ "services": services }).to_string();
        write_atomically(&dir.path().join("settings.json"), settings.as_bytes(), Readers::Default).unwrap();
        let options = Options {
            data_dir: dir.path().to_owned(),
            clock: Clock::system(),
            transport: None,
            credentials: Some(Arc::new(TestCredentials::default())),
            environment: Vec::new(),
            name: "a test".to_owned(),
        };
        let engine = Engine::start(options).await.unwrap();
        let server = Server::start(&engine, Some(0)).await.unwrap();
        let key = engine.keys().add("tool", None, false, None, engine.clock().wall()).unwrap();
        Self { engine, server, tool: plain_tool(), key, dir, answers, asked, provider }
    }

    /// How the provider answers from now on.
    pub fn answers(&self, with: impl FnMut(&Asked) -> Vec<u8> + Send + 'static) {
        *self.answers.lock() = Box::new(with);
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().clone()
    }

    pub fn last(&self) -> Asked {
        self.asked.lock().last().cloned().expect("the provider was asked")
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.server.address())
    }

    pub fn control_key(&self) -> String {
        let text = std::fs::read(self.dir.path().join("runtime.json")).unwrap();
        serde_json::from_slice::<Runtime>(&text).unwrap().key
    }

    pub fn request(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.tool.request(method, self.url(path)).header("x-headroom-key", &self.key)
    }

    pub fn get(&self, path: &str) -> reqwest::RequestBuilder {
        self.request(reqwest::Method::GET, path)
    }

    /// `Host` and key lines of a request that is let in.
    pub fn lines(&self) -> String {
        format!("Host: 127.0.0.1:{}\r\nX-Headroom-Key: {}\r\n", self.server.port(), self.key)
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.server.port())).await.unwrap()
    }

    /// Sends bytes as they are and reads what comes until the server closes or is silent for a moment.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        String::from_utf8_lossy(&read_on(&mut stream).await).into_owned()
    }
}

/// Everything that comes until the other side closes, or says nothing for 300 ms.
pub async fn read_on(stream: &mut TcpStream) -> Vec<u8> {
    let (mut all, mut part) = (Vec::new(), [0; 65_536]);
    let silence = std::time::Duration::from_millis(300);
    loop {
        match tokio::time::timeout(silence, stream.read(&mut part)).await {
            Ok(Ok(0) | Err(_)) | Err(_) => return all,
            Ok(Ok(read)) => all.extend_from_slice(&part[..read]),
        }
    }
}

async fn speak(mut stream: TcpStream, answers: Answers, log: Arc<Mutex<Vec<Asked>>>) {
    let mut came = Vec::new();
    let mut part = [0; 65_536];
    loop {
        let end = loop {
            if let Some(at) = came.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            match tokio::time::timeout(s(60), stream.read(&mut part)).await {
                Ok(Ok(read)) if read > 0 => came.extend_from_slice(&part[..read]),
                _ => return,
            }
        };
        let head = String::from_utf8_lossy(&came[..end]).into_owned();
        let mut asked = Asked { head, body: came.split_off(end) };
        let length = asked.header("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
        while asked.body.len() < length {
            match stream.read(&mut part).await {
                Ok(read) if read > 0 => asked.body.extend_from_slice(&part[..read]),
                _ => return,
            }
        }
        came = asked.body.split_off(length);
        let bytes = (answers.lock())(&asked);
        log.lock().push(asked);
        if stream.write_all(&bytes).await.is_err() {
            return;
        }
    }
}
