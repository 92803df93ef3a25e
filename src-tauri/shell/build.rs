//! Bundles what Tauri needs at build time: the configuration, the icons, the capabilities, the UI.

/// Where Vite puts the built UI; `frontendDist` in `tauri.conf.json`.
const UI: &str = "ui/dist";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The UI is compiled into the program, and Tauri does not watch it.
    println!("cargo:rerun-if-changed={UI}");
    // Checks and lints need no UI, but the folder has to exist.
    std::fs::create_dir_all(UI)?;

    let attributes =
        tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/shell/capabilities/**/*");
    tauri_build::try_build(attributes)?;
    Ok(())
}
