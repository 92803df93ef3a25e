// Headless Chromium, as it is installed.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const places = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

export function openBrowser(args = []) {
  const executablePath = places.find((path) => path && existsSync(path));
  if (!executablePath) throw new Error("Chromium was not found: install it, or set CHROMIUM to its path");
  const quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"];
  return chromium.launch({ executablePath, args: [...quiet, ...args] });
}
