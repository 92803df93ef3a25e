//! Links in Spotify's pages point back at Spotify: a client that followed `next` would go round the
//! gateway and send its key away. They are turned to the gateway.

use std::borrow::Cow;

use bytes::Bytes;

/// Replaces `"{base}/…` by `"{gateway}/…` in a JSON text; the very same bytes when there is none.
pub(super) fn rewrite(body: &Bytes, base: &str, gateway: &str) -> Bytes {
    let Ok(text) = std::str::from_utf8(body) else { return body.clone() };
    let (from, to) = (format!("\"{base}/"), format!("\"{gateway}/"));
    let rewritten =
        if text.contains(&from) { Cow::Owned(text.replace(&from, &to)) } else { Cow::Borrowed(text) };
    match rewritten {
        Cow::Owned(text) => text.into(),
        Cow::Borrowed(_) => body.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_the_services_own_base_are_turned() {
        let body = Bytes::from_static(br#"{"next":"https://api.spotify.com/v1/x?offset=2","url":"https://open.spotify.com/t","t":"see https://api.spotify.com/"}"#);
        let turned = rewrite(&body, "https://api.spotify.com", "http://127.0.0.1:1/spotify");
        assert_eq!(
            turned,
            r#"{"next":"http://127.0.0.1:1/spotify/v1/x?offset=2","url":"https://open.spotify.com/t","t":"see https://api.spotify.com/"}"#
        );
        assert_eq!(rewrite(&Bytes::from_static(b"\xff\"https"), "https", "x"), b"\xff\"https".as_slice());
    }
}
