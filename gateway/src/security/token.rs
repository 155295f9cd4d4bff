//! Access tokens: short-lived JWTs (RFC 7519) signed with Ed25519 (RFC 8037); anyone with the public key can verify
//! them.
//!
//! There can be several keys: the newest signs and all verify, so a key can be changed without logging anyone out.

pub mod files;
mod key;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

pub use byteshop_domain::account::Role;
use byteshop_domain::ids::{AccountId, SessionId};
use byteshop_eventstore::{Clock, Trouble};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation};
use lru::LruCache;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use files::{KeyFiles, POLL};
use key::{Key, KeySet};
pub use key::{KeyError, LIFETIME};

/// The issuer and the audience of tokens.
const NAME: &str = "byteshop";
/// How far the clocks of two machines may be apart.
const LEEWAY_S: u64 = 5;
/// Longest token that is looked at; ours have some 500 characters.
const TOKEN_MAX: usize = 4_096;
/// Checked tokens that are remembered: checking a signature costs more than most queries.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("a positive number");

/// The methods of authentication of a token (RFC 8176, section 2): a password.
const PASSWORD: &str = "pwd";
/// And a one-time password.
const ONE_TIME_PASSWORD: &str = "otp";

/// Whom a token is issued to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Their account.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// The session that they logged in to; none for a token from the command line.
    pub session: Option<SessionId>,
    /// Whether they showed a second factor.
    pub second_factor: bool,
}

impl Holder {
    /// An account that an operator names, without a session: such tokens are accepted in development only.
    pub fn by_hand(account: AccountId, role: Role) -> Self {
        Self { account, role, session: None, second_factor: false }
    }
}

/// The claims of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bearer {
    /// Their account.
    pub account: AccountId,
    /// The role.
    pub role: Role,
    /// The session that they logged in to; none for a token from the command line.
    pub session: Option<SessionId>,
    /// Whether they showed a second factor.
    pub second_factor: bool,
    /// When the token ends, in seconds since 1970.
    expires_at: i64,
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token has expired.
    #[error("the access token has expired")]
    Expired,
    /// The token is invalid.
    #[error("the access token is not valid")]
    Invalid,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: AccountId,
    role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sid: Option<SessionId>,
    /// Authentication methods references (RFC 8176).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
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
    keys: RwLock<Arc<KeySet>>,
    files: Option<KeyFiles>,
    validation: Validation,
    /// By the SHA-256 of the token, so that no token stays in memory longer than its request.
    checked: Mutex<LruCache<[u8; 32], Bearer>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("keys", &*self.keys()).finish_non_exhaustive()
    }
}

