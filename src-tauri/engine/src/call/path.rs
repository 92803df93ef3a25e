//! The path of a call. Every call takes it, whoever asks; read it from top to bottom.
//!
//! `cache → join an identical flight → wait for the budget (or refuse, with when to come back) → attach the
//! credential → send → verdict → meter → cache`. Redirects on the same host and second tries go round
//! again: each is a call.
//!
//! Invariant: nothing is sent without a [`Slot`], and everything sent is on the meter.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, IF_MODIFIED_SINCE, IF_NONE_MATCH, LOCATION, USER_AGENT};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};

use super::transport::{Rest, TransportError};
use super::{Answer, Call, CallError, Origin};
use crate::account::{Attached, NoCredential};
use crate::budget::share::{Held, part_of};
use crate::budget::{Ask, Priority, Refusal, Slot, Why};
use crate::cache::flight::{Lead, Turn};
use crate::cache::kept::Kept;
use crate::cache::question::Question;
use crate::cache::{Subject, Tier};
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
    pub(crate) async fn take(self: &Arc<Self>, call: Call) -> Result<Answer, CallError> {
        self.check(&call)?;
        let endpoint = self.endpoint(&call);
        let account = self.credentials.account(call.service);
        let Some(question) = Question::of(&call, endpoint, account) else {
            return self.ask(call, None).await;
        };
        if call.accepts.only_fresh_from_service {
            let kept = self.cache.find(&question).map(|(kept, _)| kept);
            return self.ask_and_keep(call, &question, kept.as_deref(), None).await;
        }
        let found = self.cache.find(&question);
        if let Some((kept, tier)) = &found {
            let now = self.cache.now();
            let accepts = call.accepts;
            if kept.is_alive(now) && accepts.max_age.is_none_or(|most| kept.age(now) <= most) {
                return Ok(self.answer_kept(&call, &question, kept, Some(*tier)));
            }
            if accepts.max_stale.is_some_and(|most| kept.staleness(now) <= most) {
                return Ok(self.answer_kept(&call, &question, kept, None));
            }
            // Who can wait does not: the old answer now, and a new one for the next.
            if call.priority == Priority::Background && accepts.max_stale.is_none() {
                let answer = self.answer_kept(&call, &question, kept, None);
                let (path, kept) = (Arc::clone(self), Arc::clone(kept));
                tokio::spawn(async move { path.fly(call, &question, Some(&*kept)).await });
                return Ok(answer);
            }
        }
        let kept = found.map(|(kept, _)| kept);
        let asked = Call { body: Bytes::new(), ..call.clone() };
        let outcome = self.fly(call, &question, kept.as_deref()).await;
        match kept.filter(|kept| is_outage(&outcome) && asked.accepts.takes(kept.staleness(self.cache.now())))
        {
            Some(kept) => Ok(self.answer_kept(&asked, &question, &kept, None)),
            None => outcome,
        }
    }

    /// The answer from the cache; `tier` is `None` for one that has expired.
    fn answer_kept(&self, call: &Call, question: &Question, kept: &Kept, tier: Option<Tier>) -> Answer {
        let now = self.cache.now();
        self.cache.used(question, kept, now);
        self.cache.count_hit(question, tier, kept.found);
        let mut answer = kept.answer(now);
        if tier.is_none() {
            // A caller may find old what still holds (`max-age`): it is not said to be fresh.
            answer.origin = Origin::Stale(kept.age(now));
        }
        self.was_hit(call, question, &answer, if tier.is_some() { "hit" } else { "stale" });
        answer
    }

    fn was_hit(&self, call: &Call, question: &Question, answer: &Answer, cache: &str) {
        self.meter.hit(call.service, question.endpoint, &call.caller);
        log_call(call, question.endpoint, answer.status.as_u16(), 0, answer.body.len(), cache);
    }

    /// Asks together with everybody who asks the same at this time.
    async fn fly(
        self: &Arc<Self>,
        call: Call,
        question: &Question,
        kept: Option<&Kept>,
    ) -> Result<Answer, CallError> {
        if question.head {
            return self.ask(call, None).await;
        }
        let flights = &self.cache.flights;
        match flights.join(question.key, call.priority, call.max_wait).await {
            // What is passed on as it comes comes to one only.
            Turn::Shared(Ok(answer)) if answer.rest.is_some() => {
                self.ask_and_keep(call, question, kept, None).await
            }
            Turn::Shared(Ok(mut answer)) => {
                if matches!(answer.verdict, Verdict::Fresh | Verdict::NotFound) {
                    answer.origin = Origin::Hit(Duration::ZERO);
                    let found = answer.verdict == Verdict::Fresh;
                    self.cache.count_hit(question, Some(Tier::Memory), found);
                    self.was_hit(&call, question, &answer, "hit");
                }
                Ok(answer)
            }
            Turn::Shared(failure) => failure,
            Turn::Alone => {
                let at_once = Call { max_wait: Some(Duration::ZERO), ..call };
                self.ask_and_keep(at_once, question, kept, None).await
            }
            Turn::Lead(lead) => {
                if let Some(last) = flights.rest(&self.clock, question.key, call.max_wait).await {
                    lead.done(&last);
                    return last;
                }
                if let Some(answer) = self.told_to_another_machine(&call, question).await {
                    lead.done(&Ok(answer.clone()));
                    return Ok(answer);
                }
                let outcome = self.ask_and_keep(call, question, kept, Some(&lead)).await;
                if is_failure(&outcome) {
                    flights.failed(&self.clock, question.key, outcome.clone());
                } else {
                    flights.works(question.key);
                }
                // How long one may wait is its own affair: the next in line may wait for longer.
                if !matches!(outcome, Err(CallError::Refused { why: Why::OverBudget, .. })) {
                    lead.done(&outcome);
                }
                outcome
            }
        }
    }

    /// What the shared server has, while it holds.
    async fn told_to_another_machine(&self, call: &Call, question: &Question) -> Option<Answer> {
        if !self.cache.is_shared() {
            return None;
        }
        let kept = self.cache.find_shared(question, &Subject::of(call)).await?;
        let now = self.cache.now();
        let new_enough = call.accepts.max_age.is_none_or(|most| kept.age(now) <= most);
        (kept.is_alive(now) && new_enough)
            .then(|| self.answer_kept(call, question, &kept, Some(Tier::Shared)))
    }

    /// Asks the service, for a new answer or whether the kept one still holds, and keeps what it says.
    async fn ask_and_keep(
        self: &Arc<Self>,
        mut call: Call,
        question: &Question,
        kept: Option<&Kept>,
        lead: Option<&Lead<'_>>,
    ) -> Result<Answer, CallError> {
        // A tool's own conditions are for the gateway to compare: the whole answer is wanted here.
        for condition in [IF_NONE_MATCH, IF_MODIFIED_SINCE] {
            call.headers.remove(condition);
        }
        let asks_if_changed = kept.is_some_and(|kept| kept.ask_if_changed(&mut call.headers));
        let asked = call.clone();
        let mark = self.cache.mark();
        let mut answer = self.ask(call, lead.map(|lead| (question, lead))).await?;
        if answer.origin != Origin::Service {
            return Ok(answer);
        }
        self.cache.count_miss(question);
        if let Some(kept) = kept.filter(|_| asks_if_changed && answer.status == StatusCode::NOT_MODIFIED) {
            answer = kept.renewed(&answer.headers);
        }
        // Somebody else may have signed in meanwhile: then it is not known whose answer it is.
        let still_theirs = self.credentials.account(question.service) == question.account
            || !question.service.service().keeping.by_account;
        if still_theirs && !asked.accepts.keeps_nothing {
            let kept = self.cache.keep(question, &asked, &answer, &self.settings.current().cache, mark);
            if let Some(kept) = kept.filter(|_| self.cache.is_shared()) {
                // Nobody waits for the others to be told.
                let (path, question) = (Arc::clone(self), question.clone());
                tokio::spawn(async move {
                    path.cache.put_shared(&question, &Subject::of(&asked), &kept, mark).await;
                });
            }
        }
        Ok(answer)
    }

    /// What another flight brought while this one was in line.
    fn brought_meanwhile(&self, call: &Call, question: &Question) -> Option<Answer> {
        let kept = self.cache.find_in_memory(question)?;
        kept.is_alive(self.cache.now()).then(|| self.answer_kept(call, question, &kept, Some(Tier::Memory)))
    }

    /// Asks the service.
    async fn ask(&self, mut call: Call, leads: Option<(&Question, &Lead<'_>)>) -> Result<Answer, CallError> {
        let (mut retries, mut redirects, mut renewed) = (0, 0, false);
        loop {
            let endpoint = self.endpoint(&call);
            let (mut held, slot) = self.wait_for_budget(&call).await?;
            if let Some(answer) = leads.and_then(|(question, _)| self.brought_meanwhile(&call, question)) {
                slot.unused();
                return Ok(answer);
            }
            let (request, attached) = self.request(&call).await?;
            // To get a credential may take seconds: a ban that began meanwhile holds for this call too.
            if slot.is_stale() {
                continue;
            }
            if let Some((_, lead)) = leads {
                lead.sent();
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
                _ => {
                    slot.done(true);
                    return Ok(answer);
                }
            }
        }
    }

    fn check(&self, call: &Call) -> Result<(), CallError> {
        if !self.settings.current().is_enabled(call.service) {
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
        call.service.service().endpoint_of(call.method.as_str(), &call.path, &call.parameters())
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

/// Whether the service, not the question, is the trouble: then an old answer is better than none.
fn is_outage(outcome: &Result<Answer, CallError>) -> bool {
    match outcome {
        Ok(answer) => answer.verdict == Verdict::Transient,
        Err(CallError::Refused { why, .. }) => *why != Why::OverBudget,
        Err(error) => matches!(error, CallError::Unreachable { .. }),
    }
}

/// Whether the question is better not asked again at once. Refusals have a time of their own.
fn is_failure(outcome: &Result<Answer, CallError>) -> bool {
    match outcome {
        Ok(answer) => matches!(answer.verdict, Verdict::Transient | Verdict::Failed),
        Err(error) => matches!(error, CallError::Unreachable { .. }),
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
    let rest = parts.extensions.remove::<Rest>();
    Answer { status: parts.status, headers: parts.headers, body, rest, verdict, origin: Origin::Service }
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
