//! What happens to a cart.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Address, Part};
use crate::ids::{AccountId, CartId, OrderId, ProductId, VariantId};
use crate::money::Price;
use crate::promotion::CouponCode;
use crate::quantity::Quantity;
use crate::text::{Country, Hash, Label, Name, PostalCode, Sku, Slug, Title};
use crate::{Currency, Locale, Personal};

/// Days after which a cart is given up that nobody changes, unless it says otherwise: people come back within a month, or not
/// for this.
pub const LIFETIME_DAYS: u16 = 30;

/// Where the goods go: the country in the clear, as rates and taxes depend on it, everything about a person sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The beginning of the postal code, which rates for islands and provinces depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<PostalCode>,
    /// Who gets them, and where exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Personal<Address>>,
    /// The keyed hash of the e-mail address that a guest gave, which their orders are found by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_hash: Option<Label>,
    /// What nobody said of it, as the sealed address cannot be looked at.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lacks: BTreeSet<Part>,
    /// The language that they are written to in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The postal code, in the clear as carts once kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// The town, in the clear as carts once kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
}

/// Characters of a postal code that say the area and not the house.
const AREA: usize = 3;

impl Destination {
    /// A country, and nothing else.
    pub fn to(country: Country) -> Self {
        Self {
            country,
            area: None,
            address: None,
            email_hash: None,
            lacks: BTreeSet::new(),
            locale: None,
            postal_code: None,
            city: None,
        }
    }

    /// The area of a postal code: its first letters and digits.
    pub fn area_of(postal_code: &PostalCode) -> Option<PostalCode> {
        let letters = postal_code.as_str().chars().filter(char::is_ascii_alphanumeric).take(AREA);
        PostalCode::new(&letters.collect::<String>().to_ascii_uppercase()).ok()
    }
}

/// A line of a cart, with what its buyer was shown when it was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What it was called.
    pub title: Title,
    /// How many.
    pub quantity: Quantity,
    /// What one piece cost.
    pub unit_price: Price,
}

/// What happened to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It exists, and is empty.
    Created {
        /// Whose it is; nobody's for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<AccountId>,
        /// The hash of the token that opens it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
        /// When it is given up unless it changes; carts once stayed for ever.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        /// How many days it stays with every change.
        #[serde(default = "usual", skip_serializing_if = "is_usual")]
        days: u16,
    },
    /// It changed, so it stays longer.
    Extended {
        /// When it is given up unless it changes.
        expires_at: DateTime<Utc>,
    },
    /// So much of a variant is in it now.
    LineSet(Line),
    /// A variant is not in it any more.
    LineRemoved {
        /// The variant.
        variant: VariantId,
    },
    /// Nothing is in it any more.
    Emptied {},
    /// The goods would go there.
    DestinationSet {
        /// Where.
        destination: Destination,
    },
    /// These codes are entered, and no others.
    CouponsSet {
        /// The codes, as they are kept.
        codes: Vec<CouponCode>,
    },
    /// The goods would be sent like this.
    ShippingChosen {
        /// The service.
        service: Slug,
    },
    /// Another cart was put into it; what that had is set line by line.
    Merged {
        /// The other cart.
        from: CartId,
    },
    /// It was put into another cart.
    MergedInto {
        /// The other cart.
        cart: CartId,
    },
    /// It became an order.
    CheckedOut {
        /// The order.
        order: OrderId,
    },
    /// It is given up, and what a guest wrote into it is forgotten.
    Discarded {
        /// When.
        at: DateTime<Utc>,
    },
}

fn usual() -> u16 {
    LIFETIME_DAYS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_usual(days: &u16) -> bool {
    *days == LIFETIME_DAYS
}

impl crate::Event for Event {}
