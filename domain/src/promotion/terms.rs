//! The terms of a promotion: its benefit, what it is taken off of, its conditions, limits and period.

use std::collections::{BTreeSet, HashSet};
use std::hash::Hash;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::CouponCode;
use super::rejections::{LIST_MAX, Rejection};
use crate::Currency;
use crate::basis_points::BasisPoints;
use crate::bounded::Bounded;
use crate::ids::{AccountId, CategoryId, ProductId, SellerId, VariantId};
use crate::money::Price;
use crate::quantity::Quantity;
use crate::text::{Country, Label, Slug};

/// The terms of a promotion, as they were set: what was left out is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(example = json!({"label": "Spring sale", "code": "SPRING-26", "benefit": {"kind": "percent", "percent_bps": 1000}}))
)]
pub struct Terms {
    /// The name shown in the cart and on the invoice.
    pub label: Label,
    /// The coupon code, case-insensitive; without one the promotion is automatic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub code: Option<CouponCode>,
    /// The seller whose goods it is for, and who bears it; the goods of all if absent. It needs a code, and cannot be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub seller: Option<SellerId>,
    /// What it gives.
    pub benefit: Benefit,
    /// What it applies to; everything by default.
    #[serde(default, skip_serializing_if = "Target::is_order")]
    pub target: Target,
    /// What must hold.
    #[serde(default, skip_serializing_if = "Conditions::is_none")]
    pub conditions: Conditions,
    /// How often it can be used.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// Promotions with a higher priority are applied first; default 0. At the same priority coupons come first, then the older promotion.
    #[serde(default)]
    pub priority: i16,
    /// Whether it excludes other promotions.
    #[serde(default)]
    pub exclusive: bool,
    /// Whether its code can be combined with other combinable codes.
    #[serde(default)]
    pub combinable: bool,
    /// When it begins; at once if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub from: Option<DateTime<Utc>>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub until: Option<DateTime<Utc>>,
}

/// The benefit of a promotion.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "an object with a `kind`, such as `percent`"
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Benefit {
    /// A percentage off each target line.
    Percent {
        /// The percentage, in basis points (hundredths of a percent).
        percent_bps: BasisPoints,
    },
    /// A fixed amount off the target lines together, but never more than they cost.
    Fixed {
        /// The amount, once per currency; in other currencies there is no discount.
        amounts: Bounded<Vec<Price>, { LIST_MAX }>,
    },
    /// Free shipping by these services; by any of them if absent.
    FreeShipping {
        /// The services.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        services: Bounded<BTreeSet<Slug>, { LIST_MAX }>,
    },
    /// Buy `buy` pieces of the target, get `get` pieces (of it, or of `of`) at a discount. Among pieces that could be either, the
    /// cheapest are the discounted ones.
    BuyGet {
        /// How many are bought at their price.
        buy: Quantity,
        /// How many are discounted.
        get: Quantity,
        /// What is discounted; the target itself if absent. Discounted pieces do not count as bought.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        of: Option<Target>,
        /// The discount in basis points (hundredths of a percent): 10,000 is free.
        percent_bps: BasisPoints,
        /// The maximum number of times per order; unlimited if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "openapi", schema(nullable = false))]
        times: Option<Quantity>,
    },
    /// A percentage off the target that grows with its amount.
    BySubtotal {
        /// The tiers; of those that are reached, the highest counts.
        tiers: Bounded<Vec<SubtotalTier>, { LIST_MAX }>,
    },
    /// A percentage off the target that grows with the quantity.
    ByQuantity {
        /// The tiers; of those that are reached, the highest counts.
        tiers: Bounded<Vec<QuantityTier>, { LIST_MAX }>,
    },
}

/// The percentage from a minimum amount on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SubtotalTier {
    /// The minimum amount of the target.
    pub from: Price,
    /// The percentage, in basis points (hundredths of a percent).
    pub percent_bps: BasisPoints,
}

/// The percentage from a minimum quantity on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct QuantityTier {
    /// The minimum quantity of the target.
    pub from: Quantity,
    /// The percentage, in basis points (hundredths of a percent).
    pub percent_bps: BasisPoints,
}

/// Lines of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "an object with a `kind`, such as `order`"
)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Target {
    /// Every line of the order.
    Order {},
    /// These products.
    Products {
        /// The products.
        #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
        products: Bounded<BTreeSet<ProductId>, { LIST_MAX }>,
    },
    /// Products in these categories or their descendants.
    Categories {
        /// The categories.
        #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
        categories: Bounded<BTreeSet<CategoryId>, { LIST_MAX }>,
    },
    /// These variants.
    Variants {
        /// The variants.
        #[cfg_attr(feature = "openapi", schema(default = json!({"x-schema": {"minItems": 1}})))]
        variants: Bounded<BTreeSet<VariantId>, { LIST_MAX }>,
    },
}

/// Conditions, all of which must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Conditions {
    /// The minimum subtotal before discounts, once per currency; in other currencies the condition is not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub minimum_subtotal: Bounded<Vec<Price>, { LIST_MAX }>,
    /// The minimum number of pieces of the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub minimum_quantity: Option<Quantity>,
    /// The order contains one of these.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub contains: Option<Target>,
    /// It is the customer's first order. Guests are known by their e-mail address, and only as far as they used this
    /// promotion before.
    #[serde(skip_serializing_if = "is_false")]
    pub first_order: bool,
    /// The customer is one of these accounts.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: Bounded<BTreeSet<AccountId>, { LIST_MAX }>,
    /// The destination is one of these countries (ISO 3166 codes).
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: Bounded<BTreeSet<Country>, { LIST_MAX }>,
    /// The currency is one of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub currencies: Bounded<Vec<Currency>, { LIST_MAX }>,
}

