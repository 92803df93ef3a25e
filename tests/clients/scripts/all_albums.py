"""A search, five pages of an artist's albums, and an album with its tracks, by spotipy, as one JSON object.

ADDRESS KEY ARTIST_NAME
"""

import json
import sys

import spotipy

address, key, name = sys.argv[1:]
sp = spotipy.Spotify(auth=key, requests_timeout=60, retries=0, status_retries=0)
sp.prefix = f"{address}/spotify/v1/"

artist = sp.search(f"artist:{name}", limit=1, type="artist")["artists"]["items"][0]
pages, links = [], [artist["href"]]
page = first = sp.artist_albums(artist["id"], limit=10)
while page:
    pages.append([album["name"] for album in page["items"]])
    links += [link for link in (page["href"], page["next"], page["previous"]) if link]
    page = sp.next(page) if len(pages) < 5 else None
album = sp.album(first["items"][0]["id"])
links.append(album["tracks"]["href"])
tracks = sp.album_tracks(album["id"])
print(json.dumps({"pages": pages, "links": links, "album": album["name"], "tracks": tracks["total"]}))
