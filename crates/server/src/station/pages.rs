//! The station's pages, built by npm and kept inside the program.

use crate::http::refused;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::station::path;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Pages;

const NOT_BUILT: &str = "The station's pages are not in this program. Build it with: make build\n";

pub async fn home() -> Redirect {
    Redirect::permanent(path::PAGES)
}

pub async fn station() -> Response {
    let Some(page) = Pages::get("station/index.html") else {
        return (StatusCode::SERVICE_UNAVAILABLE, NOT_BUILT).into_response();
    };
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page.data).into_response()
}

pub async fn asset(asked: Result<Path<String>, PathRejection>) -> Response {
    let file = asked.map_or_else(|_| String::new(), |Path(file)| file);
    let Some(found) = Pages::get(&format!("assets/{file}")) else {
        return refused(Refusal::new("file.unknown", "There is no such file.", "Load the page again.")).into_response();
    };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(&file)));
    (headers, found.data).into_response()
}

fn content_type(file: &str) -> &'static str {
    match file.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "wasm" => "application/wasm",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}
