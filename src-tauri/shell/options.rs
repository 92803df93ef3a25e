//! The command line of the desktop program.

use std::ffi::OsString;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;

/// What `--help` prints.
pub const USAGE: &str = "\
Usage: headroom [--hidden] [--data-dir DIR]

  --hidden          start without a window
  --data-dir DIR    keep everything in DIR (also: HEADROOM_DATA_DIR)
  --version, --help";

/// How to start.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Start without a window.
    pub hidden: bool,
    /// Where everything is kept; `None` leaves it to the engine.
    pub data_dir: Option<PathBuf>,
    /// `headroom://` links the system started the app with.
    pub links: Vec<String>,
}

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Run the app.
    Run(Options),
    /// Print this and end.
    Print(String),
}

/// Reads the arguments (without the program's name). The flag wins over the environment.
///
/// Links such as `headroom://…` are let through: the system passes them as arguments.
///
/// # Errors
/// A sentence that names the argument, when it is unknown or lacks its value.
pub fn parse(args: impl Iterator<Item = OsString>, environment: Option<OsString>) -> Result<Parsed, String> {
    let mut options = Options {
        data_dir: environment.filter(|dir| !dir.is_empty()).map(PathBuf::from),
        ..Options::default()
    };
    let mut args = args;
    while let Some(arg) = args.next() {
        match arg.to_str() {
            Some("--hidden") => options.hidden = true,
            Some("--data-dir") => {
                options.data_dir = Some(args.next().ok_or("--data-dir needs a directory")?.into());
            }
            Some("--help" | "-h") => return Ok(Parsed::Print(USAGE.to_owned())),
            Some("--version" | "-V") => {
                return Ok(Parsed::Print(format!("headroom {}", env!("CARGO_PKG_VERSION"))));
            }
            Some(text) if text.starts_with("--data-dir=") => {
                options.data_dir = Some(text["--data-dir=".len()..].into());
            }
            Some(text) if is_link(text) => options.links.push(text.to_owned()),
            _ => return Err(format!("unknown argument {arg:?}")),
        }
    }
    Ok(Parsed::Run(options))
}

/// Whether an argument is one of our links, whatever it says.
pub fn is_link(text: &str) -> bool {
    text.starts_with("headroom:")
}

impl Options {
    /// The name under which a second start finds this instance: `base` for the default data
    /// directory, a name of its own for every other.
    pub fn instance_identifier(&self, base: &str) -> String {
        let Some(dir) = &self.data_dir else {
            return base.to_owned();
        };
        let mut hasher = DefaultHasher::new();
        std::path::absolute(dir).unwrap_or_else(|_| dir.clone()).hash(&mut hasher);
        format!("{base}.d{:016x}", hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str], environment: Option<&str>) -> Result<Parsed, String> {
        parse(args.iter().map(OsString::from), environment.map(OsString::from))
    }

    fn options(hidden: bool, data_dir: Option<&str>) -> Result<Parsed, String> {
        let links = Vec::new();
        Ok(Parsed::Run(Options { hidden, data_dir: data_dir.map(PathBuf::from), links }))
    }

    #[test]
    fn flags_win_over_the_environment() {
        assert_eq!(run(&[], None), options(false, None), "nothing given");
        assert_eq!(run(&[], Some("")), options(false, None), "an empty variable is none");
        assert_eq!(run(&["--hidden"], Some("/e")), options(true, Some("/e")), "environment alone");
        assert_eq!(run(&["--data-dir", "/f"], Some("/e")), options(false, Some("/f")), "two words");
        assert_eq!(run(&["--data-dir=/f"], Some("/e")), options(false, Some("/f")), "one word");
    }

    #[test]
    fn links_pass_and_the_unknown_is_named() {
        let Ok(Parsed::Run(read)) = run(&["--hidden", "headroom://x", "headroom:y"], None) else { panic!() };
        assert_eq!(read.links, ["headroom://x", "headroom:y"], "links are no options");
        let error = run(&["--hiden"], None).expect_err("a typo is refused");
        assert!(error.contains("--hiden"), "the typo is named in {error:?}");
        assert!(run(&["--data-dir"], None).is_err(), "a directory is missing");
    }

    #[test]
    fn each_data_directory_has_its_own_instance() {
        let of = |dir: Option<&str>| {
            Options { data_dir: dir.map(PathBuf::from), ..Options::default() }.instance_identifier("app.x")
        };
        assert_eq!(of(None), "app.x", "the default directory keeps the app's name");
        assert_eq!(of(Some("/a")), of(Some("/a")), "the same directory, the same instance");
        assert_ne!(of(Some("/a")), of(Some("/b")), "another directory, another instance");
    }
}
