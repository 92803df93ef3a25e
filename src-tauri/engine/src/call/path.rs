//! The path of a call. Every call takes it, whoever asks; read it from top to bottom.
//!
//! `cache → wait for the budget (or refuse, with when to come back) → attach the credential → send →
//! verdict → meter → cache`. Redirects on the same host and second tries walk it again: each is a call.
//!
//! Invariant: nothing is sent without a [`Slot`], and everything sent is on the meter.

use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, Uri};

use super::transport::TransportError;
use super::{Answer, Call, CallError, Origin};
use crate::account::{Attached, NoCredential};
use crate::budget::share::{Held, part_of};
use crate::budget::{Ask, Priority, Refusal, Slot, Why};
use crate::clock::Mono;
use crate::engine::Inner;
use crate::meter::Outcome;
use crate::service::{Answered, BanKind, CredentialPlace, EndpointId, ServiceId, Verdict, retry_after};

/// Second tries of a call whose trouble may pass.
const RETRIES: u32 = 2;
/// Wait before the first of them; doubles, give or take half.
const BACKOFF: Duration = Duration::from_millis(250);
/// How long a token request may wait for its budget.
const ACCOUNTS_WAIT: Duration = Duration::from_secs(30);
/// A refusal by an accounts server that gives no time.
const ACCOUNTS_BAN: Duration = Duration::from_secs(60);
/// Redirects followed on one host.
const REDIRECTS: u32 = 5;

impl Inner {
    /// Takes a call down the path.
    pub(crate) async fn take(&self, mut call: Call) -> Result<Answer, CallError> {
        self.check(&call)?;
        if let Some(answer) = self.cache.get(&call) {
            let endpoint = self.endpoint(&call);
            self.meter.hit(call.service, endpoint, &call.caller);
            log_call(&call, endpoint, answer.status.as_u16(), 0, answer.body.len(), "hit");
            return Ok(answer);
        }
        let (mut retries, mut redirects, mut renewed) = (0, 0, false);
        loop {
            let endpoint = self.endpoint(&call);
            let (mut held, slot) = self.wait_for_budget(&call).await?;
            let (request, attached) = self.request(&call).await?;
            // To get a credential may take seconds: a ban that began meanwhile holds for this call too.
            if slot.is_stale() {
                continue;
            }
            held.iter_mut().for_each(Held::sent);
            let answer = self.send(&call, endpoint, request).await;
            drop(held);
            let answer = match answer {
                Ok(answer) => answer,
                Err(error) => {
                    slot.done(false);
                    if error.is_transient() && retries < RETRIES && is_idempotent(&call.method) {
                        self.back_off(&mut retries).await;
                        continue;
                    }
                    return Err(CallError::Unreachable { service: call.service, reason: error.to_string() });
                }
            };
            if let Some(limit) = (call.service.service().server_limit)(&answer.headers) {
                self.lane(call.service).gate.correct(limit);
            }
            match answer.verdict {
                Verdict::Refused(kind) => {
                    return Err(self.refused(&call, endpoint, kind, slot, answer).await);
                }
                Verdict::Transient if retries < RETRIES && is_idempotent(&call.method) => {
                    slot.done(true);
                    self.back_off(&mut retries).await;
                }
                // A token may be revoked at any age: any call may renew it once.
                Verdict::SignInNeeded if !renewed => {
                    slot.done(true);
                    renewed = true;
                    if !self.credentials.rejected(call.service, &attached).await {
                        return Ok(answer);
                    }
                }
                Verdict::Fresh if redirects < REDIRECTS && self.follow(&mut call, &answer) => {
                    slot.done(true);
                    redirects += 1;
                }
                verdict => {
                    slot.done(true);
                    if matches!(verdict, Verdict::Fresh | Verdict::NotFound) {
                        self.cache.put(&call, &answer);
                    }
                    return Ok(answer);
                }
            }
        }
    }

    fn check(&self, call: &Call) -> Result<(), CallError> {
        if !self.settings.current().service(call.service).enabled {
            return Err(CallError::Disabled(call.service));
        }
        if !call.path.starts_with('/') {
            return Err(CallError::BadRequest(format!(
                "The path {:?} does not begin with a slash",
                call.path
            )));
        }
        Ok(())
    }

    fn endpoint(&self, call: &Call) -> EndpointId {
        // Last.fm's method may be in the query or in a posted form.
        let pairs = call.form().unwrap_or(&call.query);
        call.service.service().endpoint_of(call.method.as_str(), &call.path, pairs)
    }

