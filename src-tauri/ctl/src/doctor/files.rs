//! What lies on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::Found;

/// Less free space than this is a fault: a day's history and a cache need it.
const LEAST_FREE_MIB: u64 = 100;
/// Files that hold a key or a secret.
const SECRET: [&str; 2] = ["vault.json", "runtime.json"];

pub(super) fn directory(dir: &Path) -> Found {
    let shown = dir.display();
    let path = match first_existing(dir) {
        Some(path) if path == dir => path,
        Some(above) => {
            return writable(&above)
                .map(|()| format!("{shown} is made at the first start"))
                .map_err(|e| format!("{shown} cannot be made, {} is not writable: {e}", above.display()));
        }
        None => return Err(format!("{shown} is nowhere")),
    };
    if !path.is_dir() {
        return Err(format!("{shown} is no directory: choose another with --data-dir"));
    }
    writable(&path)
        .map_err(|e| format!("{shown} is not writable ({e}): make it yours, or choose another"))?;
    others(&path).map(|remark| format!("{shown}{remark}"))
}

/// The path itself, or the nearest folder above it that is there.
fn first_existing(dir: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(dir).ok()?;
    if path.exists() && dir.exists() {
        return Some(dir.to_owned());
    }
    path.ancestors().find(|above| above.exists()).map(Path::to_owned)
}

/// Whether a file can be made there; it is gone again at once.
fn writable(dir: &Path) -> std::io::Result<()> {
    let path = dir.join(format!(".doctor-{}", std::process::id()));
    fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
    fs::remove_file(path)
}

/// Who else may use the directory. Secrets are in files of their own mode, so a look is no fault.
#[cfg(unix)]
fn others(dir: &Path) -> Found {
    use std::os::unix::fs::MetadataExt;
    let about = fs::metadata(dir).map_err(|e| e.to_string())?;
    let shown = dir.display();
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(format!("{shown} belongs to another user: files in it could be replaced"));
    }
    match about.mode() & 0o777 {
        mode if mode & 0o002 != 0 => {
            Err(format!("{shown} can be changed by everybody on this machine: `chmod 700` it"))
        }
        mode if mode & 0o077 != 0 => {
            Ok(", which others on this machine may look into (`chmod 700` it)".into())
        }
        _ => Ok(", yours alone".to_owned()),
    }
}

/// The user's profile is theirs.
#[cfg(not(unix))]
fn others(_dir: &Path) -> Found {
    Ok(String::new())
}

/// Whether the files with secrets in them are their owner's alone.
#[cfg(unix)]
pub(super) fn secrets(dir: &Path) -> Found {
    use std::os::unix::fs::MetadataExt;
    let mut there = Vec::new();
    for name in SECRET {
        let Ok(about) = fs::metadata(dir.join(name)) else { continue };
        let mode = about.mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(format!("{name} can be read by others (mode {mode:o}): `chmod 600` it"));
        }
        there.push(name);
    }
    Ok(if there.is_empty() { "there are none yet".to_owned() } else { format!("{}: 0600", there.join(", ")) })
}

#[cfg(not(unix))]
pub(super) fn secrets(dir: &Path) -> Found {
    let there: Vec<_> = SECRET.into_iter().filter(|name| dir.join(name).exists()).collect();
    Ok(if there.is_empty() { "there are none yet".to_owned() } else { there.join(", ") })
}

pub(super) fn disk(dir: &Path) -> Found {
    let Some(there) = first_existing(dir) else { return Ok("the free space is not known here".to_owned()) };
    let free = fs4::available_space(&there)
        .map_err(|e| format!("the free space of {} is not known: {e}", there.display()))?;
    let free = free / 1024 / 1024;
    if free >= LEAST_FREE_MIB {
        Ok(format!("{free} MiB free"))
    } else {
        Err(format!("{free} MiB free: make room, or move the data directory"))
    }
}
