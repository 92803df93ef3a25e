//! A data directory of its own, real programs on it, and what they say.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use headroom_simulator::{Options, Simulator};
use serde_json::{Value, json};

/// A data directory whose services are stand-ins.
pub struct Place {
    pub dir: tempfile::TempDir,
    pub simulator: Simulator,
}

impl Place {
    pub async fn new() -> Self {
        let simulator = Simulator::start(Options::default()).await.expect("the stand-ins start");
        let dir = tempfile::tempdir().expect("a directory");
        let services: serde_json::Map<_, _> =
            ["deezer", "itunes", "musicbrainz", "discogs", "listenbrainz", "odesli"]
                .map(|id| (id.to_owned(), json!({ "base_url": simulator.base_url(id) })))
                .into_iter()
                .collect();
        let settings = json!({ "services": services, "gateway": { "port": 0 } });
        write(&dir.path().join("settings.json"), &settings.to_string());
        Self { dir, simulator }
    }

    pub fn ctl(&self, args: &[&str]) -> Output {
        ctl(self.dir.path(), args)
    }

    pub fn serve(&self) -> Serving {
        self.serve_with(&[])
    }

    pub fn serve_with(&self, args: &[&str]) -> Serving {
        let mut command = program(self.dir.path());
        let mut child = command.arg("serve").args(args).stdout(Stdio::piped()).spawn().expect("it starts");
        let mut out = BufReader::new(child.stdout.take().expect("its stdout is piped"));
        let mut first = String::new();
        out.read_line(&mut first).expect("it says where it listens");
        assert!(first.starts_with("Headroom listens on http://127.0.0.1:"), "{first}");
        Serving { child, out }
    }
}

pub struct Serving {
    pub child: Child,
    pub out: BufReader<std::process::ChildStdout>,
}

impl Drop for Serving {
    fn drop(&mut self) {
        // Also when a test failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a browser shows after it followed all redirects.
pub async fn browser(url: &str) -> String {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    client.get(url).send().await.expect("an answer").text().await.expect("a page")
}

pub fn write(path: &Path, text: &str) {
    headroom_engine::disk::write_atomically(path, text.as_bytes(), headroom_engine::disk::Readers::Default)
        .expect("the file is written");
}

pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_headroomctl"));
    command.arg("--data-dir").arg(dir).stdin(Stdio::null()).env("HEADROOM_VAULT", "file");
    command
}

pub fn ctl(dir: &Path, args: &[&str]) -> Output {
    program(dir).args(args).output().expect("it runs")
}

pub fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn json_of(output: &Output) -> Value {
    assert_eq!(code(output), 0, "{}", err(output));
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// Whether there is such a process; one that ended and was not waited for is none.
#[cfg(target_os = "linux")]
pub fn is_alive(pid: u32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

/// Sends a signal by the system's own program.
#[cfg(unix)]
pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(sent.expect("kill runs").success(), "{name} to {pid}");
}

/// A number in a JSON answer.
pub fn number(json: &Value, path: &str) -> u64 {
    json.pointer(path).and_then(Value::as_u64).unwrap_or_else(|| panic!("{path} in {json}"))
}
