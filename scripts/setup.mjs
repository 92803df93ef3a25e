// Makes sure that everything needed to build, run and test is there. Quick when nothing is missing.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { clientsMissing, installClients } from "./clients.mjs";
import { ask, find, linux, must, npm, root } from "./run.mjs";

/** The programs of `npm test` that cargo builds: their one list of versions. */
const testTools = {
  "cargo-nextest": "0.9.143",
  "cargo-deny": "0.20.2",
  "cargo-machete": "0.9.2",
  "tauri-driver": "2.1.0",
};

/** What Linux needs: for the engine, for the window, and for `npm test`. */
const debian = {
  engine: ["build-essential", "pkg-config", "curl", "ca-certificates"],
  window: ["libwebkit2gtk-4.1-dev", "libayatana-appindicator3-dev", "librsvg2-dev", "xdg-utils"],
  tests: [
    "xvfb",
    "xauth",
    "webkit2gtk-driver",
    "dbus-x11",
    "chromium",
    "python3-dbus",
    "python3-gi",
    "python3-venv",
    "redis-server",
  ],
};
/** The same for other families; here only the hint is printed. */
const otherFamilies = {
  dnf: {
    install: ["dnf", "install"],
    engine: ["gcc", "gcc-c++", "make", "pkgconf-pkg-config", "curl", "ca-certificates"],
    window: ["webkit2gtk4.1-devel", "libayatana-appindicator-gtk3-devel", "librsvg2-devel", "xdg-utils"],
    tests: [
      "xorg-x11-server-Xvfb",
      "xorg-x11-xauth",
      "dbus-x11",
      "chromium",
      "python3-dbus",
      "python3-gobject",
      "valkey-compat-redis",
    ],
  },
  pacman: {
    install: ["pacman", "-S", "--needed"],
    engine: ["base-devel", "curl", "ca-certificates"],
    window: ["webkit2gtk-4.1", "libayatana-appindicator", "librsvg", "xdg-utils"],
    tests: ["xorg-server-xvfb", "xorg-xauth", "dbus", "chromium", "python-dbus", "python-gobject", "valkey"],
  },
  zypper: {
    install: ["zypper", "install"],
    engine: ["gcc", "gcc-c++", "make", "pkg-config", "curl", "ca-certificates"],
    window: ["webkit2gtk3-devel", "libayatana-appindicator3-devel", "librsvg-devel", "xdg-utils"],
    tests: [
      "xorg-x11-server-Xvfb",
      "xauth",
      "dbus-1-x11",
      "chromium",
      "python3-dbus-python",
      "python3-gobject",
      "redis",
    ],
  },
};
/** How each need is recognised where packages cannot be asked for by name. */
const signs = {
  engine: () => find("cc") && find("pkg-config"),
  window: () =>
    ask("pkg-config", ["--exists", "webkit2gtk-4.1", "ayatana-appindicator3-0.1", "librsvg-2.0"]).code === 0,
  tests: () => ["xvfb-run", "xauth", "dbus-run-session", "WebKitWebDriver", "redis-server"].every(find),
};

/**
 * @param {object} needs
 * @param {boolean} needs.window  also what the window needs; without it the engine alone can be built
 * @param {boolean} [needs.tests] also what `npm test` needs
 */
export async function setup({ window, tests = false }) {
  checkRust();
  const groups = ["engine", ...(window ? ["window"] : []), ...(tests ? ["tests"] : [])];
  if (linux) await systemPackages(groups);
  else checkSystem();
  if (window) await nodeModules();
  if (tests) await cargoTools();
  if (tests && !clientsMissing()) await installClients();
}

function stop(message) {
  console.error(`\n${message}\n`);
  process.exit(1);
}

function checkRust() {
  if (ask("cargo", ["--version"]).code === 0 && ask("rustc", ["--version"]).code === 0) return;
  stop(
    "Headroom needs Rust (rustc and cargo), which is not on PATH.\nInstall it from https://rustup.rs, open a new terminal, and try again.",
  );
}

function checkSystem() {
  if (process.platform === "darwin" && ask("xcode-select", ["-p"]).code !== 0) {
    stop("Headroom needs Apple's command line tools. Install them with\n\n    xcode-select --install");
  }
  const { stdout } = ask("rustc", ["-vV"]);
  if (process.platform === "win32" && /host: .*-msvc/.test(stdout) && !existsSync(visualStudio())) {
    stop(
      "Headroom needs Microsoft's C++ build tools (“Desktop development with C++”):\n" +
        "    https://visualstudio.microsoft.com/visual-cpp-build-tools/\n" +
        "On Windows 10 it also needs WebView2, which newer systems have:\n" +
        "    https://developer.microsoft.com/microsoft-edge/webview2/",
    );
  }
}

