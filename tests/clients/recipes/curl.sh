# MusicBrainz, and any other service by its name.
curl --fail-with-body --get "http://127.0.0.1:8765/musicbrainz/ws/2/recording" \
  --header "Authorization: Bearer YOUR_KEY" \
  --data-urlencode 'query=recording:"Get Lucky" AND artist:"Daft Punk"' \
  --data "fmt=json" --data "limit=1"
