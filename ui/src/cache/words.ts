import type { CacheEntry, CachePolicy, CacheStats, Forget } from "../contract/contract";
import { count, duration, plural, spell } from "../text/format";
import { labelOf } from "../text/labels";
import { t } from "../text/strings";

export type Headline = { title: string; detail: string };

/** Answers "does it save me calls?" */
export function headline(stats: CacheStats): Headline {
  const { entries, hits, misses, saved_24h } = stats;
  if (entries === 0 && hits + misses === 0) return { title: t.cache.emptyTitle, detail: "" };
  const since =
    hits + misses > 0
      ? `Since the engine started, ${count(hits)} of ${plural(hits + misses, "question", "questions")} needed no call.`
      : "Nothing was asked since the engine started.";
  if (saved_24h === 0) return { title: "No calls saved in 24 h", detail: since };
  return { title: `${plural(saved_24h, "call", "calls")} saved in 24 h`, detail: since };
}

/** 12 h · until forgotten · never kept · 30 s, for your account only */
export function lifeWords({ life, seconds }: CachePolicy): string {
  if (life === "never") return t.cache.policy.never;
  if (life === "forever" || seconds === null) return t.cache.policy.forever;
  return life === "own" ? t.cache.policy.own(spell(seconds)) : spell(seconds);
}

/** The lives of a service in a few words, the longest-lived first: until forgotten, 12 h, 6 h */
export function livesWords(policy: readonly CachePolicy[]): string {
  const rank = ({ life, seconds }: CachePolicy): number => {
    if (life === "never") return -1;
    return seconds ?? Number.POSITIVE_INFINITY;
  };
  const kept = policy.filter(({ life }) => life !== "never").sort((a, b) => rank(b) - rank(a));
  const words = kept.map(({ life, seconds }) =>
    life === "forever" || seconds === null ? t.cache.policy.forever : spell(seconds),
  );
  return words.length === 0 ? t.cache.policy.never : [...new Set(words)].join(", ");
}

/** How long an answer still lives. */
export function leftWords({ expires_at }: CacheEntry, now: number): string {
  if (expires_at === null) return t.cache.entries.untilForgotten;
  if (expires_at <= now) return t.cache.entries.expired;
  return t.cache.entries.left(duration(Math.max(60, expires_at - now - ((expires_at - now) % 60))));
}

/** Whether it says more than "there is no such thing"; a status only where it is not the usual one. */
export function resultWords({ found, status }: CacheEntry): string {
  if (found) return status === 200 ? t.cache.entries.found : `${t.cache.entries.found} (${status})`;
  return status === 404 ? t.cache.entries.notFound : `${t.cache.entries.notFound} (${status})`;
}

/** What an act was about: 31 answers · 31 answers of Spotify */
export function forgottenWords(what: Forget, entries: number): string {
  const answers = plural(entries, "answer", "answers");
  if (what.scope === "service") return `${answers} of ${labelOf(what.service)}`;
  if (what.scope === "artist") return `${answers} about ${what.artist}`;
  if (what.scope === "album") return `${answers} about ${what.album}`;
  if (what.scope === "track") return `${answers} about ${what.title}`;
  return answers;
}
