//! The real window, driven by WebDriver: the built `lamplight` on a screen of its own, in a home of its own.

use crate::display::Display;
use crate::page::{self, Page};
use crate::process::{self, Process};
use crate::programs;
use crate::until::within;
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What a window test needs of the machine; Err names what is missing.
pub fn possible() -> Result<(), String> {
    for (program, package) in [("WebKitWebDriver", "webkit2gtk-driver"), ("Xvfb", "xvfb")] {
        if programs::on_machine(program).is_none() {
            return Err(format!("{program} is not installed (Debian package {package})"));
        }
    }
    match programs::find("lamplight") {
        Some(_) => Ok(()),
        None => Err("lamplight is not built beside this program: run `make test`".to_owned()),
    }
}

/// The app and the driver that started it. Both end when this is dropped.
pub struct Window {
    pub page: Page,
    driver: Process,
    app: u32,
    folder: PathBuf,
}

impl Window {
    /// Opens `app` over the tablet in `folder/tablet`, with everything that it or WebKit writes under `folder`.
    /// `session` names this opening in the logs.
    pub async fn open(app: &Path, display: &Display, folder: &Path, session: &str) -> Result<Window> {
        Window::open_through(app, app, display, folder, session).await
    }

    /// The same where `launcher` starts the app, with the arguments that it is given.
    pub async fn open_through(
        launcher: &Path,
        app: &Path,
        display: &Display,
        folder: &Path,
        session: &str,
    ) -> Result<Window> {
        let home = folder.join("home");
        for dir in ["data", "config", "cache", "state", "run", "tmp"] {
            std::fs::create_dir_all(home.join(dir))?;
        }
        let driver = programs::on_machine("WebKitWebDriver").context("WebKitWebDriver is not installed")?;
        let port = page::free_port()?;
        let mut command = Command::new(driver);
        command
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .env("DISPLAY", &display.name)
            .env("GDK_BACKEND", "x11")
            .env("HOME", &home)
            .env("XDG_DATA_HOME", home.join("data"))
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_RUNTIME_DIR", home.join("run"))
            .env("TMPDIR", home.join("tmp"))
            // No desktop session: neither a bus of somebody else's nor one started on the side.
            .env("DBUS_SESSION_BUS_ADDRESS", "disabled:")
            .env("NO_AT_BRIDGE", "1")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("LAMPLIGHT_JOIN")
            .env_remove("LAMPLIGHT_DATA");
        let driver = Process::start(&format!("window-{session}"), command, &folder.join("logs"))?;
        let capabilities = json!({
            "webkitgtk:browserOptions": {
                "binary": launcher,
                "args": ["--data", folder.join("tablet")],
            }
        });
        let page = Page::connect(port, capabilities)
            .await
            .with_context(|| format!("the window did not open: {}", driver.last_words()))?;
        let exe = app.canonicalize()?;
        let found = within(Duration::from_secs(10), async || {
            process::descendants(driver.pid())
                .into_iter()
                .find(|pid| std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|e| e == exe))
        })
        .await;
        let app = found.context("the app is not among the driver's processes")?;
        Ok(Window { page, driver, app, folder: folder.to_owned() })
    }

    /// Process id of the app itself.
    pub fn app_pid(&self) -> u32 {
        self.app
    }

    /// Where the tablet keeps its file.
    pub fn tablet(&self) -> PathBuf {
        self.folder.join("tablet")
    }

    /// Everything that the app and the driver wrote on their outputs.
    pub fn said(&self) -> String {
        let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_default();
        read(&self.driver.stdout) + &read(&self.driver.stderr)
    }

    /// kill -9 of the app, in the middle of whatever it does. Returns when it is gone.
    pub async fn kill_app(self) {
        process::kill_pid(self.app);
        let app = self.app;
        let gone = within(Duration::from_secs(10), async || (!process::alive(app)).then_some(())).await;
        assert!(gone.is_some(), "the app outlived SIGKILL");
    }

    /// Ends the session, and asks the app to end (SIGTERM) where it did not with it. Returns when it is gone.
    pub async fn close(self) -> Result<()> {
        let ended = self.page.close().await;
        let app = self.app;
        let gone = async |patience| within(patience, async || (!process::alive(app)).then_some(())).await.is_some();
        if !gone(Duration::from_millis(300)).await {
            process::ask_to_end(app);
        }
        if !gone(Duration::from_secs(20)).await {
            process::kill_pid(app);
            anyhow::ensure!(gone(Duration::from_secs(10)).await, "the app outlived SIGKILL");
        }
        ended
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The driver's own end leaves the app running now and then.
        process::kill_pid_of(self.app, &self.folder);
    }
}
