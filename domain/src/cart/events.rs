//! The events of a cart.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::address::{Address, Part};
use crate::ids::{AccountId, CartId, OrderId, ProductId, SellerId, VariantId};
use crate::money::Price;
use crate::promotion::CouponCode;
use crate::quantity::Quantity;
use crate::text::{Country, Hash, Label, Name, PostalCode, Sku, Slug, Title};
use crate::{Currency, Locale, Personal};

/// Days after which a cart that is not changed expires, unless it was created with another number: people come back within a
/// month, or not at all.
pub const LIFETIME_DAYS: u16 = 30;

/// The destination of the goods. The country is in the clear, as rates and taxes depend on it; everything about a person is
/// sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The beginning of the postal code, which rates for islands and provinces depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<PostalCode>,
    /// The recipient and the exact address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Personal<Address>>,
    /// The keyed hash of a guest's e-mail address, by which their orders are found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_hash: Option<Label>,
    /// The keyed hash of the mailbox of that address, by which mails are limited; absent if it is that of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox_hash: Option<Label>,
    /// The parts of the address that are missing, as the sealed address cannot be read.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lacks: BTreeSet<Part>,
    /// The language of mails to the buyer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The postal code in the clear; only in older events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// The town in the clear; only in older events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
}

/// Characters of a postal code that say the area and not the house.
const AREA: usize = 3;

impl Destination {
    /// A country, without further details.
    pub fn to(country: Country) -> Self {
        Self {
            country,
            area: None,
            address: None,
            email_hash: None,
            mailbox_hash: None,
            lacks: BTreeSet::new(),
            locale: None,
            postal_code: None,
            city: None,
        }
    }

    /// The keyed hash of a guest's mailbox, however its address is written.
    pub fn mailbox(&self) -> Option<&Label> {
        self.mailbox_hash.as_ref().or(self.email_hash.as_ref())
    }

    /// The area of a postal code: its first letters and digits.
    pub fn area_of(postal_code: &PostalCode) -> Option<PostalCode> {
        let letters = postal_code.as_str().chars().filter(char::is_ascii_alphanumeric).take(AREA);
        PostalCode::new(&letters.collect::<String>().to_ascii_uppercase()).ok()
    }
}

/// A line of a cart, as the buyer was shown it when it was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The SKU.
    pub sku: Sku,
    /// The title at that time.
    pub title: Title,
    /// The quantity.
    pub quantity: Quantity,
    /// The price of one piece.
    pub unit_price: Price,
}

/// What happened to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The cart was created, without lines.
    Created {
        /// The account that it belongs to; absent for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<AccountId>,
        /// The hash of the cart token.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
        /// When the cart expires unless it is changed; absent in older events, whose carts do not expire.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<DateTime<Utc>>,
        /// How many days each change extends it by.
        #[serde(default = "usual", skip_serializing_if = "is_usual")]
        days: u16,
    },
    /// The cart was changed, so it expires later.
    Extended {
        /// When the cart expires unless it is changed.
        expires_at: DateTime<Utc>,
    },
    /// The quantity of a variant in the cart was set.
    LineSet(Line),
    /// A variant was removed from the cart.
    LineRemoved {
        /// The variant.
        variant: VariantId,
    },
    /// All lines were removed.
    Emptied {},
    /// The destination was set.
    DestinationSet {
        /// The destination.
        destination: Destination,
    },
    /// The coupon codes were set; they replace the earlier ones.
    CouponsSet {
        /// The codes, in their stored form.
        codes: Vec<CouponCode>,
    },
    /// A shipping service was chosen.
    ShippingChosen {
        /// The service.
        service: Slug,
        /// The seller whose own service it is; absent if it is the house's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seller: Option<SellerId>,
    },
    /// Another cart was merged into this one; its lines are set one by one.
    Merged {
        /// The other cart.
        from: CartId,
    },
    /// The cart was merged into another one.
    MergedInto {
        /// The other cart.
        cart: CartId,
    },
    /// The cart was checked out.
    CheckedOut {
        /// The order.
        order: OrderId,
    },
    /// The cart was discarded or has expired, and a guest's data in it is erased.
    Discarded {
        /// The time.
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
