//! The stand-ins as a program.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::client::get;

#[tokio::test]
async fn the_program_prints_one_line_with_every_address() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headroom-simulator"))
        .args(["--seed", "3", "--latency-ms", "0..1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let ready: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(ready["services"].as_object().map(serde_json::Map::len), Some(12), "{ready}");
    assert_eq!(ready["accounts"].as_object().map(serde_json::Map::len), Some(2), "{ready}");
    let deezer = ready["services"]["deezer"].as_str().unwrap();
    assert_eq!(get(&format!("{deezer}/artist/5000"), &[]).await.status, 200, "it answers");
    let counts = get(&format!("{}/counts", ready["control"].as_str().unwrap()), &[]).await.json();
    assert_eq!(counts["services"]["deezer"]["arrived"], 1, "and counts");
    child.kill().unwrap();
    child.wait().unwrap();
}
