import { defineConfig } from "vite";
import solid from "vite-plugin-solid";

export default defineConfig({
  root: import.meta.dirname,
  cacheDir: "../node_modules/.vite",
  plugins: [solid()],
  clearScreen: false,
  build: {
    outDir: "dist",
    emptyOutDir: true,
    // The oldest webviews Tauri runs in: WebView2 is evergreen, WebKit is not.
    target: ["es2022", "safari16"],
  },
});
