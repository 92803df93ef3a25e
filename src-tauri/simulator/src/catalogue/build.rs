//! How a seed becomes a catalogue.

use std::collections::{HashMap, HashSet};

use super::names::{
    ADJECTIVES, ARTISTS, COUNTRIES, FIRST, GENRES, LABELS, LAST, NOUNS, UNICODE_TITLES, VERBS,
};
use super::search::Folded;
use super::{Album, Artist, Catalogue, Thing, Track};
use crate::rng::Rng;

/// How many artists there are.
const ARTIST_COUNT: usize = 140;
/// How many albums artist 0 has.
const MANY_ALBUMS: usize = 217;

impl Catalogue {
    /// The catalogue of a seed: the same seed gives the same catalogue.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 1);
        let mut catalogue = Self {
            artists: artists(&mut rng),
            albums: Vec::new(),
            tracks: Vec::new(),
            ids: HashMap::new(),
            isrcs: HashMap::new(),
        };
        for artist in 0..ARTIST_COUNT {
            catalogue.add_discography(&mut rng, artist);
        }
        catalogue.index();
        catalogue
    }

    fn add_discography(&mut self, rng: &mut Rng, artist: usize) {
        let many = artist == 0;
        let albums = if many { MANY_ALBUMS } else { rng.index(7) + 2 };
        let first_year = 1968 + rng.index(45);
        for n in 0..albums {
            let kind = if !many && n + 1 == albums && albums > 3 {
                "compilation"
            } else if rng.one_in(4) {
                "single"
            } else {
                "album"
            };
            let year = (first_year + if many { n / 4 } else { n * 2 }).min(2026);
            let date = format!("{year}-{:02}-{:02}", rng.index(12) + 1, rng.index(28) + 1);
            let title = match (many, kind) {
                (true, _) => format!("Session {:03}: {}", n + 1, phrase(rng)),
                (false, "compilation") => format!("The Best of {}", self.artists[artist].name),
                (false, _) => phrase(rng),
            };
            let tracks = match (many, kind) {
                (true, _) => rng.index(3) + 1,
                (false, "single") => rng.index(2) + 1,
                (false, _) => rng.index(8) + 6,
            };
            self.add_album(rng, artist, kind, title, date, tracks);
        }
        self.artists[artist].albums.reverse();
    }

    fn add_album(
        &mut self,
        rng: &mut Rng,
        artist: usize,
        kind: &'static str,
        title: String,
        date: String,
        size: usize,
    ) {
        let n = self.albums.len();
        let earlier: Vec<usize> =
            self.artists[artist].albums.iter().flat_map(|album| self.albums[*album].tracks.clone()).collect();
        let mut album = Album {
            n,
            title,
            artist,
            date,
            kind,
            label: rng.pick(LABELS),
            upc: format!("{:013}", 4_260_000_000_000_u64 + rng.between(0, 9_999_999_999)),
            mbid: rng.uuid(),
            spotify: rng.base62(22),
            tracks: Vec::new(),
        };
        for number in 1..=size {
            let at = self.tracks.len();
            // A compilation repeats recordings, with their ISRC, under new track ids.
            let mut track = match earlier.get(rng.index(earlier.len())) {
                Some(old) if kind == "compilation" => self.tracks[*old].clone(),
                _ => self.new_track(rng, artist, at, &album),
            };
            track.n = at;
            track.album = n;
            track.number = number;
            track.spotify = rng.base62(22);
            track.folded = self.folded(&track, &album.title);
            album.tracks.push(at);
            self.tracks.push(track);
        }
        self.albums.push(album);
        self.artists[artist].albums.push(n);
    }

    fn new_track(&self, rng: &mut Rng, artist: usize, at: usize, album: &Album) -> Track {
        let version = match rng.between(0, 19) {
            0 => Some("Live"),
            1 => Some("Remastered 2011"),
            2 => Some("Acoustic Version"),
            3 => Some("Radio Edit"),
            _ => None,
        };
        // A version is a version of something: take the title of an earlier track where there is one.
        let earlier = album.tracks.last().map(|n| self.tracks[*n].bare_title.clone());
        let full =
            |bare: &str| version.map_or_else(|| bare.to_owned(), |version| format!("{bare} - {version}"));
        let mut bare_title = version.and(earlier).unwrap_or_else(|| phrase(rng));
        // Artist and title name one recording, so that services can be compared by them.
        while self.has(artist, album, &full(&bare_title)) {
            bare_title = phrase(rng);
        }
        let mut artists = vec![artist];
        let guest = rng.index(ARTIST_COUNT);
        if rng.one_in(8) && guest != artist {
            artists.push(guest);
        }
        let duration_ms = match rng.between(0, 29) {
            0 => rng.between(20_000, 34_000),
            1 => rng.between(900_000, 1_800_000),
            _ => rng.between(95_000, 420_000),
        };
        Track {
            n: at,
            title: full(&bare_title),
            bare_title,
            version,
            artists,
            album: album.n,
            number: 0,
            duration_ms,
            isrc: format!("QZHDR{}{at:05}", album.date.get(2..4).unwrap_or("00")),
            mbid: rng.uuid(),
            spotify: String::new(),
            explicit: rng.one_in(9),
            plays: rng.between(1_000, 9_000_000) / rng.between(1, 40),
            folded: Folded::default(),
        }
    }

    fn has(&self, artist: usize, album: &Album, title: &str) -> bool {
        let older = self.artists[artist].albums.iter().flat_map(|n| &self.albums[*n].tracks);
        older.chain(&album.tracks).any(|n| self.tracks[*n].title == title)
    }

    fn folded(&self, track: &Track, album: &str) -> Folded {
        Folded::new(&track.title, &self.credit(track), album, &track.isrc)
    }

    fn index(&mut self) {
        let Self { artists, albums, tracks, ids, isrcs } = self;
        for artist in artists.iter() {
            for id in [&artist.spotify, &artist.mbid] {
                ids.insert(id.clone(), Thing::Artist(artist.n));
            }
        }
        for album in albums.iter() {
            for id in [&album.spotify, &album.mbid] {
                ids.insert(id.clone(), Thing::Album(album.n));
            }
        }
        for track in tracks.iter() {
            ids.insert(track.spotify.clone(), Thing::Track(track.n));
            ids.entry(track.mbid.clone()).or_insert(Thing::Track(track.n));
            isrcs.entry(track.isrc.clone()).or_default().push(track.n);
        }
    }
}

