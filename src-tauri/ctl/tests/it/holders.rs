//! Who else may hold the directory: the app, or somebody who does not answer.

use headroom_engine::gateway::Server;
use headroom_engine::holder::APP;
use headroom_engine::{Engine, Options};

use crate::support::{Place, code, err, json_of, out};

/// What the app is to the others: an engine and its server in a process that ends both when asked.
async fn app(place: &Place) -> (Engine, Server) {
    let options = Options { environment: Vec::new(), ..Options::new(place.dir.path()).named(APP) };
    let engine = Engine::start(options).await.expect("it starts");
    let server = Server::start(&engine, None).await.expect("it listens");
    (engine, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_app_is_named_never_restarted_by_us_and_gives_way_when_asked() {
    let place = Place::new().await;
    let (engine, server) = app(&place).await;
    let named = format!("Headroom (the app, pid {}) already runs on", std::process::id());
    let second = place.ctl(&["serve"]);
    assert_eq!((code(&second), err(&second).contains(&named)), (1, true), "{}", err(&second));
    let restart = place.ctl(&["restart"]);
    assert_eq!((code(&restart), err(&restart).contains("the app")), (1, true), "{}", err(&restart));
    let start = json_of(&place.ctl(&["start", "--json"]));
    assert_eq!(start["already_running"], true, "the app's engine is an engine");
    assert_eq!(code(&place.ctl(&["get", "deezer", "/infos"])), 0);
    let giving_way = tokio::spawn(async move {
        engine.stop_asked().await;
        server.stop().await;
        engine.stop().await;
    });
    let serving = tokio::task::block_in_place(|| place.serve_with(&["--take-over"]));
    giving_way.await.expect("it gave way");
    let status = json_of(&place.ctl(&["status", "--json"]));
    assert_eq!(status["pid"], serving.child.id(), "the new one answers");
    assert_eq!(status["services"]["deezer"]["calls_24h"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_does_not_answer_is_named_and_left_alone() {
    let place = Place::new().await;
    let options = Options { environment: Vec::new(), ..Options::new(place.dir.path()).named(APP) };
    let engine = Engine::start(options).await.expect("it starts");
    let holds = format!("Headroom (the app, pid {})", std::process::id());
    for (args, exit) in [(&["stop"][..], 1), (&["serve", "--take-over"], 1), (&["status"], 3), (&["open"], 3)]
    {
        let refused = place.ctl(args);
        assert_eq!(
            (code(&refused), err(&refused).contains(&holds)),
            (exit, true),
            "{args:?}: {}",
            err(&refused)
        );
    }
    let doctor = place.ctl(&["doctor"]);
    assert_eq!((code(&doctor), out(&doctor).contains("does not answer")), (1, true), "{}", out(&doctor));
    engine.stop().await;
    assert_eq!(code(&place.ctl(&["doctor"])), 0);
}
