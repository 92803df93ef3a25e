//! What the history adds to what was seen.
//!
//! The provider lists plays longer than 30 s, at most fifty, each stamped at its start or at its end
//! (spotify/web-api #1083), whether heard whole or left after 31 s. So a row proves that a track was on
//! around its stamp, and nothing more.
//!
//! 1. **Holes.** While observing, the tracker notes each time in which more than 30 s may have been heard
//!    unseen. Only there a row can become a play.
//! 2. **Known plays first.** Each play heard for so long has one row. In order of time every play takes
//!    the first row of its track that is stamped at its start or end; what is left is tried against plays
//!    nearby, for clocks disagree.
//! 3. **Filling.** The rows left in a hole are laid out between what was seen before and after it: for
//!    each row start or end is chosen such that plays do not overlap, none is shorter than 30 s or longer
//!    than its track, most of the time is explained, and most plays end where the next begins. What was
//!    assumed of the track before the hole is corrected by the same layout.
//! 4. **Gaps.** What lies before the oldest row of a full page can no longer be known and is shown so.
//!
//! **Invariant:** a row is looked at once; fetching it again changes nothing.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::observation::Row;
use super::{Ending, Play, Source, Stage, Track, between};
use crate::clock::Wall;

/// The provider lists plays longer than this.
pub(super) const HISTORY_MS: i64 = 30_000;
/// How far a row's stamp may lie from the start or end it stands for.
const STAMP_MS: i64 = 5_000;
/// The same for a play that no row of a nearer stamp belongs to: the provider's clock is not ours.
const LOOSE_MS: i64 = 90_000;
/// Plays kept for rows still to come; the history has fifty.
const KNOWN: usize = 96;
const HOLES: usize = 32;
const GAPS: usize = 32;
const DONE: usize = 200;
/// Rows may come late; a hole is kept this long.
const HOLE_LIFE_MS: i64 = 24 * 3_600 * 1_000;
/// How much explained time a play that ends exactly where the next begins is worth.
const FIT_MS: i64 = 60_000;
/// What it costs when stamps change between start and end, and, for each row by which the other kind was
/// more frequent, when they are not as they mostly were.
const ODD_MS: i64 = 10_000;
/// So many more of one kind make a habit to rely on.
const SURE: i64 = 3;
/// How much is remembered of how rows mostly were stamped.
const HABIT: i64 = 20;
/// What it costs to leave a row out.
const LEFT_OUT_MS: i64 = 600_000;

/// Time that was not observed and that the history does not reach any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last that was observed.
    pub from: Wall,
    /// The first that is known again.
    pub to: Wall,
}

/// A play and how far what is known of it can be trusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Traced {
    pub play: Play,
    /// Its last sighting.
    pub seen_at: Wall,
    /// Position then.
    pub position_ms: i64,
    /// Not paused then.
    pub playing: bool,
    /// The part of its heard time that was credited after the last sighting.
    pub tail_ms: i64,
    /// The earliest it can have started if it was not paused before its first sighting.
    pub starts_from: Wall,
    /// The last look before its first sighting.
    pub unseen_from: Wall,
    /// The latest it can have ended.
    pub ends_by: Wall,
    /// What came next was seen to start, so that a row has nothing to add.
    pub end_is_proven: bool,
    /// The stamp of its row in the history.
    pub row: Option<Wall>,
}

impl Traced {
    /// Whether a row stamped `at` stands for its start or end, give or take `slack`.
    fn fits(&self, at: Wall, slack: i64) -> bool {
        let inside = |from: Wall, to: Wall| at >= from.plus_millis(-slack) && at <= to.plus_millis(slack);
        let left = (self.play.track.duration_ms - self.position_ms).max(0);
        let due = if self.playing && self.play.track.duration_ms > 0 {
            self.seen_at.plus_millis(left).min(self.ends_by)
        } else {
            self.ends_by
        };
        let from = if self.playing { self.seen_at } else { self.play.ended_at };
        inside(self.starts_from.min(self.play.started_at), self.play.started_at)
            || inside(from, due.max(from))
    }

    fn fits_loosely(&self, at: Wall) -> bool {
        let from = self.unseen_from.min(self.play.started_at.plus_millis(-LOOSE_MS));
        at >= from && at <= self.play.ended_at.plus_millis(LOOSE_MS)
    }

