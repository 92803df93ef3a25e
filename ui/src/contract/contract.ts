// Generated from the engine's contract by `npm run types`. Do not edit.

/**
 * A music service Headroom knows. Its text form is the lower-case id (`musicbrainz`).
 */
export type ServiceId = "spotify" | "itunes" | "deezer" | "lastfm" | "genius" | "musicbrainz" | "audiodb" | "tidal" | "qobuz" | "discogs" | "listenbrainz" | "odesli";

/**
 * Why a provider refuses: two states with different words and very different lengths.
 */
export type BanKind = "rate" | "quota";

/**
 * What stands between the user and the first call of a service.
 */
export type Access = "open" | "ready" | "credential_needed" | "disabled";

/**
 * Where a quota's number comes from.
 */
export type QuotaSource = "assumed" | "learned" | "set";

/**
 * At most `calls` calls in any stretch of `seconds` seconds.
 */
export type Window = { 
/**
 * Length in seconds, more than 0 and at most a day; may be a fraction.
 */
seconds: number, 
/**
 * Calls allowed, at least 1.
 */
calls: number, };

/**
 * A long-term allowance: `calls` in any `hours` hours.
 */
export type Quota = { 
/**
 * Length in hours, more than 0 and at most 24.
 */
hours: number, 
/**
 * Calls allowed, at least 1.
 */
calls: number, };

/**
 * What we allow ourselves at one service.
 */
export type Budget = { 
/**
 * Least time from one send to the next, in milliseconds.
 */
spacing_ms: number, 
/**
 * Rolling windows, all of which hold at once.
 */
windows: Array<Window>, 
/**
 * The provider's long-term allowance, where the user knows it better than we.
 */
quota: Quota | null, };

/**
 * A rolling window of a budget and how many of its slots are taken.
 */
export type WindowUse = { 
/**
 * Length in seconds.
 */
seconds: number, 
/**
 * Slots.
 */
calls: number, 
/**
 * Slots taken.
 */
used: number, };

/**
 * A quota and how much of it is used.
 */
export type QuotaUse = { 
/**
 * Its length in hours.
 */
hours: number, 
/**
 * Calls it allows; of a learned one, the reserve is already taken off.
 */
calls: number, 
/**
 * Calls made in it.
 */
used: number, 
/**
 * Where the number comes from.
 */
source: QuotaSource, };

/**
 * A running ban.
 */
export type Ban = { 
/**
 * Rate or quota.
 */
kind: BanKind, 
/**
 * When it ends, unix seconds, rounded up.
 */
until: number, 
/**
 * Seconds until then, rounded up.
 */
remaining_s: number, 
/**
 * The endpoint whose call was refused.
 */
endpoint: string, };

/**
 * One service.
 */
export type ServiceRates = { 
/**
 * Calls sent in the last 60 s.
 */
cpm: number, 
/**
 * The most calls the budget allows in 60 s.
 */
limit: number, 
/**
 * The budget's windows.
 */
windows: Array<WindowUse>, 
/**
 * The long-term allowance, where there is one.
 */
quota: QuotaUse | null, 
/**
 * Calls of the last 60 s by endpoint.
 */
endpoints: Record<string, number>, 
/**
 * Calls of the last 60 s by caller.
 */
callers: Record<string, number>, 
/**
 * Answers from the cache in the last 60 s.
 */
hits: number, 
/**
 * The running ban.
 */
ban: Ban | null, 
/**
 * No background calls until then (unix seconds).
 */
cooldown_until: number | null, 
/**
 * Calls that wait for a slot.
 */
waiting: number, 
/**
 * What stands in the way of a call.
 */
access: Access, 
/**
 * Calls of the running minute.
 */
this_minute: number, 
/**
 * Calls in 24 h.
 */
calls_24h: number, 
/**
 * Answers from the cache in 24 h.
 */
hits_24h: number, };

/**
 * All services at one instant.
 */
export type Rates = { 
/**
 * When, in unix seconds.
 */
at: number, 
/**
 * When the running minute began, in unix seconds.
 */
minute: number, 
/**
 * Whether the user has paused all calls.
 */
paused: boolean, 
/**
 * Every service, used or not.
 */
services: Record<ServiceId, ServiceRates>, };

