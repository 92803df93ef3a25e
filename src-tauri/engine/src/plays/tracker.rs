//! The state machine: observations in, plays out.

use serde::{Deserialize, Serialize};

use super::observation::{Observation, Seen, Sight};
use super::reconcile::{Book, Gap, HISTORY_MS, Hole, Traced};
use super::{Ending, Play, Source, Stage, between};
use crate::clock::Wall;

/// How far time and progress may disagree and still be said to agree: our clock may come in whole
/// seconds, and an answer is on its way for a while.
const TOLERANCE_MS: i64 = 2_500;
/// How much of a first sighting is believed when nothing was observed before it.
const UNSEEN_MS: i64 = 12_000;
/// A hundred thousand years either way, so that times can be subtracted.
const EARLIEST: Wall = Wall::from_seconds(-3_200_000_000_000);
const LATEST: Wall = Wall::from_seconds(3_200_000_000_000);
/// Shorter tracks are not followed through several repeats within one gap.
const SHORTEST_LOOP_MS: i64 = 10_000;
/// The most repeats believed within one gap.
const MOST_LOOPS: i64 = 2_000;

/// Tells plays from observations of one account. [`super`] says how.
///
/// It can be serialised at any moment and goes on from there.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tracker {
    open: Option<Open>,
    last: Option<Look>,
    /// An observation older than the last: old news, unless the next one agrees with it.
    straggler: Option<Observation>,
    /// Time between the last two observations.
    pace_ms: i64,
    book: Book,
}

/// The play that is on, or fell silent and may be resumed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Open {
    traced: Traced,
    /// Something that is no track, or nothing, was seen since.
    silent: bool,
}

/// The last observation of the player.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Look {
    at: Wall,
    mood: Mood,
    /// Since when it is in this mood.
    since: Wall,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Mood {
    Playing,
    Paused,
    Other,
    Silent,
    Private,
}

/// What is expected of the player; the poller's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Nothing was observed yet.
    Unknown,
    /// A track plays.
    Playing {
        /// When it should end.
        ends_at: Wall,
    },
    /// Something plays that is no track, or a track of unknown length.
    Other {
        /// Since when.
        since: Wall,
    },
    /// A track is paused.
    Paused {
        /// Since when.
        since: Wall,
        /// What is left of it, in milliseconds.
        left_ms: i64,
    },
    /// Nothing is on, or nothing to be recorded.
    Silent {
        /// Since when.
        since: Wall,
    },
}

/// What the time between two sightings of one track means.
enum Turn {
    /// The same play; this much more of it was heard.
    Goes(i64),
    /// It ended, having been heard for `tail` more, was played `loops` times as a whole, and began again.
    Anew { tail: i64, loops: i64 },
    /// It began again after silence.
    Afresh,
}

impl Tracker {
    /// Takes an observation. Returns the plays that ended by it or were changed by the history; the
    /// open one is [`Self::open`]. A play that is returned again (same identity) replaces its older self.
    pub fn observe(&mut self, observation: &Observation) -> Vec<Play> {
        let mut out = Vec::new();
        let at = observation.at.clamp(EARLIEST, LATEST);
        let on_time = self.last.is_none_or(|last| at >= last.at);
        if on_time {
            // Whatever it says: the clock was not set back.
            self.straggler = None;
        }
        match &observation.seen {
            Seen::Unknown => {}
            Seen::History { rows, full } => {
                self.book.add(at, rows, *full);
                self.settle(&mut out);
            }
            seen if on_time => self.look(at, seen, &mut out),
            seen => self.look_late(at, seen, &mut out),
        }
        out
    }

    /// The play that is on: playing, or paused and not given up.
    #[must_use]
    pub fn open(&self) -> Option<&Play> {
        let play = self.open.as_ref().map(|open| &open.traced.play)?;
        (play.heard_ms > 0 && !matches!(play.stage, Stage::Ended(_))).then_some(play)
    }

