//! Whom to trust: the facility's own authority, under the facility's name, at a time that a wrong clock cannot shift.

use super::client::not_the_server;
use crate::clock::Clock;
use lamplight_domain::time::{HOUR_MS, Ms, Now, ServerTime};
use lamplight_domain::wire::Trouble;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::CertificateError as Wrong;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, WebPkiServerVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme, version::TLS13};
use std::sync::Arc;
use std::time::Duration;

/// A wall clock further ahead than this of the last contact is wrong: no ward's tablet is away for a quarter of a year.
const FAR_AHEAD_MS: i64 = 90 * 24 * HOUR_MS;
/// The server may have been started again, with a fresh certificate, so long after the last contact. Not longer: a server
/// whose own clock is wrong must carry no tablet further than a certificate of the right time still reaches (395 days).
const BEGINS_WITHIN_MS: i64 = 365 * 24 * HOUR_MS;
/// Certificates of one chain, each of which may begin later than the one before.
const CHAIN_MAX: usize = 4;

/// Certificates are judged by the server's last time plus the boot time since, else by the wall clock, but never by a
/// time before the last one that is known to have passed.
#[derive(Clone)]
pub struct Time {
    clock: Arc<dyn Clock>,
    floor: Ms,
    last: LastHeard,
}

/// The server's time at the newest contact.
pub type LastHeard = Arc<dyn Fn() -> Option<ServerTime> + Send + Sync>;

impl Time {
    pub fn new(clock: Arc<dyn Clock>, floor: Ms, last: LastHeard) -> Time {
        Time { clock, floor, last }
    }
    fn now(&self) -> Ms {
        Now { clocks: self.clock.read(), server: (self.last)() }.best().max(self.floor)
    }
    /// The last time that is known to have passed, where only the wall clock says how long ago that is, and it may be
    /// wrong. None once the server was heard in this boot.
    fn floor_of_a_wall_clock(&self) -> Option<Ms> {
        let is_heard = (self.last)().is_some_and(|heard| heard.boot_id == self.clock.read().boot_id);
        (!is_heard && self.floor.0 > 0).then_some(self.floor)
    }
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Time({:?})", self.now())
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.now()))
    }
}

fn unix(at: Ms) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(at.0).unwrap_or(0)))
}

/// The usual check of a certificate. Where the time is a wall clock's that may be wrong, one that has expired by a clock far
/// ahead, or begins only after a clock that is behind, must be good at some time since the last contact.
#[derive(Debug)]
struct Judge {
    usual: Arc<WebPkiServerVerifier>,
    time: Time,
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let at = |when| self.usual.verify_server_cert(end_entity, intermediates, name, ocsp, when);
        let done = at(now);
        let (Err(rustls::Error::InvalidCertificate(wrong)), Some(floor)) = (&done, self.time.floor_of_a_wall_clock())
        else {
            return done;
        };
        let is_far_ahead = self.time.now() - floor > FAR_AHEAD_MS;
        let mut when = match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } if is_far_ahead => unix(floor),
            Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => now,
            _ => return done,
        };
        let latest = unix(floor + BEGINS_WITHIN_MS);
        for _ in 0..CHAIN_MAX {
            match at(when) {
                Err(rustls::Error::InvalidCertificate(Wrong::NotValidYetContext { not_before, .. }))
                    if not_before > when && not_before <= latest =>
                {
                    when = not_before;
                }
                judged => return judged,
            }
        }
        done
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// TLS 1.3 to these authorities and no others; the system's roots have no say.
pub fn config(cas: Vec<CertificateDer<'static>>, time: Time) -> Result<ClientConfig, Trouble> {
    let mut roots = RootCertStore::empty();
    let (added, _) = roots.add_parsable_certificates(cas);
    if added == 0 {
        return Err(not_the_server("no certificate authority of the facility can be read"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider.clone())
        .build()
        .map_err(|_| not_the_server("no certificate authority of the facility can be used"))?;
    let config = ClientConfig::builder_with_details(provider, Arc::new(time.clone()))
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| not_the_server("this program has no TLS 1.3"))?;
    let judge = Arc::new(Judge { usual, time });
    Ok(config.dangerous().with_custom_certificate_verifier(judge).with_no_client_auth())
}

pub fn certificates(pem: &[String]) -> Result<Vec<CertificateDer<'static>>, Trouble> {
    let read = |text: &String| CertificateDer::pem_slice_iter(text.as_bytes()).collect::<Vec<_>>();
    pem.iter()
        .flat_map(read)
        .collect::<Result<_, _>>()
        .map_err(|_| not_the_server("a certificate authority of the facility cannot be read"))
}

/// Connects the facility's name to the address in the invite, looked up anew for each connection.
pub struct Address {
    pub name: String,
    pub host: String,
}

