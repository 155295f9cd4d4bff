//! A cart: the goods that a buyer intends to buy, at the prices that they were shown, until checkout.
//!
//! ```text
//! (missing) ──created──▶ open ──checked out──▶ checked out (final)
//!                        │  ▲ ├──merged into──▶ merged (final)
//!                        │  │ └──discarded──▶ discarded (final)
//!                        └──┘ line set, line removed, emptied, destination set, coupons set, shipping chosen, merged
//! ```
//!
//! A cart reserves nothing: [`Created::problems`] compares it with the present offers, and checkout refuses while there are any.
//! A cart that is not changed for [`LIFETIME_DAYS`] expires. That needs no timer: the state has the time at which it expires, every
//! change in the second half of its lifetime extends it, and after that the cart can neither be changed nor bought. A cart can be
//! discarded before that time: then the data that a guest entered in it is erased.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use serde::Serialize;

use crate::Currency;
use crate::decider::{Asked, Decider};
use crate::ids::{AccountId, CartId, OrderId, SellerId, VariantId};
use crate::money::{Money, MoneyError};
use crate::promotion::CouponCode;
use crate::quantity::{Demand, QUANTITY_MAX, Quantity};
use crate::text::{Hash, Slug};

mod commands;
mod events;
mod problem;
mod rejections;

pub use commands::Command;
pub use events::{Destination, Event, LIFETIME_DAYS, Line};
pub use problem::{Offer, Problem};
pub use rejections::{CHANGES_MAX, CODES_MAX, LINES_MAX, Rejection};

/// The state of a cart.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cart {
    /// It does not exist.
    #[default]
    Missing,
    /// It exists.
    Created(Box<Created>),
}

/// The state of a cart that exists.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// The account of its owner; absent for a guest.
    pub owner: Option<AccountId>,
    /// The hash of the cart token; a reader of the state has no use for it.
    #[serde(skip)]
    pub token_hash: Option<Hash>,
    /// The currency of all its prices.
    pub currency: Currency,
    /// The lines, in the order in which they were added.
    pub lines: Vec<Line>,
    /// The destination of the goods.
    pub destination: Option<Destination>,
    /// The coupon codes that are entered.
    pub coupons: Vec<CouponCode>,
    /// The chosen shipping service of the house.
    pub service: Option<Slug>,
    /// The chosen services of sellers that ship at prices of their own.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub seller_services: BTreeMap<SellerId, Slug>,
    /// The carts that were merged into it.
    pub merged: Vec<CartId>,
    /// Whether it is open, or what closed it.
    #[serde(flatten)]
    pub stage: Stage,
    /// When it expires unless it is changed. Carts once had no such time.
    pub expires_at: Option<DateTime<Utc>>,
    /// For how many days a change extends it.
    pub days: u16,
    /// The number of its events.
    #[serde(skip)]
    pub changes: u32,
}

/// Whether a cart is open, or what closed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "Fields")]
pub enum Stage {
    /// Nothing closed it. It may have expired: see [`Created::why_closed`].
    Open,
    /// It became an order.
    CheckedOut {
        /// The order.
        order: OrderId,
    },
    /// It was merged into another cart.
    Merged {
        /// The other cart.
        cart: CartId,
        /// Whether it was discarded after that.
        discarded: bool,
    },
    /// It was discarded.
    Discarded,
}

/// A stage in the JSON of a state: a field for each fact.
#[derive(Serialize)]
struct Fields {
    merged_into: Option<CartId>,
    order: Option<OrderId>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    discarded: bool,
}

impl From<Stage> for Fields {
    fn from(stage: Stage) -> Self {
        let discarded = match stage {
            Stage::Open | Stage::CheckedOut { .. } => false,
            Stage::Merged { discarded, .. } => discarded,
            Stage::Discarded => true,
        };
        Self { merged_into: stage.merged_into(), order: stage.order(), discarded }
    }
}

impl Stage {
    /// The order that the cart became.
    pub fn order(self) -> Option<OrderId> {
        match self {
            Self::CheckedOut { order } => Some(order),
            Self::Open | Self::Merged { .. } | Self::Discarded => None,
        }
    }