    /// What is expected of the player.
    #[must_use]
    pub fn outlook(&self) -> Outlook {
        let Some(Look { mood, since, .. }) = self.last else { return Outlook::Unknown };
        let traced = self.open.as_ref().map(|open| &open.traced);
        let left = traced.and_then(Traced::left_ms);
        match (mood, traced, left) {
            (Mood::Playing, Some(traced), Some(left)) => {
                Outlook::Playing { ends_at: traced.seen_at.plus_millis(left) }
            }
            (Mood::Playing | Mood::Other, ..) => Outlook::Other { since },
            (Mood::Paused, ..) => Outlook::Paused { since, left_ms: left.unwrap_or(0) },
            // The player fell asleep over a paused track, which may be resumed.
            (Mood::Silent, Some(traced), Some(left_ms)) if traced.play.stage == Stage::Paused => {
                Outlook::Paused { since, left_ms }
            }
            (Mood::Silent | Mood::Private, ..) => Outlook::Silent { since },
        }
    }

    /// When the player was last observed.
    #[must_use]
    pub fn observed_at(&self) -> Option<Wall> {
        self.last.map(|last| last.at)
    }

    /// The longest time between two observations, in milliseconds, in which somebody may have listened
    /// unseen and about which the history was not asked yet; 0 when there is none.
    #[must_use]
    pub fn unexplained_ms(&self) -> i64 {
        self.book.unexplained_ms()
    }

