//! A machine in the middle that the tablets trust: it ends TLS with the facility's own certificate, and changes what is
//! said inside. What a proxy, a cache or a broken middle box could do at the worst.

use crate::house::House;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum_server::tls_rustls::RustlsConfig;
use lamplight_domain::wire::server_name;
use lamplight_server::Surroundings;
use lamplight_server::facility::Identity;
use lamplight_server::folder::Folder;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trick {
    Fair,
    /// "Please sign in", with 200.
    Html,
    Redirect,
    Busy,
    /// Carried out, and no answer comes back.
    LoseAnswer,
    /// Carried out twice; the second answer comes back.
    Twice,
    /// The answer to the request before of this path, as from a cache.
    Stale,
    /// The answer ends after so many bytes, as if it were whole.
    Truncate(usize),
    /// A bit of the answer is another, this many bytes from its beginning.
    BendAnswer(usize),
    /// A bit of the request is another, this many bytes from its end.
    BendRequest(usize),
    /// This request comes after the next one.
    Reorder,
}

struct Heard {
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

#[derive(Default)]
struct Memory {
    trick: Option<(&'static str, Trick)>,
    /// How often it was played.
    played: usize,
    /// Path and answer.
    last: Vec<(String, StatusCode, HeaderMap, Bytes)>,
    held: Option<Heard>,
}

#[derive(Clone)]
pub struct Front {
    pub address: SocketAddr,
    base: String,
    http: reqwest::Client,
    memory: Arc<Mutex<Memory>>,
}

impl Front {
    pub async fn before(house: &House) -> Front {
        let data = house.data();
        let identity = tokio::task::spawn_blocking(move || {
            let folder = Folder::existing(&data).unwrap();
            Identity::read(&lamplight_server::store::connect(&folder.database(), &folder.key().unwrap()).unwrap())
                .unwrap()
        });
        let identity = identity.await.unwrap();
        let name = server_name(identity.facility);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .tls_certs_only([reqwest::Certificate::from_der(&identity.authority.der).unwrap()])
            .resolve(&name, house.address)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let tls = identity.authority.server_config(identity.facility, &[], &[], Surroundings::real().now()).unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let base = format!("https://{name}:{}", house.address.port());
        let front = Front { address, base, http, memory: Arc::default() };
        let router = Router::new().fallback(pass).with_state(front.clone());
        let server = axum_server::from_tcp_rustls(listener, RustlsConfig::from_config(Arc::new(tls))).unwrap();
        tokio::spawn(server.serve(router.into_make_service()));
        front
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.address)
    }

    /// From now on, to requests of this path. Says how often the trick before it was played.
    pub fn play(&self, path: &'static str, trick: Trick) -> usize {
        let mut memory = self.memory.lock().unwrap();
        memory.trick = Some((path, trick));
        std::mem::take(&mut memory.played)
    }