    /// The cart that it was merged into.
    pub fn merged_into(self) -> Option<CartId> {
        match self {
            Self::Merged { cart, .. } => Some(cart),
            Self::Open | Self::CheckedOut { .. } | Self::Discarded => None,
        }
    }

    /// Whether the cart was closed without an order. What a guest entered in it is then erased.
    pub fn is_abandoned(self) -> bool {
        match self {
            Self::Merged { .. } | Self::Discarded => true,
            Self::Open | Self::CheckedOut { .. } => false,
        }
    }

    /// The stage after the cart was discarded. One that became an order is never discarded.
    fn discarded(self) -> Self {
        match self {
            Self::Open | Self::Discarded => Self::Discarded,
            Self::Merged { cart, .. } => Self::Merged { cart, discarded: true },
            Self::CheckedOut { .. } => self,
        }
    }
}

type Decision = Result<Vec<Event>, Rejection>;

impl Decider for Cart {
    const CATEGORY: &'static str = "cart";
    type Id = CartId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, asked: &Asked) -> Decision {
        let mut change = match command {
            Command::Create { owner, token_hash, currency, days } => {
                return self.create(*owner, token_hash.as_ref(), *currency, *days, asked.at);
            }
            Command::Close { order } => return self.close(*order),
            Command::MergeInto { cart } => return self.merge_into(*cart, asked.at),
            Command::Discard {} => return self.discard(asked.at),
            Command::SetLine(line) => self.open(asked.at)?.set_line(line)?,
            Command::RemoveLine { variant } => {
                let there = self.open(asked.at)?.line(*variant).is_some();
                if there { vec![Event::LineRemoved { variant: *variant }] } else { vec![] }
            }
            Command::Empty {} => {
                let empty = self.open(asked.at)?.lines.is_empty();
                if empty { vec![] } else { vec![Event::Emptied {}] }
            }
            Command::SetDestination { destination } => {
                let same = self.open(asked.at)?.destination.as_ref() == Some(destination);
                if !destination.country.is_code() {
                    return Err(Rejection::CountryUnknown { country: destination.country.clone() });
                }
                if same { vec![] } else { vec![Event::DestinationSet { destination: destination.clone() }] }
            }
            Command::SetCoupons { codes } => self.open(asked.at)?.set_coupons(codes)?,
            Command::ChooseShipping { service, seller } => {
                let same = self.open(asked.at)?.service_of(*seller) == Some(service);
                if same { vec![] } else { vec![Event::ShippingChosen { service: service.clone(), seller: *seller }] }
            }
            Command::Merge { from, lines, codes } => self.open(asked.at)?.merge(*from, lines, codes)?,
        };
        if !change.is_empty() {
            let open = self.open(asked.at)?;
            if open.changes >= CHANGES_MAX {
                return Err(Rejection::TooManyChanges);
            }
            change.extend(open.extension(asked.at));
        }
        Ok(change)
    }

    fn evolve(self, event: &Event) -> Self {
        self.changed(event).with(|it| it.changes += 1)
    }
}

impl Cart {
    fn changed(self, event: &Event) -> Self {
        match event {
            Event::Created { owner, token_hash, currency, expires_at, days } => Self::Created(Box::new(Created {
                owner: *owner,
                token_hash: token_hash.clone(),
                currency: *currency,
                lines: vec![],
                destination: None,
                coupons: vec![],
                service: None,
                seller_services: BTreeMap::new(),
                merged: vec![],
                stage: Stage::Open,
                expires_at: *expires_at,
                days: *days,
                changes: 0,
            })),
            Event::Extended { expires_at } => self.with(|it| it.expires_at = Some(*expires_at)),
            Event::LineSet(line) => {
                self.with(|it| match it.lines.iter_mut().find(|known| known.variant == line.variant) {
                    Some(known) => known.clone_from(line),
                    None => it.lines.push(line.clone()),
                })
            }
            Event::LineRemoved { variant } => self.with(|it| it.lines.retain(|line| line.variant != *variant)),
            Event::Emptied {} => self.with(|it| it.lines.clear()),
            Event::DestinationSet { destination } => self.with(|it| it.destination = Some(destination.clone())),
            Event::CouponsSet { codes } => self.with(|it| it.coupons.clone_from(codes)),
            Event::ShippingChosen { service, seller } => self.with(|it| match seller {
                Some(seller) => drop(it.seller_services.insert(*seller, service.clone())),
                None => it.service = Some(service.clone()),
            }),
            Event::Merged { from } => self.with(|it| it.merged.push(*from)),
            Event::MergedInto { cart } => self.with(|it| it.stage = Stage::Merged { cart: *cart, discarded: false }),
            Event::CheckedOut { order } => self.with(|it| it.stage = Stage::CheckedOut { order: *order }),
            Event::Discarded { at } => self.with(|it| (it.stage, it.expires_at) = (it.stage.discarded(), Some(*at))),
        }
    }