impl Tokens {
    /// Tokens under one key in PKCS#8: PEM, or the same base64 without its first and last line.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Ok(Self::of(KeySet::of(Key::from_pem(pem)?), None))
    }

    /// Tokens with a new key that is not stored.
    pub fn ephemeral() -> Result<Self, KeyError> {
        Ok(Self::of(KeySet::of(Key::from_der(&key::new_der()?)?), None))
    }

    /// Tokens under the key in a file, which is made when there is none, readable by its owner only.
    pub fn from_file_or_new(path: &Path) -> Result<Self, KeyError> {
        Self::from_files(KeyFiles::of_file(path.to_owned(), path.with_extension("keys")))
    }

    /// Tokens under keys in files; [`Tokens::watch`] sees when there are others.
    pub fn from_files(files: KeyFiles) -> Result<Self, KeyError> {
        Ok(Self::of(files.read(Clock.now())?, Some(files)))
    }

    fn of(keys: KeySet, files: Option<KeyFiles>) -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[NAME]);
        validation.set_issuer(&[NAME]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = LEEWAY_S;
        validation.validate_nbf = true;
        let checked = Mutex::new(LruCache::new(REMEMBERED));
        Self { shared: Arc::new(Shared { keys: RwLock::new(Arc::new(keys)), files, validation, checked }) }
    }

    /// A new token that belongs to no session: for development.
    pub fn issue(&self, role: Role, account: AccountId, lifetime: Duration) -> Result<String, TokenError> {
        self.issue_to(Holder::by_hand(account, role), lifetime)
    }

    /// Issues a token.
    pub fn issue_to(&self, holder: Holder, lifetime: Duration) -> Result<String, TokenError> {
        self.issue_as(Clock.new_id(), holder, lifetime)
    }

    /// Issues a token with a given id.
    pub fn issue_as(&self, jti: uuid::Uuid, holder: Holder, lifetime: Duration) -> Result<String, TokenError> {
        let Holder { account: sub, role, session: sid, second_factor } = holder;
        let iat = Clock.now().timestamp();
        let exp = iat.saturating_add(i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX));
        let (iss, aud) = (NAME.to_owned(), NAME.to_owned());
        let methods: &[&str] = if second_factor { &[PASSWORD, ONE_TIME_PASSWORD] } else { &[] };
        let amr = methods.iter().map(|method| (*method).to_owned()).collect();
        let claims = Claims { iss, aud, sub, role, sid, amr, exp, iat, jti };
        self.keys().sign(&claims).map_err(|_| TokenError::Invalid)
    }

    /// Verifies a token and returns its claims.
    pub fn check(&self, token: &str) -> Result<Bearer, TokenError> {
        if token.len() > TOKEN_MAX {
            return Err(TokenError::Invalid);
        }
        let hash: [u8; 32] = Sha256::digest(token).into();
        if let Some(bearer) = self.checked().get(&hash).copied() {
            let ended = bearer.expires_at.saturating_add_unsigned(LEEWAY_S) < Clock.now().timestamp();
            return if ended { Err(TokenError::Expired) } else { Ok(bearer) };
        }
        let header = jsonwebtoken::decode_header(token).map_err(|_| TokenError::Invalid)?;
        // Extensions that must be understood, of which this shop knows none (RFC 7515, section 4.1.11).
        if header.crit.is_some() {
            return Err(TokenError::Invalid);
        }
        let keys = self.keys();
        let key = header.kid.and_then(|kid| keys.find(&kid)).ok_or(TokenError::Invalid)?;
        let claims = match jsonwebtoken::decode::<Claims>(token, &key.checking, &self.shared.validation) {
            Ok(data) => data.claims,
            Err(error) if matches!(error.kind(), ErrorKind::ExpiredSignature) => return Err(TokenError::Expired),
            Err(_) => return Err(TokenError::Invalid),
        };
        let Claims { sub: account, role, sid: session, amr, exp: expires_at, iat, .. } = claims;
        // Issued in the future: by a clock that is wrong, or by an attacker who stores tokens for later.
        if iat > Clock.now().timestamp().saturating_add_unsigned(LEEWAY_S) {
            return Err(TokenError::Invalid);
        }
        let second_factor = amr.iter().any(|method| method == ONE_TIME_PASSWORD);
        let bearer = Bearer { account, role, session, second_factor, expires_at };
        self.checked().put(hash, bearer);
        Ok(bearer)
    }

    /// The public keys as a JSON Web Key Set (RFC 7517, section 5).
    pub fn jwks(&self) -> String {
        self.keys().jwks()
    }

    /// Looks at the files of the keys again and again, until the program ends.
    pub async fn watch(self, cancel: CancellationToken) {
        let mut every = tokio::time::interval(POLL);
        let mut trouble = Trouble::default();
        while cancel.run_until_cancelled(every.tick()).await.is_some() {
            let tokens = self.clone();
            // Reading a file may wait for a slow disk.
            let read = tokio::task::spawn_blocking(move || tokens.reload()).await;
            match read {
                Ok(Err(error)) if trouble.is_news(&error) => {
                    tracing::error!(%error, "cannot read the token keys; the current ones stay in use");
                }
                Ok(Ok(_)) => {
                    trouble.is_over();
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    /// Reloads the keys from the files; true if they have changed.
    pub fn reload(&self) -> Result<bool, KeyError> {
        let Some(files) = &self.shared.files else { return Ok(false) };
        let fresh = files.read(Clock.now())?;
        if fresh == *self.keys() {
            return Ok(false);
        }
        tracing::info!(keys = ?fresh, "loaded changed token keys");
        *self.shared.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
        // What a dropped key signed must not be remembered as good.
        self.checked().clear();
        Ok(true)
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.shared.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn checked(&self) -> MutexGuard<'_, LruCache<[u8; 32], Bearer>> {
        self.shared.checked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
