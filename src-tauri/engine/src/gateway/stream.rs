//! `GET /api/events`: server-sent events. `rates` at once and then when a gauge changes, at most once a
//! second; `notices` at once and when one comes or goes; `ban`, `auth` and `play` when they happen.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};

use super::Host;
use crate::happenings::Happening;
use crate::rates::Rates;

struct Listener {
    frames: watch::Receiver<Option<Arc<Rates>>>,
    happenings: broadcast::Receiver<Happening>,
    stopping: watch::Receiver<bool>,
}

pub(super) async fn events(State(host): State<Host>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    // Listening before looking: nothing falls between.
    let listener = Listener {
        frames: host.engine.frames(),
        happenings: host.engine.happenings().listen(),
        stopping: host.stopping.clone(),
    };
    let notices = Happening::Notices(host.engine.inner.notices());
    let first = [rates(&host.engine.rates()), happening(&notices)];
    let later = stream::unfold(listener, |mut listener| async move {
        let message = listener.next().await?;
        Some((message, listener))
    });
    Sse::new(stream::iter(first).chain(later).map(Ok)).keep_alive(KeepAlive::default())
}

impl Listener {
    /// What comes next; nothing when the server stops.
    async fn next(&mut self) -> Option<Message> {
        loop {
            tokio::select! {
                changed = self.frames.changed() => {
                    changed.ok()?;
                    if let Some(frame) = self.frames.borrow_and_update().clone() {
                        return Some(rates(&frame));
                    }
                }
                heard = self.happenings.recv() => match heard {
                    Ok(heard) => return Some(happening(&heard)),
                    // A reader too slow for rare things has missed some; what comes is worth having.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return None,
                },
                _ = self.stopping.wait_for(|stop| *stop) => return None,
            }
        }
    }
}

fn rates(rates: &Rates) -> Message {
    Message::default().event("rates").data(serde_json::to_string(rates).unwrap_or_default())
}

fn happening(happening: &Happening) -> Message {
    Message::default().event(happening.name()).data(happening.data())
}
