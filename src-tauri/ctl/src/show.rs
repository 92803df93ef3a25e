//! Tables and text on the terminal.

use std::path::Path;

use serde_json::Value;

use crate::backend::Backend;
use crate::failure::Failure;

/// Pretty JSON on stdout.
pub(crate) fn json(value: &Value) {
    println!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

/// `3 h 5 min`, `12 min`, `40 s`.
pub(crate) fn length(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// The gauges as a table.
pub(crate) fn meters(rates: &Value) {
    println!(
        "{:<13} {:>9} {:>7} {:>16} {:>8} {:>8}  state",
        "service", "calls/min", "of", "fullest window", "24 h", "cached"
    );
    for (id, service) in rates.get("services").and_then(Value::as_object).into_iter().flatten() {
        let number = |name: &str| service.get(name).and_then(Value::as_u64).unwrap_or(0);
        println!(
            "{id:<13} {:>9} {:>7} {:>16} {:>8} {:>8}  {}",
            number("cpm"),
            number("limit"),
            fullest(service),
            number("calls_24h"),
            number("hits_24h"),
            state(service)
        );
    }
}

/// `44/45 in 5 s`
fn fullest(service: &Value) -> String {
    let windows = service.get("windows").and_then(Value::as_array).into_iter().flatten();
    let read =
        |w: &Value| Some((w.get("used")?.as_f64()?, w.get("calls")?.as_f64()?, w.get("seconds")?.as_f64()?));
    let fullest = windows.filter_map(read).max_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    fullest.map_or_else(|| "-".to_owned(), |(used, calls, seconds)| format!("{used}/{calls} in {seconds} s"))
}

fn state(service: &Value) -> String {
    if let Some(ban) = service.get("ban").filter(|ban| !ban.is_null()) {
        let left = ban.get("remaining_s").and_then(Value::as_i64).unwrap_or(0);
        let kind = ban.get("kind").and_then(Value::as_str).unwrap_or("rate");
        return format!("banned ({kind}) for {}", length(left));
    }
    match service.get("access").and_then(Value::as_str) {
        Some("credential_needed") => "sign in first".to_owned(),
        Some("disabled") => "switched off".to_owned(),
        _ if service.get("waiting").and_then(Value::as_u64).unwrap_or(0) > 0 => "calls wait".to_owned(),
        _ => "room".to_owned(),
    }
}

/// `debug`
pub(crate) async fn debug(dir: &Path) -> Result<(), Failure> {
    let backend = Backend::open(dir).await?;
    let text: String = backend.call("debug_text", serde_json::json!({})).await?;
    backend.close().await;
    print!("{text}");
    Ok(())
}
