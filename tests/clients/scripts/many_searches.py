"""Twenty searches at Spotify as fast as they go, and what became of them, as one JSON object.

PREFIX TOKEN
"""

import json
import sys

import spotipy

prefix, token = sys.argv[1:]
sp = spotipy.Spotify(auth=token, requests_timeout=60, retries=0, status_retries=0)
sp.prefix = prefix
counts = {"answered": 0, "refused": 0}
for n in range(20):
    try:
        sp.search(f"year:{2000 + n}", limit=1)
        counts["answered"] += 1
    except spotipy.SpotifyException as error:
        if error.http_status != 429:
            raise
        counts["refused"] += 1
print(json.dumps(counts))
