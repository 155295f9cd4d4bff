//! Webhooks of PayPal: whether PayPal signed them, and what they name.
//!
//! ```text
//! transmission id | transmission time | webhook id | CRC-32 of the raw body ── RSA-SHA256 ──▶ signature
//! certificate (from PayPal's own hosts) ── chain ──▶ a pinned root, at the transmission time
//! ```
//!
//! The signature covers a checksum of the body and not the body: for any signed webhook a body with the same checksum is found in
//! moments. So a webhook is a hint about an object that the shop then reads from the API (docs/adr/0026-paypal-is-asked-and-not-believed.md).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use byteshop_domain::ids::PaymentId;
use byteshop_domain::payment::ProviderReference;
use byteshop_domain::payment_provider::Provider;
use byteshop_domain::text::Reference;
use chrono::{DateTime, TimeDelta, Utc};
use flate2::Crc;
use http::HeaderMap;
use reqwest::Url;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use serde::Deserialize;
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::account::{Account, LIVE, SANDBOX};
use super::wire::Link;

/// The roots that PayPal's certificates lead to: DigiCert High Assurance EV Root CA, Global Root CA and Global Root G2.
const DIGICERT: &str = include_str!("digicert.pem");
/// The only algorithm of signatures.
const ALGORITHM: &str = "SHA256withRSA";
/// The path under which PayPal's hosts keep certificates.
const CERTIFICATES: &str = "/v1/notifications/certs/";
/// The longest URL of a certificate.
const URL_MAX: usize = 500;
/// How old a webhook may be: PayPal repeats one for three days.
const OLDEST: TimeDelta = TimeDelta::days(4);
/// How far the clock of PayPal may be ahead.
const AHEAD: TimeDelta = TimeDelta::minutes(5);
/// The certificates of one chain at most.
const CHAIN_MAX: usize = 8;

/// Why a webhook is not one of PayPal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// A header is missing, or cannot be read.
    #[error("{0} is missing or malformed")]
    Header(&'static str),
    /// The certificate would come from elsewhere.
    #[error("paypal-cert-url is not an address of PayPal's certificates")]
    Host,
    /// The webhook is too old, or from the future.
    #[error("paypal-transmission-time is more than four days ago, or in the future")]
    Time,
    /// The certificate does not lead to a trusted root, or was not valid then.
    #[error("the certificate is not trusted")]
    Chain,
    /// The certificate is not the one for signing webhooks.
    #[error("the certificate is not PayPal's for webhooks")]
    Name,
    /// The signature is of something else.
    #[error("the signature is invalid")]
    Signature,
    /// The body is no event.
    #[error("the body is not an event of PayPal")]
    Body,
}

/// The headers of a webhook.
#[derive(Debug, Clone, Copy)]
pub struct Transmission<'a> {
    /// The id of the transmission.
    pub id: &'a str,
    /// Its time, as it is signed.
    pub time: &'a str,
    /// Where the certificate is.
    pub cert_url: &'a str,
    /// The algorithm of the signature.
    pub algorithm: &'a str,
    /// The signature, in base64.
    pub signature: &'a str,
}

impl<'a> Transmission<'a> {
    /// Reads the headers.
    pub fn of(headers: &'a HeaderMap) -> Result<Self, NotSigned> {
        let get =
            |name: &'static str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(NotSigned::Header(name));
        Ok(Self {
            id: get("paypal-transmission-id")?,
            time: get("paypal-transmission-time")?,
            cert_url: get("paypal-cert-url")?,
            algorithm: get("paypal-auth-algo")?,
            signature: get("paypal-transmission-sig")?,
        })
    }

    /// The moment of the transmission.
    pub fn at(&self) -> Result<DateTime<Utc>, NotSigned> {
        let at = DateTime::parse_from_rfc3339(self.time);
        at.map(|at| at.to_utc()).map_err(|_| NotSigned::Header("paypal-transmission-time"))
    }

    /// Refuses what was recorded and is played again much later.
    pub fn check_age(&self, now: DateTime<Utc>) -> Result<(), NotSigned> {
        let age = now - self.at()?;
        if (-AHEAD..=OLDEST).contains(&age) { Ok(()) } else { Err(NotSigned::Time) }
    }

