//! Everything that the price of an order depends on.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};

use crate::Currency;
use crate::address::Part;
use crate::ids::{AccountId, CategoryId, ProductId, PromotionId, SellerId, UsageId, VariantId};
use crate::money::Price;
use crate::product::TaxClass;
use crate::promotion::{CouponCode, Status, Target, Terms};
use crate::quantity::Quantity;
use crate::shipping_book::ShippingBook;
use crate::tax_book::TaxBook;
use crate::text::{Country, PostalCode, Slug};
use crate::usage::Customer;

/// Everything that the price of an order depends on.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    /// The currency of all amounts.
    pub currency: Currency,
    /// The time: rates and promotions have dates.
    pub at: DateTime<Utc>,
    /// The items, each variant once.
    pub items: Vec<Item>,
    /// The destination, if known: without it there is no shipping and no tax.
    pub destination: Option<Whereto<'a>>,
    /// The missing parts of the address.
    pub lacks: &'a BTreeSet<Part>,
    /// The chosen service.
    pub service: Option<&'a Slug>,
    /// The tax book.
    pub tax: &'a TaxBook,
    /// The shipping book of the house.
    pub shipping: &'a ShippingBook,
    /// The sellers that ship their goods at prices of their own.
    pub sellers: Vec<SellerRates<'a>>,
    /// The promotions that may apply: automatic ones, and those whose codes were entered.
    pub promotions: Vec<Candidate<'a>>,
    /// The codes that no promotion has.
    pub unknown: Vec<CouponCode>,
    /// The customer, by every name that limits know them under.
    pub customers: Vec<Customer>,
    /// The customer's account.
    pub account: Option<AccountId>,
    /// The number of their orders that are not cancelled, by the name that has most.
    pub orders: i64,
    /// The usages that count this order; only needed when the order is placed.
    pub counters: Vec<UsageId>,
}

/// A seller that ships its goods at prices of its own.
#[derive(Debug, Clone, Copy)]
pub struct SellerRates<'a> {
    /// The seller.
    pub seller: SellerId,
    /// Its shipping book, which is not empty.
    pub book: &'a ShippingBook,
    /// The service that the buyer chose for its goods.
    pub service: Option<&'a Slug>,
}

/// The pieces of a variant, with what promotions, taxes and carriers need to know of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The variant.
    pub variant: VariantId,
    /// The product.
    pub product: ProductId,
    /// The seller; none if it is the house's.
    pub seller: Option<SellerId>,
    /// The product's category and all its ancestors; only needed while a promotion names categories.
    pub categories: Vec<CategoryId>,
    /// The price of one piece.
    pub unit_price: Price,
    /// The quantity.
    pub quantity: Quantity,
    /// The tax class.
    pub tax_class: TaxClass,
    /// The weight of one piece, if known; otherwise it counts as zero.
    pub weight_g: Option<u32>,
    /// Whether it is shipped.
    pub physical: bool,
    /// Whether it is a gift card, which has neither discounts nor tax: it is worth its price, and what it pays for is taxed.
    pub gift_card: bool,
}

/// A destination, as far as prices depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Whereto<'a> {
    /// The country.
    pub country: &'a Country,
    /// The area: the start of the postal code.
    pub area: Option<&'a PostalCode>,
}

/// A promotion that may apply.
#[derive(Debug, Clone)]
pub struct Candidate<'a> {
    /// The promotion.
    pub promotion: PromotionId,
    /// The version of the promotion that has these terms.
    pub version: i64,
    /// The status of the promotion.
    pub status: Status,
    /// The terms.
    pub terms: &'a Terms,
    /// The number of uses by all customers; only needed if it is limited.
    pub used: i64,
    /// The number of uses by this customer, by the name that has most; only needed if it is limited.
    pub used_by_customer: i64,
}

impl<'a> Input<'a> {
    /// The prices at which an item is shipped, if they are its seller's own.
    pub(super) fn rates_of(&self, item: &Item) -> Option<&SellerRates<'a>> {
        self.sellers.iter().find(|rates| Some(rates.seller) == item.seller)
    }
}

impl Item {
    /// Whether the goods of its seller are meant.
    pub(super) fn is_of(&self, terms: &Terms) -> bool {
        terms.seller.is_none_or(|seller| self.seller == Some(seller))
    }

    /// Whether a target of these terms includes it; none includes gift cards, nor what another one sells.
    pub fn is_in(&self, terms: &Terms, target: &Target) -> bool {
        match target {
            _ if self.gift_card || !self.is_of(terms) => false,
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
