//! Compression, agreed with the client apart from what was agreed with the service.

use std::io::Write;

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE,
    CONTENT_TYPE, ETAG, VARY,
};
use http::{HeaderMap, HeaderValue, StatusCode};

/// Below this, the headers would cost more than is saved.
const WORTH_IT: usize = 1_024;
/// From here on it takes long enough to be done beside the runtime's threads.
const LONG: usize = 128 * 1_024;

/// How a body may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    /// Best first: the quickest that is small.
    const ALL: [Self; 3] = [Self::Zstd, Self::Brotli, Self::Gzip];

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    /// The best that a client accepts; `None` is the body as it is.
    pub(super) fn accepted(headers: &HeaderMap) -> Option<Self> {
        headers.get(ACCEPT_ENCODING)?;
        let mut best: Option<(u16, Self)> = None;
        for encoding in Self::ALL {
            let q = quality(headers, encoding.name());
            if q > 0 && best.is_none_or(|(most, _)| q > most) {
                best = Some((q, encoding));
            }
        }
        best.map(|(_, encoding)| encoding)
    }

    fn write(self, body: &[u8]) -> std::io::Result<Vec<u8>> {
        let mut out = Vec::with_capacity(body.len() / 3);
        match self {
            Self::Gzip => {
                let mut writer = flate2::write::GzEncoder::new(&mut out, flate2::Compression::new(5));
                writer.write_all(body)?;
                writer.finish()?;
            }
            Self::Brotli => {
                let mut writer = brotli::CompressorWriter::new(&mut out, 16 * 1_024, 4, 22);
                writer.write_all(body)?;
                writer.flush()?;
                drop(writer);
            }
            Self::Zstd => zstd::stream::copy_encode(body, &mut out, 3)?,
        }
        Ok(out)
    }
}

/// What the client thinks of an encoding, in thousandths; 0 is "no" (RFC 9110 §12.5.3).
fn quality(headers: &HeaderMap, name: &str) -> u16 {
    let mut any = 0;
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|v| v.to_str().ok());
    for item in values.flat_map(|v| v.split(',')) {
        let mut parts = item.split(';').map(str::trim);
        let coding = parts.next().unwrap_or_default();
        let weight = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
        let thousandths = match weight.map(str::parse::<f32>) {
            None => 1_000,
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 1000")]
            Some(Ok(q)) if (0.0..=1.0).contains(&q) => (q * 1_000.0) as u16,
            Some(_) => 0,
        };
        if coding.eq_ignore_ascii_case(name) {
            return thousandths;
        }
        if coding == "*" {
            any = thousandths;
        }
    }
    any
}

/// Writes a body as the client likes it, where that is worth it, and says so in the headers.
pub(super) async fn compress(
    accepted: Option<Encoding>,
    status: StatusCode,
    headers: &mut HeaderMap,
    body: Bytes,
) -> Bytes {
    if body.len() < WORTH_IT || !may_change(status, headers) {
        return body;
    }
    if !headers.get_all(VARY).iter().any(|v| v.as_bytes().eq_ignore_ascii_case(b"accept-encoding")) {
        headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
    let Some(encoding) = accepted else { return body };
    let written = if body.len() < LONG {
        encoding.write(&body).ok()
    } else {
        let body = body.clone();
        tokio::task::spawn_blocking(move || encoding.write(&body).ok()).await.ok().flatten()
    };
    let Some(written) = written.filter(|written| written.len() < body.len()) else { return body };
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding.name()));
    headers.remove(CONTENT_LENGTH);
    headers.remove(ACCEPT_RANGES);
    // Other bytes than the provider's own: its tag holds of the meaning only.
    let strong = headers.get(ETAG).map(HeaderValue::as_bytes).filter(|tag| !tag.starts_with(b"W/"));
    if let Some(weak) = strong.and_then(|tag| HeaderValue::from_bytes(&[b"W/", tag].concat()).ok()) {
        headers.insert(ETAG, weak);
    }
    written.into()
}

fn may_change(status: StatusCode, headers: &HeaderMap) -> bool {
    let says = |name, text: &str| {
        headers.get_all(name).iter().filter_map(|v| v.to_str().ok()).any(|v| v.contains(text))
    };
    status != StatusCode::PARTIAL_CONTENT
        && !headers.contains_key(CONTENT_ENCODING)
        && !headers.contains_key(CONTENT_RANGE)
        // Sums over the bytes as they are.
        && !headers.keys().any(|name| matches!(name.as_str(), "digest" | "content-digest" | "content-md5"))
        && !says(CACHE_CONTROL, "no-transform")
        && headers.get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).is_some_and(is_text)
}

