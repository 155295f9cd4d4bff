//! Secrets that the shop makes up, and what it keeps of them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::text::Hash;
use byteshop_eventstore::envelope::to_hex;
use sha2::{Digest, Sha256};

use crate::edge::problem::Problem;

/// Unpredictable bytes.
pub(crate) fn random() -> Result<[u8; 32], Problem> {
    byteshop_eventstore::random().map_err(|_| Problem::unavailable("the system provides no random numbers for a token"))
}

/// A new cart token and its hash; the token is shown to the guest once and kept nowhere.
pub fn new_cart_token() -> Result<(String, Hash), Problem> {
    let token = URL_SAFE_NO_PAD.encode(random()?);
    let hash = hash_of(token.as_bytes()).ok_or_else(Problem::internal)?;
    Ok((token, hash))
}

/// The hash of a secret; secrets are stored in no other form.
pub(crate) fn hash_of(token: &[u8]) -> Option<Hash> {
    Hash::new(&to_hex(&Sha256::digest(token))).ok()
}
