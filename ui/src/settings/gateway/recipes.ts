import beets from "../../../../tests/clients/recipes/beets.yaml?raw";
import curl from "../../../../tests/clients/recipes/curl.sh?raw";
import discogsClient from "../../../../tests/clients/recipes/use_discogs_client.py?raw";
import musicbrainzngs from "../../../../tests/clients/recipes/use_musicbrainzngs.py?raw";
import pylast from "../../../../tests/clients/recipes/use_pylast.py?raw";
import requests from "../../../../tests/clients/recipes/use_requests.py?raw";
import spotipy from "../../../../tests/clients/recipes/use_spotipy.py?raw";

/** What is shown is what is run in tests against a real gateway: the very same files. */
export const recipes = [
  { tool: "curl", text: curl },
  { tool: "requests", text: requests },
  { tool: "spotipy", text: spotipy },
  { tool: "musicbrainzngs", text: musicbrainzngs },
  { tool: "discogs_client", text: discogsClient },
  { tool: "pylast", text: pylast },
  { tool: "beets", text: beets },
] as const;

export type Tool = (typeof recipes)[number]["tool"];

/** A recipe with the gateway's own place (host:port) in it, and a key where there is one. */
export function filled(text: string, place: string, key: string | null): string {
  const here = text.replaceAll("127.0.0.1:8765", place);
  return (key === null ? here : here.replaceAll("YOUR_KEY", key)).trimEnd();
}