    /// Times that cannot be filled any more: unobserved, and older than what the history still lists.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        self.book.gaps()
    }

    /// Ends the observation: what the history told of the time after the last look is believed, and the
    /// open play is returned with the rest.
    #[must_use]
    pub fn finish(mut self) -> Vec<Play> {
        let mut out = Vec::new();
        self.book.finish(
            self.last.map(|last| last.at),
            self.open.as_mut().map(|open| &mut open.traced),
            &mut out,
        );
        if let Some(open) = self.open.filter(|open| open.traced.play.heard_ms > 0) {
            out.push(open.traced.play);
        }
        out
    }

    fn settle(&mut self, out: &mut Vec<Play>) {
        if let Some(last) = self.last {
            self.book.settle(last.at, self.open.as_mut().map(|open| &mut open.traced), out);
        }
    }

    /// An observation that is older than the last.
    fn look_late(&mut self, at: Wall, seen: &Seen, out: &mut Vec<Play>) {
        if self.is_old_news(at, seen) {
            return;
        }
        match self.straggler.take() {
            Some(first) if at >= first.at => {
                self.set_back_to(&first);
                self.look(first.at, &first.seen, out);
                self.look(at, seen, out);
            }
            _ => self.straggler = Some(Observation { at, seen: seen.clone() }),
        }
    }

    /// Whether an older observation tells what is known already.
    fn is_old_news(&self, at: Wall, seen: &Seen) -> bool {
        let Seen::Track(sight) = seen else { return false };
        match &self.open {
            Some(open) if open.traced.play.track.is(&sight.track) => {
                let line = between(open.traced.seen_at, at).saturating_sub(sight.progress_ms);
                line.saturating_add(open.traced.position_ms).abs() <= TOLERANCE_MS
            }
            _ => self.book.covers(at, &sight.track),
        }
    }

    /// The clock was set back: `first` is the first observation by its new time.
    fn set_back_to(&mut self, first: &Observation) {
        let Some(last) = self.last.as_mut() else { return };
        let made = match (&self.open, &first.seen) {
            (Some(open), Seen::Track(sight)) if open.traced.play.track.is(&sight.track) => {
                sight.progress_ms - open.traced.position_ms
            }
            _ => -1,
        };
        let passed = if made >= 0 { made } else { self.pace_ms.min(UNSEEN_MS) };
        let shift = between(last.at, first.at).saturating_sub(passed);
        last.at = last.at.plus_millis(shift);
        last.since = last.since.plus_millis(shift);
        if let Some(open) = self.open.as_mut() {
            open.traced.seen_at = open.traced.seen_at.plus_millis(shift);
        }
    }

    /// An observation that is not older than the last.
    fn look(&mut self, at: Wall, seen: &Seen, out: &mut Vec<Play>) {
        let mood = match seen {
            Seen::Track(sight) => {
                let same = self.open.as_ref().is_some_and(|open| open.traced.play.track.is(&sight.track));
                if !same && !self.change(at, sight, out) {
                    return;
                }
                if same {
                    self.go_on(at, sight, out);
                }
                if sight.playing { Mood::Playing } else { Mood::Paused }
            }
            Seen::Other { progress_ms, playing } => {
                let since_look = self.since_look(at).unwrap_or(0);
                let start = progress_ms.filter(|p| *p <= since_look).map(|p| at.plus_millis(-p));
                self.fall_silent(at, start, out);
                if *playing { Mood::Other } else { Mood::Silent }
            }
            Seen::Private => {
                self.hide(at, out);
                Mood::Private
            }
            _ => {
                self.fall_silent(at, None, out);
                Mood::Silent
            }
        };
        let since = self.last.filter(|last| last.mood == mood).map_or(at, |last| last.since);
        self.pace_ms = self.since_look(at).unwrap_or(0);
        self.last = Some(Look { at, mood, since });
        if self.book.has_rows() {
            self.settle(out);
        }
    }

    fn since_look(&self, at: Wall) -> Option<i64> {
        self.last.map(|last| between(last.at, at))
    }

    /// Another track is on. False when the sighting is of a play that is known to have gone further.
    fn change(&mut self, at: Wall, sight: &Sight, out: &mut Vec<Play>) -> bool {
        if let Some(known) =
            self.book.same_start(at.plus_millis(-sight.progress_ms), &sight.track, TOLERANCE_MS)
        {
            if sight.progress_ms < known.position_ms - TOLERANCE_MS {
                return false;
            }
            if let Some(traced) = self.book.take_back(&sight.track, known.started_at) {
                self.leave(at, None, out);
                self.open = Some(Open { traced, silent: true });
                self.go_on(at, sight, out);
                return true;
            }
        }
        let since_look = self.since_look(at);
        let head = head(since_look, sight);
        let from = self.last.map(|last| last.at);
        if let (Head::Joined, Some(since_look)) = (&head, since_look)
            && let Some(traced) =
                self.book.take_left(&sight.track, sight.progress_ms, since_look, TOLERANCE_MS)
        {
            self.leave(at, None, out);
            self.open = Some(Open { traced, silent: true });
            self.go_on(at, sight, out);
            return true;
        }
        match head {
            Head::FromStart => self.leave(at, Some(at.plus_millis(-sight.progress_ms)), out),
            Head::Joined => self.leave(at, None, out),
        }
        self.begin(at, sight, &head, from);
        true
    }

    /// The open play goes on, or begins again.
    fn go_on(&mut self, at: Wall, sight: &Sight, out: &mut Vec<Play>) {
        let since_look = self.since_look(at).unwrap_or(0);
        let Some(open) = self.open.as_mut() else { return };
        if open.traced.play.track.duration_ms == 0 {
            open.traced.play.track.duration_ms = sight.track.duration_ms;
        }
        match turn(open, at, since_look, sight) {
            Turn::Goes(credit) => {
                open.silent = false;
                open.traced.go_on(at, sight, credit);
            }
            Turn::Anew { tail, loops } => {
                let Some(open) = self.open.take() else { return };
                let mut start = open.traced.seen_at.plus_millis(tail);
                let seen_at = open.traced.seen_at;
                let known = open.traced.play.heard_ms > 0;
                let (device, context) = (open.traced.play.device.clone(), open.traced.play.context.clone());
                let before = (known && loops == 0)
                    .then(|| (open.traced.play.track.id.clone(), open.traced.play.started_at));
                if known {
                    self.close(
                        Traced { end_is_proven: true, ..open.traced },
                        tail,
                        Ending::Finished,
                        at,
                        out,
                    );
                }
                let length = sight.track.duration_ms;
                for _ in 0..loops {
                    let play = Play {
                        track: sight.track.clone(),
                        started_at: start,
                        ended_at: start.plus_millis(length),
                        heard_ms: length,
                        stage: Stage::Ended(Ending::Finished),
                        source: Source::Player,
                        device: device.clone(),
                        context: context.clone(),
                    };
                    start = start.plus_millis(length);
                    out.push(play.clone());
                    self.book.keep(Traced::whole(play));
                }
                let began = at.plus_millis(-sight.progress_ms);
                if between(start, began) > HISTORY_MS {
                    self.book.open_hole(Hole::new(if loops > 0 { start } else { seen_at }, began, before));
                }
                self.begin(at, sight, &Head::FromStart, Some(start));
            }
            Turn::Afresh => {
                let head = head(Some(since_look), sight);
                let from = self.last.map(|last| last.at);
                self.leave(at, Some(at.plus_millis(-sight.progress_ms)), out);
                self.begin(at, sight, &head, from);
            }
        }
    }

    /// A play begins; `from` is the earliest it can have begun.
    fn begin(&mut self, at: Wall, sight: &Sight, head: &Head, from: Option<Wall>) {
        let track = sight.track.clone();
        let position = within(sight.progress_ms, track.duration_ms);
        let (heard_ms, started_at) = match head {
            Head::FromStart => (position, at.plus_millis(-sight.progress_ms)),
            Head::Joined => (0, at),
        };
        let starts_from = match head {
            Head::FromStart => started_at,
            Head::Joined => from.unwrap_or_else(|| at.plus_millis(-sight.progress_ms - HISTORY_MS)),
        };
        let play = Play {
            track,
            started_at,
            ended_at: at,
            heard_ms,
            stage: if sight.playing { Stage::Playing } else { Stage::Paused },
            source: Source::Player,
            device: sight.device.clone(),
            context: sight.context.clone(),
        };
        let unseen_from = from.unwrap_or(starts_from);
        let traced = Traced::new(play, at, sight, (starts_from, unseen_from));
        self.open = Some(Open { traced, silent: false });
    }

    /// The open play is over: something else was put on, at `start` if that is known.
    fn leave(&mut self, at: Wall, start: Option<Wall>, out: &mut Vec<Play>) {
        let to = start.unwrap_or(at);
        let Some(open) = self.open.take() else {
            let from = self.last.map_or(Hole::BEGINNING, |last| last.at);
            self.book.open_hole(Hole::new(from, to, None));
            return;
        };
        let traced = open.traced;
        if open.silent {
            let from = self.last.map_or(Hole::BEGINNING, |last| last.at);
            self.book.open_hole(Hole::new(from, to, None));
            if traced.play.heard_ms > 0 {
                // Its ending was told when it fell silent; only a paused one was left open.
                if traced.playing {
                    self.book.keep(traced);
                } else {
                    self.close(traced, 0, Ending::Stopped, at, out);
                }
            }
            return;
        }
        let (tail, ending) = tail(&traced, at, start);
        let proven = ending == Ending::Finished && start.is_some();
        let tail_end = traced.seen_at.plus_millis(if proven { tail } else { 0 });
        let unseen = between(tail_end, to) > HISTORY_MS;
        if unseen {
            let before = (traced.playing && traced.play.heard_ms > 0)
                .then(|| (traced.play.track.id.clone(), traced.play.started_at));
            self.book.open_hole(Hole::new(traced.seen_at, to, before));
        }
        if traced.play.heard_ms > 0 || tail > 0 {
            self.close(Traced { end_is_proven: start.is_some() && !unseen, ..traced }, tail, ending, to, out);
        }
    }

    /// What is on is no track; `start` is when that began, if known.
    fn fall_silent(&mut self, at: Wall, start: Option<Wall>, out: &mut Vec<Play>) {
        let from = self.last.map_or(Hole::BEGINNING, |last| last.at);
        let Some(open) = self.open.as_mut().filter(|open| !open.silent) else {
            self.book.open_hole(Hole::new(from, at, None));
            return;
        };
        open.silent = true;
        let traced = &mut open.traced;
        if !traced.playing {
            // Paused, and the player fell asleep: it may be resumed.
            return;
        }
        let (tail, ending) = match tail(traced, at, start) {
            (tail, Ending::Skipped) => (tail, Ending::Stopped),
            told => told,
        };
        traced.end(tail, ending, start.unwrap_or(at));
        // That it played to its end is assumed here, not proven: the history may know better.
        if between(traced.seen_at, at) > HISTORY_MS {
            let before = Some((traced.play.track.id.clone(), traced.play.started_at));
            self.book.open_hole(Hole::new(traced.seen_at, at, before));
        }
        if traced.play.heard_ms > 0 {
            out.push(traced.play.clone());
        }
    }

    /// A private session began: nothing of it is to be recorded, the rest of the open play included.
    fn hide(&mut self, at: Wall, out: &mut Vec<Play>) {
        let Some(open) = self.open.as_mut().filter(|open| !open.silent) else { return };
        open.silent = true;
        if open.traced.playing {
            open.traced.end(0, Ending::Stopped, at);
            // From here on it is as good as paused: what sounds in private is not credited.
            open.traced.playing = false;
            if open.traced.play.heard_ms > 0 {
                out.push(open.traced.play.clone());
            }
        }
    }

    fn close(&mut self, mut traced: Traced, tail: i64, ending: Ending, by: Wall, out: &mut Vec<Play>) {
        traced.end(tail, ending, by);
        out.push(traced.play.clone());
        self.book.keep(traced);
    }
}

