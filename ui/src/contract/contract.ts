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
export type EventKind = "ban" | "ban_cleared" | "quota_learned" | "quota_warning" | "history_damaged" | "settings_rejected" | "storage_failing" | "storage_recovered" | "clock_changed" | "history_imported" | "signed_in" | "signed_out" | "sign_in_needed" | "shared_gone" | "shared_back";

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
export type NoticeKind = "settings_rejected" | "storage_failing" | "library_unusable" | "port_taken" | "cache_failing" | "link_refused" | "shared_gone";

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
 * When the service said so, if that was not just now, unix seconds.
 */
as_of: number | null, 
/**
 * Whether that has expired, and is given because the service cannot be asked.
 */
stale: boolean, 
/**
 * Milliseconds it took.
 */
ms: number, };

/**
 * Answers since the engine started, by where they came from.
 */
export type CacheAnswers = { 
/**
 * From memory, or from a call that somebody else had just made.
 */
memory: number, 
/**
 * From disk.
 */
disk: number, 
/**
 * From the server shared with other machines.
 */
shared: number, 
/**
 * Expired, given in a ban or an outage.
 */
stale: number, 
/**
 * Of all of these, "there is no such thing".
 */
not_found: number, 
/**
 * Questions that had to be asked.
 */
misses: number, };

/**
 * One service's part of the cache.
 */
export type ServiceCache = { 
/**
 * Kept answers.
 */
entries: number, 
/**
 * Those that are answers.
 */
found: number, 
/**
 * Those that say there is no such thing.
 */
not_found: number, 
/**
 * Bytes of bodies on disk.
 */
bytes: number, 
/**
 * The same as the service sent them.
 */
raw_bytes: number, 
/**
 * Answers since the start.
 */
answers: CacheAnswers, 
/**
 * Calls saved in the last 24 h.
 */
saved_24h: number, };

/**
 * The word for a [`Life`].
 */
export type Life = "never" | "own" | "search" | "metadata" | "forever";

/**
 * What a provider's `Cache-Control` may do to the life of searches and metadata.
 */
export type Heeds = "nothing" | "longer" | "both";

/**
 * How long the answers of an endpoint are kept.
 */
export type CachePolicy = { 
/**
 * The service.
 */
service: ServiceId, 
/**
 * The endpoint.
 */
endpoint: string, 
/**
 * The kind of life.
 */
life: Life, 
/**
 * Seconds a found answer lives; null for never and forever.
 */
seconds: number | null, 
/**
 * What the provider's `Cache-Control` may do.
 */
heeds: Heeds, };

/**
 * How far a long act of forgetting has come.
 */
export type Forgetting = { 
/**
 * Answers forgotten so far.
 */
done: number, 
/**
 * Answers to be forgotten in all, as far as is known.
 */
total: number, };

/**
 * The whole cache.
 */
export type CacheStats = { 
/**
 * Kept answers.
 */
entries: number, 
/**
 * Those that are answers.
 */
found: number, 
/**
 * Those that say there is no such thing.
 */
not_found: number, 
/**
 * Bytes of bodies on disk.
 */
bytes: number, 
/**
 * The same as the services sent them.
 */
raw_bytes: number, 
/**
 * `raw_bytes` to `bytes`; null while there is nothing.
 */
compression_ratio: number | null, 
/**
 * Answers in memory.
 */
memory_entries: number, 
/**
 * Their weight in bytes.
 */
memory_bytes: number, 
/**
 * Bytes `cache.db` may hold.
 */
max_bytes: number, 
/**
 * Answers from the cache that still held, since the start.
 */
hits: number, 
/**
 * Questions that had to be asked.
 */
misses: number, 
/**
 * Expired answers given in a ban or an outage.
 */
stale: number, 
/**
 * Hits and stale answers of all questions, in percent; null before the first.
 */
hit_rate_percent: number | null, 
/**
 * Calls saved in the last 24 h.
 */
saved_24h: number, 
/**
 * Expired answers removed since the start.
 */
expired_removed: number, 
/**
 * Answers thrown out for want of room since the start.
 */
evicted: number, 
/**
 * The file; null while answers are kept in memory only.
 */
path: string | null, 
/**
 * Whether they outlive the engine.
 */
persistent: boolean, 
/**
 * Why they do not, or why the file was begun anew.
 */
trouble: string | null, 
/**
 * Life of "not found", in seconds.
 */
not_found_seconds: number, 
/**
 * How far a long act of forgetting has come.
 */
forgetting: Forgetting | null, 
/**
 * The server shared with other machines; null where the settings name none.
 */
shared: SharedStatus | null, 
/**
 * By service.
 */
by_service: Record<ServiceId, ServiceCache>, 
/**
 * Every endpoint's policy.
 */
policy: Array<CachePolicy>, };

