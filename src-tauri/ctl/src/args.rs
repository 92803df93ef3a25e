//! The words of the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use headroom_engine::service::ServiceId;

/// Keeps your music tools from getting each other banned.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no engine running, 4 refused until later.
#[derive(Debug, Parser)]
#[command(name = "headroomctl", version, arg_required_else_help = true)]
pub(crate) struct Args {
    /// The data directory [default: HEADROOM_DATA_DIR, else the system's place for application data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Show JSON, wherever something is shown
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the engine in the foreground, until Ctrl-C
    Serve {
        /// Port on 127.0.0.1; 0 picks a free one [default: gateway.port of the settings]
        #[arg(long)]
        port: Option<u16>,
        /// If another Headroom runs on the data directory, stop it first
        #[arg(long)]
        take_over: bool,
        /// Leave the terminal; what `start` does
        #[arg(long, hide = true)]
        background: bool,
    },
    /// Run the engine in the background, and wait until it answers
    Start {
        /// Port on 127.0.0.1; 0 picks a free one [default: gateway.port of the settings]
        #[arg(long)]
        port: Option<u16>,
    },
    /// Let the running engine save and end
    Stop,
    /// Stop the engine, and start it in the background on the same port
    Restart {
        /// Another port on 127.0.0.1; 0 picks a free one
        #[arg(long)]
        port: Option<u16>,
    },
    /// Show the running engine and its meters
    Status,
    /// Show the last lines of the log
    Logs {
        /// Go on with new lines, until Ctrl-C
        #[arg(short, long)]
        follow: bool,
        /// So many lines
        #[arg(short = 'n', long, value_name = "N", default_value_t = 50)]
        lines: usize,
        /// The log of calls: one line each
        #[arg(long)]
        calls: bool,
    },
    /// Open the window in a browser, by a link that works once
    Open {
        /// Print the link
        #[arg(long)]
        print: bool,
    },
    /// Make one call and print the body of its answer
    Get {
        /// The service, such as deezer
        service: ServiceId,
        /// Path below its base URL, such as /search
        path: String,
        /// A query parameter, k=v; may be given several times
        #[arg(short, long, value_name = "K=V", value_parser = pair)]
        query: Vec<(String, String)>,
        /// Ask the service itself, whatever is kept
        #[arg(long)]
        fresh: bool,
    },
    /// The calls of the last 24 hours
    History {
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Print the debug text: 24 h totals, peaks, endpoints, events
    Debug,
    /// Check settings, data directory, vault, sign-ins, port, clock, databases and disk
    Doctor {
        /// Ask the providers as well, one call each
        #[arg(long)]
        online: bool,
    },
    /// Sign in at a service; prints the address of its consent page and waits for the answer
    Login {
        /// The service, such as spotify
        service: ServiceId,
        /// Do not open the browser
        #[arg(long)]
        no_browser: bool,
    },
    /// Sign out; what was counted stays
    Logout {
        /// The service
        service: ServiceId,
        /// The account's id [default: the active one]
        #[arg(long)]
        account: Option<String>,
    },
    /// Keys and tokens that were copied from a service
    Secret {
        #[command(subcommand)]
        command: SecretCommand,
    },
    /// Keys that tools hold instead of real credentials
    Keys {
        #[command(subcommand)]
        command: KeysCommand,
    },
    /// Answers that are kept
    Cache {
        #[command(subcommand)]
        command: CacheCommand,
    },
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, in the form `man -l -` shows
    Man {
        /// Of a command, such as: history import
        #[arg(value_name = "COMMAND")]
        words: Vec<String>,
        /// Write the pages of all commands into a folder instead
        #[arg(long, value_name = "DIR", conflicts_with = "words")]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Show what is kept, and how often it answered
    Stats,
    /// Forget every answer
    Clear {
        /// Of this service only
        #[arg(long)]
        service: Option<ServiceId>,
        /// Do not ask
        #[arg(short, long)]
        yes: bool,
    },
    /// Forget the answers about one thing
    Forget {
        #[command(subcommand)]
        what: Forget,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Forget {
    /// One answer, by its key
    Key {
        /// The key
        key: String,
    },
    /// What mentions a track
    Track {
        /// Its artist
        artist: String,
        /// Its title
        title: String,
    },
    /// What mentions an album
    Album {
        /// Its artist
        artist: String,
        /// Its title
        album: String,
    },
    /// What mentions an artist
    Artist {
        /// The artist
        artist: String,
    },
    /// Everything of a service
    Service {
        /// The service
        service: ServiceId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Keep a secret, read from standard input; effective at once
    Set {
        /// Its name: a service, or a part of it such as tidal.client_id
        name: String,
    },
    /// Forget a secret
    Forget {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum HistoryCommand {
    /// Show the minutes of a service
    Show {
        /// The service
        service: ServiceId,
    },
    /// Print the history of all services as JSON, in the form `import` reads
    Export,
    /// Take in a history: of `export`, or of the older monitor (api_call_history.json)
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a key for a tool; it is shown this once
    Add {
        /// The tool's name
        name: String,
        /// Services it opens, such as spotify,deezer [default: all]
        #[arg(long, value_delimiter = ',')]
        services: Option<Vec<ServiceId>>,
        /// Leave links in answers as the service wrote them
        #[arg(long)]
        raw_links: bool,
        /// The largest part of a service's budget it may use, such as 0.25 [default: all]
        #[arg(long)]
        share: Option<f64>,
    },
    /// List the keys
    List,
    /// End a key
    Revoke {
        /// The tool's name
        name: String,
    },
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as name=value")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
