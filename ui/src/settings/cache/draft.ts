import type { CacheSettings } from "../../contract/contract";
import { t } from "../../text/strings";
import { numberOf } from "../draft";

/** The cache's settings as typed. */
export type Draft = Record<keyof CacheSettings, string>;
export type Field = keyof CacheSettings;
export type Problem = { field: Field | null; text: string };

const fields: readonly Field[] = ["ttl_hours", "not_found_ttl_minutes", "max_mb", "shared_url"];

export function draftOf(settings: CacheSettings): Draft {
  return {
    ttl_hours: String(settings.ttl_hours),
    not_found_ttl_minutes: String(settings.not_found_ttl_minutes),
    max_mb: String(settings.max_mb),
    shared_url: settings.shared_url ?? "",
  };
}

/** The settings a draft means, or what is wrong with it. The engine has the last word. */
export function settingsOf(draft: Draft): { settings: CacheSettings } | { problem: Problem } {
  const words = t.cache.settings;
  const ttl_hours = numberOf(draft.ttl_hours);
  if (ttl_hours === null || ttl_hours < 0) return wrong("ttl_hours", words.badHours);
  const not_found_ttl_minutes = numberOf(draft.not_found_ttl_minutes);
  if (not_found_ttl_minutes === null || not_found_ttl_minutes < 0)
    return wrong("not_found_ttl_minutes", words.badMinutes);
  const max_mb = numberOf(draft.max_mb);
  if (max_mb === null || max_mb < 1 || !Number.isInteger(max_mb)) return wrong("max_mb", words.badMax);
  return {
    settings: { ttl_hours, not_found_ttl_minutes, max_mb, shared_url: draft.shared_url.trim() || null },
  };
}

/** The field an engine's message names: cache.ttl_hours */
export function fieldIn(message: string): Field | null {
  return fields.find((field) => message.includes(field)) ?? null;
}

function wrong(field: Field, text: string): { problem: Problem } {
  return { problem: { field, text } };
}
