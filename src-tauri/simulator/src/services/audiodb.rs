//! TheAudioDB: key in the path, `null` inside a 200 for what it does not know.

use serde_json::{Value, json};

use super::{Caller, Provider};
use crate::call::{Answer, Call};
use crate::catalogue::{Album, Artist, Catalogue, Track, fold};
use crate::window::{Limit, Refusal};
use crate::world::{Accept, World};

const ARTISTS: usize = 111_000;
const ALBUMS: usize = 2_109_000;
const TRACKS: usize = 32_724_000;

pub(crate) struct Audiodb;

impl Provider for Audiodb {
    fn id(&self) -> &'static str {
        "audiodb"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(30, 60.0)]
    }

    fn credentials(&self) -> &'static [&'static str] {
        &["test-audiodb-key", "123"]
    }

    fn gate(&self, _world: &World, call: &Call, accept: &Accept) -> Result<Caller, Answer> {
        match call.parts().as_slice() {
            ["api", "v1", "json", key, ..] if accept.takes(key) => Ok(Caller::known()),
            ["api", "v1", "json", ..] => Err(Answer::json(401, &json!({"Message": "Invalid API key"}))),
            _ => Err(Answer::text(404, "text/html", "<html><body>Not Found</body></html>")),
        }
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        Answer::json(429, &json!({"Message": "Too many requests"}))
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        let catalogue = &world.catalogue;
        let given = |name| call.param(name).unwrap_or_default();
        let parts = call.parts();
        let (name, rows): (&str, Vec<Value>) = match parts.get(4..).unwrap_or_default() {
            ["search.php"] => {
                ("artists", catalogue.artist_named(given("s")).map(artist).into_iter().collect())
            }
            ["artist.php"] => {
                ("artists", catalogue.artist_at(given("i"), ARTISTS).map(artist).into_iter().collect())
            }
            ["artist-mb.php"] => {
                ("artists", catalogue.artist_by_id(given("i")).map(artist).into_iter().collect())
            }
            ["searchtrack.php"] => {
                let found = catalogue.track_named(given("s"), given("t"));
                ("track", found.map(|one| track(catalogue, one)).into_iter().collect())
            }
            ["track-mb.php"] => (
                "track",
                catalogue.track_by_id(given("i")).map(|one| track(catalogue, one)).into_iter().collect(),
            ),
            ["track.php"] => {
                let on_album = catalogue
                    .album_at(given("m"), ALBUMS)
                    .map(|one| catalogue.tracks_of(one))
                    .unwrap_or_default();
                let single = catalogue.track_at(given("h"), TRACKS);
                ("track", on_album.into_iter().chain(single).map(|one| track(catalogue, one)).collect())
            }
            ["searchalbum.php"] => {
                let artist = catalogue.artist_named(given("s"));
                let albums = artist.map(|one| catalogue.albums_of(one)).unwrap_or_default();
                let wanted = fold(given("a"));
                let fits = |one: &&Album| wanted.is_empty() || fold(&one.title) == wanted;
                ("album", albums.into_iter().filter(fits).map(|one| album(catalogue, one)).collect())
            }
            ["album.php"] => {
                let of_artist = catalogue
                    .artist_at(given("i"), ARTISTS)
                    .map(|one| catalogue.albums_of(one))
                    .unwrap_or_default();
                let single = catalogue.album_at(given("m"), ALBUMS);
                ("album", of_artist.into_iter().chain(single).map(|one| album(catalogue, one)).collect())
            }
            ["album-mb.php"] => (
                "album",
                catalogue.album_by_id(given("i")).map(|one| album(catalogue, one)).into_iter().collect(),
            ),
            _ => return Answer::text(404, "text/html", "<html><body>Not Found</body></html>"),
        };
        Answer::json(200, &json!({name: if rows.is_empty() { Value::Null } else { rows.into() }}))
    }
}

fn artist(artist: &Artist) -> Value {
    json!({
        "idArtist": (ARTISTS + artist.n).to_string(), "strArtist": artist.name, "strMusicBrainzID": artist.mbid,
        "strGenre": artist.genres.first(), "strCountryCode": artist.country, "strBiographyEN": "Invented.",
    })
}

fn album(catalogue: &Catalogue, album: &Album) -> Value {
    let artist = catalogue.album_artist(album);
    json!({
        "idAlbum": (ALBUMS + album.n).to_string(), "idArtist": (ARTISTS + artist.n).to_string(),
        "strAlbum": album.title, "strArtist": artist.name, "intYearReleased": album.year(), "strLabel": album.label,
        "strGenre": artist.genres.first(), "strMusicBrainzID": album.mbid, "strMusicBrainzArtistID": artist.mbid,
    })
}

fn track(catalogue: &Catalogue, track: &Track) -> Value {
    let (artist, album) = (catalogue.artist_of(track), catalogue.album_of(track));
    json!({
        "idTrack": (TRACKS + track.n).to_string(), "idAlbum": (ALBUMS + album.n).to_string(),
        "idArtist": (ARTISTS + artist.n).to_string(), "strTrack": track.title, "strAlbum": album.title,
        "strArtist": artist.name, "intDuration": track.duration_ms.to_string(), "strGenre": artist.genres.first(),
        "intTrackNumber": track.number.to_string(), "strMusicBrainzID": track.mbid,
        "strMusicBrainzAlbumID": album.mbid, "strMusicBrainzArtistID": artist.mbid,
        "intTotalListeners": (track.plays / 7).to_string(), "intTotalPlays": track.plays.to_string(),
    })
}
