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
use crate::ids::{AccountId, CategoryId, ProductId, VariantId};
use crate::money::Price;
use crate::quantity::Quantity;
use crate::text::{Country, Label, Slug};

/// What a promotion gives, of what, for whom and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What people see in their cart and on their invoice.
    pub label: Label,
    /// What is entered to get it; without, it is given by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<CouponCode>,
    /// What it gives.
    pub benefit: Benefit,
    /// Of what.
    #[serde(default, skip_serializing_if = "Target::is_order")]
    pub target: Target,
    /// What must be so; all of it.
    #[serde(default, skip_serializing_if = "Conditions::is_none")]
    pub conditions: Conditions,
    /// How often it can be used.
    #[serde(default, skip_serializing_if = "Limits::is_none")]
    pub limits: Limits,
    /// The higher, the earlier it is taken off. At the same priority coupons come first, then the older promotion.
    #[serde(default)]
    pub priority: i16,
    /// Whether it is given alone: nothing before it, and nothing after it.
    #[serde(default)]
    pub exclusive: bool,
    /// Whether its code can be entered beside other codes of which this is said, too.
    #[serde(default)]
    pub combinable: bool,
    /// When it begins; without, at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime<Utc>>,
    /// When it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime<Utc>>,
}

/// What a promotion gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    deny_unknown_fields,
    expecting = "an object with a `kind`, such as `percent`"
)]
pub enum Benefit {
    /// A share of what each line of the target costs.
    Percent {
        /// The share, in hundredths of a percent.
        percent_bps: BasisPoints,
    },
    /// An amount off the target's lines together, but never more than they cost; shared among them by what they cost.
    Fixed {
        /// The amount, once per currency; in other currencies it gives nothing.
        amounts: Bounded<Vec<Price>, LIST_MAX>,
    },
    /// What sending costs.
    FreeShipping {
        /// By which services; none for any.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        services: Bounded<BTreeSet<Slug>, LIST_MAX>,
    },
    /// For so many pieces of the target, so many others for less. Among pieces that could be either, the cheapest are the
    /// ones for less.
    BuyGet {
        /// How many are bought at their price.
        buy: Quantity,
        /// How many are for less.
        get: Quantity,
        /// What is for less; the target itself when nothing is named. What is for less does not count as bought.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<Target>,
        /// How much less, in hundredths of a percent: 10,000 is free.
        percent_bps: BasisPoints,
        /// How many times in one order; without, as often as it fits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        times: Option<Quantity>,
    },
    /// A share of the target that grows with what it costs.
    BySubtotal {
        /// The tiers; of those that are reached, the highest counts.
        tiers: Bounded<Vec<SubtotalTier>, LIST_MAX>,
    },
    /// A share of the target that grows with how many pieces it is.
    ByQuantity {
        /// The tiers; of those that are reached, the highest counts.
        tiers: Bounded<Vec<QuantityTier>, LIST_MAX>,
    },
}

/// From an amount on, a share; in other currencies nothing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubtotalTier {
    /// The least that the target costs.
    pub from: Price,
    /// The share, in hundredths of a percent.
    pub percent_bps: BasisPoints,
}

/// From a number of pieces on, a share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantityTier {
    /// The fewest pieces of the target.
    pub from: Quantity,
    /// The share, in hundredths of a percent.
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
pub enum Target {
    /// All of them.
    Order {},
    /// Those of products.
    Products {
        /// The products.
        products: Bounded<BTreeSet<ProductId>, LIST_MAX>,
    },
    /// Those of products in categories and in what is under them.
    Categories {
        /// The categories.
        categories: Bounded<BTreeSet<CategoryId>, LIST_MAX>,
    },
    /// Those of variants.
    Variants {
        /// The variants.
        variants: Bounded<BTreeSet<VariantId>, LIST_MAX>,
    },
}

/// What must be so.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Conditions {
    /// What the goods cost at least before discounts, once per currency; in other currencies the condition is not met.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub minimum_subtotal: Bounded<Vec<Price>, LIST_MAX>,
    /// How many pieces of the target there are at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_quantity: Option<Quantity>,
    /// One of these is in the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contains: Option<Target>,
    /// It is the customer's first order. Guests are known by their e-mail address, and only as far as they used this
    /// promotion before.
    #[serde(skip_serializing_if = "is_false")]
    pub first_order: bool,
    /// It is one of these customers; none for anybody.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub customers: Bounded<BTreeSet<AccountId>, LIST_MAX>,
    /// It goes to one of these countries; none for anywhere.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: Bounded<BTreeSet<Country>, LIST_MAX>,
    /// It is in one of these currencies; none for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub currencies: Bounded<Vec<Currency>, LIST_MAX>,
}

/// How often it can be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// By all together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u32>,
    /// By one customer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_customer: Option<u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(it: &bool) -> bool {
    !it
}

impl Terms {
    /// Whether it makes sense.
    pub fn check(&self) -> Result<(), Rejection> {
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
