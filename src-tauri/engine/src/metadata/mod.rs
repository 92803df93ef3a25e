//! What services say of music. Today: the tracks of a search, from the services that need no credential.

mod search;

use serde::Serialize;

pub use search::{SEARCHABLE, read_search, search_path};

/// A track that a search found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ts_rs::TS)]
pub struct Found {
    /// Its title.
    pub title: String,
    /// Its artists, as the service writes them.
    pub artist: String,
    /// An album it is on.
    pub album: Option<String>,
    /// Its length in milliseconds.
    pub duration_ms: Option<u64>,
    /// Its page at the service.
    pub link: Option<String>,
}
