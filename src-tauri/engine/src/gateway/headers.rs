//! Headers that are passed on, and those that are not.

use http::HeaderMap;

/// Headers of one connection, not of an answer (RFC 9110 §7.6.1), and what no longer holds of a body
/// that was decompressed.
pub(super) fn drop_connection_headers(headers: &mut HeaderMap) {
    const OWN: [&str; 9] = [
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let listed: Vec<String> = headers
        .get_all("connection")
        .iter()
        .filter_map(|v| v.to_str().ok())
        .flat_map(|v| v.split(',').map(|name| name.trim().to_ascii_lowercase()))
        .collect();
    for name in OWN.iter().copied().chain(listed.iter().map(String::as_str)) {
        headers.remove(name);
    }
}
