//! A page that means harm, in the real window: scripts that somebody else got into it. They reach no network, no file,
//! no program, no window, and of this program only what the person in front of it could do.

use crate::ground::ground;
use lamplight_tests::hands::Hands;
use lamplight_tests::page::Page;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener};

/// Tries every way out of a page that a browser has, each to a port of its own, waits for what each comes to, and says
/// which of them was not refused.
const WAYS: [&str; 19] = [
    "fetch",
    "xhr",
    "websocket",
    "eventsource",
    "image",
    "script",
    "frame",
    "object",
    "style",
    "prefetch",
    "media",
    "import",
    "font",
    "beacon",
    "form",
    "open",
    "link",
    "tab",
    "navigation",
];
const WAYS_OUT: &str = r"
    const ports = arguments[0], done = arguments[arguments.length - 1], out = [];
    const url = (way) => `http://127.0.0.1:${ports[way]}/`;
    const quietly = (act) => { try { return act(); } catch { return undefined; } };
    const settled = (way, promise) => Promise.race([
      promise.then(() => out.push(way), () => {}),
      new Promise((end) => setTimeout(end, 1500)),
    ]);
    const loads = (way, tag, attribute, more = {}) => new Promise((yes, no) => {
      const element = document.createElement(tag);
      element.onload = yes; element.onerror = no;
      Object.assign(element, more);
      element[attribute] = url(way);
      document.body.append(element);
      setTimeout(() => element.remove(), 1400);
    });
    const opens = (make) => new Promise((yes, no) => {
      const socket = quietly(make);
      if (!socket) return no();
      socket.onopen = yes; socket.onerror = no;
    });
    const xhr = (way) => new Promise((yes, no) => {
      const request = new XMLHttpRequest();
      request.onload = yes; request.onerror = no;
      request.open('POST', url(way)); request.send('x');
    });
    const form = document.createElement('form');
    form.action = url('form'); form.method = 'post';
    // These say that they have loaded where they were shut out; only the listener knows.
    loads('frame', 'iframe', 'src').catch(() => {});
    loads('object', 'object', 'data').catch(() => {});
    Promise.all([
      settled('fetch', fetch(url('fetch'), { method: 'POST', mode: 'no-cors', body: 'x' })),
      settled('xhr', xhr('xhr')),
      settled('websocket', opens(() => new WebSocket(`ws://127.0.0.1:${ports.websocket}/`))),
      settled('eventsource', opens(() => new EventSource(url('eventsource')))),
      settled('image', loads('image', 'img', 'src')),
      settled('script', loads('script', 'script', 'src')),
      settled('style', loads('style', 'link', 'href', { rel: 'stylesheet' })),
      settled('prefetch', loads('prefetch', 'link', 'href', { rel: 'prefetch' })),
      settled('media', new Promise((yes, no) => {
        const video = document.createElement('video');
        video.onloadstart = () => {}; video.onloadeddata = yes; video.onerror = no; video.src = url('media');
      })),
      settled('import', Promise.resolve().then(() => import(url('import')))),
      settled('worker', new Promise((yes, no) => {
        const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(1)'])));
        worker.onmessage = yes; worker.onerror = no;
      })),
      settled('service worker', quietly(() => navigator.serviceWorker.register('/sw.js')) ?? Promise.reject()),
      settled('font', new FontFace('x', `url(${url('font')})`).load()),
    ]).then(() => {
      quietly(() => navigator.sendBeacon(url('beacon'), 'x'));
      quietly(() => { document.body.append(form); form.submit(); });
      quietly(() => window.open(url('open')));
      const link = document.createElement('a');
      link.href = url('tab'); link.target = '_blank'; document.body.append(link); link.click();
      link.href = url('link'); link.target = ''; link.click();
      setTimeout(() => quietly(() => { location.href = url('navigation'); }), 100);
      setTimeout(() => done(out), 1500);
    });
";

/// Code that is made of text.
const WAYS_TO_RUN: &str = r"
    const done = arguments[arguments.length - 1], ran = [];
    window.ran = (way) => ran.push(way);
    const quietly = (act) => { try { act(); } catch { /* refused */ } };
    quietly(() => eval('window.ran(`eval`)'));
    quietly(() => new Function('window.ran(`Function`)')());
    quietly(() => setTimeout('window.ran(`setTimeout`)', 0));
    const script = document.createElement('script');
    script.textContent = 'window.ran(`inline script`)';
    document.body.append(script);
    const div = document.createElement('div');
    div.innerHTML = '<img src=`x` onerror=`window.ran(1)`>'.replaceAll('`', String.fromCharCode(34));
    document.body.append(div);
    const link = document.createElement('a');
    link.href = 'javascript:window.ran(`javascript:`)';
    document.body.append(link); link.click();
    setTimeout(() => { [script, div, link].forEach((e) => e.remove()); done(ran); }, 800);
";

/// Calls each and says what came of it: the code of a refusal, "not allowed" where the window's own list has no such
/// command, or "ALLOWED".
const CALLS: &str = r"
    const done = arguments[arguments.length - 1];
    const one = ([command, args]) => window.__TAURI_INTERNALS__.invoke(command, args)
      .then(() => 'ALLOWED', (e) => (e && e.code) || (/not allowed|not found/.test(String(e)) ? 'not allowed' : String(e)));
    Promise.all(arguments[0].map(one)).then(done);
";

