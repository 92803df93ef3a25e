//! Odesli (song.link): one address in, the same song everywhere out.

use serde_json::{Map, Value, json};

use super::{Caller, Provider, deezer};
use crate::call::{Answer, Call};
use crate::catalogue::{Catalogue, Track};
use crate::window::{Limit, Refusal};
use crate::world::World;

pub(crate) struct Odesli;

impl Provider for Odesli {
    fn id(&self) -> &'static str {
        "odesli"
    }

    fn windows(&self) -> Vec<Limit> {
        vec![Limit::new(10, 60.0)]
    }

    fn refusal(&self, _refusal: &Refusal) -> Answer {
        Answer::json(429, &json!({"statusCode": 429, "code": "TooManyRequests"}))
    }

    fn answer(&self, world: &World, call: &Call, _caller: &Caller) -> Answer {
        if call.parts().as_slice() != ["v1-alpha.1", "links"] {
            return Answer::json(404, &json!({"statusCode": 404, "code": "not_found"}));
        }
        let id = match (call.param("url"), call.param("id")) {
            (Some(url), _) => {
                url.split(['?', '#']).next().and_then(|url| url.rsplit('/').next()).unwrap_or_default()
            }
            (None, Some(id)) => id,
            (None, None) => {
                return Answer::json(400, &json!({"statusCode": 400, "code": "missing_url_or_id"}));
            }
        };
        let catalogue = &world.catalogue;
        match catalogue.track_by_id(id).or_else(|| catalogue.track_at(id, deezer::TRACKS)) {
            Some(found) => Answer::json(200, &links(catalogue, found)),
            None => Answer::json(404, &json!({"statusCode": 404, "code": "could_not_resolve_entity"})),
        }
    }
}

fn links(catalogue: &Catalogue, track: &Track) -> Value {
    let deezer = deezer::TRACKS + track.n;
    let platforms = [
        (
            "spotify",
            "SPOTIFY_SONG",
            track.spotify.clone(),
            format!("https://open.spotify.com/track/{}", track.spotify),
        ),
        ("deezer", "DEEZER_SONG", deezer.to_string(), format!("https://www.deezer.com/track/{deezer}")),
    ];
    let (mut entities, mut by_platform) = (Map::new(), Map::new());
    for (platform, prefix, id, url) in &platforms {
        let unique = format!("{prefix}::{id}");
        by_platform
            .insert((*platform).to_owned(), json!({"country": "US", "url": url, "entityUniqueId": unique}));
        entities.insert(
            unique,
            json!({
                "id": id, "type": "song", "title": track.title, "artistName": catalogue.credit(track),
                "apiProvider": platform, "platforms": [platform],
            }),
        );
    }
    json!({
        "entityUniqueId": format!("SPOTIFY_SONG::{}", track.spotify), "userCountry": "US",
        "pageUrl": format!("https://song.link/s/{}", track.spotify),
        "entitiesByUniqueId": entities, "linksByPlatform": by_platform,
    })
}
