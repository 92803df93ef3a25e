//! Somebody who listens: a scriptable player with Spotify's view of it.
//!
//! [`Listener`] is pure. Time is passed in as Unix milliseconds and may not go
//! back, so a test can let a virtual day pass in an instant, and the control
//! route lets it follow the real clock. It keeps the truth (what was really
//! heard) beside what the provider shows.
//!
//! ```
//! use headroom_simulator::listener::{Command, Listener, Song};
//! let song = |id: &str| Song { id: id.into(), duration_ms: 210_000 };
//! let mut listener = Listener::new(0);
//! listener.command(0, Command::Play { songs: vec![song("a"), song("b")], position_ms: 0 });
//! listener.advance(300_000);
//! assert_eq!(listener.truth()[0].heard_ms, 210_000);
//! assert_eq!(listener.view().map(|view| view.song.id), Some("b".into()));
//! ```

use std::collections::VecDeque;

use serde::Serialize;

/// What is needed of a track to play it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Song {
    /// Spotify id.
    pub id: String,
    /// Length in milliseconds.
    pub duration_ms: i64,
}

/// What the listener can do.
#[derive(Clone, Debug)]
pub enum Command {
    /// Begins to play; replaces whatever was queued.
    Play {
        /// Played one after the other.
        songs: Vec<Song>,
        /// Where in the first one.
        position_ms: i64,
    },
    /// Adds to the end of the queue.
    Queue(Vec<Song>),
    /// Pauses.
    Pause,
    /// Goes on.
    Resume,
    /// Moves within the track.
    Seek(i64),
    /// Next track, or the end of the queue.
    Skip,
    /// Quits the player: nothing is playing any more.
    Quit,
    /// `off` or `track`.
    Repeat(Repeat),
    /// Changes the device.
    Device(String),
    /// A private session shows nothing.
    Private(bool),
    /// What `currently_playing_type` says; anything but `track` has a null item.
    Kind(String),
}

/// Repeat state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Play the queue once.
    #[default]
    Off,
    /// The same track for ever.
    Track,
}

/// Where `played_at` of the history points; the provider does both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stamp {
    /// The start of the play.
    Start,
    /// The end of the play.
    #[default]
    End,
    /// Start and end in turn.
    Mixed,
}

/// One listening, as it really was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Heard {
    /// Spotify id of the track.
    pub track_id: String,
    /// Unix milliseconds of the first sound.
    pub started_ms: i64,
    /// Unix milliseconds of the end.
    pub ended_ms: i64,
    /// Time sound came out, pauses and seeks left out.
    pub heard_ms: i64,
    /// Length of the track.
    pub duration_ms: i64,
}

/// The player at this instant.
#[derive(Clone, Debug)]
pub struct View {
    /// What is on.
    pub song: Song,
    /// Position in it.
    pub progress_ms: i64,
    /// Not paused.
    pub playing: bool,
    /// When the state last changed (start, pause, seek), as Spotify's `timestamp`.
    pub changed_ms: i64,
    /// Name of the device.
    pub device: String,
    /// Repeat state.
    pub repeat: Repeat,
    /// `track`, `episode`, `ad` or `unknown`.
    pub kind: String,
}

#[derive(Debug)]
struct Current {
    song: Song,
    position: i64,
    playing: bool,
    changed: i64,
    started: i64,
    heard: i64,
}

/// A player and its history.
#[derive(Debug)]
pub struct Listener {
    now: i64,
    current: Option<Current>,
    queue: VecDeque<Song>,
    scheduled: Vec<(i64, Command)>,
    truth: Vec<Heard>,
    /// Where history rows are stamped.
    pub stamp: Stamp,
    device: String,
    repeat: Repeat,
    private: bool,
    kind: String,
}

impl Listener {
    /// A silent listener at `now` (Unix milliseconds).
    pub fn new(now: i64) -> Self {
        Self {
            now,
            current: None,
            queue: VecDeque::new(),
            scheduled: Vec::new(),
            truth: Vec::new(),
            stamp: Stamp::default(),
            device: "Desk".to_owned(),
            repeat: Repeat::Off,
            private: false,
            kind: "track".to_owned(),
        }
    }

    /// The player's own time.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Does something at `at`; in the future it is kept until then, in the past it is done now.
    pub fn command(&mut self, at: i64, command: Command) {
        if at > self.now {
            let place = self.scheduled.partition_point(|(other, _)| *other <= at);
            self.scheduled.insert(place, (at, command));
        } else {
            self.obey(command);
        }
    }

    /// Lets time pass until `now`; tracks end and scheduled commands happen at their own instants.
    pub fn advance(&mut self, now: i64) {
        while self.now < now {
            let command_at = self.scheduled.first().map_or(i64::MAX, |(at, _)| *at);
            let step = command_at.min(self.end_of_track()).clamp(self.now, now);
            self.run_to(step);
            if self.now >= self.end_of_track() {
                self.next(true);
            }
            while self.scheduled.first().is_some_and(|(at, _)| *at <= self.now) {
                let (_, command) = self.scheduled.remove(0);
                self.obey(command);
            }
        }
    }

