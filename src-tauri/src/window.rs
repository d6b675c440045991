//! The window: dark from its first frame, private, and shut to every page but its own.

use lamplight_domain::refusal::Refusal;
use lamplight_tablet::Tablet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Builder, Emitter, Manager, State, Url, WebviewWindowBuilder, Wry};

const MAIN: &str = "main";
/// "Look again": something that a screen shows has changed. Carries no data.
const CHANGED: &str = "changed";

/// The one command of the page: its name and arguments are checked behind it, with the role and the lock.
#[tauri::command]
async fn call(
    tablet: State<'_, Tablet>,
    command: String,
    args: serde_json::Value,
) -> Result<serde_json::Value, Refusal> {
    tablet.call(&command, args).await
}

/// The app without its window. Starting a second one over the same folder brings the first one's window to the front.
/// Windows over different folders do not meet.
pub fn app(folder: &Path) -> Builder<Wry> {
    let key = folder.metadata().map_or_else(|_| String::from("d"), |m| format!("d{}_{}", m.dev(), m.ino()));
    let one_at_a_time = tauri_plugin_single_instance::Builder::new()
        .dbus_id(format!("care.lamplight.tablet.{key}"))
        .callback(|app, _, _| show(app))
        .build();
    Builder::default().plugin(one_at_a_time).invoke_handler(tauri::generate_handler![call])
}

/// Opens the window as tauri.conf.json describes it. What WebKit writes for itself goes under `folder`, beside the
/// tablet's file; the window is private, so nothing that a page has shown is in it.
pub fn open(app: &AppHandle, folder: &Path) -> tauri::Result<()> {
    let Some(described) = app.config().app.windows.iter().find(|w| w.label == MAIN) else {
        return Err(tauri::Error::WebviewNotFound);
    };
    WebviewWindowBuilder::from_config(app, described)?
        .data_directory(folder.join("webkit"))
        .incognito(!is_driven_by_tests())
        // The page needs no network: it comes out of the program. WebKit connects ahead to wherever a link leads, before
        // anybody is asked, so it is given a way that leads nowhere.
        .proxy_url(nowhere())
        .on_navigation(|url| url.scheme() == "tauri" && url.host_str() == Some("localhost"))
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .build()?;
    Ok(())
}

/// Port 1 of this machine, which only its administrator could listen on.
fn nowhere() -> Url {
    Url::parse("http://127.0.0.1:1").expect("an address")
}

/// Tauri's own sign that WebDriver drives the window. WebKit lets no driver into a private window, so under test alone it
/// is an ordinary one; what the page leaves on the disk is then easier to find, not harder.
fn is_driven_by_tests() -> bool {
    std::env::var("TAURI_WEBVIEW_AUTOMATION").is_ok_and(|value| value == "true")
}

/// Tells the page of every change until the tablet is gone.
pub async fn tell_changes(app: AppHandle, tablet: Tablet) {
    let mut changes = tablet.changes();
    while changes.changed().await.is_ok() {
        if let Err(error) = app.emit_to(MAIN, CHANGED, ()) {
            tracing::warn!(%error, "the page could not be told of a change");
        }
    }
}

fn show(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(MAIN) {
        let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        if let Err(error) = shown {
            tracing::warn!(%error, "the window could not be brought to the front");
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    fn config() -> Value {
        serde_json::from_str(include_str!("../tauri.conf.json")).unwrap()
    }

    #[test]
    fn the_page_may_call_one_command_and_listen_and_nothing_else() {
        let main: Value = serde_json::from_str(include_str!("../capabilities/main.json")).unwrap();
        assert_eq!(
            main["permissions"],
            json!(["allow-call", "core:event:allow-listen", "core:event:allow-unlisten"]),
            "a new permission widens what a hostile page could do"
        );
        assert_eq!((&main["windows"], &main["remote"]), (&json!(["main"]), &Value::Null));
        assert_eq!(config()["app"]["security"]["capabilities"], json!(["main"]));
    }

    #[test]
    fn the_page_is_shut_to_everything_but_itself() {
        let app = &config()["app"];
        assert_eq!(app["withGlobalTauri"], false);
        let security = &app["security"];
        assert_eq!(security["freezePrototype"], true);
        assert_eq!(security["assetProtocol"]["enable"], false);
        assert!(security["dangerousDisableAssetCspModification"].is_null());
        let csp = security["csp"].as_object().unwrap();
        assert_eq!(csp["default-src"], "'self'");
        assert!(!csp.contains_key("script-src"), "scripts fall back to the page's own");
        for (directive, sources) in csp {
            let sources = sources.as_str().unwrap();
            for wide in ["*", "unsafe", "https:", "blob:"] {
                assert!(!sources.contains(wide), "{directive} lets in {wide}");
            }
        }
    }

    #[test]
    fn the_window_leaves_nothing_behind_and_does_not_flash() {
        let window = &config()["app"]["windows"][0];
        assert_eq!(window["incognito"], true, "WebKit's own files are not encrypted");
        assert_eq!(window["backgroundColor"], "#0f1419");
        assert_eq!(window["title"], "Lamplight", "a title is seen by other programs");
        assert_eq!(window["devtools"], Value::Null, "Tauri leaves them out of a release");
    }
}
