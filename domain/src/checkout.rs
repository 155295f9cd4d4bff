//! Checkout: a cart becomes an order with its lines reserved, in one append over all streams involved.
//!
//! ```text
//! cart:    close        ┐
//! order:   place        ├ all or nothing
//! payment: open         │
//! stock:   reserve × n  │
//! usage:   claim × n    ┘
//! ```
//!
//! The order is [quoted](crate::pricing) again at this time, and the quote becomes part of it.
//!
//! Pure: states in, commands per stream out. Each aggregate still decides for itself, so two buyers of the last piece conflict
//! at the version of its stock stream, and one of them is refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::cart::{self, Cart, Offer, Problem};
use crate::commission::Commission;
use crate::commission_book::{CommissionBook, Sold};
use crate::decider::{Decider as _, Kind};
use crate::ids::{CartId, CategoryId, OrderId, PaymentId, SellerId, UsageId, VariantId};
use crate::money::{Money, MoneyError};
use crate::order::{self, Buyer};
use crate::pricing::{self, Quote};
use crate::quantity::{Demand, summed};
use crate::rejected::Rejected;
use crate::{payment, stock, usage};

/// The maximum number of line problems that a refusal names; all of them are shown in the cart.
const TOLD_MAX: usize = 3;

/// The ids of a checkout: the cart's, and new ones.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// The cart.
    pub cart: CartId,
    /// The order that the cart becomes.
    pub order: OrderId,
    /// The payment that is opened with it.
    pub payment: PaymentId,
}

/// The commands of a checkout.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkout {
    /// For the cart.
    pub cart: cart::Command,
    /// For the order.
    pub order: order::Command,
    /// For the payment.
    pub payment: payment::Command,
    /// For the stock of each variant, each variant once.
    pub stock: Vec<(VariantId, stock::Command)>,
    /// For the usages.
    pub usages: Vec<(UsageId, usage::Command)>,
}

/// The states that a checkout is decided on.
#[derive(Debug, Clone, Copy)]
pub struct Basis<'a> {
    /// The cart.
    pub cart: &'a Cart,
    /// The current offer of each variant in the cart; see [`Offer::of`].
    pub offers: &'a BTreeMap<VariantId, Offer>,
    /// The current quote.
    pub quote: &'a Quote,
    /// What sellers are charged.
    pub charges: Charges<'a>,
    /// The moment.
    pub at: DateTime<Utc>,
    /// When the order expires unless it is paid, which releases the reservations.
    pub pay_by: DateTime<Utc>,
    /// The total that the buyer expects, if the request names one.
    pub expected: Option<Money>,
    /// The total that the cart last showed to its owner, if that is known.
    pub seen: Option<Money>,
}

/// What decides about the commissions of an order.
#[derive(Debug, Clone, Copy)]
pub struct Charges<'a> {
    /// The commission book.
    pub book: &'a CommissionBook,
    /// The category of each variant and all above it, the deepest first; only needed if a rule names a category.
    pub categories: &'a BTreeMap<VariantId, Vec<CategoryId>>,
}

/// Why a command is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The cart does not exist, or is checked out.
    #[error("{0}")]
    Cart(cart::Rejection),
    /// The cart is empty.
    #[error("the cart is empty")]
    Empty,
    /// The cart has no destination.
    #[error("the cart has no shipping address")]
    NoDestination,
    /// Some lines cannot be bought as they are.
    #[error("{}", told(.0))]
    Problems(Vec<Problem>),
    /// The cart cannot be priced or shipped as it is.
    #[error("{}", .0.first().map(ToString::to_string).unwrap_or_default())]
    Pricing(Vec<pricing::Problem>),
    /// The total differs from the one that the buyer expects.
    #[error("the total is now {now}, and not the expected {expected}: check out with the new one if the buyer agrees")]
    OtherTotal {
        /// The expected total.
        expected: Money,
        /// The current total.
        now: Money,
    },
    /// The total differs from the one that the buyer was last shown.
    #[error("the total was {seen} when the cart was last shown and is {now} now: show the cart again, then check out")]
    TotalChanged {
        /// The total that was shown.
        seen: Money,
        /// The current total.
        now: Money,
    },
    /// The buyer has as many unpaid orders as one account may have.
    #[error("this account has {most} unpaid orders; pay or cancel one before checking out again")]
    TooManyUnpaid {
        /// The limit.
        most: u32,
    },
}

impl From<Rejection> for Rejected {
    fn from(rejection: Rejection) -> Self {
        Self::named(Cart::CATEGORY, &rejection)
    }
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Cart(rejection) => rejection.code(),
            Self::Empty => "empty",
            Self::NoDestination => "no_destination",
            Self::Problems(problems) => problems.first().map_or("problems", Problem::code),
            Self::Pricing(problems) => problems.first().map_or("problems", pricing::Problem::code),
            Self::OtherTotal { .. } | Self::TotalChanged { .. } => "total_changed",
            Self::TooManyUnpaid { .. } => "too_many_unpaid",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Cart(rejection) => rejection.kind(),
            Self::Empty | Self::NoDestination => Kind::Invalid,
            Self::Problems(_)
            | Self::Pricing(_)
            | Self::OtherTotal { .. }
            | Self::TotalChanged { .. }
            | Self::TooManyUnpaid { .. } => Kind::Conflict,
        }
    }

    fn pointer(&self) -> Option<String> {
        match self {
            Self::OtherTotal { .. } => Some("/expected_total".to_owned()),
            Self::TotalChanged { .. }
            | Self::Cart(_)
            | Self::Empty
            | Self::NoDestination
            | Self::Problems(_)
            | Self::Pricing(_)
            | Self::TooManyUnpaid { .. } => None,
        }
    }
}

