//! Notes when this was built: a clock that says less is wrong.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SOURCE_DATE_EPOCH");
    #[expect(clippy::disallowed_methods, reason = "a build has no engine, and this is no time of its")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    // Builds that are to be the same again say when they are.
    let given = std::env::var("SOURCE_DATE_EPOCH").ok().and_then(|at| at.parse().ok());
    let built = given.unwrap_or_else(|| now.map_or(0, |since| since.as_secs()));
    println!("cargo:rustc-env=HEADROOM_BUILT_AT={built}");
}
