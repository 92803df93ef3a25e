// The recipes of the page Gateway, run as they are printed there with published clients.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { credentials, openGateway, read } from "./gateway.mjs";

/** No recipe takes longer, unless something hangs. */
const within = { timeout: 60_000 };

let gateway;
/** Invented music in place of the music that the recipes name. */
let track;
/** Titles of the albums of the track's artist. */
let albums;

before(async () => {
  gateway = await openGateway();
  const { tracks } = await (await fetch(`${gateway.control}/catalogue?n=500`)).json();
  const plain = /^[\w ]+$/;
  // The first artist is the one with many albums.
  const [{ artist }] = tracks;
  track = tracks.find((one) => one.artist === artist && plain.test(one.title) && one.title.includes(" "));
  albums = tracks.filter((one) => one.artist === artist).map((one) => one.album);
});

after(() => gateway?.close());

/** A recipe as its user pastes it: with the gateway's address, a key, and music there is. */
function filled(recipe, key) {
  return read(`recipes/${recipe}`)
    .replaceAll("127.0.0.1:8765", gateway.place)
    .replaceAll("YOUR_KEY", key)
    .replaceAll("Daft Punk", track.artist)
    .replaceAll("Get Lucky", track.title)
    .replaceAll("Random Access Memories", track.album);
}

const bearer = ({ headers }) => headers.authorization;

/**
 * A recipe, its service, how many calls its first run makes, what it must print, and what each of its
 * calls must show the service. `also` is more that is replaced: addresses at the real services.
 */
const recipes = [
  {
    recipe: "curl.sh",
    service: "musicbrainz",
    calls: 1,
    prints: () => [`"title":"${track.title}"`, track.mbid],
    shows: (entry) => assert.equal(bearer(entry), undefined),
  },
  {
    recipe: "use_musicbrainzngs.py",
    service: "musicbrainz",
    calls: 1,
    prints: () => [`${track.mbid} ${track.title}`],
    shows: (entry) => assert.match(entry.headers["user-agent"], /^Headroom\/\S+ \( .+ \)$/),
  },
  {
    recipe: "use_spotipy.py",
    service: "spotify",
    calls: 2,
    prints: () => [],
    lines: 10,
    shows: (entry) => assert.match(bearer(entry), /^Bearer (?!hr_)\S{20,}$/),
  },
  {
    recipe: "use_discogs_client.py",
    service: "discogs",
    calls: 1,
    prints: () => [track.album],
    also: (text, stage) => text.replace("https://api.discogs.com", stage.services.discogs),
    shows: (entry) => assert.equal(bearer(entry), `Discogs token=${credentials.discogs}`),
  },
  {
    recipe: "use_pylast.py",
    service: "lastfm",
    calls: 2,
    prints: () => [/^\d+ \['.+'\]$/m],
    shows(entry) {
      assert.equal(entry.method, "POST");
      const form = new URLSearchParams(entry.body);
      const keys = [...form.getAll("api_key"), ...new URLSearchParams(entry.query).getAll("api_key")];
      assert.deepEqual(keys, [credentials.lastfm]);
      assert.equal(form.get("artist"), track.artist);
    },
  },
  {
    recipe: "use_requests.py",
    service: "deezer",
    calls: 1,
    prints: () => [/^(miss|hit) \S/],
    shows: (entry) => assert.equal(bearer(entry), undefined),
  },
];

for (const { recipe, service, calls, prints, lines, shows, also = (text) => text } of recipes) {
  test(
    `${recipe}: works as printed, shows ${service} the real credential, and asks once`,
    within,
    async (t) => {
      const key = await gateway.newKey(recipe);
      const file = gateway.write(recipe, also(filled(recipe, key), gateway));
      const run = () =>
        recipe.endsWith(".py") ? gateway.run("python", file) : gateway.runSystem("sh", file);
      const before = await gateway.log(service);

      const first = await run();
      assert.equal(first.code, 0, first.err);
      for (const part of prints()) assert.match(first.out, part instanceof RegExp ? part : literally(part));
      if (lines) assert.equal(first.out.trim().split("\n").length, lines, first.out);
      const made = (await gateway.log(service)).slice(before.length);
      assert.equal(made.length, calls, JSON.stringify(made, null, 1));
      for (const entry of made) {
        assert.equal(entry.status, 200);
        shows(entry);
      }
      await gateway.neverSent(key);
      t.diagnostic(`${first.out.trim().split("\n")[0].slice(0, 100)}`);

      const again = await run();
      assert.equal(again.code, 0, again.err);
      assert.equal(again.out, first.out.replace(/^miss /, "hit "));
      assert.equal((await gateway.log(service)).length, before.length + calls, "the second run asked nobody");
    },
  );
}

test("use_spotipy.py: `next` brings the albums in order, page after page", within, async () => {
  const key = await gateway.newKey("pages");
  const file = gateway.write("pages.py", filled("use_spotipy.py", key));
  const { out, err } = await gateway.run("python", file);
  const names = out.trim().split("\n");
  assert.equal(new Set(names).size, 10, err || out);
  for (const name of names) assert.ok(albums.includes(name), name);
});

test("beets.yaml: an import finds the recording at MusicBrainz", within, async (t) => {
  const key = await gateway.newKey("beets");
  const config = gateway.write(
    "beets.yaml",
    `${filled("beets.yaml", key)}\n${read("scripts/beets-import.yaml")}`,
  );
  const song = gateway.write("song.wav", "");
  const made = await gateway.run(
    "python",
    gateway.write("song.py", read("scripts/song.py")),
    song,
    track.artist,
    track.title,
    String(track.duration_ms / 1000),
  );
  assert.equal(made.code, 0, made.err);
  const before = await gateway.log("musicbrainz");

  const imported = await gateway.run("beet", "-c", config, "import", "--singletons", "--quiet", song);
  assert.equal(imported.code, 0, imported.err + imported.out);
  const { out } = await gateway.run("beet", "-c", config, "list", "-f", "$artist | $title | $mb_trackid");
  assert.equal(out.trim(), `${track.artist} | ${track.title} | ${track.mbid}`, imported.err + imported.out);
  const asked = (await gateway.log("musicbrainz")).slice(before.length);
  assert.ok(asked.length > 0, "it asked MusicBrainz");
  for (const { headers, status } of asked) {
    assert.equal(status, 200);
    assert.match(headers["user-agent"], /^Headroom\/\S+ \( .+ \)$/);
  }
  await gateway.neverSent(key);
  t.diagnostic(`${out.trim()} after ${asked.length} calls`);
});

function literally(text) {
  return new RegExp(text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}