/**
 * One kept answer, as it is shown.
 */
export type CacheEntry = { 
/**
 * Its key.
 */
key: string, 
/**
 * Whose it is.
 */
service: ServiceId, 
/**
 * The kind of call.
 */
endpoint: string, 
/**
 * What was asked: `GET /search?q=get lucky`.
 */
question: string, 
/**
 * HTTP status.
 */
status: number, 
/**
 * Whether it is an answer, or "there is no such thing".
 */
found: boolean, 
/**
 * Bytes on disk.
 */
bytes: number, 
/**
 * Bytes as the service sent them.
 */
raw_bytes: number, 
/**
 * When the service said it, unix seconds.
 */
stored_at: number, 
/**
 * When it expires, unix seconds; null is not before it is forgotten.
 */
expires_at: number | null, 
/**
 * When it was last used, unix seconds, to the minute.
 */
used_at: number, };

/**
 * Some kept answers, last used first.
 */
export type CachePage = { 
/**
 * The answers.
 */
entries: Array<CacheEntry>, 
/**
 * What to give as `after` for the next ones; null at the end.
 */
next: string | null, };

/**
 * What is to be forgotten.
 */
export type Forget = { "scope": "key", 
/**
 * Its key, 32 hexadecimal digits.
 */
key: string, } | { "scope": "track", 
/**
 * Its artist.
 */
artist: string, 
/**
 * Its title.
 */
title: string, } | { "scope": "album", 
/**
 * Its artist.
 */
artist: string, 
/**
 * Its title.
 */
album: string, } | { "scope": "artist", 
/**
 * The name.
 */
artist: string, } | { "scope": "service", 
/**
 * The service.
 */
service: ServiceId, } | { "scope": "not_found" } | { "scope": "all" };

/**
 * What was forgotten.
 */
export type Forgotten = { 
/**
 * How many answers.
 */
entries: number, 
/**
 * Names this act to `undo_forget` for a minute; null where it cannot be undone.
 */
undo: number | null, };

/**
 * Settings of the cache, as they are shown and changed.
 */
export type CacheSettings = { 
/**
 * Life of metadata in hours, 0 to 8,784; 0 keeps nothing.
 */
ttl_hours: number, 
/**
 * Life of "not found" in minutes.
 */
not_found_ttl_minutes: number, 
/**
 * Size on disk in MB, at least 1.
 */
max_mb: number, 
/**
 * The server shared with other machines, without its password. Given back like that, the password
 * stays.
 */
shared_url: string | null, };

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
created: number, 
/**
 * The largest part of a service's budget it may use, more than 0 and at most 1; null: all.
 */
share: number | null, 
/**
 * When a call or an answer from the cache was last had with it, unix seconds.
 */
last_used: number | null, 
/**
 * Calls sent for it since it was made.
 */
calls: number, 
/**
 * Answers from the cache it was given since it was made.
 */
hits: number, };

/**
 * The gateway for tools.
 */
export type GatewayInfo = { 
/**
 * Whether tools are let through.
 */
enabled: boolean, 
/**
 * The port as set; 0 picks a free one.
 */
port: number, 
/**
 * Where it listens; null while it does not.
 */
address: string | null, 
/**
 * How long a call may wait for its budget, in seconds.
 */
max_wait_seconds: number, };

/**
 * A signed-in user at a service.
 */
