//! The XML in which Last.fm and MusicBrainz answer clients that do not ask for JSON, made from the JSON
//! answer: both say the same thing in both.

use serde_json::Value;

/// Last.fm's answer: `@attr` holds attributes, `#text` text, the rest are elements.
pub(super) fn lastfm(body: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if let Some(code) = body.get("error") {
        let message = escape(&plain(&body["message"]));
        out += &format!("<lfm status=\"failed\"><error code=\"{code}\">{message}</error></lfm>");
        return out;
    }
    out += "<lfm status=\"ok\" xmlns:opensearch=\"http://a9.com/-/spec/opensearch/1.1/\">";
    for (name, value) in members(body) {
        lastfm_element(&mut out, name, value);
    }
    out + "</lfm>"
}

fn lastfm_element(out: &mut String, name: &str, value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| lastfm_element(out, name, item)),
        Value::Object(_) => {
            let attributes: Vec<_> =
                members(&value["@attr"]).map(|(name, value)| (name, plain(value))).collect();
            open(out, name, &attributes);
            out.push_str(&escape(&plain(&value["#text"])));
            for (name, value) in members(value).filter(|(name, _)| !matches!(*name, "@attr" | "#text")) {
                lastfm_element(out, name, value);
            }
            close(out, name);
        }
        _ => leaf(out, name, value),
    }
}

/// MusicBrainz' answer about `entity`: lists are `recording-list` for `recordings`, and what names or
/// counts a thing is an attribute.
pub(super) fn musicbrainz(entity: &str, body: &Value) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    if let Some(message) = body.get("error") {
        let texts = [message, &body["help"]].map(|text| format!("<text>{}</text>", escape(&plain(text))));
        return format!("{out}<error>{}</error>", texts.concat());
    }
    out += "<metadata xmlns=\"http://musicbrainz.org/ns/mmd-2.0#\" xmlns:ns2=\"http://musicbrainz.org/ns/ext#-2.0\">";
    let list = members(body).find(|(_, value)| value.is_array());
    match list.filter(|_| body.get("created").is_some()) {
        Some((name, Value::Array(items))) => {
            let counts = ["count", "offset"].map(|name| (name, plain(&body[name])));
            musicbrainz_list(&mut out, name, items, &counts);
        }
        _ => musicbrainz_element(&mut out, entity, body),
    }
    out + "</metadata>"
}

fn musicbrainz_list(out: &mut String, name: &str, items: &[Value], counts: &[(&str, String)]) {
    let one = match name {
        "media" => "medium",
        "artist-credit" => "name-credit",
        _ => name.strip_suffix('s').unwrap_or(name),
    };
    let list = if name == "artist-credit" { name.to_owned() } else { format!("{one}-list") };
    open(out, &list, if list == name { &[] } else { counts });
    for item in items {
        match item {
            Value::String(id) => {
                open(out, one, &[("id", id.clone())]);
                close(out, one);
            }
            _ => musicbrainz_element(out, one, item),
        }
    }
    close(out, &list);
}

fn musicbrainz_element(out: &mut String, name: &str, value: &Value) {
    const ATTRIBUTES: [(&str, &str); 6] = [
        ("id", "id"),
        ("type", "type"),
        ("score", "ns2:score"),
        ("count", "count"),
        ("joinphrase", "joinphrase"),
        ("isrc", "id"),
    ];
    let named = |json: &str| ATTRIBUTES.iter().find(|(name, _)| *name == json);
    let attributes: Vec<_> = members(value)
        .filter_map(|(name, value)| Some((named(name)?.1, plain(value))))
        .filter(|(_, text)| !text.is_empty())
        .collect();
    open(out, name, &attributes);
    for (name, value) in members(value).filter(|(name, _)| named(name).is_none()) {
        match value {
            Value::Array(items) => musicbrainz_list(out, name, items, &[("count", items.len().to_string())]),
            Value::Object(_) => musicbrainz_element(out, name, value),
            // Said only where there is something to say.
            Value::Bool(false) | Value::Null => {}
            _ => leaf(out, name, value),
        }
    }
    close(out, name);
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

fn open(out: &mut String, name: &str, attributes: &[(&str, String)]) {
    out.push_str(&format!("<{name}"));
    for (name, value) in attributes {
        out.push_str(&format!(" {name}=\"{}\"", escape(value)));
    }
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str(&format!("</{name}>"));
}

fn leaf(out: &mut String, name: &str, value: &Value) {
    open(out, name, &[]);
    out.push_str(&escape(&plain(value)));
    close(out, name);
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lastfm_says_in_xml_what_it_says_in_json() {
        let album = json!({"@attr": {"position": "1"}, "title": "C"});
        let tags = json!({"tag": [{"name": "x"}, {"name": "y"}]});
        let said = lastfm(&json!({"track": {"name": "A & B", "album": album, "toptags": tags}}));
        for part in [
            "<name>A &amp; B</name>",
            "<album position=\"1\"><title>C</title></album>",
            "<toptags><tag><name>x</name></tag><tag><name>y</name></tag></toptags>",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        let failed = lastfm(&json!({"error": 29, "message": "Rate"}));
        assert!(failed.ends_with("<lfm status=\"failed\"><error code=\"29\">Rate</error></lfm>"), "{failed}");
    }

    #[test]
    fn musicbrainz_lists_have_their_own_element() {
        let credit = json!([{"name": "N", "artist": {"id": "a"}}]);
        let recording =
            json!({"id": "r", "score": 100, "video": false, "isrcs": ["I"], "artist-credit": credit});
        let said = musicbrainz(
            "recording",
            &json!({"created": "", "count": 7, "offset": 5, "recordings": [recording]}),
        );
        for part in [
            "<recording-list count=\"7\" offset=\"5\"><recording id=\"r\" ns2:score=\"100\">",
            "<isrc-list count=\"1\"><isrc id=\"I\"></isrc></isrc-list>",
            "<artist-credit><name-credit>",
            "<artist id=\"a\"></artist>",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(!said.contains("video"), "{said}");
        let one = musicbrainz("artist", &json!({"id": "a", "name": "N"}));
        assert!(one.contains("<artist id=\"a\"><name>N</name></artist></metadata>"), "{one}");
        assert!(musicbrainz("artist", &json!({"error": "Not Found"})).contains("<text>Not Found</text>"));
    }
}
