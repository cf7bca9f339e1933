//! TLS between nodes (节点间 TLS): version 1.3 only, both sides show a certificate, both are pinned.
//!
//! There is no certificate authority: the trust list names the SHA-256 of each city's certificate, and
//! the other city's list is the only thing that makes a certificate good.

use std::fmt;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme};
use tb_base::{Clock, Date, Fault, NodeId, Result};
use tb_crypto::{sha256, text};
use tb_exchange::{Desk, SignedTrustList};

use crate::certificate;

/// A certificate with its key, both DER.
#[derive(Clone)]
pub struct Identity {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its private key, PKCS #8.
    pub key: Vec<u8>,
}

impl Identity {
    /// A self-signed certificate for a city's exchange listener.
    pub fn generate(node: NodeId) -> Result<Identity> {
        let names = vec![format!("{node}.tongban.invalid"), "localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| Fault::of("making a TLS certificate", error))?;
        Ok(Identity { certificate: made.cert.der().to_vec(), key: made.signing_key.serialize_der() })
    }

    /// How the trust list names this certificate.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.certificate)
    }

    /// The last day on which the certificate counts; nothing where it does not say so in the usual form.
    pub fn last_day(&self) -> Option<Date> {
        certificate::last_day(&self.certificate)
    }

    fn chain(&self) -> Vec<CertificateDer<'static>> {
        vec![CertificateDer::from(self.certificate.clone())]
    }

    fn private_key(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(self.key.clone()))
    }
}

/// How the trust list names a certificate.
pub fn fingerprint(certificate: &[u8]) -> String {
    text::hex(&sha256(certificate))
}

/// Which certificates are good: the trust list in force decides, at the moment of the question.
#[derive(Clone)]
pub struct Door {
    desk: Desk,
    clock: Arc<dyn Clock>,
}

impl Door {
    /// By the list of this desk.
    pub fn new(desk: Desk, clock: Arc<dyn Clock>) -> Door {
        Door { desk, clock }
    }

    /// The trust list in force.
    pub fn trust(&self) -> Arc<SignedTrustList> {
        self.desk.trust()
    }

    /// The city whose certificate this is, if any.
    pub fn city_of(&self, certificate: &[u8]) -> Option<NodeId> {
        let (shown, now) = (fingerprint(certificate), self.clock.now());
        self.trust().list.cities.iter().find(|city| city.shows(&shown, now)).map(|city| city.node)
    }

    /// Whether this city may show the certificate of this fingerprint, now.
    pub fn is_open(&self, node: NodeId, shown: &str) -> bool {
        let now = self.clock.now();
        self.trust().list.city(node).is_some_and(|city| city.shows(shown, now))
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Door({})", self.desk.me)
    }
}

/// How this node answers: any city of the trust list may connect, nobody else.
pub fn server_config(identity: &Identity, door: Door) -> Result<Arc<ServerConfig>> {
    let provider = provider();
    let verifier = Arc::new(AnyCity { door, provider: provider.clone() });
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Fault::of("configuring TLS", error))?
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain(), identity.private_key())
        .map_err(|error| Fault::of("using the TLS certificate", error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Which certificate is good for whoever calls.
#[derive(Clone, Debug)]
pub enum Pin {
    /// The one of this fingerprint.
    Certificate(String),
    /// Those that the trust list names for a city at the moment of the call.
    City(Door, NodeId),
}

impl Pin {
    fn fits(&self, shown: &str) -> bool {
        match self {
            Pin::Certificate(expected) => expected == shown,
            Pin::City(door, city) => door.is_open(*city, shown),
        }
    }
}

/// How a city is called: only its pinned certificates are good.
pub fn client_config(identity: &Identity, pin: Pin) -> Result<ClientConfig> {
    let provider = provider();
    let verifier = Arc::new(OneCity { pin, provider: provider.clone() });
    ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|error| Fault::of("configuring TLS", error))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_client_auth_cert(identity.chain(), identity.private_key())
        .map_err(|error| Fault::of("using the TLS certificate", error).into())
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn stranger() -> rustls::Error {
    rustls::Error::InvalidCertificate(rustls::CertificateError::ApplicationVerificationFailure)
}

/// Accepts the certificates that the trust list names for the city called.
#[derive(Debug)]
struct OneCity {
    pin: Pin,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneCity {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        if self.pin.fits(&fingerprint(end_entity)) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(stranger())
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::PeerIncompatible(rustls::PeerIncompatible::Tls13RequiredForQuic))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Accepts the certificate of any city of the trust list.
#[derive(Debug)]
struct AnyCity {
    door: Door,
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyCity {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> std::result::Result<ClientCertVerified, rustls::Error> {
        self.door.city_of(end_entity).map(|_| ClientCertVerified::assertion()).ok_or_else(stranger)
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::PeerIncompatible(rustls::PeerIncompatible::Tls13RequiredForQuic))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
