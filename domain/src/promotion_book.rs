//! The promotion book: the terms of all active promotions without a coupon code, in one stream.
//!
//! ```text
//! (empty) ──listed, unlisted──▶ …
//! ```
//!
//! Every checkout reads all of them. Here they are one state, which is kept in memory, and one version that the checkout
//! expects; a promotion lists itself in the append that changes it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decider::{Asked, Decider};
use crate::ids::{Id as _, PromotionBookId, PromotionId};
use crate::promotion::Terms;

/// The maximum number of active promotions without a code: each is evaluated at every checkout.
pub const LISTED_MAX: usize = 100;

/// The id of the one book.
pub fn id() -> PromotionBookId {
    PromotionBookId::from_uuid(uuid::Uuid::from_u128(1))
}

/// What happened to the book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// A promotion was listed, or its terms were changed.
    Listed {
        /// The promotion.
        promotion: PromotionId,
        /// The version of the promotion that has these terms.
        version: i64,
        /// The benefit, target, conditions, limits and period.
        terms: Box<Terms>,
    },
    /// A promotion was removed from the list.
    Unlisted {
        /// The promotion.
        promotion: PromotionId,
    },
}

impl crate::Event for Event {}

/// The commands of the promotion book.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// List a promotion.
    List {
        /// The promotion.
        promotion: PromotionId,
        /// The version of the promotion that has these terms.
        version: i64,
        /// The benefit, target, conditions, limits and period.
        terms: Box<Terms>,
    },
    /// Remove a promotion from the list.
    Unlist {
        /// The promotion.
        promotion: PromotionId,
    },
}

/// A promotion in the book.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Listed {
    /// The version of the promotion that has these terms.
    pub version: i64,
    /// The benefit, target, conditions, limits and period.
    pub terms: Terms,
}

/// The state of the promotion book.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct PromotionBook {
    /// The active promotions without a code.
    pub promotions: BTreeMap<PromotionId, Listed>,
}

crate::rejections! {
    /// Why a command is refused.
    #[derive(Debug, Clone, PartialEq)]
    pub enum Rejection {
        TooMany => Conflict: "at most {LISTED_MAX} automatic promotions can be active; end or pause one";
    }
}

impl Decider for PromotionBook {
    const CATEGORY: &'static str = "promotion_book";
    const SINGLETON: bool = true;
    type Id = PromotionBookId;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    fn decide(&self, command: &Command, _asked: &Asked) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::List { promotion, version, terms } => match self.promotions.get(promotion) {
                Some(known) if known.terms == **terms => Ok(vec![]),
                None if self.promotions.len() == LISTED_MAX => Err(Rejection::TooMany),
                Some(_) | None => {
                    Ok(vec![Event::Listed { promotion: *promotion, version: *version, terms: terms.clone() }])
                }
            },
            Command::Unlist { promotion } => {
                let there = self.promotions.contains_key(promotion);
                Ok(if there { vec![Event::Unlisted { promotion: *promotion }] } else { vec![] })
            }
        }
    }

    fn evolve(mut self, event: &Event) -> Self {
        match event {
            Event::Listed { promotion, version, terms } => {
                self.promotions.insert(*promotion, Listed { version: *version, terms: (**terms).clone() });
            }
            Event::Unlisted { promotion } => {
                self.promotions.remove(promotion);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests;
