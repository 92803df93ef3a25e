//! The path of a call through a stand-in, from the socket to the answer.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::response::Response;

use crate::call::{Answer, Call};
use crate::faults::{Fault, Kind};
use crate::ledger::Outcome;
use crate::server::Wire;
use crate::services::Caller;
use crate::window::{Refusal, RefusalKind};
use crate::world::{Desk, World, lock};

/// Largest request body that is read.
const BODY_LIMIT: usize = 8 << 20;

/// Answers one request for the desk at `place`.
pub(crate) async fn serve(
    State((world, place)): State<(Arc<World>, usize)>,
    Extension(wire): Extension<Wire>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let Some(desk) = world.desks.get(place) else {
        return Answer::empty(500).into_response(None);
    };
    let call = Call::new(&parts, body, desk.base.clone(), world.clock.unix_ms());
    let arrival = Arrival::note(&world, desk, &call);

    tokio::time::sleep(arrival.before).await;
    let (ordinary, earned) = decide(&world, desk, &call, arrival.fault.as_ref());
    tokio::time::sleep(arrival.after).await;

    let (answer, body, outcome) = match &arrival.fault {
        None => (ordinary, None, earned),
        Some(fault) => {
            match fault.kind {
                Kind::Reset => match wire.reset().await {},
                Kind::Close => match wire.close().await {},
                Kind::Hang => std::future::pending().await,
                Kind::Delay => tokio::time::sleep(fault.pause(1_000)).await,
                _ => {}
            }
            let elsewhere = format!("{}/elsewhere", world.control.replace("127.0.0.1", "localhost"));
            let refusal = dress(&world, desk, &call, forced_refusal(desk, fault));
            let (answer, body) = fault.apply(&call, ordinary, refusal, &elsewhere);
            let outcome = match fault.kind {
                _ if fault.refuses() => Outcome::Refused,
                _ if fault.answers() || fault.kind == Kind::Redirect => earned,
                _ => Outcome::Failed,
            };
            (answer, body, outcome)
        }
    };
    arrival.settle(desk, outcome, answer.status);
    answer.into_response(body)
}

/// What was decided when the request came in.
struct Arrival {
    n: u64,
    before: Duration,
    after: Duration,
    fault: Option<Fault>,
}

impl Arrival {
    fn note(world: &World, desk: &Desk, call: &Call) -> Self {
        let now = world.clock.elapsed();
        let mut state = lock(&desk.state);
        let [low, high] = state.rules.latency_ms;
        let latency = state.rng.between(low * 1_000, high * 1_000);
        let before = if state.rules.count_anywhere { state.rng.between(0, latency) } else { 0 };
        let n = state.ledger.arrive(call);
        let fault = state.faults.take(&call.path, now);
        if let Some(Kind::Reset | Kind::Close | Kind::Hang) = fault.as_ref().map(|fault| fault.kind) {
            state.ledger.settle(n, Outcome::Failed, 0);
        }
        Self {
            n,
            before: Duration::from_micros(before),
            after: Duration::from_micros(latency - before),
            fault,
        }
    }

    fn settle(&self, desk: &Desk, outcome: Outcome, status: u16) {
        lock(&desk.state).ledger.settle(self.n, outcome, status);
    }
}

/// Counts the call and gives the provider's ordinary answer to it.
fn decide(world: &World, desk: &Desk, call: &Call, fault: Option<&Fault>) -> (Answer, Outcome) {
    let accept = lock(&desk.state).rules.accept.clone();
    let caller = desk.provider.gate(world, call, &accept);
    let cap = desk.provider.cap(caller.as_ref().unwrap_or(&Caller::nobody()));
    let (decision, retry_after) = {
        let mut state = lock(&desk.state);
        (state.limits.arrive(world.clock.elapsed(), cap), state.rules.retry_after)
    };
    let (mut answer, outcome) = match (decision, caller) {
        (Err(refusal), _) => (desk.provider.refusal(&refusal), Outcome::Refused),
        (Ok(()), Err(turned_away)) => (turned_away, Outcome::Answered),
        // What never reached the provider's code leaves no trace; what breaks on the way back does.
        (Ok(()), Ok(_)) if fault.is_some_and(Fault::prevents) => (Answer::empty(200), Outcome::Answered),
        (Ok(()), Ok(caller)) => (desk.provider.answer(world, call, &caller), Outcome::Answered),
    };
    if !retry_after {
        answer.headers.retain(|(name, _)| name != "retry-after");
    }
    (dress_capped(world, desk, call, answer, cap), outcome)
}

fn forced_refusal(desk: &Desk, fault: &Fault) -> Answer {
    let (kind, seconds) =
        if fault.is_quota() { (RefusalKind::Quota, 48_925) } else { (RefusalKind::Rate, 3) };
    desk.provider.refusal(&Refusal { kind, wait: Duration::from_secs(seconds) })
}

fn dress(world: &World, desk: &Desk, call: &Call, answer: Answer) -> Answer {
    dress_capped(world, desk, call, answer, None)
}

/// Puts the answer in the words the call asks for, and adds the headers this provider puts on every one.
fn dress_capped(world: &World, desk: &Desk, call: &Call, answer: Answer, cap: Option<usize>) -> Answer {
    let mut answer = desk.provider.worded(call, answer);
    let (windows, _) = lock(&desk.state).limits.usage(world.clock.elapsed());
    if let Some(mut first) = windows.into_iter().next() {
        first.calls = cap.unwrap_or(first.calls).min(first.calls);
        for (name, value) in desk.provider.headers(&first) {
            answer = answer.with(name, value);
        }
    }
    answer
}
