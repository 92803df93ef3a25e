//! Providers that answer a page, nothing, a gigabyte, half, or not at all.

use headroom_engine::call::Call;
use headroom_engine::service::ServiceId::Deezer;
use serde_json::json;

use crate::sockets::{JsonValue as _, Site};
use crate::support::{ms, s, total};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_or_nothing_where_json_is_due_is_passed_on_and_bans_nothing() {
    let site = Site::new(&[]).await;
    for (fault, status, body) in [
        (json!({"kind": "html", "times": 1}), 200, "<!DOCTYPE html>"),
        (json!({"kind": "html", "status": 404, "times": 1}), 404, "<!DOCTYPE html>"),
        (json!({"kind": "empty", "times": 1}), 200, ""),
        (json!({"kind": "empty", "status": 503, "times": 3}), 503, ""),
    ] {
        site.simulator.set("deezer", json!({ "fault": fault })).unwrap();
        let answer = site.get("/deezer/search?q=a").send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{fault}");
        let text = answer.text().await.unwrap();
        assert!(text.starts_with(body) && text.is_empty() == body.is_empty(), "{fault}: {text}");
        assert_eq!(site.engine.rates().services[&Deezer].ban, None, "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_off_anywhere_is_tried_thrice_and_never_passed_on_in_part() {
    let site = Site::new(&[]).await;
    for kind in ["truncate", "close", "reset"] {
        let before = site.simulator.count("deezer").arrived;
        site.simulator.set("deezer", json!({"faults": [{"kind": kind, "times": 3}]})).unwrap();
        let answer = site.get("/deezer/search?q=a").send().await.unwrap();
        assert_eq!(answer.status(), 502, "{kind}");
        let error = answer.json_value().await["error"].clone();
        assert_eq!(error["code"], "unreachable", "{kind}");
        let text = error["message"].as_str().unwrap();
        assert!(
            text.starts_with("Deezer did not answer")
                && !text.contains("127.0.0.1")
                && !text.contains("search"),
            "{kind}: {text}"
        );
        assert_eq!(site.simulator.count("deezer").arrived - before, 3, "{kind}");
        // One broken answer is mended by the second try, unseen.
        site.simulator.set("deezer", json!({"faults": [{"kind": kind, "times": 1}]})).unwrap();
        assert_eq!(site.get("/deezer/search?q=a").send().await.unwrap().status(), 200, "{kind}");
    }
    assert_eq!(u64::from(total(&site.engine, Deezer)), site.simulator.count("deezer").arrived);
    assert_eq!(site.engine.rates().services[&Deezer].ban, None);
}

/// The most memory this process ever held, in MiB.
#[cfg(target_os = "linux")]
fn peak_memory_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gigabyte_is_given_up_at_64_mib_and_not_tried_again() {
    let site = Site::new(&[]).await;
    for chunked in [false, true] {
        site.simulator
            .set("deezer", json!({"faults": [{"kind": "big", "bytes": 1u64 << 30, "chunked": chunked}]}))
            .unwrap();
        let before = site.simulator.count("deezer").arrived;
        let answer = site.get("/deezer/search?q=a").send().await.unwrap();
        assert_eq!(answer.status(), 502);
        let error = answer.json_value().await;
        assert!(error["error"]["message"].as_str().unwrap().contains("larger than 64 MiB"), "{error}");
        assert_eq!(site.simulator.count("deezer").arrived - before, 1);
    }
    #[cfg(target_os = "linux")]
    {
        let peak = peak_memory_mib();
        println!("a gigabyte twice: at most {peak} MiB held");
        assert!(peak < 400, "{peak} MiB");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_answer_below_that_comes_whole() {
    let site = Site::new(&[]).await;
    site.simulator.set("deezer", json!({"faults": [{"kind": "big", "bytes": 20u64 << 20}]})).unwrap();
    let answer = site.get("/deezer/search?q=a").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.bytes().await.unwrap().len()), (200, 20 << 20));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_answer_comes_whole_and_one_that_nobody_waits_for_frees_its_slot() {
    let site = Site::new(&[]).await;
    site.simulator.set("deezer", json!({"faults": [{"kind": "slow", "pause_ms": 1}]})).unwrap();
    let slow = site.get("/deezer/artist/5000").send().await.unwrap().bytes().await.unwrap();
    site.simulator.set("deezer", json!({"faults": []})).unwrap();
    assert_eq!(slow, site.get("/deezer/artist/5000").send().await.unwrap().bytes().await.unwrap());

    let one = json!({"windows": [{"seconds": 0.2, "calls": 1}]});
    let budget = serde_json::from_value(one).unwrap();
    headroom_engine::contract::Contract::set_limits(&site.engine, Deezer, Some(budget)).await.unwrap();
    site.simulator.set("deezer", json!({"faults": [{"kind": "hang", "times": 1}]})).unwrap();
    // The tool hangs up; its call is dropped with it.
    let left = tokio::time::timeout(ms(400), site.get("/deezer/search?q=a").send()).await;
    assert!(left.is_err());
    let call = Call::get(Deezer, "/search?q=b", "ui", s(5));
    site.engine.call(call).await.expect("its slot came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_address_is_said_without_the_address() {
    let site = Site::new(&[]).await;
    let port = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let text = json!({"services": {"deezer": {"base_url": format!("http://127.0.0.1:{port}")}}}).to_string();
    headroom_engine::disk::write_atomically(
        &site.dir.path().join("settings.json"),
        text.as_bytes(),
        headroom_engine::disk::Readers::Default,
    )
    .unwrap();
    tokio::time::sleep(ms(1_300)).await;
    let error =
        site.engine.call(Call::get(Deezer, "/search?q=private", "ui", s(1))).await.unwrap_err().to_string();
    assert!(
        error.starts_with("Deezer did not answer: no connection") && !error.contains("private"),
        "{error}"
    );
    assert_eq!(total(&site.engine, Deezer), 3, "three tries left the machine");
}