    /// The player as it is; `None` when nothing is on or the session is private.
    pub fn view(&self) -> Option<View> {
        let current = self.current.as_ref().filter(|_| !self.private)?;
        Some(View {
            song: current.song.clone(),
            progress_ms: current.position,
            playing: current.playing,
            changed_ms: current.changed,
            device: self.device.clone(),
            repeat: self.repeat,
            kind: self.kind.clone(),
        })
    }

    /// Everything heard so far, the running track left out.
    pub fn truth(&self) -> &[Heard] {
        &self.truth
    }

    /// What the running track would count for if it ended now.
    pub fn running(&self) -> Option<Heard> {
        self.current.as_ref().map(|current| self.heard(current))
    }

    /// The provider's history: plays longer than 30 s with their `played_at`, newest first.
    pub fn history(&self) -> Vec<(Heard, i64)> {
        let listed = self.truth.iter().filter(|heard| heard.heard_ms > 30_000).enumerate();
        let mut rows: Vec<_> = listed
            .map(|(n, heard)| {
                let at_start = match self.stamp {
                    Stamp::Start => true,
                    Stamp::End => false,
                    Stamp::Mixed => n % 2 == 0,
                };
                (heard.clone(), if at_start { heard.started_ms } else { heard.ended_ms })
            })
            .collect();
        rows.reverse();
        rows
    }

    fn end_of_track(&self) -> i64 {
        match &self.current {
            Some(current) if current.playing => {
                self.now + (current.song.duration_ms - current.position).max(0)
            }
            _ => i64::MAX,
        }
    }

    fn run_to(&mut self, at: i64) {
        let passed = (at - self.now).max(0);
        if let Some(current) = self.current.as_mut().filter(|current| current.playing) {
            current.position += passed;
            current.heard += passed;
        }
        self.now = at.max(self.now);
    }

    fn heard(&self, current: &Current) -> Heard {
        Heard {
            track_id: current.song.id.clone(),
            started_ms: current.started,
            ended_ms: self.now,
            heard_ms: current.heard,
            duration_ms: current.song.duration_ms,
        }
    }

    fn finish(&mut self) -> Option<Song> {
        let current = self.current.take()?;
        if current.heard > 0 && !self.private {
            self.truth.push(self.heard(&current));
        }
        Some(current.song)
    }

    fn begin(&mut self, song: Option<Song>, position: i64) {
        // A track without length would end without time passing, for ever on repeat.
        self.current = song.filter(|song| song.duration_ms > 0).map(|song| Current {
            position: position.clamp(0, song.duration_ms),
            song,
            playing: true,
            changed: self.now,
            started: self.now,
            heard: 0,
        });
    }

    fn next(&mut self, at_end: bool) {
        let ended = self.finish();
        let again = ended.filter(|_| at_end && self.repeat == Repeat::Track);
        let song = again.or_else(|| self.queue.pop_front());
        self.begin(song, 0);
    }

    fn obey(&mut self, command: Command) {
        let now = self.now;
        match command {
            Command::Play { songs, position_ms } => {
                self.finish();
                self.queue = songs.into();
                let first = self.queue.pop_front();
                self.begin(first, position_ms);
            }
            Command::Queue(songs) => self.queue.extend(songs),
            Command::Pause | Command::Resume => {
                let playing = matches!(command, Command::Resume);
                if let Some(current) = self.current.as_mut().filter(|current| current.playing != playing) {
                    current.playing = playing;
                    current.changed = now;
                }
            }
            Command::Seek(position) => {
                if let Some(current) = self.current.as_mut() {
                    current.position = position.clamp(0, current.song.duration_ms);
                    current.changed = now;
                }
            }
            Command::Skip => self.next(false),
            Command::Quit => {
                self.finish();
                self.queue.clear();
            }
            Command::Repeat(repeat) => self.repeat = repeat,
            Command::Device(device) => self.device = device,
            Command::Private(private) => self.private = private,
            Command::Kind(kind) => self.kind = kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn song(id: &str, seconds: i64) -> Song {
        Song { id: id.to_owned(), duration_ms: seconds * 1_000 }
    }

    #[test]
    fn pauses_and_seeks_do_not_change_what_was_heard() {
        let mut listener = Listener::new(0);
        listener.command(0, Command::Play { songs: vec![song("a", 200), song("b", 100)], position_ms: 0 });
        listener.command(50_000, Command::Pause);
        listener.command(90_000, Command::Resume);
        listener.command(100_000, Command::Seek(190_000));
        listener.advance(1_000_000);
        let heard: Vec<_> =
            listener.truth().iter().map(|h| (h.track_id.as_str(), h.started_ms, h.heard_ms)).collect();
        assert_eq!(
            heard,
            [("a", 0, 70_000), ("b", 110_000, 100_000)],
            "50 s, 10 s after the pause, 10 s after the seek"
        );
        assert!(listener.view().is_none(), "the queue is over");
    }

    #[test]
    fn repeat_one_is_a_play_each_time_and_short_plays_are_not_listed() {
        let mut listener = Listener::new(0);
        listener.command(0, Command::Repeat(Repeat::Track));
        listener.command(0, Command::Play { songs: vec![song("loop", 25)], position_ms: 0 });
        listener.advance(251_000);
        assert_eq!(listener.truth().len(), 10, "ten times 25 s");
        assert!(listener.history().is_empty(), "the provider lists plays longer than 30 s");
        assert_eq!(listener.view().map(|view| view.progress_ms), Some(1_000), "the eleventh runs");
    }
}
