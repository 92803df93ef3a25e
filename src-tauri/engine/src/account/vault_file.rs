//! `vault.json` (0600): hashes of tools' keys, who is signed in, which vault is used; and the secrets
//! themselves where there is no keychain.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::accounts::Account;
use super::keys::ToolKey;
use super::secret::Secret;
use super::vault::VaultKind;
use crate::disk::{self, Readers};
use crate::service::ServiceId;

/// What the file holds.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Content {
    /// Chosen once, with the first secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<VaultKind>,
    #[serde(default)]
    pub(super) keys: Vec<ToolKey>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) accounts: BTreeMap<ServiceId, Vec<Account>>,
    /// Names of the secrets there are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) names: Vec<String>,
    /// Only for [`VaultKind::File`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) secrets: BTreeMap<String, Secret>,
    /// What other versions keep here stays.
    #[serde(flatten)]
    rest: serde_json::Map<String, serde_json::Value>,
}

/// Why `vault.json` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultFileError {
    /// It is no vault.
    #[error("{path} is damaged ({why}): put a copy back, or move it away, sign in again and make new keys")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
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

/// The file and what it holds.
#[derive(Debug)]
pub struct VaultFile {
    path: PathBuf,
    content: Mutex<Content>,
}

impl VaultFile {
    /// Reads `vault.json` of the folder `dir`; a missing file is empty.
    ///
    /// # Errors
    /// The file is there and cannot be read or understood.
    pub fn open(dir: &Path) -> Result<Self, VaultFileError> {
        let path = dir.join("vault.json");
        disk::sweep_leftovers(&path);
        let content = match fs::read(&path) {
            // serde's own words would quote the value that is wrong, which may be a secret.
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| VaultFileError::Damaged {
                path: path.clone(),
                why: format!("line {}, column {}", e.line(), e.column()),
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(source) => return Err(VaultFileError::File { path, source }),
        };
        Ok(Self { path, content: Mutex::new(content) })
    }

    /// Looks something up.
    pub(super) fn read<T>(&self, look: impl FnOnce(&Content) -> T) -> T {
        look(&self.content.lock())
    }

    /// Changes something. On disk when this returns; on an error nothing has changed.
    pub(super) fn change<T, E: From<VaultFileError>>(
        &self,
        change: impl FnOnce(&mut Content) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut content = self.content.lock();
        let mut new = content.clone();
        let done = change(&mut new)?;
        let failed = |source: io::Error| VaultFileError::File { path: self.path.clone(), source };
        let bytes = serde_json::to_vec_pretty(&new).map_err(|e| failed(e.into()))?;
        disk::write_atomically(&self.path, &bytes, Readers::Owner).map_err(failed)?;
        *content = new;
        Ok(done)
    }
}
