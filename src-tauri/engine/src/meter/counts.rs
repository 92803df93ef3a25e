//! What is counted, and the minutes it is counted in.

use std::collections::VecDeque;

use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A minute since 1970, UTC.
pub(super) type MinuteNo = i64;

/// How a call ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// An answer worth having.
    Ok,
    /// The service says there is no such thing.
    NotFound,
    /// The service refused us.
    Refused,
    /// Anything else: an error, a timeout, a call dropped half-way.
    Failed,
}

/// Sums over some time. Written as an array whose trailing zeros are left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Calls sent.
    pub calls: u32,
    /// Answers given from the cache.
    pub hits: u32,
    /// Calls answered well.
    pub ok: u32,
    /// Calls answered "not found".
    pub not_found: u32,
    /// Calls refused.
    pub refused: u32,
    /// Calls failed.
    pub failed: u32,
    /// Milliseconds spent waiting for answers.
    pub ms: u64,
    /// Bytes of the answers' bodies.
    pub bytes: u64,
}

const FIELDS: usize = 8;

impl Counts {
    /// Adds `other` to this.
    pub fn add(&mut self, other: &Self) {
        self.calls = self.calls.saturating_add(other.calls);
        self.hits = self.hits.saturating_add(other.hits);
        self.ok = self.ok.saturating_add(other.ok);
        self.not_found = self.not_found.saturating_add(other.not_found);
        self.refused = self.refused.saturating_add(other.refused);
        self.failed = self.failed.saturating_add(other.failed);
        self.ms = self.ms.saturating_add(other.ms);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    fn to_array(self) -> [u64; FIELDS] {
        let small =
            [self.calls, self.hits, self.ok, self.not_found, self.refused, self.failed].map(u64::from);
        let [calls, hits, ok, not_found, refused, failed] = small;
        [calls, hits, ok, not_found, refused, failed, self.ms, self.bytes]
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = self.to_array();
        let kept = fields.iter().rposition(|n| *n != 0).map_or(0, |last| last + 1);
        let mut seq = serializer.serialize_seq(Some(kept))?;
        for field in &fields[..kept] {
            seq.serialize_element(field)?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Counts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Vec::<u64>::deserialize(deserializer)?;
        if fields.len() > FIELDS {
            return Err(serde::de::Error::invalid_length(fields.len(), &"at most 8 counts"));
        }
        let at = |index: usize| fields.get(index).copied().unwrap_or(0);
        let small = |index| u32::try_from(at(index)).map_err(serde::de::Error::custom);
        Ok(Self {
            calls: small(0)?,
            hits: small(1)?,
            ok: small(2)?,
            not_found: small(3)?,
            refused: small(4)?,
            failed: small(5)?,
            ms: at(6),
            bytes: at(7),
        })
    }
}

/// The minutes of one endpoint in which something happened, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Series(VecDeque<(MinuteNo, Counts)>);

impl Series {
    /// The counts of `minute`, made if there are none yet.
    pub(super) fn at(&mut self, minute: MinuteNo) -> &mut Counts {
        let place = match self.0.back() {
            Some((last, _)) if *last == minute => self.0.len() - 1,
            Some((last, _)) if *last > minute => match self.0.binary_search_by_key(&minute, |(m, _)| *m) {
                Ok(place) => place,
                Err(place) => {
                    self.0.insert(place, (minute, Counts::default()));
                    place
                }
            },
            _ => {
                self.0.push_back((minute, Counts::default()));
                self.0.len() - 1
            }
        };
        &mut self.0[place].1
    }

    /// The minutes from `first` on.
    pub(super) fn since(&self, first: MinuteNo) -> impl Iterator<Item = &(MinuteNo, Counts)> {
        let place = self.0.partition_point(|(minute, _)| *minute < first);
        self.0.range(place..)
    }

    pub(super) fn forget_before(&mut self, first: MinuteNo) {
        while self.0.front().is_some_and(|(minute, _)| *minute < first) {
            self.0.pop_front();
        }
    }

    /// Moves every minute: the wall clock was set, the time that passed was not.
    pub(super) fn shift(&mut self, minutes: i64) {
        self.0.iter_mut().for_each(|(minute, _)| *minute = minute.saturating_add(minutes));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_keep_their_values_without_their_trailing_zeros() {
        let counts = Counts { calls: 5, refused: 1, ..Counts::default() };
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(text, "[5,0,0,0,1]");
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts);
        assert!(serde_json::from_str::<Counts>("[1,2,3,4,5,6,7,8,9]").is_err());
        assert!(serde_json::from_str::<Counts>("[-1]").is_err());
    }

    #[test]
    fn a_minute_stands_once_wherever_it_is_added() {
        let mut series = Series::default();
        for minute in [10, 12, 10, 11, 12, 9] {
            series.at(minute).calls += 1;
        }
        let minutes: Vec<_> = series.since(10).map(|(m, c)| (*m, c.calls)).collect();
        assert_eq!(minutes, [(10, 2), (11, 1), (12, 2)]);
    }
}