fn is_text(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.starts_with("text/") && kind != "text/event-stream"
        || kind.ends_with("json")
        || kind.ends_with("xml")
        || kind.ends_with("javascript")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn map(list: &[(http::HeaderName, &'static str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn accepted(value: &'static str) -> Option<Encoding> {
        Encoding::accepted(&map(&[(ACCEPT_ENCODING, value)]))
    }

    #[test]
    fn the_clients_wish_counts_then_ours() {
        use Encoding::{Brotli, Gzip, Zstd};
        for (wish, best) in [
            ("gzip, deflate", Some(Gzip)),
            ("gzip, deflate, br, zstd", Some(Zstd)),
            ("gzip;q=1.0, br;q=0.5", Some(Gzip)),
            ("GZIP", Some(Gzip)),
            ("*", Some(Zstd)),
            ("*;q=0.1, zstd;q=0", Some(Brotli)),
            ("br;q=0", None),
            ("identity", None),
            ("", None),
            ("gzip;q=nan, br;q=2", None),
            (";;,,q=1", None),
        ] {
            assert_eq!(accepted(wish), best, "{wish:?}");
        }
        assert_eq!(Encoding::accepted(&HeaderMap::new()), None);
    }

    fn read(encoding: Encoding, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match encoding {
            Encoding::Gzip => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).unwrap(),
            Encoding::Brotli => brotli::Decompressor::new(bytes, 4_096).read_to_end(&mut out).unwrap(),
            Encoding::Zstd => zstd::stream::read::Decoder::new(bytes).unwrap().read_to_end(&mut out).unwrap(),
        };
        out
    }

    #[tokio::test]
    async fn a_compressed_body_is_the_same_after_decoding_and_its_tag_is_weak() {
        let text: String = (0..20_000).map(|n| format!("{{\"track\":{n}}},")).collect();
        for (size, encoding) in
            Encoding::ALL.into_iter().flat_map(|e| [(2_000, e), (text.len(), e)].into_iter())
        {
            let body = Bytes::from(text[..size].to_owned());
            let mut headers = map(&[
                (CONTENT_TYPE, "application/json; charset=utf-8"),
                (ETAG, "\"a\""),
                (ACCEPT_RANGES, "bytes"),
            ]);
            let written = compress(Some(encoding), StatusCode::OK, &mut headers, body.clone()).await;
            assert!(written.len() < size / 2, "{encoding:?}: {}", written.len());
            assert_eq!(read(encoding, &written), body, "{encoding:?}");
            assert_eq!(headers[CONTENT_ENCODING], encoding.name());
            assert_eq!(
                (&headers[ETAG], &headers[VARY]),
                (&HeaderValue::from_static("W/\"a\""), &HeaderValue::from_static("Accept-Encoding"))
            );
            assert!(!headers.contains_key(ACCEPT_RANGES));
        }
    }

    #[tokio::test]
    async fn what_must_not_change_stays() {
        let body = Bytes::from("a".repeat(4_000));
        let json = (CONTENT_TYPE, "application/json");
        for (status, headers, what) in [
            (200, vec![], "no type"),
            (200, vec![(CONTENT_TYPE, "image/jpeg")], "a picture"),
            (200, vec![(CONTENT_TYPE, "text/event-stream")], "a stream"),
            (206, vec![json.clone(), (CONTENT_RANGE, "bytes 0-9/10")], "a part"),
            (200, vec![json.clone(), (CONTENT_ENCODING, "deflate")], "compressed already"),
            (200, vec![json.clone(), (CACHE_CONTROL, "private, no-transform")], "forbidden"),
            (200, vec![json.clone(), (http::HeaderName::from_static("digest"), "x")], "summed"),
        ] {
            let mut headers = map(&headers);
            let before = headers.clone();
            let status = StatusCode::from_u16(status).unwrap();
            let out = compress(Some(Encoding::Gzip), status, &mut headers, body.clone()).await;
            assert_eq!((out, headers), (body.clone(), before), "{what}");
        }
        let mut headers = map(&[json]);
        let small = Bytes::from("a".repeat(1_000));
        assert_eq!(compress(Some(Encoding::Gzip), StatusCode::OK, &mut headers, small.clone()).await, small);
        assert_eq!(headers.len(), 1, "small: nothing to vary");
    }

    proptest::proptest! {
        #[test]
        fn any_wish_is_read(wish in "[ -~]{0,60}|(gzip|br|zstd|\\*|;q=|[0-9.,; ]){0,12}") {
            if let Ok(value) = HeaderValue::from_str(&wish) {
                let mut headers = HeaderMap::new();
                headers.insert(ACCEPT_ENCODING, value);
                let _ = Encoding::accepted(&headers);
            }
        }
    }
}
