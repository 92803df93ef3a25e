//! Search for tracks: the request, and the fields of the answer that are used.

use serde_json::Value;

use super::Found;
use crate::service::ServiceId;

/// Services that can be searched by anybody.
pub const SEARCHABLE: [ServiceId; 3] = [ServiceId::Deezer, ServiceId::Itunes, ServiceId::Musicbrainz];

/// How many tracks are asked for.
const ASKED: u32 = 10;

/// Path and query of a search for tracks; `None` where it is not possible yet.
#[must_use]
pub fn search_path(service: ServiceId, text: &str) -> Option<String> {
    let q = encode(text);
    match service {
        ServiceId::Deezer => Some(format!("/search?q={q}&limit={ASKED}")),
        ServiceId::Itunes => Some(format!("/search?term={q}&media=music&entity=song&limit={ASKED}")),
        ServiceId::Musicbrainz => Some(format!("/ws/2/recording?query={q}&fmt=json&limit={ASKED}")),
        _ => None,
    }
}

/// The tracks in a search's answer; none in an answer of another shape. What is missing stays out.
#[must_use]
pub fn read_search(service: ServiceId, body: &[u8]) -> Vec<Found> {
    let Ok(json) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let (list, read): (&str, fn(&Value) -> Option<Found>) = match service {
        ServiceId::Deezer => ("data", deezer),
        ServiceId::Itunes => ("results", itunes),
        ServiceId::Musicbrainz => ("recordings", musicbrainz),
        _ => return Vec::new(),
    };
    json.get(list).and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
}

fn text(json: &Value, path: &str) -> Option<String> {
    json.pointer(path)?.as_str().map(str::to_owned)
}

fn deezer(track: &Value) -> Option<Found> {
    Some(Found {
        title: text(track, "/title")?,
        artist: text(track, "/artist/name")?,
        album: text(track, "/album/title"),
        duration_ms: track.get("duration").and_then(Value::as_u64).map(|s| s.saturating_mul(1_000)),
        link: text(track, "/link"),
    })
}

fn itunes(track: &Value) -> Option<Found> {
    Some(Found {
        title: text(track, "/trackName")?,
        artist: text(track, "/artistName")?,
        album: text(track, "/collectionName"),
        duration_ms: track.get("trackTimeMillis").and_then(Value::as_u64),
        link: text(track, "/trackViewUrl"),
    })
}

fn musicbrainz(recording: &Value) -> Option<Found> {
    let credits = recording.get("artist-credit")?.as_array()?;
    let artist = credits
        .iter()
        .map(|c| text(c, "/name").unwrap_or_default() + &text(c, "/joinphrase").unwrap_or_default())
        .collect();
    Some(Found {
        title: text(recording, "/title")?,
        artist,
        album: text(recording, "/releases/0/title"),
        duration_ms: recording.get("length").and_then(Value::as_u64),
        link: text(recording, "/id").map(|id| format!("https://musicbrainz.org/recording/{id}")),
    })
}

/// Percent-encodes everything but letters, digits and `-._~` (RFC 3986 §2.3).
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_types_cannot_add_parameters() {
        let path = search_path(ServiceId::Deezer, "a&b=c#d/ü").unwrap();
        assert_eq!(path, "/search?q=a%26b%3Dc%23d%2F%C3%BC&limit=10");
        assert_eq!(search_path(ServiceId::Qobuz, "a"), None);
    }

    #[test]
    fn nonsense_finds_nothing() {
        for body in ["", "null", "[]", "<html>", r#"{"data":[{"title":5},{}]}"#, r#"{"data":{"title":"x"}}"#]
        {
            assert_eq!(read_search(ServiceId::Deezer, body.as_bytes()), [], "{body}");
        }
    }

    #[test]
    fn each_services_shape_is_read() {
        let deezer = r#"{"data":[{"title":"Get Lucky","artist":{"name":"Daft Punk"},"duration":248,"album":{"title":"RAM"}}]}"#;
        let itunes = r#"{"results":[{"trackName":"Get Lucky","artistName":"Daft Punk","trackTimeMillis":248000,"collectionName":"RAM"}]}"#;
        let musicbrainz = r#"{"recordings":[{"title":"Get Lucky","length":248000,"releases":[{"title":"RAM"}],
            "artist-credit":[{"name":"Daft Punk","joinphrase":" feat. "},{"name":"Pharrell"}]}]}"#;
        for (service, body, artist) in [
            (ServiceId::Deezer, deezer, "Daft Punk"),
            (ServiceId::Itunes, itunes, "Daft Punk"),
            (ServiceId::Musicbrainz, musicbrainz, "Daft Punk feat. Pharrell"),
        ] {
            let found = read_search(service, body.as_bytes());
            let [track] = found.as_slice() else { panic!("{service}: {found:?}") };
            let read =
                (track.title.as_str(), track.artist.as_str(), track.album.as_deref(), track.duration_ms);
            assert_eq!(read, ("Get Lucky", artist, Some("RAM"), Some(248_000)), "{service}");
        }
    }
}
