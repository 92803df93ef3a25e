//! `GET /api/openapi.json`: every route in words a program can read. The text is `openapi.json`; tests
//! hold it against the routes and against real answers.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::Host;
use crate::contract::COMMANDS;
use crate::service::ServiceId;

const TEXT: &str = include_str!("openapi.json");

pub(super) async fn describe(State(host): State<Host>) -> Json<Value> {
    Json(document(host.port))
}

/// The description, with what only the program knows: its version, address, services and commands.
pub(super) fn document(port: u16) -> Value {
    let mut document: Value = serde_json::from_str(TEXT).unwrap_or_default();
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    document["servers"] = json!([{ "url": format!("http://127.0.0.1:{port}") }]);
    let ids: Vec<_> = ServiceId::ALL.iter().map(|id| id.as_str()).collect();
    document["components"]["schemas"]["ServiceId"]["enum"] = ids.into();
    document["components"]["parameters"]["command"]["schema"]["enum"] = COMMANDS.into();
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_json_and_every_reference_leads_somewhere() {
        let document = document(1);
        assert_eq!(document["openapi"], "3.1.0");
        fn references(value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(to)) = map.get("$ref") {
                        found.push(to.clone());
                    }
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(list) => list.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 20, "{found:?}");
        for to in found {
            assert!(document.pointer(to.trim_start_matches('#')).is_some(), "{to}");
        }
    }
}
