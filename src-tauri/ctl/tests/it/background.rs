//! An engine in the background: started, found again, stopped, killed. On Linux, whose processes can be
//! looked at without more.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use headroom_engine::gateway::Runtime;
use serde_json::{Value, json};

use crate::support::{Place, code, err, is_alive, json_of, number, out, program, signal, write};

/// Ends what was started in the background, also when a test failed half-way.
struct Started<'a>(&'a Path);

impl Drop for Started<'_> {
    fn drop(&mut self) {
        if let Some(runtime) = Runtime::read(self.0).filter(|runtime| is_ours(runtime.pid, self.0)) {
            signal(runtime.pid, "KILL");
        }
    }
}

/// Whether the process was started on this directory.
fn is_ours(pid: u32, dir: &Path) -> bool {
    let words = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&words).contains(&*dir.to_string_lossy())
}

fn start(place: &Place) -> (Started<'_>, u32, String) {
    let started = json_of(&place.ctl(&["start", "--json"]));
    let pid = u32::try_from(number(&started, "/pid")).expect("a process");
    assert!(is_ours(pid, place.dir.path()), "{started}");
    (Started(place.dir.path()), pid, started["address"].as_str().expect("an address").to_owned())
}

fn calls(place: &Place) -> u64 {
    let day = json_of(&place.ctl(&["history", "show", "deezer", "--json"]));
    day["history"].as_array().into_iter().flatten().filter_map(|minute| minute[1].as_u64()).sum()
}