    /// Rows are mostly stamped at the end, and this one is not stamped at this play's start: believes it,
    /// if the end was assumed. Whether that changed anything.
    fn end_at(&mut self, at: Wall) -> bool {
        let left = (self.play.track.duration_ms - self.position_ms).max(0);
        let tail = between(self.seen_at, at).clamp(0, left);
        let at_start = between(self.play.started_at, at).abs() <= STAMP_MS;
        let is_over = matches!(self.play.stage, Stage::Ended(_));
        if self.end_is_proven
            || at_start
            || !self.playing
            || !is_over
            || (tail - self.tail_ms).abs() <= STAMP_MS
        {
            return false;
        }
        let short =
            if self.play.stage == Stage::Ended(Ending::Skipped) { Ending::Skipped } else { Ending::Stopped };
        self.end_after(tail, if tail + STAMP_MS >= left { Ending::Finished } else { short });
        true
    }

    /// Ends `tail` after the last sighting.
    pub(super) fn end_after(&mut self, tail: i64, ending: Ending) {
        self.play.heard_ms = self.play.heard_ms - self.tail_ms + tail;
        self.tail_ms = tail;
        if tail > 0 || self.playing {
            self.play.ended_at = self.seen_at.plus_millis(tail);
        }
        self.play.stage = Stage::Ended(ending);
    }

    /// Whether the history should list it, as far as can be told.
    fn is_listed(&self) -> bool {
        self.play.heard_ms > HISTORY_MS - STAMP_MS
    }
}

/// Time in which somebody may have listened unseen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Hole {
    from: Wall,
    to: Wall,
    /// The play that was on when it began: track id and start.
    before: Option<(String, Wall)>,
    /// The history was asked about it.
    asked: bool,
    /// The longest time in it between two observations, in milliseconds.
    unobserved_ms: i64,
}

impl Hole {
    /// Before the first observation.
    pub(super) const BEGINNING: Wall = Wall::from_millis(i64::MIN / 4);

    pub(super) fn new(from: Wall, to: Wall, before: Option<(String, Wall)>) -> Self {
        Self { from, to, before, asked: false, unobserved_ms: between(from, to) }
    }

    fn ms(&self) -> i64 {
        between(self.from, self.to)
    }
}

/// Where a known play stands, for the tracker.
pub(super) struct Place {
    pub started_at: Wall,
    pub position_ms: i64,
}

/// What was seen, what was not, and what the history said so far.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Book {
    known: VecDeque<Traced>,
    holes: Vec<Hole>,
    gaps: Vec<Gap>,
    /// Rows not looked at yet, oldest first: they are stamped after the last observation, or lie in a hole
    /// that was not over when the page was fetched, so that its other rows are still to come.
    pending: Vec<Row>,
    /// Rows looked at.
    done: VecDeque<(String, Wall)>,
    /// When the history was last fetched, and its oldest row if there may be older ones.
    page: Option<(Wall, Option<Wall>)>,
    /// How many more rows of known plays were stamped at the start than at the end.
    stamped_at_start: i64,
}

impl Book {
    /// Notes a play that is over.
    pub(super) fn keep(&mut self, traced: Traced) {
        let place = self.known.partition_point(|other| other.play.started_at <= traced.play.started_at);
        self.known.insert(place, traced);
        if self.known.len() > KNOWN {
            self.known.pop_front();
        }
    }

    /// Notes time in which something may have been heard unseen, if that is long enough.
    pub(super) fn open_hole(&mut self, hole: Hole) {
        if let Some(last) = self.holes.last_mut()
            && last.to == hole.from
            && hole.before.is_none()
            && !last.asked
        {
            last.to = hole.to.max(last.to);
            last.unobserved_ms = last.unobserved_ms.max(hole.unobserved_ms);
            return;
        }
        if hole.ms() > HISTORY_MS {
            self.holes.push(hole);
            if self.holes.len() > HOLES {
                self.holes.remove(0);
            }
        }
    }

    pub(super) fn unexplained_ms(&self) -> i64 {
        self.holes.iter().filter(|hole| !hole.asked).map(|hole| hole.unobserved_ms).max().unwrap_or(0)
    }

