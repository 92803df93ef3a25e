import type { AccountInfo, Connection, Connections, ServiceId } from "../../contract/contract";
import { dateFull, plural } from "../../text/format";
import { t } from "../../text/strings";

const day = 86_400;
/** So long before its end a consent asks to be renewed. */
const remindDays = 14;

export type Said = { text: string; tone: "ok" | "warn" | "danger" | "outline" | undefined };

/** Where secrets lie. */
export function vaultWords({ vault }: Pick<Connections, "vault">, dataDir: string | null): string {
  if (vault === "keychain") return t.connections.vaultKeychain;
  return vault === "file" ? t.connections.vaultFile(dataDir) : t.connections.vaultNone;
}

/** A connection in a word. */
export function standingOf(connection: Connection): Said {
  const { access, accounts, by, optional, secrets } = connection;
  const words = t.connections.standing;
  if (access === "disabled") return { text: words.off, tone: undefined };
  if (by === "sign_in") {
    const active = accounts.find((account) => account.active);
    if (!active) return { text: words.needed, tone: "outline" };
    return active.ended ? { text: words.ended, tone: "danger" } : { text: words.connected, tone: "ok" };
  }
  if (access === "credential_needed") return { text: words.needed, tone: "outline" };
  if (secrets.some(({ present }) => present)) return { text: words.connected, tone: "ok" };
  return optional ? { text: words.optional, tone: undefined } : { text: words.needed, tone: "outline" };
}

/** How long an account may go on. */
export function consentWords({ consent_until, ended }: AccountInfo, now: number): Said {
  const days = Math.ceil((consent_until - now) / day);
  if (ended || days <= 0) return { text: t.connections.consentEnded, tone: "danger" };
  const date = dateFull(consent_until);
  if (days > remindDays) return { text: t.connections.consentUntil(date), tone: undefined };
  return { text: t.connections.consentSoon(date, plural(days, "day", "days")), tone: "warn" };
}

/** What an optional secret brings. */
export function gainWords(service: ServiceId): string {
  return t.connections.gains[service] ?? t.connections.gain;
}

/** tidal.client_id → Client id; what the services themselves call it, where that is known. */
export function secretWords(name: string): string {
  const known = t.connections.secretNames[name];
  if (known) return known;
  const part = name.split(".")[1]?.replaceAll("_", " ");
  return part ? part.charAt(0).toUpperCase() + part.slice(1) : t.connections.secretName;
}

/** https://developer.spotify.com/dashboard → developer.spotify.com */
export function siteOf(page: string): string {
  return /^https?:\/\/(?:www\.)?([^/]+)/.exec(page)?.[1] ?? page;
}