    /// The state, if the cart exists.
    pub fn live(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    /// The state, if the cart exists and can still be changed.
    pub fn open(&self, at: DateTime<Utc>) -> Result<&Created, Rejection> {
        let created = self.live()?;
        match created.why_closed(at) {
            Some(rejection) => Err(rejection),
            None => Ok(created),
        }
    }

    fn create(
        &self,
        owner: Option<AccountId>,
        token_hash: Option<&Hash>,
        currency: Currency,
        days: u16,
        at: DateTime<Utc>,
    ) -> Decision {
        match self {
            Self::Missing => Ok(vec![Event::Created {
                owner,
                token_hash: token_hash.cloned(),
                currency,
                expires_at: Some(after(at, days)),
                days,
            }]),
            Self::Created(_) => Err(Rejection::Exists),
        }
    }

    fn close(&self, order: OrderId) -> Decision {
        match self.live()?.stage {
            // Checkout has seen that it has not expired.
            Stage::Open => Ok(vec![Event::CheckedOut { order }]),
            Stage::CheckedOut { order: known } if known == order => Ok(vec![]),
            Stage::CheckedOut { order } => Err(Rejection::CheckedOut { order }),
            Stage::Merged { cart, .. } => Err(Rejection::Merged { cart }),
            // The address of its buyer is erased.
            Stage::Discarded => Err(Rejection::Expired),
        }
    }

    fn merge_into(&self, cart: CartId, at: DateTime<Utc>) -> Decision {
        if self.live()?.stage.merged_into() == Some(cart) {
            return Ok(vec![]);
        }
        self.open(at)?;
        Ok(vec![Event::MergedInto { cart }])
    }

    /// A cart that has expired or was merged still has the data that a guest entered in it, so it can be discarded as well.
    fn discard(&self, at: DateTime<Utc>) -> Decision {
        match self.live()?.stage {
            Stage::Open | Stage::Merged { discarded: false, .. } => Ok(vec![Event::Discarded { at }]),
            Stage::Merged { discarded: true, .. } | Stage::Discarded => Ok(vec![]),
            Stage::CheckedOut { order } => Err(Rejection::CheckedOut { order }),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Created)) -> Self {
        if let Self::Created(created) = &mut self {
            change(created);
        }
        self
    }
}

/// When a cart that is changed now expires, in whole seconds, which are shorter to read in the log.
fn after(at: DateTime<Utc>, days: u16) -> DateTime<Utc> {
    at.trunc_subsecs(0) + TimeDelta::days(i64::from(days))
}

impl Created {
    /// The chosen shipping service: of a seller with prices of its own, or else of the house.
    pub fn service_of(&self, seller: Option<SellerId>) -> Option<&Slug> {
        match seller {
            Some(seller) => self.seller_services.get(&seller),
            None => self.service.as_ref(),
        }
    }

    /// The line of a variant.
    pub fn line(&self, variant: VariantId) -> Option<&Line> {
        self.lines.iter().find(|line| line.variant == variant)
    }

    /// The sum of the lines, at the prices in the cart.
    pub fn total(&self) -> Result<Money, MoneyError> {
        total(self.currency, &self.lines)
    }

    /// The quantities that its lines need from stock.
    pub fn demands(&self) -> impl Iterator<Item = Demand> + '_ {
        self.lines.iter().map(|line| Demand { variant: line.variant, quantity: line.quantity })
    }

