//! An authority of a test's own, which vouches for the servers that the test starts.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// Vouches for servers.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    /// Somebody whom nobody trusts yet.
    pub fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::<String>::new()).unwrap();
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(parameters, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    /// Its certificate in PEM: who trusts this trusts what it vouches for.
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// What a server of this name, or of this address, shows.
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        self.shows(name, &CertificateParams::new([name.to_owned()]).unwrap())
    }

    /// What a server shows whose certificate ran out long ago.
    pub fn expired(&self, name: &str) -> Arc<ServerConfig> {
        let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
        parameters.not_before = rcgen::date_time_ymd(2001, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(2002, 1, 1);
        self.shows(name, &parameters)
    }

    fn shows(&self, name: &str, parameters: &CertificateParams) -> Arc<ServerConfig> {
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap_or_else(|error| panic!("{name}: {error}"));
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key).unwrap())
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}
