//! The facility server's program. See [`lamplight_server::cli`] for its commands.

use clap::Parser;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    lamplight_server::failpoint::set_up();
    let filter = EnvFilter::try_from_env("LAMPLIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(std::io::stderr).init();
    // Where, never what: a panic's own words may hold patient data.
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a mistake in the program");
    }));
    match lamplight_server::core_dumps::off().and_then(|()| lamplight_server::cli::Cli::parse().run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("{refusal}");
            ExitCode::FAILURE
        }
    }
}
