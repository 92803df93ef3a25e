import spotipy

# 60 s: a call may wait its turn. No retries: Headroom knows when another try is worth it.
sp = spotipy.Spotify(auth="YOUR_KEY", requests_timeout=60, retries=0, status_retries=0)
sp.prefix = "http://127.0.0.1:8765/spotify/v1/"

page = sp.search("artist:Daft Punk", limit=5, type="album")["albums"]
while page:
    for album in page["items"]:
        print(album["name"])
    # `next` leads through Headroom, too.
    page = sp.next(page)["albums"] if page["next"] and page["offset"] < 5 else None
