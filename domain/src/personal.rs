//! Personal data: a value sealed with the key of its subject, which the domain cannot read.
//!
//! Events, states, views and receipts hold it sealed. It is sealed before a command is decided and opened where it is shown, so
//! that destroying a subject's key erases the data everywhere at once, including in backups of views.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::{AccountId, CartId, Id as _, InvitationId, SellerId};

/// The name in JSON that marks a sealed value.
pub const MARK: &str = "$sealed";

/// Whether a JSON text may hold sealed values.
pub fn holds_sealed(json: &str) -> bool {
    memchr::memmem::find(json.as_bytes(), MARK.as_bytes()).is_some()
}

/// A subject: the account, the guest's cart, the invitation, or the seller, whose key seals personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Subject(pub Uuid);

impl Subject {
    /// The shop itself: what it writes to its own staff is about no one person.
    pub const SHOP: Self = Self(Uuid::nil());

    /// The subject of a cart's data: its owner, or else the guest.
    pub fn of_cart(cart: CartId, owner: Option<AccountId>) -> Self {
        owner.map_or(Self(cart.uuid()), Self::from)
    }
}

impl From<AccountId> for Subject {
    fn from(account: AccountId) -> Self {
        Self(account.uuid())
    }
}

/// A person who is invited may have no account: their data is sealed with a key that lives as long as the invitation.
impl From<InvitationId> for Subject {
    fn from(invitation: InvitationId) -> Self {
        Self(invitation.uuid())
    }
}

/// The legal data of a seller is on papers that must be kept for years, so it does not depend on the account of an owner.
impl From<SellerId> for Subject {
    fn from(seller: SellerId) -> Self {
        Self(seller.uuid())
    }
}

/// A sealed `T`: `{"$sealed": "…", "subject": "…"}` in JSON.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct Personal<T> {
    #[serde(rename = "$sealed")]
    sealed: Arc<str>,
    subject: Subject,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T> Personal<T> {
    /// A value that was sealed, as text.
    pub fn new(subject: Subject, sealed: &str) -> Self {
        Self { sealed: Arc::from(sealed), subject, of: PhantomData }
    }

    /// The subject.
    pub fn subject(&self) -> Subject {
        self.subject
    }

    /// The sealed text.
    pub fn sealed(&self) -> &str {
        &self.sealed
    }
}

// Derived, these would ask the same of `T`, of which there is none in here.
impl<T> Clone for Personal<T> {
    fn clone(&self) -> Self {
        Self { sealed: Arc::clone(&self.sealed), subject: self.subject, of: PhantomData }
    }
}

impl<T> PartialEq for Personal<T> {
    fn eq(&self, other: &Self) -> bool {
        self.sealed == other.sealed && self.subject == other.subject
    }
}

impl<T> Eq for Personal<T> {}

impl<T> fmt::Debug for Personal<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Personal({})", self.subject.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Name;

    #[test]
    fn it_is_stored_sealed_and_read_back_sealed() {
        let personal = Personal::<Name>::new(Subject(Uuid::from_u128(7)), "AAECAw");
        let json = serde_json::to_string(&personal).unwrap();
        assert_eq!(json, r#"{"$sealed":"AAECAw","subject":"00000000-0000-0000-0000-000000000007"}"#);
        assert_eq!(serde_json::from_str::<Personal<Name>>(&json).unwrap(), personal);
        assert_eq!((personal.subject(), personal.sealed()), (Subject(Uuid::from_u128(7)), "AAECAw"));
        assert_ne!(personal, Personal::new(Subject(Uuid::from_u128(7)), "AAECBA"));
        assert_ne!(personal, Personal::new(Subject(Uuid::from_u128(8)), "AAECAw"));
    }

    #[test]
    fn nothing_but_a_sealed_value_is_read_as_one() {
        for json in [r#""Ada""#, r#"{"$sealed":"AA"}"#, r#"{"$sealed":"AA","subject":"x"}"#, "null"] {
            assert!(serde_json::from_str::<Personal<Name>>(json).is_err(), "{json}");
        }
    }
}