/// Commands of Tauri itself and of its plugins, one of each kind at least.
fn of_tauri() -> Vec<Value> {
    let path = json!({ "path": "/etc/hostname" });
    let window = json!({ "label": "main" });
    let mut calls = Vec::new();
    for name in [
        "plugin:app|version",
        "plugin:app|app_hide",
        "plugin:app|set_app_theme",
        "plugin:event|emit",
        "plugin:event|emit_to",
        "plugin:image|from_path",
        "plugin:menu|new",
        "plugin:menu|popup",
        "plugin:path|resolve_directory",
        "plugin:path|join",
        "plugin:resources|close",
        "plugin:tray|new",
        "plugin:webview|create_webview",
        "plugin:webview|create_webview_window",
        "plugin:webview|internal_toggle_devtools",
        "plugin:webview|clear_all_browsing_data",
        "plugin:window|create",
        "plugin:window|close",
        "plugin:window|destroy",
        "plugin:window|get_all_windows",
        "plugin:window|set_title",
        "plugin:window|set_fullscreen",
        "plugin:window|hide",
        "plugin:fs|read_file",
        "plugin:fs|read_text_file",
        "plugin:fs|write_file",
        "plugin:fs|read_dir",
        "plugin:shell|execute",
        "plugin:shell|open",
        "plugin:shell|spawn",
        "plugin:opener|open_url",
        "plugin:http|fetch",
        "plugin:clipboard-manager|read_text",
        "plugin:clipboard-manager|write_text",
        "plugin:dialog|open",
        "plugin:notification|notify",
        "plugin:process|exit",
        "plugin:process|restart",
        "plugin:os|hostname",
        "plugin:sql|load",
        "plugin:store|load",
        "plugin:updater|check",
        "plugin:single-instance|show",
        "show",
        "open",
    ] {
        calls.push(json!([name, path]));
        calls.push(json!([name, window]));
    }
    calls
}

async fn of(page: &Page, script: &str, arguments: Vec<Value>) -> Value {
    page.run_async(script, arguments).await.unwrap()
}

#[tokio::test]
async fn a_hostile_page_reaches_nothing_but_what_the_person_in_front_of_it_could_do() {
    let Some(ground) = ground().await else { return };
    let window = ground.joined().await;
    let hands = Hands { page: &window.page };
    let page = &window.page;

    // Somebody listens at the end of every way, and hears nobody. The window's own driver is on another port.
    let (says, heard) = std::sync::mpsc::channel();
    let mut ports = serde_json::Map::new();
    for way in WAYS {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        ports.insert(way.to_owned(), json!(listener.local_addr().unwrap().port()));
        let says = says.clone();
        std::thread::spawn(move || listener.incoming().all(|_| says.send(way).is_ok()));
    }
    let way_out = of(page, WAYS_OUT, vec![json!(ports)]).await;
    assert_eq!(way_out, json!([]), "a way out of the page");
    let here = page.run("return location.href", vec![]).await.unwrap();
    assert!(here.as_str().unwrap().starts_with("tauri://localhost/"), "the window went to {here}");
    // The listeners do hear: this, and nothing before it.
    let last = WAYS[WAYS.len() - 1];
    let port = u16::try_from(ports[last].as_u64().unwrap()).unwrap();
    let before: Vec<&str> = heard.try_iter().collect();
    assert_eq!(before, Vec::<&str>::new(), "connected out of the page");
    std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    assert_eq!(heard.recv_timeout(lamplight_tests::until::PATIENCE), Ok(last));

    assert_eq!(of(page, WAYS_TO_RUN, vec![]).await, json!([]), "text that ran as code");

    let calls = of_tauri();
    let came = of(page, CALLS, vec![json!(calls)]).await;
    for (call, came) in calls.iter().zip(came.as_array().unwrap()) {
        assert_eq!(came, "not allowed", "{call}");
    }
    // Of this program, locked: only what the table lets anybody do.
    let stay = ground.second.open_stays()[0];
    let of_stay = json!({ "stay": stay });
    let ours = json!([
        ["call", { "command": "board", "args": {} }],
        ["call", { "command": "pad", "args": of_stay }],
        ["call", { "command": "day", "args": { "stay": stay, "date": null } }],
        ["call", { "command": "drafts", "args": {} }],
        ["call", { "command": "verify", "args": {} }],
        ["call", { "command": "join", "args": { "invite": "lamplight:x", "name": "" } }],
        ["call", { "command": "export", "args": {} }],
        ["call", { "command": "sync", "args": {} }],
        ["call", { "command": "__proto__", "args": {} }],
        ["call", { "command": "sign_in", "args": { "staff": "not one", "pin": 7 } }],
        ["call", { "command": "sign_in", "args": { "staff": uuid::Uuid::nil(), "pin": "' OR 1=1 --" } }],
    ]);
    let came = of(page, CALLS, vec![ours]).await;
    let expected = json!([
        "locked",
        "locked",
        "locked",
        "locked",
        "locked",
        "invite.unreadable",
        "command.unknown",
        "command.unknown",
        "command.unknown",
        "arguments.wrong",
        "staff.unknown"
    ]);
    assert_eq!(came, expected);

    // What a script changes of the language itself does not reach what the program gives the page.
    let frozen = "const was = Object.prototype.toString; try { Object.prototype.toString = () => 'bent'; } catch {}
        try { Object.prototype.bent = 1; } catch {}
        return [Object.prototype.toString === was, ({}).bent === undefined, typeof window.__TAURI__];";
    assert_eq!(page.run(frozen, vec![]).await.unwrap(), json!([true, true, "undefined"]));

    // The page still works, and nothing that it did opened it.
    hands.at("locked").await.unwrap();
    hands.sign_in(ground.technician()).await.unwrap();
    window.close().await.unwrap();
}