/// What is believed of a first sighting.
enum Head {
    /// It was heard from its start.
    FromStart,
    /// It was joined at its position.
    Joined,
}

/// Rule 3: whether a first sighting is credited from the start.
fn head(since_look: Option<i64>, sight: &Sight) -> Head {
    let limit = since_look.unwrap_or(UNSEEN_MS).saturating_add(TOLERANCE_MS);
    if sight.progress_ms <= limit { Head::FromStart } else { Head::Joined }
}

/// Rule 4: what is credited after the last sighting of a track that is over, and how it ended. `start` is
/// the proven start of what came next.
fn tail(traced: &Traced, at: Wall, start: Option<Wall>) -> (i64, Ending) {
    let Some(left) = traced.left_ms() else { return (0, Ending::Stopped) };
    if !traced.playing {
        let ended = left <= TOLERANCE_MS;
        return (0, if ended { Ending::Finished } else { Ending::Stopped });
    }
    let room = between(traced.seen_at, start.unwrap_or(at)).max(0);
    if room.saturating_add(TOLERANCE_MS) >= left {
        (left, Ending::Finished)
    } else {
        (if start.is_some() { room } else { 0 }, Ending::Skipped)
    }
}

/// Rules 2, 5 and 6: what happened between two sightings of the same track.
fn turn(open: &Open, at: Wall, since_look: i64, sight: &Sight) -> Turn {
    let traced = &open.traced;
    let length = traced.play.track.duration_ms;
    let elapsed = between(traced.seen_at, at).max(0);
    let made = sight.progress_ms - traced.position_ms;
    let progress = (within(sight.progress_ms, length) - within(traced.position_ms, length)).max(0);
    let went_back = made < -TOLERANCE_MS;
    let on_line = traced.is_on_line(at, sight.progress_ms);
    let (was, is) = (traced.playing, sight.playing);

    if was && is && on_line {
        return Turn::Goes(progress);
    }
    if open.silent {
        let ended = traced.play.stage == Stage::Ended(Ending::Finished);
        let from_beginning = sight.progress_ms <= since_look.saturating_add(TOLERANCE_MS);
        return match went_back {
            true if ended || from_beginning => Turn::Afresh,
            true => Turn::Goes(0),
            false => Turn::Goes(progress.min(since_look)),
        };
    }
    // What was not played, if it ended and began again between: a pause, or repeats.
    let left = traced.left_ms().unwrap_or(0);
    let spare = elapsed.saturating_sub(left).saturating_sub(sight.progress_ms);
    let had_ended = !was && length > 0 && left <= TOLERANCE_MS;
    if length > 0 && (was || had_ended) && spare >= -TOLERANCE_MS {
        let loops = spare.max(0).saturating_add(length / 2) / length;
        let fits = (spare - loops.saturating_mul(length)).abs() <= TOLERANCE_MS;
        let repeated =
            was && is && sight.repeats && fits && length >= SHORTEST_LOOP_MS && loops <= MOST_LOOPS;
        if went_back || repeated {
            let tail = if was { left } else { 0 };
            return Turn::Anew { tail, loops: if repeated { loops } else { 0 } };
        }
    }
    let sought_ahead = made > elapsed.saturating_add(TOLERANCE_MS);
    Turn::Goes(match (was, is) {
        (true, true) if sought_ahead => elapsed,
        (true, true) if went_back && length > 0 => elapsed,
        (true, true) if went_back => elapsed.min(sight.progress_ms),
        (false, true) if went_back && sight.progress_ms <= elapsed => sight.progress_ms,
        _ if sought_ahead || went_back => 0,
        _ => progress,
    })
}

