//! A key that signs tokens, and the set of keys that verify them.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::security::key_file::KeyFileError;

/// The first and the last line of a PKCS#8 key as PEM (RFC 7468, section 10).
const PEM: (&str, &str) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key.
    #[error("the token key is not an Ed25519 key in PKCS#8, as `openssl genpkey -algorithm ed25519` writes it")]
    Unreadable,
    /// There was no randomness for a new one.
    #[error("no new token key could be created")]
    NoRandomness,
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] KeyFileError),
}

/// How long a token is good for: short, since each process has to remember for as long which sessions ended.
pub const LIFETIME: Duration = Duration::from_mins(10);

/// A key.
pub(super) struct Key {
    pub(super) kid: String,
    pub(super) header: Header,
    pub(super) signing: EncodingKey,
    pub(super) checking: DecodingKey,
    public: String,
}

impl Key {
    /// A key in PKCS#8: PEM, or the same base64 without its first and last line.
    pub(super) fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let inside = pem.trim();
        let inside = inside.strip_prefix(PEM.0).and_then(|rest| rest.strip_suffix(PEM.1)).unwrap_or(inside);
        let base64: String = inside.split_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| KeyError::Unreadable)?;
        Self::from_der(&der)
    }

    /// A key in PKCS#8, version 1 or 2, as DER.
    pub(super) fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Unreadable)?;
        // Version 2 names the public key too, which the signing library insists on.
        let pkcs8 = pair.to_pkcs8().map_err(|_| KeyError::Unreadable)?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let kid = thumbprint(&public);
        Ok(Self {
            header: Header { kid: Some(kid.clone()), ..Header::new(Algorithm::EdDSA) },
            signing: EncodingKey::from_ed_der(pkcs8.as_ref()),
            checking: DecodingKey::from_ed_components(&public).map_err(|_| KeyError::Unreadable)?,
            kid,
            public,
        })
    }
}

/// A new key in PKCS#8, as DER.
pub(super) fn new_der() -> Result<Vec<u8>, KeyError> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandomness)?;
    Ok(key.as_ref().to_vec())
}

/// A new key in PKCS#8, as PEM.
pub(super) fn new_pem() -> Result<String, KeyError> {
    Ok(format!("{}\n{}\n{}\n", PEM.0, STANDARD.encode(new_der()?), PEM.1))
}

/// The name of a public key: its JWK thumbprint (RFC 7638, section 3; RFC 8037, appendix A.3).
fn thumbprint(public: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#)))
}

/// Keys, the oldest first: one of them signs, all check.
pub(super) struct KeySet {
    keys: Vec<Key>,
    signing: usize,
}

impl KeySet {
    /// A set of one key.
    pub(super) fn of(key: Key) -> Self {
        Self { keys: vec![key], signing: 0 }
    }

    /// A set of keys, and which of them signs; none if there is no such key.
    pub(super) fn new(keys: Vec<Key>, signing: usize) -> Option<Self> {
        (signing < keys.len()).then_some(Self { keys, signing })
    }

    pub(super) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid)
    }

    /// Signs claims with the key that signs.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let key = &self.keys[self.signing];
        jsonwebtoken::encode(&key.header, claims, &key.signing)
    }

    /// The public keys as a JSON Web Key Set.
    pub(super) fn jwks(&self) -> String {
        let key = |key: &Key| json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": key.kid, "x": key.public});
        json!({"keys": self.keys.iter().map(key).collect::<Vec<_>>()}).to_string()
    }

    /// All of them, the oldest first.
    #[cfg(test)]
    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    fn names(&self) -> (Vec<&str>, usize) {
        (self.keys.iter().map(|key| key.kid.as_str()).collect(), self.signing)
    }
}

impl PartialEq for KeySet {
    /// The names are hashes of the keys.
    fn eq(&self, other: &Self) -> bool {
        self.names() == other.names()
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (names, signing) = self.names();
        f.debug_struct("KeySet").field("keys", &names).field("signs", &names[signing]).finish()
    }
}