    async fn ask(&self, heard: &Heard) -> (StatusCode, HeaderMap, Bytes) {
        let mut headers = heard.headers.clone();
        for own in ["host", "content-length", "connection", "transfer-encoding"] {
            headers.remove(own);
        }
        let request = self.http.post(format!("{}{}", self.base, heard.path)).headers(headers);
        match request.body(heard.body.clone()).send().await {
            Ok(answer) => {
                let (status, headers) = (answer.status(), answer.headers().clone());
                (status, headers, answer.bytes().await.unwrap_or_default())
            }
            Err(_) => (StatusCode::BAD_GATEWAY, HeaderMap::new(), Bytes::new()),
        }
    }
}

async fn pass(State(front): State<Front>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    if head.method != "POST" {
        let answer = front.http.get(format!("{}{}", front.base, head.uri.path())).send().await;
        let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
        let (status, headers) = (answer.status(), answer.headers().clone());
        let bytes = answer.bytes().await.unwrap_or_default();
        return play(&front, head.uri.path(), (status, headers, bytes), None).await;
    }
    let path = head.uri.path().to_owned();
    let mut heard =
        Heard { path: path.clone(), headers: head.headers, body: to_bytes(body, 64 << 20).await.unwrap_or_default() };
    let trick = front.trick_of(&path);
    match trick {
        Some(Trick::BendRequest(from_end)) => {
            let mut bytes = heard.body.to_vec();
            if let Some(byte) = bytes.len().checked_sub(from_end + 1).and_then(|at| bytes.get_mut(at)) {
                *byte ^= 4;
            }
            heard.body = bytes.into();
        }
        Some(Trick::Reorder) => {
            let before = front.memory.lock().unwrap().held.replace(heard);
            let Some(before) = before else { return front.played(StatusCode::GATEWAY_TIMEOUT.into_response()) };
            // The newer one first; the older one comes after it, and its answer is nobody's.
            let newer = front.memory.lock().unwrap().held.take().unwrap();
            let answer = front.ask(&newer).await;
            front.ask(&before).await;
            return front.played(response(answer));
        }
        Some(Trick::Html | Trick::Redirect | Trick::Busy) => {}
        _ => {
            let answer = front.ask(&heard).await;
            return play(&front, &path, answer, Some(&heard)).await;
        }
    }
    let answer = match trick {
        Some(Trick::BendRequest(_)) => front.ask(&heard).await,
        _ => (StatusCode::OK, HeaderMap::new(), Bytes::new()),
    };
    play(&front, &path, answer, Some(&heard)).await
}

/// What comes back of an answer.
async fn play(front: &Front, path: &str, answer: (StatusCode, HeaderMap, Bytes), heard: Option<&Heard>) -> Response {
    let Some(trick) = front.trick_of(path) else {
        let mut memory = front.memory.lock().unwrap();
        memory.last.retain(|(of, ..)| of != path);
        memory.last.push((path.to_owned(), answer.0, answer.1.clone(), answer.2.clone()));
        return response(answer);
    };
    let (status, headers, bytes) = answer;
    let answer = match trick {
        Trick::Html => {
            let page = "<html><body>Welcome to Guest Wi-Fi. Please sign in.</body></html>";
            return front.played(([("content-type", "text/html")], page).into_response());
        }
        Trick::Redirect => {
            let to = [("location", "https://127.0.0.1:9/elsewhere")];
            return front.played((StatusCode::TEMPORARY_REDIRECT, to).into_response());
        }
        Trick::Busy => {
            return front.played((StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")]).into_response());
        }
        Trick::LoseAnswer => return front.played(StatusCode::GATEWAY_TIMEOUT.into_response()),
        Trick::Twice => match heard {
            Some(heard) => front.ask(heard).await,
            None => (status, headers, bytes),
        },
        Trick::Stale => {
            let memory = front.memory.lock().unwrap();
            let before = memory.last.iter().find(|(of, ..)| of == path).cloned();
            before.map_or((status, headers, bytes), |(_, status, headers, bytes)| (status, headers, bytes))
        }
        Trick::Truncate(most) => (status, headers, bytes.slice(..most.min(bytes.len()))),
        Trick::BendAnswer(at) => {
            let mut bent = bytes.to_vec();
            let length = bent.len().max(1);
            if let Some(byte) = bent.get_mut(at % length) {
                *byte ^= 4;
            }
            (status, headers, bent.into())
        }
        Trick::Fair | Trick::BendRequest(_) | Trick::Reorder => (status, headers, bytes),
    };
    front.played(response(answer))
}

fn response((status, mut headers, bytes): (StatusCode, HeaderMap, Bytes)) -> Response {
    for own in ["content-length", "connection", "transfer-encoding"] {
        headers.remove(own);
    }
    (status, headers, Body::from(bytes)).into_response()
}

impl Front {
    fn trick_of(&self, path: &str) -> Option<Trick> {
        let memory = self.memory.lock().unwrap();
        memory.trick.filter(|(of, trick)| *of == path && *trick != Trick::Fair).map(|(_, trick)| trick)
    }
    fn played(&self, response: Response) -> Response {
        self.memory.lock().unwrap().played += 1;
        response
    }
}
