import type { Host } from "./host";

/** What any browser can do by itself; shared by the web host and the fixture. */

const key = "headroom.preferences";

export function localPreferences(storage: Storage): Host["preferences"] {
  const read = (): Record<string, unknown> => {
    try {
      const value: unknown = JSON.parse(storage.getItem(key) ?? "{}");
      return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
    } catch {
      return {};
    }
  };
  return {
    get: async () => read(),
    set: async (name, value) => storage.setItem(key, JSON.stringify({ ...read(), [name]: value })),
  };
}

/** WebKitGTK may refuse the clipboard API; the old way works there. */
export async function copyText(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch (refused) {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const copied = document.execCommand("copy");
    area.remove();
    if (!copied) throw refused;
  }
}

export async function downloadText(name: string, text: string): Promise<boolean> {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
  return true;
}

export async function openInNewTab(url: string): Promise<void> {
  window.open(url, "_blank", "noopener,noreferrer");
}
