import type { ApiError } from "../contract/contract";
import { atMoment } from "./format";

/** The engine's words begin small where they are a part of other words. */
export const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** What went wrong as a sentence, and when another try is worth it. */
export function failure(error: ApiError, now: number): string {
  const said = `${sentence(error.message)}.`;
  return error.retry_at ? `${said} Back ${atMoment(error.retry_at, now)}.` : said;
}
