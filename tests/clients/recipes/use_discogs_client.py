import discogs_client

GATEWAY = "http://127.0.0.1:8765/discogs"


class Client(discogs_client.Client):
    _base_url = GATEWAY

    def _request(self, method, url, data=None):
        # Answers name further pages by their address at Discogs.
        return super()._request(method, url.replace("https://api.discogs.com", GATEWAY), data)


client = Client("my-script/1.0", user_token="YOUR_KEY")
# A refusal comes back at once, with its time, instead of being tried a hundred times.
client._fetcher.backoff_enabled = False

for release in client.search("Random Access Memories", artist="Daft Punk", type="release").page(1)[:5]:
    print(release.id, release.title)
