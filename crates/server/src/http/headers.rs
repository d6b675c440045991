//! What stands on every answer, and what happens around every request: nothing is cached, nothing is framed, a
//! handler that panics is an answer too, and the log names no person.

use super::Refused;
use super::answers::{fault, wrong_method};
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use lamplight_domain::refusal::Refusal;
use std::any::Any;
use std::time::Instant;
use tower_http::catch_panic::CatchPanicLayer;

/// Only our own files: no inline scripts or styles, no frames, no other hosts.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'self'; \
    frame-ancestors 'none'; object-src 'none'";

/// The station's pages need none of these.
const PERMISSIONS_POLICY: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()";

static HEADERS: [(HeaderName, &str); 9] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS_POLICY),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// Of an answer to a tablet that is what it asked for: no page, and no browser ever sees it, so what is said to browsers
/// would only be a third of what an entry costs on the wire.
static TABLETS_HEADERS: [(HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

pub fn around(router: Router) -> Router {
    router
        .fallback(nothing_here)
        .method_not_allowed_fallback(async || wrong_method())
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(with_headers))
}

async fn nothing_here() -> Refused {
    Refused {
        status: StatusCode::NOT_FOUND,
        refusal: Refusal::new("request.unknown", "There is nothing at this address.", "The station is at /station/."),
        retry_after_seconds: None,
        written_as: None,
    }
}

fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    // Its words are not passed on: they may hold patient data.
    tracing::error!("a request panicked");
    Refused { status: StatusCode::INTERNAL_SERVER_ERROR, refusal: fault(), retry_after_seconds: None, written_as: None }
        .into_response()
}

async fn with_headers(request: Request<Body>, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let began = Instant::now();
    let mut response = next.run(request).await;
    let is_for_a_tablet = path.starts_with("/v1/") && response.status().is_success();
    put(response.headers_mut(), if is_for_a_tablet { &TABLETS_HEADERS } else { &HEADERS });
    // Without the query: it names stays.
    tracing::debug!(
        %method,
        path,
        status = response.status().as_u16(),
        ms = began.elapsed().as_millis() as u64,
        "answered"
    );
    response
}

fn put(headers: &mut HeaderMap, all: &[(HeaderName, &'static str)]) {
    for (name, value) in all {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tower::ServiceExt;

    async fn poison() -> &'static str {
        panic!("MATEO GARCIA")
    }

    #[tokio::test]
    async fn a_handler_that_panics_is_an_answer_without_its_words() {
        let router = around(Router::new().route("/", get(poison)));
        let response = router.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
        let said = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let refusal: Refusal = serde_json::from_slice(&said).unwrap();
        assert_eq!(refusal.code, "server.fault");
        assert!(!refusal.to_string().contains("MATEO"));
    }
}
