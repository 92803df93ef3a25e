import type { SearchResult } from "../contract/contract";
import { ago, plural } from "../text/format";
import { labelOf } from "../text/labels";

/** Where an answer came from, of what time it is, and what it cost. */
export function cost({ found, as_of, ms, service }: SearchResult, now: number): string {
  const tracks = plural(found.length, "track", "tracks");
  return as_of === null
    ? `${tracks} from ${labelOf(service)} in ${ms} ms. One call was made.`
    : `${tracks} from the cache, as of ${ago(now - as_of)}, in ${ms} ms. No call was made.`;
}

/** Why an expired answer is shown. */
export function whyStale({ service }: SearchResult, banned: boolean): string {
  const label = labelOf(service);
  return banned
    ? `${label} is banned, so this is its last answer.`
    : `${label} could not be asked, so this is its last answer.`;
}