/**
 * What the catalogue says of a service.
 */
export type ServiceInfo = { 
/**
 * Its id.
 */
id: ServiceId, 
/**
 * The name people know it by.
 */
label: string, 
/**
 * Brand colour, `#RRGGBB`.
 */
colour: string, 
/**
 * The base URL in force.
 */
base_url: string, 
/**
 * Whether nothing works without a credential.
 */
needs_credential: boolean, 
/**
 * Names of its endpoints, without `other`.
 */
endpoints: Array<string>, 
/**
 * Its default budget as things stand.
 */
default_budget: Budget, };

/**
 * Calls of the last sixty minutes.
 */
export type LastHour = { 
/**
 * When the running minute began, unix seconds.
 */
minute: number, 
/**
 * Sixty minutes of each service, oldest first, the running one last.
 */
services: Record<ServiceId, number[]>, };

/**
 * 24 h of a service at true minutes: place `i` is the minute that began at `start + 60 i`.
 */
export type ServiceDay = { 
/**
 * The service.
 */
service: ServiceId, 
/**
 * The first minute, unix seconds.
 */
start: number, 
/**
 * Calls the budget allows in a minute.
 */
limit: number, 
/**
 * Calls, the running minute last.
 */
calls: Array<number>, 
/**
 * Answers from the cache.
 */
hits: Array<number>, 
/**
 * Calls by endpoint: each with a call in these 24 h.
 */
endpoints: Record<string, number[]>, 
/**
 * Calls in all.
 */
total_24h: number, 
/**
 * Calls of the busiest minute.
 */
peak_cpm: number, 
/**
 * When that was, unix seconds.
 */
peak_at: number | null, };

/**
 * Hourly sums of a service.
 */
export type DeepHistory = { 
/**
 * The service.
 */
service: ServiceId, 
/**
 * `[unix_s, calls, hits, refused, failed]`, oldest first; hours without calls are left out.
 */
hours: [number, number, number, number, number][], };

/**
 * The kind of an [`Event`].
 */
export type EventKind = "ban" | "ban_cleared" | "quota_learned" | "quota_warning" | "history_damaged" | "settings_rejected" | "storage_failing" | "storage_recovered" | "clock_changed" | "history_imported";

/**
 * One thing that happened.
 */
export type Event = { 
/**
 * When, in unix seconds.
 */
at: number, 
/**
 * What kind of thing.
 */
kind: EventKind, 
/**
 * The service it is about.
 */
service: ServiceId | null, 
/**
 * Name of the endpoint it is about.
 */
endpoint: string | null, 
/**
 * Who asked.
 */
caller: string | null, 
/**
 * Until when it lasts, in unix seconds.
 */
until: number | null, 
/**
 * A sentence without a full stop.
 */
text: string, };

/**
 * What kind of thing a [`Notice`] is about.
 */
export type NoticeKind = "settings_rejected" | "storage_failing" | "library_unusable" | "port_taken";

/**
 * Something the user should know until it is mended.
 */
export type Notice = { 
/**
 * What it is about.
 */
kind: NoticeKind, 
/**
 * What it is and what to do.
 */
text: string, };

/**
 * The engine itself.
 */
export type Status = { 
/**
 * Its version.
 */
version: string, 
/**
 * Its data directory.
 */
data_dir: string, 
/**
 * Where the loopback server listens; null while it does not.
 */
address: string | null, 
/**
 * When it started, unix seconds.
 */
started_at: number, 
/**
 * What the user should know.
 */
notices: Array<Notice>, };

/**
 * The budget of a service and what it could be.
 */
export type Limits = { 
/**
 * The service.
 */
service: ServiceId, 
/**
 * The budget in question.
 */
budget: Budget, 
/**
 * The catalogue's.
 */
default_budget: Budget, 
/**
 * The preset *Careful*.
 */
careful: Budget, 
/**
 * Whether the budget is the catalogue's.
 */
is_default: boolean, 
/**
 * Calls a minute it allows: the gauge's maximum.
 */
limit: number, };