export type AccountInfo = { 
/**
 * The service's own id of the user.
 */
id: string, 
/**
 * The name the service shows.
 */
name: string | null, 
/**
 * Whether calls are made as this account.
 */
active: boolean, 
/**
 * Whether it must sign in again.
 */
ended: boolean, 
/**
 * When its consent ends, unix seconds.
 */
consent_until: number, };

/**
 * A token, key, code or verifier. Prints as `<redacted>`; whoever needs the text says
 * [`Secret::expose`].
 */
export type Secret = string;

/**
 * A secret by its name, which is all that is ever shown of it.
 */
export type SecretInfo = { 
/**
 * Its name in the vault.
 */
name: string, 
/**
 * Whether it is there.
 */
present: boolean, };

/**
 * Counts since the start. `hits + misses = requests`; a waiter that shared a refresh is a miss that
 * cost none.
 */
export type TokenMetrics = { 
/**
 * Requests answered by the token at hand.
 */
cache_hits: number, 
/**
 * Requests that waited for a refresh.
 */
cache_misses: number, 
/**
 * All requests.
 */
total_requests: number, 
/**
 * Refreshes begun.
 */
refresh_attempts: number, 
/**
 * Refreshes that brought a token.
 */
refresh_successes: number, 
/**
 * Refreshes that did not.
 */
refresh_failures: number, };

/**
 * How well the token cache does, in percent; null before the first request.
 */
export type TokenPerformance = { 
/**
 * Requests answered by the token at hand.
 */
cache_hit_rate_percent: number | null, 
/**
 * Refreshes that brought a token.
 */
refresh_success_rate_percent: number | null, };

/**
 * The token at hand.
 */
export type TokenInfo = { 
/**
 * Its age in minutes.
 */
age_minutes: number, 
/**
 * Minutes until it expires.
 */
time_until_expiry_minutes: number, 
/**
 * When it expires, unix seconds.
 */
expires_at: number, };

/**
 * The token cache of a service's active account.
 */
export type TokenStatus = { 
/**
 * Counts since the start.
 */
cache_metrics: TokenMetrics, 
/**
 * The same as rates.
 */
performance: TokenPerformance, 
/**
 * The token; null before the first.
 */
token_info: TokenInfo | null, };

/**
 * How one connects to a service.
 */
export type ConnectBy = "nothing" | "secrets" | "sign_in";

/**
 * What is known of the connection to a service.
 */
export type Connection = { 
/**
 * The service.
 */
service: ServiceId, 
/**
 * How one connects to it.
 */
by: ConnectBy, 
/**
 * What stands in the way of a call.
 */
access: Access, 
/**
 * Whether it answers without a credential too, with less.
 */
optional: boolean, 
/**
 * The page where the user gets the credential.
 */
credential_page: string | null, 
/**
 * The user's own client id, where one signs in.
 */
client_id: string | null, 
/**
 * Who is signed in.
 */
accounts: Array<AccountInfo>, 
/**
 * The secrets it takes.
 */
secrets: Array<SecretInfo>, 
/**
 * The active account's token.
 */
token: TokenStatus | null, };

/**
 * Which vault a data directory uses.
 */
export type VaultKind = "keychain" | "file";

/**
 * All connections, and where their secrets lie.
 */
export type Connections = { 
/**
 * The vault in use; null before the first secret.
 */
vault: VaultKind | null, 
/**
 * What keeps the vault from being read.
 */
vault_trouble: string | null, 
/**
 * The redirect URIs to be registered with one's own client id.
 */
redirect_uris: Array<string>, 
/**
 * Every service.
 */
services: Array<Connection>, };

/**
 * Where the consent page sends the browser afterwards.
 */
export type SignInVia = "link" | "loopback";

/**
 * A sign-in that was begun.
 */
export type SignInBegun = { 
/**
 * The consent page.
 */
url: string, 
/**
 * Names this sign-in to `sign_in_progress`.
 */
state: string, };

/**
 * How a sign-in stands: pending while both are null.
 */
export type SignInProgress = { 
/**
 * Whom it signed in.
 */
account: AccountInfo | null, 
/**
 * Why it came to nothing.
 */
failed: string | null, };

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
 * How the shared server stands.
 */
