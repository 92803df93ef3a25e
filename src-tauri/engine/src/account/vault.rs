//! Where secrets lie: the system's keychain, or `vault.json` where there is none.
//!
//! The kind is chosen once per data directory, with the first secret, and never changes by itself: a
//! keychain that is locked later is an error that says so, not a reason to write secrets elsewhere.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use keyring_core::api::CredentialStore;
use serde::{Deserialize, Serialize};

use super::secret::Secret;
use super::vault_file::{VaultFile, VaultFileError};

/// A keychain that asks its user something may take its time, but not for ever.
const KEYCHAIN_TIMEOUT: Duration = Duration::from_secs(20);
const SERVICE: &str = "app.headroom.desktop";

/// Which vault a data directory uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
#[ts(rename_all = "lowercase")]
pub enum VaultKind {
    /// Secret Service, Keychain, Credential Manager.
    Keychain,
    /// `vault.json`, readable by its owner alone.
    File,
}

/// Why a secret cannot be kept or found.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The keychain said no.
    #[error(
        "the system's keychain is not available ({0}): unlock it and try again; Headroom does not keep these secrets elsewhere by itself"
    )]
    Keychain(String),
    /// The file said no.
    #[error(transparent)]
    File(#[from] VaultFileError),
}

/// The vault of a data directory.
#[derive(Debug)]
pub struct Vault {
    file: Arc<VaultFile>,
    /// Tells the directories of one user apart in the keychain.
    prefix: String,
    force_file: bool,
}

impl Vault {
    /// The vault of the folder `dir`. `force_file` is `HEADROOM_VAULT=file`.
    #[must_use]
    pub fn new(dir: &Path, file: Arc<VaultFile>, force_file: bool) -> Self {
        let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        Self { file, prefix: dir.display().to_string(), force_file }
    }

    /// The kind in use; `None` before the first secret.
    #[must_use]
    pub fn kind(&self) -> Option<VaultKind> {
        self.file.read(|content| content.kind)
    }

    /// Names of the secrets there are.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.file.read(|content| content.names.clone())
    }

    /// A secret, if there is one of that name.
    ///
    /// # Errors
    /// The keychain is locked or gone.
    pub async fn get(&self, name: &str) -> Result<Option<Secret>, VaultError> {
        match self.kind() {
            None => Ok(None),
            Some(VaultKind::File) => Ok(self.file.read(|content| content.secrets.get(name).cloned())),
            Some(VaultKind::Keychain) => {
                let entry = self.entry_name(name);
                keychain(move |store| match store.build(SERVICE, &entry, None)?.get_password() {
                    Ok(secret) => Ok(Some(Secret::new(secret))),
                    Err(keyring_core::Error::NoEntry) => Ok(None),
                    Err(error) => Err(error),
                })
                .await
            }
        }
    }

    /// Keeps a secret; it is safe when this returns. The first one chooses the kind of vault.
    ///
    /// # Errors
    /// The keychain is locked or gone, or the file cannot be written; the old secret is then still there.
    pub async fn set(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        let kind = match self.kind() {
            Some(kind) => kind,
            None => self.choose().await,
        };
        if kind == VaultKind::Keychain {
            let (entry, secret) = (self.entry_name(name), secret.clone());
            keychain(move |store| store.build(SERVICE, &entry, None)?.set_password(secret.expose())).await?;
        }
        self.file.change(|content| {
            content.kind = Some(kind);
            if !content.names.iter().any(|known| known == name) {
                content.names.push(name.to_owned());
            }
            if kind == VaultKind::File {
                content.secrets.insert(name.to_owned(), secret.clone());
            }
            Ok(())
        })
    }

    /// Forgets a secret.
    ///
    /// # Errors
    /// As of [`Vault::set`].
    pub async fn remove(&self, name: &str) -> Result<(), VaultError> {
        if self.kind() == Some(VaultKind::Keychain) {
            let entry = self.entry_name(name);
            keychain(move |store| match store.build(SERVICE, &entry, None)?.delete_credential() {
                Ok(()) | Err(keyring_core::Error::NoEntry) => Ok(()),
                Err(error) => Err(error),
            })
            .await?;
        }
        self.file.change(|content| {
            content.names.retain(|known| known != name);
            content.secrets.remove(name);
            Ok(())
        })
    }

    /// A keychain that takes a secret, gives it back and forgets it, else the file.
    async fn choose(&self) -> VaultKind {
        if self.force_file {
            return VaultKind::File;
        }
        let entry = self.entry_name("trial");
        let tried = keychain(move |store| {
            let entry = store.build(SERVICE, &entry, None)?;
            entry.set_password("trial")?;
            entry.get_password()?;
            entry.delete_credential()
        });
        match tried.await {
            Ok(()) => VaultKind::Keychain,
            Err(error) => {
                tracing::warn!("secrets are kept in vault.json: {error}");
                VaultKind::File
            }
        }
    }

    fn entry_name(&self, name: &str) -> String {
        format!("{name} of {}", self.prefix)
    }
}

/// Runs `work` on the system's keychain, away from the runtime's threads and for a limited time.
async fn keychain<T: Send + 'static>(
    work: impl FnOnce(&CredentialStore) -> keyring_core::Result<T> + Send + 'static,
) -> Result<T, VaultError> {
    let done = tokio::task::spawn_blocking(move || work(&*system_store()?));
    match tokio::time::timeout(KEYCHAIN_TIMEOUT, done).await {
        Ok(Ok(Ok(done))) => Ok(done),
        Ok(Ok(Err(error))) => Err(VaultError::Keychain(error.to_string())),
        Ok(Err(panic)) => Err(VaultError::Keychain(panic.to_string())),
        Err(_) => Err(VaultError::Keychain("it did not answer".to_owned())),
    }
}

#[cfg(target_os = "linux")]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn system_store() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(keyring_core::Error::NoDefaultStore)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_vault_keeps_changes_and_forgets() {
        let dir = tempfile::tempdir().unwrap();
        let open = || Vault::new(dir.path(), Arc::new(VaultFile::open(dir.path()).unwrap()), true);
        let vault = open();
        assert_eq!((vault.kind(), vault.get("lastfm").await.unwrap()), (None, None));
        vault.set("lastfm", &Secret::new("one")).await.unwrap();
        vault.set("lastfm", &Secret::new("two")).await.unwrap();
        let vault = open();
        assert_eq!(vault.kind(), Some(VaultKind::File));
        assert_eq!(vault.get("lastfm").await.unwrap(), Some(Secret::new("two")));
        assert_eq!(vault.names(), ["lastfm"]);
        vault.remove("lastfm").await.unwrap();
        assert_eq!(open().get("lastfm").await.unwrap(), None);
    }

    #[test]
    fn t5_a_damaged_vault_is_named_without_its_content() {
        let dir = tempfile::tempdir().unwrap();
        let text = br#"{"secrets":{"lastfm":"s3cret","genius":5}}"#;
        crate::disk::write_atomically(&dir.path().join("vault.json"), text, crate::disk::Readers::Owner)
            .unwrap();
        let error = VaultFile::open(dir.path()).unwrap_err().to_string();
        assert!(error.contains("vault.json is damaged") && !error.contains("s3cret"), "{error}");
    }
}
