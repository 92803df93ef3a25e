//! The address of the shared server, which may hold a user and a password.

use std::fmt;

use redis::IntoConnectionInfo;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What stands for a password where it may be seen.
const HIDDEN: &str = "***";
/// The port of a server whose address names none.
const DEFAULT_PORT: u16 = 6379;

/// Why text is no address of a shared server. It never repeats the text: that may hold a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SharedUrlError {
    /// Another scheme, no host, or no address at all.
    #[error("must be an address like redis://host:6379, or rediss://user:password@host:6379/0 with TLS")]
    NotAnAddress,
    /// `?…` or `#…`; the latter could switch the check of certificates off.
    #[error("must end after the number of the database: nothing is read from ? or # in it")]
    TooMuch,
    /// The hidden form came back, but there is no password it could stand for.
    #[error("has *** for its password: write the password itself")]
    Hidden,
}

/// The address of a Redis-protocol server: `redis://`, or `rediss://` for TLS, then perhaps user and
/// password, a host, perhaps a port and the number of a database. Prints without user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct SharedUrl(String);

impl SharedUrl {
    /// Reads an address.
    ///
    /// # Errors
    /// See [`SharedUrlError`].
    pub fn parse(text: &str) -> Result<Self, SharedUrlError> {
        let text = text.trim();
        let url = redis::parse_redis_url(text).ok_or(SharedUrlError::NotAnAddress)?;
        let known = matches!(url.scheme(), "redis" | "rediss");
        if !known || url.host_str().is_none_or(str::is_empty) {
            return Err(SharedUrlError::NotAnAddress);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(SharedUrlError::TooMuch);
        }
        if url.password() == Some(HIDDEN) {
            return Err(SharedUrlError::Hidden);
        }
        text.into_connection_info().map_err(|_| SharedUrlError::NotAnAddress)?;
        Ok(Self(text.to_owned()))
    }

    /// Reads an address that may have the hidden form of `current`'s password, which is then kept.
    ///
    /// # Errors
    /// See [`SharedUrlError`].
    pub fn parse_over(text: &str, current: Option<&Self>) -> Result<Self, SharedUrlError> {
        match current {
            Some(current) if text.trim() == current.hidden() => Ok(current.clone()),
            _ => Self::parse(text),
        }
    }

    /// `rediss://user:***@host:6379/0`: what an editor shows, and [`SharedUrl::parse_over`] takes back.
    #[must_use]
    pub fn hidden(&self) -> String {
        let Some((scheme, rest)) = self.0.split_once("://") else { return String::new() };
        match rest.rsplit_once('@') {
            Some((login, place)) => match login.split_once(':') {
                Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}@{place}"),
                None => self.0.clone(),
            },
            None => self.0.clone(),
        }
    }

    /// The address itself, for the settings file and the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the library connects to.
    pub(super) fn connection(&self) -> redis::RedisResult<redis::ConnectionInfo> {
        let info = self.0.as_str().into_connection_info()?;
        // The server's list of clients names the program.
        let redis = info.redis_settings().clone().set_lib_name("headroom", env!("CARGO_PKG_VERSION"));
        Ok(info.set_redis_settings(redis))
    }

    /// `text` without this address's user and password, whoever wrote them there.
    pub(super) fn scrub(&self, text: &str) -> String {
        let Some(url) = redis::parse_redis_url(&self.0) else { return text.to_owned() };
        let info = self.0.as_str().into_connection_info().ok();
        let redis = info.as_ref().map(redis::ConnectionInfo::redis_settings);
        let plain = [redis.and_then(|r| r.password()), redis.and_then(|r| r.username())];
        let written = [url.password(), Some(url.username())];
        let secrets = plain.into_iter().chain(written).flatten().filter(|secret| !secret.is_empty());
        secrets.fold(text.replace(&self.0, &self.to_string()), |text, secret| text.replace(secret, HIDDEN))
    }
}

/// Without user and password.
impl fmt::Display for SharedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(url) = redis::parse_redis_url(&self.0) else { return f.write_str(HIDDEN) };
        let (host, port) = (url.host_str().unwrap_or_default(), url.port().unwrap_or(DEFAULT_PORT));
        write!(f, "{}://{host}:{port}", url.scheme())?;
        match url.path().trim_matches('/') {
            "" | "0" => Ok(()),
            database => write!(f, "/{database}"),
        }
    }
}

impl fmt::Debug for SharedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The hidden form: settings are shown, and only the file itself has the password.
impl Serialize for SharedUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.hidden())
    }
}

impl<'de> Deserialize<'de> for SharedUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = |error: SharedUrlError| serde::de::Error::custom(error);
        let text = String::deserialize(deserializer).map_err(|_| wrong(SharedUrlError::NotAnAddress))?;
        Self::parse(&text).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "rediss://anna:s%40cret@cache.lan:6380/2";

    #[test]
    fn an_address_prints_without_user_and_password() {
        let url = SharedUrl::parse(FULL).unwrap();
        assert_eq!(url.to_string(), "rediss://cache.lan:6380/2");
        assert_eq!(format!("{url:?} {:#?}", Some(&url)).matches("cret").count(), 0);
        assert_eq!(url.hidden(), "rediss://anna:***@cache.lan:6380/2");
        assert_eq!(serde_json::to_string(&url).unwrap(), "\"rediss://anna:***@cache.lan:6380/2\"");
        assert_eq!(url.expose(), FULL);
        let said = url.scrub("anna with s@cret (s%40cret) at rediss://anna:s%40cret@cache.lan:6380/2");
        assert_eq!(said, "*** with *** (***) at rediss://cache.lan:6380/2");
        assert_eq!(SharedUrl::parse("redis://[::1]").unwrap().to_string(), "redis://[::1]:6379");
    }

    #[test]
    fn the_hidden_form_sent_back_keeps_the_password_and_another_one_replaces_it() {
        let url = SharedUrl::parse(FULL).unwrap();
        assert_eq!(SharedUrl::parse_over(&url.hidden(), Some(&url)).unwrap(), url);
        let other = SharedUrl::parse_over("redis://:new@cache.lan", Some(&url)).unwrap();
        assert_eq!(other.expose(), "redis://:new@cache.lan");
        assert_eq!(SharedUrl::parse_over(&url.hidden(), None), Err(SharedUrlError::Hidden));
        let moved = "rediss://anna:***@other.lan:6380/2";
        assert_eq!(SharedUrl::parse_over(moved, Some(&url)), Err(SharedUrlError::Hidden));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_repeated() {
        for text in
            ["", "cache.lan:6379", "http://h", "unix:///tmp/s", "redis://", "redis://h/x", "redis://:pw@"]
        {
            assert_eq!(SharedUrl::parse(text), Err(SharedUrlError::NotAnAddress), "{text}");
        }
        for text in ["rediss://h/#insecure", "redis://h/0?protocol=resp3"] {
            assert_eq!(SharedUrl::parse(text), Err(SharedUrlError::TooMuch), "{text}");
        }
    }
}
