import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  plugins: [solid()],
  clearScreen: false,
  // The recipes shown under Gateway are the files the tests run.
  server: { fs: { allow: [".", "../node_modules", "../tests/clients/recipes"] } },
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The oldest webviews Tauri runs in: WebView2 is evergreen, WebKit is not.
    target: ["es2022", "safari16"],
  },
});
