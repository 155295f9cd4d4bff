//! A cart: what somebody means to buy, at the prices they were shown, until it is checked out.
//!
//! ```text
//! (missing) ──created──▶ open ──checked out──▶ checked out (final)
//!                        │  ▲
//!                        └──┘ line set, line removed, emptied, destination set
//! ```
//!
//! A cart promises nothing: [`Created::problems`] compares it with what is offered now, and checkout refuses while there are any.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::decider::{Asked, Decider, Kind};
use crate::ids::{AccountId, CartId, OrderId, ProductId, VariantId};
use crate::money::{Money, MoneyError, Price};
use crate::quantity::{Demand, Quantity};
use crate::text::{Country, Hash, Name, PostalCode, Sku, Title};
use crate::{Currency, Locale, Personal};

mod problem;

pub use problem::{Offer, Problem};

/// Most lines of a cart: it is checked out in one append that reserves each of them.
pub const LINES_MAX: usize = 100;

/// Where the goods go: the country in the clear, as rates and taxes depend on it, everything about a person sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The beginning of the postal code, which rates for islands and provinces depend on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<PostalCode>,
    /// Who gets them, and where exactly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Personal<Address>>,
    /// The language that they are written to in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    /// The postal code, in the clear as carts once kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    /// The town, in the clear as carts once kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
}

/// Characters of a postal code that say the area and not the house.
const AREA: usize = 3;

impl Destination {
    /// A country, and nothing else.
    pub fn to(country: Country) -> Self {
        Self { country, area: None, address: None, locale: None, postal_code: None, city: None }
    }

    /// The area of a postal code: its first letters and digits.
    pub fn area_of(postal_code: &PostalCode) -> Option<PostalCode> {
        let letters = postal_code.as_str().chars().filter(char::is_ascii_alphanumeric).take(AREA);
        PostalCode::new(&letters.collect::<String>().to_ascii_uppercase()).ok()
    }
}

/// A line of a cart, with what its buyer was shown when it was set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What.
    pub variant: VariantId,
    /// Its product.
    pub product: ProductId,
    /// Its code.
    pub sku: Sku,
    /// What it was called.
    pub title: Title,
    /// How many.
    pub quantity: Quantity,
    /// What one piece cost.
    pub unit_price: Price,
}

/// What happened to a cart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// It exists, and is empty.
    Created {
        /// Whose it is; nobody's for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<AccountId>,
        /// The hash of the token that opens it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
    },
    /// So much of a variant is in it now.
    LineSet(Line),
    /// A variant is not in it any more.
    LineRemoved {
        /// The variant.
        variant: VariantId,
    },
    /// Nothing is in it any more.
    Emptied {},
    /// The goods would go there.
    DestinationSet {
        /// Where.
        destination: Destination,
    },
    /// It became an order.
    CheckedOut {
        /// The order.
        order: OrderId,
    },
}

impl crate::Event for Event {}

/// What a cart can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Begin, empty.
    Create {
        /// Whose it is; nobody's for a guest.
        owner: Option<AccountId>,
        /// The hash of the token that opens it.
        token_hash: Option<Hash>,
        /// The currency of all its prices.
        currency: Currency,
    },
    /// Have so much of a variant in it: set, not added.
    SetLine(Line),
    /// Take a variant out.
    RemoveLine {
        /// The variant.
        variant: VariantId,
    },
    /// Take everything out.
    Empty {},
    /// Say where the goods would go.
    SetDestination {
        /// Where.
        destination: Destination,
    },
    /// Close it as the order it became.
    Close {
        /// The order.
        order: OrderId,
    },
}

/// A cart as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Cart {
    /// There is none.
    #[default]
    Missing,
    /// There is one.
    Created(Box<Created>),
}

/// What is known of a cart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Created {
    /// Whose it is; nobody's for a guest.
    pub owner: Option<AccountId>,
    /// The hash of the token that opens it; of no use to a reader of the state.
    #[serde(skip)]
    pub token_hash: Option<Hash>,
    /// The currency of all its prices.
    pub currency: Currency,
    /// What is in it, in the order it was put in.
    pub lines: Vec<Line>,
    /// Where the goods would go.
    pub destination: Option<Destination>,
    /// The order it became; nothing while it is open.
    pub order: Option<OrderId>,
}

/// What can be in the way.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Rejection {
    /// There is no such cart.
    #[error("there is no such cart")]
    Missing,
    /// The id names another cart already.
    #[error("the cart exists already")]
    Exists,
    /// It became an order.
    #[error("the cart is checked out")]
    CheckedOut {
        /// The order.
        order: OrderId,
    },
    /// A line is priced otherwise.
    #[error("the cart is in {}", currency.code())]
    OtherCurrency {
        /// The cart's currency.
        currency: Currency,
    },
    /// There are too many lines.
    #[error("a cart has at most {LINES_MAX} lines")]
    TooManyLines,
    /// The sum does not fit.
    #[error("the cart costs too much")]
    TooExpensive,
}

