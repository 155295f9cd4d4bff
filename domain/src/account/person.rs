//! Data of a person: role, settings, profile and the secrets that are sealed with their own key.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::decider::Actor;
use crate::ids::{AccountId, AddressId};
use crate::text::{Email, Hash, Name, Phone};
use crate::{Currency, Locale, Personal};

/// The role of an account.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A buyer.
    #[default]
    Customer,
    /// A seller.
    Seller,
    /// Staff that helps customers.
    Support,
    /// Staff with all permissions.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Customer, Self::Seller, Self::Support, Self::Admin];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Seller => "seller",
            Self::Support => "support",
            Self::Admin => "admin",
        }
    }

    /// Whether the role sees the data of other accounts.
    pub fn is_staff(self) -> bool {
        match self {
            Self::Support | Self::Admin => true,
            Self::Customer | Self::Seller => false,
        }
    }

    /// The actor with this role.
    pub fn actor(self, id: AccountId) -> Actor {
        match self {
            Self::Customer => Actor::Customer { id },
            Self::Seller => Actor::Seller { id },
            Self::Support => Actor::Support { id },
            Self::Admin => Actor::Admin { id },
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|role| role.as_str() == text);
        known.ok_or_else(|| "a role is customer, seller, support or admin".to_owned())
    }
}

/// A channel of notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// E-mail.
    Email,
    /// A text message.
    Sms,
    /// A push message.
    Push,
}

impl Channel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Email, Self::Sms, Self::Push];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

/// An account's preferences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The language of what they are sent.
    pub locale: Locale,
    /// ISO 4217 currency code of the prices that the account is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// How the owner hears of what happens to their orders; what protects the account always comes by mail.
    pub channels: BTreeSet<Channel>,
}

impl Settings {
    /// The default settings, with a language.
    pub fn new(locale: Locale) -> Self {
        Self { locale, currency: None, channels: BTreeSet::from([Channel::Email]) }
    }
}

/// A person's profile; fields that were never set are absent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ProfileShown, example = json!({"name": "Ada Lovelace", "phone": "+49 30 1234567"})))]
pub struct Profile {
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub name: Option<Name>,
    /// The phone number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub phone: Option<Phone>,
}

/// The client of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ClientShown))]
pub struct Client {
    /// The network address.
    #[cfg_attr(feature = "openapi", schema(example = "192.0.2.7"))]
    pub address: String,
    /// The `User-Agent` of the program, shortened if it is too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false, example = "curl/8.5.0"))]
    pub agent: Option<String>,
}

/// A secret that is sent to a person once, or stored for them: it is only ever stored sealed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

#[cfg(feature = "openapi")]
crate::openapi::value!(Secret, crate::openapi::any_text());

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A code that was sent by mail and not used yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Pending {
    /// The hash of the code.
    pub hash: Hash,
    /// When the code expires.
    pub expires_at: DateTime<Utc>,
}

/// A new e-mail address that is not confirmed yet.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PendingEmail {
    /// The address.
    pub email: Personal<Email>,
    /// The code that was sent to it.
    pub code: Pending,
}

/// An address of the address book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Kept {
    /// The id.
    pub id: AddressId,
    /// The address.
    pub address: Personal<Address>,
}