    /// The text that is signed.
    pub fn signed_text(&self, webhook_id: &str, body: &[u8]) -> String {
        let mut crc = Crc::new();
        crc.update(body);
        format!("{}|{}|{webhook_id}|{}", self.id, self.time, crc.sum())
    }
}

/// Whose certificates sign the webhooks of an account, and where they are.
#[derive(Clone)]
pub struct Signers {
    /// The hosts, with `https`; for a stand-in its own origin.
    origins: Vec<String>,
    /// The names in the certificates.
    names: &'static [&'static str],
    /// The certificates of the trusted roots.
    roots: Vec<CertificateDer<'static>>,
}

/// The file of trusted roots is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a file of certificates in PEM")]
pub struct NoRoots;

/// Reads trusted roots.
pub fn roots(pem: &str) -> Result<Vec<CertificateDer<'static>>, NoRoots> {
    let roots: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(|_| NoRoots)?;
    let are_roots = !roots.is_empty() && roots.iter().all(|root| anchor_from_trusted_cert(root).is_ok());
    if are_roots { Ok(roots) } else { Err(NoRoots) }
}

impl Signers {
    /// Those of an account.
    pub fn of(account: &Account) -> Result<Self, NoRoots> {
        let https = |hosts: &[&str]| hosts.iter().map(|host| format!("https://{host}")).collect();
        let (origins, names): (Vec<String>, &[&str]) = match account.url.as_str() {
            LIVE => (https(&["api.paypal.com", "api-m.paypal.com"]), &["messageverificationcerts.paypal.com"]),
            SANDBOX => (
                https(&["api.sandbox.paypal.com", "api-m.sandbox.paypal.com"]),
                &["messageverificationcerts.sandbox.paypal.com"],
            ),
            // A stand-in signs as the sandbox does.
            own => (vec![own.to_owned()], &["messageverificationcerts.sandbox.paypal.com"]),
        };
        Ok(Self { origins, names, roots: roots(account.webhook_roots.as_deref().unwrap_or(DIGICERT))? })
    }

    /// Where a certificate is, if PayPal's hosts have it.
    pub fn certificate_url(&self, url: &str) -> Result<Url, NotSigned> {
        let parsed = Url::parse(url).map_err(|_| NotSigned::Host)?;
        let is_plain = parsed.username().is_empty() && parsed.password().is_none() && parsed.query().is_none();
        let origin = parsed.origin().ascii_serialization();
        let is_there = self.origins.contains(&origin) && parsed.path().starts_with(CERTIFICATES);
        // The parser understands several writings of one address; PayPal uses the plain one.
        let is_itself = parsed.as_str() == url && url.len() <= URL_MAX && parsed.fragment().is_none();
        if is_plain && is_there && is_itself { Ok(parsed) } else { Err(NotSigned::Host) }
    }

    /// Checks the signature of a webhook with the chain of its certificate, in PEM, the signer's first.
    pub fn verify(
        &self,
        transmission: &Transmission<'_>,
        webhook_id: &str,
        body: &[u8],
        chain: &str,
    ) -> Result<(), NotSigned> {
        if transmission.algorithm != ALGORITHM {
            return Err(NotSigned::Header("paypal-auth-algo"));
        }
        let signature = STANDARD.decode(transmission.signature);
        let signature = signature.map_err(|_| NotSigned::Header("paypal-transmission-sig"))?;
        let chain: Result<Vec<CertificateDer<'_>>, _> =
            CertificateDer::pem_slice_iter(chain.as_bytes()).take(CHAIN_MAX).collect();
        let chain = chain.map_err(|_| NotSigned::Chain)?;
        let (leaf, intermediates) = chain.split_first().ok_or(NotSigned::Chain)?;
        let leaf = EndEntityCert::try_from(leaf).map_err(|_| NotSigned::Chain)?;
        self.check_chain(&leaf, intermediates, transmission.at()?)?;
        let text = transmission.signed_text(webhook_id, body);
        let algorithm = webpki::aws_lc_rs::RSA_PKCS1_2048_8192_SHA256;
        leaf.verify_signature(algorithm, text.as_bytes(), &signature).map_err(|_| NotSigned::Signature)
    }