fn artists(rng: &mut Rng) -> Vec<Artist> {
    let mut taken = HashSet::new();
    (0..ARTIST_COUNT)
        .map(|n| {
            let (name, country) = match ARTISTS.get(n) {
                Some((name, country)) => ((*name).to_owned(), *country),
                None => loop {
                    let name = match rng.between(0, 2) {
                        0 => format!("{} {}", rng.pick(FIRST), rng.pick(LAST)),
                        1 => format!("The {} {}", rng.pick(ADJECTIVES), rng.pick(NOUNS)),
                        _ => format!("{} {}", rng.pick(ADJECTIVES), rng.pick(NOUNS)),
                    };
                    if taken.insert(name.clone()) {
                        break (name, rng.pick(COUNTRIES));
                    }
                },
            };
            let genres: HashSet<&'static str> = (0..rng.between(1, 3)).map(|_| rng.pick(GENRES)).collect();
            let mut genres: Vec<_> = genres.into_iter().collect();
            genres.sort_unstable();
            Artist { n, name, country, genres, mbid: rng.uuid(), spotify: rng.base62(22), albums: Vec::new() }
        })
        .collect()
}

fn phrase(rng: &mut Rng) -> String {
    match rng.between(0, 15) {
        0 => rng.pick(UNICODE_TITLES).to_owned(),
        1..=5 => format!("{} {}", rng.pick(ADJECTIVES), rng.pick(NOUNS)),
        6..=9 => format!("{} the {}", rng.pick(VERBS), rng.pick(NOUNS)),
        10..=12 => format!("{} {} {}", rng.pick(VERBS), rng.pick(ADJECTIVES), rng.pick(NOUNS)),
        13 => rng.pick(NOUNS).to_owned(),
        _ => format!("{} of {}", rng.pick(NOUNS), rng.pick(NOUNS)),
    }
}
