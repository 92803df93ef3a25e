//! `settings.json`: what the user may decide, checked before it is believed.
//!
//! Everything has a default. A key that is unknown or a value that is wrong is named with its path
//! (`services.deezer.budget.windows[0].calls`). Environment variables go before the file:
//! `HEADROOM_PLAYS__FAVOURITE_THRESHOLD=3`.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::budget::Budget;
use crate::disk::{self, Readers};
use crate::service::ServiceId;
use crate::shared::SharedUrl;

/// All settings, with defaults for what the file leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// How a provider may reach whoever runs this: goes into the `User-Agent`.
    pub contact: String,
    /// What differs from the catalogue, by service.
    pub services: BTreeMap<ServiceId, ServiceSettings>,
    /// The response cache.
    pub cache: CacheSettings,
    /// The loopback server.
    pub gateway: GatewaySettings,
    /// Counting plays.
    pub plays: PlaysSettings,
    /// The merged record.
    pub metadata: MetadataSettings,
    /// The window and the tray.
    pub desktop: DesktopSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            contact: env!("CARGO_PKG_HOMEPAGE").to_owned(),
            services: BTreeMap::new(),
            cache: CacheSettings::default(),
            gateway: GatewaySettings::default(),
            plays: PlaysSettings::default(),
            metadata: MetadataSettings::default(),
            desktop: DesktopSettings::default(),
        }
    }
}

/// One service's settings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSettings {
    /// Whether any call to it may be made.
    pub enabled: bool,
    /// Scheme and host of its API, where it is not the provider's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// Scheme and host of its sign-in, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts_url: Option<String>,
    /// The user's own client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Replaces the default budget whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self { enabled: true, base_url: None, accounts_url: None, client_id: None, budget: None }
    }
}

/// The response cache.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CacheSettings {
    /// Life of metadata, in hours; 0 keeps no answers at all.
    pub ttl_hours: f64,
    /// Life of "not found", in minutes.
    pub not_found_ttl_minutes: f64,
    /// Size on disk, in MB.
    pub max_mb: u32,
    /// A Redis-protocol server shared by several machines. May hold a password, so it never prints whole.
    pub shared_url: Option<SharedUrl>,
}

impl Default for CacheSettings {
    fn default() -> Self {
        Self { ttl_hours: 12.0, not_found_ttl_minutes: 60.0, max_mb: 256, shared_url: None }
    }
}

/// The loopback server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GatewaySettings {
    /// Whether tools may use it. The control API answers either way.
    pub enabled: bool,
    /// Its port on 127.0.0.1; 0 picks a free one.
    pub port: u16,
    /// How long a call waits for its budget, in seconds.
    pub max_wait_seconds: f64,
}

impl Default for GatewaySettings {
    fn default() -> Self {
        Self { enabled: true, port: 8765, max_wait_seconds: 30.0 }
    }
}

/// When a play counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlayRule {
    /// Heard to `min_completion_ratio` of its length.
    Favsongs,
    /// Longer than 30 s, and half or 4 minutes heard.
    Lastfm,
    /// Half or 4 minutes heard.
    Listenbrainz,
}

/// Counting plays.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaysSettings {
    /// Whether plays are counted.
    pub enabled: bool,
    /// When a play counts.
    pub rule: PlayRule,
    /// The part of a track to be heard, more than 0 and at most 1, for rule `favsongs`.
    pub min_completion_ratio: f64,
    /// Counted plays that make a favourite, at least 1.
    pub favourite_threshold: u32,
    /// How the player is asked.
    pub poll: Map<String, Value>,
    /// The playlist of favourites.
    pub playlist: Map<String, Value>,
    /// Passing plays on.
    pub scrobble: Map<String, Value>,
}

impl Default for PlaysSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            rule: PlayRule::Favsongs,
            min_completion_ratio: 0.8,
            favourite_threshold: 5,
            poll: Map::new(),
            playlist: Map::new(),
            scrobble: Map::new(),
        }
    }
}

/// The merged record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataSettings {
    /// Whose field wins, first to last.
    pub order: Vec<ServiceId>,
    /// Pause between two items of enrichment, in seconds.
    pub pause_seconds: f64,
    /// Pages of an artist's albums read at most.
    pub max_pages: u32,
    /// Items enriched in a day at most.
    pub daily_items: u32,
}