/// The first problems of the lines, in words.
fn told(problems: &[Problem]) -> String {
    let some: Vec<String> = problems.iter().take(TOLD_MAX).map(ToString::to_string).collect();
    let more = if problems.len() > TOLD_MAX { "; and more" } else { "" };
    format!("{}{more}", some.join("; "))
}

/// Turns a cart into an order, at the prices that the buyer was shown, which must be the current ones.
pub fn checkout(basis: &Basis<'_>, ids: Ids) -> Result<Checkout, Rejection> {
    let Basis { quote, pay_by, .. } = *basis;
    let open = basis.cart.open(basis.at).map_err(Rejection::Cart)?;
    if open.lines.is_empty() {
        return Err(Rejection::Empty);
    }
    let mut destination = open.destination.clone().ok_or(Rejection::NoDestination)?;
    // Orders of an account are found by it, until its owner is erased.
    if open.owner.is_some() {
        (destination.email_hash, destination.mailbox_hash) = (None, None);
    }
    let problems = open.problems(basis.offers);
    if !problems.is_empty() {
        return Err(Rejection::Problems(problems));
    }
    if !quote.problems.is_empty() {
        return Err(Rejection::Pricing(quote.problems.clone()));
    }
    let now = quote.total;
    if let Some(expected) = basis.expected.filter(|expected| *expected != now) {
        return Err(Rejection::OtherTotal { expected, now });
    }
    if let Some(seen) = basis.seen.filter(|seen| basis.expected.is_none() && *seen != now) {
        return Err(Rejection::TotalChanged { seen, now });
    }
    let too_expensive = || Rejection::Cart(cart::Rejection::TooExpensive);
    let demands = summed(open.demands()).map_err(|_| too_expensive())?;
    let lines = open.lines.iter().zip(&quote.lines).map(|it| bought(it, basis)).collect::<Result<Vec<_>, _>>();
    let placement = order::Placement {
        buyer: Buyer { account: open.owner, reference: None },
        cart: Some(ids.cart),
        access_hash: open.token_hash.clone(),
        destination,
        lines: lines.map_err(|_| too_expensive())?,
        discounts: quote.discounts.clone(),
        shipping: quote.shipping.clone(),
        part_shipping: quote.part_shipping.clone(),
        claims: quote.claims.iter().map(|claim| claim.usage).collect(),
        total: quote.total,
        payment: ids.payment,
        pay_by: Some(pay_by),
        reference: None,
        imported: false,
        tax_rounding: quote.rounding,
    };
    let reserve = |Demand { variant, quantity }| {
        (variant, stock::Command::Reserve { order: ids.order, quantity, expires_at: Some(pay_by) })
    };
    let claim = |claim: &pricing::Claim| {
        let pricing::Claim { usage, promotion, limit } = *claim;
        (usage, usage::Command::Claim { order: ids.order, promotion, limit })
    };
    Ok(Checkout {
        cart: cart::Command::Close { order: ids.order },
        order: order::Command::Place(Box::new(placement)),
        payment: payment::Command::Open { order: ids.order, amount: quote.total },
        stock: demands.into_iter().map(reserve).collect(),
        usages: quote.claims.iter().map(claim).collect(),
    })
}

fn bought((line, quoted): (&cart::Line, &pricing::Line), basis: &Basis<'_>) -> Result<order::Line, MoneyError> {
    let offer = basis.offers.get(&line.variant);
    let seller = offer.and_then(|offer| offer.seller);
    let commission = seller.map(|seller| basis.commission(seller, line, quoted)).transpose()?;
    Ok(order::Line {
        variant: line.variant,
        product: line.product,
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        exact_price: None,
        amount: quoted.amount,
        discount: Some(quoted.discount).filter(|discount| discount.amount > 0),
        tax: quoted.tax,
        commission,
        digital: !quoted.physical,
        keys: offer.is_some_and(|offer| offer.keys),
        downloads: offer.is_some_and(|offer| offer.downloads),
        gift_cards: offer.is_some_and(|offer| offer.gift_cards),
        seller,
    })
}

impl Basis<'_> {
    /// What a seller is charged for a line, as of now.
    fn commission(
        &self,
        seller: SellerId,
        line: &cart::Line,
        quoted: &pricing::Line,
    ) -> Result<Commission, MoneyError> {
        let total = quoted.total()?;
        self.charges.book.on(&Sold {
            seller,
            product: line.product,
            categories: self.charges.categories.get(&line.variant).map(Vec::as_slice).unwrap_or_default(),
            unit_price: line.unit_price,
            quantity: line.quantity,
            net: quoted.tax.map_or(Ok(total), |tax| total.minus(tax.amount))?,
            at: self.at,
        })
    }
}

#[cfg(test)]
mod tests;
