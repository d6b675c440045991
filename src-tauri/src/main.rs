//! The tablet app: a window over [`lamplight_tablet::Tablet`]. No SQL, no HTTP and no rules of the ward live here;
//! the page gives one command, `call`, and hears one event, `changed`.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod alarm;
mod arguments;
mod awake;
mod tones;
mod window;

use arguments::Arguments;
use clap::Parser;
use lamplight_domain::refusal::Refusal;
use lamplight_tablet::{Options, SecretService, Tablet, core_dumps, crash};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tauri::{AppHandle, RunEvent};
use tracing_subscriber::EnvFilter;

/// The tablet's refusal where another program has its folder open.
const IN_USE: &str = "tablet.in_use";

fn main() -> ExitCode {
    #[cfg(debug_assertions)]
    lamplight_tablet::failpoint::set_up();
    crash::say_where_only();
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("LAMPLIGHT_LOG").unwrap_or_else(|_| EnvFilter::new("info,zbus=warn"));
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(std::io::stderr).init();
    let ended = arguments.data_dir().and_then(|dir| {
        start(&arguments, &dir).inspect_err(|_| eprintln!("lamplight: in the folder {}", dir.display()))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(refusal) => {
            eprintln!("lamplight: {refusal}");
            ExitCode::FAILURE
        }
    }
}

/// Opens the tablet's file before any window, so that a refusal is said and not hidden behind one.
fn start(arguments: &Arguments, dir: &Path) -> Result<(), Refusal> {
    core_dumps::off()?;
    let context = tauri::generate_context!();
    let mut options = Options::default();
    if !arguments.no_key_store {
        options.key_store = Some(Arc::new(SecretService::default()));
    }
    let tablet = match Tablet::open(dir, options) {
        Ok(tablet) => tablet,
        Err(refused) => {
            if refused.code == IN_USE {
                // Where there is a session bus, this shows the other window and ends this process.
                let _ = window::app(dir).build(context);
            }
            return Err(refused);
        }
    };
    if let Some(invite) = &arguments.join {
        tauri::async_runtime::block_on(join(&tablet, invite, &arguments.name))?;
    }
    let app = window::app(dir).manage(tablet.clone()).build(context).map_err(|error| no_window(&error))?;
    window::open(app.handle(), dir).map_err(|error| no_window(&error))?;
    alarm::watch(tablet.clone()).and_then(|()| awake::watch(tablet.clone())).map_err(|error| no_thread(&error))?;
    let (running, told) = (tablet.clone(), tablet.clone());
    let handle = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        running.run().await;
        if running.is_handed_over() {
            // What this process has in memory goes with it.
            handle.request_restart();
        }
    });
    tauri::async_runtime::spawn(window::tell_changes(app.handle().clone(), told));
    tauri::async_runtime::spawn(end_on_signal(app.handle().clone()));
    app.run(move |_, event| {
        if let RunEvent::Exit = event {
            tablet.stop();
        }
    });
    Ok(())
}

/// Joins at the first start only: a tablet that has joined keeps its facility.
async fn join(tablet: &Tablet, invite: &str, name: &str) -> Result<(), Refusal> {
    let hello = tablet.call("hello", serde_json::json!({})).await?;
    if hello["joined"] == true {
        tracing::info!("this tablet has already joined; the invite is not used");
        return Ok(());
    }
    tablet.join(invite, name).await
}

/// Ctrl-C and a polite `kill` close the window as a person would.
async fn end_on_signal(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::warn!("signals cannot be heard; closing the window still ends the program");
        return;
    };
    tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
    app.exit(0);
}

fn no_window(error: &tauri::Error) -> Refusal {
    Refusal::new(
        "window.none",
        format!("The window cannot be opened: {error}."),
        "Start Lamplight on a machine with a screen; DISPLAY or WAYLAND_DISPLAY says which.",
    )
}

fn no_thread(error: &std::io::Error) -> Refusal {
    Refusal::new(
        "alarm.none",
        format!("The alarm cannot be started: {error}."),
        "Close other programs and start Lamplight again.",
    )
}