impl Traced {
    fn new(play: Play, at: Wall, sight: &Sight, (starts_from, unseen_from): (Wall, Wall)) -> Self {
        Self {
            play,
            seen_at: at,
            position_ms: sight.progress_ms,
            playing: sight.playing,
            tail_ms: 0,
            starts_from,
            unseen_from,
            ends_by: at,
            end_is_proven: false,
            row: None,
        }
    }

    fn whole(play: Play) -> Self {
        Self {
            seen_at: play.ended_at,
            position_ms: play.track.duration_ms,
            playing: true,
            tail_ms: 0,
            starts_from: play.started_at,
            unseen_from: play.started_at,
            ends_by: play.ended_at,
            end_is_proven: true,
            row: None,
            play,
        }
    }

    /// What was left of it at the last sighting; `None` when its length is not known.
    fn left_ms(&self) -> Option<i64> {
        let length = self.play.track.duration_ms;
        (length > 0).then(|| (length - self.position_ms).max(0))
    }

    fn is_on_line(&self, at: Wall, progress_ms: i64) -> bool {
        let made = progress_ms - self.position_ms;
        made >= -TOLERANCE_MS && made.saturating_sub(between(self.seen_at, at)).abs() <= TOLERANCE_MS
    }

    fn go_on(&mut self, at: Wall, sight: &Sight, credit: i64) {
        self.play.heard_ms -= self.tail_ms;
        self.tail_ms = 0;
        if self.play.heard_ms == 0 && !self.playing && credit > 0 {
            // Put on paused: it starts with the first sound.
            self.play.started_at = at.plus_millis(-credit);
        }
        self.play.heard_ms = self.play.heard_ms.saturating_add(credit);
        if sight.playing {
            self.play.ended_at = at;
        } else if credit > 0 {
            self.play.ended_at = self.seen_at.plus_millis(credit).min(at);
        }
        self.play.stage = if sight.playing { Stage::Playing } else { Stage::Paused };
        // A late answer may show an earlier moment; going back by it would credit that moment twice.
        let late = sight.playing && self.playing && self.is_on_line(at, sight.progress_ms);
        self.position_ms = if late { sight.progress_ms.max(self.position_ms) } else { sight.progress_ms };
        self.seen_at = at;
        self.playing = sight.playing;
    }

    /// Ends with `tail` more; whatever comes next is on by `by`.
    fn end(&mut self, tail: i64, ending: Ending, by: Wall) {
        self.end_after(tail, ending);
        self.ends_by = by.max(self.seen_at);
    }
}

/// `position` as far as the track goes.
fn within(position: i64, length: i64) -> i64 {
    if length > 0 { position.min(length) } else { position }
}