export type SharedStatus = { 
/**
 * Its address, without user and password.
 */
address: string, 
/**
 * Whether it is used now.
 */
connected: boolean, 
/**
 * What keeps it from being used.
 */
trouble: string | null, 
/**
 * How many Headrooms share it, this one included; null before it was reached.
 */
machines: number | null, };

/**
 * What a server says of itself.
 */
export type SharedTest = { 
/**
 * Its kind and version: `Redis 7.0.15`.
 */
server: string, 
/**
 * Milliseconds it took to answer.
 */
ms: number, 
/**
 * Bytes of memory it uses.
 */
memory_bytes: number, 
/**
 * Connections it has.
 */
clients: number, 
/**
 * Keys in the database.
 */
keys: number, };

/**
 * What the window branches on.
 */
export type Code = "refused" | "sign_in_needed" | "bad_request" | "unreachable" | "failed" | "engine_stopped" | "engine_elsewhere";

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
  /** How well the cache does. */
  cache_stats: { args: Record<string, never>; result: CacheStats };
  /** Fifty kept answers whose question holds a text, last used first. */
  cache_entries: { args: { text: string; service: ServiceId | null; after: string | null }; result: CachePage };
  /** Forgets kept answers. */
  forget: { args: { what: Forget }; result: Forgotten };
  /** Takes back an act of forgetting, within a minute. */
  undo_forget: { args: { undo: number }; result: Forgotten };
  /** The settings of the cache. */
  cache_settings: { args: Record<string, never>; result: CacheSettings };
  /** Changes the settings of the cache. */
  set_cache_settings: { args: { settings: CacheSettings }; result: CacheSettings };
  /** The budget of a service. */
  limits: { args: { service: ServiceId }; result: Limits };
  /** Replaces the budget of a service; null brings back the catalogue's. */
  set_limits: { args: { service: ServiceId; budget: Budget | null }; result: Limits };
  /** What the gauge's maximum would be. */
  preview_limits: { args: { service: ServiceId; budget: Budget }; result: Limits };
  /** Holds back all calls, or lets them go on. */
  pause: { args: { paused: boolean }; result: null };
  /** The gateway for tools. */
  gateway: { args: Record<string, never>; result: GatewayInfo };
  /** Changes the gateway's settings; a new port holds from the next start. */
  set_gateway: { args: { enabled: boolean; port: number; max_wait_seconds: number }; result: GatewayInfo };
  /** Makes a key for a tool. */
  add_key: { args: { name: string; services: Array<ServiceId> | null; raw_links: boolean; share: number | null }; result: NewKey };
  /** The keys there are. */
  keys: { args: Record<string, never>; result: Array<KeyInfo> };
  /** Ends a key. */
  revoke_key: { args: { name: string }; result: null };
  /** Takes in the history of the older monitor: the text of its file. */
  import_history: { args: { text: string }; result: Imported };
  /** Who is signed in where, and which secrets there are. */
  connections: { args: Record<string, never>; result: Connections };
  /** Sets the user's own client id; null removes it. */
  set_client_id: { args: { service: ServiceId; client_id: string | null }; result: null };
  /** Begins a sign-in. */
  begin_sign_in: { args: { service: ServiceId; via: SignInVia }; result: SignInBegun };
  /** How a sign-in stands. */
  sign_in_progress: { args: { state: string }; result: SignInProgress };
  /** Ends a sign-in by the link the consent page sent the browser to. */
  finish_sign_in: { args: { callback: string }; result: AccountInfo };
  /** Makes calls as this account. */
  use_account: { args: { service: ServiceId; account: string }; result: null };
  /** Forgets an account's tokens; what was counted of it stays. */
  sign_out: { args: { service: ServiceId; account: string }; result: null };
  /** Keeps a secret, effective at once. */
  set_secret: { args: { name: string; value: Secret }; result: null };
  /** Forgets a secret. */
  forget_secret: { args: { name: string }; result: null };
  /** Refreshes the token of a service's active account. */
  renew_token: { args: { service: ServiceId }; result: TokenStatus };
  /** Asks a shared server how it is; null is the one in the settings. */
  test_shared: { args: { url: string | null }; result: SharedTest };
};
