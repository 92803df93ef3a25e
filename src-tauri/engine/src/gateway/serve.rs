//! Connections, and which of them gets where: the control API, the page, or the gateway.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderValue, Request};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tower_service::Service;

use super::heads::LARGEST_HEAD;
use super::wire::Wire;
use super::{Host, guard, proxy};
use crate::service::ServiceId;

/// Connections at once; more wait in the system's queue.
const CONNECTIONS: usize = 4_096;
/// Headers of one request.
const HEADERS: usize = 100;
/// After an accept that failed (no more files to open, say), before the next.
const BREATH: Duration = Duration::from_millis(50);

/// Accepts connections until `stopping`, then waits for the open ones.
pub(super) async fn serve(
    listener: TcpListener,
    host: Host,
    router: Router,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    let mut open = JoinSet::new();
    loop {
        let place = tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            place = Arc::clone(&places).acquire_owned() => place,
        };
        let accepted = tokio::select! {
            biased;
            () = stopped(&mut stopping) => break,
            accepted = listener.accept() => accepted,
            // The ended ones are forgotten as they end.
            Some(_) = open.join_next() => continue,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a connection could not be taken: {error}");
                tokio::time::sleep(BREATH).await;
                continue;
            }
        };
        let (host, router, stopping) = (host.clone(), router.clone(), stopping.clone());
        open.spawn(async move {
            connection(stream, host, router, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    while open.join_next().await.is_some() {}
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

async fn connection(stream: TcpStream, host: Host, router: Router, mut stopping: watch::Receiver<bool>) {
    // Answers are small and whole: they are not to wait for more.
    let _ = stream.set_nodelay(true);
    let busy = Arc::new(AtomicBool::new(false));
    let service = service_fn(|request| {
        let (host, router, busy) = (&host, &router, &busy);
        async move {
            busy.store(true, Ordering::Relaxed);
            let response = answer(host, router, request).await;
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(response)
        }
    });
    let wire = TokioIo::new(Wire::new(stream, Arc::clone(&busy)));
    let connection = http1::Builder::new()
        // The wire has its own, and does not end a connection that only waits.
        .header_read_timeout(None)
        .max_buf_size(LARGEST_HEAD)
        .max_headers(HEADERS)
        .half_close(false)
        .serve_connection(wire, service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!("a connection ended: {error}");
    }
}

async fn answer(host: &Host, router: &Router, request: Request<Incoming>) -> Response {
    // After a body in chunks no further head is looked for on this connection.
    let last = request.headers().contains_key(TRANSFER_ENCODING);
    let has_body = !request.body().is_end_stream();
    let mut response = match guard::check(&request) {
        Err(error) => error.into_response(),
        Ok(()) if is_for_gateway(request.uri().path()) => proxy::pass_on(host, request).await,
        Ok(()) => match router.clone().call(request.map(Body::new)).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
    };
    // Nor after one that was refused unread: the client is told, or it would send the next one into the void.
    let unread = has_body && response.headers().contains_key("x-headroom-limited");
    if last || unread {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// `/~KEY/…` and `/{service}/…`.
fn is_for_gateway(path: &str) -> bool {
    let first = path.strip_prefix('/').unwrap_or(path).split('/').next().unwrap_or_default();
    first.starts_with('~') || first.parse::<ServiceId>().is_ok()
}
