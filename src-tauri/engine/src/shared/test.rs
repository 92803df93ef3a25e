//! One look at a server: is it there, how fast, how full.

use std::collections::HashMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use serde::Serialize;

use super::address::SharedUrl;
use super::link::{open, said};
use crate::clock::Clock;

/// A person waits for the answer; a slow server is to be seen as slow, not as gone.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a server says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, ts_rs::TS)]
pub struct SharedTest {
    /// Its kind and version: `Redis 7.0.15`.
    pub server: String,
    /// Milliseconds it took to answer.
    pub ms: f64,
    /// Bytes of memory it uses.
    pub memory_bytes: u64,
    /// Connections it has.
    pub clients: u32,
    /// Keys in the database.
    pub keys: u64,
}

/// Why a server is of no use. Names neither user nor password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{address} cannot be used: {why}")]
pub struct TestError {
    address: String,
    why: String,
}

/// Asks the server at `url`, over a connection of its own.
///
/// # Errors
/// It cannot be reached, refuses us, or does not answer within 3 s.
pub async fn test(url: &SharedUrl, clock: &Clock) -> Result<SharedTest, TestError> {
    let failed = |why: String| TestError { address: url.to_string(), why: url.scrub(&why) };
    let asked = async {
        let mut connection = open(url, PATIENCE).await?;
        ask(&mut connection, clock).await.map_err(|error| said(&error))
    };
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(failed(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn ask(connection: &mut MultiplexedConnection, clock: &Clock) -> redis::RedisResult<SharedTest> {
    let began = clock.mono();
    redis::cmd("PING").query_async::<redis::Value>(connection).await?;
    let took = clock.mono().since(began);
    let text: String = redis::cmd("INFO").query_async(connection).await?;
    let keys = redis::cmd("DBSIZE").query_async(connection).await?;
    let info: HashMap<&str, &str> = text.lines().filter_map(|line| line.split_once(':')).collect();
    let number = |name| info.get(name).and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    Ok(SharedTest {
        server: name(&info),
        ms: (took.as_secs_f64() * 100_000.0).round() / 100.0,
        memory_bytes: number("used_memory"),
        clients: u32::try_from(number("connected_clients")).unwrap_or(u32::MAX),
        keys,
    })
}

/// Valkey and Dragonfly say which Redis they resemble, and beside it what they are.
fn name(info: &HashMap<&str, &str>) -> String {
    let kinds =
        [("Valkey", "valkey_version"), ("Dragonfly", "dragonfly_version"), ("Redis", "redis_version")];
    let known = kinds.iter().find_map(|(kind, key)| info.get(key).map(|version| (kind, version.trim())));
    known.map_or_else(
        || "a server that does not say its kind".to_owned(),
        |(kind, version)| format!("{kind} {}", version.trim_start_matches("df-").trim_start_matches('v')),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_what_it_is_not_by_what_it_resembles() {
        let told = |text: &'static str| name(&text.lines().filter_map(|l| l.split_once(':')).collect());
        assert_eq!(told("redis_version:7.0.15\r\nredis_mode:standalone"), "Redis 7.0.15");
        assert_eq!(told("redis_version:7.2.4\nserver_name:valkey\nvalkey_version:8.0.1"), "Valkey 8.0.1");
        assert_eq!(told("redis_version:7.4.0\ndragonfly_version:df-v1.25.0"), "Dragonfly 1.25.0");
    }
}