impl crate::Rejection for Rejection {
    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::CheckedOut { .. } => "checked_out",
            Self::OtherCurrency { .. } => "other_currency",
            Self::TooManyLines => "too_many_lines",
            Self::TooExpensive => "too_expensive",
        }
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Missing => Kind::Missing,
            Self::Exists | Self::CheckedOut { .. } => Kind::Conflict,
            Self::OtherCurrency { .. } | Self::TooManyLines | Self::TooExpensive => Kind::Invalid,
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

    fn decide(&self, command: &Command, _asked: &Asked) -> Decision {
        match command {
            Command::Create { owner, token_hash, currency } => self.create(*owner, token_hash.as_ref(), *currency),
            Command::SetLine(line) => self.open()?.set_line(line),
            Command::RemoveLine { variant } => {
                let there = self.open()?.line(*variant).is_some();
                Ok(if there { vec![Event::LineRemoved { variant: *variant }] } else { vec![] })
            }
            Command::Empty {} => {
                let empty = self.open()?.lines.is_empty();
                Ok(if empty { vec![] } else { vec![Event::Emptied {}] })
            }
            Command::SetDestination { destination } => {
                let same = self.open()?.destination.as_ref() == Some(destination);
                Ok(if same { vec![] } else { vec![Event::DestinationSet { destination: destination.clone() }] })
            }
            Command::Close { order } => match self.existing()?.order {
                None => Ok(vec![Event::CheckedOut { order: *order }]),
                Some(known) if known == *order => Ok(vec![]),
                Some(order) => Err(Rejection::CheckedOut { order }),
            },
        }
    }

    fn evolve(self, event: &Event) -> Self {
        match event {
            Event::Created { owner, token_hash, currency } => Self::Created(Box::new(Created {
                owner: *owner,
                token_hash: token_hash.clone(),
                currency: *currency,
                lines: vec![],
                destination: None,
                order: None,
            })),
            Event::LineSet(line) => {
                self.with(|it| match it.lines.iter_mut().find(|known| known.variant == line.variant) {
                    Some(known) => known.clone_from(line),
                    None => it.lines.push(line.clone()),
                })
            }
            Event::LineRemoved { variant } => self.with(|it| it.lines.retain(|line| line.variant != *variant)),
            Event::Emptied {} => self.with(|it| it.lines.clear()),
            Event::DestinationSet { destination } => self.with(|it| it.destination = Some(destination.clone())),
            Event::CheckedOut { order } => self.with(|it| it.order = Some(*order)),
        }
    }
}

impl Cart {
    /// What is known of it, if it exists.
    pub fn existing(&self) -> Result<&Created, Rejection> {
        match self {
            Self::Missing => Err(Rejection::Missing),
            Self::Created(created) => Ok(created),
        }
    }

    /// What is known of it, if it exists and can still be changed.
    pub fn open(&self) -> Result<&Created, Rejection> {
        let created = self.existing()?;
        match created.order {
            Some(order) => Err(Rejection::CheckedOut { order }),
            None => Ok(created),
        }
    }

    fn create(&self, owner: Option<AccountId>, token_hash: Option<&Hash>, currency: Currency) -> Decision {
        match self {
            Self::Missing => Ok(vec![Event::Created { owner, token_hash: token_hash.cloned(), currency }]),
            Self::Created(_) => Err(Rejection::Exists),
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Created)) -> Self {
        if let Self::Created(created) = &mut self {
            change(created);
        }
        self
    }
}

impl Created {
    /// The line of a variant.
    pub fn line(&self, variant: VariantId) -> Option<&Line> {
        self.lines.iter().find(|line| line.variant == variant)
    }

    /// What all lines cost, at the prices in the cart.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.lines
            .iter()
            .try_fold(Money::zero(self.currency), |sum, line| sum.plus(line.unit_price.times(line.quantity)?))
    }

    /// What its lines want of the stock.
    pub fn demands(&self) -> impl Iterator<Item = Demand> + '_ {
        self.lines.iter().map(|line| Demand { variant: line.variant, quantity: line.quantity })
    }

    /// Why it cannot be bought as it is: each line compared with what is offered now. No offer means: not for sale.
    pub fn problems(&self, offers: &BTreeMap<VariantId, Offer>) -> Vec<Problem> {
        self.lines.iter().filter_map(|line| Problem::of(line, offers.get(&line.variant))).collect()
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
        others
            .chain([line])
            .try_fold(Money::zero(self.currency), |sum, line| sum.plus(line.unit_price.times(line.quantity)?))
            .map_err(|_| Rejection::TooExpensive)?;
        Ok(vec![Event::LineSet(line.clone())])
    }
}

#[cfg(test)]
mod tests;
