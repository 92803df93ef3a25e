//! A client's connection, watched: what comes is looked at before it is read ([`heads`](super::heads)),
//! and a client that is too slow is not waited for.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::heads::Heads;

/// Longest time from a head's first byte to its last.
const WHOLE_HEAD: Duration = Duration::from_secs(10);
/// A connection on which nothing happens is closed after this, or up to twice of it.
const IDLE: Duration = Duration::from_secs(90);
/// Longest time a client may take nothing of its answer.
const UNREAD: Duration = Duration::from_secs(60);
/// Given to the HTTP library in place of what must not be read: never part of a request, so that the
/// client gets a 400 and the connection ends.
const NO_REQUEST: &[u8] = b"\0\r\n\r\n";

/// See the [module](self).
pub(super) struct Wire {
    stream: TcpStream,
    heads: Heads,
    refused: bool,
    /// A request is being answered.
    busy: Arc<AtomicBool>,
    moved: bool,
    reading: Option<(Phase, Pin<Box<Sleep>>)>,
    writing: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    MidHead,
    Idle,
}

impl Wire {
    /// Watches `stream`. `busy` is set by whoever answers, for as long as he does.
    pub(super) fn new(stream: TcpStream, busy: Arc<AtomicBool>) -> Self {
        let heads = Heads::default();
        Self { stream, heads, refused: false, busy, moved: false, reading: None, writing: None }
    }

    /// Nothing came: whether the client was waited for long enough.
    fn waited(&mut self, cx: &mut Context<'_>) -> bool {
        let phase = if self.heads.is_mid_head() { Phase::MidHead } else { Phase::Idle };
        loop {
            let wait = if phase == Phase::MidHead { WHOLE_HEAD } else { IDLE };
            let (_, sleep) = match &mut self.reading {
                // A head's time runs from its first byte, not from its last.
                Some(reading) if reading.0 == phase => reading,
                reading => reading.insert((phase, Box::pin(sleep(wait)))),
            };
            if sleep.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.reading = None;
            // One timer for many requests: only when it ends it is seen whether anything happened.
            let happened = std::mem::take(&mut self.moved) || self.busy.load(Ordering::Relaxed);
            if phase == Phase::MidHead || !happened {
                return true;
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.refused {
            return Poll::Ready(Ok(()));
        }
        let before = buf.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buf) {
            Poll::Pending if this.waited(cx) => Poll::Ready(Err(io::ErrorKind::TimedOut.into())),
            Poll::Pending => Poll::Pending,
            Poll::Ready(read) => {
                read?;
                this.moved = true;
                let came = &buf.filled()[before..];
                if let Err(shape) = this.heads.look(came) {
                    tracing::debug!("a request was refused: {shape:?}");
                    this.refused = true;
                    buf.set_filled(before);
                    let room = buf.remaining().min(NO_REQUEST.len());
                    buf.put_slice(&NO_REQUEST[..room]);
                }
                if !this.heads.is_mid_head()
                    && let Some((Phase::MidHead, _)) = this.reading
                {
                    this.reading = None;
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Wire {
    fn wrote<T>(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            (self.moved, self.writing) = (true, None);
            return written;
        }
        let unread = self.writing.get_or_insert_with(|| Box::pin(sleep(UNREAD)));
        ready!(unread.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.wrote(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
