//! Refresh tokens: a session and a generation, under a keyed hash (RFC 2104) with the session's own secret.
//!
//! The same generation always gives the same token, so a client that lost the answer gets the same one again, and the log
//! keeps no token: only the secret, sealed.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::ids::{Id as _, SessionId};
use uuid::Uuid;

/// Bytes of the session's id.
const ID: usize = 16;
/// Bytes of the id and the generation, which the hash is over.
const SIGNED: usize = ID + 4;
/// Bytes of all of it.
const LENGTH: usize = SIGNED + 32;

/// A refresh token that was shown; whether it is genuine is not known before it is checked.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    /// The session that it names.
    pub session: SessionId,
    /// The generation.
    pub generation: u32,
    bytes: [u8; LENGTH],
}

/// Writes the token of a generation.
pub fn write(session: SessionId, generation: u32, secret: &str) -> String {
    let mut bytes = [session.uuid().as_bytes().as_slice(), &generation.to_be_bytes()].concat();
    let tag = hmac::sign(&key(secret), &bytes);
    bytes.extend_from_slice(tag.as_ref());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token; none when it is none.
pub fn parse(text: &str) -> Option<Shown> {
    let bytes: [u8; LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
    let session = SessionId::from_uuid(Uuid::from_slice(&bytes[..ID]).ok()?);
    let generation = u32::from_be_bytes(bytes[ID..SIGNED].try_into().ok()?);
    Some(Shown { session, generation, bytes })
}

impl Shown {
    /// Whether it was made with this secret; the comparison takes the same time wherever they differ.
    pub fn is_genuine(&self, secret: &str) -> bool {
        hmac::verify(&key(secret), &self.bytes[..SIGNED], &self.bytes[SIGNED..]).is_ok()
    }
}

fn key(secret: &str) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_for_its_secret_only() {
        let session = SessionId::from_uuid(Uuid::from_u128(7));
        let text = write(session, 3, "secret");
        assert_eq!(text, write(session, 3, "secret"));
        let shown = parse(&text).unwrap();
        assert_eq!((shown.session, shown.generation), (session, 3));
        assert!(shown.is_genuine("secret") && !shown.is_genuine("another"));
        let mut forged = URL_SAFE_NO_PAD.decode(&text).unwrap();
        forged[SIGNED - 1] = 4;
        let forged = parse(&URL_SAFE_NO_PAD.encode(forged)).unwrap();
        assert_eq!(forged.generation, 4);
        assert!(!forged.is_genuine("secret"));
        for wrong in ["", "x", &text[1..], &format!("{text}AA"), "é"] {
            assert!(parse(wrong).is_none(), "{wrong}");
        }
    }
}
