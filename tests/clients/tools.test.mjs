// What tools do beyond the recipes: turning over pages, asking in curl's ways, and asking too much.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openGateway, read } from "./gateway.mjs";

/** No test takes longer, unless something hangs. */
const within = { timeout: 60_000 };

let gateway;
before(async () => {
  gateway = await openGateway();
});
after(() => gateway?.close());

test("spotipy turns pages through the gateway, and none goes elsewhere", within, async (t) => {
  const { tracks } = await (await fetch(`${gateway.control}/catalogue?n=1`)).json();
  const key = await gateway.newKey("pages");
  const file = gateway.write("all_albums.py", read("scripts/all_albums.py"));
  const before = await gateway.arrivedAnywhere();
  const { code, out, err } = await gateway.run("python", file, gateway.address, key, tracks[0].artist);
  assert.equal(code, 0, err);
  const { pages, links, album, tracks: count } = JSON.parse(out);
  assert.deepEqual(
    pages.map((page) => page.length),
    [10, 10, 10, 10, 10],
  );
  assert.equal(new Set(pages.flat()).size, 50, "no page came twice");
  assert.equal(album, pages[0][0]);
  assert.ok(count > 0, out);
  assert.ok(links.length >= 15, out);
  for (const link of links) assert.ok(link.startsWith(`${gateway.address}/spotify/v1/`), link);

  // A search, five pages, an album, its tracks: each is on the meter as this tool's, and arrived once.
  const { callers } = await gateway.meter("spotify");
  assert.equal(callers.pages, 8);
  assert.equal((await gateway.arrivedAnywhere()) - before, 8);
  assert.ok((await gateway.log("spotify")).every(({ status }) => status === 200));
  await gateway.neverSent(key);
  t.diagnostic(`${pages.length} pages of albums, ${links.length} links, ${callers.pages} calls, all counted`);

  const again = await gateway.run("python", file, gateway.address, key, tracks[0].artist);
  assert.equal(again.out, out);
  assert.equal((await gateway.arrivedAnywhere()) - before, 8, "the second run asked nobody");
});

test("curl: a copy, its head, and the same once more", within, async (t) => {
  const key = await gateway.newKey("curl");
  const tag = '"invented"';
  await gateway.change("deezer", { fault: { kind: "headers", headers: { etag: tag }, times: 1 } });
  const curl = async (...args) => {
    const address = `${gateway.address}/deezer/search?q=parade`;
    const { code, out, err } = await gateway.runSystem(
      "curl",
      "-sS",
      "-i",
      "-H",
      `X-Headroom-Key: ${key}`,
      ...args,
      address,
    );
    assert.equal(code, 0, err);
    const [head, body] = [out.slice(0, out.indexOf("\r\n\r\n")), out.slice(out.indexOf("\r\n\r\n") + 4)];
    const headers = new Map(
      head
        .split("\r\n")
        .slice(1)
        .map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 2)]),
    );
    return { status: Number(head.split(" ")[1]), headers, body };
  };
  const arrived = () => gateway.arrived("deezer");
  const before = await arrived();

  const first = await curl();
  assert.equal(first.status, 200);
  assert.equal(first.headers.get("x-headroom-cache"), "miss");
  assert.ok(JSON.parse(first.body).data.length > 0);
  const head = await curl("--head");
  assert.deepEqual([head.status, head.body, head.headers.get("x-headroom-cache")], [200, "", "hit"]);
  assert.equal(head.headers.get("content-length"), first.headers.get("content-length"));
  const unchanged = await curl("-H", `If-None-Match: ${tag}`);
  assert.deepEqual([unchanged.status, unchanged.body, unchanged.headers.get("etag")], [304, "", tag]);
  const changed = await curl("-H", 'If-None-Match: "another"');
  assert.deepEqual([changed.status, changed.body], [200, first.body]);
  const small = await curl("--compressed");
  assert.equal(small.body, first.body);
  assert.equal((await arrived()) - before, 1, "all of it from the one answer");

  const fresh = await curl("-H", "Cache-Control: no-cache");
  assert.deepEqual(
    [fresh.status, fresh.headers.get("x-headroom-cache"), fresh.body],
    [200, "miss", first.body],
  );
  assert.equal((await arrived()) - before, 2);
  t.diagnostic(
    `HEAD ${head.headers.get("content-length")} bytes (hit), If-None-Match 304, no-cache miss: 2 calls`,
  );
});

test("curl: `Prefer: wait=0` is refused at once, with a time to come back", within, async (t) => {
  const key = await gateway.newKey("hasty");
  const ask = (n, ...args) =>
    gateway.runSystem(
      "curl",
      "-sS",
      "-w",
      "\n%{http_code} %header{retry-after} %header{x-headroom-limited}",
      ...args,
      `http://${gateway.place}/~${key}/musicbrainz/ws/2/artist?query=artist${n}&fmt=json`,
    );
  // MusicBrainz takes one a second: whoever asks again at once has to wait.
  const [first, second] = [await ask(1), await ask(2, "-H", "Prefer: wait=0")];
  assert.match(first.out, /\n200 +$/);
  assert.match(second.out, /\n429 [1-9]\d* local$/);
  const { error } = JSON.parse(second.out.split("\n")[0]);
  assert.ok(error.retry_at * 1000 >= Date.now() - 1000, error.message);
  const patient = await ask(2);
  assert.match(patient.out, /\n200 +$/);
  assert.equal(await gateway.arrived("musicbrainz"), 2);
  t.diagnostic(error.message);
});

test("twenty searches at once: most are refused without Headroom, none with it", within, async (t) => {
  // Three a second and no more. Who asks on is refused on, as at the real one.
  await gateway.change("spotify", { window: { seconds: 1, calls: 3 }, faults: [] });
  const script = gateway.write("many_searches.py", read("scripts/many_searches.py"));
  const run = async (prefix, token) => {
    const { code, out, err } = await gateway.run("python", script, prefix, token);
    assert.equal(code, 0, err);
    return JSON.parse(out);
  };
  const arrived = async () => {
    const { services } = await (await fetch(`${gateway.control}/counts`)).json();
    return services.spotify;
  };
  const direct = await run(`${gateway.services.spotify}/v1/`, "test-spotify-token");
  assert.ok(direct.refused >= 10, JSON.stringify(direct));
  assert.equal(direct.answered + direct.refused, 20);

  // The ban that the script earned is over before the next one begins.
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  const before = await arrived();
  const key = await gateway.newKey("searches");
  const through = await run(`${gateway.address}/spotify/v1/`, key);
  assert.deepEqual(through, { answered: 20, refused: 0 });
  const { answered, refused } = await arrived();
  assert.deepEqual([answered - before.answered, refused - before.refused], [20, 0], "nor was Headroom");
  t.diagnostic(`without Headroom ${direct.answered} of 20 answered, ${direct.refused} refused (429)`);
  t.diagnostic(`with Headroom ${through.answered} of 20 answered, ${through.refused} refused`);

  const again = await run(`${gateway.address}/spotify/v1/`, key);
  assert.deepEqual(again, { answered: 20, refused: 0 });
  assert.equal((await arrived()).arrived, before.arrived + 20, "the second time nobody was asked");
});