    /// Checks that a certificate is PayPal's and was valid at the time of the transmission: later it may have expired.
    fn check_chain(
        &self,
        leaf: &EndEntityCert<'_>,
        intermediates: &[CertificateDer<'_>],
        at: DateTime<Utc>,
    ) -> Result<(), NotSigned> {
        let anchors: Result<Vec<_>, _> = self.roots.iter().map(anchor_from_trusted_cert).collect();
        let anchors = anchors.map_err(|_| NotSigned::Chain)?;
        let seconds = u64::try_from(at.timestamp()).map_err(|_| NotSigned::Time)?;
        let time = UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds));
        let (algorithms, usage) = (webpki::ALL_VERIFICATION_ALGS, KeyUsage::server_auth());
        leaf.verify_for_usage(algorithms, &anchors, intermediates, time, usage, None, None)
            .map_err(|_| NotSigned::Chain)?;
        let is_named = |name: &&str| {
            ServerName::try_from(*name).is_ok_and(|name| leaf.verify_is_valid_for_subject_name(&name).is_ok())
        };
        if self.names.iter().any(is_named) { Ok(()) } else { Err(NotSigned::Name) }
    }
}

/// What a webhook names: where the shop looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The id of the event; a repeated transmission has the same.
    pub event: String,
    /// The payment, if the event is about one of this shop.
    pub payment: Option<PaymentId>,
    /// The attempt, if the event is about one and not about a refund.
    pub reference: Option<ProviderReference>,
    /// What PayPal calls the dispute, if the event is about one.
    pub dispute: Option<Reference>,
    /// What PayPal calls the capture that went back, if the event is about a refund or a reversal.
    pub capture: Option<Reference>,
}

/// An event of PayPal.
#[derive(Deserialize)]
pub(super) struct Event {
    id: String,
    #[serde(default)]
    resource: Resource,
}

/// An order, an authorization, a capture or a refund: the ids of the shop in it. Or a dispute, which has none.
#[derive(Default, Deserialize)]
struct Resource {
    #[serde(default)]
    dispute_id: Option<String>,
    #[serde(default)]
    custom_id: Option<String>,
    #[serde(default)]
    invoice_id: Option<String>,
    #[serde(default)]
    purchase_units: Vec<Ids>,
    #[serde(default)]
    links: Vec<Link>,
}

#[derive(Deserialize)]
struct Ids {
    #[serde(default)]
    custom_id: Option<String>,
    #[serde(default)]
    invoice_id: Option<String>,
}

/// The path of captures: what leads up to one is a refund or a reversal of it.
const CAPTURES: &str = "/v2/payments/captures/";
/// The longest id of an event that is kept.
const EVENT_ID_MAX: usize = 100;

/// Reads what a webhook names.
pub fn hint(body: &[u8]) -> Result<Hint, NotSigned> {
    serde_json::from_slice::<Event>(body).map_err(|_| NotSigned::Body)?.hint()
}

impl Event {
    /// What it names.
    pub(super) fn hint(self) -> Result<Hint, NotSigned> {
        let Self { id, resource } = self;
        if id.is_empty() || id.len() > EVENT_ID_MAX || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(NotSigned::Body);
        }
        Ok(resource.hint(id))
    }
}

impl Resource {
    fn hint(self, event: String) -> Hint {
        let Self { dispute_id, custom_id, invoice_id, purchase_units, links } = self;
        let unit = purchase_units.into_iter().next();
        let (of_unit, invoice_of_unit) = unit.map(|unit| (unit.custom_id, unit.invoice_id)).unwrap_or_default();
        let payment = custom_id.or(of_unit).and_then(|id| id.parse().ok());
        let reference = invoice_id.or(invoice_of_unit).and_then(|text| ProviderReference::new(&text).ok());
        let reference = reference.filter(|reference| Provider::of(reference) == Provider::Paypal);
        let dispute = dispute_id.and_then(|id| Reference::new(&id).ok());
        let capture = links.iter().find(|link| link.rel == "up").and_then(|link| capture_of(&link.href));
        Hint { event, payment, reference, dispute, capture }
    }
}

/// The capture to which a link leads.
fn capture_of(link: &str) -> Option<Reference> {
    let (_, id) = link.rsplit_once(CAPTURES)?;
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    Reference::new(id).ok().filter(|_| is_id)
}

#[cfg(test)]
mod tests;
