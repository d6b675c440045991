//! Refusals and troubles as HTTP answers.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lamplight_domain::refusal::Refusal;
use lamplight_domain::wire::Trouble;

/// An answer with a refusal in it.
#[derive(Debug)]
pub struct Refused {
    pub status: StatusCode,
    pub refusal: Refusal,
    pub retry_after_seconds: Option<u64>,
    /// The name in the audit, where it is another than the one in the answer.
    pub written_as: Option<&'static str>,
}

/// A refusal with the status that its code asks for.
pub fn refused(refusal: Refusal) -> Refused {
    let status = match refusal.code.split_once('.').map_or("", |(area, _)| area) {
        "auth" => StatusCode::UNAUTHORIZED,
        "access" | "ward" | "tablet" | "invite" | "join" | "session" | "set_up" => StatusCode::FORBIDDEN,
        _ if refusal.code.ends_with(".too_big") => StatusCode::PAYLOAD_TOO_LARGE,
        _ if refusal.code.ends_with(".unknown") => StatusCode::NOT_FOUND,
        _ => StatusCode::BAD_REQUEST,
    };
    Refused { status, refusal, retry_after_seconds: None, written_as: None }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Refused {
        refused(refusal)
    }
}

impl From<Trouble> for Refused {
    fn from(trouble: Trouble) -> Refused {
        match trouble {
            Trouble::Refused(refusal) => refused(refusal),
            Trouble::Busy { retry_after_ms } => Refused {
                status: StatusCode::SERVICE_UNAVAILABLE,
                refusal: Refusal::new("server.busy", "The facility server is busy.", "Wait a moment, then try again."),
                retry_after_seconds: Some(retry_after_ms.div_ceil(1000).max(1)),
                written_as: None,
            },
            Trouble::Unreachable(_) | Trouble::NotTheServer(_) => Refused {
                status: StatusCode::INTERNAL_SERVER_ERROR,
                refusal: fault(),
                retry_after_seconds: None,
                written_as: None,
            },
        }
    }
}

/// By which name a request was refused, for whoever writes it down; beside the answer, not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Named(pub String);

/// The address is right, and what is done there is not.
pub fn wrong_method() -> Refused {
    Refused {
        status: StatusCode::METHOD_NOT_ALLOWED,
        refusal: Refusal::new("request.method", "This is not how that is asked for.", "The station is at /station/."),
        retry_after_seconds: None,
        written_as: None,
    }
}

/// Something went wrong inside; the log says what.
pub fn fault() -> Refusal {
    Refusal::new(
        "server.fault",
        "The facility server made a mistake.",
        "Try again; where it stays so, tell whoever looks after the server.",
    )
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // By its code only: what was asked for may be about patients. A new nonce is what every tablet needs once.
        if self.refusal.code != "auth.nonce" {
            tracing::info!(code = %self.refusal.code, status = self.status.as_u16(), "refused");
        }
        let named = Named(self.written_as.map_or_else(|| self.refusal.code.clone(), str::to_owned));
        let mut response = (self.status, Json(self.refusal)).into_response();
        response.extensions_mut().insert(named);
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