    async fn wait_for_budget(&self, call: &Call) -> Result<(Option<Held>, Slot), CallError> {
        let lane = self.lane(call.service);
        if self.is_paused() {
            let until = self.clock.mono() + Duration::from_secs(60);
            return Err(self.refusal(call, Refusal { why: Why::Paused, until }, None));
        }
        if call.priority == Priority::Background {
            self.leave_quota_to_the_user(call)?;
        }
        let mut ask = Ask { priority: call.priority, max_wait: call.max_wait };
        let refused = |refusal| self.refusal(call, refusal, None);
        let held = match call.share {
            None => None,
            Some(share) => {
                // No call waits for a ban, not even for its share.
                if let Some(ban) = lane.gate.ban() {
                    return Err(refused(Refusal { why: Why::Banned(ban.kind), until: ban.until }));
                }
                let (began, view) = (self.clock.mono(), lane.gate.view());
                let windows: Vec<_> = view.windows.iter().map(|(window, _)| *window).collect();
                let part = part_of(&windows, view.limit, share);
                let held = lane.shares.take(&self.clock, &call.caller, part, ask).await.map_err(refused)?;
                let waited = self.clock.mono().since(began);
                ask.max_wait = ask.max_wait.map(|wait| wait.saturating_sub(waited));
                Some(held)
            }
        };
        Ok((held, lane.gate.pass(ask).await.map_err(refused)?))
    }

    fn leave_quota_to_the_user(&self, call: &Call) -> Result<(), CallError> {
        let quota = self.lane(call.service).quota.lock();
        let Some((size, _)) = quota.in_force() else { return Ok(()) };
        let used = self.meter.calls_within(call.service, size.length());
        if quota.allows(call.priority, used) {
            return Ok(());
        }
        let share = quota.background_share().unwrap_or(size.calls);
        let until = self.meter.below_at(call.service, size.length(), share);
        Err(self.refusal(call, Refusal { why: Why::QuotaReserve, until }, None))
    }

    fn refusal(&self, call: &Call, refusal: Refusal, answer: Option<Box<Answer>>) -> CallError {
        let Refusal { why, until } = refusal;
        let wait = until.since(self.clock.mono());
        CallError::Refused { service: call.service, why, until: self.clock.wall_of(until), wait, answer }
    }

    /// The request, and the parts of it that carry the credential.
    async fn request(&self, call: &Call) -> Result<(Request<Bytes>, Attached), CallError> {
        let settings = self.settings.current();
        let mut attached = Attached {
            path: call.path.clone(),
            query: call.query.clone(),
            headers: call.headers.clone(),
            body: call.body.clone(),
        };
        self.credentials.attach(call.service, &mut attached).await.map_err(|missing| match missing {
            NoCredential::SignIn => CallError::SignInNeeded(call.service),
            NoCredential::NotNow(reason) => CallError::Unreachable { service: call.service, reason },
        })?;
        let request = self.assemble(call, settings.base_url(call.service), &attached)?;
        Ok((request, attached))
    }

