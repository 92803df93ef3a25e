//! Keys that tools hold instead of real credentials.
//!
//! A key is shown once and kept as a hash, in `vault.json` (0600).

use std::sync::Arc;

use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::vault_file::{VaultFile, VaultFileError};
use crate::clock::Wall;
use crate::service::ServiceId;

/// What a key begins with, so that a leaked one is recognised.
const PREFIX: &str = "hr_";

/// A tool's key, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolKey {
    /// The tool's name, which is also its name as a caller.
    pub name: String,
    /// SHA-256 of the key, in hex.
    pub sha256: String,
    /// The services it opens; all when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<ServiceId>>,
    /// Whether links in answers are left as the service wrote them.
    #[serde(default)]
    pub raw_links: bool,
    /// When it was made, unix seconds.
    pub created: i64,
}

impl ToolKey {
    /// Whether it opens `service`.
    #[must_use]
    pub fn opens(&self, service: ServiceId) -> bool {
        self.services.as_ref().is_none_or(|list| list.contains(&service))
    }
}

/// Why keys cannot be changed or read.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The name is taken.
    #[error("there is a key named {0:?} already: revoke it first, or choose another name")]
    Taken(String),
    /// The name is no name.
    #[error("a key's name is 1 to 40 letters, digits, dots, dashes or underscores, and not {0:?}")]
    BadName(String),
    /// No such key.
    #[error("there is no key named {0:?}")]
    Unknown(String),
    /// `vault.json` cannot be used.
    #[error(transparent)]
    File(#[from] VaultFileError),
}

/// Callers that are ours: no key may have such a name.
const OURS: [&str; 6] = ["ui", "cli", "poller", "enrichment", "control", "others"];

/// All keys of a data directory.
#[derive(Debug)]
pub struct Keys {
    file: Arc<VaultFile>,
    known: RwLock<Vec<Arc<ToolKey>>>,
}

impl Keys {
    /// The keys in the vault's file.
    #[must_use]
    pub fn new(file: Arc<VaultFile>) -> Self {
        let known = file.read(|content| content.keys.iter().cloned().map(Arc::new).collect());
        Self { file, known: RwLock::new(known) }
    }

    /// Makes a key. The text returned is the only time it is seen.
    ///
    /// # Errors
    /// The name is taken or no name, or the file cannot be written; then there is no key.
    pub fn add(
        &self,
        name: &str,
        services: Option<Vec<ServiceId>>,
        raw_links: bool,
        now: Wall,
    ) -> Result<String, KeysError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) || OURS.contains(&name) {
            return Err(KeysError::BadName(name.to_owned()));
        }
        let key = new_key();
        let entry = ToolKey {
            name: name.to_owned(),
            sha256: hash(&key),
            services,
            raw_links,
            created: now.seconds(),
        };
        self.change(|keys| {
            if keys.iter().any(|k| k.name == name) {
                return Err(KeysError::Taken(name.to_owned()));
            }
            keys.push(entry);
            Ok(())
        })?;
        Ok(key)
    }

    /// Ends a key.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written; the key then still works.
    pub fn revoke(&self, name: &str) -> Result<(), KeysError> {
        self.change(|keys| {
            let before = keys.len();
            keys.retain(|k| k.name != name);
            if keys.len() == before { Err(KeysError::Unknown(name.to_owned())) } else { Ok(()) }
        })
    }

    /// All keys, oldest first.
    #[must_use]
    pub fn list(&self) -> Vec<Arc<ToolKey>> {
        self.known.read().clone()
    }

    /// The entry of a key somebody shows. Takes the same time for every wrong key.
    #[must_use]
    pub fn find(&self, key: &str) -> Option<Arc<ToolKey>> {
        if !key.starts_with(PREFIX) {
            return None;
        }
        let shown = hash(key);
        let mut found = None;
        for entry in self.known.read().iter() {
            if bool::from(entry.sha256.as_bytes().ct_eq(shown.as_bytes())) {
                found = Some(Arc::clone(entry));
            }
        }
        found
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<ToolKey>) -> Result<(), KeysError>,
    ) -> Result<(), KeysError> {
        let mut known = self.known.write();
        let keys = self.file.change(|content| {
            change(&mut content.keys)?;
            Ok::<_, KeysError>(content.keys.clone())
        })?;
        *known = keys.into_iter().map(Arc::new).collect();
        Ok(())
    }
}

/// 192 random bits, in hex behind `hr_`. Also the form of the control key.
#[must_use]
pub fn new_key() -> String {
    let bytes: [u8; 24] = rand::random();
    format!("{PREFIX}{}", hex(&bytes))
}

fn hash(key: &str) -> String {
    hex(&Sha256::digest(key.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(dir: &std::path::Path) -> Keys {
        Keys::new(Arc::new(VaultFile::open(dir).unwrap()))
    }

    #[test]
    fn a_key_works_until_it_is_revoked_and_lies_on_disk_only_as_a_hash() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(dir.path());
        let key = keys.add("beets", Some(vec![ServiceId::Deezer]), false, Wall::default()).unwrap();
        let again = open(dir.path());
        let found = again.find(&key).unwrap();
        assert!(found.opens(ServiceId::Deezer) && !found.opens(ServiceId::Spotify));
        assert!(again.find("hr_0").is_none() && again.find("").is_none());
        let text = std::fs::read_to_string(dir.path().join("vault.json")).unwrap();
        assert!(!text.contains(&key[3..]), "the key itself is not stored");
        again.revoke("beets").unwrap();
        assert!(again.find(&key).is_none());
        assert!(matches!(again.revoke("beets"), Err(KeysError::Unknown(_))));
    }

    #[test]
    fn names_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(dir.path());
        for name in ["", "ui", "a b", "../x", "ü", &"x".repeat(41)] {
            assert!(
                matches!(keys.add(name, None, false, Wall::default()), Err(KeysError::BadName(_))),
                "{name:?}"
            );
        }
        keys.add("a.b-c_1", None, true, Wall::default()).unwrap();
        assert!(matches!(keys.add("a.b-c_1", None, true, Wall::default()), Err(KeysError::Taken(_))));
    }
}
