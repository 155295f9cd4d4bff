//! Passwords: which are good enough, and how they are hashed without starving the rest of the shop.
//!
//! What is checked and hashed is the form of RFC 8265, section 4.2 (`text::opaque`), so that the same keys on two systems give
//! the same password.
//!
//! Argon2id (RFC 9106) with 19 MiB, two passes and one lane, as OWASP's password storage cheat sheet asks for at least.

use std::collections::HashSet;
use std::num::NonZero;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use byteshop_domain::BoundedText;
use byteshop_domain::text::{Email, is_ignorable, opaque};
use http::StatusCode;
use tokio::sync::Semaphore;

use crate::edge::problem::Problem;

/// Least characters of a password (NIST SP 800-63B, section 5.1.1.2).
pub const PASSWORD_MIN: usize = 8;
/// Most characters: a passphrase fits, and hashing a book does not.
pub const PASSWORD_MAX: usize = 128;
/// A password as it is typed: a longer one is not read.
pub type Typed = BoundedText<PASSWORD_MAX>;
/// Memory of one hash, in KiB.
const MEMORY_KIB: u32 = 19_456;
/// Passes over it.
const PASSES: u32 = 2;
/// The number of waiting requests for each hash in progress, some seconds of work; further ones are told to retry.
const WAITING_EACH: usize = 64;
/// Seconds after which a refused client should retry.
const COME_BACK_S: u32 = 2;

static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("../../data/common_passwords.txt").lines().collect());

/// Refuses a password that would be guessed; `email` is the address of its account, which an attacker knows already.
pub fn check(password: &str, email: Option<&Email>, pointer: &str) -> Result<(), Problem> {
    let password = &*opaque(password);
    let characters = password.chars().count();
    let weak =
        |detail: String| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "account.weak_password", detail).at(pointer);
    if !(PASSWORD_MIN..=PASSWORD_MAX).contains(&characters) {
        return Err(weak(format!("the password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters")));
    }
    // As long as they are, they are one key held down, or nothing that anybody typed.
    if password.chars().all(|letter| letter.is_whitespace() || letter.is_control()) {
        return Err(weak("a password needs characters other than spaces and control characters".to_owned()));
    }
    if password.chars().any(char::is_control) {
        return Err(weak("the password must not contain control characters".to_owned()));
    }
    // RFC 8264, section 9.13 (PrecisIgnorableProperties).
    if password.chars().any(is_ignorable) {
        return Err(weak("the password must not contain invisible characters".to_owned()));
    }
    let folded = password.to_lowercase();
    if COMMON.contains(folded.as_str()) {
        return Err(weak("this password is too common; choose another one".to_owned()));
    }
    let Some(forms) = email.map(Email::forms) else { return Ok(()) };
    let is_address = |form: &String| folded == *form || form.split_once('@').is_some_and(|(local, _)| folded == local);
    if forms.iter().any(is_address) {
        return Err(weak("the password must not be the e-mail address".to_owned()));
    }
    Ok(())
}

/// How a password compares with its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The password is wrong.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, but has to be hashed again, with current parameters and in the form of RFC 8265.
    Outdated,
}

/// Hashes passwords, a few at a time. Clones share everything.
#[derive(Clone)]
pub struct Passwords {
    inner: Arc<Inner>,
}

struct Inner {
    argon2: Argon2<'static>,
    permits: Arc<Semaphore>,
    /// The number of requests that hash or wait.
    inside: AtomicUsize,
    inside_max: usize,
    runs: AtomicU64,
    /// The hash of no password: what is compared when there is no account, so that this takes the same time.
    decoy: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").field("inside_max", &self.inner.inside_max).finish_non_exhaustive()
    }
}

/// There is no randomness or no memory to hash with.
#[derive(Debug, thiserror::Error)]
#[error("passwords cannot be hashed: {0}")]
pub struct HashError(String);

