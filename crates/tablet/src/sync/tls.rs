//! Whom to trust: the facility's own authority, under the facility's name, at a time that a wrong clock cannot shift.

use super::client::not_the_server;
use crate::clock::Clock;
use lamplight_domain::time::{Ms, Now, ServerTime};
use lamplight_domain::wire::Trouble;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::client::ClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::{RootCertStore, version::TLS13};
use std::sync::Arc;
use std::time::Duration;

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
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Time({:?})", self.now())
    }
}

impl TimeProvider for Time {
    fn current_time(&self) -> Option<UnixTime> {
        let ms = u64::try_from(self.now().0).unwrap_or(0);
        Some(UnixTime::since_unix_epoch(Duration::from_millis(ms)))
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
    let config = ClientConfig::builder_with_details(provider, Arc::new(time))
        .with_protocol_versions(&[&TLS13])
        .map_err(|_| not_the_server("this program has no TLS 1.3"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
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
    use rustls::CertificateError as Wrong;
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
