//! A process killed again and again while it counts and bans. Real time, real files, no network.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use headroom_engine::clock::{Clock, Mono};
use headroom_engine::contract::Contract as _;
use headroom_engine::meter::Meter;
use headroom_engine::meter::history::HistoryFile;
use headroom_engine::service::ServiceId::{Deezer, Musicbrainz};
use headroom_engine::{Engine, Options};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::json;

use crate::provider::{Reply, Scripted};
use crate::support::{get, ms, s};

const DIR: &str = "HEADROOM_CRASH_DIR";
/// Set where the child only counts: nothing but the journal's second brings its calls to disk.
const QUIET: &str = "HEADROOM_CRASH_QUIET";

/// What the parent is told, one word and a number a line, always *before* it may be on disk.
fn say(word: &str, number: u64) {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n{word} {number}").and_then(|()| out.flush()).unwrap();
}

/// The child: counts some hundred calls a second, is banned and signs in, saves now and then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the child of m6_a_hundred_kills…, which starts it"]
async fn child() {
    let Some(dir) = std::env::var_os(DIR) else { return };
    let provider = Scripted::new(|seen| {
        if seen.uri.contains("musicbrainz") {
            Reply::new(503, "").with("retry-after", "3600")
        } else {
            Reply::ok()
        }
    });
    let options = Options {
        transport: Some(std::sync::Arc::new(provider)),
        environment: Vec::new(),
        ..Options::new(dir)
    };
    let engine = Engine::start(options).await.unwrap();
    say("started", 0);
    let banning = tokio::spawn({
        let engine = engine.clone();
        async move {
            if std::env::var_os(QUIET).is_some() {
                return;
            }
            for round in 0.. {
                say("clearing", round);
                engine.clear_ban(Musicbrainz).await;
                say("cleared", round);
                tokio::time::sleep(ms(7)).await;
                say("calling", round);
                engine.call(get(Musicbrainz, "/ws/2/artist?query=a")).await.unwrap_err();
                say("banned", round);
                tokio::time::sleep(ms(7)).await;
                // A snapshot comes once a minute by itself; here it is to meet the kill.
                engine.deep_history(Deezer, 1).await.unwrap();
            }
        }
    });
    for call in 1.. {
        say("call", call);
        engine.call(get(Deezer, if call % 2 == 0 { "/search?q=a" } else { "/track/1" })).await.unwrap();
        if call % 4 == 0 {
            tokio::time::sleep(ms(1)).await;
        }
    }
    banning.abort();
}

/// What lies on disk, read without changing it.
struct OnDisk {
    calls: u64,
    banned: bool,
}

fn look(dir: &Path) -> OnDisk {
    let clock = Clock::system();
    let (_, loaded) = HistoryFile::open(dir, clock.wall()).unwrap();
    assert!(loaded.damaged.is_none(), "{:?}", loaded.damaged);
    let mut bans: BTreeMap<_, _> =
        loaded.snapshot.bans.iter().map(|(id, ban)| (*id, Some(ban.clone()))).collect();
    let mut calls = 0;
    for (endpoint, rows) in loaded
        .snapshot
        .services
        .iter()
        .filter(|(id, _)| **id == Deezer)
        .flat_map(|(_, saved)| &saved.endpoints)
    {
        assert!(
            rows.windows(2).all(|pair| pair[0].0 < pair[1].0),
            "a minute stands twice under {endpoint}: {rows:?}"
        );
        calls += rows.iter().map(|(_, counts)| u64::from(counts.calls)).sum::<u64>();
    }
    for line in &loaded.lines {
        calls +=
            line.counts.iter().filter(|row| row.1 == Deezer).map(|row| u64::from(row.4.calls)).sum::<u64>();
        bans.extend(line.bans.clone());
    }
    let meter = Meter::new(clock);
    meter.restore(&loaded);
    let charted: u32 = meter.day(Deezer).calls.iter().sum();
    assert_eq!(u64::from(charted), calls, "what is on disk is what is shown");
    OnDisk { calls, banned: bans.get(&Musicbrainz).is_some_and(Option::is_some) }
}

/// One life of the child: what it said, and when, until the kill.
struct Life {
    said: Vec<(Mono, String, u64)>,
    killed: Mono,
}

