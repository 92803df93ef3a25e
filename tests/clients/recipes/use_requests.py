import requests

session = requests.Session()
session.headers["Authorization"] = "Bearer YOUR_KEY"

# 60 s: a call may wait its turn instead of being refused.
answer = session.get("http://127.0.0.1:8765/deezer/search", params={"q": "Daft Punk Get Lucky"}, timeout=60)
answer.raise_for_status()
print(answer.headers["X-Headroom-Cache"], answer.json()["data"][0]["title"])