impl Default for MetadataSettings {
    fn default() -> Self {
        use ServiceId::{Deezer, Discogs, Itunes, Musicbrainz, Spotify};
        let order = vec![Spotify, Deezer, Itunes, Discogs, Musicbrainz];
        Self { order, pause_seconds: 1.5, max_pages: 5, daily_items: 500 }
    }
}

/// The window and the tray.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DesktopSettings {
    /// Closing the window hides it.
    pub close_to_tray: bool,
    /// Start when the user signs in to the machine.
    pub autostart: bool,
    /// Desktop notifications.
    pub notifications: bool,
    /// Minutes after which a hidden window is given up and its memory with it; 0 is never.
    pub release_hidden_minutes: f64,
}

impl Default for DesktopSettings {
    fn default() -> Self {
        Self { close_to_tray: true, autostart: false, notifications: true, release_hidden_minutes: 10.0 }
    }
}

impl Settings {
    /// What the file says of a service, or the defaults.
    #[must_use]
    pub fn service(&self, id: ServiceId) -> ServiceSettings {
        self.services.get(&id).cloned().unwrap_or_default()
    }

    /// Whether calls to a service may be made.
    #[must_use]
    pub fn is_enabled(&self, id: ServiceId) -> bool {
        self.services.get(&id).is_none_or(|service| service.enabled)
    }

    /// The base URL in force, without a slash at its end.
    #[must_use]
    pub fn base_url(&self, id: ServiceId) -> &str {
        let set = self.services.get(&id).and_then(|s| s.base_url.as_deref());
        set.unwrap_or(id.service().base_url).trim_end_matches('/')
    }

    /// The sign-in's URL in force, without a slash at its end; `None` where there is none.
    #[must_use]
    pub fn accounts_url(&self, id: ServiceId) -> Option<&str> {
        let set = self.services.get(&id).and_then(|s| s.accounts_url.as_deref());
        set.or(id.service().accounts_url).map(|url| url.trim_end_matches('/'))
    }

    /// The budget in force, with or without a credential at hand.
    #[must_use]
    pub fn budget(&self, id: ServiceId, has_credential: bool) -> Budget {
        let set = self.services.get(&id).and_then(|s| s.budget.clone());
        set.unwrap_or_else(|| id.service().default_budget(has_credential))
    }

    fn check(&self) -> Result<(), Problem> {
        let bad = |path: String, problem: &str| Err(Problem { path, problem: problem.to_owned() });
        for (id, service) in &self.services {
            for (key, url) in [("base_url", &service.base_url), ("accounts_url", &service.accounts_url)] {
                if url.as_ref().is_some_and(|url| !is_origin(url)) {
                    return bad(
                        format!("services.{id}.{key}"),
                        "must be a scheme and host, like https://example.org",
                    );
                }
            }
            if let Some(Err(error)) = service.budget.as_ref().map(Budget::check) {
                return bad(format!("services.{id}.budget.{}", error.field), error.problem);
            }
        }
        if self.contact.chars().any(char::is_control) || self.contact.len() > 200 {
            return bad("contact".into(), "must be one line of at most 200 bytes");
        }
        for (path, value, most) in [
            ("cache.ttl_hours", self.cache.ttl_hours, 24.0 * 366.0),
            ("cache.not_found_ttl_minutes", self.cache.not_found_ttl_minutes, 1_440.0 * 366.0),
            ("gateway.max_wait_seconds", self.gateway.max_wait_seconds, 3_600.0),
            ("metadata.pause_seconds", self.metadata.pause_seconds, 3_600.0),
            ("desktop.release_hidden_minutes", self.desktop.release_hidden_minutes, 1_440.0),
        ] {
            if !(0.0..=most).contains(&value) {
                return bad(path.into(), &format!("must be from 0 to {most}"));
            }
        }
        if !(1..=1_048_576).contains(&self.cache.max_mb) {
            return bad("cache.max_mb".into(), "must be from 1 to 1048576");
        }
        let ratio = self.plays.min_completion_ratio;
        if !(ratio > 0.0 && ratio <= 1.0) {
            return bad("plays.min_completion_ratio".into(), "must be more than 0 and at most 1");
        }
        if self.plays.favourite_threshold == 0 {
            return bad("plays.favourite_threshold".into(), "must be at least 1");
        }
        Ok(())
    }
}

