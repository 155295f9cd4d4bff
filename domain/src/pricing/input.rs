//! Everything that has a say in what an order costs.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::Currency;
use crate::address::Part;
use crate::ids::{AccountId, CategoryId, ProductId, PromotionId, UsageId, VariantId};
use crate::money::Price;
use crate::product::TaxClass;
use crate::promotion::{CouponCode, Status, Target, Terms};
use crate::quantity::Quantity;
use crate::shipping_book::ShippingBook;
use crate::tax_book::TaxBook;
use crate::text::{Country, PostalCode, Slug};
use crate::usage::Customer;

/// Everything that has a say in what an order costs.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The currency of it all.
    pub currency: Currency,
    /// When: rates and promotions are dated.
    pub at: DateTime<Utc>,
    /// What is bought, each variant once.
    pub items: Vec<Item>,
    /// Where to, if that is known: without, there is no shipping and no tax yet.
    pub destination: Option<Whereto<'a>>,
    /// What the address does not say.
    pub lacks: &'a BTreeSet<Part>,
    /// The service that was chosen.
    pub service: Option<&'a Slug>,
    /// What is taxed how.
    pub tax: &'a TaxBook,
    /// What is sent how.
    pub shipping: &'a ShippingBook,
    /// The promotions that may apply: those given by themselves, and those whose codes were entered.
    pub promotions: Vec<Candidate<'a>>,
    /// Codes that no promotion has.
    pub unknown: Vec<CouponCode>,
    /// Who buys, by every name that limits know them under.
    pub customers: Vec<Customer>,
    /// Their account.
    pub account: Option<AccountId>,
    /// How many orders of theirs are not cancelled, by the name that has most.
    pub orders: i64,
    /// What counts this order as one of theirs; only needed when the order is placed.
    pub counters: Vec<UsageId>,
}

/// What is bought of a variant, with what promotions, taxes and carriers need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The product's category and all that are above it; only needed while a promotion names categories.
    pub categories: Vec<CategoryId>,
    /// What one piece costs.
    pub unit_price: Price,
    /// The quantity.
    pub quantity: Quantity,
    /// At which of a country's rates it is taxed.
    pub tax_class: TaxClass,
    /// What one piece weighs, if that is known; what is not counts as nothing.
    pub weight_g: Option<u32>,
    /// Whether it is sent.
    pub physical: bool,
}

/// Where to, as far as prices depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Whereto<'a> {
    /// The country.
    pub country: &'a Country,
    /// The beginning of the postal code.
    pub area: Option<&'a PostalCode>,
}

/// A promotion that may apply.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The promotion.
    pub promotion: PromotionId,
    /// Its version that has the terms.
    pub version: i64,
    /// Whether it gives anything.
    pub status: Status,
    /// What it gives.
    pub terms: &'a Terms,
    /// How often it was used by all together; only needed when that is limited.
    pub used: i64,
    /// How often it was used by this customer, by the name that used it most; only needed when that is limited.
    pub used_by_customer: i64,
}

impl Item {
    /// Whether a target names it.
    pub fn is_in(&self, target: &Target) -> bool {
        match target {
            Target::Order {} => true,
            Target::Products { products } => products.contains(&self.product),
            Target::Categories { categories } => self.categories.iter().any(|category| categories.contains(category)),
            Target::Variants { variants } => variants.contains(&self.variant),
        }
    }
}

impl Candidate<'_> {
    /// The code that was entered for it.
    pub fn coupon(&self) -> Option<&CouponCode> {
        self.terms.code.as_ref()
    }
}
