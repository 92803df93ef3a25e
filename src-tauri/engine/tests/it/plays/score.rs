//! What was told against what was heard.

use headroom_engine::plays::{Observation, Play, Rule, Tracker};

use super::person::Heard;

/// The plays a sequence of observations tells, the open one included.
pub fn told(observations: impl IntoIterator<Item = Observation>) -> Vec<Play> {
    let mut tracker = Tracker::default();
    let mut plays = Vec::new();
    for observation in observations {
        merge(&mut plays, tracker.observe(&observation));
    }
    merge(&mut plays, tracker.finish());
    plays.sort_by_key(|play| play.started_at);
    plays
}

/// As a store would: a play that is told again replaces its older self.
pub fn merge(plays: &mut Vec<Play>, changed: Vec<Play>) {
    for play in changed {
        match plays.iter_mut().find(|known| known.is(&play)) {
            Some(known) => *known = play,
            None => plays.push(play),
        }
    }
}

pub fn counted(plays: &[Play]) -> usize {
    plays.iter().filter(|play| Rule::default().counts(play)).count()
}

/// Counted plays that were heard, counted plays, heard plays that count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    pub right: usize,
    pub told: usize,
    pub heard: usize,
}

impl Score {
    /// Pairs counted plays with listenings of the same song in whose time they began: somebody may have
    /// paused before the first look.
    pub fn of(plays: &[Play], truth: &[Heard]) -> Self {
        let rule = Rule::default();
        let mut heard: Vec<&Heard> = truth.iter().filter(|heard| heard.counts(0.8)).collect();
        let mut score = Self { heard: heard.len(), ..Self::default() };
        for play in plays.iter().filter(|play| rule.counts(play)) {
            score.told += 1;
            let mine = heard.iter().position(|heard| {
                let started = play.started_at.millis();
                heard.song.id == play.track.id
                    && started >= heard.started - 20_000
                    && started < heard.ended.max(heard.started + 20_000)
            });
            if let Some(mine) = mine {
                heard.remove(mine);
                score.right += 1;
            }
        }
        score
    }

    pub fn is_perfect(&self) -> bool {
        self.right == self.told && self.right == self.heard
    }

    pub fn add(&mut self, other: Self) {
        self.right += other.right;
        self.told += other.told;
        self.heard += other.heard;
    }
}
