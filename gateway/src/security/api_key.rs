//! The key of a program as it is shown: it names itself and holds a secret, of which the log has only a hash.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::ids::{ApiKeyId, Id as _};
use byteshop_domain::text::Hash;
use uuid::Uuid;

use crate::security::secret::hash_of;

/// The prefix of a key, by which people and scanners recognize leaked keys.
pub const PREFIX: &str = "bsk_";
/// Bytes of the id in it.
const ID: usize = 16;
/// Bytes of the secret in it.
const SECRET: usize = 32;

/// A key that was shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which it says it is.
    pub id: ApiKeyId,
    /// The hash of the key.
    pub hash: Hash,
}

/// A new key, and its hash.
pub fn write(id: ApiKeyId, secret: &[u8; SECRET]) -> Option<(String, Hash)> {
    let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([id.uuid().as_bytes().as_slice(), secret].concat()));
    let hash = hash_of(text.as_bytes())?;
    Some((text, hash))
}

/// Reads what may be a key; none when it is none.
pub fn parse(text: &str) -> Option<Shown> {
    let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
    let id = bytes.get(..ID).filter(|_| bytes.len() == ID + SECRET)?;
    Some(Shown { id: ApiKeyId::from_uuid(Uuid::from_slice(id).ok()?), hash: hash_of(text.as_bytes())? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_itself() {
        let id = ApiKeyId::from_uuid(Uuid::from_u128(7));
        let (text, hash) = write(id, &[9; SECRET]).unwrap();
        let shown = parse(&text).unwrap();
        assert_eq!((shown.id, shown.hash), (id, hash));
        for wrong in ["", "bsk_", "bsk_AAAA", &text[..text.len() - 1], &text[4..], "bsk_é"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