/// Limits on its use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Limits {
    /// The maximum number of uses.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, nullable = false))]
    pub total: Option<u32>,
    /// The maximum number of uses by one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(minimum = 1, nullable = false))]
    pub per_customer: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Terms {
    /// Whether it makes sense.
    pub fn check(&self) -> Result<(), Rejection> {
        self.check_seller()?;
        self.benefit.check()?;
        self.target.check()?;
        let conditions = &self.conditions;
        conditions.contains.as_ref().map_or(Ok(()), Target::check)?;
        once(&conditions.minimum_subtotal)?;
        if conditions.customers.len().max(conditions.countries.len()).max(conditions.currencies.len()) > LIST_MAX {
            return Err(Rejection::List);
        }
        if !conditions.countries.iter().all(Country::is_code) {
            return Err(Rejection::Country);
        }
        if [self.limits.total, self.limits.per_customer].contains(&Some(0)) {
            return Err(Rejection::Limit);
        }
        match (self.from, self.until) {
            (Some(from), Some(until)) if until <= from => Err(Rejection::Period),
            _ => Ok(()),
        }
    }

    /// Automatic promotions are read at every checkout, so there are few, and they are the house's; what a seller ships for is a
    /// matter of its shipping prices.
    fn check_seller(&self) -> Result<(), Rejection> {
        if self.seller.is_none() {
            return Ok(());
        }
        if self.code.is_none() {
            return Err(Rejection::CodeNeeded);
        }
        match self.benefit {
            Benefit::FreeShipping { .. } => Err(Rejection::ShippingOfSeller),
            Benefit::Percent { .. }
            | Benefit::Fixed { .. }
            | Benefit::BuyGet { .. }
            | Benefit::BySubtotal { .. }
            | Benefit::ByQuantity { .. } => Ok(()),
        }
    }

    /// Whether its end is yet to come.
    pub(super) fn check_until(&self, now: DateTime<Utc>) -> Result<(), Rejection> {
        if self.until.is_some_and(|until| until <= now) { Err(Rejection::Past) } else { Ok(()) }
    }

    /// How often one customer can use it: who has ordered with it has ordered before.
    pub fn per_customer(&self) -> Option<u32> {
        if self.conditions.first_order { Some(1) } else { self.limits.per_customer }
    }

    /// Whether it looks at how much or what else is bought.
    pub fn is_of_whole(&self) -> bool {
        let conditions = &self.conditions;
        let many = !conditions.minimum_subtotal.is_empty() || conditions.minimum_quantity.is_some();
        many || conditions.contains.is_some()
            || match self.benefit {
                Benefit::BuyGet { .. } | Benefit::BySubtotal { .. } | Benefit::ByQuantity { .. } => true,
                Benefit::Percent { .. } | Benefit::Fixed { .. } | Benefit::FreeShipping { .. } => false,
            }
    }

    /// Every target that it names.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        let reward = match &self.benefit {
            Benefit::BuyGet { of, .. } => of.as_ref(),
            Benefit::Percent { .. }
            | Benefit::Fixed { .. }
            | Benefit::FreeShipping { .. }
            | Benefit::BySubtotal { .. }
            | Benefit::ByQuantity { .. } => None,
        };
        std::iter::once(&self.target).chain(reward).chain(&self.conditions.contains)
    }
}

impl Benefit {
    fn check(&self) -> Result<(), Rejection> {
        let gives = match self {
            Self::Percent { percent_bps } | Self::BuyGet { percent_bps, of: None, .. } => percent_bps.get() > 0,
            Self::BuyGet { percent_bps, of: Some(of), .. } => {
                of.check()?;
                percent_bps.get() > 0
            }
            Self::Fixed { amounts } => {
                once(amounts)?;
                amounts.iter().any(|amount| amount.money().amount > 0)
            }
            Self::FreeShipping { services } => services.len() <= LIST_MAX,
            Self::BySubtotal { tiers } => {
                distinct(tiers.iter().map(|tier| tier.from.money()))?;
                tiers.iter().any(|tier| tier.percent_bps.get() > 0)
            }
            Self::ByQuantity { tiers } => {
                distinct(tiers.iter().map(|tier| tier.from))?;
                tiers.iter().any(|tier| tier.percent_bps.get() > 0)
            }
        };
        if gives { Ok(()) } else { Err(Rejection::GivesNothing) }
    }
}

impl Default for Target {
    fn default() -> Self {
        Self::Order {}
    }
}

impl Target {
    fn is_order(&self) -> bool {
        *self == Self::default()
    }

    fn check(&self) -> Result<(), Rejection> {
        let named = match self {
            Self::Order {} => 1,
            Self::Products { products } => products.len(),
            Self::Categories { categories } => categories.len(),
            Self::Variants { variants } => variants.len(),
        };
        if (1..=LIST_MAX).contains(&named) { Ok(()) } else { Err(Rejection::List) }
    }
}

impl Conditions {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Limits {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

fn once(prices: &[Price]) -> Result<(), Rejection> {
    distinct(prices.iter().map(|price| price.currency()))
}

fn distinct<T: Eq + Hash>(all: impl ExactSizeIterator<Item = T>) -> Result<(), Rejection> {
    if all.len() > LIST_MAX {
        return Err(Rejection::List);
    }
    let mut seen = HashSet::new();
    for one in all {
        if !seen.insert(one) {
            return Err(Rejection::Twice);
        }
    }
    Ok(())
}
