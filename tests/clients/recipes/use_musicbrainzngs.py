import musicbrainzngs

musicbrainzngs.set_useragent("my-script", "1.0", "https://example.com")
# MusicBrainz takes no credential, so the key stands in the path.
musicbrainzngs.set_hostname("127.0.0.1:8765/~YOUR_KEY/musicbrainz", use_https=False)
# Headroom keeps the pace; what is in the cache need not wait.
musicbrainzngs.set_rate_limit(False)

found = musicbrainzngs.search_recordings(recording="Get Lucky", artist="Daft Punk", limit=1)
for recording in found["recording-list"]:
    print(recording["id"], recording["title"])