    pub(super) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    pub(super) fn has_rows(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether `track` is known to have been on at `at`.
    pub(super) fn covers(&self, at: Wall, track: &Track) -> bool {
        self.known.iter().any(|known| {
            known.play.track.is(track)
                && at >= known.play.started_at.plus_millis(-STAMP_MS)
                && at <= known.play.ended_at.plus_millis(STAMP_MS)
        })
    }

    /// A play of `track` that was seen to start at `start`.
    pub(super) fn same_start(&self, start: Wall, track: &Track, slack: i64) -> Option<Place> {
        let known = self.known.iter().rev().find(|known| {
            known.play.source == Source::Player
                && between(start, known.play.started_at).abs() <= slack
                && known.play.track.is(track)
        })?;
        Some(Place { started_at: known.play.started_at, position_ms: known.position_ms })
    }

    /// Hands a play back that goes on after all.
    pub(super) fn take_back(&mut self, track: &Track, started_at: Wall) -> Option<Traced> {
        let place = self
            .known
            .iter()
            .position(|known| known.play.started_at == started_at && known.play.track.is(track))?;
        self.known.remove(place)
    }

    /// Hands back the last play of `track` if that was left at most `since_look` before `position_ms`.
    pub(super) fn take_left(
        &mut self,
        track: &Track,
        position_ms: i64,
        since_look: i64,
        slack: i64,
    ) -> Option<Traced> {
        let place = self.known.iter().rposition(|known| known.play.track.is(track))?;
        let known = self.known.get(place)?;
        let on = position_ms - known.position_ms - known.tail_ms;
        let left = matches!(known.play.stage, Stage::Ended(Ending::Skipped | Ending::Stopped));
        if known.play.source != Source::Player
            || !left
            || on < -slack
            || on > since_look.saturating_add(slack)
        {
            return None;
        }
        let mut known = self.known.remove(place)?;
        known.position_ms += known.tail_ms;
        known.seen_at = known.seen_at.plus_millis(known.tail_ms);
        known.tail_ms = 0;
        Some(known)
    }

    /// Takes a page of the history, newest first, fetched at `at`.
    pub(super) fn add(&mut self, at: Wall, rows: &[Row], full: bool) {
        let is = |row: &Row, key: &(String, Wall)| row.track.id == key.0 && row.played_at == key.1;
        let mut fresh: Vec<Row> = Vec::new();
        for (place, row) in rows.iter().enumerate().rev() {
            // Two plays may share a stamp: the end of one is the start of the next.
            let key = (row.track.id.clone(), row.played_at);
            let listed = rows.iter().skip(place).filter(|other| is(other, &key)).count();
            let known = self.done.iter().filter(|done| is(row, done)).count()
                + self.pending.iter().filter(|other| is(other, &key)).count();
            if listed > known {
                fresh.push(row.clone());
            }
        }
        self.pending.append(&mut fresh);
        self.pending.sort_by_key(|row| row.played_at);
        let oldest = rows.iter().map(|row| row.played_at).min().filter(|_| full);
        self.page = Some((at, oldest));
    }

    /// Looks at the rows stamped until `horizon`, the last observation.
    pub(super) fn settle(&mut self, horizon: Wall, open: Option<&mut Traced>, out: &mut Vec<Play>) {
        let count = self.pending.partition_point(|row| row.played_at <= horizon);
        let rows: Vec<Row> = self.pending.drain(..count).collect();
        self.place(rows, open, out);
        self.turn_page();
    }

    /// The last observation was at `last`: believes what the history says of the time after it.
    pub(super) fn finish(&mut self, last: Option<Wall>, mut open: Option<&mut Traced>, out: &mut Vec<Play>) {
        let Some((fetched, _)) = self.page.filter(|_| self.has_rows()) else { return };
        let from = last.unwrap_or(Hole::BEGINNING);
        let running = open.as_deref_mut().filter(|open| open.play.stage == Stage::Playing);
        let before = running.map(|open| {
            // Rows are of plays that are over. Whether the open one is among them decides about its tail.
            open.ends_by = fetched.max(open.seen_at);
            let id = (open.play.track.id.clone(), open.play.started_at);
            let told = self.pending.iter().any(|row| {
                (row.track.is(&open.play.track) && open.fits(row.played_at, STAMP_MS))
                    || row.played_at > open.ends_by
            });
            (id, told)
        });
        let told = before.filter(|(_, told)| *told).map(|(id, _)| id);
        self.open_hole(Hole::new(from, fetched.max(from), told));
        // No other page will come.
        self.page = self.page.map(|(fetched, oldest)| (fetched.max(from), oldest));
        self.settle(Wall::from_millis(i64::MAX), open, out);
    }

    /// The holes the last page reaches have been asked about; what it no longer reaches is lost.
    fn turn_page(&mut self) {
        let Some((fetched, oldest)) = self.page else { return };
        for hole in self.holes.iter_mut().filter(|hole| !hole.asked && hole.to <= fetched) {
            hole.asked = true;
            if let Some(oldest) = oldest
                && hole.from != Hole::BEGINNING
                && between(hole.from, oldest) > HISTORY_MS
            {
                self.gaps.push(Gap { from: hole.from, to: hole.to.min(oldest) });
            }
        }
        self.holes.retain(|hole| between(hole.to, fetched) < HOLE_LIFE_MS);
        let excess = self.gaps.len().saturating_sub(GAPS);
        self.gaps.drain(..excess);
    }

    fn place(&mut self, mut rows: Vec<Row>, mut open: Option<&mut Traced>, out: &mut Vec<Play>) {
        let mut done = Vec::new();
        for loosely in [false, true] {
            for known in self.known.iter_mut().chain(open.as_deref_mut()) {
                // The loose try is for plays whose own row should be among these.
                let is_over = matches!(known.play.stage, Stage::Ended(_));
                if known.row.is_some() || !known.is_listed() || (loosely && !is_over) {
                    continue;
                }
                let mine = rows.iter().position(|row| {
                    row.track.is(&known.play.track)
                        && if loosely {
                            known.fits_loosely(row.played_at)
                        } else {
                            known.fits(row.played_at, STAMP_MS)
                        }
                });
                if let Some(mine) = mine {
                    let row = rows.remove(mine);
                    let from_start = between(known.play.started_at, row.played_at).abs();
                    let from_end = between(known.play.ended_at, row.played_at).abs();
                    self.stamped_at_start = self
                        .stamped_at_start
                        .saturating_add((from_end - from_start).signum())
                        .clamp(-HABIT, HABIT);
                    known.row = Some(row.played_at);
                    if !loosely && self.stamped_at_start <= -SURE && known.end_at(row.played_at) {
                        out.push(known.play.clone());
                    }
                    done.push((row.track.id, row.played_at));
                }
            }
        }
        let fetched = self.page.map_or(Hole::BEGINNING, |(fetched, _)| fetched);
        let mut holes = Vec::new();
        for hole in std::mem::take(&mut self.holes) {
            let inside = |row: &Row| {
                row.played_at >= hole.from.plus_millis(-STAMP_MS)
                    && row.played_at <= hole.to.plus_millis(STAMP_MS)
            };
            let (mine, rest): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(inside);
            rows = rest;
            if mine.is_empty() {
                holes.push(hole);
            } else if hole.to > fetched {
                self.pending.extend(mine);
                holes.push(hole);
            } else {
                self.fill(&hole, &mine, open.as_deref_mut(), &mut holes, out);
                done.extend(mine.into_iter().map(|row| (row.track.id, row.played_at)));
            }
        }
        self.pending.sort_by_key(|row| row.played_at);
        self.holes = holes;
        // Whatever is left lies in time that was observed: it is known already.
        self.done.extend(done);
        self.done.extend(rows.into_iter().map(|row| (row.track.id, row.played_at)));
        let excess = self.done.len().saturating_sub(DONE);
        self.done.drain(..excess);
    }

    /// Lays `rows` out in `hole`; what stays empty is a hole again.
    fn fill(
        &mut self,
        hole: &Hole,
        rows: &[Row],
        open: Option<&mut Traced>,
        holes: &mut Vec<Hole>,
        out: &mut Vec<Play>,
    ) {
        let habit = self.stamped_at_start;
        let before = hole.before.as_ref().and_then(|(id, started_at)| {
            self.known
                .iter_mut()
                .chain(open)
                .find(|known| known.play.started_at == *started_at && known.play.track.id == *id)
        });
        let before = before.filter(|known| known.playing);
        let tail = before.as_ref().map(|known| {
            let left = (known.play.track.duration_ms - known.position_ms).max(0);
            let told = known.row.is_some_and(|row| habit <= -SURE && row > hole.from.plus_millis(STAMP_MS));
            if told { (known.tail_ms, known.tail_ms) } else { (0, left) }
        });
        let layout = lay_out(hole, tail, rows, habit);
        let mut free_from = hole.from;
        if let Some(known) = before {
            free_from = hole.from.plus_millis(layout.tail);
            if known.tail_ms != layout.tail {
                let left = (known.play.track.duration_ms - known.position_ms).max(0);
                let ending = match known.play.stage {
                    _ if layout.tail + STAMP_MS >= left => Ending::Finished,
                    Stage::Ended(Ending::Stopped) => Ending::Stopped,
                    _ => Ending::Skipped,
                };
                known.end_after(layout.tail, ending);
                out.push(known.play.clone());
            }
        }
        let mut note = |from: Wall, to: Wall| {
            if between(from, to) > HISTORY_MS {
                holes.push(Hole { asked: hole.asked, ..Hole::new(from, to, None) });
            }
        };
        for (row, piece) in rows.iter().zip(&layout.pieces) {
            let Some(piece) = piece else { continue };
            note(free_from, piece.from);
            free_from = piece.from.plus_millis(piece.ms);
            let whole = piece.ms >= row.track.duration_ms - STAMP_MS;
            let play = Play {
                track: row.track.clone(),
                started_at: piece.from,
                ended_at: free_from,
                heard_ms: piece.ms,
                stage: Stage::Ended(if whole { Ending::Finished } else { Ending::Skipped }),
                source: Source::RecentlyPlayed,
                device: None,
                context: row.context.clone(),
            };
            out.push(play.clone());
            self.keep(Traced {
                seen_at: play.ended_at,
                position_ms: play.track.duration_ms,
                playing: true,
                tail_ms: 0,
                starts_from: play.started_at,
                unseen_from: play.started_at,
                ends_by: play.ended_at,
                end_is_proven: true,
                row: Some(row.played_at),
                play,
            });
        }
        note(free_from, hole.to);
    }
}

/// Where a row's play lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Piece {
    from: Wall,
    ms: i64,
}

