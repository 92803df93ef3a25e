//! `headroom-simulator`: the stand-ins as a program, for tests and the demo.
//!
//! Prints one line of JSON with all addresses when everything is ready, and runs
//! until it is interrupted.

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;
use headroom_simulator::{Options, Simulator};

/// Local stand-ins of the twelve music services.
#[derive(Debug, Parser)]
#[command(name = "headroom-simulator", version)]
struct Arguments {
    /// First port (control); services and accounts servers follow. Free ports if not given.
    #[arg(long, value_name = "N")]
    port_base: Option<u16>,
    /// Decides catalogue, ids and latencies.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Shortest and longest time to an answer.
    #[arg(long, value_name = "A..B", default_value = "40..180", value_parser = range)]
    latency_ms: (u64, u64),
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let wrong = || format!("`{text}` is not a range of milliseconds such as 40..180");
    let (low, high) = text.split_once("..").unwrap_or((text, text));
    let (low, high): (u64, u64) = (low.parse().map_err(|_| wrong())?, high.parse().map_err(|_| wrong())?);
    if low <= high && high <= 600_000 { Ok((low, high)) } else { Err(wrong()) }
}

#[tokio::main]
async fn main() -> ExitCode {
    let Arguments { port_base, seed, latency_ms } = Arguments::parse();
    match run(Options { seed, port_base, latency_ms }).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headroom-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> std::io::Result<()> {
    let simulator = Simulator::start(options).await?;
    let interrupted = interruption()?;
    {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", simulator.addresses())?;
        out.flush()?;
    }
    interrupted.await;
    Ok(())
}

#[cfg(unix)]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a handler the system ends the program, which is what is wanted.
        let _ = tokio::signal::ctrl_c().await;
    })
}
