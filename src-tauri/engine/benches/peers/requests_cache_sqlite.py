"""requests-cache on SQLite: an answer from the disk, 2 KB with 12 headers, at 2,000 entries.

Prints one line of JSON: {"name", "median_us", "p99_us", "bytes_an_entry"}.
"""

import json
import os
import random
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests_cache

ENTRIES = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
ASKED = 2_000
HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "Content-Language": "en",
    "Cache-Control": "private, must-revalidate",
    "ETag": '"5f2d9c1be7a04438"',
    "Last-Modified": "Fri, 17 May 2013 00:00:00 GMT",
    "Expires": "Mon, 26 Jul 1997 05:00:00 GMT",
    "Pragma": "no-cache",
    "Vary": "Accept-Encoding, Accept-Language",
    "X-Content-Type-Options": "nosniff",
    "X-Host": "blm-web-90",
    "X-Org": "FR",
}


def body(path):
    numbers = random.Random(path)
    digits = "".join(f"{numbers.getrandbits(64):016x}" for _ in range(32))
    fields = {f"field_{place}": "https://www.deezer.com/track/" + str(place) for place in range(28)}
    return json.dumps({"path": path, "digits": digits, **fields}).encode()


class Provider(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet an answer.
    wbufsize = 65_536

    def do_GET(self):
        answer = body(self.path)
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "cache.sqlite")
        # As its users set it: by time, whatever the provider's headers say.
        session = requests_cache.CachedSession(path, backend="sqlite", expire_after=43_200, wal=True, fast_save=True)
        root = f"http://127.0.0.1:{server.server_port}"
        ask = lambda album: session.get(f"{root}/album/{album}/tracks", params={"limit": 50})
        length = [len(ask(album).content) for album in range(ENTRIES)][-1]
        numbers = random.Random(1)
        times = []
        for _ in range(ASKED):
            album = numbers.randrange(ENTRIES)
            began = time.perf_counter()
            answer = ask(album)
            times.append(time.perf_counter() - began)
            assert answer.from_cache and abs(len(answer.content) - length) < 100, "a hit"
        times.sort()
        session.cache.responses.vacuum() if hasattr(session.cache.responses, "vacuum") else None
        size = sum(os.path.getsize(os.path.join(folder, name)) for name in os.listdir(folder) if "wal" not in name)
        print(
            json.dumps(
                {
                    "name": f"requests-cache on SQLite, from disk, {ENTRIES:,} entries of {length} bytes",
                    "median_us": round(times[ASKED // 2] * 1e6, 1),
                    "p99_us": round(times[ASKED // 100 * 99] * 1e6, 1),
                    "bytes_an_entry": round(size / ENTRIES),
                }
            )
        )


if __name__ == "__main__":
    main()