/// `http(s)://host[:port]`, perhaps with a slash.
fn is_origin(url: &str) -> bool {
    let Ok(uri) = url.parse::<http::Uri>() else { return false };
    let web = matches!(uri.scheme_str(), Some("http" | "https"));
    web && uri.host().is_some_and(|h| !h.is_empty())
        && uri.path() == "/"
        && uri.query().is_none()
        && !url.contains('@')
}

struct Problem {
    path: String,
    problem: String,
}

/// Why settings are not used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A key or value is wrong.
    #[error("{origin}: {path}: {problem}")]
    Bad {
        /// The file, or the environment variable.
        origin: String,
        /// Where in the settings.
        path: String,
        /// What is wrong there.
        problem: String,
    },
    /// The file is no JSON.
    #[error("{origin} is not valid JSON: {problem}")]
    NotJson {
        /// The file.
        origin: String,
        /// What is wrong, with line and column.
        problem: String,
    },
    /// The file system said no.
    #[error("cannot use {path}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// The file, the environment's overrides, and what is in force.
#[derive(Debug)]
pub struct SettingsFile {
    path: PathBuf,
    overrides: Vec<(String, String)>,
    current: RwLock<Arc<Settings>>,
    seen: Mutex<Option<Stamp>>,
}

type Stamp = (std::time::SystemTime, u64);

impl SettingsFile {
    /// Reads `settings.json` of the folder `dir`; a missing file is all defaults. `environment` are the
    /// process's variables; those named `HEADROOM_SECTION__KEY` and `HEADROOM_CONTACT` override.
    ///
    /// # Errors
    /// See [`SettingsError`].
    pub fn open(
        dir: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SettingsError> {
        let path = dir.join("settings.json");
        disk::sweep_leftovers(&path);
        let ours = |name: &str| {
            name == "HEADROOM_CONTACT" || name.strip_prefix("HEADROOM_").is_some_and(|n| n.contains("__"))
        };
        let mut overrides: Vec<_> = environment.into_iter().filter(|(name, _)| ours(name)).collect();
        overrides.sort();
        let file = Self { path, overrides, current: RwLock::default(), seen: Mutex::default() };
        let seen = file.stamp();
        *file.current.write() = Arc::new(file.read()?.1);
        *file.seen.lock() = seen;
        Ok(file)
    }

    /// The settings in force.
    #[must_use]
    pub fn current(&self) -> Arc<Settings> {
        Arc::clone(&self.current.read())
    }

    /// Reads the file again if it changed since last looked at. `None`: nothing new.
    pub fn reload(&self) -> Option<Result<Arc<Settings>, SettingsError>> {
        let stamp = self.stamp();
        let mut seen = self.seen.lock();
        if *seen == stamp {
            return None;
        }
        *seen = stamp;
        Some(self.read().map(|(_, settings)| self.put(settings)))
    }

    /// Changes the file: `edit` gets what the user wrote, not the defaults. Checked as a whole before it
    /// is written.
    ///
    /// # Errors
    /// The settings would not be valid, or the file cannot be written; nothing changes then.
    pub fn edit(&self, edit: impl FnOnce(&mut Map<String, Value>)) -> Result<Arc<Settings>, SettingsError> {
        let mut seen = self.seen.lock();
        let (mut written, _) = self.read()?;
        edit(&mut written);
        let settings = self.understand(&written)?;
        let file = |source| SettingsError::File { path: self.path.clone(), source };
        let mut bytes = serde_json::to_vec_pretty(&written).map_err(|e| file(e.into()))?;
        bytes.push(b'\n');
        disk::write_atomically(&self.path, &bytes, Readers::Default).map_err(file)?;
        *seen = self.stamp();
        Ok(self.put(settings))
    }

    fn put(&self, settings: Settings) -> Arc<Settings> {
        let settings = Arc::new(settings);
        *self.current.write() = Arc::clone(&settings);
        settings
    }

    fn stamp(&self) -> Option<Stamp> {
        let data = fs::metadata(&self.path).ok()?;
        Some((data.modified().ok()?, data.len()))
    }

    fn read(&self) -> Result<(Map<String, Value>, Settings), SettingsError> {
        let origin = || self.path.display().to_string();
        let written = match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice::<Value>(&bytes)
                .map_err(|e| SettingsError::NotJson { origin: origin(), problem: e.to_string() })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Value::Object(Map::new()),
            Err(source) => return Err(SettingsError::File { path: self.path.clone(), source }),
        };
        let Value::Object(written) = written else {
            return Err(SettingsError::NotJson {
                origin: origin(),
                problem: "it is not an object {…}".into(),
            });
        };
        let settings = self.understand(&written)?;
        Ok((written, settings))
    }

