//! How long answers are kept: one word per endpoint, one set of rules per service.

use super::tags::{Answered, Tags};

/// How long an endpoint's answers are kept. "Not found" has a life of its own
/// (`cache.not_found_ttl_minutes`), and `cache.ttl_hours` of 0 keeps nothing at all.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Life {
    /// Not at all: what is written, played, or somebody's own and always changing.
    Never,
    /// The user's own, for that account only, so many seconds.
    Own(u32),
    /// A search: [`SEARCH_HOURS`].
    Search,
    /// What may be corrected now and then: `cache.ttl_hours`.
    Metadata,
    /// What does not change: until it is forgotten.
    Forever,
}

/// Life of a search, in hours: new releases should be found the same day.
pub const SEARCH_HOURS: u32 = 6;

/// What a provider's `Cache-Control` may do to the life of searches and metadata.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, ts_rs::TS)]
#[serde(rename_all = "lowercase")]
#[ts(rename_all = "lowercase")]
pub enum Heeds {
    /// Nothing: ours holds.
    Nothing,
    /// Lengthen it. A `max-age=0` that only means "ask again, it is cheap" does not shorten it.
    Longer,
    /// Lengthen and shorten it, or forbid keeping at all.
    Both,
}

/// A service's rules for keeping answers.
#[derive(Debug)]
pub struct Keeping {
    /// Whether all answers depend on who is signed in.
    pub by_account: bool,
    /// Request headers the answer depends on, in lower case.
    pub varies: &'static [&'static str],
    /// Parameters whose case the service ignores.
    pub ignores_case: &'static [&'static str],
    /// Parameters that make an answer somebody's own: it is not kept.
    pub personal: &'static [&'static str],
    /// What `Cache-Control` may do.
    pub heeds: Heeds,
    /// The life of answers of endpoints the catalogue has no name for.
    pub other: Life,
    /// Which artists, albums and tracks an answer is about.
    pub tags: fn(&Answered<'_>, &mut Tags),
}

impl Keeping {
    /// The careful rules a service's file starts from: nothing unknown is kept, nothing is heeded.
    pub(super) const PLAIN: Self = Self {
        by_account: false,
        varies: &[],
        ignores_case: &[],
        personal: &[],
        heeds: Heeds::Nothing,
        other: Life::Never,
        tags: |_, _| {},
    };
}