    fn assemble(&self, call: &Call, base: &str, attached: &Attached) -> Result<Request<Bytes>, CallError> {
        let Attached { path, query, headers, body } = attached;
        let mut url = format!("{base}{path}");
        if !query.is_empty() {
            url.push('?');
            url.push_str(query);
        }
        // The parser's own words name no part of the address: a key may stand in it.
        let bad = |what: String| CallError::BadRequest(format!("This is no address to call: {what}"));
        let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| bad(error.to_string()))?;
        let mut headers = headers.clone();
        headers.remove(HOST);
        if call.service.service().wants_user_agent || !headers.contains_key(USER_AGENT) {
            let ours = self.user_agent().parse().map_err(|_| bad("the contact in the settings".into()))?;
            headers.insert(USER_AGENT, ours);
        }
        let mut request = Request::new(body.clone());
        *request.method_mut() = call.method.clone();
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Asks a service's accounts server, which has limits of its own: a ban of the API does not hold
    /// back a sign-in, nor the other way round. Counted like every call.
    pub(crate) async fn ask_accounts(
        &self,
        service: ServiceId,
        path: &str,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Answer, CallError> {
        let call =
            Call { method: Method::POST, headers, body, ..Call::get(service, path, "token", ACCOUNTS_WAIT) };
        let endpoint = self.endpoint(&call);
        let settings = self.settings.current();
        let base = settings.accounts_url(service).unwrap_or_else(|| settings.base_url(service));
        let attached = Attached {
            path: call.path.clone(),
            query: String::new(),
            headers: call.headers.clone(),
            body: call.body.clone(),
        };
        let request = self.assemble(&call, base, &attached)?;
        let ask = Ask { priority: call.priority, max_wait: call.max_wait };
        let slot = self.lane(service).accounts.pass(ask).await.map_err(|r| self.refusal(&call, r, None))?;
        match self.send(&call, endpoint, request).await {
            Ok(answer) if matches!(answer.verdict, Verdict::Refused(_)) => {
                let given = retry_after(&answer.headers, self.clock.wall());
                // Its bans are short and its own: they are not stored.
                let change = slot.refused(BanKind::Rate, endpoint, given, ACCOUNTS_BAN);
                tracing::warn!("{service}'s accounts server refused: {change:?}");
                let until = self.clock.mono() + given.unwrap_or(ACCOUNTS_BAN);
                Err(self.refusal(&call, Refusal { why: Why::Banned(BanKind::Rate), until }, None))
            }
            Ok(answer) => {
                slot.done(true);
                Ok(answer)
            }
            Err(error) => Err(CallError::Unreachable { service, reason: error.to_string() }),
        }
    }

    /// Sends, counts and reads the answer.
    async fn send(
        &self,
        call: &Call,
        endpoint: EndpointId,
        request: Request<Bytes>,
    ) -> Result<Answer, TransportError> {
        let mut on_meter = OnMeter::sent(self, call, endpoint);
        let response = self.transport.send(request).await;
        let answer = response.map(|response| read(call, response));
        on_meter.end(answer.as_ref());
        answer
    }

    async fn refused(
        &self,
        call: &Call,
        endpoint: EndpointId,
        kind: BanKind,
        slot: Slot,
        answer: Answer,
    ) -> CallError {
        let given = retry_after(&answer.headers, self.clock.wall());
        let default = Duration::from_secs(call.service.service().default_ban_s);
        let change = slot.refused(kind, endpoint, given, default);
        self.recorder.banned(call, kind, change).await;
        let until = self.lane(call.service).gate.ban().map_or_else(|| self.clock.mono(), |ban| ban.until);
        self.refusal(call, Refusal { why: Why::Banned(kind), until }, Some(Box::new(answer)))
    }

    /// Points the call at a redirect's target, if that is on the service's own host.
    fn follow(&self, call: &mut Call, answer: &Answer) -> bool {
        let redirects = matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308);
        if !redirects || !matches!(call.method, Method::GET | Method::HEAD) {
            return false;
        }
        let Some(location) = answer.headers.get(LOCATION).and_then(|v| v.to_str().ok()) else { return false };
        let settings = self.settings.current();
        let base = settings.base_url(call.service);
        let Some(target) = within(location, base) else { return false };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (call.path, call.query) = (path.to_owned(), query.to_owned());
        true
    }

    async fn back_off(&self, retries: &mut u32) {
        let jitter = rand::random_range(0.5..1.5);
        let wait = BACKOFF.mul_f64(f64::from(1u32 << *retries) * jitter);
        *retries += 1;
        tokio::time::sleep(wait).await;
    }
}

/// One line in the call log. It has no path and no query: they may hold what is private.
fn log_call(call: &Call, endpoint: EndpointId, status: u16, ms: u64, bytes: usize, cache: &str) {
    let (service, endpoint) = (call.service.as_str(), call.service.service().endpoint_name(endpoint));
    tracing::info!(target: crate::logs::CALLS, service, endpoint, caller = &*call.caller, status, ms, bytes, cache);
}

/// The part of `location` below `base`, when it lies there.
fn within<'a>(location: &'a str, base: &str) -> Option<&'a str> {
    if location.starts_with('/') && !location.starts_with("//") {
        return Some(location);
    }
    location.strip_prefix(base).filter(|rest| rest.starts_with('/'))
}

