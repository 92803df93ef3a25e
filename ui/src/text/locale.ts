/** The words are English, so dates and numbers are too: the user's own English if they have one. */
function pickLocale(): string {
  const wanted = typeof navigator === "undefined" ? [] : (navigator.languages ?? [navigator.language]);
  return wanted.find((tag) => /^en(-|$)/i.test(tag)) ?? "en-GB";
}

export const locale = pickLocale();