const visualStudio = () =>
  join(
    process.env["ProgramFiles(x86)"] ?? "C:\\Program Files (x86)",
    "Microsoft Visual Studio",
    "Installer",
    "vswhere.exe",
  );

async function systemPackages(groups) {
  if (find("apt-get") && find("dpkg-query")) return aptPackages(groups);
  const missing = groups.filter((group) => !signs[group]());
  if (missing.length === 0) return;
  const family = Object.keys(otherFamilies).find(find);
  if (!family) {
    stop(
      `Headroom needs more system packages. On Debian they are called:\n\n    ${missing.flatMap((group) => debian[group]).join(" ")}`,
    );
  }
  const { install, ...packages } = otherFamilies[family];
  stop(
    `Headroom needs more system packages (${missing.join(", ")}). Install them with\n\n` +
      `    sudo ${[...install, ...missing.flatMap((group) => packages[group])].join(" ")}` +
      (missing.includes("tests")
        ? "\n\nThe program WebKitWebDriver comes with WebKitGTK or its driver package."
        : ""),
  );
}

async function aptPackages(groups) {
  const wanted = groups.flatMap((group) => debian[group]);
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the placeholders are dpkg's
  const { stdout } = ask("dpkg-query", ["-W", "-f=${db:Status-Status} ${Package}\n", ...wanted]);
  const installed = new Set(
    stdout
      .split("\n")
      .filter((line) => line.startsWith("installed "))
      .map((line) => line.slice(10)),
  );
  // Ubuntu ships Chromium under other names.
  if (["chromium", "chromium-browser", "google-chrome"].some(find)) installed.add("chromium");
  const missing = wanted.filter((name) => !installed.has(name));
  if (missing.length === 0) return;

  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...missing];
  const asRoot = process.getuid() === 0 ? [] : ["sudo", "-n"];
  if (asRoot.length > 0 && ask("sudo", ["-n", "true"]).code !== 0) {
    stop(`Headroom needs more system packages. Install them with\n\n    sudo ${install.join(" ")}`);
  }
  console.log(`Installing system packages: ${missing.join(" ")}`);
  const quiet = ["env", "DEBIAN_FRONTEND=noninteractive"];
  for (const command of [["apt-get", "update", "--quiet"], install]) {
    const [program, ...args] = [...asRoot, ...quiet, ...command];
    await must(program, args);
  }
}

async function nodeModules() {
  if (nodeModulesAreCurrent()) return;
  console.log("Installing npm packages");
  await must(...npm("ci", "--no-audit", "--no-fund"));
}

/** Whether npm's own record of what it installed agrees with package-lock.json. */
function nodeModulesAreCurrent() {
  const record = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(record)) return false;
  const packages = (path) => JSON.parse(readFileSync(path, "utf8")).packages;
  const there = packages(record);
  return Object.entries(packages(join(root, "package-lock.json"))).every(
    ([path, wanted]) =>
      path === "" || (there[path] ? there[path].version === wanted.version : wanted.optional),
  );
}

async function cargoTools() {
  const missing = Object.keys(testTools).filter((name) => !find(name));
  for (const name of missing) {
    console.log(`Installing ${name} ${testTools[name]}`);
    // Half the optimisation takes half the time to build, and these programs mostly wait.
    const env = { ...process.env, CARGO_PROFILE_RELEASE_OPT_LEVEL: "1", CARGO_PROFILE_RELEASE_LTO: "off" };
    await must("cargo", ["install", "--locked", "--quiet", `${name}@${testTools[name]}`], { env });
  }
  const installed = ask("cargo", ["install", "--list"]).stdout;
  const versions = Object.keys(testTools).map((name) => `${name} ${versionOf(name, installed)}`);
  console.log(`Test tools: ${versions.join(", ")}`);
}

function versionOf(name, installed) {
  const listed = installed.match(new RegExp(`^${name} v([^:\\s]+)`, "m"))?.[1];
  const told = () =>
    ask("cargo", [name.replace("cargo-", ""), "--version"]).stdout.match(/\d+\.\d+\.\d+/)?.[0];
  return listed ?? told() ?? "of unknown version";
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  await setup({ window: true, tests: process.argv.includes("--tests") });
  console.log("Everything is there.");
}
