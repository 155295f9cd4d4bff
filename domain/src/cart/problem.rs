//! Problems that prevent a checkout: lines compared with the present offers.

use std::fmt;

use serde::Serialize;

use super::Line;
use crate::Currency;
use crate::ids::{SellerId, VariantId};
use crate::money::Price;
use crate::product::Product;
use crate::quantity::Quantity;
use crate::seller::Seller;
use crate::stock::StockLevel;
use crate::stored_value;

/// The present offer of a variant.
#[allow(clippy::struct_excessive_bools, reason = "each says how the pieces are delivered")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The price of one piece.
    pub price: Price,
    /// The available quantity.
    pub available: i64,
    /// Whether it is for sale.
    pub purchasable: bool,
    /// Whether a key of a pool is delivered for each piece.
    pub keys: bool,
    /// Whether its pieces are delivered as downloads.
    pub downloads: bool,
    /// Whether its pieces are gift cards.
    pub gift_cards: bool,
    /// The seller; none if the house sells it.
    pub seller: Option<SellerId>,
}

/// Why a line cannot be bought as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = CartLineProblem))]
pub enum Problem {
    /// The price has changed since the line was set.
    PriceChanged {
        /// The line's variant.
        variant: VariantId,
        /// The price when the line was set.
        was: Price,
        /// The present price.
        now: Price,
    },
    /// The available quantity is too small.
    NotEnough {
        /// The line's variant.
        variant: VariantId,
        /// The quantity of the line.
        wanted: Quantity,
        /// The available quantity.
        available: i64,
    },
    /// It is not for sale.
    Unavailable {
        /// The line's variant.
        variant: VariantId,
    },
}

impl Offer {
    /// The offer of a variant in a currency, from its product with its seller, and its stock; `None` if it has no price in this
    /// currency.
    pub fn of(
        product: &Product,
        seller: Option<&Seller>,
        variant: VariantId,
        stock: &StockLevel,
        currency: Currency,
    ) -> Option<Self> {
        let product = product.live().ok()?;
        let price = product.variant(variant).ok()?.listed(currency)?.price;
        let (available, keys, downloads) = (stock.available(), stock.keys_pooled, stock.downloadable);
        let gift_cards = stock.gift_cards;
        // Prices from before gift cards had limits.
        let is_worth_it = !gift_cards || stored_value::is_value_of_card(price.money());
        let purchasable = product.is_sold(seller) && is_worth_it;
        Some(Self { price, available, purchasable, keys, downloads, gift_cards, seller: product.seller })
    }
}

impl Problem {
    /// All problems of a line; a variant without an offer is not for sale.
    pub(super) fn of(line: &Line, offer: Option<&Offer>) -> Vec<Self> {
        Self::with(line.variant, line.quantity, Some(line.unit_price), offer)
    }

    /// All problems of buying a quantity of a variant at the price that the buyer saw, or at the present price if they saw none.
    pub fn with(variant: VariantId, wanted: Quantity, seen: Option<Price>, offer: Option<&Offer>) -> Vec<Self> {
        let Some(offer) = offer.filter(|offer| offer.purchasable) else { return vec![Self::Unavailable { variant }] };
        let now = offer.price;
        let changed = seen.filter(|was| *was != now).map(|was| Self::PriceChanged { variant, was, now });
        changed.into_iter().chain(Self::short(variant, wanted, offer.available)).collect()
    }

    /// The problem that the available quantity is too small, if it is.
    pub fn short(variant: VariantId, wanted: Quantity, available: i64) -> Option<Self> {
        (available < wanted.get()).then_some(Self::NotEnough { variant, wanted, available })
    }

    /// The stable code of the problem.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PriceChanged { .. } => "price_changed",
            Self::NotEnough { .. } => "not_enough",
            Self::Unavailable { .. } => "unavailable",
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PriceChanged { variant, was, now } => {
                write!(f, "{variant} costs {now} now and not {was}: set its line again to take it at that")
            }
            Self::NotEnough { variant, wanted, available } => {
                write!(f, "{available} of {variant} are left, and the line wants {wanted}")
            }
            Self::Unavailable { variant } => write!(f, "{variant} is not for sale: take its line out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, pieces, price};

    #[test]
    fn a_problem_says_what_it_is_and_what_to_do() {
        let variant: VariantId = id(7);
        let text = variant.to_string();
        let (was, now) = (price(500), price(600));
        let changed = Problem::PriceChanged { variant, was, now };
        let why = format!("{text} costs {now} now and not {was}: set its line again to take it at that");
        assert_eq!(changed.to_string(), why);
        let few = Problem::NotEnough { variant, wanted: pieces(3), available: 1 };
        assert_eq!(few.to_string(), format!("1 of {text} are left, and the line wants 3"));
        let unavailable = Problem::Unavailable { variant };
        assert_eq!(unavailable.to_string(), format!("{text} is not for sale: take its line out"));
    }
}
