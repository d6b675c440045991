//! The facility's own certificate authority, and a server certificate from it at every start. Tablets trust this
//! authority alone and check the facility's name, never an address; a browser with this authority checks the name or
//! address that it was given.

use lamplight_domain::ids::FacilityId;
use lamplight_domain::refusal::Refusal;
use lamplight_domain::time::Ms;
use lamplight_domain::wire::server_name;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::net::IpAddr;
use std::sync::Arc;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

/// Of the authority: longer than any tablet or server lives.
const AUTHORITY_DAYS: i64 = 365 * 20;
/// Of a server certificate: browsers refuse more than 398 days. Every start makes a new one.
const SERVER_DAYS: i64 = 397;
/// A tablet's clock may be behind.
const BEFORE_DAYS: i64 = 2;

/// By what a browser reaches the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Host {
    Name(String),
    Address(IpAddr),
}

/// The certificate authority of one facility.
#[derive(Clone)]
pub struct Authority {
    pub der: Vec<u8>,
    /// PKCS#8.
    pub key_der: Zeroizing<Vec<u8>>,
    /// Which one of this facility: 1 is the first.
    pub number: u32,
}

fn refuse(e: impl std::fmt::Display) -> Refusal {
    Refusal::new("tls.certificate", format!("No certificate could be made ({e})."), "Restore the last backup.")
}

fn moment(at: Ms) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// The first authority's name has no number, as it never had.
fn authority_name(facility: FacilityId, number: u32) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    let numbered = if number > 1 { format!(", authority {number}") } else { String::new() };
    name.push(DnType::CommonName, format!("Lamplight facility {}{numbered}", facility.0));
    name
}

/// The same parameters at every call, but for the time: the issuer's name must stay what the certificate says.
fn authority_params(facility: FacilityId, number: u32, now: Ms) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = authority_name(facility, number);
    // It issues servers' certificates, and vouches for its successors.
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.not_before = moment(now) - Duration::days(BEFORE_DAYS);
    params.not_after = moment(now) + Duration::days(AUTHORITY_DAYS);
    params
}

impl Authority {
    /// `number`: 1 for a facility's first authority, 2 for the one after it.
    pub fn make(facility: FacilityId, number: u32, now: Ms) -> Result<Authority, Refusal> {
        let key = KeyPair::generate().map_err(refuse)?;
        let certificate = authority_params(facility, number, now).self_signed(&key).map_err(refuse)?;
        Ok(Authority { der: certificate.der().to_vec(), key_der: key.serialize_der().into(), number })
    }

    /// For a file, and for tablets' lists of authorities.
    pub fn pem(&self) -> String {
        lamplight_domain::chain::pem(&self.der)
    }

    fn key(&self) -> Result<KeyPair, Refusal> {
        KeyPair::from_pkcs8_der_and_sign_algo(&self.key_der.as_slice().into(), &rcgen::PKCS_ECDSA_P256_SHA256)
            .map_err(refuse)
    }

    fn issuer(&self, facility: FacilityId, now: Ms) -> Result<Issuer<'static, KeyPair>, Refusal> {
        Ok(Issuer::new(authority_params(facility, self.number, now), self.key()?))
    }

    /// The successor's name and key in a certificate by this authority (DER): whoever knows only this one believes
    /// what the successor issues, where a server shows this certificate too.
    pub fn vouch_for(&self, next: &Authority, facility: FacilityId, now: Ms) -> Result<Vec<u8>, Refusal> {
        let mut params = authority_params(facility, next.number, now);
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&next.key()?, &self.issuer(facility, now)?).map_err(refuse)?;
        Ok(certificate.der().to_vec())
    }

    /// TLS 1.3 only, with a fresh certificate for the facility's name, `localhost`, 127.0.0.1 and these hosts.
    /// `crossed`: certificates of former authorities for this one, newest first.
    pub fn server_config(
        &self,
        facility: FacilityId,
        crossed: &[Vec<u8>],
        hosts: &[Host],
        now: Ms,
    ) -> Result<ServerConfig, Refusal> {
        let issuer = self.issuer(facility, now)?;
        let key = KeyPair::generate().map_err(refuse)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, server_name(facility));
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        params.not_before = moment(now) - Duration::days(BEFORE_DAYS);
        params.not_after = moment(now) + Duration::days(SERVER_DAYS - BEFORE_DAYS);
        let own = [server_name(facility), "localhost".to_owned()].map(Host::Name);
        let loopback = Host::Address([127, 0, 0, 1].into());
        for host in own.iter().chain([&loopback]).chain(hosts) {
            let san = match host {
                Host::Name(name) => SanType::DnsName(name.as_str().try_into().map_err(refuse)?),
                Host::Address(address) => SanType::IpAddress(*address),
            };
            if !params.subject_alt_names.contains(&san) {
                params.subject_alt_names.push(san);
            }
        }
        let certificate = params.signed_by(&key, &issuer).map_err(refuse)?;
        let mut chain = vec![certificate.der().clone()];
        chain.extend(crossed.iter().map(|der| CertificateDer::from(der.clone())));
        chain.push(CertificateDer::from(self.der.clone()));
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(refuse)?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(refuse)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}
