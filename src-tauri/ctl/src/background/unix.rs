//! A background process on Unix: a session of its own, so that no terminal's end reaches it.

use std::io;
use std::process::Command;

/// The child leaves the terminal by itself, see [`detach`].
pub(crate) fn prepare(command: &mut Command) -> &mut Command {
    // It must not keep a folder from being unmounted or removed.
    command.current_dir("/")
}

/// Leaves the terminal, for good.
pub(crate) fn detach() -> io::Result<()> {
    rustix::process::setsid()?;
    Ok(())
}