impl Resolve for Address {
    fn resolve(&self, name: Name) -> Resolving {
        let host = (name.as_str() == self.name).then(|| self.host.clone());
        Box::pin(async move {
            let host = host.ok_or("only the facility server is looked up")?;
            let found: Vec<_> = tokio::net::lookup_host((host, 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Sorts what the HTTP library says. Without addresses: they may be in a log.
pub fn trouble(error: &reqwest::Error) -> Trouble {
    if let Some(tls) = tls_error(error) {
        return not_the_server(&in_words(tls));
    }
    let why = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    Trouble::Unreachable(why.to_owned())
}

/// Somewhere below: an I/O error hides what it wraps from `source`.
fn tls_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let wrapped = error.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
    wrapped.and_then(|inner| tls_error(inner)).or_else(|| error.source().and_then(tls_error))
}

fn in_words(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(Wrong::Expired | Wrong::ExpiredContext { .. }) => {
            "its certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(Wrong::NotValidYet | Wrong::NotValidYetContext { .. }) => {
            "its certificate is not valid yet".to_owned()
        }
        rustls::Error::InvalidCertificate(Wrong::UnknownIssuer) => "its certificate is of another authority".to_owned(),
        rustls::Error::InvalidCertificate(Wrong::NotValidForName | Wrong::NotValidForNameContext { .. }) => {
            "its certificate is for another facility".to_owned()
        }
        rustls::Error::InvalidCertificate(_) => "its certificate is not sound".to_owned(),
        _ => "it does not speak TLS as a facility server does".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{HandClock, START};
    use lamplight_domain::time::MINUTE_MS;

    const NAME: &str = "facility.internal";

    /// A server's certificate for 397 days around [`START`], and whom to trust.
    fn certificates() -> (CertificateDer<'static>, RootCertStore) {
        let ca_key = rcgen::KeyPair::generate().unwrap();
        let mut ca = rcgen::CertificateParams::new(vec![]).unwrap();
        ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let mut leaf = rcgen::CertificateParams::new(vec![NAME.to_owned()]).unwrap();
        leaf.not_before = rcgen::date_time_ymd(2026, 1, 1);
        leaf.not_after = rcgen::date_time_ymd(2027, 2, 2);
        let issuer = rcgen::Issuer::from_params(&ca, &ca_key);
        let leaf = leaf.signed_by(&rcgen::KeyPair::generate().unwrap(), &issuer).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(ca.self_signed(&ca_key).unwrap().der().clone()).unwrap();
        (leaf.der().clone(), roots)
    }

    fn judged(wall: Ms, floor: Ms, heard: Option<ServerTime>) -> Result<(), rustls::Error> {
        let (leaf, roots) = certificates();
        let clock = HandClock::new();
        clock.set_wall(wall);
        let time = Time::new(clock, floor, Arc::new(move || heard));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
        let judge = Judge { usual, time: time.clone() };
        let now = time.current_time().unwrap();
        judge.verify_server_cert(&leaf, &[], &NAME.try_into().unwrap(), &[], now).map(|_| ())
    }

    #[test]
    fn a_wrong_clock_locks_no_tablet_out_and_an_expired_certificate_stays_expired() {
        let at = |year: i64| Ms(START.0 + (year - 2026) * 365 * 24 * HOUR_MS);
        assert!(judged(START, START, None).is_ok());
        assert!(judged(Ms(0), START, None).is_ok(), "1970 is judged by the last contact");
        assert!(judged(at(2038), START, None).is_ok(), "2038 is too");
        assert!(judged(START + 80 * 24 * HOUR_MS, START, None).is_err(), "a clock that may be right is believed");
        assert!(judged(at(2038), Ms(0), None).is_err(), "with no contact ever there is nothing else to go by");
        let heard = ServerTime { server: at(2038), boot_id: uuid::Uuid::from_u128(1), boot_ms: 1_000 - MINUTE_MS };
        assert!(judged(at(2038), START, Some(heard)).is_err(), "the server itself said what time it is");
    }

    #[test]
    fn a_server_that_was_started_again_since_the_last_contact_is_believed_whatever_the_clock_says() {
        // The certificate is of 2026 and a month; the last contact was before it.
        let day = 24 * HOUR_MS;
        let began = Ms(1_767_225_600_000);
        let before = |days: i64| Ms(began.0 - days * day);
        for (wall, why) in [
            (Ms(0), "1970"),
            (before(30), "a clock that stood still"),
            (before(3), "a clock that is days behind"),
            (Ms(began.0 + 12 * 365 * day), "2038"),
        ] {
            assert!(judged(wall, before(30), None).is_ok(), "{why}");
        }
        assert!(judged(Ms(0), before(400), None).is_err(), "so far ahead only a server with a wrong clock is");
        let heard = |at: Ms| ServerTime { server: at, boot_id: uuid::Uuid::from_u128(1), boot_ms: 1_000 - MINUTE_MS };
        assert!(judged(Ms(0), before(30), Some(heard(before(30)))).is_err(), "the server itself said what time it is");
        assert!(judged(before(3), Ms(0), None).is_err(), "with no contact ever there is nothing else to go by");
    }
}
