import solid from "vite-plugin-solid";
import { defineConfig } from "vitest/config";

/** Logic and components, in a simulated DOM. */
export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  plugins: [solid()],
  // Without the browser build, Solid renders on the server and effects never run.
  resolve: { conditions: ["development", "browser"] },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
  },
});