impl Life {
    fn calls_until(&self, time: Mono) -> u64 {
        self.said
            .iter()
            .filter(|(at, word, _)| *at <= time && word == "call")
            .map(|line| line.2)
            .max()
            .unwrap_or(0)
    }

    fn last_of_ban(&self) -> Option<&str> {
        self.said.iter().rev().map(|line| line.1.as_str()).find(|word| !matches!(*word, "call" | "started"))
    }
}

/// Lets a child live for `length`: from its first instruction, or from when its engine runs.
#[expect(clippy::disallowed_methods, reason = "a thread of a test waits for its child")]
fn live(dir: &Path, length: Duration, started: bool, quiet: bool) -> Life {
    let clock = Clock::system();
    let mut command = Command::new(std::env::current_exe().unwrap());
    if quiet {
        command.env(QUIET, "1");
    }
    let mut child = command
        .args(["--exact", "crash::child", "--ignored", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let (tell, told) = mpsc::channel();
    let reader = std::thread::spawn({
        let clock = clock.clone();
        move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some((word, Ok(number))) =
                    line.split_once(' ').map(|(word, number)| (word.to_owned(), number.parse()))
                {
                    tell.send((clock.mono(), word, number)).unwrap();
                }
            }
        }
    });
    let mut said = Vec::new();
    while started && said.last().is_none_or(|line: &(Mono, String, u64)| line.1 != "started") {
        said.push(told.recv_timeout(s(30)).expect("the child's engine starts on what the last kill left"));
    }
    std::thread::sleep(length);
    let killed = clock.mono();
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap();
    said.extend(told);
    Life { said, killed }
}

#[test]
fn m6_a_hundred_kills_at_random_lose_at_most_a_second_and_double_nothing() {
    // The journal's second, and what a busy machine adds to it.
    const AT_MOST: Duration = Duration::from_millis(1_000 + 500);
    let dir = tempfile::tempdir().unwrap();
    let room = json!({"windows": [{"seconds": 1, "calls": 100_000}]});
    let settings = json!({"services": {"deezer": {"budget": room}, "musicbrainz": {"budget": room}}});
    headroom_engine::disk::write_atomically(
        &dir.path().join("settings.json"),
        settings.to_string().as_bytes(),
        headroom_engine::disk::Readers::Default,
    )
    .unwrap();
    let mut random = StdRng::seed_from_u64(0x4865_6164);
    let (mut before, mut sent, mut lost, mut worst, mut counted) = (0, 0, 0, Duration::ZERO, 0);
    let mut bans = [0; 2];
    for kill in 0..100 {
        // A quarter may die while they start, most soon after; every tenth lives long enough to lose a second.
        let length =
            if kill % 10 == 9 { random.random_range(1_200..2_200) } else { random.random_range(20..300) };
        let life = live(dir.path(), ms(length), kill % 4 != 0, kill % 2 == 1);
        let now = look(dir.path());
        let said = life.calls_until(life.killed + s(1));
        let gained = now
            .calls
            .checked_sub(before)
            .unwrap_or_else(|| panic!("kill {kill}: {before} calls were on disk, now {}", now.calls));
        assert!(gained <= said, "kill {kill}: {gained} counted of {said} sent");
        let surely = life.calls_until(life.killed - AT_MOST).saturating_sub(1);
        assert!(gained >= surely, "kill {kill}: {gained} counted, {surely} were sent {AT_MOST:?} before");
        if let Some((first_lost, ..)) = life.said.iter().find(|line| line.1 == "call" && line.2 > gained) {
            worst = worst.max(life.killed.since(*first_lost));
        }
        match life.last_of_ban() {
            Some("banned") => assert!(now.banned, "kill {kill}: a ban was told and is not on disk"),
            Some("cleared") => assert!(!now.banned, "kill {kill}: a cleared ban is back"),
            _ => {}
        }
        bans[usize::from(now.banned)] += 1;
        counted += usize::from(gained > 0);
        (before, sent, lost) = (now.calls, sent + said, lost + said - gained);
    }
    println!(
        "100 kills: {sent} calls sent, {lost} lost, at most {} ms of them; {counted} lives counted, bans {bans:?}",
        worst.as_millis()
    );
    assert!(
        sent > 2_000 && counted > 30 && bans.iter().all(|n| *n > 5),
        "the kills met an engine at work: {sent} {counted} {bans:?}"
    );
}
