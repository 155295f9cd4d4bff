//! Codes that are sent once: they name what they are of and hold a secret, and only their hash is kept in the clear.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use byteshop_domain::ids::{AccountId, Id};
use byteshop_domain::text::Hash;
use byteshop_eventstore::envelope::to_hex;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Bytes of the secret: too many to guess, so that a plain hash of it reveals nothing.
pub const SECRET: usize = 32;
/// Bytes of the id before it.
const ID: usize = 16;

/// The secret of a code.
#[derive(Clone)]
pub struct Code(pub [u8; SECRET]);

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code(…)")
    }
}

impl Code {
    /// The code as it is sent to the owner of an account, or to a person whom a seller invites.
    pub fn of(&self, id: impl Id) -> String {
        URL_SAFE_NO_PAD.encode([id.uuid().as_bytes().as_slice(), &self.0].concat())
    }
}

/// The account that a code is of.
pub fn account(code: &str) -> Option<AccountId> {
    named(code)
}

/// What a code is of. A code does not tell the kind of its id.
pub fn named<I: Id>(code: &str) -> Option<I> {
    let bytes = URL_SAFE_NO_PAD.decode(code).ok()?;
    let id = bytes.get(..ID).filter(|_| bytes.len() == ID + SECRET)?;
    Uuid::from_slice(id).ok().map(I::from_uuid)
}

/// The hash of a code.
pub fn hash(code: &str) -> Hash {
    // A hexadecimal hash always is one.
    Hash::new(&to_hex(&Sha256::digest(code))).expect("64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use byteshop_domain::ids::SellerId;

    use super::*;

    #[test]
    fn a_code_names_its_account() {
        let ada = AccountId::from_uuid(Uuid::from_u128(7));
        let code = Code([9; SECRET]).of(ada);
        assert_eq!((code.len(), account(&code)), (64, Some(ada)));
        let seller = SellerId::from_uuid(Uuid::from_u128(8));
        assert_eq!(named(&Code([9; SECRET]).of(seller)), Some(seller));
        for wrong in ["", "x", &code[4..], &format!("{code}AAAA"), "é"] {
            assert_eq!(account(wrong), None, "{wrong}");
        }
        assert_ne!(hash(&code), hash(&Code([8; SECRET]).of(ada)));
    }
}
