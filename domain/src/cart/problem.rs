//! What keeps a cart from being bought: its lines beside what is offered now.

use std::fmt;

use serde::Serialize;

use super::Line;
use crate::Currency;
use crate::ids::VariantId;
use crate::money::Price;
use crate::product::{self, Product};
use crate::quantity::Quantity;
use crate::stock::StockLevel;

/// What is offered of a variant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// What one piece costs.
    pub price: Price,
    /// How many can be had.
    pub available: i64,
    /// Whether it is for sale at all.
    pub purchasable: bool,
}

/// Why a line cannot be bought as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Problem {
    /// It costs something else than when it was put in.
    PriceChanged {
        /// The line's variant.
        variant: VariantId,
        /// What it cost.
        was: Price,
        /// What it costs.
        now: Price,
    },
    /// There are not as many.
    NotEnough {
        /// The line's variant.
        variant: VariantId,
        /// What the line wants.
        wanted: Quantity,
        /// What there is.
        available: i64,
    },
    /// It is not for sale.
    Unavailable {
        /// The line's variant.
        variant: VariantId,
    },
}

impl Offer {
    /// What is offered of a variant in a currency, as the product and its stock say; nothing when it has no price in it.
    pub fn of(product: &Product, variant: VariantId, stock: &StockLevel, currency: Currency) -> Option<Self> {
        let product = product.live().ok()?;
        let price = product.variant(variant).ok()?.listed(currency)?.price;
        Some(Self { price, available: stock.available(), purchasable: product.status == product::Status::Published })
    }
}

impl Problem {
    /// All that is wrong with a line; no offer means: not for sale.
    pub(super) fn of(line: &Line, offer: Option<&Offer>) -> Vec<Self> {
        Self::with(line.variant, line.quantity, Some(line.unit_price), offer)
    }

    /// All that keeps so many of a variant from being bought at the price that somebody saw, or at whatever it costs.
    pub fn with(variant: VariantId, wanted: Quantity, seen: Option<Price>, offer: Option<&Offer>) -> Vec<Self> {
        let Some(offer) = offer.filter(|offer| offer.purchasable) else { return vec![Self::Unavailable { variant }] };
        let now = offer.price;
        let changed = seen.filter(|was| *was != now).map(|was| Self::PriceChanged { variant, was, now });
        changed.into_iter().chain(Self::short(variant, wanted, offer.available)).collect()
    }

    /// That there are not so many.
    pub fn short(variant: VariantId, wanted: Quantity, available: i64) -> Option<Self> {
        (available < wanted.get()).then_some(Self::NotEnough { variant, wanted, available })
    }

    /// The stable code.
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