/// How many are hashed at a time: half of the cores, so that the other half serves the shop.
pub fn at_once() -> usize {
    (std::thread::available_parallelism().map_or(1, NonZero::get) / 2).max(1)
}

impl Passwords {
    /// With as many at a time as half of the cores.
    pub fn new() -> Result<Self, HashError> {
        Self::with(at_once())
    }

    /// With so many at a time.
    pub fn with(at_once: usize) -> Result<Self, HashError> {
        let argon2 = argon2()?;
        let decoy = hash(&argon2, "no password at all")?;
        let inner = Inner {
            argon2,
            permits: Arc::new(Semaphore::new(at_once)),
            inside: AtomicUsize::new(0),
            inside_max: at_once * (WAITING_EACH + 1),
            runs: AtomicU64::new(0),
            decoy,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// How often Argon2 has run.
    pub fn runs(&self) -> u64 {
        self.inner.runs.load(Ordering::Relaxed)
    }

    /// Hashes a password.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        let hashed = self.run("hash", move |inner| hash(&inner.argon2, &opaque(&password))).await?;
        hashed.map_err(|error| {
            tracing::error!(%error, "a password could not be hashed");
            Problem::unavailable("passwords cannot be hashed at the moment")
        })
    }

    /// Compares a password with its hash; without one it takes the same time, and is wrong.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<Verdict, Problem> {
        self.run("verify", move |inner| {
            let known = hash.as_deref().unwrap_or(&inner.decoy);
            let canonical = opaque(&password);
            let mut verdict = verify(&inner.argon2, &canonical, known);
            // Hashes from before passwords had a form are of what was typed. Whether there is an account makes no difference.
            if verdict == Verdict::Wrong && canonical != password {
                verdict = match verify(&inner.argon2, &password, known) {
                    Verdict::Right | Verdict::Outdated => Verdict::Outdated,
                    Verdict::Wrong => Verdict::Wrong,
                };
            }
            if hash.is_some() { verdict } else { Verdict::Wrong }
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        what: &'static str,
        work: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let inner = Arc::clone(&self.inner);
        let slot = Slot(Arc::clone(&inner));
        if inner.inside.fetch_add(1, Ordering::Relaxed) >= inner.inside_max {
            return Err(busy());
        }
        let permit = Arc::clone(&inner.permits).acquire_owned().await.map_err(|_| busy())?;
        inner.runs.fetch_add(1, Ordering::Relaxed);
        metrics::counter!("byteshop_password_hashes_total", "what" => what).increment(1);
        let working = Arc::clone(&inner);
        // A hash in progress continues when its caller disconnects, so it keeps its permit and its slot.
        let done = tokio::task::spawn_blocking(move || {
            let _kept = (permit, slot);
            work(&working)
        });
        done.await.map_err(|_| Problem::internal())
    }
}

/// A slot among the requests that hash or wait, released on drop.
struct Slot(Arc<Inner>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
    }
}

fn busy() -> Problem {
    let detail = "too many log-ins at the same time; retry shortly";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "auth.busy", detail).retry_after(COME_BACK_S)
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(|error| HashError(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, HashError> {
    let hash = argon2.hash_password(password.as_bytes()).map_err(|error| HashError(error.to_string()))?;
    Ok(hash.to_string())
}

fn verify(argon2: &Argon2<'_>, password: &str, hash: &str) -> Verdict {
    let Ok(parsed) = PasswordHash::new(hash) else { return Verdict::Wrong };
    if argon2.verify_password(password.as_bytes(), &parsed).is_err() {
        return Verdict::Wrong;
    }
    let today = Params::try_from(&parsed).is_ok_and(|params| {
        (params.m_cost(), params.t_cost(), params.p_cost())
            == (argon2.params().m_cost(), argon2.params().t_cost(), argon2.params().p_cost())
    });
    if today { Verdict::Right } else { Verdict::Outdated }
}

#[cfg(test)]
mod tests;
