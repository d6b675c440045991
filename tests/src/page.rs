//! A page under WebDriver, the window's or the station's: found by `data-testid`, waited for by condition.

use crate::until::{PATIENCE, within};
use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::Value;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

/// A port that nobody listens on at this moment.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

pub struct Page {
    client: Client,
}

impl Page {
    /// Waits for the driver to listen, then opens a session.
    pub async fn connect(port: u16, capabilities: Value) -> Result<Page> {
        let url = format!("http://127.0.0.1:{port}");
        let listens = within(Duration::from_secs(30), async || {
            tokio::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.ok()
        })
        .await;
        listens.context("the driver does not listen")?;
        let Value::Object(capabilities) = capabilities else { bail!("capabilities are an object") };
        let mut session = ClientBuilder::new(HttpConnector::new());
        session.capabilities(capabilities.into_iter().collect());
        let client = tokio::time::timeout(Duration::from_secs(90), session.connect(&url)).await;
        let client = client.context("no session")??;
        Ok(Page { client })
    }

    pub async fn close(&self) -> Result<()> {
        Ok(self.client.clone().close().await?)
    }

    pub async fn go(&self, url: &str) -> Result<()> {
        Ok(self.client.goto(url).await?)
    }

    /// Runs a script in the page: what it returns.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute(script, arguments).await?)
    }

    /// A script whose last argument is called with the result.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.client.execute_async(script, arguments).await?)
    }

    pub async fn all(&self, css: &str) -> Result<Vec<Element>> {
        Ok(self.client.find_all(Locator::Css(css)).await?)
    }

    /// Is it on the screen now?
    pub async fn shows(&self, css: &str) -> bool {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => element.is_displayed().await.unwrap_or(false),
            Err(_) => false,
        }
    }

    /// Waits until it is on the screen.
    pub async fn see(&self, css: &str) -> Result<Element> {
        let seen = within(PATIENCE, async || {
            let element = self.client.find(Locator::Css(css)).await.ok()?;
            element.is_displayed().await.unwrap_or(false).then_some(element)
        })
        .await;
        match seen {
            Some(element) => Ok(element),
            None => bail!("never on the screen: {css}; the page says: {}", self.words().await),
        }
    }

    /// Waits until it is no longer on the screen.
    pub async fn see_gone(&self, css: &str) -> Result<()> {
        match within(PATIENCE, async || (!self.shows(css).await).then_some(())).await {
            Some(()) => Ok(()),
            None => bail!("never went from the screen: {css}"),
        }
    }

    /// Waits for it and taps it, as soon as a tap is taken: taps are dead for a moment after a save.
    pub async fn tap(&self, css: &str) -> Result<()> {
        self.see(css).await?;
        let mut last = None;
        let tapped = within(PATIENCE, async || {
            let element = self.client.find(Locator::Css(css)).await.ok()?;
            if !element.is_enabled().await.unwrap_or(false) {
                return None;
            }
            match element.click().await {
                Ok(()) => Some(()),
                Err(error) => {
                    last = Some(error);
                    None
                }
            }
        })
        .await;
        tapped.with_context(|| format!("cannot be tapped: {css}: {last:?}"))
    }

    pub async fn type_in(&self, css: &str, text: &str) -> Result<()> {
        let element = self.see(css).await?;
        element.clear().await?;
        Ok(element.send_keys(text).await?)
    }

    /// Chooses an option of a list by its words, as a person does.
    pub async fn choose(&self, css: &str, option: &str) -> Result<()> {
        let list = self.see(css).await?;
        Ok(list.select_by_label(option).await?)
    }

    /// Ticks a box or a button of a group, where a label is drawn over it.
    pub async fn tick(&self, css: &str) -> Result<()> {
        let tick = "const one = document.querySelector(arguments[0]); one?.click(); return one?.checked === true;";
        let ticked = within(PATIENCE, async || {
            (self.run(tick, vec![css.into()]).await.ok()? == Value::Bool(true)).then_some(())
        });
        ticked.await.with_context(|| format!("cannot be ticked: {css}"))
    }

    /// What it says, white space made single; empty where it is not there.
    pub async fn text(&self, css: &str) -> String {
        match self.client.find(Locator::Css(css)).await {
            Ok(element) => single_spaced(&element.text().await.unwrap_or_default()),
            Err(_) => String::new(),
        }
    }

    /// Waits until what it says satisfies `is`, and returns it.
    pub async fn text_that(&self, css: &str, what: &str, is: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = String::new();
        let said = within(PATIENCE, async || {
            last = self.text(css).await;
            is(&last).then(|| last.clone())
        })
        .await;
        said.with_context(|| format!("{css} never said {what}; it says {last:?}"))
    }

    /// Everything that can be read on the page.
    pub async fn words(&self) -> String {
        match self.run("return document.body ? document.body.innerText : ''", vec![]).await {
            Ok(Value::String(words)) => single_spaced(&words),
            _ => String::new(),
        }
    }

    /// Makes the page this large, in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let inner = async || {
            let size = self.run("return [innerWidth, innerHeight]", vec![]).await.ok()?;
            Some((size[0].as_u64()?, size[1].as_u64()?))
        };
        let (mut w, mut h) = (u64::from(width), u64::from(height));
        for _ in 0..3 {
            self.client.set_window_rect(0, 0, w as u32, h as u32).await?;
            let fits = within(Duration::from_secs(2), async || {
                (inner().await? == (u64::from(width), u64::from(height))).then_some(())
            })
            .await;
            if fits.is_some() {
                return Ok(());
            }
            // The window's frame takes a part: ask for that much more.
            let (iw, ih) = inner().await.context("the page has no size")?;
            w = (w + u64::from(width)).saturating_sub(iw);
            h = (h + u64::from(height)).saturating_sub(ih);
        }
        bail!("the window cannot be made {width} x {height}: it is {:?}", inner().await)
    }

    /// Waits for fonts, and for two frames to be painted.
    pub async fn settled(&self) -> Result<()> {
        let frames = "const done = arguments[arguments.length - 1]; \
                      document.fonts.ready.then(() => requestAnimationFrame(() => requestAnimationFrame(() => done(1))));";
        self.run_async(frames, vec![]).await.map(|_| ())
    }

    /// A PNG of what the page shows.
    pub async fn picture(&self, path: &Path) -> Result<()> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let png = self.client.screenshot().await?;
        anyhow::ensure!(png.starts_with(b"\x89PNG"), "the driver gave no picture");
        Ok(std::fs::write(path, png)?)
    }
}

fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The selector of a test id.
pub fn id(name: &str) -> String {
    format!("[data-testid=\"{name}\"]")
}
