//! Checkout: a cart becomes an order, every line of it reserved, in one append over all the streams it touches.
//!
//! ```text
//! cart:    close        ┐
//! order:   place        ├ all or nothing
//! payment: open         │
//! stock:   reserve × n  ┘
//! ```
//!
//! Pure: states in, commands per stream out. Each aggregate still decides for itself, so two buyers of the last piece
//! meet at the version of its stock stream and one of them is refused.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use crate::cart::{self, Cart, Offer, Problem};
use crate::decider::Kind;
use crate::ids::{CartId, OrderId, PaymentId, VariantId};
use crate::order::{self, Buyer};
use crate::quantity::{Demand, summed};
use crate::{payment, stock};

/// The ids that take part: the cart's, and new ones.
#[derive(Debug, Clone, Copy)]
pub struct Ids {
    /// The cart.
    pub cart: CartId,
    /// The order it becomes.
    pub order: OrderId,
    /// The payment opened with it.
    pub payment: PaymentId,
}

/// What is asked of each aggregate.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkout {
    /// Of the cart.
    pub cart: cart::Command,
    /// Of the order.
    pub order: order::Command,
    /// Of the payment.
    pub payment: payment::Command,
    /// Of the stock of each variant, each variant once.
    pub stock: Vec<(VariantId, stock::Command)>,
}

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// The cart is not there, or is checked out.
    #[error("{0}")]
    Cart(cart::Rejection),
    /// There is nothing in the cart.
    #[error("the cart is empty")]
    Empty,
    /// Nobody said where the goods go.
    #[error("the cart has no destination")]
    NoDestination,
    /// Lines cannot be bought as they are.
    #[error("{} of the cart's lines cannot be bought as they are", .0.len())]
    Problems(Vec<Problem>),
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Cart(rejection) => rejection.code(),
            Self::Empty => "empty",
            Self::NoDestination => "no_destination",
            Self::Problems(problems) => problems.first().map_or("problems", Problem::code),
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Cart(rejection) => rejection.kind(),
            Self::Empty | Self::NoDestination => Kind::Invalid,
            Self::Problems(_) => Kind::Conflict,
        }
    }
}

/// Turns a cart into an order, at the prices its buyer was shown, which must be today's. `pay_by` ends the reservations.
///
/// `offers` holds what is offered now of each variant in the cart; see [`Offer::of`].
pub fn checkout(
    cart: &Cart,
    offers: &BTreeMap<VariantId, Offer>,
    ids: Ids,
    pay_by: DateTime<Utc>,
) -> Result<Checkout, Rejection> {
    let open = cart.open().map_err(Rejection::Cart)?;
    if open.lines.is_empty() {
        return Err(Rejection::Empty);
    }
    let destination = open.destination.clone().ok_or(Rejection::NoDestination)?;
    let problems = open.problems(offers);
    if !problems.is_empty() {
        return Err(Rejection::Problems(problems));
    }
    let too_expensive = |_| Rejection::Cart(cart::Rejection::TooExpensive);
    let total = open.total().map_err(too_expensive)?;
    let lines = open.lines.iter().map(bought).collect::<Result<Vec<_>, _>>().map_err(too_expensive)?;
    let demands = summed(open.demands()).map_err(|_| Rejection::Cart(cart::Rejection::TooExpensive))?;
    let placement = order::Placement {
        buyer: Buyer { account: open.owner, reference: None },
        cart: Some(ids.cart),
        access_hash: open.token_hash.clone(),
        destination,
        lines,
        total,
        payment: ids.payment,
        pay_by: Some(pay_by),
        reference: None,
        imported: false,
    };
    let reserve = |Demand { variant, quantity }| {
        (variant, stock::Command::Reserve { order: ids.order, quantity, expires_at: Some(pay_by) })
    };
    Ok(Checkout {
        cart: cart::Command::Close { order: ids.order },
        order: order::Command::Place(Box::new(placement)),
        payment: payment::Command::Open { order: ids.order, amount: total },
        stock: demands.into_iter().map(reserve).collect(),
    })
}

fn bought(line: &cart::Line) -> Result<order::Line, crate::money::MoneyError> {
    Ok(order::Line {
        variant: line.variant,
        product: line.product,
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit_price: line.unit_price,
        exact_price: None,
        digital: false,
        amount: line.unit_price.times(line.quantity)?,
    })
}

#[cfg(test)]
mod tests;
