//! Files written whole or not at all.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use atomic_write_file::AtomicWriteFile;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Readers {
    /// As the user's umask says.
    Default,
    /// The owner alone (0600). On Windows the data directory lies in the user's profile, which does it.
    Owner,
}

/// Replaces `path` by `bytes`: temporary file in the same folder, fsync, rename, fsync of the folder. A
/// crash at any instant leaves the old file or the new one. A write that fails removes its temporary
/// file.
///
/// # Errors
/// Whatever the file system says; `path` is then unchanged.
pub fn write_atomically(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let written = open(path, readers).and_then(|mut file| {
        file.write_all(bytes)?;
        file.commit()
    });
    if written.is_err() {
        // A file that failed in its fsync is left behind by the library.
        sweep_leftovers(path);
    }
    written
}

#[cfg(unix)]
fn open(path: &Path, readers: Readers) -> io::Result<AtomicWriteFile> {
    use atomic_write_file::unix::OpenOptionsExt as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = AtomicWriteFile::options();
    if readers == Readers::Owner {
        options.preserve_mode(false).mode(0o600);
    }
    options.open(path)
}

#[cfg(not(unix))]
fn open(path: &Path, _readers: Readers) -> io::Result<AtomicWriteFile> {
    AtomicWriteFile::options().open(path)
}

/// Makes a folder, and those above it, that only its owner may enter (0700). One that is there stays as
/// it is.
///
/// # Errors
/// Whatever the file system says.
pub fn make_private_dir(dir: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

/// Removes temporary files that an interrupted write of `path` left beside it: `.{name}.` and six
/// letters or digits.
pub fn sweep_leftovers(path: &Path) {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else {
        return;
    };
    let Ok(entries) = fs::read_dir(folder) else { return };
    let prefix = format!(".{name}.");
    for entry in entries.flatten() {
        let file = entry.file_name();
        let suffix = file.to_str().and_then(|n| n.strip_prefix(&prefix));
        if suffix.is_some_and(|s| s.len() == 6 && s.bytes().all(|b| b.is_ascii_alphanumeric())) {
            // Best effort: a leftover does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.json");
        write_atomically(&path, b"one", Readers::Default).unwrap();
        write_atomically(&path, b"two", Readers::Owner).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn only_leftovers_of_that_file_are_swept() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".x.json.aB3dE6", ".x.json.toolong7", ".y.json.aB3dE6", "x.json"] {
            fs::OpenOptions::new().create(true).append(true).open(dir.path().join(name)).unwrap();
        }
        sweep_leftovers(&dir.path().join("x.json"));
        let mut left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".x.json.toolong7", ".y.json.aB3dE6", "x.json"]);
    }
}