/**
 * A track that a search found.
 */
export type Found = { 
/**
 * Its title.
 */
title: string, 
/**
 * Its artists, as the service writes them.
 */
artist: string, 
/**
 * An album it is on.
 */
album: string | null, 
/**
 * Its length in milliseconds.
 */
duration_ms: number | null, 
/**
 * Its page at the service.
 */
link: string | null, };

/**
 * What a search found.
 */
export type SearchResult = { 
/**
 * The service asked.
 */
service: ServiceId, 
/**
 * Tracks, best first.
 */
found: Array<Found>, 
/**
 * Whether the cache answered.
 */
from_cache: boolean, 
/**
 * Milliseconds it took.
 */
ms: number, };

/**
 * A new key. Shown this once.
 */
export type NewKey = { 
/**
 * The tool's name.
 */
name: string, 
/**
 * The key.
 */
key: string, };

/**
 * A tool's key, without the key.
 */
export type KeyInfo = { 
/**
 * The tool's name.
 */
name: string, 
/**
 * The services it opens; null is all.
 */
services: Array<ServiceId> | null, 
/**
 * Whether links in answers are left as they are.
 */
raw_links: boolean, 
/**
 * When it was made, unix seconds.
 */
created: number, };

/**
 * What was taken in.
 */
export type Imported = { 
/**
 * Minutes that were new or greater than ours.
 */
minutes: number, 
/**
 * Calls in the file, within the last 24 h.
 */
calls: number, 
/**
 * Minutes left out because they are over 24 h old or in the future.
 */
out_of_range: number, 
/**
 * Events taken in.
 */
events: number, 
/**
 * Keys whose service Headroom does not know.
 */
unknown: Array<string>, };

/**
 * What the window branches on.
 */
export type Code = "refused" | "sign_in_needed" | "bad_request" | "unreachable" | "failed" | "engine_stopped";

/**
 * Every failure the window sees.
 */
export type ApiError = { 
/**
 * What to branch on.
 */
code: Code, 
/**
 * A sentence that says what to do, without a full stop.
 */
message: string, 
/**
 * When another try is worth it, unix seconds.
 */
retry_at: number | null, };

/** Every command: its arguments and its result. */
export type Contract = {
  /** The services there are. */
  catalogue: { args: Record<string, never>; result: Array<ServiceInfo> };
  /** The engine itself. */
  status: { args: Record<string, never>; result: Status };
  /** The gauges, as they are now. */
  rates: { args: Record<string, never>; result: Rates };
  /** Bars of the last sixty minutes. */
  last_hour: { args: Record<string, never>; result: LastHour };
  /** 24 h of a service at true minutes. */
  day: { args: { service: ServiceId }; result: ServiceDay };
  /** Hourly sums of the last so many days. */
  deep_history: { args: { service: ServiceId; days: number }; result: DeepHistory };
  /** The events, oldest first. */
  events: { args: Record<string, never>; result: Array<Event> };
  /** The debug text. */
  debug_text: { args: Record<string, never>; result: string };
  /** Searches one service for tracks: one call. */
  search: { args: { service: ServiceId; text: string }; result: SearchResult };
  /** The budget of a service. */
  limits: { args: { service: ServiceId }; result: Limits };
  /** Replaces the budget of a service; null brings back the catalogue's. */
  set_limits: { args: { service: ServiceId; budget: Budget | null }; result: Limits };
  /** What the gauge's maximum would be. */
  preview_limits: { args: { service: ServiceId; budget: Budget }; result: Limits };
  /** Holds back all calls, or lets them go on. */
  pause: { args: { paused: boolean }; result: null };
  /** Makes a key for a tool. */
  add_key: { args: { name: string; services: Array<ServiceId> | null; raw_links: boolean }; result: NewKey };
  /** The keys there are. */
  keys: { args: Record<string, never>; result: Array<KeyInfo> };
  /** Ends a key. */
  revoke_key: { args: { name: string }; result: null };
  /** Takes in the history of the older monitor: the text of its file. */
  import_history: { args: { text: string }; result: Imported };
};
