// A page of another origin, in a real browser, that tries to read the API and to use the gateway.
import assert from "node:assert/strict";
import { createServer, request as forward } from "node:http";
import { after, before, test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { openGateway } from "./gateway.mjs";

/** No test takes longer, unless something hangs. */
const within = { timeout: 60_000 };
/** Time in which a call that a page caused would have arrived. */
const SETTLE_MS = 500;
/** A name that leads to this machine, as an attacker's may. */
const EVIL = "evil.example";

let gateway;
let browser;
let elsewhere;
/** The worst case: the page knows a tool's key and the control key. */
let keys;

before(async () => {
  gateway = await openGateway();
  const { key: control } = await gateway.runtime();
  keys = [await gateway.newKey("stolen"), control];
  elsewhere = createServer((_, answer) =>
    answer.setHeader("content-type", "text/html").end("<title>A page</title>"),
  );
  await new Promise((listening) => elsewhere.listen(0, "127.0.0.1", listening));
  browser = await openBrowser([`--host-resolver-rules=MAP ${EVIL} 127.0.0.1`]);
});

after(async () => {
  await browser?.close();
  elsewhere?.close();
  await gateway?.close();
});

/** What a page may try. Runs in the browser; hands back what it could read. */
async function attack({ address, keys }) {
  // A question that nobody asked before, so that no kept answer hides a call.
  const fresh = Math.random();
  const read = [];
  const tried = [];
  const attempt = async (name, act) => {
    tried.push(name);
    const got = await act().catch(() => null);
    if (got !== null && got !== undefined && got !== "") read.push(`${name}: ${String(got).slice(0, 200)}`);
  };
  const paths = [
    "/health",
    "/",
    "/api/rate-monitor",
    "/api/plays",
    "/api/openapi.json",
    "/metrics",
    `/deezer/search?q=${fresh}`,
  ];
  for (const key of keys) paths.push(`/~${key}/deezer/search?q=${fresh}`);
  for (const path of paths) {
    for (const credentials of ["omit", "include"])
      for (const mode of ["cors", "no-cors"])
        await attempt(`${mode} ${credentials} ${path}`, async () => {
          const answer = await fetch(address + path, { credentials, mode });
          return answer.type === "opaque" ? null : `${answer.status} ${await answer.text()}`;
        });
    await attempt(
      `image ${path}`,
      () =>
        new Promise((done) => {
          const image = Object.assign(new Image(), {
            onload: () => done("an image"),
            onerror: () => done(null),
          });
          image.src = address + path;
        }),
    );
    await attempt(
      `script ${path}`,
      () =>
        new Promise((done) => {
          const script = Object.assign(document.createElement("script"), {
            src: address + path,
            onload: () => done("a script ran"),
            onerror: () => done(null),
          });
          document.head.append(script);
        }),
    );
    await attempt(
      `frame ${path}`,
      () =>
        new Promise((done) => {
          const frame = document.createElement("iframe");
          frame.onload = () => {
            let text = null;
            try {
              text = frame.contentDocument?.body?.textContent ?? null;
            } catch {
              // Another origin's.
            }
            done(text);
          };
          frame.src = address + path;
          document.body.append(frame);
          setTimeout(() => done(null), 2_000);
        }),
    );
  }
  for (const key of keys) {
    const headers = { "X-Headroom-Key": key };
    await attempt("fetch with a key", async () =>
      (await fetch(`${address}/deezer/search?q=${fresh}`, { headers })).text(),
    );
    await attempt("fetch with a bearer", async () =>
      (await fetch(`${address}/api/rate-monitor`, { headers: { Authorization: `Bearer ${key}` } })).text(),
    );
    await attempt("post", async () =>
      (await fetch(`${address}/api/call/clear_ban`, { method: "POST", headers, body: "{}" })).text(),
    );
  }
  await attempt("simple post", async () =>
    (await fetch(`${address}/api/call/pause`, { method: "POST", body: "{}" })).text(),
  );
  await attempt("beacon", async () => {
    navigator.sendBeacon(`${address}/~${keys[0]}/lastfm/2.0/`, "method=track.scrobble");
  });
  await attempt(
    "events",
    () =>
      new Promise((done) => {
        const events = new EventSource(`${address}/api/events`, { withCredentials: true });
        events.onopen = () => done("an open stream");
        events.addEventListener("rates", (event) => done(event.data));
        events.onerror = () => {
          events.close();
          done(null);
        };
      }),
  );
  await attempt(
    "web socket",
    () =>
      new Promise((done) => {
        const socket = new WebSocket(`${address.replace("http", "ws")}/api/events`);
        socket.onopen = () => done("an open socket");
        socket.onerror = () => done(null);
      }),
  );
  return { read, tried: tried.length };
}

/** Fails unless the page could read nothing and nothing was asked of any service. */
async function assertNothing(page, address, t, statuses) {
  const arrived = await gateway.arrivedAnywhere();
  const { read, tried } = await page.evaluate(attack, { address, keys });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  assert.deepEqual(read, []);
  assert.equal(await gateway.arrivedAnywhere(), arrived, "no call was made");
  t.diagnostic(`${tried} attempts, nothing read, no call; the gateway's answers: ${summary(statuses)}`);
}

/** How often each status was the gateway's answer to the page. */
function watch(page, address) {
  const statuses = new Map();
  page.on("response", (response) => {
    if (response.url().startsWith(address))
      statuses.set(response.status(), (statuses.get(response.status()) ?? 0) + 1);
  });
  return statuses;
}

const summary = (statuses) => [...statuses].map(([status, count]) => `${count} × ${status}`).join(", ");

test(
  "the same attempts do reach the gateway: with a key, and from no page, a call is made",
  within,
  async () => {
    const arrived = await gateway.arrivedAnywhere();
    const answer = await fetch(`${gateway.address}/~${keys[0]}/deezer/search?q=control`);
    assert.equal(answer.status, 200);
    assert.equal(await gateway.arrivedAnywhere(), arrived + 1);
  },
);

for (const [name, host] of [
  ["another port of this machine", "127.0.0.1"],
  ["another name", EVIL],
])
  test(`a page at ${name} reads nothing and makes no call`, within, async (t) => {
    const page = await browser.newPage();
    const statuses = watch(page, gateway.address);
    await page.goto(`http://${host}:${elsewhere.address().port}/`);
    await assertNothing(page, gateway.address, t, statuses);
    assert.ok(
      (statuses.get(403) ?? 0) >= 10,
      `they came to the gateway and were refused: ${summary(statuses)}`,
    );
    await page.close();
  });

test("a page whose name was pointed at this machine reads nothing and makes no call", within, async (t) => {
  const address = `http://${EVIL}:${gateway.place.split(":")[1]}`;
  const rebinding = await openRebinding();
  const context = await browser.newContext({ proxy: { server: rebinding.address } });
  const page = await context.newPage();
  const statuses = watch(page, address);
  await page.goto(`${address}/page`);
  statuses.clear();
  const arrived = await gateway.arrivedAnywhere();
  const { read, tried } = await page.evaluate(attack, { address, keys });
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  // It may read what its own origin says: refusals, and nothing else.
  assert.ok(read.length >= 20, `${read}`);
  for (const text of read) assert.match(text, /\{"error":\{"code":"foreign_host"/, text);
  assert.deepEqual([...statuses.keys()], [421], summary(statuses));
  assert.equal(await gateway.arrivedAnywhere(), arrived, "no call was made");
  t.diagnostic(`${tried} attempts, nothing read but refusals, no call: ${summary(statuses)}`);
  await context.close();
  rebinding.close();
});

/** The way to a name that at first leads to the attacker, who serves `/page`, and then to the gateway. */
async function openRebinding() {
  const server = createServer((request, answer) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/page") {
      answer.setHeader("content-type", "text/html").end("<title>A page</title>");
      return;
    }
    const [hostname, port] = gateway.place.split(":");
    const { method, headers } = request;
    const onward = forward({ hostname, port, method, path: pathname + search, headers }, (from) => {
      answer.writeHead(from.statusCode, from.headers);
      from.pipe(answer);
    });
    onward.on("error", () => answer.destroy());
    request.pipe(onward);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

test("a form that a page posts is refused", within, async (t) => {
  const arrived = await gateway.arrivedAnywhere();
  const refused = [];
  for (const [path, field] of [
    [`/~${keys[0]}/lastfm/2.0/`, "method=track.getInfo"],
    [`/lastfm/2.0/`, `api_key=${keys[0]}`],
    [`/api/call/pause`, "x=1"],
  ]) {
    const page = await browser.newPage();
    await page.goto(`http://${EVIL}:${elsewhere.address().port}/`);
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.url().startsWith(gateway.address)),
      page.evaluate(
        ({ action, field }) => {
          const form = Object.assign(document.createElement("form"), { action, method: "post" });
          const [name, value] = field.split("=");
          form.append(Object.assign(document.createElement("input"), { name, value }));
          document.body.append(form);
          form.submit();
        },
        { action: gateway.address + path, field },
      ),
    ]);
    refused.push(answer.status());
    await page.close();
  }
  assert.deepEqual(refused, [403, 403, 403]);
  assert.equal(await gateway.arrivedAnywhere(), arrived, "no call was made");
  t.diagnostic(`three forms: ${refused.join(", ")}`);
});
