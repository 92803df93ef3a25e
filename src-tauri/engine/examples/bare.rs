//! The least a server can do: two answers from memory by axum, for `npm run bench:gateway` to compare with.
//!
//! `bare FILE…` answers `/track/1` with the first file, `/track/2` with the second, and so on, and prints
//! its port.

#![allow(clippy::disallowed_methods, reason = "a yardstick has no engine and no clock")]

use axum::Router;
use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut router = Router::new();
    for (place, path) in std::env::args().skip(1).enumerate() {
        let body = Bytes::from(std::fs::read(path)?);
        let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
        router = router.route(&format!("/track/{}", place + 1), get(answer));
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        axum::serve(listener, router).await?;
        Ok(())
    })
}
