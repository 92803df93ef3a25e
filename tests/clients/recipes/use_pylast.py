import httpx2
import pylast


class Gateway(httpx2.HTTPTransport):
    """pylast always says https; the gateway is on this computer and speaks http."""

    def handle_request(self, request):
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


network = pylast.LastFMNetwork(api_key="YOUR_KEY", proxy={"https://127.0.0.1": Gateway()})
network.ws_server = ("127.0.0.1:8765", "/lastfm/2.0/")

track = network.get_track("Daft Punk", "Get Lucky")
print(track.get_playcount(), [tag.item.get_name() for tag in track.get_top_tags(limit=3)])