    fn understand(&self, written: &Map<String, Value>) -> Result<Settings, SettingsError> {
        let bad = |origin: String| {
            move |p: Problem| SettingsError::Bad { origin, path: p.path, problem: p.problem }
        };
        // The file by itself first, so that an error names its true origin.
        let mut settings =
            parse(Value::Object(written.clone())).map_err(bad(self.path.display().to_string()))?;
        let mut merged = written.clone();
        for (name, text) in &self.overrides {
            lay_over(&mut merged, name, text);
            settings = parse(Value::Object(merged.clone())).map_err(bad(name.clone()))?;
        }
        Ok(settings)
    }
}

fn parse(value: Value) -> Result<Settings, Problem> {
    let settings: Settings = serde_path_to_error::deserialize(value)
        .map_err(|error| Problem { path: error.path().to_string(), problem: error.inner().to_string() })?;
    settings.check()?;
    Ok(settings)
}

/// `HEADROOM_SERVICES__DEEZER__BASE_URL=…` sets `services.deezer.base_url`. The value is JSON where it
/// can be, else text.
fn lay_over(settings: &mut Map<String, Value>, name: &str, text: &str) {
    let path = name.trim_start_matches("HEADROOM_").to_ascii_lowercase();
    let value = serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()));
    let mut keys: Vec<&str> = path.split("__").collect();
    let Some(last) = keys.pop() else { return };
    let mut place = settings;
    for key in keys {
        let entry = place.entry(key).or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        let Value::Object(inner) = entry else { return };
        place = inner;
    }
    place.insert(last.to_owned(), value);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with(text: &str, environment: &[(&str, &str)]) -> Result<Arc<Settings>, String> {
        let dir = tempfile::tempdir().unwrap();
        disk::write_atomically(&dir.path().join("settings.json"), text.as_bytes(), Readers::Default).unwrap();
        let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        SettingsFile::open(dir.path(), environment).map(|f| f.current()).map_err(|e| e.to_string())
    }

    #[test]
    fn a_wrong_key_or_value_is_named_with_its_path() {
        for (text, path) in [
            (
                r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":5,"calls":-45}]}}}}"#,
                "services.deezer.budget.windows[0].calls",
            ),
            (
                r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":-5,"calls":45}]}}}}"#,
                "services.deezer.budget.windows[0].seconds",
            ),
            (
                r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":5,"calls":0}]}}}}"#,
                "services.deezer.budget.windows[0].calls",
            ),
            (r#"{"services":{"deezer":{"budget":{"window":[]}}}}"#, "services.deezer.budget.window"),
            (
                r#"{"services":{"deezer":{"budget":{"windows":[{"seconds":5,"calls":45,"burst":1}]}}}}"#,
                "services.deezer.budget.windows[0].burst",
            ),
            (r#"{"services":{"deezr":{}}}"#, "services.deezr"),
            (r#"{"services":{"deezer":{"base_url":"ftp://x"}}}"#, "services.deezer.base_url"),
            (r#"{"services":{"deezer":{"base_url":"https://user:pw@x"}}}"#, "services.deezer.base_url"),
            (r#"{"cache":{"ttl_hours":"long"}}"#, "cache.ttl_hours"),
            (r#"{"cache":{"shared_url":"http://host"}}"#, "cache.shared_url"),
            (r#"{"cache":{"shared_url":"rediss://host/#insecure"}}"#, "cache.shared_url"),
            (r#"{"cache":{"shared_url":6379}}"#, "cache.shared_url"),
            (r#"{"cahce":{}}"#, "cahce"),
            (r#"{"gateway":{"port":70000}}"#, "gateway.port"),
            (r#"{"plays":{"rule":"maloja"}}"#, "plays.rule"),
            (r#"{"plays":{"min_completion_ratio":1.5}}"#, "plays.min_completion_ratio"),
            (r#"{"metadata":{"order":["spotify","napster"]}}"#, "metadata.order[1]"),
        ] {
            let error = open_with(text, &[]).unwrap_err();
            assert!(error.contains(&format!(" {path}: ")), "{text}\n  gave: {error}");
        }
        assert!(open_with("{", &[]).unwrap_err().contains("not valid JSON"));
        assert!(open_with("[]", &[]).unwrap_err().contains("not an object"));
    }

    #[test]
    fn an_environment_variable_goes_before_the_file_and_is_named_when_wrong() {
        let text = r#"{"plays":{"favourite_threshold":7}}"#;
        let over = [
            ("HEADROOM_PLAYS__FAVOURITE_THRESHOLD", "3"),
            ("HEADROOM_VAULT", "file"),
            ("HEADROOM_CONTACT", "me@example.org"),
        ];
        let settings = open_with(text, &over).unwrap();
        assert_eq!((settings.plays.favourite_threshold, settings.contact.as_str()), (3, "me@example.org"));
        let url = [("HEADROOM_SERVICES__DEEZER__BASE_URL", "http://127.0.0.1:9")];
        assert_eq!(open_with("{}", &url).unwrap().base_url(ServiceId::Deezer), "http://127.0.0.1:9");
        let error = open_with("{}", &[("HEADROOM_GATEWAY__PORT", "many")]).unwrap_err();
        assert!(error.contains("HEADROOM_GATEWAY__PORT") && error.contains("gateway.port"), "{error}");
    }

    #[test]
    fn the_password_of_the_shared_server_is_in_no_error_and_no_debug_text() {
        let secret = r#"{"cache":{"shared_url":"rediss://anna:s3cret@cache.lan/0"}}"#;
        let settings = open_with(secret, &[]).unwrap();
        assert_eq!(settings.cache.shared_url.as_ref().unwrap().expose(), "rediss://anna:s3cret@cache.lan/0");
        assert!(!format!("{settings:?}").contains("s3cret"), "{settings:?}");
        assert!(!serde_json::to_string(&*settings).unwrap().contains("s3cret"));
        let wrong = secret.replace("rediss", "ftp");
        assert!(!open_with(&wrong, &[]).unwrap_err().contains("s3cret"));
        let over = [("HEADROOM_CACHE__SHARED_URL", "redis://:s3cret@cache.lan/x")];
        assert!(!open_with("{}", &over).unwrap_err().contains("s3cret"));
    }

    #[test]
    fn times_may_be_fractions_and_a_budget_replaces_the_default_whole() {
        let settings = open_with(
            r#"{"cache":{"ttl_hours":0.001},"gateway":{"max_wait_seconds":0.5},
                "services":{"spotify":{"budget":{"windows":[{"seconds":0.5,"calls":2}]}}}}"#,
            &[],
        )
        .unwrap();
        let budget = settings.budget(ServiceId::Spotify, true);
        assert_eq!((budget.spacing_ms, budget.windows.len(), budget.limit()), (0, 1, 240));
    }

    #[test]
    fn a_change_on_disk_is_seen_once_and_a_bad_one_leaves_the_last_good_in_force() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        let file = SettingsFile::open(dir.path(), []).unwrap();
        assert!(file.reload().is_none(), "no file, and none came");
        disk::write_atomically(&path, br#"{"cache":{"max_mb":8}}"#, Readers::Default).unwrap();
        assert_eq!(file.reload().unwrap().unwrap().cache.max_mb, 8);
        assert!(file.reload().is_none());
        disk::write_atomically(&path, br#"{"cache":{"max_mb":-8}}"#, Readers::Default).unwrap();
        assert!(file.reload().unwrap().unwrap_err().to_string().contains("cache.max_mb"));
        assert_eq!(file.current().cache.max_mb, 8);
    }

    #[test]
    fn an_edit_keeps_what_the_user_wrote_and_adds_no_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("settings.json");
        disk::write_atomically(&path, br#"{"contact":"a@b","cache":{"max_mb":8}}"#, Readers::Default)
            .unwrap();
        let file = SettingsFile::open(dir.path(), []).unwrap();
        file.edit(|s| drop(s.insert("gateway".into(), serde_json::json!({"port": 9})))).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            serde_json::json!({"contact":"a@b","cache":{"max_mb":8},"gateway":{"port":9}})
        );
        assert!(file.reload().is_none(), "our own change is not news");
        assert!(file.edit(|s| drop(s.insert("gateway".into(), 1.into()))).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
