//! The certificates behind the signatures of webhooks: a root that the sandbox creates for itself, and a leaf that signs.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Datelike as _, Utc};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256, RsaKeySize, SigningKey as _,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The name that signs, as at PayPal's own sandbox.
const SIGNER: &str = "messageverificationcerts.sandbox.paypal.com";
/// Years for which the certificates are valid: a clock that tests advance stays within them.
const YEARS: i32 = 20;
/// The algorithm in the headers.
pub(super) const ALGORITHM: &str = "SHA256withRSA";

/// The certificates as they are saved.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Saved {
    root: String,
    leaf: String,
    key: String,
}

/// The certificates, and the key that signs.
#[derive(Debug)]
pub(super) struct Certificates {
    /// The root in PEM.
    pub root: String,
    /// The leaf in PEM.
    pub leaf: String,
    /// The name of the leaf in its address.
    pub name: String,
    key: KeyPair,
}

impl Certificates {
    /// Creates them.
    pub(super) fn create(now: DateTime<Utc>) -> Result<Self> {
        let rsa = || KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).context("cannot create an RSA key");
        let mut root = parameters(Vec::new(), "ByteShop PayPal sandbox root", now)?;
        root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let root = CertifiedIssuer::self_signed(root, rsa()?)?;
        let mut leaf = parameters(vec![SIGNER.to_owned()], SIGNER, now)?;
        leaf.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = rsa()?;
        let leaf = leaf.signed_by(&key, &root)?.pem();
        Self::load(Saved { root: root.pem(), leaf, key: key.serialize_pem() })
    }

    /// Reads them.
    pub(super) fn load(saved: Saved) -> Result<Self> {
        let mut name = String::from("CERT");
        for part in Sha256::digest(saved.leaf.as_bytes()).chunks(4).take(3) {
            name.push('-');
            for byte in part {
                write!(name, "{byte:02x}")?;
            }
        }
        let key = KeyPair::from_pem(&saved.key).context("cannot read the key of the certificate")?;
        Ok(Self { root: saved.root, leaf: saved.leaf, name, key })
    }

    /// As they are saved.
    pub(super) fn saved(&self) -> Saved {
        Saved { root: self.root.clone(), leaf: self.leaf.clone(), key: self.key.serialize_pem() }
    }

    /// The signature of a webhook, over its transmission, its webhook and the checksum of its body.
    pub(super) fn sign(&self, id: &str, time: &str, webhook: &str, body: &[u8]) -> Result<String> {
        let mut sum = flate2::Crc::new();
        sum.update(body);
        let message = format!("{id}|{time}|{webhook}|{}", sum.sum());
        Ok(STANDARD.encode(self.key.sign(message.as_bytes())?))
    }
}

fn parameters(names: Vec<String>, name: &str, now: DateTime<Utc>) -> Result<CertificateParams> {
    let mut parameters = CertificateParams::new(names)?;
    parameters.distinguished_name = DistinguishedName::new();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters.not_before = rcgen::date_time_ymd(now.year() - 1, 1, 1);
    parameters.not_after = rcgen::date_time_ymd(now.year() + YEARS, 1, 1);
    Ok(parameters)
}
