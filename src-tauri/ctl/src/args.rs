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
    },
    /// Show the running engine and its meters
    Status {
        /// Print JSON
        #[arg(long)]
        json: bool,
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
    },
    /// The calls of the last 24 hours
    History {
        #[command(subcommand)]
        command: HistoryCommand,
    },
    /// Print the debug text: 24 h totals, peaks, endpoints, events
    Debug,
    /// Check settings, data directory, vault, port, clock, databases and disk
    Doctor {
        /// Ask the providers as well, one call each
        #[arg(long)]
        online: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
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
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the history of all services as JSON, in the form `import` reads
    Export,
    /// Take in a history: of `export`, or of the older monitor (api_call_history.json)
    Import {
        /// The file
        file: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
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
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List the keys
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
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