/// A hole laid out: what was heard of the track before it, and the plays of its rows.
struct Layout {
    tail: i64,
    pieces: Vec<Option<Piece>>,
}

/// How far a layout has come.
#[derive(Debug, Clone, Copy)]
enum Cursor {
    /// Everything until here is laid out.
    Closed(Wall),
    /// A play runs from here, so long at most and so long at least; its end is not decided.
    Running { from: Wall, most: i64, least: i64 },
}

/// A row taken as start or end, with the best way to it.
#[derive(Debug, Clone, Copy)]
struct Choice {
    value: i64,
    cursor: Cursor,
    /// The choice before it: its row and whether that was taken as its end.
    previous: Option<(usize, bool)>,
    /// Length given to the one that was running before.
    closes: i64,
    /// Own length when taken as an end.
    own: i64,
}

/// Chooses for each row whether it is stamped at its start or its end. `tail` is the least and the most
/// that can have been heard of the track that played when the hole began; `habit` is positive if rows were mostly stamped at the start.
fn lay_out(hole: &Hole, tail: Option<(i64, i64)>, rows: &[Row], habit: i64) -> Layout {
    let start = match tail {
        Some((least, most)) => Cursor::Running { from: hole.from, most, least },
        None => Cursor::Closed(hole.from),
    };
    let mut best: Vec<[Option<Choice>; 2]> = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let mut options = [None, None];
        for (end, option) in [false, true].into_iter().zip(&mut options) {
            let mut consider =
                |value: i64, cursor: Cursor, previous: Option<(usize, bool)>, skipped: usize| {
                    let Some(step) = advance(cursor, row, end) else { return };
                    let switched = previous.is_some_and(|(_, was_end)| was_end != end);
                    let left_out = i64::try_from(skipped).unwrap_or(0).saturating_mul(LEFT_OUT_MS);
                    let unusual = if end { habit.max(0) } else { (-habit).max(0) };
                    let value = value + step.gain - left_out - (i64::from(switched) + unusual) * ODD_MS;
                    if option.is_none_or(|best: Choice| value > best.value) {
                        *option = Some(Choice {
                            value,
                            cursor: step.cursor,
                            previous,
                            closes: step.closes,
                            own: step.own,
                        });
                    }
                };
            consider(0, start, None, place);
            for (earlier, choices) in best.iter().enumerate() {
                for (was_end, choice) in [false, true].into_iter().zip(choices) {
                    if let Some(choice) = choice {
                        consider(choice.value, choice.cursor, Some((earlier, was_end)), place - earlier - 1);
                    }
                }
            }
        }
        best.push(options);
    }
    let mut pieces = vec![None; rows.len()];
    let mut heard = finish(start, hole.to).1;
    let last = best
        .iter()
        .enumerate()
        .flat_map(|(place, choices)| {
            [false, true].into_iter().zip(choices).filter_map(move |(end, choice)| {
                let choice = (*choice)?;
                let (gain, closes) = finish(choice.cursor, hole.to);
                let left_out = i64::try_from(rows.len() - place - 1).unwrap_or(0).saturating_mul(LEFT_OUT_MS);
                Some((choice.value + gain - left_out, place, end, closes))
            })
        })
        .max_by_key(|(value, ..)| *value);
    let mut at = last.map(|(_, place, end, closes)| (place, end, closes));
    while let Some((place, end, closes)) = at {
        let (Some(row), Some(choice)) =
            (rows.get(place), best.get(place).and_then(|choices| choices[usize::from(end)]))
        else {
            break;
        };
        let piece = if end {
            Piece { from: row.played_at.plus_millis(-choice.own), ms: choice.own }
        } else {
            Piece { from: row.played_at, ms: closes }
        };
        if let Some(slot) = pieces.get_mut(place) {
            *slot = Some(piece);
        }
        at = choice.previous.map(|(place, end)| (place, end, choice.closes));
        if at.is_none() {
            heard = choice.closes;
        }
    }
    Layout { tail: if tail.is_some() { heard } else { 0 }, pieces }
}

