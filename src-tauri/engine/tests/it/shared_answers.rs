//! Answers kept together with other machines: a real server, in real time.

use std::sync::Arc;

use headroom_engine::cache::Forget;
use headroom_engine::call::{Answer, Origin};
use headroom_engine::service::ServiceId::Deezer;
use headroom_simulator::{Options as SimulatorOptions, Simulator};
use serde_json::{Value, json};

use crate::shared::{Machine, Redis, eventually, sharing};
use crate::support::{ask, ms, s};

async fn simulator() -> Arc<Simulator> {
    Arc::new(Simulator::start(SimulatorOptions::default()).await.unwrap())
}

async fn ready(machine: &Machine) {
    eventually("the machine shares", async || {
        let stats = machine.engine.cache_stats();
        stats.shared.is_some_and(|shared| shared.connected)
    })
    .await;
    // It has read how far the others are.
    tokio::time::sleep(ms(1_200)).await;
}

async fn two(redis: &Redis, simulator: &Simulator) -> (Machine, Machine) {
    let settings = sharing(simulator, &redis.url());
    let (a, b) = (Machine::start(&settings).await, Machine::start(&settings).await);
    ready(&a).await;
    ready(&b).await;
    (a, b)
}

async fn album(machine: &Machine) -> Answer {
    machine.engine.call(ask(Deezer, "/album/302127")).await.unwrap()
}

fn shared_hits(machine: &Machine) -> u64 {
    machine.engine.cache_stats().by_service[&Deezer].answers.shared
}

/// The server holds what a machine was told: that is written after the answer was given.
async fn is_there(redis: &Redis) {
    let client = redis::Client::open(redis.url()).unwrap();
    eventually("the answer lies on the server", async || {
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<String> =
            redis::cmd("KEYS").arg("headroom:1:a:*").query_async(&mut connection).await.unwrap();
        !keys.is_empty()
    })
    .await;
}

/// Artist and title of an album's answer.
fn names(answer: &Answer) -> (String, String) {
    let json: Value = serde_json::from_slice(&answer.body).unwrap();
    let text = |path: &str| json.pointer(path).unwrap().as_str().unwrap().to_owned();
    (text("/artist/name"), text("/title"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_machine_was_told_the_other_does_not_ask() {
    let (redis, simulator) = (Redis::start().await, simulator().await);
    let (a, b) = two(&redis, &simulator).await;
    let first = album(&a).await;
    is_there(&redis).await;
    tokio::time::sleep(ms(1_500)).await;
    let second = album(&b).await;
    assert_eq!((first.body, first.status), (second.body, second.status));
    let Origin::Hit(age) = second.origin else { panic!("{:?}", second.origin) };
    assert!((ms(1_400)..s(20)).contains(&age), "as old as it is, not {age:?}");
    assert_eq!((simulator.count("deezer").arrived, shared_hits(&b)), (1, 1));
    // Now it is the other's own as well.
    album(&b).await;
    assert_eq!(shared_hits(&b), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_machine_forgets_no_machine_answers() {
    let (redis, simulator) = (Redis::start().await, simulator().await);
    let (a, b) = two(&redis, &simulator).await;
    let (artist, title) = names(&album(&a).await);
    is_there(&redis).await;
    album(&b).await;
    a.engine.forget(Forget::Album { artist, album: title }).await.unwrap();
    eventually("the other heard of it", async || album(&b).await.origin == Origin::Service).await;
    assert_eq!(simulator.count("deezer").arrived, 2);
    for what in [Forget::Service { service: Deezer }, Forget::All] {
        let before = simulator.count("deezer").arrived;
        tokio::time::sleep(ms(1_200)).await;
        b.engine.forget(what).await.unwrap();
        eventually("the other heard of it", async || album(&a).await.origin == Origin::Service).await;
        assert_eq!(simulator.count("deezer").arrived, before + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c5_an_act_is_told_when_the_server_is_back_also_after_a_restart() {
    let (mut redis, simulator) = (Redis::start().await, simulator().await);
    let (a, b) = two(&redis, &simulator).await;
    let (artist, title) = names(&album(&a).await);
    is_there(&redis).await;
    album(&b).await;
    redis.kill();
    // Answers go on from what each has.
    assert!(matches!(album(&b).await.origin, Origin::Hit(_)));
    a.engine.forget(Forget::Album { artist, album: title }).await.unwrap();
    a.engine.stop().await;
    let a = a.started_again(&sharing(&simulator, &redis.url())).await;
    assert!(matches!(album(&b).await.origin, Origin::Hit(_)), "nobody could tell it");
    redis.again().await;
    eventually("the other heard of it", async || album(&b).await.origin == Origin::Service).await;
    drop(a);
}

#[tokio::test(flavor = "multi_thread")]
async fn c6_without_the_server_both_answer_by_themselves_within_one_call_and_share_again_later() {
    let (mut redis, simulator) = (Redis::start().await, simulator().await);
    let (a, b) = two(&redis, &simulator).await;
    redis.kill();
    for n in 0..8 {
        for machine in [&a, &b] {
            let path = format!("/track/{}", 3_100_000 + n);
            assert_eq!(machine.engine.call(ask(Deezer, &path)).await.unwrap().status, 200);
        }
    }
    assert_eq!(simulator.count("deezer").arrived, 16);
    redis.again().await;
    ready(&a).await;
    ready(&b).await;
    album(&a).await;
    is_there(&redis).await;
    assert!(matches!(album(&b).await.origin, Origin::Hit(_)));
    assert_eq!((simulator.count("deezer").arrived, shared_hits(&b)), (17, 1));
    let stats = serde_json::to_value(a.engine.cache_stats()).unwrap();
    assert_eq!(stats["shared"]["machines"], json!(2));
}
