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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
    /// The largest part of a service's budget it may use, more than 0 and at most 1; all when missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// When it was made, unix seconds.
    pub created: i64,
}

/// SHA-256 of a key somebody shows. Compared in constant time.
#[derive(Clone)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Hashes a key.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(Sha256::digest(key.as_bytes()).into())
    }

    fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(text.get(2 * place..2 * place + 2)?, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<hash>")
    }
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
    /// The share is no part of a budget.
    #[error("a key's share is more than 0 and at most 1, and not {0}")]
    BadShare(f64),
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
    known: RwLock<Vec<Known>>,
}

/// A key ready to be looked up.
#[derive(Debug, Clone)]
struct Known {
    hash: KeyHash,
    caller: Arc<str>,
    key: Arc<ToolKey>,
}

impl Known {
    /// `None` for a hash that somebody's hand damaged: it opens nothing.
    fn new(key: &ToolKey) -> Option<Self> {
        Some(Self {
            hash: KeyHash::from_hex(&key.sha256)?,
            caller: key.name.as_str().into(),
            key: Arc::new(key.clone()),
        })
    }
}

impl Keys {
    /// The keys in the vault's file.
    #[must_use]
    pub fn new(file: Arc<VaultFile>) -> Self {
        let known = file.read(|content| content.keys.iter().filter_map(Known::new).collect());
        Self { file, known: RwLock::new(known) }
    }

    /// Makes a key. The text returned is the only time it is seen.
    ///
    /// # Errors
    /// The name is taken or no name, the share is none, or the file cannot be written; then there is no
    /// key.
    pub fn add(
        &self,
        name: &str,
        services: Option<Vec<ServiceId>>,
        raw_links: bool,
        share: Option<f64>,
        now: Wall,
    ) -> Result<String, KeysError> {
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        if name.is_empty() || name.len() > 40 || !name.chars().all(fits) || OURS.contains(&name) {
            return Err(KeysError::BadName(name.to_owned()));
        }
        if let Some(share) = share.filter(|share| !(*share > 0.0 && *share <= 1.0)) {
            return Err(KeysError::BadShare(share));
        }
        let key = new_key();
        let entry = ToolKey {
            name: name.to_owned(),
            sha256: hex(&KeyHash::of(&key).0),
            services,
            raw_links,
            share,
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
        self.known.read().iter().map(|known| Arc::clone(&known.key)).collect()
    }

    /// The entry of a key somebody shows, and its name as a caller. Takes the same time for every wrong
    /// key.
    #[must_use]
    pub fn find(&self, shown: &KeyHash) -> Option<(Arc<ToolKey>, Arc<str>)> {
        let mut found = None;
        for known in self.known.read().iter() {
            if known.hash == *shown {
                found = Some((Arc::clone(&known.key), Arc::clone(&known.caller)));
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
        *known = keys.iter().filter_map(Known::new).collect();
        Ok(())
    }
}

/// 192 random bits, in hex behind `hr_`. Also the form of the control key.
#[must_use]
pub fn new_key() -> String {
    let bytes: [u8; 24] = rand::random();
    format!("{PREFIX}{}", hex(&bytes))
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
        let key =
            keys.add("beets", Some(vec![ServiceId::Deezer]), false, Some(0.5), Wall::default()).unwrap();
        let find = |keys: &Keys, key: &str| keys.find(&KeyHash::of(key)).map(|(key, _)| key);
        let again = open(dir.path());
        let found = find(&again, &key).unwrap();
        assert_eq!(found.share, Some(0.5));
        assert!(found.opens(ServiceId::Deezer) && !found.opens(ServiceId::Spotify));
        assert!(find(&again, "hr_0").is_none() && find(&again, "").is_none());
        let text = std::fs::read_to_string(dir.path().join("vault.json")).unwrap();
        assert!(!text.contains(&key[3..]), "the key itself is not stored");
        again.revoke("beets").unwrap();
        assert!(find(&again, &key).is_none());
        assert!(matches!(again.revoke("beets"), Err(KeysError::Unknown(_))));
    }

    #[test]
    fn names_and_shares_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        let keys = open(dir.path());
        for name in ["", "ui", "a b", "../x", "ü", &"x".repeat(41)] {
            assert!(
                matches!(keys.add(name, None, false, None, Wall::default()), Err(KeysError::BadName(_))),
                "{name:?}"
            );
        }
        for share in [0.0, -0.5, 1.1, f64::NAN] {
            let added = keys.add("a", None, false, Some(share), Wall::default());
            assert!(matches!(added, Err(KeysError::BadShare(_))), "{share}");
        }
        keys.add("a.b-c_1", None, true, None, Wall::default()).unwrap();
        assert!(matches!(keys.add("a.b-c_1", None, true, None, Wall::default()), Err(KeysError::Taken(_))));
    }
}
