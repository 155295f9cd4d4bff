//! A unique name as a stream of its own: it is claimed in the append of its owner, and has one owner at most.
//!
//! ```text
//! free ──claimed──▶ held
//!  ▲                 │
//!  └────released─────┘
//! ```
//!
//! The id of the stream is a hash of the kind and the text, so two claims of one name conflict at the version of one stream.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::decider::{Asked, Decider};
use crate::ids::{Id, NameId};
use crate::text::Label;

/// Namespace of the ids; any fixed number would do, and it can never change.
const NAMESPACE: Uuid = Uuid::from_u128(0x8f6b_6d1e_52f4_4c39_9d0a_6a2f_3c51_e7b4);

/// The kind of a unique name. Names of different kinds never collide.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameKind {
    /// The SKU of a variant; case-sensitive, as sellers use both `85123a` and `85123A`.
    Sku,
    /// The slug of a category.
    CategorySlug,
    /// The number of an order, invoice or credit note in an older system.
    Reference,
    /// The e-mail address of an account: its text is a keyed hash, so the log does not reveal the address.
    Email,
    /// A coupon code, in capitals.
    Coupon,
    /// The cart of an account, which a logged-in buyer finds by it.
    Cart,
    /// The handle of a seller.
    SellerHandle,
}

impl NameKind {
    /// Its stored form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sku => "sku",
            Self::CategorySlug => "category_slug",
            Self::Reference => "reference",
            Self::Email => "email",
            Self::Coupon => "coupon",
            Self::Cart => "cart",
            Self::SellerHandle => "seller_handle",
        }
    }
}

impl NameKind {
    /// Its name in messages.
    fn for_people(self) -> &'static str {
        match self {
            Self::Sku => "SKU",
            Self::CategorySlug => "slug",
            Self::Reference => "reference",
            Self::Email => "e-mail address",
            Self::Coupon => "code",
            Self::Cart => "cart",
            Self::SellerHandle => "handle",
        }
    }

    /// The field of requests that holds it.
    fn pointer(self) -> Option<String> {
        let pointer = match self {
            Self::Sku => "/sku",
            Self::CategorySlug => "/slug",
            Self::Reference => "/reference",
            Self::Email => "/email",
            Self::Coupon => "/code",
            Self::SellerHandle => "/handle",
            // No request names the cart of an account.
            Self::Cart => return None,
        };
        Some(pointer.to_owned())
    }
}

/// The stream of a name: UUID version 5 of its kind and text (RFC 9562, section 5.5).
pub fn id(kind: NameKind, text: &str) -> NameId {
    let kind = kind.as_str();
    let mut key = String::with_capacity(kind.len() + 1 + text.len());
    key.push_str(kind);
    key.push(':');
    key.push_str(text);
    NameId::from_uuid(Uuid::new_v5(&NAMESPACE, key.as_bytes()))
}

/// What happened to a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The name was claimed.
    Claimed {
        /// The kind of the name.
        kind: NameKind,
        /// The name.
        text: Label,
        /// The owner, usually a TypeID.
        owner: String,
    },
    /// The name was released.
    Released {
        /// The kind of the name.
        kind: NameKind,
        /// The name.
        text: Label,
    },
}

impl crate::Event for Event {}

/// The commands of a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Claim the name.
    Claim {
        /// The kind of the name.
        kind: NameKind,
        /// The name.
        text: Label,
        /// The owner, usually a TypeID.
        owner: String,
    },
    /// Release the name.
    Release {},
}

/// The state of a name.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum UniqueName {
    /// The name is free.
    #[default]
    Free,
    /// The name is claimed.
    Held {
        /// The kind of the name.
        kind: NameKind,
        /// The name.
        text: Label,
        /// The owner.
        owner: String,
    },
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        Taken { kind: NameKind, text: Label } => Conflict at (kind.pointer()):
            "the {what} {text:?} is taken", what = kind.for_people();
    }
}

impl UniqueName {
    /// The owner, if the name is claimed and the owner is of this type.
    pub fn holder<I: FromStr>(&self) -> Option<I> {
        match self {
            Self::Free => None,
            Self::Held { owner, .. } => owner.parse().ok(),
        }
    }
}

impl Decider for UniqueName {
    const CATEGORY: &'static str = "name";
    type Id = NameId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Claim { kind, text, owner } => match self {
                Self::Free => Ok(vec![Event::Claimed { kind: *kind, text: text.clone(), owner: owner.clone() }]),
                Self::Held { owner: holder, .. } if holder == owner => Ok(vec![]),
                Self::Held { .. } => Err(Rejection::Taken { kind: *kind, text: text.clone() }),
            },
            Command::Release {} => match self {
                Self::Free => Ok(vec![]),
                Self::Held { kind, text, .. } => Ok(vec![Event::Released { kind: *kind, text: text.clone() }]),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Claimed { kind, text, owner } => {
                Self::Held { kind: *kind, text: text.clone(), owner: owner.clone() }
            }
            Event::Released { .. } => Self::Free,
        }
    }
}

#[cfg(test)]
mod tests;
