// A lively day for the demo: the history of somebody with a large library and several tools, invented.

const MINUTES = 24 * 60;

/** What each service was asked that day: share of its busiest hour, and endpoints with their weights. */
const HABITS = {
  spotify: { most: 96, hits: 2.2, endpoints: { search: 8, artist_albums: 5, album_tracks: 3, player: 2 } },
  itunes: { most: 9, hits: 1.4, endpoints: { search: 3, lookup: 1 } },
  deezer: { most: 170, hits: 3, endpoints: { search: 6, track: 5, album: 3, artist_albums: 1 } },
  lastfm: { most: 150, hits: 4, endpoints: { track_info: 5, artist_info: 2, user_recent_tracks: 1 } },
  genius: { most: 12, hits: 1, endpoints: { search: 2, song: 1 } },
  musicbrainz: { most: 54, hits: 6, endpoints: { recording: 5, release: 4, recording_search: 2, isrc: 1 } },
  discogs: { most: 22, hits: 2, endpoints: { release: 4, search: 3, master: 1 } },
  listenbrainz: { most: 20, hits: 0.5, endpoints: { submit_listens: 1, listens: 2 } },
  odesli: { most: 6, hits: 2, endpoints: { links: 1 } },
};

/** The day's evening, commute and nightly scans: minutes before now, their spread, their height. */
const WAVES = [
  [1330, 90, 0.9],
  [1130, 70, 0.7],
  [930, 60, 1],
  [840, 25, 0.5],
  [420, 60, 0.45],
  [210, 45, 0.9],
  [70, 35, 1],
];

/** A `history.json` that ends now. `now` is in milliseconds. */
export function livelyDay(now) {
  const random = generator(20261121);
  const minute = Math.floor(now / 60_000);
  const services = {};
  for (const [id, { most, hits, endpoints }] of Object.entries(HABITS)) {
    const weights = Object.values(endpoints).reduce((sum, weight) => sum + weight, 0);
    const series = Object.fromEntries(Object.keys(endpoints).map((name) => [name, []]));
    const moved = (random() - 0.5) * 80;
    // The running minute is left to what happens live.
    for (let age = MINUTES - 1; age >= 1; age -= 1) {
      const height = WAVES.reduce(
        (sum, [at, spread, part]) => sum + part * Math.exp(-(((age - at + moved) / spread) ** 2)),
        0.015,
      );
      // Tools come in bursts: even in a busy hour most minutes are quiet.
      if (random() > 0.05 + 0.16 * height) continue;
      for (const [name, weight] of Object.entries(endpoints)) {
        const share = (most * weight) / weights;
        const calls = Math.min(Math.round(share * height * (0.35 + 1.1 * random() ** 2)), Math.ceil(share));
        const cached = Math.round(calls * hits * random());
        if (calls + cached === 0) continue;
        series[name].push([(minute - age) * 60, [calls, cached, calls, 0, 0, 0, calls * 90, calls * 4_000]]);
      }
    }
    services[id] = { endpoints: series };
  }
  return { version: 1, generation: 1, saved_at: now, services, events: events(Math.floor(now / 1_000)) };
}

function events(now) {
  const event = (ago, kind, service, text, more = {}) => ({
    at: now - ago,
    kind,
    service,
    endpoint: null,
    caller: null,
    until: null,
    text,
    ...more,
  });
  return [
    event(62_000, "history_imported", null, "Took in 3,120 calls of another monitor"),
    event(15_400, "ban", "spotify", "Rate limited on artist_albums, 4 s", {
      endpoint: "artist_albums",
      caller: "beets",
      until: now - 15_396,
    }),
  ];
}

/** mulberry32: the same day every time. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
