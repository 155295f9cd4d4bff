//! Access tokens: short-lived JWTs (RFC 7519) signed with Ed25519 (RFC 8037); whoever has the public key can check them.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
pub use byteshop_domain::account::Role;
use byteshop_domain::ids::AccountId;
use byteshop_eventstore::Clock;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use lru::LruCache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// How long a token is good for: short, since it cannot be taken back.
pub const LIFETIME: Duration = Duration::from_mins(10);
/// Who issues tokens, and whom they are for.
const NAME: &str = "byteshop";
/// How far the clocks of two machines may be apart.
const LEEWAY_S: u64 = 5;
/// Longest token that is looked at; ours have some 400 characters.
const TOKEN_MAX: usize = 4_096;
/// Checked tokens that are remembered: checking a signature costs more than most queries.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("a positive number");
/// The first and the last line of a PKCS#8 key as PEM (RFC 7468, section 10).
const PEM: (&str, &str) = ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----");

/// What a token says of its bearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// Their account.
    pub account: AccountId,
    /// What they may do.
    pub role: Role,
    /// When the token ends, in seconds since 1970.
    expires_at: i64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was good once.
    #[error("the access token has expired")]
    Expired,
    /// It was never good here.
    #[error("the access token is not valid")]
    Invalid,
}

/// Why there is no key to sign with.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no key.
    #[error("the token key is not an Ed25519 key in PKCS#8, as `openssl genpkey -algorithm ed25519` writes it")]
    Unreadable,
    /// There was no randomness for a new one.
    #[error("no new token key could be made")]
    NoRandomness,
    /// The file could not be read or written.
    #[error("the token key {path} cannot be used: {source}")]
    File {
        /// The file.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    role: Role,
    exp: i64,
    iat: i64,
    jti: uuid::Uuid,
}

/// Signs tokens and checks them. Clones share everything.
#[derive(Clone)]
pub struct Tokens {
    shared: Arc<Shared>,
}

struct Shared {
    header: Header,
    signing: EncodingKey,
    checking: DecodingKey,
    validation: Validation,
    jwks: String,
    /// By the SHA-256 of the token, so that no token lies in memory longer than its request.
    checked: Mutex<LruCache<[u8; 32], Bearer>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("kid", &self.shared.header.kid).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens under a key in PKCS#8: PEM, or the same base64 without its first and last line.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let inside = pem.trim();
        let inside = inside.strip_prefix(PEM.0).and_then(|rest| rest.strip_suffix(PEM.1)).unwrap_or(inside);
        let base64: String = inside.split_whitespace().collect();
        let der = STANDARD.decode(base64).map_err(|_| KeyError::Unreadable)?;
        Self::from_der(&der)
    }

    /// Tokens under a key in PKCS#8, version 1 or 2, as DER.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).map_err(|_| KeyError::Unreadable)?;
        // Version 2 names the public key too, which the signing library insists on.
        let pkcs8 = pair.to_pkcs8().map_err(|_| KeyError::Unreadable)?;
        let public = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
        let kid = thumbprint(&public);
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[NAME]);
        validation.set_issuer(&[NAME]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_S;
        let jwks = serde_json::json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": kid, "x": public}
        ]});
        let shared = Shared {
            header: Header { kid: Some(kid), ..Header::new(Algorithm::EdDSA) },
            signing: EncodingKey::from_ed_der(pkcs8.as_ref()),
            checking: DecodingKey::from_ed_components(&public).map_err(|_| KeyError::Unreadable)?,
            validation,
            jwks: jwks.to_string(),
            checked: Mutex::new(LruCache::new(REMEMBERED)),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Tokens under a new key that nobody keeps.
    pub fn ephemeral() -> Result<Self, KeyError> {
        Self::from_der(&new_key()?)
    }

    /// Tokens under the key in a file, which is made when there is none, readable by its owner only.
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeyError> {
        let failed = |source| KeyError::File { path: path.display().to_string(), source };
        match std::fs::read_to_string(path) {
            Ok(pem) => return Self::from_pem(&pem),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let pem = format!("{}\n{}\n{}\n", PEM.0, STANDARD.encode(new_key()?), PEM.1);
        if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty()) {
            std::fs::create_dir_all(directory).map_err(failed)?;
        }
        let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match created.and_then(|mut file| file.write_all(pem.as_bytes()).and_then(|()| file.sync_all())) {
            Ok(()) => Self::from_pem(&pem),
            // Another process was faster: its key is the key.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::from_pem(&std::fs::read_to_string(path).map_err(failed)?)
            }
            Err(error) => Err(failed(error)),
        }
    }

    /// A new token.
    pub fn issue(&self, role: Role, account: AccountId, lifetime: Duration) -> Result<String, TokenError> {
        let iat = Clock.now().timestamp();
        let exp = iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
        let (iss, aud) = (NAME.to_owned(), NAME.to_owned());
        let claims = Claims { iss, aud, sub: account, role, exp, iat, jti: Clock.new_id() };
        jsonwebtoken::encode(&self.shared.header, &claims, &self.shared.signing).map_err(|_| TokenError::Invalid)
    }

    /// Who bears a token.
    pub fn check(&self, token: &str) -> Result<Bearer, TokenError> {
        if token.len() > TOKEN_MAX {
            return Err(TokenError::Invalid);
        }
        let key: [u8; 32] = Sha256::digest(token).into();
        if let Some(bearer) = self.checked().get(&key).copied() {
            let ended = bearer.expires_at.saturating_add_unsigned(LEEWAY_S) < Clock.now().timestamp();
            return if ended { Err(TokenError::Expired) } else { Ok(bearer) };
        }
        let shared = &self.shared;
        let claims = match jsonwebtoken::decode::<Claims>(token, &shared.checking, &shared.validation) {
            Ok(data) => data.claims,
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => return Err(TokenError::Expired),
            Err(_) => return Err(TokenError::Invalid),
        };
        let bearer = Bearer { account: claims.sub, role: claims.role, expires_at: claims.exp };
        self.checked().put(key, bearer);
        Ok(bearer)
    }

    /// The public key as a JSON Web Key Set (RFC 7517, section 5).
    pub fn jwks(&self) -> &str {
        &self.shared.jwks
    }

    fn checked(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], Bearer>> {
        self.shared.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_key() -> Result<Vec<u8>, KeyError> {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| KeyError::NoRandomness)?;
    Ok(key.as_ref().to_vec())
}

/// The name of a public key: its JWK thumbprint (RFC 7638, section 3; RFC 8037, appendix A.3).
fn thumbprint(public: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{public}"}}"#)))
}

#[cfg(test)]
mod tests;
