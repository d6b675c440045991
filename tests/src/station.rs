//! The nursing station's pages in a real Chromium.

use crate::hands::Person;
use crate::page::{Page, free_port, id};
use crate::process::Process;
use crate::programs;
use anyhow::{Context, Result};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a station test needs of the machine; Err names what is missing.
pub fn possible() -> Result<(), String> {
    if programs::on_machine("chromedriver").is_none() {
        return Err("chromedriver is not installed (Debian package chromium-driver)".to_owned());
    }
    chromium().map(|_| ()).ok_or_else(|| "Chromium is not installed (Debian package chromium)".to_owned())
}

fn chromium() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(programs::on_machine)
}

/// A browser without a window, with a profile of its own under `folder`. Ends when dropped.
pub struct Station {
    pub page: Page,
    _driver: Process,
}

impl Station {
    pub async fn open(folder: &Path) -> Result<Station> {
        let driver = programs::on_machine("chromedriver").context("chromedriver is not installed")?;
        let browser = chromium().context("Chromium is not installed")?;
        let home = folder.join("station-home");
        std::fs::create_dir_all(&home)?;
        let port = free_port()?;
        let mut command = Command::new(driver);
        command.arg(format!("--port={port}")).env("HOME", &home).env("TMPDIR", &home);
        let driver = Process::start("station", command, &folder.join("logs"))?;
        let capabilities = json!({
            "browserName": "chrome",
            // The facility's own certificate authority is not this machine's; only 127.0.0.1 is visited.
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {
                "binary": browser,
                "args": [
                    "--headless=new",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--disable-dev-shm-usage",
                    "--no-first-run",
                    "--disable-background-networking",
                    "--window-size=1440,900",
                    "--force-prefers-reduced-motion",
                    format!("--user-data-dir={}", home.join("profile").display()),
                ],
            },
        });
        let page = Page::connect(port, capabilities)
            .await
            .with_context(|| format!("the browser did not open: {}", driver.last_words()))?;
        Ok(Station { page, _driver: driver })
    }
}

/// Opens the login page.
pub async fn visit(page: &Page, url: &str) -> Result<()> {
    page.go(&format!("{url}/station/")).await?;
    page.see(&id("login-name")).await.map(|_| ())
}

/// Logs in and waits for the ward's live board.
pub async fn log_in(page: &Page, person: &Person) -> Result<()> {
    page.type_in(&id("login-name"), &person.login).await?;
    page.type_in(&id("login-password"), &person.password).await?;
    page.tap(&id("login-submit")).await?;
    page.see("[data-testid^=\"row-\"]").await.map(|_| ())
}

/// "night" or "day".
pub async fn theme(page: &Page, theme: &str) -> Result<()> {
    page.tap(&id(&format!("theme-{theme}"))).await?;
    page.see(&format!("html[data-theme=\"{theme}\"]")).await.map(|_| ())
}
