//! `completions` and `man`: made of the same words the command line is read by.

use std::path::Path;

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::Man;
use headroom_engine::disk::{Readers, write_atomically};

use crate::args::Args;
use crate::failure::Failure;
use crate::show::{self, remark};

const PROGRAM: &str = "headroomctl";

pub(crate) fn completions(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), PROGRAM, &mut script);
    show::raw(&script)
}

/// One page on stdout, or all of them as files in `dir`.
pub(crate) fn man(words: &[String], dir: Option<&Path>) -> Result<(), Failure> {
    let mut whole = Args::command();
    whole.build();
    match dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .map_err(|e| Failure::failed(format!("cannot make {}: {e}", dir.display())))?;
            let written = write_pages(&whole, dir)?;
            remark!("{written} pages written to {}", dir.display());
            Ok(())
        }
        None => {
            let mut command = &whole;
            for word in words {
                command = command.find_subcommand(word).ok_or_else(|| {
                    Failure::usage(format!("{} has no command {word:?}", command.get_name()))
                })?;
            }
            show::raw(&page(command)?)
        }
    }
}

fn page(command: &Command) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    // Of the whole program, whatever its part.
    let part = command.clone().version(env!("CARGO_PKG_VERSION"));
    Man::new(part).manual("Headroom").render(&mut text).map_err(|e| Failure::of(&e))?;
    Ok(text)
}

fn write_pages(command: &Command, dir: &Path) -> Result<usize, Failure> {
    let name = command.get_display_name().unwrap_or(PROGRAM);
    let path = dir.join(format!("{name}.1"));
    write_atomically(&path, &page(command)?, Readers::Default)
        .map_err(|e| Failure::failed(format!("cannot write {}: {e}", path.display())))?;
    let mut written = 1;
    for part in command.get_subcommands().filter(|part| !part.is_hide_set() && part.get_name() != "help") {
        written += write_pages(part, dir)?;
    }
    Ok(written)
}
