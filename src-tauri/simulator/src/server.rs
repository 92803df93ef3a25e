//! Sockets: an accept loop that can end a connection in every way a network can.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

/// The handle by which an answer can end its own connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wire(Arc<Ending>);

#[derive(Debug, Default)]
struct Ending {
    reset: AtomicBool,
    now: Notify,
}

impl Wire {
    /// Ends the connection with a TCP reset; never returns.
    pub(crate) async fn reset(&self) -> Infallible {
        self.0.reset.store(true, Ordering::Release);
        self.close().await
    }

    /// Ends the connection as if the server had nothing to say; never returns.
    pub(crate) async fn close(&self) -> Infallible {
        self.0.now.notify_one();
        std::future::pending().await
    }
}

/// A stream that is reset when it is dropped, if its [`Wire`] says so.
struct Socket {
    stream: TcpStream,
    wire: Wire,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.wire.0.reset.load(Ordering::Acquire) {
            // Best effort: without it the client sees an orderly end.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Binds a loopback port; 0 picks one.
pub(crate) async fn bind(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let address = format!("http://{}", listener.local_addr()?);
    Ok((listener, address))
}

/// Serves `router` until this future is dropped; all connections end with it.
pub(crate) async fn run(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, most likely: let some close.
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            continue;
        };
        // Small answers must not wait for an acknowledgement; failing to ask is harmless.
        let _ = stream.set_nodelay(true);
        let wire = Wire::default();
        let service = TowerToHyperService::new(router.clone().layer(Extension(wire.clone())));
        connections.spawn(async move {
            let socket = Socket { stream, wire: wire.clone() };
            let connection = http1::Builder::new().serve_connection(TokioIo::new(socket), service);
            tokio::select! {
                // A connection that breaks is the client's business, and often the test's.
                _ = connection => {}
                () = wire.0.now.notified() => {}
            }
        });
    }
}