    /// Why its lines cannot be bought as they are: each is compared with its present offer. A variant without an offer is not for sale.
    pub fn problems(&self, offers: &BTreeMap<VariantId, Offer>) -> Vec<Problem> {
        self.lines.iter().flat_map(|line| Problem::of(line, offers.get(&line.variant))).collect()
    }

    /// Why it can no longer be changed; `None` while it is open. A discarded cart is closed at any time, also for a clock that is
    /// behind.
    pub fn why_closed(&self, at: DateTime<Utc>) -> Option<Rejection> {
        match self.stage {
            Stage::Open => self.expires_at.is_some_and(|end| at >= end).then_some(Rejection::Expired),
            Stage::CheckedOut { order } => Some(Rejection::CheckedOut { order }),
            Stage::Merged { cart, .. } => Some(Rejection::Merged { cart }),
            Stage::Discarded => Some(Rejection::Expired),
        }
    }

    /// The extension of its lifetime once half of it has passed: not with every change, as each extension is one more event.
    fn extension(&self, at: DateTime<Utc>) -> Option<Event> {
        let enough = self.expires_at.is_some_and(|end| end - at > TimeDelta::days(i64::from(self.days)) / 2);
        (!enough).then(|| Event::Extended { expires_at: after(at, self.days) })
    }

    fn set_line(&self, line: &Line) -> Decision {
        if line.unit_price.currency() != self.currency {
            return Err(Rejection::OtherCurrency { currency: self.currency });
        }
        let known = self.line(line.variant);
        if known == Some(line) {
            return Ok(vec![]);
        }
        if known.is_none() && self.lines.len() == LINES_MAX {
            return Err(Rejection::TooManyLines);
        }
        let others = self.lines.iter().filter(|known| known.variant != line.variant);
        total(self.currency, others.chain([line])).map_err(|_| Rejection::TooExpensive)?;
        Ok(vec![Event::LineSet(line.clone())])
    }

    fn set_coupons(&self, codes: &[CouponCode]) -> Decision {
        let mut seen = BTreeSet::new();
        let mut once: Vec<CouponCode> = Vec::new();
        for code in codes.iter().filter(|code| seen.insert(*code)) {
            if once.len() == CODES_MAX {
                return Err(Rejection::TooManyCodes);
            }
            once.push(code.clone());
        }
        Ok(if once == self.coupons { vec![] } else { vec![Event::CouponsSet { codes: once }] })
    }

    /// Merges another cart into it: the quantities of a variant in both are summed, up to the maximum of a line.
    fn merge(&self, from: CartId, lines: &[Line], codes: &[CouponCode]) -> Decision {
        if self.merged.contains(&from) {
            return Ok(vec![]);
        }
        let known: BTreeMap<VariantId, &Line> = self.lines.iter().map(|line| (line.variant, line)).collect();
        let sum = |line: &Line| {
            let known = known.get(&line.variant).map_or(0, |known| known.quantity.get());
            let both = (known + line.quantity.get()).min(QUANTITY_MAX);
            Line { quantity: Quantity::new(both).unwrap_or(line.quantity), ..line.clone() }
        };
        let sums: Vec<Line> = lines.iter().map(sum).collect();
        if sums.iter().any(|line| line.unit_price.currency() != self.currency) {
            return Err(Rejection::OtherCurrency { currency: self.currency });
        }
        let taken: BTreeSet<VariantId> = sums.iter().map(|line| line.variant).collect();
        let kept = self.lines.iter().filter(|known| !taken.contains(&known.variant));
        let all: Vec<&Line> = kept.chain(&sums).collect();
        if all.len() > LINES_MAX {
            return Err(Rejection::TooManyLines);
        }
        total(self.currency, all).map_err(|_| Rejection::TooExpensive)?;
        let codes = if self.coupons.is_empty() { self.set_coupons(codes)? } else { vec![] };
        Ok([Event::Merged { from }].into_iter().chain(sums.into_iter().map(Event::LineSet)).chain(codes).collect())
    }
}

fn total<'a>(currency: Currency, lines: impl IntoIterator<Item = &'a Line>) -> Result<Money, MoneyError> {
    lines.into_iter().try_fold(Money::zero(currency), |sum, line| sum.plus(line.unit_price.times(line.quantity)?))
}

#[cfg(test)]
mod tests;
