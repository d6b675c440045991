//! Tablets at the station: moved, taken out of use, invited.

use super::super::login::json;
use super::super::{Person, Station, access};
use super::seen_by;
use crate::facility::{tablet_moved, tablet_revoked};
use crate::http::Refused;
use axum::Json;
use axum::body::Body;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::station::{Facility, InviteMade, MakeInvite, MoveTablet, RevokeTablet};
use lamplight_domain::time::MINUTE_MS;
use qrcode::{EcLevel, QrCode, render::svg};

/// An invite is read from the screen at once.
const INVITE_MS: i64 = 10 * MINUTE_MS;

/// Errors: those of [`tablet_moved`].
pub async fn move_one(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let ask: MoveTablet = json(body).await?;
    let moved = station.inner.facility.change(Some(person.staff.id), move |c| tablet_moved(c, ask.tablet, ask.to));
    moved.await?;
    Ok(Json(seen_by(&station, &person.staff).await?))
}

/// Errors: those of [`tablet_revoked`].
pub async fn revoke(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    body: Body,
) -> Result<Json<Facility>, Refused> {
    let ask: RevokeTablet = json(body).await?;
    let facility = &station.inner.facility;
    facility.change(Some(person.staff.id), move |c| tablet_revoked(c, ask.tablet, &ask.reason)).await?;
    Ok(Json(seen_by(&station, &person.staff).await?))
}

/// Errors: "ward.unknown", "tablet.unknown", "tablet.revoked", "invite.address", "invite.too_long".
pub async fn invite(
    State(station): State<Station>,
    Extension(person): Extension<Person>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<InviteMade>, Refused> {
    let ask: MakeInvite = json(body).await?;
    let facility = &station.inner.facility;
    let url = match (&station.inner.public_url, access::host(&headers)) {
        (Some(url), _) => url.clone(),
        (None, Some(host)) => format!("https://{host}"),
        (None, None) => {
            let refusal = Refusal::new("invite.address", "The server's address is not known.", "Load the page again.");
            return Err(refusal.into());
        }
    };
    let invite = facility.invite((ask.ward, ask.replaces), url, INVITE_MS, person.staff.id).await?;
    let text = invite.to_string();
    let qr = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::L).map_err(|_| {
        Refusal::new("invite.too_long", "The invite does not fit a QR code.", "Use lamplight-server invite instead.")
    })?;
    tracing::info!(staff = %person.staff.id, ward = %ask.ward, "an invite was made at the station");
    Ok(Json(InviteMade {
        invite: text,
        qr_svg: qr.render::<svg::Color<'_>>().min_dimensions(320, 320).build(),
        expires_at: invite.expires_at,
        expires_clock: invite.expires_at.clock(facility.roster().facility.zone),
    }))
}