struct Step {
    gain: i64,
    cursor: Cursor,
    closes: i64,
    own: i64,
}

/// Takes `row` as a start or an end after `cursor`; `None` when it does not fit there.
fn advance(cursor: Cursor, row: &Row, end: bool) -> Option<Step> {
    let stamp = row.played_at;
    let most = if row.track.duration_ms > 0 { row.track.duration_ms } else { HISTORY_MS };
    let least = HISTORY_MS.min(most);
    let fit = |ms: i64| if ms.abs() <= STAMP_MS { FIT_MS } else { 0 };
    match (cursor, end) {
        (Cursor::Closed(at), false) => {
            let free = between(at, stamp);
            (free >= -STAMP_MS).then(|| Step {
                gain: fit(free),
                cursor: Cursor::Running { from: stamp.max(at), most, least },
                closes: 0,
                own: 0,
            })
        }
        (Cursor::Closed(at), true) => {
            let room = between(at, stamp);
            (room >= least - STAMP_MS).then(|| Step {
                gain: room.min(most) + fit(room - most),
                cursor: Cursor::Closed(stamp),
                closes: 0,
                own: room.min(most),
            })
        }
        (Cursor::Running { from, most: before, least: at_least }, false) => {
            let room = between(from, stamp);
            (room >= at_least - STAMP_MS).then(|| {
                let closes = room.clamp(0, before);
                Step {
                    gain: closes + fit(room - before),
                    cursor: Cursor::Running { from: stamp, most, least },
                    closes,
                    own: 0,
                }
            })
        }
        (Cursor::Running { from, most: before, least: at_least }, true) => {
            let room = between(from, stamp);
            (room >= at_least + least - STAMP_MS).then(|| {
                let own = most.min(room - at_least).max(0);
                let closes = (room - own).clamp(0, before);
                let whole = room + STAMP_MS >= before.saturating_add(most);
                let (own, closes) = if whole { (most.min(room), before) } else { (own, closes) };
                let fits = if whole { 2 * fit(room - before - most) } else { 0 };
                Step { gain: own + closes + fits, cursor: Cursor::Closed(stamp), closes, own }
            })
        }
    }
}

/// The end of the hole: what is gained, and how long the running play is.
fn finish(cursor: Cursor, to: Wall) -> (i64, i64) {
    let fit = |ms: i64| if ms.abs() <= STAMP_MS { FIT_MS } else { 0 };
    match cursor {
        Cursor::Closed(at) => (fit(between(at, to)), 0),
        Cursor::Running { from, most, .. } => {
            let room = between(from, to);
            (room.clamp(0, most) + fit(room - most), room.clamp(0, most))
        }
    }
}
