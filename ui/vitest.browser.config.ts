import { defineConfig } from "vitest/config";

/** The whole UI in Chromium, driven from Node by playwright-core. */
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  test: {
    environment: "node",
    include: ["tests/**/*.test.ts"],
    // One browser at a time: the pages measure layout and time.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
