// Two invented tools that call through the gateway, so that the demo's gauges move.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** What each tool asks, and how often: mean seconds between two calls. */
const TOOLS = {
  beets: [
    ["deezer", 0.35, (song) => `/search?q=${encodeURIComponent(song)}`],
    ["musicbrainz", 1.6, (song) => `/ws/2/recording?fmt=json&query=${encodeURIComponent(song)}`],
    ["spotify", 1.4, (song) => `/v1/search?type=track&limit=10&q=${encodeURIComponent(song)}`],
    ["discogs", 6, () => `/releases/${8_300_000 + Math.floor(Math.random() * 500)}`],
  ],
  tagger: [
    ["itunes", 6, (song) => `/search?entity=song&term=${encodeURIComponent(song)}`],
    ["lastfm", 0.7, (song) => `/2.0/?method=track.search&format=json&track=${encodeURIComponent(song)}`],
    ["deezer", 0.9, () => `/track/${3_100_000 + Math.floor(Math.random() * 3_000)}`],
    [
      "odesli",
      12,
      (_, index) => `/v1-alpha.1/links?url=https%3A%2F%2Fwww.deezer.com%2Ftrack%2F${3_100_000 + index}`,
    ],
  ],
};
/** After so long the stand-in of Deezer refuses once: what a ban looks like. */
const BAN_AFTER_MS = 45_000;

/** Runs until `stopped()`; never fails the demo. */
export async function runTools(dataDir, control, stopped) {
  const engine = await running(dataDir, stopped);
  if (!engine) return;
  await connect(engine);
  const songs = await catalogue(control);
  const loops = Object.entries(TOOLS).flatMap(([name, asks]) => {
    const key = command(engine, "add_key", { name, services: null, raw_links: false }).then(({ key }) => key);
    return asks.map((ask) => keepAsking(engine, key, ask, songs, stopped));
  });
  loops.push(sleep(BAN_AFTER_MS).then(() => refuseOnce(control)));
  await Promise.allSettled(loops);
}

async function running(dataDir, stopped) {
  while (!stopped()) {
    try {
      const { port, key } = JSON.parse(readFileSync(join(dataDir, "runtime.json"), "utf8"));
      return { address: `http://127.0.0.1:${port}`, key };
    } catch {
      await sleep(200);
    }
  }
  return null;
}

async function command({ address, key }, name, args) {
  const answer = await fetch(`${address}/api/call/${name}`, {
    method: "POST",
    headers: { "X-Headroom-Key": key },
    body: JSON.stringify(args),
  });
  return answer.json();
}

/** Signs in at the stand-ins, as their invented user. */
async function connect(engine) {
  await command(engine, "set_secret", { name: "lastfm", value: "test-lastfm-key" });
  const { url } = await command(engine, "begin_sign_in", { service: "spotify", via: "link" });
  const consent = await fetch(url, { redirect: "manual" });
  await command(engine, "finish_sign_in", { callback: consent.headers.get("location") });
}

async function catalogue(control) {
  const answer = await fetch(`${control}/catalogue?offset=0&n=400`);
  const { tracks } = await answer.json().catch(() => ({}));
  return (tracks ?? []).map(({ title, artist }) => `${artist} ${title}`);
}

async function keepAsking({ address }, key, [service, seconds, path], songs, stopped) {
  const secret = await key;
  for (let index = 0; !stopped(); index += 1) {
    // People and tools do not keep step: pauses between half and one and a half times the mean.
    await sleep(seconds * 1_000 * (0.5 + Math.random()));
    const song = songs[Math.floor(Math.random() * songs.length)] ?? "get lucky";
    await fetch(`${address}/${service}${path(song, index)}`, { headers: { "X-Headroom-Key": secret } }).catch(
      () => undefined,
    );
  }
}

function refuseOnce(control) {
  const refuse = { refuse: { times: 1 } };
  return fetch(`${control}/services/deezer`, { method: "POST", body: JSON.stringify(refuse) });
}