/// A redirect's target without the credential, where the service takes it in the address: it repeats what
/// it was asked, and whoever asked must not see the key. A redirect that is followed gets it anew.
fn without_credential(service: ServiceId, location: &str) -> String {
    match service.service().auth.place {
        CredentialPlace::Query(name) => {
            let (address, fragment) =
                location.split_once('#').map_or((location, None), |(a, f)| (a, Some(f)));
            let Some((front, query)) = address.split_once('?') else { return location.to_owned() };
            let is_it = |pair: &&str| pair.split('=').next() == Some(name);
            let rest: Vec<_> = query.split('&').filter(|pair| !is_it(pair)).collect();
            let fragment = fragment.map_or_else(String::new, |fragment| format!("#{fragment}"));
            let mark = if rest.is_empty() { "" } else { "?" };
            format!("{front}{mark}{}{fragment}", rest.join("&"))
        }
        CredentialPlace::PathAfter(prefix) => match location.split_once(prefix) {
            Some((front, rest)) => {
                let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                format!("{front}{prefix}-{}", &rest[end..])
            }
            None => location.to_owned(),
        },
        _ => location.to_owned(),
    }
}

fn is_idempotent(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::PUT | Method::DELETE | Method::OPTIONS)
}

fn read(call: &Call, response: Response<Bytes>) -> Answer {
    let (mut parts, body) = response.into_parts();
    let location = parts.headers.get(LOCATION).and_then(|v| v.to_str().ok());
    if let Some(location) = location.and_then(|to| without_credential(call.service, to).parse().ok()) {
        parts.headers.insert(LOCATION, location);
    }
    let answered = Answered { status: parts.status, headers: &parts.headers, body: &body };
    let verdict = (call.service.service().verdict)(&answered);
    Answer { status: parts.status, headers: parts.headers, body, verdict, origin: Origin::Service }
}

/// Counts a call when it is sent and again how it ended, also when its asker goes away half-way.
struct OnMeter<'a> {
    inner: &'a Inner,
    call: &'a Call,
    endpoint: EndpointId,
    sent: Mono,
    ended: bool,
}

impl<'a> OnMeter<'a> {
    fn sent(inner: &'a Inner, call: &'a Call, endpoint: EndpointId) -> Self {
        inner.meter.sent(call.service, endpoint, &call.caller);
        inner.recorder.watch_quota(call.service);
        Self { inner, call, endpoint, sent: inner.clock.mono(), ended: false }
    }

    fn end(&mut self, answer: Result<&Answer, &TransportError>) {
        self.ended = true;
        let ms = u64::try_from(self.inner.clock.mono().since(self.sent).as_millis()).unwrap_or(u64::MAX);
        let bytes = answer.map_or(0, |a| a.body.len());
        let outcome = match answer.map(|a| a.verdict) {
            Ok(Verdict::Fresh) => Outcome::Ok,
            Ok(Verdict::NotFound) => Outcome::NotFound,
            Ok(Verdict::Refused(_)) => Outcome::Refused,
            _ => Outcome::Failed,
        };
        self.inner.meter.ended(
            self.call.service,
            self.endpoint,
            &self.call.caller,
            outcome,
            ms,
            bytes as u64,
        );
        // 0 stands for "no answer".
        log_call(self.call, self.endpoint, answer.map_or(0, |a| a.status.as_u16()), ms, bytes, "miss");
    }
}

impl Drop for OnMeter<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.end(Err(&TransportError::Broken("given up by the asker".into())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t5_a_redirect_loses_the_key_and_nothing_else() {
        for (service, location, left) in [
            (
                ServiceId::Lastfm,
                "https://x.example/2.0/?a=1&api_key=K&b=2#c",
                "https://x.example/2.0/?a=1&b=2#c",
            ),
            (ServiceId::Lastfm, "/2.0/?api_key=K", "/2.0/"),
            (ServiceId::Lastfm, "/2.0/?a=api_key&my_api_key=1", "/2.0/?a=api_key&my_api_key=1"),
            (ServiceId::Lastfm, "/2.0/#?api_key", "/2.0/#?api_key"),
            (
                ServiceId::Audiodb,
                "https://x.example/api/v1/json/K/a.php?s=b",
                "https://x.example/api/v1/json/-/a.php?s=b",
            ),
            (ServiceId::Audiodb, "/api/v1/json/K", "/api/v1/json/-"),
            (ServiceId::Audiodb, "/api/v2/json/x?api_key=K", "/api/v2/json/x?api_key=K"),
            (ServiceId::Deezer, "/search?api_key=K", "/search?api_key=K"),
        ] {
            assert_eq!(without_credential(service, location), left, "{service}: {location}");
        }
    }
}