async fn until(what: &str, mut come: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if come() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{what} has not come");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_started_once_found_again_and_stopped() {
    let place = Place::new().await;
    assert_eq!(code(&place.ctl(&["stop"])), 3, "none runs");
    let (_started, pid, address) = start(&place);
    let status = json_of(&place.ctl(&["status", "--json"]));
    assert_eq!((number(&status, "/pid"), status["address"].as_str()), (pid.into(), Some(&*address)));
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("its state");
    let session = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(3));
    assert_eq!(session, Some(&*pid.to_string()), "a session of its own: no terminal ends it");
    let again = json_of(&place.ctl(&["start", "--json"]));
    assert_eq!((number(&again, "/pid"), &again["already_running"]), (pid.into(), &json!(true)));
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let stopped = place.ctl(&["stop"]);
    assert_eq!(code(&stopped), 0, "{}", err(&stopped));
    assert!(out(&stopped).contains(&format!("pid {pid}) saved and ended")), "{}", out(&stopped));
    assert!(!is_alive(pid) && !place.dir.path().join("runtime.json").exists());
    assert_eq!(code(&place.ctl(&["stop"])), 3);
    assert_eq!(calls(&place), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_starts_at_once_make_one_engine() {
    let place = Place::new().await;
    let _started = Started(place.dir.path());
    let both = [(), ()].map(|()| {
        let mut command = program(place.dir.path());
        command.args(["start", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("it starts")
    });
    let pids = both.map(|start| number(&json_of(&start.wait_with_output().expect("it ends")), "/pid"));
    assert_eq!(pids[0], pids[1]);
    assert_eq!(code(&place.ctl(&["stop"])), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_and_started_again_all_is_counted() {
    let place = Place::new().await;
    let (_started, killed, _) = start(&place);
    for _ in 0..3 {
        assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    }
    // What a kill may cost is the last second.
    let journal = place.dir.path().join("history.journal");
    until("the journal's line", || {
        let lines = fs::read_to_string(&journal).unwrap_or_default();
        let of = |line: &str| Some(line.matches("infos").count()).filter(|n| *n > 0);
        lines.lines().filter_map(of).count() > 0
    })
    .await;
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    signal(killed, "KILL");
    until("its end", || !is_alive(killed)).await;
    assert!(place.dir.path().join("runtime.json").exists(), "it could not tidy up");
    let status = place.ctl(&["status"]);
    assert_eq!(code(&status), 3, "what it left behind is no engine: {}", err(&status));
    let stop = place.ctl(&["stop"]);
    assert_eq!((code(&stop), err(&stop).contains("did not end by itself")), (3, true), "{}", err(&stop));
    let (_started, pid, _) = start(&place);
    assert_ne!(pid, killed);
    assert_eq!(calls(&place), 3);
    assert_eq!(place.simulator.count("deezer").arrived, 3);
    assert_eq!(code(&place.ctl(&["stop"])), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_keeps_the_port_and_the_counts() {
    let place = Place::new().await;
    let (_started, pid, address) = start(&place);
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let again = json_of(&place.ctl(&["restart", "--json"]));
    assert_ne!(number(&again, "/pid"), u64::from(pid));
    assert_eq!(again["address"], json!(address), "tools still find it");
    assert!(!is_alive(pid));
    assert_eq!(calls(&place), 1);
    assert_eq!(code(&place.ctl(&["stop"])), 0);
    let begun = json_of(&place.ctl(&["restart", "--json"]));
    assert_eq!(begun["already_running"], json!(false), "without one it is a start: {begun}");
    assert_eq!(code(&place.ctl(&["stop"])), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_says_why() {
    let place = Place::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its number").port().to_string();
    let refused = place.ctl(&["start", "--port", &port]);
    assert_eq!((code(&refused), err(&refused).contains("gateway.port")), (1, true), "{}", err(&refused));
    write(&place.dir.path().join("settings.json"), r#"{"cache":{"ttl_hours":-1}}"#);
    let refused = place.ctl(&["start"]);
    assert_eq!((code(&refused), err(&refused).contains("cache.ttl_hours")), (1, true), "{}", err(&refused));
    assert_eq!(code(&place.ctl(&["status"])), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_amid_calls_keeps_every_count() {
    let place = Place::new().await;
    place.simulator.set("deezer", json!({ "latency_ms": [20, 60] })).expect("a latency");
    let (_started, pid, address) = start(&place);
    let runtime = Runtime::read(place.dir.path()).expect("it runs");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let callers: Vec<_> = (0..8)
        .map(|caller| {
            let (client, key) = (client.clone(), runtime.key.clone());
            let url = format!("{address}/deezer/track/{caller}");
            tokio::spawn(async move {
                while client
                    .get(&url)
                    .header("x-headroom-key", &key)
                    .header("cache-control", "no-cache")
                    .send()
                    .await
                    .is_ok()
                {}
            })
        })
        .collect();
    until("some calls", || place.simulator.count("deezer").arrived >= 12).await;
    signal(pid, "TERM");
    until("its end", || !is_alive(pid)).await;
    for caller in callers {
        caller.await.expect("it ended with the engine");
    }
    let arrived = place.simulator.count("deezer").arrived;
    assert_eq!(calls(&place), arrived);
}

/// `stop` itself fails after ten seconds: a call that gets no answer must not make it.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_a_call_that_hangs_but_not_for_ever() {
    let place = Place::new().await;
    place.simulator.set("deezer", json!({ "fault": { "kind": "hang" } })).expect("the switch is known");
    let (_started, pid, _) = start(&place);
    let mut asking = program(place.dir.path());
    asking.args(["get", "deezer", "/infos"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut asking = asking.spawn().expect("it starts");
    until("the call", || place.simulator.count("deezer").arrived == 1).await;
    let stopped = place.ctl(&["stop"]);
    assert_eq!(code(&stopped), 0, "{}", err(&stopped));
    assert!(!is_alive(pid) && !asking.wait().expect("it ends").success());
    assert_eq!(calls(&place), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once_and_nothing_is_lost() {
    let place = Place::new().await;
    place.simulator.set("deezer", json!({ "fault": { "kind": "hang" } })).expect("the switch is known");
    let mut serving = place.serve();
    let mut asking = program(place.dir.path());
    asking.args(["get", "deezer", "/infos"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut asking = asking.spawn().expect("it starts");
    until("the call", || place.simulator.count("deezer").arrived == 1).await;
    signal(serving.child.id(), "TERM");
    let mut lines = String::new();
    while !lines.contains("Stopping") {
        assert_ne!(serving.out.read_line(&mut lines).expect("a line"), 0, "{lines}");
    }
    assert!(serving.child.try_wait().expect("it can be looked at").is_none(), "it waits for the call");
    signal(serving.child.id(), "TERM");
    assert!(serving.child.wait().expect("it ends").success());
    assert!(!asking.wait().expect("it ends").success(), "its answer never came");
    assert!(!place.dir.path().join("runtime.json").exists());
    assert_eq!(calls(&place), 1);
    let doctor = place.ctl(&["doctor"]);
    assert_eq!(code(&doctor), 0, "{}", out(&doctor));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_logs_are_shown_and_followed() {
    let place = Place::new().await;
    let nothing = place.ctl(&["logs"]);
    assert_eq!((code(&nothing), out(&nothing)), (0, String::new()));
    let (_started, _, address) = start(&place);
    let mut follow = program(place.dir.path());
    follow.args(["logs", "--calls", "-f", "--json"]).stdout(Stdio::piped());
    let mut follow = follow.spawn().expect("it starts");
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let mut line = String::new();
    let mut lines = BufReader::new(follow.stdout.take().expect("its stdout is piped"));
    lines.read_line(&mut line).expect("a line");
    let call: Value = serde_json::from_str(&line).expect("a call in JSON");
    assert_eq!((&call["service"], &call["status"]), (&json!("deezer"), &json!(200)), "{line}");
    // Nobody reads any more: with the next line it ends, and that is no error.
    drop(lines);
    assert_eq!(code(&place.ctl(&["get", "itunes", "/search?term=a"])), 0);
    assert!(follow.wait().expect("it ends").success());
    until("the log", || out(&place.ctl(&["logs"])).contains(&format!("listens on {address}"))).await;
    let shown = out(&place.ctl(&["logs", "--calls", "-n", "1"]));
    assert!(shown.contains("itunes") && !shown.contains("deezer"), "{shown}");
    assert_eq!(code(&place.ctl(&["stop"])), 0);
    let last = place.ctl(&["logs", "-n", "1", "--json"]);
    let last: Value = serde_json::from_slice(&last.stdout).expect("a line in JSON");
    assert!(last["text"].as_str().is_some_and(|text| text.contains("saved")), "{last}");
}

/// The pid of a killed engine may be anybody's by now, and so may its port.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_with_its_pid_or_port_is_left_alone() {
    let place = Place::new().await;
    let mut stranger = std::process::Command::new("sleep").arg("60").spawn().expect("sleep runs");
    let port = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let stale =
        json!({ "pid": stranger.id(), "port": port.local_addr().expect("its number").port(), "key": "x" });
    drop(port);
    write(&place.dir.path().join("runtime.json"), &stale.to_string());
    assert_eq!(code(&place.ctl(&["stop"])), 3);
    assert_eq!(code(&place.ctl(&["status"])), 3);
    let (_started, pid, _) = start(&place);
    assert_ne!(pid, stranger.id());
    assert_eq!(code(&place.ctl(&["stop"])), 0);
    assert!(stranger.try_wait().expect("it can be looked at").is_none(), "it was not touched");
    stranger.kill().and_then(|()| stranger.wait()).expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_serve_takes_over_and_a_kill_blocks_nobody() {
    let place = Place::new().await;
    let mut first = place.serve();
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let mut second = place.serve_with(&["--take-over"]);
    assert!(first.child.wait().expect("it ends").success(), "a clean end");
    let mut rest = String::new();
    first.out.read_to_string(&mut rest).expect("its last words");
    assert!(rest.contains("Stopping"), "{rest}");
    assert_eq!(number(&json_of(&place.ctl(&["status", "--json"])), "/pid"), u64::from(second.child.id()));
    second.child.kill().and_then(|()| second.child.wait()).expect("it is killed");
    assert!(place.dir.path().join("engine.holder").exists(), "it could not tidy up");
    let third = place.serve();
    assert_eq!(number(&json_of(&place.ctl(&["status", "--json"])), "/pid"), u64::from(third.child.id()));
    assert_eq!(calls(&place), 1);
}
