//! A background process on Windows: without a console, and deaf to the Ctrl-C of ours.

use std::io;
use std::os::windows::process::CommandExt;
use std::process::Command;

/// `DETACHED_PROCESS` and `CREATE_NEW_PROCESS_GROUP`, of the Windows API's process creation flags.
const FLAGS: u32 = 0x0000_0008 | 0x0000_0200;

pub(crate) fn prepare(command: &mut Command) -> &mut Command {
    command.creation_flags(FLAGS)
}

/// It was made detached.
pub(crate) fn detach() -> io::Result<()> {
    Ok(())
}
